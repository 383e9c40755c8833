"""What the limits of a plan are worth: the duals of the relaxed portfolio, in words and units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gigawatt.contract.conflict import limit_in_words
from gigawatt.domain.portfolio_plan import Binding

if TYPE_CHECKING:
    from gigawatt.contract.blocks import Plan

SHOWN_BINDING = 60
UNITS = {
    "run": "USD per accelerator-month of the run",
    "need": "USD per accelerator-month",
    "power": "USD per MW-month",
    "budget": "USD per USD",
    "offer": "USD per accelerator-month (or block-month of power)",
    "provider": "USD per reference accelerator-month",
    "supplier": "USD per reference accelerator-month",
    "survival": "USD per reference accelerator-month",
    "spot": "USD per accelerator-month",
    "most": "USD per accelerator-month",
}
LEAST_SHARE = 1e-6


def binding_prices(plan: Plan) -> tuple[Binding, ...]:
    """Limits that cost money, dearest in all first; of each limit the month in which it costs most."""
    model, duals = plan.model, plan.row_duals
    found: dict[str, tuple[float, float, Binding]] = {}
    for name, block in model.builder.rows.blocks.items():
        kind = name.split()[0]
        if kind not in UNITS:
            continue
        price = np.abs(duals[block.index])
        for place in zip(*np.nonzero(price > LEAST_SHARE), strict=True):
            position = tuple(int(one) for one in place)
            words, month = limit_in_words(model, name, position)
            amount = float(price[place])
            total, most, shown = found.get(words, (0.0, 0.0, None))
            if shown is None or amount > most:
                most = amount
                shown = Binding(limit=words, month=month, price_usd=amount, unit=UNITS[kind])
            found[words] = (total + amount, most, shown)
    ranked = sorted(found.values(), key=lambda one: -one[0])
    return tuple(one[2] for one in ranked[:SHOWN_BINDING])
