"""Cables of a planned fabric: how long each is, of which kind, and what all of it draws and costs.

A cable runs up from its rack to the trays, along and across the rows, and down again. The kind with the
shortest reach that suffices is taken: passive copper where it reaches, then active copper, then light.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from gigawatt.design.fabric.graph import MANAGER, NODE, ROLES, FabricGraph, network_graph
from gigawatt.design.fabric.parts import FabricParts
from gigawatt.design.fabric.tiers import impossible
from gigawatt.domain.fabric import BillLine, CableGroup, FabricDesign, FabricKind, Link, Network
from gigawatt.domain.record import Sourced
from gigawatt.laws.floor import tray_run_m

Floats = npt.NDArray[np.float64]


class Places(Protocol):
    """Where each device of a network's graph stands, all in one frame of metres."""

    @property
    def x_m(self) -> Floats:
        """Along the rows."""

    @property
    def y_m(self) -> Floats:
        """Across the rows."""


class _At(NamedTuple):
    x_m: Floats
    y_m: Floats


def one_rack(net: Network) -> Places:
    """Devices that are joined within racks: a scale-up network comes with the racks it joins."""
    nowhere = np.zeros(network_graph(net).num_devices)
    return _At(nowhere, nowhere)


class Lengths(NamedTuple):
    """The cables of a network, by their number in its graph."""

    length_m: Floats
    """The longest leg of a cable that parts."""
    first_link: npt.NDArray[np.int64]
    """Of the links that it carries."""


def cable_lengths(graph: FabricGraph, places: Places, drop_m: float, allowance_m: float) -> Lengths:
    """Length of every cable; the allowance is for cables that leave their rack."""
    a, b = graph.cable_a, graph.cable_b
    run_m = np.asarray(tray_run_m(places.x_m[a], places.y_m[a], places.x_m[b], places.y_m[b], drop_m))
    run_m = run_m + allowance_m * (run_m > 2 * drop_m)
    first = np.flatnonzero(np.diff(graph.cable_number, prepend=-1))
    return Lengths(np.maximum.reduceat(run_m, first), first)


def cable_fabric(
    design: FabricDesign, parts: FabricParts, places: Mapping[str, Places], drop_m: float = 0.0
) -> FabricDesign:
    """The design with the length and kind of its cables, its bill, power and price.

    `places` holds, by network, where each device of its graph stands; a network without is counted and not
    measured. `drop_m` is the way from a rack's top to the trays. Errors: InfeasibleError where no link is
    long enough.
    """
    networks = tuple(
        _cabled(net, _kind(net, parts), parts.links, places[net.name], drop_m) if net.name in places else net
        for net in design.networks
    )
    return _billed(design.model_copy(update={"networks": networks}), parts)


def _kind(net: Network, parts: FabricParts) -> FabricKind:
    return parts.kind if net.name == "compute" else parts.others[net.name]


def _cabled(
    net: Network, kind: FabricKind, links: tuple[Link, ...], places: Places, drop_m: float
) -> Network:
    if not net.tiers:
        return net
    graph = network_graph(net)
    lengths = cable_lengths(graph, places, drop_m, kind.cable_allowance_m)
    groups = (
        _chosen(group, net, links, lengths.length_m[cables_between(group, graph, lengths)])
        for group in net.cables
    )
    return net.model_copy(update={"cables": tuple(groups)})


def cables_between(group: CableGroup, graph: FabricGraph, lengths: Lengths) -> npt.NDArray[np.bool_]:
    """[cables] whether each runs between the group's tiers; the fabric manager is cabled as a node."""
    lower = graph.device_role[graph.cable_a[lengths.first_link]]
    upper = graph.device_role[graph.cable_b[lengths.first_link]]
    lower = np.where(lower == MANAGER, NODE, lower)
    return np.asarray((lower == ROLES.index(group.lower)) & (upper == ROLES.index(group.upper)))


def links_for(group: CableGroup, net: Network, links: tuple[Link, ...]) -> list[Link]:
    """Kinds of link that a group of cables may be made of, the shortest reach first."""
    return sorted(
        (
            link
            for link in links
            if link.bytes_per_s == group.bytes_per_s and net.technology in link.technologies
        ),
        key=lambda link: (link.reach_m, link.end_power_w or 0.0, link.id),
    )


def choice_by_reach(suited: Sequence[Link], length_m: Floats, net: Network) -> npt.NDArray[np.int64]:
    """[cables] which of the suited links is just long enough. Errors: InfeasibleError where none is."""
    reaches = np.asarray([link.reach_m for link in suited])
    choice = np.searchsorted(reaches, length_m)
    if choice.max(initial=0) == reaches.size:
        message = f"a cable of {length_m.max():,.0f} m in the {net.name} network"
        impossible("reach", message, f"at most {reaches[-1]:,.0f} m, by {suited[-1].name}")
    return choice


