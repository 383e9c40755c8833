"""The loop of a replay: at each instant all completions, all arrivals, then a pass in each pool touched.

Plain functions of arrays in numba's subset, compiled by `gigawatt.kernels`; uncompiled they are their own
reference in the tests. Here the world is the trace: jobs come when they were submitted, and end when their
run time is over. A job of zero duration ends in a further round at the same instant.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gigawatt.operate.policies import enqueue, schedule
from gigawatt.operate.state import STARTED, Fleet, finish_first, first_end_s
from gigawatt.operate.tables import Floats, Ints

ARRIVED, FINISHED, ROUNDS = 0, 1, 2


class World(NamedTuple):
    """What the trace holds in store, and how far it has been played."""

    submit_s: Floats
    """[jobs] s, ascending."""
    counts: Ints
    """[3] jobs that have arrived, that have finished, and rounds."""
    ends_s: Floats
    """[2 * leaves] s: a tree of minima over the pools' next ends; leaf `leaves + pool`, root 1."""
    touched: Ints
    """[pools] those that something has happened in, in this round."""
    is_touched: NDArray[np.bool_]
    """[pools]"""


def new_world(submit_s: Floats, num_pools: int) -> World:
    """A trace from its beginning; not compiled."""
    leaves = 1
    while leaves < num_pools:
        leaves *= 2
    return World(
        submit_s=submit_s,
        counts=np.zeros(3, np.int64),
        ends_s=np.full(2 * leaves, np.inf),
        touched=np.zeros(num_pools, np.int64),
        is_touched=np.zeros(num_pools, np.bool_),
    )


def advance(fleet: Fleet, world: World, policy: int, most_events: int) -> bool:
    """Play on for at least so many arrivals and completions; false when nothing is left to happen."""
    counts = world.counts
    enough = counts[ARRIVED] + counts[FINISHED] + most_events
    while counts[ARRIVED] + counts[FINISHED] < enough:
        now_s = next_instant_s(world)
        if now_s == np.inf:
            return False
        num_touched = complete(fleet, world, now_s, 0)
        num_touched = arrive(fleet, world, policy, now_s, num_touched)
        for n in range(num_touched):
            pool = world.touched[n]
            fleet.decided[STARTED] = 0
            schedule(policy, fleet, pool, now_s)
            world.is_touched[pool] = False
            note_end(fleet, world, pool)
        counts[ROUNDS] += 1
    return True


def next_instant_s(world: World) -> float:
    """When the next thing happens; infinity when nothing is left to."""
    now_s = world.ends_s[1]
    arrived = world.counts[ARRIVED]
    if arrived < world.submit_s.shape[0] and world.submit_s[arrived] < now_s:
        now_s = world.submit_s[arrived]
    return float(now_s)


def complete(fleet: Fleet, world: World, now_s: float, num_touched: int) -> int:
    """All jobs that end now give their GPUs back; returns how many pools are touched."""
    leaves = world.ends_s.shape[0] // 2
    while world.ends_s[1] == now_s:
        at = 1
        while at < leaves:
            at = 2 * at if world.ends_s[2 * at] == now_s else 2 * at + 1
        pool = at - leaves
        while first_end_s(fleet, pool) == now_s:
            finish_first(fleet, pool)
            world.counts[FINISHED] += 1
        note_end(fleet, world, pool)
        num_touched = touch(world, pool, num_touched)
    return num_touched


def arrive(fleet: Fleet, world: World, policy: int, now_s: float, num_touched: int) -> int:
    """All jobs that are submitted now begin to wait; returns how many pools are touched."""
    job = world.counts[ARRIVED]
    while job < world.submit_s.shape[0] and world.submit_s[job] == now_s:
        enqueue(policy, fleet, job)
        num_touched = touch(world, fleet.jobs[job].pool, num_touched)
        job += 1
    world.counts[ARRIVED] = job
    return num_touched


def touch(world: World, pool: int, num_touched: int) -> int:
    """Something has happened in the pool; returns how many pools are touched."""
    if world.is_touched[pool]:
        return num_touched
    world.is_touched[pool] = True
    world.touched[num_touched] = pool
    return num_touched + 1


def note_end(fleet: Fleet, world: World, pool: int) -> None:
    """Carry the pool's next end up the tree."""
    ends_s = world.ends_s
    at = ends_s.shape[0] // 2 + pool
    ends_s[at] = first_end_s(fleet, pool)
    while at > 1:
        at //= 2
        ends_s[at] = min(ends_s[2 * at], ends_s[2 * at + 1])
