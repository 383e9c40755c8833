"""What a roadmap asks for, month by month, in units that every kind of accelerator can be measured by.

The unit of a piece of work is one accelerator, for a month, of the first kind that it names; another kind
does `rate` of it. A run has one amount for its whole window, traffic and research have one for each month.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigawatt.domain.portfolio import (
    Change,
    PlannedRun,
    ResearchPool,
    Roadmap,
    Traffic,
    Work,
    month_index,
)
from gigawatt.laws.finance import HOUR_S, MONTH_H

Numbers = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
MILLION_TOKENS = 10**6


@dataclass(frozen=True)
class Demand:
    """All work of a roadmap as arrays; `K` pieces of work, `T` months."""

    work: tuple[Work, ...]
    windowed: Flags
    """[K]: one amount for the whole window."""
    first: Ints
    last: Ints
    """[K]: first and last month, counted from the start."""
    amount: Numbers
    """[K, T] units: of the month, or for a run its whole amount in its first month."""
    rate: Numbers
    """[K, kinds] units that one accelerator does in a month."""
    unmet_usd: Numbers
    """[K] for a unit left undone; infinite where it must be done."""
    most: Numbers
    """[K] accelerators at once; infinite where that is not limited."""
    unit_equivalents: Numbers
    """[K] reference accelerators that a unit is worth."""

    def changed(self, roadmap: Roadmap, changes: Iterable[Change]) -> Numbers:
        """[K, T]: the amounts where these changes come true."""
        amount = self.amount.copy()
        for change in changes:
            hit = np.array([not change.work or one.id in change.work for one in self.work])
            begins = month_index(change.month) - month_index(roadmap.start)
            later = np.arange(roadmap.months) >= begins
            # A run's amount stands in its first month, and changes if it ends after the change.
            moved = np.where(
                self.windowed[:, None], (self.last >= begins)[:, None], hit[:, None] & later[None, :]
            )
            amount = np.where(hit[:, None] & moved, amount * (1.0 + change.demand_change_frac), amount)
        return amount


def demand_of(roadmap: Roadmap) -> Demand:
    """The roadmap's work as arrays."""
    rows = [_Row(roadmap, one) for one in roadmap.work]
    return Demand(
        work=roadmap.work,
        windowed=np.array([row.windowed for row in rows]),
        first=np.array([row.first for row in rows]),
        last=np.array([row.last for row in rows]),
        amount=np.array([row.amount() for row in rows]),
        rate=np.array([row.rate for row in rows]),
        unmet_usd=np.array([row.unmet_usd for row in rows]),
        most=np.array([row.most for row in rows]),
        unit_equivalents=np.array([row.unit_equivalents for row in rows]),
    )


class _Row:
    """One piece of work in its units."""

    def __init__(self, roadmap: Roadmap, work: Work) -> None:
        self.months = roadmap.months
        self.begin = month_index(roadmap.start)
        self.kinds = [chip.id for chip in roadmap.chips]
        self.equivalents = {chip.id: chip.equivalents_per_gpu for chip in roadmap.chips}
        self.most = np.inf
        self.unmet_usd = np.inf
        match work:
            case PlannedRun():
                self._run(work)
            case Traffic():
                self._traffic(work)
            case ResearchPool():
                self._research(work)

    def amount(self) -> Numbers:
        """[T] units."""
        months = np.arange(self.months)
        if self.windowed:
            return np.where(months == self.first, self.size, 0.0)
        grown = self.size * (1.0 + self.growth_frac) ** ((months - self.offset) / 12)
        return np.where((months >= self.first) & (months <= self.last), grown, 0.0)

    def _window(self, first: str, last: str | None) -> None:
        self.offset = month_index(first) - self.begin
        self.first = max(0, self.offset)
        self.last = min(self.months, self.months if last is None else month_index(last) - self.begin + 1) - 1

    def _measure(self, per_accelerator: dict[str, float]) -> float:
        """Sets the rates; returns what the first kind does."""
        unit_kind = next(iter(per_accelerator))
        unit = per_accelerator[unit_kind]
        self.rate = [per_accelerator.get(kind, 0.0) / unit for kind in self.kinds]
        self.unit_equivalents = self.equivalents[unit_kind]
        return unit

    def _run(self, run: PlannedRun) -> None:
        self.windowed, self.growth_frac = True, 0.0
        self._window(run.start, run.deadline)
        unit = self._measure({kind: 1.0 / hours for kind, hours in run.work_gpu_h.items()})
        self.size = 1.0 / unit / MONTH_H
        if run.undone_usd is not None:
            self.unmet_usd = run.undone_usd / self.size
        if run.most_accelerators is not None:
            self.most = run.most_accelerators

    def _traffic(self, traffic: Traffic) -> None:
        self.windowed, self.growth_frac = False, traffic.growth_frac
        self._window(traffic.start, traffic.end)
        unit = self._measure(traffic.tokens_per_s_per_gpu)
        self.size = traffic.tokens_per_s / unit
        if traffic.unserved_usd_per_million_output_tokens is not None:
            million_tokens = unit * HOUR_S * MONTH_H / MILLION_TOKENS
            self.unmet_usd = traffic.unserved_usd_per_million_output_tokens * million_tokens

    def _research(self, pool: ResearchPool) -> None:
        self.windowed, self.growth_frac = False, pool.growth_frac
        self._window(pool.start, pool.end)
        self._measure({kind: self.equivalents[kind] for kind in pool.kinds or self.kinds})
        self.size = pool.num_equivalents / self.unit_equivalents
        if pool.unmet_usd_per_gpu_h is not None:
            self.unmet_usd = pool.unmet_usd_per_gpu_h * MONTH_H * self.unit_equivalents
