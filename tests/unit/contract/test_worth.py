"""The money of a project against day-by-day sums, identities of accounting and published costs."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from gigawatt.catalog import load_catalog
from gigawatt.contract.ownership import cost_of_ownership, megawatt_usd_per_year
from gigawatt.contract.worth import Blocks, worth_of
from gigawatt.domain.ownership import Asset, Ownership
from gigawatt.laws.finance import ownership_usd_per_gpu_h
from gigawatt.project.schedule import read_project

YEAR_S = 365.25 * 86400.0
YEAR = 365.25
START = date(2027, 1, 1)


def asset(id: str = "racks", usd: float = 20.0, years: float = 5.0, **more: object) -> Asset:
    return Asset(id=id, capex_usd_per_w=usd, life_s=years * YEAR_S, **more)


def money(*assets: Asset, years: float = 5.0, **more: object) -> Ownership:
    fields: dict[str, object] = {
        "discount_frac": 0.08,
        "power_price_usd_per_mwh": 60.0,
        "pue": 1.2,
        "load_frac": 0.9,
        "accelerator_w": 2000.0,
        "utilisation_frac": 0.8,
        "price_usd_per_gpu_h": 3.0,
        "horizon_s": years * YEAR_S,
    } | more
    return Ownership(assets=assets or (asset(),), **fields)


def blocks(*ready_days: float, power_w: float = 1e8, planned: float | None = None) -> Blocks:
    """One block with these outcomes."""
    at = ready_days[0] if planned is None else planned
    return Blocks(np.array([power_w]), np.array(ready_days)[:, None], np.array([at]))


def day_by_day_usd(owned: Ownership, ready: float, planned: float, power_w: float = 1e8) -> float:
    """Every payment on its day, discounted by the day: plain Python, tenths of a day."""
    rate, horizon = math.log1p(owned.discount_frac), owned.horizon_s / 86400.0
    num_steps = round(horizon * 10)
    step = horizon / num_steps
    hourly = (owned.price_usd_per_gpu_h or 0.0) * owned.utilisation_frac / owned.accelerator_w
    energy = owned.load_frac * owned.pue * 24 / 1e6 * owned.power_price_usd_per_mwh
    upkeep = sum(one.capex_usd_per_w * one.upkeep_frac for one in owned.assets) / YEAR
    total = 0.0
    for now in ready + (np.arange(num_steps) + 0.5) * step:
        price = (1 + owned.price_change_frac) ** (now / YEAR)
        total += (hourly * 24 * price - energy - upkeep) * step * math.exp(-rate * now / YEAR)
    for one in owned.assets:
        life = one.life_s / 86400.0
        bought = 0.0
        while bought < horizon - 1e-6:
            paid = planned if one.spent == "as-planned" and not bought else ready + bought
            total -= one.capex_usd_per_w * math.exp(-rate * paid / YEAR)
            used = min(life, horizon - bought)
            left = one.capex_usd_per_w * (1 - (1 - one.residual_frac) * used / life)
            total += left * math.exp(-rate * (ready + bought + used) / YEAR)
            bought += life
    return total * power_w


@pytest.mark.parametrize(
    "owned",
    [
        money(),
        money(asset(years=3.0, residual_frac=0.1, upkeep_frac=0.03), years=7.0),
        money(asset(), asset("halls", 12.0, 15.0, spent="as-planned"), price_change_frac=-0.2),
        money(asset(), price_usd_per_gpu_h=None, discount_frac=0.0),
    ],
)
def test_worth_is_the_sum_of_every_days_cash(owned: Ownership) -> None:
    found = worth_of(owned, blocks(500.0, planned=400.0), START)
    assert found.mean_npv_usd == pytest.approx(day_by_day_usd(owned, 500.0, 400.0), rel=2e-5)
    assert found.planned_npv_usd == pytest.approx(day_by_day_usd(owned, 400.0, 400.0), rel=2e-5)


def test_a_week_later_is_the_difference_of_two_plans() -> None:
    owned = money(asset(), asset("halls", 12.0, 15.0, spent="as-planned"))
    found = worth_of(owned, blocks(500.0, planned=400.0), START)
    later = day_by_day_usd(owned, 507.0, 400.0) - day_by_day_usd(owned, 500.0, 400.0)
    assert found.week_npv_usd == pytest.approx(later, rel=1e-3)


def test_percentiles_are_those_of_the_outcomes() -> None:
    days = np.linspace(100.0, 900.0, 101)
    found = worth_of(money(), blocks(*days), START)
    values = sorted(day_by_day_usd(money(), day, 100.0) for day in days)
    assert found.p10_npv_usd == pytest.approx(values[10], rel=1e-4)
    assert found.p50_npv_usd == pytest.approx(values[50], rel=1e-4)
    assert found.p90_npv_usd == pytest.approx(values[90], rel=1e-4)


def test_accounts_write_off_over_six_five_and_three_years() -> None:
    """Sixty dollars a watt over six, five and three years: ten, twelve and twenty a year."""
    owned = money(
        asset(usd=60.0, years=6.0, servers=True),
        years=6.0,
        book_lives_s=tuple(life * YEAR_S for life in (6, 5, 3)),
    )
    years = worth_of(owned, blocks(0.0, power_w=1.0), START).years
    for life, yearly in (("6 years", 10.0), ("5 years", 12.0), ("3 years", 20.0)):
        written = [one.depreciation_usd[life] for one in years]
        assert written[0] == pytest.approx(yearly)
        assert written[:3] == pytest.approx([yearly] * 3)
        assert sum(written) == pytest.approx(60.0)
    assert years[5].depreciation_usd["3 years"] == pytest.approx(0.0)


@pytest.mark.parametrize("horizon", [4.0, 5.0, 7.5])
def test_cash_and_accounts_agree_in_the_end(horizon: float) -> None:
    """Whatever the life in the books, the results of all years add up to the cash of all years."""
    owned = money(
        asset(servers=True, residual_frac=0.1, upkeep_frac=0.02),
        asset("halls", 12.0, 15.0, book_life_s=39 * YEAR_S, spent="as-planned"),
        years=horizon,
        price_change_frac=-0.1,
        book_lives_s=(6 * YEAR_S, 3 * YEAR_S),
    )
    years = worth_of(owned, blocks(700.0, planned=500.0), START).years
    cash = sum(one.cash_usd for one in years)
    for life in years[0].result_usd:
        assert sum(one.result_usd[life] for one in years) == pytest.approx(cash)


def test_years_discounted_are_about_the_worth() -> None:
    """By the middle of each year, which is all that a table of years can know."""
    owned = money(years=5.0, discount_frac=0.03)
    found = worth_of(owned, blocks(0.0), START)
    rough = sum(one.cash_usd * 1.03 ** -(one.year - 2027 + 0.5 * (one.capex_usd == 0)) for one in found.years)
    income = sum(one.income_usd or 0.0 for one in found.years)
    assert rough == pytest.approx(found.mean_npv_usd, abs=0.02 * income)


def test_an_hour_is_the_law_of_ownership_and_its_energy() -> None:
    owned = money(asset(usd=20.0, years=5.0, residual_frac=0.2, upkeep_frac=0.05))
    cost = cost_of_ownership(owned)
    law = ownership_usd_per_gpu_h(20.0 * 2000, 0.2, 0.08, 5 * YEAR_S, 0.8, 0.05 * 20.0 * 2000)
    energy = 2.0 * 0.9 * 1.2 / 1000 * 60.0 / 0.8
    assert cost.hour_usd_per_gpu_h == pytest.approx(float(law) + energy)
    assert cost.megawatt_usd_per_year == pytest.approx(cost.hour_usd_per_gpu_h * 500 * 8766 * 0.8)
    assert cost.tokens_usd_per_million_output_tokens is None


def test_tokens_share_the_cost_of_an_hour() -> None:
    cost = cost_of_ownership(money(per_gpu_tokens_per_s=1000.0))
    assert cost.tokens_usd_per_million_output_tokens == pytest.approx(cost.hour_usd_per_gpu_h / 3.6)


def test_a_swing_is_the_answer_at_either_end() -> None:
    owned = money(low_power_price_usd_per_mwh=40.0, high_power_price_usd_per_mwh=90.0)
    (swing,) = worth_of(owned, blocks(300.0), START).swings
    for end, found, hour in (
        (40.0, swing.low_npv_usd, swing.low_usd_per_gpu_h),
        (90.0, swing.high_npv_usd, swing.high_usd_per_gpu_h),
    ):
        changed = money(power_price_usd_per_mwh=end)
        assert found == pytest.approx(day_by_day_usd(changed, 300.0, 300.0), rel=1e-4)
        assert hour == cost_of_ownership(changed).hour_usd_per_gpu_h


def example(repository: Path) -> Ownership:
    found = read_project(repository / "examples/campus-phases/project.yaml").ownership
    assert found is not None
    return found


def test_the_example_is_made_of_published_rows(repository: Path) -> None:
    catalog, owned = load_catalog(), example(repository)
    racks, network, halls = owned.assets
    rack_w = catalog.system("gb200-nvl72").rack_power_w
    low, high = (end / rack_w for end in catalog.fact("nvl72-rack-price").ends)
    assert (racks.low_capex_usd_per_w, racks.high_capex_usd_per_w) == pytest.approx((low, high), rel=0.003)
    assert racks.capex_usd_per_w == pytest.approx((low + high) / 2, rel=0.003)
    assert network.capex_usd_per_w == pytest.approx(0.13 * catalog.fact("bernstein-campus-cost").quantity)
    built = catalog.fact("construction-average")
    assert halls.capex_usd_per_w == built.quantity
    assert (halls.low_capex_usd_per_w, halls.high_capex_usd_per_w) == built.ends
    assert racks.life_s / YEAR_S == catalog.fact("life-amazon").quantity
    assert owned.pue == catalog.fact("pue-aws").quantity


def test_a_megawatt_costs_what_was_published_within_a_tenth(repository: Path) -> None:
    """8.5 million dollars a megawatt and year (Epoch AI); 30 and 35 billion a gigawatt (and Bernstein)."""
    catalog, owned = load_catalog(), example(repository)
    cost = cost_of_ownership(owned)
    published = catalog.fact("epoch-campus-tco").quantity
    assert published is not None
    assert cost.megawatt_usd_per_year / 1e6 == pytest.approx(published, rel=0.1)
    ends = [end for one in owned.assets for end in (one.low_capex_usd_per_w, one.high_capex_usd_per_w) if end]
    cheap = cost.megawatt_capex_usd / 1e6 - (20.8 - ends[0]) - (11.7 - ends[2])
    dear = cost.megawatt_capex_usd / 1e6 + (ends[1] - 20.8) + (ends[3] - 11.7)
    for id in ("epoch-campus-cost", "bernstein-campus-cost"):
        assert cheap <= 1.03 * (catalog.fact(id).quantity or 0.0)
        assert catalog.fact(id).quantity <= dear
    assert cost.megawatt_capex_usd / 1e6 == pytest.approx(35.0, rel=0.1)


def test_the_lives_of_servers_bracket_the_published_cost(repository: Path) -> None:
    """At six years below 8.5 to 8.6, at three far above 10.8 (the earlier model): life is the argument."""
    owned = example(repository)
    at = {}
    for years in (3, 5, 6):
        assets = tuple(
            one.model_copy(update={"life_s": years * YEAR_S}) if one.servers else one for one in owned.assets
        )
        at[years] = megawatt_usd_per_year(owned.model_copy(update={"assets": assets})) / 1e6
    assert at[6] < 8.5 < at[5] < 10.8 < at[3]


def test_what_has_no_cost_has_no_money(repository: Path) -> None:
    from gigawatt.contract.schedule import simulate_schedule

    project = read_project(repository / "examples/campus-phases/project.yaml")
    assert simulate_schedule(project.model_copy(update={"ownership": None}), 64).money is None
    with_money = simulate_schedule(project, 512).money
    assert with_money is not None
    assert with_money.p10_npv_usd <= with_money.p50_npv_usd <= with_money.p90_npv_usd


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"low_pue": 1.1}, "low_pue and high_pue belong together"),
        ({"low_pue": 1.3, "high_pue": 1.4}, "pue is not between low_pue and high_pue"),
    ],
)
def test_ranges_that_cannot_be(change: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        money(**change)
