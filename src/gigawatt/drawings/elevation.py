"""A rack from the front: what stands at which height, what it draws and weighs, where its heat goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gigawatt.domain.facility import RackItem, RackKind
from gigawatt.drawings.markup import Markup
from gigawatt.drawings.sheet import INK, MUTED, PANEL, ROLES, RULE, SERIES, box, line, sheet, text
from gigawatt.units import format_quantity

_UNIT = 14.0
"""Pixels of one rack unit."""
_WIDE, _LEFT, _FRAME, _TOP = 420.0, 64.0, 300.0, 118.0
_MARKED = 4
"""Every so many units carry their number."""


def elevation_svg(kind: RackKind) -> str:
    """The fullest rack of a kind as an SVG file."""
    height = kind.rack_units * _UNIT
    fills = _fills(kind)
    parts = [
        text(20.0, 34.0, kind.name if len(kind.name) < 44 else kind.name[:43] + "…", 16.0, bold=True),
        text(20.0, 54.0, _summary(kind), 12.0, MUTED),
        *_heat(kind),
        box(_LEFT - 10.0, _TOP - 8.0, _FRAME + 20.0, height + 16.0, "#e6e8eb", MUTED, 4.0),
        box(_LEFT, _TOP, _FRAME, height, PANEL, RULE),
        *_marks(kind.rack_units),
    ]
    drawn: Counter[str] = Counter()
    alike = Counter({name: sum(one.quantity for one in kind.items if one.name == name) for name in fills})
    for item in kind.items:
        parts.extend(_item(item, kind.rack_units, fills[item.name], drawn[item.name], alike[item.name]))
        drawn[item.name] += item.quantity
    return sheet(_WIDE, _TOP + height + 34.0, kind.name, *parts)


def _summary(kind: RackKind) -> str:
    watts = f"{format_quantity(kind.power_w, '_w')}, " if kind.power_w else ""
    holds = f", {kind.num_accelerators} accelerators" if kind.num_accelerators else ""
    return f"{kind.num_racks:,} racks; each {watts}{kind.weight_kg:,.0f} kg{holds}"


def _heat(kind: RackKind) -> Iterator[Markup]:
    """The split of its heat between liquid and air, as a bar."""
    if not kind.power_w:
        return
    liquid = _FRAME * kind.liquid_frac
    yield box(_LEFT, 68.0, _FRAME, 8.0, "#f2c9b8", radius=2.0)
    if liquid:
        yield box(_LEFT, 68.0, liquid, 8.0, ROLES["coolant"], radius=2.0)
    words = f"heat: {kind.liquid_frac:.0%} to liquid, {1 - kind.liquid_frac:.0%} to air"
    yield text(_LEFT, 92.0, words, 11.0, MUTED)


def _fills(kind: RackKind) -> dict[str, str]:
    """A colour for each name: what it is where that is plain, else the next of the series."""
    names = list(dict.fromkeys(item.name for item in kind.items))
    known = {name: _known_fill(name, kind) for name in names}
    free = iter(fill for fill in SERIES if fill not in known.values())
    return {name: fill or next(free, MUTED) for name, fill in known.items()}


def _known_fill(name: str, kind: RackKind) -> str:
    if kind.role != "compute":
        return ROLES[kind.role] if name == kind.items[0].name else ""
    words = {"compute": "compute", "node": "compute", "NVLink": "network", "power": "power"}
    return ROLES[words[name.split()[0].strip(",")]] if name.split()[0].strip(",") in words else ""


def _marks(rack_units: int) -> Iterator[Markup]:
    for unit in range(1, rack_units + 1):
        y = _TOP + (rack_units - unit) * _UNIT
        yield line(_LEFT, y, _LEFT + _FRAME, y, RULE, 0.5)
        if unit % _MARKED == 0 or unit == 1:
            yield text(_LEFT - 16.0, y + _UNIT - 3.0, f"{unit}", 10.0, MUTED, "end")


def _item(item: RackItem, rack_units: int, fill: str, drawn: int, alike: int) -> Iterator[Markup]:
    """Each of the things of an item, from its lowest unit upwards, numbered on from those `drawn` before."""
    height = item.rack_units * _UNIT
    for number in range(item.quantity if item.rack_units else 0):
        bottom = item.lowest_unit - 1 + number * item.rack_units
        y = _TOP + (rack_units - bottom) * _UNIT - height
        yield box(_LEFT + 2.0, y + 0.75, _FRAME - 4.0, height - 1.5, fill, radius=2.0, hint=item.name)
        what, comma, rest = item.name.partition(",")
        name = item.name if alike == 1 else f"{what} {drawn + number + 1}{comma}{rest}"
        yield text(_LEFT + 12.0, y + height / 2 + 3.6, name, 10.0, "#ffffff")
        if item.part and height >= 2 * _UNIT:
            yield text(_LEFT + _FRAME - 12.0, y + height / 2 + 3.6, item.part, 10.0, "#ffffff", "end")
    if not item.rack_units:
        yield text(_LEFT + 12.0, _TOP - 12.0, f"{item.quantity} x {item.name}", 10.0, INK)
