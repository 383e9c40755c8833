"""ASTRA-sim's network and system files, read as its analytical, congestion-unaware back end does."""

from __future__ import annotations

import math
from collections.abc import Mapping

from gigawatt.design.collectives.astra_sim import Assumptions, Dimension
from gigawatt.documents import Document, parse_yaml
from gigawatt.errors import InputError, Problem
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
