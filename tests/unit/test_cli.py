"""The command line's manners: exit codes, where things are printed, what is said about wrong usage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def test_help_lists_every_command(run_gigawatt) -> None:
    done = run_gigawatt("--help")
    assert done.exit_code == 0
    for name in ("init", "plan", "design", "catalog", "explain", "schema"):
        assert name in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plann"], "did you mean 'plan'"),
        (["catalog", "lst"], "did you mean 'list'"),
        (["plan"], "SCENARIO.yaml"),
        (["plan", "nowhere.yaml"], "no such file"),
        (["catalog", "list", "gpus"], "accelerators"),
        (["catalog", "show", "h100-smx"], "h100"),
        (["explain", "nowhere", "/runs"], "no such plan directory"),
        (["schema", "nothing"], "scenario"),
        (["design", "training", "llama-3.1-8b"], "--system"),
    ],
)
def test_wrong_usage_is_explained_and_ends_with_2(run_gigawatt, arguments: list[str], said: str) -> None:
    done = run_gigawatt(*arguments)
    assert done.exit_code == 2
    assert said in done.errors
    assert "Traceback" not in done.errors
    assert done.output == ""


DESIGN = "design training llama-3.1-8b --system hgx-h100 --gpus 64 --seq-len 8192 --global-batch 512".split()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("llama-3.1-8b", "llama-3.1-9b"), "llama-3.1-8b"),
        (("hgx-h100", "hgx-h10"), "hgx-h100"),
        (("64", "0"), "--gpus"),
        (("64", "-8"), "--gpus"),
        (("64", "1000000000000"), "--gpus"),
        (("8192", "eight"), "--seq-len"),
        (("512", "-1"), "--global-batch"),
    ],
)
def test_wrong_values_of_a_design_are_refused(run_gigawatt, change: tuple[str, str], said: str) -> None:
    done = run_gigawatt(*(change[1] if word == change[0] else word for word in DESIGN))
    assert done.exit_code == 2
    assert said in done.errors


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--tokens", "15.6 GB"], "token"),
        (["--tokens", "-1T"], "--tokens"),
        (["--precision", "bf32"], "bf16"),
        (["--layout", "tp=8 pp"], "axis=value"),
        (["--layout", "tp=8 qp=2"], "qp"),
        (["--layout", "tp=8 tp=2"], "twice"),
        (["--layout", "tp=8 dp=7"], "56, expected 64"),
        (["--zero", "4"], "--zero"),
    ],
)
def test_wrong_options_of_a_design_are_refused(run_gigawatt, option: list[str], said: str) -> None:
    done = run_gigawatt(*DESIGN, *option)
    assert done.exit_code == 2
    assert said in done.errors


def test_json_is_one_object_on_standard_output(run_gigawatt) -> None:
    done = run_gigawatt("catalog", "list", "systems", "--json")
    answer = json.loads(done.output)
    assert answer["schema"] == "gigawatt.catalog-list/1"
    assert "hgx-h100" in {row["id"] for row in answer["rows"]}
    assert "hgx-h100" in done.errors  # the table for people


def test_tables_are_written_as_csv(run_gigawatt, tmp_path: Path) -> None:
    path = tmp_path / "systems.csv"
    assert run_gigawatt("catalog", "list", "systems", "--out", str(path)).exit_code == 0
    header, *rows = path.read_text().splitlines()
    assert header.startswith("id,name,accelerator,num_accelerators_per_node")
    assert any(row.startswith("hgx-h100,") for row in rows)
    refused = run_gigawatt("catalog", "list", "systems", "--out", str(tmp_path / "systems.xlsx"))
    assert (refused.exit_code, ".csv or .parquet" in refused.errors) == (2, True)


def test_show_finds_an_alias_and_names_its_sources(run_gigawatt) -> None:
    done = run_gigawatt("catalog", "show", "dgx-h100")
    assert done.exit_code == 0
    assert "hgx-h100" in done.output
    assert "datasheet" in done.output


@pytest.mark.parametrize("name", ["scenario", "accelerator", "system", "offer"])
def test_schemas_are_json(run_gigawatt, name: str) -> None:
    schema = json.loads(run_gigawatt("schema", name).output)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["properties"]


def test_init_writes_a_scenario_once(run_gigawatt, tmp_path: Path) -> None:
    first = run_gigawatt("init", str(tmp_path / "new"))
    assert first.exit_code == 0
    written = (tmp_path / "new" / "scenario.yaml").read_text()
    again = run_gigawatt("init", str(tmp_path / "new"))
    assert again.exit_code == 2
    assert "is there already" in again.errors
    assert (tmp_path / "new" / "scenario.yaml").read_text() == written


def test_a_scenario_with_many_mistakes_names_them_all(run_gigawatt, tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(
        "price_year: 2026\nassumptions: {pue: 0.2}\nruns:\n"
        "  - {id: a, model: llama-3.1-8b, tokens: 1T tokens, seq_len: 0, global_batch: 1, start: 2027-01-01,"
        " deadlin: 2027-02-01}\n"
    )
    done = run_gigawatt("plan", str(path))
    assert done.exit_code == 2
    for complaint in (":2:20: assumptions.pue", "runs[0].seq_len", 'did you mean "deadline"?'):
        assert complaint in done.errors
    assert "Traceback" not in done.errors


def test_an_interruption_ends_with_130(run_gigawatt, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gigawatt.catalog.load_catalog", interrupted)
    done = run_gigawatt("catalog", "list")
    assert done.exit_code == 130
    assert "Traceback" not in done.errors
