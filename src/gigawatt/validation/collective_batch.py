"""Many measured collectives as arrays, priced in one pass of the functions that price a single one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.collectives.algorithms import Span
from gigawatt.design.collectives.exchange import Exchange, exchange_time_s
from gigawatt.design.collectives.network import ports_used
from gigawatt.design.collectives.pricing import Links, Physics, fastest, launched, price
from gigawatt.domain.calibration_collectives import Protocol
from gigawatt.validation.batch import stack
from gigawatt.validation.collective_rows import MeasuredCollective

Floats = NDArray[np.float64]
Index = NDArray[np.intp]
_Key = tuple[str, tuple[str, ...], tuple[str, ...], bool]
"""Collective, algorithms it is held to, protocols that the network speaks, whether captured."""


@dataclass(frozen=True)
class _Part:
    """Cases that choose from the same candidates."""

    at: Index
    collective: str
    allowed: tuple[str, ...]
    protocols: tuple[Protocol, ...]
    sizes: Floats
    span: Span
    links: Links
    launches: Floats
    captured: bool

    def times(self, physics: Physics) -> Floats:
        choices = price(
            self.collective,
            self.sizes,
            self.span,
            self.links,
            physics,
            self.protocols,
            self.allowed,
            self.captured,
        )
        return launched(fastest(choices)[0], self.launches, physics)


@dataclass(frozen=True)
class CollectiveBatch:
    """The measurements as arrays [cases]."""

    size: int
    parts: tuple[_Part, ...]
    exchange_at: Index
    exchanges: Exchange | None

    def price(self, physics: Physics) -> Floats:
        """Every case's time [cases] s; `physics` holds arrays [cases]."""
        found = np.zeros(self.size)
        for part in self.parts:
            found[part.at] = part.times(Physics(*(value[part.at] for value in physics)))
        if self.exchanges is not None:
            at = self.exchange_at
            found[at] = exchange_time_s(self.exchanges, Physics(*(value[at] for value in physics)))
        return found


def collective_batch(cases: Sequence[MeasuredCollective], protocols: Sequence[Protocol]) -> CollectiveBatch:
    """Arrays of the measurements."""
    groups: dict[_Key, list[int]] = {}
    tokens = [at for at, case in enumerate(cases) if case.exchange]
    for at, case in enumerate(cases):
        if not case.exchange:
            spoken = case.far.protocols if case.far else ()
            groups.setdefault((case.collective, case.allowed, spoken, case.captured), []).append(at)
    parts = tuple(_part(cases, at, key, protocols) for key, at in groups.items())
    exchanges = stack([_exchange(cases[at]) for at in tokens]) if tokens else None
    return CollectiveBatch(len(cases), parts, np.array(tokens, dtype=np.intp), exchanges)


def _part(
    cases: Sequence[MeasuredCollective],
    at: Sequence[int],
    key: _Key,
    protocols: Sequence[Protocol],
) -> _Part:
    collective, allowed, spoken, captured = key
    chosen = [cases[i] for i in at]
    return _Part(
        at=np.array(at, dtype=np.intp),
        collective=collective,
        allowed=allowed,
        protocols=tuple(p for p in protocols if not spoken or p.protocol in spoken),
        sizes=np.array([case.bytes_total for case in chosen]),
        span=stack([span_of(case) for case in chosen]),
        links=stack([links_of(case) for case in chosen]),
        launches=np.array([float(case.launches) for case in chosen]),
        captured=captured,
    )


def span_of(case: MeasuredCollective) -> Span:
    """How a measurement's ranks lie."""
    reduces_far = float(case.far is not None and case.far.in_network_reduction)
    return Span(case.ranks, case.inside, case.domains, float(case.near.in_network_reduction), reduces_far)


def links_of(case: MeasuredCollective) -> Links:
    """The links that a measurement's ranks use."""
    hop_s = case.far.hop_s if case.far else 0.0
    ports = ports_used(case.collective, case.inside, case.near)
    return Links(near_rate(case), ports * case.far_bytes_per_s, hop_s)


def near_rate(case: MeasuredCollective) -> float:
    """Rate of the links that a group uses: in a mesh, those to its own members."""
    if not case.near.mesh:
        return case.near_bytes_per_s
    others = case.near.num_accelerators_per_domain - 1
    return case.near_bytes_per_s * min(case.inside - 1, others) / others


def _exchange(case: MeasuredCollective) -> Exchange:
    kind = case.exchange
    assert kind is not None
    return Exchange(
        token_bytes=case.bytes_total,
        top_k=kind.top_k,
        ranks=case.ranks,
        inside=case.inside,
        domains=case.domains,
        once_per_domain=float(kind.token_once_per_domain),
        latency_s=kind.latency_s,
        near_bytes_per_s=near_rate(case),
        far_bytes_per_s=case.far_bytes_per_s,
        hop_s=case.far.hop_s if case.far else 0.0,
    )
