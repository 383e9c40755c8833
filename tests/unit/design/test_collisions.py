"""Hash collisions on two hops, against every hash there is, the exact law of one hop, and fair sharing."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from gigawatt.design.fabric.collisions import hash_collisions
from gigawatt.laws.congestion import ecmp_share, max_min_shares


def test_flows_that_meet_nobody_lose_nothing() -> None:
    assert hash_collisions([(0, 0), (1, 1)], 4) == (1.0, 1.0, 1.0)
    assert hash_collisions([(0, 1)], 4) == (1.0, 1.0, 1.0)


def test_flows_of_one_leaf_to_many_are_balls_into_bins() -> None:
    """Only the links up are shared, so the drawn slow-down is the law of one hop."""
    drawn = hash_collisions([(0, other) for other in range(1, 9)], 8, num_draws=10_000)
    exact = ecmp_share(8, 8)
    assert drawn.mean_factor == pytest.approx(exact.mean_factor, rel=0.01)
    assert drawn.p99_factor == exact.p99_factor


def test_slow_downs_are_those_of_all_hashes_on_both_hops() -> None:
    flows = [(0, 1), (0, 2), (3, 1), (0, 1)]
    every, attained = [], []
    for spines in product(range(3), repeat=len(flows)):
        loads = []
        for flow, spine in zip(flows, spines, strict=True):
            up = sum(f[0] == flow[0] and s == spine for f, s in zip(flows, spines, strict=True))
            down = sum(f[1] == flow[1] and s == spine for f, s in zip(flows, spines, strict=True))
            loads.append(max(up, down))
        every.append(max(loads))
        attained.append(np.mean([1 / load for load in loads]))
    drawn = hash_collisions(flows, 3, num_draws=10_000, seed=3)
    assert drawn.mean_factor == pytest.approx(np.mean(every), rel=0.01)
    assert drawn.attained_frac == pytest.approx(np.mean(attained), rel=0.01)


def test_what_is_attained_is_a_lower_bound_of_fair_sharing() -> None:
    flows = [(0, 1), (0, 2), (1, 2), (1, 0), (2, 0), (2, 1)]
    rng = np.random.default_rng(5)
    fair = []
    for _ in range(400):
        spine = rng.integers(0, 2, len(flows))
        uses = np.zeros((len(flows), 12))
        for row, ((one, other), above) in enumerate(zip(flows, spine, strict=True)):
            uses[row, [2 * one + above, 6 + 2 * other + above]] = 1.0
        fair.append(max_min_shares(uses, np.ones(12)).mean())
    drawn = hash_collisions(flows, 2, num_draws=400, seed=5)
    assert np.mean(fair) - 0.15 < drawn.attained_frac <= np.mean(fair) + 0.01


def test_queue_pairs_even_out_and_the_seed_decides() -> None:
    flows = [(one, (one + shift) % 8) for one in range(8) for shift in range(1, 5)]
    one, many = (hash_collisions(flows, 4, qps) for qps in (1, 16))
    assert many.mean_factor < one.mean_factor
    assert many.attained_frac > one.attained_frac
    assert hash_collisions(flows, 4, seed=1) == hash_collisions(flows, 4, seed=1)
    assert hash_collisions(flows, 4, seed=1) != hash_collisions(flows, 4, seed=2)
