"""A search within a gap may leave a signature's fee paid with nothing signed: it is taken back."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.solver import Answer, Solver, Unsolvable

if TYPE_CHECKING:
    from gigawatt.contract.portfolio_model import Model
    from gigawatt.contract.program import Program

Numbers = NDArray[np.float64]
Ints = NDArray[np.int64]

OPEN = 0.5
NOTHING = 1e-6
MOST_TIMES = 8


def without_idle_fees(
    model: Model, program: Program, answer: Answer, scale: float, deadline_s: float
) -> Answer:
    """The same plan with gates shut through which nothing goes, and the rest at its best once more."""
    for _ in range(MOST_TIMES):
        idle = _idle(model, program, answer.values)
        better = _shut(program, answer, idle, scale, deadline_s) if len(idle) else None
        if better is None:
            break
        answer = better
    return answer


def _shut(program: Program, answer: Answer, idle: Ints, scale: float, deadline_s: float) -> Answer | None:
    """None where that is no better. What goes through a gate may move to another, and leave it idle then."""
    whole = np.flatnonzero(program.whole)
    exact = np.where(np.isin(whole, idle), 0.0, np.round(answer.values[whole]))
    solver = Solver(program, scale, presolve="on", solver="simplex")
    solver.relax()
    solver.bound_columns(whole, exact, exact)
    try:
        again = solver.solve(max(deadline_s - time.monotonic(), 1.0))
    except Unsolvable:
        return None
    if not again.complete or again.objective_usd > answer.objective_usd:
        return None
    bound = min(answer.bound, again.objective_usd)
    return replace(answer, values=again.values, objective_usd=again.objective_usd, bound=bound)


def _idle(model: Model, program: Program, values: Numbers) -> Ints:
    """Columns of gates that are open with nothing signed behind them."""
    gates, activity = model.signatures.gates, program.activity(values)
    found = [np.empty(0, dtype=np.int64)]
    for node, columns in gates.columns.items():
        gate, month = np.nonzero(columns >= 0)
        column, row = columns[gate, month], gates.high[node][gate, month]
        signed = activity[row] + gates.most[gate] * values[column]
        found.append(column[(values[column] > OPEN) & (signed < NOTHING * gates.most[gate])])
    return np.concatenate(found)
