"""What every cable, switch and plane takes with it when it fails: bandwidth, accelerators, time.

Precisely: let every node send at once, as much as it could before, to one tier of the fabric. To the leaves:
all traffic between nodes. To the spines: what leaves the nodes under its own leaves. To the cores: what
leaves its pod. In a dragonfly, out of its group. The flow is max-min fair, and a maximum flow, on the links
that are left, routed upwards; what comes down is its mirror image. `bandwidth_left_frac` is the least share,
over nodes and tiers, of what a node could send before. A node spreads its traffic over all of its ports;
`own_ports_left_frac` says what an accelerator keeps that is left to its own. `slowdown` counts only what
leaves a scale-up domain, whose nodes share all of their ports (`gigawatt.design.fabric.domains`).

Each class of alike cables and switches is worked out once (`gigawatt.design.fabric.symmetry`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gigawatt.design.fabric.graph import LEAF, NODE, ROLES, FabricGraph
from gigawatt.design.fabric.reach import Reach, ReachLeft
from gigawatt.design.fabric.symmetry import Alike, alike
from gigawatt.design.fabric.wiring import Array, Wiring, wiring_of
from gigawatt.domain.fabric import FabricDesign, FailureEffect


def failure_effects(design: FabricDesign, graph: FabricGraph) -> tuple[FailureEffect, ...]:
    """The effect of each failure of a network: cables, legs of twin-port cables, switches, planes, by class.

    The numbers of alike cables add up to all cables, those of switches to all switches. Planes are listed
    where there are several. `graph` is laid out from `design`; its first nodes hold the accelerators.
    """
    per_node = design.num_accelerators // design.num_nodes
    wiring = wiring_of(graph, design.num_nodes, per_node, design.nodes_per_domain)
    whole, ports = Reach(wiring), _Ports(graph, design.num_nodes, per_node)
    return _merged(_effect(whole, ports, failure) for failure in _failures(wiring, ports))


@dataclass(frozen=True)
class _Failure:
    """One thing that fails, for all alike."""

    kind: str
    example: str
    num_alike: int
    count: Array
    """Links left in each bundle."""
    lost: Array
    """Links of the graph that are lost."""


class _Ports:
    """The accelerators' own ports, and what is left of them."""

    def __init__(self, graph: FabricGraph, num_nodes: int, per_node: int) -> None:
        self.graph = graph
        role = graph.device_role
        own = (role[graph.cable_a] == NODE) & (role[graph.cable_b] == LEAF) & (graph.cable_a < num_nodes)
        num_ports = int(graph.cable_a_port[own].max(initial=0)) + 1
        self.apart = num_ports % per_node == 0
        owner = graph.cable_a.astype(np.int64) * per_node + graph.cable_a_port * per_node // num_ports
        self.owner = np.where(own, owner, -1)
        self.capacity = graph.cable_bytes_per_s.astype(float)
        self.total = np.bincount(self.owner[own], self.capacity[own], num_nodes * per_node)
        self.by_number = np.argsort(graph.cable_number, kind="stable")
        self.number = graph.cable_number[self.by_number]

    def links_of(self, cable: int) -> Array:
        """The links of a physical cable."""
        low, high = np.searchsorted(self.number, (cable, cable + 1))
        return self.by_number[low:high]

    def left(self, lost: Array) -> tuple[float | None, int]:
        """Least share left to one accelerator; how many have nothing left of theirs."""
        if not self.apart:
            return None, 0
        lost = lost[self.owner[lost] >= 0]
        owners, which = np.unique(self.owner[lost], return_inverse=True)
        left = 1.0 - np.bincount(which, self.capacity[lost], len(owners)) / self.total[owners]
        return float(left.min(initial=1.0)), int((left <= 0).sum())


def _effect(whole: Reach, ports: _Ports, failure: _Failure) -> FailureEffect:
    left = ReachLeft(whole, failure.count)
    cut_off = left.num_cut_off()
    own, stranded = ports.left(failure.lost)
    slowdown = left.slowdown()
    return FailureEffect(
        failing=f"{failure.kind}|{failure.example}",
        num_alike=failure.num_alike,
        bandwidth_left_frac=float(left.worst_frac()),
        fabric_left_frac=float(left.total_frac()),
        own_ports_left_frac=own,
        num_accelerators_cut_off=cut_off,
        num_accelerators_slowed=left.num_slowed(),
        slowdown=slowdown,
        note=_note(cut_off, stranded, ends=bool(slowdown)),
    )


def _note(cut_off: int, stranded: int, ends: bool) -> str:
    if not ends:
        return "a collective over those cut off does not end"
    if cut_off:
        return f"{cut_off:,} accelerators reach others over the scale-up network alone, or the job stops"
    if stranded:
        verb = (
            "accelerators lose all ports of their own: they go"
            if stranded > 1
            else "accelerator loses all ports of its own: it goes"
        )
        return f"{stranded:,} {verb} over the scale-up network, or the job stops"
    return ""


def _failures(wiring: Wiring, ports: _Ports) -> Iterator[_Failure]:
    classes = alike(wiring)
    yield from _failing_cables(wiring, classes, ports)
    yield from _failing_legs(wiring, classes, ports)
    yield from _failing_switches(wiring, classes, ports)
    yield from _failing_planes(wiring, ports.graph)


