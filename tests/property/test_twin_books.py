"""Fleets at random with every feature on: the state recounts, the books close, no GPU is in two places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gigawatt import kernels
from gigawatt.handles import Handle
from gigawatt.operate import world
from gigawatt.operate.ledger import Ledger
from gigawatt.operate.rehearse import play
from gigawatt.operate.tables import Table
from gigawatt.operate.twin import Twin, new_twin
from gigawatt.operate.twin_kernel import advance

MANY_ROWS = 100_000


def new(made_up_fleets: Any, seed: int) -> Twin:
    plan, hazards, parts = made_up_fleets.some_fleet(seed)
    return new_twin(plan, made_up_fleets.GPUS_PER_NODE, hazards, parts, {}, seed)


@pytest.mark.parametrize("seed", range(30))
def test_the_state_recounts_at_any_instant(made_up_fleets, fleet_recount, seed: int) -> None:
    twin = new(made_up_fleets, seed)
    fleet, behind, lasts_s = Handle(twin.fleet), Handle(twin.world), twin.plan.lasts_s
    go_on = kernels.compiled(advance, allocates=False, inline=False)
    fleet_recount.recount(twin)
    while go_on(fleet, behind, twin.policy, lasts_s, MANY_ROWS, 23):
        twin.world.counts[world.ROWS] = 0
        fleet_recount.recount(twin)
    fleet_recount.recount(twin)


@pytest.mark.parametrize("seed", range(1000, 1100))
def test_the_books_close_to_nothing(made_up_fleets, seed: int) -> None:
    twin = new(made_up_fleets, seed)
    names = twin.plan.tenant_names
    tenant = np.asarray(twin.fleet.jobs.tenant)
    ledger = Ledger(tenant, len(names), len(twin.hazards), twin.plan.lasts_s, 10)
    blocks: list[Table] = []

    def keep(rows: Table) -> None:
        ledger.add(rows)
        blocks.append(rows.copy())

    play(twin, keep)
    rows = np.concatenate(blocks).view(np.recarray)
    assert ledger.shares().residual_gpu_s == 0.0
    assert [ledger.shares(one).residual_gpu_s for one in range(len(names))] == [0.0] * len(names)
    for job in range(int(twin.world.counts[world.ARRIVED])):
        of_job(twin, rows[(rows.subject == job) & (rows.state < world.STANDING_BY)], job)
    for pool in range(len(twin.fleet.pools)):
        nowhere_twice(twin, rows, pool)


def of_job(twin: Twin, rows: Table, job: int) -> None:
    """Its spells follow each other from its submission to its end, and its work is what they say."""
    one = twin.world.work[job]
    spells = rows[rows.end_s > rows.begin_s]
    spells = spells[np.argsort(spells.begin_s, kind="stable")]
    end_s = one.done_s if one.state == world.DONE else world.on_tick(twin.plan.lasts_s)
    assert [*spells.begin_s, end_s] == [one.submit_s, *spells.end_s]
    for column in (rows.work_gpu_s, rows.save_gpu_s, rows.slow_gpu_s, rows.lost_gpu_s):
        assert (column >= 0.0).all()
    useful = rows.work_gpu_s.sum() - rows.lost_gpu_s.sum()
    assert useful == one.saved_gpu_s + one.unsaved_gpu_s <= one.total_gpu_s
    assert one.state != world.DONE or useful == one.total_gpu_s


def nowhere_twice(twin: Twin, rows: Table, pool: int) -> None:
    """Held, out of service and standing by are together never more than there is."""
    fleet, assets = twin.fleet, twin.world.assets
    num_nodes, each = len(fleet.machines.nodes), fleet.machines.holder.shape[1]
    held = rows[(rows.state > world.WAITING) & (rows.state < world.STANDING_BY) & (rows.end_s > rows.begin_s)]
    held = held[fleet.jobs.pool[held.subject] == pool]
    changes = [(row.end_s, 0, -int(row.gpus)) for row in held]
    changes += [(row.begin_s, 1, int(row.gpus)) for row in held]
    away = (rows.state == world.STANDING_BY) | (rows.state > world.DRAINING)
    spans: dict[int, list[tuple[float, float]]] = {}
    for row in rows[away & (rows.end_s > rows.begin_s)]:
        domain = assets[row.subject]
        slows = row.subject >= num_nodes and twin.world.hazards[row.cause].effect != world.STOPS
        if domain.pool == pool and not slows:
            for node in range(domain.first_node, domain.end_node):
                spans.setdefault(node, []).append((row.begin_s, row.end_s))
    for several in spans.values():
        for begin_s, end_s in united(several):
            changes += [(end_s, 0, -each), (begin_s, 1, each)]
    taken = np.cumsum([gpus for _, _, gpus in sorted(changes)])
    assert taken.max(initial=0) <= fleet.pools.total_gpus[pool]
    assert taken.min(initial=0) >= 0


def united(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same time, each moment once."""
    found: list[tuple[float, float]] = []
    for begin_s, end_s in sorted(spans):
        if found and begin_s <= found[-1][1]:
            found[-1] = (found[-1][0], max(end_s, found[-1][1]))
        else:
            found.append((begin_s, end_s))
    return found
