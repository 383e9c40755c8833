"""Energy against cases that PyPSA solved (ERCOT and PJM, 2022; the optimum of PJM has storage)."""

from __future__ import annotations

from pathlib import Path

import pytest

from gigawatt import validate_energy
from gigawatt.domain.energy import EnergyCaseReport

RELATIVE = 1e-4
"""What was asked of cost and bound."""


@pytest.fixture(scope="module")
def report(shared_data: Path) -> EnergyCaseReport:
    return validate_energy(sorted((shared_data / "energy" / "reference").glob("*.json")))


def test_every_result_is_reproduced_and_proven(report: EnergyCaseReport) -> None:
    assert len(report.rows) == 5
    for row in report.rows:
        assert row.status == "predicted", row.reason
        assert abs(row.error_frac or 1.0) < RELATIVE
        assert 0.0 <= (row.gap_frac if row.gap_frac is not None else 1.0) < RELATIVE
        # The reference is an optimum: no bound may be above it (both are good to about 1e-8).
        assert (row.lower_bound_usd_per_year or 0.0) <= row.reference_usd_per_year * (1 + 1e-7)


def test_what_is_built_is_what_the_reference_builds(shared_data: Path) -> None:
    """Capacities of the case whose optimum has storage, where one optimum is much like another."""
    from gigawatt import plan_energy
    from gigawatt.documents import read_json
    from gigawatt.exports.hour_csv import read_hours
    from gigawatt.validation.energy import case_question

    folder = shared_data / "energy"
    case = read_json(folder / "reference" / "pjm_2022_1gw.json")
    hours = read_hours(folder / case["hourly_file"])
    said = case["results"][1]
    plan = plan_energy(*case_question(case, said["co2_cap_g_kwh"], 2022), [hours])
    for name in ("solar", "wind", "gas_cc"):
        assert plan.capacities[name].power_w / 1e6 == pytest.approx(said["capacity_mw"][name], rel=2e-3)
    battery = plan.capacities["battery"]
    assert battery.energy_j is not None
    assert battery.energy_j / 3.6e9 == pytest.approx(said["battery_mwh"], rel=0.01)
    assert battery.power_w / 1e6 == pytest.approx(said["battery_mw_charge"], rel=0.01)
    assert plan.kgco2_per_year / 1e6 == pytest.approx(said["emissions_kt"], rel=1e-5)
    assert plan.mean_price_usd_per_mwh == pytest.approx(said["mean_nodal_price"], rel=0.01)
    assert (plan.carbon_price_usd_per_kgco2 or 0.0) * 1e3 == pytest.approx(said["co2_shadow_usd_t"], rel=0.01)
