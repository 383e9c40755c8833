"""Collective times as ASTRA-sim's analytical, congestion-unaware back end gives them.

For people who have its network and system files (`gigawatt.exports.astra_sim_read` reads them): the same
answer, without building it and in microseconds.
A collective is cut into chunks; each chunk passes through the dimensions (reduce-scatters inwards, an
all-reduce in the last, all-gathers back) and each dimension holds one chunk at a time.
"""

from __future__ import annotations

import math
from itertools import count
from typing import NamedTuple

from gigawatt.errors import InputError
from gigawatt.laws.chunked_collectives import ring_stage_s

RINGS = ("all_reduce", "all_gather", "reduce_scatter")
"""Collectives with a ring here."""


class Dimension(NamedTuple):
    """One dimension of a network, as ASTRA-sim's network file describes it."""

    ranks: int
    bytes_per_s: float
    hops: int
    hop_s: float


class Assumptions(NamedTuple):
    """What ASTRA-sim's system file sets of a collective."""

    num_chunks: int
    endpoint_s: float
    local_bytes_per_s: float
    last_in_first_out: bool = True


class Stage(NamedTuple):
    """A chunk's stay in one dimension."""

    dimension: int
    stay_s: float


def chunked_collective_s(
    collective: str, rank_bytes: float, network: tuple[Dimension, ...], assumptions: Assumptions
) -> float:
    """Time of one collective as the congestion-unaware simulator has it [s].

    `rank_bytes` is the simulator's comm_size: what each rank holds at the start. Of an all-reduce or a
    reduce-scatter that is the whole buffer; an all-gather ends with the sum over all ranks.
    Errors: InputError for another collective, or for a size that is not above 0.
    """
    if not 0.0 < rank_bytes < math.inf:
        raise InputError(f"bytes per rank: expected more than nothing, found {rank_bytes:g}")
    stages = stages_of(collective, rank_bytes / assumptions.num_chunks, network, assumptions)
    return pipelined_s(stages, assumptions.num_chunks, assumptions.last_in_first_out)


def stages_of(
    collective: str, chunk_bytes: float, network: tuple[Dimension, ...], assumptions: Assumptions
) -> tuple[Stage, ...]:
    """Where one chunk goes, in order, and how long it stays in each dimension.

    Buffers shrink before they reach outer (slower) dimensions: reduce-scatters go inner to outer, all-gathers
    outer to inner, and an all-reduce is the one and then the other, with both in the outermost at once.
    Errors: InputError for a collective without a ring.
    """
    used = [n for n, dimension in enumerate(network) if dimension.ranks > 1]
    if collective == "reduce_scatter":
        return tuple(_scattering(chunk_bytes, network, assumptions, used))
    if collective == "all_gather":
        return tuple(_gathering(chunk_bytes, network, assumptions, used))
    if collective != "all_reduce":
        raise InputError(f"{collective}: expected one of {', '.join(RINGS)}")
    down = _scattering(chunk_bytes, network, assumptions, used)
    left_bytes = chunk_bytes / math.prod(network[n].ranks for n in used)
    up = _gathering(left_bytes, network, assumptions, used)
    if not used:
        return ()
    turn = Stage(used[-1], down[-1].stay_s + up[0].stay_s - assumptions.endpoint_s)
    return (*down[:-1], turn, *up[1:])


def _scattering(
    chunk_bytes: float, network: tuple[Dimension, ...], assumptions: Assumptions, used: list[int]
) -> list[Stage]:
    stages = []
    for n in used:
        chunk_bytes /= network[n].ranks
        stages.append(Stage(n, _stay_s(chunk_bytes, network[n], assumptions, reductions=1)))
    return stages


def _gathering(
    rank_bytes: float, network: tuple[Dimension, ...], assumptions: Assumptions, used: list[int]
) -> list[Stage]:
    stages = []
    for n in reversed(used):
        stages.append(Stage(n, _stay_s(rank_bytes, network[n], assumptions, reductions=0)))
        rank_bytes *= network[n].ranks
    return stages


def _stay_s(message_bytes: float, over: Dimension, assumptions: Assumptions, reductions: int) -> float:
    stay_s = ring_stage_s(
        message_bytes, over.ranks, over.bytes_per_s, over.hops, over.hop_s,
        assumptions.endpoint_s, reductions, assumptions.local_bytes_per_s,
    )  # fmt: skip
    return float(stay_s)


def pipelined_s(stages: tuple[Stage, ...], num_chunks: int, last_in_first_out: bool) -> float:
    """When the last of the chunks has gone through all stages, each dimension holding one at a time [s].

    A free dimension takes the chunk that arrived last, or first; of those that arrived together, the lowest.
    """
    order = count()
    waiting: dict[int, list[tuple[float, int, int, int]]] = {stage.dimension: [] for stage in stages}
    free_s = dict.fromkeys(waiting, 0.0)
    if not stages:
        return 0.0
    for chunk in range(num_chunks):
        waiting[stages[0].dimension].append((0.0, next(order), chunk, 0))
    done_s = 0.0
    while any(waiting.values()):
        start_s, dimension = min(
            (max(free_s[n], min(arrival_s for arrival_s, *_ in queue)), n)
            for n, queue in waiting.items()
            if queue
        )
        here = [one for one in waiting[dimension] if one[0] <= start_s]
        taken = max(here, key=lambda one: (one[0], -one[1])) if last_in_first_out else min(here)
        waiting[dimension].remove(taken)
        _, _, chunk, stage = taken
        end_s = free_s[dimension] = start_s + stages[stage].stay_s
        if stage + 1 < len(stages):
            waiting[stages[stage + 1].dimension].append((end_s, next(order), chunk, stage + 1))
        done_s = max(done_s, end_s)
    return done_s
