"""Which nodes stand by."""

from __future__ import annotations

from gigawatt.domain.twin import FleetPlan, PolicyPlan, RecoveryPlan, RunPlan, SitePlan
from gigawatt.operate.repair import offer, withdraw
from gigawatt.operate.twin import new_twin

HOUR_S = 3600.0


def plan(num_nodes: int, num_spares: int, *runs: RunPlan) -> FleetPlan:
    return FleetPlan(
        name="small",
        system="hgx-h100",
        lasts_s=40 * HOUR_S,
        sites=(SitePlan(num_nodes=num_nodes, num_spares=num_spares),),
        runs=runs,
        policy=PolicyPlan(schedule="fifo", preemptible_after_s=0.0),
        recovery=RecoveryPlan(restart_s=0.0, swap_s=0.0),
    )


def test_a_node_that_comes_back_works_before_it_stands_by() -> None:
    """Four nodes, one of them a spare: with two gone, the first to return is the third that works."""
    twin = new_twin(plan(4, 1, RunPlan(name="run", num_gpus=8, work_s=HOUR_S)), 8, (), {}, {}, 1)
    nodes = twin.fleet.machines.nodes
    (spare,) = [node for node in range(4) if not nodes[node].is_open]
    working = [node for node in range(4) if node != spare]
    withdraw(twin.fleet, twin.world, working[0], 1.0)
    withdraw(twin.fleet, twin.world, spare, 1.0)
    offer(twin.fleet, twin.world, spare, 2.0)
    assert nodes[spare].is_open
    assert not twin.world.assets[spare].is_spare
    offer(twin.fleet, twin.world, working[0], 3.0)
    assert not nodes[working[0]].is_open
    assert twin.world.assets[working[0]].is_spare
