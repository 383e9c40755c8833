"""The act: from a roadmap to a portfolio with its proof and its audit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.answers import answered, options_of
from gigawatt.contract.audit import PlanLists, audit_plan
from gigawatt.contract.blocks import Plan, plan_blocks
from gigawatt.contract.dates import date_assumptions, priced
from gigawatt.contract.decompose import plan_by_futures, stand_ins_of, worth_decomposing
from gigawatt.contract.demand import demand_of
from gigawatt.contract.families import Pool
from gigawatt.contract.futures import Tree, tree_of
from gigawatt.contract.payments import everything_signed
from gigawatt.contract.portfolio_model import Model, build_model
from gigawatt.contract.prices import binding_prices
from gigawatt.contract.signatures import cash_of
from gigawatt.contract.solver import Unsolvable, unsolved
from gigawatt.contract.stand_ins import StandIns
from gigawatt.contract.terms import NONE
from gigawatt.domain.dates import PortfolioDates
from gigawatt.domain.portfolio import Roadmap, month_index, month_text
from gigawatt.domain.portfolio_plan import (
    Certificate,
    Portfolio,
    Signed,
    Taken,
    Unmet,
    Used,
    Waiting,
)
from gigawatt.errors import InfeasibleError, InputError

Numbers = NDArray[np.float64]
Progress = Callable[[int, int, str], None]
LEAST_SHOWN = 1e-6
ANSWERS = (
    "worth", "waiting_usd", "strategies", "risk", "flips", "joint_flips", "joint_flips_left", "break_evens",
    "remarks",
)  # fmt: skip
MANY_ROWS_ASKED = 12_000
"""Of the futures of which further questions are asked: each is many programs."""


@dataclass
class Clock:
    """Seconds that building and solving took; told by whoever has a clock, and kept out of artefacts."""

    build_s: float = 0.0
    solve_s: float = 0.0


@dataclass
class Solved:
    """A plan and the program behind it, for further questions."""

    roadmap: Roadmap
    model: Model
    plan: Plan
    clock: Clock = field(default_factory=Clock)
    stand_ins: StandIns | None = None
    """Futures of which further questions are asked, where all of them are too many for that."""


def solve_portfolio(
    roadmap: Roadmap, progress: Progress = lambda _d, _t, _l: None, tree: Tree | None = None
) -> Solved:
    """Build and solve. Raises InputError for work outside the horizon, InfeasibleError where nothing meets
    it.
    """
    _refuse_outside(roadmap)
    _refuse_undated(roadmap)
    begun = time.monotonic()
    progress(0, 2, "building")
    known = tree or tree_of(roadmap, demand_of(roadmap))
    if worth_decomposing(roadmap, known):
        return _solve_by_futures(roadmap, known, begun, progress)
    return _solve_at_once(roadmap, known, begun, progress)


def _solve_at_once(roadmap: Roadmap, tree: Tree, begun: float, progress: Progress) -> Solved:
    """All futures as one program."""
    model = build_model(roadmap, tree)
    built = time.monotonic()
    progress(1, 2, "solving")
    try:
        plan = plan_blocks(model, roadmap.solving.gap_frac, begun + roadmap.solving.time_limit_s)
    except Unsolvable as reason:
        raise unsolved(reason) from None
    return Solved(roadmap, plan.model, plan, Clock(built - begun, time.monotonic() - built))


def _solve_by_futures(roadmap: Roadmap, tree: Tree, begun: float, progress: Progress) -> Solved:
    """All futures, one by one."""
    built = time.monotonic()
    try:
        plan = plan_by_futures(roadmap, tree, begun + roadmap.solving.time_limit_s, progress)
    except Unsolvable as reason:
        raise unsolved(reason) from None
    clock = Clock(built - begun, time.monotonic() - built)
    return Solved(roadmap, plan.model, plan, clock, stand_ins_of(roadmap, tree, MANY_ROWS_ASKED))


def _refuse_outside(roadmap: Roadmap) -> None:
    begin = month_index(roadmap.start)
    outside = [
        f"run {run.id}: its window {run.start} to {run.deadline} lies outside the horizon, "
        f"{roadmap.start} to {month_text(begin + roadmap.months - 1)}"
        for run in roadmap.training
        if month_index(run.deadline) < begin or month_index(run.start) >= begin + roadmap.months
    ]
    if outside:
        raise InputError("; ".join(outside))


def _refuse_undated(roadmap: Roadmap) -> None:
    if names := ", ".join(one.id for one in roadmap.undated):
        raise InputError(
            f"dates of {names} are not drawn yet: `gigawatt.contract.schedule_futures.date_roadmap`"
        )


def portfolio_of(solved: Solved) -> Portfolio:
    """The plan as records, with certificate and audit."""
    roadmap, plan = solved.roadmap, solved.plan
    lists = plan_lists(plan)
    return Portfolio(
        title=roadmap.title,
        currency=roadmap.currency,
        price_year=roadmap.price_year,
        start=roadmap.start,
        months=roadmap.months,
        certificate=certificate_of(plan),
        audit=audit_plan(roadmap, lists, plan.objective_usd),
        signed=tuple(lists.signed),
        used=tuple(lists.used),
        taken=tuple(lists.taken),
        waiting=tuple(lists.waiting),
        unmet=tuple(lists.unmet),
        assumptions=tuple(_assumptions(roadmap)),
    )


def _assumptions(roadmap: Roadmap) -> Iterator[str]:
    yield f"prices are US dollars of {roadmap.price_year}, discounted at {roadmap.discount_frac:.2%} a year"
    yield "payments and capacity after the last month are left out on both sides; hardware is sold then"
    if any(one.survive_frac for one in roadmap.work):
        yield "the loss of a provider is looked at in reference accelerators, not work by work"
    if roadmap.futures:
        yield "the chances of the futures are the scenario's own judgement"


def certificate_of(plan: Plan) -> Certificate:
    """What is proven."""
    model = plan.model
    entries = model.positions.entries
    loose = {
        model.roadmap.offers[one.offer].id
        for one, whole in zip(entries, model.signatures.whole, strict=True)
        if one.whole and not whole and one.unit > 1
    }
    plain = sum(int(one.sum()) for one in model.signatures.plain.values())
    return Certificate(
        objective_usd=plan.objective_usd,
        bound_usd=plan.bound,
        gap_frac=plan.gap_frac,
        complete=plan.complete,
        num_columns=plain + len(model.signatures.special),
        num_made=len(plan.relaxed.choice) + len(model.signatures.special),
        num_rows=plan.model.builder.rows.count,
        relaxed_blocks=tuple(sorted(loose)),
        binding=binding_prices(plan),
    )


def plan_lists(plan: Plan) -> PlanLists:
    """The plan as rows, for people and for the audit."""
    return PlanLists(
        signed=tuple(_signed(plan)),
        used=tuple(_used(plan)),
        taken=tuple(_taken(plan)),
        waiting=tuple(_waiting(plan)),
        unmet=tuple(_unmet(plan)),
    )


def _futures(model: Model, node: int) -> tuple[str, ...]:
    return tuple(model.tree.courses[n].id for n in model.tree.nodes[node].futures)


def _signed(plan: Plan) -> Iterator[Signed]:
    model = plan.model
    everything, units = everything_signed(plan)
    shown = np.flatnonzero(units > LEAST_SHOWN)
    cash = cash_of(model, everything)
    order = sorted(shown, key=lambda n: (int(everything.month[n]), int(everything.position[n])))
    for n in order:
        one = model.positions.entries[int(everything.position[n])]
        roadmap, month = model.roadmap, int(everything.month[n])
        offer = roadmap.signable[one.offer]
        count = _rounded(float(units[n]), bool(model.signatures.whole[everything.position[n]]))
        yield Signed(
            offer=offer.id,
            provider=one.provider,
            form=offer.form,
            kind="" if one.power else roadmap.chips[one.kind].id,
            site=roadmap.places[one.site].id,
            right=one.label,
            month=model.month(month),
            decided=model.month(month + one.decide),
            num_accelerators=0.0 if one.power else count * one.unit,
            power_w=count * roadmap.power[one.offer - len(roadmap.offers)].block_w if one.power else 0.0,
            present_usd=float(cash[n] * count),
            futures=_futures(model, int(everything.node[n])),
        )


def _rounded(units: float, whole: bool) -> float:
    return float(round(units)) if whole else units


def _pool_words(model: Model, pool: Pool) -> dict[str, object]:
    return {
        "kind": model.roadmap.chips[pool.kind].id,
        "interruptible": pool.interruptible,
        "single_tenant": pool.single_tenant,
        "confidential": pool.confidential,
        "region": pool.region,
        "site": model.roadmap.places[pool.site].id if pool.site != NONE else "",
    }


def _used(plan: Plan) -> Iterator[Used]:
    model = plan.model
    for node in model.tree.nodes:
        index = model.work[node.number]
        value = np.where(index >= 0, plan.values[index], 0.0)
        for pool, k, month in zip(*np.nonzero(value > LEAST_SHOWN), strict=True):
            yield Used(
                work=model.demand.work[k].id,
                month=model.month(node.begin + int(month)),
                num_accelerators=float(value[pool, k, month]),
                futures=_futures(model, node.number),
                **_pool_words(model, model.families.pools[pool]),  # type: ignore[arg-type]
            )


def _taken(plan: Plan) -> Iterator[Taken]:
    model, blocks = plan.model, plan.model.builder.columns.blocks
    for node in model.tree.nodes:
        for position in model.families.taken:
            tag = f"{node.number} {position}"
            used = plan.values[blocks[f"used {tag}"].index]
            extra = plan.values[blocks[f"extra {tag}"].index]
            one = model.positions.entries[position]
            for month in np.flatnonzero(np.maximum(used, extra) > LEAST_SHOWN):
                yield Taken(
                    offer=model.roadmap.offers[one.offer].id,
                    right=one.label,
                    kind=model.roadmap.chips[one.kind].id,
                    site=model.roadmap.places[one.site].id,
                    month=model.month(node.begin + int(month)),
                    num_used=float(used[month]),
                    num_paid_extra=float(extra[month]),
                    futures=_futures(model, node.number),
                )


def _waiting(plan: Plan) -> Iterator[Waiting]:
    model = plan.model
    for node, index in model.idle.items():
        value = plan.values[index]
        for site, kind, month in zip(*np.nonzero(value > LEAST_SHOWN), strict=True):
            yield Waiting(
                site=model.roadmap.places[model.families.limited_sites[site]].id,
                kind=model.roadmap.chips[kind].id,
                month=model.month(model.tree.nodes[node].begin + int(month)),
                num_accelerators=float(value[site, kind, month]),
                futures=_futures(model, node),
            )


def _unmet(plan: Plan) -> Iterator[Unmet]:
    model = plan.model
    for node in model.tree.nodes:
        index = model.unmet[node.number]
        value = np.where(index >= 0, plan.values[index], 0.0)
        for k, month in zip(*np.nonzero(value > LEAST_SHOWN), strict=True):
            yield Unmet(
                work=model.demand.work[k].id,
                month=model.month(node.begin + int(month)),
                num_units=float(value[k, month]),
                futures=_futures(model, node.number),
            )
    runs = np.flatnonzero(model.demand.windowed)
    for number, k in enumerate(runs):
        for course, one in enumerate(model.tree.courses):
            column = int(model.undone[number, course])
            if column >= 0 and plan.values[column] > LEAST_SHOWN:
                yield Unmet(
                    work=model.demand.work[k].id,
                    month=model.month(int(model.demand.last[k])),
                    num_units=float(plan.values[column]),
                    futures=(one.id,),
                )


def plan_portfolio(
    roadmap: Roadmap,
    questions: bool = True,
    progress: Progress = lambda _d, _t, _l: None,
    dates: PortfolioDates | None = None,
) -> tuple[Portfolio, Clock]:
    """What to own, rent and sign, and when, with its proof; and, with `questions`, what every offer is worth,
    what waiting costs, and what would change the answer. `dates` are those behind the roadmap's futures.

    Raises InfeasibleError where no portfolio meets the roadmap, with what cannot hold together.
    """
    solved = solve_portfolio(roadmap, progress)
    found = portfolio_of(solved)
    told = (*found.assumptions, *date_assumptions(roadmap, dates))
    proof = found.certificate
    gap_usd = max(0.0, proof.objective_usd - proof.bound_usd)
    known = priced(dates, found.audit.futures, gap_usd) if dates else None
    found = found.model_copy(update={"dates": known, "assumptions": told})
    if questions and solved.stand_ins is None:
        found = answered(roadmap, solved.plan, found, progress)
    elif questions and solved.stand_ins is not None:
        found = _answered_by_few(roadmap, solved.stand_ins, found, progress)
    return found, solved.clock


def _answered_by_few(
    roadmap: Roadmap, stand_ins: StandIns, found: Portfolio, progress: Progress
) -> Portfolio:
    """Further questions, asked of a plan for the futures that stand for all; where there is none in time, the
    plan for all stays as it is and says so.
    """
    fewer = stand_ins.roadmap(roadmap)
    told = f"{len(fewer.futures)} futures that stand for all {len(roadmap.futures)}"
    options = tuple(options_of(roadmap, found))
    try:
        tree = tree_of(fewer, demand_of(fewer))
        few = _solve_at_once(fewer, tree, time.monotonic(), progress)
        asked = portfolio_of(few).model_copy(update={"dates": found.dates})
        other = answered(fewer, few.plan, asked, progress)
    except InfeasibleError as reason:
        told = f"nothing further is answered: of {told} no plan was found ({reason})"
        return found.model_copy(update={"options": options, "assumptions": (*found.assumptions, told)})
    kept: dict[str, object] = {name: getattr(other, name) for name in ANSWERS}
    told = f"worth, flips, risk and regret are those of {told}"
    return found.model_copy(update={**kept, "options": options, "assumptions": (*found.assumptions, told)})
