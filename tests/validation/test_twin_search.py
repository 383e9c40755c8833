"""What searches over rehearsals find, against closed forms."""

from __future__ import annotations

from math import sqrt

import pytest
from scipy.stats import binom

from gigawatt.catalog import load_catalog
from gigawatt.domain.hazard import Hazard, Part
from gigawatt.domain.twin import FleetPlan, RecoveryPlan, RepairPlan, RunPlan, Shift, SitePlan, SkillPlan
from gigawatt.errors import InfeasibleError, InputError
from gigawatt.laws.queueing import mmc_wait_s, pipeline_parts, spares_fill_frac
from gigawatt.laws.reliability import daly_interval_s, renewal_ettr_frac, young_interval_s
from gigawatt.operate.rehearse import Inputs
from gigawatt.operate.search import best_checkpoint_interval, extra_nodes, size_spares, size_technicians

ROW = {"name": "made up", "source": "made-up", "basis": "estimate", "date": "2026-11"}
LONG_S, HOUR_S, DAY_S = 3e8, 3600.0, 86400.0


def hazard(**stated: object) -> Hazard:
    return Hazard(
        **{"id": "fault", "component": "host", "scope": "node", "detection_s": 0.0, **ROW, **stated}
    )


def inputs(plan: FleetPlan, *hazards: Hazard, **parts: Part) -> Inputs:
    return Inputs(plan, load_catalog().system("hgx-h100"), hazards, parts, {})


def long_run(num_nodes: int, write_s: float) -> FleetPlan:
    run = RunPlan(
        name="run", num_gpus=8 * num_nodes, work_s=LONG_S, checkpoint_write_s=write_s, restart_s=0.0
    )
    site = SitePlan(num_nodes=num_nodes)
    return FleetPlan(name="one", system="hgx-h100", lasts_s=LONG_S, sites=(site,), runs=(run,))


@pytest.mark.parametrize(("mttf_s", "write_s"), [(2e4, 50.0), (5e3, 250.0), (1e4, 1000.0)])
def test_the_best_checkpoint_interval_is_dalys(mttf_s: float, write_s: float) -> None:
    stops = hazard(events_per_s=1.0 / (mttf_s * 16))
    found = best_checkpoint_interval(inputs(long_run(16, write_s), stops), "run", replications=2)
    daly_s = float(daly_interval_s(write_s, mttf_s))
    assert found.low_s * 0.99 <= daly_s <= found.high_s * 1.01
    assert found.interval_s == pytest.approx(daly_s, rel=0.1)
    at_daly = float(renewal_ettr_frac(1.0 / mttf_s, daly_s, write_s, 0.0, 0.0))
    assert found.ettr_frac == pytest.approx(at_daly, rel=0.005)
    for step in found.curve:
        exact = float(renewal_ettr_frac(1.0 / mttf_s, step.interval_s, write_s, 0.0, 0.0))
        assert step.ettr_frac == pytest.approx(exact, rel=0.01, abs=0.001)


def test_the_best_checkpoint_interval_is_youngs_where_writes_are_short() -> None:
    mttf_s, write_s = 1e4, 2.0
    stops = hazard(events_per_s=1.0 / (mttf_s * 16))
    found = best_checkpoint_interval(inputs(long_run(16, write_s), stops), "run", replications=2)
    assert found.interval_s == pytest.approx(float(young_interval_s(write_s, mttf_s)), rel=0.1)


def workshop(num_nodes: int, *skills: SkillPlan) -> FleetPlan:
    repair = RepairPlan(triage_s=0.0, burn_in_s=0.0, reboot_s=0.0, skills=skills)
    idle = RunPlan(name="nothing", num_gpus=1, work_s=1.0)
    return FleetPlan(
        name="idle",
        system="hgx-h100",
        lasts_s=LONG_S,
        sites=(SitePlan(num_nodes=num_nodes),),
        runs=(idle,),
        repair=repair,
    )


