"""Many futures, each solved by itself: what is decided before they part is held together by prices.

A few futures that stand for all propose a root. Given a root, every future is a small program of its own: its
cost makes a plan, and its duals say what a little more of each decision would be worth there. With these
worths, less their mean, as prices, every future may choose a root of its own, and the mean of what it then
costs is a bound: as prices cancel out over all futures, no common root could do better (Lagrangian
relaxation of non-anticipativity). Where the tail is weighed, chances are those that the tail gives to the
futures after the proposed root; any such chances bound. Prices then follow the differences between the roots
that futures choose, by the volume algorithm (F. Barahona, R. Anbil, Mathematical Programming 87, 2000).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.assembly import assemble, assemble_duals
from gigawatt.contract.blocks import Plan, plan_blocks
from gigawatt.contract.branches import LEAF, Branch, Part, Root, root_of, root_of_plan
from gigawatt.contract.columns import Relaxed, relax
from gigawatt.contract.futures import Tree, in_two_stages, some_courses
from gigawatt.contract.portfolio_model import Model, build_model
from gigawatt.contract.pricing import score_of
from gigawatt.contract.program import Block
from gigawatt.contract.signatures import Choice
from gigawatt.contract.solver import Unsolvable
from gigawatt.contract.stand_ins import StandIns, stand_ins
from gigawatt.domain.portfolio import Roadmap
from gigawatt.errors import InfeasibleError
from gigawatt.laws.finance import tail_weights

Numbers = NDArray[np.float64]
Progress = Callable[[int, int, str], None]
Found = TypeVar("Found")

MANY_ROWS = 60_000
MOST_STAND_INS = 16
FEWEST_STAND_INS = 2
PROPOSE_SHARE = 0.25
REFINE_SHARE = 0.5
"""Of the gap: what is left to whole blocks of the root, and what the relaxed futures may still differ by."""
LEFT_SHARE = 0.8
LEAST_GAP_FRAC = 1 / 1024
MOST_ROUNDS = 16
POOR_FRAC = 0.1
FALSE_FRAC = 1e-5
FRESH, SHORTER, PATIENCE = 0.5, 0.75, 2
"""Share of a new choice in the mean of all; steps are shortened after so many that failed."""
WHOLE_PASSES = 4.0
"""Passes over all futures that rounding takes the time of."""
NEAR_FRAC = 1e-6


def worth_decomposing(roadmap: Roadmap, tree: Tree) -> bool:
    """Whether futures part once and together have more rows than one program solves well."""
    return in_two_stages(tree) and _rows_of_one(roadmap, tree) * len(tree.courses) > MANY_ROWS


def _rows_of_one(roadmap: Roadmap, tree: Tree) -> int:
    return build_model(roadmap, some_courses(tree, [0], [1.0]), risk=False).builder.rows.count


def stand_ins_of(
    roadmap: Roadmap, tree: Tree, most_rows: int = MANY_ROWS, besides: Sequence[int] = ()
) -> StandIns:
    """As many futures as a program of so many rows holds, and some `besides`."""
    count = most_rows // _rows_of_one(roadmap, tree)
    return stand_ins(tree, max(FEWEST_STAND_INS, min(count, MOST_STAND_INS)), besides)


class Stranded(Exception):
    """A future that cannot be met after what the stand-ins sign."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass
class Bound:
    """What is proven, and the prices of limits behind it."""

    usd: float
    chances: Numbers
    """[futures] as the tail weighs them."""
    duals: list[Numbers]
    """Of the rows of each future's own program."""
    rows: list[dict[str, Block]]


