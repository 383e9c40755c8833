"""A few values for a distribution of dates, a few combinations of several: against closed forms."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy import stats

from gigawatt.contract.schedule_joint import Joint, counted, crossed, num_kept, thinned
from gigawatt.contract.schedule_values import Matched, match_quantiles

NUM = 200_000
SHARES = (0.1, 0.5, 0.9)
DISTRIBUTIONS = {
    "triangular": stats.triang(0.2, loc=10, scale=20),
    "uniform": stats.uniform(5, 10),
    "normal": stats.norm(40, 5),
    "lognormal": stats.lognorm(0.3, scale=30),
    "wide lognormal": stats.lognorm(0.8, scale=20),
    "bounded": stats.beta(2, 5, loc=3, scale=30),
}


def even(distribution: Any) -> np.ndarray:
    """Outcomes at evenly spread probabilities: the distribution, without the noise of drawing."""
    return np.asarray(distribution.ppf((np.arange(NUM) + 0.5) / NUM))


def alone(days: np.ndarray) -> Matched:
    return match_quantiles(days[:, None], np.ones(1))


def quantile(values: np.ndarray, chances: np.ndarray, share: float) -> float:
    """The smallest value by which such a share is reached."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(chances[order])
    return float(values[order][np.searchsorted(reached, share - 1e-12)])


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_mean_and_quantiles_are_those_of_the_distribution(name: str) -> None:
    distribution = DISTRIBUTIONS[name]
    found = alone(even(distribution))
    values = found.values[:, 0]
    assert found.chances_frac.sum() == pytest.approx(1.0)
    assert list(values) == sorted(values)
    assert found.chances_frac @ values == pytest.approx(distribution.mean(), rel=1e-3)
    for share in SHARES:
        assert quantile(values, found.chances_frac, share) == pytest.approx(distribution.ppf(share), rel=1e-3)


@pytest.mark.parametrize(("name", "kept"), [("normal", 0.94), ("lognormal", 0.92), ("wide lognormal", 0.8)])
def test_most_of_the_variance_and_the_tail_are_left(name: str, kept: float) -> None:
    """The tail is the mean of the latest twelfth, by the distribution's own partial expectation."""
    distribution = DISTRIBUTIONS[name]
    found = alone(even(distribution))
    values = found.values[:, 0]
    variance = found.chances_frac @ (values - found.chances_frac @ values) ** 2
    assert kept < variance / distribution.var() < 1.0
    tail = distribution.expect(lb=distribution.ppf(11 / 12)) * 12
    assert values[-1] == pytest.approx(tail, rel=0.03)


def test_two_humps_keep_their_quantiles_and_their_mean() -> None:
    """A permit that takes 4 months, or with 30 % is appealed and takes 16: no value beyond what can be."""
    days = np.concatenate([np.linspace(3.9, 4.1, 70_000), np.linspace(15.9, 16.1, 30_000)])
    found = alone(days)
    values = found.values[:, 0]
    assert found.chances_frac @ values == pytest.approx(days.mean(), abs=0.05)
    assert values.max() <= days.max()
    assert quantile(values, found.chances_frac, 0.9) == pytest.approx(np.quantile(days, 0.9), abs=0.01)


def test_what_is_certain_has_one_date() -> None:
    found = alone(np.full(1000, 12.0))
    assert set(found.values.ravel()) == {12.0}


def test_each_block_of_a_place_keeps_its_own_quantiles() -> None:
    rng = np.random.default_rng(5)
    shared = rng.standard_normal(NUM)
    blocks = np.column_stack([
        np.exp(0.3 * (0.8 * shared + 0.6 * rng.standard_normal(NUM))) * scale for scale in (10.0, 30.0)
    ])  # fmt: skip
    found = match_quantiles(blocks, np.array([1.0, 2.0]))
    for values, days in zip(found.values.T, blocks.T, strict=True):
        assert found.chances_frac @ values == pytest.approx(days.mean(), rel=1e-9)
        for share in SHARES:
            assert quantile(values, found.chances_frac, share) == pytest.approx(
                np.quantile(days, share), rel=1e-3
            )


def test_levels_hold_the_outcomes_in_order() -> None:
    days = even(DISTRIBUTIONS["lognormal"])
    found = alone(days)
    counts = np.bincount(found.level)
    assert counts / NUM == pytest.approx(found.chances_frac)
    for level in range(4):
        assert days[found.level == level].max() <= days[found.level == level + 1].min()


def marginal(joint: Joint, thing: int) -> np.ndarray:
    return np.bincount(joint.levels[:, thing], weights=joint.chances_frac)


def correlation(joint: Joint, one: int, other: int) -> float:
    x, y = joint.levels[:, one].astype(float), joint.levels[:, other].astype(float)
    x, y = x - joint.chances_frac @ x, y - joint.chances_frac @ y
    return float(
        joint.chances_frac @ (x * y) / np.sqrt((joint.chances_frac @ x**2) * (joint.chances_frac @ y**2))
    )


def own(*chances: float) -> Joint:
    return Joint(np.arange(len(chances))[:, None], np.array(chances))


def together(correlation_frac: float) -> Joint:
    """Two places that share a supplier, five levels each."""
    scores = np.random.default_rng(3).multivariate_normal(
        [0.0, 0.0], [[1.0, correlation_frac], [correlation_frac, 1.0]], 50_000
    )
    levels = [alone(column).level for column in scores.T]
    return counted(levels)


