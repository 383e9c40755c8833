"""What every offer is worth: the prices at which this roadmap would not care.

Figures that are told apart, all at the relaxed optimum, where they are exact (`reservation` has them in whole
blocks):

- the dual price: what a little of an offer is worth, by the duals of everything else;
- left and right: what the last little of what is bought is worth, and what a little more would be, by solving
  again; where duals are not unique they differ, and both are given;
- the whole: what the portfolio costs without the offer, less what it costs with it; for an offer that is not
  bought, the price at which its least signature would break even.

An offer's own limits are no reason to pay less, and are left out of what a little more is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.cash import weighted_cash
from gigawatt.contract.columns import Relaxed, price_out
from gigawatt.contract.portfolio_model import Model
from gigawatt.contract.pricing import SMALL_FRAC
from gigawatt.contract.program import Columns
from gigawatt.contract.signatures import Choice, make_columns, reduced_costs
from gigawatt.contract.solver import Answer, Unsolvable
from gigawatt.contract.terms import FAR, NONE
from gigawatt.laws.finance import MONTH_H

Numbers = NDArray[np.float64]
Ints = NDArray[np.int64]

LITTLE_FRAC = 1 / 128
LEAST_BOUGHT = 1e-6
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Nearest:
    """Where a little of an offer is worth most over what it costs."""

    position: int
    month: int
    node: int
    ratio: float
    """Price of indifference over the quoted one."""
    gpu_hours: float
    """Discounted, of one unit."""
    quoted_usd: float
    """Discounted payments of one unit that move with the price."""
    chance: float


@dataclass(frozen=True)
class Appraisal:
    """Worth of one offer, as ratios to its quoted price and as money."""

    offer: int
    nearest: Nearest
    bought: float
    """Units in the relaxed optimum, over all signatures."""
    left_ratio: float | None
    right_ratio: float | None
    block_usd: float
    block_ratio: float | None


def moving_costs(model: Model) -> dict[int, Numbers]:
    """[P, T] by node: discounted payments of one unit that move with the quoted price."""
    courses = model.tree.courses
    return {
        node.number: moving_usd(model, courses[node.futures[0]].factors, model.weights)
        for node in model.tree.nodes
    }


def moving_usd(model: Model, factors: Numbers, weights: Numbers) -> Numbers:
    """[P, T] the same where lists move by these factors, and months weigh so much."""
    positions = model.positions
    owned = positions.capex_usd > 0
    bare = replace(
        positions,
        run_usd=np.zeros_like(positions.run_usd),
        fee_usd=np.zeros_like(positions.fee_usd),
        pay_usd=np.where(owned[:, None], 0.0, positions.pay_usd),
    )
    return weighted_cash(bare, weights, factors)


class Appraiser:
    """Asks the relaxed portfolio about one offer after the other, each time from its optimum."""

    def __init__(self, model: Model, relaxed: Relaxed) -> None:
        self.model, self.relaxed, self.solver = model, relaxed, relaxed.solver
        self.base_usd = relaxed.answer.objective_usd
        self.duals = relaxed.answer.row_duals
        self.special = model.signatures.special
        self.first_special = relaxed.program.num_columns - len(self.special)
        self.choice = relaxed.choice
        self.index = relaxed.fixed + np.arange(len(relaxed.choice))
        self.signable = ~model.positions.power & (model.positions.parent == NONE)
        self.costs = moving_costs(model)
        self.hours = self._hours()
        offers = range(len(model.roadmap.offers))
        self.nearest = {o: one for o in offers if (one := self._nearest(o)) is not None}
        self.copies = self._add_copies()
        self.values = np.concatenate([relaxed.answer.values, np.zeros(len(self.copies))])
        self.basis = self.solver.basis()

    def _hours(self) -> Numbers:
        """[P, T] discounted hours of one accelerator within the horizon."""
        months, positions = self.model.roadmap.months, self.model.positions
        tail = np.append(np.cumsum(self.model.weights[:months][::-1])[::-1], 0.0) * MONTH_H
        total = np.zeros((len(positions), months))
        for step in range(positions.offsets.shape[1]):
            at = np.minimum(np.arange(months) + np.minimum(positions.offsets[:, step, None], FAR), months)
            total += positions.shares[:, step, None] * tail[at]
        return total

    def appraise(self, offer: int) -> Appraisal | None:
        """Everything about one offer; None where it can never be signed."""
        nearest = self.nearest.get(offer)
        if nearest is None:
            return None
        columns = self._columns(offer)
        bought = float(self.values[columns].sum())
        block = self._without(offer, columns) if bought > LEAST_BOUGHT else 0.0
        if bought > LEAST_BOUGHT:
            paid = float(self.values[columns] @ self._moving_of(offer))
            left = self._less(offer, columns, paid)
            ratio = 1.0 + block / paid if np.isfinite(block) else None
            right = self._more(offer, nearest, LITTLE_FRAC)
        else:
            left, right = None, self._more(offer, nearest, LITTLE_FRAC)
            ratio = self._more(offer, nearest, self._least_units(nearest))
        return Appraisal(offer, nearest, bought, left, right, block, ratio)

    def _least_units(self, nearest: Nearest) -> float:
        """Units of the least signature."""
        one = self.model.positions.entries[nearest.position]
        return max(1.0, one.least / one.unit)

    def _nearest(self, offer: int) -> Nearest | None:
        positions = self.model.positions
        mine = np.flatnonzero((positions.offer == offer) & self.signable)
        month = np.arange(self.model.roadmap.months)
        window = (positions.first[mine, None] <= month) & (month <= positions.last[mine, None])
        found: Nearest | None = None
        for node in self.model.tree.nodes:
            quoted = self.costs[node.number][mine] * node.probability_frac
            asked = window & (month >= node.begin) & (month < node.end) & (quoted > 0)
            if not asked.any():
                continue
            reduced = self._without_own_limits(node.number, offer)[mine]
            ratio = np.where(asked, 1.0 - reduced / np.where(asked, quoted, 1.0), -np.inf)
            row, column = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
            p, t = int(mine[row]), int(column)
            if found is None or ratio[row, column] > found.ratio:
                found = Nearest(
                    position=p,
                    month=t,
                    node=node.number,
                    ratio=float(ratio[row, column]),
                    gpu_hours=float(self.hours[p, t] * positions.unit[p]),
                    quoted_usd=float(self.costs[node.number][p, t]),
                    chance=node.probability_frac,
                )
        return found

    def _without_own_limits(self, node: int, offer: int) -> Numbers:
        """Reduced costs where the limits of the offer itself cost nothing."""
        duals = self.duals.copy()
        rows = self._own_rows(offer, node)
        duals[rows[rows >= 0]] = 0.0
        return reduced_costs(self.model, node, duals, everything=True)

    def _columns(self, offer: int) -> Ints:
        """Columns in the solver of what has been made of an offer."""
        of = self.model.positions.offer
        special = self.first_special + np.flatnonzero(of[self.special.position] == offer)
        return np.concatenate([special, self.index[of[self.choice.position] == offer]])

    def _moving_of(self, offer: int) -> Numbers:
        """Expected discounted payments, by column of an offer, that move with the price."""
        of = self.model.positions.offer
        special = self.special.taken(of[self.special.position] == offer)
        mine = special.joined(self.choice.taken(of[self.choice.position] == offer))
        chance = np.array([node.probability_frac for node in self.model.tree.nodes])
        table = [
            self.costs[int(n)][p, t] for p, t, n in zip(mine.position, mine.month, mine.node, strict=True)
        ]
        return np.asarray(np.array(table) * chance[mine.node])

    def cost_without(self, offer: int) -> float:
        """What the portfolio costs more when the offer is not there; nothing where it is not bought."""
        columns = self._columns(offer)
        return self._without(offer, columns) if self.values[columns].sum() > LEAST_BOUGHT else 0.0

    def _without(self, offer: int, columns: Ints) -> float:
        """What the portfolio costs more when the offer is not there; infinite where none is left."""
        shut = np.zeros(len(columns))
        self.solver.bound_columns(columns, shut, shut)
        answer, more = self._priced_out(offer)
        self._restore(columns, more)
        if answer is None:
            return float("inf")
        artificial = answer.values[self.relaxed.program.num_columns : self.relaxed.fixed]
        if artificial.max(initial=0.0) > SMALL_FRAC * max(1.0, float(answer.values.max())):
            return float("inf")
        return answer.objective_usd - self.base_usd

    def _less(self, offer: int, columns: Ints, paid_usd: float) -> float | None:
        """Worth of the last little of what is bought, over the quoted price."""
        upper = self.values[columns] * (1.0 - LITTLE_FRAC)
        self.solver.bound_columns(columns, np.zeros(len(columns)), upper)
        answer, more = self._priced_out(offer)
        self._restore(columns, more)
        if answer is None:
            return None
        return 1.0 + (answer.objective_usd - self.base_usd) / (LITTLE_FRAC * paid_usd)

    def _priced_out(self, without: int) -> tuple[Answer | None, Choice]:
        """The optimum as bounds are now and what was made for it; None where there is none."""
        before = self.solver.num_columns
        try:
            answer, more, _ = price_out(self.model, self.solver, without=without)
        except Unsolvable:
            stray = np.arange(before, self.solver.num_columns)
            if len(stray):
                self.solver.bound_columns(stray, np.zeros(len(stray)), np.zeros(len(stray)))
                self.values = np.concatenate([self.values, np.zeros(len(stray))])
                self.basis = self.solver.widened(self.basis)
            return None, Choice.none()
        return answer, more

    def _more(self, offer: int, nearest: Nearest, units: float) -> float | None:
        """Worth of so many units more, where they are worth most, over the quoted price.

        They come on top of all that is bought of the offer anyhow. None where there is no room for them.
        """
        column, kept = np.array([self.copies[offer]]), self._columns(offer)
        self.solver.bound_columns(kept, self.values[kept], np.full(len(kept), np.inf))
        self.solver.bound_columns(column, np.array([units]), np.array([units]))
        answer, more = self._priced_out(NONE)
        self.solver.bound_columns(column, np.zeros(1), np.zeros(1))
        self._restore(kept, more)
        if answer is None:
            return None
        return 1.0 - (answer.objective_usd - self.base_usd) / (units * nearest.quoted_usd * nearest.chance)

    def _add_copies(self) -> dict[int, int]:
        """A second column for each offer's nearest signature, which its own limits do not hold back."""
        at: dict[int, int] = {}
        for offer, nearest in self.nearest.items():
            place = (nearest.position, nearest.month, nearest.node)
            made = make_columns(self.model, Choice(*(np.array([one]) for one in place)))
            kept = ~np.isin(made.rows, self._own_rows(offer, nearest.node))
            ends = np.array([0, int(kept.sum())])
            shut = np.zeros(1)
            self.solver.add(
                Columns(made.cost, shut, shut, made.whole, ends, made.rows[kept], made.values[kept])
            )
            at[offer] = self.solver.num_columns - 1
        return at

    def _own_rows(self, offer: int, node: int) -> Ints:
        """Rows that limit an offer by its own terms."""
        found = [np.empty(0, dtype=np.int64)]
        families = self.model.families
        if offer in families.capped_offers:
            family = families.first_offer + families.capped_offers.index(offer)
            found.append(self.model.stock_rows[node][family])
        gates = self.model.signatures.gates
        if node in gates.low:
            mine = np.unique(gates.gate_of[(self.model.positions.offer == offer) & self.signable])
            found += [
                table[gate] for table in (gates.low[node], gates.high[node]) for gate in mine if gate >= 0
            ]
        return np.concatenate(found)

    def _restore(self, columns: Ints, more: Choice) -> None:
        """Back to the optimum."""
        if len(more):
            first = self.solver.num_columns - len(more)
            self.index = np.concatenate([self.index, first + np.arange(len(more))])
            self.choice = self.choice.joined(more)
            self.values = np.concatenate([self.values, np.zeros(len(more))])
            self.basis = self.solver.widened(self.basis)
        if len(columns):
            self.solver.bound_columns(columns, np.zeros(len(columns)), np.full(len(columns), np.inf))
        self.solver.set_basis(self.basis)


def appraise_all(
    model: Model, relaxed: Relaxed, progress: Progress = lambda _d, _t, _l: None
) -> Iterator[Appraisal]:
    """Every offer of accelerators that can be signed."""
    appraiser = Appraiser(model, relaxed)
    count = len(model.roadmap.offers)
    for offer in range(count):
        progress(offer, count, f"worth of {model.roadmap.offers[offer].id}")
        found = appraiser.appraise(offer)
        if found is not None:
            yield found
