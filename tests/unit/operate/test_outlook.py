"""Replications together, on figures small enough to be worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from gigawatt.domain.twin import (
    CauseFigures,
    FleetFigures,
    PartFigures,
    RunFigures,
    TenantFigures,
    TimeShares,
)
from gigawatt.operate.outlook import outlook
from gigawatt.operate.rehearse import Outcome
from gigawatt.operate.replications import summary

NO_SHARES = {f"{use}_gpu_h": 0.0 for use in "lost saving slow restart unnoticed idle_held".split()}
DAY_S = 86400.0


def run(done_days: float | None, deadline_days: float | None = 10.0, faults: int = 0) -> RunFigures:
    return RunFigures(
        name="model",
        num_gpus=8,
        submit_s=0.0,
        start_s=0.0,
        done_s=None if done_days is None else done_days * DAY_S,
        deadline_s=None if deadline_days is None else deadline_days * DAY_S,
        done_frac=1.0 if done_days else 0.5,
        num_faults=faults,
        num_starts=1,
        ettr_frac=0.9,
        mean_fault_interval_s=None,
    )


def cause(hazard: str, jobs: int, repair_s: float = 0.0) -> CauseFigures:
    return CauseFigures(
        hazard=hazard,
        num_faults=jobs,
        num_interruptions=jobs,
        lost_gpu_h=float(jobs),
        out_gpu_h=0.0,
        num_repairs=jobs if repair_s else 0,
        mean_repair_s=repair_s,
    )


def figures(**changes: Any) -> FleetFigures:
    """100 GPU-hours, of which jobs held 60: 45 of use, 15 lost; 30 free, 4 of spares, 6 out."""
    shares = TimeShares(
        held_gpu_h=60.0, useful_gpu_h=45.0, residual_gpu_s=0.0, **(NO_SHARES | {"lost_gpu_h": 15.0})
    )
    fields: dict[str, Any] = {
        "seed": 1,
        "events": 7,
        "num_jobs": 2,
        "num_done": 1,
        "too_large": 0,
        "num_faults": 3,
        "num_interruptions": 3,
        "goodput_frac": 0.75,
        "ettr_frac": 0.7,
        "utilisation_frac": 0.6,
        "fleet_gpu_h": 100.0,
        "out_gpu_h": 6.0,
        "spare_gpu_h": 4.0,
        "idle_gpu_h": 30.0,
        "energy_j": 1.0,
        "cost_usd": 1.0,
        "shares": shares,
        "tenants": (),
        "runs": (),
        "causes": (),
        "parts": (),
        "skills": (),
    }
    return FleetFigures(**(fields | changes))


def together(*all_figures: FleetFigures):
    rehearsal = summary("by hand", [Outcome(one, ()) for one in all_figures])
    return outlook(rehearsal, lasts_s=DAY_S)


def test_uses_add_up_to_the_fleet_and_to_what_was_held() -> None:
    shares = {one.use: one for one in together(figures()).shares}
    assert shares["useful work"].held_frac == 0.75
    assert shares["useful work"].fleet_frac == 0.45
    assert shares["free"].held_frac is None
    assert sum(one.fleet_frac for one in shares.values()) == pytest.approx(1.0)
    assert sum(one.held_frac or 0.0 for one in shares.values()) == pytest.approx(1.0)


def test_dates_hold_in_so_many_futures() -> None:
    """Of ten ends, on days 1 to 10: the first, fifth and ninth; nine are by day nine."""
    ends = [3.0, 1.0, 2.0, 4.0, 6.0, 5.0, 8.0, 7.0, 9.0, 10.0]
    (one,) = together(*(figures(runs=(run(end, 9.0),)) for end in ends)).runs
    assert (one.p10_done_s, one.p50_done_s, one.p90_done_s) == (DAY_S, 5 * DAY_S, 9 * DAY_S)
    assert one.meets_deadline_frac == pytest.approx(0.9)


def test_a_run_that_is_not_done_is_later_than_any_other() -> None:
    (one,) = together(figures(runs=(run(None, faults=4),)), figures(runs=(run(3.0, faults=1),))).runs
    assert (one.p10_done_s, one.p50_done_s, one.p90_done_s) == (3 * DAY_S, 3 * DAY_S, None)
    assert (one.meets_deadline_frac, one.done_frac, one.num_faults) == (0.5, 0.75, 2.5)


def test_without_a_deadline_none_is_met() -> None:
    (one,) = together(figures(runs=(run(3.0, None),))).runs
    assert one.meets_deadline_frac is None


def test_counts_of_causes_are_over_all_replications_and_repairs_over_those_that_had_them() -> None:
    first = figures(causes=(cause("nic", 4, 100.0), cause("link", 1)))
    second = figures(causes=(cause("link", 9),))
    link, nic = together(first, second).causes
    assert (link.hazard, link.num_interruptions) == ("link", 5.0)
    assert (nic.num_interruptions, nic.lost_gpu_h, nic.mean_repair_s) == (2.0, 2.0, 100.0)


def test_parts_and_tenants() -> None:
    part = PartFigures(part="nic", num_stock=3, num_used=4, num_short=2, cost_usd=10.0)
    shares = figures().shares
    tenant = TenantFigures(
        tenant="a", num_jobs=2, num_done=1, shares=shares, mean_queue_s=6.0, p50_queue_s=0.0, p90_queue_s=9.0
    )
    found = together(figures(parts=(part,), tenants=(tenant,)), figures(tenants=(tenant,)))
    assert (found.parts[0].num_stock, found.parts[0].num_used, found.parts[0].cost_usd) == (3, 2.0, 5.0)
    assert (found.tenants[0].goodput_frac, found.tenants[0].mean_queue_s) == (0.75, 6.0)
    assert found.events == 14
