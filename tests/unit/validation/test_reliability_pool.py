"""What is pooled from several organisations, against closed forms, brute force and chance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from gigawatt.domain.published_failures import FailureParameter
from gigawatt.validation.reliability_pool import Observation, pool_of

A, B = frozenset({"A"}), frozenset({"B"})


def parameter(**changes: object) -> FailureParameter:
    row = {
        "id": "node_failures", "name": "x", "source": "x", "basis": "estimate", "date": "2026",
        "rate_per_s": 1e-3, "levels": {"prior": 2.0, "organisation": 0.7, "row": 0.4},
    }  # fmt: skip
    return FailureParameter.model_validate({**row, **changes})


def test_nothing_seen_is_nothing_known() -> None:
    assert pool_of(parameter(), []) is None


def test_without_differences_it_is_the_conjugate_normal() -> None:
    """One observation of deviation 1 on a prior of deviation 2: weight 4/5, deviation sqrt(4/5)."""
    still = parameter(levels={"prior": 2.0, "organisation": 1e-6, "row": 1e-6})
    pool = pool_of(still, [Observation(A, "census", 1e-2, 1.0)])
    assert pool is not None
    drawn = np.log(pool.draws("census", frozenset(), 40000, np.random.default_rng(1)) / 1e-3)
    assert drawn.mean() == pytest.approx(0.8 * np.log(10), abs=0.02)
    assert drawn.std() == pytest.approx(np.sqrt(0.8), abs=0.02)


def test_the_next_value_against_brute_force() -> None:
    """Every pair of deviations on a fine grid, each with the joint normal of evidence and next value."""
    seen = [(1e-3, A), (4e-3, A), (2e-3, B)]
    pool = pool_of(parameter(), [Observation(who, "census", value, 0.2) for value, who in seen])
    assert pool is not None
    drawn = np.log(pool.draws("census", B, 40000, np.random.default_rng(2)) / 1e-3)
    logs = np.log([value / 1e-3 for value, _ in seen])
    total = mean = square = 0.0
    for between in np.linspace(0.02, 3, 60):
        for within in np.linspace(0.02, 3, 60):
            organisation, row = 0.7 * between, 0.4 * within
            same = np.array([[a == b for _, b in [*seen, (0, B)]] for _, a in [*seen, (0, B)]])
            covariance = 4.0 + organisation**2 * same + np.diag([row**2 + 0.04] * 3 + [row**2])
            weight = np.exp(-0.5 * (between**2 + within**2))
            weight *= multivariate_normal.pdf(logs, np.zeros(3), covariance[:3, :3])
            along = np.linalg.solve(covariance[:3, :3], covariance[:3, 3])
            middle, spread = along @ logs, covariance[3, 3] - along @ covariance[:3, 3]
            total, mean = total + weight, mean + weight * middle
            square += weight * (middle**2 + spread)
    assert drawn.mean() == pytest.approx(mean / total, abs=0.03)
    assert drawn.std() == pytest.approx(np.sqrt(square / total - (mean / total) ** 2), rel=0.03)


def test_an_organisation_known_already_is_nearer_to_itself() -> None:
    pool = pool_of(
        parameter(), [Observation(A, "census", 1e-3, 0.1), Observation(B, "census", 1e-2, 0.1)] * 3
    )
    assert pool is not None
    assert pool.middle("census", A) < pool.middle("census", frozenset()) < pool.middle("census", B)


def test_ranges_hold_what_they_promise() -> None:
    """Fleets drawn from the model itself: nine of ten next values lie between the 5 % and 95 % points."""
    rng = np.random.default_rng(3)
    row = parameter(levels={"prior": 1.0, "organisation": 0.7, "row": 0.4})
    held = 0
    for _ in range(150):
        centre = rng.normal()
        between, within = abs(rng.normal(0, 0.7)), abs(rng.normal(0, 0.4))
        logs = centre + rng.normal(0, between, 6) + rng.normal(0, within, 6)
        seen = [
            Observation(frozenset({str(n)}), "census", 1e-3 * np.exp(log + rng.normal(0, 0.1)), 0.1)
            for n, log in enumerate(logs[:5])
        ]
        pool = pool_of(row, seen)
        assert pool is not None
        low, high = np.percentile(pool.draws("census", frozenset(), 1000, rng), [5, 95])
        held += low <= 1e-3 * np.exp(logs[5]) <= high
    assert 0.83 <= held / 150 <= 0.97  # two deviations of chance on either side of nine in ten


def test_views_are_offset_and_shares_stay_shares() -> None:
    views = parameter(
        offsets={"run": 1.0, "jobs": 5.0},
        levels={"prior": 2.0, "organisation": 0.7, "row": 0.4, "run": 0.3, "jobs": 1.0},
    )
    pool = pool_of(views, [Observation(A, "census", 1e-3, 0.1)])
    assert pool is not None
    assert pool.middle("jobs", A) == pytest.approx(5 * pool.middle("census", A))
    share = parameter(rate_per_s=None, share_frac=0.5)
    pool = pool_of(share, [Observation(A, "census", 0.99, 0.1)])
    assert pool is not None
    assert 0.0 < pool.draws("census", A, 1000, np.random.default_rng(4)).max() < 1.0


def test_a_parameter_has_one_centre() -> None:
    with pytest.raises(ValueError, match="one of"):
        parameter(share_frac=0.5)
