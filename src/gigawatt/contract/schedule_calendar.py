"""Calendars as tables of days: how many working days lie before each, and which day the n-th is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.schedule_kernel import Calendars
from gigawatt.domain.schedule import WEEKDAYS, WorkCalendar
from gigawatt.errors import InputError

Flags = NDArray[np.bool_]


def calendar_tables(calendars: Sequence[WorkCalendar], epoch: date, num_days: int) -> Calendars:
    """Tables of `num_days` days from the epoch. Raises InputError for a calendar on which nobody works."""
    before = np.zeros((len(calendars), num_days + 1), np.int64)
    day = np.zeros((len(calendars), num_days), np.int64)
    plain = np.zeros(len(calendars), np.bool_)
    pace = np.array([len(set(calendar.working_days)) / len(WEEKDAYS) for calendar in calendars])
    for number, calendar in enumerate(calendars):
        works = _working(calendar, epoch, num_days)
        if not works.any():
            raise InputError(f"{calendar.id}: there is no working day: shorten its stops")
        before[number, 1:] = np.cumsum(works)
        day[number, : int(works.sum())] = np.flatnonzero(works)
        plain[number] = works.all()
    return Calendars(before=before, day=day, pace=pace, plain=plain)


def _working(calendar: WorkCalendar, epoch: date, num_days: int) -> Flags:
    """Whether each day is worked: by its weekday, less holidays and stops."""
    days = np.datetime64(epoch.isoformat()) + np.arange(num_days)
    week = [weekday in calendar.working_days for weekday in WEEKDAYS]
    works = np.resize(np.roll(week, -epoch.weekday()), num_days)
    works[np.isin(days, np.array([day.isoformat() for day in calendar.holidays], "datetime64[D]"))] = False
    month_day: Any = np.char.partition(np.datetime_as_string(days), "-")[:, 2] if calendar.stops else days
    for stop in calendar.stops:
        if stop.yearly:
            after, before = month_day >= stop.first, month_day <= stop.last
            works[after & before if stop.first <= stop.last else after | before] = False
        else:
            works[(days >= np.datetime64(stop.first)) & (days <= np.datetime64(stop.last))] = False
    return works
