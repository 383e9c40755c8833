"""What has been published of programmes, sites, contracts and costs: as it was said, and by whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from gigawatt.domain.record import Sourced

Confidence = Literal["high", "medium", "low"]


class PublishedFact(Sourced):
    """One figure about a programme or the market. A range has two ends; figure and range may both be said."""

    category: str = Field(min_length=1)
    party: str = Field(min_length=1)
    item: str = Field(min_length=1)
    quantity: float | None = None
    """In `unit`, which names base units (W, USD, USD/W/year), or counts ("1"), or is that of the source."""
    low_quantity: float | None = None
    high_quantity: float | None = None
    unit: str = Field(min_length=1)
    confidence: Confidence
    """In that it was said, and means what it seems to."""

    @property
    def ends(self) -> tuple[float, float]:
        """The range, or the figure twice."""
        low = self.quantity if self.low_quantity is None else self.low_quantity
        high = self.quantity if self.high_quantity is None else self.high_quantity
        assert low is not None
        assert high is not None
        return low, high

    def contradictions(self) -> Iterator[str]:
        """What in this row cannot be true, in words."""
        if (self.low_quantity is None) != (self.high_quantity is None):
            yield "low_quantity and high_quantity belong together"
            return
        if self.quantity is None and self.low_quantity is None:
            yield "quantity: neither a figure nor a range is given"
            return
        low, high = self.ends
        if low > high or not low <= (self.quantity if self.quantity is not None else low) <= high:
            yield f"quantity: {self.quantity} is not within {low:g} to {high:g}"
