"""Shortest job first: the shortest of those that wait starts when it fits; nobody overtakes it."""

from __future__ import annotations

from gigawatt.operate import heap
from gigawatt.operate.state import Fleet, start


def enqueue(fleet: Fleet, job: int) -> None:
    """The job waits among the others by run time, then by arrival."""
    pool = fleet.pool_of[job]
    heap.push(fleet.ranked, fleet.base[pool], fleet.num_waiting[pool], fleet.runtime_s, job)
    fleet.num_waiting[pool] += 1


def schedule(fleet: Fleet, pool: int, now_s: float) -> None:
    """Start the shortest, again and again, until the shortest does not fit."""
    base = fleet.base[pool]
    while fleet.num_waiting[pool] > 0:
        if fleet.num_gpus[fleet.ranked[base]] > fleet.free_gpus[pool]:
            break
        job = heap.pop(fleet.ranked, base, fleet.num_waiting[pool], fleet.runtime_s)
        fleet.num_waiting[pool] -= 1
        start(fleet, job, now_s)
