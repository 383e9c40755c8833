"""A network as bundles of like links between devices, with devices that nothing tells apart drawn together.

Two devices of one tier with the same neighbours are twins: swapping them changes nothing. A class of twins is
drawn as two, its first member and the rest, so that one member may still fail. 100,000 accelerators become a
few thousand devices.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from gigawatt.design.fabric.graph import MANAGER, NODE, FabricGraph

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

UP, BESIDE, OUT = range(3)
"""Bundles lead to the tier above, to a switch of the same group, or out of the group (dragonfly)."""
_MOST_PARTS = 1024
_FACTORS = np.random.SeedSequence(0).generate_state(3, np.uint64) | np.uint64(1)


class Domains(NamedTuple):
    """Scale-up domains by the classes of devices that their nodes are of; every mix of classes once."""

    row: Array
    """[entries] a number for each mix, ascending."""
    device: Array
    """[entries] a class."""
    num: Array
    """[entries] nodes of the class that are in such a domain."""


@dataclass(frozen=True)
class Wiring:
    """Devices or classes of twins, bundles of links between two of them, and the cables of the links."""

    device: Array
    """Of each class its first member, as the graph numbers it."""
    size: Array
    """Members of each class."""
    role: Array
    """The fabric manager counts as a node; it has no accelerators."""
    num_accelerators: Array
    """Of one member."""
    pod: Array
    plane: Array
    unit: Array
    low: Array
    """Of each bundle its device in the lower tier."""
    high: Array
    capacity: Array
    """Of one link, in whole multiples of a common unit."""
    count: Array
    """Links of each bundle, of all members."""
    cable_bundles: Array
    """[kinds of cable, links of a cable]: the bundles that its links belong to, ascending; -1 for none."""
    cable_count: Array
    """Cables of each kind."""
    cable_number: Array
    """One cable of each kind, as the graph numbers it."""
    first: Array
    """[devices]: the class of the first member of its twins, itself where it is the first."""
    domains: Domains

    @property
    def num_devices(self) -> int:
        """Classes of twins, first members apart."""
        return len(self.role)

    @cached_property
    def way(self) -> Array:
        """UP, BESIDE or OUT, of each bundle."""
        level = self.role[self.low] == self.role[self.high]
        inside = (self.pod[self.low] == self.pod[self.high]) & (self.role[self.low] != NODE)
        return np.where(level, np.where(inside, BESIDE, OUT), UP)

    @cached_property
    def sort_of(self) -> Array:
        """A number for each capacity and way, of each bundle."""
        return np.unique(self.capacity * 4 + self.way, return_inverse=True)[1]

    @cached_property
    def key(self) -> Array:
        """A number that tells each bundle from the others; ascending."""
        return self.key_of(self.low, self.high)

    def key_of(self, low: Array, high: Array) -> Array:
        """The keys that the bundles would have between these devices."""
        pair = np.minimum(low, high) * self.num_devices + np.maximum(low, high)
        return np.asarray(pair * (int(self.sort_of.max(initial=0)) + 1) + self.sort_of)

    @cached_property
    def mesh(self) -> Mesh:
        """Devices and bundles alone."""
        return Mesh(self.num_devices, self.low, self.high, self.sort_of)


@dataclass(frozen=True)
class Mesh:
    """Devices and the bundles between them, each of a sort."""

    num_devices: int
    low: Array
    high: Array
    sort_of: Array

    @cached_property
    def halves(self) -> tuple[Array, Array, Array]:
        """Each bundle seen from both ends: (where each device's begin, the other end, the bundle)."""
        here = np.concatenate((self.low, self.high))
        order = np.argsort(here, kind="stable")
        begins = np.searchsorted(here[order], np.arange(self.num_devices + 1))
        other = np.concatenate((self.high, self.low))[order]
        return begins, other, order % max(len(self.low), 1)


def mixed(numbers: Array) -> Array:
    """Each number scattered over 64 bits, always the same way: times large odd numbers, and folded."""
    bits = numbers.astype(np.uint64) + np.uint64(1)
    for factor in _FACTORS:
        bits = (bits ^ (bits >> np.uint64(32))) * factor
    return np.asarray(bits ^ (bits >> np.uint64(32)))


def surroundings(mesh: Mesh, labels: Array, count: Array) -> Array:
    """For each device, one number for the multiset of (label, sort of link, links) around it."""
    begins, other, bundle = mesh.halves
    seen = mixed(labels[other] ^ mixed(mesh.sort_of)[bundle]) * count[bundle].astype(np.uint64)
    running = np.concatenate((np.zeros(1, np.uint64), np.cumsum(seen, dtype=np.uint64)))
    return np.asarray(running[begins[1:]] - running[begins[:-1]])


def wiring_of(
    graph: FabricGraph, num_nodes: int, num_accelerators_per_node: int, nodes_per_domain: int = 1
) -> Wiring:
    """A network's wiring, twins drawn together; the first `num_nodes` nodes hold the accelerators.

    So many nodes in turn make up a scale-up domain; nodes of domains that differ are no twins.
    """
    role = np.where(graph.device_role == MANAGER, NODE, graph.device_role).astype(np.int64)
    number = np.arange(graph.num_devices)
    holds = (graph.device_role == NODE) & (graph.device_index < num_nodes)
    held = np.where(holds, num_accelerators_per_node, 0)
    places = (graph.device_pod, graph.device_plane, graph.device_unit)
    pod, plane, unit = (place.astype(np.int64) for place in places)
    whole = _bundled(
        _Devices(number, np.ones_like(number), role, held, pod, plane, unit, number, _none_of_them()),
        graph.cable_a.astype(np.int64),
        graph.cable_b.astype(np.int64),
        _whole_multiples(graph.cable_bytes_per_s),
        graph.cable_number,
    )
    twins, devices = _twins(whole, number[:num_nodes] // nodes_per_domain)
    return _drawn_together(whole, twins, devices)


def _none_of_them() -> Domains:
    return Domains(*(np.zeros(0, np.int64) for _ in Domains._fields))


def _mixes(domain: Array, member: Array) -> Domains:
    """The distinct domains, from the domain and the class of every node."""
    width = int(member.max(initial=0)) + 1
    pairs, num = np.unique(domain * width + member, return_counts=True)
    row, device = np.divmod(pairs, width)
    total = np.zeros(int(domain.max(initial=-1)) + 1, np.uint64)
    np.add.at(total, row, mixed(device) * num.astype(np.uint64))
    first = np.unique(total, return_index=True)[1]
    kept = np.isin(row, first)
    return Domains(np.searchsorted(np.sort(first), row[kept]), device[kept], num[kept])


@dataclass(frozen=True)
class _Devices:
    device: Array
    size: Array
    role: Array
    num_accelerators: Array
    pod: Array
    plane: Array
    unit: Array
    first: Array
    domains: Domains


def _whole_multiples(rates: Array) -> Array:
    """Link rates as whole multiples of one unit: what counts is what they are to each other."""
    distinct, which = np.unique(rates, return_inverse=True)
    parts = [Fraction(float(rate / distinct[0])).limit_denominator(_MOST_PARTS) for rate in distinct]
    unit = lcm(*(part.denominator for part in parts))
    return np.array([int(part * unit) for part in parts], np.int64)[which]


def _bundled(devices: _Devices, a: Array, b: Array, capacity: Array, number: Array) -> Wiring:
    """Links gathered to bundles, cables to kinds."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    sorts, sort_of = np.unique(capacity, return_inverse=True)
    keys, which, count = np.unique(
        (low * len(devices.role) + high) * len(sorts) + sort_of, return_inverse=True, return_counts=True
    )
    pair, sort = keys // len(sorts), keys % len(sorts)
    low, high = pair // len(devices.role), pair % len(devices.role)
    upside_down = devices.role[low] > devices.role[high]
    low, high = np.where(upside_down, high, low), np.where(upside_down, low, high)
    kinds, cable_number, cable_count = _cables(which, number)
    return Wiring(
        **vars(devices), low=low, high=high, capacity=sorts[sort], count=count,
        cable_bundles=kinds, cable_count=cable_count, cable_number=cable_number,
    )  # fmt: skip


def _cables(bundle: Array, number: Array) -> tuple[Array, Array, Array]:
    """Which bundles the links of each kind of cable belong to, one such cable, and how many there are."""
    order = np.lexsort((bundle, number))
    numbers, cable = np.unique(number[order], return_inverse=True)
    place = np.arange(len(order)) - np.searchsorted(cable, cable)
    rows = np.full((len(numbers), int(place.max(initial=0)) + 1), -1)
    rows[cable, place] = bundle[order]
    kinds, begin, count = _kinds(rows)[:3]
    return kinds, numbers[begin], count


def _kinds(rows: Array) -> tuple[Array, Array, Array, Array]:
    """Distinct rows, the first of each, how many there are, and which each row is."""
    packed = rows[:, 0] + 1
    for column in rows.T[1:]:
        packed = np.unique(packed, return_inverse=True)[1] * (int(rows.max()) + 2) + column + 1
    begin, which, count = np.unique(packed, return_index=True, return_inverse=True, return_counts=True)[1:]
    return rows[begin], begin, count, which


def _twins(whole: Wiring, domain: Array) -> tuple[Array, _Devices]:
    """The class of every device, first members apart, and the classes in the order of their firsts.

    `domain` is that of each node.
    """
    around = surroundings(whole.mesh, mixed(np.arange(whole.num_devices)), whole.count)
    if whole.cable_bundles.shape[1] > 1:
        around = mixed(around ^ _cable_surroundings(whole))
    told_apart = (whole.role, whole.num_accelerators, whole.pod, whole.plane)
    for label in told_apart:
        around = mixed(around ^ mixed(label + 1))
    inside = np.zeros(int(domain.max(initial=-1)) + 1, np.uint64)
    np.add.at(inside, domain, around[: len(domain)])
    around[: len(domain)] = mixed(around[: len(domain)] ^ mixed(inside)[domain])
    first, which = np.unique(around, return_index=True, return_inverse=True)[1:]
    leader = first[which]
    number = np.arange(whole.num_devices)
    rest = leader != number
    drawn, begin, member, size = np.unique(
        2 * leader + rest, return_index=True, return_inverse=True, return_counts=True
    )
    of_first = np.searchsorted(drawn, drawn // 2 * 2)
    held = whole.num_accelerators[begin]
    places = (whole.pod[begin], whole.plane[begin], whole.unit[begin])
    mixes = _mixes(domain, member[: len(domain)])
    return member, _Devices(begin, size, whole.role[begin], held, *places, of_first, mixes)


def _cable_surroundings(whole: Wiring) -> Array:
    """For each device, one number for the cables at it: where each of their links leads, and from where."""
    labels = mixed(np.arange(whole.num_devices + 1))
    rows = np.where(whole.cable_bundles < 0, len(whole.low), whole.cable_bundles)
    none = np.array([whole.num_devices])
    low, high = np.concatenate((whole.low, none))[rows], np.concatenate((whole.high, none))[rows]
    around = np.zeros(whole.num_devices + 1, np.uint64)
    for ends in (low, high):
        for here in ends.T:
            at = here[:, None]
            beyond = labels[low] + np.uint64(3) * labels[high]
            token = np.where(low == at, labels[high], np.where(high == at, labels[low], beyond))
            seen = mixed(mixed(token).sum(axis=1, dtype=np.uint64)) * whole.cable_count.astype(np.uint64)
            np.add.at(around, here, seen)
    return around[:-1]


def _drawn_together(whole: Wiring, twins: Array, devices: _Devices) -> Wiring:
    """The wiring with each class as one device; bundles and cables add up."""
    low, high = twins[whole.low], twins[whole.high]
    sorts = np.unique(whole.capacity)
    pair = np.minimum(low, high) * len(devices.role) + np.maximum(low, high)
    keys, begin, which = np.unique(
        pair * len(sorts) + np.searchsorted(sorts, whole.capacity), return_index=True, return_inverse=True
    )
    count = np.zeros(len(keys), np.int64)
    np.add.at(count, which, whole.count)
    rows = np.sort(np.where(whole.cable_bundles < 0, -1, which[whole.cable_bundles]), axis=1)
    kinds, first_row, _, row = _kinds(rows)
    cable_count = np.zeros(len(kinds), np.int64)
    np.add.at(cable_count, row, whole.cable_count)
    return Wiring(
        **vars(devices), low=low[begin], high=high[begin], capacity=whole.capacity[begin], count=count,
        cable_bundles=kinds, cable_count=cable_count, cable_number=whole.cable_number[first_row],
    )  # fmt: skip
