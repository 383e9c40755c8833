"""Published figures of reliability beside predicted ones: what `gigawatt validate reliability` finds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gigawatt.domain.record import Record
from gigawatt.domain.validation import IntervalScore, RunStatus, Score, ScoredGroup

Printed = Literal["number", "range", "bound", "text"]


class FactRow(Record):
    """One row of the file: what it prints, and what the model says instead, in the unit of the row."""

    id: str
    organisation: str
    topic: str = ""
    metric: str = ""
    unit: str = ""
    measured: str
    """As it is printed: "419", ">0.90", "2000-5000"."""
    printed: Printed = "text"
    status: RunStatus
    reason: str = ""
    """Why it is not predicted, or under which conditions it is."""
    fold: str = ""
    same_as: str = ""
    """Another row with the same outcome: this one is predicted, not scored."""
    predicted: float | None = None
    low: float | None = None
    """5 % point."""
    high: float | None = None
    """95 % point."""
    error_frac: float = 0.0
    """Predicted over printed less one; of a bound or a range by what is beyond its nearest end."""
    inside: bool = False
    """Whether what is printed lies between both points; of a bound or a range, whether any of it does."""

    @property
    def counts(self) -> bool:
        """Whether it is scored."""
        return self.status == "predicted" and not self.same_as


class FactGroup(Record):
    """The rows of one organisation, or of one topic."""

    kind: Literal["organisation", "topic"]
    name: str
    num_rows: int
    score: Score
    """Of numbers; bounds and ranges have no error to speak of."""
    inside_frac: float
    """Of numbers, ranges and bounds."""


class LearntQuantity(Record):
    """What all rows together say of a quantity at an organisation that is not among them."""

    quantity: str
    view: str = ""
    """What counts as a failure, where that matters."""
    unit: str
    num_observations: int
    middle: float
    low: float
    """5 % point."""
    high: float
    """95 % point."""
    ratio: float
    """By what factor organisations differ (one deviation; of a share, of its odds)."""


class FactReport(Record):
    """Every row of the files, and how good the predictions are."""

    subject: str = "facts of reliability"
    cross_validation: str = ""
    num_rows: int = Field(ge=0)
    coverage_frac: float
    """Share of the rows that are predicted."""
    overall: Score
    """Of rows that print a number, each outcome counted once."""
    interval: IntervalScore
    """Of numbers: the 5 % and 95 % points."""
    num_scored: int
    inside_frac: float
    """Of numbers, ranges and bounds: 90 % is right."""
    parts: tuple[FactGroup, ...] = ()
    learnt: tuple[LearntQuantity, ...] = ()
    rows: tuple[FactRow, ...]

    @property
    def groups(self) -> tuple[ScoredGroup, ...]:
        """Scores by organisation and topic, as requirements name them."""
        return tuple(ScoredGroup(kind=one.kind, name=one.name, score=one.score) for one in self.parts)
