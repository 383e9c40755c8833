"""A plan in whole blocks from a relaxed one, by rounding a few signatures at a time and solving again in
between.

Quick at any size, and never far off: what is rounded first is nearest to whole, and what comes later makes up
for it. It proves nothing; the relaxed bound and the search that follows do.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.solver import Answer, Solver, Unsolvable

if TYPE_CHECKING:
    from gigawatt.contract.portfolio_model import Model
    from gigawatt.contract.program import Program

Numbers = NDArray[np.float64]
Ints = NDArray[np.int64]

FRACTIONAL = 1e-6
BATCH_SHARE = 0.25
MOST_ROUNDS = 60
MOST_TRIES = 3
MOST_PATIENT = 24


def dive(model: Model, program: Program, scale: float, deadline_s: float) -> Answer | None:
    """Values in whole blocks and their cost; None where rounding led nowhere, or time is up."""
    whole = np.flatnonzero(program.whole)
    solver = Solver(program, scale, presolve="on", solver="simplex")
    solver.relax()
    lower, upper = program.lower.copy(), program.upper.copy()
    gates = _gates(model)
    try:
        answer = _solve(solver, deadline_s)
        solver.set(presolve="off")
        for number in range(MOST_ROUNDS):
            patient = number < MOST_PATIENT
            batch, rounded = _next_batch(answer.values, whole, lower, upper, gates, patient)
            if not len(batch):
                return _settled(solver, program, answer, deadline_s)
            answer = _round(solver, (lower, upper), batch, rounded, answer.values, deadline_s)
    except Unsolvable:
        return None
    return None


def _solve(solver: Solver, deadline_s: float) -> Answer:
    answer = solver.solve(max(deadline_s - time.monotonic(), 1.0))
    if not answer.complete:
        raise Unsolvable("time")
    return answer


def _gates(model: Model) -> dict[int, float]:
    """Least share of a gate from which it is opened: half of the least amount."""
    gates = model.signatures.gates
    found: dict[int, float] = {}
    for table in gates.columns.values():
        for gate, row in enumerate(table):
            share = 0.5 * gates.least[gate] / gates.most[gate]
            found.update({int(column): share for column in row if column >= 0})
    return found


def _next_batch(
    values: Numbers, whole: Ints, lower: Numbers, upper: Numbers, gates: dict[int, float], patient: bool
) -> tuple[Ints, Numbers]:
    """Fractional columns that are nearest to whole, and what they become; gates come first.

    Whoever is out of patience rounds up all there are.
    """
    now = values[whole]
    open_ = upper[whole] > lower[whole]
    fractional = whole[open_ & (np.abs(now - np.round(now)) > FRACTIONAL)]
    doors = np.array([column for column in fractional if int(column) in gates], dtype=np.int64)
    if len(doors):
        opened = np.array([float(values[column] >= gates[int(column)]) for column in doors])
        return doors, opened
    if not patient:
        return fractional, np.ceil(values[fractional])
    distance = np.abs(values[fractional] - np.round(values[fractional]))
    count = max(1, int(np.ceil(BATCH_SHARE * len(fractional)))) if len(fractional) else 0
    batch = fractional[np.argsort(distance, kind="stable")[:count]]
    return batch, np.round(values[batch])


def _round(
    solver: Solver,
    bounds: tuple[Numbers, Numbers],
    batch: Ints,
    rounded: Numbers,
    values: Numbers,
    deadline_s: float,
) -> Answer:
    """Round up from below and down from above; where that leads nowhere, all of them the other way."""
    lower, upper = bounds
    for attempt in range(MOST_TRIES):
        up = rounded > values[batch]
        if attempt:
            rounded = np.ceil(values[batch]) if attempt == 1 else np.floor(values[batch])
            up = rounded >= values[batch]
        kept = lower[batch].copy(), upper[batch].copy()
        lower[batch] = np.where(up, rounded, lower[batch])
        upper[batch] = np.where(up, upper[batch], rounded)
        solver.bound_columns(batch, lower[batch], upper[batch])
        try:
            return _solve(solver, deadline_s)
        except Unsolvable:
            lower[batch], upper[batch] = kept
            solver.bound_columns(batch, *kept)
            if time.monotonic() > deadline_s:
                raise
    raise Unsolvable("rounding")


def _settled(solver: Solver, program: Program, answer: Answer, deadline_s: float) -> Answer:
    """All whole columns exactly where they are, and the rest at its best."""
    whole = np.flatnonzero(program.whole)
    exact = np.round(answer.values[whole])
    solver.bound_columns(whole, exact, exact)
    return _solve(solver, deadline_s)
