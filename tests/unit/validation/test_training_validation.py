"""Validation from file to report: every row comes back, nothing left out leaks into its own prediction."""

from __future__ import annotations

import csv
import io

import pytest

from gigawatt.errors import InputError
from gigawatt.validation.predictions import predictions_csv
from gigawatt.validation.training import validate_training

MODELS = ("llama3-8b", "llama3-70b", "gpt3-175b")


def rows_of(**changes: str) -> list[dict[str, str]]:
    """Three models at two batch sizes."""
    return [
        {"model": model, "global_batch_seqs": batch, "tp": "8", "cp": "1", "pp": "4", "vpp": "1", "dp": "2",
         "seq_len": "2048", "measured_step_s": str(step), **changes}
        for model, step in zip(MODELS, (1.0, 6.0, 14.0), strict=True)
        for batch, step in (("128", step), ("256", 1.9 * step))
    ]  # fmt: skip


def test_every_row_comes_back(runs_file, catalogue) -> None:
    file = runs_file(
        [
            {},
            {"model": "Nemotron-H-56B"},
            {"tp": ""},
            {"model": "nobody-knows-this"},
            {"dp": "4"},
            {"gpu_kind": "abacus"},
        ]
    )
    report = validate_training([file], catalogue)
    assert [row.id for row in report.rows] == [f"run-{i}" for i in range(6)]
    assert [row.status for row in report.rows] == [
        "predicted", "inexpressible", "inexpressible", "inexpressible", "document_error", "inexpressible",
    ]  # fmt: skip
    assert "state-space" in report.rows[1].reason
    assert "tp blank" in report.rows[2].reason
    assert "no shape" in report.rows[3].reason
    assert "gpus 64" in report.rows[4].reason
    assert "abacus" in report.rows[5].reason
    # Owed: all full layouts but the hybrid model's.
    assert report.num_full_layouts == 4
    assert report.coverage_frac == pytest.approx(1 / 4)
    assert report.overall.n == 1


def test_repeats_count_once_by_their_median(runs_file, catalogue) -> None:
    file = runs_file([{"measured_step_s": step} for step in ("14.0", "15.0", "19.0")])
    report = validate_training([file], catalogue)
    predicted = report.rows[0].predicted_step_s
    assert report.overall.n == 1
    assert report.overall.mape_frac == pytest.approx(abs(predicted / 15.0 - 1.0))
    assert report.repeat_floor.num_configurations == 1


def test_the_csv_has_the_promised_columns(runs_file, catalogue) -> None:
    report = validate_training([runs_file([{"measured_peak_mem_gib": "60"}, {"tp": ""}])], catalogue)
    lines = list(csv.DictReader(io.StringIO(predictions_csv(report))))
    assert list(lines[0]) == [
        "id", "measured_step_s", "predicted_step_s", "low_step_s", "high_step_s", "measured_mem_gib",
        "predicted_mem_gib", "status", "reason",
    ]  # fmt: skip
    assert float(lines[0]["measured_mem_gib"]) == 60.0
    assert (
        float(lines[0]["low_step_s"]) < float(lines[0]["predicted_step_s"]) < float(lines[0]["high_step_s"])
    )
    assert lines[1]["predicted_step_s"] == ""
    assert lines[1]["status"] == "inexpressible"


def test_what_is_left_out_does_not_shape_its_own_prediction(runs_file, catalogue) -> None:
    """Whatever was measured of one model, predictions for it stay; those for the others do not."""
    before = rows_of()
    after = [
        row | {"measured_step_s": str(float(row["measured_step_s"]) * 1.5)} for row in before[:2]
    ] + before[2:]
    reports = [
        validate_training([runs_file(rows, name)], catalogue, "model", num_workers=1)
        for rows, name in ((before, "a.csv"), (after, "b.csv"))
    ]
    first, second = ([row.predicted_step_s for row in report.rows] for report in reports)
    assert first[:2] == second[:2]
    assert first[2:] != second[2:]
    assert [row.fold for row in reports[0].rows] == [
        "llama-3-8b", "llama-3-8b", "llama-3-70b", "llama-3-70b", "gpt-3-175b", "gpt-3-175b",
    ]  # fmt: skip
    assert "fold" in predictions_csv(reports[0]).splitlines()[0]


def test_workers_do_not_change_the_result(runs_file, catalogue) -> None:
    file = runs_file(rows_of())
    alone, together = (validate_training([file], catalogue, "model", num_workers=n) for n in (1, 2))
    for one, other in zip(alone.rows, together.rows, strict=True):
        assert one.predicted_step_s == pytest.approx(other.predicted_step_s, rel=1e-6)


def test_nothing_to_leave_out_is_said(runs_file, catalogue) -> None:
    with pytest.raises(InputError, match="one family at a time: all runs are of"):
        validate_training([runs_file(rows_of())], catalogue, "family")
    with pytest.raises(InputError, match="column 'organisation' is missing"):
        validate_training([runs_file(rows_of())], catalogue, "organisation")


def test_a_file_without_the_columns_is_refused(tmp_path, catalogue) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("day,usd\n1,2\n")
    with pytest.raises(InputError, match="measured_step_s"):
        validate_training([path], catalogue)


def test_a_file_of_nothing_expressible_is_a_report_all_the_same(runs_file, catalogue) -> None:
    report = validate_training([runs_file([{"tp": ""}])], catalogue)
    assert report.overall.n == 0
    assert report.coverage_frac == 0.0
