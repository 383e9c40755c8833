"""Collective operations: what is asked, and what is predicted of one."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gigawatt.domain.record import Record

Collective = Literal[
    "all_reduce",
    "all_gather",
    "reduce_scatter",
    "all_to_all",
    "broadcast",
    "send_recv",
    "moe_dispatch",
    "moe_combine",
]


class Candidate(Record):
    """One algorithm and protocol that could have been used."""

    algorithm: str
    protocol: str = ""
    time_s: float


class CollectivePrediction(Record):
    """Time of one collective, with its 10 % and 90 % points, and what sets it."""

    collective: Collective
    bytes_total: float
    """The whole logical buffer, as nccl-tests count it."""
    num_ranks: int
    num_domains: int
    """Scale-up domains that the ranks lie in."""
    time_s: float
    low_s: float
    high_s: float
    algorithm: str
    protocol: str = ""
    algbw_bytes_per_s: float
    busbw_bytes_per_s: float
    bottleneck: str
    """The link, or the latency, that sets the time."""
    sensitivity: dict[str, float] = Field(default={})
    """Relative change of the time for one per cent less of each resource, by its name."""
    candidates: tuple[Candidate, ...] = ()
    basis: str = ""
