"""Faults: what one does to the jobs on an asset, when it is found, and what follows. In numba's subset."""

from __future__ import annotations

from gigawatt.operate.due import not_due, set_due
from gigawatt.operate.hazards import (
    DIAGNOSIS,
    PLACE,
    STAND_IN,
    await_fault,
    detection_s,
    drawn,
    struck_by,
)
from gigawatt.operate.jobs import change_speed, is_unfit, restart, run_on, save_first, see_to, shed, stall
from gigawatt.operate.policies import drain
from gigawatt.operate.repair import outcome_of, return_to_service, start_repair, withdraw
from gigawatt.operate.spells import begin_stage, end_spell
from gigawatt.operate.state import Fleet
from gigawatt.operate.tables import NONE
from gigawatt.operate.world import (
    CORRUPTS,
    DRAINING,
    FAULTS,
    FAULTY,
    GPU,
    NODE_SCOPE,
    REPAIRS,
    RESTARTS,
    RUNNING,
    SAVING,
    SERVICE,
    SLOWS,
    STALLED,
    STARTING,
    STOPS,
    World,
)


def come_due(policy: int, fleet: Fleet, world: World, asset: int, now_s: float) -> None:
    """An asset in service may fail now; a fault that nobody knew of is found."""
    if world.assets[asset].stage == SERVICE:
        hazard = struck_by(world, asset, now_s)
        if hazard == NONE:
            await_fault(world, asset, now_s)
        else:
            strike(fleet, world, asset, hazard, now_s)
    else:
        find(policy, fleet, world, asset, now_s)


def strike(fleet: Fleet, world: World, asset: int, hazard: int, now_s: float) -> None:
    """A fault strikes: jobs stop, slow down or go astray, and nobody knows yet."""
    one = world.assets[asset]
    world.counts[FAULTS] += 1
    one.num_faults += 1
    one.outcome = outcome_of(world, asset, hazard)
    begin_stage(fleet, world, asset, FAULTY, now_s)
    one.cause = hazard
    drain.note_fault(one, now_s, world.conduct.quarantine_window_s)
    row = world.hazards[hazard]
    if row.effect == SLOWS:
        one.speed_frac = row.speed_frac
    if one.scope == NODE_SCOPE:
        hit_node(fleet, world, asset, hazard, now_s)
    else:
        for node in range(one.first_node, one.end_node):
            if row.effect == STOPS:
                take_out(fleet, world, node, hazard, now_s)
            hit_node(fleet, world, node, hazard, now_s)
    set_due(world.due, asset, now_s + detection_s(world, asset, hazard))


def take_out(fleet: Fleet, world: World, node: int, hazard: int, now_s: float) -> None:
    """A domain that the node is in is out, and the node with it."""
    one = world.assets[node]
    withdraw(fleet, world, node, now_s)
    if one.stage == SERVICE and one.outages == 0:
        one.since_s = now_s
        one.cause = hazard
    one.outages += 1


def hit_node(fleet: Fleet, world: World, node: int, hazard: int, now_s: float) -> None:
    """What a fault does to the jobs on a node: to all, or to that on one of its accelerators."""
    each = fleet.pools[fleet.machines.nodes[node].pool].gpus_per_node
    if world.hazards[hazard].scope == GPU:
        place = int(drawn(world, PLACE, node, world.assets[node].num_faults) * each)
        hit_job(fleet, world, node, fleet.machines.holder[node, place], hazard, now_s)
        return
    before = NONE
    for gpu in range(each):
        job = fleet.machines.holder[node, gpu]
        if job != before:
            hit_job(fleet, world, node, job, hazard, now_s)
            before = job


def hit_job(fleet: Fleet, world: World, node: int, job: int, hazard: int, now_s: float) -> None:
    """What a fault of a node does to a job on it."""
    if job == NONE or stands_by(fleet, world, job, node):
        return
    one = world.work[job]
    effect = world.hazards[hazard].effect
    if effect == STOPS:
        if one.state == STARTING or one.state == RUNNING or one.state == SAVING:
            stall(fleet, world, job, hazard, now_s)
    elif effect == SLOWS:
        change_speed(fleet, world, job, now_s)
    elif one.state == RUNNING:
        change_speed(fleet, world, job, now_s)
        one.clean_gpu_s = min(one.clean_gpu_s, one.saved_gpu_s)


def stands_by(fleet: Fleet, world: World, job: int, node: int) -> bool:
    """Whether the node is one of those that a gang keeps idle; which of them are is drawn."""
    one = world.work[job]
    if one.hot_nodes == 0:
        return False
    each = fleet.pools[fleet.jobs[job].pool].gpus_per_node
    share = one.hot_nodes * each / fleet.jobs[job].num_gpus
    return bool(drawn(world, STAND_IN, node, world.assets[node].num_faults) < share)


