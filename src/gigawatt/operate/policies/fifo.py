"""First in, first out: the head starts when it fits, and nobody overtakes."""

from __future__ import annotations

from gigawatt.operate.state import NOBODY, Fleet, join_line, leave_line, start


def enqueue(fleet: Fleet, job: int) -> None:
    """The job, which has just come, waits at the end of its pool's line."""
    join_line(fleet, job)


def schedule(fleet: Fleet, pool: int, now_s: float) -> None:
    """Start from the head of the line what fits, until something does not."""
    head = fleet.line_first[pool]
    while head != NOBODY and fleet.num_gpus[head] <= fleet.free_gpus[pool]:
        leave_line(fleet, head)
        start(fleet, head, now_s)
        head = fleet.line_first[pool]
