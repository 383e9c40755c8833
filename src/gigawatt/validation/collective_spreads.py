"""Intervals of collectives from cross-validation: how far measurements lie from blind predictions."""

from __future__ import annotations

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

    def of(self, band: str, known: bool, without: str = "") -> Floats:
        """Those of one range of sizes; without one fold's own."""
        rows = zip(self.bands, self.known, self.folds, strict=True)
        at = [i for i, row in enumerate(rows) if row[0] == band and row[1] == known and row[2] != without]
        return self.ratio[at]


def collective_spread(
    residuals: CollectiveResiduals, band: str, known: bool, without: str = ""
) -> CollectiveSpread:
    """The 10 % and 90 % points of a range of sizes; never narrower for less known transports.

    Where too few unseen transports were measured at such sizes, those of large sizes stand in.
    """
    rows = residuals.of(band, known, without)
    surer = residuals.of(band, True, without)
    wider = rows if known else residuals.of("large", False, without)
    low, high = _points(rows) or _points(wider) or _points(surer) or (WIDEST.low_frac, WIDEST.high_frac)
    if not known and (better := _points(surer)):
        low, high = min(low, better[0]), max(high, better[1])
    return CollectiveSpread(
        kind=band, known=known, low_frac=round(low, 4), high_frac=round(high, 4), num_rows=len(rows)
    )


def collective_spreads(residuals: CollectiveResiduals) -> tuple[CollectiveSpread, ...]:
    """All of them."""
    return tuple(collective_spread(residuals, band, known) for band in BANDS for known in (True, False))


def _points(ratio: Floats) -> tuple[float, float] | None:
    if len(ratio) < MIN_ROWS:
        return None
    return float(np.quantile(ratio, LOW)), float(np.quantile(ratio, HIGH))
