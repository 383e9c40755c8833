"""What knowing more is worth in whole blocks: foresight, planning for all futures, and the regret of simpler
ways.

Every figure compares plans in whole blocks, each of which costs between its bound and what was found; so
each is an interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.blocks import Plan
from gigawatt.contract.columns import Pinned
from gigawatt.contract.demand import demand_of
from gigawatt.contract.futures import Tree, expected_course, single_course, tree_of
from gigawatt.contract.payments import everything_signed, future_costs_usd
from gigawatt.contract.portfolio_model import build_model
from gigawatt.contract.replan import Allowance, replanned_model, telling_gap_frac
from gigawatt.contract.risk import neutral, simpler_ways, with_weight
from gigawatt.domain.portfolio import Roadmap
from gigawatt.domain.portfolio_plan import Portfolio, RiskFigures, Strategy
from gigawatt.domain.whole_blocks import WholeRisk, WholeStrategy
from gigawatt.errors import InfeasibleError
from gigawatt.laws.finance import conditional_value_usd

Numbers = NDArray[np.float64]
Progress = Callable[[int, int, str], None]
SEEN_WEIGHT = 1e-12
"""Keeps an account of every future in the program, and counts for nothing."""
MOST_SHARES = 8
"""A plan may take an eighth of the time that is left."""
NUM_PLANS = 3
"""For all futures, for their mean, and what that is worth in all of them."""


@dataclass(frozen=True)
class Whole:
    """A plan in whole blocks, what is proven of it, and what each future costs under it."""

    plan: Plan
    low_usd: float
    high_usd: float
    costs: Numbers
    """[futures]"""

    @property
    def chances(self) -> Numbers:
        """Of the futures."""
        return np.array([course.probability_frac for course in self.plan.model.tree.courses])

    def cvar_usd(self, level_frac: float) -> float:
        """Mean of the worst."""
        order = np.argsort(self.costs, kind="stable")
        return float(conditional_value_usd(self.costs[order], self.chances[order], level_frac))


def whole_outcome(
    roadmap: Roadmap, tree: Tree, gap_frac: float, deadline_s: float, pinned: Pinned | None = None
) -> Whole | None:
    """The best plan over a tree; None where time ran out. Raises InfeasibleError."""
    weight = max(roadmap.risk.cvar_weight_frac, SEEN_WEIGHT)
    model = build_model(with_weight(roadmap, weight), tree)
    plan = replanned_model(model, gap_frac, deadline_s, pinned)
    if plan is None:
        return None
    return Whole(plan, plan.bound, plan.objective_usd, future_costs_usd(plan))


@dataclass(frozen=True)
class Known:
    """[futures] what each would cost if it were known from the start: no less, and no more."""

    low_usd: Numbers
    high_usd: Numbers


def whole_foresight(
    roadmap: Roadmap, tree: Tree, known: Known, gap_frac: float, allowance: Allowance, progress: Progress
) -> Known:
    """One plan for each future, as far as time goes; `known` is what is proven of each without them."""
    count = len(tree.courses)
    low, high = known.low_usd.copy(), known.high_usd.copy()
    for number in range(count):
        progress(number, count, f"foresight of {tree.courses[number].id} in whole blocks")
        if allowance.spent:
            break
        alone = single_course(tree, number, roadmap.months)
        one = whole_outcome(roadmap, alone, gap_frac, allowance.next_deadline_s())
        if one is not None:
            high[number] = min(high[number], one.high_usd)
            low[number] = min(max(low[number], one.low_usd), high[number])
    return Known(low, high)


def judge_whole(
    roadmap: Roadmap,
    relaxed: tuple[RiskFigures, tuple[Strategy, ...], Numbers],
    found: Portfolio,
    progress: Progress,
    budget_s: float,
) -> tuple[RiskFigures, tuple[Strategy, ...]]:
    """The same figures and strategies with those in whole blocks beside them.

    `relaxed` has figures, strategies and foresight in parts of blocks, whose costs bound those in whole ones.
    What the plan at hand costs bounds them from the other side; plans made within `budget_s` narrow that.
    """
    figures, ways, parts = relaxed
    plain, tree = neutral(roadmap), tree_of(roadmap, demand_of(roadmap))
    allowance = Allowance.of(budget_s, NUM_PLANS + len(tree.courses) + len(ways), MOST_SHARES)
    gap = telling_gap_frac(roadmap, figures.evpi_usd, figures.mean_usd)
    progress(0, 1, "plan by the mean in whole blocks")
    flat = whole_outcome(plain, tree, gap, allowance.next_deadline_s())
    costs = _audited_costs(found)
    known = Known(np.minimum(parts, costs), costs)
    known = whole_foresight(plain, tree, known, gap, allowance, progress)
    progress(0, 1, "plan for the mean future in whole blocks")
    of_mean = _of_mean(plain, tree, gap, allowance)
    least = figures.evpi_usd + figures.wait_and_see_usd
    whole = _knowing(flat, known, of_mean, found, least)
    named = dict(_whole_strategies(roadmap, known, found, gap, allowance, progress))
    ways = tuple(one.model_copy(update={"whole": named.get(one.name)}) for one in ways)
    return figures.model_copy(update={"whole": whole}), ways


def _knowing(
    flat: Whole | None, known: Known, of_mean: Whole | None, found: Portfolio, least_usd: float
) -> WholeRisk:
    """Differences of what is proven. Any plan that was found bounds the best by the mean from above."""
    chances = np.array([one.probability_frac for one in found.audit.futures])
    best = float(_audited_costs(found) @ chances)
    for one in (flat, of_mean):
        best = min(best, one.high_usd) if one else best
    low = min(max(least_usd, flat.low_usd if flat else least_usd), best)
    seen_low, seen_high = float(known.low_usd @ chances), float(known.high_usd @ chances)
    return WholeRisk(
        low_mean_usd=low,
        high_mean_usd=best,
        low_wait_and_see_usd=seen_low,
        high_wait_and_see_usd=seen_high,
        low_expected_value_usd=of_mean.low_usd if of_mean else None,
        high_expected_value_usd=of_mean.high_usd if of_mean else None,
        low_evpi_usd=max(0.0, low - seen_high),
        high_evpi_usd=max(0.0, best - seen_low),
        low_vss_usd=max(0.0, of_mean.low_usd - best) if of_mean else None,
        high_vss_usd=max(0.0, of_mean.high_usd - low) if of_mean else None,
    )


def _audited_costs(found: Portfolio) -> Numbers:
    """[futures] what the plan at hand costs."""
    return np.array([one.present_usd for one in found.audit.futures])


def _of_mean(plain: Roadmap, tree: Tree, gap_frac: float, allowance: Allowance) -> Whole | None:
    """What a plan for the mean future signs before futures part, and the best that is left after it."""
    try:
        mean = whole_outcome(
            plain, expected_course(tree, plain.months), gap_frac, allowance.next_deadline_s()
        )
        if mean is None:
            return None
        return whole_outcome(plain, tree, gap_frac, allowance.next_deadline_s(), _early(mean.plan, tree))
    except InfeasibleError:
        return None


def _early(plan: Plan, tree: Tree) -> Pinned:
    """Signatures of a plan for one future before the month in which futures part, at another tree's root."""
    choice, units = everything_signed(plan)
    early = np.flatnonzero((units > 0) & (choice.month < tree.nodes[0].end))
    kept = choice.taken(early)
    return Pinned(replace(kept, node=np.zeros(len(kept), dtype=np.int64)), units[early])


