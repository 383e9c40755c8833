"""Putting an hourly program together piece by piece; indices are handed out as pieces are added."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gigawatt.contract.energy_hours import Hours
from gigawatt.contract.energy_program import Gift, HourlyProgram, Ints, Megawatts, Sum, Total, Values

Share = float
"""MW of a flow, or of a sum, per MW of a size."""


@dataclass
class Draft:
    """A program in the making, over given hours."""

    hours: Hours
    shortage_usd_per_mwh: float
    flow_names: list[str] = field(default_factory=list)
    size_names: list[str] = field(default_factory=list)
    _flow_usd: list[Values] = field(default_factory=list)
    _upper: list[Values] = field(default_factory=list)
    _share: list[Values] = field(default_factory=list)
    _holder: list[Values] = field(default_factory=list)
    _kgco2: list[Values] = field(default_factory=list)
    _needs: list[Values] = field(default_factory=list)
    _takes: list[tuple[int, int, float, float]] = field(default_factory=list)
    _sizes: list[tuple[Megawatts, Megawatts, Megawatts]] = field(default_factory=list)
    gifts: list[Gift] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)
    _tied: list[tuple[int, int, Share]] = field(default_factory=list)

    @property
    def num_hours(self) -> int:
        """Hours of all years."""
        return len(self.hours.weight_frac)

    def each(self, value: float | Values | Ints) -> Values:
        """A value for each hour."""
        return np.broadcast_to(np.asarray(value, dtype=float), self.num_hours).copy()

    def add_row(self, need: Megawatts | Values = 0.0) -> int:
        """A balance of each hour; needs are in MW."""
        self._needs.append(self.each(need))
        return len(self._needs) - 1

    def add_size(
        self, name: str, usd_per_year: float = 0.0, limit: Megawatts = np.inf, most: Megawatts = np.inf
    ) -> int:
        """Something that holds for all hours, at a price a year for each MW (or MWh)."""
        self.size_names.append(name)
        self._sizes.append((usd_per_year, limit, min(limit, most)))
        return len(self._sizes) - 1

    def add_flow(
        self,
        name: str,
        usd_per_mwh: float | Values,
        upper: Megawatts | Values = 0.0,
        share: Share | Values = 0.0,
        holder: int | Ints = -1,
        kgco2_per_mwh: float | Values = 0.0,
    ) -> int:
        """A flow of each hour, at most `upper` and `share` of its size."""
        self.flow_names.append(name)
        self._flow_usd.append(self.each(usd_per_mwh))
        self._upper.append(self.each(upper))
        self._share.append(self.each(share))
        self._holder.append(self.each(holder))
        self._kgco2.append(self.each(kgco2_per_mwh))
        return len(self.flow_names) - 1

    def put(self, row: int, flow: int, now_frac: float, later_frac: float = 0.0) -> None:
        """What a flow puts into a row of its own hour, and of the next."""
        self._takes.append((row, flow, now_frac, later_frac))

    def add_total(
        self,
        name: str,
        terms: list[tuple[int, Values]],
        sizes: list[tuple[int, Share]],
        target: Sum,
    ) -> int:
        """A sum over the hours of all years that must come to `target`."""
        kept = tuple((flow, weight) for flow, weight in terms if weight.any())
        self.totals.append(Total(name, kept, tuple(sizes), target, self.shortage_usd_per_mwh))
        return len(self.totals) - 1

    def add_limit(
        self,
        name: str,
        terms: list[tuple[int, Values]],
        sizes: list[tuple[int, Share]],
        target: Sum,
        most_left: Sum,
    ) -> int:
        """A sum that must not exceed `target`, and can fall short of it by `most_left` at the most."""
        left = self.add_size(f"{name}, left", most=max(most_left, 0.0))
        return self.add_total(name, terms, [*sizes, (left, 1.0)], target)

    def tie(self, size: int, holder: int, share: Share) -> None:
        """Says that no plan has more of a size than `share` for each unit of another."""
        self._tied.append((size, holder, share))

    def add_level(
        self, name: str, limit: Megawatts | Values, holder: int, most: Megawatts, kept_frac: Share = 1.0
    ) -> tuple[int, int]:
        """A store in MWh that ends each year as it began, and the row that keeps its account.

        `kept_frac` is what an hour leaves of it.
        """
        row = self.add_row()
        share = 1.0 if holder >= 0 else 0.0
        level = self.add_flow(name, 0.0, limit, share, holder)
        self.put(row, level, 1.0, -kept_frac)
        ends = [*(start - 1 for start in self.hours.starts[1:]), self.num_hours - 1]
        for year, (first, last) in enumerate(zip(self.hours.starts, ends, strict=True)):
            begin = self.add_size(f"{name}, start {year}", most=most)
            if holder >= 0:
                self.tie(begin, holder, 1.0)
            self.gifts.append(Gift(begin, row, kept_frac * self._at(first)))
            self.add_total(f"{name}, year {year}", [(level, self._at(last))], [(begin, -1.0)], 0.0)
        return level, row

    def _at(self, hour: int) -> Values:
        profile = np.zeros(self.num_hours)
        profile[hour] = 1.0
        return profile

    @property
    def kgco2_per_mwh(self) -> Values:
        """[flows, hours] emissions of each flow."""
        return np.array(self._kgco2)

    def most_earned_usd(self) -> float:
        """What flows could earn at the most in a year, with sizes at their limits."""
        program = self.program()
        limits = program.finite_limits
        earning = np.minimum(program.flow_usd, 0.0)
        return float(-np.sum(earning * np.where(earning < 0, program.bounds(limits), 0.0)))

    def program(self, most_usd: float = np.inf) -> HourlyProgram:
        """The program; no size is larger than what `most_usd` a year would pay for."""
        if not self._sizes:
            self.add_size("nothing to choose", 1.0)  # the solver wants one at least
        takes = np.zeros((2, len(self._needs), len(self.flow_names)))
        for row, flow, now, later in self._takes:
            takes[:, row, flow] += (now, later)
        sizes = np.array(self._sizes).reshape(-1, 3)
        cost = sizes[:, 0]
        paid = np.divide(most_usd, cost, out=np.full(len(cost), np.inf), where=cost > 0)
        most = np.minimum(sizes[:, 2], paid)
        for size, holder, share in self._tied:
            most[size] = min(most[size], share * most[holder])
        return HourlyProgram(
            flow_names=tuple(self.flow_names),
            size_names=tuple(self.size_names),
            flow_usd=np.array(self._flow_usd) * self.hours.weight_frac,
            upper=np.array(self._upper),
            share=np.array(self._share),
            holder=np.array(self._holder).astype(np.int64),
            take=takes[0],
            carry=takes[1],
            need=np.array(self._needs),
            gifts=tuple(self.gifts),
            size_usd=cost,
            size_limit=sizes[:, 1],
            size_most=most,
            totals=tuple(self.totals),
            starts=self.hours.starts,
            shortage_usd_per_mwh=self.shortage_usd_per_mwh,
        )
