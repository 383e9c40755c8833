"""Which racks a cluster needs: what stands in each, what it draws, weighs and gives to air and water."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Protocol

from gigawatt.domain.fabric import FabricDesign, Network, Switch, SwitchTier
from gigawatt.domain.facility import RackItem, RackKind, Site
from gigawatt.domain.hardware import Accelerator, System
from gigawatt.errors import InfeasibleError, InputError, Problem
from gigawatt.units import format_quantity

_NEEDED = {
    "node_power_w": "the power of a node",
    "node_rack_units": "the height of a node",
    "node_weight_kg": "the weight of a node",
    "liquid_frac": "the share of its heat that goes to coolant",
}


class Parts(Protocol):
    """The parts that a fabric is built from."""

    @property
    def switches(self) -> Mapping[str, Switch]:
        """Switches by id."""


_ROUNDING = 1e-9
_FEWEST = 8
"""Racks of nodes that are worth network racks of their own."""


@dataclass(frozen=True)
class _Load:
    """Switches of one kind to put into racks: of one, its height, weight and power."""

    name: str
    part: str
    num: int
    rack_units: int
    weight_kg: float
    power_w: float
    known_w: float


def rack_kinds(
    system: System,
    accelerator: Accelerator,
    design: FabricDesign,
    parts: Parts,
    site: Site,
) -> tuple[RackKind, ...]:
    """Every kind of rack of a cluster: nodes; the switches of each scalable unit; those that serve all units.

    A design that has been cabled knows its transceivers: what they draw is counted with the switches.
    Raises InputError where too little is known of a part, InfeasibleError where one node is too much for a
    rack of the site.
    """
    compute = compute_rack(system, accelerator, design, site)
    return (compute, *_network_racks(design, parts, site, compute.units_together))


def num_blocks(design: FabricDesign, units_together: int) -> int:
    """Units of the fabric, small ones taken together."""
    return ceil(design.num_units / units_together)


def nodes_per_unit(design: FabricDesign) -> int:
    """Nodes of one full unit of the fabric."""
    return min(design.compute.nodes_per_unit or design.num_nodes, design.num_nodes)


def compute_rack(system: System, accelerator: Accelerator, design: FabricDesign, site: Site) -> RackKind:
    """Racks of nodes: as the maker specifies them, else as many nodes as height, power and air allow."""
    _require(system)
    assert system.node_power_w is not None
    num_in_rack = nodes_per_rack(system, site)
    in_unit = nodes_per_unit(design)
    together = max(1, min(_FEWEST * num_in_rack // in_unit, design.num_units))
    in_block = min(in_unit * together, design.num_nodes)
    per_unit = ceil(in_block / num_in_rack)
    full, rest = divmod(design.num_nodes, in_block)
    num_racks = full * per_unit + ceil(rest / num_in_rack)
    return RackKind(
        name=system.name,
        role="compute",
        num_racks=num_racks,
        num_accelerators=num_in_rack * system.num_accelerators_per_node,
        num_per_unit=per_unit,
        units_together=together,
        power_w=system.node_power_w * design.num_nodes / num_racks,
        liquid_frac=system.liquid_frac or 0.0,
        weight_kg=_weight_kg(system, num_in_rack, site),
        rack_units=site.rack_units,
        items=_node_items(system, accelerator, num_in_rack),
        basis=system.provenance_of("node_power_w").basis,
    )


def nodes_per_rack(system: System, site: Site) -> int:
    """Nodes in one rack: no more than the maker's rack holds, its height, its power taps and the air allow.

    Raises InfeasibleError where not even one node (or one scale-up domain in a rack) is allowed.
    """
    _require(system)
    assert system.node_power_w is not None
    assert system.node_rack_units is not None
    assert system.liquid_frac is not None
    whole = ceil((system.num_accelerators_per_rack or 0) / system.num_accelerators_per_node)
    air_w = system.node_power_w * (1 - system.liquid_frac)
    limits = {
        "power taps": (site.rack_limit_w / system.node_power_w, system.node_power_w, site.rack_limit_w),
        "air cooling": (site.rack_air_limit_w / air_w if air_w else whole or 1, air_w, site.rack_air_limit_w),
    }
    if not system.rack_parts:
        limits["height"] = (site.rack_units / system.node_rack_units, 0.0, 0.0)
    elif max(_tops(system)) > site.rack_units:
        raise InfeasibleError(
            f"height binds: a rack of {system.id} stands {max(_tops(system))} rack units high; racks at "
            f"{site.id} have {site.rack_units}; nearest that works: racks of {max(_tops(system))}"
        )
    fewest = whole if system.num_accelerators_per_domain > system.num_accelerators_per_node and whole else 1
    allowed = min(floor(count * (1 + 1e-9)) for count, _, _ in limits.values())
    if allowed < fewest:
        what, (_, node_w, limit_w) = min(limits.items(), key=lambda limit: limit[1][0])
        raise InfeasibleError(_too_much(system, site, fewest, what, node_w, limit_w))
    return min(allowed, whole) if whole else allowed


def _too_much(system: System, site: Site, num: int, what: str, node_w: float, limit_w: float) -> str:
    """Why not even the smallest rack of the system may stand at the site."""
    thing = "a node" if num == 1 else f"a rack of {num} nodes (one scale-up domain)"
    if what == "height":
        units = num * (system.node_rack_units or 0)
        high = f"{thing} of {system.id} is {units} rack units high"
        return (
            f"height binds: {high}; racks at {site.id} have {site.rack_units}; "
            f"nearest that works: racks of {units}"
        )
    needs = "gives to the air" if what == "air cooling" else "draws"
    return (
        f"{what} of a rack at {site.id} binds: {thing} of {system.id} {needs} "
        f"{format_quantity(num * node_w, '_w')}, {format_quantity(limit_w, '_w')} is allowed; "
        "nearest that works: a site that allows that much per rack"
    )


def _require(system: System) -> None:
    missing = [name for name in _NEEDED if getattr(system, name) is None]
    if missing:
        raise InputError(
            [
                Problem(f"{system.id}: {_NEEDED[name]} is not known, and racks need it", key=name)
                for name in missing
            ]
        )


def _weight_kg(system: System, num_in_rack: int, site: Site) -> float:
    whole = (system.num_accelerators_per_rack or 0) == num_in_rack * system.num_accelerators_per_node
    if whole and system.rack_weight_kg:
        return system.rack_weight_kg
    return site.rack_empty_kg + num_in_rack * (system.node_weight_kg or 0.0)


def _tops(system: System) -> list[int]:
    return [part.lowest_unit + part.quantity * part.rack_units - 1 for part in system.rack_parts]


def _node_items(system: System, accelerator: Accelerator, num_in_rack: int) -> tuple[RackItem, ...]:
    if system.rack_parts:
        return tuple(
            RackItem(
                name=part.name,
                part=system.id if part.name.startswith("compute") else "",
                quantity=part.quantity,
                rack_units=part.rack_units,
                lowest_unit=part.lowest_unit,
            )
            for part in system.rack_parts
        )
    node = f"node, {system.num_accelerators_per_node} x {accelerator.name}"
    units = system.node_rack_units or 1
    return (RackItem(name=node, part=system.id, quantity=num_in_rack, rack_units=units),)


def _network_racks(design: FabricDesign, parts: Parts, site: Site, units_together: int) -> Iterator[RackKind]:
    local: list[_Load] = []
    central: list[_Load] = []
    for network in design.networks:
        if network.name == "scale-up" or network.inside_node:  # part of the maker's rack, or of the node
            continue
        for tier in network.tiers:
            load = _load(network, tier, parts, site)
            # Every unit has leaves of its own; a network too small for that stands in the middle.
            (local if tier.role == "leaf" and tier.num_switches >= design.num_units else central).append(load)
    known_w = sum(load.num * load.known_w for load in (*local, *central))
    optics = max(1.0, design.power_w / known_w) if known_w else 1.0
    blocks = num_blocks(design, units_together)
    if local:
        share = min(1.0, units_together / design.num_units)
        yield _switch_rack("Leaf switches", local, blocks, share, optics, site, units_together)
    # Chassis that leave no room for a second one do not stand with others.
    chassis = [load for load in central if 2 * load.rack_units > site.rack_units]
    for load in chassis:
        yield _switch_rack(f"Chassis, {load.name}", [load], 0, 1.0, optics, site, 1)
    if fixed := [load for load in central if load not in chassis]:
        yield _switch_rack("Spine and core switches", fixed, 0, 1.0, optics, site, 1)


def switch_label(network: str, role: str) -> str:
    """What a rack's items call the switches of a tier of a network: "storage leaf"."""
    return f"{network} {role}"


