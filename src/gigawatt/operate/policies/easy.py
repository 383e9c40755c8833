"""EASY backfill: first in, first out, and whoever does not delay the head may overtake.

The head that does not fit has a reservation: the earliest time at which it will, given when the running jobs
end. Source: D. Lifka, "The ANL/IBM SP scheduling system", JSSPP 1995.
"""

from __future__ import annotations

import numpy as np

from gigawatt.operate import heap
from gigawatt.operate.policies import fifo
from gigawatt.operate.state import NOBODY, Fleet, first_waiting, fits, leave_line, start


def enqueue(fleet: Fleet, job: int) -> None:
    """The job, which has just come, waits at the end of its pool's line."""
    fifo.enqueue(fleet, job)


def schedule(fleet: Fleet, pool: int, now_s: float) -> None:
    """Start from the head what fits; then, once through the line, what leaves the reservation alone."""
    fifo.schedule(fleet, pool, now_s)
    here, head = fleet.pools[pool], first_waiting(fleet, pool)
    if head == NOBODY or fleet.jobs[head].behind == NOBODY or here.free_gpus < here.smallest_gpus:
        return
    reservation_s, extra = reservation(fleet, pool, fleet.jobs[head].num_gpus)
    job, seen = fleet.jobs[head].behind, 0
    while job != NOBODY and here.free_gpus >= here.smallest_gpus and seen < fleet.rules.backfill_depth:
        one = fleet.jobs[job]
        behind = one.behind
        if fits(fleet, job):
            in_time = now_s + one.runtime_s <= reservation_s
            if in_time or one.num_gpus <= extra:
                if not in_time:
                    extra -= one.num_gpus
                leave_line(fleet, job)
                start(fleet, job, now_s)
        job = behind
        seen += 1


def reservation(fleet: Fleet, pool: int, gpus: int) -> tuple[float, int]:
    """When so many GPUs will be free (s), and how many more will be then.

    Walks through the heap of running jobs by end, only as far as it must, and leaves the heap as it is.
    """
    base, num_running = fleet.pools[pool].first_place, fleet.pools[pool].num_running
    frontier, ends_s = fleet.frontier, fleet.frontier_s
    free, when_s, size = fleet.pools[pool].free_gpus, -np.inf, 0
    if num_running > 0:
        ends_s[0] = fleet.jobs[fleet.running[base]].end_s
        heap.push(frontier, 0, 0, ends_s, 0)
        size = 1
    while size > 0 and (free < gpus or ends_s[frontier[0]] == when_s):
        at = heap.pop(frontier, 0, size, ends_s)
        size -= 1
        when_s = ends_s[at]
        free += fleet.jobs[fleet.running[base + at]].num_gpus
        for below in range(2 * at + 1, min(2 * at + 3, num_running)):
            ends_s[below] = fleet.jobs[fleet.running[base + below]].end_s
            heap.push(frontier, 0, size, ends_s, below)
            size += 1
    return when_s, free - gpus
