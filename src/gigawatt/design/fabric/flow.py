"""How much every node can send to a tier at once, exactly, on a fabric folded by symmetry.

Routes lead upwards only, as up/down routing has it; nodes do not forward for others. A node may spread its
traffic over all of its ports (accelerators reach each other's ports over the scale-up network). Shares are
max-min fair: none can be raised without lowering one that is no greater. All arithmetic is on integers and
fractions, so an answer is either right or wrong, never nearly right.

Source: Megiddo, Optimal Flows in Networks with Multiple Sources and Sinks, Mathematical Programming 7 (1974),
for lexicographically fair flows by cuts; they carry as much in total as any flow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm

import numpy as np

from gigawatt.design.fabric.wiring import Array

Arcs = dict[int, dict[int, int]]
"""Capacity left, by tail and head."""
SOURCE, SINK = -1, -2


@dataclass(frozen=True)
class Folded:
    """What lies below a tier, with one vertex for each class of devices; capacities are of whole classes."""

    demand: tuple[Fraction, ...]
    """What each class would send, in units of capacity."""
    arcs: tuple[tuple[int, int, int], ...]
    """Tail, head and capacity, ascending; the head `SINK` is the tier."""


def folded(colour: Array, tail: Array, head: Array, capacity: Array, demand: tuple[Fraction, ...]) -> Folded:
    """Arcs between devices as arcs between the classes of an equitable partition; `SINK` stays as it is."""
    kept = capacity > 0
    tails = colour[tail[kept]]
    ends = head[kept]
    heads = np.where(ends == SINK, SINK, colour[np.maximum(ends, 0)])
    base = int(colour.max(initial=0)) + 3
    keys, which = np.unique(tails * base + heads + 2, return_inverse=True)
    total = np.zeros(len(keys), np.int64)
    np.add.at(total, which, capacity[kept])
    arcs = zip((keys // base).tolist(), (keys % base - 2).tolist(), total.tolist(), strict=True)
    return Folded(demand, tuple(arcs))


def fair_shares(fabric: Folded) -> list[Fraction]:
    """Share of its demand that each class can send when all send at once, at most all of it.

    All of nothing is sent.
    """
    shares = {one: Fraction(1) for one, wanted in enumerate(fabric.demand) if not wanted}
    active = set(range(len(fabric.demand))) - shares.keys()
    while active:
        share, tight = Fraction(1), set(active)
        while True:
            asked = {
                one: wanted * shares.get(one, share) for one, wanted in enumerate(fabric.demand) if wanted
            }
            side = _source_side(fabric, asked)
            if not side:
                break
            tight = side & active
            room = sum(capacity for tail, head, capacity in fabric.arcs if tail in side and head not in side)
            others = sum((asked[one] for one in side & asked.keys() if one in shares), Fraction(0))
            share = (room - others) / sum(fabric.demand[one] for one in tight)
        shares |= dict.fromkeys(tight, share)
        active -= tight
    return [shares[one] for one in range(len(fabric.demand))]


def _source_side(fabric: Folded, asked: Mapping[int, Fraction]) -> set[int]:
    """The classes that can send no more, and what they reach: one side of a least cut. Empty: all is sent."""
    scale = lcm(*(one.denominator for one in asked.values()))
    arcs: Arcs = defaultdict(dict)
    for tail, head, capacity in fabric.arcs:
        arcs[tail][head] = capacity * scale
    for one, wanted in asked.items():
        arcs[SOURCE][one] = int(wanted * scale)
    while levels := _levels(arcs):
        if SINK not in levels:
            return set(levels) - {SOURCE}
        _block(arcs, levels)
    return set()


def _levels(arcs: Arcs) -> dict[int, int]:
    """How many arcs with capacity left lie between the source and what it reaches; empty once it is."""
    levels, frontier = {SOURCE: 0}, [SOURCE]
    while frontier and SINK not in levels:
        reached = []
        for here in frontier:
            for there, left in arcs[here].items():
                if left and there not in levels:
                    levels[there] = levels[here] + 1
                    reached.append(there)
        frontier = reached
    return levels if len(levels) > 1 else {}


def _block(arcs: Arcs, levels: Mapping[int, int]) -> None:
    """Send along shortest paths until none is left (a blocking flow: Dinitz, 1970), in place."""
    onward = {
        here: [there for there, left in arcs[here].items() if left and levels.get(there, 0) == level + 1]
        for here, level in levels.items()
        if here != SINK
    }
    path = [SOURCE]
    while path:
        here = path[-1]
        if here == SINK:
            steps = list(pairwise(path))
            sent = min(arcs[tail][head] for tail, head in steps)
            for tail, head in steps:
                arcs[tail][head] -= sent
                arcs[head][tail] = arcs[head].get(tail, 0) + sent
            full = next(place for place, (tail, head) in enumerate(steps) if not arcs[tail][head])
            del path[full + 1 :]
            continue
        heads = onward[here]
        while heads and not arcs[here][heads[-1]]:
            heads.pop()
        if heads:
            path.append(heads[-1])
        else:
            path.pop()
            if path:
                onward[path[-1]].pop()
