"""Those that wait in an order of their own: the first starts when it fits, and nobody overtakes it."""

from __future__ import annotations

from gigawatt.operate import heap
from gigawatt.operate.state import Fleet, fits, start
from gigawatt.operate.tables import Floats


def join(fleet: Fleet, job: int, key: Floats) -> None:
    """The job waits among the others by `key` [jobs], least first, then by arrival."""
    pool = fleet.pools[fleet.jobs[job].pool]
    heap.push(fleet.ranked, pool.first_place, pool.num_waiting, key, job)
    pool.num_waiting += 1


def start_in_order(fleet: Fleet, pool: int, key: Floats, now_s: float) -> None:
    """Start the first by `key` [jobs], again and again, until the first does not fit."""
    here = fleet.pools[pool]
    while here.num_waiting > 0 and fits(fleet, fleet.ranked[here.first_place]):
        job = heap.pop(fleet.ranked, here.first_place, here.num_waiting, key)
        here.num_waiting -= 1
        start(fleet, job, now_s)
