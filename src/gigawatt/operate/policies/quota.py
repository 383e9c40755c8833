"""Quotas with borrowing: a tenant gets its quota whenever it wants it, and others' unused quota meanwhile.

Those within their quota come first, then those that borrow, each by priority and arrival; tenants' lines are
kept. Who is within its quota and finds the GPUs lent takes them back from those that borrow, the latest start
of the lowest priority first. Source for the rules: Kueue's documentation of cohorts, borrowing limits and
reclaiming within a cohort.
"""

from __future__ import annotations

from gigawatt.operate.policies import fifo
from gigawatt.operate.policies.preemption import is_less, shortage
from gigawatt.operate.state import NOBODY, Fleet, ask_to_give_way, fits, leave_line, start


def enqueue(fleet: Fleet, job: int) -> None:
    """The job waits at the end of its tenant's line."""
    fifo.enqueue(fleet, job)


def schedule(fleet: Fleet, pool: int, now_s: float) -> None:
    """Start the heads within quota, then those that borrow; a head that does not fit is passed by."""
    for line in range(fleet.pools[pool].first_line, fleet.pools[pool].end_line):
        fleet.lines[line].tried = False
    job = next_head(fleet, pool)
    while job != NOBODY:
        if fits(fleet, job):
            leave_line(fleet, job)
            start(fleet, job, now_s)
        else:
            fleet.lines[fleet.jobs[job].line].tried = True
            if is_within(fleet, job):
                reclaim(fleet, job, now_s)
        job = next_head(fleet, pool)


def is_within(fleet: Fleet, job: int) -> bool:
    """Whether its tenant's quota has room for the job."""
    tenant = fleet.tenants[fleet.jobs[job].tenant]
    return bool(tenant.used_gpus + fleet.jobs[job].num_gpus <= tenant.quota_gpus)


def may_borrow(fleet: Fleet, job: int) -> bool:
    """Whether its tenant may have as much as with this job."""
    tenant = fleet.tenants[fleet.jobs[job].tenant]
    return bool(tenant.used_gpus + fleet.jobs[job].num_gpus <= tenant.limit_gpus)


def next_head(fleet: Fleet, pool: int) -> int:
    """The head, not yet tried, that comes first: within quota, then by priority and arrival."""
    best, best_within = NOBODY, False
    for line in range(fleet.pools[pool].first_line, fleet.pools[pool].end_line):
        head = fleet.lines[line].first
        if head == NOBODY or fleet.lines[line].tried or not may_borrow(fleet, head):
            continue
        within = is_within(fleet, head)
        better = best == NOBODY or (within and not best_within)
        if not better and within == best_within:
            more = fleet.jobs[head].priority - fleet.jobs[best].priority
            better = more > 0 or (more == 0 and head < best)
        if better:
            best, best_within = head, within
    return best


def reclaim(fleet: Fleet, job: int, now_s: float) -> None:
    """Ask those that run on borrowed quota to give way, until there will be room for the job."""
    pool = fleet.jobs[job].pool
    missing = shortage(fleet, job) - fleet.pools[pool].coming_gpus
    victim = next_borrower(fleet, pool, now_s) if missing > 0 else NOBODY
    while missing > 0 and victim != NOBODY:
        ask_to_give_way(fleet, victim)
        missing -= fleet.jobs[victim].num_gpus
        victim = next_borrower(fleet, pool, now_s)


def next_borrower(fleet: Fleet, pool: int, now_s: float) -> int:
    """Of the running jobs of tenants beyond their quota the one that has the least to say for itself."""
    worst, base = NOBODY, fleet.pools[pool].first_place
    for n in range(fleet.pools[pool].num_running):
        job = fleet.running[base + n]
        tenant, one = fleet.tenants[fleet.jobs[job].tenant], fleet.jobs[job]
        if tenant.used_gpus - tenant.going_gpus <= tenant.quota_gpus or one.gives_way or one.start_s == now_s:
            continue
        if worst == NOBODY or is_less(fleet, job, worst):
            worst = job
    return worst
