"""Outcomes as an answer: dates, what is critical, what drives the dates, what a week costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from gigawatt.contract.schedule_kernel import TICKS, Floats, Ints
from gigawatt.contract.worth import Blocks, worth_of
from gigawatt.domain.ownership import ProjectMoney
from gigawatt.domain.schedule import (
    Activity,
    ActivityRisk,
    ConstructionProject,
    Driver,
    DriverKind,
    Duration,
    Milestone,
    MilestoneRisk,
    MonthShare,
    ScheduleRisk,
    UsedDuration,
)
from gigawatt.laws.progress import DAY_S
from gigawatt.laws.schedule import WEEK_DAYS, delay_cost_usd
from gigawatt.units import format_quantity

if TYPE_CHECKING:
    from gigawatt.contract.schedule import Outcomes
    from gigawatt.contract.schedule_network import Compiled

_SHARES = (0.1, 0.5, 0.9)
_SHOWN_DRIVERS = 12


def answer(
    project: ConstructionProject, network: Compiled, drawn: Outcomes, num_samples: int, seed: int
) -> ScheduleRisk:
    """The artefact of a run."""
    place = {row.id: number for number, row in enumerate(network.rows)}
    milestones = tuple(
        _milestone(one, drawn.reached_days[:, n], drawn.planned_days[place[one.id]], network.epoch)
        for n, one in enumerate(project.milestones)
    )
    return ScheduleRisk(
        title=project.title,
        start=project.start,
        price_year=project.price_year,
        currency=project.currency,
        num_samples=num_samples,
        seed=seed,
        milestones=milestones,
        activities=tuple(
            _activity(one, place[one.id], network, drawn, project.milestones) for one in project.activities
        ),
        drivers=tuple(_drivers(project, network, drawn)),
        durations=tuple(_used(project)),
        money=_money(project, network, drawn),
        notes=tuple(_notes(project)),
    )


def _money(project: ConstructionProject, network: Compiled, drawn: Outcomes) -> ProjectMoney | None:
    """What the blocks are worth, where the project says what they cost."""
    blocks = [(n, one) for n, one in enumerate(project.milestones) if one.power_w is not None]
    if project.ownership is None or not blocks:
        return None
    before = (project.start - network.epoch).days
    rows = {row.id: number for number, row in enumerate(network.rows)}
    columns = [n for n, _ in blocks]
    capacity = Blocks(
        power_w=np.array([one.power_w for _, one in blocks]),
        ready_days=drawn.reached_days[:, columns] - before,
        planned_days=drawn.planned_days[[rows[one.id] for _, one in blocks]] - before,
    )
    return worth_of(project.ownership, capacity, project.start)


def done_on(num_days: float, epoch: date) -> date:
    """The day by the end of which something is done that takes until then."""
    return epoch + timedelta(days=max(0, int(np.ceil(num_days)) - 1))


def percentiles(reached_days: Floats, shares_frac: Sequence[float] = _SHARES) -> list[float]:
    """The smallest outcomes by which such shares are done; `reached_days` [samples] in any order."""
    places = [max(0, int(np.ceil(share * len(reached_days) - 0.5 / TICKS)) - 1) for share in shares_frac]
    return [float(one) for one in np.partition(reached_days, places)[places]]


def _milestone(row: Milestone, dates: Floats, planned: float, epoch: date) -> MilestoneRisk:
    p10, p50, p90 = (done_on(days, epoch) for days in percentiles(dates))
    meets = delay_s = cost = None
    if row.target:
        late = np.maximum(0.0, dates - ((row.target - epoch).days + 1))
        meets, delay_s = float(np.mean(late == 0.0)), float(late.mean()) * DAY_S
        if row.delay_usd_per_year:
            cost = float(delay_cost_usd(delay_s, row.delay_usd_per_year))
    return MilestoneRisk(
        id=row.id,
        name=row.name or row.id,
        site=row.site,
        phase=row.phase,
        power_w=row.power_w,
        p10=p10,
        p50=p50,
        p90=p90,
        planned=done_on(planned, epoch),
        target=row.target,
        meets_target_frac=meets,
        delay_s=delay_s,
        delay_usd=cost,
        delay_usd_per_year=row.delay_usd_per_year,
        deviation_s=float(dates.std()) * DAY_S,
        months=_months(dates, epoch),
    )


def _months(dates: Floats, epoch: date) -> tuple[MonthShare, ...]:
    """The distribution by calendar month, from the first in which it happens to the last."""
    counts = np.bincount(np.maximum(0, np.ceil(dates).astype(np.int64) - 1))
    by_month: Counter[str] = Counter()
    for day in np.flatnonzero(counts):
        by_month[(epoch + timedelta(days=int(day))).isoformat()[:7]] += int(counts[day])
    return tuple(
        MonthShare(month=month, share_frac=count / len(dates)) for month, count in sorted(by_month.items())
    )


def _activity(
    row: Activity, place: int, network: Compiled, drawn: Outcomes, milestones: Sequence[Milestone]
) -> ActivityRisk:
    starts = _days_of(drawn.tally.starts[place], network.epoch)
    finishes = _days_of(drawn.tally.finishes[place], network.epoch)
    critical = drawn.tally.critical[place] / len(drawn.reached_days)
    week_s = WEEK_DAYS * DAY_S
    costs = [
        float(share) * float(delay_cost_usd(week_s, milestone.delay_usd_per_year))
        for share, milestone in zip(critical, milestones, strict=True)
        if milestone.delay_usd_per_year
    ]
    return ActivityRisk(
        id=row.id,
        name=row.name or row.id,
        kind=row.kind,
        site=row.site,
        phase=row.phase,
        start_p10=starts[0],
        start_p50=starts[1],
        start_p90=starts[2],
        finish_p10=finishes[0],
        finish_p50=finishes[1],
        finish_p90=finishes[2],
        criticality_frac={
            milestone.id: float(share) for share, milestone in zip(critical, milestones, strict=True)
        },
        week_usd=sum(costs) if costs else None,
        done=row.finished is not None,
    )


def _days_of(counts: np.ndarray[tuple[int], np.dtype[np.int32]], epoch: date) -> list[date]:
    """Days at the shares, from counts by day."""
    below = np.cumsum(counts)
    wanted = [np.ceil(share * below[-1] - 0.5 / TICKS) for share in _SHARES]
    found = [int(np.searchsorted(below, max(1.0, one))) for one in wanted]
    return [epoch + timedelta(days=day) for day in found]


def _drivers(project: ConstructionProject, network: Compiled, drawn: Outcomes) -> Iterator[Driver]:
    """For each milestone what lies on the way to it and moves it most, strongest first."""
    names = _names(project, network)
    for number, milestone in enumerate(project.milestones):
        dates = drawn.reached_days[:, number]
        moments = float(dates.mean()), float(dates.var())
        found = []
        for driver in _upstream(project, network, milestone.id):
            swing = _swing(drawn.tally.counts[driver], drawn.tally.sums[driver, :, number], *moments)
            if swing:
                found.append((swing, *names[driver]))
        found.sort(key=lambda one: (-one[0][0], one[1]))
        for (share, best, worst), name, kind in found[:_SHOWN_DRIVERS]:
            yield Driver(
                milestone=milestone.id,
                driver=name,
                kind=kind,
                variance_frac=share,
                best=done_on(best, network.epoch),
                worst=done_on(worst, network.epoch),
                swing_s=(worst - best) * DAY_S,
            )


def _names(project: ConstructionProject, network: Compiled) -> list[tuple[str, DriverKind]]:
    """Drivers in the order of their rows."""
    names: list[tuple[str, DriverKind]] = [(row.id, "activity") for row in network.rows]
    names += [(factor.id, "factor") for factor in project.factors]
    return names + [(risk.id, "risk") for risk in project.risks]


def _upstream(project: ConstructionProject, network: Compiled, milestone: str) -> list[int]:
    """Rows of the drivers on the way to a milestone."""
    rows = {row.id: number for number, row in enumerate(network.rows)}
    reached, waiting = set[str](), [milestone]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [link.activity for link in network.rows[rows[name]].after]
    shared = {
        name for row in network.rows if isinstance(row, Activity) and row.id in reached for name in row.shares
    }
    first_factor = len(network.rows)
    first_risk = first_factor + len(project.factors)
    found = [number for name, number in rows.items() if name in reached]
    found += [first_factor + n for n, factor in enumerate(project.factors) if factor.id in shared]
    return found + [first_risk + n for n, one in enumerate(project.risks) if reached & set(one.activities)]


def _swing(counts: Ints, sums: Ints, mean: float, variance: float) -> tuple[float, float, float] | None:
    """Share of a date's variance between the tenths of a driver, and the mean date in the first and the last.

    What pure chance puts between tenths is taken off. None for what moves nothing.
    """
    used = counts > 0
    num_more = int(used.sum()) - 1
    if num_more < 1 or variance == 0.0:
        return None
    means, num_samples = sums[used] / TICKS / counts[used], int(counts.sum())
    between = float(np.average((means - mean) ** 2, weights=counts[used])) / variance
    share = between - (1.0 - between) * num_more / max(1, num_samples - 1 - num_more)
    if share <= 3.0 * np.sqrt(2.0 * num_more) / num_samples:
        return None
    return share, float(means[0]), float(means[-1])


def _used(project: ConstructionProject) -> Iterator[UsedDuration]:
    for row in project.activities:
        if not row.finished:
            yield _used_duration(row.id, row.duration)
    for risk in project.risks:
        yield _used_duration(risk.id, risk.delay)


def _used_duration(owner: str, duration: Duration) -> UsedDuration:
    return UsedDuration(
        owner=owner,
        text=duration_text(duration),
        source=duration.source,
        basis=duration.basis,
        note=duration.note,
    )


def duration_text(duration: Duration) -> str:
    """A duration in words."""
    if duration.shape == "fixed":
        return f"{_weeks(duration.fixed_s)}"
    if duration.shape == "lognormal":
        return f"lognormal, {_weeks(duration.p10_s)} (P10) to {_weeks(duration.p90_s)} (P90)"
    if duration.shape == "fitted":
        return f"lognormal, fitted to {len(duration.observed_s)} observed"
    ends = f"{_weeks(duration.low_s)} to {_weeks(duration.high_s)}"
    return f"{duration.shape}, {ends}, likely {_weeks(duration.likely_s)}"


def _weeks(duration_s: float | None) -> str:
    return format_quantity(duration_s or 0.0, "_s")


def _notes(project: ConstructionProject) -> Iterator[str]:
    guessed = [row.id for row in project.activities if not row.finished and row.duration.basis == "estimate"]
    if guessed:
        yield (
            f"{len(guessed)} of {len(project.activities)} durations are estimates, and so are the dates: "
            "replace them by quotes and by what was observed."
        )
    if not project.factors:
        yield "No supplier or utility is shared: dates on the same one spread too little."
