"""Tables of construction risk: dates of milestones, activities, what drives a date, months."""

from __future__ import annotations

from gigawatt.domain.schedule import ScheduleRisk
from gigawatt.units import format_quantity
from gigawatt.views.table import Column, Table, text_column

_SHOWN_DRIVERS = 6


def milestones_table(risk: ScheduleRisk) -> Table:
    """When each milestone is reached, and what being late costs."""
    columns = (
        text_column("id", "milestone"),
        text_column("name", "what"),
        Column("power_w", "power"),
        text_column("planned", "single-date plan"),
        text_column("p10", "P10"),
        text_column("p50", "P50"),
        text_column("p90", "P90"),
        text_column("target", "target"),
        Column("meets_target_frac", "met with"),
        Column("delay_s", "mean delay"),
        Column("delay_usd", "which costs"),
    )
    rows = tuple(
        (
            one.id,
            one.name,
            one.power_w,
            str(one.planned),
            str(one.p10),
            str(one.p50),
            str(one.p90),
            str(one.target) if one.target else None,
            one.meets_target_frac,
            one.delay_s,
            one.delay_usd,
        )
        for one in risk.milestones
    )
    drawn = f"{risk.num_samples:,} outcomes, seed {risk.seed}; money in {risk.currency} of {risk.price_year}."
    return Table(risk.title, columns, rows, _pointers("milestones", len(rows)), (drawn, *risk.notes))


def activities_table(risk: ScheduleRisk) -> Table:
    """Activities with their dates, how often some capacity waits for each, and what a week more costs."""
    columns = (
        text_column("id", "activity"),
        text_column("kind", "kind"),
        text_column("site", "site"),
        text_column("start_p50", "start P50"),
        text_column("finish_p10", "end P10"),
        text_column("finish_p50", "P50"),
        text_column("finish_p90", "P90"),
        Column("criticality_frac", "critical"),
        text_column("milestone", "for"),
        Column("week_usd", "a week more costs"),
    )
    rows = []
    for one in risk.activities:
        milestone, share = max(one.criticality_frac.items(), key=lambda item: item[1])
        dates = (one.start_p50, one.finish_p10, one.finish_p50, one.finish_p90)
        worst = (share, milestone if share else "", one.week_usd)
        rows.append((one.id, one.kind, one.site, *map(str, dates), *worst))
    note = "Critical: share of outcomes in which it lies on the longest path to the milestone named."
    return Table("Activities", columns, tuple(rows), _pointers("activities", len(rows)), (note,))


def drivers_table(risk: ScheduleRisk, everything: bool = False) -> Table:
    """What moves each date, strongest first."""
    columns = (
        text_column("milestone", "milestone"),
        text_column("driver", "driver"),
        text_column("kind", "kind"),
        Column("variance_frac", "of the variance"),
        text_column("best", "at its best tenth"),
        text_column("worst", "at its worst"),
        text_column("swing", "swing"),
    )
    rows, pointers = [], []
    shown: dict[str, int] = {}
    for number, one in enumerate(risk.drivers):
        shown[one.milestone] = shown.get(one.milestone, 0) + 1
        if everything or shown[one.milestone] <= _SHOWN_DRIVERS:
            swing = format_quantity(one.swing_s, "_s")
            dates = (str(one.best), str(one.worst), swing)
            rows.append((one.milestone, one.driver, one.kind, one.variance_frac, *dates))
            pointers.append(f"/drivers/{number}")
    note = "A risk at its worst is one that comes true. Shares of what is correlated overlap."
    return Table("What drives the dates", columns, tuple(rows), tuple(pointers), (note,))


def months_table(risk: ScheduleRisk) -> Table:
    """The distribution of every milestone by month, as the portfolio plans with it."""
    columns = (
        text_column("milestone", "milestone"),
        text_column("month", "month"),
        Column("share_frac", "probability"),
        Column("reached_frac", "reached by its end"),
    )
    rows = []
    for one in risk.milestones:
        reached = 0.0
        for month in one.months:
            reached += month.share_frac
            rows.append((one.id, month.month, month.share_frac, reached))
    return Table("Months", columns, tuple(rows))


def durations_table(risk: ScheduleRisk) -> Table:
    """What the answer rests on."""
    columns = (
        text_column("owner", "of"),
        text_column("text", "duration"),
        text_column("basis", "basis"),
        text_column("source", "source"),
        text_column("note", "note"),
    )
    rows = tuple((one.owner, one.text, one.basis, one.source, one.note) for one in risk.durations)
    return Table("Durations", columns, rows, _pointers("durations", len(rows)))


def _pointers(field: str, count: int) -> tuple[str, ...]:
    return tuple(f"/{field}/{number}" for number in range(count))
