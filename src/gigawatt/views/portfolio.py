"""Tables of a portfolio: what to sign, what proves it, what offers are worth, what would change it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gigawatt import units
from gigawatt.domain.break_even import BreakEven
from gigawatt.domain.portfolio_plan import (
    Audit,
    Certificate,
    OfferWorth,
    Portfolio,
    RiskFigures,
    Signed,
    Strategy,
)
from gigawatt.domain.price_list import PriceList
from gigawatt.domain.whole_blocks import BlockWorth, WholeFlip
from gigawatt.views.dates import date_tables
from gigawatt.views.table import Column, Table, Value, text_column, without_blank_columns

SHOWN_ROWS = 25


def _usd(amount: float) -> str:
    return units.format_quantity(amount, "_usd")


def _percent(share: float) -> str:
    return f"{share:.2%}"


def portfolio_tables(plan: Portfolio) -> Iterator[Table]:
    """Everything that a portfolio says, in the order in which it is asked."""
    yield summary_table(plan)
    yield shown(signed_table(plan), "more signatures; --out writes all")
    if plan.dates:
        rest = "more; --save keeps all"
        yield from (shown(table, rest) for table in date_tables(plan.dates, plan.audit.futures))
    if plan.worth:
        yield worth_table(plan)
    if any(one.whole or one.whole_with_risk for one in plan.worth):
        yield block_worth_table(plan)
    if plan.break_evens:
        yield break_even_table(plan)
    if plan.strategies:
        yield strategy_table(plan)
    if plan.flips:
        yield flip_table(plan)
    if plan.joint_flips:
        yield joint_flip_table(plan)
    if plan.certificate.binding:
        yield shown(binding_table(plan.certificate), "more limits that cost something; --save keeps all")
    yield audit_table(plan.audit)


def shown(table: Table, rest: str) -> Table:
    """The first rows of a long table."""
    left = len(table.rows) - SHOWN_ROWS
    if left <= 0:
        return table
    notes = (*table.notes, f"and {left} {rest}")
    return Table(table.title, table.columns, table.rows[:SHOWN_ROWS], (), notes)


def summary_table(plan: Portfolio) -> Table:
    """Cost, proof and what was asked beyond the plan."""
    rows = list(_summary(plan))
    return Table(
        title=plan.title or "Portfolio",
        columns=(
            text_column("figure", "Figure"),
            Column("value", "Value"),
            text_column("meaning", "Meaning"),
        ),
        rows=tuple(rows),
        notes=plan.assumptions,
    )


def _summary(plan: Portfolio) -> Iterator[tuple[Value, ...]]:
    proof = plan.certificate
    money = f"{plan.currency} of {plan.price_year}"
    yield "cost", _usd(proof.objective_usd), f"present value, {money}"
    yield "bound", _usd(proof.bound_usd), "no plan costs less"
    yield (
        "gap",
        _percent(proof.gap_frac),
        "proven" if proof.complete else "time ran out: best plan and bound so far",
    )
    if plan.waiting_usd is not None:
        yield "waiting", _usd(plan.waiting_usd), "more, if nothing is signed in the first months"
    if plan.risk:
        risk = plan.risk
        yield "mean", _usd(risk.mean_usd), "over the futures"
        yield "CVaR", _usd(risk.cvar_usd), "mean of the worst"
        yield from _knowing(risk)
        if risk.out_of_sample_usd is not None:
            yield (
                "out of sample",
                _usd(risk.out_of_sample_usd),
                f"mean over {risk.num_out_of_sample} unseen futures",
            )


def _knowing(risk: RiskFigures) -> Iterator[tuple[Value, ...]]:
    """EVPI and VSS: in whole blocks, where time sufficed, else in parts of blocks; the words say which."""
    forecast = "what a perfect forecast would be worth"
    planning = "what planning for all futures saves over planning for their mean"
    whole = risk.whole
    if whole is None:
        yield "EVPI", _usd(risk.evpi_usd), f"{forecast}; in parts of blocks"
        yield "VSS", _usd(risk.vss_usd), f"{planning}; in parts of blocks"
        return
    yield "EVPI", _span(whole.low_evpi_usd, whole.high_evpi_usd, "_usd"), f"{forecast}; in whole blocks"
    saved = _span(whole.low_vss_usd, whole.high_vss_usd, "_usd")
    yield "VSS", saved or "no such plan", f"{planning}; in whole blocks"


def signed_table(plan: Portfolio) -> Table:
    """Signatures and rights, in order of time."""
    table = Table(
        title="To sign",
        columns=(
            text_column("month", "Month"),
            text_column("offer", "Offer"),
            text_column("provider", "Provider"),
            text_column("form", "Form"),
            text_column("kind", "Kind"),
            text_column("site", "Site"),
            text_column("right", "Right"),
            Column("num_accelerators", "Accelerators"),
            Column("power_w", "Power"),
            Column("present_usd", "Present value"),
            text_column("futures", "Only in"),
        ),
        rows=tuple(_signed_row(plan, one) for one in plan.signed),
    )
    return without_blank_columns(table)


def _signed_row(plan: Portfolio, one: Signed) -> tuple[Value, ...]:
    every = len(one.futures) == len(plan.audit.futures)
    return (
        one.month, one.offer, one.provider, one.form, one.kind, one.site, one.right,
        round(one.num_accelerators) if one.kind else None, one.power_w or None, one.present_usd,
        "" if every else ", ".join(one.futures),
    )  # fmt: skip


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


def _cells(one: object, columns: tuple[Column, ...]) -> tuple[Value, ...]:
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
    gap = None if worth.gap_frac is None else _percent(worth.gap_frac)
    what = "all that is bought" if worth.bought else "the first to be signed"
    if worth.outcome != "told apart":
        return offer, basis, what, count, quoted, None, worth.outcome, gap
    saved = _span(worth.low_usd, worth.high_usd, "_usd")
    return offer, basis, what, count, quoted, saved, _price_span(worth), gap


def _price_span(worth: BlockWorth) -> str:
    span = _span(worth.low_usd_per_gpu_h, worth.high_usd_per_gpu_h, "_usd_per_gpu_h")
    return "no one price" if span is None else span


def _span(low: float | None, high: float | None, suffix: str) -> str | None:
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
            "price_range": _span(low, high, "_usd_per_gpu_h"),
            "use_range": _span(spread.low_utilisation_frac, spread.high_utilisation_frac, "_frac"),
            "delay_range": " to ".join(dict.fromkeys(ends)),
            "rent_cheaper_frac": spread.rent_cheaper_frac,
        }
    return tuple(cells.get(column.key, getattr(one, column.key, None)) for column in columns)


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
        regret = [_usd(one.regret_by_future_usd[name]) for name in futures]
        return one.name, "in parts", one.mean_usd, one.cvar_usd, *regret
    spans = [
        _span(whole.low_regret_by_future_usd[name], whole.high_regret_by_future_usd[name], "_usd")
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
)


def _whole_flip_cells(whole: WholeFlip | None, side: str) -> tuple[Value, ...]:
    if whole is None:
        return None, "", ""
    if whole.flips_frac is None:
        return f"none to {side}{whole.holds_frac:.0%}", whole.before, ""
    span = f"{side}{whole.holds_frac:.1%} to {side}{whole.flips_frac:.1%}"
    return span, whole.before, whole.after


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
            notes=("Measured by the largest change; all take the same step, to the side that flips.",),
        )
    )


def binding_table(proof: Certificate) -> Table:
    """Limits that hold the plan back."""
    columns = (
        text_column("limit", "Limit"),
        text_column("month", "Dearest in"),
        Column("price_usd", "Price"),
        text_column("unit", "Unit"),
    )
    rows = tuple((one.limit, one.month, one.price_usd, one.unit) for one in proof.binding)
    return Table(title="Limits that bind, and what one unit more would save", columns=columns, rows=rows)


def audit_table(audit: Audit) -> Table:
    """Every rule, added up again."""
    rows = tuple((one.rule, one.num_checked, one.worst_frac, one.holds, one.where) for one in audit.checks)
    kept = "All rules hold" if audit.holds else "NOT ALL RULES HOLD"
    return Table(
        title="Audit without the solver",
        columns=(
            text_column("rule", "Rule"),
            Column("num_checked", "Checked"),
            Column("worst_share", "Worst"),
            Column("holds", "Holds"),
            text_column("where", "Where"),
        ),
        rows=rows,
        notes=(f"{kept}; recomputed cost {_usd(audit.objective_usd)}, off by {audit.difference_frac:.1e}.",),
    )


def portfolio_notes(plan: Portfolio) -> Iterator[str]:
    """Remarks beside the answer."""
    for one in plan.remarks:
        yield f"{one.offer}: {one.kind} price: {one.message}"
    if plan.certificate.relaxed_blocks:
        names = ", ".join(plan.certificate.relaxed_blocks)
        yield f"blocks too small to matter are not counted one by one: {names}"


def portfolio_json(plan: Portfolio, build_s: float, solve_s: float) -> dict[str, Any]:
    """The object of `--json`: the keys that scripts rely on, then the whole portfolio."""
    proof = plan.certificate
    return {
        "objective_usd": proof.objective_usd,
        "bound_usd": proof.bound_usd,
        "gap_frac": proof.gap_frac,
        "complete": proof.complete,
        "build_s": build_s,
        "solve_s": solve_s,
        "indifference": {one.offer: one.model_dump(mode="json", exclude={"offer"}) for one in plan.worth},
        "portfolio": plan.model_dump(mode="json"),
    }


def price_table(found: PriceList) -> Table:
    """Offers of a price list."""
    columns = (
        text_column("provider", "Provider"),
        text_column("region", "Region"),
        text_column("instance", "Instance"),
        text_column("gpu_kind", "Accelerator"),
        Column("accelerators_per_instance", "Each"),
        Column("on_demand_usd_per_gpu_h", "Firm"),
        Column("spot_usd_per_gpu_h", "Spot"),
        text_column("term", "Term"),
        text_column("date", "Date"),
    )
    rows = tuple(_cells(one, columns) for one in found.offers)
    lost = found.num_lines - found.num_used
    counted = f"{found.num_lines:,} lines: {found.num_used:,} used, {lost:,} remarked on."
    table = Table(title=f"{found.kind} price list", columns=columns, rows=rows, notes=(counted,))
    return without_blank_columns(table)


def price_notes(found: PriceList, every: bool = False) -> Iterator[str]:
    """Lines that are no offers, and offers that contradict each other."""
    shown_remarks = found.remarks if every else found.remarks[:SHOWN_ROWS]
    for one in shown_remarks:
        yield f"{found.file}:{one.line}: {one.message}"
    if left := len(found.remarks) - len(shown_remarks):
        yield f"and {left:,} more; -v shows all, --json lists them"
    for text in found.conflicts[: None if every else SHOWN_ROWS]:
        yield f"conflict: {text}"
