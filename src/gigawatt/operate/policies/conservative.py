"""Conservative backfill: everybody who waits has a reservation, and overtakes only who delays none of them.

Source: A. W. Mu'alem, D. G. Feitelson, Utilization, predictability, workloads, and user runtime estimates in
scheduling the IBM SP2 with backfilling (IEEE TPDS 12, 2001), section 2.
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
    """Each in its turn takes the earliest time at which it fits for as long as it runs; now starts now."""
    fifo.schedule(fleet, pool, now_s)
    here, job = fleet.pools[pool], first_waiting(fleet, pool)
    if job == NOBODY or fleet.jobs[job].behind == NOBODY or here.free_gpus < here.smallest_gpus:
        return
    size, seen = foresee(fleet, pool, now_s), 0
    while job != NOBODY and seen <= fleet.rules.backfill_depth:
        one = fleet.jobs[job]
        behind = one.behind
        at = earliest(fleet, size, one.num_gpus, one.runtime_s)
        begin_s = fleet.frontier_s[at]
        if begin_s == now_s and fits(fleet, job):
            leave_line(fleet, job)
            start(fleet, job, now_s)
        size = reserve(fleet, size, begin_s, begin_s + one.runtime_s, one.num_gpus)
        job = behind
        seen += 1


def foresee(fleet: Fleet, pool: int, now_s: float) -> int:
    """Write down what will be free from when on, as running jobs end; returns the number of steps.

    `frontier_s` and `frontier` hold the times and the GPUs free from each on.
    """
    base, num_running = fleet.pools[pool].first_place, fleet.pools[pool].num_running
    frontier, times_s = fleet.frontier, fleet.frontier_s
    free = fleet.pools[pool].free_gpus
    for n in range(num_running):
        frontier[n] = fleet.running[base + n]
    for size in range(num_running, 0, -1):  # the last to end comes to stand first
        frontier[size - 1] = heap.pop(frontier, 0, size, fleet.jobs.end_s)
    for n in range(num_running // 2):
        frontier[n], frontier[num_running - 1 - n] = frontier[num_running - 1 - n], frontier[n]
    for n in range(num_running):
        free += fleet.jobs[frontier[n]].num_gpus
    for n in range(num_running - 1, -1, -1):
        job = frontier[n]
        times_s[n + 1], frontier[n + 1] = max(fleet.jobs[job].end_s, np.nextafter(now_s, np.inf)), free
        free -= fleet.jobs[job].num_gpus
    times_s[0], frontier[0] = now_s, free
    return merged(fleet, num_running + 1)


def merged(fleet: Fleet, size: int) -> int:
    """Make one step of those that begin at one time, where several jobs end; returns how many are left."""
    kept = 1
    for step in range(1, size):
        if fleet.frontier_s[step] != fleet.frontier_s[kept - 1]:
            kept += 1
        fleet.frontier[kept - 1], fleet.frontier_s[kept - 1] = fleet.frontier[step], fleet.frontier_s[step]
    return int(kept)


def earliest(fleet: Fleet, size: int, gpus: int, runtime_s: float) -> int:
    """The first step from which on so many GPUs are free for so long; the last where none is."""
    frontier, times_s = fleet.frontier, fleet.frontier_s
    at = 0
    while at < size - 1:
        if frontier[at] >= gpus:
            end_s, step = times_s[at] + runtime_s, at
            while step < size and times_s[step] < end_s and frontier[step] >= gpus:
                step += 1
            if step == size or times_s[step] >= end_s:
                return at
            at = step
        at += 1
    return size - 1


def reserve(fleet: Fleet, size: int, begin_s: float, end_s: float, gpus: int) -> int:
    """Take so many GPUs out of what will be free from then till then; returns the number of steps."""
    size = split(fleet, split(fleet, size, begin_s), end_s)
    for step in range(size):
        if begin_s <= fleet.frontier_s[step] < end_s:
            fleet.frontier[step] -= gpus
    return size


def split(fleet: Fleet, size: int, at_s: float) -> int:
    """Make a step begin at a time, which is not before the first one's; returns the number of steps."""
    frontier, times_s = fleet.frontier, fleet.frontier_s
    place = size
    while times_s[place - 1] > at_s:
        place -= 1
    if times_s[place - 1] == at_s:
        return size
    for step in range(size, place, -1):
        frontier[step], times_s[step] = frontier[step - 1], times_s[step - 1]
    frontier[place], times_s[place] = frontier[place - 1], at_s
    return size + 1
