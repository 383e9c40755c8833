"""The floor plan: every hall of the campus where there are several, and one hall in detail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from gigawatt.design.facility.floor import RackPositions, hall_corners_m, rack_positions
from gigawatt.domain.facility import FacilityDesign, FloorPlan, RackKind
from gigawatt.drawings.markup import Markup
from gigawatt.drawings.sheet import (
    COLD,
    HOT,
    INK,
    MUTED,
    PANEL,
    ROLES,
    RULE,
    box,
    boxes,
    group,
    sheet,
    span,
    text,
)
from gigawatt.units import format_quantity

_WIDE, _MARGIN, _SIDE = 1200.0, 40.0, 270.0
_CLOSE = 40.0
"""Pixels per metre of a small hall; larger ones shrink to the sheet."""
_DEEP = 1200.0
_LABELLED = 64.0
"""Pixels that a unit's name needs."""


def floor_plan_svg(facility: FacilityDesign) -> str:
    """The floor plan of a design as an SVG file."""
    heading = f"{facility.num_accelerators:,} accelerators ({facility.system}) at {facility.site}"
    return plan_svg(facility.floor, heading)


def plan_svg(floor: FloorPlan, heading: str) -> str:
    """A floor plan under a heading."""
    places = rack_positions(floor)
    width = _WIDE
    parts = [text(_MARGIN, 44.0, heading, 20.0, bold=True), text(_MARGIN, 66.0, _summary(floor), 13.0, MUTED)]
    y = 96.0
    if floor.num_halls > 1:
        campus, height = _campus(floor, places, y)
        parts.append(campus)
        y += height + 30.0
    else:
        width = max(640.0, 2 * _MARGIN + 60.0 + floor.hall_width_m * _scale(floor) + _SIDE)
    hall, height = _hall(floor, places, y)
    parts.append(hall)
    return sheet(width, y + height + _MARGIN, heading, *parts)


def _summary(floor: FloorPlan) -> str:
    halls = "1 hall" if floor.num_halls == 1 else f"{floor.num_halls} halls"
    buildings = "" if floor.num_buildings == 1 else f" in {floor.num_buildings} buildings"
    watts = sum(kind.num_racks * kind.power_w for kind in floor.racks)
    return (
        f"{floor.num_racks:,} racks in {halls}{buildings}, {format_quantity(watts, '_w')} of critical load, "
        f"{floor.area_m2:,.0f} m2 of white space"
    )


def _role(kind: RackKind) -> str:
    return "spine" if kind.role == "network" and not kind.num_per_unit else kind.role


def _campus(floor: FloorPlan, places: RackPositions, y: float) -> tuple[Markup, float]:
    """All halls to scale, their racks as stripes; and its height."""
    left, front = hall_corners_m(floor)
    across_m, deep_m = float(left.max()) + floor.hall_width_m, float(front.max()) + floor.hall_depth_m
    scale = min((_WIDE - 2 * _MARGIN) / across_m, 560.0 / deep_m, 12.0)
    parts = [text(_MARGIN, y + 6.0, "Campus", 14.0, bold=True)]
    top = y + 34.0
    pad = max(min(1.5, floor.building_gap_m / 4) * scale, 6.0)
    below = 8.0 if floor.hall_gap_m * scale > 11.0 else 0.0
    for building, (x0, y0, x1, y1) in enumerate(_buildings(floor), start=1):
        at = (_MARGIN + x0 * scale - pad, top + y0 * scale - pad)
        parts.append(
            box(*at, (x1 - x0) * scale + 2 * pad, (y1 - y0) * scale + 2 * pad + below, PANEL, RULE, 3.0)
        )
        if floor.num_buildings > 1:
            parts.append(text(at[0], at[1] - 4.0, f"building {building}", 11.0, MUTED))
    for x_m, y_m in zip(left.tolist(), front.tolist(), strict=True):
        place = (_MARGIN + x_m * scale, top + y_m * scale)
        parts.append(box(*place, floor.hall_width_m * scale, floor.hall_depth_m * scale, "#ffffff", RULE))
    for role, stripes in _stripes(floor, places).items():
        shown = [(_MARGIN + x * scale, top + y * scale, w * scale, d * scale) for x, y, w, d in stripes]
        parts.append(boxes(shown, ROLES[role]))
    if floor.hall_width_m * scale > 40.0 and floor.hall_gap_m * scale > 11.0:
        parts += [
            text(
                _MARGIN + x * scale,
                top + (y + floor.hall_depth_m) * scale + 10.0,
                f"hall {number}",
                10.0,
                MUTED,
            )
            for number, (x, y) in enumerate(zip(left.tolist(), front.tolist(), strict=True), start=1)
        ]
    bottom = top + deep_m * scale + pad + below + 10.0
    parts.append(span(_MARGIN, bottom, across_m * scale, f"{across_m:,.0f} m"))
    return group(*parts), bottom + 20.0 - y


