"""Searches over rehearsals: the checkpoint interval, parts, people and nodes that are enough.

Every candidate meets the same luck (a fault is drawn for a machine, not for a plan), so that two of them
differ by what was changed and hardly by chance. What is enough is found by doubling and bisection, for more
never does harm on the whole; the best interval by golden sections, for the loss has one valley.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, exp, inf, isfinite, log, sqrt
from statistics import fmean
from typing import TypeVar

from gigawatt.domain.record import Record
from gigawatt.domain.sizing import (
    ExtraAnswer,
    ExtraKind,
    ExtraStep,
    HandsAnswer,
    HandsStep,
    IntervalAnswer,
    IntervalStep,
    StockAnswer,
    StockStep,
)
from gigawatt.domain.twin import FleetFigures, FleetPlan, RunFigures, RunPlan, SkillPlan
from gigawatt.errors import InfeasibleError, InputError
from gigawatt.operate.rehearse import Inputs
from gigawatt.operate.replications import rehearse_many

GOLDEN = (sqrt(5.0) - 1.0) / 2.0
NARROW_RATIO = 1.0 + 1.0 / 32
"""Ends of a bracket over each other, below which the best interval is known well enough."""
FLAT_FRAC = 2.0**-10
"""Of the best, what counts as hardly less."""

StepT = TypeVar("StepT", bound=Record)


def best_checkpoint_interval(inputs: Inputs, run: str, replications: int = 4) -> IntervalAnswer:
    """How often a run should write checkpoints so that most of its time is productive.

    Errors: InputError for a run that the plan has not, or whose checkpoints cost nothing.
    """
    kind = _run_plan(inputs.plan, run)
    if kind.checkpoint_write_s <= 0.0:
        raise InputError(
            f"{run}: its checkpoints cost nothing (checkpoint_write_s), so that none is too many"
        )
    tried: dict[float, float] = {}

    def ettr_frac(log_s: float) -> float:
        interval_s = exp(log_s)
        plan = _with_run(inputs.plan, kind, checkpoint_interval_s=interval_s)
        found = _rehearsed(inputs, plan, replications)
        tried[interval_s] = fmean(run.ettr_frac for one in found for run in _alike(one, kind))
        return tried[interval_s]

    _climb(ettr_frac, log(kind.checkpoint_write_s), log(min(kind.work_s, inputs.plan.lasts_s)))
    curve = tuple(IntervalStep(interval_s=at, ettr_frac=tried[at]) for at in sorted(tried))
    best = max(curve, key=lambda step: step.ettr_frac)
    flat = [step.interval_s for step in curve if step.ettr_frac >= best.ettr_frac * (1.0 - FLAT_FRAC)]
    return IntervalAnswer(
        run=run,
        interval_s=best.interval_s,
        low_s=min(flat),
        high_s=max(flat),
        ettr_frac=best.ettr_frac,
        curve=curve,
    )


def _climb(value: Callable[[float], float], low: float, high: float) -> None:
    """Try values around the top of a hill, until it is known to `NARROW_RATIO`; where equal, further left."""
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = value(left), value(right)
    while high - low > log(NARROW_RATIO):
        if at_left >= at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = value(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = value(right)


def size_spares(inputs: Inputs, part: str, fill_frac: float, replications: int = 4) -> StockAnswer:
    """How many of a part on the shelf let so large a share of demands find one.

    Errors: InputError for a part that nobody knows, or a share that is none.
    """
    if part not in inputs.parts:
        raise InputError(f"no part {part!r} is known; there are {', '.join(inputs.parts)}")
    if not 0.0 < fill_frac <= 1.0:
        raise InputError(f"fill_frac: expected more than 0 and at most 1, found {fill_frac:g}")

    def attempt(number: int) -> StockStep:
        repair = inputs.plan.repair
        stock = repair.model_copy(update={"stock": {**repair.stock, part: number}})
        found = _rehearsed(inputs, inputs.plan.model_copy(update={"repair": stock}), replications)
        rows = [row for one in found for row in one.parts if row.part == part]
        used, short = sum(row.num_used for row in rows), sum(row.num_short for row in rows)
        return StockStep(num_stock=number, fill_frac=1.0 - short / used if used else 1.0)

    most = sum(site.num_nodes for site in inputs.plan.sites)
    best, curve = _enough(attempt, lambda step: step.fill_frac >= fill_frac, most)
    if best is None:
        raise InfeasibleError(f"{part}: even {most:,} on the shelf fill {curve[-1].fill_frac:.1%} of demands")
    return StockAnswer(part=part, num_stock=best.num_stock, fill_frac=best.fill_frac, curve=curve)


def size_technicians(inputs: Inputs, skill: str, wait_s: float, replications: int = 4) -> HandsAnswer:
    """How many people on duty let machines wait no longer than this for them, on average.

    Shifts stay where they are; those with nobody stay empty. Errors: InputError for a skill that the plan has
    not, InfeasibleError where no number is enough (nobody at night, say).
    """
    stated = {one.name: one for one in inputs.plan.repair.skills}
    if skill not in stated:
        raise InputError(
            f"repair.skills: no skill {skill!r} is stated; there are {', '.join(stated) or 'none'}"
        )

    def attempt(number: int) -> HandsStep:
        repair = inputs.plan.repair
        others = {**stated, skill: _staffed(stated[skill], number)}
        staffed = repair.model_copy(update={"skills": tuple(others.values())})
        found = _rehearsed(inputs, inputs.plan.model_copy(update={"repair": staffed}), replications)
        rows = [row for one in found for row in one.skills if row.skill == skill]
        jobs = sum(row.num_jobs for row in rows)
        waited_s = sum(row.mean_wait_s * row.num_jobs for row in rows)
        return HandsStep(on_duty=number, mean_wait_s=waited_s / jobs if jobs else 0.0)

    most = sum(site.num_nodes for site in inputs.plan.sites)
    best, curve = _enough(attempt, lambda step: step.mean_wait_s <= wait_s, most, least=1)
    if best is None:
        raise InfeasibleError(
            f"{skill}: {most:,} on duty still keep machines waiting {curve[-1].mean_wait_s:,.0f} s; "
            "shifts with nobody, say, are not made shorter by more people in the others"
        )
    return HandsAnswer(skill=skill, on_duty=best.on_duty, mean_wait_s=best.mean_wait_s, curve=curve)


def _staffed(skill: SkillPlan, number: int) -> SkillPlan:
    if not skill.shifts:
        return skill.model_copy(update={"on_duty": number})
    shifts = tuple(one.model_copy(update={"on_duty": number}) if one.on_duty else one for one in skill.shifts)
    return skill.model_copy(update={"shifts": shifts})


def extra_nodes(
    inputs: Inputs, run: str, on_time_frac: float = 0.9, kind: ExtraKind = "free", replications: int = 20
) -> ExtraAnswer:
    """How many more nodes its site needs so that a run meets its deadline in so large a share of futures.

    Errors: InputError for a run that the plan has not or that has no deadline within what is rehearsed,
    InfeasibleError where twice the site is not enough: the work itself takes longer, say.
    """
    wanted = _run_plan(inputs.plan, run)
    deadline_s = wanted.deadline_s
    if not 0.0 < on_time_frac <= 1.0:
        raise InputError(f"on_time_frac: expected more than 0 and at most 1, found {on_time_frac:g}")
    if deadline_s is None or deadline_s > inputs.plan.lasts_s:
        raise InputError(f"{run}: expected a deadline_s within lasts_s ({inputs.plan.lasts_s:,.0f} s)")

    def attempt(number: int) -> ExtraStep:
        found = _rehearsed(inputs, _with_nodes(inputs.plan, wanted, kind, number), replications)
        ends_s = sorted(_end_s(one, wanted) for one in found)
        end_s = ends_s[ceil(on_time_frac * len(ends_s)) - 1]
        met = sum(one <= deadline_s for one in ends_s)
        return ExtraStep(
            num_nodes=number,
            on_time_frac=met / len(ends_s),
            end_s=end_s if isfinite(end_s) else None,
        )

    most = _site_nodes(inputs.plan, wanted)
    best, curve = _enough(attempt, lambda step: step.on_time_frac >= on_time_frac, most)
    if best is None:
        nearest = max(curve, key=lambda step: step.on_time_frac)
        raise InfeasibleError(
            f"{run}: up to {most:,} more nodes ({kind}) do not let it meet its deadline in "
            f"{on_time_frac:.0%} of futures; nearest are {nearest.num_nodes:,}, "
            f"with {nearest.on_time_frac:.0%}"
        )
    return ExtraAnswer(
        run=run,
        kind=kind,
        num_nodes=best.num_nodes,
        on_time_frac=best.on_time_frac,
        end_s=best.end_s,
        curve=curve,
    )


def _enough(
    attempt: Callable[[int], StepT], does: Callable[[StepT], bool], most: int, least: int = 0
) -> tuple[StepT | None, tuple[StepT, ...]]:
    """The least number that does, None where `most` does not; and all that was tried, by number."""
    tried = {least: attempt(least)}
    low, high = least, least
    while not does(tried[high]) and high < most:
        low, high = high, min(most, max(1, 2 * high))
        tried[high] = attempt(high)
    while does(tried[high]) and high - low > 1:
        middle = (low + high) // 2
        tried[middle] = attempt(middle)
        low, high = (low, middle) if does(tried[middle]) else (middle, high)
    best = tried[high] if does(tried[high]) else None
    return best, tuple(tried[number] for number in sorted(tried))


def _rehearsed(inputs: Inputs, plan: FleetPlan, replications: int) -> tuple[FleetFigures, ...]:
    return rehearse_many(inputs._replace(plan=plan), replications).replications


def _run_plan(plan: FleetPlan, run: str) -> RunPlan:
    names = {one.name: one for one in plan.runs}
    if run not in names:
        raise InputError(f"runs: no run {run!r} is stated; there are {', '.join(names) or 'none'}")
    return names[run]


def _alike(figures: FleetFigures, run: RunPlan) -> list[RunFigures]:
    """The run, or all of an array."""
    names = {run.name, *(f"{run.name}[{number}]" for number in range(run.count))}
    return [one for one in figures.runs if one.name in names]


def _end_s(figures: FleetFigures, run: RunPlan) -> float:
    """When all of it was done; infinity where it was not."""
    return max(inf if one.done_s is None else one.done_s for one in _alike(figures, run))


def _with_run(plan: FleetPlan, run: RunPlan, **changed: object) -> FleetPlan:
    runs = tuple(one.model_copy(update=changed) if one.name == run.name else one for one in plan.runs)
    return plan.model_copy(update={"runs": runs})


def _site_nodes(plan: FleetPlan, run: RunPlan) -> int:
    return next(one.num_nodes for one in plan.sites if run.site in (None, one.name))


def _with_nodes(plan: FleetPlan, run: RunPlan, kind: ExtraKind, number: int) -> FleetPlan:
    """The run's site with so many more nodes, of that kind."""
    home = next(one for one in plan.sites if run.site in (None, one.name))
    spares = home.num_spares + (number if kind == "spares" else 0)
    larger = home.model_copy(update={"num_nodes": home.num_nodes + number, "num_spares": spares})
    sites = tuple(larger if one.name == home.name else one for one in plan.sites)
    grown = plan.model_copy(update={"sites": sites})
    return _with_run(grown, run, num_hot_nodes=run.num_hot_nodes + number) if kind == "hot" else grown
