"""Repair: triage, a reboot or a part and a pair of hands, burn-in, and back into service or to the spares.

An asset waits for a part that is not on the shelf, then for somebody on duty who can do it. What is taken is
ordered again at once. In numba's subset.
"""

from __future__ import annotations

import numpy as np

from gigawatt.laws.chance import exponential_number
from gigawatt.operate.due import not_due, set_due
from gigawatt.operate.hazards import BURN, OUTCOME, PART_NEED, WORK_TIME, await_fault, drawn
from gigawatt.operate.machines import close_node, open_node
from gigawatt.operate.policies import drain
from gigawatt.operate.spells import begin_stage
from gigawatt.operate.state import Fleet
from gigawatt.operate.tables import NONE
from gigawatt.operate.world import (
    BURN_IN,
    FAULTY,
    HAND_WAIT,
    HANDS_ON,
    MAINTENANCE,
    NODE_SCOPE,
    PART_WAIT,
    REBOOT,
    REBOOTS,
    REPAIRS,
    RESTARTS,
    SERVICE,
    STOPS,
    TRIAGE,
    World,
    on_tick,
    part_thing,
    skill_thing,
)


def start_repair(fleet: Fleet, world: World, asset: int, now_s: float) -> None:
    """Nothing runs on it any more: find out what it needs."""
    begin_stage(fleet, world, asset, TRIAGE, now_s)
    set_due(world.due, asset, now_s + world.conduct.triage_s)


def go_on(fleet: Fleet, world: World, asset: int, now_s: float) -> None:
    """A stage of the repair, or maintenance, is over."""
    one = world.assets[asset]
    if one.stage == TRIAGE and one.outcome == REPAIRS:
        ask_for_part(fleet, world, asset, now_s)
    elif one.stage == TRIAGE and one.outcome == REBOOTS:
        begin_stage(fleet, world, asset, REBOOT, now_s)
        set_due(world.due, asset, now_s + world.conduct.reboot_s)
    elif one.stage == HANDS_ON:
        free_hands(fleet, world, skill_of(world, asset), now_s)
        begin_stage(fleet, world, asset, BURN_IN, now_s)
        set_due(world.due, asset, now_s + world.conduct.burn_in_s)
    elif one.stage == BURN_IN and drawn(world, BURN, asset, one.num_draws) < failing_again(world, asset):
        one.num_draws += 1
        ask_for_hands(fleet, world, asset, now_s)
    else:
        return_to_service(fleet, world, asset, now_s)


def failing_again(world: World, asset: int) -> float:
    """Chance that the repair has not helped; a whole new node always does."""
    one = world.assets[asset]
    return 0.0 if one.is_replaced_whole else float(world.hazards[one.cause].failed_repair_frac)


def ask_for_part(fleet: Fleet, world: World, asset: int, now_s: float) -> None:
    """Take the part from the shelf, if it takes one, or wait for it."""
    one = world.assets[asset]
    hazard = world.hazards[one.cause]
    part = hazard.part
    if one.is_replaced_whole:
        part = world.conduct.node_part
    elif drawn(world, PART_NEED, asset, one.num_faults) >= hazard.part_frac:
        part = NONE
    one.part = part
    if part == NONE:
        ask_for_hands(fleet, world, asset, now_s)
        return
    one.replaced = True
    order(world, part, now_s)
    shelf = world.parts[part]
    if shelf.num_stock > 0:
        shelf.num_stock -= 1
        ask_for_hands(fleet, world, asset, now_s)
        return
    shelf.num_short += 1
    begin_stage(fleet, world, asset, PART_WAIT, now_s)
    not_due(world.due, asset)
    shelf.queue_first, shelf.queue_last = queued(world, shelf.queue_first, shelf.queue_last, asset)


