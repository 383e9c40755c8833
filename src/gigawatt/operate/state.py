"""The state of a fleet as arrays: what waits, what runs and what is free, pool by pool.

This is all that a policy sees. It does not say whether the fleet is simulated, replayed or real: a world
tells which jobs arrive and which have ended, a policy decides what starts, and the functions below keep the
books. Plain functions in numba's subset, compiled by `gigawatt.kernels`.

Jobs are numbered as they arrive (by submission, at one instant in file order), so the lower number came
first. Each pool owns a stretch of the heaps, as long as it has jobs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gigawatt.operate import heap

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOBODY = -1
"""Where a job number stands: no job."""


class Fleet(NamedTuple):
    """Every array of the state; `[jobs]` by number of job, `[pools]` by number of pool."""

    pool_of: Ints
    """[jobs] the pool that a job belongs to."""
    runtime_s: Floats
    """[jobs] s: what the scheduler takes for the job's run time; in a replay, exactly that."""
    num_gpus: Ints
    """[jobs] the whole gang."""
    start_s: Floats
    """[jobs] s; NaN until the job starts."""
    end_s: Floats
    """[jobs] s: start and run time; NaN until the job starts."""
    total_gpus: Ints
    """[pools]"""
    free_gpus: Ints
    """[pools]"""
    smallest_gpus: Ints
    """[pools] GPUs of the smallest job that may come: with fewer free, nothing can start."""
    num_waiting: Ints
    """[pools]"""
    num_running: Ints
    """[pools]"""
    base: Ints
    """[pools] where the pool's stretch of the heaps begins."""
    line_first: Ints
    """[pools] head of the line of those that wait in order of arrival, NOBODY when it is empty."""
    line_last: Ints
    """[pools]"""
    line_next: Ints
    """[jobs] who stands behind, NOBODY for the last."""
    line_before: Ints
    """[jobs] who stands in front, NOBODY for the head."""
    ranked: Ints
    """[jobs] heaps of those that wait, for policies with an order of their own."""
    running: Ints
    """[jobs] heaps of those that run, by end."""
    frontier: Ints
    """[jobs] room to walk through a heap of `running`."""
    frontier_s: Floats
    """[jobs] s: the ends of what stands in `frontier`."""


def new_fleet(pool_of: Ints, runtime_s: Floats, num_gpus: Ints, total_gpus: Ints) -> Fleet:
    """An idle fleet before its first job; not compiled."""
    num_jobs, num_pools = len(pool_of), len(total_gpus)
    sizes = np.bincount(pool_of, minlength=num_pools).astype(np.int64)
    smallest = np.full(num_pools, np.iinfo(np.int64).max)
    np.minimum.at(smallest, pool_of, num_gpus)

    def ints(length: int, value: int = 0) -> Ints:
        return np.full(length, value, np.int64)

    return Fleet(
        pool_of=pool_of,
        runtime_s=runtime_s,
        num_gpus=num_gpus,
        start_s=np.full(num_jobs, np.nan),
        end_s=np.full(num_jobs, np.nan),
        total_gpus=total_gpus,
        free_gpus=total_gpus.copy(),
        smallest_gpus=smallest,
        num_waiting=ints(num_pools),
        num_running=ints(num_pools),
        base=np.cumsum(sizes) - sizes,
        line_first=ints(num_pools, NOBODY),
        line_last=ints(num_pools, NOBODY),
        line_next=ints(num_jobs, NOBODY),
        line_before=ints(num_jobs, NOBODY),
        ranked=ints(num_jobs),
        running=ints(num_jobs),
        frontier=ints(num_jobs),
        frontier_s=np.zeros(num_jobs),
    )


def join_line(fleet: Fleet, job: int) -> None:
    """The job waits behind those that came before."""
    pool = fleet.pool_of[job]
    last = fleet.line_last[pool]
    fleet.line_before[job] = last
    fleet.line_next[job] = NOBODY
    if last == NOBODY:
        fleet.line_first[pool] = job
    else:
        fleet.line_next[last] = job
    fleet.line_last[pool] = job
    fleet.num_waiting[pool] += 1


def leave_line(fleet: Fleet, job: int) -> None:
    """The job waits no longer; the others close up."""
    pool = fleet.pool_of[job]
    front, behind = fleet.line_before[job], fleet.line_next[job]
    if front == NOBODY:
        fleet.line_first[pool] = behind
    else:
        fleet.line_next[front] = behind
    if behind == NOBODY:
        fleet.line_last[pool] = front
    else:
        fleet.line_before[behind] = front
    fleet.num_waiting[pool] -= 1


def start(fleet: Fleet, job: int, now_s: float) -> None:
    """The job, which waits no longer, takes its GPUs."""
    pool = fleet.pool_of[job]
    fleet.start_s[job] = now_s
    fleet.end_s[job] = now_s + fleet.runtime_s[job]
    fleet.free_gpus[pool] -= fleet.num_gpus[job]
    heap.push(fleet.running, fleet.base[pool], fleet.num_running[pool], fleet.end_s, job)
    fleet.num_running[pool] += 1


def finish_first(fleet: Fleet, pool: int) -> int:
    """The job of the pool that ends first gives its GPUs back; returns its number."""
    job = heap.pop(fleet.running, fleet.base[pool], fleet.num_running[pool], fleet.end_s)
    fleet.num_running[pool] -= 1
    fleet.free_gpus[pool] += fleet.num_gpus[job]
    return job


def first_end_s(fleet: Fleet, pool: int) -> float:
    """When the next job of the pool ends; infinity where none runs."""
    if fleet.num_running[pool] == 0:
        return np.inf
    return float(fleet.end_s[fleet.running[fleet.base[pool]]])
