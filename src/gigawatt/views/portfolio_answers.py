"""Tables of what is asked of a portfolio: worth of offers, break-evens, accounts, strategies, flips."""

from __future__ import annotations

from collections.abc import Callable

from gigawatt import units
from gigawatt.domain.accounts import AccountYear
from gigawatt.domain.break_even import BreakEven
from gigawatt.domain.portfolio_plan import OfferWorth, Portfolio, Strategy
from gigawatt.domain.whole_blocks import BlockWorth, WholeFlip
from gigawatt.views.table import Column, Table, Value, text_column, without_blank_columns


def usd(amount: float) -> str:
    """Money as people read it."""
    return units.format_quantity(amount, "_usd")


def percent(share: float) -> str:
    """A share as people read it."""
    return f"{share:.2%}"


def worth_table(plan: Portfolio) -> Table:
    """The negotiation sheet."""
    columns = (
        text_column("offer", "Offer"),
        text_column("kind", "Kind"),
        Column("price_usd_per_gpu_h", "Quoted"),
        Column("delivered_usd_per_gpu_h", "Delivered"),
        Column("dual_usd_per_gpu_h", "Worth, a little"),
        Column("left_usd_per_gpu_h", "Buys less above"),
        Column("right_usd_per_gpu_h", "Buys more below"),
        Column("block_usd", "Whole offer saves"),
        Column("block_price_usd_per_gpu_h", "Worth, the whole"),
        Column("risk_usd", "With risk"),
        Column("whole_blocks", "Worth, in whole blocks"),
        text_column("verdict", "Verdict"),
    )
    rows = tuple(_worth_row(one, columns) for one in plan.worth)
    return without_blank_columns(Table(title="What every offer is worth", columns=columns, rows=rows))


def _worth_row(one: OfferWorth, columns: tuple[Column, ...]) -> tuple[Value, ...]:
    """A line of the sheet: figures of the relaxed plan, then the one of plans in whole blocks."""
    worth = one.whole
    text = None
    if worth is not None:
        text = _price_span(worth) if worth.outcome == "told apart" else worth.outcome
    return tuple(text if column.key == "whole_blocks" else getattr(one, column.key) for column in columns)


def cells(one: object, columns: tuple[Column, ...]) -> tuple[Value, ...]:
    """The attributes that columns are keyed by."""
    return tuple(getattr(one, column.key) for column in columns)


def block_worth_table(plan: Portfolio) -> Table:
    """What whole offers are worth to plans in whole blocks, as intervals."""
    rows = tuple(
        _block_row(one.offer, basis, one.price_usd_per_gpu_h, worth)
        for one in plan.worth
        for basis, worth in (("by the mean", one.whole), ("with risk", one.whole_with_risk))
        if worth is not None
    )
    return without_blank_columns(
        Table(
            title="Worth in whole blocks, from plans with and without",
            columns=(
                text_column("offer", "Offer"),
                text_column("basis", "Judged"),
                text_column("of", "Of"),
                Column("num_accelerators", "Accelerators"),
                Column("price_usd_per_gpu_h", "Quoted"),
                Column("saved", "Saves"),
                Column("price", "Worth"),
                text_column("gap", "Gap"),
            ),
            rows=rows,
            notes=(
                "Accelerators over all signatures. Each plan costs between its bound and what was found.",
            ),
        )
    )


def _block_row(offer: str, basis: str, quoted: float, worth: BlockWorth) -> tuple[Value, ...]:
    count = None if worth.num_accelerators is None else round(worth.num_accelerators)
    gap = None if worth.gap_frac is None else percent(worth.gap_frac)
    what = "all that is bought" if worth.bought else "the first to be signed"
    if worth.outcome != "told apart":
        return offer, basis, what, count, quoted, None, worth.outcome, gap
    saved = span(worth.low_usd, worth.high_usd, "_usd")
    return offer, basis, what, count, quoted, saved, _price_span(worth), gap


def _price_span(worth: BlockWorth) -> str:
    told = span(worth.low_usd_per_gpu_h, worth.high_usd_per_gpu_h, "_usd_per_gpu_h")
    return told or "no price"


