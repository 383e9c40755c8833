"""Dates of capacity as a portfolio plans with them: month by month for each block, or in joint scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gigawatt.contract.schedule import draw
from gigawatt.contract.schedule_answer import done_on
from gigawatt.contract.schedule_network import compile_project
from gigawatt.domain.schedule import ConstructionProject, ScheduleRisk
from gigawatt.errors import InputError


@dataclass(frozen=True, slots=True)
class DateScenario:
    """One joint outcome of all capacity blocks."""

    probability_frac: float
    months: Mapping[str, str]
    """By block, the month in which it is ready: "2028-07"."""


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
    blocks = [n for n, one in enumerate(project.milestones) if one.power_w is not None]
    if not blocks:
        raise InputError("no milestone has power_w: there is no capacity to be dated")
    network = compile_project(project)
    dates = draw(network, num_samples, seed, workers).reached_days[:, blocks]
    weights = np.array([project.milestones[n].power_w for n in blocks], np.float64)
    order = np.argsort(dates @ (weights / weights.sum()), kind="stable")
    scenarios = []
    for part in np.array_split(order, min(num_scenarios, len(order))):
        far = ((dates[part] - dates[part].mean(axis=0)) ** 2 @ weights).argmin()
        days = dates[part[far]]
        months = {
            project.milestones[n].id: done_on(float(day), network.epoch).isoformat()[:7]
            for n, day in zip(blocks, days, strict=True)
        }
        scenarios.append(DateScenario(len(part) / len(order), months))
    return tuple(scenarios)
