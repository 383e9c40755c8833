"""What a plan signs, and what it would cost at another price of an offer: by the mean, or mean and tail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.blocks import Plan
from gigawatt.contract.futures import Course
from gigawatt.contract.indifference import moving_usd
from gigawatt.contract.portfolio_model import Model
from gigawatt.contract.risk import neutral
from gigawatt.contract.signatures import Choice
from gigawatt.contract.terms import NONE
from gigawatt.contract.usage import list_usd
from gigawatt.domain.portfolio import Risk
from gigawatt.laws.finance import conditional_value_usd

Numbers = NDArray[np.float64]
NUM_HALVINGS = 50


def everything_signed(plan: Plan) -> tuple[Choice, Numbers]:
    """All columns of a plan that stand for signatures, and their units."""
    special = plan.model.signatures.special
    first = len(plan.values) - len(special)
    return special.joined(plan.signed), np.concatenate([plan.values[first:], plan.units])


def units_of(plan: Plan, offer: int) -> float:
    """Units that a plan signs of an offer, over all signatures; rights do not count."""
    choice, units = everything_signed(plan)
    positions = plan.model.positions
    mine = (positions.offer[choice.position] == offer) & (positions.parent[choice.position] == NONE)
    return float(units[mine].sum())


def future_costs_usd(plan: Plan) -> Numbers:
    """[futures] what each costs; of a plan that keeps no account of them, its objective once."""
    model = plan.model
    if not len(model.cost_columns):
        return np.array([plan.objective_usd])
    spent = plan.values[model.cost_columns]
    return np.array([float(spent[list(course.nodes)].sum()) for course in model.tree.courses])


def by_the_mean(plan: Plan, bound: float) -> Plan:
    """A plan that weighs the tail, as one that minds the mean alone, beside a bound of those."""
    model = plan.model
    chances = np.array([course.probability_frac for course in model.tree.courses])
    mean = float(future_costs_usd(plan) @ chances)
    unweighed = replace(model, roadmap=neutral(model.roadmap))
    return replace(plan, model=unweighed, objective_usd=mean, bound=min(bound, mean))


def paid_usd(plan: Plan, offer: int) -> Numbers:
    """[futures] payments of a plan, discounted, that move with the price of one offer."""
    model = plan.model
    choice, units = everything_signed(plan)
    mine = np.flatnonzero((model.positions.offer[choice.position] == offer) & (units > 0))
    choice, units = choice.taken(mine), units[mine]
    found = []
    for number, course in enumerate(model.tree.courses):
        table = _moving_in(model, course)
        here = np.isin(choice.node, course.nodes)
        signed = float((table[choice.position, choice.month] * units)[here].sum())
        found.append(signed + sum(_by_use_usd(plan, offer, number)))
    return np.array(found)


def _moving_in(model: Model, course: Course) -> Numbers:
    """[P, T] payments of one unit in a future; a provider that is lost is paid no more."""
    table = moving_usd(model, course.factors, model.weights)
    for name, since in course.losses:
        after = np.where(np.arange(len(model.weights)) >= since, model.weights, 0.0)
        lost = np.array([one.provider == name for one in model.positions.entries])
        table -= np.where(lost[:, None], moving_usd(model, course.factors, after), 0.0)
    return table


def _by_use_usd(plan: Plan, offer: int, number: int) -> Iterator[float]:
    """What a future pays for use beyond the share that is paid anyhow."""
    model = plan.model
    nodes = model.tree.courses[number].nodes
    for position in model.families.taken:
        if model.positions.offer[position] != offer:
            continue
        price = list_usd(model, position, number) * model.weights[:-1]
        for node in nodes:
            begin, end = model.spans(node)
            extra = plan.values[model.builder.columns.blocks[f"extra {node} {position}"].index]
            yield float(extra @ price[begin:end])


@dataclass(frozen=True)
class Held:
    """A plan that holds an offer, and what it would cost at another price of it."""

    objective_usd: float
    costs: Numbers
    """[futures]; of a plan that minds the mean alone, its objective once."""
    paid: Numbers
    """[futures] at the ratio at which it was planned."""
    price_frac: float
    risk: Risk | None
    chances: Numbers

    @classmethod
    def of(cls, plan: Plan, offer: int, price_frac: float = 1.0) -> Held:
        """What `plan`, made where the offer costs so many times its quoted price, has of the offer."""
        model, paid = plan.model, paid_usd(plan, offer)
        chances = np.array([course.probability_frac for course in model.tree.courses])
        costs = future_costs_usd(plan)
        if not len(model.cost_columns):
            mean = np.array([float(paid @ chances)])
            return cls(plan.objective_usd, costs, mean, price_frac, None, np.ones(1))
        return cls(plan.objective_usd, costs, paid, price_frac, model.roadmap.risk, chances)

    def cost_usd(self, ratio: float) -> float:
        """By the mean, or by mean and tail, where the offer costs so many times its quoted price."""
        costs = self.costs + (ratio / self.price_frac - 1.0) * self.paid
        mean = float(costs @ self.chances)
        if self.risk is None:
            return mean
        order = np.argsort(costs, kind="stable")
        level = self.risk.cvar_level_frac
        tail = float(conditional_value_usd(costs[order], self.chances[order], level))
        return mean + self.risk.cvar_weight_frac * (tail - mean)

    def ratio_at(self, target_usd: float) -> float:
        """The ratio at which it costs so much: nought where it costs more even for nothing.

        Cost rises with the ratio and bends upwards, so that the secant from below and the slope above enclose
        it.
        """
        low, high = 0.0, self.price_frac
        if self.cost_usd(low) >= target_usd:
            return 0.0
        while self.cost_usd(high) < target_usd:
            low, high = high, 2.0 * high
        for _ in range(NUM_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.cost_usd(middle) < target_usd else (low, middle)
        return high
