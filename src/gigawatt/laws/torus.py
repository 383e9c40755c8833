"""Collectives on a torus: accelerators joined to their neighbours alone, along one to three axes.

`extent` is the number of accelerators along an axis; `closed` is 1 where the axis is a ring, 0 where it is an
open line, as part of a pod is. Rates are those of one link, one direction.
"""

from __future__ import annotations

import numpy as np

from gigawatt.laws.numbers import Number


def axis_links(extent: Number, closed: Number) -> Number:
    """Links along one axis that all of a collective's bytes can come in by, at the worst placed accelerator.

    Two of a ring; one at the end of an open line; none where there is no neighbour. Over the axes of a torus
    they add up.
    Source: Google Cloud, TPU v5e: 256 chips in a torus of 16 x 16, links of 50 GB/s each way, have an
    all-reduce bandwidth of 51.2 TB/s.

    >>> float(256 * 2 * axis_links(16, 1) * 50e9)
    51200000000000.0
    >>> [float(axis_links(extent, 0)) for extent in (1, 2, 4)]
    [0.0, 1.0, 1.0]
    """
    return np.minimum(extent - 1.0, 1.0) * (1.0 + closed)


def axis_hops(extent: Number, closed: Number) -> Number:
    """Links to the farthest accelerator of an axis.

    Source: Austin et al., "How to Scale Your Model", Google DeepMind, 2025, part 3: a gather round a closed
    axis of four takes two hops, along an open one three.

    >>> [float(axis_hops(extent, closed)) for extent, closed in ((4, 1), (4, 0), (1, 0))]
    [2.0, 3.0, 0.0]
    """
    return np.floor(extent / 2.0) * closed + (extent - 1.0) * (1.0 - closed)


def axis_load_frac(extent: Number, closed: Number) -> Number:
    """Bytes over the busiest link of an axis, one way, over what each accelerator has for an all-to-all.

    Dimension by dimension on shortest paths, each way round alike: (k^2 // 4) / k on a line, half of that on
    a ring. The axis with the most sets the pace.
    Source: Austin et al., "How to Scale Your Model", Google DeepMind, 2025, part 3: on a ring an all-to-all
    takes a quarter of the time of a gather of all that the ring holds, k times as much over two links.

    >>> gather = 16 / 2
    >>> float(axis_load_frac(16, 1) / gather)
    0.25
    >>> [float(axis_load_frac(extent, 0)) for extent in (1, 2)]
    [0.0, 0.5]
    """
    return np.floor(extent * extent / 4.0) / extent / (1.0 + closed)
