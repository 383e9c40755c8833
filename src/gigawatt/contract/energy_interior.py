"""The optimum of an hourly program, with a bound that proves it.

A primal-dual interior-point method: Mehrotra's predictor and corrector, then Gondzio's further correctors,
on steps that cost time in proportion to the hours (`energy_newton`). Whatever the prices are on the way,
they give a bound from below by weak duality; what the point costs, with all that it misses charged at the
price of shortage, is one from above. The search ends when these two meet.

S. Mehrotra, On the implementation of a primal-dual interior point method, SIAM J. Optim. 2 (1992);
J. Gondzio, Multiple centrality corrections in a primal-dual method for linear programming, Comput. Optim.
Appl. 6 (1996).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gigawatt.contract.energy_newton import Newton, Products, Shape, Spread
from gigawatt.contract.energy_program import Gift, HourlyProgram, Megawatts, Values

MAX_ITERATIONS = 300
_CORRECTORS = 1
MOST_WITHIN = 0.95
"""Share of the way to the nearest bound that a step goes."""
MIN_CENTRING = 1e-3
"""The least share of the mean product that a step aims for."""
MIN_GAIN = 0.02
"""A further corrector is kept where the step becomes longer by this share of itself."""
_LONGER = 0.25
"""By how much longer a step correctors aim for."""


@dataclass(frozen=True, slots=True)
class Solution:
    """Flows [flows, hours] MW and sizes that meet every row, and what proves how good they are."""

    flows: Values
    sizes: Values
    prices: Values
    """[rows, hours] USD per MWh of each row, times the weight of the hour's year."""
    total_prices: Values
    """[totals] USD by which one unit more of each target changes the cost."""
    cost_usd: float
    lower_bound_usd: float
    most_missing: Megawatts
    """The largest amount by which any balance of any hour is missed."""
    num_iterations: int

    @property
    def gap_frac(self) -> float:
        """How far cost and bound are apart."""
        return (self.cost_usd - self.lower_bound_usd) / max(abs(self.cost_usd), 1.0)


def solve_program(program: HourlyProgram, gap_frac: float = 1e-6) -> Solution:
    """Flows and sizes of least cost, to within `gap_frac`.

    The answer is returned with its true gap also where rounding ends the search earlier.
    """
    power, price = _units(program)
    scaled = _scaled(program, power, price)
    search = _Search(Shape(scaled))
    search.run(gap_frac)
    point, cost, bound = search.best
    return Solution(
        flows=point.flows * power,
        sizes=point.sizes * power,
        prices=point.prices * price,
        total_prices=point.total_prices * price,
        cost_usd=cost * power * price,
        lower_bound_usd=bound * power * price,
        most_missing=search.most_missing * power,
        num_iterations=search.num_iterations,
    )


def _units(program: HourlyProgram) -> tuple[float, float]:
    """A power and a price by which to measure, so that most numbers are near one."""
    power = float(np.abs(program.need).max()) or 1.0
    costs = program.flow_usd[program.flow_usd > 0]
    return power, float(np.median(costs)) if len(costs) else 1.0


def _scaled(program: HourlyProgram, power: float, price: float) -> HourlyProgram:
    totals = tuple(
        replace(total, target=total.target / power, penalty_usd=total.penalty_usd / price)
        for total in program.totals
    )
    return replace(
        program,
        flow_usd=program.flow_usd / price,
        upper=program.upper / power,
        need=program.need / power,
        gifts=tuple(Gift(gift.size, gift.row, gift.profile_frac) for gift in program.gifts),
        size_usd=program.size_usd / price,
        size_limit=program.size_limit / power,
        size_most=program.size_most / power,
        totals=totals,
        shortage_usd_per_mwh=program.shortage_usd_per_mwh / price,
    )