def _whole_strategies(
    roadmap: Roadmap, known: Known, found: Portfolio, gap: float, allowance: Allowance, progress: Progress
) -> Iterator[tuple[str, WholeStrategy]]:
    """The plan at hand as its audit adds it up, and simpler ways as far as time suffices."""
    proof, level = found.certificate, roadmap.risk.cvar_level_frac
    costs = _audited_costs(found)
    chances = np.array([one.probability_frac for one in found.audit.futures])
    order = np.argsort(costs, kind="stable")
    cvar = float(conditional_value_usd(costs[order], chances[order], level))
    ids = [one.future for one in found.audit.futures]
    ends = proof.bound_usd, proof.objective_usd
    yield "the plan", _strategy(ids, ends, float(costs @ chances), cvar, costs, known)
    ways = {name: other for name, other in simpler_ways(roadmap).items() if other.offers}
    for number, (name, other) in enumerate(ways.items()):
        progress(number, len(ways), f"{name}, in whole blocks")
        try:
            one = whole_outcome(other, tree_of(other, demand_of(other)), gap, allowance.next_deadline_s())
        except InfeasibleError:
            continue
        if one is not None:
            ends = one.low_usd, one.high_usd
            mean = float(one.costs @ one.chances)
            yield name, _strategy(ids, ends, mean, one.cvar_usd(level), one.costs, known)


def _strategy(
    ids: list[str], ends: tuple[float, float], mean: float, cvar: float, costs: Numbers, known: Known
) -> WholeStrategy:
    least, most = np.maximum(0.0, costs - known.high_usd), np.maximum(0.0, costs - known.low_usd)
    return WholeStrategy(
        low_usd=ends[0],
        high_usd=ends[1],
        mean_usd=mean,
        cvar_usd=cvar,
        cost_by_future_usd=dict(zip(ids, map(float, costs), strict=True)),
        low_regret_by_future_usd=dict(zip(ids, map(float, least), strict=True)),
        high_regret_by_future_usd=dict(zip(ids, map(float, most), strict=True)),
    )
