"""Tables of an energy plan: what is built, what flows, what it costs, and cost against carbon."""

from __future__ import annotations

from gigawatt.domain.energy import EnergyCaseReport, EnergyFrontier, EnergyPlan
from gigawatt.units import format_quantity
from gigawatt.views.table import Column, Table, text_column


def summary_table(plan: EnergyPlan) -> Table:
    """The answer in a dozen figures."""
    cost = format_quantity(plan.usd_per_year, "_usd_per_year", 6)
    rows = [
        ("cost", f"{cost} ({plan.currency} of {plan.price_year})"),
        ("proven to be within", f"{plan.gap_frac:.1e} of the least possible"),
        ("per load", format_quantity(plan.average_usd_per_mwh, "_usd_per_mwh", 4)),
        ("per MWh more", format_quantity(plan.mean_price_usd_per_mwh, "_usd_per_mwh", 4)),
        ("emissions", f"{format_quantity(plan.kgco2_per_year, '_kgco2', 4)} a year"),
        ("of served load", f"{_per_mwh(plan):.4g} kgCO2/MWh"),
        ("clean by the hour", f"{plan.clean_frac:.1%}"),
    ]
    if plan.carbon_price_usd_per_kgco2 is not None:
        rows.append(("the cap costs", format_quantity(plan.carbon_price_usd_per_kgco2, "_usd_per_kgco2", 4)))
    if plan.tokens_per_mwh is not None:
        rows.append(("work per energy", format_quantity(plan.tokens_per_mwh, "_tokens_per_mwh", 4)))
        rows.append(("energy per million tokens", f"${plan.usd_per_million_tokens:.4g}"))
        rows.append(("carbon per million tokens", f"{plan.kgco2_per_million_tokens:.4g} kgCO2"))
    columns = (text_column("figure", "figure"), text_column("value", "value"))
    return Table(plan.title, columns, tuple(rows), notes=plan.notes)


def _per_mwh(plan: EnergyPlan) -> float:
    per_mwh = plan.usd_per_year / plan.average_usd_per_mwh
    served = per_mwh * plan.served_j_per_year / plan.load_j_per_year
    return plan.kgco2_per_year / served if served else 0.0


def capacities_table(plan: EnergyPlan) -> Table:
    """What is built or signed."""
    columns = (
        text_column("name", "what"),
        text_column("kind", "kind"),
        Column("power_w", "power", digits=5),
        Column("energy_j", "energy", digits=5),
        Column("usd_per_year", "a year", digits=4),
        Column("at_limit", "at its limit"),
    )
    rows = tuple(
        (name, c.kind, c.power_w, c.energy_j, c.usd_per_year, c.at_limit)
        for name, c in plan.capacities.items()
    )
    return Table("Built and signed", columns, rows, tuple(f"/capacities/{name}" for name in plan.capacities))


def flows_table(plan: EnergyPlan) -> Table:
    """What each source gave in the year."""
    columns = (
        text_column("name", "what"),
        Column("energy_j_per_year", "energy", digits=5),
        Column("usd_per_year", "cost", digits=4),
        Column("emissions_kgco2", "emissions", digits=4),
    )
    rows = tuple(
        (name, f.energy_j_per_year, f.usd_per_year, f.kgco2_per_year) for name, f in plan.flows.items()
    )
    charges = tuple((name, None, usd, None) for name, usd in plan.charges_usd_per_year.items())
    return Table("In the year", columns, rows + charges, tuple(f"/flows/{name}" for name in plan.flows))


def frontier_table(frontier: EnergyFrontier) -> Table:
    """Cost against carbon."""
    names = list(frontier.points[0].capacities) if frontier.points else []
    columns = (
        Column("cap_kgco2_per_mwh", "cap"),
        Column("usd_per_year", "cost", digits=5),
        Column("carbon_price_usd_per_kgco2", "carbon price"),
        *(Column(f"{name}_w", name) for name in names),
    )
    rows = tuple(
        (
            p.cap_kgco2_per_mwh,
            p.usd_per_year,
            p.carbon_price_usd_per_kgco2,
            *(p.capacities[name].power_w for name in names),
        )
        for p in frontier.points
    )
    title = f"{frontier.title}: cost against carbon ({frontier.currency} of {frontier.price_year})"
    return Table(title, columns, rows, tuple(f"/points/{n}" for n in range(len(rows))), frontier.notes)


def cases_table(report: EnergyCaseReport) -> Table:
    """Our cost and bound beside each reference."""
    columns = (
        text_column("case", "case"),
        Column("cap_kgco2_per_mwh", "cap"),
        Column("reference_usd_per_year", "reference", digits=7),
        Column("predicted_usd_per_year", "ours", digits=7),
        text_column("error", "differs by"),
        text_column("gap", "proven to"),
        Column("wall_s", "took"),
        text_column("reason", "why not"),
    )
    rows = tuple(
        (
            r.case,
            r.cap_kgco2_per_mwh,
            r.reference_usd_per_year,
            r.predicted_usd_per_year,
            "" if r.error_frac is None else f"{r.error_frac:+.1e}",
            "" if r.gap_frac is None else f"{r.gap_frac:.1e}",
            r.wall_s,
            r.reason,
        )
        for r in report.rows
    )
    figures = report.figures()
    worst = ", ".join(f"{name} {value:.2g}" for name, value in figures.items() if value is not None)
    return Table(
        "Energy against reference cases", columns, rows, notes=(f"n {len(rows)}; at worst: {worst}",)
    )