def _members(classes: Array, number: Array, plain: Array) -> Iterator[tuple[int, int]]:
    """Of each class a member to work out, with no twins drawn into it, and how many the class has."""
    total = np.bincount(classes, number)
    order = np.lexsort((np.arange(len(classes)), ~plain, classes))
    for member in order[np.unique(classes[order], return_index=True)[1]].tolist():
        yield member, int(total[classes[member]])


def _cable_kind(graph: FabricGraph, links: Array) -> tuple[str, str]:
    """Between which tiers a cable runs, and one such cable."""
    low, high = int(graph.cable_a[links[0]]), int(graph.cable_b[links[0]])
    roles = (ROLES[graph.device_role[end]] for end in (low, high))
    return "-".join(roles), f"{graph.device_name(low)} to {graph.device_name(high)}"


def _failing_cables(wiring: Wiring, classes: Alike, ports: _Ports) -> Iterator[_Failure]:
    plain = np.all(_ends_plain(wiring)[wiring.cable_bundles] | (wiring.cable_bundles < 0), axis=1)
    for member, num_alike in _members(classes.cable, wiring.cable_count, np.asarray(plain)):
        bundles = wiring.cable_bundles[member]
        count = wiring.count.copy()
        np.subtract.at(count, bundles[bundles >= 0], 1)
        links = ports.links_of(int(wiring.cable_number[member]))
        kind, example = _cable_kind(ports.graph, links)
        yield _Failure(f"cable {kind}", example, num_alike, count, links)


def _ends_plain(wiring: Wiring) -> Array:
    return np.asarray((wiring.size[wiring.low] == 1) & (wiring.size[wiring.high] == 1))


def _failing_legs(wiring: Wiring, classes: Alike, ports: _Ports) -> Iterator[_Failure]:
    """One link of a cable that carries several: a lane, a port, an end of a splitter."""
    twin = wiring.cable_bundles[(wiring.cable_bundles >= 0).sum(axis=1) > 1]
    legs = np.zeros(len(wiring.low), bool)
    legs[twin[twin >= 0]] = True
    number = np.where(legs, wiring.count, 0)
    for member, num_alike in _members(classes.bundle, number, _ends_plain(wiring)):
        if not num_alike:
            continue
        count = wiring.count.copy()
        count[member] -= 1
        low, high = (int(wiring.device[end[member]]) for end in (wiring.low, wiring.high))
        graph = ports.graph
        links = np.flatnonzero((graph.cable_a == low) & (graph.cable_b == high))[:1]
        kind, example = _cable_kind(graph, links)
        yield _Failure(f"leg {kind}", example, num_alike, count, links)


def _failing_switches(wiring: Wiring, classes: Alike, ports: _Ports) -> Iterator[_Failure]:
    graph = ports.graph
    for member, num_alike in _members(classes.device, wiring.size, wiring.size == 1):
        if wiring.role[member] == NODE:
            continue
        device = int(wiring.device[member])
        count = np.where((wiring.low == member) | (wiring.high == member), 0, wiring.count)
        lost = np.flatnonzero((graph.cable_a == device) | (graph.cable_b == device))
        kind = f"{ROLES[wiring.role[member]]} switch"
        yield _Failure(kind, graph.device_name(device), num_alike, count, lost)


def _failing_planes(wiring: Wiring, graph: FabricGraph) -> Iterator[_Failure]:
    planes = np.unique(wiring.plane[wiring.plane >= 0]).tolist()
    for plane in planes if len(planes) > 1 else ():
        inside = wiring.plane == plane
        count = np.where(inside[wiring.low] | inside[wiring.high], 0, wiring.count)
        lost = np.flatnonzero(graph.cable_plane == plane)
        yield _Failure("plane", f"plane {plane}", 1, count, lost)


def _merged(effects: Iterator[FailureEffect]) -> tuple[FailureEffect, ...]:
    """Classes that do the same as one; where one kind does several things, each is named by an example."""
    distinct: dict[tuple[object, ...], list[FailureEffect]] = {}
    for effect in effects:
        kind = effect.failing.partition("|")[0]
        told = effect.model_dump(exclude={"failing", "num_alike", "slowdown"})
        distinct.setdefault((kind, *told.values(), *effect.slowdown.values()), []).append(effect)
    kinds = [key[0] for key in distinct]
    merged = []
    for key, alike_ones in distinct.items():
        kind = alike_ones[0].failing.partition("|")[0]
        example = min(one.failing.partition("|")[2] for one in alike_ones)
        name = kind if kinds.count(key[0]) == 1 else f"{kind} (as {example})"
        number = sum(one.num_alike for one in alike_ones)
        merged.append(alike_ones[0].model_copy(update={"failing": name, "num_alike": number}))
    return tuple(sorted(merged, key=_place))


def _place(effect: FailureEffect) -> tuple[int, int, int]:
    """Cables, legs, switches, planes; from the nodes upwards; the many before the few."""
    first, second, *_ = [*effect.failing.replace("-", " ").split(), ""]
    what = {"cable": 0, "leg": 1, "plane": 3}.get(first, 2)
    role = second if what < 2 else first
    return what, ROLES.index(role) if role in ROLES else len(ROLES), -effect.num_alike
