"""Racks, pods and sites that are out: their GPUs count once, however many things are wrong with them."""

from __future__ import annotations

import pytest

from gigawatt import load_catalog
from gigawatt.domain.hazard import Hazard
from gigawatt.domain.twin import FleetPlan, JobMix, RecoveryPlan, RepairPlan, SitePlan
from gigawatt.operate.rehearse import Inputs, rehearse

DAY_S = 86400.0
NUM_NODES, GPUS = 16, 8


def hazard(scope: str, per_day: float) -> Hazard:
    return Hazard(
        id=scope,
        name=scope,
        source="made up",
        basis="estimate",
        date="2026",
        component="power",
        scope=scope,
        events_per_s=per_day / DAY_S,
        detection_s=60.0,
        repair_frac=1.0,
        hands_on_s=DAY_S,
    )


@pytest.mark.parametrize("num_spares", [0, 2])
def test_no_more_is_out_than_there_is(num_spares: int) -> None:
    hazards = tuple(hazard(scope, 0.1) for scope in ("node", "rack", "pod", "site"))
    plan = FleetPlan(
        name="domains",
        system="hgx-h100",
        lasts_s=200 * DAY_S,
        sites=(SitePlan(num_nodes=NUM_NODES, num_spares=num_spares, racks_per_pod=2),),
        mixes=(
            JobMix(
                name="mix", jobs_per_s=50 / DAY_S, sizes={1: 1, 16: 1}, median_work_s=600, mean_work_s=3600
            ),
        ),
        recovery=RecoveryPlan(restart_s=60.0, swap_s=60.0),
        repair=RepairPlan(triage_s=0.0, reboot_s=0.0, burn_in_s=0.0),
    )
    outcome = rehearse(Inputs(plan, load_catalog().system("hgx-h100"), hazards, {}, {}), 3)
    figures = outcome.figures
    assert figures.shares.residual_gpu_s == 0.0
    assert figures.idle_gpu_h >= 0.0
    for row in outcome.timeline:
        held = row.num_useful + row.num_saving + row.num_restart + row.num_unnoticed + row.num_idle_held
        assert held + row.num_out + row.num_spare + row.num_free == pytest.approx(NUM_NODES * GPUS, abs=0.01)
        assert row.num_out <= NUM_NODES * GPUS + 1e-6


def test_a_rack_that_is_out_takes_its_nodes_for_as_long_as_its_repair() -> None:
    """One rack of four nodes, out a third of the time: once in two days, mended in a day."""
    plan = FleetPlan(
        name="rack",
        system="hgx-h100",
        lasts_s=3600 * DAY_S,
        sites=(SitePlan(num_nodes=4, nodes_per_rack=4),),
        mixes=(JobMix(name="mix", jobs_per_s=1 / DAY_S, sizes={1: 1}, median_work_s=60, mean_work_s=60),),
        recovery=RecoveryPlan(restart_s=0.0, swap_s=0.0),
        repair=RepairPlan(triage_s=0.0, reboot_s=0.0, burn_in_s=0.0),
    )
    inputs = Inputs(plan, load_catalog().system("hgx-h100"), (hazard("rack", 0.5),), {}, {})
    figures = rehearse(inputs, 1).figures
    assert figures.out_gpu_h / figures.fleet_gpu_h == pytest.approx(1 / 3, rel=0.06)
