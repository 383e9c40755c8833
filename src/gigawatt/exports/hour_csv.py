"""Hourly files read in: prices, wind, sun and carbon of a year, and prices of several years."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gigawatt.contract.energy_hours import Stamps, YearOfHours
from gigawatt.contract.energy_program import Values
from gigawatt.documents import Row, load_csv
from gigawatt.domain.energy import HOURS_OF_DAY
from gigawatt.errors import InputError, Problem

STAMP = "timestamp_utc"
COLUMNS = {
    "wind_frac": "wind_cf",
    "solar_frac": "solar_cf",
    "price_usd_per_mwh": "price_usd_mwh",
    "average_kgco2_per_mwh": "avg_co2_g_kwh",
}
"""Field and column. Grams per kilowatt-hour are kilograms per megawatt-hour."""
_MARGINAL = "marginal_co2_g_kwh"
_LEAP_DAY = "-02-29"
_SHOWN_PROBLEMS = 5


def read_hours(path: Path, further: Sequence[str] = ()) -> YearOfHours:
    """The hours of a file, one a line, in order, with `further` columns of shares.

    Errors: InputError with the first bad lines.
    """
    rows = load_csv(path, (STAMP, *COLUMNS.values(), *further))
    if not rows:
        raise InputError(Problem("holds no hours", file=str(path)))
    stamps = _stamps(rows)
    columns = {field: _numbers(rows, column) for field, column in COLUMNS.items()}
    marginal = next((name for name in rows[0] if name.startswith(_MARGINAL)), "")
    return YearOfHours(
        label=str(stamps[0])[:4],
        weight_frac=1.0,
        stamps=stamps,
        marginal_kgco2_per_mwh=_numbers(rows, marginal) if marginal else None,
        columns={name: _numbers(rows, name) for name in further},
        **columns,
    )


def read_price_years(path: Path, column: str, years: Sequence[int], hours: YearOfHours) -> list[YearOfHours]:
    """The hours given, once with the prices of each year; leap days are left out.

    Errors: InputError for a year of which the file does not hold every hour.
    """
    rows = [row for row in load_csv(path, (STAMP, column)) if _LEAP_DAY not in row[STAMP]]
    return [_year_of(rows, column, year, hours, path) for year in years]


def _year_of(rows: Sequence[Row], column: str, year: int, hours: YearOfHours, path: Path) -> YearOfHours:
    of_year = [row for row in rows if row[STAMP].startswith(f"{year}-")]
    if len(of_year) != len(hours.stamps):
        raise InputError(
            Problem(
                f"holds {len(of_year):,} hours of {year}, expected {len(hours.stamps):,}, as the site has",
                key=column,
                file=str(path),
            )
        )
    _stamps(of_year)
    return YearOfHours(
        str(year),
        1.0,
        hours.stamps,
        hours.wind_frac,
        hours.solar_frac,
        _numbers(of_year, column),
        hours.average_kgco2_per_mwh,
        hours.marginal_kgco2_per_mwh,
        hours.columns,
    )


def _stamps(rows: Sequence[Row]) -> Stamps:
    """Hours that follow each other without a gap."""
    problems, stamps = [], []
    for row in rows:
        try:
            stamps.append(np.datetime64(row[STAMP].removesuffix("Z"), "h"))
        except ValueError:
            text = f'"{row[STAMP]}" is not an hour such as "2022-01-01T00:00Z"'
            problems.append(row.problem(text, STAMP))
            stamps.append(stamps[-1] if stamps else np.datetime64(0, "h"))
    found = np.array(stamps)
    steps = np.diff(found).astype(int)
    broken = np.flatnonzero((steps != 1) & (steps != HOURS_OF_DAY + 1))  # a leap day may be left out
    if not problems and len(broken):
        row = rows[int(broken[0]) + 1]
        problems.append(row.problem("does not follow the hour before: a gap or a repetition", STAMP))
    if problems:
        raise InputError(problems[:_SHOWN_PROBLEMS])
    return found


def _numbers(rows: Sequence[Row], column: str) -> Values:
    """A column as numbers, all of them finite."""
    try:
        numbers = np.array([float(row[column]) for row in rows])
        if np.all(np.isfinite(numbers)):
            return numbers
    except ValueError:
        pass
    wrong = [row for row in rows if not _is_number(row[column])]
    problems = [row.problem(f'"{row[column]}" is not a number', column) for row in wrong]
    raise InputError(problems[:_SHOWN_PROBLEMS])


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
