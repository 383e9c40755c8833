"""One replication of a fleet plan: played to its end, its log folded into figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gigawatt import kernels
from gigawatt.domain.fleet import JobTrace
from gigawatt.domain.hardware import System
from gigawatt.domain.hazard import Hazard, Part
from gigawatt.domain.twin import (
    WEEK_S,
    CauseFigures,
    FleetFigures,
    FleetPlan,
    PartFigures,
    RunFigures,
    RunPlan,
    Shift,
    SkillFigures,
    TenantFigures,
    TimelineRow,
)
from gigawatt.operate import world
from gigawatt.operate.jobbook import gangs
from gigawatt.operate.ledger import HOUR_S, Ledger
from gigawatt.operate.tables import Floats, Table
from gigawatt.operate.twin import MOST_ROWS, Twin, new_twin
from gigawatt.operate.twin_kernel import advance, close_books
from gigawatt.units import parse_quantity

MOST_EVENTS = 500_000
"""Events after which whoever waits hears how far things are."""
TIMELINE_BINS = 256
YEAR_S = parse_quantity("1 year", "_s")
MWH_J = parse_quantity("1 MWh", "_j")

Progress = Callable[[float, float], None]
"""Told how many seconds of how many have been played."""
Keep = Callable[[Table], None]
"""Handed each block of the log, which is overwritten afterwards."""


class Inputs(NamedTuple):
    """What a rehearsal is made from, all of it."""

    plan: FleetPlan
    system: System
    hazards: tuple[Hazard, ...]
    parts: Mapping[str, Part]
    traces: Mapping[str, JobTrace]


class Outcome(NamedTuple):
    """One replication."""

    figures: FleetFigures
    timeline: tuple[TimelineRow, ...]


def rehearse(
    inputs: Inputs,
    seed: int,
    progress: Progress = lambda _done, _total: None,
    keep: Keep = lambda _rows: None,
) -> Outcome:
    """Play a plan once, with the luck of a seed. The same seed gives the same figures to the last bit.

    Errors: InputError for a plan that cannot be played (`new_twin` says which).
    """
    plan = inputs.plan.model_copy(update={"lasts_s": world.on_tick(inputs.plan.lasts_s)})
    inputs = inputs._replace(plan=plan)
    each = inputs.system.num_accelerators_per_node
    twin = new_twin(plan, each, inputs.hazards, inputs.parts, inputs.traces, seed)
    tenants = plan.tenant_names
    group = np.asarray(twin.fleet.jobs.tenant)
    ledger = Ledger(group, len(tenants), len(twin.hazards), plan.lasts_s, TIMELINE_BINS)

    def hand_over(rows: Table) -> None:
        ledger.add(rows)
        keep(rows)

    play(twin, hand_over, progress)
    total = int(twin.fleet.pools.total_gpus.sum())
    return Outcome(_figures(inputs, twin, ledger, seed), ledger.timeline(total))


def play(twin: Twin, keep: Keep, progress: Progress = lambda _done, _total: None) -> None:
    """Play a world to its end and close its books; the log goes to `keep` block by block."""
    from gigawatt.handles import Handle

    fleet, behind, lasts_s = Handle(twin.fleet), Handle(twin.world), world.on_tick(twin.plan.lasts_s)
    go_on = kernels.compiled(advance, allocates=False, inline=False)
    while go_on(fleet, behind, twin.policy, lasts_s, MOST_ROWS, MOST_EVENTS):
        _hand_over(twin.world, keep)
        arrived = int(twin.world.counts[world.ARRIVED])
        progress(float(twin.world.work.submit_s[arrived - 1]) if arrived else 0.0, lasts_s)
    close, at = kernels.compiled(close_books, allocates=False, inline=False), 0
    while at >= 0:
        _hand_over(twin.world, keep)
        at = close(fleet, behind, at, MOST_ROWS, lasts_s)
    _hand_over(twin.world, keep)


def _hand_over(behind: world.World, keep: Keep) -> None:
    num = int(behind.counts[world.ROWS])
    if num:
        keep(behind.log[:num])
    behind.counts[world.ROWS] = 0


def _figures(inputs: Inputs, twin: Twin, ledger: Ledger, seed: int) -> FleetFigures:
    plan, work, counts = inputs.plan, twin.world.work, twin.world.counts
    shares = ledger.shares()
    fleet_gpu_h = float(twin.fleet.pools.total_gpus.sum()) * plan.lasts_s / HOUR_S
    again = max(0.0, ledger.waiting_again_gpu_h(_first_waits_gpu_s(twin)))
    out, spare = ledger.out_gpu_h(), ledger.spare_gpu_h()
    energy_j = _energy_j(inputs, ledger, fleet_gpu_h - out)
    causes = _causes(twin, ledger)
    parts, skills = _parts(inputs, twin), _skills(inputs, twin)
    return FleetFigures(
        seed=seed,
        events=int(counts[world.EVENTS]),
        num_jobs=len(work),
        num_done=int(counts[world.FINISHED]),
        too_large=twin.book.too_large,
        num_faults=int(counts[world.FAULTS]),
        num_interruptions=sum(one.num_interruptions for one in causes),
        goodput_frac=_share(shares.useful_gpu_h, shares.held_gpu_h),
        ettr_frac=_share(shares.useful_gpu_h, shares.held_gpu_h + again),
        utilisation_frac=_share(shares.held_gpu_h, fleet_gpu_h),
        fleet_gpu_h=fleet_gpu_h,
        out_gpu_h=out,
        spare_gpu_h=spare,
        idle_gpu_h=fleet_gpu_h - shares.held_gpu_h - out - spare,
        energy_j=energy_j,
        cost_usd=_cost_usd(plan, fleet_gpu_h, energy_j, parts, skills),
        shares=shares,
        tenants=_tenants(plan, twin, ledger),
        runs=_runs(twin),
        causes=causes,
        parts=parts,
        skills=skills,
    )


def _first_waits_gpu_s(twin: Twin) -> float:
    """GPU-seconds that jobs waited for before their first start, or until the end."""
    num = int(twin.world.counts[world.ARRIVED])
    work, each = twin.world.work[:num], int(twin.fleet.pools.gpus_per_node[0])
    gpus = gangs(twin.plan, twin.book, each).num_gpus[:num]
    until_s = np.where(np.isnan(work.first_start_s), twin.plan.lasts_s, work.first_start_s)
    return float(((until_s - work.submit_s) * gpus).sum())


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _energy_j(inputs: Inputs, ledger: Ledger, in_service_gpu_h: float) -> float:
    """Accelerators at work draw what their node does at full load, others in service an idle share of it."""
    node_w = inputs.system.node_power_w
    if node_w is None:
        return 0.0
    each_w = node_w / inputs.system.num_accelerators_per_node
    busy_gpu_s = float(ledger.by_group[:, [world.STARTING, world.RUNNING, world.SAVING]].sum())
    idle_gpu_s = max(0.0, in_service_gpu_h * HOUR_S - busy_gpu_s)
    return each_w * (busy_gpu_s + inputs.plan.prices.idle_power_frac * idle_gpu_s)


def _cost_usd(
    plan: FleetPlan,
    fleet_gpu_h: float,
    energy_j: float,
    parts: Sequence[PartFigures],
    skills: Sequence[SkillFigures],
) -> float:
    machines = fleet_gpu_h * plan.prices.usd_per_gpu_h + energy_j / MWH_J * plan.prices.usd_per_mwh
    return machines + sum(part.cost_usd for part in parts) + sum(skill.cost_usd for skill in skills)


def _tenants(plan: FleetPlan, twin: Twin, ledger: Ledger) -> tuple[TenantFigures, ...]:
    work, tenant = twin.world.work, twin.fleet.jobs.tenant
    found = []
    for number, name in enumerate(plan.tenant_names):
        mine = work[tenant == number]
        waits_s = mine.first_start_s - mine.submit_s
        waits_s = waits_s[~np.isnan(waits_s)]
        found.append(
            TenantFigures(
                tenant=name,
                num_jobs=len(mine),
                num_done=int((mine.state == world.DONE).sum()),
                shares=ledger.shares(number),
                mean_queue_s=float(waits_s.mean()) if len(waits_s) else 0.0,
                p50_queue_s=_percentile(waits_s, 50),
                p90_queue_s=_percentile(waits_s, 90),
            )
        )
    return tuple(found)


def _percentile(values: Floats, percent: int) -> float:
    return float(np.percentile(values, percent)) if len(values) else 0.0


def _runs(twin: Twin) -> tuple[RunFigures, ...]:
    found = []
    for number, kind in enumerate(twin.book.kinds):
        if not isinstance(kind, RunPlan):
            continue
        for count, job in enumerate(np.flatnonzero(twin.book.kind == number)):
            name = kind.name if kind.count == 1 else f"{kind.name}[{count}]"
            found.append(_run(twin, kind, name, twin.world.work[job]))
    return tuple(found)


def _run(twin: Twin, kind: RunPlan, name: str, row: Table) -> RunFigures:
    started, done = not np.isnan(row.first_start_s), row.state == world.DONE
    end_s = float(row.done_s) if done else twin.plan.lasts_s
    passed_s = end_s - float(row.first_start_s) if started else 0.0
    useful_gpu_s = float(row.saved_gpu_s + row.unsaved_gpu_s)
    faults = int(row.num_faults)
    return RunFigures(
        name=name,
        num_gpus=kind.num_gpus,
        submit_s=float(row.submit_s),
        start_s=float(row.first_start_s) if started else None,
        done_s=end_s if done else None,
        deadline_s=kind.deadline_s,
        done_frac=useful_gpu_s / float(row.total_gpu_s),
        num_faults=faults,
        num_starts=int(row.num_starts),
        ettr_frac=useful_gpu_s / kind.num_gpus / passed_s if passed_s else 0.0,
        mean_fault_interval_s=passed_s / faults if faults else None,
    )


def _causes(twin: Twin, ledger: Ledger) -> tuple[CauseFigures, ...]:
    """By hazard, those that did nothing left out; then what was planned."""
    names = [*(hazard.id for hazard in twin.hazards), "", "planned"]
    stalled, saving, faulty = world.STALLED, world.SAVING, world.FAULTY
    found = []
    for number, name in enumerate(names):
        spells = ledger.spells_by_cause[number]
        planned = name == "planned"
        one = CauseFigures(
            hazard=name,
            num_faults=int(spells[faulty]),
            num_interruptions=int(spells[saving if planned else stalled]),
            lost_gpu_h=ledger.lost_gpu_h(number),
            out_gpu_h=ledger.out_gpu_h(number) + (ledger.out_gpu_h(number - 1) if planned else 0.0),
            num_repairs=ledger.num_repairs(number) if name else 0,
            mean_repair_s=ledger.mean_repair_s(number) if name else 0.0,
        )
        if name and (one.num_faults or one.num_interruptions or one.out_gpu_h):
            found.append(one)
    return tuple(found)


def _parts(inputs: Inputs, twin: Twin) -> tuple[PartFigures, ...]:
    found = []
    for number, id in enumerate(twin.parts):
        row, price = twin.world.parts[number], inputs.parts[id].price_usd or 0.0
        if row.num_used:
            found.append(
                PartFigures(
                    part=id,
                    num_stock=inputs.plan.repair.stock.get(id, 0),
                    num_used=int(row.num_used),
                    num_short=int(row.num_short),
                    cost_usd=float(row.num_used * price),
                )
            )
    return tuple(found)


def _skills(inputs: Inputs, twin: Twin) -> tuple[SkillFigures, ...]:
    stated = {skill.name for skill in inputs.plan.repair.skills}
    found = []
    for number, skill in enumerate(twin.skills):
        row = twin.world.skills[number]
        if not row.num_jobs and skill.name not in stated:
            continue
        on_duty = _mean_on_duty(skill.on_duty, skill.shifts)
        is_stated = skill.name in stated
        years, asked = inputs.plan.lasts_s / YEAR_S, int(row.num_jobs + row.num_waiting)
        calls_usd = float(row.num_jobs) * skill.usd_per_call
        found.append(
            SkillFigures(
                skill=skill.name,
                num_jobs=int(row.num_jobs),
                busy_frac=float(row.busy_s) / (on_duty * inputs.plan.lasts_s)
                if on_duty and is_stated
                else 0.0,
                mean_wait_s=float(row.waited_s) / asked if asked else 0.0,
                cost_usd=(on_duty * skill.usd_per_year * years if is_stated else 0.0) + calls_usd,
            )
        )
    return tuple(found)


def _mean_on_duty(on_duty: int | None, shifts: Sequence[Shift]) -> float:
    if on_duty is not None:
        return float(on_duty)
    begins = [shift.begin_s for shift in shifts]
    ends = [*begins[1:], begins[0] + WEEK_S]
    hours = [end - begin for begin, end in zip(begins, ends, strict=True)]
    return sum(n * shift.on_duty for n, shift in zip(hours, shifts, strict=True)) / WEEK_S
