"""Portfolios of full size: limits of offers are kept only where they matter.

Hundreds of offers have a greatest volume, and few plans come near most of them. Left out, they can only
make the bound lower, so it stays a bound; whatever then breaks a limit brings that limit back, until
nothing does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.blocks import Plan, plan_blocks
from gigawatt.contract.columns import Relaxed, relax
from gigawatt.contract.futures import Tree
from gigawatt.contract.portfolio_model import Model, build_model
from gigawatt.contract.signatures import Choice
from gigawatt.contract.terms import FAR, NONE, Positions
from gigawatt.domain.portfolio import Roadmap

Numbers = NDArray[np.float64]

MANY_OFFERS = 64
MOST_REBUILDS = 30
SLACK_FRAC = 1e-6
ENOUGH = 2.0
MANY_KEPT = 2**14


def first_model(roadmap: Roadmap, tree: Tree | None = None) -> Model:
    """The model to begin with: all limits where offers are few, else those of the cheapest offers."""
    if len(roadmap.offers) <= MANY_OFFERS or roadmap.futures:
        return build_model(roadmap, tree)
    return build_model(roadmap, tree, capped=_cheapest(roadmap))


def _cheapest(roadmap: Roadmap) -> frozenset[int]:
    """Offers that are cheapest by the hour of a reference accelerator, until they hold all that is asked
    twice.
    """
    worth = {chip.id: chip.equivalents_per_gpu for chip in roadmap.chips}
    prices = [
        min([price / worth[kind] for kind, price in (offer.price_usd_per_gpu_h or {}).items()], default=0.0)
        for offer in roadmap.offers
    ]
    most = [offer.most_accelerators for offer in roadmap.offers]
    typical = float(np.median([float(one) for one in most if one is not None] or [0.0]))
    needed = ENOUGH * typical * MANY_OFFERS / 4
    found: set[int] = set()
    held = 0.0
    for number in np.argsort(prices, kind="stable"):
        if most[number] is not None and held < needed:
            found.add(int(number))
            held += float(most[number] or 0)
    return frozenset(found)


def plan_at_any_size(model: Model, gap_frac: float, deadline_s: float) -> Plan:
    """The plan, with every limit that matters. Raises what `relax` raises."""
    first: Choice | None = None
    for _ in range(MOST_REBUILDS):
        relaxed = relax(model, deadline_s, first)
        broken = overrun(model, relaxed.choice, relaxed.answer.values[relaxed.fixed :])
        if not broken:
            plan = plan_blocks(model, gap_frac, deadline_s, relaxed)
            broken = overrun(model, plan.signed, plan.units)
            if not broken:
                return plan
        first = _worth_keeping(relaxed)
        kept = frozenset(n for n in model.families.capped_offers if n < len(model.roadmap.offers))
        model = build_model(model.roadmap, model.tree, capped=kept | broken)
    raise AssertionError("limits come back one at a time, and there are no more of them")


def _worth_keeping(relaxed: Relaxed) -> Choice:
    """Signatures made so far that are used, or come nearest to it."""
    choice = relaxed.choice
    reduced = np.array(
        [
            relaxed.reduced[int(n)][p, t]
            for p, t, n in zip(choice.position, choice.month, choice.node, strict=True)
        ]
    )
    used = relaxed.answer.values[relaxed.fixed :] > 0
    order = np.argsort(np.where(used, -np.inf, reduced), kind="stable")
    return choice.taken(order[:MANY_KEPT])


def overrun(model: Model, choice: Choice, units: Numbers) -> frozenset[int]:
    """Offers of which more stands in some month than there is."""
    if len(model.tree.nodes) > 1:
        return frozenset()
    standing = standing_by_offer(model.positions, choice, units, model.roadmap.months)
    return frozenset(
        number
        for number, offer in enumerate(model.roadmap.offers)
        if offer.most_accelerators is not None
        and number not in model.families.capped_offers
        and standing[number].max() > offer.most_accelerators * (1.0 + SLACK_FRAC)
    )


def standing_by_offer(positions: Positions, choice: Choice, units: Numbers, months: int) -> Numbers:
    """[offers, T] accelerators under contract."""
    used = np.flatnonzero(units > 0)
    choice, units = choice.taken(used), units[used]
    change = np.zeros((int(positions.offer.max(initial=NONE)) + 1, months + 1))
    for step in range(positions.offsets.shape[1]):
        offset = positions.offsets[choice.position, step]
        at = np.minimum(choice.month + np.minimum(offset, FAR), months)
        amount = units * positions.unit[choice.position] * positions.shares[choice.position, step]
        np.add.at(change, (positions.offer[choice.position], at), amount)
    return np.cumsum(change[:, :months], axis=1)
