"""The loop of the simulated world: at each instant what is due, arrivals, then a pass where it matters.

Compiled by `gigawatt.kernels`; uncompiled it is its own reference in the tests.
"""

from __future__ import annotations

import numpy as np

from gigawatt.operate.due import first_due_s, set_due
from gigawatt.operate.faults import come_due, maintain, relieve
from gigawatt.operate.hazards import await_fault
from gigawatt.operate.jobs import arrive, begin, give_way
from gigawatt.operate.jobs import go_on as go_on_with_job
from gigawatt.operate.policies import schedule
from gigawatt.operate.policies.power_cap import change_cap
from gigawatt.operate.repair import change_shift, offer, receive, skill_of
from gigawatt.operate.repair import go_on as go_on_with_repair
from gigawatt.operate.spells import begin_stage, end_spell
from gigawatt.operate.state import PUT_BACK, STARTED, Fleet
from gigawatt.operate.world import (
    ARRIVED,
    CAP_AT,
    DONE,
    EVENTS,
    FAULTY,
    HAND_WAIT,
    NODE_SCOPE,
    PASSES,
    ROWS,
    SERVICE,
    World,
    cap_thing,
    part_thing,
    rack_thing,
    skill_thing,
    slot_thing,
)


def advance(
    fleet: Fleet, world: World, policy: int, until_s: float, most_rows: int, most_events: int
) -> bool:
    """Play on until a time; true when it paused before, at so many rows of the log or so many events."""
    counts = world.counts
    enough = counts[EVENTS] + most_events
    while counts[ROWS] < most_rows and counts[EVENTS] < enough:
        now_s = next_instant_s(world)
        if now_s >= until_s:
            return False
        while world.due.size[0] > 0 and first_due_s(world.due) == now_s:
            happen(policy, fleet, world, world.due.heap[0], now_s)
            counts[EVENTS] += 1
        while counts[ARRIVED] < world.work.shape[0] and world.work[counts[ARRIVED]].submit_s == now_s:
            arrive(policy, fleet, world, counts[ARRIVED], now_s)
            counts[ARRIVED] += 1
            counts[EVENTS] += 1
        for pool in range(fleet.pools.shape[0]):
            while world.touched[pool]:
                world.touched[pool] = False
                decide(policy, fleet, world, pool, now_s)
    return True


def open_up(fleet: Fleet, world: World) -> None:
    """Every asset is in service from the begin on, and may fail."""
    for asset in range(world.assets.shape[0]):
        await_fault(world, asset, 0.0)
        if asset < fleet.machines.nodes.shape[0]:
            offer(fleet, world, asset, 0.0)


def next_instant_s(world: World) -> float:
    """When the next thing happens; infinity when nothing is left to."""
    now_s = first_due_s(world.due)
    arrived = world.counts[ARRIVED]
    if arrived < world.work.shape[0] and world.work[arrived].submit_s < now_s:
        now_s = world.work[arrived].submit_s
    return float(now_s)


def decide(policy: int, fleet: Fleet, world: World, pool: int, now_s: float) -> None:
    """The policy decides, and the world carries out: what starts, and what gives way."""
    world.counts[PASSES] += 1
    schedule(policy, fleet, pool, now_s)
    carry_out(policy, fleet, world, now_s)


def carry_out(policy: int, fleet: Fleet, world: World, now_s: float) -> None:
    """Begin what has been started, and see off what has been asked to give way."""
    for n in range(fleet.decided[STARTED]):
        begin(fleet, world, fleet.starting[n], now_s)
    fleet.decided[STARTED] = 0
    for n in range(fleet.decided[PUT_BACK]):
        give_way(policy, fleet, world, fleet.giving_way[n], now_s)
    fleet.decided[PUT_BACK] = 0


def happen(policy: int, fleet: Fleet, world: World, thing: int, now_s: float) -> None:
    """One thing that was due."""
    if thing < world.assets.shape[0]:
        happen_to_asset(policy, fleet, world, thing, now_s)
    elif thing < part_thing(world, 0):
        go_on_with_job(policy, fleet, world, world.slot_job[thing - slot_thing(world, 0)], now_s)
    elif thing < skill_thing(world, 0):
        receive(fleet, world, thing - part_thing(world, 0), now_s)
    elif thing < cap_thing(world):
        change_shift(fleet, world, thing - skill_thing(world, 0), now_s)
    elif thing == cap_thing(world):
        cap(policy, fleet, world, now_s)
    else:
        maintain_rack(policy, fleet, world, thing - rack_thing(world, 0), now_s)


def happen_to_asset(policy: int, fleet: Fleet, world: World, asset: int, now_s: float) -> None:
    """A fault, its discovery, or the end of a stage of repair."""
    stage = world.assets[asset].stage
    if stage in (SERVICE, FAULTY):
        come_due(policy, fleet, world, asset, now_s)
        return
    go_on_with_repair(fleet, world, asset, now_s)
    if world.assets[asset].scope != NODE_SCOPE and world.assets[asset].stage == SERVICE:
        relieve(fleet, world, asset, now_s)


def cap(policy: int, fleet: Fleet, world: World, now_s: float) -> None:
    """The next power cap begins."""
    at = world.counts[CAP_AT]
    for pool in range(fleet.pools.shape[0]):
        total = fleet.pools[pool].total_gpus
        before = int(total * world.caps[at - 1].withheld_frac) if at > 0 else 0
        change_cap(fleet, pool, before, int(total * world.caps[at].withheld_frac), now_s)
        world.touched[pool] = True
    world.counts[CAP_AT] += 1
    following = world.caps[at + 1].begin_s if at + 1 < world.caps.shape[0] else np.inf
    set_due(world.due, cap_thing(world), following)
    carry_out(policy, fleet, world, now_s)


def maintain_rack(policy: int, fleet: Fleet, world: World, rack: int, now_s: float) -> None:
    """A rack's turn for maintenance."""
    domain = world.assets[fleet.machines.nodes.shape[0] + rack]
    for node in range(domain.first_node, domain.end_node):
        maintain(policy, fleet, world, node, now_s)
    set_due(world.due, rack_thing(world, rack), now_s + world.conduct.maintenance_every_s)


def close_books(fleet: Fleet, world: World, first: int, most_rows: int, now_s: float) -> int:
    """Write down what goes on at the end, from the `first` job or asset on; returns where it paused.

    -1 when all is written.
    """
    num_jobs = world.counts[ARRIVED]
    for n in range(first, num_jobs + world.assets.shape[0]):
        if world.counts[ROWS] >= most_rows:
            return n
        if n >= num_jobs:
            close_stage(fleet, world, n - num_jobs, now_s)
        elif world.work[n].state != DONE:
            end_spell(fleet, world, n, now_s)
    return -1


def close_stage(fleet: Fleet, world: World, asset: int, now_s: float) -> None:
    """Write down what an asset does at the end, and what it has waited for hands until then."""
    one = world.assets[asset]
    if one.stage == HAND_WAIT:
        hands = world.skills[skill_of(world, asset)]
        hands.waited_s += now_s - one.since_s
        hands.num_waiting += 1
    begin_stage(fleet, world, asset, one.stage, now_s)
