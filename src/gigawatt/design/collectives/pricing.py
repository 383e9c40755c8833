"""The time of every candidate of a collective, for one case or for arrays of cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.collectives.algorithms import ALGORITHMS, Span, Traffic
from gigawatt.domain.calibration_collectives import Protocol
from gigawatt.laws.collective_algorithms import beside_s, filled_s, ramped_s
from gigawatt.laws.numbers import Number

Floats = NDArray[np.float64]

NEVER_S = np.inf
REDUCING = ("all_reduce",)
SWITCHED = ("nvls", "nvls-tree", "sharp")


class Physics(NamedTuple):
    """Values of the calibrated quantities, each a number or an array over cases."""

    near_frac: Number
    switch_frac: Number
    joined_frac: Number
    far_frac: Number
    base_latency: Number
    near_latency: Number
    switch_latency: Number
    far_latency: Number
    hop_latency: Number
    flush: Number
    rank_s: Number
    low_latency_frac: Number
    refills_reduce: Number
    refills_gather: Number
    refill_onset: Number
    granule_bytes: Number
    overlap: Number
    launch_s: Number
    exchange_near_frac: Number
    exchange_far_frac: Number
    exchange_latency: Number


class Links(NamedTuple):
    """Rates of the links that a group uses: one direction, contention and congestion already taken off."""

    near_bytes_per_s: Number
    """Of one accelerator within its domain."""
    far_bytes_per_s: Number
    """Of all accelerators that take part in one domain together."""
    hop_s: Number
    """What the network adds to NCCL's plan of a step."""


class Choice(NamedTuple):
    """One candidate over all cases."""

    algorithm: str
    protocol: str
    time_s: Floats
    latency_s: Floats
    near_s: Floats
    far_s: Floats


def price(
    collective: str,
    bytes_total: Number,
    span: Span,
    links: Links,
    physics: Physics,
    protocols: Sequence[Protocol],
    allowed: Sequence[str] = (),
    captured: bool = False,
) -> tuple[Choice, ...]:
    """Every algorithm with every protocol; where it cannot be used its time is infinite.

    `allowed` names algorithms to choose from; blank: those that NCCL chooses from.
    """
    found = []
    for algorithm in ALGORITHMS[collective]:
        if algorithm.name not in allowed if allowed else not algorithm.by_default:
            continue
        traffic = algorithm.traffic(bytes_total, span)
        traffic = traffic._replace(usable=traffic.usable & ((span.torus_hops > 0) == algorithm.torus))
        for protocol in protocols:
            if protocol.algorithm == algorithm.name:
                refills = physics.refills_reduce if collective in REDUCING else physics.refills_gather
                found.append(_choice(traffic, protocol, links, physics, refills, captured, bytes_total, span))
    return tuple(found)


def _choice(
    traffic: Traffic,
    protocol: Protocol,
    links: Links,
    physics: Physics,
    refills: Number,
    captured: bool,
    bytes_total: Number,
    span: Span,
) -> Choice:
    latency_s = _latency_s(traffic, protocol, links, physics, captured)
    near_s, far_s = _wire_s(traffic, protocol, links, physics, span.domains)
    wire_s = beside_s(near_s, far_s, physics.overlap)
    channelled = span.inside * (span.torus_hops == 0)
    wire_s = filled_s(wire_s, bytes_total, physics.granule_bytes * channelled)
    time_s = ramped_s(latency_s, wire_s, refills, physics.refill_onset)
    time_s = np.where(traffic.usable, time_s, NEVER_S)
    columns = np.broadcast_arrays(time_s, latency_s, near_s, far_s)
    return Choice(protocol.algorithm, protocol.protocol, *columns)


def _wire_s(
    traffic: Traffic, protocol: Protocol, links: Links, physics: Physics, domains: Number
) -> tuple[Number, Number]:
    """Time within domains and between them, at the rate that protocol and links allow."""
    frac = protocol.wire_frac * (physics.low_latency_frac if protocol.protocol == "LL" else 1.0)
    joined = np.where(domains > 1, physics.joined_frac, 1.0)
    own_s = traffic.near_bytes / (links.near_bytes_per_s * physics.near_frac)
    switched_s = traffic.switch_bytes / (links.near_bytes_per_s * physics.switch_frac * joined)
    near_s = (own_s + switched_s) / frac
    if protocol.most_far_bytes_per_s:
        capped_s = traffic.near_bytes / protocol.most_far_bytes_per_s
        near_s = np.where(domains > 1, np.maximum(near_s, capped_s), near_s)
    far_s = traffic.far_bytes / (links.far_bytes_per_s * physics.far_frac) / frac
    return near_s, far_s


def _latency_s(
    traffic: Traffic, protocol: Protocol, links: Links, physics: Physics, captured: bool
) -> Number:
    """Before the first step, then all steps one after the other."""
    hop_s = links.hop_s * physics.hop_latency * (physics.flush if protocol.protocol == "Simple" else 1.0)
    base_s = protocol.base_s * physics.base_latency
    pace = physics.switch_latency if protocol.algorithm in SWITCHED else physics.near_latency
    near_s = traffic.near_steps * protocol.near_step_s * pace
    far_s = traffic.far_steps * (protocol.far_step_s * physics.far_latency + hop_s)
    return base_s + near_s + far_s + traffic.waited_ranks * physics.rank_s - captured * physics.launch_s


def fastest(choices: Sequence[Choice]) -> tuple[Floats, NDArray[np.intp]]:
    """Time of the best candidate of each case, and which it is."""
    times = np.stack([choice.time_s for choice in choices])
    best = np.argmin(times, axis=0)
    return np.min(times, axis=0), best


def launched(time_s: Floats, launches: Number, physics: Physics) -> Floats:
    """Times where one process launches several kernels in turn: never less than launching them all takes."""
    return np.where(launches > 1, np.maximum(time_s, launches * physics.launch_s), time_s)