def span(low: float | None, high: float | None, suffix: str) -> str | None:
    """An interval as people read it; one figure where its ends read alike."""
    if low is None or high is None:
        return None
    ends = units.format_quantity(low, suffix), units.format_quantity(high, suffix)
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def break_even_table(plan: Portfolio) -> Table:
    """Build or rent, by kind and site; with 10 and 90 % points where ranges are stated."""
    columns = (
        text_column("kind", "Kind"),
        text_column("site", "Site"),
        text_column("owned", "Owned"),
        text_column("rented", "Rented"),
        Column("own_usd_per_gpu_h", "Owning"),
        Column("rent_usd_per_gpu_h", "Renting"),
        Column("price_usd_per_gpu_h", "Rent cheaper below"),
        Column("price_range", "P10 to P90"),
        Column("utilisation_frac", "Own cheaper above use of"),
        Column("use_range", "P10 to P90"),
        Column("delay_months", "Rent cheaper from months late"),
        Column("delay_range", "P10 to P90"),
        Column("rent_cheaper_frac", "Chance that renting wins"),
        Column("late_frac", "Chance to be so late"),
    )
    rows = tuple(_break_even_row(one, columns) for one in plan.break_evens)
    notes = tuple(
        f"{one.kind} at {one.site}: over the stated ranges of {', '.join(one.ranges.inputs)}"
        for one in plan.break_evens
        if one.ranges
    )
    title = "Build or rent: where they cost the same"
    return without_blank_columns(Table(title=title, columns=columns, rows=rows, notes=notes))


def _break_even_row(one: BreakEven, columns: tuple[Column, ...]) -> tuple[Value, ...]:
    cells: dict[str, Value] = {}
    if spread := one.ranges:
        low, high = spread.low_price_usd_per_gpu_h, spread.high_price_usd_per_gpu_h
        never = "never"
        ends = [
            never if end is None else str(end) for end in (spread.low_delay_months, spread.high_delay_months)
        ]
        cells = {
            "price_range": span(low, high, "_usd_per_gpu_h"),
            "use_range": span(spread.low_utilisation_frac, spread.high_utilisation_frac, "_frac"),
            "delay_range": " to ".join(dict.fromkeys(ends)),
            "rent_cheaper_frac": spread.rent_cheaper_frac,
        }
    return tuple(cells.get(column.key, getattr(one, column.key, None)) for column in columns)


def accounts_table(plan: Portfolio) -> Table:
    """Cash beside the accounts, by year: means over the futures."""
    lives = list(plan.accounts[0].years[0].book_usd)
    columns = (
        text_column("year", "Year"),
        Column("cash_usd", "Cash"),
        Column("rent_usd", "Rent"),
        Column("running_usd", "Running one's own"),
        *(Column(f"expense {life}_usd", f"Expense, {life}") for life in lives),
        *(Column(f"book {life}_usd", f"Books, {life}") for life in lives),
        Column("prepaid_usd", "Prepaid"),
    )
    rows = tuple(_account_row(plan, number, lives) for number in range(len(plan.accounts[0].years)))
    resale, owed = (
        sum(one.probability_frac * getattr(one, name) for one in plan.accounts)
        for name in ("resale_usd", "owed_usd")
    )
    notes = (
        f"By life of hardware in the accounts. At the end the plan counts on {usd(resale)} for what is left "
        f"and owes {usd(owed)}, where the books stand as shown.",
        "Cash = expense + books + prepaid at the end. Interest, taxes and what moves cost are left out.",
    )
    title = "Cash and accounts" + (", means over the futures" if len(plan.accounts) > 1 else "")
    return without_blank_columns(Table(title=title, columns=columns, rows=rows, notes=notes))


def _account_row(plan: Portfolio, number: int, lives: list[str]) -> tuple[Value, ...]:
    years = [(one.probability_frac, one.years[number]) for one in plan.accounts]

    def mean(of: Callable[[AccountYear], float]) -> float:
        return float(sum(chance * of(year) for chance, year in years))

    return (
        years[0][1].year,
        mean(lambda year: year.cash_usd),
        mean(lambda year: year.rent_usd),
        mean(lambda year: year.running_usd),
        *(mean(lambda year, life=life: year.expense_usd[life]) for life in lives),  # type: ignore[misc]
        *(mean(lambda year, life=life: year.book_usd[life]) for life in lives),  # type: ignore[misc]
        mean(lambda year: year.prepaid_usd) or None,
    )


