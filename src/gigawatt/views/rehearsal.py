"""Tables of a rehearsed fleet: what it delivers, where its GPU-hours go, and what stood in the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gigawatt.domain.outlook import FleetOutlook
from gigawatt.domain.twin import Estimate, Rehearsal, TimelineRow
from gigawatt.units import format_quantity, parse_quantity
from gigawatt.views.fleet import remark_lines
from gigawatt.views.table import Column, Table, Value, text_column

if TYPE_CHECKING:
    from gigawatt.domain.fleet import JobTrace

SHOWN_CAUSES = 12
SHOWN_RUNS = 20
DAY_S = parse_quantity("1 day", "_s")


def all_tables(
    rehearsal: Rehearsal, outlook: FleetOutlook, until_frac: float | None = None, every: bool = False
) -> Iterator[Table]:
    """Everything that people read, the answer first."""
    yield headline_table(rehearsal, outlook, until_frac)
    yield shares_table(outlook)
    for table in (runs_table(outlook, every), tenants_table(outlook), causes_table(outlook, every)):
        if table:
            yield table
    yield from repair_tables(outlook)


def result(rehearsal: Rehearsal, outlook: FleetOutlook) -> dict[str, Any]:
    """What scripts read: figures with their ranges, then what all replications say, then each of them."""
    figures = rehearsal.model_dump(mode="json", exclude={"replications", "timeline"})
    return (
        figures
        | outlook.model_dump(mode="json")
        | rehearsal.model_dump(mode="json", include={"replications"})
    )


def headline_table(rehearsal: Rehearsal, outlook: FleetOutlook, until_frac: float | None = None) -> Table:
    """What the fleet delivers, with where nine in ten futures fall."""
    figures: tuple[tuple[str, Estimate, str], ...] = (
        ("goodput: useful of held GPU-hours", rehearsal.goodput_frac, "_frac"),
        ("ETTR: useful since the first start", rehearsal.ettr_frac, "_frac"),
        ("utilisation: held of all GPU-hours", rehearsal.utilisation_frac, "_frac"),
        ("interruptions of jobs", rehearsal.num_interruptions, ""),
        ("cost", rehearsal.cost_usd, "_usd"),
        ("energy", rehearsal.energy_j, "_j"),
    )
    several = rehearsal.num_replications > 1
    rows = [_headline(label, one, suffix, several) for label, one, suffix in figures]
    columns = [text_column("figure", "Figure"), text_column("value", "Mean" if several else "Value")]
    if several:
        columns += [text_column("range", "9 in 10 futures"), text_column("doubt", "Mean ±")]
    notes = [
        f"{format_quantity(outlook.lasts_s, '_s')}, {_counted(outlook.num_jobs, 'job')}, "
        f"{_counted(outlook.num_faults, 'fault')}, {outlook.events:,} events"
        + (f" in {rehearsal.num_replications} replications." if several else "."),
    ]
    if not several:
        notes.append("One replication is one future: --replications gives ranges.")
    elif until_frac is not None and not rehearsal.converged:
        notes.append(f"Not known to within {until_frac:.2%}: allow more --replications.")
    if outlook.num_too_large:
        notes.append(f"Left out, larger than their site: {_counted(outlook.num_too_large, 'job')}.")
    return Table(f"Fleet {rehearsal.name}", tuple(columns), tuple(rows), notes=tuple(notes))


def _counted(number: float, noun: str) -> str:
    return f"{number:,.0f} {noun}" + ("" if round(number) == 1 else "s")


def _headline(label: str, one: Estimate, suffix: str, several: bool) -> tuple[Value, ...]:
    value = _text(one.value, suffix)
    if not several:
        return (label, value)
    return (
        label,
        value,
        f"{_text(one.low, suffix)} to {_text(one.high, suffix)}",
        _doubt(one.half_width, suffix),
    )


def _text(value: float, suffix: str) -> str:
    return format_quantity(value, suffix, 4) if suffix else f"{value:,.0f}"


def _doubt(half_width: float, suffix: str) -> str:
    return format_quantity(half_width, suffix, 2) if suffix else f"{half_width:,.0f}"


def shares_table(outlook: FleetOutlook) -> Table:
    """Where GPU-hours go: of what jobs held, and of the whole fleet; each column adds up to 100 %."""
    rows: list[tuple[Value, ...]] = [
        (one.use, one.gpu_h, one.held_frac, one.fleet_frac) for one in outlook.shares
    ]
    rows.append(
        (
            "all",
            sum(one.gpu_h for one in outlook.shares),
            sum(one.held_frac or 0.0 for one in outlook.shares),
            sum(one.fleet_frac for one in outlook.shares),
        )
    )
    columns = (
        text_column("use", "Use"),
        Column("gpu_h", "GPU-hours"),
        Column("held_frac", "Of held"),
        Column("fleet_frac", "Of the fleet"),
    )
    return Table("Where GPU-hours go", columns, tuple(rows))


def runs_table(outlook: FleetOutlook, every: bool = False) -> Table | None:
    """When training runs end, in days from the begin, beside their deadlines; None where there are none."""
    if not outlook.runs:
        return None
    shown = outlook.runs if every else outlook.runs[:SHOWN_RUNS]
    several = outlook.num_replications > 1
    columns = [text_column("name", "Run"), Column("num_gpus", "GPUs"), Column("p50_done_days", "Done, day")]
    if several:
        columns.append(Column("p90_done_days", "P90"))
    columns += [Column("deadline_days", "Deadline"), Column("meets_deadline_frac", "Met")]
    columns += [Column("done_frac", "Of work"), Column("num_faults", "Faults"), Column("ettr_frac", "ETTR")]
    rows: list[tuple[Value, ...]] = []
    for one in shown:
        values: dict[str, Value] = {
            "name": one.name,
            "num_gpus": one.num_gpus,
            "p50_done_days": _days(one.p50_done_s),
            "p90_done_days": _days(one.p90_done_s),
            "deadline_days": _days(one.deadline_s),
            "meets_deadline_frac": one.meets_deadline_frac,
            "done_frac": one.done_frac,
            "num_faults": one.num_faults,
            "ettr_frac": one.ettr_frac,
        }
        rows.append(tuple(values[column.key] for column in columns))
    left = len(outlook.runs) - len(shown)
    notes = ("Days from the begin; - where it is not done by the end of the time.",)
    more = (f"and {left:,} more runs; -v shows all",) if left else ()
    return Table("Runs", tuple(columns), tuple(rows), notes=(*notes, *more))


def _days(when_s: float | None) -> float | None:
    return None if when_s is None else when_s / DAY_S


def tenants_table(outlook: FleetOutlook) -> Table:
    """How the jobs of each tenant fared."""
    columns = (
        text_column("tenant", "Tenant"),
        Column("num_jobs", "Jobs"),
        Column("num_done", "Done"),
        Column("held_gpu_h", "GPU-hours"),
        Column("goodput_frac", "Goodput"),
        Column("mean_queue_s", "Wait, mean"),
        Column("p50_queue_s", "p50"),
        Column("p90_queue_s", "p90"),
    )
    return _plain("Tenants", columns, outlook.tenants)


def causes_table(outlook: FleetOutlook, every: bool = False) -> Table | None:
    """What interrupted jobs, most first; None where nothing did."""
    if not outlook.causes:
        return None
    columns = (
        text_column("hazard", "Cause"),
        Column("num_faults", "Faults"),
        Column("num_interruptions", "Jobs hit"),
        Column("lost_gpu_h", "Lost GPU-h"),
        Column("out_gpu_h", "Out GPU-h"),
        Column("mean_repair_s", "To repair"),
    )
    shown = outlook.causes if every else outlook.causes[:SHOWN_CAUSES]
    left = len(outlook.causes) - len(shown)
    notes = ("Lost: work undone, hanging, restarts. To repair: from discovery to service.",)
    more = (f"and {left} more causes; -v shows all",) if left else ()
    return _plain("Causes", columns, shown, (*notes, *more))


def repair_tables(outlook: FleetOutlook) -> tuple[Table, ...]:
    """Parts and hands; none where none were needed."""
    parts = (
        text_column("part", "Part"),
        Column("num_stock", "Stock"),
        Column("num_used", "Used"),
        Column("num_short", "Found none"),
        Column("cost_usd", "Cost"),
    )
    skills = (
        text_column("skill", "Hands"),
        Column("num_jobs", "Repairs"),
        Column("busy_frac", "Busy"),
        Column("mean_wait_s", "Wait, mean"),
        Column("cost_usd", "Cost"),
    )
    found = []
    if outlook.parts:
        found.append(_plain("Parts", parts, outlook.parts))
    if outlook.skills:
        note = "Hands that the file does not name are never short, and cost nothing."
        found.append(_plain("Hands", skills, outlook.skills, (note,)))
    return tuple(found)


def _plain(title: str, columns: tuple[Column, ...], rows: Iterable[Any], notes: Sequence[str] = ()) -> Table:
    cells = tuple(tuple(getattr(row, column.key) for column in columns) for row in rows)
    return Table(title, columns, cells, notes=tuple(notes))


def timeline_table(rows: Sequence[TimelineRow]) -> Table:
    """What the GPUs did, stretch by stretch."""
    columns = tuple(
        Column(name, name.removeprefix("num_").replace("_", " ")) for name in TimelineRow.model_fields
    )
    return _plain("Timeline", columns, rows)


def trace_lines(traces: Iterable[JobTrace], every: bool = False) -> Iterator[str]:
    """What is to be said of lines of traces, the first of each kind."""
    for trace in traces:
        yield from remark_lines(trace.remarks, trace.file, every)


def trace_records(traces: Iterable[JobTrace]) -> list[dict[str, Any]]:
    """The same for scripts, every line of it."""
    return [{"file": trace.file, **remark._asdict()} for trace in traces for remark in trace.remarks]
