"""One Newton step towards the optimum of an hourly program, in time that grows with the hours alone.

Eliminating the flows leaves a banded system over the rows of the hours (each hour meets only the next one),
bordered by the few sizes and totals. The band is factored by Cholesky, year by year; the border is solved
as a small dense system on what the band leaves of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lu_factor, lu_solve
from scipy.linalg.lapack import dpbtrf, dpbtrs

from gigawatt.contract.energy_kernel import solve_band
from gigawatt.contract.energy_program import HourlyProgram, Ints, Values
from gigawatt.kernels import compiled

_REGULAR = 1e-13
"""Relative to the diagonal: keeps rows that hang together factorable."""


@dataclass(frozen=True, slots=True)
class Spread:
    """One number, or a step, for each flow bound, size bound and price: a point of the search.

    `low` and `high` belong to the lower and upper bounds of `flows`; `size_low`, `size_high` to the sizes.
    """

    flows: Values
    sizes: Values
    prices: Values
    total_prices: Values
    low: Values
    high: Values
    size_low: Values
    size_high: Values

    def moved(self, step: Spread, primal_frac: float, dual_frac: float) -> Spread:
        """This point after a share of a step; flows and sizes may go further than prices."""
        return Spread(
            self.flows + primal_frac * step.flows,
            self.sizes + primal_frac * step.sizes,
            self.prices + dual_frac * step.prices,
            self.total_prices + dual_frac * step.total_prices,
            self.low + dual_frac * step.low,
            self.high + dual_frac * step.high,
            self.size_low + dual_frac * step.size_low,
            self.size_high + dual_frac * step.size_high,
        )


@dataclass(frozen=True, slots=True)
class Products:
    """Bound times its price, for each kind of bound: what an interior point keeps away from nought."""

    low: Values
    high: Values
    size_low: Values
    size_high: Values

    def parts(self) -> tuple[Values, Values, Values, Values]:
        """The four, in order."""
        return self.low, self.high, self.size_low, self.size_high


MIN_COMPILED = 2**19
"""Numbers in a border from which on a compiled loop, three times as fast, pays for being loaded."""
_PIECE = 256
"""Rows of the band that are multiplied at once."""


class Shape:
    """What of a program never changes from step to step."""

    def __init__(self, program: HourlyProgram) -> None:
        self.program = program
        held = (program.holder >= 0) & (program.share > 0)
        live = held | (program.upper > 0)
        bounded = live & np.isfinite(program.upper)
        self.live, self.bounded = live.astype(float), bounded.astype(float)
        self.limited = np.isfinite(program.size_limit).astype(float)
        self.share: Values = np.where(held, program.share, 0.0)
        self.upper: Values = np.where(bounded, program.upper, 0.0)
        self.free: NDArray[np.bool_] = live & ~bounded
        self.held = np.flatnonzero(held.any(axis=1))
        self.holders = {int(flow): _holders(program.holder[flow], held[flow]) for flow in self.held}
        self.num_products = int(live.sum() + bounded.sum() + len(program.size_usd) + self.limited.sum())
        self.columns = [np.array(sorted(self._touched(*span)), dtype=np.int64) for span in program.spans]

    @property
    def num_sizes(self) -> int:
        """How many sizes there are."""
        return len(self.program.size_usd)

    def by_size(self, values: Values) -> Values:
        """[sizes] values of the flows, summed up by the size that holds them. Nought where none does."""
        sums = np.zeros(self.num_sizes)
        for flow, holder in self.holders.items():
            if isinstance(holder, int):
                sums[holder] += values[flow].sum()
            else:
                sums += np.bincount(holder, weights=values[flow], minlength=self.num_sizes)
        return sums

    def from_size(self, sizes: Values) -> Values:
        """[flows, hours] of each flow, `share` of its size."""
        grown = np.zeros_like(self.share)
        for flow, holder in self.holders.items():
            np.multiply(self.share[flow], sizes[holder], out=grown[flow])
        return grown

    def bounds(self, sizes: Values) -> Values:
        """[flows, hours] the most of each flow, 0 where there is no bound."""
        bounds: Values = self.upper + self.from_size(sizes)
        return bounds

    def summed(self, flows: Values) -> Values:
        """[totals] sums of flows."""
        sums = [
            sum(np.einsum("i,i", weight, flows[flow]) for flow, weight in total.terms)
            for total in self.program.totals
        ]
        return np.array(sums, dtype=float)

    def spread(self, prices: Values) -> Values:
        """[flows, hours] what the totals charge each flow at given prices."""
        charged = np.zeros_like(self.program.flow_usd)
        for total, price in zip(self.program.totals, prices, strict=True):
            for flow, weight in total.terms:
                charged[flow] += price * weight
        return charged

    @property
    def size_sums(self) -> Values:
        """[totals, sizes] what sizes add to totals."""
        sums = np.zeros((len(self.program.totals), self.num_sizes))
        for row, total in enumerate(self.program.totals):
            for size, weight in total.sizes:
                sums[row, size] += weight
        return sums

    def _touched(self, first: int, last: int) -> set[int]:
        """Border columns (sizes, then totals) that meet the hours of a year."""
        holders, shares = self.program.holder[:, first:last], self.share[:, first:last]
        touched = set(np.unique(holders[shares > 0]).tolist())
        touched |= {g.size for g in self.program.gifts if g.profile_frac[first:last].any()}
        for row, total in enumerate(self.program.totals):
            if any(weight[first:last].any() for _, weight in total.terms):
                touched.add(self.num_sizes + row)
        return touched


def _holders(holder: Ints, held: NDArray[np.bool_]) -> int | Ints:
    """The one size that holds a flow, or that of each hour where there are several."""
    found = np.unique(holder[held])
    return int(found[0]) if len(found) == 1 else np.maximum(holder, 0)


class Newton:
    """The system of one iteration, factored once and solved for several right-hand sides."""

    def __init__(self, shape: Shape, point: Spread, gaps: Products) -> None:
        self.shape, self.program, self.point, self.gaps = shape, shape.program, point, gaps
        self.low_rate = point.low / gaps.low
        self.high_rate = point.high / gaps.high
        self.give = shape.live / (self.low_rate + self.high_rate + (1.0 - shape.live))
        self.pull = self.give * self.high_rate * shape.share
        self.size_high_rate = point.size_high / gaps.size_high
        self.size_rate = point.size_low / gaps.size_low + self.size_high_rate
        self.borders = [self._border(n) for n in range(len(self.program.spans))]
        self.bands = [self._band(*span) for span in self.program.spans]
        self.within = [_through(*pair) for pair in zip(self.bands, self.borders, strict=True)]
        self.small = lu_factor(self._small(), check_finite=False)
        self._residuals()

    def _band(self, first: int, last: int) -> Values:
        """The factored band of a year, in LAPACK's lower form."""
        puts, carries = self.program.puts, self.program.carries
        rows, give = self.program.take.shape[0], self.give[:, first:last]
        band = np.zeros((2 * rows if carries else rows, last - first, rows))
        for row, column, flow, weight in _pairs(puts, puts):
            if row >= column:
                band[row - column, :, column] += weight * give[flow]
        for row, column, flow, weight in _pairs(carries, carries):
            if row >= column:
                band[row - column, 1:, column] += weight * give[flow, :-1]
        for row, column, flow, weight in _pairs(carries, puts):
            band[rows + row - column, :-1, column] += weight * give[flow, :-1]
        band[0] += _REGULAR * (1.0 + band[0])
        factor, failed = dpbtrf(band.reshape(len(band), -1), lower=1)
        if failed:
            raise FloatingPointError("the band of a year cannot be factored")
        return np.asarray(factor)

    def _border(self, year: int) -> Values:
        """[touched sizes and totals, hours x rows] of a year."""
        first, last = self.program.spans[year]
        columns = self.shape.columns[year]
        place = {int(column): n for n, column in enumerate(columns)}
        border = np.zeros((len(columns), last - first, self.program.take.shape[0]))
        self._held(border, place, first, last)
        for gift in self.program.gifts:
            if gift.size in place:
                border[place[gift.size], :, gift.row] -= gift.profile_frac[first:last]
        for row, total in enumerate(self.program.totals):
            if (column := self.shape.num_sizes + row) in place:
                flows = np.zeros((self.program.take.shape[1], last - first))
                for flow, weight in total.terms:
                    flows[flow] += self.give[flow, first:last] * weight[first:last]
                border[place[column]] += self._sunk(flows)
        return border.reshape(len(columns), border.shape[1] * border.shape[2])

    def _held(self, border: Values, place: dict[int, int], first: int, last: int) -> None:
        """How sizes move the rows through the flows that they hold."""
        lookup = np.zeros(self.shape.num_sizes, dtype=np.int64)
        for column, n in place.items():
            if column < self.shape.num_sizes:
                lookup[column] = n
        hours = np.arange(last - first)
        for flow, holder in self.shape.holders.items():
            pull = self.pull[flow, first:last]
            where = lookup[np.full(last - first, holder) if isinstance(holder, int) else holder[first:last]]
            for row, _, weight in (put for put in self.program.puts if put[1] == flow):
                border[where, hours, row] += weight * pull
            for row, _, weight in (put for put in self.program.carries if put[1] == flow):
                border[where[:-1], hours[1:], row] += weight * pull[:-1]

    def _sunk(self, flows: Values) -> Values:
        """[hours, rows] of one year, as `HourlyProgram.sunk`."""
        rows = np.zeros((flows.shape[1], self.program.take.shape[0]))
        for row, flow, weight in self.program.puts:
            rows[:, row] += weight * flows[flow]
        for row, flow, weight in self.program.carries:
            rows[1:, row] += weight * flows[flow, :-1]
        return rows

    def _small(self) -> Values:
        """What is left for sizes and totals once the rows are eliminated."""
        shape, sizes = self.shape, self.shape.num_sizes
        count = sizes + len(self.program.totals)
        small = np.zeros((count, count))
        own = self.size_rate + shape.by_size(
            shape.share * self.high_rate * self.low_rate * self.give * shape.share
        )
        small[:sizes, :sizes] = -np.diag(own)
        for row, column in self._totals():
            small[sizes + row, :sizes] = column
            small[:sizes, sizes + row] = column
        small[sizes:, sizes:] = self._crossed() + _REGULAR * np.eye(count - sizes)
        for columns, border, within in zip(shape.columns, self.borders, self.within, strict=True):
            small[np.ix_(columns, columns)] -= _product(border, within)
        return small

    def _totals(self) -> Iterator[tuple[int, Values]]:
        """How each total meets the sizes: through flows that they hold, and directly."""
        sums = self.shape.size_sums
        for row, total in enumerate(self.program.totals):
            weighted = np.zeros_like(self.pull)
            for flow, weight in total.terms:
                weighted[flow] += weight * self.pull[flow]
            yield row, self.shape.by_size(weighted) + sums[row]

    def _crossed(self) -> Values:
        """[totals, totals] how totals meet each other in the flows."""
        totals = self.program.totals
        crossed = np.zeros((len(totals), len(totals)))
        for row, total in enumerate(totals):
            for column, other in enumerate(totals[: row + 1]):
                meet = sum(
                    float(np.sum(one * two * self.give[flow]))
                    for flow, one in total.terms
                    for again, two in other.terms
                    if flow == again
                )
                crossed[row, column] = crossed[column, row] = meet
        return crossed

    def _residuals(self) -> None:
        """What the point still misses, targets of the products aside."""
        program, shape, point = self.program, self.shape, self.point
        self.missing = program.need + program.given(point.sizes) - program.sunk(point.flows)
        targets = np.array([total.target for total in program.totals], dtype=float)
        self.short = targets - shape.summed(point.flows) - shape.size_sums @ point.sizes
        self.left = program.flow_usd - program.raised(point.prices) - shape.spread(point.total_prices)
        self.size_left = (
            program.size_usd + program.worth(point.prices) - shape.size_sums.T @ point.total_prices
        )

    def step(self, aim: Products) -> Spread:
        """The step after which, to first order, the products are those of `aim` and nothing is missing.

        `aim` is nought where there is no bound; there all prices of bounds are and stay nought.
        """
        shape, gaps, point = self.shape, self.gaps, self.point
        low, high = aim.low / gaps.low, aim.high / gaps.high
        size_low, size_high = aim.size_low / gaps.size_low, aim.size_high / gaps.size_high
        rest = self.left - low + high
        size_rest = self.size_left - size_low + size_high - shape.by_size(shape.share * high)
        eased = self.give * rest
        prices, sizes, totals = self._solve(
            self.missing + self.program.sunk(eased),
            size_rest + shape.by_size(self.pull * rest),
            self.short + shape.summed(eased),
        )
        grown = shape.from_size(sizes)
        rest = self.program.raised(prices) + shape.spread(totals) + self.high_rate * grown - rest
        flows = self.give * rest
        return Spread(
            flows,
            sizes,
            prices,
            totals,
            low - point.low - self.low_rate * flows,
            high - point.high - self.high_rate * (grown - flows),
            size_low - point.size_low - point.size_low / gaps.size_low * sizes,
            size_high - point.size_high + self.size_high_rate * sizes,
        )

    def _solve(self, rows: Values, sizes: Values, totals: Values) -> tuple[Values, Values, Values]:
        """Prices of the rows, sizes and prices of the totals for a right-hand side."""
        right = np.concatenate([sizes, totals])
        halves = []
        for n, (first, last) in enumerate(self.program.spans):
            half = dpbtrs(self.bands[n], rows[:, first:last].T.ravel(), lower=1)[0]
            right[self.shape.columns[n]] -= np.einsum("ij,j->i", self.borders[n], half)
            halves.append(half)
        small = lu_solve(self.small, right, check_finite=False)
        prices = np.empty_like(rows)
        for n, (first, last) in enumerate(self.program.spans):
            half = halves[n] - np.einsum("ij,j->i", self.within[n], small[self.shape.columns[n]])
            prices[:, first:last] = half.reshape(last - first, -1).T
        return prices, small[: len(sizes)], small[len(sizes) :]


def _pairs(
    left: Sequence[tuple[int, int, float]], right: Sequence[tuple[int, int, float]]
) -> Iterator[tuple[int, int, int, float]]:
    """Row, column, flow and weight where two rows meet in a flow."""
    for row, flow, weight in left:
        for column, other, factor in right:
            if flow == other:
                yield row, column, flow, weight * factor


def _through(band: Values, border: Values) -> Values:
    """[hours x rows, columns] the border solved through the factored band of a year."""
    if border.size < MIN_COMPILED:
        return np.asarray(dpbtrs(band, border.T, lower=1)[0])
    solved = np.ascontiguousarray(border.T)
    compiled(solve_band, allocates=False)(np.ascontiguousarray(band), solved)
    return solved


def _product(border: Values, within: Values) -> Values:
    """Border times what the band makes of it, piece by piece.

    Pieces are too small for the linear algebra to spread them over threads, which would then wait for each
    other wherever the machine has something else to do; `einsum` spreads nothing for the same reason.
    """
    width = border.shape[1]
    pieces = range(0, width, _PIECE)
    return sum(
        (border[:, at : at + _PIECE] @ within[at : at + _PIECE] for at in pieces),
        start=np.zeros((len(border), len(border))),
    )
