"""Dates of construction projects in a portfolio: distributions, what each future takes, what a week costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gigawatt.domain.dates import DelayCost, PortfolioDates
from gigawatt.domain.portfolio_plan import FutureCost
from gigawatt.units import format_quantity
from gigawatt.views.table import Column, Table, Value, text_column, without_blank_columns


def date_tables(dates: PortfolioDates, futures: Sequence[FutureCost]) -> Iterator[Table]:
    """Everything that there is to say of them; `futures` are the portfolio's."""
    yield dates_table(dates)
    yield months_taken_table(dates, futures)
    yield delay_table(dates.costs)


def dates_table(dates: PortfolioDates) -> Table:
    """When each block is ready, by its project."""
    columns = (
        text_column("owner", "Feeds"),
        text_column("file", "Project"),
        text_column("block", "Block"),
        Column("power_w", "Of IT"),
        text_column("planned", "Single-date plan"),
        text_column("p10", "P10"),
        text_column("p50", "P50"),
        text_column("p90", "P90"),
    )
    rows = tuple(
        (
            one.owner, one.file, one.block, one.power_w,
            str(one.planned), str(one.p10), str(one.p50), str(one.p90),
        )
        for one in dates.blocks
    )  # fmt: skip
    drawn = f"{dates.num_samples:,} outcomes, seed {dates.seed}."
    return Table("When capacity is ready", columns, rows, notes=(drawn,))


def months_taken_table(dates: PortfolioDates, futures: Sequence[FutureCost]) -> Table:
    """From when on each block counts, future by future."""
    columns = (
        text_column("future", "Future"),
        Column("probability_frac", "Chance"),
        *(text_column(f"{one.owner} {one.block}", one.block) for one in dates.blocks),
        Column("present_usd", "Costs"),
    )
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (
            one.future,
            one.probability_frac,
            *(block.months[one.future] for block in dates.blocks),
            one.present_usd,
        )
        for one in futures
    )
    counted = (
        "Capacity counts from the nearest first of a month; a phase's, if signed when its project starts."
    )
    return Table("Dates taken, by future", columns, rows, notes=(counted,))


def delay_table(costs: Sequence[DelayCost]) -> Table:
    """What a week of delay costs, by the portfolio and by the project."""
    columns = (
        text_column("owner", "Feeds"),
        text_column("file", "Project"),
        Column("week_usd", "Costs the portfolio"),
        Column("gap_week_usd", "Give or take, by the gap"),
        Column("promised_week_usd", "After its targets, by the project"),
        Column("worth_week_usd", "Of the worth of the project's blocks"),
    )
    rows = tuple(
        (one.owner, one.file, one.week_usd, one.gap_week_usd, one.promised_week_usd, one.worth_week_usd)
        for one in costs
    )
    told = "By the difference of the portfolio's futures, each replanned as far as it may; present values."
    return without_blank_columns(Table("What a week of delay costs", columns, rows, notes=(told,)))


def date_texts(dates: PortfolioDates) -> Iterator[str]:
    """The same in sentences."""
    for one in dates.blocks:
        taken = sorted(set(one.months.values()))
        months = taken[0] if len(taken) == 1 else f"{len(taken)} months from {taken[0]} to {taken[-1]}"
        yield (
            f"Block {one.block} for {one.owner} is ready by {one.p50} with even odds, by {one.p10} with 10 % "
            f"and by {one.p90} with 90 % ({one.file}); the futures take {months}."
        )
    for cost in dates.costs:
        if cost.week_usd is not None:
            beside = (
                f", where its project says {format_quantity(cost.promised_week_usd, '_usd')}"
                if cost.promised_week_usd is not None
                else ""
            )
            week = format_quantity(cost.week_usd, "_usd")
            yield f"A week later at {cost.owner} costs the portfolio {week}{beside}."
