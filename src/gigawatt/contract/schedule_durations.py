"""Durations as tables over normal scores: one lookup draws any of them, and common factors couple them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from gigawatt.contract.schedule_kernel import MAX_SCORE, NODES_PER_SCORE, NUM_BINS, Floats
from gigawatt.domain.schedule import Duration
from gigawatt.errors import InputError
from gigawatt.laws import schedule as laws

NUM_NODES = int(2 * MAX_SCORE * NODES_PER_SCORE) + 1
_STEPS = 512
"""Places at which the distribution of a PERT duration is worked out."""


def scores() -> Floats:
    """The normal scores at which tables hold a duration."""
    return np.linspace(-MAX_SCORE, MAX_SCORE, NUM_NODES)


def tenths() -> NDArray[np.int8]:
    """The tenth of the normal distribution that each of them lies in."""
    return np.asarray(np.minimum(np.floor(special.ndtr(scores()) * NUM_BINS), NUM_BINS - 1), np.int8)


def is_certain(duration: Duration) -> bool:
    """Whether it can come out in one way only."""
    low, high = duration.low_s, duration.high_s
    return duration.shape == "fixed" or (low is not None and low == high) or _same(duration)


def _same(duration: Duration) -> bool:
    return duration.p10_s is not None and duration.p10_s == duration.p90_s


def quantile_table_s(duration: Duration, score: Floats) -> Floats:
    """Seconds at the normal scores `score`. A prior has to be resolved by then; raises InputError."""
    if duration.prior:
        raise InputError(f'prior "{duration.prior}" stands for a row of the catalogue: look it up first')
    if is_certain(duration):
        certain = (duration.fixed_s, duration.low_s, duration.p10_s)
        return np.full(len(score), next(value for value in certain if value is not None))
    if duration.shape == "lognormal":
        assert duration.p10_s is not None
        assert duration.p90_s is not None
        median_s = laws.lognormal_median_s(duration.p10_s, duration.p90_s)
        spread = laws.lognormal_spread(duration.p10_s, duration.p90_s)
        return np.asarray(laws.lognormal_quantile_s(score, median_s, spread))
    if duration.shape == "fitted":
        return _fitted_s(duration.observed_s, score)
    points = (duration.low_s, duration.likely_s, duration.high_s)
    low_s, likely_s, high_s = (value for value in points if value is not None)
    if duration.shape == "triangular":
        return np.asarray(laws.triangular_quantile_s(special.ndtr(score), low_s, likely_s, high_s))
    return low_s + (high_s - low_s) * np.interp(
        score, *_beta(float(laws.pert_shape(low_s, likely_s, high_s)))
    )


@lru_cache(maxsize=4096)
def _beta(alpha: float) -> tuple[Floats, Floats]:
    """Scores and places of the beta distribution of PERT on 0 to 1, dense where it ends."""
    place = np.sin(np.linspace(0.0, np.pi / 2, _STEPS + 1)) ** 2
    second = laws.pert_shape(0.0, 1.0, 1.0) + 1.0 - alpha
    low, high = special.betainc(alpha, second, place), special.betaincc(alpha, second, place)
    # From the nearer end, so that neither tail is lost in the rounding of a number near one.
    score = np.where(low < 0.5, special.ndtri(low), -special.ndtri(high))
    inside = np.isfinite(score)
    return score[inside], place[inside]


def _fitted_s(observed_s: Sequence[float], at: Floats) -> Floats:
    """Lognormal by the mean and the unbiased deviation of the logarithms of what was observed."""
    logs = np.log(np.asarray(observed_s))
    return np.asarray(laws.lognormal_quantile_s(at, np.exp(logs.mean()), logs.std(ddof=1)))


def remaining_table_s(table_s: Floats, elapsed_s: float, owner: str) -> Floats:
    """A table of what is still under way after `elapsed_s`: the distribution given that it takes longer."""
    nodes = scores()
    if elapsed_s >= table_s[-1]:
        raise InputError(
            f"{owner}: under way for longer than its longest duration: say how long it takes as seen today"
        )
    if elapsed_s <= table_s[0]:
        return table_s
    past_frac = float(special.ndtr(np.interp(elapsed_s, table_s, nodes)))
    left_frac = special.ndtr(-nodes) * (1.0 - past_frac)
    return np.asarray(np.interp(-special.ndtri(left_frac), nodes, table_s))
