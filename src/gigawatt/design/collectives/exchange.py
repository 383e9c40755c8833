"""Dispatch and combine of a mixture of experts: token exchanges by kernels of their own."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gigawatt.design.collectives.pricing import Physics
from gigawatt.laws.collective_algorithms import exchange_s
from gigawatt.laws.collectives import distinct_domains
from gigawatt.laws.numbers import Number


class Exchange(NamedTuple):
    """One exchange. Each field a number or an array over cases."""

    token_bytes: Number
    """Of a rank's tokens, without copies."""
    top_k: Number
    ranks: Number
    inside: Number
    domains: Number
    once_per_domain: Number
    """1 where a token crosses the network once to each domain, 0 where once to each expert."""
    latency_s: Number
    near_bytes_per_s: Number
    far_bytes_per_s: Number
    """Of one accelerator."""
    hop_s: Number


def exchange_bytes(case: Exchange) -> tuple[Number, Number]:
    """Bytes of a rank through its scale-up port, and out of its domain."""
    near_copies = np.where(case.once_per_domain, distinct_domains(case.top_k, case.ranks), case.top_k)
    far_copies = np.where(case.once_per_domain, distinct_domains(case.top_k, case.domains), case.top_k)
    near_frac = np.where(
        case.once_per_domain, (case.inside - 1.0) / case.inside, (case.inside - 1.0) / case.ranks
    )
    far_frac = (case.domains - 1.0) / case.domains
    return case.token_bytes * near_copies * near_frac, case.token_bytes * far_copies * far_frac


def exchange_time_s(case: Exchange, physics: Physics) -> Number:
    """Time of a dispatch or combine [s]."""
    near, far = exchange_bytes(case)
    crosses = np.minimum(case.domains - 1.0, 1.0)
    hop_s = crosses * case.hop_s * physics.hop_latency
    return exchange_s(
        near,
        far,
        case.near_bytes_per_s * physics.exchange_near_frac,
        case.far_bytes_per_s * physics.exchange_far_frac,
        case.latency_s * physics.exchange_latency + hop_s,
    )