def strategy_table(plan: Portfolio) -> Table:
    """Regret of each strategy in each future."""
    futures = [one.future for one in plan.audit.futures]
    columns = (
        text_column("strategy", "Strategy"),
        text_column("blocks", "Blocks"),
        Column("mean_usd", "Mean"),
        Column("cvar_usd", "CVaR"),
        *(Column(f"regret in {name}", f"Regret, {name}") for name in futures),
    )
    rows = tuple(_strategy_row(one, futures) for one in plan.strategies)
    notes = ("In whole blocks regret lies between two ends: foresight is known to within its gap.",)
    if not any(one.whole for one in plan.strategies):
        notes = ("In parts of blocks: time did not suffice for whole ones.",)
    return Table("Strategies, and their regret over perfect foresight", columns, rows, notes=notes)


def _strategy_row(one: Strategy, futures: list[str]) -> tuple[Value, ...]:
    whole = one.whole
    if whole is None:
        regret = [usd(one.regret_by_future_usd[name]) for name in futures]
        return one.name, "in parts", one.mean_usd, one.cvar_usd, *regret
    spans = [
        span(whole.low_regret_by_future_usd[name], whole.high_regret_by_future_usd[name], "_usd")
        for name in futures
    ]
    return one.name, "whole", whole.mean_usd, whole.cvar_usd, *spans


def flip_table(plan: Portfolio) -> Table:
    """The smallest change of each assumption that changes what is signed now."""
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (
            one.assumption,
            f"{one.change_frac:+.1%}"
            if one.change_frac is not None
            else f"none within {one.looked_frac:.0%}",
            one.before,
            one.after,
            *_whole_flip_cells(one.whole, "-" if (one.change_frac or 0.0) < 0 else "+"),
        )
        for one in plan.flips
    )
    return without_blank_columns(
        Table(
            title="What would change what is signed now",
            columns=(
                text_column("assumption", "Assumption"),
                Column("change", "Flips at"),
                text_column("before", "Signed now"),
                text_column("after", "Then"),
                *_WHOLE_FLIP,
            ),
            rows=rows,
        )
    )


_WHOLE_FLIP = (
    Column("whole_change", "In whole blocks"),
    text_column("whole_before", "Signed now, whole"),
    text_column("whole_after", "Then, whole"),
    Column("keeping", "Signing as now costs more"),
)


def _whole_flip_cells(whole: WholeFlip | None, side: str) -> tuple[Value, ...]:
    if whole is None:
        return "out of time", "", "", None
    if whole.flips_frac is None:
        return f"none proven; holds at {side}{whole.holds_frac:.0%}", whole.before, "", None
    between = f"{side}{whole.holds_frac:.1%} to {side}{whole.flips_frac:.1%}"
    return between, whole.before, whole.after, span(whole.low_keeping_usd, whole.high_keeping_usd, "_usd")


def joint_flip_table(plan: Portfolio) -> Table:
    """The smallest step of several assumptions at once."""
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (
            ", ".join(f"{name} {change:+.1%}" for name, change in one.changes_frac.items()),
            f"{one.largest_frac:.1%}",
            one.before,
            one.after,
            *_whole_flip_cells(one.whole, ""),
        )
        for one in plan.joint_flips
    )
    return without_blank_columns(
        Table(
            title="What would change it together",
            columns=(
                text_column("assumptions", "Assumptions"),
                Column("largest", "Each by no more than"),
                text_column("before", "Signed now"),
                text_column("after", "Then"),
                *_WHOLE_FLIP,
            ),
            rows=rows,
            notes=(
                "Measured by the largest change; all take the same step, to the side that flips.",
                *(f"no time was left for {words}" for words in plan.joint_flips_left),
            ),
        )
    )
