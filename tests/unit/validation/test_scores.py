"""Scores against scipy, numpy and figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gigawatt.validation.scores import interval_score, regret, repeat_floor, score, spearman

positive = st.floats(0.01, 100.0)


def test_relative_errors_by_hand() -> None:
    """Errors of +10 %, -10 %, +30 %, 0 %."""
    one = score([11.0, 9.0, 1.3, 5.0], [10.0, 10.0, 1.0, 5.0])
    assert one.n == 4
    assert one.mape_frac == pytest.approx(0.125)
    assert one.median_frac == pytest.approx(0.1)
    assert one.max_frac == pytest.approx(0.3)
    assert one.bias_frac == pytest.approx(0.075)
    assert one.p90_frac == pytest.approx(0.24)  # between the two largest, 0.1 and 0.3, at 0.9 * 3 = 2.7


def test_nothing_scores_nothing() -> None:
    assert score([], []).n == 0
    assert interval_score([], [], []).n == 0
    assert repeat_floor([]).num_configurations == 0


@given(st.lists(st.tuples(positive, positive), min_size=3, max_size=30))
def test_spearman_is_that_of_scipy(pairs: list[tuple[float, float]]) -> None:
    a, b = zip(*pairs, strict=True)
    if len(set(a)) == 1 or len(set(b)) == 1:
        assert spearman(a, b) == 0.0
    else:
        assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-9)


def test_an_interval_pays_for_its_width_and_ten_times_for_a_miss() -> None:
    """Gneiting and Raftery, equation 43, at alpha 0.2: 0.2 wide and hit; 0.1 wide and missed by 0.05."""
    one = interval_score([0.9, 1.05], [1.1, 1.15], [1.0, 1.0])
    assert one.coverage_frac == 0.5
    assert one.width_frac == pytest.approx(0.15)
    assert one.winkler_frac == pytest.approx((0.2 + 0.1 + 10.0 * 0.05) / 2)


def test_the_interval_score_is_least_at_the_true_quantiles() -> None:
    """Strictly proper: of all intervals the central 80 % of a normal distribution scores best."""
    sample = 10.0 + np.random.default_rng(1).normal(size=20_000)
    true = stats.norm(10.0).ppf([0.1, 0.9])

    def mean_score(low: float, high: float) -> float:
        ones = np.ones_like(sample)
        return interval_score(low * ones, high * ones, sample).winkler_frac

    best = mean_score(*true)
    assert best < min(mean_score(true[0] - 0.3, true[1] + 0.3), mean_score(true[0] + 0.3, true[1] - 0.3))


def test_regret_looks_at_what_was_measured_of_the_predicted_best() -> None:
    assert regret([5.0, 9.0, 7.0], [100.0, 97.0, 80.0]) == pytest.approx(0.03)
    assert regret([9.0, 5.0], [2.0, 1.0]) == 0.0


def test_the_repeat_floor_counts_each_configuration_once() -> None:
    """Pairs of (90, 110) differ by 20 % of their mean; of (100, 100, 103) by 0, 2.956 and 2.956 %."""
    floor = repeat_floor([[90.0, 110.0], [100.0, 100.0, 103.0], [7.0]])
    second = 2.0 / 3.0 * 3.0 / 101.5
    assert floor.num_configurations == 2
    assert floor.mean_frac == pytest.approx((0.2 + second) / 2)
    assert floor.median_frac == pytest.approx((0.2 + second) / 2)
