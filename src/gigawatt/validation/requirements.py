"""What somebody demands of a validation, as text: "mape<=8%", "protocol B: median<=7%"."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gigawatt.domain.collectives import CollectiveReport
from gigawatt.domain.reliability_validation import FactReport
from gigawatt.domain.validation import Score, ValidationReport
from gigawatt.errors import InputError

_COMPARISONS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}
_TEXT = re.compile(
    r"^\s*(?:(?P<group>[^:]+?)\s*:)?\s*(?P<figure>\w+)\s*(?P<sign><=|>=|<|>)\s*(?P<bound>[+-]?\d+(?:\.\d+)?)\s*(?P<percent>%?)\s*$"
)
_OF_SCORES = ("mape", "median", "p90", "max", "bias", "n")
_OF_REPORTS = (
    "coverage", "inside", "interval_coverage", "interval_score", "memory_mape", "spearman", "regret",
)  # fmt: skip
_FRACTIONS = frozenset({*_OF_SCORES, *_OF_REPORTS}) - {"n", "interval_score", "spearman"}

Report = ValidationReport | CollectiveReport | FactReport


@dataclass(frozen=True, slots=True)
class Requirement:
    """A bound on one figure, of all rows or of one group."""

    text: str
    group: str
    figure: str
    sign: str
    bound: float


def parse_requirement(text: str) -> Requirement:
    """Read one bound. A group is a family, a source, a protocol, an organisation or a topic by name.

    Errors: InputError for what cannot be read, with what can.
    """
    match = _TEXT.match(text)
    figures = (*_OF_SCORES, *_OF_REPORTS)
    if match is None or match["figure"] not in figures:
        raise InputError(
            f"--require {text!r}: expected FIGURE<=BOUND, such as 'mape<=8%' or 'Megatron-LM: p90<=20%', "
            f"with a figure among {', '.join(figures)}"
        )
    bound = float(match["bound"]) / (100.0 if match["percent"] else 1.0)
    if bound > 1.0 and not match["percent"] and match["figure"] in _FRACTIONS:
        stated = match["bound"]
        raise InputError(
            f"--require {text!r}: {stated} is not a fraction: write {stated}% or {bound / 100:g}"
        )
    return Requirement(text, match["group"] or "", match["figure"], match["sign"], bound)


def found_figure(report: Report, requirement: Requirement) -> float:
    """The figure that a requirement bounds. Errors: InputError for what the report does not have."""
    if requirement.figure in _OF_REPORTS:
        figures = _report_figures(report)
        if requirement.figure not in figures:
            known = ", ".join((*_OF_SCORES, *figures))
            raise InputError(f"--require {requirement.text!r}: {report.subject} have {known}")
        return figures[requirement.figure]
    score = report.overall
    if requirement.group:
        words = requirement.group.removeprefix("protocol ")
        named = [one.score for one in report.groups if one.name == words]
        if not named:
            known = ", ".join(sorted({one.name for one in report.groups}))
            raise InputError(
                f"--require {requirement.text!r}: no group {requirement.group!r}; there are {known}"
            )
        score = named[0]
    return _score_figures(score)[requirement.figure]


def is_met(report: Report, requirement: Requirement) -> bool:
    """Whether the figure keeps its bound. A bound on nothing is missed: no rows prove no accuracy."""
    if requirement.figure in _OF_SCORES and report.overall.n == 0:
        return False
    return bool(_COMPARISONS[requirement.sign](found_figure(report, requirement), requirement.bound))


def _score_figures(score: Score) -> Mapping[str, float]:
    return {
        "mape": score.mape_frac, "median": score.median_frac, "p90": score.p90_frac, "max": score.max_frac,
        "bias": score.bias_frac, "n": float(score.n),
    }  # fmt: skip


def _report_figures(report: Report) -> Mapping[str, float]:
    figures = {
        "coverage": report.coverage_frac,
        "interval_coverage": report.interval.coverage_frac,
        "interval_score": report.interval.winkler_frac,
    }
    if isinstance(report, CollectiveReport):
        return figures
    if isinstance(report, FactReport):
        return figures | {"inside": report.inside_frac}
    ranks = report.rankings
    return figures | {
        "memory_mape": report.memory.mape_frac,
        "spearman": float(np.mean([one.spearman for one in ranks])) if ranks else 0.0,
        "regret": max((one.regret_frac for one in ranks), default=0.0),
    }
