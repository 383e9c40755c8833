"""Policies of the simulated fleet against plain Python and against cases worked out by hand."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest

from gigawatt.catalog import load_catalog
from gigawatt.domain.fleet import Job
from gigawatt.domain.hazard import Hazard, Part
from gigawatt.domain.twin import (
    FleetPlan,
    PolicyPlan,
    PowerCap,
    RecoveryPlan,
    RepairPlan,
    RunPlan,
    SitePlan,
    TenantPlan,
)
from gigawatt.operate import replay_jobs, world
from gigawatt.operate.machines import PACK, SPREAD, PoolShape, new_machines, open_node, take
from gigawatt.operate.rehearse import Inputs, play
from gigawatt.operate.replications import rehearse_many
from gigawatt.operate.tables import JOB, POOL, Table, table
from gigawatt.operate.twin import Twin, new_twin

ROW = {"name": "made up", "source": "made-up", "basis": "estimate", "date": "2026-11"}


def run(name: str, submit_s: float, work_s: float, num_gpus: int, **stated: Any) -> RunPlan:
    return RunPlan(name=name, submit_s=submit_s, work_s=work_s, num_gpus=num_gpus, restart_s=0.0, **stated)


def hazard(**stated: Any) -> Hazard:
    return Hazard(
        **{"id": "fault", "component": "host", "scope": "node", "detection_s": 60.0, **ROW, **stated}
    )


def played(
    runs: tuple[RunPlan, ...],
    schedule: str = "fifo",
    num_nodes: int = 1,
    hazards: tuple[Hazard, ...] = (),
    site: dict[str, Any] | None = None,
    policy: dict[str, Any] | None = None,
    **stated: Any,
) -> tuple[Twin, Table]:
    plan = FleetPlan(
        name="by-hand",
        system="any",
        **{
            "lasts_s": 100_000.0,
            "recovery": RecoveryPlan(restart_s=0.0, swap_s=0.0),
            "sites": (SitePlan(num_nodes=num_nodes, **(site or {})),),
            "policy": PolicyPlan(schedule=schedule, **(policy or {})),
            "runs": runs,
            **stated,
        },
    )
    part = Part(id="node", lead_time_s=1000.0, **ROW)
    twin, blocks = new_twin(plan, 8, hazards, {"node": part}, {}, 1), []
    play(twin, lambda rows: blocks.append(rows.copy()))
    return twin, np.concatenate(blocks).view(np.recarray)


def times(twin: Twin) -> dict[str, tuple[float, float]]:
    """First start and end of each run."""
    names = [twin.book.kinds[kind].name for kind in twin.book.kind]
    work = twin.world.work
    return {
        name: (float(a), float(b)) for name, a, b in zip(names, work.first_start_s, work.done_s, strict=True)
    }


def order(twin: Twin) -> list[str]:
    """Names by first start."""
    return [name for name, _ in sorted(times(twin).items(), key=lambda one: one[1][0])]


def some_jobs(seed: int) -> list[tuple[float, float, int]]:
    draw = random.Random(seed)
    return [(draw.randrange(40), 1.0 + draw.randrange(30), draw.randint(1, 8)) for _ in range(25)]


@pytest.mark.parametrize("policy", ["fifo", "sjf", "easy", "conservative"])
def test_a_fleet_that_never_fails_is_a_replay(policy: str) -> None:
    for seed in range(20):
        jobs = some_jobs(seed)
        twin, _ = played(tuple(run(f"r{n}", *job) for n, job in enumerate(jobs)), policy)
        replayed = replay_jobs([Job(str(n), "a", *job) for n, job in enumerate(jobs)], {"a": 1}, policy)
        found = times(twin)
        assert [found[f"r{n}"][0] for n in range(len(jobs))] == replayed.start_s.tolist()


def reserved_starts(jobs: list[tuple[float, float, int]]) -> list[float]:
    """Conservative backfill on eight GPUs, naively: at each instant everybody's reservation is made anew."""
    starts: dict[int, float] = {}
    waiting: list[int] = []
    came = sorted(range(len(jobs)), key=lambda n: jobs[n][0])
    instants = sorted({job[0] for job in jobs})
    while instants:
        now = instants.pop(0)
        waiting += [n for n in came if jobs[n][0] == now]
        taken = [(starts[n], starts[n] + jobs[n][1], jobs[n][2]) for n in starts]
        for n in list(waiting):
            _, work, gpus = jobs[n]
            changes = sorted({now, *(end for _, end, _ in taken if end > now)})
            begin = next(at for at in changes if room(taken, at, at + work) >= gpus)
            taken.append((begin, begin + work, gpus))
            if begin == now:
                starts[n] = now
                waiting.remove(n)
                instants = sorted({*instants, now + work})
    return [starts[n] for n in range(len(jobs))]


