"""Ranges beside figures: `low_x` and `high_x` are the 10 and 90 % points of what `x` states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gigawatt.domain.record import Record


def range_of(record: Record, name: str) -> tuple[Any, Any] | None:
    """The low and the high end of a field; None where none is stated."""
    low, high = (getattr(record, f"{end}_{name}") for end in ("low", "high"))
    return None if low is None or high is None else (low, high)


def require_ranges(record: Record, names: tuple[str, ...]) -> None:
    """Raises ValueError where a range has one end, or does not hold what is stated."""
    for name in names:
        middle, low, high = (getattr(record, f"{end}{name}") for end in ("", "low_", "high_"))
        if (low is None) != (high is None):
            raise ValueError(f"low_{name} and high_{name} belong together")
        if low is None:
            continue
        if middle is None or not all(a <= b <= c for a, b, c in _triples(low, middle, high)):
            raise ValueError(f"{name} is not between low_{name} and high_{name}: put them in order")


def _triples(low: Any, middle: Any, high: Any) -> Iterator[tuple[float, float, float]]:
    """Low, middle and high of each member: of mappings by the middle's keys, of sequences by place."""
    if isinstance(middle, dict):
        if set(low) != set(middle) or set(high) != set(middle):
            raise ValueError("a range names the same kinds as the figure that it belongs to")
        yield from ((low[key], value, high[key]) for key, value in middle.items())
    elif isinstance(middle, tuple):
        count = max(map(len, (low, middle, high)))
        yield from zip(*(padded(one, count) for one in (low, middle, high)), strict=True)
    else:
        yield low, middle, high


def padded(values: tuple[float, ...], count: int) -> tuple[float, ...]:
    """The last value holds on."""
    return values + values[-1:] * (count - len(values))
