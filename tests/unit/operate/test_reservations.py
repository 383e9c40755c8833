"""A reservation takes its nodes at its instant, whoever runs there and for how short a time."""

from __future__ import annotations

from gigawatt import load_catalog
from gigawatt.domain.twin import FleetPlan, PolicyPlan, RecoveryPlan, RunPlan, SitePlan
from gigawatt.operate.rehearse import Inputs, rehearse

HOUR_S = 3600.0


def test_a_reservation_begins_after_the_grace_of_those_that_give_way() -> None:
    others = RunPlan(name="others", num_gpus=8, work_s=10 * HOUR_S, count=4, checkpoint_write_s=60.0)
    ours = RunPlan(name="ours", num_gpus=16, work_s=2 * HOUR_S, submit_s=HOUR_S, reserved=True)
    plan = FleetPlan(
        name="reserved",
        system="hgx-h100",
        lasts_s=30 * HOUR_S,
        sites=(SitePlan(num_nodes=4),),
        runs=(others, ours),
        policy=PolicyPlan(schedule="fifo", preemptible_after_s=5 * HOUR_S, checkpoint="daly"),
        recovery=RecoveryPlan(restart_s=0.0, swap_s=0.0),
    )
    system = load_catalog().system("hgx-h100")
    figures = rehearse(Inputs(plan, system, (), {}, {}), 1).figures
    by_name = {run.name: run for run in figures.runs}
    # Two of the four nodes save for a minute, and the others run on.
    assert by_name["ours"].start_s == HOUR_S + 60.0
    assert by_name["ours"].done_s == 3 * HOUR_S + 60.0
    assert sorted(run.num_starts for run in figures.runs) == [1, 1, 1, 2, 2]
    # Nothing is lost: the two that waited are done two hours and their minute later.
    done = sorted(run.done_s or 0.0 for name, run in by_name.items() if name != "ours")
    assert done == [10 * HOUR_S, 10 * HOUR_S, 12 * HOUR_S + 60.0, 12 * HOUR_S + 60.0]
