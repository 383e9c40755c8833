"""Prices of what is not there, settled.

A pool that nothing feeds has a price that could be anything from what its capacity would be worth upwards,
and so has whatever is kept in stock for it. An optimum tells one of these prices, often an absurd one, and
makes thousands of signatures look good that are not. The least of them is as true, and tells apart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gigawatt.contract.portfolio_model import Model
    from gigawatt.contract.program import Program
    from gigawatt.contract.solver import Answer

Numbers = NDArray[np.float64]

NOTHING = 2.0**-10


def settled_duals(model: Model, program: Program, answer: Answer) -> Numbers:
    """[rows] prices of an optimum of a single node, those of empty pools as low as they can be.

    No signature that delivers looks better by them. `program` holds the columns that are always there;
    `answer` may hold more, after these.
    """
    duals, before = answer.row_duals.copy(), program.priced(answer.row_duals)
    stock, rows = model.stock[0], model.stock_rows[0]
    pools, work = model.builder.rows.blocks["pool 0"].index, model.work[0]
    spare = np.where(work >= 0, before[work], np.inf).min(axis=1)
    duals[pools] = np.minimum(0.0, duals[pools] + spare)
    # What a limit is worth stays; without limits a stock is worth what it will still give.
    limit = np.where(np.isfinite(program.upper[stock]), np.maximum(0.0, -before[stock]), 0.0)
    duals[rows] = 0.0
    gives = program.priced(duals)[stock] + limit
    duals[rows] = np.cumsum(gives[:, ::-1], axis=1)[:, ::-1]
    return duals


def without_empty_shares(model: Model, answer: Answer) -> Answer:
    """The same, with shares free in months in which nobody supplies anything.

    They could have any price. Only where prices are a guide: without it a provider may look too good.
    """
    shares = model.builder.rows.blocks.get("provider 0")
    if shares is None:
        return answer
    families, duals = model.families, answer.row_duals.copy()
    there = answer.values[model.stock[0][families.first_provider :][: len(families.providers)]]
    duals[shares.index[:, there.sum(axis=0) <= NOTHING]] = 0.0
    return replace(answer, row_duals=duals)


def dual_usd(program: Program, duals: Numbers, slack_usd: float) -> float:
    """The bound that prices prove over the columns that are always there; those within `slack_usd` of paying
    their way count as doing so.
    """
    reduced = program.priced(duals)
    reduced[np.abs(reduced) <= slack_usd] = 0.0
    rows = np.where(duals > 0, program.row_lower, program.row_upper)
    columns = np.where(reduced > 0, program.lower, program.upper)
    priced, moved = duals != 0, reduced != 0
    return float(duals[priced] @ rows[priced] + reduced[moved] @ columns[moved])
