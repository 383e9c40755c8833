"""A portfolio in whole blocks, proven by the bound of the relaxed one.

A signature whose reduced cost exceeds what is still to be gained can be left out of the search without losing
the proof.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.columns import Relaxed, keys_of, relax, usd_scale
from gigawatt.contract.dive import dive
from gigawatt.contract.idle_fees import without_idle_fees
from gigawatt.contract.portfolio_model import Model
from gigawatt.contract.pricing import SMALL_FRAC, score_of
from gigawatt.contract.signatures import Choice, make_columns
from gigawatt.contract.solver import Solver, Unsolvable
from gigawatt.errors import InfeasibleError

Numbers = NDArray[np.float64]

MANY_LIKELY = 4096


@dataclass
class Plan:
    """A portfolio in whole blocks, with its proof."""

    model: Model
    values: Numbers
    """Of the columns that are always there."""
    signed: Choice
    units: Numbers
    objective_usd: float
    bound: float
    relaxed: Relaxed
    complete: bool
    duals: Numbers | None = None
    """Prices of the model's rows, where they are not those of `relaxed`."""

    @property
    def row_duals(self) -> Numbers:
        """Prices of the model's rows."""
        return self.relaxed.answer.row_duals if self.duals is None else self.duals

    @property
    def gap_frac(self) -> float:
        """Between plan and bound, over the plan."""
        return max(0.0, self.objective_usd - self.bound) / max(abs(self.objective_usd), 1.0)


def plan_blocks(
    model: Model,
    gap_frac: float,
    deadline_s: float,
    relaxed: Relaxed | None = None,
    patient: bool = True,
) -> Plan:
    """The best portfolio in whole blocks within a gap, and what proves it.

    First among the signatures that the relaxed optimum uses or nearly uses; where that is not proven good
    enough by the relaxed bound, among all that could be in a better plan, wider and wider; whoever is not
    patient takes the first plan that there is.
    """
    relaxed = relaxed or relax(model, deadline_s)
    likely = _likely(model, relaxed)
    plan = _rounded_plan(model, relaxed, likely, deadline_s)
    if plan is None or plan.gap_frac > gap_frac:
        nodes = MOST_NODES if patient else FEW_NODES
        sought = _whole_plan(model, relaxed, likely, gap_frac, deadline_s, nodes, plan)
        plan = _better(plan, sought)
    reach = REACH * gap_frac * abs(relaxed.bound)
    while plan is None or (patient and plan.gap_frac > gap_frac and time.monotonic() < deadline_s):
        choice, everything = _within(model, relaxed, reach)
        better = _whole_plan(model, relaxed, choice, gap_frac, deadline_s, start=plan)
        if better is None:
            if time.monotonic() >= deadline_s:
                break
            if everything:
                raise InfeasibleError(WHOLE_BLOCKS)
            reach *= WIDER
            continue
        proven = better.bound if everything else min(better.bound, relaxed.bound + reach)
        better.bound = min(max(relaxed.bound, proven), better.objective_usd)
        if plan is not None and plan.objective_usd < better.objective_usd:
            better = replace(plan, bound=min(better.bound, plan.objective_usd), complete=better.complete)
        plan = better
        if everything or not plan.complete:
            break
        reach *= WIDER
    if plan is None:
        raise InfeasibleError(OUT_OF_TIME.format(bound=relaxed.bound))
    plan.complete = plan.complete or plan.gap_frac <= gap_frac
    return plan


OUT_OF_TIME = (
    "time ran out before a plan in whole blocks was found; none costs less than {bound:,.0f} USD: give more "
    "solving.time_limit_s, or set whole_blocks to false where blocks do not matter"
)


def _better(one: Plan | None, other: Plan | None) -> Plan | None:
    """The cheaper of two plans."""
    if one is None or other is None:
        return one or other
    return other if other.objective_usd <= one.objective_usd else one


