"""The life of a simulated job: it starts, works, hangs, is put back or helped to another node, and is done.

In numba's subset; who waits and what is free is kept by `gigawatt.operate.state`, progress by `spells`.
"""

from __future__ import annotations

import numpy as np

from gigawatt.operate import policies
from gigawatt.operate.due import not_due, set_due
from gigawatt.operate.machines import PACK, choose_pod, choose_rack, drop_node, open_node, take_whole
from gigawatt.operate.policies.checkpoint import adapted_interval_s
from gigawatt.operate.repair import begin_maintenance, drop_spare, start_repair
from gigawatt.operate.spells import (
    begin_state,
    end_spell,
    lose_corrupted,
    lose_unsaved,
    remaining_s,
    save_all,
)
from gigawatt.operate.state import Fleet, expect_end, forget_end, stop
from gigawatt.operate.tables import NONE
from gigawatt.operate.world import (
    CORRUPTS,
    DONE,
    DRAINING,
    FAULTS,
    FAULTY,
    FINISHED,
    FREE_SLOTS,
    PLANNED,
    RUNNING,
    SAVING,
    SERVICE,
    STALLED,
    STARTING,
    STOPS,
    WAITING,
    World,
    on_tick,
    slot_thing,
)

NO_HELP, NOT_NEEDED, STOOD_BY, SHRUNK, SWAPPED = -1, 0, 1, 2, 3
"""What took the place of a job's broken nodes."""


def arrive(policy: int, fleet: Fleet, world: World, job: int, now_s: float) -> None:
    """The job is submitted."""
    world.work[job].state = WAITING
    world.work[job].since_s = now_s
    fleet.jobs[job].runtime_s = world.work[job].restart_s + remaining_s(fleet, world, job)
    policies.enqueue(policy, fleet, job)
    world.touched[fleet.jobs[job].pool] = True


def begin(fleet: Fleet, world: World, job: int, now_s: float) -> None:
    """A policy has started the job: it has its GPUs, and loads."""
    one = world.work[job]
    if one.num_starts == 0:
        one.first_start_s = now_s
    one.num_starts += 1
    one.hot_nodes = one.wanted_nodes
    begin_state(fleet, world, job, STARTING, now_s)
    world.counts[FREE_SLOTS] -= 1
    one.slot = world.free_slots[world.counts[FREE_SLOTS]]
    world.slot_job[one.slot] = job
    node = fleet.jobs[job].first_node
    while node != NONE:
        world.assets[node].num_held += 1
        node = fleet.machines.nodes[node].next
    set_due(world.due, slot_thing(world, one.slot), now_s + one.restart_s)


def go_on(policy: int, fleet: Fleet, world: World, job: int, now_s: float) -> None:
    """What the job was busy with is over."""
    state = world.work[job].state
    if state == STARTING:
        begin_work(fleet, world, job, now_s)
    elif state == RUNNING:
        finish(fleet, world, job, now_s)
    elif state == SAVING:
        end_spell(fleet, world, job, now_s)
        save_all(world, job)
        restart(policy, fleet, world, job, now_s)


def begin_work(fleet: Fleet, world: World, job: int, now_s: float) -> None:
    """All is loaded: the job makes progress, unless a node of it is still broken."""
    one = world.work[job]
    node, broken = fleet.jobs[job].first_node, NONE
    speed, pod = 1.0, pod_of(fleet, node)
    while node != NONE:
        asset = world.assets[node]
        speed = min(speed, speed_of(fleet, world, node))
        if pod_of(fleet, node) != pod:
            speed = min(speed, world.conduct.spread_speed_frac)
        if asset.stage == FAULTY and world.hazards[asset.cause].effect == STOPS:
            broken = node
        if asset.stage == FAULTY and world.hazards[asset.cause].effect == CORRUPTS:
            one.clean_gpu_s = min(one.clean_gpu_s, one.saved_gpu_s)
        node = fleet.machines.nodes[node].next
    if broken != NONE:
        stall(fleet, world, job, world.assets[broken].cause, now_s)
        if world.due.place[broken] == NONE:
            set_due(world.due, broken, now_s + world.hazards[world.assets[broken].cause].detection_s)
        return
    one.speed_frac = speed
    if world.conduct.adapts and one.write_s > 0.0 and one.planned_mttf_s < np.inf:
        adapt_interval(world, job, now_s)
    begin_state(fleet, world, job, RUNNING, now_s)
    run_on(fleet, world, job, now_s)


def run_on(fleet: Fleet, world: World, job: int, now_s: float) -> None:
    """The job makes progress from now on, until it is done."""
    end_s = now_s + remaining_s(fleet, world, job)
    expect(fleet, job, end_s)
    set_due(world.due, slot_thing(world, world.work[job].slot), end_s)


def adapt_interval(world: World, job: int, now_s: float) -> None:
    """The job writes checkpoints from now on as the fleet's faults so far call for."""
    one, fleet_s = world.work[job], world.conduct.planned_mttf_s
    faults = world.counts[FAULTS]
    one.interval_s = on_tick(adapted_interval_s(one.write_s, one.planned_mttf_s, fleet_s, faults, now_s))


