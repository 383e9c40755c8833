"""`gigawatt validate` and `gigawatt calibrate` as they are typed."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

RUNS = [{}, {"measured_step_s": "15.4"}, {"dp": ""}]


def test_validate_ends_well_whatever_it_finds(run_gigawatt, runs_file, tmp_path: Path) -> None:
    out = tmp_path / "predictions.csv"
    done = run_gigawatt("validate", "training", str(runs_file(RUNS)), "--predictions", str(out))
    assert done.exit_code == 0
    assert "Repeat floor" in done.output
    assert "dp blank" in done.output
    assert len(out.read_text(encoding="utf-8").splitlines()) == 4


def test_only_a_missed_bound_ends_with_1(run_gigawatt, runs_file) -> None:
    file = str(runs_file(RUNS))
    assert run_gigawatt("validate", "training", file, "--require", "mape<=500%").exit_code == 0
    missed = run_gigawatt("validate", "training", file, "--require", "n>=2", "--require", "n>=1")
    assert missed.exit_code == 1
    assert "missed: n>=2 (found 1)" in missed.output
    assert "missed: n>=1" not in missed.output


def test_json_is_one_object(run_gigawatt, runs_file) -> None:
    done = run_gigawatt("validate", "training", str(runs_file(RUNS)), "--json")
    found = json.loads(done.output)
    assert found["schema"] == "gigawatt.validate-training/1"
    assert [row["status"] for row in found["rows"]] == ["predicted", "predicted", "inexpressible"]
    assert found["overall"]["n"] == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("missing.csv",), "missing.csv"),
        (("{file}", "--require", "best"), "expected FIGURE<=BOUND"),
        (("{file}", "--require", "mape<=8"), "write 8% or 0.08"),
        (("{file}", "--require", "nobody: mape<=8%"), "no group 'nobody'"),
        (("{file}", "--cross-validate", "organisation"), "column 'organisation' is missing"),
        (("{file}", "--cross-validate", "weather"), "weather"),
    ],
)
def test_wrong_input_ends_with_2(run_gigawatt, runs_file, arguments: tuple[str, ...], told: str) -> None:
    file = str(runs_file(RUNS))
    done = run_gigawatt("validate", "training", *(text.format(file=file) for text in arguments))
    assert done.exit_code == 2
    assert told in done.errors


def test_what_was_calibrated_is_an_overlay(run_gigawatt, runs_file, tmp_path: Path) -> None:
    file, overlay = str(runs_file(RUNS)), str(tmp_path / "ours.json")
    done = run_gigawatt("calibrate", "training", file, "-o", overlay)
    assert done.exit_code == 0
    assert "1 configuration of runs.csv" in done.output
    assert run_gigawatt("validate", "training", file, "--overlay", overlay).exit_code == 0


def test_nothing_is_written_where_nothing_can_be_fitted(run_gigawatt, runs_file, tmp_path: Path) -> None:
    overlay = tmp_path / "ours.json"
    done = run_gigawatt("calibrate", "training", str(runs_file([{"dp": ""}])), "-o", str(overlay))
    assert done.exit_code == 2
    assert "no row can be fitted" in done.errors
    assert not overlay.exists()


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="PyTorch is installed")
def test_measuring_without_pytorch_says_what_to_install(run_gigawatt, tmp_path: Path) -> None:
    done = run_gigawatt("calibrate", "device", "h100-sxm-80gb", "-o", str(tmp_path / "device.yaml"))
    assert done.exit_code == 3
    assert "pip install 'gigawatt[device]'" in done.errors