def _buildings(floor: FloorPlan) -> Iterator[tuple[float, float, float, float]]:
    """The corners of each building that has halls."""
    left, front = hall_corners_m(floor)
    for first in range(0, floor.num_halls, floor.halls_per_building):
        halls = slice(first, first + floor.halls_per_building)
        x1, y1 = left[halls].max() + floor.hall_width_m, front[halls].max() + floor.hall_depth_m
        yield float(left[halls].min()), float(front[halls].min()), float(x1), float(y1)


def _stripes(floor: FloorPlan, places: RackPositions) -> dict[str, list[tuple[float, float, float, float]]]:
    """Racks of one role that stand side by side, as one rectangle each, in metres; by role."""
    roles = np.array([_role(kind) for kind in floor.racks])[places.kind]
    order = np.lexsort((places.x_m, places.row, places.hall))
    found: dict[str, list[tuple[float, float, float, float]]] = defaultdict(list)
    x, y = places.x_m[order] - floor.rack_width_m / 2, places.y_m[order] - floor.rack_depth_m / 2
    same = (roles[order][1:] == roles[order][:-1]) & np.isclose(y[1:], y[:-1])
    same &= np.isclose(x[1:] - x[:-1], floor.rack_width_m)
    edges = [0, *(np.flatnonzero(~same) + 1).tolist(), order.size]
    for first, end in pairwise(edges):
        width_m = float(x[end - 1] - x[first]) + floor.rack_width_m
        found[str(roles[order[first]])].append(
            (float(x[first]), float(y[first]), width_m, floor.rack_depth_m)
        )
    return found


def _scale(floor: FloorPlan) -> float:
    """Pixels per metre of the detailed hall."""
    room = _WIDE - 2 * _MARGIN - _SIDE - 60.0
    return min(room / floor.hall_width_m, _DEEP / floor.hall_depth_m, _CLOSE)


def _hall(floor: FloorPlan, places: RackPositions, y: float) -> tuple[Markup, float]:
    """The first hall rack by rack, and its height."""
    scale = _scale(floor)
    width, depth = floor.hall_width_m * scale, floor.hall_depth_m * scale
    left, top = _MARGIN + 30.0, y + 22.0
    title = "Hall" if floor.num_halls == 1 else "Hall 1; the others are alike, the last filled as needed"
    parts = [
        text(_MARGIN, y + 6.0, title, 14.0, bold=True),
        box(left, top, width, depth, COLD, MUTED),
        *_aisles(floor, left, top, scale),
        *_gallery(floor, left, top, scale),
        *_racks(floor, places, left, top, scale),
        *_unit_names(floor, places, left, top, scale),
        span(left, top + depth + 12.0, width, f"{floor.hall_width_m:.1f} m"),
        span(left - 14.0, top, depth, f"{floor.hall_depth_m:.1f} m", upright=True),
        _key(floor, left + width + 30.0, top),
    ]
    return group(*parts), max(depth + 60.0, 330.0)


