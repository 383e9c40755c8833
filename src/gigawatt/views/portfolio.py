"""Tables of a portfolio: what to sign, what proves it, what offers are worth, what would change it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gigawatt.domain.portfolio_plan import (
    Audit,
    Certificate,
    Portfolio,
    RiskFigures,
    Signed,
)
from gigawatt.domain.price_list import PriceList
from gigawatt.views.dates import date_tables
from gigawatt.views.portfolio_answers import (
    accounts_table,
    block_worth_table,
    break_even_table,
    cells,
    flip_table,
    joint_flip_table,
    percent,
    span,
    strategy_table,
    usd,
    worth_table,
)
from gigawatt.views.table import Column, Table, Value, text_column, without_blank_columns

SHOWN_ROWS = 25


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
    if plan.accounts:
        yield accounts_table(plan)
    if plan.strategies:
        yield strategy_table(plan)
    if plan.flips:
        yield flip_table(plan)
    if plan.joint_flips or plan.joint_flips_left:
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
    yield "cost", usd(proof.objective_usd), f"present value, {money}"
    yield "bound", usd(proof.bound_usd), "no plan costs less"
    yield (
        "gap",
        percent(proof.gap_frac),
        "proven" if proof.complete else "time ran out: best plan and bound so far",
    )
    if plan.waiting_usd is not None:
        yield "waiting", usd(plan.waiting_usd), "more, if nothing is signed in the first months"
    if plan.risk:
        risk = plan.risk
        yield "mean", usd(risk.mean_usd), "over the futures"
        yield "CVaR", usd(risk.cvar_usd), "mean of the worst"
        yield from _knowing(risk)
        if risk.out_of_sample_usd is not None:
            yield (
                "out of sample",
                usd(risk.out_of_sample_usd),
                f"mean over {risk.num_out_of_sample} unseen futures",
            )


def _knowing(risk: RiskFigures) -> Iterator[tuple[Value, ...]]:
    """EVPI and VSS: in whole blocks, where time sufficed, else in parts of blocks; the words say which."""
    forecast = "what a perfect forecast would be worth"
    planning = "what planning for all futures saves over planning for their mean"
    whole = risk.whole
    if whole is None:
        yield "EVPI", usd(risk.evpi_usd), f"{forecast}; in parts of blocks"
        yield "VSS", usd(risk.vss_usd), f"{planning}; in parts of blocks"
        return
    yield "EVPI", span(whole.low_evpi_usd, whole.high_evpi_usd, "_usd"), f"{forecast}; in whole blocks"
    saved = span(whole.low_vss_usd, whole.high_vss_usd, "_usd")
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
        notes=(f"{kept}; recomputed cost {usd(audit.objective_usd)}, off by {audit.difference_frac:.1e}.",),
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
    rows = tuple(cells(one, columns) for one in found.offers)
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