def order(world: World, part: int, now_s: float) -> None:
    """One for one: what is taken is ordered again."""
    shelf = world.parts[part]
    shelf.num_used += 1
    width = world.part_rings_s.shape[1]
    world.part_rings_s[part, (shelf.ring_first + shelf.num_ordered) % width] = now_s + shelf.lead_time_s
    shelf.num_ordered += 1
    if shelf.num_ordered == 1:
        set_due(world.due, part_thing(world, part), now_s + shelf.lead_time_s)


def receive(fleet: Fleet, world: World, part: int, now_s: float) -> None:
    """A part arrives: for whoever waits longest, else for the shelf."""
    shelf = world.parts[part]
    width = world.part_rings_s.shape[1]
    shelf.ring_first = (shelf.ring_first + 1) % width
    shelf.num_ordered -= 1
    if shelf.num_ordered > 0:
        set_due(world.due, part_thing(world, part), world.part_rings_s[part, shelf.ring_first])
    else:
        not_due(world.due, part_thing(world, part))
    if shelf.queue_first == NONE:
        shelf.num_stock += 1
        return
    asset = shelf.queue_first
    shelf.queue_first = world.assets[asset].next
    ask_for_hands(fleet, world, asset, now_s)


def skill_of(world: World, asset: int) -> int:
    """Whose hands an asset needs."""
    one = world.assets[asset]
    return int(world.conduct.node_skill if one.is_replaced_whole else world.hazards[one.cause].skill)


def ask_for_hands(fleet: Fleet, world: World, asset: int, now_s: float) -> None:
    """Somebody on duty comes, or the asset waits."""
    skill = skill_of(world, asset)
    hands = world.skills[skill]
    if hands.num_busy < hands.on_duty:
        begin_work(fleet, world, asset, now_s)
        return
    begin_stage(fleet, world, asset, HAND_WAIT, now_s)
    not_due(world.due, asset)
    hands.queue_first, hands.queue_last = queued(world, hands.queue_first, hands.queue_last, asset)


def begin_work(fleet: Fleet, world: World, asset: int, now_s: float) -> None:
    """Hands are on it, from now and their way here until the work is done."""
    one = world.assets[asset]
    hands = world.skills[skill_of(world, asset)]
    hands.num_busy += 1
    hands.num_jobs += 1
    mean_s = world.conduct.node_hands_on_s if one.is_replaced_whole else world.hazards[one.cause].hands_on_s
    one.num_draws += 1
    work_s = exponential_number(drawn(world, WORK_TIME, asset, one.num_draws), mean_s)
    hands.busy_s += hands.response_s + work_s
    if one.stage == HAND_WAIT:
        hands.waited_s += now_s - one.since_s
    begin_stage(fleet, world, asset, HANDS_ON, now_s)
    set_due(world.due, asset, on_tick(now_s + hands.response_s + work_s))


def free_hands(fleet: Fleet, world: World, skill: int, now_s: float) -> None:
    """Somebody is done, and goes to whoever waits longest, while on duty."""
    world.skills[skill].num_busy -= 1
    serve(fleet, world, skill, now_s)


def serve(fleet: Fleet, world: World, skill: int, now_s: float) -> None:
    """Those on duty who are free go to those who wait."""
    hands = world.skills[skill]
    while hands.queue_first != NONE and hands.num_busy < hands.on_duty:
        asset = hands.queue_first
        hands.queue_first = world.assets[asset].next
        begin_work(fleet, world, asset, now_s)


def change_shift(fleet: Fleet, world: World, skill: int, now_s: float) -> None:
    """The next shift begins; who is at work finishes it."""
    hands = world.skills[skill]
    hands.on_duty = world.shifts[hands.next_shift].on_duty
    hands.next_shift += 1
    if hands.next_shift == hands.end_shift:
        hands.next_shift = hands.first_shift
    week_s = world.conduct.week_s
    begins_s = world.shifts[hands.next_shift].begin_s
    into_s = now_s - np.floor(now_s / week_s) * week_s
    wait_s = begins_s - into_s
    if wait_s <= 0.0:
        wait_s += week_s
    set_due(world.due, skill_thing(world, skill), now_s + wait_s)
    serve(fleet, world, skill, now_s)


