"""The state of a fleet: what waits, what runs and what is free, pool by pool.

This is all that a policy sees. It does not say whether the fleet is simulated, replayed or real: a world
tells which jobs arrive and which have ended, a policy decides what starts and what gives way, and the
functions below keep the books. Plain functions in numba's subset, compiled by `gigawatt.kernels`.

Jobs are numbered as they arrive (by submission, at one instant in file order), so the lower number came
first. Each pool owns a stretch of the heaps, as long as it has jobs. Where a pool has no nodes
(`gigawatt.operate.machines`), GPUs are counted and stand nowhere.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gigawatt.operate import heap
from gigawatt.operate.machines import Machines, has_room, let_go, no_machines, take
from gigawatt.operate.tables import JOB, LINE, NONE, POOL, TENANT, Floats, Ints, Table, table

NOBODY = NONE
"""Where a job number stands: no job."""
STARTED, PUT_BACK = 0, 1
"""What `decided` counts: jobs to start, and jobs that have to give way."""


class Rules(NamedTuple):
    """Numbers that policies go by."""

    backfill_depth: int
    """How many of those that wait a backfill looks at."""
    half_life_s: float
    """After which half of a tenant's usage is forgotten."""
    preempts: bool
    """Whether those of a lower priority give way to one that waits."""
    preemptible_after_s: float
    """How long a job runs before others may take its place."""
    placement: int
    """By which rule nodes are chosen (`machines.PACK`, `machines.SPREAD`)."""


class Fleet(NamedTuple):
    """Every table and array of the state; the columns are those of `gigawatt.operate.tables`."""

    jobs: Table
    pools: Table
    lines: Table
    tenants: Table
    machines: Machines
    rules: Rules
    ranked: Ints
    """[jobs] heaps of those that wait, for policies with an order of their own."""
    running: Ints
    """[jobs] heaps of those that run, by end."""
    frontier: Ints
    """[2 jobs + 2] room to walk through a heap of `running`, or for what will be free when."""
    frontier_s: Floats
    """[2 jobs + 2] s: the times of what stands in `frontier`."""
    decided: Ints
    """[2] how many stand in `starting` and in `giving_way`."""
    starting: Ints
    """[jobs] what the last pass has started."""
    giving_way: Ints
    """[jobs] what the last pass wants put back, so that another can start."""


COUNTED = Rules(
    backfill_depth=np.iinfo(np.int64).max,
    half_life_s=np.inf,
    preempts=False,
    preemptible_after_s=0.0,
    placement=0,
)
"""Of a replay: a backfill looks at everybody, and nobody gives way."""


def new_fleet(pool_of: Ints, runtime_s: Floats, num_gpus: Ints, total_gpus: Ints) -> Fleet:
    """An idle fleet of counted GPUs before its first job, one line a pool; not compiled."""
    num_pools = len(total_gpus)
    jobs = table(
        JOB,
        len(pool_of),
        pool=pool_of,
        line=pool_of,
        num_gpus=num_gpus,
        runtime_s=runtime_s,
        deadline_s=np.inf,
    )
    pools = table(
        POOL,
        num_pools,
        total_gpus=total_gpus,
        free_gpus=total_gpus,
        first_line=np.arange(num_pools),
        end_line=np.arange(1, num_pools + 1),
    )
    return assembled(jobs, pools, table(TENANT, 1, weight=1.0), no_machines(), COUNTED)


def assembled(jobs: Table, pools: Table, tenants: Table, machines: Machines, rules: Rules) -> Fleet:
    """A fleet before its first job from tables that say who and what there is; not compiled."""
    num_jobs = len(jobs)
    sizes = np.bincount(jobs.pool, minlength=len(pools)).astype(np.int64)
    smallest = np.full(len(pools), np.iinfo(np.int64).max)
    np.minimum.at(smallest, jobs.pool, jobs.num_gpus)
    pools.first_place, pools.smallest_gpus = np.cumsum(sizes) - sizes, smallest
    for column in ("start_s", "end_s"):
        jobs[column] = np.nan
    for column in ("behind", "front", "first_node"):
        jobs[column] = NOBODY

    def room(length: int) -> Ints:
        return np.zeros(length, np.int64)

    return Fleet(
        jobs=jobs,
        pools=pools,
        lines=table(LINE, int(pools.end_line.max(initial=0)), first=NOBODY, last=NOBODY),
        tenants=tenants,
        machines=machines,
        rules=rules,
        ranked=room(num_jobs),
        running=room(num_jobs),
        frontier=room(2 * num_jobs + 2),
        frontier_s=np.zeros(2 * num_jobs + 2),
        decided=room(2),
        starting=room(num_jobs),
        giving_way=room(num_jobs),
    )


def fits(fleet: Fleet, job: int) -> bool:
    """Whether the job could start now: GPUs are free, and stand where it can use them."""
    one = fleet.jobs[job]
    pool = fleet.pools[one.pool]
    return bool(one.num_gpus <= pool.free_gpus and has_room(fleet.machines, pool, one.pool, one.num_gpus))


