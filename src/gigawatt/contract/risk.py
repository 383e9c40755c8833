"""What futures cost a plan: mean and tail, foresight, the frontier, regret, and futures it has not seen.

All of it on the relaxed portfolio, where costs of different questions can be compared to the last dollar.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.columns import Pinned, Relaxed, relax
from gigawatt.contract.demand import demand_of
from gigawatt.contract.futures import Tree, expected_course, single_course, tree_of
from gigawatt.contract.portfolio_model import Model, build_model
from gigawatt.contract.solver import Unsolvable, unsolved
from gigawatt.domain.portfolio import Change, Future, Risk, Roadmap, month_index, month_text
from gigawatt.domain.portfolio_plan import FrontierPoint, RiskFigures, Strategy
from gigawatt.errors import InfeasibleError
from gigawatt.laws.finance import conditional_value_usd

Numbers = NDArray[np.float64]
Progress = Callable[[int, int, str], None]
LEAST_WEIGHT = 1e-6
FRONTIER = (0.0, 0.25, 0.5, 0.75, 1.0)
NUM_UNSEEN = 20


@dataclass(frozen=True)
class Outcome:
    """A relaxed plan, and what each future costs under it."""

    model: Model
    relaxed: Relaxed
    costs: Numbers
    """[futures]"""

    @property
    def chances(self) -> Numbers:
        """Of the futures."""
        return np.array([course.probability_frac for course in self.model.tree.courses])

    @property
    def mean_usd(self) -> float:
        """Over all futures."""
        return float(self.costs @ self.chances)

    def cvar_usd(self, level_frac: float) -> float:
        """Mean of the worst."""
        order = np.argsort(self.costs, kind="stable")
        return float(conditional_value_usd(self.costs[order], self.chances[order], level_frac))

    def root(self) -> Pinned:
        """What is signed before futures part."""
        relaxed, special = self.relaxed, self.model.signatures.special
        first = relaxed.program.num_columns - len(special)
        choice = special.joined(relaxed.choice)
        units = np.concatenate(
            [relaxed.answer.values[first : first + len(special)], relaxed.answer.values[relaxed.fixed :]]
        )
        at_root = np.flatnonzero((choice.node == 0) & (units > 0))
        return Pinned(choice.taken(at_root), units[at_root])


def outcome_of(roadmap: Roadmap, tree: Tree, pinned: Pinned | None = None) -> Outcome:
    """The relaxed plan over a tree, with the cost of every future. Raises InfeasibleError."""
    weight = max(roadmap.risk.cvar_weight_frac, LEAST_WEIGHT)
    weighed = roadmap.model_copy(
        update={"risk": roadmap.risk.model_copy(update={"cvar_weight_frac": weight})}
    )
    model = build_model(weighed, tree)
    try:
        relaxed = relax(model, pinned=pinned)
    except Unsolvable as reason:
        raise unsolved(reason) from None
    if not len(model.cost_columns):
        return Outcome(model, relaxed, np.array([relaxed.answer.objective_usd]))
    node_cost = relaxed.answer.values[model.cost_columns]
    costs = [float(node_cost[list(course.nodes)].sum()) for course in tree.courses]
    return Outcome(model, relaxed, np.array(costs))


def foresight(roadmap: Roadmap, tree: Tree, progress: Progress) -> Numbers:
    """[futures] what each would cost if it were known from the start."""
    count = len(tree.courses)
    found = []
    for number in range(count):
        progress(number, count, f"foresight of {tree.courses[number].id}")
        found.append(
            outcome_of(roadmap, single_course(tree, number, roadmap.months)).relaxed.answer.objective_usd
        )
    return np.array(found)


def neutral(roadmap: Roadmap) -> Roadmap:
    """The same roadmap, minding the mean alone."""
    return with_weight(roadmap, 0.0)


def with_weight(roadmap: Roadmap, weight_frac: float) -> Roadmap:
    """The same roadmap, weighing the tail otherwise."""
    risk = Risk(cvar_weight_frac=weight_frac, cvar_level_frac=roadmap.risk.cvar_level_frac)
    return roadmap.model_copy(update={"risk": risk})


def restricted(outcome: Outcome, tree: Tree) -> Pinned:
    """What a plan for a single future signs before the month in which futures part."""
    pinned = outcome.root()
    early = np.flatnonzero(pinned.choice.month < tree.nodes[0].end)
    return Pinned(pinned.choice.taken(early), pinned.units[early])


def judge_risk(
    roadmap: Roadmap, tree: Tree, known: Numbers, progress: Progress
) -> tuple[RiskFigures, Outcome]:
    """Mean, tail, VSS, EVPI, frontier and the test on unseen futures; and the plan itself, relaxed."""
    level = roadmap.risk.cvar_level_frac
    here = outcome_of(roadmap, tree)
    flat = outcome_of(neutral(roadmap), tree)
    chances = flat.chances
    mean_plan = outcome_of(neutral(roadmap), expected_course(tree, roadmap.months))
    try:
        of_mean = outcome_of(neutral(roadmap), tree, _on(mean_plan, tree)).mean_usd
    except InfeasibleError:
        of_mean = float("inf")
    frontier = []
    for number, weight in enumerate(FRONTIER):
        progress(number, len(FRONTIER), "frontier of mean and CVaR")
        one = outcome_of(with_weight(roadmap, weight), tree)
        frontier.append(
            FrontierPoint(weight_frac=weight, mean_usd=one.mean_usd, cvar_usd=one.cvar_usd(level))
        )
    unseen = unseen_futures(roadmap)
    outside = [_in_future(roadmap, here, future) for future in unseen]
    figures = RiskFigures(
        mean_usd=here.mean_usd,
        cvar_usd=here.cvar_usd(level),
        wait_and_see_usd=float(known @ chances),
        expected_value_usd=of_mean,
        evpi_usd=flat.mean_usd - float(known @ chances),
        vss_usd=of_mean - flat.mean_usd,
        frontier=tuple(frontier),
        out_of_sample_usd=float(np.mean(outside)) if outside else None,
        num_out_of_sample=len(outside),
    )
    return figures, here


def _on(outcome: Outcome, tree: Tree) -> Pinned:
    """Early signatures of a plan for one future, as columns of the root of another tree."""
    early = restricted(outcome, tree)
    return Pinned(replace(early.choice, node=np.zeros(len(early.choice), dtype=np.int64)), early.units)


def _in_future(roadmap: Roadmap, plan: Outcome, future: Future) -> float:
    """What the plan's early signatures cost in a future that it has not seen, all later at its best."""
    unseen = roadmap.model_copy(
        update={"futures": (future.model_copy(update={"probability_frac": 1.0, "path": ()}),)}
    )
    tree = tree_of(unseen, demand_of(unseen))
    try:
        return float(outcome_of(neutral(unseen), tree, plan.root()).costs[0])
    except InfeasibleError:
        return float("inf")


