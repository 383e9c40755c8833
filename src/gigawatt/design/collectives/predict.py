"""The time of one collective on a cluster: its candidates, its range, what sets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gigawatt.design.collectives.algorithms import ALGORITHMS, bus_factor
from gigawatt.design.collectives.exchange import Exchange, exchange_bytes, exchange_time_s
from gigawatt.design.collectives.network import Circumstances, Route, route_of
from gigawatt.design.collectives.physics import keys_of, physics_of
from gigawatt.design.collectives.pricing import Choice, Links, Physics, launched, price
from gigawatt.design.collectives.ranges import band_of, spread_among
from gigawatt.domain.calibration_collectives import CollectiveCalibration, CollectiveSpread, ExchangeKind
from gigawatt.domain.collectives import Candidate, Collective, CollectivePrediction
from gigawatt.domain.fabric import FabricDesign
from gigawatt.domain.hardware import System
from gigawatt.errors import InputError

LESS = 1.0 - 1 / 100
FAR_BEYOND = 8
"""Times the ranks of the largest measured group from which on it says nothing of the range."""


@dataclass(frozen=True)
class _Found:
    """The best of the candidates."""

    time_s: float
    algorithm: str
    protocol: str
    parts_s: Mapping[str, float]
    """Latency, and time within and between domains, each alone."""
    candidates: tuple[Candidate, ...]


def predict_collective(
    collective: Collective,
    bytes_total: float,
    num_ranks: int,
    system: System,
    calibration: CollectiveCalibration,
    fabric: FabricDesign | None = None,
    *,
    num_groups: int = 1,
    num_sharing: int = 1,
    ranks_per_domain: int | None = None,
    network: str = "",
    algorithm: str = "",
    captured: bool = False,
    ranks_per_process: int = 1,
    congestion: float = 1.0,
    straggler_s: float = 0.0,
    top_k: int | None = None,
) -> CollectivePrediction:
    """Time of a collective over `num_ranks` accelerators, with its 10 % and 90 % points.

    `bytes_total` is what nccl-tests print as size: the whole gathered or scattered buffer, one rank's buffer
    of all-reduce, all-to-all, broadcast and send/recv; of a dispatch or combine one rank's tokens, without
    copies. Ranks fill domains in turn; `ranks_per_domain` spreads them thinner. `num_groups` such groups run
    on other accelerators of the fabric at the same time, `num_sharing` collectives on the same ones.
    `network` names a class of the calibration instead of the system's own; `algorithm` holds NCCL to one
    ("low-latency" for exchanges of tokens). `captured`: launched from a graph. `ranks_per_process`:
    accelerators that one process launches on in turn. `congestion` divides the network's rate (see
    laws.congestion); all wait `straggler_s` for the last rank.

    Raises InputError for sizes, ranks, algorithms and networks that cannot be.
    """
    _check(bytes_total, num_ranks, num_groups, num_sharing, congestion, straggler_s)
    around = Circumstances(num_groups, num_sharing, congestion)
    route = route_of(collective, num_ranks, system, calibration, fabric, network, ranks_per_domain, around)
    physics = physics_of(calibration, keys_of(route.near, route.far))
    launches = float(ranks_per_process)

    def timed(links: Links) -> _Found:
        if collective in ("moe_dispatch", "moe_combine"):
            return _exchanged(bytes_total, route, links, physics, _kind(calibration, algorithm, top_k))
        return _chosen(
            collective, bytes_total, route, links, physics, calibration, algorithm, captured, launches
        )

    found = timed(route.links)
    sensitivity = _sensitivity(found, route.links, timed)
    unlucky_s = _unlucky_s(found, route, timed)
    spread = _spread(collective, bytes_total, route, calibration)
    return CollectivePrediction(
        collective=collective,
        bytes_total=float(bytes_total),
        num_ranks=num_ranks,
        num_domains=route.domains,
        time_s=found.time_s + straggler_s,
        low_s=found.time_s * spread.low_frac + straggler_s,
        high_s=max(found.time_s * spread.high_frac, unlucky_s) + straggler_s,
        algorithm=found.algorithm,
        protocol=found.protocol,
        algbw_bytes_per_s=bytes_total / found.time_s,
        busbw_bytes_per_s=bytes_total / found.time_s * float(bus_factor(collective, num_ranks)),
        bottleneck=_bottleneck(found, route, sensitivity),
        sensitivity=sensitivity,
        candidates=found.candidates,
        basis=_basis(spread, route),
        hash_p99_s=unlucky_s + straggler_s if route.hashed.p99_factor > 1.0 else None,
        mean_slowdown=round(route.hashed.mean_factor, 9),
        p99_slowdown=round(route.hashed.p99_factor, 9),
    )


def _check(
    bytes_total: float,
    num_ranks: int,
    num_groups: int,
    num_sharing: int,
    congestion: float,
    straggler_s: float,
) -> None:
    wrong = [
        (not bytes_total > 0, f"bytes_total is {bytes_total:g}, expected more than 0"),
        (num_ranks < 2, f"num_ranks is {num_ranks}, expected two or more"),
        (num_groups < 1 or num_sharing < 1, "num_groups and num_sharing count from 1"),
        (not congestion >= 1, f"congestion is {congestion:g}, expected 1 or more: it divides the rate"),
        (not straggler_s >= 0, f"straggler_s is {straggler_s:g}, expected 0 or more"),
    ]
    if problems := [text for bad, text in wrong if bad]:
        raise InputError("; ".join(problems))


def _chosen(
    collective: str,
    bytes_total: float,
    route: Route,
    links: Links,
    physics: Physics,
    calibration: CollectiveCalibration,
    algorithm: str,
    captured: bool,
    launches: float,
) -> _Found:
    """The fastest candidate of those that NCCL has, or the one that it is held to."""
    spoken = route.far.protocols if route.far else ()
    protocols = [p for p in calibration.protocols if not spoken or p.protocol in spoken]
    allowed = (algorithm,) if algorithm else ()
    choices = price(collective, bytes_total, route.span, links, physics, protocols, allowed, captured)
    usable = [one for one in choices if np.isfinite(one.time_s)]
    if not usable:
        names = ", ".join(dict.fromkeys(row.name for row in ALGORITHMS[collective]))
        raise InputError(
            f"algorithm: {algorithm} cannot run {collective} on these ranks; {collective} has {names}"
        )
    usable.sort(key=lambda one: float(one.time_s))
    best = usable[0]
    time_s = float(launched(best.time_s, launches, physics))
    return _Found(time_s, best.algorithm, best.protocol, _parts(best), tuple(map(_candidate, usable)))


def _candidate(one: Choice) -> Candidate:
    return Candidate(algorithm=one.algorithm, protocol=one.protocol, time_s=float(one.time_s))


def _parts(one: Choice) -> dict[str, float]:
    return {"latency": float(one.latency_s), "near": float(one.near_s), "far": float(one.far_s)}


def _exchanged(
    bytes_total: float, route: Route, links: Links, physics: Physics, kind: ExchangeKind
) -> _Found:
    """A dispatch or combine by kernels that send tokens directly."""
    span = route.span
    case = Exchange(
        token_bytes=bytes_total,
        top_k=kind.top_k,
        ranks=span.ranks,
        inside=span.inside,
        domains=span.domains,
        once_per_domain=float(kind.token_once_per_domain),
        latency_s=kind.latency_s,
        near_bytes_per_s=links.near_bytes_per_s,
        far_bytes_per_s=links.far_bytes_per_s / span.inside,
        hop_s=links.hop_s,
    )
    time_s = float(exchange_time_s(case, physics))
    near, far = (float(size) for size in exchange_bytes(case))
    near_s = near / (case.near_bytes_per_s * physics.exchange_near_frac)
    far_s = far / (case.far_bytes_per_s * physics.exchange_far_frac)
    parts = {"latency": time_s - max(near_s, far_s), "near": near_s, "far": far_s}
    return _Found(time_s, f"{kind.id} exchange", "", parts, ())


def _kind(calibration: CollectiveCalibration, algorithm: str, top_k: int | None) -> ExchangeKind:
    found = [one for one in calibration.exchanges if one.id == (algorithm or calibration.exchanges[0].id)]
    if not found:
        known = ", ".join(one.id for one in calibration.exchanges)
        raise InputError(f"algorithm: no such exchange of tokens, {algorithm}; there are {known}")
    return found[0] if top_k is None else found[0].model_copy(update={"top_k": top_k})


def _unlucky_s(found: _Found, route: Route, timed: Callable[[Links], _Found]) -> float:
    """Time with the hashes that only one run in a hundred has worse."""
    mean, p99 = route.hashed
    if p99 <= mean:
        return found.time_s
    return timed(route.links._replace(far_bytes_per_s=route.links.far_bytes_per_s * mean / p99)).time_s


def _bottleneck(found: _Found, route: Route, sensitivity: Mapping[str, float]) -> str:
    """The link that most of the time follows, or else the latency: what no rate would shorten.

    Times grow in proportion when latency and the time on all links do: what no rate explains is latency.
    """
    near, far = (sensitivity[name] / (1.0 / LESS - 1.0) for name in ("scale-up rate", "network rate"))
    felt = {
        f"latency of {found.algorithm} over {int(route.span.ranks):,} ranks": 1.0 - near - far,
        route.near_name: near,
        route.far_name: far,
    }
    return max(felt, key=lambda name: felt[name])


def _sensitivity(found: _Found, links: Links, timed: Callable[[Links], _Found]) -> dict[str, float]:
    """Relative change of the time for one per cent less of each rate, and one per cent more latency."""
    changed = {
        "scale-up rate": links._replace(near_bytes_per_s=links.near_bytes_per_s * LESS),
        "network rate": links._replace(far_bytes_per_s=links.far_bytes_per_s * LESS),
        "network latency": links._replace(hop_s=links.hop_s / LESS),
    }
    return {name: round(timed(one).time_s / found.time_s - 1.0, 6) for name, one in changed.items()}


def _spread(
    collective: str, bytes_total: float, route: Route, calibration: CollectiveCalibration
) -> CollectiveSpread:
    """The range that cross-validation left for such sizes, and for what is as well known."""
    keys = keys_of(route.near, route.far)
    levels = ("scale_out",) * bool(route.far) + ("scale_up",) * (not route.far or route.near.torus_axes > 0)
    alike = {"reduce_scatter": "all_gather"}.get(collective, collective)
    measured = alike in calibration.fit.collectives
    near_by = int(route.span.ranks) <= FAR_BEYOND * calibration.fit.most_ranks
    seen = all((level, keys[level]) in calibration.seen for level in levels)
    known = route.known and measured and near_by and seen
    return spread_among(calibration.fit.spreads, band_of(collective, bytes_total), known)


def _basis(spread: CollectiveSpread, route: Route) -> str:
    """How far measurements bear it out, in words."""
    names = f"{route.near.id}{', ' + route.far.id if route.far else ''}"
    if not spread.known:
        return f"no measurement is like it ({names}, so many ranks): laws and published constants"
    return f"fitted on measurements of these transports ({names}); range from {spread.num_rows} left out"
