"""`gigawatt design facility`: what it prints, and how it ends."""

from __future__ import annotations

import json
import re
from pathlib import Path

import gigawatt

ASKED = ("design", "facility", "--system", "gb200-nvl72", "--gpus", "576")


def test_people_read_tables(run_gigawatt) -> None:
    done = run_gigawatt(*ASKED, "--quiet")
    assert done.exit_code == 0
    for words in ("PUE", "WUE", "critical load", "Racks", "Power", "Cooling", "Cost", "Phases", "Failures"):
        assert words in done.output


def test_scripts_read_one_object(run_gigawatt) -> None:
    done = run_gigawatt(*ASKED, "--json", "--site", "nordic")
    answer = json.loads(done.output)
    assert answer["schema"] == "gigawatt.design-facility/1"
    assert answer["num_accelerators"] == 576
    assert answer["power"]["utility_w"] == answer["peak_w"]
    assert 1 < answer["pue"] < answer["peak_pue"]
    assert {cost["trade"] for cost in answer["costs"]} == {"power", "cooling", "shell", "white space"}


def test_drawings_are_written(run_gigawatt, tmp_path: Path) -> None:
    done = run_gigawatt(*ASKED, "--draw", str(tmp_path / "drawings"))
    assert done.exit_code == 0
    names = {path.name for path in (tmp_path / "drawings").iterdir()}
    assert {"floor-plan.svg", "one-line.svg", "elevation-gb200-nvl72.svg"} <= names


def test_a_site_that_is_too_small_ends_with_one_and_the_nearest_that_works(run_gigawatt) -> None:
    asked = ("design", "facility", "--system", "gb200-nvl72", "--site", "colocation", "--gpus")
    done = run_gigawatt(*asked, "9216")
    assert done.exit_code == 1
    assert "utility power binds" in done.output
    nearest = done.output.split("nearest that works: about ")[1].split(" accelerators")[0]
    assert run_gigawatt(*asked, nearest.replace(",", "")).exit_code == 0


def test_scripts_read_what_binds(run_gigawatt) -> None:
    asked = ("design", "facility", "--system", "gb200-nvl72", "--site", "colocation", "--gpus", "9216")
    done = run_gigawatt(*asked, "--json")
    assert done.exit_code == 1
    (binding,) = json.loads(done.output)["binding"]
    assert binding["constraint"] == "utility power"


def test_an_unknown_site_ends_with_two_and_the_nearest_ones(run_gigawatt) -> None:
    done = run_gigawatt(*ASKED, "--site", "phenix")
    assert done.exit_code == 2
    assert "phoenix" in done.errors


def test_a_system_of_which_too_little_is_known_says_what_is_missing(run_gigawatt) -> None:
    done = run_gigawatt("design", "facility", "--system", "tpu-v4-pod", "--gpus", "4096")
    assert done.exit_code == 2
    assert "liquid_frac" in done.errors


def test_a_slip_of_a_unit_in_ones_own_site_is_refused_with_its_range(run_gigawatt, tmp_path: Path) -> None:
    shipped = Path(gigawatt.__file__).parent / "data" / "sites" / "generic.yaml"
    text = re.sub(r"(?m)^aliases: .*$", "", shipped.read_text(encoding="utf-8"))
    text = text.replace("id: generic", "id: own").replace("rack_depth_m: 1.2 m", "rack_depth_m: 1.2 km")
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "own.yaml").write_text(text, encoding="utf-8")
    for verb in ("facility", "fabric"):
        asked = ("design", verb, "--system", "hgx-h100", "--gpus", "64", "--site", "own")
        done = run_gigawatt(*asked, "--overlay", str(tmp_path))
        assert done.exit_code == 2
        assert "rack_depth_m: 1200 m is not plausible (expected 0.8 m to 2 m)" in done.errors