def _chosen(group: CableGroup, net: Network, links: tuple[Link, ...], length_m: Floats) -> CableGroup:
    measured = {"mean_m": float(length_m.mean()), "longest_m": float(length_m.max())}
    suited = links_for(group, net, links)
    if not suited:
        return group.model_copy(update=measured)
    choice = choice_by_reach(suited, length_m, net)
    counts = np.bincount(choice, minlength=len(suited))
    lengths = np.bincount(choice, weights=length_m, minlength=len(suited))
    used = [i for i in range(len(suited)) if counts[i]]
    return group.model_copy(
        update=measured
        | {
            "num_by_link": {suited[i].id: int(counts[i]) for i in used},
            "metres_by_link": {suited[i].id: float(lengths[i]) for i in used},
        }
    )


def _billed(design: FabricDesign, parts: FabricParts) -> FabricDesign:
    lines = tuple(line for net in design.networks if not net.inside_node for line in _lines(net, parts))
    unpriced = sorted({line.name for line in lines if line.price_usd is None})
    unknown = sorted({line.name for line in lines if line.power_w is None})
    notes = list(design.notes)
    if unpriced:
        notes.append(f"not in the price, for no price is known: {'; '.join(unpriced)}")
    if unknown:
        notes.append(f"not in the power, for no power is known: {'; '.join(unknown)}")
    uncut = [net.name for net in design.networks if _uncut(net)]
    if uncut:
        notes.append(f"cables counted but not measured, chosen or priced: {', '.join(uncut)}")
    prices = [line.price_usd * line.quantity for line in lines if line.price_usd is not None]
    return design.model_copy(
        update={
            "bill": lines,
            "power_w": sum(line.power_w * line.quantity for line in lines if line.power_w),
            "price_usd": sum(prices) if prices else None,
            "price_year": _price_year(lines, parts),
            "notes": tuple(notes),
        }
    )


def _uncut(net: Network) -> bool:
    return not net.inside_node and any(group.num_cables and not group.num_by_link for group in net.cables)


def _price_year(lines: tuple[BillLine, ...], parts: FabricParts) -> int | None:
    """The newest year that a price is from."""
    priced = {line.part for line in lines if line.price_usd}
    rows: list[Sourced] = [row for row in (*parts.switches.values(), *parts.links) if row.id in priced]
    fields = ("price_usd", "cable_usd", "end_usd")
    dates = (row.provenance[field].date for row in rows for field in fields if field in row.provenance)
    return max((int(date[:4]) for date in dates if date), default=None)


def _lines(net: Network, parts: FabricParts) -> Iterator[BillLine]:
    for tier in net.tiers:
        switch = parts.switches[tier.switch]
        said = switch.provenance_of("price_usd" if switch.price_usd else "power_w")
        yield BillLine(
            part=switch.id, name=switch.name, category="switch", network=net.name, quantity=tier.num_switches,
            power_w=switch.power_w, price_usd=switch.price_usd, basis=said.basis, source=said.source,
        )  # fmt: skip
    links = {link.id: link for link in parts.links}
    for group in net.cables:
        for id, count in group.num_by_link.items():
            yield from _link_lines(links[id], count, group.metres_by_link[id] / count, net)


def _link_lines(link: Link, count: int, mean_m: float, net: Network) -> Iterator[BillLine]:
    """The cables, and their transceivers where these are bought apart."""
    fixed = link.end_usd == 0
    said = link.provenance_of("cable_usd" if link.cable_usd is not None else "reach_m")
    cable_usd = None if link.cable_usd is None else link.cable_usd + link.cable_usd_per_m * mean_m
    ends_w = None if link.end_power_w is None else 2 * link.end_power_w / link.links_per_end
    yield BillLine(
        part=link.id, name=link.name if fixed else f"{link.name}: cable", category="cable", network=net.name,
        quantity=count, power_w=ends_w if fixed else 0.0, price_usd=cable_usd, basis=said.basis,
        source=said.source,
    )  # fmt: skip
    if not fixed:
        said = link.provenance_of("end_usd" if link.end_usd is not None else "end_power_w")
        yield BillLine(
            part=link.id, name=f"{link.name}: transceiver", category="transceiver", network=net.name,
            quantity=2 * -(-count // link.links_per_end), power_w=link.end_power_w, price_usd=link.end_usd,
            basis=said.basis, source=said.source,
        )  # fmt: skip
