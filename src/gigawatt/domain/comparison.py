"""What differs between two plans."""

from __future__ import annotations

from gigawatt.domain.record import Record


class Change(Record):
    """One value that is not the same in both; None where one of them does not have it."""

    where: str
    key: str
    """The name of the value: its last part tells the unit."""
    before: int | float | str | bool | None
    after: int | float | str | bool | None


class Comparison(Record):
    """Causes are what went in, effects what came out."""

    causes: tuple[Change, ...]
    effects: tuple[Change, ...]
