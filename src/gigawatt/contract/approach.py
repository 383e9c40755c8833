"""The way to a relaxed optimum of full size: interior points over few signatures, until those are found that
matter.

Where there are millions of signatures, pivoting is slow as long as the prices are far off: optima of few
signatures are degenerate, and each round moves all of it. An interior point costs the same in every round,
and its prices lie in the middle of those that are possible. Nothing is proven here: the rounds of pivoting
that follow begin with the signatures that were found, and end at the optimum.
"""

from __future__ import annotations

import time

import numpy as np

from gigawatt.contract.portfolio_model import Model
from gigawatt.contract.pricing import helpful, score_of, spread
from gigawatt.contract.program import Program
from gigawatt.contract.settled import settled_duals, without_empty_shares
from gigawatt.contract.signatures import Choice, cash_of, make_columns
from gigawatt.contract.solver import Answer, Solver

MOST_ROUNDS = 20
LOOSE = 2.0**-10
LITTLE_FRAC = 2.0**-8
NEAR_FRAC = 0.1
USED = 2.0**-10


def approach(model: Model, program: Program, scale: float, deadline_s: float) -> Choice:
    """Signatures over which the relaxed portfolio is nearly at its best.

    `program` holds what is always there. Where time runs out, or the interior method is stuck, what was found
    so far. Raises Unsolvable where there is no optimum.
    """
    choice, before_usd = spread(model), np.inf
    for _ in range(MOST_ROUNDS):
        answer = _inside(program.with_columns(make_columns(model, choice)), scale, deadline_s)
        if not answer.complete:
            break
        duals = settled_duals(model, program, without_empty_shares(model, answer))
        more, reduced = helpful(model, duals, answer.objective_usd)
        near = score_of(reduced, choice) < NEAR_FRAC * np.abs(cash_of(model, choice))
        used = answer.values[program.num_columns :] > USED
        choice = _once(choice.taken(np.flatnonzero(near | used)).joined(more))
        if answer.objective_usd > before_usd - LITTLE_FRAC * abs(before_usd):
            break
        before_usd = answer.objective_usd
    return choice


def _inside(program: Program, scale: float, deadline_s: float) -> Answer:
    """An interior point that is nearly optimal."""
    solver = Solver(
        program, scale, solver="ipm", run_crossover="off", presolve="on",
        ipm_optimality_tolerance=LOOSE, kkt_tolerance=LOOSE,
    )  # fmt: skip
    solver.relax()
    return solver.solve(max(deadline_s - time.monotonic(), 1.0))


def _once(choice: Choice) -> Choice:
    """Each signature once: a point that is only nearly optimal may ask again for what it has."""
    node, position, month = np.unique(np.stack([choice.node, choice.position, choice.month]), axis=1)
    return Choice(position, month, node)