def room(taken: list[tuple[float, float, int]], begin: float, end: float) -> int:
    """GPUs of eight that are free throughout."""
    edges = [begin, *(one for one, _, _ in taken if begin < one < end)]
    return min(8 - sum(gpus for one, other, gpus in taken if one <= at < other) for at in edges)


def test_conservative_backfill_is_that_of_plain_python() -> None:
    for seed in range(100):
        jobs = some_jobs(seed)
        replayed = replay_jobs(
            [Job(str(n), "a", *job) for n, job in enumerate(jobs)], {"a": 1}, "conservative"
        )
        assert replayed.start_s.tolist() == reserved_starts(jobs), seed


def urgent_starts(jobs: list[tuple[float, float, int]], deadlines: list[float]) -> list[float]:
    """The earliest deadline first on eight GPUs, nobody overtakes it."""
    starts: dict[int, float] = {}
    for now in itertools.count():
        waiting = [n for n in range(len(jobs)) if jobs[n][0] <= now and n not in starts]
        for n in sorted(waiting, key=lambda n: (deadlines[n], jobs[n][0], n)):
            busy = sum(jobs[m][2] for m in starts if starts[m] <= now < starts[m] + jobs[m][1])
            if busy + jobs[n][2] > 8:
                break
            starts[n] = float(now)
        if len(starts) == len(jobs):
            return [starts[n] for n in range(len(jobs))]
    raise AssertionError


def test_the_earliest_deadline_goes_first_as_in_plain_python() -> None:
    for seed in range(20):
        draw, jobs = random.Random(seed), some_jobs(seed)
        deadlines = [float(draw.randrange(50, 400)) for _ in jobs]
        runs = tuple(
            run(f"r{n}", *job, deadline_s=end)
            for n, (job, end) in enumerate(zip(jobs, deadlines, strict=True))
        )
        found = times(played(runs, "edf")[0])
        assert [found[f"r{n}"][0] for n in range(len(jobs))] == urgent_starts(jobs, deadlines)


def test_fair_share_serves_who_has_used_least_for_its_weight() -> None:
    ambers = tuple(run(f"a{n}", 0, 10, 8, tenant="amber") for n in range(1, 5))
    blues = tuple(run(f"b{n}", 1, 10, 8, tenant="blue") for n in range(1, 3))
    twin, _ = played(ambers + blues, "fair-share")
    # After 20 s both have had 80 GPU-seconds, and half of amber's are forgotten sooner.
    assert order(twin) == ["a1", "b1", "a2", "b2", "a3", "a4"]
    weights = (TenantPlan(name="amber", weight=4.0), TenantPlan(name="blue"))
    twin, _ = played(ambers + blues, "fair-share", tenants=weights)
    assert order(twin) == ["a1", "b1", "a2", "a3", "a4", "b2"]


