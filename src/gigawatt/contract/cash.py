"""What a unit of every position costs if signed in any month, as one weighted sum of its cash flows.

The weights say what is asked: discount factors give present values, the months of a year give that year's
bill. A last weight stands for the end of the horizon, when hardware is valued. What a contract still owes or
delivers beyond the horizon is left out on both sides.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.terms import Positions
from gigawatt.domain.portfolio import Change, Roadmap, month_index
from gigawatt.laws.finance import discount_factor_frac

Numbers = NDArray[np.float64]


def discount_weights(roadmap: Roadmap) -> Numbers:
    """[T + 1]: what a dollar of each month is worth at the start; the last for the end of the horizon."""
    return np.asarray(discount_factor_frac(roadmap.discount_frac, np.arange(roadmap.months + 1) / 12))


def list_factors(roadmap: Roadmap, changes: tuple[Change, ...] = ()) -> Numbers:
    """[offers, T]: every offer's list price over the one that it states, its own steps and changes
    included.
    """
    begin, months = month_index(roadmap.start), np.arange(roadmap.months)
    factors = np.ones((len(roadmap.offers) + len(roadmap.power), roadmap.months))
    for number, offer in enumerate(roadmap.offers):
        for step in offer.steps:
            factors[number, months >= month_index(step.month) - begin] = 1.0 + step.change_frac
    for number, one in enumerate(roadmap.signable):
        for change in changes:
            if change.price_change_frac and (not change.offers or one.id in change.offers):
                factors[number, months >= month_index(change.month) - begin] *= 1.0 + change.price_change_frac
    return factors


def weighted_cash(positions: Positions, weights: Numbers, factors: Numbers) -> Numbers:
    """[P, T] USD for one unit signed in each month."""
    months = factors.shape[1]
    signed = np.arange(months)
    listed = factors[positions.offer]
    tail = np.append(np.cumsum(weights[:months][::-1])[::-1], 0.0)
    moving = _tail_of_moving(positions, weights[:months], factors)
    total = _capital(positions, weights, listed)
    for step in range(positions.offsets.shape[1]):
        arrive = np.minimum(signed + positions.offsets[:, step, None], months)
        due = np.where(positions.locked[:, None], tail[arrive] * listed, 0.0)
        if moving is not None:
            due += np.take_along_axis(moving, arrive, axis=1)
        total += positions.saved[:, None] * positions.pay_usd[:, step, None] * due
        total += positions.run_usd[:, step, None] * tail[arrive]
        if positions.prepay.any():
            paid_months = np.maximum(months - arrive, 0)
            lump = positions.prepay[:, None] * positions.pay_usd[:, step, None] * paid_months
            total += lump * listed * weights[:months]
    return total * positions.unit[:, None]


def _tail_of_moving(positions: Positions, weights: Numbers, factors: Numbers) -> Numbers | None:
    """[P, T + 1]: weights times list from each month on, for positions whose price is not locked."""
    if positions.locked.all():
        return None
    later = np.cumsum((weights * factors)[:, ::-1], axis=1)[:, ::-1]
    padded = np.hstack([later, np.zeros((len(later), 1))])
    return np.where(positions.locked[:, None], 0.0, padded[positions.offer])


def _capital(positions: Positions, weights: Numbers, listed: Numbers) -> Numbers:
    """Capital as it is spent, less what the hardware fetches, and fees of rights."""
    months = listed.shape[1]
    signed = np.arange(months)
    beyond = np.append(weights[:months], np.zeros(positions.spend_usd.shape[1] + 1))
    total = np.zeros_like(listed)
    for month in range(positions.spend_usd.shape[1]):
        total += positions.spend_usd[:, month, None] * beyond[signed + month] * listed
        # What is still to be spent at the end of the horizon is owed then.
        owed = positions.spend_usd[:, month, None] * (signed + month >= months) * weights[months]
        total += owed * listed
    if (positions.capex_usd > 0).any():
        ends = np.minimum(signed + (positions.delivery + positions.life)[:, None], months)
        age = np.clip(ends - signed - positions.delivery[:, None], 0, months)
        worth = np.take_along_axis(positions.resale, age, axis=1)
        total -= positions.capex_usd[:, None] * listed * worth * weights[ends]
    if (positions.fee_usd > 0).any():
        due = signed + positions.fee_offset[:, None]
        inside = due < months
        at = np.minimum(due, months - 1)
        total += np.where(inside, positions.fee_usd[:, None] * weights[at] * listed, 0.0)
    return total


def delayed(positions: Positions, months: int) -> Positions:
    """The same positions, with capacity and rent so many months later; capital is spent as agreed."""
    far = positions.offsets >= positions.offsets.max(initial=0) + 1
    return replace(
        positions,
        offsets=np.where(far, positions.offsets, positions.offsets + months),
        delivery=positions.delivery + months,
    )