def _load(network: Network, tier: SwitchTier, parts: Parts, site: Site) -> _Load:
    switch = parts.switches[tier.switch]
    rack_units = switch.rack_units or site.switch_units
    return _Load(
        name=switch_label(network.name, tier.role),
        part=switch.id,
        num=tier.num_switches,
        rack_units=rack_units,
        weight_kg=switch.weight_kg or rack_units * site.switch_unit_kg,
        power_w=switch.power_w or rack_units * site.switch_unit_w,
        known_w=switch.power_w or 0.0,
    )


def _switch_rack(
    name: str,
    loads: Sequence[_Load],
    num_blocks: int,
    share: float,
    optics: float,
    site: Site,
    units_together: int,
) -> RackKind:
    """Racks that share out switches evenly: the `share` of each block, or (no blocks) all of them.

    `optics` is what the known switches draw with transceivers, over what they draw without.
    """
    groups = num_blocks or 1
    in_group = [(load, ceil(load.num * share * (1 - _ROUNDING))) for load in loads]
    height = sum(num * load.rack_units for load, num in in_group)
    watts = sum(load.num * (optics * load.known_w or load.power_w) for load, _ in in_group)
    # By the switches alone, so that the same racks stand before and after the cables are chosen.
    bare_w = sum(load.num * load.power_w for load, _ in in_group)
    limit_w = min(site.rack_limit_w, site.rack_air_limit_w)
    room = max(floor(site.network_rack_fill_frac * site.rack_units), max(load.rack_units for load in loads))
    per_group = ceil(max(1, height / room, bare_w / groups / limit_w))
    while not (items := _stacked(in_group, per_group, site)):
        per_group += 1
    weight = sum(ceil(num / per_group) * load.weight_kg for load, num in in_group)
    return RackKind(
        name=name,
        role="network",
        num_racks=groups * per_group,
        num_per_unit=per_group if num_blocks else 0,
        units_together=units_together,
        power_w=watts / (groups * per_group),
        weight_kg=site.rack_empty_kg + weight,
        rack_units=site.rack_units,
        items=items,
        basis="estimate",
    )


def _stacked(loads: Sequence[tuple[_Load, int]], num_racks: int, site: Site) -> tuple[RackItem, ...]:
    """The switches of the fullest of so many racks, from the top down; nothing if they do not fit."""
    items = []
    top = site.rack_units
    for load, num in loads:
        quantity = ceil(num / num_racks)
        top -= quantity * load.rack_units
        if top < 0:
            return ()
        items.append(
            RackItem(
                name=load.name,
                part=load.part,
                quantity=quantity,
                rack_units=load.rack_units,
                lowest_unit=top + 1,
            )
        )
    return tuple(items)
