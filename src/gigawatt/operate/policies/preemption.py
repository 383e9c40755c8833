"""Preemption: who gives way to a job that waits. The lowest priority first, of those the latest start."""

from __future__ import annotations

from gigawatt.operate.state import NOBODY, Fleet, ask_to_give_way
from gigawatt.operate.tables import RESERVED


def make_room(fleet: Fleet, job: int, priority: int, now_s: float) -> None:
    """Ask jobs of less than this priority to give way to one that waits, where that makes enough room.

    They have had `rules.preemptible_after_s` to run, unless it is for a reservation. The world lets them save
    what they have, within its grace, before they go.
    """
    pool = fleet.jobs[job].pool
    missing = shortage(fleet, job) - fleet.pools[pool].coming_gpus
    if missing <= 0 or could_come(fleet, pool, priority, now_s) < missing:
        return
    while missing > 0:
        victim = next_victim(fleet, pool, priority, now_s)
        ask_to_give_way(fleet, victim)
        missing -= fleet.jobs[victim].num_gpus


def shortage(fleet: Fleet, job: int) -> int:
    """GPUs that a job is short of: whole free nodes for one that takes whole nodes."""
    one = fleet.jobs[job]
    pool = fleet.pools[one.pool]
    free = pool.free_gpus
    if 0 < pool.gpus_per_node <= one.num_gpus:
        free = min(free, pool.num_whole * pool.gpus_per_node)
    return int(one.num_gpus - free)


def may_give_way(fleet: Fleet, job: int, priority: int, now_s: float) -> bool:
    """Whether a running job is of less than this priority and has had its time."""
    one = fleet.jobs[job]
    wait_s = 0.0 if priority >= RESERVED else fleet.rules.preemptible_after_s
    had_its_time = one.start_s + wait_s <= now_s and one.start_s < now_s
    return bool(one.priority < priority and had_its_time and not one.gives_way)


def could_come(fleet: Fleet, pool: int, priority: int, now_s: float) -> int:
    """GPUs of all that may give way."""
    gpus, base = 0, fleet.pools[pool].first_place
    for n in range(fleet.pools[pool].num_running):
        job = fleet.running[base + n]
        if may_give_way(fleet, job, priority, now_s):
            gpus += fleet.jobs[job].num_gpus
    return int(gpus)


def next_victim(fleet: Fleet, pool: int, priority: int, now_s: float) -> int:
    """Of those that may give way the one that has the least to say for itself."""
    worst, base = NOBODY, fleet.pools[pool].first_place
    for n in range(fleet.pools[pool].num_running):
        job = fleet.running[base + n]
        if may_give_way(fleet, job, priority, now_s) and (worst == NOBODY or is_less(fleet, job, worst)):
            worst = job
    return worst


def is_less(fleet: Fleet, one: int, other: int) -> bool:
    """Whether `one` gives way before `other`."""
    first, second = fleet.jobs[one], fleet.jobs[other]
    if first.priority != second.priority:
        return bool(first.priority < second.priority)
    if first.start_s != second.start_s:
        return bool(first.start_s > second.start_s)
    return one > other
