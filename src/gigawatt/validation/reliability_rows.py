"""The file of facts, read: what each row prints, and by which figure of the catalogue it is predicted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import norm

from gigawatt import units
from gigawatt.documents import load_csv
from gigawatt.domain.published_failures import Evidence, Figure, Metric, PublishedFailures
from gigawatt.domain.reliability_validation import Printed
from gigawatt.errors import InputError, Problem, UnitError

_NEEDED = ("id", "org", "metric", "value", "unit")
_SHARES = ("share", "others", "kept", "lost", "network_share", "failed_after", "law_error")
NODE = 8
"""Accelerators of the nodes that rates are of."""
_NUMBER = r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_BOUND = re.compile(rf"([<>])=?\s*({_NUMBER})")
_RANGE = re.compile(rf"({_NUMBER})\s*-\s*({_NUMBER})")
_OF = re.compile(rf"({_NUMBER})\s*/\s*{_NUMBER}")
_AFTER = re.compile(rf"{_NUMBER}\s*->\s*({_NUMBER})")
_NINETY = float(norm.ppf(95 / 100))
_PERIOD = re.compile(rf"{_NUMBER}\s*[a-zA-Z]+")


@dataclass(frozen=True, slots=True)
class Value:
    """What a row prints: a number from itself to itself, a range, a bound with one end open."""

    kind: Printed
    low: float
    high: float

    @property
    def middle(self) -> float:
        """The geometric middle; of a bound, the bound."""
        if self.kind == "bound":
            return self.low if np.isinf(self.high) else self.high
        if self.kind == "number":
            return self.low
        return float(np.sqrt(self.low * self.high))

    @property
    def sd(self) -> float:
        """Of the logarithm, where the ends of a range are its 5 % and 95 % points."""
        return float(np.log(self.high / self.low) / (2 * _NINETY)) if self.kind == "range" else 0.0


@dataclass(frozen=True, slots=True)
class Fact:
    """One row: its cells, what it prints, and the figure that predicts it or the reason why none does."""

    cells: Mapping[str, str]
    value: Value | None
    figure: Figure | None
    reason: str = ""

    @property
    def organisations(self) -> frozenset[str]:
        """Those that the row is of: "HKUST/Alibaba" are two."""
        return organisations_of(self.cells["org"])


def organisations_of(text: str) -> frozenset[str]:
    """The organisations that a cell names, with a stroke between them."""
    return frozenset(name.strip() for name in text.split("/") if name.strip())


def read_value(text: str) -> Value | None:
    """A number, bound (">0.90"), range ("0.01-0.02"), part of a whole ("10/10"), or what came after ("a->b").

    >>> read_value("0.01-0.02")
    Value(kind='range', low=0.01, high=0.02)
    """
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        return _read_words(text)
    return Value("number", number, number) if np.isfinite(number) else None


def _read_words(text: str) -> Value | None:
    if match := _BOUND.fullmatch(text):
        bound = float(match[2])
        return Value("bound", bound, np.inf) if match[1] == ">" else Value("bound", 0.0, bound)
    if match := _RANGE.fullmatch(text):
        low, high = float(match[1]), float(match[2])
        return Value("range", low, high) if 0.0 < low < high else None
    if match := _OF.fullmatch(text) or _AFTER.fullmatch(text):
        return Value("number", float(match[1]), float(match[1]))
    return None


def read_facts(files: Sequence[Path], published: PublishedFailures) -> tuple[Fact, ...]:
    """Every row of the files in their order. Errors: InputError for what cannot be read, or an id twice."""
    rows = [cells for path in files for cells in load_csv(path, _NEEDED)]
    first = {cells["id"]: cells for cells in reversed(rows)}
    problems = [
        Problem(
            f"id {row['id']!r} stands in line {first[row['id']].line} already", file=row.file, line=row.line
        )
        for row in rows
        if first[row["id"]] is not row
    ]
    if problems:
        raise InputError(problems)
    return tuple(_fact(cells, published) for cells in rows)


def _fact(cells: Mapping[str, str], published: PublishedFailures) -> Fact:
    value = read_value(cells["value"])
    for left in published.left_out:
        if cells["id"] in left.ids:
            return Fact(cells, value, None, left.reason)
    if value is None:
        return Fact(cells, None, None, f'"{cells["value"]}" is no number, range or bound')
    if value.middle <= 0.0:
        return Fact(
            cells, value, None, f"{cells['value']} is not above nothing, so that no error is relative to it"
        )
    for figure in published.figures:
        if cells["id"] == figure.id:
            return _as_share(Fact(cells, value, figure))
    return _as_share(_own(cells, value, published.metrics))


def _as_share(fact: Fact) -> Fact:
    """The fact, unless it should print a share and does not."""
    asked = fact.figure is not None and fact.figure.predicts in _SHARES
    if asked and fact.value is not None and fact.value.middle >= 1.0:
        return Fact(
            fact.cells, fact.value, None, f"{fact.cells['value']} is no share between nothing and all"
        )
    return fact


def _own(cells: Mapping[str, str], value: Value, metrics: Sequence[Metric]) -> Fact:
    """A row that the catalogue does not know: predicted by what its metric says."""
    found = next((one for one in metrics if one.metric == cells["metric"]), None)
    if found is None:
        known = ", ".join(one.metric for one in metrics)
        return Fact(cells, value, None, f'metric "{cells["metric"]}" is not known; known are {known}')
    try:
        return Fact(cells, value, _fitted(found, cells))
    except (InputError, UnitError) as error:
        return Fact(cells, value, None, str(error))


def _fitted(metric: Metric, cells: Mapping[str, str]) -> Figure:
    """The figure of a metric with size, period and unit of a row."""
    asked = dict.fromkeys(Figure.model_fields)
    figure = Figure(**{name: getattr(metric, name) for name in asked})
    changes: dict[str, float | str] = {"id": cells["id"]}
    if figure.period_s is None:
        changes["num_units"] = _accelerators(cells) / NODE
    if figure.predicts == "count":
        changes["period_s"] = _period_s(cells)
    if figure.predicts == "interval":
        changes["unit_s"] = _seconds(f"1 {cells['unit']}")
    return figure.model_copy(update=changes)


def _accelerators(cells: Mapping[str, str]) -> float:
    value = read_value(cells.get("scale_gpus", ""))
    if value is None or value.kind != "number" or value.low <= 0.0:
        raise InputError(f'scale_gpus: "{cells.get("scale_gpus", "")}" is no number of accelerators')
    return value.low


def _period_s(cells: Mapping[str, str]) -> float:
    match = _PERIOD.match(cells.get("period", "").strip())
    if match is None:
        raise InputError(f'period: "{cells.get("period", "")}" is no time such as "54 d"')
    return _seconds(match[0])


def _seconds(text: str) -> float:
    seconds = units.read(text, "_s")
    assert isinstance(seconds, float | int)
    return float(seconds)


def evidence_value(evidence: Evidence) -> Value:
    """What a piece of evidence prints. Errors: InputError where it is no number."""
    value = read_value(evidence.printed)
    if value is None:
        raise InputError(f'{evidence.id}: "{evidence.printed}" is no number')
    return value
