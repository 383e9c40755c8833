"""First in, first out: the head starts when it fits, and nobody overtakes."""

from __future__ import annotations

from gigawatt.operate.policies.preemption import make_room
from gigawatt.operate.state import (
    NOBODY,
    Fleet,
    first_waiting,
    fits,
    join_line,
    leave_line,
    rejoin_line,
    start,
)


def enqueue(fleet: Fleet, job: int) -> None:
    """The job, which has just come, waits at the end of its pool's line."""
    join_line(fleet, job)


def requeue(fleet: Fleet, job: int) -> None:
    """The job, which has run before, waits at the head of its pool's line."""
    rejoin_line(fleet, job)


def schedule(fleet: Fleet, pool: int, now_s: float) -> None:
    """Start from the head of the line what fits, until something does not; that may take others' place."""
    head = first_waiting(fleet, pool)
    while head != NOBODY and fits(fleet, head):
        leave_line(fleet, head)
        start(fleet, head, now_s)
        head = first_waiting(fleet, pool)
    if head != NOBODY and fleet.rules.preempts:
        make_room(fleet, head, fleet.jobs[head].priority, now_s)