def test_a_quota_is_lent_and_taken_back() -> None:
    tenants = (TenantPlan(name="amber", quota_gpus=8), TenantPlan(name="blue", quota_gpus=8))
    ambers = (run("a1", 0, 100, 8, tenant="amber"), run("a2", 0, 100, 8, tenant="amber"))
    blue = run("b", 10, 50, 8, tenant="blue")
    twin, _ = played((*ambers, blue), "quota", 2, tenants=tenants)
    # The later of amber's two gives way at 10, having saved its 10 s, and goes on when blue is done.
    assert times(twin) == {"a1": (0.0, 100.0), "a2": (0.0, 150.0), "b": (10.0, 60.0)}


def test_nobody_borrows_beyond_the_limit() -> None:
    tenants = (TenantPlan(name="amber", quota_gpus=8, limit_gpus=8), TenantPlan(name="blue"))
    runs = (run("a1", 0, 100, 8, tenant="amber"), run("a2", 0, 100, 8, tenant="amber"))
    twin, _ = played((*runs, run("b", 10, 50, 8, tenant="blue")), "quota", 2, tenants=tenants)
    assert times(twin) == {"a1": (0.0, 100.0), "a2": (100.0, 200.0), "b": (10.0, 60.0)}


@pytest.mark.parametrize(
    ("after_s", "ends"),
    [
        (0.0, {"p0": 130.0, "p1": 101.0, "q0": 132.0, "q1": 103.0}),  # the least priority, the latest start
        (9.0, {"p0": 130.0, "p1": 131.0, "q0": 102.0, "q1": 103.0}),  # q0 has run for 8 s only
    ],
)
def test_the_least_priority_and_the_latest_start_give_way(after_s: float, ends: dict[str, float]) -> None:
    small = (
        run("p0", 0, 100, 2),
        run("p1", 1, 100, 2, priority=1),
        run("q0", 2, 100, 2),
        run("q1", 3, 100, 2, priority=1),
    )
    large = run("large", 10, 30, 4, priority=5)
    twin, _ = played((*small, large), policy={"preemptible_after_s": after_s})
    found = times(twin)
    assert found.pop("large") == (10.0, 40.0)
    assert {name: end_s for name, (_, end_s) in found.items()} == ends


@pytest.mark.parametrize("placement", [PACK, SPREAD])
def test_a_gang_spreads_over_as_few_pods_and_racks_as_there_can_be(placement: int) -> None:
    draw = random.Random(7)
    for _ in range(300):
        shape = PoolShape(draw.randint(6, 24), 8, draw.randint(2, 4), draw.randint(1, 3))
        pools = table(POOL, 1)
        machines = new_machines((shape,), pools)
        free = [node for node in range(shape.num_nodes) if draw.random() < 0.6]
        if not free:
            continue
        for node in free:
            open_node(machines, pools, node)
        gang = draw.randint(1, len(free))
        jobs = table(JOB, 1, num_gpus=8 * gang)
        take(machines, jobs, pools, 0, placement)
        taken = np.unique(np.nonzero(machines.holder == 0)[0])
        assert len(taken) == gang
        racks = machines.nodes.rack[taken]
        pods = machines.racks.pod[racks]
        in_pod = np.bincount(machines.racks.pod[machines.nodes.rack[free]])
        assert len(set(pods.tolist())) == fewest(in_pod.tolist(), gang)
        if len(set(pods.tolist())) == 1:
            in_rack = [int((machines.nodes.rack[free] == rack).sum()) for rack in range(len(machines.racks))]
            mine = [n for rack, n in enumerate(in_rack) if machines.racks.pod[rack] == pods[0]]
            assert len(set(racks.tolist())) == fewest(mine, gang)


def fewest(holes: list[int], nodes: int) -> int:
    """How few of them have room for so many: the largest first."""
    room = np.cumsum(sorted(holes, reverse=True))
    return int(np.searchsorted(room, nodes)) + 1


