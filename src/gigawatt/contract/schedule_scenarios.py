"""Dates of capacity as a portfolio plans with them: month by month for each block, or in joint scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from gigawatt.contract.schedule import draw
from gigawatt.contract.schedule_answer import done_on
from gigawatt.contract.schedule_kernel import Floats
from gigawatt.contract.schedule_network import compile_project
from gigawatt.domain.portfolio import Change, Future
from gigawatt.domain.schedule import ConstructionProject, Milestone, ScheduleRisk
from gigawatt.errors import InputError
from gigawatt.laws.schedule import MONTH_DAYS


@dataclass(frozen=True, slots=True)
class DateScenario:
    """One joint outcome of all capacity blocks."""

    probability_frac: float
    months: Mapping[str, str]
    """By block, the month in which it is ready: "2028-07"."""


@dataclass(frozen=True, slots=True, eq=False)
class _Representatives:
    """Outcomes that stand for all, from early to late."""

    blocks: tuple[Milestone, ...]
    chances: tuple[float, ...]
    days: Floats
    """[scenarios, blocks] d from the epoch."""
    planned_days: Floats
    """[blocks] d, by the single-date plan."""
    months: tuple[tuple[str, ...], ...]
    """By scenario and block."""


def month_probabilities(risk: ScheduleRisk) -> dict[str, dict[str, float]]:
    """For each capacity block the probability of each month ("2028-07") in which it may become ready.

    Each distribution on its own: blocks that share a utility are late together, which `date_scenarios` keeps.
    """
    return {
        one.id: {month.month: month.share_frac for month in one.months}
        for one in risk.milestones
        if one.power_w is not None
    }


def date_scenarios(
    project: ConstructionProject,
    num_scenarios: int,
    num_samples: int = 131_072,
    seed: int = 1,
    workers: int | None = None,
) -> tuple[DateScenario, ...]:
    """So many outcomes that stand for all, from early to late, each as probable as its share of outcomes.

    Outcomes are sorted by the capacity-weighted mean of their dates and cut into equal parts; each part is
    represented by the outcome nearest to its mean. Raises InputError where no milestone has power.
    """
    found = _representatives(project, num_scenarios, num_samples, seed, workers)
    return tuple(
        DateScenario(chance, {block.id: month for block, month in zip(found.blocks, months, strict=True)})
        for chance, months in zip(found.chances, found.months, strict=True)
    )


def slip_futures(
    project: ConstructionProject,
    num_futures: int,
    num_samples: int = 131_072,
    seed: int = 1,
    workers: int | None = None,
) -> tuple[Future, ...]:
    """The same scenarios as futures of a roadmap: months that each site is later than its single-date plan.

    A site slips by the capacity-weighted mean of its blocks, to the nearest month; what comes early is on
    time. Raises InputError where a block has no site.
    """
    found = _representatives(project, num_futures, num_samples, seed, workers)
    if homeless := [block.id for block in found.blocks if not block.site]:
        raise InputError(f"{', '.join(homeless)}: without a site: a roadmap's futures slip by site")
    last = found.planned_days.max()
    month = (compile_project(project).epoch + timedelta(days=float(last))).isoformat()[:7]
    sites = list(dict.fromkeys(block.site for block in found.blocks))
    futures = []
    for number, chance in enumerate(found.chances):
        late = {site: _months_late(found, number, site) for site in sites}
        changes = tuple(
            Change(month=month, sites=(site,), slip_months=months) for site, months in late.items() if months
        )
        futures.append(Future(id=f"dates-{number + 1}", probability_frac=chance, changes=changes))
    return tuple(futures)


def _months_late(found: _Representatives, number: int, site: str) -> int:
    here = [n for n, block in enumerate(found.blocks) if block.site == site]
    late_days = (found.days[number] - found.planned_days)[here]
    weights = [found.blocks[n].power_w or 0.0 for n in here]
    return max(0, round(float(np.average(late_days, weights=weights)) / MONTH_DAYS))


def _representatives(
    project: ConstructionProject, count: int, num_samples: int, seed: int, workers: int | None
) -> _Representatives:
    places = [n for n, one in enumerate(project.milestones) if one.power_w is not None]
    if not places:
        raise InputError("no milestone has power_w: there is no capacity to be dated")
    blocks = tuple(project.milestones[n] for n in places)
    network = compile_project(project)
    drawn = draw(network, num_samples, seed, workers)
    dates = drawn.reached_days[:, places]
    weights = np.array([one.power_w for one in blocks], np.float64)
    order = np.argsort(dates @ (weights / weights.sum()), kind="stable")
    parts = np.array_split(order, min(count, len(order)))
    nearest = [part[((dates[part] - dates[part].mean(axis=0)) ** 2 @ weights).argmin()] for part in parts]
    rows = {row.id: number for number, row in enumerate(network.rows)}
    return _Representatives(
        blocks=blocks,
        chances=tuple(len(part) / len(order) for part in parts),
        days=dates[nearest],
        planned_days=drawn.planned_days[[rows[block.id] for block in blocks]],
        months=tuple(
            tuple(done_on(float(day), network.epoch).isoformat()[:7] for day in dates[one]) for one in nearest
        ),
    )
