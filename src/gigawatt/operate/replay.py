"""A trace of jobs played back under a policy: who would have started when, and waited how long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from gigawatt import kernels
from gigawatt.domain.fleet import Job, JobTrace, LineRemark, ReplayResult, ReplaySummary
from gigawatt.errors import InputError
from gigawatt.operate.metrics import Ran, figures, figures_by_pool
from gigawatt.operate.policies import POLICIES
from gigawatt.operate.replay_kernel import ARRIVED, FINISHED, ROUNDS, World, advance, new_world
from gigawatt.operate.state import Fleet, new_fleet
from gigawatt.operate.tables import Ints

GPUS_PER_NODE = 8
"""The capacity file counts nodes of eight; a pool has at least one."""
MANY_EVENTS = 500_000
"""After so many, whoever waits hears how far things are."""
MOST_SCALE = 1_000.0
MOST_GPUS = 100_000_000

Progress = Callable[[int, int, str], None]


def replay_jobs(
    jobs: JobTrace | Iterable[Job],
    num_nodes: Mapping[str, float],
    policy: str,
    scale: float = 1.0,
    progress: Progress = lambda _done, _total, _label: None,
) -> ReplayResult:
    """Play `jobs` back on one pool of max(8, int(nodes x 8 x scale)) GPUs per tenant.

    `num_nodes`: of eight GPUs, by tenant. Gangs start whole, run exactly as long as they did, and
    are not preempted. A job larger than its pool, or of a tenant without one, is dropped and counted.
    `progress(done, total, label)` counts events. Errors: InputError for a policy that there is not, a scale
    or capacity out of range, or jobs that cannot be (negative, NaN).
    """
    trace = jobs if isinstance(jobs, JobTrace) else JobTrace.of(jobs)
    total_gpus = pool_gpus(num_nodes, scale)
    known = [name for name, row in POLICIES.items() if not row.by_tenant]
    if policy not in known:
        raise InputError(f"{policy}: no such policy for a replay; there are {', '.join(known)}")
    _check(trace)
    pool_of, dropped = _assign(trace, list(num_nodes), total_gpus)
    kept = np.flatnonzero(dropped == 0)
    kept = kept[np.argsort(trace.submit_s[kept], kind="stable")]
    fleet = new_fleet(pool_of[kept], trace.duration_s[kept], trace.num_gpus[kept], total_gpus)
    world = new_world(trace.submit_s[kept], len(total_gpus))
    run(fleet, world, POLICIES[policy].number, progress)
    return _result(trace, kept, fleet, world, tuple(num_nodes), policy, scale, dropped)


def pool_gpus(num_nodes: Mapping[str, float], scale: float = 1.0) -> Ints:
    """GPUs of each tenant's pool, in order. Errors: InputError where there is no such number."""
    if not 0.0 < scale <= MOST_SCALE:
        raise InputError(f"scale: expected more than 0 and at most {MOST_SCALE:g}, found {scale:g}")
    if not num_nodes:
        raise InputError("no tenant has capacity")
    for tenant, nodes in num_nodes.items():
        if not 0.0 <= nodes * GPUS_PER_NODE * scale <= MOST_GPUS:
            raise InputError(f"{tenant}: expected from 0 to {MOST_GPUS:,} GPUs, found {nodes:g} nodes")
    pools = [max(GPUS_PER_NODE, int(nodes * GPUS_PER_NODE * scale)) for nodes in num_nodes.values()]
    return np.array(pools, np.int64)


def run(
    fleet: Fleet, world: World, policy: int, progress: Progress = lambda _done, _total, _label: None
) -> None:
    """Play the world to its end, compiled."""
    from gigawatt.handles import Handle

    play = kernels.compiled(advance, allocates=False, inline=False)
    fleet_handle, world_handle = Handle(fleet), Handle(world)
    total = 2 * len(world.submit_s)
    while play(fleet_handle, world_handle, policy, MANY_EVENTS):
        progress(int(world.counts[ARRIVED] + world.counts[FINISHED]), total, "events")


def _check(trace: JobTrace) -> None:
    times = (trace.submit_s, trace.duration_s)
    if not all(np.isfinite(column).all() for column in times):
        raise InputError("submit_s and duration_s must be finite")
    if (trace.duration_s < 0.0).any() or (trace.num_gpus < 0).any():
        raise InputError("duration_s and num_gpus must not be negative")


UNLISTED, TOO_LARGE = 1, 2


def _assign(trace: JobTrace, tenants: list[str], total_gpus: Ints) -> tuple[Ints, NDArray[np.int8]]:
    """The pool of each job, and why it is dropped (0: it is not)."""
    pools = {tenant: n for n, tenant in enumerate(tenants)}
    by_tenant = np.array([pools.get(tenant, -1) for tenant in trace.tenants], np.int64)
    pool_of = by_tenant[trace.tenant] if len(trace) else np.zeros(0, np.int64)
    dropped = np.where(trace.num_gpus > total_gpus[pool_of], TOO_LARGE, 0)
    return pool_of, np.where(pool_of < 0, UNLISTED, dropped).astype(np.int8)


def _result(
    trace: JobTrace,
    kept: Ints,
    fleet: Fleet,
    world: World,
    tenants: tuple[str, ...],
    policy: str,
    scale: float,
    dropped: NDArray[np.int8],
) -> ReplayResult:
    jobs, total_gpus = fleet.jobs, fleet.pools.total_gpus
    ran = Ran(jobs.pool, world.submit_s, jobs.start_s, jobs.end_s, jobs.num_gpus)
    remarks = (
        *trace.remarks,
        *_drop_remarks(trace, dropped, dict(zip(tenants, total_gpus, strict=True))),
    )
    summary = ReplaySummary(
        file=trace.file,
        policy=policy,
        scale=float(scale),
        num_lines=trace.num_lines,
        num_jobs=len(trace),
        jobs_started=len(kept),
        jobs_dropped=len(trace) - len(kept),
        remarks=dict(Counter(remark.kind for remark in remarks)),
        events=int(world.counts[ARRIVED] + world.counts[FINISHED]),
        rounds=int(world.counts[ROUNDS]),
        span_s=ran.span_s,
        overall=figures(ran, "", int(total_gpus.sum()), ran.span_s),
        tenants=figures_by_pool(ran, tenants, total_gpus.tolist()),
    )
    start_s, end_s = np.full(len(trace), np.nan), np.full(len(trace), np.nan)
    start_s[kept], end_s[kept] = jobs.start_s, jobs.end_s
    return ReplayResult(summary, trace, start_s, end_s, remarks)


def _drop_remarks(
    trace: JobTrace, dropped: NDArray[np.int8], pools: Mapping[str, int]
) -> Iterator[LineRemark]:
    for n in np.flatnonzero(dropped):
        tenant, line, name = trace.tenants[trace.tenant[n]], int(trace.line[n]), trace.ids[n]
        if dropped[n] == UNLISTED:
            message = f"{tenant} is not in the capacity file"
            yield LineRemark(line, "unlisted tenant", name, message)
        else:
            message = f"{trace.num_gpus[n]} GPUs, and the pool of {tenant} has {pools[tenant]}"
            yield LineRemark(line, "larger than pool", name, message)
