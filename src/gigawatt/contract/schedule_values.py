"""A few values that stand for a distribution of dates, with its mean, P10, P50 and P90.

Five levels: the earliest twelfth, P10, P50, P90, and the latest twelfth. The middle three are the
quantiles themselves; the chances of their levels, and in the end the two outermost values, are chosen so that
the mean stays what it is. With the tails as means of what they stand for, deviation and tail survive too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gigawatt.contract.schedule_answer import percentiles
from gigawatt.contract.schedule_kernel import Floats, Ints

LEVELS = ("early", "p10", "p50", "p90", "late")
SHARES = (0.1, 0.5, 0.9)
_TAIL_FRAC = 1 / 12
"""Below 10 %, or P10 would no longer be the P10 of the values."""
_SIDE_FRAC = 1 / 8
"""With it the tails of normal and lognormal dates come out as the means of what they stand for."""
_LEAST_SIDE_FRAC = 1 / 32
_MOST_SIDE_FRAC = 0.4
"""Between these two, P10, P50 and P90 of the values stay where they are."""


@dataclass(frozen=True, eq=False)
class Matched:
    """Levels from early to late, of blocks that come early and late together."""

    chances_frac: Floats
    """[levels]"""
    values: Floats
    """[levels, blocks] d"""
    level: Ints
    """[samples] the level that each outcome belongs to."""


def match_quantiles(outcome_days: Floats, weights: Floats) -> Matched:
    """Five levels for `outcome_days` [samples, blocks], sorted by their mean with `weights` [blocks].

    Each block's own P10, P50 and P90 are kept exactly; its mean too, unless that took a value beyond any
    outcome. What is certain has five equal values.
    """
    num_samples = len(outcome_days)
    index = outcome_days @ (weights / weights.sum())
    order = np.argsort(index, kind="stable")
    ends = np.rint(np.cumsum(_chances(index[order])) * num_samples).astype(np.int64)
    level = np.empty(num_samples, np.int64)
    level[order] = np.searchsorted(ends, np.arange(num_samples), side="right")
    chances = np.bincount(level, minlength=len(LEVELS)) / num_samples
    values = np.array([_values(np.sort(block), chances) for block in outcome_days.T]).T
    return Matched(chances, values, level)


def _tails(ordered: Floats) -> tuple[float, float]:
    """Means of the earliest and the latest."""
    count = max(1, round(_TAIL_FRAC * len(ordered)))
    return float(ordered[:count].mean()), float(ordered[-count:].mean())


def _chances(ordered: Floats) -> Floats:
    """Of the levels: as near to the usual ones as the mean allows with the tails at their means."""
    low, high = _tails(ordered)
    p10, p50, p90 = percentiles(ordered, SHARES)
    middle = 1.0 - 2.0 * (_TAIL_FRAC + _SIDE_FRAC)
    missing = float(ordered.mean()) - _TAIL_FRAC * (low + high) - _SIDE_FRAC * (p10 + p90) - middle * p50
    gains = np.array([p10 - p50, p90 - p50])
    size = float(gains @ gains)
    step = gains * (missing / size) if size else np.zeros(2)
    early, late = np.clip(_SIDE_FRAC + step, _LEAST_SIDE_FRAC, _MOST_SIDE_FRAC)
    return np.array([_TAIL_FRAC, early, 1.0 - 2 * _TAIL_FRAC - early - late, late, _TAIL_FRAC])


def _values(ordered: Floats, chances: Floats) -> Floats:
    """Of one block: its quantiles, and outermost what its mean leaves to them."""
    points = percentiles(ordered, SHARES)
    outer = (float(ordered.mean()) - float(chances[1:4] @ points)) / float(chances[0])
    low, _ = _tails(ordered)
    high = float(np.clip(outer - low, points[2], ordered[-1]))
    low = float(np.clip(outer - high, ordered[0], points[0]))
    return np.array([low, *points, high])


@dataclass(frozen=True, eq=False)
class Merged:
    """Levels that are the same once rounded."""

    name: str
    values: Ints
    """[blocks]"""
    members: tuple[int, ...]


def merged(matched: Matched, rounded: Ints) -> Iterator[Merged]:
    """Levels whose `rounded` values [levels, blocks] differ, each by the name of its likeliest."""
    rows = [tuple(row) for row in rounded.tolist()]
    for row in dict.fromkeys(rows):
        members = tuple(n for n, other in enumerate(rows) if other == row)
        likeliest = max(members, key=lambda n: (matched.chances_frac[n], -n))
        yield Merged(LEVELS[likeliest], rounded[members[0]], members)
