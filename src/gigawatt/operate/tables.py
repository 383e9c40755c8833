"""The tables of a fleet's state: what one job, pool, line, tenant, node, rack and pod is, column by column.

A table is a record array: `fleet.jobs[job].start_s` is one value, `fleet.jobs.start_s` a column, in Python
and in a compiled kernel alike. Handed sixty arrays instead, a kernel takes a minute to compile.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Table: TypeAlias = Any
"""A record array; its rows and columns are read by name."""

RESERVED = 1 << 20
"""Priority of what has a reservation, above all that a plan can state."""
NONE = -1
"""Where the number of a job, node, ... stands: none."""

_INT, _FLOAT, _BOOL = np.int64, np.float64, np.bool_

JOB = np.dtype(
    [
        ("pool", _INT),
        ("tenant", _INT),
        ("line", _INT),  # that it waits in: one a pool, or one a tenant in each pool
        ("priority", _INT),  # those of a higher one stand in front
        ("num_gpus", _INT),  # the whole gang; whole nodes where it is larger than one
        (
            "runtime_s",
            _FLOAT,
        ),  # what the scheduler takes for the remaining run time; in a replay, exactly that
        ("deadline_s", _FLOAT),  # infinity where there is none
        ("start_s", _FLOAT),  # of the last start; NaN until then
        ("end_s", _FLOAT),  # start and run time; NaN until it starts
        ("behind", _INT),  # who stands behind it in its line
        ("front", _INT),  # who stands in front
        ("gives_way", _BOOL),  # whether it has been asked to
        ("first_node", _INT),  # the first node of a job that runs
    ]
)
POOL = np.dtype(
    [
        ("total_gpus", _INT),
        ("free_gpus", _INT),  # that may be handed out; below zero where a cap withholds more than is free
        ("coming_gpus", _INT),  # held by those that have been asked to give way
        ("smallest_gpus", _INT),  # of the smallest job that may come: with fewer free, nothing can start
        ("num_waiting", _INT),
        ("num_running", _INT),
        ("first_place", _INT),  # where the pool's stretch of the heaps begins
        ("first_line", _INT),
        ("end_line", _INT),
        ("gpus_per_node", _INT),  # 0 where GPUs are only counted
        ("first_pod", _INT),
        ("end_pod", _INT),
        ("num_whole", _INT),  # open nodes that are wholly free
        ("num_open", _INT),  # nodes that jobs may start on
    ]
)
LINE = np.dtype([("first", _INT), ("last", _INT), ("tried", _BOOL)])  # tried: a pass is through with its head
TENANT = np.dtype(
    [
        ("quota_gpus", _INT),  # that it gets whenever it wants them
        ("limit_gpus", _INT),  # the most that it may have, others' unused quota borrowed
        ("weight", _FLOAT),  # of its share, beside the others'
        ("used_gpus", _INT),  # that its jobs hold
        ("going_gpus", _INT),  # held by those of its jobs that have been asked to give way
        ("usage_gpu_s", _FLOAT),  # used, of which half is forgotten every half-life
        ("usage_at_s", _FLOAT),  # the time that the usage is of
        ("since_gpus", _INT),  # held since then
    ]
)
NODE = np.dtype(
    [
        ("rack", _INT),
        ("pool", _INT),
        ("free", _INT),  # GPUs that no job holds
        ("is_open", _BOOL),  # whether jobs may start on it
        ("behind", _INT),  # the next one in its list of free nodes
        ("front", _INT),
        ("next", _INT),  # the next one of the same gang
    ]
)
RACK = np.dtype([("pod", _INT), ("first", _INT), ("num_whole", _INT)])  # first: open node that is wholly free
POD = np.dtype([("pool", _INT), ("first_rack", _INT), ("end_rack", _INT), ("num_whole", _INT)])


def table(kind: np.dtype[Any], length: int, **columns: Any) -> Table:
    """A table of so many rows; columns not given are 0. Not compiled."""
    made = np.zeros(length, kind).view(np.recarray)
    for name, values in columns.items():
        made[name] = values
    return made
