"""`design fabric` and `validate fabric`: what they print, and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

BOM = Path(__file__).parents[5] / "shared" / "data" / "fabric_bom.csv"


def test_a_design_as_json(run_gigawatt) -> None:
    done = run_gigawatt("design", "fabric", "--system", "hgx-b200", "--gpus", "760", "--json", "--quiet")
    assert done.exit_code == 0
    found = json.loads(done.output)
    assert found["schema"] == "gigawatt.design-fabric/1"
    compute = found["networks"][0]
    assert [tier["num_switches"] for tier in compute["tiers"]] == [24, 16]
    assert [group["num_cables"] for group in compute["cables"]] == [764, 768]
    assert found["failures"]


def test_a_design_as_tables(run_gigawatt, tmp_path) -> None:
    bill = tmp_path / "bill.csv"
    done = run_gigawatt("design", "fabric", "--system", "gb200-nvl72", "--gpus", "576", "--out", str(bill))
    assert done.exit_code == 0
    for words in ("Bill of materials", "nvlink5-switch-tray", "not in the power", "Failures"):
        assert words in done.output
    assert bill.read_text().startswith("network,category,name,quantity")


def test_the_impossible_ends_with_1(run_gigawatt) -> None:
    done = run_gigawatt("design", "fabric", "--system", "hgx-b200", "--gpus", "100000", "--json", "--quiet")
    assert done.exit_code == 1
    (binding,) = json.loads(done.output)["binding"]
    assert binding["constraint"] == "radix of three tiers"
    assert "65,536 accelerators" in binding["message"]
    assert "spectrum-x-400g" in binding["message"], "kinds that reach so far"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--oversubscription", "1000"), "0.25 to 64"),
        (("--planes", "99"), "1 to 16"),
        (("--fabric", "superpod-b200-nrd"), "superpod-b200-ndr"),
        (("--system", "hgx-h100,gb200-nvl72"), "gb200-nvl72: 4 accelerators with 50 GB/s of network each"),
        (("--system", "hgx-h100+hgx-b200"), "nearest design that works: one for each kind"),
    ],
)
def test_the_absurd_ends_with_2(run_gigawatt, options, words) -> None:
    done = run_gigawatt("design", "fabric", "--system", "hgx-b200", "--gpus", "1024", *options)
    assert done.exit_code == 2
    assert words in done.errors


@pytest.mark.skipif(not BOM.exists(), reason="the published bills of material are not beside this checkout")
def test_validation_writes_our_counts(run_gigawatt, tmp_path) -> None:
    out = tmp_path / "ours.csv"
    done = run_gigawatt("validate", "fabric", str(BOM), "--predictions", str(out), "--require", "exact>=100%")
    assert done.exit_code == 0
    header, first, *_ = out.read_text().splitlines()
    assert header == ("id,leaf,spine,core,cables_node_leaf,cables_leaf_spine,cables_spine_core,status,reason")
    assert first == "sp-b200-2su,16,8,0,512,512,0,predicted,"
    assert run_gigawatt("validate", "fabric", str(BOM), "--require", "coverage>=99%").exit_code == 1
