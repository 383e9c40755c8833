"""The simulated fleet against closed forms: effective training time, checkpoints, spare parts, technicians.

Each run is one long sample of a stationary process, long enough that its noise is well below what is asked.
Regimes are chosen so that the closed form holds: few faults come while another one is waited for, and nodes
out of service are few beside those that are in it.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from gigawatt.domain.hazard import Hazard, Part
from gigawatt.domain.twin import FleetPlan, RepairPlan, RunPlan, SitePlan, SkillPlan
from gigawatt.laws.queueing import backorder_wait_s, mgc_wait_s, mmc_wait_s, pipeline_parts, spares_fill_frac
from gigawatt.laws.reliability import expected_ettr_frac, renewal_ettr_frac
from gigawatt.operate import world
from gigawatt.operate.rehearse import play
from gigawatt.operate.tables import Floats, Table
from gigawatt.operate.twin import Twin, new_twin

GPUS_PER_NODE = 8
LONGEST_S = 3.1e8
ROW = {"name": "made up", "source": "made-up", "basis": "estimate", "date": "2026-11"}


class Setting(NamedTuple):
    """Of one run on all nodes of a site; times in seconds."""

    nodes: int
    mttf: float
    """Between failures of the run."""
    interval: float
    write: float
    restart: float
    detection: float


def hazard(**stated: object) -> Hazard:
    return Hazard(
        **{"id": "fault", "component": "host", "scope": "node", "detection_s": 0.0, **ROW, **stated}
    )


def played(
    plan: FleetPlan,
    hazards: tuple[Hazard, ...],
    parts: dict[str, Part],
    seed: int,
    keep: Callable[[Table], None] = lambda _rows: None,
) -> Twin:
    twin = new_twin(plan, GPUS_PER_NODE, hazards, parts, {}, seed)
    play(twin, keep)
    return twin


def some_setting(draw: random.Random) -> Setting:
    """One in which up to half of the time is lost."""
    mttf = draw.uniform(2000.0, 3000.0)
    interval = mttf * 10 ** draw.uniform(-2.0, -0.3)
    return Setting(
        nodes=draw.choice((1, 3, 8, 20, 60)),
        mttf=mttf,
        interval=interval,
        write=interval * 10 ** draw.uniform(-2.5, -0.7),
        restart=mttf * 10 ** draw.uniform(-2.5, -0.7),
        detection=mttf * 10 ** draw.uniform(-3.0, -1.3),
    )


def ettr_frac(one: Setting, num_faults: float, seed: int) -> float:
    """Productive over wall-clock time of a run that never ends."""
    lasts_s = min(LONGEST_S, num_faults * one.mttf)
    run = RunPlan(
        name="run",
        num_gpus=GPUS_PER_NODE * one.nodes,
        work_s=LONGEST_S * 1.01,
        checkpoint_interval_s=one.interval,
        checkpoint_write_s=one.write,
        restart_s=one.restart,
    )
    site = SitePlan(num_nodes=one.nodes)
    plan = FleetPlan(name="theory", system="made-up", lasts_s=lasts_s, sites=(site,), runs=(run,))
    stops = hazard(events_per_s=1.0 / (one.mttf * one.nodes), detection_s=one.detection)
    job = played(plan, (stops,), {}, seed).world.work[0]
    return float(job.saved_gpu_s + job.unsaved_gpu_s) / run.num_gpus / lasts_s


def test_effective_training_time_is_that_of_the_renewal_process_in_200_settings() -> None:
    draw = random.Random(20261128)
    for number in range(200):
        one = some_setting(draw)
        rate = 1.0 / one.mttf
        found = ettr_frac(one, 6e4, seed=number)
        exact = renewal_ettr_frac(rate, one.interval, one.write, one.restart, one.detection)
        assert found == pytest.approx(float(exact), rel=0.01), one
        wait = one.restart + one.detection
        if rate * (one.interval + one.write + wait) < 0.1:
            first_order = expected_ettr_frac(rate, one.interval, one.write, wait, 0.0, LONGEST_S)
            assert found == pytest.approx(float(first_order), rel=0.01), one


def workshop(num_nodes: int, skills: tuple[SkillPlan, ...] = (), **stock: int) -> FleetPlan:
    """Nodes that nobody works on, and a repair of which all takes no time but what is looked at."""
    repair = RepairPlan(triage_s=0.0, burn_in_s=0.0, reboot_s=0.0, skills=skills, stock=stock)
    idle = RunPlan(name="nothing", num_gpus=1, work_s=1.0)
    site = SitePlan(num_nodes=num_nodes)
    return FleetPlan(
        name="theory", system="made-up", lasts_s=LONGEST_S, sites=(site,), runs=(idle,), repair=repair
    )


def test_parts_wait_as_palm_and_sherbrooke_say() -> None:
    # The rate is the one that came about: a fleet is not an endless source, and its luck is taken out.
    draw, num_nodes, num_demands = random.Random(2), 1000, 5e5
    for number in range(12):
        pipeline = draw.uniform(0.5, 6.0)
        num_spares = max(1, round(pipeline + draw.choice((-1, 0, 1))))
        gap_s = LONGEST_S / num_demands
        part = Part(id="module", lead_time_s=pipeline * gap_s, **ROW)
        needs = hazard(
            events_per_s=1.0 / (gap_s * num_nodes),
            repair_frac=1.0,
            hands_on_s=0.001,
            part="module",
            part_frac=1.0,
        )
        waited: list[float] = []

        def keep(rows: Table, waited: list[float] = waited) -> None:
            short = rows[rows.state == world.PART_WAIT]
            waited.append(float((short.end_s - short.begin_s).sum()))

        plan = workshop(num_nodes, module=num_spares)
        shelf = played(plan, (needs,), {"module": part}, number, keep).world.parts[0]
        rate = shelf.num_used / LONGEST_S
        on_order = pipeline_parts(rate, part.lead_time_s)
        assert rate == pytest.approx(1.0 / gap_s, rel=0.01)
        fill = float(spares_fill_frac(on_order, num_spares))
        assert 1.0 - shelf.num_short / shelf.num_used == pytest.approx(fill, rel=0.01)
        wait_s = float(backorder_wait_s(on_order, num_spares, rate))
        assert sum(waited) / shelf.num_used == pytest.approx(wait_s, rel=0.01)


def repairmen_wait_s(num_nodes: int, node_failures_per_s: float, service_s: float, num_hands: int) -> float:
    """Mean wait of a finite source with exponential times: its birth-and-death chain, solved as it stands."""
    broken = np.arange(num_nodes + 1)
    fails = (num_nodes - broken) * node_failures_per_s
    mended = np.minimum(broken[1:], num_hands) / service_s
    logs = np.concatenate(([0.0], np.cumsum(np.log(fails[:-1] / mended))))
    chance = np.exp(logs - logs.max())
    chance /= chance.sum()
    return float(np.maximum(broken - num_hands, 0) @ chance / (fails @ chance))


def test_technicians_keep_nodes_waiting_as_erlang_says() -> None:
    # With so many nodes the source is as good as infinite; a rare wait would take longer runs to measure.
    draw, num_nodes, num_repairs = random.Random(5), 16_000, 4e6
    for number in range(8):
        num_hands, load = draw.choice((1, 2, 3)), draw.uniform(0.45, 0.65)
        rate = num_repairs / LONGEST_S
        service_s = load * num_hands / rate
        breaks = hazard(events_per_s=rate / num_nodes, repair_frac=1.0, hands_on_s=service_s)
        plan = workshop(num_nodes, (SkillPlan(name="technician", on_duty=num_hands),))
        hands = played(plan, (breaks,), {}, number).world.skills[0]
        found_s = hands.waited_s / hands.num_jobs
        exact_s = repairmen_wait_s(num_nodes, rate / num_nodes, service_s, num_hands)
        assert found_s == pytest.approx(exact_s, rel=0.01)
        assert found_s == pytest.approx(float(mmc_wait_s(rate, service_s, num_hands)), rel=0.01)


def test_one_technician_with_a_way_to_go_keeps_nodes_waiting_as_pollaczek_and_khinchine_say() -> None:
    draw, num_nodes, num_repairs = random.Random(6), 4000, 3e6
    for number in range(4):
        rate, way_frac, load = num_repairs / LONGEST_S, draw.uniform(0.2, 1.0), draw.uniform(0.3, 0.6)
        service_s = load / rate
        work_s = max(1e-6, (1.0 - way_frac) * service_s)
        breaks = hazard(events_per_s=rate / num_nodes, repair_frac=1.0, hands_on_s=work_s)
        skill = SkillPlan(name="technician", on_duty=1, response_s=way_frac * service_s)
        hands = played(workshop(num_nodes, (skill,)), (breaks,), {}, number).world.skills[0]
        exact_s = mgc_wait_s(hands.num_jobs / LONGEST_S, hands.busy_s / hands.num_jobs, 1.0 - way_frac, 1)
        assert hands.waited_s / hands.num_jobs == pytest.approx(float(exact_s), rel=0.01)


def first_come_first_served(asks_s: Floats, works_s: Floats, num_hands: int) -> Floats:
    """[repairs] s: when each begins with so many hands, by the recursion of Kiefer and Wolfowitz."""
    free_s, begins_s = [0.0] * num_hands, []
    for asked_s, work_s in zip(asks_s, works_s, strict=True):
        begin_s = max(float(asked_s), heapq.heappop(free_s))
        heapq.heappush(free_s, begin_s + float(work_s))
        begins_s.append(begin_s)
    return np.array(begins_s)


@pytest.mark.parametrize(("num_hands", "way_frac"), [(1, 0.0), (2, 0.5), (4, 0.9)])
def test_several_technicians_take_one_node_after_another_repair_by_repair(
    num_hands: int, way_frac: float
) -> None:
    num_nodes, num_repairs = 2000, 2e4
    rate = num_repairs / LONGEST_S
    service_s = 0.8 * num_hands / rate
    breaks = hazard(events_per_s=rate / num_nodes, repair_frac=1.0, hands_on_s=(1.0 - way_frac) * service_s)
    skill = SkillPlan(name="technician", on_duty=num_hands, response_s=way_frac * service_s)
    blocks: list[Table] = []
    plan = workshop(num_nodes, (skill,))
    played(plan, (breaks,), {}, 1, lambda rows: blocks.append(rows.copy()))
    rows = np.concatenate(blocks).view(np.recarray)
    rows = rows[rows.end_s < LONGEST_S]
    waits = {(row.subject, row.end_s): row.begin_s for row in rows[rows.state == world.HAND_WAIT]}
    works = rows[rows.state == world.HANDS_ON]
    asks_s = np.array([waits.get((row.subject, row.begin_s), row.begin_s) for row in works])
    order = np.argsort(asks_s, kind="stable")[: int(num_repairs * 0.9)]  # the last ones may still be at work
    works, asks_s = works[order], asks_s[order]
    begins_s = first_come_first_served(asks_s, works.end_s - works.begin_s, num_hands)
    assert np.array_equal(begins_s, works.begin_s)
    assert len(waits) > num_repairs / 4