def unseen_futures(roadmap: Roadmap, count: int = NUM_UNSEEN) -> tuple[Future, ...]:
    """New futures from the seed: demand as in one of the roadmap's, prices as in another, dates as in a
    third.
    """
    if len(roadmap.futures) < 2:
        return ()
    rng = np.random.default_rng(roadmap.seed)
    chances = np.array([future.probability_frac for future in roadmap.futures])
    found = []
    for number in range(count):
        drawn = rng.choice(len(chances), size=3, p=chances / chances.sum())
        demand, price, dates = (roadmap.futures[int(n)] for n in drawn)
        if len(set(drawn.tolist())) == 1:
            demand = roadmap.futures[int((drawn[0] + 1) % len(chances))]
        changes = [
            *(_only(change, "demand_change_frac", "work") for change in demand.changes),
            *(_only(change, "price_change_frac", "offers") for change in price.changes),
            *(_only(change, "slip_months", "sites", "offers") for change in dates.changes),
            *(_only(change, "energised", "sites") for change in dates.changes),
            *(_only(change, "lost_provider") for change in dates.changes),
        ]
        kept = tuple(change for change in changes if change is not None)
        found.append(Future(id=f"unseen-{number}", probability_frac=1.0 / count, changes=kept))
    return tuple(found)


