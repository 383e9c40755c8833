"""Predicted against measured as tables."""

from __future__ import annotations

import math

from gigawatt.domain.calibration import TrainingFit
from gigawatt.domain.calibration_collectives import CollectiveFit
from gigawatt.domain.validation import Score, ValidatedRun, ValidationReport
from gigawatt.views.table import Column, Table, text_column

_SCORE_COLUMNS = (
    Column("n", "n"),
    Column("mape_frac", "MAPE"),
    Column("median_frac", "Median"),
    Column("p90_frac", "p90"),
    Column("max_frac", "Max"),
    Column("bias_frac", "Bias"),
)

_SHOWN_CHANGE_FRAC = 0.01

Fit = TrainingFit | CollectiveFit


def score_table(report: ValidationReport) -> Table:
    """Errors of predicted step times: all configurations, then each part of them."""
    how = f", leaving out one {report.cross_validation} at a time" if report.cross_validation else ""
    rows = [("all", "", *_cells(report.overall))]
    rows += [(one.kind, one.name, *_cells(one.score)) for one in report.groups]
    return Table(
        title=f"Predicted over measured step time, each configuration once{how}",
        columns=(text_column("kind", "By"), text_column("name", ""), *_SCORE_COLUMNS),
        rows=tuple(rows),
        notes=tuple(_remarks(report)),
    )


def ranking_table(report: ValidationReport) -> Table | None:
    """How well layouts are put in order; None where no cluster ran enough of them."""
    if not report.rankings:
        return None
    return Table(
        title="Layouts of one model on one cluster, ranked by tokens/s per accelerator",
        columns=(
            text_column("name", "Cluster"),
            Column("num_layouts", "Layouts"),
            Column("spearman", "Spearman"),
            Column("regret_frac", "Regret"),
        ),
        rows=tuple((one.name, one.num_layouts, one.spearman, one.regret_frac) for one in report.rankings),
    )


def worst_table(report: ValidationReport) -> Table | None:
    """The rows furthest from their prediction, and what the gap is likely due to."""
    by_id = {row.id: row for row in report.rows}
    if not report.worst:
        return None
    return Table(
        title="Furthest from their prediction",
        columns=(
            text_column("id", "Row"),
            Column("measured_step_s", "Measured"),
            Column("predicted_step_s", "Predicted"),
            Column("error_frac", "Error"),
            text_column("reason", "Likely cause"),
        ),
        rows=tuple(_worst_row(by_id[id]) for id in report.worst),
    )


def unscored_table(report: ValidationReport) -> Table | None:
    """Rows that are not scored, by reason; None where all are."""
    reasons: dict[tuple[str, str], int] = {}
    for row in report.rows:
        if row.status != "predicted":
            reasons[row.status, row.reason] = reasons.get((row.status, row.reason), 0) + 1
    if not reasons:
        return None
    return Table(
        title="Rows without a score",
        columns=(text_column("status", "Status"), Column("n", "Rows"), text_column("reason", "Why")),
        rows=tuple((status, count, reason) for (status, reason), count in reasons.items()),
    )


def convention_table(report: ValidationReport) -> Table | None:
    """What reported TFLOP/s and MFU count, by source; None where no row states any."""
    found: dict[tuple[str, str], int] = {}
    for row in report.rows:
        if row.convention:
            says = _without_figures(row.convention)
            found[row.source, says] = found.get((row.source, says), 0) + 1
    if not found:
        return None
    return Table(
        title="What the reported TFLOP/s or MFU counts",
        columns=(
            text_column("source", "Source"),
            Column("n", "Rows"),
            text_column("convention", "It counts"),
        ),
        rows=tuple((source, count, says) for (source, says), count in sorted(found.items())),
    )


def moved_table(before: Fit, after: Fit) -> Table:
    """What a fit changed of the one before it, the largest change first."""
    known = {(row.name, row.level, row.key): row for row in before.parameters}
    rows = []
    for row in after.parameters:
        old = known.get((row.name, row.level, row.key))
        offset, runs = (old.offset * old.sd_frac, old.num_rows) if old else (0.0, 0)
        change = math.expm1(row.offset * row.sd_frac - offset)
        if row.num_rows > runs and abs(change) >= _SHOWN_CHANGE_FRAC:
            rows.append((row.name, row.level, row.key, row.num_rows - runs, change))
    rows.sort(key=lambda one: -abs(one[-1]))
    return Table(
        title="What these runs changed",
        columns=(
            text_column("name", "Parameter"),
            text_column("level", "Level"),
            text_column("key", "Of"),
            Column("num_rows", "Runs"),
            Column("change_frac", "Change"),
        ),
        rows=tuple(rows),
        notes=() if rows else ("Nothing moved by as much as 1 %.",),
    )


def _without_figures(convention: str) -> str:
    if " counts " in convention:
        return convention.partition(" counts ")[2].partition(";")[0]
    return "no usual count of the step"


def _worst_row(row: ValidatedRun) -> tuple[str | float | None, ...]:
    return row.id, row.measured_step_s, row.predicted_step_s, row.error_frac, row.reason


def _cells(score: Score) -> tuple[float | int, ...]:
    return (
        score.n, score.mape_frac, score.median_frac, score.p90_frac, score.max_frac, score.bias_frac,
    )  # fmt: skip


def _remarks(report: ValidationReport) -> list[str]:
    floor, interval, memory = report.repeat_floor, report.interval, report.memory
    told = [
        f"Coverage: {report.coverage_frac:.1%} of {report.num_full_layouts} full layouts, "
        f"among {report.num_rows} rows."
    ]
    if interval.n:
        told.append(
            f"80 % intervals: {interval.coverage_frac:.1%} covered, width {interval.width_frac:.1%} "
            f"of the measured time, interval score {interval.winkler_frac:.3f}."
        )
    if memory.n:
        told.append(f"Peak memory: MAPE {memory.mape_frac:.1%}, bias {memory.bias_frac:+.1%} (n {memory.n}).")
    if floor.num_configurations:
        told.append(
            f"Repeat floor: releases and sites differ by {floor.median_frac:.1%} (median) and "
            f"{floor.mean_frac:.1%} (mean) on one configuration ({floor.num_configurations} of them)."
        )
    return told
