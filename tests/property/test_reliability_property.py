"""Laws of reliability against event-by-event chance, over many random settings, and against bounded search.

The Monte Carlo knows no formula: it draws when the next failure strikes, and counts what was saved by then.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize_scalar

from gigawatt.laws import reliability

NUM_SETTINGS = 200
NUM_FAILURES = 40_000


def simulated_ettr(
    rng: np.random.Generator, rate: float, interval: float, write: float, restart: float, wait: float
) -> tuple[float, float]:
    """Productive over elapsed time between one failure and the next, and its standard error."""
    strikes = rng.exponential(1 / rate, NUM_FAILURES)
    saved = np.floor(np.maximum(strikes - restart, 0.0) / (interval + write))
    useful, elapsed = saved * interval, wait + strikes
    ratio = useful.sum() / elapsed.sum()
    error = np.std(useful - ratio * elapsed) / (elapsed.mean() * np.sqrt(NUM_FAILURES))
    return ratio, error


def settings(seed: int, most_loss: float) -> np.ndarray:
    """Rate, interval, write, restart and wait of many jobs that run for an hour to a day between failures."""
    rng = np.random.default_rng(seed)
    mttf = 3600 * 24 ** rng.random(NUM_SETTINGS)
    interval = mttf * most_loss * rng.uniform(0.1, 1.0, NUM_SETTINGS)
    write = interval * rng.uniform(0.0, 0.1, NUM_SETTINGS)
    restart = mttf * most_loss / 2 * rng.random(NUM_SETTINGS)
    wait = mttf * most_loss / 2 * rng.random(NUM_SETTINGS)
    return np.stack([1 / mttf, interval, write, restart, wait], axis=1)


def test_the_renewal_law_is_what_chance_does_at_any_rate() -> None:
    """Within 1 %, or four standard errors where half of all attempts are lost and chance itself is coarse."""
    rng = np.random.default_rng(4)
    for rate, interval, write, restart, wait in settings(1, most_loss=1.0):
        found, error = simulated_ettr(rng, rate, interval, write, restart, wait)
        law = reliability.renewal_ettr_frac(rate, interval, write, restart, wait)
        assert abs(law - found) <= max(0.01 * found, 4 * error)


def test_expected_ettr_is_within_one_per_cent_in_its_regime() -> None:
    rng = np.random.default_rng(5)
    for rate, interval, write, restart, wait in settings(2, most_loss=0.08):
        found, error = simulated_ettr(rng, rate, interval, write, restart, wait)
        assert error < 0.002
        law = reliability.expected_ettr_frac(rate, interval, write, restart, wait, 1e12)
        assert law == pytest.approx(found, rel=0.01)


def test_the_first_start_and_queue_count_in_short_runs() -> None:
    """A run that never fails: two hours of work after half an hour in the queue and six minutes to start."""
    law = reliability.expected_ettr_frac(0.0, 600.0, 0.0, 360.0, 1800.0, 7200.0)
    assert law == pytest.approx(7200 / (7200 + 360 + 1800))


def searched_interval(write: float, mttf: float, restart: float = 0.0) -> float:
    """The interval that keeps most, by bounded search over its logarithm."""

    def loss(log_interval: float) -> float:
        interval = float(np.exp(log_interval))
        return -float(reliability.renewal_ettr_frac(1 / mttf, interval, write, restart, 0.0))

    low, high = np.log(write / 100), np.log(20 * mttf)
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-9})
    return float(np.exp(found.x))


@pytest.mark.parametrize("ratio", np.geomspace(1e-6, 1e-4, 7))
def test_the_best_interval_found_is_youngs_for_short_writes(ratio: float) -> None:
    best = searched_interval(ratio * 86400, 86400)
    assert reliability.young_interval_s(ratio * 86400, 86400) == pytest.approx(best, rel=0.01)


@pytest.mark.parametrize("ratio", np.geomspace(1e-6, 0.5, 12))
def test_the_best_interval_found_is_dalys_up_to_long_writes(ratio: float) -> None:
    """The interval within 1 %, and what it costs within a hundredth of that."""
    write = ratio * 86400
    best, daly = searched_interval(write, 86400, 300.0), float(reliability.daly_interval_s(write, 86400))
    assert daly == pytest.approx(best, rel=0.01)
    kept = [reliability.renewal_ettr_frac(1 / 86400, tau, write, 300.0, 0.0) for tau in (daly, best)]
    assert kept[0] == pytest.approx(kept[1], rel=1e-4)


def test_beyond_twice_the_time_between_failures_the_interval_is_that_time() -> None:
    assert float(reliability.daly_interval_s(3.0, 1.0)) == 1.0


def test_frail_nodes_by_drawing_their_rates() -> None:
    """First failure of five nodes whose rates are gamma distributed, drawn one by one."""
    rng = np.random.default_rng(6)
    num_nodes, rate, shape = 5, 0.02, 2.0
    rates = rng.gamma(shape, rate / shape, (200_000, num_nodes))
    first = rng.exponential(1 / rates).min(axis=1)
    assert reliability.frail_mttf_s(num_nodes, rate, shape) == pytest.approx(first.mean(), rel=0.01)
    alike = reliability.frail_mttf_s(num_nodes, rate, 1e9)
    assert alike == pytest.approx(1 / reliability.job_failures_per_s(num_nodes, rate))


def test_the_rate_of_the_frail_falls_as_their_survivors_do() -> None:
    """Of nodes of random rates, those that fail in a short span after an age, among those that reached it."""
    rng = np.random.default_rng(7)
    rate, shape, age, span = 0.01, 1.5, 80.0, 2.0
    lives = rng.exponential(1 / rng.gamma(shape, rate / shape, 2_000_000))
    reached = lives >= age
    seen = np.mean(lives[reached] < age + span) / span
    middle = reliability.frail_failures_per_s(1, rate, shape, age + span / 2)
    assert middle == pytest.approx(seen, rel=0.03)


def test_bursts_interrupt_once() -> None:
    """Failures stamped with the burst that they came in: as many interruptions as there are stamps."""
    rng = np.random.default_rng(8)
    sizes = rng.geometric(0.4, rng.poisson(5000))
    rate = reliability.burst_interruptions_per_s(sizes.sum() / 1000, sizes.mean())
    assert rate == pytest.approx(len(sizes) / 1000)


def test_spread_of_a_product_by_drawing_its_factors() -> None:
    rng = np.random.default_rng(9)
    draws = rng.lognormal(0, 0.1, 400_000) * rng.lognormal(0, 0.2, 400_000)
    ninety = [np.exp(stats.norm.ppf(0.9) * sd) for sd in (0.1, 0.2)]
    law = reliability.independent_product_ratio(*ninety)
    assert law == pytest.approx(np.quantile(draws, 0.9) / np.median(draws), rel=0.005)


def test_spares_and_detection_shorten_the_wait() -> None:
    """Three of four failures find a spare: by hand."""
    wait = reliability.interruption_wait_s(60.0, 30.0, 3600.0, 0.75)
    assert wait == 60 + 0.75 * 30 + 0.25 * 3600
