"""Collective times as ASTRA-sim's analytical, congestion-unaware back end gives them, from its own files.

For people who have its network and system files: the same answer, without building it and in microseconds.
A collective is cut into chunks; each chunk passes through the dimensions (reduce-scatters inwards, an
all-reduce in the last, all-gathers back) and each dimension holds one chunk at a time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import count
from typing import NamedTuple

from gigawatt.documents import Document, parse_yaml
from gigawatt.errors import InputError, Problem
from gigawatt.laws.chunked_collectives import ring_stage_s
from gigawatt.units import read

_HOPS = {"Ring": 1, "Switch": 2}
"""Links between neighbours of a ring laid over one dimension."""
_NETWORK_KEYS = ("topology", "npus_count", "bandwidth", "latency")
_MOST_CHUNKS = 1024
_SUPPORTED: Mapping[str, tuple[object, ...]] = {
    "active-chunks-per-dimension": (1,),
    "collective-optimization": ("localBWAware",),
    "boost-mode": (0, 1),
}
_RING_KEYS = {
    "all_reduce": "all-reduce-implementation",
    "all_gather": "all-gather-implementation",
    "reduce_scatter": "reduce-scatter-implementation",
}


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


def read_network(text: str, name: str = "<network>") -> tuple[Dimension, ...]:
    """The dimensions of a network file (YAML): topology, npus_count, bandwidth [GiB/s], latency [ns].

    The simulator calls bandwidths GB/s and multiplies by 2^30. Errors: InputError for missing keys, lists of
    different lengths, topologies other than Ring and Switch, values that are no positive numbers.
    """
    document = parse_yaml(text, name)
    table = document.value if isinstance(document.value, Mapping) else {}
    missing = [key for key in _NETWORK_KEYS if not isinstance(table.get(key), tuple)]
    if missing:
        raise InputError(
            [document.problem("expected a list, one entry for each dimension", (key,)) for key in missing]
        )
    columns = [table[key] for key in _NETWORK_KEYS]
    if len({len(column) for column in columns}) != 1:
        raise InputError(document.problem(f"{', '.join(_NETWORK_KEYS)} are not of one length"))
    return tuple(_dimension(document, n, *row) for n, row in enumerate(zip(*columns, strict=True)))


def _dimension(
    document: Document, n: int, topology: object, ranks: object, bandwidth: object, latency: object
) -> Dimension:
    if topology not in _HOPS:
        raise InputError(
            document.problem(f"expected {' or '.join(_HOPS)}, found {topology}", ("topology", n))
        )
    if not isinstance(ranks, int) or ranks < 1:
        raise InputError(document.problem(f"expected a whole number, found {ranks}", ("npus_count", n)))
    bytes_per_s = _positive(document, ("bandwidth", n), bandwidth, "GiB/s", "_bytes_per_s")
    hop_s = _positive(document, ("latency", n), latency, "ns", "_s")
    return Dimension(ranks, bytes_per_s, _HOPS[str(topology)], hop_s)


def _positive(document: Document, at: tuple[str | int, ...], value: object, unit: str, suffix: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value < math.inf:
        raise InputError(document.problem(f"expected a number above 0, found {value}", at))
    quantity = read(f"{value!r} {unit}", suffix)
    assert isinstance(quantity, float | int)
    return float(quantity)


def read_assumptions(text: str, collective: str, name: str = "<system>") -> Assumptions:
    """What a system file (JSON) sets of one collective.

    Errors: InputError where it asks for what is not reproduced here, such as another algorithm than ring.
    """
    document = parse_yaml(text, name)
    table = document.value if isinstance(document.value, Mapping) else {}
    problems = [
        document.problem(f"expected {' or '.join(map(str, known))}, found {table[key]}", (key,))
        for key, known in _SUPPORTED.items()
        if key in table and table[key] not in known
    ]
    problems += _algorithm_problems(document, table, collective)
    chunks = table.get("preferred-dataset-splits", 1)
    if not isinstance(chunks, int) or not 1 <= chunks <= _MOST_CHUNKS:
        problems.append(
            document.problem(f"expected 1 to {_MOST_CHUNKS}, found {chunks}", ("preferred-dataset-splits",))
        )
    if problems:
        raise InputError(problems)
    return Assumptions(
        num_chunks=int(chunks),
        endpoint_s=_positive(document, ("endpoint-delay",), table.get("endpoint-delay"), "ns", "_s"),
        local_bytes_per_s=_positive(
            document, ("local-mem-bw",), table.get("local-mem-bw"), "GB/s", "_bytes_per_s"
        ),
        last_in_first_out=table.get("scheduling-policy", "LIFO") == "LIFO",
    )


def _algorithm_problems(document: Document, table: Mapping[str, object], collective: str) -> list[Problem]:
    if collective not in _RING_KEYS:
        return [document.problem(f"{collective}: expected one of {', '.join(_RING_KEYS)}")]
    key = _RING_KEYS[collective]
    asked = table.get(key, ())
    asked = asked if isinstance(asked, tuple) else (asked,)
    return [
        document.problem(f"expected ring, found {algorithm}", (key, n))
        for n, algorithm in enumerate(asked)
        if algorithm != "ring"
    ]


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
        raise InputError(f"{collective}: expected one of {', '.join(_RING_KEYS)}")
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
