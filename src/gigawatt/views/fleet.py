"""Tables of a fleet at work: how long jobs waited, and what became of the lines of a trace."""

from __future__ import annotations

from collections.abc import Sequence

from gigawatt.domain.fleet import LineRemark, QueueFigures, ReplaySummary
from gigawatt.views.table import Column, Table, Value, text_column

SHOWN_REMARKS = 10
_COLUMNS = (
    text_column("tenant", "Tenant"),
    Column("num_gpus", "GPUs"),
    Column("num_jobs", "Jobs"),
    Column("mean_queue_s", "Wait, mean"),
    Column("p50_queue_s", "p50"),
    Column("p90_queue_s", "p90"),
    Column("mean_jct_s", "To completion, mean"),
    Column("p50_jct_s", "p50"),
    Column("p90_jct_s", "p90"),
    Column("utilisation_frac", "In use"),
)


def replay_table(summary: ReplaySummary) -> Table:
    """Waits and completion times by tenant, and of all."""
    rows = [_row(one) for one in summary.tenants]
    rows.append(_row(summary.overall.model_copy(update={"tenant": "all"})))
    counted = f"{summary.jobs_started:,} jobs started"
    if summary.jobs_dropped:
        counted += f", {summary.jobs_dropped:,} dropped"
    lost = summary.num_lines - summary.num_jobs
    if lost:
        counted += f"; {lost:,} of {summary.num_lines:,} lines are no jobs that can be replayed"
    return Table(
        title=f"{summary.policy.upper()} at {summary.scale:g} of the capacity",
        columns=_COLUMNS,
        rows=tuple(rows),
        notes=(f"{counted}. {summary.events:,} arrivals and completions.",),
    )


def _row(one: QueueFigures) -> tuple[Value, ...]:
    return tuple(getattr(one, column.key) for column in _COLUMNS)


def remark_table(summary: ReplaySummary) -> Table | None:
    """How many lines there is something to say of, by what; None where all are as they should be."""
    if not summary.remarks:
        return None
    return Table(
        title="Lines with a remark",
        columns=(text_column("kind", "Remark"), Column("num_lines", "Lines")),
        rows=tuple(summary.remarks.items()),
    )


def remark_lines(remarks: Sequence[LineRemark], file: str, every: bool = False) -> tuple[str, ...]:
    """Each remark as `file:line: job: what it is`; the first of each kind, unless every one is asked for."""
    shown: dict[str, int] = {}
    lines = []
    for one in remarks:
        shown[one.kind] = shown.get(one.kind, 0) + 1
        if every or shown[one.kind] <= SHOWN_REMARKS:
            job = f"job {one.id}: " if one.id else ""
            lines.append(f"{file}:{one.line}: {job}{one.kind}: {one.message}")
    left = len(remarks) - len(lines)
    return (*lines, f"and {left:,} more; -v shows all, --json lists them") if left else tuple(lines)
