"""Money and power against cash flows added up by hand and against published runs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawatt.laws.finance import (
    HOUR_S,
    YEAR_H,
    capital_recovery_frac,
    energy_cost_usd,
    ownership_usd_per_gpu_h,
)
from gigawatt.laws.power import emissions_kgco2, energy_j, facility_power_w, nodes_power_w
from gigawatt.laws.progress import optimizer_steps, training_time_s


def present_value(payments: list[float], rate: float) -> float:
    """Of payments at the end of each year, added up one by one."""
    return sum(payment / (1 + rate) ** year for year, payment in enumerate(payments, start=1))


@given(rate=st.floats(0, 0.5), years=st.integers(1, 40))
def test_the_recovered_payments_are_worth_the_investment(rate: float, years: int) -> None:
    yearly = float(capital_recovery_frac(rate, float(years)))
    assert present_value([yearly] * years, rate) == pytest.approx(1.0, rel=1e-6)


@given(
    rate=st.floats(0.001, 0.3),
    years=st.integers(1, 15),
    residual=st.floats(0, 0.9),
    use=st.floats(0.1, 1),
    upkeep=st.floats(0, 5000),
)
def test_an_owner_who_earns_the_price_breaks_even(
    rate: float, years: int, residual: float, use: float, upkeep: float
) -> None:
    """Hours in use times price, less upkeep, and the hardware's last worth repay it with interest."""
    capex_usd = 40_000.0
    life_s = years * YEAR_H * HOUR_S
    price = float(ownership_usd_per_gpu_h(capex_usd, residual, rate, life_s, use, upkeep))
    payments = [price * YEAR_H * use - upkeep] * years
    payments[-1] += capex_usd * residual
    assert present_value(payments, rate) == pytest.approx(capex_usd, rel=1e-6)


def test_laws_take_arrays() -> None:
    rates = capital_recovery_frac(np.array([0.0, 0.08]), np.array([20.0, 20.0]))
    assert rates == pytest.approx([0.05, 0.10185], abs=1e-5)  # 1/20, and the table's 0.1019


def test_llama_3_1_405b_as_metas_model_card_accounts_for_it() -> None:
    """30.84 million H100 hours at 700 W: the card states 8,930 t CO2e, location-based, for the 405B."""
    used_j = energy_j(700.0, 30.84e6 * HOUR_S)
    assert used_j / 3.6e12 == pytest.approx(21.59, abs=0.01)  # GWh
    implied = 8_930_000 / (used_j / 3.6e9)
    assert 350 < implied < 450  # kg/MWh: that of an average American grid
    assert emissions_kgco2(used_j, implied) == pytest.approx(8_930_000)


def test_gpt_3_as_patterson_et_al_account_for_it() -> None:
    used_j = energy_j(facility_power_w(10_000 * 330.0, 1.10), 14.8 * 86400)
    assert used_j / 3.6e9 == pytest.approx(1287, rel=0.005)
    assert emissions_kgco2(1287 * 3.6e9, 429.0) == pytest.approx(552_100, rel=1e-3)


def test_a_partly_used_node_draws_as_a_whole() -> None:
    assert nodes_power_w(9, 8, 10_000.0) == 20_000.0
    assert nodes_power_w(8, 8, 10_000.0) == 10_000.0


def test_energy_at_a_negative_price_earns() -> None:
    assert energy_cost_usd(3.6e9, -12.0) == -12.0


@given(tokens=st.integers(1, 10**15), seq_len=st.integers(1, 10**6), batch=st.integers(1, 10**5))
def test_steps_cover_the_tokens_and_not_a_batch_more(tokens: int, seq_len: int, batch: int) -> None:
    steps = int(optimizer_steps(float(tokens), seq_len, batch))
    assert (steps - 1) * seq_len * batch < tokens <= steps * seq_len * batch


def test_half_the_goodput_takes_twice_as_long() -> None:
    assert training_time_s(10, 2.0, 0.5) == 40.0
