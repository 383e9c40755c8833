"""Predictions as the CSV that scripts read: one line for each row of the files, in their order."""

from __future__ import annotations

import csv
import io

from gigawatt.domain.validation import ValidatedRun, ValidationReport

GIB = 1024.0**3
COLUMNS = (
    "id", "measured_step_s", "predicted_step_s", "low_step_s", "high_step_s", "measured_mem_gib",
    "predicted_mem_gib", "status", "reason",
)  # fmt: skip


def predictions_csv(report: ValidationReport) -> str:
    """Every row, with `fold` where predictions are of cross-validation; memory where it was measured."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    folds = bool(report.cross_validation)
    writer.writerow([*COLUMNS, *(["fold"] if folds else [])])
    for row in report.rows:
        writer.writerow([*_cells(row), *([row.fold] if folds else [])])
    return text.getvalue()


def _cells(row: ValidatedRun) -> list[str]:
    times = (row.measured_step_s, row.predicted_step_s, row.low_step_s, row.high_step_s)
    predicted = row.predicted_mem_bytes if row.measured_mem_bytes else None
    sizes = (row.measured_mem_bytes, predicted)
    return [
        row.id,
        *("" if time is None else f"{time:.9g}" for time in times),
        *("" if size is None else f"{size / GIB:.6g}" for size in sizes),
        row.status,
        row.reason,
    ]
