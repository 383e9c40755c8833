"""Collectives as tables: one prediction with what it rests on, and measured curves beside predicted ones."""

from __future__ import annotations

from collections.abc import Sequence

from gigawatt import units
from gigawatt.domain.collectives import CollectivePrediction, CollectiveReport, ValidatedCollective
from gigawatt.domain.validation import Score
from gigawatt.views.table import Column, Table, text_column

_SHOWN_CANDIDATES = 6
_SHOWN_SENSITIVITY = 0.0005


def method_text(prediction: CollectivePrediction) -> str:
    """Algorithm and protocol in words."""
    return ", ".join(part for part in (prediction.algorithm, prediction.protocol) if part)


def prediction_table(prediction: CollectivePrediction) -> Table:
    """Time, bandwidths and what sets them, in one line."""
    size = units.format_quantity(prediction.bytes_total, "_bytes")
    domains = f"{prediction.num_domains:,} scale-up domain{'s' * (prediction.num_domains != 1)}"
    where = f"over {prediction.num_ranks:,} ranks in {domains}"
    return Table(
        title=f"{prediction.collective}, {size} as nccl-tests count it, {where}",
        columns=(
            Column("time_s", "Time"),
            Column("low_s", "10 %"),
            Column("high_s", "90 %"),
            Column("algbw_bytes_per_s", "algbw"),
            Column("busbw_bytes_per_s", "busbw"),
            text_column("algorithm", "Algorithm"),
            text_column("bottleneck", "Set by"),
        ),
        rows=(
            (
                prediction.time_s,
                prediction.low_s,
                prediction.high_s,
                prediction.algbw_bytes_per_s,
                prediction.busbw_bytes_per_s,
                method_text(prediction),
                prediction.bottleneck,
            ),
        ),
        pointers=("/time_s",),
        notes=tuple(text for text in (prediction.basis, hash_text(prediction)) if text),
    )


def hash_text(prediction: CollectivePrediction) -> str:
    """What hash collisions do to it, in a line; blank where nothing collides."""
    if prediction.hash_p99_s is None:
        return ""
    return (
        "flows hashed onto the same links make the network "
        f"{prediction.mean_slowdown:.2f} times slower on average, "
        f"{prediction.p99_slowdown:.2f} in one run of a hundred, which then takes "
        f"{units.format_quantity(prediction.hash_p99_s, '_s')}"
    )


def predictions_table(predictions: Sequence[CollectivePrediction]) -> Table:
    """Several collectives, one in a line."""
    ranks = ", ".join(dict.fromkeys(f"{one.num_ranks:,}" for one in predictions))
    return Table(
        title=f"Collectives over {ranks} ranks",
        columns=(
            text_column("collective", "Collective"),
            Column("bytes_total_bytes", "Size"),
            Column("time_s", "Time"),
            Column("low_s", "10 %"),
            Column("high_s", "90 %"),
            Column("busbw_bytes_per_s", "busbw"),
            text_column("algorithm", "Algorithm"),
            text_column("bottleneck", "Set by"),
        ),
        rows=tuple(
            (
                one.collective,
                one.bytes_total,
                one.time_s,
                one.low_s,
                one.high_s,
                one.busbw_bytes_per_s,
                method_text(one),
                one.bottleneck,
            )
            for one in predictions
        ),
        pointers=tuple(f"/collectives/{number}/time_s" for number in range(len(predictions))),
        notes=tuple(dict.fromkeys(one.basis for one in predictions if one.basis)),
    )


def candidates_table(prediction: CollectivePrediction) -> Table | None:
    """What else could have been used, fastest first; None where there was no choice."""
    others = sorted(prediction.candidates, key=lambda one: one.time_s)[:_SHOWN_CANDIDATES]
    if len(others) < 2:
        return None
    return Table(
        title="Algorithms and protocols by their own time",
        columns=(
            text_column("algorithm", "Algorithm"),
            text_column("protocol", ""),
            Column("time_s", "Time"),
        ),
        rows=tuple((one.algorithm, one.protocol, one.time_s) for one in others),
    )


def sensitivity_table(prediction: CollectivePrediction) -> Table | None:
    """By how much the time grows with one per cent less of each resource; None where nothing was asked."""
    felt = sorted(prediction.sensitivity.items(), key=lambda one: -abs(one[1]))
    rows = tuple((name, change) for name, change in felt if abs(change) >= _SHOWN_SENSITIVITY)
    if not rows:
        return None
    return Table(
        title="With one per cent less of",
        columns=(text_column("resource", "Resource"), Column("change_frac", "Time grows by", digits=2)),
        rows=rows,
    )


