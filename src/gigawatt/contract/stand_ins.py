"""Few futures that stand for many: medoids of what futures do to demand, prices, power and dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.futures import Course, Tree
from gigawatt.domain.portfolio import Future, Roadmap

Numbers = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_PASSES = 50
YEAR_MONTHS = 12


@dataclass(frozen=True)
class StandIns:
    """Futures by number, and the chances of all that each stands for."""

    futures: tuple[int, ...]
    chances_frac: tuple[float, ...]

    def roadmap(self, roadmap: Roadmap) -> Roadmap:
        """The same roadmap with these futures alone."""
        futures: list[Future] = [
            roadmap.futures[n].model_copy(update={"probability_frac": chance})
            for n, chance in zip(self.futures, self.chances_frac, strict=True)
        ]
        return roadmap.model_copy(update={"futures": tuple(futures)})


def stand_ins(tree: Tree, count: int, besides: Sequence[int] = ()) -> StandIns:
    """That many medoids: of each group the future that is nearest to all others of it; and some `besides`.

    Begins with the future nearest to the mean, then again and again with the one farthest from all chosen.
    """
    chances = np.array([course.probability_frac for course in tree.courses])
    apart = _apart(np.array([_features(tree, course) for course in tree.courses]))
    chosen = [int(np.argmin(apart @ chances))]
    while len(chosen) < min(count, len(chances)):
        chosen.append(int(np.argmax(apart[:, chosen].min(axis=1))))
    for _ in range(MOST_PASSES):
        group = np.argmin(apart[:, chosen], axis=1)
        better = [_medoid(apart, chances, np.flatnonzero(group == n)) for n in range(len(chosen))]
        if better == chosen:
            break
        chosen = better
    chosen += [one for one in besides if one not in chosen]
    group = np.argmin(apart[:, chosen], axis=1)
    weight = np.bincount(group, chances, minlength=len(chosen))
    order = np.argsort(chosen)
    return StandIns(tuple(chosen[n] for n in order), tuple(float(weight[n]) for n in order))


def _medoid(apart: Numbers, chances: Numbers, members: Ints) -> int:
    far = apart[np.ix_(members, members)] @ chances[members]
    return int(members[np.argmin(far)])


def _apart(features: Numbers) -> Numbers:
    """[futures, futures] squared distances."""
    return np.asarray(((features[:, None, :] - features[None, :, :]) ** 2).sum(axis=2))


def _features(tree: Tree, course: Course) -> Numbers:
    """What a future asks for, pays and waits for, over the usual; each aspect about as wide as the others."""
    begin, end = tree.nodes[course.nodes[-1]].begin, tree.nodes[course.nodes[-1]].end
    usual = np.mean([one.amount for one in tree.courses], axis=0)
    middle = (begin + end) // 2
    parts = []
    for first, last in ((begin, middle), (middle, end)):
        asked = course.amount[:, first:last].sum(axis=1) / np.maximum(usual[:, first:last].sum(axis=1), 1e-9)
        prices = course.factors[:, first:last].mean(axis=1) if last > first else course.factors[:, -1]
        parts += [asked / np.sqrt(len(asked)), prices / np.sqrt(len(prices))]
    power = np.mean([one.energised_mw for one in tree.courses], axis=0).sum(axis=1)
    parts.append(course.energised_mw.sum(axis=1) / np.maximum(power, 1e-9) / np.sqrt(len(power)))
    late = {offer: months for offer, _, months in course.slips}
    slipping = sorted({offer for one in tree.courses for offer, _, _ in one.slips})
    parts.append(np.array([late.get(offer, 0) / YEAR_MONTHS for offer in slipping]))
    failed = {name for name, _ in course.losses}
    failing = sorted({name for one in tree.courses for name, _ in one.losses})
    parts.append(np.array([float(name in failed) for name in failing]))
    return np.concatenate(parts)
