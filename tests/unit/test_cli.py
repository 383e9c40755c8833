"""The command line's manners: exit codes, where things are printed, what is said about wrong usage."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gigawatt.cli.drawing import drawn_lines
from gigawatt.views.table import Column, Table, text_column


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
        (["catalog", "show", "zzzzqqqq"], "catalog list"),
        (["export", "vllm", "nowhere", "-o", "x"], "megatron-lm"),
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


def test_show_counts_the_parameters_of_a_model(run_gigawatt) -> None:
    """671 billion, of which a token uses 37: DeepSeek-V3 Technical Report (arXiv:2412.19437), section 4.2."""
    done = run_gigawatt("catalog", "show", "deepseek-v3", "--json")
    found = json.loads(done.output)
    assert found["parameters"]["total"] == pytest.approx(671e9, rel=1e-3)
    assert found["parameters"]["active"] == pytest.approx(37e9, rel=2e-2)
    assert "8 of 256 experts of width 2,048" in done.errors


@pytest.mark.parametrize(
    "name",
    [
        "scenario",
        "accelerator",
        "system",
        "offer",
        "switch",
        "link",
        "fabric",
        "equipment",
        "climate",
        "site",
    ],
)
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


def test_unknown_ids_of_a_scenario_are_all_named_with_their_places(run_gigawatt, tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(
        "price_year: 2026\nassumptions: {pue: 1.2}\nruns:\n"
        "  - {id: a, model: llama-3.1-9b, tokens: 1T tokens, seq_len: 8192, global_batch: 64,"
        " start: 2027-01-01, deadline: 2027-02-01}\n"
        "rentals:\n"
        "  - where: {accelerator: h100-smx-80gb, term: ondemand}\n"
        "    num_accelerators: 64\n"
        "    system: hgx-h1000\n"
    )
    done = run_gigawatt("plan", str(path))
    assert done.exit_code == 2
    for complaint in (
        f"{path}:4:20: runs[0].model: ",
        "did you mean llama-3.1-8b",
        f"{path}:6:26: rentals[0].where.accelerator: ",
        f'{path}:6:47: rentals[0].where.term: no offer has the term "ondemand": did you mean "on-demand"?',
        f"{path}:8:13: rentals[0].system: ",
    ):
        assert complaint in done.errors


@pytest.mark.parametrize(
    ("redirection", "code", "said"),
    [("| head -c 1", 0, ""), ("> /dev/full", 3, "no space left"), (">&-", 0, "")],
)
def test_output_that_nobody_takes_is_no_verdict(redirection: str, code: int, said: str) -> None:
    """A reader that left early is no failure, a full disk is one, and neither is "the answer is no"."""
    program = "import sys; from gigawatt.cli import main; sys.exit(main(['catalog', 'list', 'offers']))"
    command = f'set -o pipefail; {sys.executable} -c "{program}" {redirection}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_of_another_kind_is_refused_in_a_screenful(run_gigawatt, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("one line\n" + "a,b\n" * 1000)
    done = run_gigawatt("validate", "training", str(tmp_path / "log.csv"))
    assert done.exit_code == 2
    assert len(done.errors.splitlines()) < 25
    assert "more" in done.errors.splitlines()[-1]


WORDY = Table(
    "offers",
    (text_column("id", "Id"), Column("rate", "Rate"), text_column("note", "Note")),
    (("first-offer", "2 GB/s", "a note of several words"), ("second-offer", "3 GB/s", "short")),
)


@pytest.mark.parametrize("width", [None, 80, 40, 30, 12, 1])
def test_a_table_keeps_every_word_whole_at_any_width(width: int | None) -> None:
    lines = list(drawn_lines(WORDY, width))
    words = {word for row in WORDY.texts() for cell in row for word in cell.split()}
    assert words <= {word for line in lines for word in line.split()}
    if width and width >= 40:
        assert max(map(len, lines)) <= width


def test_a_plan_says_that_its_goodput_is_an_estimate(run_gigawatt, tmp_path: Path) -> None:
    assert run_gigawatt("init", str(tmp_path)).exit_code == 0
    scenario = tmp_path / "scenario.yaml"
    bare = run_gigawatt("plan", str(scenario), "--out", str(tmp_path / "bare"))
    scenario.write_text(scenario.read_text().replace("# goodput_frac", "goodput_frac"))
    stated = run_gigawatt("plan", str(scenario), "--out", str(tmp_path / "stated"))
    assert "Goodput is an estimate" in bare.output
    assert "Goodput is an estimate" not in stated.output


def test_sequences_beyond_the_positions_of_a_model_are_remarked(run_gigawatt) -> None:
    done = run_gigawatt(*DESIGN[:-3], "262144", *DESIGN[-2:])
    assert done.exit_code == 0
    assert "131,072 positions" in done.errors
    assert "131,072 positions" not in run_gigawatt(*DESIGN).errors


def test_a_file_where_a_folder_belongs_is_wrong_input(run_gigawatt, tmp_path: Path) -> None:
    assert run_gigawatt("init", str(tmp_path / "a")).exit_code == 0
    scenario = tmp_path / "a" / "scenario.yaml"
    for arguments in (["init", str(scenario)], ["plan", str(scenario), "--out", str(scenario)]):
        done = run_gigawatt(*arguments)
        assert done.exit_code == 2
        assert f"{scenario}: is a file" in done.errors
