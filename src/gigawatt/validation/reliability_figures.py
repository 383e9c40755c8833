"""Published figures from quantities, and quantities from published figures, a short function for each kind.

Everything that a fleet's figure follows from is drawn at random together: what its organisation may be like,
and the chance in a count. The middle of the draws is the prediction, their 5 % and 95 % points are its range.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import poisson

from gigawatt.domain.published_failures import Figure, Quantity
from gigawatt.laws import reliability
from gigawatt.validation.reliability_pool import Floats, Observation, Pool

NUM_DRAWS = 4096
_ENOUGH_PERCENT = 99
"""Chance with which spares are to suffice."""


class UnseenError(Exception):
    """Nobody whose figures may be used has seen a quantity."""


@dataclass(frozen=True)
class Knowledge:
    """What may be known when the figures of some organisations are predicted."""

    pools: Mapping[Quantity, Pool | None]
    organisations: frozenset[str]
    rng: np.random.Generator

    def draw(self, quantity: Quantity, figure: Figure) -> Floats:
        """Random values of a quantity at these organisations."""
        pool = self.pools[quantity]
        if pool is None:
            name = quantity.replace("_", " ")
            raise UnseenError(f"no other organisation states what it takes to predict this ({name})")
        return pool.draws(figure.view, self.organisations, NUM_DRAWS, self.rng)

    def failures_per_s(self, figure: Figure) -> Floats:
        """Of all units together: nodes as the view counts them, or links."""
        direct = figure.quantity in ("node_failures", "link_failures", "corruptions")
        each = self.draw(figure.quantity if direct else "node_failures", figure)
        share = self.draw("gpu_share", figure) if figure.of_gpus else 1.0
        return np.asarray(reliability.job_failures_per_s(figure.num_units, each * share))


def predict(figure: Figure, known: Knowledge) -> Floats:
    """Random values of the figure, in the unit in which it is printed. Raises UnseenError."""
    return _FORWARD[figure.predicts](figure, known)


def _count(figure: Figure, known: Knowledge) -> Floats:
    expected = known.failures_per_s(figure) * (figure.period_s or 1.0)
    return np.asarray(known.rng.poisson(expected) + float(figure.num_planned))


def _rate(figure: Figure, known: Knowledge) -> Floats:
    return known.failures_per_s(figure) * (figure.period_s or 1.0)


def _interval(figure: Figure, known: Knowledge) -> Floats:
    rate = known.failures_per_s(figure)
    if figure.period_s is None:
        return 1.0 / rate / figure.unit_s
    counted = np.maximum(known.rng.poisson(rate * figure.period_s), 1)
    return np.asarray(figure.period_s / counted / figure.unit_s)


def _share(figure: Figure, known: Knowledge) -> Floats:
    return known.draw(figure.quantity, figure)


def _others(figure: Figure, known: Knowledge) -> Floats:
    return 1.0 - known.draw(figure.quantity, figure)


def _members(figure: Figure, known: Knowledge) -> Floats:
    share = known.draw(figure.quantity, figure)
    return known.rng.binomial(round(figure.num_units), share).astype(float)


def _duration(figure: Figure, known: Knowledge) -> Floats:
    return known.draw(figure.quantity, figure) / figure.unit_s


def _recovery_s(figure: Figure, known: Knowledge) -> Floats:
    return np.array(figure.recovery_s) if figure.recovery_s else known.draw(figure.quantity, figure)


def _kept(figure: Figure, known: Knowledge) -> Floats:
    wait_s = _recovery_s(figure, known)
    interval_s = figure.interval_s or 1.0
    rate = known.failures_per_s(figure)
    return np.asarray(reliability.renewal_ettr_frac(rate, interval_s, 0.0, 0.0, wait_s))


def _lost(figure: Figure, known: Knowledge) -> Floats:
    return 1.0 - _kept(figure, known)


def _interval_for(figure: Figure, known: Knowledge) -> Floats:
    restart_s = _recovery_s(figure, known)
    rate = known.failures_per_s(figure)
    return (
        np.asarray(reliability.interval_of_ettr_s(figure.kept_frac or 0.5, rate, restart_s)) / figure.unit_s
    )


def _failed_after(figure: Figure, known: Knowledge) -> Floats:
    share = known.draw(figure.quantity, figure)
    return np.asarray(reliability.sound_failed_frac(figure.failed_frac or 0.0, share))


def _network_share(figure: Figure, known: Knowledge) -> Floats:
    network = known.failures_per_s(figure)
    others = known.draw("node_failures", figure)
    return np.minimum(network / others, 1.0)


def _spares(figure: Figure, known: Knowledge) -> Floats:
    return np.asarray(poisson.ppf(_ENOUGH_PERCENT / 100, _rate(figure, known)))


def _law_error(figure: Figure, known: Knowledge) -> Floats:
    rate, wait_s = known.failures_per_s(figure), known.draw(figure.quantity, figure)
    interval_s = figure.interval_s or 1.0
    exact = reliability.renewal_ettr_frac(rate, interval_s, 0.0, 0.0, wait_s)
    # Without an end: neither the first start nor a short run.
    first_order = reliability.expected_ettr_frac(rate, interval_s, 0.0, wait_s, 0.0, np.inf)
    return np.asarray(np.abs(first_order / exact - 1.0))


_FORWARD: Mapping[str, Callable[[Figure, Knowledge], Floats]] = {
    "count": _count,
    "rate": _rate,
    "interval": _interval,
    "share": _share,
    "others": _others,
    "members": _members,
    "duration": _duration,
    "kept": _kept,
    "lost": _lost,
    "interval_for": _interval_for,
    "failed_after": _failed_after,
    "network_share": _network_share,
    "spares": _spares,
    "law_error": _law_error,
}


def observation_of(
    figure: Figure,
    middle: float,
    sd: float,
    organisations: frozenset[str],
    gpu_frac: float,
    rate_per_s: float,
) -> Observation | None:
    """What a printed figure says of its quantity; None where it says nothing (less was lost than is given).

    `gpu_frac` and `rate_per_s` (of a node) are what is known besides, for figures that need them.
    """
    value = _BACKWARD[figure.predicts](figure, middle, rate_per_s)
    if value <= 0.0:
        return None
    counted = 1.0 / max(middle - figure.num_planned, 1.0) if figure.predicts in ("count", "members") else 0.0
    scale = 1.0 / gpu_frac if figure.of_gpus else 1.0
    spread = float(np.sqrt(figure.sd**2 + sd**2 + counted))
    return Observation(organisations, figure.view, value * scale, spread)


def _from_count(figure: Figure, middle: float, _rate: float) -> float:
    return (middle - figure.num_planned) / (figure.num_units * (figure.period_s or 1.0))


def _from_rate(figure: Figure, middle: float, _rate: float) -> float:
    return middle / (figure.num_units * (figure.period_s or 1.0))


def _from_interval(figure: Figure, middle: float, _rate: float) -> float:
    return 1.0 / (middle * figure.unit_s * figure.num_units)


def _from_kept(figure: Figure, middle: float, rate_per_s: float) -> float:
    rate = reliability.job_failures_per_s(figure.num_units, rate_per_s)
    return float(reliability.lost_per_interruption_s(middle, rate, figure.interval_s or 0.0))


_BACKWARD: Mapping[str, Callable[[Figure, float, float], float]] = {
    "count": _from_count,
    "rate": _from_rate,
    "interval": _from_interval,
    "share": lambda _figure, middle, _rate: middle,
    "members": lambda figure, middle, _rate: middle / figure.num_units,
    "duration": lambda figure, middle, _rate: middle * figure.unit_s,
    "kept": _from_kept,
    "lost": lambda figure, middle, rate: _from_kept(figure, 1.0 - middle, rate),
}
