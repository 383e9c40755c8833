"""The hours of a year from the climate normals of twelve months, and the hour that sizes a plant."""

from __future__ import annotations

import calendar
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gigawatt.domain.facility import Climate
from gigawatt.laws.cooling import (
    HOURS_PER_DAY,
    day_spread_k,
    diurnal_temperature_c,
    normal_quantile,
    saturation_pressure_pa,
    wet_bulb_c,
)

Floats = NDArray[np.float64]

_DAYS = tuple(calendar.monthrange(1, month)[1] for month in range(1, 13))
"""Of the months of a common year."""
_SUMMERS, _SUMMER_DAYS = 20, 90
_STRIDE = 11
"""Shares no factor with the days of any month: hot and cool days alternate, and each rank comes once."""


class Weather(NamedTuple):
    """Air outside, hour by hour: arrays [hours]."""

    outside_c: Floats
    wet_bulb_c: Floats


def hourly_weather(climate: Climate) -> Weather:
    """The 8,760 hours of a year, in order, at local standard time.

    Days of a month differ from its mean by the quantiles of a normal distribution, in a fixed order; within a
    day the temperature follows a cosine, and the water vapour that the air holds stays the same. Days colder
    than the month's mean have its humidity, hotter days no more vapour than it.
    """
    months = [_month(climate, month) for month in range(len(_DAYS))]
    return Weather(*(np.concatenate(parts) for parts in zip(*months, strict=True)))


def design_hour(climate: Climate) -> Weather:
    """The hottest hour to build for: the records of the dry and the wet bulb, which seldom come at once."""
    wet = climate.record_wet_bulb_c
    if wet is None:
        wet = _record_wet_bulb_c(climate)
    usual = hourly_weather(climate)
    return Weather(
        np.array([max(climate.record_high_c, usual.outside_c.max())]),
        np.array([max(wet, usual.wet_bulb_c.max())]),
    )


def _record_wet_bulb_c(climate: Climate) -> float:
    """The record's air holds vapour half-way from the month's own to the same humidity on the hotter day."""
    hottest = int(np.argmax(climate.mean_high_c))
    high_c, low_c = climate.mean_high_c[hottest], climate.mean_low_c[hottest]
    between_c = ((high_c + low_c) / 2 + climate.record_high_c - (high_c - low_c) / 2) / 2
    vapour_pa = climate.mean_relative_humidity_frac[hottest] * saturation_pressure_pa(between_c)
    return float(wet_bulb_c(climate.record_high_c, vapour_pa / saturation_pressure_pa(climate.record_high_c)))


def _month(climate: Climate, month: int) -> Weather:
    num_days = _DAYS[month]
    high_c, low_c = climate.mean_high_c[month], climate.mean_low_c[month]
    mean_c, range_k = (high_c + low_c) / 2, high_c - low_c
    ranks = np.arange(num_days) * _STRIDE % num_days
    deviation_k = _spread_k(climate, month) * normal_quantile((ranks + 0.5) / num_days)
    day_c = np.repeat(mean_c + deviation_k, HOURS_PER_DAY)
    hour = np.tile(np.arange(HOURS_PER_DAY), num_days)
    outside_c = diurnal_temperature_c(day_c, range_k, hour)
    vapour_pa = climate.mean_relative_humidity_frac[month] * saturation_pressure_pa(np.minimum(day_c, mean_c))
    humidity = np.minimum(vapour_pa / saturation_pressure_pa(outside_c), 1.0)
    return Weather(outside_c, wet_bulb_c(outside_c, humidity))


def _spread_k(climate: Climate, month: int) -> float:
    """Standard deviation of daily means; without monthly extremes, from how far the record lies above."""
    high_c, low_c = climate.mean_high_c[month], climate.mean_low_c[month]
    if climate.hot_c is not None:
        return float(day_spread_k((high_c + low_c) / 2, high_c - low_c, climate.hot_c[month]))
    rarest = normal_quantile(1 - 1 / (_SUMMERS * _SUMMER_DAYS))
    return float(max(climate.record_high_c - max(climate.mean_high_c), 0.0) / rarest)
