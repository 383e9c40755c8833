"""A network from above: tiers from the nodes up, pods side by side, and what the cables between them are."""

from __future__ import annotations

from collections.abc import Iterator

from gigawatt.domain.fabric import CableGroup, FabricDesign, Network, SwitchTier
from gigawatt.drawings.markup import Markup
from gigawatt.drawings.sheet import INK, MUTED, PANEL, ROLES, RULE, box, line, sheet, text
from gigawatt.units import format_quantity

_WIDE, _LEFT, _ROW, _TALL = 960.0, 190.0, 108.0, 46.0
_TOP, _AMONG = 84.0, 44.0
_MOST_PODS = 6
"""Of more pods the first ones and the last are drawn."""
_MANY = 10_000
"""A number as long as this is written smaller, to stay in the box of its pod."""


def fabric_svg(design: FabricDesign) -> str:
    """The compute network of a cluster as an SVG file."""
    return network_svg(design.compute, design.num_accelerators)


def network_svg(network: Network, num_accelerators: int) -> str:
    """One network as an SVG file."""
    tiers = [tier for role in ("core", "spine", "leaf") if (tier := network.tier(role))]
    among = [group for group in network.cables if group.upper == group.lower != "node"]
    top = _TOP + (_AMONG if among else 0.0)
    height = top + _ROW * len(tiers) + _TALL + 34.0
    title = f"{network.name} network of {num_accelerators:,} accelerators"
    parts = [
        text(20.0, 32.0, title.capitalize(), 16.0, bold=True),
        text(20.0, 52.0, _summary(network), 12.0, MUTED),
    ]
    rows: dict[str, float] = {tier.role: top + _ROW * number for number, tier in enumerate(tiers)}
    rows["node"] = top + _ROW * len(tiers)
    if among:
        parts += _among(among, network, top)
    for group in network.cables:
        if group.upper != group.lower:
            parts += _bundle(group, network, rows)
    for tier in tiers:
        parts += _tier(tier, network, rows[tier.role])
    parts += _nodes(network, num_accelerators, rows["node"])
    return sheet(_WIDE, height, title, *parts)


def _summary(network: Network) -> str:
    words = [f"{network.topology}, {network.technology}"]
    if network.num_planes > 1:
        words.append(f"{network.num_planes} planes")
    if network.num_pods > 1:
        words.append(f"{network.num_pods} pods")
        if network.num_accelerators_per_pod:
            words[-1] += f" of {network.num_accelerators_per_pod:,} accelerators"
    if network.oversubscription != 1.0:
        where = "between pods" if network.num_pods > 1 else "above the leaves"
        words.append(f"{network.oversubscription:.3g}:1 {where}")
    if network.bisection_bytes_per_s:
        words.append(f"bisection {format_quantity(network.bisection_bytes_per_s, '_bytes_per_s')}")
    return "; ".join(words)


def _places(network: Network, role: str) -> list[tuple[float, float, str]]:
    """Left edge, width and name of the boxes of a tier: its pods, or one for what serves all of them."""
    room = _WIDE - _LEFT - 20.0
    pods = network.num_pods
    if pods == 1 or role == "core":
        return [(_LEFT, room, "")]
    shown = min(pods, _MOST_PODS)
    names = [f"pod {number + 1}" for number in range(shown)]
    if shown < pods:
        names[-2:] = ["…", f"pod {pods}"]
    width = room / shown
    return [(_LEFT + width * number, width - 10.0, name) for number, name in enumerate(names)]


def _tier(tier: SwitchTier, network: Network, y: float) -> Iterator[Markup]:
    yield text(20.0, y + 19.0, f"{tier.num_switches:,} {tier.role} switches", 13.0, bold=True)
    speed = f" of {format_quantity(tier.bytes_per_s, '_bytes_per_s')}" if tier.bytes_per_s else ""
    yield text(20.0, y + 36.0, f"{tier.num_ports} ports{speed}", 11.0, MUTED)
    places = _places(network, tier.role)
    each = tier.num_switches // (network.num_pods if len(places) > 1 else 1)
    for x, width, name in places:
        if name == "…":
            yield text(x + width / 2, y + 28.0, "…", 20.0, MUTED, "middle")
            continue
        yield box(x, y, width, _TALL, PANEL, ROLES["network"], 4.0, hint=f"{each:,} x {tier.switch}")
        yield text(x + width / 2, y + 20.0, f"{each:,} x {tier.role}", 12.0, INK, "middle")
        ports = (
            f"{tier.num_down_ports} down, {tier.num_up_ports} up"
            if tier.num_up_ports
            else f"{tier.num_down_ports} down"
        )
        yield text(x + width / 2, y + 36.0, name or ports, 11.0, MUTED, "middle")


def _nodes(network: Network, num_accelerators: int, y: float) -> Iterator[Markup]:
    nodes = "1 node" if network.num_nodes == 1 else f"{network.num_nodes:,} nodes"
    yield text(20.0, y + 19.0, nodes, 13.0, bold=True)
    yield text(20.0, y + 36.0, f"{network.links_per_node} links each", 11.0, MUTED)
    places = _places(network, "node")
    each = network.num_accelerators_per_pod if len(places) > 1 else num_accelerators
    for x, width, name in places:
        if name == "…":
            yield text(x + width / 2, y + 28.0, "…", 20.0, MUTED, "middle")
            continue
        last = name and (x, width, name) == places[-1]
        here = num_accelerators - each * (network.num_pods - 1) if last else each
        yield box(x, y, width, _TALL, PANEL, ROLES["compute"], 4.0)
        size = 10.0 if name and here >= _MANY else 11.5
        yield text(x + width / 2, y + 20.0, f"{here:,} accelerators", size, INK, "middle")
        yield text(x + width / 2, y + 36.0, name, 11.0, MUTED, "middle")


def _among(groups: list[CableGroup], network: Network, y: float) -> Iterator[Markup]:
    """Cables between switches of the top tier: each with those of its pod, and every pod with every other."""
    role = groups[0].lower
    number = sum(group.num_cables for group in groups)
    longest = max(groups, key=lambda group: group.longest_m or 0.0)
    rail = y - 18.0
    places = [place for place in _places(network, role) if place[2] != "…"]
    centres = [x + width / 2 for x, width, _ in places]
    yield line(min(centres), rail, max(centres), rail, RULE, 3.0)
    for centre in centres:
        yield line(centre, rail, centre, y, RULE, 3.0)
    yield text(20.0, y - 28.0, f"{number:,} cables among leaves", 11.0, MUTED)
    yield text(20.0, y - 13.0, _lengths(longest), 11.0, MUTED)


def _bundle(group: CableGroup, network: Network, rows: dict[str, float]) -> Iterator[Markup]:
    top, bottom = rows[group.upper] + _TALL, rows[group.lower]
    below, above = _places(network, group.lower), _places(network, group.upper)
    for number, (x, width, name) in enumerate(below):
        if name == "…":
            continue
        upper = above[number] if len(above) == len(below) else above[0]
        start = x + width / 2
        end = upper[0] + upper[1] / 2 if len(above) == len(below) else start
        yield line(start, bottom, end, top, RULE, 3.0)
    yield text(20.0, (top + bottom) / 2 - 4.0, f"{group.num_cables:,} cables", 11.0, MUTED)
    yield text(20.0, (top + bottom) / 2 + 11.0, _lengths(group), 11.0, MUTED)


def _lengths(group: CableGroup) -> str:
    speed = format_quantity(group.bytes_per_s, "_bytes_per_s")
    return f"{speed}, {group.mean_m:.0f} m, up to {group.longest_m:.0f} m" if group.longest_m else speed
