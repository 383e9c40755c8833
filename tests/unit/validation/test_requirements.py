"""Bounds that scripts set on a validation."""

from __future__ import annotations

import pytest

from gigawatt.domain.validation import IntervalScore, RepeatFloor, Score, ScoredGroup, ValidationReport
from gigawatt.errors import InputError
from gigawatt.validation.requirements import is_met, parse_requirement

REPORT = ValidationReport(
    subject="training",
    num_rows=10,
    num_full_layouts=8,
    coverage_frac=0.96,
    overall=Score(n=8, mape_frac=0.07, median_frac=0.04, p90_frac=0.2, max_frac=0.5, bias_frac=-0.03),
    groups=(ScoredGroup(kind="protocol", name="B", score=Score(n=4, mape_frac=0.11)),),
    memory=Score(n=2, mape_frac=0.05),
    interval=IntervalScore(n=8, coverage_frac=0.8),
    repeat_floor=RepeatFloor(num_configurations=0),
    rows=(),
)


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("mape<=8%", True),
        ("mape<=0.08", True),
        ("mape <= 6.9 %".replace(" %", "%"), False),
        ("mape<7%", False),
        ("coverage>=95%", True),
        ("interval_coverage>=90%", False),
        ("bias>=-5%", True),
        ("memory_mape<=7%", True),
        ("n>=8", True),
        ("B: mape<=12%", True),
        ("protocol B: mape<=10%", False),
    ],
)
def test_bounds(text: str, met: bool) -> None:
    assert is_met(REPORT, parse_requirement(text)) is met


@pytest.mark.parametrize("text", ["", "mape", "mape=8%", "accuracy<=8%", "mape<=eight", "mape<=8 per cent"])
def test_what_cannot_be_read_is_said(text: str) -> None:
    with pytest.raises(InputError, match="expected FIGURE<=BOUND"):
        parse_requirement(text)


def test_an_unknown_group_is_said() -> None:
    with pytest.raises(InputError, match="no group 'Megatron'"):
        is_met(REPORT, parse_requirement("Megatron: mape<=8%"))


def test_no_rows_prove_no_accuracy() -> None:
    empty = REPORT.model_copy(update={"overall": Score(n=0)})
    assert not is_met(empty, parse_requirement("mape<=8%"))