def pod_of(fleet: Fleet, node: int) -> int:
    """The pod that a node is in."""
    return int(fleet.machines.racks[fleet.machines.nodes[node].rack].pod)


def speed_of(fleet: Fleet, world: World, node: int) -> float:
    """Speed of a node, of the domains that it is in, whichever is slowest."""
    rack = fleet.machines.nodes[node].rack
    pod = fleet.machines.racks[rack].pod
    num_nodes, num_racks = fleet.machines.nodes.shape[0], fleet.machines.racks.shape[0]
    own = min(world.assets[node].speed_frac, world.assets[num_nodes + rack].speed_frac)
    site = num_nodes + num_racks + fleet.machines.pods.shape[0] + fleet.machines.nodes[node].pool
    around = min(world.assets[num_nodes + num_racks + pod].speed_frac, world.assets[site].speed_frac)
    return float(min(own, around))


def expect(fleet: Fleet, job: int, end_s: float) -> None:
    """The scheduler takes the job to end then."""
    if fleet.jobs[job].end_s != end_s:
        forget_end(fleet, job)
        expect_end(fleet, job, end_s)


def change_speed(fleet: Fleet, world: World, job: int, now_s: float) -> None:
    """A node of a running job has become slow, or fast again."""
    if world.work[job].state == RUNNING:
        end_spell(fleet, world, job, now_s)
        begin_work(fleet, world, job, now_s)


def finish(fleet: Fleet, world: World, job: int, now_s: float) -> None:
    """The job's work is done."""
    end_spell(fleet, world, job, now_s)
    save_all(world, job)
    world.work[job].state = DONE
    world.work[job].done_s = now_s
    world.counts[FINISHED] += 1
    let_go(fleet, world, job, now_s)


def stall(fleet: Fleet, world: World, job: int, cause: int, now_s: float) -> None:
    """A fault has stopped the job, and nobody knows yet."""
    one = world.work[job]
    end_spell(fleet, world, job, now_s)
    one.cause = cause
    one.num_faults += 1
    lose_unsaved(world, job)
    one.state = STALLED
    not_due(world.due, slot_thing(world, one.slot))


def save_first(fleet: Fleet, world: World, job: int, now_s: float) -> None:
    """A running job saves what it has, so that it loses nothing by leaving."""
    one = world.work[job]
    if one.state == RUNNING:
        end_spell(fleet, world, job, now_s)
        one.cause = PLANNED
        begin_state(fleet, world, job, SAVING, now_s)
        set_due(world.due, slot_thing(world, one.slot), now_s + one.write_s)


def give_way(policy: int, fleet: Fleet, world: World, job: int, now_s: float) -> None:
    """The job has been asked to make room: it saves first, where the grace is long enough."""
    one = world.work[job]
    if one.state == RUNNING and one.write_s <= world.conduct.grace_s:
        save_first(fleet, world, job, now_s)
    elif one.state == RUNNING or one.state == STARTING:
        end_spell(fleet, world, job, now_s)
        one.cause = PLANNED
        put_back(policy, fleet, world, job, now_s)


def restart(policy: int, fleet: Fleet, world: World, job: int, now_s: float) -> None:
    """The job starts again from its last sound checkpoint, others taking the place of nodes that drain.

    Where none can, or it has been asked to give way, it is put back.
    """
    end_spell(fleet, world, job, now_s)
    if fleet.jobs[job].gives_way:
        put_back(policy, fleet, world, job, now_s)
        return
    lose_unsaved(world, job)
    lose_corrupted(world, job)
    helped = replace_unfit(fleet, world, job, now_s)
    if helped == NO_HELP:
        put_back(policy, fleet, world, job, now_s)
        return
    one = world.work[job]
    begins_s = now_s + (world.conduct.in_job_restart_s if helped == STOOD_BY else one.restart_s)
    if helped == SWAPPED:
        begins_s += world.conduct.swap_s
    begin_state(fleet, world, job, STARTING, now_s)
    expect(fleet, job, begins_s + remaining_s(fleet, world, job))
    set_due(world.due, slot_thing(world, one.slot), begins_s)


def replace_unfit(fleet: Fleet, world: World, job: int, now_s: float) -> int:
    """Replace each node that the job has to leave; returns the slowest kind of help it took."""
    helped = NOT_NEEDED
    node = unfit_node(fleet, world, job)
    while node != NONE:
        help_here = replace_node(fleet, world, job, node, now_s)
        if help_here == NO_HELP:
            return NO_HELP
        helped = max(helped, help_here)
        node = unfit_node(fleet, world, job)
    return helped


def unfit_node(fleet: Fleet, world: World, job: int) -> int:
    """A node that the job has to leave, NONE where there is none."""
    node = fleet.jobs[job].first_node
    while node != NONE and not is_unfit(world, node):
        node = fleet.machines.nodes[node].next
    return int(node)


def is_unfit(world: World, node: int) -> bool:
    """Whether jobs have to leave the node: it drains, or a domain that it is in is out."""
    return bool(world.assets[node].stage == DRAINING or world.assets[node].outages > 0)


