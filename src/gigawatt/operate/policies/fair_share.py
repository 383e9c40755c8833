"""Fair share: next is the tenant that has used least for its weight; others' heads do not delay its head.

Usage fades: half of it is forgotten every half-life. Source: SchedMD, Slurm's classic fair-share algorithm
(PriorityDecayHalfLife), for the rule; J. Kay, P. Lauder, A fair share scheduler (CACM 31, 1988).
"""

from __future__ import annotations

import numpy as np

from gigawatt.operate.policies import fifo
from gigawatt.operate.policies.easy import reservation
from gigawatt.operate.state import NOBODY, Fleet, fits, leave_line, start


def enqueue(fleet: Fleet, job: int) -> None:
    """The job waits at the end of its tenant's line."""
    fifo.enqueue(fleet, job)


def schedule(fleet: Fleet, pool: int, now_s: float) -> None:
    """Start heads of tenants, the least served first; once one does not fit, who leaves it alone."""
    settle(fleet, now_s)
    blocked, reservation_s, extra = NOBODY, 0.0, 0
    for line in range(fleet.pools[pool].first_line, fleet.pools[pool].end_line):
        fleet.lines[line].tried = False
    job = next_head(fleet, pool)
    while job != NOBODY:
        if blocked == NOBODY and not fits(fleet, job):
            blocked = job
            reservation_s, extra = reservation(fleet, pool, fleet.jobs[job].num_gpus)
        in_time = now_s + fleet.jobs[job].runtime_s <= reservation_s
        if fits(fleet, job) and (blocked == NOBODY or in_time or fleet.jobs[job].num_gpus <= extra):
            if blocked != NOBODY and not in_time:
                extra -= fleet.jobs[job].num_gpus
            leave_line(fleet, job)
            start(fleet, job, now_s)
        else:
            fleet.lines[fleet.jobs[job].line].tried = True
        job = next_head(fleet, pool)
    note_held(fleet)


def settle(fleet: Fleet, now_s: float) -> None:
    """Bring every tenant's usage up to now."""
    rate = np.log(2.0) / fleet.rules.half_life_s
    for tenant in range(fleet.tenants.shape[0]):
        one = fleet.tenants[tenant]
        passed_s = now_s - one.usage_at_s
        kept = np.exp(-rate * passed_s)
        gained_s = passed_s if rate == 0.0 else (1.0 - kept) / rate
        one.usage_gpu_s = one.usage_gpu_s * kept + one.since_gpus * gained_s
        one.usage_at_s = now_s


def note_held(fleet: Fleet) -> None:
    """From now on tenants hold what they hold now."""
    for tenant in range(fleet.tenants.shape[0]):
        fleet.tenants[tenant].since_gpus = fleet.tenants[tenant].used_gpus


def next_head(fleet: Fleet, pool: int) -> int:
    """The head, not yet tried, of the tenant that has used least for its weight; then who holds least."""
    best, best_usage, best_held = NOBODY, np.inf, np.inf
    for line in range(fleet.pools[pool].first_line, fleet.pools[pool].end_line):
        head = fleet.lines[line].first
        if head == NOBODY or fleet.lines[line].tried:
            continue
        tenant = fleet.tenants[fleet.jobs[head].tenant]
        usage, held = tenant.usage_gpu_s / tenant.weight, tenant.used_gpus / tenant.weight
        if best == NOBODY or usage < best_usage or (usage == best_usage and held < best_held):
            best, best_usage, best_held = head, usage, held
    return best