def _only(change: Change, field: str, *selects: str) -> Change | None:
    """One effect of a change alone; None where it has none of that kind."""
    value = getattr(change, field)
    if not value:
        return None
    chosen = {select: getattr(change, select) for select in selects}
    return Change(month=change.month, **{field: value}, **chosen)


def strategies(roadmap: Roadmap, known: Numbers, plan: Outcome, progress: Progress) -> tuple[Strategy, ...]:
    """The plan beside simpler ways: what each costs in every future, and its regret over foresight."""
    found = [_strategy("the plan", plan, known)]
    ways = simpler_ways(roadmap)
    for number, (name, other) in enumerate(ways.items()):
        if not other.offers:
            continue
        progress(number, len(ways), name)
        try:
            found.append(_strategy(name, outcome_of(other, tree_of(other, demand_of(other))), known))
        except InfeasibleError:
            continue
    return tuple(found)


def _strategy(name: str, outcome: Outcome, known: Numbers) -> Strategy:
    ids = [course.id for course in outcome.model.tree.courses]
    level = outcome.model.roadmap.risk.cvar_level_frac
    return Strategy(
        name=name,
        mean_usd=outcome.mean_usd,
        cvar_usd=outcome.cvar_usd(level),
        cost_by_future_usd=dict(zip(ids, map(float, outcome.costs), strict=True)),
        regret_by_future_usd=dict(zip(ids, map(float, outcome.costs - known), strict=True)),
    )


def simpler_ways(roadmap: Roadmap) -> dict[str, Roadmap]:
    """Strategies that somebody might propose, as roadmaps with fewer offers."""
    forms: set[str] = {offer.form for offer in roadmap.offers}
    found = {}
    if "owned" in forms and len(forms) > 1:
        found["own no hardware"] = _with_forms(roadmap, forms - {"owned"}, power=False)
        found["own what is not month by month"] = _with_forms(roadmap, {"owned", "on-demand", "spot"})
    if forms & {"lease", "reserved", "block"} and len(forms) > 1:
        found["month by month only"] = _with_forms(roadmap, {"on-demand", "spot"}, power=False)
    found["sign nothing yet"] = signing_later(roadmap)
    return found


def _with_forms(roadmap: Roadmap, forms: set[str], power: bool = True) -> Roadmap:
    offers = tuple(offer for offer in roadmap.offers if offer.form in forms)
    return with_offers(roadmap, offers, roadmap.power if power else ())


def with_offers(roadmap: Roadmap, offers: tuple[object, ...], power: tuple[object, ...]) -> Roadmap:
    """Fewer offers; what futures say of those that are gone goes with them."""
    left = {one.id for one in (*offers, *power)}  # type: ignore[attr-defined]
    futures = tuple(
        future.model_copy(
            update={
                "changes": tuple(
                    change.model_copy(update={"offers": tuple(one for one in change.offers if one in left)})
                    for change in future.changes
                    if not change.offers or set(change.offers) & left
                )
            }
        )
        for future in roadmap.futures
    )
    return roadmap.model_copy(update={"offers": offers, "power": power, "futures": futures})


def signing_later(roadmap: Roadmap) -> Roadmap:
    """The roadmap in which nothing but month by month may be signed within the first months."""
    later = month_text(month_index(roadmap.start) + roadmap.now_months)

    def pushed(offer: object) -> object:
        since = max(getattr(offer, "sign_from", None) or later, later)
        return offer.model_copy(update={"sign_from": since})  # type: ignore[attr-defined]

    offers = tuple(pushed(one) if one.term_months > 1 else one for one in roadmap.offers)
    return roadmap.model_copy(update={"offers": offers, "power": tuple(pushed(one) for one in roadmap.power)})
