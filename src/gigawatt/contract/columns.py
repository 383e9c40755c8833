"""The relaxed portfolio to its proven optimum, making only the signatures that matter.

Signatures are priced all at once by the duals of those that were made; the most promising are made, until
none would help. What that proves is a bound over every signature, made or not.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.portfolio_model import Model
from gigawatt.contract.program import INFINITE, Columns, Program
from gigawatt.contract.signatures import Choice, make_columns, reduced_costs
from gigawatt.contract.solver import Answer, Solver, Unsolvable
from gigawatt.contract.terms import FAR, NONE
from gigawatt.errors import InfeasibleError

Numbers = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

MOST_ROUNDS = 400
MANY_COLUMNS = 4096
MANY_PER_MONTH = 8
FIRST_PER_MONTH = 12
SMALL_FRAC = 1e-7
DUAL, PRIMAL = 1, 4
MANY_FOR_SIMPLEX = 2**15
CLOSE_FRAC = 1e-5
MUCH = 2.0


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


def _always(model: Model) -> Program:
    base = model.costed(model.program())
    return base.with_columns(make_columns(model, model.signatures.special, special=True))


@dataclass(frozen=True)
class Pinned:
    """What is signed at the root, come what may."""

    choice: Choice
    units: Numbers


def _pin(model: Model, program: Program, pinned: Pinned) -> Program:
    """Signs what is pinned, and nothing else at the root."""
    model.signatures.plain[0][:] = False
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
    return replace(program, lower=lower, upper=upper).with_columns(replace(made, lower=units, upper=units))


def relax(
    model: Model,
    deadline_s: float = INFINITE,
    first: Choice | None = None,
    pinned: Pinned | None = None,
) -> Relaxed:
    """Solve the relaxed portfolio over all signatures, beginning with those in `first`.

    Raises InfeasibleError where nothing meets the roadmap, and Unsolvable where time runs out first.
    """
    program = _always(model)
    if pinned is not None:
        program = _pin(model, program, pinned)
    choice = _first(model) if first is None else first
    penalty = _penalty(model, program)
    while True:
        artificial = _artificial(model, penalty)
        solver = Solver(
            program.with_columns(artificial), usd_scale(program), presolve="off", solver="simplex"
        )
        solver.relax()
        found = _generate(model, program, choice, solver, deadline_s)
        artificials = slice(program.num_columns, program.num_columns + len(artificial.cost))
        short = found.answer.values[artificials]
        if short.max(initial=0.0) <= SMALL_FRAC * max(1.0, float(np.abs(found.answer.values).max())):
            return found
        if penalty > MOST_PENALTY * _penalty(model, program):
            raise InfeasibleError(_why(model, program, found.choice))
        choice, penalty = found.choice, penalty * PENALTY_STEP


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


def _grouped(model: Model, by_site: bool = True) -> Ints:
    """[P] signatures that compete with each other: same pool, same site of limited power."""
    if not by_site:
        return np.where(model.positions.power, NONE - model.positions.site, model.families.pool_index)
    pools = np.where(model.positions.power, NONE, model.families.pool_index)
    return np.asarray(pools * (len(model.roadmap.places) + 1) + model.positions.site)


def _first(model: Model) -> Choice:
    """The cheapest few for each pool and month, by what a delivered month costs within the horizon."""
    months = model.roadmap.months
    positions, month = model.positions, np.arange(model.roadmap.months)
    delivered = np.zeros((len(positions), months))
    for step in range(positions.offsets.shape[1]):
        left = months - np.minimum(month + np.minimum(positions.offsets[:, step, None], FAR), months)
        delivered += positions.shares[:, step, None] * left
    worth = np.maximum(delivered * (positions.unit * positions.delivered)[:, None], SMALL_FRAC)
    found = Choice.none()
    for node, plain in model.signatures.plain.items():
        score = np.where(plain, model.signatures.cash[node] / worth, INFINITE)
        found = found.joined(_best(model, node, score, FIRST_PER_MONTH, MANY_COLUMNS * 4, by_site=False))
    return found


def _best(model: Model, node: int, score: Numbers, each: int, most: int, by_site: bool = True) -> Choice:
    """The lowest scores of each group and month, and of those the lowest overall."""
    group = _grouped(model, by_site)
    picked_p, picked_t = [], []
    for one in np.unique(group):
        members = np.flatnonzero(group == one)
        few = min(each, len(members))
        order = np.argpartition(score[members], few - 1, axis=0)[:few]
        months = np.broadcast_to(np.arange(score.shape[1]), order.shape)
        picked_p.append(members[order].ravel())
        picked_t.append(months.ravel())
    if not picked_p:
        return Choice.none()
    position, month = np.concatenate(picked_p), np.concatenate(picked_t)
    value = score[position, month]
    kept = np.flatnonzero(value < INFINITE)
    kept = kept[np.argsort(value[kept], kind="stable")[:most]]
    return Choice(position[kept], month[kept], np.full(len(kept), node))


def _generate(model: Model, program: Program, choice: Choice, solver: Solver, deadline_s: float) -> Relaxed:
    """Rounds of solving and pricing until no signature would help."""
    fixed = solver.num_columns
    solver.add(make_columns(model, choice))
    if model.compact and solver.num_columns > MANY_FOR_SIMPLEX:
        answer, more, reduced = _approach(model, solver, deadline_s)
        choice = choice.joined(more)
        artificial = _artificial(model, float(solver.cost_of(program.num_columns)))
        whole = program.with_columns(artificial).with_columns(make_columns(model, choice))
        bound = proven_bound(whole, answer) + _missed(model, reduced)
        return Relaxed(program, choice, answer, bound, reduced, solver, fixed)
    if solver.num_columns > MANY_FOR_SIMPLEX:
        solver.set(presolve="on")
    answer, more, reduced = price_out(model, solver, deadline_s)
    choice = choice.joined(more)
    return Relaxed(
        program=program,
        choice=choice,
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


def _approach(model: Model, solver: Solver, deadline_s: float) -> tuple[Answer, Choice, dict[int, Numbers]]:
    """The same rounds by an interior method, until next to nothing is left to be gained.

    At full size it is many times faster than pivoting. Its duals are not quite feasible, which `proven_bound`
    makes up for.
    """
    made = Choice.none()
    solver.set(solver="ipm", run_crossover="off", presolve="on")
    for _ in range(MOST_ROUNDS):
        answer = solver.solve(max(deadline_s - time.monotonic(), 1.0))
        if not answer.complete:
            raise Unsolvable("time ran out before the relaxed portfolio was solved")
        more, missed, reduced = _helpful(model, answer, NONE)
        if missed > -CLOSE_FRAC * abs(answer.objective_usd):
            break
        solver.add(make_columns(model, more))
        made = made.joined(more)
    return answer, made, reduced


def proven_bound(program: Program, answer: Answer) -> float:
    """A bound by weak duality from duals that need not be feasible.

    Duals of the wrong sign count as nothing; where a reduced cost is still negative, its column is taken to
    be as large as any could be.
    """
    duals = np.where(np.isfinite(program.row_lower), answer.row_duals, np.minimum(answer.row_duals, 0.0))
    duals = np.where(np.isfinite(program.row_upper), duals, np.maximum(duals, 0.0))
    reduced = program.priced(duals)
    most = MUCH * float(np.abs(answer.values).max(initial=1.0))
    upper = np.where(np.isfinite(program.upper), program.upper, most)
    lower = np.where(np.isfinite(program.lower), program.lower, -most)
    rows = np.where(duals > 0, program.row_lower, program.row_upper)
    of_rows = float(np.sum(duals[duals != 0] * rows[duals != 0]))
    return of_rows + float(np.sum(np.where(reduced > 0, reduced * lower, reduced * upper)))


def _helpful(model: Model, answer: Answer, without: int) -> tuple[Choice, float, dict[int, Numbers]]:
    """Signatures that would help most, what they might save together, and the reduced costs of all."""
    left_out = model.positions.offer == without
    reduced = {node: reduced_costs(model, node, answer.row_duals) for node in model.signatures.plain}
    least = SMALL_FRAC * max(abs(answer.objective_usd), 1.0) / MANY_COLUMNS
    more, missed = Choice.none(), 0.0
    for node, score in reduced.items():
        score[left_out] = INFINITE
        wanted = np.where(score < -least, score, INFINITE)
        best = _best(model, node, wanted, MANY_PER_MONTH, MANY_COLUMNS)
        missed += float(score[best.position, best.month].sum())
        more = more.joined(best)
    return more, missed, reduced


def price_out(
    model: Model, solver: Solver, deadline_s: float = INFINITE, without: int = NONE
) -> tuple[Answer, Choice, dict[int, Numbers]]:
    """Solve and make the signatures that would help, but none of the offer `without`, until none would.

    Returns the last answer, what was made, and the reduced costs of all.
    """
    made = Choice.none()
    for number in range(MOST_ROUNDS):
        if number == 1:
            solver.set(simplex_strategy=PRIMAL, presolve="off")
        answer = solver.solve(max(deadline_s - time.monotonic(), 1.0))
        if not answer.complete:
            raise Unsolvable("time ran out before the relaxed portfolio was solved")
        more, _, reduced = _helpful(model, answer, without)
        if not len(more):
            break
        solver.add(make_columns(model, more))
        made = made.joined(more)
    solver.set(simplex_strategy=DUAL, presolve="off")
    return answer, made, reduced


def _why(model: Model, program: Program, choice: Choice) -> str:
    from gigawatt.contract.conflict import explain_conflict

    return explain_conflict(model, program.with_columns(make_columns(model, choice)))


def keys_of(choice: Choice) -> list[tuple[int, int, int]]:
    """Position, month and node of each, to look them up by."""
    return [
        (int(p), int(t), int(n)) for p, t, n in zip(choice.position, choice.month, choice.node, strict=True)
    ]
