"""Several uncertain things at once, by level: all combinations with their chances, and fewer that stand for
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gigawatt.contract.program import INFINITE, Builder
from gigawatt.contract.schedule_kernel import Floats, Ints
from gigawatt.contract.solver import Solver

_NOTHING = 1e-12
_TOLERANCE = 1e-10
"""Of the program; what it leaves is made good."""


@dataclass(frozen=True, eq=False)
class Joint:
    """Combinations of levels, one column for each uncertain thing."""

    levels: Ints
    """[combinations, things]"""
    chances_frac: Floats
    """[combinations]"""


def counted(levels: Sequence[Ints]) -> Joint:
    """Combinations as often as they were drawn together; `levels` [samples] of each thing."""
    rows, counts = np.unique(np.column_stack(levels), axis=0, return_counts=True)
    return Joint(rows, counts / counts.sum())


def crossed(first: Joint, second: Joint) -> Joint:
    """Every combination of the one with every one of the other: they know nothing of each other."""
    rows = np.hstack([
        np.repeat(first.levels, len(second.levels), axis=0),
        np.tile(second.levels, (len(first.levels), 1)),
    ])  # fmt: skip
    return Joint(rows, np.outer(first.chances_frac, second.chances_frac).ravel())


def num_kept(joint: Joint) -> int:
    """How few combinations can keep the chance of every level of every thing."""
    return 1 + sum(len(np.unique(column)) - 1 for column in joint.levels.T)


def thinned(joint: Joint, most: int, level_months: Sequence[Floats | None]) -> Joint:
    """At most so many combinations, with the chance of every level of every thing as before.

    `level_months` give each thing's levels a value, None to levels without an order. As far as `most` allows
    so stay the mean of what has an order within each level of what has none, then the correlation of any two,
    then the spread within. `most` must not be below `num_kept`.
    """
    if len(joint.chances_frac) <= most:
        return joint
    kept = np.array([*_shares(joint), *_products(joint, level_months)])[:most]
    chances = _fewer(kept, joint.chances_frac)
    used = np.flatnonzero(chances > _TOLERANCE)
    lost = kept @ joint.chances_frac - kept[:, used] @ chances[used]
    exact = chances[used] + np.linalg.lstsq(kept[:, used], lost, rcond=None)[0]
    there = exact > _NOTHING
    return Joint(joint.levels[used[there]], exact[there] / exact[there].sum())


def _shares(joint: Joint) -> Iterator[Floats]:
    """Rows that keep the total and the chance of each level but the last."""
    yield np.ones(len(joint.chances_frac))
    for column in joint.levels.T:
        for level in np.unique(column)[:-1]:
            yield np.where(column == level, 1.0, 0.0)


def _products(joint: Joint, scores: Sequence[Floats | None]) -> Iterator[Floats]:
    """Rows that keep how much things have to do with each other."""
    columns = [list(_standardised(joint, n, values)) for n, values in enumerate(scores)]
    unordered = [n for n, values in enumerate(scores) if values is None]
    ordered = [n for n, values in enumerate(scores) if values is not None]
    for one in unordered:
        for other in ordered:
            yield from (mine * columns[other][0] for mine in columns[one])
    for place, one in enumerate(ordered):
        yield from (columns[one][0] * columns[other][0] for other in ordered[place + 1 :])
    for one in unordered:
        for other in ordered:
            yield from (mine * columns[other][0] ** 2 for mine in columns[one])


def _standardised(joint: Joint, thing: int, values: Floats | None) -> Iterator[Floats]:
    column = joint.levels[:, thing]
    if values is None:
        yield from (np.where(column == level, 1.0, 0.0) for level in np.unique(column)[:-1])
        return
    score = values[column] - joint.chances_frac @ values[column]
    yield score / (np.sqrt(joint.chances_frac @ score**2) or 1.0)


def _fewer(kept: Floats, chances: Floats) -> Floats:
    """Chances with the same `kept` @ chances, nought but in as many places as `kept` has rows.

    Of all that there are, a corner, and the likeliest: that of a linear program whose prices are the
    logarithms of the chances.
    """
    asked, builder = kept @ chances, Builder()
    columns = builder.columns.add("chance", chances.shape, 0.0, INFINITE, -np.log(chances))
    rows = builder.rows.add("kept", asked.shape, asked, asked)
    builder.put(rows[:, None], columns[None, :], kept)
    return Solver(builder.program(), solver="simplex", primal_feasibility_tolerance=_TOLERANCE).solve().values
