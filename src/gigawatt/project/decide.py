"""Which option a run should take, and why."""

from __future__ import annotations

from collections.abc import Sequence

from gigawatt.domain.blueprint import Option, RunDecision
from gigawatt.laws.progress import DAY_S
from gigawatt.units import format_quantity

_SAME_DAYS = 0.1
NOTHING = "nothing could be planned here: see what binds each option"


def decide(options: Sequence[Option]) -> RunDecision:
    """The cheapest option that meets the deadline with its runner-up; else the nearest miss.

    Ties go to the earlier finish, then to the id.
    """
    meeting = sorted((one for one in options if one.verdict == "meets"), key=_by_cost)
    if meeting:
        return _choice(meeting)
    late = sorted((one for one in options if one.verdict == "late"), key=lambda one: -(one.slack_s or 0.0))
    if late:
        return _near_miss(late)
    return RunDecision(met=False, reason=NOTHING)


def _by_cost(option: Option) -> tuple[bool, float, str, str]:
    return (option.cost_usd is None, option.cost_usd or 0.0, option.finish, option.id)


def _choice(meeting: Sequence[Option]) -> RunDecision:
    best = meeting[0]
    if best.cost_usd is None:
        best = min(meeting, key=lambda one: (one.finish, one.id))
        reason = f"{best.label} finishes first; no option that meets the deadline has a known price"
        return RunDecision(met=True, option=best.id, reason=reason)
    spare = f"with {(best.slack_s or 0.0) / DAY_S:,.1f} days to spare"
    cost = f"at {format_quantity(best.cost_usd, '_usd')} ({best.currency} of {best.price_year})"
    if len(meeting) == 1:
        reason = f"{best.label} alone meets the deadline, {cost}, {spare}"
        return RunDecision(met=True, option=best.id, reason=reason)
    second = meeting[1]
    reason = (
        f"{best.label} is the cheapest of {len(meeting)} options that meet the deadline, "
        f"{cost}, {spare}; {_against(second, best)}"
    )
    return RunDecision(met=True, option=best.id, runner_up=second.id, reason=reason)


def _against(second: Option, best: Option) -> str:
    if second.cost_usd is None or best.cost_usd is None:
        return f"{second.label} would do too, but has no known price"
    more_percent = 100 * (second.cost_usd / best.cost_usd - 1)
    days = ((second.slack_s or 0.0) - (best.slack_s or 0.0)) / DAY_S
    when = f"finishes {abs(days):,.1f} days {'sooner' if days > 0 else 'later'}"
    if abs(days) < _SAME_DAYS:
        when = "finishes at the same time"
    return f"{second.label} costs {more_percent:,.1f} % more and {when}"


def _near_miss(late: Sequence[Option]) -> RunDecision:
    nearest = late[0]
    days = -(nearest.slack_s or 0.0) / DAY_S
    second = late[1].id if len(late) > 1 else ""
    reason = f"no option meets the deadline; the nearest is {nearest.label}, {days:,.1f} days late"
    return RunDecision(met=False, option=nearest.id, runner_up=second, reason=reason)
