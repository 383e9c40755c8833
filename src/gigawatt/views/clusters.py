"""Owned clusters as they are built, in one line each."""

from __future__ import annotations

from collections.abc import Sequence

from gigawatt.domain.blueprint import ClusterPlan
from gigawatt.units import format_quantity
from gigawatt.views.commitments import ready_dates
from gigawatt.views.table import Column, Table, Value, text_column, without_blank_columns


def clusters_table(clusters: Sequence[ClusterPlan]) -> Table | None:
    """Fabric, collectives and facility of every owned cluster; None where there is no cluster."""
    if not clusters:
        return None
    table = Table(
        title="Owned clusters as built",
        columns=(
            text_column("cluster", "Cluster"),
            Column("num_accelerators", "Accelerators"),
            text_column("ready", "Ready (10 to 90 %)"),
            Column("power_usd_per_mwh", "Power costs"),
            Column("power_kgco2_per_mwh", "Power emits"),
            text_column("fabric", "Fabric"),
            Column("num_switches", "Switches"),
            Column("num_cables", "Cables"),
            Column("fabric_usd", "Fabric costs"),
            text_column("all_reduce", "All-reduce over all"),
            text_column("site", "Site"),
            Column("it_w", "Critical load"),
            Column("peak_w", "At the meter"),
            Column("pue", "PUE"),
            Column("facility_usd", "Facility costs"),
            text_column("binding", "What binds"),
        ),
        rows=tuple(_row(plan) for plan in clusters),
        pointers=tuple(f"/clusters/{number}" for number in range(len(clusters))),
        notes=tuple(
            f"{plan.cluster}: {text}"
            for plan in clusters
            for text in (*(one.message for one in plan.binding), *plan.remarks)
        ),
    )
    return without_blank_columns(table)


def _all_reduce(plan: ClusterPlan) -> str | None:
    """The largest that was predicted."""
    known = [one for one in plan.collectives if one.collective == "all_reduce"]
    if not known:
        return None
    largest = max(known, key=lambda one: one.bytes_total)
    size = format_quantity(largest.bytes_total, "_bytes", binary=True)
    return f"{format_quantity(largest.time_s, '_s')} for {size}"


def _row(plan: ClusterPlan) -> tuple[Value, ...]:
    fabric, facility = plan.fabric, plan.facility
    networks = [net for net in fabric.networks if not net.inside_node] if fabric else []
    return (
        plan.cluster,
        plan.num_accelerators,
        ready_dates(plan),
        plan.energy.usd_per_mwh if plan.energy else None,
        plan.energy.kgco2_per_mwh if plan.energy else None,
        fabric.fabric if fabric else None,
        sum(tier.num_switches for net in networks for tier in net.tiers) or None,
        sum(group.num_cables for net in networks for group in net.cables) or None,
        fabric.price_usd if fabric else None,
        _all_reduce(plan),
        facility.site if facility else None,
        facility.it_w if facility else None,
        facility.peak_w if facility else None,
        facility.pue if facility else None,
        facility.cost_usd if facility else None,
        "; ".join(one.constraint for one in plan.binding),
    )