_MANY_SERIES = 4
_SCORES = (
    Column("n", "n"),
    Column("median_frac", "Median"),
    Column("p90_frac", "p90"),
    Column("max_frac", "Max"),
    Column("bias_frac", "Bias"),
)
_SIZES = {
    "small": "to 64 KiB",
    "middle": "between",
    "large": "from 1 MiB",
    "exchange": "token exchanges",
}


def score_table(report: CollectiveReport, every_series: bool = False) -> Table:
    """Errors of predicted times: all, by size, by whether transports were known; with the baseline beside."""
    how = f", leaving out one {report.cross_validation} at a time" if report.cross_validation else ""
    bare = {(one.kind, one.name): one.score.median_frac for one in report.baseline}
    rows: list[tuple[str | float | int | None, ...]] = [("all", "", *_cells(report.overall), None)]
    for one in report.groups:
        if one.kind != "series" or every_series:
            name = _SIZES.get(one.name, one.name)
            rows.append((one.kind, name, *_cells(one.score), bare.get((one.kind, one.name))))
    interval = report.interval
    notes = [f"Coverage: {report.coverage_frac:.1%} of {report.num_rows} rows."]
    if interval.n:
        notes.append(f"80 % intervals: {interval.coverage_frac:.1%} covered.")
    return Table(
        title=f"Predicted over measured time{how}",
        columns=(
            text_column("kind", "By"),
            text_column("name", ""),
            *_SCORES,
            Column("bandwidth_only_median_frac", "Bandwidth alone, median"),
        ),
        rows=tuple(rows),
        notes=tuple(notes),
    )


def _cells(score: Score) -> tuple[float | int, ...]:
    return score.n, score.median_frac, score.p90_frac, score.max_frac, score.bias_frac


def curve_tables(report: CollectiveReport, every_series: bool = False) -> tuple[Table, ...]:
    """Each series size by size; none where there are many, unless all are asked for."""
    series: dict[tuple[str, str, int | None], list[ValidatedCollective]] = {}
    for row in report.rows:
        if row.status != "inexpressible":
            series.setdefault((row.series, row.collective, row.num_ranks), []).append(row)
    if len(series) > _MANY_SERIES and not every_series:
        return ()
    return tuple(_curve_table(*key, rows) for key, rows in series.items())


def _curve_table(
    series: str, collective: str, num_ranks: int | None, rows: list[ValidatedCollective]
) -> Table:
    return Table(
        title=f"{series}: {collective} over {num_ranks:,} ranks" if num_ranks else f"{series}: {collective}",
        columns=(
            Column("bytes_total", "Size"),
            Column("measured_s", "Measured"),
            Column("predicted_s", "Predicted"),
            Column("low_s", "10 %"),
            Column("high_s", "90 %"),
            Column("measured_busbw_bytes_per_s", "busbw"),
            Column("predicted_busbw_bytes_per_s", "Predicted"),
            text_column("verdict", ""),
        ),
        rows=tuple(
            (
                row.bytes_total,
                row.measured_s,
                row.predicted_s,
                row.low_s,
                row.high_s,
                row.measured_busbw_bytes_per_s,
                row.predicted_busbw_bytes_per_s,
                _verdict(row),
            )
            for row in rows
        ),
    )


def _verdict(row: ValidatedCollective) -> str:
    if row.status != "predicted":
        return row.reason
    if row.is_within or row.is_within is None:
        return "as expected" if row.is_within else ""
    return "too fast" if row.error_frac > 0.0 else "slow"


def cause_table(report: CollectiveReport) -> Table | None:
    """What the gaps are likely due to, and what to look at; None where all is as expected."""
    if not report.causes:
        return None
    return Table(
        title="Likely causes",
        columns=(
            text_column("series", "Series"),
            text_column("cause", "It is"),
            text_column("advice", "Then"),
        ),
        rows=tuple((one.series, one.cause, one.advice) for one in report.causes),
    )


def unscored_table(report: CollectiveReport) -> Table | None:
    """Rows that are not scored, by reason; None where all are."""
    reasons: dict[tuple[str, str, str], int] = {}
    for row in report.rows:
        if row.status != "predicted":
            key = (row.series, row.status, row.reason)
            reasons[key] = reasons.get(key, 0) + 1
    if not reasons:
        return None
    return Table(
        title="Rows without a score",
        columns=(
            text_column("series", "Series"),
            text_column("status", "Status"),
            Column("n", "Rows"),
            text_column("reason", "Why"),
        ),
        rows=tuple((series, status, count, why) for (series, status, why), count in reasons.items()),
    )
