"""Where owning costs as much as renting: levelled by the hour that is delivered, one accelerator at a time.

Closed form, from the same cash flows as the plan: no plan is needed to check it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.cash import discount_weights, list_factors, weighted_cash
from gigawatt.contract.terms import NONE, Positions, positions_of
from gigawatt.domain.break_even import BreakEven
from gigawatt.domain.portfolio import Roadmap
from gigawatt.laws.finance import MONTH_H
from gigawatt.laws.power import facility_power_w

Numbers = NDArray[np.float64]


def break_evens(roadmap: Roadmap) -> Iterator[BreakEven]:
    """Every owned offer against the cheapest rent of its kind, kind by kind and site by site."""
    positions, weights = positions_of(roadmap), discount_weights(roadmap)
    cash = weighted_cash(positions, weights, list_factors(roadmap)) / positions.unit[:, None]
    hours = _delivered_hours(positions, weights, roadmap.months)
    firm = [
        n
        for n, one in enumerate(positions.entries)
        if not one.power and one.parent == NONE and roadmap.offers[one.offer].form not in ("owned", "spot")
    ]
    for number, one in enumerate(positions.entries):
        if one.power or one.parent != NONE or roadmap.offers[one.offer].form != "owned":
            continue
        rivals = [
            n for n in firm if positions.kind[n] == one.kind and positions.last[n] >= positions.first[n]
        ]
        if one.last < one.first or not rivals:
            continue
        yield _break_even(roadmap, positions, (cash, hours), number, rivals)


def _delivered_hours(positions: Positions, weights: Numbers, months: int) -> Numbers:
    """[P, T] discounted hours that one accelerator delivers within the horizon."""
    tail = np.append(np.cumsum(weights[:months][::-1])[::-1], 0.0) * MONTH_H
    total = np.zeros((len(positions), months))
    for step in range(positions.offsets.shape[1]):
        at = np.minimum(np.arange(months) + np.minimum(positions.offsets[:, step, None], months), months)
        total += positions.shares[:, step, None] * tail[at]
    return total * positions.delivered[:, None]


def _break_even(
    roadmap: Roadmap, positions: Positions, tables: tuple[Numbers, Numbers], number: int, rivals: list[int]
) -> BreakEven:
    cash, hours = tables
    one, first = positions.entries[number], int(positions.first[number])
    own_usd = float(cash[number, first]) + _power_share(roadmap, positions, cash, number)
    own = own_usd / float(hours[number, first])
    rents = {n: float(cash[n, positions.first[n]] / hours[n, positions.first[n]]) for n in rivals}
    rival = min(rents, key=lambda n: rents[n])
    by_hour = [n for n in rivals if roadmap.offers[positions.entries[n].offer].term_months == 1]
    flexible = min((rents[n] for n in by_hour), default=rents[rival])
    return BreakEven(
        kind=roadmap.chips[one.kind].id,
        site=roadmap.places[one.site].id,
        owned=roadmap.offers[one.offer].id,
        rented=roadmap.offers[positions.entries[rival].offer].id,
        own_usd_per_gpu_h=own,
        rent_usd_per_gpu_h=rents[rival],
        price_usd_per_gpu_h=own * positions.delivered[rival],
        utilisation_frac=own / flexible,
        delay_months=_delay(
            roadmap, own_usd, rents[rival], float(positions.delivered[number]), one.delivery + first
        ),
    )


def _power_share(roadmap: Roadmap, positions: Positions, cash: Numbers, number: int) -> float:
    """What the power of one accelerator costs where it is built or rented first: the cheapest there."""
    one = positions.entries[number]
    drawn_w = facility_power_w(roadmap.chips[one.kind].power_w, roadmap.places[one.site].pue)
    offers = len(roadmap.offers)
    prices = [
        float(cash[n, positions.first[n]]) / roadmap.power[entry.offer - offers].block_w
        for n, entry in enumerate(positions.entries)
        if entry.power and entry.site == one.site and entry.last >= entry.first
    ]
    return float(min(prices, default=0.0) * drawn_w)


def _delay(
    roadmap: Roadmap, own_usd: float, rent_usd_per_gpu_h: float, delivered_frac: float, delivery: int
) -> int | None:
    """Months late, everything paid as agreed and rent meanwhile, from which renting all along is cheaper."""
    weights = discount_weights(roadmap)[: roadmap.months] * MONTH_H * delivered_frac * rent_usd_per_gpu_h
    rented_usd = float(weights[delivery:].sum())
    if own_usd >= rented_usd:
        return 0
    meanwhile = np.cumsum(weights[delivery:])
    late = np.flatnonzero(own_usd + meanwhile > rented_usd)
    return int(late[0]) + 1 if len(late) else None
