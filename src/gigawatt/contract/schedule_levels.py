"""What a construction project feeds: a place or an offer of power, with the levels of its dates by month.

Capacity counts from the first day of a month that is nearest to when it is ready.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import floor

import numpy as np

from gigawatt.contract.schedule import DrawnBlocks
from gigawatt.contract.schedule_kernel import Floats, Ints
from gigawatt.contract.schedule_values import match_quantiles, merged
from gigawatt.domain.portfolio import Place, PowerOffer, Roadmap, month_index, month_text
from gigawatt.domain.schedule import ConstructionProject, MilestoneRisk
from gigawatt.errors import Problem


@dataclass(frozen=True, eq=False)
class Fed:
    """A place or an offer, with the levels of its dates."""

    key: str
    """Of its row in the roadmap: "places[0]"."""
    owner: Place | PowerOffer
    risks: tuple[MilestoneRisk, ...]
    names: tuple[str, ...]
    """Of the levels, from early to late."""
    months: Ints
    """[levels, blocks] from when on it is there; of an offer, if signed at the project's start."""
    begun: int
    """Month of the project's start."""
    first: int
    """First month in which it may be signed; of a place, the roadmap's."""
    level: Ints
    """[samples]"""

    @property
    def lead(self) -> int:
        """Fewest months from the project's start to capacity."""
        return int(self.months.min()) - self.begun

    @property
    def mean_months(self) -> Floats:
        """[levels] month, by the power of the blocks."""
        return np.asarray(self.months @ _weights(self.risks), np.float64)

    @property
    def reveal(self) -> int | None:
        """First month in which levels may be told apart; None where there is but one."""
        if len(self.names) == 1:
            return None
        if isinstance(self.owner, PowerOffer):
            return self.first + self.lead
        differs = self.months.min(axis=0) < self.months.max(axis=0)
        return int(self.months[:, differs].min())

    def known(self, roadmap: Roadmap) -> int | None:
        """From when on its dates are known."""
        said = roadmap.dates_known
        return month_index(said) if said and self.reveal else self.reveal


def fed_rows(roadmap: Roadmap) -> Iterator[tuple[str, Place | PowerOffer]]:
    """Every place and offer that names a project, by its key."""
    yield from ((f"places[{n}]", one) for n, one in enumerate(roadmap.places) if one.schedule)
    yield from ((f"power[{n}]", one) for n, one in enumerate(roadmap.power) if one.schedule)


def fed_by(roadmap: Roadmap, key: str, owner: Place | PowerOffer, start: date, drawn: DrawnBlocks) -> Fed:
    """The levels of what feeds a place or an offer; what comes after the horizon is there at its end.

    `start` is the project's.
    """
    columns = [next(n for n, one in enumerate(drawn.blocks) if one.id == name) for name in owner.blocks]
    risks = tuple(drawn.blocks[n] for n in columns)
    matched = match_quantiles(drawn.reached_days[:, columns], _weights(risks))
    begin = month_index(roadmap.start)
    started = month_of((start - drawn.epoch).days, drawn.epoch)
    begun, first, end = floor(started + 0.5), begin, begin + roadmap.months
    since = 0.0
    if isinstance(owner, PowerOffer):
        # A phase takes as long whenever it is signed: months count from the project's start.
        first, since = max(begin, month_index(owner.sign_from or roadmap.start)), started - begun
        end += begun - first
    months = [
        [min(end, floor(month_of(day, drawn.epoch) - since + 0.5)) for day in row] for row in matched.values
    ]
    levels = list(merged(matched, np.array(months)))
    number = np.empty(len(months), np.int64)
    for place, one in enumerate(levels):
        number[list(one.members)] = place
    return Fed(
        key=key,
        owner=owner,
        risks=risks,
        names=tuple(one.name for one in levels),
        months=np.array([one.values for one in levels]),
        begun=begun,
        first=first,
        level=number[matched.level],
    )