def _aisles(floor: FloorPlan, left: float, top: float, scale: float) -> Iterator[Markup]:
    """The contained hot aisle of each pair of rows."""
    pair_m = 2 * floor.rack_depth_m + floor.hot_aisle_m + floor.cold_aisle_m
    width = floor.racks_per_row * floor.rack_width_m * scale
    for pair in range(floor.rows_per_hall // 2):
        y_m = floor.cold_aisle_m + pair * pair_m + floor.rack_depth_m
        x = left + (floor.gallery_m + floor.cold_aisle_m) * scale
        yield box(x, top + y_m * scale, width, floor.hot_aisle_m * scale, HOT)


def _gallery(floor: FloorPlan, left: float, top: float, scale: float) -> Iterator[Markup]:
    """Coolant distribution units, then air handlers, along the wall; how many of each."""
    if not floor.gallery_m:
        return
    width = floor.gallery_m * scale
    yield box(left, top, width, floor.hall_depth_m * scale, PANEL, RULE)
    units = [("coolant", floor.coolant_units_per_hall, "coolant distribution unit")]
    units += [("air", floor.air_units_per_hall, "air handler")]
    count = sum(number for _, number, _ in units)
    step = floor.hall_depth_m * scale / max(count, 1)
    height = min(0.8 * step, 1.2 * scale)
    y = top + (step - height) / 2
    for role, number, name in units:
        for unit in range(number):
            hint = f"{name} {unit + 1} of {number}"
            yield box(left + 0.12 * width, y, 0.5 * width, height, ROLES[role], radius=1.5, hint=hint)
            y += step


def _racks(
    floor: FloorPlan, places: RackPositions, left: float, top: float, scale: float
) -> Iterator[Markup]:
    width, depth = floor.rack_width_m * scale, floor.rack_depth_m * scale
    gap = min(1.5, width / 8)
    for rack in np.flatnonzero(places.hall == 0).tolist():
        kind = floor.racks[int(places.kind[rack])]
        x = left + float(places.x_m[rack]) * scale - width / 2
        y = top + float(places.y_m[rack]) * scale - depth / 2
        row, place = int(places.row[rack]) + 1, int(places.column[rack]) + 1
        hint = f"{kind.name}, row {row}, place {place}, {format_quantity(kind.power_w, '_w')}"
        yield box(x + gap / 2, y, width - gap, depth, ROLES[_role(kind)], radius=1.5, hint=hint)


def _unit_names(
    floor: FloorPlan, places: RackPositions, left: float, top: float, scale: float
) -> Iterator[Markup]:
    """Names of blocks, in the hot aisle between their two rows."""
    here = places.hall == 0
    pair_m = 2 * floor.rack_depth_m + floor.hot_aisle_m + floor.cold_aisle_m
    blocks = sorted(
        {(int(g), int(r) // 2) for g, r in zip(places.group[here], places.row[here], strict=True)}
    )
    for block, pair in blocks:
        inside = here & (places.group == block) & (places.row // 2 == pair)
        x0 = left + (float(places.x_m[inside].min()) - floor.rack_width_m / 2) * scale
        x1 = left + (float(places.x_m[inside].max()) + floor.rack_width_m / 2) * scale
        aisle_m = floor.cold_aisle_m + pair * pair_m + floor.rack_depth_m
        y = top + aisle_m * scale
        yield box(x0 + 1.5, y + 2.0, x1 - x0 - 3.0, floor.hot_aisle_m * scale - 4.0, "none", "#e3b7a6", 3.0)
        if floor.hot_aisle_m * scale >= 12.0:
            name = _block_name(floor, block, x1 - x0)
            yield text((x0 + x1) / 2, y + floor.hot_aisle_m * scale / 2 + 4.0, name, 11.0, INK, "middle")


def _block_name(floor: FloorPlan, block: int, room: float) -> str:
    if block < 0:
        return "spine and core" if room > 1.4 * _LABELLED else "spine" if room > _LABELLED / 2 else ""
    unit, part = divmod(block, floor.groups_per_unit)
    name = f"{unit + 1}" if floor.groups_per_unit == 1 else f"{unit + 1}.{part + 1}"
    if floor.units_together > 1:
        name = f"{unit * floor.units_together + 1}-{(unit + 1) * floor.units_together}"
    return f"unit {name}" if room > _LABELLED else name


def _key(floor: FloorPlan, x: float, y: float) -> Markup:
    """What the colours mean, and the figures of a hall."""
    parts = [text(x, y + 10.0, "Racks", 13.0, bold=True)]
    at = y + 22.0
    for kind in floor.racks:
        parts.append(box(x, at + 3.0, 12.0, 16.0, ROLES[_role(kind)], radius=1.5))
        name = kind.name if len(kind.name) <= 36 else kind.name[:35] + "…"
        parts.append(text(x + 20.0, at + 10.0, name, 12.0))
        watts = f", {format_quantity(kind.power_w, '_w')}" if kind.power_w else ""
        parts.append(
            text(x + 20.0, at + 24.0, f"{kind.num_racks:,} x {kind.weight_kg:,.0f} kg{watts}", 11.0, MUTED)
        )
        at += 38.0
    for role, count, name in (
        ("coolant", floor.coolant_units_per_hall, "coolant distribution units"),
        ("air", floor.air_units_per_hall, "air handlers"),
    ):
        if count:
            parts.append(box(x, at, 12.0, 12.0, ROLES[role], radius=1.5))
            parts.append(text(x + 20.0, at + 10.0, f"{name}, {count} in a hall", 12.0))
            at += 20.0
    for fill, name in ((HOT, "hot aisle, contained"), (COLD, "cold aisle")):
        parts.append(box(x, at, 12.0, 12.0, fill, RULE))
        parts.append(text(x + 20.0, at + 10.0, name, 12.0))
        at += 20.0
    facts = [
        ("fullest hall", format_quantity(floor.hall_it_w, "_w")),
        ("rows", f"{floor.rows_per_hall} of {floor.racks_per_row}"),
        ("units per hall", f"{floor.groups_per_hall * floor.units_together / floor.groups_per_unit:.3g}"),
        ("floor load", f"{floor.floor_load_kg_per_m2:,.0f} kg/m2"),
        ("halls", f"{floor.num_halls}"),
    ]
    at += 16.0
    parts.append(text(x, at, "Hall", 13.0, bold=True))
    for name, value in facts:
        at += 19.0
        parts += [text(x, at, name, 12.0, MUTED), text(x + 118.0, at, value, 12.0)]
    return group(*parts)
