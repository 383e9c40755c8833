"""A fleet plan as a world at its begin: tables and arrays that the kernel plays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gigawatt import kernels
from gigawatt.domain.fleet import JobTrace
from gigawatt.domain.hazard import Hazard, Part
from gigawatt.domain.twin import WEEK_S, FleetPlan, JobKind, RunPlan, SkillPlan
from gigawatt.errors import InputError
from gigawatt.laws.chance import uniform_number
from gigawatt.operate import policies, world
from gigawatt.operate.checkpoints import interval_s, planned_mttf_s
from gigawatt.operate.due import new_due, set_due
from gigawatt.operate.jobbook import JobBook, gangs, job_book, without_giants
from gigawatt.operate.machines import PACK, SPREAD, PoolShape, new_machines
from gigawatt.operate.state import Fleet, Rules, assembled
from gigawatt.operate.tables import JOB, NONE, POOL, RESERVED, TENANT, Floats, Table, table
from gigawatt.operate.twin_kernel import open_up
from gigawatt.operate.world import Conduct, World, on_tick

FRAILTY = 11
"""What the number that makes a node frail is drawn for."""
MOST_ROWS = 1 << 17
"""Rows of the log after which the kernel hands them over."""
SCOPES = ("gpu", "node", "rack", "pod", "site")
EFFECTS = ("stops", "slows", "corrupts")


class Twin(NamedTuple):
    """A fleet and its world, and the names of what is numbered in them."""

    plan: FleetPlan
    fleet: Fleet
    world: World
    book: JobBook
    policy: int
    hazards: tuple[Hazard, ...]
    parts: tuple[str, ...]
    skills: tuple[SkillPlan, ...]


def new_twin(
    plan: FleetPlan,
    gpus_per_node: int,
    hazards: Sequence[Hazard],
    parts: Mapping[str, Part],
    traces: Mapping[str, JobTrace],
    seed: int,
) -> Twin:
    """The world of a plan at its begin; one seed brings the same luck, whatever the rules.

    `hazards` are those that strike. Errors: InputError for jobs that no site can hold, or for a part or
    hazard that the plan names and nobody knows. What the plan leaves to the catalogue is filled in before.
    """
    book = without_giants(plan, job_book(plan, traces, seed), gpus_per_node)
    shapes = [PoolShape(s.num_nodes, gpus_per_node, s.nodes_per_rack, s.racks_per_pod) for s in plan.sites]
    skills = _skills(plan, hazards)
    fleet = _fleet(plan, book, shapes)
    behind = _world(plan, fleet, book, shapes, hazards, parts, skills, seed)
    twin = Twin(
        plan,
        fleet,
        behind,
        book,
        policies.POLICIES[plan.policy.schedule].number,
        tuple(hazards),
        tuple(parts),
        skills,
    )
    _begin(twin)
    return twin


def _fleet(plan: FleetPlan, book: JobBook, shapes: Sequence[PoolShape]) -> Fleet:
    pools = table(POOL, len(shapes), total_gpus=[shape.num_nodes * shape.gpus_per_node for shape in shapes])
    machines = new_machines(shapes, pools)
    names, rule = plan.tenant_names, policies.POLICIES[plan.policy.schedule]
    taken = gangs(plan, book, shapes[0].gpus_per_node)
    pool = taken.pool
    tenant = np.array([names.index(kind.tenant) for kind in book.kinds])[book.kind]
    per_pool = len(names) if rule.by_tenant else 1
    pools.first_line = np.arange(len(shapes)) * per_pool
    pools.end_line = pools.first_line + per_pool
    deadline_s = np.array([_deadline_s(kind) for kind in book.kinds])[book.kind]
    jobs = table(
        JOB,
        len(book.kind),
        pool=pool,
        tenant=tenant,
        line=pools.first_line[pool] + (tenant if rule.by_tenant else 0),
        priority=np.array([_priority(kind) for kind in book.kinds])[book.kind],
        num_gpus=taken.num_gpus,
        deadline_s=deadline_s,
    )
    fleet = assembled(jobs, pools, _tenants(plan, int(pools.total_gpus.sum())), machines, _rules(plan, jobs))
    fleet.pools.free_gpus = 0
    return fleet


def _priority(kind: JobKind) -> int:
    return RESERVED if isinstance(kind, RunPlan) and kind.reserved else kind.priority


def _deadline_s(kind: object) -> float:
    stated = kind.deadline_s if isinstance(kind, RunPlan) else None
    return np.inf if stated is None else stated


def _rules(plan: FleetPlan, jobs: Table) -> Rules:
    rule = plan.policy
    mixed_priorities = len(jobs) > 0 and jobs.priority.min() < jobs.priority.max()
    return Rules(
        backfill_depth=rule.backfill_depth,
        half_life_s=rule.half_life_s,
        preempts=bool(rule.preemption and mixed_priorities),
        preemptible_after_s=rule.preemptible_after_s,
        placement=PACK if rule.placement == "pack" else SPREAD,
    )


def _tenants(plan: FleetPlan, total_gpus: int) -> Table:
    """Quotas that are not stated share what the others leave."""
    stated = {tenant.name: tenant for tenant in plan.tenants}
    names = plan.tenant_names
    rows = [stated.get(name) for name in names]
    quotas = [None if row is None else row.quota_gpus for row in rows]
    left = max(0, total_gpus - sum(quota or 0 for quota in quotas))
    share = left // max(1, sum(quota is None for quota in quotas))
    limits = [None if row is None else row.limit_gpus for row in rows]
    return table(
        TENANT,
        len(names),
        quota_gpus=[share if quota is None else quota for quota in quotas],
        limit_gpus=[total_gpus if limit is None else limit for limit in limits],
        weight=[1.0 if row is None else row.weight for row in rows],
    )


def _skills(plan: FleetPlan, hazards: Sequence[Hazard]) -> tuple[SkillPlan, ...]:
    """Those of the plan, and for any other that is asked for one that is never short."""
    known = {skill.name: skill for skill in plan.repair.skills}
    asked = [hazard.skill for hazard in hazards if hazard.repair_frac] + ["technician"]
    for name in asked:
        known.setdefault(name, SkillPlan(name=name, on_duty=sum(site.num_nodes for site in plan.sites)))
    return tuple(known.values())


def _world(
    plan: FleetPlan,
    fleet: Fleet,
    book: JobBook,
    shapes: Sequence[PoolShape],
    hazards: Sequence[Hazard],
    parts: Mapping[str, Part],
    skills: Sequence[SkillPlan],
    seed: int,
) -> World:
    names = list(parts)
    for id in plan.repair.stock:
        if id not in parts:
            raise InputError(f"repair.stock: no part {id!r} is known; there are {', '.join(names)}")
    assets = _assets(plan, fleet, seed)
    rates = _rates(plan, shapes, hazards)
    num_nodes = len(fleet.machines.nodes)
    num_slots = min(int(fleet.pools.total_gpus.sum()), len(book.kind))
    widest_spares = max(1, max(site.num_spares for site in plan.sites))
    shifts = [_shifts(skill) for skill in skills]
    ends = np.cumsum([len(each) for each in shifts])
    num_things = len(assets) + num_slots + len(names) + len(skills) + 1 + len(fleet.machines.racks)
    counts = np.zeros(world.NUM_COUNTS, np.int64)
    counts[world.FREE_SLOTS] = num_slots
    return World(
        work=_work(plan, fleet, book, rates, hazards),
        assets=assets,
        hazards=_hazard_table(hazards, names, [skill.name for skill in skills]),
        rate_per_s=rates,
        parts=table(
            world.PART,
            len(names),
            num_stock=[plan.repair.stock.get(id, 0) for id in names],
            lead_time_s=[on_tick(part.lead_time_s) for part in parts.values()],
            queue_first=NONE,
            queue_last=NONE,
        ),
        part_rings_s=np.zeros((len(names), num_nodes + sum(plan.repair.stock.values()) + 1)),
        skills=table(
            world.SKILL,
            len(skills),
            on_duty=[each[-1][1] if each[0][0] > 0 else each[0][1] for each in shifts],
            response_s=[on_tick(skill.response_s) for skill in skills],
            first_shift=ends - [len(each) for each in shifts],
            end_shift=ends,
            next_shift=ends - [len(each) for each in shifts],
            queue_first=NONE,
            queue_last=NONE,
        ),
        shifts=np.array([one for each in shifts for one in each], world.SHIFT).view(np.recarray),
        caps=np.array([(on_tick(cap.begin_s), cap.withheld_frac) for cap in plan.power_caps], world.CAP).view(
            np.recarray
        ),
        spares=np.full((len(shapes), widest_spares), NONE, np.int64),
        num_spares=np.array([(0, site.num_spares) for site in plan.sites], np.int64),
        due=new_due(num_things),
        slot_job=np.full(num_slots, NONE, np.int64),
        free_slots=np.arange(num_slots)[::-1].copy(),
        log=table(world.SPELL, MOST_ROWS + 8 * (num_slots + len(assets)) + 1024),
        counts=counts,
        touched=np.zeros(len(shapes), np.bool_),
        conduct=_conduct(plan, names, skills, seed, _fleet_mttf_s(assets, rates, hazards)),
    )


def _shifts(skill: SkillPlan) -> list[tuple[float, int]]:
    if skill.on_duty is not None:
        return [(0.0, skill.on_duty)]
    return [(on_tick(shift.begin_s), shift.on_duty) for shift in skill.shifts]


def _assets(plan: FleetPlan, fleet: Fleet, seed: int) -> Table:
    """Nodes, then racks, pods and sites."""
    nodes, racks, pods = fleet.machines.nodes, fleet.machines.racks, fleet.machines.pods
    num = len(nodes)
    of_rack = nodes.rack
    first, end = [np.arange(num)], [np.arange(1, num + 1)]
    for place in (of_rack, racks.pod[of_rack], nodes.pool):
        numbers = np.arange(int(place.max()) + 1)
        first.append(np.searchsorted(place, numbers))
        end.append(np.searchsorted(place, numbers, side="right"))
    first_node = np.concatenate(first)
    sizes = [num, len(racks), len(pods), len(fleet.pools)]
    draws = uniform_number(
        np.array([seed], np.uint64), np.uint64(FRAILTY), np.arange(num, dtype=np.uint64), np.uint64(0)
    )
    frail, share = plan.hazards.frail_ratio or 1.0, plan.hazards.frail_frac or 0.0
    sound_ratio = 1.0 / (1.0 + share * (frail - 1.0))
    ratios = np.where(draws < share, frail * sound_ratio, sound_ratio)
    return table(
        world.ASSET,
        sum(sizes),
        scope=np.repeat(np.arange(1, 5), sizes),
        pool=nodes.pool[first_node],
        first_node=first_node,
        end_node=np.concatenate(end),
        stage=world.SERVICE,
        cause=NONE,
        frailty_ratio=np.concatenate((ratios, np.ones(sum(sizes[1:])))),
        new_since_s=-plan.hazards.age_s,
        speed_frac=1.0,
        part=NONE,
        next=NONE,
    )


def _rates(plan: FleetPlan, shapes: Sequence[PoolShape], hazards: Sequence[Hazard]) -> Floats:
    """[hazards, pools] events per second of one asset; what strikes an accelerator strikes its node."""
    per_asset = [
        [one.events_per_s * (shape.gpus_per_node if one.scope == "gpu" else 1) for shape in shapes]
        for one in hazards
    ]
    return np.array(per_asset).reshape(len(hazards), len(shapes)) * plan.hazards.rate_ratio


def _hazard_table(hazards: Sequence[Hazard], parts: list[str], skills: list[str]) -> Table:
    def column(name: str) -> list[float]:
        return [getattr(hazard, name) for hazard in hazards]

    for hazard in hazards:
        if hazard.part and hazard.part not in parts:
            raise InputError(f"{hazard.id}: no part {hazard.part!r} is known; there are {', '.join(parts)}")
    same = (
        "speed_frac infant_ratio infant_s misdiagnosed_frac reboot_frac repair_frac part_frac hands_on_s"
        " failed_repair_frac"
    )
    return table(
        world.HAZARD,
        len(hazards),
        scope=[SCOPES.index(hazard.scope) for hazard in hazards],
        effect=[EFFECTS.index(hazard.effect) for hazard in hazards],
        detection_s=[max(on_tick(hazard.detection_s), world.TICK_S) for hazard in hazards],
        part=[parts.index(hazard.part) if hazard.part else NONE for hazard in hazards],
        skill=[skills.index(hazard.skill) if hazard.repair_frac else NONE for hazard in hazards],
        **{name: column(name) for name in same.split()},
    )


def _work(plan: FleetPlan, fleet: Fleet, book: JobBook, rates: Floats, hazards: Sequence[Hazard]) -> Table:
    each = fleet.pools.gpus_per_node[fleet.jobs.pool]
    num_nodes = -(-book.num_gpus // each)
    hot = gangs(plan, book, int(each[0])).hot_nodes
    mttf_s = planned_mttf_s(plan, book, int(each[0]), rates, hazards)
    writes = np.array([on_tick(kind.checkpoint_write_s) for kind in book.kinds])
    fixed = np.array([kind.checkpoint_interval_s is not None for kind in book.kinds])[book.kind]
    stated = np.array([np.nan if kind.restart_s is None else kind.restart_s for kind in book.kinds])[
        book.kind
    ]
    usual = (plan.recovery.restart_s or 0.0) + plan.recovery.restart_per_node_s * (num_nodes - 1)
    restart_s = np.where(np.isnan(stated), usual, stated)
    least = [kind.min_gpus if isinstance(kind, RunPlan) else None for kind in book.kinds]
    least_gpus = np.array([world.MOST_INTERVAL_S if one is None else one for one in least])[book.kind]
    return table(
        world.WORK,
        len(book.kind),
        submit_s=book.submit_s,
        total_gpu_s=book.work_s * book.num_gpus,
        clean_gpu_s=np.inf,
        interval_s=interval_s(plan, book, mttf_s),
        planned_mttf_s=np.where(fixed, np.inf, mttf_s),
        write_s=writes[book.kind],
        restart_s=np.floor(restart_s / world.TICK_S + 0.5) * world.TICK_S,
        speed_frac=1.0,
        state=world.WAITING,
        cause=NONE,
        slot=NONE,
        hot_nodes=hot,
        wanted_nodes=hot,
        wanted_gpus=book.num_gpus,
        min_gpus=least_gpus.astype(np.int64),
        first_start_s=np.nan,
        done_s=np.nan,
    )


def _fleet_mttf_s(assets: Table, rates: Floats, hazards: Sequence[Hazard]) -> float:
    """Between faults of any kind, anywhere, as the rates have it."""
    rate = 0.0
    for n, hazard in enumerate(hazards):
        struck = assets.pool[assets.scope == max(world.NODE_SCOPE, SCOPES.index(hazard.scope))]
        rate += float(rates[n, struck].sum())
    return 1.0 / rate if rate else np.inf


def _conduct(
    plan: FleetPlan, parts: list[str], skills: Sequence[SkillPlan], seed: int, fleet_mttf_s: float
) -> Conduct:
    rule, recovery, repair = plan.policy, plan.recovery, plan.repair
    upkeep = plan.maintenance
    return Conduct(
        seed=np.uint64(seed),
        swap_s=on_tick(recovery.swap_s or 0.0),
        in_job_restart_s=on_tick(_first(recovery.in_job_restart_s, recovery.restart_s, 0.0)),
        triage_s=on_tick(repair.triage_s),
        reboot_s=on_tick(repair.reboot_s),
        burn_in_s=on_tick(repair.burn_in_s),
        grace_s=rule.grace_s,
        adapts=rule.checkpoint == "adaptive" and np.isfinite(fleet_mttf_s),
        planned_mttf_s=fleet_mttf_s,
        spread_speed_frac=recovery.spread_speed_frac,
        takes_free_nodes=rule.takes_free_nodes,
        num_quarantine_faults=np.inf if rule.quarantine_after is None else float(rule.quarantine_after),
        quarantine_window_s=rule.quarantine_window_s,
        node_part=parts.index("node") if "node" in parts else NONE,
        node_hands_on_s=repair.node_hands_on_s,
        node_skill=[skill.name for skill in skills].index("technician"),
        maintenance_every_s=np.inf if upkeep is None else on_tick(upkeep.every_s),
        maintenance_s=0.0 if upkeep is None else on_tick(upkeep.lasts_s),
        week_s=WEEK_S,
    )


def _first(*stated: float | None) -> float:
    return next(one for one in stated if one is not None)


def _begin(twin: Twin) -> None:
    """Put nodes into service, and write down what is due first."""
    fleet, behind, plan = twin.fleet, twin.world, twin.plan
    from gigawatt.handles import Handle

    kernels.compiled(open_up, allocates=False, inline=False)(Handle(fleet), Handle(behind))
    for skill, row in enumerate(behind.skills):
        if row.end_shift - row.first_shift > 1:
            row.next_shift += float(behind.shifts[row.first_shift].begin_s) == 0.0
            begins_s = float(behind.shifts[row.next_shift].begin_s)
            set_due(behind.due, world.skill_thing(behind, skill), begins_s)
    if plan.power_caps:
        set_due(behind.due, world.cap_thing(behind), float(behind.caps[0].begin_s))
    if plan.maintenance:
        num_racks = len(fleet.machines.racks)
        for rack in range(num_racks):
            turn_s = plan.maintenance.every_s * (rack + 1) / num_racks
            set_due(behind.due, world.rack_thing(behind, rack), on_tick(turn_s))
