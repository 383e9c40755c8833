"""What each algorithm moves for each collective: the table of candidates. The formulas are in `laws`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gigawatt.laws.collective_algorithms import (
    all_to_all_far_bytes,
    all_to_all_near_bytes,
    bus_factor_all_reduce,
    bus_factor_gather,
    levels_of,
    ring_bytes,
    sharp_far_bytes,
    switch_all_reduce_bytes,
    tree_far_bytes,
    tree_near_bytes,
)
from gigawatt.laws.numbers import Number


class Span(NamedTuple):
    """How a group of ranks lies over the cluster. Each field a number or an array over cases."""

    ranks: Number
    inside: Number
    """Of them in one scale-up domain, at most."""
    domains: Number
    reduces_near: Number
    """1 where the scale-up switches reduce, else 0."""
    reduces_far: Number
    """1 where the network's switches reduce, else 0."""
    torus_hops: Number = 0.0
    """Links to the farthest rank where a domain is a torus, else 0."""


class Traffic(NamedTuple):
    """What an algorithm moves: bytes through one scale-up port, through the switches' reduction, and out of a
    domain; steps within and between domains; ranks that a switch waits for; and whether it can be used."""

    near_bytes: Number
    switch_bytes: Number
    far_bytes: Number
    near_steps: Number
    far_steps: Number
    waited_ranks: Number
    usable: Number


def _ring_steps(span: Span) -> tuple[Number, Number]:
    return span.ranks - span.domains, span.domains - 1.0


def _ring_all_reduce(size: Number, span: Span) -> Traffic:
    near, far = _ring_steps(span)
    sent = 2.0 * ring_bytes(size, span.ranks)
    out = sent * np.minimum(span.domains - 1.0, 1.0)
    return Traffic(sent, 0.0, out, 2.0 * near, 2.0 * far, 0.0, span.ranks > 1)


def _ring_gather(size: Number, span: Span) -> Traffic:
    near, far = _ring_steps(span)
    sent = ring_bytes(size, span.ranks)
    return Traffic(sent, 0.0, sent * np.minimum(span.domains - 1.0, 1.0), near, far, 0.0, span.ranks > 1)


def _tree_all_reduce(size: Number, span: Span) -> Traffic:
    return Traffic(
        tree_near_bytes(size, span.inside),
        0.0,
        tree_far_bytes(size, span.domains),
        2.0 * (span.inside - 1.0),
        2.0 * levels_of(span.domains),
        0.0,
        span.ranks > 1,
    )


def _nvls_all_reduce(size: Number, span: Span) -> Traffic:
    usable = (span.domains == 1) & (span.inside > 2) & (span.reduces_near > 0)
    return Traffic(0.0, switch_all_reduce_bytes(size, span.inside), 0.0, 1.0, 0.0, span.inside - 1.0, usable)


def _nvls_gather(size: Number, span: Span) -> Traffic:
    usable = (span.domains == 1) & (span.inside > 2) & (span.reduces_near > 0)
    return Traffic(ring_bytes(size, span.inside), 0.0, 0.0, 1.0, 0.0, span.inside - 1.0, usable)


def _nvls_tree(size: Number, span: Span) -> Traffic:
    usable = (span.domains > 1) & (span.inside > 2) & (span.reduces_near > 0)
    switched = switch_all_reduce_bytes(size, span.inside)
    far, steps = tree_far_bytes(size, span.domains), 2.0 * levels_of(span.domains)
    return Traffic(0.0, switched, far, 1.0, steps, span.inside - 1.0, usable)


def _sharp_all_reduce(size: Number, span: Span) -> Traffic:
    usable = (span.domains > 1) & (span.reduces_near > 0) & (span.reduces_far > 0)
    switched = switch_all_reduce_bytes(size, span.inside)
    return Traffic(0.0, switched, sharp_far_bytes(size, span.domains), 1.0, 1.0, span.inside - 1.0, usable)


def _pat_gather(size: Number, span: Span) -> Traffic:
    usable = (span.domains > 1) & (span.inside == 1)
    sent = ring_bytes(size, span.ranks)
    return Traffic(sent, 0.0, sent, span.ranks, levels_of(span.domains), 0.0, usable)


def _rail_gather(size: Number, span: Span) -> Traffic:
    near, far = ring_bytes(size, span.inside), ring_bytes(size, span.domains)
    return Traffic(near, 0.0, far, span.inside - 1.0, span.domains - 1.0, 0.0, span.domains > 1)


