"""What the contract act says in a plan: dates and power of owned clusters, and what to sign now."""

from __future__ import annotations

from collections.abc import Iterator

from gigawatt.domain.blueprint import Blueprint, ClusterPlan, PortfolioAnswer
from gigawatt.units import format_quantity
from gigawatt.views.dates import date_texts
from gigawatt.views.table import Column, Table, text_column, without_blank_columns


def ready_dates(plan: ClusterPlan) -> str | None:
    """When the block is done that a cluster waits for, with its 10 % and 90 % points."""
    ready = plan.ready
    return f"{ready.p50} ({ready.p10} to {ready.p90})" if ready else None


def commitment_texts(plan: ClusterPlan) -> Iterator[str]:
    """Dates and power of a cluster in sentences."""
    if ready := plan.ready:
        yield (
            f"Block {ready.block} of {ready.project} is done by the end of {ready.p50} with even odds, of "
            f"{ready.p10} with 10 % and of {ready.p90} with 90 %; single dates would say {ready.planned}."
        )
    if energy := plan.energy:
        price = format_quantity(energy.usd_per_mwh, "_usd_per_mwh")
        carbon = format_quantity(energy.kgco2_per_mwh, "_kgco2_per_mwh")
        yield (
            f"Its power costs {price} in dollars of {energy.price_year} and emits {carbon}, by the hourly "
            f"optimum of {energy.site} for {format_quantity(energy.rated_w, '_w')}."
        )


def portfolio_text(answer: PortfolioAnswer) -> str:
    """Cost and proof of the portfolio, or why there is none."""
    if answer.objective_usd is None or answer.bound_usd is None or answer.gap_frac is None:
        return "Nothing meets the roadmap: " + "; ".join(one.message for one in answer.binding)
    cost, bound = (format_quantity(usd, "_usd") for usd in (answer.objective_usd, answer.bound_usd))
    proof = "proven" if answer.complete else "time ran out, the best so far"
    audit = "its audit holds" if answer.audited else "its audit does not hold"
    return (
        f"Present cost {cost} in dollars of {answer.price_year}; no plan costs less than {bound}, a gap of "
        f"{answer.gap_frac:.2%} ({proof}); {audit}. {answer.num_later} signatures and rights come later, or "
        "in some futures only."
    )


def handed_texts(answer: PortfolioAnswer) -> Iterator[str]:
    """What runs take by this plan, beside what the roadmap states."""
    for one in answer.handed:
        yield (
            f"{one.run} on {one.kind}: {one.work_gpu_h:,.0f} accelerator-hours as planned on {one.option}, "
            f"where the roadmap states {one.stated_gpu_h:,.0f}."
        )


def _dates(answer: PortfolioAnswer) -> Iterator[str]:
    if answer.dates:
        yield from date_texts(answer.dates)


def sign_now_table(blueprint: Blueprint) -> Table | None:
    """What to sign before the portfolio's first months are over; None where no portfolio is asked for."""
    answer = blueprint.portfolio
    if answer is None:
        return None
    table = Table(
        title=f"To sign before {answer.now_until}: {answer.title}" if answer.now_until else answer.title,
        columns=(
            text_column("month", "Month"),
            text_column("offer", "Offer"),
            text_column("provider", "Provider"),
            text_column("form", "Form"),
            text_column("kind", "Kind"),
            text_column("site", "Site"),
            Column("num_accelerators", "Accelerators"),
            Column("power_w", "Power"),
            Column("present_usd", "Present value"),
        ),
        rows=tuple(
            (
                one.month, one.offer, one.provider, one.form, one.kind, one.site,
                round(one.num_accelerators) if one.kind else None, one.power_w or None, one.present_usd,
            )
            for one in answer.sign_now
        ),
        pointers=tuple(f"/portfolio/sign_now/{number}" for number in range(len(answer.sign_now))),
        notes=(portfolio_text(answer), *handed_texts(answer), *_dates(answer)),
    )  # fmt: skip
    return without_blank_columns(table)