def _weights(risks: tuple[MilestoneRisk, ...]) -> Floats:
    power = np.array([one.power_w for one in risks], np.float64)
    return np.asarray(power / power.sum())


def month_of(num_days: float, epoch: date) -> float:
    """Months since the year 0 at a time of so many days from the epoch, evenly over each month's days."""
    day = epoch + timedelta(days=floor(num_days))
    month = month_index(day.isoformat()[:7])
    after = date((month + 1) // 12, (month + 1) % 12 + 1, 1)
    return month + (day.day - 1 + float(num_days) % 1) / (after - day.replace(day=1)).days


def mismatches(roadmap: Roadmap, projects: Mapping[str, ConstructionProject]) -> Iterator[Problem]:
    """Blocks that a project does not have, or that are counted twice; dates that are stated twice."""
    taken: set[tuple[str, str]] = set()
    for key, owner in fed_rows(roadmap):
        powers = {one.id: one.power_w for one in projects[owner.schedule].milestones}
        for name in owner.blocks:
            block = f'block "{name}" of {owner.schedule}'
            if powers.get(name) is None:
                known = ", ".join(one for one, power_w in powers.items() if power_w) or "none"
                what = "is a milestone without power_w" if name in powers else "is not there"
                yield Problem(f"{block} {what}; its blocks are {known}", key=f"{key}.blocks")
            elif (owner.schedule, name) in taken:
                yield Problem(f"{block} is counted twice", key=f"{key}.blocks")
            taken.add((owner.schedule, name))
        yield from _stated_twice(roadmap, key, owner)


def _stated_twice(roadmap: Roadmap, key: str, owner: Place | PowerOffer) -> Iterator[Problem]:
    for future in roadmap.futures:
        for change in future.changes:
            if isinstance(owner, PowerOffer):
                twice, what = change.delays(owner), "slip_months"
            else:
                here = not change.sites or owner.id in change.sites
                twice, what = change.energised is not None and here, "energised"
            if twice:
                message = (
                    f"future {future.id} has dates of {owner.id} too, by {what}: keep those or the project's"
                )
                yield Problem(message, key=f"{key}.schedule")


def contradictions(roadmap: Roadmap, fed: tuple[Fed, ...]) -> Iterator[Problem]:
    """Dates that do not go with the roadmap, or with the order in which blocks are listed."""
    for one in fed:
        yield from _too_early(roadmap, one)
        for first, second in pairwise(one.risks):
            if second.p50 < first.p50:
                message = (
                    f"phases out of order: {second.id} (P50 {second.p50}) comes before {first.id} "
                    f"({first.p50}): list them as they come"
                )
                yield Problem(message, key=f"{one.key}.blocks")
        said, reveal = roadmap.dates_known, one.reveal
        if said and reveal and not roadmap.start < said <= month_text(reveal):
            message = (
                f"{said} is not between the start, {roadmap.start}, and {month_text(reveal)}, "
                f"when the first capacity of {one.owner.id} may be there and be seen"
            )
            yield Problem(message, key="dates_known")


def _too_early(roadmap: Roadmap, one: Fed) -> Iterator[Problem]:
    """Capacity that may be there before anything can be planned."""
    for risk, months in zip(one.risks, one.months.T, strict=True):
        early = month_text(int(months.min()))
        if isinstance(one.owner, Place) and months.min() < month_index(roadmap.start) + (len(one.names) > 1):
            message = (
                f"block {risk.id} may be there from {early}, and the roadmap starts in {roadmap.start}: "
                "start earlier, or say what stands by then as `energised`"
            )
            yield Problem(message, key=f"{one.key}.blocks")
        elif isinstance(one.owner, PowerOffer) and one.lead < 1:
            message = (
                f"block {risk.id} may be done as soon as its project starts: nothing is left to be built"
            )
            yield Problem(message, key=f"{one.key}.blocks")
