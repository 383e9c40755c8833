"""What would change the answer if several assumptions changed at once; and all flips in whole blocks.

Several changes at once are measured by the largest of them: the norm in which "demand and price each within
x %" is a box. In that norm the steepest way, by the gradient, is the same step for all, each towards the side
on which it flips alone; along it the smallest step that flips is found by halving.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

from gigawatt.contract.questions import LOOKED_FRAC, NUM_HALVINGS, assumptions, plan_words, signed_now
from gigawatt.contract.replan import Allowance, replanned
from gigawatt.domain.portfolio import Roadmap
from gigawatt.domain.portfolio_plan import Flip
from gigawatt.domain.whole_blocks import JointFlip, WholeFlip
from gigawatt.errors import InfeasibleError

Progress = Callable[[int, int, str], None]
MOST_TOGETHER = 3
NUM_WHOLE_HALVINGS = 4
NOTHING_MEETS = "nothing meets the roadmap"


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
    now: str,
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
    """Plans in whole blocks along a ray."""

    roadmap: Roadmap
    ray: Ray
    deadline_s: float
    gap_frac: float = 0.0

    def words(self, step_frac: float) -> str | None:
        """What is signed now, so many steps along; None where time ran out."""
        asked = self.ray.at(self.roadmap, step_frac)
        try:
            plan = replanned(asked, asked.solving.gap_frac, self.deadline_s)
        except InfeasibleError:
            return NOTHING_MEETS
        if plan is None:
            return None
        self.gap_frac = max(self.gap_frac, plan.gap_frac)
        return plan_words(plan)


def _whole_flip(roadmap: Roadmap, ray: Ray, now: str, deadline_s: float) -> WholeFlip | None:
    """First just before and just after the flip in parts of blocks; where these do not agree with it, by
    halving what is left. None where time ran out before anything was certain.
    """
    asking = _Asking(roadmap, ray, deadline_s)
    holds, flips, after = 0.0, float("inf"), ""
    tried = [ray.flips_frac, ray.holds_frac] if ray.flips_frac <= ray.limit_frac else [ray.limit_frac]
    halvings = NUM_WHOLE_HALVINGS
    while tried or (halvings and flips < float("inf") and not _close(ray, holds, flips)):
        if tried:
            step = tried.pop(0)
        else:
            step, halvings = (holds + flips) / 2, halvings - 1
        words = asking.words(step) if holds <= step < flips else ""
        if words is None:
            return None
        if words and words != now:
            flips, after = step, words
        elif words:
            holds = max(holds, step)
            if step == ray.flips_frac:
                tried = [ray.limit_frac]
    return WholeFlip(
        holds_frac=holds,
        flips_frac=flips if flips < float("inf") else None,
        before=now,
        after=after,
        gap_frac=asking.gap_frac,
    )


def _close(ray: Ray, holds: float, flips: float) -> bool:
    """Whether no more is to be found by halving than in parts of blocks."""
    return flips - holds <= ray.limit_frac / 2.0**NUM_HALVINGS * (1.0 + 1e-9)
