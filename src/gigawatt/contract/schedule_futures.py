"""Dates of construction projects as futures of a roadmap: what it plans with in place of single dates.

Five levels stand for the dates of each place and each offer of power. Those of one project are combined as
often as they were drawn together; with those of other projects, and with the roadmap's own futures, every one
goes with every one. What is too many is thinned out, and no chance of any level changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from gigawatt.contract.schedule import DrawnBlocks, draw_blocks
from gigawatt.contract.schedule_joint import Joint, counted, crossed, num_kept, thinned
from gigawatt.contract.schedule_kernel import Floats, Ints
from gigawatt.contract.schedule_levels import Fed, contradictions, fed_by, fed_rows, mismatches
from gigawatt.domain.dates import BlockDates, DelayCost, PortfolioDates
from gigawatt.domain.portfolio import (
    Change,
    Future,
    Place,
    PowerOffer,
    PowerStep,
    Roadmap,
    month_index,
    month_text,
)
from gigawatt.domain.schedule import ConstructionProject, MilestoneRisk
from gigawatt.errors import InputError, Problem
from gigawatt.laws.power import facility_power_w
from gigawatt.laws.progress import DAY_S
from gigawatt.laws.schedule import WEEK_DAYS, delay_cost_usd

NUM_SAMPLES = 131_072
_MOST_NAMED = 3
"""Things whose levels make up the name of a future; of more it is numbered."""


def date_roadmap(
    roadmap: Roadmap, projects: Mapping[str, ConstructionProject], seed: int, num_samples: int = NUM_SAMPLES
) -> tuple[Roadmap, PortfolioDates | None]:
    """The roadmap with the dates of its construction projects as futures, and what they are.

    `projects` by the name under which the roadmap's places and offers have them. None where it names none.
    Raises InputError for what contradicts itself, with the key of the place or offer.
    """
    if not roadmap.undated:
        return roadmap, None
    _refuse(mismatches(roadmap, projects))
    drawn = {name: draw_blocks(project, num_samples, seed) for name, project in projects.items()}
    fed = tuple(
        fed_by(roadmap, key, one, projects[one.schedule].start, drawn[one.schedule])
        for key, one in fed_rows(roadmap)
    )
    _refuse(contradictions(roadmap, fed))
    joint = _joint(roadmap, fed)
    if (fewest := num_kept(joint)) > roadmap.most_futures:
        message = (
            f"{roadmap.most_futures} cannot keep P10, P50 and P90 of all dates: that takes {fewest} or more"
        )
        raise InputError(Problem(message, key="most_futures"))
    months: list[Floats | None] = [None, *(one.mean_months for one in fed)]
    found = _Futures(roadmap, fed, thinned(joint, roadmap.most_futures, months))
    dates = PortfolioDates(
        num_samples=num_samples,
        seed=seed,
        num_combinations=len(joint.chances_frac),
        own=found.own(),
        blocks=tuple(found.blocks(drawn)),
        costs=tuple(_own_cost(one, drawn[one.owner.schedule]) for one in fed),
    )
    return found.dated(), dates


def _refuse(problems: Iterator[Problem]) -> None:
    if found := list(problems):
        raise InputError(found)


def _joint(roadmap: Roadmap, fed: tuple[Fed, ...]) -> Joint:
    """Own futures first, then the levels of everything that is fed, in the order of `fed`."""
    chances = np.array([one.probability_frac for one in roadmap.futures] or [1.0])
    parts = [Joint(np.arange(len(chances))[:, None], chances / chances.sum())]
    order: list[int] = []
    for name in dict.fromkeys(one.owner.schedule for one in fed):
        members = [n for n, one in enumerate(fed) if one.owner.schedule == name]
        parts.append(counted([fed[n].level for n in members]))
        order += members
    whole = reduce(crossed, parts)
    columns = [0, *(1 + order.index(n) for n in range(len(fed)))]
    return Joint(whole.levels[:, columns], whole.chances_frac)


@dataclass(frozen=True, eq=False)
class _Futures:
    """Combinations as futures of the roadmap."""

    roadmap: Roadmap
    fed: tuple[Fed, ...]
    joint: Joint

    def dated(self) -> Roadmap:
        """The roadmap that a portfolio can be planned for."""
        begin, end = {"schedule": "", "blocks": ()}, self.roadmap
        owners = {one.owner.id: one for one in self.fed}
        places = (
            place.model_copy(update=begin | {"energised": place.energised or ()}) if place.schedule else place
            for place in end.places
        )
        power = (
            offer.model_copy(update=begin | {"lead_months": owners[offer.id].lead})
            if offer.schedule
            else offer
            for offer in end.power
        )
        return self.roadmap.model_copy(
            update={
                "places": tuple(places),
                "power": tuple(power),
                "futures": tuple(self._future(n) for n in range(len(self.joint.chances_frac))),
                "reveals": tuple(month_text(month) for month in self._reveals()),
            }
        )

    def own(self) -> dict[str, str]:
        """By future, that of the roadmap which it belongs to."""
        names = [one.id for one in self.roadmap.futures] or [""]
        return {self._name(n): names[int(own)] for n, own in enumerate(self.joint.levels[:, 0])}

    def blocks(self, drawn: Mapping[str, DrawnBlocks]) -> Iterator[BlockDates]:
        """Every block with its distribution and what each future takes of it."""
        names = list(self.own())
        for one, levels in zip(self.fed, self.joint.levels.T[1:], strict=True):
            for risk, months in zip(one.risks, one.months.T, strict=True):
                yield BlockDates(
                    owner=one.owner.id,
                    site=one.owner.site if isinstance(one.owner, PowerOffer) else one.owner.id,
                    file=one.owner.schedule,
                    project=drawn[one.owner.schedule].risk.title,
                    block=risk.id,
                    power_w=risk.power_w or 0.0,
                    p10=risk.p10,
                    p50=risk.p50,
                    p90=risk.p90,
                    planned=risk.planned,
                    months={name: month_text(int(months[n])) for name, n in zip(names, levels, strict=True)},
                )

    def _name(self, number: int) -> str:
        own, *levels = self.joint.levels[number].tolist()
        words = [one.names[level] for one, level in zip(self.fed, levels, strict=True)]
        text = "-".join(words) if len(words) <= _MOST_NAMED else f"dates-{number + 1}"
        return f"{self.roadmap.futures[own].id}.{text}" if self.roadmap.futures else text

    def _future(self, number: int) -> Future:
        own, *levels = self.joint.levels[number].tolist()
        stated = self.roadmap.futures[own] if self.roadmap.futures else Future(id="any", probability_frac=1.0)
        moved = (self._change(one, level) for one, level in zip(self.fed, levels, strict=True))
        return stated.model_copy(
            update={
                "id": self._name(number),
                "probability_frac": float(self.joint.chances_frac[number]),
                "path": tuple(self._word(month, own, levels) for month in self._reveals()),
                "changes": (*stated.changes, *(change for change in moved if change)),
            }
        )

    def _change(self, one: Fed, level: int) -> Change | None:
        """What a level does to the roadmap."""
        if isinstance(one.owner, Place):
            steps = tuple(_steps(one.owner, one.risks, one.months[level]))
            return Change(month=self.roadmap.start, sites=(one.owner.id,), energised=steps)
        slip = int(one.months[level, 0]) - int(one.months.min())
        end = month_text(month_index(self.roadmap.start) + self.roadmap.months)
        return Change(month=end, offers=(one.owner.id,), slip_months=slip) if slip else None

    def _reveals(self) -> list[int]:
        """Months in which futures part: own ones, and those of dates."""
        own = self.roadmap.reveals if self.roadmap.futures else ()
        dates = {month for one in self.fed if (month := one.known(self.roadmap))}
        begin = month_index(self.roadmap.start)
        months = sorted(dates | {month_index(month) for month in own})
        return [month for month in months if begin < month < begin + self.roadmap.months]

    def _word(self, month: int, own: int, levels: list[int]) -> str:
        """What tells futures apart in a month."""
        known = (one.known(self.roadmap) == month for one in self.fed)
        words = [one.names[n] for one, n, now in zip(self.fed, levels, known, strict=True) if now]
        if self.roadmap.futures and month_text(month) in self.roadmap.reveals:
            stated, stage = self.roadmap.futures[own], self.roadmap.reveals.index(month_text(month))
            words.append(stated.path[stage] if stated.path else stated.id)
        return " ".join(words)


def _steps(place: Place, risks: Sequence[MilestoneRisk], months: Ints) -> Iterator[PowerStep]:
    """What is energised at a place: its own steps, and blocks once they are ready."""
    own = [(month_index(step.month), step.power_w) for step in place.energised or ()]
    ready = [
        (int(month), float(facility_power_w(risk.power_w or 0.0, place.pue)))
        for month, risk in zip(months, risks, strict=True)
    ]
    for month in sorted({month for month, _ in (*own, *ready)}):
        base_w = next((power_w for since, power_w in reversed(own) if since <= month), 0.0)
        blocks_w = sum(power_w for since, power_w in ready if since <= month)
        yield PowerStep(month=month_text(month), power_w=base_w + blocks_w)


def _own_cost(one: Fed, drawn: DrawnBlocks) -> DelayCost:
    """What the project says of a week, before the portfolio is asked."""
    rates = [risk.delay_usd_per_year for risk in one.risks if risk.delay_usd_per_year]
    promised = [float(delay_cost_usd(WEEK_DAYS * DAY_S, rate)) for rate in rates]
    return DelayCost(
        owner=one.owner.id,
        file=one.owner.schedule,
        promised_week_usd=sum(promised) if promised else None,
        worth_week_usd=-drawn.risk.money.week_npv_usd if drawn.risk.money else None,
    )
