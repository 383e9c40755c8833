"""Intervals from cross-validation: how far measurements lie from predictions that had not seen them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gigawatt.design.training.context import UNKNOWN
from gigawatt.domain.calibration import Spread
from gigawatt.validation.batch import Floats

LOW, HIGH = 0.1, 0.9
MIN_ROWS = 12
"""Residuals from which on their 10 % and 90 % points are worth more than those of all models together."""
SCOPES = ("software", "accelerator", "neither")
"""From the best known to the least."""


@dataclass(frozen=True)
class Residuals:
    """Measured over predicted [configurations], and what the fit that predicted each knew of it."""

    ratio: Floats
    scopes: tuple[str, ...]
    moe: tuple[bool, ...]
    folds: tuple[str, ...]

    def without(self, fold: str) -> Residuals:
        """The residuals of all other folds."""
        return self._where([one != fold for one in self.folds])

    def at(self, scope: str, moe: bool | None = None) -> Residuals:
        """The residuals at one scope, of one type of model where it is given."""
        pairs = zip(self.scopes, self.moe, strict=True)
        return self._where([known == scope and moe in (None, kind) for known, kind in pairs])

    def _where(self, chosen: list[bool]) -> Residuals:
        at = [i for i, wanted in enumerate(chosen) if wanted]
        return Residuals(
            self.ratio[at],
            tuple(self.scopes[i] for i in at),
            tuple(self.moe[i] for i in at),
            tuple(self.folds[i] for i in at),
        )


def spread_for(residuals: Residuals, scope: str, moe: bool) -> Spread:
    """The 10 % and 90 % points at a scope, from the residuals nearest in kind of which there are enough.

    Never narrower than where more is known: knowing less does not make a prediction surer.
    """
    own = _quantiles(residuals.at(scope, moe)) or _quantiles(residuals.at(scope))
    if own is None:
        return UNKNOWN.model_copy(update={"scope": scope, "moe": moe})
    low, high, count = own
    for better in SCOPES[: SCOPES.index(scope)]:
        if surer := _quantiles(residuals.at(better, moe)):
            low, high = min(low, surer[0]), max(high, surer[1])
    return Spread(
        scope=scope,  # type: ignore[arg-type]
        moe=moe,
        low_frac=round(min(low, 1.0), 4),
        high_frac=round(max(high, 1.0), 4),
        num_rows=count,
    )


def _quantiles(residuals: Residuals) -> tuple[float, float, int] | None:
    """The 10 % and 90 % points and of how many residuals; None where there are too few."""
    count = len(residuals.folds)
    if count < MIN_ROWS:
        return None
    low, high = np.quantile(residuals.ratio, [LOW, HIGH])
    return float(low), float(high), count


def joined(parts: list[Residuals]) -> Residuals:
    """Residuals of several cross-validations together."""
    return Residuals(
        np.concatenate([part.ratio for part in parts]),
        tuple(one for part in parts for one in part.scopes),
        tuple(one for part in parts for one in part.moe),
        tuple(one for part in parts for one in part.folds),
    )


def all_spreads(residuals: Residuals) -> tuple[Spread, ...]:
    """Every scope and type of model."""
    return tuple(spread_for(residuals, scope, moe) for scope in SCOPES for moe in (False, True))
