"""Tables of a facility design: key figures, racks, power, cooling, cost, phases, failures."""

from __future__ import annotations

from gigawatt.domain.facility import FacilityDesign
from gigawatt.units import format_quantity
from gigawatt.views.table import Column, Table, text_column


def summary_table(design: FacilityDesign) -> Table:
    """What the facility is, in a dozen figures."""
    floor, power = design.floor, design.power
    rows = (
        ("accelerators", f"{design.num_accelerators:,}"),
        ("racks", f"{floor.num_racks:,} in {_counted(floor.num_halls, 'hall')}"),
        ("white space", f"{floor.area_m2:,.0f} m2"),
        ("floor load", f"{floor.floor_load_kg_per_m2:,.0f} kg/m2, the heaviest rack with its aisles"),
        ("critical load", format_quantity(design.it_w, "_w")),
        ("at the meter", f"{format_quantity(design.peak_w, '_w')} in the hottest hour"),
        ("PUE", f"{design.pue:.3f} over a year, {design.peak_pue:.3f} in the hottest hour"),
        ("WUE", format_quantity(design.wue_m3_per_j, "_m3_per_j")),
        ("energy", f"{format_quantity(design.energy_j_per_year, '_j')} in a year at full load"),
        ("hours without compressors", f"{design.cooling.num_free_hours:,} of 8,760"),
        ("power redundancy", _redundancy(design)),
        ("power out at a rack", f"{format_quantity(power.down_s_per_year, '_s')} in a year"),
        ("cost", f"{format_quantity(design.cost_usd, '_usd')} (prices of {design.price_year})"),
    )
    columns = (text_column("figure", "figure"), text_column("value", "value"))
    title = f"{design.system} at {design.site}"
    return Table(title, columns, rows, notes=design.notes)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _redundancy(design: FacilityDesign) -> str:
    suffix = ", concurrently maintainable" if design.power.concurrently_maintainable else ""
    return f"{design.power.redundancy} in {_counted(design.power.num_blocks, 'block')}{suffix}"


def racks_table(design: FacilityDesign) -> Table:
    """Kinds of rack."""
    columns = (
        text_column("name", "racks"),
        text_column("role", "role"),
        Column("num_racks", "number"),
        Column("power_w", "each draws"),
        Column("liquid_frac", "to liquid"),
        Column("weight_kg", "weight"),
        Column("num_per_unit", "per unit"),
        text_column("basis", "basis"),
    )
    rows = tuple(
        (k.name, k.role, k.num_racks, k.power_w, k.liquid_frac, k.weight_kg, k.num_per_unit or None, k.basis)
        for k in design.floor.racks
    )
    return Table("Racks", columns, rows, tuple(f"/floor/racks/{n}" for n in range(len(rows))))


def power_table(design: FacilityDesign) -> Table:
    """Stages from the utility to the racks."""
    columns = (
        text_column("kind", "stage"),
        text_column("name", "equipment"),
        Column("num_installed", "installed"),
        Column("num_needed", "needed"),
        Column("rating_w", "rating"),
        Column("load_frac", "load"),
        Column("output_w", "passes on"),
        Column("loss_w", "loses"),
    )
    rows = tuple(
        (n.kind, n.name, n.num_installed, n.num_needed, n.rating_w, n.load_frac, n.output_w, n.loss_w)
        for n in design.power.nodes
    )
    lost = format_quantity(design.power.loss_w, "_w")
    note = f"Losses from the utility to the racks: {lost}."
    return Table("Power", columns, rows, tuple(f"/power/nodes/{n}" for n in range(len(rows))), (note,))


def cooling_table(design: FacilityDesign) -> Table:
    """Parts of the cooling plant."""
    columns = (
        text_column("loop", "loop"),
        text_column("name", "equipment"),
        Column("num_installed", "installed"),
        Column("num_needed", "needed"),
        Column("heat_w", "heat"),
        Column("flow_m3_per_s", "flow"),
        Column("peak_power_w", "draws"),
    )
    rows = tuple(
        (n.loop, n.name, n.num_installed, n.num_needed, n.heat_w, n.flow_m3_per_s or None, n.peak_power_w)
        for n in design.cooling.nodes
    )
    return Table(
        "Cooling, in the hottest hour", columns, rows, tuple(f"/cooling/nodes/{n}" for n in range(len(rows)))
    )


def cost_table(design: FacilityDesign) -> Table:
    """Cost by trade."""
    columns = (
        text_column("trade", "trade"),
        Column("cost_usd", "cost"),
        Column("usd_per_w", "per watt of critical load"),
        text_column("basis", "basis"),
        text_column("source", "source"),
    )
    rows = tuple((c.trade, c.cost_usd, c.usd_per_w, c.basis, c.source) for c in design.costs)
    return Table("Cost", columns, rows, tuple(f"/costs/{n}" for n in range(len(rows))))


def phases_table(design: FacilityDesign) -> Table:
    """What is handed over when."""
    columns = (
        text_column("name", "phase"),
        Column("num_halls", "halls"),
        Column("it_w", "critical load"),
        Column("num_accelerators", "accelerators"),
        Column("months", "months"),
        Column("cost_usd", "cost"),
    )
    rows = tuple(
        (p.name, p.num_halls, p.it_w, p.num_accelerators, p.months, p.cost_usd) for p in design.phases
    )
    return Table("Phases", columns, rows, tuple(f"/phases/{n}" for n in range(len(rows))))


def failures_table(design: FacilityDesign, every: bool = False) -> Table:
    """What a failure takes; those that take nothing only if `every` is asked for."""
    columns = (
        text_column("failing", "failing"),
        Column("num_alike", "of"),
        Column("power_left_w", "racks left"),
        Column("num_accelerators_cut_off", "accelerators lost"),
        text_column("note", "note"),
    )
    rows, pointers = [], []
    for number, effect in enumerate(design.failures):
        if effect.num_accelerators_cut_off or every:
            left = effect.num_accelerators_cut_off
            rows.append((effect.failing, effect.num_alike, effect.power_left_w, left, effect.note))
            pointers.append(f"/failures/{number}")
    hidden = len(design.failures) - len(rows)
    notes = (f"{hidden} further kinds of failure take no accelerator.",) if hidden else ()
    return Table("Failures", columns, tuple(rows), tuple(pointers), notes)
