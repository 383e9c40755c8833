"""Collisions, fair shares and stragglers, against enumeration, closed forms and other solvers."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest
from scipy.optimize import linprog

from gigawatt.laws import congestion as laws


def enumerated_max_loads(num_flows: int, num_links: int) -> Counter[int]:
    """How many of the k^n ways of hashing have which fullest link."""
    ways = product(range(num_links), repeat=num_flows)
    return Counter(max(Counter(way).values()) for way in ways)


def exact_cdf(num_flows: int, num_links: int, most: int) -> Fraction:
    """The same by integer recursion over links: ways to place what is left with at most `most` each."""
    ways = [1] + [0] * num_flows
    for _ in range(num_links):
        ways = [
            sum(comb(placed, here) * ways[placed - here] for here in range(min(most, placed) + 1))
            for placed in range(num_flows + 1)
        ]
    return Fraction(ways[num_flows], num_links**num_flows)


@pytest.mark.parametrize(("num_flows", "num_links"), [(1, 1), (1, 4), (4, 1), (2, 2), (5, 3), (6, 4), (8, 3)])
def test_the_fullest_link_is_that_of_all_hashes(num_flows: int, num_links: int) -> None:
    counted = enumerated_max_loads(num_flows, num_links)
    total = num_links**num_flows
    cdf = laws.max_load_cdf(num_flows, num_links)
    expected = [sum(n for load, n in counted.items() if load <= m) / total for m in range(num_flows + 1)]
    assert cdf == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(("num_flows", "num_links"), [(64, 8), (100, 64), (200, 16), (256, 256)])
def test_the_distribution_is_exact_where_nobody_can_enumerate(num_flows: int, num_links: int) -> None:
    cdf = laws.max_load_cdf(num_flows, num_links)
    for most in range(int(num_flows / num_links), cdf.size - 1, 3):
        assert cdf[most] == pytest.approx(float(exact_cdf(num_flows, num_links, most)), abs=1e-10)


def test_many_flows_agree_with_drawn_hashes() -> None:
    draws = np.random.default_rng(1).multinomial(2048, [1 / 64] * 64, size=20_000).max(axis=1)
    mean, p99 = laws.ecmp_share(2048, 64)
    assert mean == pytest.approx(draws.mean() / 32, rel=3e-3)
    assert p99 == pytest.approx(np.quantile(draws, 0.99) / 32, rel=0.03)


@pytest.mark.parametrize("qps", [1, 2, 3])
@pytest.mark.parametrize("fill", [1.0, 0.5])
def test_slow_downs_are_those_of_all_hashes(qps: int, fill: float) -> None:
    """Three flows on three links, each of `qps` parts: every way of hashing, one by one."""
    factors = []
    for way in product(range(3), repeat=3 * qps):
        fullest = max(Counter(way).values()) * fill / qps
        even = max(1.0, 3 * fill / 3)
        factors.append(max(fullest, even) / even)
    mean, p99 = laws.ecmp_share(3, 3, qps, fill)
    assert mean == pytest.approx(np.mean(factors))
    assert p99 == pytest.approx(np.quantile(factors, 0.99, method="inverted_cdf"))


def test_more_queue_pairs_and_more_headroom_never_hurt() -> None:
    by_pairs = [laws.ecmp_share(16, 16, qps).mean_factor for qps in (1, 2, 4, 8, 16, 32)]
    assert by_pairs == sorted(by_pairs, reverse=True)
    by_fill = [laws.ecmp_share(16, 16, 4, fill).mean_factor for fill in (0.25, 0.5, 1.0)]
    assert by_fill == sorted(by_fill)


def test_links_that_idle_are_those_of_all_hashes() -> None:
    busy = [len(set(way)) / 4 for way in product(range(4), repeat=5)]
    assert laws.busy_links_frac(5, 4) == pytest.approx(np.mean(busy))


def test_the_leading_order_is_near_the_exact_mean() -> None:
    exact = laws.ecmp_share(4096, 8).mean_factor * 4096 / 8
    assert laws.fullest_link_flows(4096, 8) == pytest.approx(exact, rel=0.03)


def lexicographic_shares(uses: np.ndarray, capacity: np.ndarray) -> np.ndarray:
    """Max-min fairness by its definition: raise the least rate by a linear programme, fix what is stuck."""
    num_flows = uses.shape[0]
    fixed: dict[int, float] = {}
    while len(fixed) < num_flows:

        def highest(objective: np.ndarray, floor: float | None = None) -> float:
            rows = [np.append(uses[:, link], 0.0) for link in range(uses.shape[1])]
            bounds = [(fixed.get(flow, 0.0), fixed.get(flow)) for flow in range(num_flows)]
            limits = list(capacity)
            for flow in set(range(num_flows)) - set(fixed):
                rows.append(np.append(-np.eye(num_flows)[flow], 1.0))
                limits.append(0.0)
            low = (floor, floor) if floor is not None else (0.0, None)
            done = linprog(-objective, rows, limits, bounds=[*bounds, low])
            return float(-done.fun)

        least = highest(np.append(np.zeros(num_flows), 1.0))
        for flow in sorted(set(range(num_flows)) - set(fixed)):
            if highest(np.append(np.eye(num_flows)[flow], 0.0), least - 1e-12) <= least + 1e-7:
                fixed[flow] = least
    return np.array([fixed[flow] for flow in range(num_flows)])


@pytest.mark.parametrize("seed", range(8))
def test_fair_shares_are_those_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    uses = (rng.random((6, 4)) < 0.5).astype(float)
    uses[np.arange(6), rng.integers(0, 4, 6)] = 1.0
    capacity = rng.integers(1, 5, 4).astype(float)
    expected = lexicographic_shares(uses, capacity)
    assert laws.max_min_shares(uses, capacity) == pytest.approx(expected, abs=1e-5)


def test_groups_beyond_a_full_link_share_in_proportion() -> None:
    """Against processor sharing flow by flow: equal flows of two groups on one link."""
    rates = laws.max_min_shares(np.ones((6, 1)), np.array([4.0]))
    assert 1 / rates[0] == pytest.approx(laws.contention_factor(3 / 4, 3 / 4))


def test_the_wait_for_the_last_is_a_harmonic_number() -> None:
    for num_ranks in (2, 8, 1000):
        harmonic = sum(1 / n for n in range(1, num_ranks + 1))
        assert laws.last_arrival_s(2.0, num_ranks) == pytest.approx(2 * harmonic, rel=1e-3)


def test_a_straggler_holds_back_no_more_than_its_share() -> None:
    assert laws.straggler_factor(1.0, 0.7) == 1
    assert laws.straggler_factor(0.5, 0.5) == 1.5
