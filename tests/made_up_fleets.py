"""Small fleets made up at random, with every feature on.

Whatever can be stated in a plan is stated now and then, in ways that are meant to get into each other's way.
"""

from __future__ import annotations

import random

from gigawatt.domain.hazard import Hazard, Part
from gigawatt.domain.twin import (
    FleetPlan,
    HazardPlan,
    JobMix,
    MaintenancePlan,
    PolicyPlan,
    PowerCap,
    RecoveryPlan,
    RepairPlan,
    RunPlan,
    Shift,
    SitePlan,
    SkillPlan,
    TenantPlan,
)

HOUR_S, DAY_S = 3600.0, 86400.0
GPUS_PER_NODE = 8
ROW = {"name": "made up", "source": "made-up", "basis": "estimate", "date": "2026-11"}
PARTS = ("module", "cable", "node")
POLICIES = ("fifo", "sjf", "easy", "conservative", "edf", "fair-share", "quota")
SCOPES = ("gpu", "node", "rack", "pod", "site")


def some_hazard(draw: random.Random, number: int, scope: str, effect: str, events_per_s: float) -> Hazard:
    """A way to fail, with everything that can follow."""
    repair = draw.choice((0.0, 0.5, 1.0))
    takes_part = repair > 0.0 and draw.random() < 0.7
    return Hazard(
        id=f"h{number}",
        component="host",
        scope=scope,
        effect=effect,
        events_per_s=events_per_s,
        speed_frac=draw.uniform(0.3, 0.9) if effect == "slows" else 1.0,
        infant_ratio=draw.choice((1.0, 4.0)),
        infant_s=draw.choice((HOUR_S, DAY_S)),
        detection_s=draw.choice((0.0, 60.0, 1800.0)),
        misdiagnosed_frac=draw.choice((0.0, 0.0, 0.5)),
        reboot_frac=draw.uniform(0.0, 1.0 - repair),
        repair_frac=repair,
        part=draw.choice(PARTS[:2]) if takes_part else "",
        part_frac=draw.uniform(0.3, 1.0) if takes_part else 0.0,
        hands_on_s=draw.uniform(0.5, 6.0) * HOUR_S,
        skill=draw.choice(("technician", "vendor")),
        failed_repair_frac=draw.choice((0.0, 0.3)),
        **ROW,
    )


def some_hazards(draw: random.Random, num_nodes: int) -> tuple[Hazard, ...]:
    """A handful; a fleet of so many nodes sees a fault every few hours."""
    found = []
    for number in range(draw.randrange(1, 7)):
        scope = draw.choice(SCOPES)
        effect = draw.choice(("stops", "stops", "slows", "corrupts"))
        per_fleet = 1.0 / (draw.uniform(1.0, 30.0) * HOUR_S)
        of = {"gpu": num_nodes * GPUS_PER_NODE, "node": num_nodes, "rack": num_nodes / 4}.get(scope, 4.0)
        found.append(some_hazard(draw, number, scope, effect, per_fleet / of))
    return tuple(found)


