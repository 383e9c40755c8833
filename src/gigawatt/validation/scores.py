"""Scores of predictions: relative errors, intervals, ranks. Arrays in, records out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gigawatt.domain.validation import IntervalScore, RepeatFloor, Score

Floats = NDArray[np.float64]

INTERVAL_FRAC = 0.8
"""Share of outcomes that lies between the 10 % and the 90 % point."""


def score(predicted: ArrayLike, measured: ArrayLike) -> Score:
    """Relative errors of predictions against measurements of the same unit.

    >>> score([1.1, 1.8], [1.0, 2.0]).mape_frac
    0.1
    """
    error = np.asarray(predicted, dtype=float) / np.asarray(measured, dtype=float) - 1.0
    if error.size == 0:
        return Score(n=0)
    size = np.abs(error)
    return Score(
        n=error.size,
        mape_frac=_rounded(size.mean()),
        median_frac=_rounded(np.median(size)),
        p90_frac=_rounded(np.quantile(size, 0.9)),
        max_frac=_rounded(size.max()),
        bias_frac=_rounded(error.mean()),
    )


def interval_score(
    low: ArrayLike, high: ArrayLike, measured: ArrayLike, held_frac: float = INTERVAL_FRAC
) -> IntervalScore:
    """Coverage, width and interval score of intervals that hold `held_frac`, relative to the measurement.

    Source of the score: Gneiting and Raftery, "Strictly proper scoring rules, prediction, and estimation",
    JASA 102 (2007), equation 43: width, and 2/alpha times the distance of a measurement outside.

    >>> interval_score([0.9, 0.9], [1.1, 1.1], [1.0, 1.0]).coverage_frac
    1.0
    """
    true = np.asarray(measured, dtype=float)
    bottom, top = np.asarray(low, dtype=float) / true, np.asarray(high, dtype=float) / true
    if true.size == 0:
        return IntervalScore(n=0)
    penalty = 2.0 / (1.0 - held_frac)
    missed = np.maximum(bottom - 1.0, 0.0) + np.maximum(1.0 - top, 0.0)
    return IntervalScore(
        n=true.size,
        coverage_frac=_rounded(np.mean(missed <= 0.0)),
        width_frac=_rounded(np.mean(top - bottom)),
        winkler_frac=_rounded(np.mean(top - bottom + penalty * missed)),
    )


def spearman(a: ArrayLike, b: ArrayLike) -> float:
    """Spearman's rank correlation; ties share their mean rank, and an order without differences has none (0).

    >>> spearman([1.0, 2.0, 3.0], [10.0, 30.0, 20.0])
    0.5
    """
    first, second = _ranks(np.asarray(a, dtype=float)), _ranks(np.asarray(b, dtype=float))
    first, second = first - first.mean(), second - second.mean()
    spread = np.sqrt(np.sum(first**2) * np.sum(second**2))
    return _rounded(np.sum(first * second) / spread) if spread > 0.0 else 0.0


def _ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last: Floats = np.cumsum(counts) - (counts - 1) / 2.0
    return last[inverse]


def regret(predicted_rate: ArrayLike, measured_rate: ArrayLike) -> float:
    """How far the measured rate of the predicted best stays below the best measured, as a share of it.

    >>> regret([3.0, 2.0, 1.0], [90.0, 100.0, 80.0])
    0.1
    """
    rate = np.asarray(measured_rate, dtype=float)
    return _rounded(1.0 - rate[int(np.argmax(np.asarray(predicted_rate, dtype=float)))] / rate.max())


def repeat_floor(repeats: Sequence[Sequence[float]]) -> RepeatFloor:
    """How far measurements of one configuration differ: relative difference of two, on average.

    `repeats` holds the measurements of each configuration; those measured once say nothing.
    """
    gaps = [_mean_gap(np.asarray(one, dtype=float)) for one in repeats if len(one) > 1]
    if not gaps:
        return RepeatFloor(num_configurations=0)
    return RepeatFloor(
        num_configurations=len(gaps), median_frac=_rounded(np.median(gaps)), mean_frac=_rounded(np.mean(gaps))
    )


def _mean_gap(values: Floats) -> float:
    above, below = np.triu_indices(values.size, k=1)
    return float(np.mean(np.abs(values[above] - values[below]) / (0.5 * (values[above] + values[below]))))


def _rounded(value: float | np.floating[ArrayLike]) -> float:  # type: ignore[type-var]
    return round(float(value), 9)
