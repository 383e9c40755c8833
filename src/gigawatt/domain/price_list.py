"""A price list that was read: its offers, and a reason for every line that is none."""

from __future__ import annotations

from typing import Literal

from gigawatt.domain.market import Offer
from gigawatt.domain.record import Record

ListKind = Literal["SkyPilot", "gpuhunt", "FOCUS", "gigawatt"]


class LineOfPrices(Record):
    """A line that became no offer, and why."""

    line: int
    message: str


class PriceList(Record):
    """Everything that a file of prices holds: used lines and remarks add up to its lines."""

    kind: ListKind
    file: str
    num_lines: int
    num_used: int
    offers: tuple[Offer, ...]
    remarks: tuple[LineOfPrices, ...] = ()
    conflicts: tuple[str, ...] = ()
    """Offers that contradict each other."""