def find(policy: int, fleet: Fleet, world: World, asset: int, now_s: float) -> None:
    """A fault is known: its jobs go on without the asset, or with it where it needs nothing."""
    one = world.assets[asset]
    hazard = one.cause
    if one.scope != NODE_SCOPE:
        find_domain(policy, fleet, world, asset, now_s)
        return
    lemon = world.conduct.node_part != NONE and drain.is_due(one, world.conduct.num_quarantine_faults)
    if lemon and one.outcome != RESTARTS:
        one.outcome, one.is_replaced_whole = REPAIRS, True
    if one.outcome == RESTARTS:
        return_to_service(fleet, world, asset, now_s)
        tell_jobs(policy, fleet, world, asset, hazard, now_s)
    elif is_missed(world, asset):
        not_due(world.due, asset)
        tell_jobs(policy, fleet, world, asset, hazard, now_s)
    else:
        withdraw(fleet, world, asset, now_s)
        begin_stage(fleet, world, asset, DRAINING, now_s)
        not_due(world.due, asset)
        tell_jobs(policy, fleet, world, asset, hazard, now_s)
        see_to(fleet, world, asset, now_s)


def is_missed(world: World, asset: int) -> bool:
    """Whether another node, or none, is taken for the one at fault: the job meets it again."""
    one = world.assets[asset]
    row = world.hazards[one.cause]
    if one.num_held == 0 or row.effect != STOPS:
        return False
    one.num_draws += 1
    return bool(drawn(world, DIAGNOSIS, asset, one.num_draws) < row.misdiagnosed_frac)


def find_domain(policy: int, fleet: Fleet, world: World, asset: int, now_s: float) -> None:
    """A domain's fault is known: its nodes are left where it stopped them, and it is repaired."""
    one = world.assets[asset]
    hazard = one.cause
    if one.outcome == RESTARTS:
        return_to_service(fleet, world, asset, now_s)
    else:
        start_repair(fleet, world, asset, now_s)
    if world.hazards[hazard].effect != SLOWS:
        for node in range(one.first_node, one.end_node):
            tell_jobs(policy, fleet, world, node, hazard, now_s)
    elif one.stage == SERVICE:
        relieve(fleet, world, asset, now_s)


def relieve(fleet: Fleet, world: World, domain: int, now_s: float) -> None:
    """A domain is sound again: jobs in it that it slowed go on at their own speed."""
    for node in range(world.assets[domain].first_node, world.assets[domain].end_node):
        for gpu in range(fleet.pools[world.assets[domain].pool].gpus_per_node):
            job = fleet.machines.holder[node, gpu]
            if job != NONE and world.work[job].speed_frac < 1.0:
                change_speed(fleet, world, job, now_s)


def tell_jobs(policy: int, fleet: Fleet, world: World, node: int, hazard: int, now_s: float) -> None:
    """The jobs on a node learn that its fault is known."""
    before = NONE
    for gpu in range(fleet.pools[fleet.machines.nodes[node].pool].gpus_per_node):
        job = fleet.machines.holder[node, gpu]
        if job != NONE and job != before:
            tell_job(policy, fleet, world, node, job, hazard, now_s)
        before = job


def tell_job(policy: int, fleet: Fleet, world: World, node: int, job: int, hazard: int, now_s: float) -> None:
    """A job learns of a fault of its node: it restarts, saves first, or gives up an idle node."""
    one = world.work[job]
    effect = world.hazards[hazard].effect
    drains = is_unfit(world, node)
    outlived = effect == STOPS and drains and one.wanted_nodes > 0
    if one.state == STALLED or (drains and one.state == STARTING):
        restart(policy, fleet, world, job, now_s)
    elif drains and one.hot_nodes > 0 and (outlived or stands_by(fleet, world, job, node)):
        end_spell(fleet, world, job, now_s)
        one.hot_nodes -= 1
        shed(fleet, world, job, node, now_s)
        if one.state == RUNNING:
            run_on(fleet, world, job, now_s)
    elif one.state == RUNNING and (outlived or effect == CORRUPTS):
        end_spell(fleet, world, job, now_s)
        one.cause = hazard
        one.num_faults += 1
        restart(policy, fleet, world, job, now_s)
    elif drains and effect == SLOWS:
        save_first(fleet, world, job, now_s)
    elif effect == SLOWS:
        change_speed(fleet, world, job, now_s)


def maintain(policy: int, fleet: Fleet, world: World, node: int, now_s: float) -> None:
    """A sound node's turn for planned maintenance: its jobs save, and go on elsewhere."""
    one = world.assets[node]
    if one.stage != SERVICE or one.outages > 0:
        return
    withdraw(fleet, world, node, now_s)
    begin_stage(fleet, world, node, DRAINING, now_s)
    not_due(world.due, node)
    one.num_candidates += 1  # the fault that would have come is not waited for anew: it was a long wait
    before = NONE
    for gpu in range(fleet.pools[one.pool].gpus_per_node):
        job = fleet.machines.holder[node, gpu]
        if job != NONE and job != before:
            save_first(fleet, world, job, now_s)
            if world.work[job].state == STARTING:
                restart(policy, fleet, world, job, now_s)
        before = job
    see_to(fleet, world, node, now_s)
