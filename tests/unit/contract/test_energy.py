"""Energy plans against a plain linear program of the same campus, and against closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import cho_solve_banded, cholesky_banded

from gigawatt import energy_frontier, plan_energy
from gigawatt.contract.energy_hours import YearOfHours
from gigawatt.contract.energy_kernel import solve_band
from gigawatt.domain.energy import EnergySite, EnergyTechnology, Tariff
from gigawatt.errors import InfeasibleError, InputError
from gigawatt.kernels import compiled

ROW = {"source": "test", "basis": "estimate", "date": "2026", "price_year": 2022, "life_years": 20.0}
YEAR_H = 8760


def technology(id: str, kind: str, **fields: Any) -> EnergyTechnology:
    return EnergyTechnology.model_validate(ROW | {"id": id, "name": id, "kind": kind} | fields)


def tariff(**fields: Any) -> Tariff:
    row = {key: value for key, value in ROW.items() if key != "life_years"}
    return Tariff.model_validate(row | {"id": "tariff", "name": "tariff"} | fields)


def technologies(share_of_year: float = 1.0) -> dict[str, EnergyTechnology]:
    """Plant whose yearly cost is scaled to the stretch of a year at hand."""
    rows = (
        technology("solar", "solar", capex_usd_per_w=1.5 * share_of_year, upkeep_frac=0.015),
        technology("wind", "wind", capex_usd_per_w=1.6 * share_of_year, upkeep_frac=0.02),
        technology(
            "gas", "dispatchable", capex_usd_per_w=1.4 * share_of_year, efficiency_frac=0.57,
            fuel_usd_per_mwh=18.0, fuel_kgco2_per_mwh=198.0, variable_usd_per_mwh=7.0,
        ),
        technology(
            "diesel", "dispatchable", capex_usd_per_w=0.7 * share_of_year, efficiency_frac=0.38,
            fuel_usd_per_mwh=99.0, fuel_kgco2_per_mwh=250.0, most_hours=20.0,
        ),
        technology(
            "battery", "storage", capex_usd_per_w=0.15 * share_of_year, efficiency_frac=0.955,
            energy_capex_usd_per_mwh=60e3 * share_of_year,
        ),
        technology(
            "container", "storage", capex_usd_per_w=0.2 * share_of_year, efficiency_frac=0.93,
            energy_capex_usd_per_mwh=40e3 * share_of_year, full_power_s=4 * 3600.0, standing_loss_frac=0.003,
        ),
    )  # fmt: skip
    return {row.id: row for row in rows}


def made_up_year(num_hours: int, seed: int, start: str = "2022-01-24T00") -> YearOfHours:
    """Weather and prices that swing by the day and at random."""
    rng = np.random.default_rng(seed)
    hour = np.arange(num_hours)
    sun = np.clip(np.sin(2 * np.pi * (hour % 24 - 6) / 24), 0, None) * rng.uniform(0.4, 1.0, num_hours)
    wind = np.clip(0.4 + np.cumsum(rng.normal(0, 0.05, num_hours)), 0.0, 1.0)
    price = np.round(40 + 25 * np.sin(2 * np.pi * (hour % 24 - 14) / 24) + rng.normal(0, 15, num_hours), 2)
    carbon = np.round(rng.uniform(200, 500, num_hours), 1)
    return YearOfHours(
        label=str(seed),
        weight_frac=1.0,
        stamps=np.datetime64(start, "h") + hour,
        wind_frac=wind,
        solar_frac=sun,
        price_usd_per_mwh=price,
        average_kgco2_per_mwh=carbon,
        marginal_kgco2_per_mwh=carbon * 1.3,
        columns={"steps": np.where(hour % 7 < 4, 1.1, 0.8), "far": np.clip(wind[::-1], 0.0, 1.0)},
    )


def campus(**fields: Any) -> EnergySite:
    plain = {
        "title": "campus",
        "price_year": 2022,
        "discount_frac": 0.08,
        "hours": "none",
        "load": {"rated_w": 100e6, "swing_frac": 0.2, "peak_hour": 20, "unserved_usd_per_mwh": 5000.0},
        "grid": {"limit_w": 60e6, "tariff": "tariff"},
        "build": tuple({"technology": id} for id in ("solar", "wind", "gas", "battery")),
    }
    return EnergySite.model_validate(plain | fields)


FLEXIBLE = {
    "rated_w": 100e6,
    "swing_frac": 0.2,
    "unserved_usd_per_mwh": 5000.0,
    "curtailment": {"most_frac": 0.3, "usd_per_mwh": 150.0, "year_frac": 0.02},
    "shifting": {"most_frac": 0.2, "catch_up_frac": 0.15, "window_s": 8 * 3600.0},
}
PEAKS = {
    "hours_from_utc": -6,
    "energy": ({"usd_per_mwh": 5.0}, {"usd_per_mwh": 8.0, "from_hour": 17, "to_hour": 2, "days": "weekdays"}),
    "demand": (
        {"usd_per_w_month": 0.002, "ratchet_frac": 0.7},
        {"usd_per_w_month": 0.001, "from_hour": 13, "to_hour": 19, "days": "weekdays"},
    ),
    "fixed_usd_per_year": 1e4,
}
PURCHASES = (
    {"name": "sun", "shape": "pay-as-produced", "source": "solar", "usd_per_mwh": 30.0, "limit_w": 30e6},
    {"name": "flat", "shape": "baseload", "usd_per_mwh": 42.0, "limit_w": 20e6, "resale_frac": 0.8},
    {"name": "matched", "shape": "matched", "usd_per_mwh": 45.0, "limit_w": 25e6},
)
CASES = {
    "plain": {},
    "capped": {"carbon": {"cap_kgco2_per_mwh": 60.0}},
    "marginal, priced": {"carbon": {"usd_per_kgco2": 0.08, "grid": "marginal"}},
    "clean by the hour": {"carbon": {"hourly_frac": 0.9}},
    "clean over the year": {"carbon": {"annual_frac": 0.95}},
    "flexible": {"load": FLEXIBLE, "carbon": {"cap_kgco2_per_mwh": 120.0}},
    "bought": {"purchases": PURCHASES, "carbon": {"cap_kgco2_per_mwh": 80.0}},
    "sold": {
        "grid": {"limit_w": 60e6, "tariff": "tariff", "feed_in_w": 40e6, "feed_in_fee_usd_per_mwh": 3.0}
    },
    "no grid": {"grid": None, "load": FLEXIBLE},
    "outages": {
        "outages": ({"first_hour": 30, "hours": 9}, {"first_hour": 150, "hours": 4}),
        "build": (
            {"technology": "diesel"},
            {"technology": "wind", "existing_w": 30e6},
            {"technology": "gas", "limit_w": 25e6},
        ),
    },
    "columns of its own": {
        "load": {"rated_w": 100e6, "profile": "steps", "unserved_usd_per_mwh": 5000.0},
        "build": (
            {"technology": "wind"},
            {"technology": "wind", "name": "far away", "profile": "far"},
            {"technology": "gas"},
        ),
        "carbon": {"cap_kgco2_per_mwh": 100.0},
    },
    "stored in one piece": {
        "build": ({"technology": "solar"}, {"technology": "container"}, {"technology": "gas"}),
        "carbon": {"cap_kgco2_per_mwh": 100.0},
    },
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", [1, 2])
def test_cost_and_bound_enclose_the_plain_program(case: str, seed: int, plain_energy) -> None:
    hours = 14 * 24
    known = technologies(hours / YEAR_H)
    site, rates = campus(**CASES[case]), tariff(**(PEAKS if seed == 2 else {"energy": PEAKS["energy"]}))
    rates = rates if site.grid is not None else None
    years = [made_up_year(hours, seed)]
    truth = plain_energy.least_cost(site, known, rates, years)
    plan = plan_energy(site, known, rates, years)
    assert plan.usd_per_year == pytest.approx(truth, rel=2e-6)
    assert plan.lower_bound_usd_per_year <= truth * (1 + 1e-9)
    assert plan.lower_bound_usd_per_year == pytest.approx(truth, rel=2e-6)
    assert plan.most_missing_w < 1e-6 * site.load.rated_w


def test_several_years_share_what_is_built(plain_energy) -> None:
    known, rates = technologies(168 / YEAR_H), tariff(**PEAKS)
    years = [made_up_year(168, seed) for seed in (3, 4, 5)]
    site = campus(carbon={"cap_kgco2_per_mwh": 100.0}, load=FLEXIBLE, purchases=PURCHASES)
    truth = plain_energy.least_cost(site, known, rates, years)
    plan = plan_energy(site, known, rates, years)
    assert plan.usd_per_year == pytest.approx(truth, rel=2e-6)
    assert plan.lower_bound_usd_per_year == pytest.approx(truth, rel=2e-6)


def constant_year(num_hours: int = YEAR_H, price: float = 50.0) -> YearOfHours:
    each = np.ones(num_hours)
    stamps = np.datetime64("2022-01-01T00", "h") + np.arange(num_hours)
    return YearOfHours("2022", 1.0, stamps, 0.5 * each, 0.25 * each, price * each, 400.0 * each)


def flat_campus(**fields: Any) -> EnergySite:
    load = {"rated_w": 100e6, "unserved_usd_per_mwh": 5000.0, "tokens_per_s": 1e6}
    return campus(load=load, **fields)


def test_gas_alone_is_its_annuity_and_its_fuel() -> None:
    known = technologies()
    plan = plan_energy(flat_campus(grid=None, build=({"technology": "gas"},)), known, None, [constant_year()])
    annuity = 0.08 / (1 - 1.08**-20)
    fuel = 18.0 / 0.57 + 7.0
    assert plan.usd_per_year == pytest.approx(100e6 * 1.4 * annuity + 100 * YEAR_H * fuel, rel=2e-6)
    assert plan.capacities["gas"].power_w == pytest.approx(100e6, rel=1e-5)
    assert plan.kgco2_per_year == pytest.approx(100 * YEAR_H * 198.0 / 0.57, rel=1e-5)
    # 1e6 tokens/s at 100 MW are 36 million tokens a MWh.
    assert plan.tokens_per_mwh == pytest.approx(36e6)
    assert plan.usd_per_million_tokens == pytest.approx(plan.usd_per_year / (36 * 100 * YEAR_H), rel=1e-6)
    assert plan.kgco2_per_million_tokens == pytest.approx(198.0 / 0.57 / 36, rel=1e-5)


def test_a_peak_is_billed_every_month() -> None:
    rates = tariff(demand=({"usd_per_w_month": 0.01},), wholesale=False, energy=({"usd_per_mwh": 30.0},))
    site = flat_campus(grid={"limit_w": 200e6, "tariff": "tariff"}, build=())
    plan = plan_energy(site, {}, rates, [constant_year()])
    assert plan.usd_per_year == pytest.approx(100 * YEAR_H * 30.0 + 12 * 100e6 * 0.01, rel=2e-6)
    assert plan.charges_usd_per_year["peaks"] == pytest.approx(12e6, rel=1e-5)


def test_what_the_grid_cannot_carry_is_not_served() -> None:
    site = flat_campus(grid={"limit_w": 60e6, "tariff": "tariff"}, build=())
    plan = plan_energy(site, {}, tariff(), [constant_year(240)])
    assert plan.usd_per_year == pytest.approx(240 * (60 * 50.0 + 40 * 5000.0), rel=2e-6)
    assert plan.served_j_per_year == pytest.approx(240 * 60 * 3.6e9, rel=1e-5)
    assert plan.mean_price_usd_per_mwh == pytest.approx(5000.0, rel=1e-4)
    assert any("not served" in note for note in plan.notes)


def test_the_price_of_carbon_is_that_of_leaving_the_grid_for_wind() -> None:
    """Wind at half power all year against a grid of 50 USD and 400 kg/MWh: one swaps for the other."""
    known = technologies()
    site = flat_campus(
        grid={"limit_w": 200e6, "tariff": "tariff"},
        build=({"technology": "wind"},),
        carbon={"cap_kgco2_per_mwh": 100.0},
    )
    plan = plan_energy(site, known, tariff(), [constant_year(price=20.0)])
    wind = 1.6e6 * (0.08 / (1 - 1.08**-20) + 0.02) / (0.5 * YEAR_H)
    assert plan.carbon_price_usd_per_kgco2 == pytest.approx((wind - 20.0) / 400.0, rel=1e-3)
    assert plan.clean_frac == pytest.approx(0.75, rel=1e-4)


def test_a_frontier_costs_more_and_more_and_never_bends_back() -> None:
    known = technologies(336 / YEAR_H)
    frontier = energy_frontier(campus(), known, tariff(), [made_up_year(336, 7)], 8)
    caps = [point.cap_kgco2_per_mwh for point in frontier.points]
    costs = [point.usd_per_year for point in frontier.points]
    slopes = np.diff(costs) / np.diff(caps)
    assert np.all(np.diff(costs) >= -1e-5 * costs[0])
    assert np.all(np.diff(slopes) <= 1e-4 * abs(slopes).max())
    for point in frontier.points:
        assert point.kgco2_per_mwh <= point.cap_kgco2_per_mwh * (1 + 1e-5) + 1e-6
        assert point.lower_bound_usd_per_year <= point.usd_per_year


def test_a_share_of_clean_energy_out_of_reach_says_the_nearest_miss() -> None:
    site = flat_campus(build=({"technology": "wind", "limit_w": 100e6},), carbon={"annual_frac": 0.6})
    with pytest.raises(InfeasibleError, match=r"annual_frac binds: 60\.0% .* produce 50\.0%"):
        plan_energy(site, technologies(), tariff(), [constant_year(240)])


def test_windows_that_cross_are_refused() -> None:
    crossing = (
        {"usd_per_w_month": 0.01, "from_hour": 8, "to_hour": 16},
        {"usd_per_w_month": 0.01, "from_hour": 12, "to_hour": 21},
    )
    with pytest.raises(InputError, match="overlap and neither lies in the other"):
        plan_energy(campus(), technologies(), tariff(demand=crossing), [made_up_year(240, 1)])


def test_marginal_emissions_must_be_given() -> None:
    site = flat_campus(carbon={"grid": "marginal"})
    with pytest.raises(InputError, match="no column of marginal emissions"):
        plan_energy(site, technologies(), tariff(), [constant_year(240)])


def test_the_same_question_has_the_same_answer_to_the_byte() -> None:
    known, years = technologies(240 / YEAR_H), [made_up_year(240, 9)]
    plans = [plan_energy(campus(), known, tariff(), years).model_dump_json() for _ in range(2)]
    assert plans[0] == plans[1]


def test_the_loop_through_the_band_is_lapacks() -> None:
    rng = np.random.default_rng(1)
    band, right = rng.normal(0, 0.1, (4, 50)), rng.normal(size=(50, 3))
    band[0] = 3.0
    factor = cholesky_banded(band, lower=True)
    truth = cho_solve_banded((factor, True), right)
    solved = right.copy()
    solve_band(factor, solved)
    assert solved == pytest.approx(truth, abs=1e-12)
    again = right.copy()
    compiled(solve_band, allocates=False)(factor, again)
    assert again == pytest.approx(truth, abs=1e-12)
