"""Price lists: one CSV line is one offer; a blank cell is unknown, never zero."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from gigawatt.documents import Row, load_csv
from gigawatt.domain.market import Offer
from gigawatt.errors import InputError, Problem

_REQUIRED = ("id", "provider", "gpu_kind", "accelerators_per_instance", "term", "date", "source", "basis")
_COLUMNS = tuple(name for name in Offer.model_fields if name not in ("aliases", "missing", "provenance"))
_WHOLE = "accelerators_per_instance"
_PRICES = ("on_demand_usd_per_gpu_h", "spot_usd_per_gpu_h")


def read_offers(path: Path) -> tuple[Offer, ...]:
    """The offers of a price list. Raises InputError with every line and column that is wrong."""
    rows = load_csv(path, required=_REQUIRED)
    problems = list(_unknown_columns(rows))
    offers: dict[str, Offer] = {}
    for row in rows:
        if row["id"] in offers:
            problems.append(row.problem("an id given twice", "id"))
        try:
            offers[row["id"]] = _offer(row)
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return tuple(offers.values())


def _offer(row: Row) -> Offer:
    cells = {name: cell.strip() for name, cell in row.items() if cell.strip() and name in _COLUMNS}
    named = {"name": f"{cells.get('provider', '')} {cells.get('instance') or cells.get('gpu_kind', '')}"}
    numbers = {name: _number(row, name) for name in (_WHOLE, *_PRICES) if name in cells}
    try:
        return Offer.model_validate({**named, **cells, **numbers})
    except ValidationError as error:
        raise InputError([_problem(row, detail["loc"], detail["msg"]) for detail in error.errors()]) from None


def _problem(row: Row, loc: tuple[int | str, ...], message: str) -> Problem:
    return row.problem(message.removeprefix("Value error, "), str(loc[0]) if loc else "")


def _number(row: Row, name: str) -> float | int:
    try:
        return int(row[name]) if name == _WHOLE else float(row[name])
    except ValueError:
        wanted = "a whole number" if name == _WHOLE else "a number (dollars per accelerator and hour)"
        raise InputError(row.problem(f'expected {wanted}, found "{row[name]}"', name)) from None


def _unknown_columns(rows: list[Row]) -> Iterator[Problem]:
    for name in rows[0] if rows else ():
        if name not in _COLUMNS:
            near = difflib.get_close_matches(name, _COLUMNS, n=1)
            hint = f': did you mean "{near[0]}"?' if near else f", known are {', '.join(_COLUMNS)}"
            yield Problem(f"unknown column{hint}", key=name, file=rows[0].file, line=1)
