"""A fabric as tables: its networks, switches, cables by kind and length, bill, failures; and a validation."""

from __future__ import annotations

from gigawatt import units
from gigawatt.domain.fabric import FabricDesign, Network
from gigawatt.domain.fabric_validation import BillReport
from gigawatt.views.table import Column, Table, text_column

_SHOWN_FAILURES = 12


def networks_table(design: FabricDesign) -> Table:
    """Every network in a line, with the rules that it ended up with."""
    return Table(
        title=f"{design.fabric} for {design.num_accelerators:,} accelerators of {design.system}",
        columns=(
            text_column("name", "Network"),
            text_column("topology", "Topology"),
            Column("num_nodes", "Machines"),
            Column("num_units", "Units"),
            Column("num_pods", "Pods"),
            Column("num_planes", "Planes"),
            Column("num_switches", "Switches"),
            Column("num_cables", "Cables"),
            Column("oversubscription", "Oversubscription"),
            Column("bisection_bytes_per_s", "Bisection"),
        ),
        rows=tuple(
            (
                net.name,
                f"{net.topology} ({net.technology})",
                net.num_nodes,
                net.num_units,
                net.num_pods,
                net.num_planes,
                sum(tier.num_switches for tier in net.tiers),
                sum(group.num_cables for group in net.cables),
                net.oversubscription,
                net.bisection_bytes_per_s or None,
            )
            for net in design.networks
        ),
        pointers=tuple(f"/networks/{number}" for number in range(len(design.networks))),
        notes=design.notes,
    )


def tiers_table(design: FabricDesign) -> Table:
    """Switches by tier, with the ports that they use."""
    rows = [
        (
            net.name,
            tier.role,
            tier.switch,
            tier.num_switches,
            tier.num_ports,
            f"{tier.num_down_ports} x {_gbit(net, tier.role)}",
            tier.num_up_ports,
        )
        for net in design.networks
        for tier in net.tiers
    ]
    return Table(
        title="Switches",
        columns=(
            text_column("network", "Network"),
            text_column("role", "Tier"),
            text_column("switch", "Switch"),
            Column("num_switches", "Number"),
            Column("num_ports", "Ports"),
            text_column("down", "Down"),
            Column("num_up_ports", "Up"),
        ),
        rows=tuple(rows),
    )


def _gbit(net: Network, role: str) -> str:
    group = next((group for group in net.cables if group.upper == role), None)
    return units.format_link_rate(group.bytes_per_s / group.links_per_cable) if group else ""


def cables_table(design: FabricDesign) -> Table:
    """Cables by where they run and of what kind they are."""
    rows: list[tuple[str | float | int | None, ...]] = []
    for net in design.networks:
        for group in net.cables:
            span = f"{group.lower} - {group.upper}"
            if not group.num_by_link:
                rows.append((net.name, span, "", group.num_cables, None, None))
            for link, count in group.num_by_link.items():
                mean_m = group.metres_by_link[link] / count
                rows.append((net.name, span, link, count, mean_m, group.longest_m))
    return Table(
        title="Cables",
        columns=(
            text_column("network", "Network"),
            text_column("span", "Between"),
            text_column("link", "Kind"),
            Column("num_cables", "Number"),
            Column("mean_m", "Mean"),
            Column("longest_m", "Longest"),
        ),
        rows=tuple(rows),
    )


def bill_table(design: FabricDesign) -> Table:
    """The bill of materials, every line with its basis; what has no price says so."""
    rows = [
        (
            line.network,
            line.category,
            line.name,
            int(line.quantity),
            None if line.power_w is None else line.power_w * line.quantity,
            None if line.price_usd is None else line.price_usd * line.quantity,
            line.basis,
        )
        for line in design.bill
    ]
    price = (
        "no price is known"
        if design.price_usd is None
        else f"{units.format_quantity(design.price_usd, '_usd')} in US dollars of {design.price_year}"
    )
    return Table(
        title="Bill of materials",
        columns=(
            text_column("network", "Network"),
            text_column("category", "Category"),
            text_column("name", "Part"),
            Column("quantity", "Number"),
            Column("total_power_w", "Power"),
            Column("total_price_usd", "Price"),
            text_column("basis", "Basis"),
        ),
        rows=tuple(rows),
        pointers=tuple(f"/bill/{number}" for number in range(len(design.bill))),
        notes=(f"together {units.format_quantity(design.power_w, '_w')}; {price}",),
    )


def failures_table(design: FabricDesign, every: bool = False) -> Table | None:
    """What single failures leave, the worst first; None where they were not worked out."""
    if not design.failures:
        return None
    worst = sorted(
        design.failures,
        key=lambda effect: (
            -effect.num_accelerators_cut_off,
            1.0 if effect.bandwidth_left_frac is None else effect.bandwidth_left_frac,
        ),
    )
    shown = worst if every else worst[:_SHOWN_FAILURES]
    more = len(worst) - len(shown)
    return Table(
        title="Failures, one at a time",
        columns=(
            text_column("failing", "Failing"),
            Column("num_alike", "Alike"),
            Column("bandwidth_left_frac", "Bandwidth left"),
            Column("num_accelerators_cut_off", "Cut off"),
            Column("num_accelerators_slowed", "Slowed"),
            text_column("slowdown", "Slowdown"),
            text_column("note", ""),
        ),
        rows=tuple(
            (
                effect.failing,
                effect.num_alike,
                effect.bandwidth_left_frac,
                effect.num_accelerators_cut_off,
                effect.num_accelerators_slowed,
                ", ".join(f"{name} {factor:.3g}x" for name, factor in effect.slowdown.items()),
                effect.note,
            )
            for effect in shown
        ),
        notes=(f"and {more} more classes: -v shows all",) if more else (),
    )


def rows_table(report: BillReport) -> Table:
    """Every printed design, how many of its counts are ours, and what is to be said of it."""
    return Table(
        title="Printed designs against the rules",
        columns=(
            text_column("id", "Row"),
            text_column("fabric", "Rules"),
            text_column("status", "Status"),
            Column("num_printed", "Printed"),
            Column("num_equal", "Equal"),
            text_column("reason", ""),
        ),
        rows=tuple(
            (
                row.id,
                row.fabric,
                row.status,
                len(row.printed),
                len(row.printed) - len(row.differing) if row.predicted else None,
                row.reason,
            )
            for row in report.rows
        ),
        notes=(
            f"{report.num_cells - report.num_wrong:,} of {report.num_cells:,} counts equal to the unit "
            f"({report.exact_frac:.1%}), {report.num_errors} that contradict their own document; "
            f"{report.coverage_frac:.0%} of {len(report.rows)} rows reached",
        ),
    )
