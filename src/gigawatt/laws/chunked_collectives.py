"""Collectives cut into chunks that follow each other through the dimensions of a network.

The model of ASTRA-sim's analytical, congestion-unaware back end: a message takes its bytes over the
bandwidth and a latency for each hop, whatever else is on the wire; chunks queue for dimensions, not for
links. It is kept to reproduce that simulator and to price networks as it would. Nothing here is fitted to
measurements: gigawatt's own predictions come from `gigawatt.laws.collectives`.
"""

from __future__ import annotations

from gigawatt.laws.numbers import Number


def ring_stage_s(
    message_bytes: Number,
    ranks: Number,
    bytes_per_s: Number,
    hops: Number,
    hop_s: Number,
    endpoint_s: Number,
    reductions: Number,
    local_bytes_per_s: Number,
) -> Number:
    """Time of one chunk in one dimension, by ring: a reduce-scatter or an all-gather of it [s].

    Each of the n - 1 steps passes `message_bytes` on over `hops` links (1 between neighbours of a ring, 2
    through a switch) and waits `endpoint_s`; once more the chunk waits to enter the dimension. A step that
    reduces (`reductions` 1, else 0) reads two operands from local memory and writes one.
    Validity: rings and switches, one chunk at a time in a dimension, messages that do not share links.
    Source: Won et al., "ASTRA-sim2.0", ISPASS 2023, arXiv 2303.14006 (latency x hops + bytes / bandwidth;
    collectives by dimension); Rashidi et al., "ASTRA-SIM", ISPASS 2020 (endpoint delay, local reduction).

    >>> step_bytes = 2**30 / 4 / 8        # a quarter of 1 GiB over 8 ranks at 400 GiB/s through a switch
    >>> near = ring_stage_s(step_bytes, 8, 400 * 2**30, 2, 936.25e-9, 10e-9, 1, 3350e9)
    >>> back = ring_stage_s(step_bytes, 8, 400 * 2**30, 2, 936.25e-9, 10e-9, 0, 3350e9)
    >>> round(1e3 * 4 * (near + back), 3)         # four chunks, one after the other; ASTRA-sim: 5.322 ms
    5.322
    """
    message_s = message_bytes / bytes_per_s + hops * hop_s + endpoint_s
    return (ranks - 1.0) * (message_s + 3.0 * reductions * message_bytes / local_bytes_per_s) + endpoint_s
