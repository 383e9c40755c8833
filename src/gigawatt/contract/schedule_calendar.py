"""Calendars as tables of days: how many working days lie before each, and which day the n-th is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from gigawatt.contract.schedule_kernel import Calendars
from gigawatt.domain.schedule import WEEKDAYS, WorkCalendar
from gigawatt.errors import InputError


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


def _working(
    calendar: WorkCalendar, epoch: date, num_days: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if not calendar.holidays and not calendar.stops and len(set(calendar.working_days)) == len(WEEKDAYS):
        return np.ones(num_days, np.bool_)
    days = (epoch + timedelta(days=n) for n in range(num_days))
    return np.fromiter((calendar.works_on(one) for one in days), np.bool_, num_days)
