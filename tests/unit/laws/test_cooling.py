"""Cooling laws against steam tables, psychrometric charts, rating points and closed forms."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawatt.laws import cooling
from gigawatt.laws.cooling import (
    affinity_power_w,
    chiller_cop,
    condenser_compressor_w,
    coolant_flow_m3_per_s,
    day_spread_k,
    diurnal_temperature_c,
    hydraulic_power_w,
    makeup_m3_per_s,
    normal_quantile,
    rejection_flow_frac,
    saturation_pressure_pa,
    wet_bulb_c,
)


# Steam tables (CRC Handbook, vapour pressure of water).
@pytest.mark.parametrize(
    ("celsius", "pascal"), [(0, 611.3), (10, 1228.1), (20, 2338.8), (30, 4245.5), (50, 12344)]
)
def test_saturation_pressure_follows_the_steam_tables(celsius: float, pascal: float) -> None:
    assert saturation_pressure_pa(celsius) == pytest.approx(pascal, rel=0.005)


# Psychrometric chart at sea level, read at whole degrees: ASHRAE chart 1.
@pytest.mark.parametrize(
    ("dry", "humidity", "wet"),
    [
        (25, 0.50, 17.9),
        (30, 0.50, 22.1),
        (35, 0.40, 23.9),
        (40, 0.20, 22.2),
        (20, 0.90, 18.9),
        (15, 0.30, 7.4),
    ],
)
def test_wet_bulbs_follow_the_chart_within_a_kelvin(dry: float, humidity: float, wet: float) -> None:
    assert wet_bulb_c(dry, humidity) == pytest.approx(wet, abs=1.0)


@pytest.mark.skipif(importlib.util.find_spec("psychrolib") is None, reason="psychrolib is not installed")
def test_wet_bulbs_agree_with_psychrolib() -> None:
    import psychrolib

    psychrolib.SetUnitSystem(psychrolib.SI)
    gaps = [
        float(wet_bulb_c(dry, humidity)) - psychrolib.GetTWetBulbFromRelHum(dry, humidity, 101325.0)
        for dry in np.arange(0.0, 50.0, 5.0)
        for humidity in np.arange(0.15, 1.0, 0.1)
    ]
    assert max(map(abs, gaps)) < 1.0


@given(st.floats(-20, 50), st.floats(0, 1))
def test_a_wet_bulb_never_exceeds_the_dry_bulb(dry: float, humidity: float) -> None:
    assert wet_bulb_c(dry, humidity) <= dry


def test_saturated_air_is_at_its_wet_bulb() -> None:
    dry = np.arange(0.0, 40.0, 5.0)
    assert wet_bulb_c(dry, 1.0) == pytest.approx(dry, abs=0.4)


# AHRI 550/590: 44 °F leaving, 85 °F water or 95 °F air entering; ASHRAE 90.1-2013 minima.
@pytest.mark.parametrize(
    ("entering_c", "share", "cop"), [(35.0, 0.30, 10.1 / 3.412), (29.44, 0.511, 3.517 / 0.56)]
)
def test_chillers_reach_their_rating(entering_c: float, share: float, cop: float) -> None:
    assert chiller_cop(6.67, entering_c, share, 5.0) == pytest.approx(cop, rel=0.01)


def test_a_perfect_chiller_is_carnots() -> None:
    assert chiller_cop(10.0, 40.0, 1.0, 1.0) == pytest.approx((10 + 273.15) / 30)


@given(heat_w=st.floats(1e4, 1e7), sink_c=st.floats(-10, 45), cold_c=st.floats(5, 30))
def test_condenser_power_solves_its_own_equation(heat_w: float, sink_c: float, cold_c: float) -> None:
    approach = 5.0 / heat_w
    power = float(condenser_compressor_w(heat_w, cold_c, sink_c, approach, 0.5, 8.0))
    entering_c = sink_c + approach * (heat_w + power)
    assert power == pytest.approx(heat_w / float(chiller_cop(cold_c, entering_c, 0.5, 8.0)), rel=0.02)


@given(st.floats(1e3, 1e9), st.floats(1, 30))
def test_flow_times_rise_is_the_heat(heat_w: float, rise_k: float) -> None:
    flow = coolant_flow_m3_per_s(heat_w, rise_k)
    assert flow * rise_k * cooling.WATER_J_PER_M3_K == pytest.approx(heat_w)


def test_pumps_follow_the_cube_where_pressure_follows_the_square() -> None:
    """A circuit of pure friction: pressure goes as flow squared, power as pressure times flow."""
    shares = np.linspace(0.1, 1.2, 12)
    by_hydraulics = hydraulic_power_w(0.03 * shares, 2.5e5 * shares**2, 0.6)
    assert affinity_power_w(hydraulic_power_w(0.03, 2.5e5, 0.6), shares) == pytest.approx(by_hydraulics)


def test_blow_down_keeps_the_salts_where_they_may_be() -> None:
    """Salt in equals salt out: make-up at 1, blow-down at C."""
    makeup = makeup_m3_per_s(3.0, 4.0)
    assert makeup * 1.0 == pytest.approx((makeup - 3.0) * 4.0)


def test_a_rejector_at_its_rating_needs_all_its_air() -> None:
    assert rejection_flow_frac(1e6, 1e6 / 20, 45.0, 25.0) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("probability", "deviate"), [(0.5, 0.0), (0.84134, 1.0), (0.975, 1.95996), (0.99, 2.32635)]
)
def test_quantiles_follow_the_normal_tables(probability: float, deviate: float) -> None:
    assert normal_quantile(probability) == pytest.approx(deviate, abs=0.012)


@given(st.floats(-30, 40), st.floats(0, 20))
def test_a_day_keeps_its_mean_and_its_range(mean_c: float, range_k: float) -> None:
    day = diurnal_temperature_c(mean_c, range_k, np.arange(24))
    assert day.mean() == pytest.approx(mean_c, abs=1e-9)
    assert day.max() - day.min() == pytest.approx(range_k, abs=1e-9)


def test_the_spread_of_days_gives_back_the_hot_hours() -> None:
    """Half a million draws of the same hours: 5 % of them lie above the temperature it was made from."""
    draws = np.random.default_rng(1).normal(size=20_000)
    spread = day_spread_k(24.6, 11.4, 32.8)
    hours = diurnal_temperature_c(24.6 + spread * draws[:, None], 11.4, np.arange(24))
    assert (hours > 32.8).mean() == pytest.approx(0.05, abs=0.02)
