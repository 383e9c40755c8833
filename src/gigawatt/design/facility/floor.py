"""Racks in rows, rows in halls, halls in buildings; and the place of every rack, worked out again at will.

A `FloorPlan` says how many of what; `rack_positions` and `device_positions` turn it into coordinates. Groups
of racks follow each other through the halls; each fills a block of a pair of rows, its network racks amid its
nodes. Racks that serve all groups are spread over the halls, and stand in the middle of each.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.fabric.graph import CORE, LEAF, NODE, ROLES, SPINE
from gigawatt.design.facility.racks import nodes_per_unit, switch_label
from gigawatt.design.facility.racks import rack_kinds as rack_kinds
from gigawatt.domain.fabric import FabricDesign
from gigawatt.domain.facility import FloorPlan, RackKind, Site
from gigawatt.errors import InfeasibleError
from gigawatt.laws.floor import floor_load_kg_per_m2
from gigawatt.units import format_quantity

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Graph(Protocol):
    """Devices of a network, as arrays."""

    @property
    def device_role(self) -> NDArray[Any]:
        """Index into `gigawatt.design.fabric.graph.ROLES`; devices of a role by unit and pod."""


class RackPositions(NamedTuple):
    """Where each rack stands: kinds in their order in the plan, racks of a kind by unit."""

    x_m: Floats
    y_m: Floats
    hall: Ints
    kind: Ints
    row: Ints
    """Row of its hall."""
    column: Ints
    """Place in its row."""
    group: Ints
    """Block that it stands in; -1 for racks that serve all."""


class DevicePositions(NamedTuple):
    """Where each device of a network stands: the centre of its rack."""

    x_m: Floats
    y_m: Floats
    hall: Ints


def plan_floor(racks: Sequence[RackKind], design: FabricDesign, site: Site) -> FloorPlan:
    """Stands the racks in as few halls of the site as their places and power allow.

    Raises InfeasibleError naming what binds (floor load, a hall's power or places, the site's area) and the
    nearest design that works.
    """
    load = _floor_load_kg_per_m2(racks, site)
    num_units = ceil(design.num_units / racks[0].units_together)
    plan = _with_hall_power(_stood(racks, num_units, load, site))
    _require_area(plan, num_units, design, site)
    return plan


def _stood(racks: Sequence[RackKind], num_units: int, load: float, site: Site) -> FloorPlan:
    groups_per_unit = _groups_per_unit(racks, num_units, site)
    num_halls, groups_per_hall = _halls(racks, groups_per_unit, site)
    return _plan(racks, num_units, groups_per_unit, groups_per_hall, num_halls, load, site)


def _floor_load_kg_per_m2(racks: Sequence[RackKind], site: Site) -> float:
    heaviest = max(racks, key=lambda kind: kind.weight_kg)
    aisles_m = site.cold_aisle_m + site.hot_aisle_m
    load = float(floor_load_kg_per_m2(heaviest.weight_kg, site.rack_width_m, site.rack_depth_m, aisles_m))
    if load <= site.floor_limit_kg_per_m2:
        return load
    most = heaviest.weight_kg * site.floor_limit_kg_per_m2 / load
    raise InfeasibleError(
        f"floor load binds: a rack of {heaviest.name} puts {load:,.0f} kg/m2 on its floor, aisles included; "
        f"{site.id} carries {site.floor_limit_kg_per_m2:,.0f} kg/m2; nearest that works: racks of at most "
        f"{most:,.0f} kg (this one has {heaviest.weight_kg:,.0f} kg), or a floor for {ceil(load):,} kg/m2"
    )


def _groups_per_unit(racks: Sequence[RackKind], num_units: int, site: Site) -> int:
    """Into how many equal parts a unit is split so that each fits a hall; 1 where it fits as it is."""
    unit_w = sum(kind.num_per_unit * kind.power_w for kind in racks)
    per_unit = sum(kind.num_per_unit for kind in racks)
    places = site.rows_per_hall // 2 * 2 * site.racks_per_row
    largest = max(racks, key=lambda kind: kind.power_w)
    if largest.power_w > site.hall_it_w:
        raise InfeasibleError(
            f"hall power binds: one rack of {largest.name} draws {format_quantity(largest.power_w, '_w')}, "
            f"a hall at {site.id} feeds {format_quantity(site.hall_it_w, '_w')}; nearest that works: halls "
            "that feed at least a rack"
        )
    central = sum(kind.num_racks for kind in racks if not kind.num_per_unit) / num_units
    parts = ceil(max(unit_w / site.hall_it_w, (per_unit + central) / places))
    most = max(kind.num_per_unit for kind in racks)
    while parts < most and not _fits(racks, parts, num_units * parts, 1, site):
        parts += 1
    return max(1, parts)


def _num_groups(racks: Sequence[RackKind], groups_per_unit: int) -> int:
    """Groups that hold racks: of a last unit that is filled in part, perhaps not all."""
    most = 0
    for kind in racks:
        if kind.num_per_unit:
            unit, within = divmod(kind.num_racks - 1, kind.num_per_unit)
            most = max(most, unit * groups_per_unit + within // ceil(kind.num_per_unit / groups_per_unit) + 1)
    return most


def _halls(racks: Sequence[RackKind], groups_per_unit: int, site: Site) -> tuple[int, int]:
    """The fewest halls that hold all groups, evenly filled, and the groups in each."""
    num_groups = _num_groups(racks, groups_per_unit)
    total_w = sum(kind.num_racks * kind.power_w for kind in racks)
    num_racks = sum(kind.num_racks for kind in racks)
    num_halls = max(1, ceil(total_w / site.hall_it_w), num_racks // (site.rows_per_hall * site.racks_per_row))
    while num_halls <= num_groups:
        groups_per_hall = ceil(num_groups / num_halls)
        if _fits(racks, groups_per_unit, num_halls, groups_per_hall, site):
            return ceil(num_groups / groups_per_hall), groups_per_hall
        num_halls += 1
    raise InfeasibleError(
        f"a hall at {site.id} ({site.rows_per_hall} rows of {site.racks_per_row} racks, "
        f"{format_quantity(site.hall_it_w, '_w')}) binds: the racks that serve all units leave no place "
        "for one unit; it works with more rows, or power, per hall"
    )


def _fits(racks: Sequence[RackKind], groups_per_unit: int, num_halls: int, groups: int, site: Site) -> bool:
    """Whether the fullest of so many halls, with so many groups, keeps within its places and its power."""
    blocks = _Blocks.of(racks, groups_per_unit, groups, num_halls, site.racks_per_row)
    watts = sum(
        kind.power_w * min(kind.num_racks, groups * ceil(kind.num_per_unit / groups_per_unit))
        if kind.num_per_unit
        else kind.power_w * ceil(kind.num_racks / num_halls)
        for kind in racks
    )
    return blocks.num_pairs <= site.rows_per_hall // 2 and watts <= site.hall_it_w * (1 + 1e-9)


@dataclass(frozen=True)
class _Blocks:
    """Where the blocks of a hall begin, counted in places of its pairs of rows."""

    starts: tuple[int, ...]
    """Of each group."""
    central: int
    """Of the racks that serve all groups."""
    num_pairs: int
    num_places: int

    @classmethod
    def of(
        cls, racks: Sequence[RackKind], groups_per_unit: int, groups: int, num_halls: int, racks_per_row: int
    ) -> _Blocks:
        """Blocks in their order; none is broken over two pairs of rows that one pair could hold."""
        size = _even(sum(ceil(kind.num_per_unit / groups_per_unit) for kind in racks))
        middle = _even(sum(ceil(kind.num_racks / num_halls) for kind in racks if not kind.num_per_unit))
        before = ceil(groups / 2)
        sizes = [size] * before + [middle] + [size] * (groups - before)
        pair = 2 * racks_per_row
        starts, end = [], 0
        for places in sizes:
            left = -end % pair
            if 0 < left < places:
                end += left
            starts.append(end)
            end += places
        central = starts.pop(before)
        return cls(tuple(starts), central, ceil(end / pair), end)


def _even(places: int) -> int:
    """Blocks take as much of one row of a pair as of the other, so that each begins at a column."""
    return places + places % 2


def _plan(
    racks: Sequence[RackKind],
    num_units: int,
    groups_per_unit: int,
    groups_per_hall: int,
    num_halls: int,
    load_kg_per_m2: float,
    site: Site,
) -> FloorPlan:
    blocks = _Blocks.of(racks, groups_per_unit, groups_per_hall, num_halls, site.racks_per_row)
    per_row = min(site.racks_per_row, ceil(blocks.num_places / 2))
    width_m = per_row * site.rack_width_m + 2 * site.cold_aisle_m + site.gallery_m
    pair_m = 2 * site.rack_depth_m + site.hot_aisle_m + site.cold_aisle_m
    depth_m = blocks.num_pairs * pair_m + site.cold_aisle_m
    per_building = min(site.halls_per_building, num_halls)
    return FloorPlan(
        num_buildings=ceil(num_halls / per_building),
        halls_per_building=per_building,
        num_halls=num_halls,
        rows_per_hall=2 * blocks.num_pairs,
        racks_per_row=per_row,
        num_units=num_units,
        units_together=racks[0].units_together,
        groups_per_unit=groups_per_unit,
        groups_per_hall=groups_per_hall,
        rack_width_m=site.rack_width_m,
        rack_depth_m=site.rack_depth_m,
        cold_aisle_m=site.cold_aisle_m,
        hot_aisle_m=site.hot_aisle_m,
        tray_height_m=site.tray_height_m,
        hall_gap_m=site.hall_gap_m,
        building_gap_m=site.building_gap_m,
        gallery_m=site.gallery_m,
        hall_width_m=width_m,
        hall_depth_m=depth_m,
        hall_it_w=0.0,
        floor_load_kg_per_m2=load_kg_per_m2,
        area_m2=num_halls * width_m * depth_m,
        racks=tuple(racks),
    )


def _with_hall_power(plan: FloorPlan) -> FloorPlan:
    """The plan with what only the placed racks tell: the power of the fullest hall."""
    places = rack_positions(plan)
    watts = np.array([kind.power_w for kind in plan.racks])[places.kind]
    per_hall = np.bincount(places.hall, weights=watts, minlength=plan.num_halls)
    return plan.model_copy(update={"hall_it_w": float(per_hall.max())})


def _require_area(plan: FloorPlan, num_units: int, design: FabricDesign, site: Site) -> None:
    if site.floor_area_m2 is None or plan.area_m2 <= site.floor_area_m2:
        return
    most = bisect_right(
        range(1, num_units), site.floor_area_m2, key=lambda units: _area_m2(plan, units, num_units, site)
    )
    per_unit = design.num_accelerators // num_units
    nearest = (
        f"about {most * per_unit:,} accelerators" if most else f"less than a unit of {per_unit:,} of them"
    )
    raise InfeasibleError(
        f"floor area binds: {design.num_accelerators:,} accelerators need {plan.area_m2:,.0f} m2 of white "
        f"space, {site.id} has {site.floor_area_m2:,.0f} m2; nearest that works: {nearest}"
    )


def _area_m2(plan: FloorPlan, units: int, num_units: int, site: Site) -> float:
    """White space of so many of the units, with their share of the racks that serve all."""
    racks = [
        kind.model_copy(update={"num_racks": ceil(kind.num_racks * units / num_units)}) for kind in plan.racks
    ]
    return _stood(racks, units, plan.floor_load_kg_per_m2, site).area_m2


def rack_positions(floor: FloorPlan) -> RackPositions:
    """The centre, hall, row and place of each rack."""
    columns = [_racks_of(floor, number) for number in range(len(floor.racks))]
    hall, slot, kind, group = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    row, column = _row_and_column(floor, slot)
    x_m, y_m = _coordinates(floor, hall, row, column)
    return RackPositions(x_m, y_m, hall, kind, row, column, group)


def _racks_of(plan: FloorPlan, number: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Hall, slot, kind and group of each rack of one kind."""
    rank = np.arange(plan.racks[number].num_racks, dtype=np.int64)
    if plan.racks[number].num_per_unit:
        unit, within = np.divmod(rank, plan.racks[number].num_per_unit)
        hall, slot, group = _local_slots(plan, number, unit, within)
    else:
        hall, slot = _central_slots(plan, number, rank)
        group = np.full_like(rank, -1)
    return hall, slot, np.full_like(rank, number), group