def some_run(draw: random.Random, number: int, sites: list[SitePlan], tenants: list[str]) -> RunPlan:
    """A training run that its site can hold."""
    site = draw.choice(sites)
    hot = draw.choice((0, 0, 1, 2))
    most = max(1, site.num_nodes - site.num_spares - hot)
    nodes = draw.randint(1, most)
    hot = min(hot, site.num_nodes - site.num_spares - nodes)
    gpus = nodes * GPUS_PER_NODE - draw.choice((0, 0, 3))
    return RunPlan(
        name=f"run{number}",
        tenant=draw.choice(tenants),
        site=site.name,
        priority=draw.choice((0, 1, 5)),
        reserved=draw.random() < 0.2,
        num_gpus=gpus,
        work_s=draw.uniform(0.1, 5.0) * DAY_S,
        submit_s=draw.uniform(0.0, 4.0) * DAY_S,
        deadline_s=draw.choice((None, draw.uniform(1.0, 9.0) * DAY_S)),
        count=draw.choice((1, 1, 3)),
        num_hot_nodes=hot,
        min_gpus=draw.choice((None, max(1, gpus // 2))),
        checkpoint_write_s=draw.choice((0.0, 30.0, 900.0)),
        checkpoint_interval_s=draw.choice((None, 1800.0, 7200.5)),
        restart_s=draw.choice((None, 0.0, 333.3)),
    )


def some_mix(draw: random.Random, number: int, sites: list[SitePlan], tenants: list[str]) -> JobMix:
    """A stream of jobs, small and large."""
    median = draw.uniform(0.2, 6.0) * HOUR_S
    return JobMix(
        name=f"mix{number}",
        tenant=draw.choice(tenants),
        site=draw.choice((None, draw.choice(sites).name)),
        priority=draw.choice((0, 0, 2)),
        jobs_per_s=1.0 / (draw.uniform(0.3, 3.0) * HOUR_S),
        sizes={1: 0.4, 2: 0.1, 4: 0.1, 8: 0.2, 12: 0.1, 32: 0.1},
        median_work_s=median,
        mean_work_s=median * draw.uniform(1.0, 3.0),
        checkpoint_write_s=draw.choice((0.0, 20.0)),
        checkpoint_interval_s=draw.choice((None, 1200.0)),
    )


def some_policy(draw: random.Random, schedule: str) -> PolicyPlan:
    """Rules with their numbers."""
    return PolicyPlan(
        schedule=schedule,
        backfill_depth=draw.choice((0, 2, 100)),
        placement=draw.choice(("pack", "spread")),
        checkpoint=draw.choice(("young", "daly", "adaptive")),
        preemption=draw.random() < 0.7,
        preemptible_after_s=draw.choice((0.0, HOUR_S)),
        grace_s=draw.choice((0.0, 60.0, 1800.0)),
        half_life_s=draw.choice((HOUR_S, 7 * DAY_S)),
        quarantine_after=draw.choice((None, 2)),
        quarantine_window_s=draw.choice((DAY_S, 30 * DAY_S)),
        takes_free_nodes=draw.random() < 0.7,
    )


def some_repair(draw: random.Random) -> RepairPlan:
    """Hands and parts that are short now and then; a night shift without anybody."""
    shifts = (
        Shift(begin_s=0.0, on_duty=1),
        Shift(begin_s=2.2 * DAY_S, on_duty=0),
        Shift(begin_s=4 * DAY_S, on_duty=2),
    )
    skills = (
        SkillPlan(name="technician", on_duty=draw.choice((1, 2))),
        SkillPlan(
            name="vendor", shifts=shifts[draw.choice((0, 1)) :], response_s=draw.choice((0.0, 4 * HOUR_S))
        ),
    )
    return RepairPlan(
        triage_s=draw.choice((0.0, 1800.0)),
        reboot_s=draw.choice((0.0, 900.0)),
        burn_in_s=draw.choice((0.0, 7200.0)),
        skills=skills[: draw.choice((0, 1, 2))],
        stock={part: draw.choice((0, 1, 3)) for part in PARTS},
        node_hands_on_s=2 * HOUR_S,
    )


def some_fleet(
    seed: int, schedule: str | None = None
) -> tuple[FleetPlan, tuple[Hazard, ...], dict[str, Part]]:
    """A plan, what strikes it, and its parts."""
    draw = random.Random(seed)
    sites = []
    for number in range(draw.choice((1, 1, 2, 3))):
        num_nodes = draw.randint(2, 24)
        sites.append(
            SitePlan(
                name=f"site{number}",
                num_nodes=num_nodes,
                nodes_per_rack=draw.choice((1, 2, 4)),
                racks_per_pod=draw.choice((1, 2, 8)),
                num_spares=draw.choice((0, 0, 1, num_nodes // 4)),
            )
        )
    tenants = ["amber", "blue", "crimson"][: draw.randint(1, 3)]
    rows = tuple(
        TenantPlan(
            name=name,
            quota_gpus=draw.choice((None, 0, 16, 64)),
            limit_gpus=draw.choice((None, None, 96)),
            weight=draw.choice((1.0, 3.0)),
        )
        for name in tenants
    )
    num_nodes = sum(site.num_nodes for site in sites)
    caps = [
        PowerCap(begin_s=day * DAY_S, withheld_frac=frac)
        for day, frac in ((2.0, 0.5), (3.0, 0.1), (5.0, 0.0))
    ]
    lead_s = [draw.uniform(0.1, 3.0) * DAY_S for _ in PARTS]
    plan = FleetPlan(
        name="made-up",
        system="made-up",
        lasts_s=draw.uniform(4.0, 10.0) * DAY_S,
        sites=tuple(sites),
        tenants=rows,
        runs=tuple(some_run(draw, n, sites, tenants) for n in range(draw.randint(1, 4))),
        mixes=tuple(some_mix(draw, n, sites, tenants) for n in range(draw.randint(0, 3))),
        policy=some_policy(draw, schedule or draw.choice(POLICIES)),
        hazards=HazardPlan(frail_frac=draw.choice((None, 0.2)), frail_ratio=8.0),
        recovery=RecoveryPlan(
            restart_s=draw.choice((0.0, 300.0)),
            restart_per_node_s=draw.choice((0.0, 1.5)),
            swap_s=draw.choice((0.0, 120.0)),
            in_job_restart_s=draw.choice((None, 30.0)),
            spread_speed_frac=draw.choice((1.0, 0.8)),
        ),
        repair=some_repair(draw),
        maintenance=draw.choice((None, MaintenancePlan(every_s=3 * DAY_S, lasts_s=2 * HOUR_S))),
        power_caps=tuple(draw.choice(((), caps))),
    )
    parts = {id: Part(id=id, lead_time_s=lead, **ROW) for id, lead in zip(PARTS, lead_s, strict=True)}
    return plan, some_hazards(draw, num_nodes), parts
