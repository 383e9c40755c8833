"""What a rehearsal counts, against what can be counted by hand or follows from the rates alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gigawatt.catalog import load_catalog
from gigawatt.domain.hazard import Hazard
from gigawatt.domain.twin import (
    FleetFigures,
    FleetPlan,
    MaintenancePlan,
    PolicyPlan,
    RepairPlan,
    RunPlan,
    SitePlan,
    SkillPlan,
)
from gigawatt.operate.checkpoints import planned_mttf_s
from gigawatt.operate.jobbook import job_book
from gigawatt.operate.rehearse import Inputs, rehearse

DAY_S = 86400.0
ROW = {"name": "made up", "source": "made-up", "basis": "estimate", "date": "2026-11"}
ALWAYS = RunPlan(name="always", num_gpus=8, work_s=3000 * DAY_S)


def hazard(**stated: object) -> Hazard:
    return Hazard(
        **{"id": "fault", "component": "host", "scope": "node", "detection_s": 60.0, **ROW, **stated}
    )


def plan(num_nodes: int, days: float, runs: tuple[RunPlan, ...] = (ALWAYS,), **stated: object) -> FleetPlan:
    sites = (SitePlan(num_nodes=num_nodes, num_spares=stated.pop("num_spares", 0)),)
    return FleetPlan(name="x", system="hgx-h100", lasts_s=days * DAY_S, sites=sites, runs=runs, **stated)


@pytest.fixture(scope="module")
def figures_of():
    system = load_catalog().system("hgx-h100")

    def figures(of: FleetPlan, *hazards: Hazard) -> FleetFigures:
        return rehearse(Inputs(of, system, hazards, {}, {}), 1).figures

    return figures


def test_maintenance_spares_nobody_a_fault(figures_of) -> None:
    """Faults come at a constant rate, so they are as many as the rate times the time in service, whatever
    happens in between: 100 nodes, 1,000 days, one fault in 50 days each."""
    one = hazard(events_per_s=1 / (50 * DAY_S))
    upkeep = MaintenancePlan(every_s=3 * DAY_S, lasts_s=3600.0)
    found = figures_of(plan(100, 1000, maintenance=upkeep), one)
    expected = 100 * 1000 / 50 * (1 - 1 / 72)
    assert abs(found.num_faults - expected) < 4 * math.sqrt(expected)


def test_maintenance_is_a_cause_of_nodes_being_out(figures_of) -> None:
    """Of ten racks of four nodes each, every one is out for an hour every ten days, for 100 days."""
    upkeep = MaintenancePlan(every_s=10 * DAY_S, lasts_s=3600.0)
    found = figures_of(plan(40, 100.5, maintenance=upkeep))
    (planned,) = found.causes
    assert planned.hazard == "planned"
    assert planned.out_gpu_h == pytest.approx(10 * 40 * 8)
    assert found.out_gpu_h == pytest.approx(10 * 40 * 8)


def test_faults_of_causes_add_up_where_spares_fail_too(figures_of) -> None:
    one, other = hazard(id="one", events_per_s=1e-6), hazard(id="other", events_per_s=1e-6, repair_frac=0.5)
    other = other.model_copy(update={"hands_on_s": 3600.0})
    found = figures_of(plan(10, 365, num_spares=5), one, other)
    assert sum(cause.num_faults for cause in found.causes) == found.num_faults > 300


def test_a_fault_that_is_found_at_once_still_interrupts(figures_of) -> None:
    found = figures_of(plan(1, 365), hazard(events_per_s=1 / (5 * DAY_S), detection_s=0.0))
    assert found.num_interruptions == found.runs[0].num_faults == found.num_faults > 40


def test_who_waits_for_hands_that_never_come_has_waited(figures_of) -> None:
    """Each node that fails once waits from then on: what it is out for, less triage, is what it waited."""
    nobody = RepairPlan(skills=(SkillPlan(name="technician", on_duty=0),), triage_s=0.0)
    one = hazard(events_per_s=1 / (10 * DAY_S), repair_frac=1.0, hands_on_s=3600.0)
    found = figures_of(plan(20, 200, repair=nobody), one)
    (skill,) = found.skills
    assert (skill.num_jobs, found.num_faults) == (0, 20)
    assert skill.mean_wait_s == pytest.approx(found.out_gpu_h * 3600 / 8 / 20)
    assert skill.mean_wait_s > 150 * DAY_S


def test_a_gang_that_shrinks_has_not_waited_again(figures_of) -> None:
    """It waits for ten days, starts once, and goes on with fewer nodes: no time is spent waiting again."""
    first = RunPlan(name="first", num_gpus=80, work_s=10 * DAY_S, priority=1)
    elastic = RunPlan(
        name="elastic", num_gpus=80, min_gpus=8, work_s=200 * DAY_S, submit_s=1.0, checkpoint_write_s=1.0
    )
    one = hazard(events_per_s=1 / (100 * DAY_S), repair_frac=1.0, hands_on_s=500 * DAY_S)
    rules = PolicyPlan(preemption=False, takes_free_nodes=False)
    found = figures_of(plan(10, 60, (first, elastic), policy=rules), one)
    assert [run.num_starts for run in found.runs] == [1, 1]
    assert found.shares.useful_gpu_h / found.shares.held_gpu_h == found.goodput_frac
    assert found.ettr_frac == pytest.approx(found.goodput_frac, rel=1e-12)


def test_a_domain_stops_a_small_job_as_often_as_a_large_one() -> None:
    """A site of 128 nodes, 4 to a rack: jobs of 1, 4, 5 and 128 nodes stand in 1, 1, 2 and 32 racks, and in
    one site."""
    nodes = (1, 4, 5, 128)
    runs = tuple(RunPlan(name=f"of-{n}", num_gpus=8 * n, work_s=1.0) for n in nodes)
    of = plan(128, 1, runs)
    book = job_book(of, {}, 1)
    for scope, domains in (("node", nodes), ("rack", (1, 1, 2, 32)), ("site", (1, 1, 1, 1))):
        mttf_s = planned_mttf_s(of, book, 8, np.array([[0.001]]), [hazard(scope=scope, events_per_s=0.001)])
        assert mttf_s.tolist() == pytest.approx([1000.0 / n for n in domains])
