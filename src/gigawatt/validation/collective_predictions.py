"""Predicted collectives as the CSV that scripts read: one line for each row of the files, in their order."""

from __future__ import annotations

import csv
import io

from gigawatt.domain.collectives import CollectiveReport, ValidatedCollective
from gigawatt.validation.collective_rows import MICRO

COLUMNS = (
    "series", "collective", "bytes", "gpus", "measured_us", "predicted_us", "low_us", "high_us",
    "status", "reason",
)  # fmt: skip


def collective_predictions_csv(report: CollectiveReport) -> str:
    """Every row, with `fold` where predictions are of cross-validation."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    folds = bool(report.cross_validation)
    writer.writerow([*COLUMNS, *(["fold"] if folds else [])])
    for row in report.rows:
        writer.writerow([*_cells(row), *([row.fold] if folds else [])])
    return text.getvalue()


def _cells(row: ValidatedCollective) -> list[str]:
    times = (row.measured_s, row.predicted_s, row.low_s, row.high_s)
    return [
        row.series,
        row.collective,
        "" if row.bytes_total is None else f"{row.bytes_total:.0f}",
        "" if row.num_ranks is None else str(row.num_ranks),
        *("" if time is None else f"{time / MICRO:.9g}" for time in times),
        row.status,
        row.reason,
    ]