@dataclass
class Search:
    """All futures of a roadmap under one root."""

    roadmap: Roadmap
    tree: Tree
    model: Model
    """Of the futures that stand for all."""
    relaxed: Relaxed
    deadline_s: float
    progress: Progress
    pass_s: float = 0.0
    """Seconds that the last pass over all futures took."""

    @property
    def chances(self) -> Numbers:
        """[futures]"""
        return np.array([course.probability_frac for course in self.tree.courses])

    def weighed(self, costs_usd: Numbers) -> Numbers:
        """[futures] chances as mean and tail weigh them: what these costs are worth by them is their risk."""
        risk, chances = self.roadmap.risk, self.chances
        order = np.argsort(costs_usd, kind="stable")
        tail = np.zeros(len(chances))
        tail[order] = tail_weights(chances[order], risk.cvar_level_frac)
        return (1.0 - risk.cvar_weight_frac) * chances + risk.cvar_weight_frac * tail

    def each(self, ask: Callable[[int], Found], label: str) -> list[Found]:
        """The answers of all futures, in their order; HiGHS lets go of the interpreter while it solves."""
        count, begun = len(self.tree.courses), time.monotonic()
        found: list[Found] = []
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            for number, answer in enumerate(pool.map(ask, range(count))):
                self.progress(number + 1, count, label)
                found.append(answer)
        self.pass_s = time.monotonic() - begun
        return found

    def starting(self, node: int | None = None) -> Choice:
        """Signatures to begin a future with: those that the stand-ins use, or nearly."""
        choice, relaxed = self.relaxed.choice, self.relaxed
        used = relaxed.answer.values[relaxed.fixed :] > 0
        reduced = score_of(relaxed.reduced, choice)
        kept = np.flatnonzero(used | (reduced < NEAR_FRAC * abs(relaxed.bound)))
        table = np.stack([choice.position, choice.month, np.minimum(choice.node, LEAF)])[:, kept]
        table = np.unique(table[:, table[2] == node] if node is not None else table, axis=1)
        return Choice(table[0], table[1], table[2])


def plan_by_futures(roadmap: Roadmap, tree: Tree, deadline_s: float, progress: Progress) -> Plan:
    """The best plan within the roadmap's gap over all futures, and its proof.

    Raises InfeasibleError where nothing meets the roadmap or time runs out before there is a plan, and
    Unsolvable where not even the stand-ins are relaxed in time.
    """
    besides: list[int] = []
    while True:
        chosen = stand_ins_of(roadmap, tree, besides=besides)
        try:
            return _plan_with(roadmap, tree, chosen, deadline_s, progress)
        except Stranded as future:
            # Whatever cannot be met after the others' signatures has a say in them.
            if future.number in chosen.futures:
                raise InfeasibleError(NO_COMMON.format(future=tree.courses[future.number].id)) from None
            besides.append(future.number)


NO_COMMON = (
    "future {future} cannot be met in whole blocks after what the other futures sign with it: make "
    "block_accelerators smaller, or give work a price for what is left undone"
)
NOT_IN_WHOLE = (
    "no plan in whole blocks was found for future {future} in time; none for all futures costs less than "
    "{bound:,.0f} USD: give more solving.time_limit_s, or make block_accelerators smaller"
)


def _plan_with(roadmap: Roadmap, tree: Tree, chosen: StandIns, deadline_s: float, progress: Progress) -> Plan:
    """The same, with these futures standing for all. Raises Stranded where they do not."""
    goal = roadmap.solving.gap_frac
    progress(0, len(tree.courses), f"{len(chosen.futures)} futures that stand for all")
    few = some_courses(tree, chosen.futures, chosen.chances_frac)
    model = build_model(roadmap, few, whole_root_only=True)
    relaxed = relax(model, deadline_s)
    search = Search(roadmap, tree, model, relaxed, deadline_s, progress)
    bound = _refine(search, root_of(model, relaxed), goal * REFINE_SHARE)
    proposed = plan_blocks(model, PROPOSE_SHARE * goal, deadline_s, relaxed, patient=False)
    return _whole(search, root_of_plan(proposed), bound, goal)


def _refine(search: Search, root: Root, gap_frac: float) -> Bound:
    """Prices for a better and better bound, until it is as near as asked to what the root costs, relaxed."""
    costs, worths = _at_root(search, root, "all futures after one root")
    chances = search.weighed(costs)
    usd = float(chances @ costs)
    prices = best = worths - chances @ worths
    mean: Numbers | None = None
    step, failures = 1.0, 0
    found: Bound | None = None
    for number in range(MOST_ROUNDS):
        try:
            fresh, chosen = _at_own_roots(search, chances, prices, number)
        except Unsolvable:
            if found is not None or not prices.any():
                break
            prices = np.zeros_like(prices)
            continue
        better = found is None or fresh.usd > found.usd
        found = fresh if found is None or better else found
        mean = chosen if mean is None else FRESH * chosen + (1.0 - FRESH) * mean
        if better:
            best, failures = prices, 0
        else:
            failures += 1
            step *= SHORTER if failures % PATIENCE == 0 else 1.0
        missing = usd - found.usd
        apart = mean - chances @ mean
        norm = float((chances[:, None] * apart**2).sum())
        if missing <= gap_frac * abs(usd) or norm == 0.0 or _must_round(search):
            break
        if not number and missing > POOR_FRAC * abs(usd):
            # Worths of what is scarce can be as bad a guess as any: foresight, without prices, is another.
            prices, mean = np.zeros_like(prices), None
            continue
        prices = best + step * missing / norm * apart
    if found is None:
        raise Unsolvable("a future is unbounded, or time ran out before all were relaxed")
    return found


