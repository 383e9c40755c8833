"""Published facts: one CSV line is one figure; a blank cell is unknown, never zero."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from gigawatt.documents import Row, load_csv
from gigawatt.domain.deals import PublishedFact
from gigawatt.errors import InputError

_NUMBERS = ("quantity", "low_quantity", "high_quantity")
_TEXTS = ("id", "category", "party", "item", "unit", "confidence", "date", "source", "basis", "note")


def read_facts(path: Path) -> tuple[PublishedFact, ...]:
    """The facts of a file. Raises InputError with every line and column that is wrong."""
    rows = load_csv(path, required=(*_TEXTS, *_NUMBERS))
    problems = [row.problem("unknown column", name) for row in rows[:1] for name in set(row) - _known()]
    facts: list[PublishedFact] = []
    seen: set[str] = set()
    for row in rows:
        if row["id"] in seen:
            problems.append(row.problem("an id given twice", "id"))
        seen.add(row["id"])
        try:
            facts.append(_fact(row))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return tuple(facts)


def _known() -> set[str]:
    return {*_TEXTS, *_NUMBERS}


def _fact(row: Row) -> PublishedFact:
    cells: dict[str, object] = {name: row[name].strip() for name in _TEXTS}
    for name in _NUMBERS:
        if row[name].strip():
            cells[name] = _number(row, name)
    try:
        return PublishedFact.model_validate({"name": f"{row['party']}: {row['item']}", **cells})
    except ValidationError as error:
        details = error.errors()
        raise InputError(
            [row.problem(one["msg"], str(one["loc"][0]) if one["loc"] else "") for one in details]
        ) from None


def _number(row: Row, name: str) -> float:
    try:
        return float(row[name])
    except ValueError:
        raise InputError(row.problem(f'expected a number, found "{row[name]}"', name)) from None
