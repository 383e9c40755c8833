"""The relaxed portfolio to its proven optimum, making only the signatures that matter.

Signatures are priced all at once by the duals of those that were made; the most promising are made, until
none would help. What that proves is a bound over every signature, made or not.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.approach import approach
from gigawatt.contract.portfolio_model import Model
from gigawatt.contract.pricing import SMALL_FRAC, cheapest, helpful
from gigawatt.contract.program import INFINITE, Columns, Program
from gigawatt.contract.settled import dual_usd, settled_duals
from gigawatt.contract.signatures import Choice, make_columns
from gigawatt.contract.solver import Answer, Solver, Unsolvable
from gigawatt.contract.terms import NONE
from gigawatt.errors import InfeasibleError

Numbers = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

MOST_ROUNDS = 400
DUAL, PRIMAL = 1, 4
MANY_FOR_SIMPLEX = 2**15


@dataclass
class Relaxed:
    """The optimum of the relaxed portfolio: a bound, prices of everything, and the signatures that were
    made.
    """

    program: Program
    """Rows and columns that are always there."""
    choice: Choice
    """Signatures made, after `program`'s columns."""
    answer: Answer
    bound: float
    reduced: dict[int, Numbers]
    """[P, T] by node: reduced cost of every plain signature."""
    solver: Solver
    fixed: int
    """How many columns are always there, artificial ones apart."""

    @property
    def values(self) -> Numbers:
        """Of the columns that are always there."""
        return self.answer.values[: self.program.num_columns]


def usd_scale(program: Program) -> float:
    """Keeps costs in the solver within a few powers of ten."""
    most = float(np.abs(program.cost).max(initial=1.0))
    return float(10.0 ** max(0.0, np.floor(np.log10(max(most, 1.0))) - 3))


def always_there(model: Model) -> Program:
    """Rows, and the columns that need not be asked for."""
    base = model.costed(model.program())
    return base.with_columns(make_columns(model, model.signatures.special, special=True))


@dataclass(frozen=True)
class Pinned:
    """What is signed at the root, come what may."""

    choice: Choice
    units: Numbers


def _pin(model: Model, program: Program, pinned: Pinned) -> tuple[Model, Program]:
    """Signs what is pinned, and nothing else at the root."""
    plain = model.signatures.plain
    shut = plain | {0: np.zeros_like(plain[0])}
    model = replace(model, signatures=replace(model.signatures, plain=shut))
    special, count = model.signatures.special, program.num_columns
    lower, upper = program.lower.copy(), program.upper.copy()
    at = count - len(special) + np.flatnonzero(special.node == 0)
    lower[at] = upper[at] = 0.0
    place = {key: count - len(special) + n for n, key in enumerate(keys_of(special))}
    fresh = []
    for number, key in enumerate(keys_of(pinned.choice)):
        if key in place:
            lower[place[key]] = upper[place[key]] = pinned.units[number]
        else:
            fresh.append(number)
    made = make_columns(model, pinned.choice.taken(np.array(fresh, dtype=np.int64)))
    units = pinned.units[fresh]
    program = replace(program, lower=lower, upper=upper)
    return model, program.with_columns(replace(made, lower=units, upper=units))


def relax(
    model: Model,
    deadline_s: float = INFINITE,
    first: Choice | None = None,
    pinned: Pinned | None = None,
    program: Program | None = None,
) -> Relaxed:
    """Solve the relaxed portfolio over all signatures, beginning with those in `first`.

    `program` is what is always there, with other bounds or costs.

    Raises InfeasibleError where nothing meets the roadmap, and Unsolvable where time runs out first.
    """
    program = program or always_there(model)
    if pinned is not None:
        model, program = _pin(model, program, pinned)
    penalty = _penalty(model, program)
    choice = first or _begun(model, program, penalty, deadline_s)
    while True:
        artificial = _artificial(model, penalty)
        held = (loosened(model, program) if model.vast else program).with_columns(artificial)
        presolve = "off" if model.vast else "on"
        solver = Solver(held, usd_scale(program), presolve=presolve, solver="simplex")
        solver.relax()
        found = _generate(model, program, choice, solver, deadline_s)
        artificials = slice(program.num_columns, program.num_columns + len(artificial.cost))
        short = found.answer.values[artificials]
        if short.max(initial=0.0) <= SMALL_FRAC * max(1.0, float(np.abs(found.answer.values).max())):
            return found
        if penalty > MOST_PENALTY * _penalty(model, program):
            raise InfeasibleError(_why(model, program, found.choice))
        choice, penalty = found.choice, penalty * PENALTY_STEP


def _begun(model: Model, program: Program, penalty: float, deadline_s: float) -> Choice:
    """Signatures to begin with."""
    if not model.vast:
        return cheapest(model)
    loose = loosened(model, program).with_columns(_artificial(model, penalty))
    return approach(model, loose, usd_scale(program), deadline_s)


