"""A year of 100,000 GPUs: 12,500 nodes, a million jobs, every hazard of the catalogue, repair and spares.

Half of the fleet trains: runs of 16,384, 8,192, 4,096 and 2,048 GPUs, one after the other. The other half
serves a stream of small and middling jobs. One replication on one core, after the kernel has been compiled
once. What became of the world (faults, interruptions, goodput) stands in `work`, beside the events.

The peer is AIReSim, which has one job and no queue, on 4,096 servers over 256 days.
"""

from __future__ import annotations

from measure import Figures, measured, report

from gigawatt.catalog import load_catalog
from gigawatt.domain.twin import (
    FleetPlan,
    HazardPlan,
    JobMix,
    PolicyPlan,
    RecoveryPlan,
    RepairPlan,
    RunPlan,
    SitePlan,
    SkillPlan,
)
from gigawatt.operate.rehearse import Inputs, rehearse

DAY_S = 86400.0
NUM_NODES, YEAR_S, NUM_JOBS = 12_500, 365 * DAY_S, 1_000_000
AIRESIM = {
    "name": "AIReSim, default configuration: 4,096 servers, 256 days, one job",
    "work": {"nodes": 4096, "days": 256, "jobs": 1, "faults": 11_175},
    "cpu_s": 80.8,
    "rates": {"faults_per_cpu_s": 138.0},
    "source": "measured on one core of a 2-core x86-64 machine, one seed",
}


def fleet(num_nodes: int = NUM_NODES, lasts_s: float = YEAR_S, num_jobs: int = NUM_JOBS) -> Inputs:
    """The plan and all that it is made from."""
    catalog = load_catalog()
    frail = catalog.frail_nodes()
    recovery = catalog.reliability("plan-recovery")
    runs = [
        RunPlan(
            name=f"run-{size}-{number}",
            num_gpus=size * num_nodes // NUM_NODES // 8 * 8,
            work_s=lasts_s / 4,
            submit_s=lasts_s * number / 4,
            priority=10,
            checkpoint_write_s=30.0,
        )
        for number in range(4)
        for size in (16_384, 16_384, 8_192, 4_096, 2_048)
    ]
    mix = JobMix(
        name="research",
        jobs_per_s=num_jobs / lasts_s,
        sizes={1: 0.45, 2: 0.1, 4: 0.08, 8: 0.2, 16: 0.06, 64: 0.06, 256: 0.04, 512: 0.01},
        median_work_s=1800.0,
        mean_work_s=12 * 3600.0,
        max_work_s=14 * DAY_S,
        checkpoint_write_s=20.0,
    )
    plan = FleetPlan(
        name="fleet-year",
        system="hgx-h100",
        lasts_s=lasts_s,
        sites=(
            SitePlan(num_nodes=num_nodes, nodes_per_rack=4, racks_per_pod=32, num_spares=num_nodes // 50),
        ),
        runs=tuple(runs),
        mixes=(mix,),
        policy=PolicyPlan(schedule="easy", quarantine_after=4),
        hazards=HazardPlan(frail_frac=frail.nodes_frac, frail_ratio=frail.ratio),
        recovery=RecoveryPlan(restart_s=recovery.restart_s, swap_s=recovery.replacement_s),
        repair=RepairPlan(
            stock={"gpu-module": 400, "optical-module": 200, "nic": 60, "node": 20, "gpu-baseboard": 60},
            skills=(SkillPlan(name="technician", on_duty=max(2, num_nodes // 600)),),
        ),
    )
    parts = {part.id: part for part in catalog.rows("parts")}
    return Inputs(plan, catalog.system(plan.system), tuple(catalog.rows("hazards")), parts, {})


def run() -> Figures:
    """Compile on a small fleet, then play the year once."""
    rehearse(fleet(64, 10 * DAY_S, 1000), 1)
    with measured() as spent:
        inputs = fleet()
        found = rehearse(inputs, 1).figures
    return Figures(
        name="fleet_year",
        work={
            "nodes": NUM_NODES,
            "days": YEAR_S / DAY_S,
            "jobs": found.num_jobs,
            "jobs_done": found.num_done,
            "events": found.events,
            "faults": found.num_faults,
            "interruptions": found.num_interruptions,
            "repairs": sum(skill.num_jobs for skill in found.skills),
            "goodput_frac": found.goodput_frac,
            "utilisation_frac": found.utilisation_frac,
            "residual_gpu_s": found.shares.residual_gpu_s,
        },
        spent=spent,
        rates={
            "events_per_cpu_s": found.events / spent.cpu_s,
            "faults_per_cpu_s": found.num_faults / spent.cpu_s,
        },
        peer=AIRESIM,
    )


if __name__ == "__main__":
    report(run, __doc__ or "")
