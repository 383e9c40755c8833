"""An owned cluster as it is built: networks, what collectives take on them, halls, power, cooling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gigawatt.domain.blueprint import Blueprint, ClusterPlan
from gigawatt.domain.energy import EnergyPlan
from gigawatt.domain.fabric import FabricDesign
from gigawatt.domain.facility import FacilityDesign
from gigawatt.drawings.dispatch import dispatch_svg
from gigawatt.drawings.elevation import elevation_svg
from gigawatt.drawings.fabric import fabric_svg
from gigawatt.drawings.floor_plan import floor_plan_svg
from gigawatt.drawings.markup import Markup, element
from gigawatt.drawings.one_line import one_line_svg
from gigawatt.report.elements import drawing, folded, paragraph, section, viewed
from gigawatt.units import format_quantity
from gigawatt.views import collectives, energy, fabric, facility
from gigawatt.views.commitments import commitment_texts
from gigawatt.views.table import Table


def cluster_section(blueprint: Blueprint, index: int) -> Markup:
    """One owned cluster."""
    plan, at = blueprint.clusters[index], f"/clusters/{index}"
    parts: list[str] = [paragraph(_lead(plan), class_="lead")]
    parts += [paragraph(text) for text in commitment_texts(plan)]
    if plan.fabric:
        parts += _network_parts(plan.fabric, at)
    if plan.collectives:
        parts.append(viewed(_below(collectives.predictions_table(plan.collectives), at)))
    if plan.facility:
        parts += _facility_parts(plan.facility, at)
    if plan.energy and plan.energy.plan and plan.energy.plan.dispatch:
        parts += _energy_parts(plan.energy.plan, f"{at}/energy/plan")
    parts += [paragraph(binding.message) for binding in plan.binding]
    parts += [paragraph(remark.capitalize() + ".", class_="note") for remark in plan.remarks]
    return section(f"cluster-{index}", f"Cluster {plan.cluster}", *parts)


def _lead(plan: ClusterPlan) -> str:
    words = [f"{plan.num_accelerators:,} accelerators of {plan.system}"]
    if plan.fabric:
        cost = f" at {format_quantity(plan.fabric.price_usd, '_usd')}" if plan.fabric.price_usd else ""
        words.append(f"joined by {plan.fabric.fabric}{cost}")
    if plan.facility:
        words.append(_housing(plan.facility))
    return ", ".join(words) + "."


def _housing(design: FacilityDesign) -> str:
    halls = f"{design.floor.num_halls} hall{'s' * (design.floor.num_halls != 1)}"
    draw, cost = format_quantity(design.it_w, "_w"), format_quantity(design.cost_usd, "_usd")
    return f"in {halls} at {design.site}, {draw} of computers with a PUE of {design.pue:.2f}, for {cost}"


def _network_parts(design: FabricDesign, at: str) -> Iterator[Markup]:
    yield element("h3", "Network")
    text = f"Tiers and cables of the compute network of {design.num_accelerators:,} accelerators"
    yield drawing(fabric_svg(design), text, "Counts of every tier; lengths follow from the floor plan.")
    inside = f"{at}/fabric"
    yield viewed(_below(fabric.networks_table(design), inside))
    yield folded("Switches by tier", viewed(_below(fabric.tiers_table(design), inside)))
    yield folded("Cables by length", viewed(_below(fabric.cables_table(design), inside)))
    yield folded("Bill of materials", viewed(_below(fabric.bill_table(design), inside)))
    if failures := fabric.failures_table(design, every=True):
        yield folded("What each failure leaves", viewed(_below(failures, inside)))


def _facility_parts(design: FacilityDesign, at: str) -> Iterator[Markup]:
    inside = f"{at}/facility"
    yield element("h3", "Halls, power and cooling")
    yield viewed(_below(facility.summary_table(design), inside))
    yield drawing(floor_plan_svg(design), f"Floor plan of {design.site}", "Racks by what they hold.")
    chain = f"One-line diagram, {design.power.redundancy}"
    yield drawing(one_line_svg(design.power), chain, "From the utility to the racks.")
    for title, table in (
        ("Racks", facility.racks_table(design)),
        ("Power chain", facility.power_table(design)),
        ("Cooling plant", facility.cooling_table(design)),
        ("Cost by trade", facility.cost_table(design)),
        ("Phases", facility.phases_table(design)),
        ("What each failure leaves", facility.failures_table(design, every=True)),
    ):
        yield folded(title, viewed(_below(table, inside)))
    pictures = [
        drawing(elevation_svg(kind), f"Elevation of a rack: {kind.name}", kind.name)
        for kind in design.floor.racks
    ]
    yield folded("Elevations of racks", element("div", *pictures, class_="drawings"))


def _energy_parts(plan: EnergyPlan, at: str) -> Iterator[Markup]:
    yield element("h3", "Energy of the campus")
    text = f"Power of {plan.title} through the year, through two weeks, and its sums"
    yield drawing(
        dispatch_svg(plan), text, "Above nought what gives, below what takes; the line is the load."
    )
    yield folded("Built and signed", viewed(_below(energy.capacities_table(plan), at)))
    yield folded("In the year", viewed(_below(energy.flows_table(plan), at)))


def _below(table: Table, at: str) -> Table:
    """A view of part of the blueprint, with its pointers from the blueprint's root."""
    pointers = tuple(at + pointer for pointer in table.pointers) or (at,) * len(table.rows)
    return replace(table, pointers=pointers)
