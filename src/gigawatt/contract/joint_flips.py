"""What would change the answer if several assumptions changed at once; and all flips in whole blocks.

Several changes at once are measured by the largest of them: the norm in which "demand and price each within
x %" is a box. In that norm the steepest way, by the gradient, is the same step for all, each towards the side
on which it flips alone; along it the smallest step that flips is found by halving.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

from gigawatt.contract.blocks import Plan
from gigawatt.contract.portfolio_model import Model, build_model
from gigawatt.contract.program import INFINITE
from gigawatt.contract.questions import (
    LEAST_SHARE,
    LOOKED_FRAC,
    NUM_HALVINGS,
    assumptions,
    carried,
    in_words,
    signed_now,
    signs_now,
)
from gigawatt.contract.replan import FINEST_FRAC, Allowance, replanned_model
from gigawatt.contract.reservation import early_signatures, require
from gigawatt.contract.terms import NONE
from gigawatt.domain.portfolio import Roadmap
from gigawatt.domain.portfolio_plan import Flip
from gigawatt.domain.whole_blocks import JointFlip, WholeFlip
from gigawatt.errors import InfeasibleError

Progress = Callable[[int, int, str], None]
MOST_TOGETHER = 3
NOTHING_MEETS = "nothing meets the roadmap"
NUM_WHOLE_HALVINGS = 4
FURTHER = (8, 4, 2, 1)
"""Parts of the way at which is looked where whole blocks do not flip with parts of blocks."""


def joint_flips(
    roadmap: Roadmap, alone: Sequence[Flip], budget_s: float, progress: Progress
) -> tuple[tuple[JointFlip, ...], tuple[str, ...]]:
    """Pairs of the assumptions that flip soonest, and all of these together: the smallest common step that
    flips, where it is smaller than that of any of them alone. Nearest first; and those left out for time.
    """
    chosen = alone[:MOST_TOGETHER]
    groups = [*combinations(chosen, 2), *([tuple(chosen)] if len(chosen) > 2 else [])]
    allowance = Allowance.of(budget_s, len(groups))
    found, left = [], []
    for number, group in enumerate(groups):
        words = " and ".join(one.assumption for one in group)
        progress(number, len(groups), f"what if {words} change")
        if allowance.spent:
            left.append(words)
            continue
        nearest = min(_rays_of(group), key=lambda ray: _step(roadmap, ray, group[0].before))
        if nearest.flips_frac < nearest.limit_frac:
            found.append(nearest)
    found.sort(key=lambda ray: ray.flips_frac)
    return tuple(_joint(ray, alone[0].before) for ray in found), tuple(left)


@dataclass
class Ray:
    """One common step for several assumptions, each to its side."""

    sides: dict[str, int]
    limit_frac: float
    """How far is looked: to where one of them flips alone."""
    holds_frac: float = 0.0
    flips_frac: float = field(default=float("inf"))
    after: str = ""

    def at(self, roadmap: Roadmap, step_frac: float) -> Roadmap:
        """The roadmap so many steps along."""
        table = assumptions(roadmap)
        for name, side in self.sides.items():
            roadmap = table[name](roadmap, side * step_frac)
        return roadmap


def _rays_of(group: Sequence[Flip]) -> Iterator[Ray]:
    """Each assumption to the side on which it flips alone; to both where it does on neither."""
    sides = [[1, -1] if one.change_frac is None else [1 if one.change_frac > 0 else -1] for one in group]
    limit_frac = min(LOOKED_FRAC if one.change_frac is None else abs(one.change_frac) for one in group)
    for signs in product(*sides):
        yield Ray({one.assumption: sign for one, sign in zip(group, signs, strict=True)}, limit_frac)


def _step(roadmap: Roadmap, ray: Ray, before: str) -> float:
    """The smallest step that flips, found by halving; infinite where the whole way does not."""
    after = signed_now(ray.at(roadmap, ray.limit_frac))
    if after == before:
        return ray.flips_frac
    ray.flips_frac, ray.after = ray.limit_frac, after
    for _ in range(NUM_HALVINGS):
        middle = (ray.holds_frac + ray.flips_frac) / 2
        there = signed_now(ray.at(roadmap, middle))
        if there == before:
            ray.holds_frac = middle
        else:
            ray.flips_frac, ray.after = middle, there
    return ray.flips_frac


def _joint(ray: Ray, before: str) -> JointFlip:
    return JointFlip(
        changes_frac={name: side * ray.flips_frac for name, side in ray.sides.items()},
        largest_frac=ray.flips_frac,
        holds_frac=ray.holds_frac,
        before=before,
        after=ray.after,
    )


def held_against_blocks(
    roadmap: Roadmap,
    now: tuple[str, ...],
    alone: tuple[Flip, ...],
    together: tuple[JointFlip, ...],
    budget_s: float,
    progress: Progress,
) -> tuple[tuple[Flip, ...], tuple[JointFlip, ...]]:
    """The same flips with those of plans in whole blocks, nearest first, as far as `budget_s` suffice.

    `now` is what the plan in whole blocks signs as things are.
    """
    single = [Ray({one.assumption: _side(one)}, LOOKED_FRAC, *_bracket(one)) for one in alone]
    joint = [
        Ray({name: 1 if change > 0 else -1 for name, change in one.changes_frac.items()}, LOOKED_FRAC,
            one.holds_frac, one.largest_frac)
        for one in together
    ]  # fmt: skip
    allowance = Allowance.of(budget_s, len(single) + len(joint))
    order = sorted((*single, *joint), key=lambda ray: min(ray.flips_frac, ray.limit_frac))
    whole: dict[int, WholeFlip | None] = {}
    for number, ray in enumerate(order):
        progress(number, len(order), "in whole blocks: what if " + " and ".join(ray.sides) + " change")
        whole[id(ray)] = _whole_flip(roadmap, ray, now, allowance.next_deadline_s())
    singles, joints = zip(alone, single, strict=True), zip(together, joint, strict=True)
    return (
        tuple(one.model_copy(update={"whole": whole[id(ray)]}) for one, ray in singles),
        tuple(one.model_copy(update={"whole": whole[id(ray)]}) for one, ray in joints),
    )


def _side(one: Flip) -> int:
    return -1 if one.change_frac is not None and one.change_frac < 0 else 1


def _bracket(one: Flip) -> tuple[float, float]:
    """Where it holds and where it flips in parts of blocks."""
    if one.change_frac is None:
        return LOOKED_FRAC, float("inf")
    at = abs(one.change_frac)
    return max(0.0, at - LOOKED_FRAC / 2**NUM_HALVINGS), at


@dataclass
class _Asking:
    """Plans in whole blocks along a ray, and whether signing as now is proven to cost more there."""

    roadmap: Roadmap
    ray: Ray
    now: tuple[str, ...]
    deadline_s: float
    holds_frac: float = 0.0
    flips_frac: float = float("inf")
    after: tuple[str, ...] = ()
    keeping_usd: tuple[float, float] | None = None
    """At the flip: no less, and no more; None where nothing meets the roadmap and signs as now."""
    gap_frac: float = 0.0
    complete: bool = True

    def look(self, step_frac: float) -> bool:
        """Whether what is signed now flips so many steps along, by proof."""
        asked = self.ray.at(self.roadmap, step_frac)
        try:
            plan = self._planned(build_model(asked))
        except InfeasibleError:
            return self._flipped(step_frac, (NOTHING_MEETS,), None)
        if plan is None:
            return False
        signs = signs_now(plan)
        if signs == self.now:
            self.holds_frac = max(self.holds_frac, step_frac)
            return False
        model = build_model(asked)
        keep(model, self.now, signs)
        try:
            kept = self._planned(model)
        except InfeasibleError:
            return self._flipped(step_frac, signs, None)
        if kept is None or kept.bound <= plan.objective_usd:
            return False
        keeping = kept.bound - plan.objective_usd, kept.objective_usd - plan.bound
        return self._flipped(step_frac, signs, keeping)

    def _flipped(self, step_frac: float, after: tuple[str, ...], usd: tuple[float, float] | None) -> bool:
        self.flips_frac, self.after, self.keeping_usd = step_frac, after, usd
        return True

    def _planned(self, model: Model) -> Plan | None:
        """None where time ran out. Raises InfeasibleError."""
        wanted = self.roadmap.solving.gap_frac
        plan = replanned_model(model, min(wanted, max(FINEST_FRAC, wanted / 4)), self.deadline_s)
        self.complete &= plan is not None
        if plan is not None:
            self.gap_frac = max(self.gap_frac, plan.gap_frac)
        return plan


def keep(model: Model, now: tuple[str, ...], otherwise: tuple[str, ...]) -> None:
    """In every plan of a model from now on: within the first months every offer that is signed now and would
    not be otherwise carries what it takes to be named, and those of which it is the other way round do not.
    """
    months, positions = model.roadmap.now_months, model.positions
    rented = early_signatures(model, ~positions.power & (positions.parent == NONE), months)
    size = carried(model)[rented.position]
    for number, offer in enumerate(model.roadmap.signable):
        at = (positions.offer == number) & (positions.parent == NONE)
        choice = early_signatures(model, at, months)
        gone, fresh = offer.id in now and offer.id not in otherwise, offer.id in otherwise
        weights = size * ((positions.offer[rented.position] == number) - LEAST_SHARE)
        if gone:
            require(model, choice, 1.0)
        if gone and number < len(model.roadmap.offers):
            require(model, rented, 0.0, weights=weights)
        elif fresh and offer.id not in now and number < len(model.roadmap.offers):
            require(model, rented, -INFINITE, 0.0, weights)
        elif fresh and offer.id not in now:
            require(model, choice, 0.0, 0.0)


def _whole_flip(roadmap: Roadmap, ray: Ray, now: tuple[str, ...], deadline_s: float) -> WholeFlip | None:
    """First at the flip in parts of blocks and just before it; where whole blocks do not agree, further on,
    and by halving. None where time ran out before anything was certain.
    """
    asking = _Asking(roadmap, ray, now, deadline_s)
    there = ray.flips_frac <= ray.limit_frac
    first = [ray.flips_frac] if there else [ray.limit_frac]
    further = [ray.limit_frac / part for part in FURTHER if there and ray.limit_frac / part > ray.flips_frac]
    under = 0.0
    for step in (*first, *further):
        if asking.look(step):
            break
        under = step
    if asking.flips_frac == ray.flips_frac and not asking.look(ray.holds_frac):
        under = ray.holds_frac
    for _ in range(NUM_WHOLE_HALVINGS):
        if asking.flips_frac == float("inf") or _close(ray, under, asking.flips_frac):
            break
        middle = (under + asking.flips_frac) / 2
        under = under if asking.look(middle) else middle
    flipped = asking.flips_frac < float("inf")
    if not (asking.complete or flipped or asking.holds_frac):
        return None
    low, high = asking.keeping_usd or (None, None)
    return WholeFlip(
        holds_frac=asking.holds_frac,
        flips_frac=asking.flips_frac if flipped else None,
        low_keeping_usd=low,
        high_keeping_usd=high,
        before=in_words(now),
        after=in_words(asking.after) if flipped else "",
        gap_frac=asking.gap_frac,
    )


def _close(ray: Ray, under: float, flips: float) -> bool:
    """Whether no more is to be found by halving than in parts of blocks."""
    return flips - under <= ray.limit_frac / 2.0**NUM_HALVINGS * (1.0 + 1e-9)
