"""Replications on a Ray cluster, started here for real: the same figures to the last bit as on threads."""

from __future__ import annotations

import importlib.util

import pytest

from gigawatt import load_catalog
from gigawatt.domain.twin import FleetPlan, JobMix, RecoveryPlan, RunPlan, SitePlan
from gigawatt.operate.rehearse import Inputs
from gigawatt.operate.replications import rehearse_many

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None, reason="Ray is not installed (the extra `ray`)"
    ),
    pytest.mark.filterwarnings("ignore"),  # Ray's own
]

DAY_S = 86400.0


@pytest.fixture
def inputs() -> Inputs:
    catalogue = load_catalog()
    plan = FleetPlan(
        name="small",
        system="hgx-h100",
        lasts_s=60 * DAY_S,
        sites=(SitePlan(num_nodes=64, num_spares=2),),
        runs=(RunPlan(name="run", num_gpus=256, work_s=40 * DAY_S, checkpoint_write_s=30.0, priority=1),),
        mixes=(
            JobMix(name="mix", jobs_per_s=1e-3, sizes={1: 1, 8: 1}, median_work_s=600.0, mean_work_s=3600.0),
        ),
        recovery=RecoveryPlan(restart_s=300.0, swap_s=120.0),
    )
    parts = {part.id: part for part in catalogue.rows("parts")}
    return Inputs(plan, catalogue.system(plan.system), tuple(catalogue.rows("hazards")), parts, {})


def test_a_cluster_gives_the_same_bytes_as_threads(inputs: Inputs) -> None:
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        on_cluster = rehearse_many(inputs, replications=6, runner="ray")
    finally:
        ray.shutdown()
    on_threads = rehearse_many(inputs, replications=6, workers=1)
    assert on_cluster.model_dump_json() == on_threads.model_dump_json()
    assert len({one.num_interruptions for one in on_threads.replications}) > 1
