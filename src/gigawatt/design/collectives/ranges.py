"""How sure a prediction is: ranges from cross-validation, by size and by how much is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from gigawatt.domain.calibration_collectives import CollectiveSpread

Band = Literal["small", "middle", "large", "exchange"]
SMALL_BYTES = 64 * 1024
LARGE_BYTES = 1024 * 1024
WIDEST = CollectiveSpread(kind="large", known=False, low_frac=0.5, high_frac=2.0, num_rows=0)
"""Where a calibration has no range."""


def band_of(collective: str, bytes_total: float) -> Band:
    """The range of sizes that a collective is scored in."""
    if collective.startswith("moe_"):
        return "exchange"
    if bytes_total <= SMALL_BYTES:
        return "small"
    return "large" if bytes_total >= LARGE_BYTES else "middle"


def spread_among(spreads: Sequence[CollectiveSpread], band: str, known: bool) -> CollectiveSpread:
    """The spread of a range of sizes; the widest there is where a calibration has none."""
    found = [one for one in spreads if one.kind == band and one.known == known]
    return found[0] if found else WIDEST
