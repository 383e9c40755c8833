"""How long a pipeline of stages takes for the micro-batches of one step."""

from __future__ import annotations

import numpy as np

from gigawatt.laws.numbers import Number


def pipeline_s(
    slowest_s: Number, sum_s: Number, num_microbatches: Number, vpp: Number, bubble_frac: Number
) -> Number:
    """Time from the first forward to the last backward of a 1F1B pipeline [s].

    `slowest_s` and `sum_s` are forward plus backward of one micro-batch on the slowest stage and on all
    stages. The slowest stage works without pause; filling and draining costs the other stages once, divided
    by the `vpp` chunks of an interleaved schedule, and multiplied by `bubble_frac` (1 for 1F1B, 1/3 for
    ZB-H1).
    Source: Narayanan et al., arXiv 2104.04473, section 2.2; Qi et al., "Zero Bubble Pipeline Parallelism",
    arXiv 2401.10241, table 2. Exact for equal stages; for unequal ones exact when the slowest stage is never
    starved.

    >>> pipeline_s(1.0, 4.0, 8, 1, 1.0)     # (p - 1)/m = 3/8 more than 8
    11.0
    >>> pipeline_s(1.0, 4.0, 8, 2, 1.0)
    9.5
    """
    return num_microbatches * slowest_s + (sum_s - slowest_s) * bubble_frac / np.maximum(vpp, 1.0)


def slowest_stage_s(block_s: Number, num_layers: Number, pp: Number, head_s: Number) -> Number:
    """Time of a micro-batch on the slowest stage, layers being dealt out as evenly as whole layers allow [s].

    The last stage also carries output head and loss (`head_s`). Where layers divide evenly by `pp` it sets
    the pace; where some stages must hold one fewer, the last one is the first of them.
    Source: Llama Team, arXiv 2407.21783, section 3.3.2 (fewer layers on the ends); Megatron-LM, uneven
    pipeline options.

    >>> float(slowest_stage_s(1.0, 8, 4, 0.5))
    2.5
    >>> float(slowest_stage_s(1.0, 7, 4, 0.5))     # 2 2 2 1 + head
    2.0
    """
    most = np.ceil(num_layers / pp)
    spare = most * pp - num_layers
    fewer = np.minimum(spare, 1.0)
    return np.maximum(most * block_s, (most - fewer) * block_s + head_s)


def straggler_s(step_s: Number, jitter_frac: Number, num_nodes: Number) -> Number:
    """Time lost to the slowest of many nodes at every step's synchronisation [s].

    The expected maximum of light-tailed delays grows with the logarithm of their number.
    Source: Gumbel, "Statistics of Extremes", 1958; Petrini et al., "The Case of the Missing Supercomputer
    Performance", SC 2003.

    >>> round(float(straggler_s(10.0, 0.003, 256)), 3)
    0.24
    """
    return step_s * jitter_frac * np.log2(np.maximum(num_nodes, 1.0))