@pytest.mark.parametrize(("pipeline", "fill_frac"), [(1.0, 0.85), (3.7, 0.6), (6.0, 0.97)])
def test_spares_are_those_of_palm(pipeline: float, fill_frac: float) -> None:
    num_nodes, rate = 1000, 1e5 / LONG_S
    module = Part(id="module", lead_time_s=pipeline / rate, **ROW)
    needs = hazard(
        events_per_s=rate / num_nodes, repair_frac=1.0, hands_on_s=0.001, part="module", part_frac=1.0
    )
    found = size_spares(
        inputs(workshop(num_nodes), needs, module=module), "module", fill_frac, replications=1
    )
    on_order = pipeline_parts(rate, module.lead_time_s)
    enough = next(number for number in range(100) if spares_fill_frac(on_order, number) >= fill_frac)
    assert found.num_stock == enough
    assert [step.num_stock for step in found.curve] == sorted({step.num_stock for step in found.curve})
    for step in found.curve:
        assert step.fill_frac == pytest.approx(float(spares_fill_frac(on_order, step.num_stock)), abs=0.01)


@pytest.mark.parametrize(("load", "wait_s"), [(0.6, 1000.0), (2.3, 600.0), (5.5, 3000.0)])
def test_technicians_are_those_of_erlang(load: float, wait_s: float) -> None:
    num_nodes, rate = 2000, 1e5 / LONG_S
    service_s = load / rate
    breaks = hazard(events_per_s=rate / num_nodes, repair_frac=1.0, hands_on_s=service_s)
    plan = workshop(num_nodes, SkillPlan(name="technician", on_duty=1))
    found = size_technicians(inputs(plan, breaks), "technician", wait_s, replications=1)
    least = int(load) + 1
    enough = next(n for n in range(least, 100) if mmc_wait_s(rate, service_s, n) <= wait_s)
    assert found.on_duty == enough


def test_nobody_at_night_is_not_made_good_by_more_in_the_day() -> None:
    shifts = (Shift(begin_s=0.0, on_duty=1), Shift(begin_s=DAY_S, on_duty=0))
    breaks = hazard(events_per_s=1e-8, repair_frac=1.0, hands_on_s=HOUR_S)
    plan = workshop(100, SkillPlan(name="technician", shifts=shifts))
    with pytest.raises(InfeasibleError, match="shifts with nobody"):
        size_technicians(inputs(plan, breaks), "technician", HOUR_S, replications=1)


@pytest.mark.parametrize("kind", ["free", "spares", "hot"])
def test_extra_nodes_are_those_of_the_binomial(kind: str) -> None:
    # Nothing comes back within the time, so the run ends if no more nodes fail by then than there are extra.
    num_nodes, work_s, replications = 40, 30 * DAY_S, 100
    rate = 0.1 / work_s
    breaks = hazard(events_per_s=rate, repair_frac=1.0, hands_on_s=DAY_S)
    run = RunPlan(name="run", num_gpus=8 * num_nodes, work_s=work_s, deadline_s=work_s * 1.001)
    plan = FleetPlan(
        name="dying",
        system="hgx-h100",
        lasts_s=work_s * 1.01,
        sites=(SitePlan(num_nodes=num_nodes),),
        runs=(run.model_copy(update={"checkpoint_interval_s": 1.0}),),
        recovery=RecoveryPlan(restart_s=0.0, swap_s=0.0),
        repair=RepairPlan(triage_s=work_s * 2),
    )
    found = extra_nodes(inputs(plan, breaks), "run", 0.9, kind, replications)
    fails = 1.0 - 2.718281828459045 ** (-rate * work_s)
    for step in found.curve:
        exact = float(binom.cdf(step.num_nodes, num_nodes + step.num_nodes, fails))
        doubt = sqrt(max(exact * (1.0 - exact), 0.01) / replications)
        assert step.on_time_frac == pytest.approx(exact, abs=3.5 * doubt)
    assert found.on_time_frac >= 0.9
    assert found.end_s is not None
    assert found.end_s <= run.deadline_s


def test_what_no_number_of_nodes_can_do_is_said() -> None:
    run = RunPlan(name="run", num_gpus=8, work_s=2 * DAY_S, deadline_s=DAY_S)
    site = SitePlan(num_nodes=2)
    plan = FleetPlan(name="late", system="hgx-h100", lasts_s=3 * DAY_S, sites=(site,), runs=(run,))
    with pytest.raises(InfeasibleError, match="nearest are 0, with 0%"):
        extra_nodes(inputs(plan), "run", replications=2)
    with pytest.raises(InputError, match="there are run"):
        extra_nodes(inputs(plan), "walk")
    with pytest.raises(InputError, match="cost nothing"):
        best_checkpoint_interval(inputs(plan), "run")