def queued(world: World, first: int, last: int, asset: int) -> tuple[int, int]:
    """An asset at the end of a queue; returns the queue's ends."""
    world.assets[asset].next = NONE
    if first == NONE:
        return asset, asset
    world.assets[last].next = asset
    return first, asset


def return_to_service(fleet: Fleet, world: World, asset: int, now_s: float) -> None:
    """The asset is sound again."""
    one = world.assets[asset]
    begin_stage(fleet, world, asset, SERVICE, now_s)
    if one.replaced:
        one.new_since_s = now_s
    if one.is_replaced_whole:
        one.frailty_ratio = 1.0
        drain.forget(one)
    cause = one.cause
    one.replaced, one.is_replaced_whole = False, False
    one.cause = NONE
    one.speed_frac = 1.0
    await_fault(world, asset, now_s)
    if one.scope == NODE_SCOPE:
        offer(fleet, world, asset, now_s)
    elif world.hazards[cause].effect == STOPS:
        for node in range(one.first_node, one.end_node):
            bring_back(fleet, world, node, now_s)
    world.touched[one.pool] = True


def bring_back(fleet: Fleet, world: World, node: int, now_s: float) -> None:
    """A domain that the node is in is no longer out."""
    one = world.assets[node]
    if one.stage == SERVICE and one.outages == 1:
        begin_stage(fleet, world, node, SERVICE, now_s)
        one.cause = NONE
    one.outages -= 1
    offer(fleet, world, node, now_s)


def offer(fleet: Fleet, world: World, node: int, now_s: float) -> None:
    """A node that nobody knows to be broken, in no domain that is out, takes jobs; or stands by.

    Spares are those beyond the nodes that the site works with.
    """
    one = world.assets[node]
    known = one.stage != SERVICE and one.stage != FAULTY
    if known or one.outages > 0 or one.is_spare or fleet.machines.nodes[node].is_open:
        return
    pool, num_spares = fleet.pools[one.pool], world.num_spares[one.pool]
    is_complete = (pool.num_open + num_spares[1]) * pool.gpus_per_node >= pool.total_gpus
    if is_complete and num_spares[0] < num_spares[1] and one.num_held == 0 and one.stage == SERVICE:
        world.spares[one.pool, num_spares[0]] = node
        num_spares[0] += 1
        one.is_spare = True
        one.since_s = now_s
    else:
        pool.free_gpus += open_node(fleet.machines, fleet.pools, node)


def withdraw(fleet: Fleet, world: World, node: int, now_s: float) -> None:
    """No job starts on the node any more, and it stands by no longer."""
    one = world.assets[node]
    if fleet.machines.nodes[node].is_open:
        fleet.pools[one.pool].free_gpus -= close_node(fleet.machines, fleet.pools, node)
    if one.is_spare:
        drop_spare(fleet, world, node, now_s)


def drop_spare(fleet: Fleet, world: World, node: int, now_s: float) -> None:
    """The node is no spare any more."""
    one = world.assets[node]
    if one.stage == SERVICE:
        begin_stage(fleet, world, node, SERVICE, now_s)
    num_spares = world.num_spares[one.pool]
    place = 0
    while world.spares[one.pool, place] != node:
        place += 1
    num_spares[0] -= 1
    world.spares[one.pool, place] = world.spares[one.pool, num_spares[0]]
    one.is_spare = False


def begin_maintenance(fleet: Fleet, world: World, node: int, now_s: float) -> None:
    """Nothing runs on it any more: it is maintained."""
    begin_stage(fleet, world, node, MAINTENANCE, now_s)
    set_due(world.due, node, now_s + world.conduct.maintenance_s)


def outcome_of(world: World, asset: int, hazard: int) -> int:
    """What will mend the fault."""
    row = world.hazards[hazard]
    draw = drawn(world, OUTCOME, asset, world.assets[asset].num_faults)
    if draw < row.repair_frac:
        return REPAIRS
    return REBOOTS if draw < row.repair_frac + row.reboot_frac else RESTARTS
