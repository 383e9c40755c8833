"""Axes of a figure: from values to positions, with ticks that a reader can use."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

_LOG_SPAN = 12.0
"""Beyond this ratio of largest to smallest value a linear axis squeezes the small ones together."""
_NICE_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_LOG_STEPS = (1.0, 2.0, 5.0)
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200)
_DAY_STEPS = (1, 2, 7, 14)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Tick:
    """One labelled value on an axis."""

    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of values, linear or logarithmic, and the ticks on it."""

    label: str
    low: float
    high: float
    ticks: tuple[Tick, ...]
    logarithmic: bool = False

    def position(self, value: float) -> float:
        """Where a value lies between the ends: 0 at `low`, 1 at `high`; beyond them, held at the ends."""
        low, high = self._bent(self.low), self._bent(self.high)
        share = (self._bent(max(value, self.low)) - low) / (high - low)
        return min(max(share, 0.0), 1.0)

    def _bent(self, value: float) -> float:
        return math.log(value) if self.logarithmic else value


def _step_for(span: float, num_ticks: int) -> float:
    raw = span / max(num_ticks, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    return next(step * power for step in _NICE_STEPS if step * power >= raw * (1 - 1e-9))


def _linear_ticks(low: float, high: float, num_ticks: int) -> list[float]:
    step = _step_for(high - low, num_ticks)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = _LOG_STEPS if len(decades) <= 3 else (1.0,)
    return [step * 10.0**decade for decade in decades for step in steps if low <= step * 10.0**decade <= high]


def quantity_axis(
    label: str,
    values: Sequence[float],
    show: Callable[[float], str],
    num_ticks: int = 5,
    from_zero: bool = False,
) -> Axis:
    """An axis over positive amounts; logarithmic, and labelled so, where they span more than a decade."""
    low, high = min(values), max(values)
    if from_zero or low <= 0 or high <= low * _LOG_SPAN:
        pad = (high - low or abs(high) or 1.0) * 0.06
        bottom = 0.0 if from_zero or low - 3 * pad <= 0 else low - pad
        ticks = _linear_ticks(bottom, high + pad, num_ticks)
        return Axis(label, bottom, high + pad, tuple(Tick(value, show(value)) for value in ticks))
    bottom, top = low / 1.25, high * 1.25
    ticks = _log_ticks(bottom, top)
    return Axis(
        f"{label}, logarithmic",
        bottom,
        top,
        tuple(Tick(value, show(value)) for value in ticks),
        logarithmic=True,
    )


def day_text(day: date) -> str:
    """A date for people: 3 Mar 2027."""
    return f"{day.day} {month_text(day)}"


def month_text(day: date) -> str:
    """A month for people, in English whatever the machine's locale: Mar 2027."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def _month_starts(low: float, high: float, step: int) -> list[date]:
    first = date.fromordinal(math.floor(low))
    index = (first.year * 12 + first.month - 1) // step * step
    starts = []
    while index // 12 < date.max.year:
        day = date(index // 12, index % 12 + 1, 1)
        if day.toordinal() > high:
            break
        if day.toordinal() >= low:
            starts.append(day)
        index += step
    return starts


def _day_ticks(low: float, high: float, step: int) -> list[Tick]:
    """Every so many days; the first, and the first of a new year, say which year it is."""
    days = [date.fromordinal(day) for day in range(math.ceil(low), math.floor(high) + 1, step)]
    years = [None, *(day.year for day in days)]
    return [
        Tick(
            float(day.toordinal()),
            day_text(day) if day.year != before else day_text(day).rpartition(" ")[0],
        )
        for day, before in zip(days, years, strict=False)
    ]


def _date_ticks(low: float, high: float, num_ticks: int) -> list[Tick]:
    days = high - low
    for step in _DAY_STEPS:
        if days / step <= num_ticks:
            return _day_ticks(low, high, step)
    step = next((step for step in _MONTH_STEPS if days / (30.44 * step) <= num_ticks), _MONTH_STEPS[-1])
    starts = _month_starts(low, high, step)
    return [Tick(float(day.toordinal()), str(day.year) if step >= 12 else month_text(day)) for day in starts]


def date_axis(label: str, ordinals: Sequence[float], num_ticks: int = 6, beyond: float | None = None) -> Axis:
    """An axis over days (proleptic ordinals, fractions allowed); days after `beyond` are held at its end."""
    low = min(ordinals)
    high = max(ordinals) if beyond is None else min(max(ordinals), beyond)
    pad = max((high - low) * 0.05, 1.0)
    low, high = max(low - pad, 1.0), min(high + pad, float(date.max.toordinal()))
    return Axis(label, low, high, tuple(_date_ticks(low, high, num_ticks)))
