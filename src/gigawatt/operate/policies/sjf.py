"""Shortest job first: the shortest of those that wait starts when it fits; nobody overtakes it."""

from __future__ import annotations

from gigawatt.operate.policies import ranked
from gigawatt.operate.state import Fleet


def enqueue(fleet: Fleet, job: int) -> None:
    """The job waits among the others by run time, then by arrival."""
    ranked.join(fleet, job, fleet.jobs.runtime_s)


def schedule(fleet: Fleet, pool: int, now_s: float) -> None:
    """Start the shortest, again and again, until the shortest does not fit."""
    ranked.start_in_order(fleet, pool, fleet.jobs.runtime_s, now_s)
