"""The year of a campus as a linear program of one shape: hours in a chain, under few sizes that all share.

Each hour has the same *flows* (MW, or MWh for a level) and the same *rows* that balance them; what a flow
leaves behind (the level of a battery) enters the rows of the next hour. *Sizes* hold for all hours: what is
built or signed, the peak of a month, a level at the start. *Totals* sum flows over all hours: emissions,
run hours. Nothing else links the hours, and that is what the solver lives on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
"""An array whose shape and unit stand beside its name."""
Ints = NDArray[np.int64]
Megawatts = float
"""MW, or MWh of a store: what flows and sizes are counted in."""
Sum = float
"""In the unit of a sum over hours: MWh, or what its weights make of them."""


@dataclass(frozen=True, slots=True)
class Gift:
    """What one unit of a size adds to the need of a row, hour by hour; a contract lowers it."""

    size: int
    row: int
    profile_frac: Values


@dataclass(frozen=True, slots=True)
class Total:
    """A sum over all hours that must equal `target`: `terms` (flow, weight by hour), `sizes` (size, weight).

    `penalty_usd` bounds what mending a miss of one unit would cost.
    """

    name: str
    terms: tuple[tuple[int, Values], ...]
    sizes: tuple[tuple[int, float], ...]
    target: Sum
    penalty_usd: float


@dataclass(frozen=True)
class HourlyProgram:
    """Least cost of flows and sizes. A flow lies between 0 and `upper` + `share` * its size."""

    flow_names: tuple[str, ...]
    size_names: tuple[str, ...]
    flow_usd: Values
    """[flows, hours] USD per MWh, times the weight of the hour's year."""
    upper: Values
    """[flows, hours] MW; infinite where a flow has no bound."""
    share: Values
    """[flows, hours] MW of bound per unit of the size that holds it."""
    holder: Ints
    """[flows, hours] which size that is; -1 for none."""
    take: Values
    """[rows, flows] what a flow puts into a row of its hour."""
    carry: Values
    """[rows, flows] what it puts into the same row an hour later."""
    need: Values
    """[rows, hours] what the rows must come to."""
    gifts: tuple[Gift, ...]
    size_usd: Values
    """[sizes] USD per unit and year."""
    size_limit: Values
    """[sizes] the most that is allowed; infinite for no limit."""
    size_most: Values
    """[sizes] finite: no plan of least cost has more, whatever is allowed."""
    totals: tuple[Total, ...]
    starts: tuple[int, ...]
    """First hour of each year; nothing is carried across."""
    shortage_usd_per_mwh: float
    """What a MWh that is missing in a balance costs at the most."""

    @property
    def num_hours(self) -> int:
        """Hours of all years."""
        return int(self.flow_usd.shape[1])

    @cached_property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """First hour, and hour after the last, of each year."""
        return tuple(zip(self.starts, (*self.starts[1:], self.num_hours), strict=True))

    @cached_property
    def puts(self) -> tuple[tuple[int, int, float], ...]:
        """Row, flow and weight of all that flows put into rows of their own hour."""
        return _entries(self.take)

    @cached_property
    def carries(self) -> tuple[tuple[int, int, float], ...]:
        """The same, into rows of the next hour."""
        return _entries(self.carry)

    @property
    def finite_limits(self) -> Values:
        """[sizes] limits, 0 where there is none."""
        return np.where(np.isfinite(self.size_limit), self.size_limit, 0.0)

    def sunk(self, flows: Values) -> Values:
        """[rows, hours] what flows put into the rows, those of the hour before included."""
        rows = np.zeros((len(self.take), flows.shape[1]))
        for row, flow, weight in self.puts:
            rows[row] += weight * flows[flow]
        for row, flow, weight in self.carries:
            for first, last in self.spans:
                rows[row, first + 1 : last] += weight * flows[flow, first : last - 1]
        return rows

    def raised(self, prices: Values) -> Values:
        """[flows, hours] what a unit of each flow earns at given prices of the rows."""
        earned = np.zeros_like(self.flow_usd)
        for row, flow, weight in self.puts:
            earned[flow] += weight * prices[row]
        for row, flow, weight in self.carries:
            for first, last in self.spans:
                earned[flow, first : last - 1] += weight * prices[row, first + 1 : last]
        return earned

    def given(self, sizes: Values) -> Values:
        """[rows, hours] what sizes add to the needs of the rows."""
        rows = np.zeros_like(self.need)
        for gift in self.gifts:
            rows[gift.row] += gift.profile_frac * sizes[gift.size]
        return rows

    def worth(self, prices: Values) -> Values:
        """[sizes] what a unit of each size costs by the needs that it adds, at prices of the rows."""
        worth = np.zeros(len(self.size_usd))
        for gift in self.gifts:
            worth[gift.size] += float(np.einsum("i,i", gift.profile_frac, prices[gift.row]))
        return worth

    def bounds(self, sizes: Values) -> Values:
        """[flows, hours] the most of each flow."""
        held = np.where(self.holder >= 0, self.share * sizes[np.maximum(self.holder, 0)], 0.0)
        bounds: Values = self.upper + held
        return bounds


def _entries(matrix: Values) -> tuple[tuple[int, int, float], ...]:
    return tuple((int(row), int(flow), float(matrix[row, flow])) for row, flow in np.argwhere(matrix))