def test_a_power_cap_sends_the_latest_away_and_lets_them_back() -> None:
    runs = tuple(run(f"r{n}", n, 300, 8) for n in range(4))
    caps = (PowerCap(begin_s=100, withheld_frac=0.5), PowerCap(begin_s=200, withheld_frac=0.0))
    twin, rows = played(runs, num_nodes=4, power_caps=caps)
    ends = {name: end_s for name, (_, end_s) in times(twin).items()}
    assert ends == {"r0": 300.0, "r1": 301.0, "r2": 402.0, "r3": 403.0}
    held = rows[(rows.state == world.RUNNING) & (rows.begin_s < 150) & (rows.end_s > 150)]
    assert held.gpus.sum() == 16


def test_a_spare_takes_the_place_of_a_broken_node_after_the_swap() -> None:
    breaks = hazard(events_per_s=1e-5, repair_frac=1.0, hands_on_s=3600.0)
    _, rows = played(
        (run("r", 0, 300_000, 32, checkpoint_interval_s=100.0),),
        num_nodes=6,
        site={"num_spares": 2},
        hazards=(breaks,),
        recovery=RecoveryPlan(restart_s=0.0, swap_s=120.0),
        lasts_s=400_000.0,
    )
    jobs = rows[(rows.state < world.STANDING_BY) & (rows.end_s > rows.begin_s)]
    jobs = jobs[np.argsort(jobs.begin_s)]
    stalls = np.flatnonzero(jobs.state == world.STALLED)
    swaps = [n + 1 for n in stalls if n + 1 < len(jobs) and jobs.state[n + 1] == world.STARTING]
    assert len(swaps) >= 5
    assert set((jobs.end_s - jobs.begin_s)[swaps].tolist()) == {120.0}
    assert (rows.state == world.STANDING_BY).any()


def test_a_node_that_fails_twice_is_replaced_and_starts_afresh() -> None:
    lemons = hazard(events_per_s=5e-5, detection_s=0.0, reboot_frac=1.0)
    twin, _ = played(
        (run("r", 0, 1, 1),),
        num_nodes=20,
        hazards=(lemons,),
        policy={"quarantine_after": 2, "quarantine_window_s": 1e12},
        repair=RepairPlan(stock={"node": 50}),
        lasts_s=1_000_000.0,
    )
    nodes = twin.world.assets[:20]
    waits = (nodes.stage == world.TRIAGE) & nodes.is_replaced_whole
    assert int(twin.world.parts[0].num_used) > 100
    assert int(twin.world.parts[0].num_used) + waits.sum() == (nodes.num_faults // 2).sum()


def first_faults(twin: Twin, rows: Table) -> dict[int, float]:
    faults = rows[rows.state == world.FAULTY]
    firsts: dict[int, float] = {}
    for row in faults[np.argsort(faults.begin_s, kind="stable")]:
        firsts.setdefault(int(row.subject), float(row.begin_s))
    return firsts


def test_two_policies_meet_the_same_luck() -> None:
    runs = tuple(run(f"r{n}", 10.0 * n, 10_000 * (1 + n % 4), 8 * (1 + n % 3)) for n in range(20))
    strikes = (
        hazard(id="node", events_per_s=1e-5, repair_frac=0.5, hands_on_s=3600.0),
        hazard(id="rack", scope="rack", events_per_s=1e-5, reboot_frac=1.0),
    )
    one = played(runs, "fifo", 12, strikes)
    other = played(runs, "sjf", 12, strikes, policy={"placement": "spread", "checkpoint": "young"})
    assert order(one[0]) != order(other[0])
    firsts, others = first_faults(*one), first_faults(*other)
    assert len(firsts) >= 8
    both = firsts.keys() & others.keys()
    assert len(both) >= 8
    assert [firsts[n] for n in both] == [others[n] for n in both]


def test_any_number_of_workers_gives_the_same_bytes(made_up_fleets) -> None:
    plan, hazards, parts = made_up_fleets.some_fleet(2)
    inputs = Inputs(plan, load_catalog().system("hgx-h100"), hazards, parts, {})
    alone, several = (rehearse_many(inputs, 6, workers=workers) for workers in (1, 5))
    assert alone.model_dump_json() == several.model_dump_json()