def _must_round(search: Search) -> bool:
    """Whether another round would leave too little time for whole blocks."""
    return time.monotonic() + search.pass_s * (1.0 + WHOLE_PASSES) > search.deadline_s


def _at_root(search: Search, root: Root, label: str) -> tuple[Numbers, Numbers]:
    """[futures] costs after a root, and [futures, root columns] what more of the root would be worth."""
    first = search.starting(LEAF)

    def ask(number: int) -> tuple[float, Numbers]:
        branch = Branch.of(search.roadmap, search.tree, number)
        try:
            found = branch.relaxed_at(root, first, search.deadline_s)
        except InfeasibleError:
            raise Stranded(number) from None
        return found.answer.objective_usd, branch.worth(found)

    answers = search.each(ask, label)
    return np.array([one[0] for one in answers]), np.array([one[1] for one in answers])


def _at_own_roots(
    search: Search, chances: Numbers, prices_usd: Numbers, number: int
) -> tuple[Bound, Numbers]:
    """The bound that prices prove, and [futures, root columns] what each future chooses."""
    first = search.starting()

    def ask(future: int) -> tuple[float, Numbers, Numbers, dict[str, Block]]:
        branch = Branch.of(search.roadmap, search.tree, future)
        found = branch.relaxed_with(prices_usd[future], first, search.deadline_s)
        rows = branch.model.builder.rows.blocks
        return found.bound, found.values[branch.root], found.answer.row_duals, rows

    answers = search.each(ask, f"all futures with roots of their own, round {number + 1}")
    usd = float(chances @ np.array([one[0] for one in answers]))
    bound = Bound(usd, chances, [one[2] for one in answers], [one[3] for one in answers])
    return bound, np.array([one[1] for one in answers])


def _whole(search: Search, root: Root, bound: Bound, goal_frac: float) -> Plan:
    """Every future in whole blocks after a whole root, as one plan."""
    costs, _ = _at_root(search, root, "all futures after whole blocks")
    least = float(search.weighed(costs) @ costs)
    spare_usd = bound.usd + goal_frac * abs(least) - least
    gap_frac = max(LEFT_SHARE * spare_usd / max(abs(least), 1.0), LEAST_GAP_FRAC)
    leaves = search.starting(LEAF)

    def ask(number: int) -> Part:
        branch = Branch.of(search.roadmap, search.tree, number)
        try:
            return branch.plan_at(root, leaves, gap_frac, search.deadline_s)
        except (InfeasibleError, Unsolvable):
            name = search.tree.courses[number].id
            raise InfeasibleError(NOT_IN_WHOLE.format(future=name, bound=bound.usd)) from None

    parts = search.each(ask, "all futures in whole blocks")
    return _assembled(search, root, parts, bound)


def _assembled(search: Search, root: Root, parts: list[Part], bound: Bound) -> Plan:
    """The futures' plans as one over the whole tree."""
    costs = np.array([one.objective_usd for one in parts])
    usd = float(search.weighed(costs) @ costs)
    if bound.usd > usd + FALSE_FRAC * abs(usd):
        raise AssertionError(f"a bound of {bound.usd:,.0f} USD lies above a plan of {usd:,.0f} USD")
    model, values, signed, units = assemble(search.roadmap, search.tree, root, parts)
    return Plan(
        model=model,
        values=values,
        signed=signed,
        units=units,
        objective_usd=usd,
        bound=min(bound.usd, usd),
        relaxed=search.relaxed,
        complete=usd - bound.usd <= search.roadmap.solving.gap_frac * abs(usd),
        duals=assemble_duals(model, bound.rows, bound.duals, bound.chances),
    )
