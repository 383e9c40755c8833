"""How dear a year was: the index by which amounts of one year are stated in dollars of another."""

from __future__ import annotations

from pydantic import Field

from gigawatt.domain.record import Sourced


class PriceLevels(Sourced):
    """An index of prices by year."""

    levels: dict[str, float] = Field(min_length=1)
    """By year; only their ratios mean something."""

    def level(self, year: int) -> float | None:
        """The index of a year, None where it is not known."""
        return self.levels.get(str(year))