def first_waiting(fleet: Fleet, pool: int) -> int:
    """The head of a pool's first line, which is its only one where tenants have none of their own."""
    return int(fleet.lines[fleet.pools[pool].first_line].first)


def join_line(fleet: Fleet, job: int) -> None:
    """The job, which has just come, waits behind those of its priority or a higher one."""
    line = fleet.lines[fleet.jobs[job].line]
    front, behind = line.last, NOBODY
    while front != NOBODY and fleet.jobs[front].priority < fleet.jobs[job].priority:
        front, behind = fleet.jobs[front].front, front
    stand_between(fleet, job, front, behind)


def rejoin_line(fleet: Fleet, job: int) -> None:
    """The job, which has run before, waits in front of those of its priority."""
    line = fleet.lines[fleet.jobs[job].line]
    front, behind = NOBODY, line.first
    while behind != NOBODY and fleet.jobs[behind].priority > fleet.jobs[job].priority:
        front, behind = behind, fleet.jobs[behind].behind
    stand_between(fleet, job, front, behind)


def stand_between(fleet: Fleet, job: int, front: int, behind: int) -> None:
    """The job takes its place in its line between these two, either of whom may be NOBODY."""
    one = fleet.jobs[job]
    line = fleet.lines[one.line]
    one.front = front
    one.behind = behind
    if front == NOBODY:
        line.first = job
    else:
        fleet.jobs[front].behind = job
    if behind == NOBODY:
        line.last = job
    else:
        fleet.jobs[behind].front = job
    fleet.pools[one.pool].num_waiting += 1


def leave_line(fleet: Fleet, job: int) -> None:
    """The job waits no longer; the others close up."""
    one = fleet.jobs[job]
    line = fleet.lines[one.line]
    if one.front == NOBODY:
        line.first = one.behind
    else:
        fleet.jobs[one.front].behind = one.behind
    if one.behind == NOBODY:
        line.last = one.front
    else:
        fleet.jobs[one.behind].front = one.front
    fleet.pools[one.pool].num_waiting -= 1


def start(fleet: Fleet, job: int, now_s: float) -> None:
    """The job, which waits no longer, takes its GPUs."""
    one = fleet.jobs[job]
    one.start_s = now_s
    fleet.pools[one.pool].free_gpus -= one.num_gpus
    fleet.tenants[one.tenant].used_gpus += one.num_gpus
    take(fleet.machines, fleet.jobs, fleet.pools, job, fleet.rules.placement)
    expect_end(fleet, job, now_s + one.runtime_s)
    fleet.starting[fleet.decided[STARTED]] = job
    fleet.decided[STARTED] += 1


def expect_end(fleet: Fleet, job: int, end_s: float) -> None:
    """The job runs, and is taken to end then."""
    pool = fleet.pools[fleet.jobs[job].pool]
    fleet.jobs[job].end_s = end_s
    heap.push(fleet.running, pool.first_place, pool.num_running, fleet.jobs.end_s, job)
    pool.num_running += 1


def forget_end(fleet: Fleet, job: int) -> None:
    """The job, which runs, is no longer taken to end when it was."""
    pool = fleet.pools[fleet.jobs[job].pool]
    at = 0
    while fleet.running[pool.first_place + at] != job:
        at += 1
    heap.remove(fleet.running, pool.first_place, pool.num_running, fleet.jobs.end_s, at)
    pool.num_running -= 1


def stop(fleet: Fleet, job: int) -> None:
    """The job, which runs, gives its GPUs back: it has ended, or is put back."""
    forget_end(fleet, job)
    give_back(fleet, job)


def give_back(fleet: Fleet, job: int) -> None:
    """The job's GPUs are free again."""
    one = fleet.jobs[job]
    pool, tenant = fleet.pools[one.pool], fleet.tenants[one.tenant]
    pool.free_gpus += let_go(fleet.machines, fleet.jobs, fleet.pools, job)
    tenant.used_gpus -= one.num_gpus
    if one.gives_way:
        one.gives_way = False
        pool.coming_gpus -= one.num_gpus
        tenant.going_gpus -= one.num_gpus


def ask_to_give_way(fleet: Fleet, job: int) -> None:
    """The job, which runs, shall make room; the world says when it has."""
    one = fleet.jobs[job]
    if not one.gives_way:
        one.gives_way = True
        fleet.pools[one.pool].coming_gpus += one.num_gpus
        fleet.tenants[one.tenant].going_gpus += one.num_gpus
        fleet.giving_way[fleet.decided[PUT_BACK]] = job
        fleet.decided[PUT_BACK] += 1


def finish_first(fleet: Fleet, pool: int) -> int:
    """The job of the pool that ends first gives its GPUs back; returns its number."""
    here = fleet.pools[pool]
    job = heap.pop(fleet.running, here.first_place, here.num_running, fleet.jobs.end_s)
    here.num_running -= 1
    give_back(fleet, job)
    return job


def first_end_s(fleet: Fleet, pool: int) -> float:
    """When the next job of the pool ends; infinity where none runs."""
    here = fleet.pools[pool]
    if here.num_running == 0:
        return np.inf
    return float(fleet.jobs[fleet.running[here.first_place]].end_s)
