"""What each node can send to each tier of a fabric: of the whole one, and of what a failure leaves.

A flow to a tier stays, until it is there, in one group of devices that are joined below the tier (a unit
below the spines, a pod below the cores). A failure is therefore worked out in the groups that it touches, and
groups that look the same are worked out once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gigawatt.design.fabric.domains import COLLECTIVES, DomainTimes
from gigawatt.design.fabric.flow import SINK, Folded, fair_shares, folded
from gigawatt.design.fabric.graph import CORE, LEAF, SPINE
from gigawatt.design.fabric.symmetry import refined
from gigawatt.design.fabric.wiring import BESIDE, OUT, Array, Mesh, Wiring

GROUP_EXIT = CORE + 1
"""The tier beyond a dragonfly's group: traffic is there once it is on a link that leads out of the group."""


class Alike(NamedTuple):
    """Nodes to which a failure does the same."""

    node: int
    """One of them, as the wiring numbers it."""
    num_accelerators: int
    num_nodes: int
    left: tuple[Fraction, ...]
    """By tier, the share of what it could send before."""


class Reach:
    """A whole fabric: its tiers, the rate of every node to each of them, and who shares a way there."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.tiers = [tier for tier in (LEAF, SPINE, CORE) if (wiring.role == tier).any()]
        if (wiring.way == OUT).any():
            self.tiers.append(GROUP_EXIT)
        held = wiring.size * (wiring.num_accelerators > 0)
        self.num_nodes = int(held.sum())
        self.ports = np.where(held > 0, self._capacity_up() // wiring.size, 0)
        """[devices] capacity of all links of one node that holds accelerators."""
        self.group = {tier: self._groups(tier) for tier in self.tiers}
        self.num_inside = {
            tier: np.bincount(group, held)[group].astype(np.int64) for tier, group in self.group.items()
        }
        self._known: dict[Folded, list[Fraction]] = {}
        self._numbers = {Fraction(1): 0}
        self.rate = {tier: self._rates(tier) for tier in self.tiers}
        """By tier, what one node of each class of twins can send there when all do."""
        self.total = {
            tier: sum(
                (one * size for one, size in zip(rates, wiring.size.tolist(), strict=True)), Fraction(0)
            )
            for tier, rates in self.rate.items()
        }
        self.kind = self._kinds()
        """[devices] nodes of one kind have the same ports, rates and groups."""
        self.domains = DomainTimes(wiring.domains, self.num_nodes, self.group, self.num_inside, self.rate)
        self.times = self.domains.slowest({}, ())

    def _capacity_up(self) -> Array:
        capacity = np.zeros(self.wiring.num_devices, np.int64)
        np.add.at(capacity, self.wiring.low, self.wiring.capacity * self.wiring.count)
        return capacity

    def _groups(self, tier: int) -> Array:
        """A number for each set of devices that are joined below a tier."""
        wiring = self.wiring
        kept = (wiring.role[wiring.high] < tier) & (wiring.way != OUT)
        ends, shape = (wiring.low[kept], wiring.high[kept]), (wiring.num_devices, wiring.num_devices)
        joined = coo_matrix((np.ones(int(kept.sum()), np.int8), ends), shape=shape)
        return np.asarray(connected_components(joined, directed=False)[1])

    def _rates(self, tier: int) -> list[Fraction]:
        own = [Fraction(ports) for ports in self.ports.tolist()]
        everything = np.ones(self.wiring.num_devices, bool)
        shares = self.shares(tier, everything, self.wiring.count, own).tolist()
        fractions = self.fractions()
        return [one * fractions[share] for one, share in zip(own, shares, strict=True)]

    def _kinds(self) -> Array:
        marks: list[Array] = [self.ports]
        for tier in self.tiers:
            rates: dict[Fraction, int] = {}
            marks.append(np.array([rates.setdefault(rate, len(rates)) for rate in self.rate[tier]]))
            marks.append(self.num_inside[tier])
        return np.unique(np.stack(marks), axis=1, return_inverse=True)[1].reshape(-1)

    def fractions(self) -> list[Fraction]:
        """Shares by the numbers that `shares` answers with."""
        return list(self._numbers)

    def shares(self, tier: int, there: Array, count: Array, rate: Sequence[Fraction]) -> Array:
        """Share of `rate` that each node can send to a tier with `count` links left in each bundle.

        Of the devices `there`, which must be whole groups, when all of them send at once; the others keep
        all. Shares are numbers in `fractions`.
        """
        wiring = self.wiring
        devices = np.flatnonzero(there & (wiring.role < tier))
        answer = np.zeros(wiring.num_devices, np.int64)
        if not len(devices):
            return answer
        place = np.full(wiring.num_devices, -1)
        place[devices] = np.arange(len(devices))
        low, high = place[wiring.low], place[wiring.high]
        capacity = wiring.capacity * count
        outwards = wiring.way == OUT
        exits = np.zeros(len(devices), np.int64)
        for end, leaving in ((low, (low >= 0) & ((high < 0) | outwards)), (high, (high >= 0) & outwards)):
            np.add.at(exits, end[leaving], capacity[leaving])
        inner = np.flatnonzero((low >= 0) & (high >= 0) & ~outwards)
        mesh = Mesh(len(devices), low[inner], high[inner], wiring.sort_of[inner])
        colour = refined(mesh, count[inner], self._told_apart(devices, exits, rate))
        both = inner[wiring.way[inner] == BESIDE]
        every = np.arange(len(devices))
        fabric = folded(
            colour,
            np.concatenate((low[inner], high[both], every)),
            np.concatenate((high[inner], low[both], np.full_like(every, SINK))),
            np.concatenate((capacity[inner], capacity[both], exits)),
            self._demand(devices, colour, rate),
        )
        if fabric not in self._known:
            self._known[fabric] = fair_shares(fabric)
        numbers = [self._numbers.setdefault(share, len(self._numbers)) for share in self._known[fabric]]
        answer[devices] = np.where(self.ports[devices] > 0, np.array(numbers)[colour], 0)
        return answer

    def _told_apart(self, devices: Array, exits: Array, rate: Sequence[Fraction]) -> Array:
        """Classes by what a device is, what leads out of it and what it sends."""
        numbers: dict[Fraction, int] = {}
        sends = [numbers.setdefault(rate[device], len(numbers)) for device in devices.tolist()]
        marks = (self.wiring.role[devices], self.wiring.size[devices], exits, np.array(sends, np.int64))
        return np.unique(np.stack(marks), axis=1, return_inverse=True)[1].reshape(-1)

    def _demand(self, devices: Array, colour: Array, rate: Sequence[Fraction]) -> tuple[Fraction, ...]:
        """What whole classes would send."""
        first = np.unique(colour, return_index=True)[1]
        size = np.bincount(colour, self.wiring.size[devices]).astype(np.int64)
        pairs = zip(devices[first].tolist(), size.tolist(), strict=True)
        return tuple(rate[device] * number for device, number in pairs)

    def apart(self, left: Mapping[int, Array]) -> list[Alike]:
        """Nodes with what is left to them, those alike together; a tier that is not given is left whole."""
        nodes = np.flatnonzero(self.ports)
        whole = np.zeros_like(nodes)
        marks = np.stack((self.kind[nodes], *(left[t][nodes] if t in left else whole for t in self.tiers)))
        first, which = np.unique(marks, axis=1, return_index=True, return_inverse=True)[1:]
        number = np.bincount(which.reshape(-1), self.wiring.size[nodes]).astype(np.int64).tolist()
        held, fractions = self.wiring.num_accelerators, self.fractions()
        return [
            Alike(
                int(nodes[at]),
                int(held[nodes[at]]) * num,
                num,
                tuple(fractions[one] for one in marks[1:, at]),
            )
            for at, num in zip(first.tolist(), number, strict=True)
        ]


class ReachLeft:
    """What every node can still send to each tier with `count` links left in each bundle."""

    def __init__(self, whole: Reach, count: Array) -> None:
        self.whole, wiring = whole, whole.wiring
        changed = count != wiring.count
        touched = np.unique(np.concatenate((wiring.low[changed], wiring.high[changed])))
        self.left: dict[int, Array] = {}
        for tier in whole.tiers:
            group = whole.group[tier]
            there = np.isin(group, group[touched[wiring.role[touched] < tier]])
            self.left[tier] = whole.shares(tier, there, count, whole.rate[tier])
        self.alike = whole.apart(self.left)

    def worst_frac(self) -> Fraction:
        """The least share left to a node, over all tiers."""
        return min((min(one.left) for one in self.alike), default=Fraction(1))

    def num_cut_off(self) -> int:
        """Accelerators that no longer get to some tier."""
        return sum(one.num_accelerators for one in self.alike if not min(one.left))

    def num_slowed(self) -> int:
        """Accelerators that get less to some tier, but not nothing."""
        return sum(one.num_accelerators for one in self.alike if 0 < min(one.left) < 1)

    def total_frac(self) -> Fraction:
        """The least share, over all tiers, of what all nodes together could send."""
        whole, shares = self.whole, [Fraction(1)]
        for place, tier in enumerate(whole.tiers):
            rate, total = whole.rate[tier], whole.total[tier]
            sent = sum((rate[one.node] * one.num_nodes * one.left[place] for one in self.alike), Fraction(0))
            shares.append(sent / total if total else Fraction(1))
        return min(shares)

    def slowdown(self) -> dict[str, float]:
        """By collective, the time of the slowest scale-up domain over what it was; empty if it never ends."""
        usual, slow = self.whole.times, self.whole.domains.slowest(self.left, self.whole.fractions())
        if slow is None or usual is None:
            return {}
        return {one: float(slow[one] / usual[one]) if usual[one] else 1.0 for one in COLLECTIVES}