def _rounded_plan(model: Model, relaxed: Relaxed, choice: Choice, deadline_s: float) -> Plan | None:
    """The relaxed optimum, rounded bit by bit."""
    program = relaxed.program.with_columns(make_columns(model, choice))
    answer = dive(model, program, usd_scale(program), deadline_s)
    if answer is None:
        return None
    answer = without_idle_fees(model, program, answer, usd_scale(program), deadline_s)
    count = relaxed.program.num_columns
    bound = min(relaxed.bound, answer.objective_usd)
    return Plan(
        model,
        answer.values[:count],
        choice,
        answer.values[count:],
        answer.objective_usd,
        bound,
        relaxed,
        False,
    )


REACH = 1.5
WIDER = 4.0
LIKELY_FRAC = 2e-7
LIKELY_SMALL_FRAC = 1e-5
MOST_NODES = 2000
FEW_NODES = 50
WHOLE_BLOCKS = (
    "roadmap binds: it could be met with parts of blocks, but not with whole ones; make block_accelerators "
    "or least_accelerators of some offer smaller, or give work a price for what is left undone"
)


def _likely(model: Model, relaxed: Relaxed) -> Choice:
    """Signatures that the relaxed optimum uses, or could use at next to no cost."""
    chosen = relaxed.answer.values[relaxed.fixed :] > SMALL_FRAC
    reduced = score_of(relaxed.reduced, relaxed.choice)
    whole = model.signatures.whole[relaxed.choice.position]
    worth = abs(relaxed.bound)
    near = reduced < np.where(whole, LIKELY_FRAC, LIKELY_SMALL_FRAC) * worth
    found = np.flatnonzero(chosen | near)
    order = np.lexsort((reduced[found], ~chosen[found]))
    return relaxed.choice.taken(np.sort(found[order[:MANY_LIKELY]]))


def _whole_plan(
    model: Model,
    relaxed: Relaxed,
    choice: Choice,
    gap_frac: float,
    deadline_s: float,
    nodes: int = 0,
    start: Plan | None = None,
) -> Plan | None:
    """Search among some signatures, with `nodes` no further than so many; None where there is no plan."""
    program = relaxed.program.with_columns(make_columns(model, choice))
    solver = Solver(program, usd_scale(program), mip_rel_gap=0.9 * gap_frac)
    left = max(deadline_s - time.monotonic(), 1.0)
    if nodes:
        target = relaxed.bound + 0.9 * gap_frac * abs(relaxed.bound)
        solver.set(objective_target=target / solver.scale, mip_max_nodes=nodes)
        left /= 3
    if start is not None:
        solver.start_from(_as_values(start, choice, program.num_columns))
    if start is not None and not nodes:
        solver.set(mip_heuristic_effort=0.0, mip_heuristic_run_rins=False, mip_heuristic_run_rens=False)
    try:
        answer = solver.solve(left)
    except Unsolvable:
        return None
    if not answer.found:
        return None
    answer = without_idle_fees(model, program, answer, solver.scale, deadline_s)
    count = relaxed.program.num_columns
    return Plan(
        model=model,
        values=answer.values[:count],
        signed=choice,
        units=answer.values[count:],
        objective_usd=answer.objective_usd,
        bound=min(relaxed.bound if nodes else answer.bound, answer.objective_usd),
        relaxed=relaxed,
        complete=answer.complete,
    )


def _as_values(plan: Plan, choice: Choice, count: int) -> Numbers:
    """A plan as values of a program that holds these signatures; those that it lacks are left out."""
    values = np.zeros(count)
    fixed = len(plan.values)
    values[:fixed] = plan.values
    place = {key: n for n, key in enumerate(keys_of(choice))}
    for key, units in zip(keys_of(plan.signed), plan.units, strict=True):
        if units and key in place:
            values[fixed + place[key]] = units
    return values


def _within(model: Model, relaxed: Relaxed, reach: float) -> tuple[Choice, bool]:
    """Signatures that may be in a plan within reach of the bound, and whether that is all there are.

    A whole unit beyond reach costs more than is to be gained; a part of one may not, so that signatures
    that are not counted in whole units all stay in.
    """
    found, everything = Choice.none(), True
    for node, score in relaxed.reduced.items():
        near = np.isfinite(score) & ((score <= reach) | ~model.signatures.whole[:, None])
        position, month = np.nonzero(near)
        found = found.joined(Choice(position, month, np.full(len(position), node)))
        everything &= bool((near == np.isfinite(score)).all())
    return found, everything