def loosened(model: Model, program: Program) -> Program:
    """Without what gates ask that cost nothing to open: in parts of blocks they open as far as is needed.

    Where nothing is signed behind such a gate its rows can have any price, and mislead.
    """
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    inert = (np.diff(program.starts) == 2) & (program.cost == 0)
    gates = model.signatures.gates
    for node, columns in gates.columns.items():
        free = (columns != NONE) & inert[columns]
        for rows in (gates.low[node][free], gates.high[node][free]):
            lower[rows], upper[rows] = -INFINITE, INFINITE
    return replace(program, row_lower=lower, row_upper=upper)


MOST_PENALTY = 1e5
PENALTY_STEP = 1024.0


def _penalty(model: Model, program: Program) -> float:
    """More than any way to meet a unit of work would cost, as a first guess."""
    cash = np.concatenate([one.ravel() for one in model.signatures.cash.values()])
    return float(max(np.abs(cash).max(initial=1.0), np.abs(program.cost).max(initial=1.0), 1.0))


def _artificial(model: Model, penalty: float) -> Columns:
    """Work out of nothing, at a price that nobody pays if there is another way."""
    rows = _demanding(model)
    count = len(rows)
    return Columns(
        cost=np.full(count, penalty),
        lower=np.zeros(count),
        upper=np.full(count, INFINITE),
        whole=np.zeros(count, dtype=bool),
        starts=np.arange(count + 1),
        rows=rows,
        values=np.ones(count),
    )


def _demanding(model: Model) -> Ints:
    """Rows that ask for at least something."""
    blocks = model.builder.rows.blocks
    wanted = [
        block.index.ravel()
        for name, block in blocks.items()
        if name.split()[0] in ("need", "run", "survival")
    ]
    return np.concatenate([*wanted, np.empty(0, dtype=np.int64)])


def _generate(model: Model, program: Program, choice: Choice, solver: Solver, deadline_s: float) -> Relaxed:
    """Rounds of solving and pricing until no signature would help."""
    fixed = solver.num_columns
    solver.add(make_columns(model, choice))
    if solver.num_columns > MANY_FOR_SIMPLEX:
        solver.set(presolve="on")
    answer, more, reduced = price_out(model, solver, deadline_s, always=program)
    return Relaxed(
        program=program,
        choice=choice.joined(more),
        answer=answer,
        bound=answer.objective_usd + _missed(model, reduced),
        reduced=reduced,
        solver=solver,
        fixed=fixed,
    )


def _missed(model: Model, reduced: dict[int, Numbers]) -> float:
    """What signatures that were not made might still save, if all that is ever needed were signed at each."""
    rate = np.where(model.demand.rate > 0, model.demand.rate, np.inf).min(axis=1)
    amount = np.max([course.amount for course in model.tree.courses], axis=0)
    most = float(np.sum(amount.max(axis=1) / rate)) / model.positions.unit
    return sum(float((np.minimum(score, 0.0) * most[:, None]).sum()) for score in reduced.values())


def price_out(
    model: Model,
    solver: Solver,
    deadline_s: float = INFINITE,
    without: int = NONE,
    always: Program | None = None,
) -> tuple[Answer, Choice, dict[int, Numbers]]:
    """Solve and make the signatures that would help, but none of the offer `without`, until none would.

    Fewer are made where the solver holds the columns of `always` as they are, and so prices can be settled.
    Returns the last answer, what was made, and the reduced costs of all.
    """
    made = Choice.none()
    for number in range(MOST_ROUNDS):
        if number == 1:
            solver.set(simplex_strategy=PRIMAL, presolve="off")
        answer = solver.solve(max(deadline_s - time.monotonic(), 1.0))
        if not answer.complete:
            raise Unsolvable("time ran out before the relaxed portfolio was solved")
        more, reduced = helpful(model, _prices(model, always, answer), answer.objective_usd, without)
        if len(more) and set(keys_of(more)) <= set(keys_of(made)):
            # Settled prices ask again for what is there already; those of the solver do not.
            more, reduced = helpful(model, answer.row_duals, answer.objective_usd, without)
        if set(keys_of(more)) <= set(keys_of(made)):
            break
        solver.add(make_columns(model, more))
        made = made.joined(more)
    else:
        raise Unsolvable("rounds of pricing did not come to an end")
    solver.set(simplex_strategy=DUAL, presolve="off")
    return answer, made, reduced


def _prices(model: Model, always: Program | None, answer: Answer) -> Numbers:
    """Of all rows; settled, if they prove as much as they did."""
    if always is None or len(model.tree.nodes) > 1:
        return answer.row_duals
    duals = settled_duals(model, always, answer)
    proven = dual_usd(always, duals, SMALL_FRAC * usd_scale(always))
    lost = answer.objective_usd - proven
    return duals if lost < SMALL_FRAC * max(abs(answer.objective_usd), 1.0) else answer.row_duals


def _why(model: Model, program: Program, choice: Choice) -> str:
    from gigawatt.contract.conflict import explain_conflict

    return explain_conflict(model, program.with_columns(make_columns(model, choice)))


def keys_of(choice: Choice) -> list[tuple[int, int, int]]:
    """Position, month and node of each, to look them up by."""
    return [
        (int(p), int(t), int(n)) for p, t, n in zip(choice.position, choice.month, choice.node, strict=True)
    ]