class _Search:
    """The way from a start to the optimum."""

    def __init__(self, shape: Shape) -> None:
        self.shape, self.program = shape, shape.program
        self.there = (shape.live, shape.bounded, np.ones(shape.num_sizes), shape.limited)
        self.point = self._start()
        self.best = (self.point, np.inf, -np.inf)
        self.most_missing = 0.0
        self.num_iterations = 0

    def _start(self) -> Spread:
        """Everything in the middle of its bounds, every price positive."""
        program, shape = self.program, self.shape
        sizes = np.where(shape.limited > 0, np.minimum(0.5, 0.5 * program.size_limit), 0.5)
        flows = np.where(shape.free, 1.0, 0.5 * shape.bounds(sizes))
        prices = np.zeros_like(program.need)
        prices[0] = 1.0
        level = 100.0
        return Spread(
            flows,
            sizes,
            prices,
            np.zeros(len(program.totals)),
            level * shape.live,
            level * shape.bounded,
            np.maximum(0.5 * program.size_usd, level),
            level * shape.limited,
        )

    def run(self, gap_frac: float) -> None:
        """Step until cost and bound meet, or nothing moves any more."""
        while self.num_iterations < MAX_ITERATIONS:
            try:
                with np.errstate(divide="raise", invalid="raise"):
                    newton = Newton(self.shape, self.point, self._gaps(self.point))
            except FloatingPointError:
                return
            if self._certify(newton) <= gap_frac:
                return
            self._advance(newton)
            self.num_iterations += 1

    def _gaps(self, point: Spread) -> Products:
        """How far flows and sizes are from their bounds; one where there is no bound."""
        shape = self.shape
        limits = np.where(shape.limited > 0, self.program.size_limit, 1.0 + point.sizes)
        return Products(
            point.flows + (1.0 - shape.live),
            (shape.bounds(point.sizes) - point.flows) * shape.bounded + (1.0 - shape.bounded),
            point.sizes,
            limits - point.sizes,
        )

    def _certify(self, newton: Newton) -> float:
        """Cost and bound of the point as it stands; keeps the best of each. Returns their gap."""
        program, point = self.program, self.point
        missing = float(np.abs(newton.missing).sum()) * program.shortage_usd_per_mwh
        for total, short in zip(program.totals, newton.short, strict=True):
            missing += abs(float(short)) * total.penalty_usd
        cost = float(np.sum(program.flow_usd * point.flows)) + float(program.size_usd @ point.sizes) + missing
        bound = max(self.best[2], self._bound(newton))
        if cost <= self.best[1]:
            self.best = (point, cost, bound)
            self.most_missing = float(np.abs(newton.missing).max())
        self.best = (*self.best[:2], bound)
        return (self.best[1] - bound) / max(abs(self.best[1]), 1.0)

    def _bound(self, newton: Newton) -> float:
        """What no plan can cost less than, by weak duality: flows and sizes at their best for the prices."""
        program, shape, point = self.program, self.shape, self.point
        lost = np.minimum(newton.left, 0.0)
        if np.any(lost[shape.free] < 0):
            return -np.inf
        sizes = newton.size_left + shape.by_size(shape.share * lost)
        worse = sizes < 0
        targets = np.array([total.target for total in program.totals], dtype=float)
        return float(
            np.sum(program.need * point.prices)
            + targets @ point.total_prices
            + np.sum(shape.upper * lost)
            + np.sum(sizes[worse] * program.size_most[worse])
        )

    def _advance(self, newton: Newton) -> None:
        """Predict, correct, correct further while it pays, and go."""
        held = _held(self.point)
        mean = _product(newton.gaps, held) / self.shape.num_products
        ahead = newton.step(Products(*(np.zeros_like(price) for price in held.parts())))
        moves, rises = self._moves(ahead), _held(ahead)
        primal, dual = self._reach(newton, ahead)
        after = _product(_along(newton.gaps, moves, primal), _along(held, rises, dual))
        centring = min(1.0, max(MIN_CENTRING, (after / self.shape.num_products / mean) ** 3))
        aim = centring * mean
        each = zip(self.there, moves.parts(), rises.parts(), strict=True)
        step = newton.step(Products(*(there * (aim - move * rise) for there, move, rise in each)))
        reach = self._reach(newton, step)
        for _ in range(_CORRECTORS):
            further = newton.step(self._corrected(newton, step, reach, aim))
            longer = self._reach(newton, further)
            if sum(longer) < sum(reach) + MIN_GAIN:
                break
            step, reach = further, longer
        self.point = self.point.moved(step, *(min(1.0, MOST_WITHIN * share) for share in reach))

    def _moves(self, step: Spread) -> Products:
        """How a step changes the distances from the bounds."""
        grown = self.shape.from_size(step.sizes)
        high = (grown - step.flows) * self.shape.bounded
        return Products(step.flows, high, step.sizes, -step.sizes * self.shape.limited)

    def _reach(self, newton: Newton, step: Spread) -> tuple[float, float]:
        """Shares of a step that flows and sizes, and prices, can go before one meets its bound."""
        gaps, moves = newton.gaps.parts(), self._moves(step).parts()
        pairs = zip(self.there, _held(self.point).parts(), strict=True)
        held, rises = (price + (1.0 - there) for there, price in pairs), _held(step).parts()
        return (
            min(_share(gap, move) for gap, move in zip(gaps, moves, strict=True)),
            min(_share(price, rise) for price, rise in zip(held, rises, strict=True)),
        )

    def _corrected(self, newton: Newton, step: Spread, reach: tuple[float, float], aim: float) -> Products:
        """Products to aim for so that outliers among those after a longer step come back to the others."""
        primal, dual = (min(1.0, share + _LONGER) for share in reach)
        aims = []
        known = (newton.gaps, self._moves(step), _held(self.point), _held(step))
        each = zip(self.there, *(part.parts() for part in known), strict=True)
        for there, gap, move, price, rise in each:
            product = (gap + primal * move) * (price + dual * rise)
            back = np.clip(product, 0.1 * aim, 10 * aim) - product
            reached = gap * (price + rise) + price * move
            aims.append(there * (reached + np.maximum(back, -10 * aim)))
        return Products(*aims)


def _held(point: Spread) -> Products:
    """The prices of the bounds."""
    return Products(point.low, point.high, point.size_low, point.size_high)


def _product(gaps: Products, held: Products) -> float:
    return sum(float(np.sum(gap * price)) for gap, price in zip(gaps.parts(), held.parts(), strict=True))


def _along(values: Products, moves: Products, share: float) -> Products:
    pairs = zip(values.parts(), moves.parts(), strict=True)
    return Products(*(value + share * move for value, move in pairs))


def _share(values: Values, moves: Values) -> float:
    """How much of the moves can be made before the first value is nought; 1 at the most."""
    return 1.0 / max(1.0, -float(np.min(moves / values)))
