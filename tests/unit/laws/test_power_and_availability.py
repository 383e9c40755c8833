"""Losses and availabilities against phasors, brute force over states, and years of simulated failures."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawatt.laws.availability import (
    group_mtbf_s,
    group_mttr_s,
    series_unavailability_frac,
    shortfall_frac,
    unavailability_frac,
)
from gigawatt.laws.power import (
    converter_loss_frac,
    peak_efficiency_frac,
    receiving_voltage_frac,
    transformer_loss_w,
)

TITANIUM = np.array([0.1, 0.2, 0.5, 1.0]), np.array([0.90, 0.94, 0.96, 0.91])


@pytest.mark.parametrize(("num_installed", "num_needed"), [(1, 1), (2, 1), (3, 2), (4, 3), (5, 2), (6, 6)])
@pytest.mark.parametrize("down", [0.3, 0.01])
def test_groups_by_enumerating_their_states(num_installed: int, num_needed: int, down: float) -> None:
    short = sum(
        float(np.prod([1 - down if up else down for up in state]))
        for state in product((True, False), repeat=num_installed)
        if sum(state) < num_needed
    )
    assert shortfall_frac(down, num_needed, num_installed) == pytest.approx(short, rel=1e-12)


def test_nines_are_not_lost_to_rounding() -> None:
    """Two of three at 1e-12 each: 3e-24, far below what 1 - availability could hold."""
    assert shortfall_frac(1e-12, 2, 3) == pytest.approx(3e-24, rel=1e-9)
    assert series_unavailability_frac(1e-20, 2e-20) == pytest.approx(3e-20, rel=1e-9)


def test_groups_against_simulated_failures_and_repairs() -> None:
    """Three units that fail and are repaired at exponential times, for 40,000 mean lives; two are needed."""
    mtbf, mttr, needed = 100.0, 20.0, 2
    random = np.random.default_rng(7)
    ups = random.exponential(mtbf, (3, 40_000))
    downs = random.exponential(mttr, (3, 40_000))
    changes = np.stack([ups, downs], axis=2).reshape(3, -1).cumsum(axis=1)
    times = np.sort(changes[:, : changes.shape[1]].ravel())
    times = times[times < changes[:, -1].min()]
    # Even number of changes so far: up.
    count_up = sum((np.searchsorted(unit, times, side="right") % 2 == 0).astype(int) for unit in changes)
    spans = np.diff(times, append=times[-1])
    short = count_up < needed
    fraction = spans[short].sum() / times[-1]
    falls = np.count_nonzero(short[1:] & ~short[:-1])
    down = float(unavailability_frac(mtbf, mttr))
    assert fraction == pytest.approx(float(shortfall_frac(down, needed, 3)), rel=0.03)
    assert spans[~short].sum() / falls == pytest.approx(float(group_mtbf_s(mtbf, mttr, needed, 3)), rel=0.03)
    assert spans[short].sum() / falls == pytest.approx(float(group_mttr_s(mtbf, mttr, needed, 3)), rel=0.03)


@given(
    power=st.floats(0.0, 1.0),
    reactive=st.floats(-0.3, 0.6),
    impedance=st.floats(0.01, 0.2),
    share=st.floats(0.01, 0.99),
)
def test_the_receiving_voltage_satisfies_ohms_law(
    power: float, reactive: float, impedance: float, share: float
) -> None:
    resistance = share * impedance
    far = float(receiving_voltage_frac(1.0, power, reactive, resistance, impedance))
    current = complex(power, -reactive) / far
    near = far + current * complex(resistance, (impedance**2 - resistance**2) ** 0.5)
    assert abs(near) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(("load", "efficiency"), [(0.1, 0.90), (0.2, 0.94), (0.5, 0.96), (1.0, 0.91)])
def test_a_converter_is_as_efficient_as_its_data_sheet_says_at_the_points_of_it(
    load: float, efficiency: float
) -> None:
    lost = float(converter_loss_frac(load, *TITANIUM))
    assert load / (load + lost) == pytest.approx(efficiency)


@given(low=st.floats(0.0, 1.0), high=st.floats(0.0, 1.0))
def test_losses_of_a_converter_never_fall_with_its_load(low: float, high: float) -> None:
    low, high = sorted((low, high))
    assert converter_loss_frac(low, *TITANIUM) <= converter_loss_frac(high, *TITANIUM)


@given(no_load=st.floats(100.0, 5e3), load_loss=st.floats(5e3, 5e4))
def test_peak_efficiency_is_the_best_of_all_loads(no_load: float, load_loss: float) -> None:
    rating = 2.5e6
    loads = np.linspace(0.01, 1.5, 20_000)
    best = np.max(1 - transformer_loss_w(loads, no_load, load_loss) / (loads * rating))
    assert peak_efficiency_frac(rating, no_load, load_loss) == pytest.approx(best, abs=1e-7)
