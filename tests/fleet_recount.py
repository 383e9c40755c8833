"""A recount of a simulated fleet's state from first principles, to be made at any instant.

Knows what the tables mean, and none of the functions that keep them. Each check says what it looks at.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gigawatt.operate import world
from gigawatt.operate.policies import EDF, SJF
from gigawatt.operate.tables import NONE
from gigawatt.operate.twin import Twin

HOLDS = (world.STARTING, world.RUNNING, world.STALLED, world.SAVING)
IN_REPAIR = range(world.TRIAGE, world.MAINTENANCE + 1)


def recount(twin: Twin) -> None:
    """All of it."""
    for check in (_gpus, _lists, _pools, _tenants, _queues, _nodes, _domains, _workshop, _due, _progress):
        check(twin)


def _arrived(twin: Twin) -> int:
    return int(twin.world.counts[world.ARRIVED])


def _states(twin: Twin) -> Any:
    return twin.world.work.state[: _arrived(twin)]


def _chain(rows: Any, first: int, link: str) -> list[int]:
    found: list[int] = []
    while first != NONE:
        found.append(int(first))
        assert len(found) <= len(rows), "a list without an end"
        first = int(rows[first][link])
    return found


def _gpus(twin: Twin) -> None:
    """Every GPU has one holder at most, every job holds what it says and where it says."""
    nodes, holder, jobs = twin.fleet.machines.nodes, twin.fleet.machines.holder, twin.fleet.jobs
    assert np.array_equal(nodes.free, (holder == NONE).sum(axis=1))
    running = {int(job) for job in np.flatnonzero(np.isin(_states(twin), HOLDS))}
    held = {
        int(job): int(n)
        for job, n in zip(*np.unique(holder[holder != NONE], return_counts=True), strict=True)
    }
    assert held == {job: int(jobs.num_gpus[job]) for job in running}
    each = holder.shape[1]
    for job in running:
        gang = (
            _chain(nodes, int(jobs.first_node[job]), "next")
            if jobs.num_gpus[job] >= each
            else [int(jobs.first_node[job])]
        )
        assert sorted(gang) == np.unique(np.nonzero(holder == job)[0]).tolist()
        if jobs.num_gpus[job] >= each:
            assert (holder[gang] == job).all()


def _lists(twin: Twin) -> None:
    """Open nodes hang in the list of as much as is free on them; counts of whole ones agree."""
    machines, pools = twin.fleet.machines, twin.fleet.pools
    nodes, each = machines.nodes, machines.holder.shape[1]
    whole = nodes.is_open & (nodes.free == each)
    for rack in range(len(machines.racks)):
        listed = _chain(nodes, int(machines.racks[rack].first), "behind")
        assert sorted(listed) == np.flatnonzero(whole & (nodes.rack == rack)).tolist()
        assert [int(nodes[node].front) for node in listed] == [NONE, *listed[:-1]][: len(listed)]
        assert machines.racks[rack].num_whole == len(listed)
    pod_of, pool_of = machines.racks.pod[nodes.rack], nodes.pool
    assert (
        machines.pods.num_whole.tolist() == np.bincount(pod_of[whole], minlength=len(machines.pods)).tolist()
    )
    assert pools.num_whole.tolist() == np.bincount(pool_of[whole], minlength=len(pools)).tolist()
    assert pools.num_open.tolist() == np.bincount(pool_of[nodes.is_open], minlength=len(pools)).tolist()
    for pool in range(len(pools)):
        for free in range(1, each):
            listed = _chain(nodes, int(machines.part_first[pool, free]), "behind")
            mine = nodes.is_open & (nodes.free == free) & (nodes.pool == pool)
            assert sorted(listed) == np.flatnonzero(mine).tolist()


def _pools(twin: Twin) -> None:
    """Free GPUs are those of open nodes less what a cap withholds; who runs stands in the heap by end."""
    fleet, behind = twin.fleet, twin.world
    nodes, at = fleet.machines.nodes, int(behind.counts[world.CAP_AT])
    for pool, row in enumerate(fleet.pools):
        withheld = int(row.total_gpus * behind.caps[at - 1].withheld_frac) if at else 0
        assert row.free_gpus == nodes.free[nodes.is_open & (nodes.pool == pool)].sum() - withheld
        mine = np.flatnonzero(np.isin(_states(twin), HOLDS) & (fleet.jobs.pool[: _arrived(twin)] == pool))
        heap = fleet.running[row.first_place : row.first_place + row.num_running]
        assert sorted(heap.tolist()) == mine.tolist()
        _is_heap([(fleet.jobs.end_s[job], job) for job in heap])
        assert row.coming_gpus == fleet.jobs.num_gpus[mine][fleet.jobs.gives_way[mine]].sum()
    assert not fleet.jobs.gives_way[: _arrived(twin)][~np.isin(_states(twin), HOLDS)].any()


def _is_heap(keys: list[tuple[float, int]]) -> None:
    assert all(keys[(n - 1) // 2] < keys[n] for n in range(1, len(keys)))


def _tenants(twin: Twin) -> None:
    """Tenants have what their jobs hold."""
    jobs, tenants = twin.fleet.jobs[: _arrived(twin)], twin.fleet.tenants
    holds = np.isin(_states(twin), HOLDS)
    for tenant, row in enumerate(tenants):
        mine = holds & (jobs.tenant == tenant)
        assert row.used_gpus == jobs.num_gpus[mine].sum()
        assert row.going_gpus == jobs.num_gpus[mine & jobs.gives_way].sum()


def _queues(twin: Twin) -> None:
    """Who waits stands in one line, by priority; or in the heap by rank."""
    fleet, jobs = twin.fleet, twin.fleet.jobs
    for pool, row in enumerate(fleet.pools):
        waiting = np.flatnonzero((_states(twin) == world.WAITING) & (jobs.pool[: _arrived(twin)] == pool))
        assert row.num_waiting == len(waiting)
        if twin.policy in (SJF, EDF):
            key = jobs.runtime_s if twin.policy == SJF else jobs.deadline_s
            heap = fleet.ranked[row.first_place : row.first_place + row.num_waiting]
            assert sorted(heap.tolist()) == waiting.tolist()
            _is_heap([(key[job], job) for job in heap])
            continue
        found: list[int] = []
        for line in range(row.first_line, row.end_line):
            queue = _chain(jobs, int(fleet.lines[line].first), "behind")
            assert (np.diff(jobs.priority[queue]) <= 0).all()
            assert (jobs.line[queue] == line).all()
            assert fleet.lines[line].last == (queue[-1] if queue else NONE)
            found += queue
        assert sorted(found) == waiting.tolist()


def _nodes(twin: Twin) -> None:
    """A node is open if, and only if, it is sound or not known to be broken, and is no spare."""
    fleet, assets = twin.fleet, twin.world.assets[: len(twin.fleet.machines.nodes)]
    nodes, holder = fleet.machines.nodes, fleet.machines.holder
    usable = np.isin(assets.stage, (world.SERVICE, world.FAULTY)) & (assets.outages == 0) & ~assets.is_spare
    assert np.array_equal(nodes.is_open, usable)
    assert assets.num_held.tolist() == [len(set(row.tolist()) - {NONE}) for row in holder]
    assert not assets.num_held[np.isin(assets.stage, IN_REPAIR) | assets.is_spare].any()
    for pool, (number, wanted) in enumerate(twin.world.num_spares):
        spares = twin.world.spares[pool, :number].tolist()
        assert sorted(spares) == np.flatnonzero(assets.is_spare & (nodes.pool == pool)).tolist()
        assert number <= wanted


def _domains(twin: Twin) -> None:
    """A node counts the domains around it that are out; no job stays where one is known to be."""
    assets, num = twin.world.assets, len(twin.fleet.machines.nodes)
    outages = np.zeros(num, np.int64)
    for one in assets[num:]:
        if one.stage != world.SERVICE and twin.world.hazards[one.cause].effect == world.STOPS:
            outages[one.first_node : one.end_node] += 1
            if one.stage != world.FAULTY:
                assert not assets.num_held[one.first_node : one.end_node].any()
    assert assets.outages[:num].tolist() == outages.tolist()


def _workshop(twin: Twin) -> None:
    """Parts are on the shelf, on order or owed; hands are on an asset each; nobody waits beside free ones."""
    behind = twin.world
    assets = behind.assets
    for number, (id, row) in enumerate(zip(twin.parts, behind.parts, strict=True)):
        queue = _chain(assets, int(row.queue_first), "next")
        assert (
            sorted(queue)
            == np.flatnonzero((assets.stage == world.PART_WAIT) & (assets.part == number)).tolist()
        )
        assert row.num_stock + row.num_ordered - len(queue) == twin.plan.repair.stock.get(id, 0)
        assert row.num_stock == 0 or not queue
    skill = np.array(
        [
            behind.conduct.node_skill
            if one.is_replaced_whole
            else (behind.hazards[one.cause].skill if one.cause >= 0 else NONE)
            for one in assets
        ]
    )
    for number, row in enumerate(behind.skills):
        queue = _chain(assets, int(row.queue_first), "next")
        assert sorted(queue) == np.flatnonzero((assets.stage == world.HAND_WAIT) & (skill == number)).tolist()
        assert row.num_busy == ((assets.stage == world.HANDS_ON) & (skill == number)).sum()
        assert row.num_busy >= row.on_duty or not queue


def _due(twin: Twin) -> None:
    """Everything that goes on by itself is due; no job hangs on a fault that nobody will ever find."""
    behind, due = twin.world, twin.world.due
    size = int(due.size[0])
    assert due.place[due.heap[:size]].tolist() == list(range(size))
    assert (due.place != NONE).sum() == size
    _is_heap([(due.when_s[thing], thing) for thing in due.heap[:size]])
    timed = (world.TRIAGE, world.REBOOT, world.HANDS_ON, world.BURN_IN, world.MAINTENANCE)
    is_due = due.place[: len(behind.assets)] != NONE
    assert is_due[np.isin(behind.assets.stage, timed)].all()
    assert not is_due[np.isin(behind.assets.stage, (world.PART_WAIT, world.HAND_WAIT, world.DRAINING))].any()
    for job, state in enumerate(_states(twin)):
        slot = int(behind.work.slot[job])
        if state not in HOLDS:
            continue
        assert behind.slot_job[slot] == job
        assert (due.place[world.slot_thing(behind, slot)] != NONE) == (state != world.STALLED)
        assert state != world.STALLED or _has_hope(twin, job, is_due)


def _has_hope(twin: Twin, job: int, is_due: Any) -> bool:
    """Whether a fault that will be found lies on a node of a job, or on a domain around one."""
    assets = twin.world.assets
    to_find = np.flatnonzero((assets.stage == world.FAULTY) & is_due)
    mine = np.unique(np.nonzero(twin.fleet.machines.holder == job)[0])
    return any(((mine >= assets[one].first_node) & (mine < assets[one].end_node)).any() for one in to_find)


def _progress(twin: Twin) -> None:
    """Nobody has done more than was asked; who is done has done all."""
    work = twin.world.work
    assert (work.saved_gpu_s >= 0.0).all()
    assert (work.unsaved_gpu_s >= 0.0).all()
    done = work.saved_gpu_s + work.unsaved_gpu_s
    assert (done <= work.total_gpu_s).all()
    assert (done == work.total_gpu_s)[work.state == world.DONE].all()