def test_what_is_drawn_together_is_counted_together() -> None:
    found = counted([np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0])])
    assert found.levels.tolist() == [[0, 0], [1, 0], [1, 1]]
    assert found.chances_frac.tolist() == [0.5, 0.25, 0.25]
    both = crossed(own(0.25, 0.75), found)
    assert both.chances_frac.tolist() == [0.125, 0.0625, 0.0625, 0.375, 0.1875, 0.1875]
    assert both.levels[3].tolist() == [1, 0, 0]


SCORES: list[Any] = [None, np.arange(5.0), np.arange(5.0)]


@pytest.mark.parametrize("most", [13, 16, 24, 60])
def test_thinned_out_every_chance_of_every_level_stays(most: int) -> None:
    whole = crossed(own(0.4, 0.3, 0.2, 0.1), together(0.6))
    assert num_kept(whole) == 1 + 3 + 4 + 4
    found = thinned(whole, most, SCORES)
    assert len(found.chances_frac) <= most
    assert (found.chances_frac > 0).all()
    for thing in range(3):
        assert marginal(found, thing) == pytest.approx(marginal(whole, thing), abs=1e-12)


def test_thinned_out_things_still_go_together_or_not() -> None:
    """With room for it, dates know nothing of the own futures, and as much of each other as before."""
    whole = crossed(own(0.4, 0.3, 0.2, 0.1), together(0.6))
    found = thinned(whole, 19, SCORES)
    assert correlation(found, 1, 2) == pytest.approx(correlation(whole, 1, 2), abs=1e-9)
    for level in range(4):
        mine = found.levels[:, 0] == level
        for thing in (1, 2):
            mean = np.average(found.levels[mine, thing], weights=found.chances_frac[mine])
            assert mean == pytest.approx(whole.chances_frac @ whole.levels[:, thing], abs=1e-9)


def test_with_more_room_dates_spread_alike_in_every_own_future() -> None:
    levels = own(0.08, 0.12, 0.6, 0.12, 0.08)
    whole = crossed(own(0.4, 0.3, 0.3), levels)
    found = thinned(whole, 11, SCORES[:2])
    spread = levels.chances_frac @ (np.arange(5.0) - 2) ** 2
    for level in range(3):
        mine = found.levels[:, 0] == level
        mean = np.average((found.levels[mine, 1] - 2.0) ** 2, weights=found.chances_frac[mine])
        assert mean == pytest.approx(spread, abs=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_of_any_outcomes_quantiles_stay_and_values_are_possible(seed: int) -> None:
    """Mixtures of one to four humps, some of them single dates."""
    rng = np.random.default_rng(seed)
    humps = [
        rng.normal(rng.uniform(10, 100), rng.choice([0.0, 1.0, 20.0]), 3000) for _ in range(1 + seed % 4)
    ]
    days = np.concatenate(humps)
    found = alone(days)
    values = found.values[:, 0]
    assert list(values) == sorted(values)
    assert days.min() - 1e-9 <= values.min() <= values.max() <= days.max() + 1e-9
    for share in SHARES:
        place = int(np.ceil(share * len(days))) - 1
        assert quantile(values, found.chances_frac, share) == pytest.approx(np.sort(days)[place], abs=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_of_any_combinations_every_chance_stays(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 6, size=rng.integers(1, 5))
    levels = np.array(list(np.ndindex(*sizes)))
    chances = rng.dirichlet(np.full(len(levels), 0.3)) + 1e-6
    whole = Joint(levels, chances / chances.sum())
    scores: list[Any] = [None, *(np.sort(rng.uniform(0, 9, size)) for size in sizes[1:])]
    most = num_kept(whole) + int(rng.integers(0, 4))
    found = thinned(whole, most, scores)
    assert len(found.chances_frac) <= most
    assert found.chances_frac.min() > 0.0
    for thing in range(len(sizes)):
        assert marginal(found, thing) == pytest.approx(marginal(whole, thing), abs=1e-9)


def test_of_all_that_keep_the_chances_the_likeliest_is_taken() -> None:
    """Three own futures and five levels, to seven: by trying every seven of the fifteen."""
    levels = own(0.08, 0.12, 0.6, 0.12, 0.08)
    whole = crossed(own(0.5, 0.3, 0.2), levels)
    kept = np.array([[1.0 * (row[0] == n) for row in whole.levels] for n in range(3)]
                    + [[1.0 * (row[1] == n) for row in whole.levels] for n in range(5)])  # fmt: skip
    asked, likely = kept @ whole.chances_frac, np.log(whole.chances_frac)
    best = -np.inf
    for few in combinations(range(15), 7):
        found, *_ = np.linalg.lstsq(kept[:, few], asked, rcond=None)
        if found.min() > -1e-12 and np.allclose(kept[:, few] @ found, asked):
            best = max(best, float(found @ likely[list(few)]))
    few_left = thinned(whole, 7, SCORES[:2])
    place = {tuple(row): n for n, row in enumerate(whole.levels.tolist())}
    mine = [likely[place[tuple(row)]] for row in few_left.levels.tolist()]
    assert few_left.chances_frac @ mine == pytest.approx(best)


def test_what_is_few_enough_stays_as_it_is() -> None:
    whole = crossed(own(0.5, 0.5), own(0.08, 0.12, 0.6, 0.12, 0.08))
    assert thinned(whole, 10, SCORES[:2]) is whole
