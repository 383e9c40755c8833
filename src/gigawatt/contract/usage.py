"""Take or pay: what of a contract is used, what is paid beyond the share that is paid anyhow, what is made
up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.program import INFINITE
from gigawatt.domain.portfolio import ContractOffer

if TYPE_CHECKING:
    from gigawatt.contract.portfolio_model import Model

Numbers = NDArray[np.float64]


def add_usage(model: Model) -> None:
    """Columns and rows for every position that is paid for as it is used."""
    for node in model.tree.nodes:
        for number, position in enumerate(model.families.taken):
            _add_usage_of(model, node.number, number, position)


def list_usd(model: Model, position: int, course: int) -> Numbers:
    """[T] what one accelerator more costs by the month when it is used."""
    entry = model.positions.entries[position]
    full = sum(step.pay_usd for step in entry.steps if step.share > 0)
    per_taken = full / entry.takes if entry.takes else _listed(model, position)
    return np.asarray(per_taken * model.tree.courses[course].factors[entry.offer])


def _listed(model: Model, position: int) -> float:
    """As in `terms`, for a contract that is paid by use alone."""
    from gigawatt.contract.terms import credited_frac
    from gigawatt.laws.finance import MONTH_H

    entry = model.positions.entries[position]
    offer: ContractOffer = model.roadmap.offers[entry.offer]
    chip, place = model.roadmap.chips[entry.kind], model.roadmap.places[entry.site]
    discount = next((tier.discount_frac for tier in offer.tiers if tier.accelerators == entry.least), 0.0)
    price = (offer.price_usd_per_gpu_h or {})[chip.id] * (1.0 - discount)
    return price * (1.0 + offer.site_change_frac.get(place.id, 0.0)) * MONTH_H * credited_frac(offer)


def _add_usage_of(model: Model, node: int, number: int, position: int) -> None:
    begin, end = model.spans(node)
    months = np.arange(begin, end)
    entry = model.positions.entries[position]
    offer = model.roadmap.offers[entry.offer]
    columns, rows, put = model.builder.columns, model.builder.rows, model.builder.put
    tag, span = f"{node} {position}", [end - begin]
    used = columns.add(f"used {tag}", span, 0.0, INFINITE)
    extra = columns.add(f"extra {tag}", span, 0.0, INFINITE)
    price = list_usd(model, position, model.tree.nodes[node].futures[0])[begin:end]
    model.spend(node, extra, price * model.weights[begin:end])
    there = rows.add(f"there {tag}", span, -INFINITE, 0.0)
    paid = rows.add(f"paid {tag}", span, -INFINITE, 0.0)
    put(there, used, 1.0)
    put(paid, used, 1.0)
    put(paid, extra, -1.0)
    for stock in model.stocked(node, model.families.first_taken + number, months):
        put(there, stock, -1.0)
        put(paid, stock, -entry.takes)
    pool = model.families.pool_index[position]
    put(model.builder.rows.blocks[f"pool {node}"].index[pool], used, -entry.delivered)
    if offer.make_up_months:
        fresh = rows.add(f"oldest {tag}", span, -INFINITE, 0.0)
        put(fresh, extra, 1.0)
        put(fresh, used, -1.0)
        _add_make_up(model, node, tag, paid, offer.make_up_months)


def _add_make_up(model: Model, node: int, tag: str, paid: NDArray[np.int64], window: int) -> None:
    """An account of what was paid and not used: the oldest is used first, and what is too old is lost."""
    begin, end = model.spans(node)
    columns, rows, put = model.builder.columns, model.builder.rows, model.builder.put
    span = [end - begin]
    banked = columns.add(f"banked {tag}", span, 0.0, INFINITE)
    drawn = columns.add(f"drawn {tag}", span, 0.0, INFINITE)
    account = columns.add(f"account {tag}", span, 0.0, INFINITE)
    balance = rows.add(f"account {tag}", span, -INFINITE, 0.0)
    fresh = rows.add(f"fresh {tag}", span, -INFINITE, 0.0)
    put(paid, banked, 1.0)
    put(paid, drawn, -1.0)
    put(rows.blocks[f"oldest {tag}"].index, drawn, 1.0)
    put(balance, account, 1.0)
    put(balance, banked, -1.0)
    put(balance, drawn, 1.0)
    put(balance[1:], account[:-1], -1.0)
    put(fresh, account, 1.0)
    parent = model.tree.nodes[node].parent
    position = tag.split()[1]
    if parent >= 0:
        before = columns.blocks[f"account {parent} {position}"].index
        put(balance[0], before[-1], -1.0)
    for back in range(window):
        put(fresh[back:], banked[: len(banked) - back], -1.0)
    earlier = parent
    while earlier >= 0:
        old = columns.blocks[f"banked {earlier} {position}"].index
        first = model.tree.nodes[earlier].begin
        for month in range(begin, end):
            since = max(0, month - window + 1 - first)
            put(fresh[month - begin], old[since:], -1.0)
        earlier = model.tree.nodes[earlier].parent
