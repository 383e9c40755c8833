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
from gigawatt.contract.payments import everything_signed
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
    costs = np.array([plan.objective_usd])
    if len(model.cost_columns):
        spent = plan.values[model.cost_columns]
        costs = np.array([float(spent[list(course.nodes)].sum()) for course in tree.courses])
    return Whole(plan, plan.bound, plan.objective_usd, costs)


@dataclass(frozen=True)
class Known:
    """[futures] what each would cost if it were known from the start: no less, and no more."""

    low_usd: Numbers
    high_usd: Numbers


def whole_foresight(
    roadmap: Roadmap, tree: Tree, gap_frac: float, allowance: Allowance, progress: Progress
) -> Known | None:
    """One plan for each future; None where time ran out."""
    count = len(tree.courses)
    found = []
    for number in range(count):
        progress(number, count, f"foresight of {tree.courses[number].id} in whole blocks")
        alone = single_course(tree, number, roadmap.months)
        one = whole_outcome(roadmap, alone, gap_frac, allowance.next_deadline_s())
        if one is None:
            return None
        found.append((one.low_usd, one.high_usd))
    low, high = np.array(found).T
    return Known(low, high)


def judge_whole(
    roadmap: Roadmap, figures: RiskFigures, ways: tuple[Strategy, ...], found: Portfolio, progress: Progress,
    budget_s: float,
) -> tuple[RiskFigures, tuple[Strategy, ...]]:  # fmt: skip
    """The same figures with those in whole blocks beside them, as far as `budget_s` suffices."""
    plain = neutral(roadmap)
    tree = tree_of(roadmap, demand_of(roadmap))
    allowance = Allowance.of(budget_s, NUM_PLANS + len(tree.courses) + len(ways))
    gap = telling_gap_frac(roadmap, figures.evpi_usd, figures.mean_usd)
    progress(0, 1, "plan by the mean in whole blocks")
    flat = whole_outcome(plain, tree, gap, allowance.next_deadline_s())
    known = whole_foresight(plain, tree, gap, allowance, progress) if flat else None
    if flat is None or known is None:
        return figures, ways
    chances = flat.chances
    seen = float(known.low_usd @ chances), float(known.high_usd @ chances)
    progress(0, 1, "plan for the mean future in whole blocks")
    of_mean = _of_mean(plain, tree, gap, allowance)
    whole = WholeRisk(
        low_mean_usd=flat.low_usd,
        high_mean_usd=flat.high_usd,
        low_wait_and_see_usd=seen[0],
        high_wait_and_see_usd=seen[1],
        low_expected_value_usd=of_mean.low_usd if of_mean else None,
        high_expected_value_usd=of_mean.high_usd if of_mean else None,
        low_evpi_usd=max(0.0, flat.low_usd - seen[1]),
        high_evpi_usd=max(0.0, flat.high_usd - seen[0]),
        low_vss_usd=max(0.0, of_mean.low_usd - flat.high_usd) if of_mean else None,
        high_vss_usd=max(0.0, of_mean.high_usd - flat.low_usd) if of_mean else None,
    )
    named = dict(_whole_strategies(roadmap, known, found, gap, allowance, progress))
    ways = tuple(one.model_copy(update={"whole": named.get(one.name)}) for one in ways)
    return figures.model_copy(update={"whole": whole}), ways


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
    costs = np.array([one.present_usd for one in found.audit.futures])
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