def replace_node(fleet: Fleet, world: World, job: int, node: int, now_s: float) -> int:
    """Let a gang go on without a node: one of its own stands in, or a spare, or a free one, or none."""
    one, here = world.work[job], fleet.jobs[job]
    pool = fleet.pools[here.pool]
    if here.num_gpus < pool.gpus_per_node:
        return NO_HELP
    if one.hot_nodes > 0:
        one.hot_nodes -= 1
        shed(fleet, world, job, node, now_s)
        return STOOD_BY
    if world.num_spares[here.pool, 0] > 0:
        spare = world.spares[here.pool, world.num_spares[here.pool, 0] - 1]
        drop_spare(fleet, world, spare, now_s)
        shed(fleet, world, job, node, now_s)
        adopt(fleet, world, job, spare)
        open_node(fleet.machines, fleet.pools, spare)
        take_whole(fleet.machines, fleet.jobs, fleet.pools, job, spare)
        return SWAPPED
    if world.conduct.takes_free_nodes and pool.num_whole > 0 and pool.free_gpus >= pool.gpus_per_node:
        shed(fleet, world, job, node, now_s)
        pod = choose_pod(fleet.machines, fleet.pools, here.pool, 1, PACK)
        free = fleet.machines.racks[choose_rack(fleet.machines, pod, 1)].first
        adopt(fleet, world, job, free)
        pool.free_gpus -= pool.gpus_per_node
        take_whole(fleet.machines, fleet.jobs, fleet.pools, job, free)
        return SWAPPED
    if here.num_gpus - pool.gpus_per_node >= one.min_gpus:
        shed(fleet, world, job, node, now_s)
        return SHRUNK
    return NO_HELP


def shed(fleet: Fleet, world: World, job: int, node: int, now_s: float) -> None:
    """The gang gives one of its nodes up."""
    count_held(fleet, job, -1)
    fleet.pools[fleet.jobs[job].pool].free_gpus += drop_node(
        fleet.machines, fleet.jobs, fleet.pools, job, node
    )
    world.assets[node].num_held -= 1
    see_to(fleet, world, node, now_s)


def adopt(fleet: Fleet, world: World, job: int, node: int) -> None:
    """The gang takes another node in."""
    count_held(fleet, job, 1)
    world.assets[node].num_held += 1


def count_held(fleet: Fleet, job: int, num_nodes: int) -> None:
    """The job holds so many nodes more."""
    one = fleet.jobs[job]
    gpus = num_nodes * fleet.pools[one.pool].gpus_per_node
    one.num_gpus += gpus
    fleet.tenants[one.tenant].used_gpus += gpus
    if one.gives_way:
        fleet.pools[one.pool].coming_gpus += gpus
        fleet.tenants[one.tenant].going_gpus += gpus


def see_to(fleet: Fleet, world: World, node: int, now_s: float) -> None:
    """A node that has waited for its jobs to go is repaired or maintained."""
    one = world.assets[node]
    if one.num_held == 0 and one.stage == SERVICE:
        one.since_s = now_s
    if one.num_held > 0 or one.stage != DRAINING:
        return
    if one.cause == NONE:
        begin_maintenance(fleet, world, node, now_s)
    else:
        start_repair(fleet, world, node, now_s)


def put_back(policy: int, fleet: Fleet, world: World, job: int, now_s: float) -> None:
    """The job gives its GPUs back, and waits again in front of its like."""
    end_spell(fleet, world, job, now_s)
    lose_unsaved(world, job)
    lose_corrupted(world, job)
    let_go(fleet, world, job, now_s)
    one, here = world.work[job], fleet.jobs[job]
    one.state = WAITING
    one.hot_nodes = one.wanted_nodes
    one.speed_frac = 1.0
    here.num_gpus = gang_gpus(fleet, world, job)
    here.runtime_s = one.restart_s + remaining_s(fleet, world, job)
    policies.requeue(policy, fleet, job)


def gang_gpus(fleet: Fleet, world: World, job: int) -> int:
    """GPUs that a job takes: whole nodes, unless a part of one is all that it asks for."""
    one = world.work[job]
    each = fleet.pools[fleet.jobs[job].pool].gpus_per_node
    if one.wanted_gpus < each and one.wanted_nodes == 0:
        return int(one.wanted_gpus)
    return int(((one.wanted_gpus + each - 1) // each + one.wanted_nodes) * each)


def let_go(fleet: Fleet, world: World, job: int, now_s: float) -> None:
    """The job's GPUs and its slot are free; nodes that waited for that are seen to."""
    one = world.work[job]
    node = fleet.jobs[job].first_node
    while node != NONE:
        world.assets[node].num_held -= 1
        see_to(fleet, world, node, now_s)
        node = fleet.machines.nodes[node].next
    stop(fleet, job)
    not_due(world.due, slot_thing(world, one.slot))
    world.slot_job[one.slot] = NONE
    world.free_slots[world.counts[FREE_SLOTS]] = one.slot
    world.counts[FREE_SLOTS] += 1
    world.touched[fleet.jobs[job].pool] = True
