"""The policies by which waiting jobs start, one file each, and the one table of them.

A policy is two functions over the state of a fleet: `enqueue(fleet, job)` when a job has come, and
`schedule(fleet, pool, now_s)` when something in the pool has changed. A live fleet calls them as they are.
A kernel dispatches by the policy's number: a function passed as an argument would be compiled anew in every
process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gigawatt.operate.policies import easy, fifo, sjf
from gigawatt.operate.state import Fleet

FIFO, SJF, EASY = 0, 1, 2


class Policy(NamedTuple):
    """A row of the table."""

    number: int
    enqueue: Callable[[Fleet, int], None]
    schedule: Callable[[Fleet, int, float], None]
    note: str


POLICIES = {
    "fifo": Policy(FIFO, fifo.enqueue, fifo.schedule, "from the head, nobody overtakes"),
    "sjf": Policy(SJF, sjf.enqueue, sjf.schedule, "the shortest first, nobody overtakes it"),
    "easy": Policy(EASY, easy.enqueue, easy.schedule, "from the head; others while they do not delay it"),
}


def enqueue(policy: int, fleet: Fleet, job: int) -> None:
    """A job has come."""
    if policy == SJF:
        sjf.enqueue(fleet, job)
    elif policy == EASY:
        easy.enqueue(fleet, job)
    else:
        fifo.enqueue(fleet, job)


def schedule(policy: int, fleet: Fleet, pool: int, now_s: float) -> None:
    """Something in a pool has changed: start what may start."""
    if policy == SJF:
        sjf.schedule(fleet, pool, now_s)
    elif policy == EASY:
        easy.schedule(fleet, pool, now_s)
    else:
        fifo.schedule(fleet, pool, now_s)
