"""Published figures of reliability beside predicted ones, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from gigawatt import units
from gigawatt.domain.reliability import FleetReliability
from gigawatt.domain.reliability_validation import FactReport, FactRow
from gigawatt.domain.validation import Score
from gigawatt.views.table import Column, Table, text_column

_SHOWN_REASONS = 30


def facts_score_table(report: FactReport) -> Table:
    """Errors and ranges: all rows, then each organisation and each topic."""
    how = f", leaving out one {report.cross_validation} at a time" if report.cross_validation else ""
    rows = [("all", "", report.num_scored, report.inside_frac, *_cells(report.overall))]
    rows += [(one.kind, one.name, one.num_rows, one.inside_frac, *_cells(one.score)) for one in report.parts]
    return Table(
        title=f"Published figures of reliability, each outcome once{how}",
        columns=(
            text_column("kind", "By"),
            text_column("name", ""),
            Column("num_rows", "Rows"),
            Column("inside_frac", "Inside"),
            Column("n", "Numbers"),
            Column("mape_frac", "MAPE"),
            Column("median_frac", "Median"),
            Column("p90_frac", "p90"),
            Column("max_frac", "Max"),
            Column("bias_frac", "Bias"),
        ),
        rows=tuple(rows),
        notes=(
            "Inside: what is printed lies between the 5 % and 95 % points; of a bound or a range, any of it. "
            "Errors are of numbers.",
            f"{report.coverage_frac:.0%} of {report.num_rows} rows follow from a fleet; of numbers "
            f"{report.interval.coverage_frac:.0%} lie inside.",
        ),
    )


def _cells(score: Score) -> tuple[int | float | None, ...]:
    if not score.n:
        return (0, None, None, None, None, None)
    return (
        score.n, score.mape_frac, score.median_frac, score.p90_frac, score.max_frac, score.bias_frac,
    )  # fmt: skip


def facts_table(report: FactReport) -> Table:
    """Every row that is predicted, with its range and under which conditions."""
    return Table(
        title="Printed and predicted",
        columns=(
            text_column("id", "Row"),
            text_column("organisation", "By"),
            text_column("metric", "Figure"),
            text_column("unit", "Unit"),
            Column("measured", "Printed"),
            Column("predicted", "Predicted"),
            Column("low", "5 %"),
            Column("high", "95 %"),
            Column("error_frac", "Error"),
            text_column("verdict", ""),
            text_column("reason", "Conditions"),
        ),
        rows=tuple(_cells_of(row) for row in report.rows if row.status != "inexpressible"),
    )


def _cells_of(row: FactRow) -> tuple[str | float | None, ...]:
    verdict = _verdict(row)
    error_frac = None if row.printed == "bound" and not row.error_frac else row.error_frac
    return (
        row.id, row.organisation, row.metric, row.unit, row.measured, row.predicted, row.low, row.high,
        error_frac, verdict, row.reason,
    )  # fmt: skip


def _verdict(row: FactRow) -> str:
    if row.status == "document_error":
        return "contradicts itself"
    return f"as {row.same_as}" if row.same_as else "" if row.inside else "outside"


def learnt_table(report: FactReport) -> Table:
    """What all rows together say of each quantity, at an organisation that is not among them."""
    return Table(
        title="What was learnt from all of them: of a node of eight, of a link, of an interruption",
        columns=(
            text_column("quantity", "Quantity"),
            text_column("view", "What counts"),
            Column("num_observations", "Seen"),
            text_column("middle", "Middle"),
            text_column("low", "5 %"),
            text_column("high", "95 %"),
            Column("ratio", "Organisations differ by a factor of"),
        ),
        rows=tuple(
            (
                one.quantity.replace("_", " "),
                one.view,
                one.num_observations,
                *(units.format_quantity(value, one.unit) for value in (one.middle, one.low, one.high)),
                one.ratio,
            )
            for one in report.learnt
        ),
    )


def calibrated_table(rows: Sequence[FleetReliability]) -> Table:
    """How often nodes of one's own fail, as plans will take it."""
    return Table(
        title="Failures of a node of eight, of one's next long run",
        columns=(
            text_column("id", "Id"),
            text_column("name", "Name"),
            Column("node_failures_per_s", "Middle"),
            Column("low_node_failures_per_s", "10 %"),
            Column("high_node_failures_per_s", "90 %"),
        ),
        rows=tuple(
            (
                row.id,
                row.name,
                row.node_failures_per_s,
                row.low_node_failures_per_s,
                row.high_node_failures_per_s,
            )
            for row in rows
        ),
    )


def left_out_table(report: FactReport) -> Table | None:
    """How many rows are not predicted, by reason; None where all are."""
    reasons: dict[str, int] = {}
    for row in report.rows:
        if row.status == "inexpressible":
            reasons[row.reason] = reasons.get(row.reason, 0) + 1
    if not reasons:
        return None
    most = sorted(reasons.items(), key=lambda item: -item[1])
    more = len(most) - _SHOWN_REASONS
    return Table(
        title="Not predicted",
        columns=(Column("num_rows", "Rows"), text_column("reason", "Why")),
        rows=tuple((number, reason) for reason, number in most[:_SHOWN_REASONS]),
        notes=(f"and {more} more reasons",) if more > 0 else (),
    )
