"""The policies by which waiting jobs start, one file each, and the one table of them.

A policy is two functions over the state of a fleet: `enqueue(fleet, job)` when a job has come, and
`schedule(fleet, pool, now_s)` when something in the pool has changed. A live fleet calls them as they are.
A kernel dispatches by the policy's number: a function passed as an argument would be compiled anew in every
process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gigawatt.operate.policies import conservative, easy, edf, fair_share, fifo, quota, sjf
from gigawatt.operate.state import Fleet

FIFO, SJF, EASY, CONSERVATIVE, EDF, FAIR_SHARE, QUOTA = range(7)


class Policy(NamedTuple):
    """A row of the table."""

    number: int
    enqueue: Callable[[Fleet, int], None]
    schedule: Callable[[Fleet, int, float], None]
    by_tenant: bool
    """Whether each tenant of a pool has a line of its own."""
    note: str


POLICIES = {
    "fifo": Policy(FIFO, fifo.enqueue, fifo.schedule, False, "from the head, nobody overtakes"),
    "sjf": Policy(SJF, sjf.enqueue, sjf.schedule, False, "the shortest first, nobody overtakes it"),
    "easy": Policy(EASY, easy.enqueue, easy.schedule, False, "others while they do not delay the head"),
    "conservative": Policy(
        CONSERVATIVE, conservative.enqueue, conservative.schedule, False, "others while they delay nobody"
    ),
    "edf": Policy(EDF, edf.enqueue, edf.schedule, False, "the earliest deadline first, nobody overtakes it"),
    "fair-share": Policy(
        FAIR_SHARE,
        fair_share.enqueue,
        fair_share.schedule,
        True,
        "the tenant that has used least for its weight",
    ),
    "quota": Policy(
        QUOTA, quota.enqueue, quota.schedule, True, "a quota for each, lent while it is not used"
    ),
}


def enqueue(policy: int, fleet: Fleet, job: int) -> None:
    """A job has come."""
    if policy == SJF:
        sjf.enqueue(fleet, job)
    elif policy == EDF:
        edf.enqueue(fleet, job)
    else:
        fifo.enqueue(fleet, job)


def requeue(policy: int, fleet: Fleet, job: int) -> None:
    """A job that has run waits again, in front of its like."""
    if policy == SJF:
        sjf.enqueue(fleet, job)
    elif policy == EDF:
        edf.enqueue(fleet, job)
    else:
        fifo.requeue(fleet, job)


def schedule(policy: int, fleet: Fleet, pool: int, now_s: float) -> None:
    """Something in a pool has changed: start what may start."""
    if policy == SJF:
        sjf.schedule(fleet, pool, now_s)
    elif policy == EASY:
        easy.schedule(fleet, pool, now_s)
    elif policy == CONSERVATIVE:
        conservative.schedule(fleet, pool, now_s)
    elif policy == EDF:
        edf.schedule(fleet, pool, now_s)
    elif policy == FAIR_SHARE:
        fair_share.schedule(fleet, pool, now_s)
    elif policy == QUOTA:
        quota.schedule(fleet, pool, now_s)
    else:
        fifo.schedule(fleet, pool, now_s)
