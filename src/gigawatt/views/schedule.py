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


def money_table(risk: ScheduleRisk) -> Table | None:
    """What a megawatt, an hour and a million tokens cost, and what the project is worth."""
    if risk.money is None:
        return None
    money, cost = risk.money, risk.money.cost
    rows = [
        ("a megawatt of IT, to build", format_quantity(cost.megawatt_capex_usd, "_usd")),
        ("a megawatt of IT, a year", format_quantity(cost.megawatt_usd_per_year, "_usd_per_year")),
        ("of which energy", format_quantity(cost.energy_usd_per_year, "_usd_per_year")),
        ("of which upkeep", format_quantity(cost.upkeep_usd_per_year, "_usd_per_year")),
        ("an accelerator in use, an hour", format_quantity(cost.hour_usd_per_gpu_h, "_usd_per_gpu_h")),
    ]
    if (tokens := cost.tokens_usd_per_million_output_tokens) is not None:
        rows.append(("a million tokens", format_quantity(tokens, "_usd_per_million_output_tokens")))
    for label, value in (
        ("worth of the project, single-date plan", money.planned_npv_usd),
        ("mean over all outcomes", money.mean_npv_usd),
        ("exceeded in 9 of 10", money.p10_npv_usd),
        ("exceeded in 1 of 10", money.p90_npv_usd),
        ("a week later, everywhere", money.week_npv_usd),
    ):
        rows.append((label, format_quantity(value, "_usd")))
    columns = (text_column("figure", "figure"), text_column("value", "value"))
    note = f"{risk.currency} of {risk.price_year}; worth is discounted to {money.discounted_to}."
    return Table("Money", columns, tuple(rows), notes=(note,))


def swings_table(risk: ScheduleRisk) -> Table | None:
    """Cost of an hour and worth of the project when one figure is at its low or high end."""
    if risk.money is None or not risk.money.swings:
        return None
    columns = (
        text_column("name", "figure"),
        text_column("low_text", "low"),
        text_column("high_text", "high"),
        Column("low_usd_per_gpu_h", "an hour, at low"),
        Column("high_usd_per_gpu_h", "at high"),
        Column("low_npv_usd", "mean worth, at low"),
        Column("high_npv_usd", "at high"),
    )
    rows = tuple(
        (
            one.name,
            one.low_text,
            one.high_text,
            one.low_usd_per_gpu_h,
            one.high_usd_per_gpu_h,
            one.low_npv_usd,
            one.high_npv_usd,
        )
        for one in risk.money.swings
    )
    return Table("What drives cost and worth", columns, rows, _pointers("money/swings", len(rows)))


def years_table(risk: ScheduleRisk) -> Table | None:
    """Cash and accounts, year by year."""
    if risk.money is None or not risk.money.years:
        return None
    lives = tuple(risk.money.years[0].depreciation_usd)
    columns = (
        text_column("year", "year"),
        Column("capex_usd", "bought"),
        Column("running_usd", "energy, upkeep"),
        Column("income_usd", "income"),
        Column("cash_usd", "cash"),
        *(Column(f"depreciation_{n}_usd", f"written off ({life})") for n, life in enumerate(lives)),
        *(Column(f"result_{n}_usd", f"result ({life})") for n, life in enumerate(lives)),
    )
    rows = tuple(
        (
            str(one.year),
            one.capex_usd,
            one.running_usd,
            one.income_usd,
            one.cash_usd,
            *(one.depreciation_usd[life] for life in lives),
            *(one.result_usd[life] for life in lives),
        )
        for one in risk.money.years
    )
    note = (
        "Blocks ready at their medians; in brackets the accounts' life of servers; before interest and tax."
    )
    return Table("Years", columns, rows, _pointers("money/years", len(rows)), (note,))


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