def _local_slots(plan: FloorPlan, number: int, unit: Ints, within: Ints) -> tuple[Ints, Ints, Ints]:
    """Hall, slot and group of racks given by unit and number within the unit."""
    per_group = ceil(plan.racks[number].num_per_unit / plan.groups_per_unit)
    group = unit * plan.groups_per_unit + within // per_group
    hall, in_hall = np.divmod(group, plan.groups_per_hall)
    starts = np.array(_blocks(plan).starts, dtype=np.int64)
    order = _order_in_group(plan)
    places = np.array([place for place, owner in enumerate(order) if owner == number], dtype=np.int64)
    return hall, starts[in_hall] + places[within % per_group], group


def _order_in_group(plan: FloorPlan) -> list[int]:
    """The kind at each place of a group's block: nodes on both sides of the switches."""
    sides: list[int] = []
    middle: list[int] = []
    for number, kind in enumerate(plan.racks):
        count = ceil(kind.num_per_unit / plan.groups_per_unit)
        (sides if kind.role == "compute" else middle).extend([number] * count)
    half = ceil(len(sides) / 2)
    return sides[:half] + middle + sides[half:]


def _central_slots(plan: FloorPlan, number: int, rank: Ints) -> tuple[Ints, Ints]:
    """Hall and slot of racks that serve all: shared out over the halls in order, kind after kind."""
    before = sum(
        ceil(kind.num_racks / plan.num_halls) for kind in plan.racks[:number] if not kind.num_per_unit
    )
    per_hall = ceil(plan.racks[number].num_racks / plan.num_halls)
    hall = rank * plan.num_halls // plan.racks[number].num_racks
    first = -(-hall * plan.racks[number].num_racks // plan.num_halls)
    within = rank - first
    assert within.size == 0 or int(within.max()) < per_hall
    return hall, _blocks(plan).central + before + within


def _blocks(plan: FloorPlan) -> _Blocks:
    return _Blocks.of(
        plan.racks, plan.groups_per_unit, plan.groups_per_hall, plan.num_halls, plan.racks_per_row
    )


def _row_and_column(plan: FloorPlan, slot: Ints) -> tuple[Ints, Ints]:
    """Places run across the two rows of a pair, then along them; every other pair runs back."""
    pair, rest = np.divmod(slot, 2 * plan.racks_per_row)
    column, side = np.divmod(rest, 2)
    return 2 * pair + side, np.where(pair % 2, plan.racks_per_row - 1 - column, column)


def _coordinates(plan: FloorPlan, hall: Ints, row: Ints, column: Ints) -> tuple[Floats, Floats]:
    left, front = hall_corners_m(plan)
    pair_m = 2 * plan.rack_depth_m + plan.hot_aisle_m + plan.cold_aisle_m
    back = row % 2 * (plan.rack_depth_m + plan.hot_aisle_m)
    x_m = left[hall] + plan.gallery_m + plan.cold_aisle_m + (column + 0.5) * plan.rack_width_m
    y_m = front[hall] + plan.cold_aisle_m + row // 2 * pair_m + back + 0.5 * plan.rack_depth_m
    return x_m, y_m


def hall_corners_m(floor: FloorPlan) -> tuple[Floats, Floats]:
    """The x and y of each hall's corner nearest the origin.

    Halls of a building stand two abreast; buildings stand in a grid that is about as wide as deep.
    """
    hall = np.arange(floor.num_halls)
    building, within = np.divmod(hall, floor.halls_per_building)
    abreast = min(2, floor.halls_per_building)
    deep = ceil(floor.halls_per_building / abreast)
    width_m, depth_m = floor.hall_width_m + floor.hall_gap_m, floor.hall_depth_m + floor.hall_gap_m
    building_width_m = abreast * width_m - floor.hall_gap_m + floor.building_gap_m
    building_depth_m = deep * depth_m - floor.hall_gap_m + floor.building_gap_m
    across = ceil(sqrt(floor.num_buildings * building_depth_m / building_width_m))
    x_m = building % across * building_width_m + within % abreast * width_m
    y_m = building // across * building_depth_m + within // abreast * depth_m
    return x_m.astype(float), y_m.astype(float)


def device_positions(
    floor: FloorPlan, design: FabricDesign, graph: Graph, network: str = "compute"
) -> DevicePositions:
    """Where each device of a network's graph stands: nodes fill the racks of their unit in order, switches
    of each tier are spread over the racks that were planned for that tier of that network. Machines beyond
    the nodes (storage, the fabric manager) are taken to stand amid the last unit.
    """
    role = np.asarray(graph.device_role)
    hall, slot = np.zeros(role.size, dtype=np.int64), np.zeros(role.size, dtype=np.int64)
    nodes = np.flatnonzero(role == NODE)
    hall[nodes], slot[nodes] = _node_slots(floor, design, nodes.size)
    for tier in (LEAF, SPINE, CORE):
        devices = np.flatnonzero(role == tier)
        kind = _kind_that_holds(floor, switch_label(network, ROLES[tier]))
        if kind is not None and devices.size:
            hall[devices], slot[devices] = _switch_slots(floor, design, kind, devices.size)
    others = np.flatnonzero(role > CORE)
    hall[others], slot[others] = hall[nodes[-1]], slot[nodes[-1]]
    row, column = _row_and_column(floor, slot)
    return DevicePositions(*_coordinates(floor, hall, row, column), hall)


def _node_slots(floor: FloorPlan, design: FabricDesign, count: int) -> tuple[Ints, Ints]:
    compute = next(number for number, kind in enumerate(floor.racks) if kind.role == "compute")
    node = np.minimum(np.arange(count), design.num_nodes - 1)
    unit, rank = np.divmod(node, nodes_per_unit(design) * floor.units_together)
    per_node = max(1, design.num_accelerators // design.num_nodes)
    per_rack = max(1, floor.racks[compute].num_accelerators // per_node)
    hall, slot, _ = _local_slots(floor, compute, unit, rank // per_rack)
    return hall, slot


def _switch_slots(floor: FloorPlan, design: FabricDesign, kind: int, count: int) -> tuple[Ints, Ints]:
    """Of the switches of a tier, spread over the racks of one kind: those of their unit, or those for all."""
    if not floor.racks[kind].num_per_unit:
        return _central_slots(floor, kind, np.arange(count) * floor.racks[kind].num_racks // count)
    unit = np.arange(count) * design.num_units // count
    block = unit // floor.units_together
    first = np.searchsorted(block, block)
    most = int(np.bincount(block).max())
    rack = (np.arange(count) - first) * floor.racks[kind].num_per_unit // most
    hall, slot, _ = _local_slots(floor, kind, block, rack)
    return hall, slot


def _kind_that_holds(floor: FloorPlan, label: str) -> int | None:
    """The kind of network rack that lists the switches of a tier; None where no rack was planned for them."""
    found = (
        number
        for number, kind in enumerate(floor.racks)
        if kind.role == "network" and any(item.name == label for item in kind.items)
    )
    return next(found, None)
