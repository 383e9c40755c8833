"""Hours as the act receives them: years of prices, wind, sun and carbon, and when tariffs' windows apply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.energy_program import Ints, Values
from gigawatt.domain.energy import HOURS_OF_DAY, MONTHS, TariffWindow

Stamps = NDArray[np.datetime64]
_DAYS_OF_WEEK = 7
_SATURDAY = 5
_MONDAY_OF_EPOCH = 3
"""1970-01-01 was a Thursday: this many days after a Monday."""


@dataclass(frozen=True, slots=True)
class YearOfHours:
    """One year, as likely as `weight_frac`: each array has a value for each of its hours."""

    label: str
    weight_frac: float
    stamps: Stamps
    """UTC."""
    wind_frac: Values
    """Of the rated power of a wind fleet."""
    solar_frac: Values
    price_usd_per_mwh: Values
    average_kgco2_per_mwh: Values
    """Of what the grid generates in the hour."""
    marginal_kgco2_per_mwh: Values | None = None
    columns: Mapping[str, Values] = field(default_factory=dict)
    """Further columns that a site names, as shares of what they speak of."""


@dataclass(frozen=True, slots=True)
class Hours:
    """All years in a row."""

    years: tuple[YearOfHours, ...]
    starts: tuple[int, ...]
    """First hour of each year."""
    weight_frac: Values
    """Of each hour: that of its year."""
    year: Ints
    """Which year each hour belongs to."""

    def joined(self, name: str) -> Values:
        """An array of all years in a row."""
        return np.concatenate([getattr(year, name) for year in self.years])

    def column(self, name: str) -> Values:
        """A column that a site names, of all years in a row."""
        return np.concatenate([year.columns[name] for year in self.years])

    @property
    def hour_of_year(self) -> Ints:
        """Counted from 0 in each year."""
        return np.concatenate([np.arange(len(year.stamps)) for year in self.years])

    def month(self, hours_from_utc: int) -> Ints:
        """1 to 12, on a clock that far from UTC."""
        local = self._local(hours_from_utc)
        months = local.astype("datetime64[M]").astype(np.int64)
        return np.asarray(months % len(MONTHS) + 1)

    def within(self, window: TariffWindow, hours_from_utc: int) -> NDArray[np.bool_]:
        """Which hours a window of a tariff covers."""
        local = self._local(hours_from_utc).astype("datetime64[h]").astype(np.int64)
        hour, day = local % HOURS_OF_DAY, local // HOURS_OF_DAY
        weekend = (day + _MONDAY_OF_EPOCH) % _DAYS_OF_WEEK >= _SATURDAY
        from_hour, to_hour = window.from_hour, window.to_hour
        clock = (hour >= from_hour) & (hour < to_hour)
        if to_hour < from_hour:
            clock = (hour >= from_hour) | (hour < to_hour)
        days = {"all": np.ones_like(clock), "weekdays": ~weekend, "weekends": weekend}[window.days]
        return np.asarray(clock & days & np.isin(self.month(hours_from_utc), window.months))

    def _local(self, hours_from_utc: int) -> Stamps:
        stamps = np.concatenate([year.stamps for year in self.years]).astype("datetime64[h]")
        return np.asarray(stamps + np.timedelta64(hours_from_utc, "h"))


def joined_hours(years: Sequence[YearOfHours]) -> Hours:
    """Years in a row; their weights are made to add up to one."""
    lengths = [len(year.stamps) for year in years]
    total = sum(year.weight_frac for year in years)
    weights = [np.full(length, year.weight_frac / total) for length, year in zip(lengths, years, strict=True)]
    return Hours(
        tuple(years),
        tuple(int(start) for start in np.cumsum([0, *lengths[:-1]])),
        np.concatenate(weights),
        np.repeat(np.arange(len(years)), lengths),
    )
