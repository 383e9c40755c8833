"""Rows of the catalogue in dollars of the year that is asked for; what cannot be restated stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from gigawatt.domain.energy import EnergyTechnology, Tariff
from gigawatt.domain.price_levels import PriceLevels
from gigawatt.domain.record import Record
from gigawatt.laws.finance import repriced_usd

Row = TypeVar("Row", EnergyTechnology, Tariff)


def in_dollars_of(row: Row, year: int, levels: PriceLevels) -> Row:
    """The row with every amount of money restated; itself where its year is the one asked for, or unknown."""
    then, now = levels.level(row.price_year), levels.level(year)
    if row.price_year == year or then is None or now is None:
        return row
    factor = float(repriced_usd(1.0, then, now))
    note = f"Restated from dollars of {row.price_year} by {factor:.4f} ({levels.source})."
    restated = _restated(row, factor)
    return row.model_copy(update={**restated, "price_year": year, "note": f"{row.note} {note}".strip()})


def restatement(before: Row, after: Row) -> str | None:
    """What was done to a row, in words."""
    if before.price_year == after.price_year:
        return None
    return f"{before.id} from {before.price_year}"


def _restated(record: Record, factor: float) -> Mapping[str, Any]:
    """The fields that change: amounts of money, and records that hold some."""
    found: dict[str, Any] = {}
    for name, value in record:
        if isinstance(value, float) and "usd" in name.split("_"):
            found[name] = value * factor
        elif isinstance(value, tuple) and value and isinstance(value[0], Record):
            found[name] = tuple(one.model_copy(update=dict(_restated(one, factor))) for one in value)
    return found
