"""Intervals of collectives from cross-validation: how far measurements lie from blind predictions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.collectives.ranges import WIDEST
from gigawatt.domain.calibration_collectives import CollectiveSpread

Floats = NDArray[np.float64]

LOW, HIGH = 0.1, 0.9
MIN_ROWS = 10
"""Residuals from which on their 10 % and 90 % points are worth more than those of all sizes together."""
BANDS = ("small", "middle", "large", "exchange")


@dataclass(frozen=True)
class CollectiveResiduals:
    """Measured over predicted [cases], and what the fit that predicted each knew of it."""

    ratio: Floats
    bands: tuple[str, ...]
    known: tuple[bool, ...]
    folds: tuple[str, ...]

    def of(self, band: str, known: bool, without: str = "") -> tuple[Floats, tuple[str, ...]]:
        """Those of one range of sizes, and their folds; without one fold's own."""
        rows = zip(self.bands, self.known, self.folds, strict=True)
        at = [i for i, row in enumerate(rows) if row[0] == band and row[1] == known and row[2] != without]
        return self.ratio[at], tuple(self.folds[i] for i in at)


def collective_spread(
    residuals: CollectiveResiduals, band: str, known: bool, without: str = ""
) -> CollectiveSpread:
    """The 10 % and 90 % points of a range of sizes; never narrower for less known transports.

    Where too few unseen transports were measured at such sizes, those of large sizes stand in.
    """
    rows = residuals.of(band, known, without)
    surer = residuals.of(band, True, without)
    wider = rows if known else residuals.of("large", False, without)
    low, high = _points(*rows) or _points(*wider) or _points(*surer) or (WIDEST.low_frac, WIDEST.high_frac)
    if not known and (better := _points(*surer)):
        low, high = min(low, better[0]), max(high, better[1])
    return CollectiveSpread(
        kind=band, known=known, low_frac=round(low, 4), high_frac=round(high, 4), num_rows=len(rows[1])
    )


def collective_spreads(residuals: CollectiveResiduals) -> tuple[CollectiveSpread, ...]:
    """All of them."""
    return tuple(collective_spread(residuals, band, known) for band in BANDS for known in (True, False))


def _points(ratio: Floats, folds: tuple[str, ...]) -> tuple[float, float] | None:
    """The 10 % and 90 % points, every fold counted once: a machine yet unseen is one fold more, not one row.

    Rows of a fold err alike, so those of long series would otherwise speak for all.
    """
    if len(ratio) < MIN_ROWS:
        return None
    order = np.argsort(ratio, kind="stable")
    number = Counter(folds)
    weight = np.array([1.0 / number[folds[i]] for i in order]) / len(number)
    low, high = np.interp((LOW, HIGH), np.cumsum(weight) - weight / 2, ratio[order])
    return float(low), float(high)
