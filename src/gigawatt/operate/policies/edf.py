"""Earliest deadline first: who has to be ready soonest starts when it fits; nobody overtakes it."""

from __future__ import annotations

from gigawatt.operate.policies import ranked
from gigawatt.operate.state import Fleet


def enqueue(fleet: Fleet, job: int) -> None:
    """The job waits among the others by deadline, those without one last, then by arrival."""
    ranked.join(fleet, job, fleet.jobs.deadline_s)


def schedule(fleet: Fleet, pool: int, now_s: float) -> None:
    """Start the most urgent, again and again, until the most urgent does not fit."""
    ranked.start_in_order(fleet, pool, fleet.jobs.deadline_s, now_s)