def _rail_all_reduce(size: Number, span: Span) -> Traffic:
    once = _rail_gather(size, span)
    return once._replace(
        near_bytes=2.0 * once.near_bytes,
        far_bytes=2.0 * once.far_bytes,
        near_steps=2.0 * once.near_steps,
        far_steps=2.0 * once.far_steps,
    )


def _torus_gather(size: Number, span: Span) -> Traffic:
    return _rail_gather(size, span)._replace(near_steps=span.torus_hops, usable=span.ranks > 1)


def _torus_all_reduce(size: Number, span: Span) -> Traffic:
    return _rail_all_reduce(size, span)._replace(near_steps=2.0 * span.torus_hops, usable=span.ranks > 1)


def _torus_all_to_all(size: Number, span: Span) -> Traffic:
    return _all_to_all(size, span)._replace(near_steps=span.torus_hops, waited_ranks=0.0)


def _torus_broadcast(size: Number, span: Span) -> Traffic:
    return _broadcast(size, span)._replace(near_steps=span.torus_hops)


def _all_to_all(size: Number, span: Span) -> Traffic:
    near = all_to_all_near_bytes(size, span.ranks, span.inside)
    far = all_to_all_far_bytes(size, span.ranks, span.inside)
    crosses = np.minimum(span.domains - 1.0, 1.0)
    return Traffic(near, 0.0, far, 1.0, crosses, span.ranks - 1.0, span.ranks > 1)


def _broadcast(size: Number, span: Span) -> Traffic:
    near, far = _ring_steps(span)
    return Traffic(size, 0.0, size * np.minimum(span.domains - 1.0, 1.0), near, far, 0.0, span.ranks > 1)


def _send_recv(size: Number, span: Span) -> Traffic:
    crosses = np.minimum(span.domains - 1.0, 1.0)
    return Traffic(
        size * (1.0 - crosses), 0.0, size * span.inside * crosses, 1.0, crosses, 0.0, span.ranks > 1
    )


@dataclass(frozen=True)
class Algorithm:
    """One row of the table."""

    name: str
    """The `algorithm` of its protocols."""
    traffic: Callable[[Number, Span], Traffic]
    by_default: bool = True
    """Whether NCCL chooses it of itself."""
    torus: bool = False
    """Whether it runs on a torus, or else where any two ranks of a domain have a way of their own."""


ALGORITHMS: Mapping[str, tuple[Algorithm, ...]] = {
    "all_reduce": (
        Algorithm("ring", _ring_all_reduce),
        Algorithm("tree", _tree_all_reduce),
        Algorithm("nvls", _nvls_all_reduce),
        Algorithm("nvls-tree", _nvls_tree),
        Algorithm("sharp", _sharp_all_reduce),
        Algorithm("rail", _rail_all_reduce, by_default=False),
        Algorithm("torus", _torus_all_reduce, torus=True),
    ),
    "all_gather": (
        Algorithm("ring", _ring_gather),
        Algorithm("pat", _pat_gather),
        Algorithm("nvls", _nvls_gather, by_default=False),
        Algorithm("rail", _rail_gather, by_default=False),
        Algorithm("torus", _torus_gather, torus=True),
    ),
    "reduce_scatter": (
        Algorithm("ring", _ring_gather),
        Algorithm("pat", _pat_gather),
        Algorithm("nvls", _nvls_gather, by_default=False),
        Algorithm("rail", _rail_gather, by_default=False),
        Algorithm("torus", _torus_gather, torus=True),
    ),
    "all_to_all": (Algorithm("pairwise", _all_to_all), Algorithm("torus", _torus_all_to_all, torus=True)),
    "broadcast": (Algorithm("ring", _broadcast), Algorithm("torus", _torus_broadcast, torus=True)),
    "send_recv": (Algorithm("pairwise", _send_recv), Algorithm("torus", _send_recv, torus=True)),
}
"""To add an algorithm: its bytes and steps here, its protocols in data/calibration/collectives.yaml."""


def bus_factor(collective: str, ranks: Number) -> Number:
    """Bus bandwidth over algorithm bandwidth, as nccl-tests define it."""
    if collective == "all_reduce":
        return bus_factor_all_reduce(ranks)
    return 1.0 if collective in ("broadcast", "send_recv") else bus_factor_gather(ranks)
