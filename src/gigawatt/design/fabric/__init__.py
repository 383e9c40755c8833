"""The design of fabrics: rules and radix in; counts, graphs, cables, bills and failures out."""

from __future__ import annotations

from gigawatt.design.fabric.cabling import Places, cable_fabric, one_rack
from gigawatt.design.fabric.graph import FabricGraph, fabric_graph, network_graph
from gigawatt.design.fabric.parts import FabricParts
from gigawatt.design.fabric.plan import is_within_reach, plan_fabric
from gigawatt.domain.fabric import FabricDesign
from gigawatt.domain.facility import Site
from gigawatt.domain.hardware import Accelerator, System
from gigawatt.errors import InputError

__all__ = [
    "FabricGraph",
    "FabricParts",
    "cable_fabric",
    "design_fabric",
    "fabric_graph",
    "is_within_reach",
    "network_graph",
    "plan_fabric",
]


def design_fabric(
    system: System,
    accelerator: Accelerator,
    num_accelerators: int,
    parts: FabricParts,
    site: Site | None = None,
    oversubscription: float | None = None,
    num_planes: int | None = None,
) -> FabricDesign:
    """The whole fabric of a cluster: networks, cables by the floor of `site`, bill, power, price, failures.

    Without a site, or where a system's racks are not known, cables are counted, neither measured nor priced.
    Errors: InputError for what is absurd; InfeasibleError with what binds and the nearest design that works.
    """
    from gigawatt.design.fabric.failures import failure_effects

    design = plan_fabric(system, num_accelerators, parts, oversubscription, num_planes)
    design = _on_floor(design, system, accelerator, parts, site)
    return design.model_copy(update={"failures": failure_effects(design, fabric_graph(design))})


def _on_floor(
    design: FabricDesign, system: System, accelerator: Accelerator, parts: FabricParts, site: Site | None
) -> FabricDesign:
    if site is None:
        return cable_fabric(design, parts, {})
    from gigawatt.design.facility.floor import device_positions, plan_floor, rack_kinds

    try:
        racks = rack_kinds(system, accelerator, design, parts, site)
    except InputError as unknown:
        note = f"no floor without knowing its racks: {unknown.problems[0]}"
        return cable_fabric(design.model_copy(update={"notes": (*design.notes, note)}), parts, {})
    floor = plan_floor(racks, design, site)
    places: dict[str, Places] = {}
    for net in design.networks:
        if net.inside_node or not net.tiers:
            continue
        if net.name == "scale-up":
            places[net.name] = one_rack(net)
        else:
            places[net.name] = device_positions(floor, design, network_graph(net), net.name)
    return cable_fabric(design, parts, places, site.tray_height_m)
