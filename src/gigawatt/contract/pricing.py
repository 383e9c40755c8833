"""Which of millions of signatures to make: the cheapest to begin with, then those that duals say would help
most.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.portfolio_model import Model
from gigawatt.contract.program import INFINITE
from gigawatt.contract.signatures import Choice, reduced_costs
from gigawatt.contract.terms import FAR, NONE

Numbers = NDArray[np.float64]
Ints = NDArray[np.int64]

MANY_COLUMNS = 4096
MANY_PER_MONTH = 8
FIRST_PER_MONTH = 12
SPREAD_MONTHS = 6
SMALL_FRAC = 1e-7


def _grouped(model: Model, by_site: bool = True) -> Ints:
    """[P] signatures that compete with each other: same pool, same site of limited power."""
    if not by_site:
        return np.where(model.positions.power, NONE - model.positions.site, model.families.pool_index)
    pools = np.where(model.positions.power, NONE, model.families.pool_index)
    return np.asarray(pools * (len(model.roadmap.places) + 1) + model.positions.site)


def cheapest(model: Model) -> Choice:
    """The cheapest few for each pool and month, by what a delivered month costs within the horizon."""
    found = Choice.none()
    for node, score in _delivered_usd(model).items():
        found = found.joined(best_of(model, node, score, FIRST_PER_MONTH, MANY_COLUMNS * 4, by_site=False))
    return found


def spread(model: Model) -> Choice:
    """The cheapest for each pool at each site, by the same measure, in some months."""
    found = Choice.none()
    for node, score in _delivered_usd(model).items():
        score[:, np.arange(model.roadmap.months) % SPREAD_MONTHS != 0] = INFINITE
        found = found.joined(best_of(model, node, score, 1, score.size))
    return found


def _delivered_usd(model: Model) -> dict[int, Numbers]:
    """[P, T] by node: what an accelerator costs for a month that it delivers within the horizon."""
    months = model.roadmap.months
    positions, month = model.positions, np.arange(model.roadmap.months)
    delivered = np.zeros((len(positions), months))
    for step in range(positions.offsets.shape[1]):
        left = months - np.minimum(month + np.minimum(positions.offsets[:, step, None], FAR), months)
        delivered += positions.shares[:, step, None] * left
    worth = np.maximum(delivered * (positions.unit * positions.delivered)[:, None], SMALL_FRAC)
    return {
        node: np.where(plain, model.signatures.cash[node] / worth, INFINITE)
        for node, plain in model.signatures.plain.items()
    }


def best_of(model: Model, node: int, score: Numbers, each: int, most: int, by_site: bool = True) -> Choice:
    """The lowest scores of each group and month, and of those the lowest overall."""
    group = _grouped(model, by_site)
    picked_p, picked_t = [], []
    for one in np.unique(group):
        members = np.flatnonzero(group == one)
        few = min(each, len(members))
        order = np.argpartition(score[members], few - 1, axis=0)[:few]
        months = np.broadcast_to(np.arange(score.shape[1]), order.shape)
        picked_p.append(members[order].ravel())
        picked_t.append(months.ravel())
    if not picked_p:
        return Choice.none()
    position, month = np.concatenate(picked_p), np.concatenate(picked_t)
    value = score[position, month]
    kept = np.flatnonzero(value < INFINITE)
    kept = kept[np.argsort(value[kept], kind="stable")[:most]]
    return Choice(position[kept], month[kept], np.full(len(kept), node))


def helpful(
    model: Model, duals: Numbers, total_usd: float, without: int = NONE
) -> tuple[Choice, dict[int, Numbers]]:
    """Signatures that would help most, none of the offer `without`, and [P, T] by node the reduced costs of
    all.

    Among millions what counts is by how much of its price a signature helps, and one for each pool, site and
    month: others like it can be told apart when it is there.
    """
    left_out = model.positions.offer == without
    reduced = {node: reduced_costs(model, node, duals) for node in model.signatures.plain}
    least = SMALL_FRAC * max(abs(total_usd), 1.0) / MANY_COLUMNS
    each, most = (1, 2 * MANY_COLUMNS) if model.vast else (MANY_PER_MONTH, MANY_COLUMNS)
    more = Choice.none()
    for node, score in reduced.items():
        score[left_out] = INFINITE
        price = np.maximum(np.abs(model.signatures.cash[node]), 1.0) if model.vast else 1.0
        wanted = np.where(score < -least, score / price, INFINITE)
        more = more.joined(best_of(model, node, wanted, each, most))
    return more, reduced


def score_of(reduced: dict[int, Numbers], choice: Choice) -> Numbers:
    """[columns] reduced costs of a choice, out of those of all."""
    found = np.zeros(len(choice))
    for node, score in reduced.items():
        here = choice.node == node
        found[here] = score[choice.position[here], choice.month[here]]
    return found
