"""Predicted against measured: what `gigawatt validate` finds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gigawatt.domain.record import Record

RunStatus = Literal["predicted", "inexpressible", "document_error"]
"""A document error is predicted all the same, but scored nowhere: its source contradicts itself."""


class Score(Record):
    """Relative errors, predicted over measured less one, of configurations that each count once."""

    n: int = Field(ge=0)
    mape_frac: float = 0.0
    """Mean absolute error."""
    median_frac: float = 0.0
    p90_frac: float = 0.0
    max_frac: float = 0.0
    bias_frac: float = 0.0
    """Mean error: above 0 predicts too slow."""


class ScoredGroup(Record):
    """The score of a part of the rows: one source, one family, one protocol."""

    kind: str
    """What the rows have in common: `family`, `source`, `model type` or `protocol`."""
    name: str
    score: Score


class IntervalScore(Record):
    """How honest the 10 % and 90 % points are."""

    n: int = Field(ge=0)
    coverage_frac: float = 0.0
    """Share of configurations whose measured time lies within; 80 % is right."""
    width_frac: float = 0.0
    """Mean width over the measured time."""
    winkler_frac: float = 0.0
    """Mean interval score over the measured time: width, and ten times by how much a miss misses."""


class Ranking(Record):
    """Layouts of one model on one cluster, ranked by predicted and by measured tokens/s per accelerator."""

    name: str
    num_layouts: int
    spearman: float
    regret_frac: float
    """How much slower the layout predicted best ran than the one measured best."""


class RepeatFloor(Record):
    """How far one configuration differs from itself between software releases and sites."""

    num_configurations: int
    median_frac: float = 0.0
    mean_frac: float = 0.0


class ValidatedRun(Record):
    """One row of the file: measured beside predicted."""

    id: str
    source: str = ""
    family: str = ""
    status: RunStatus
    reason: str = ""
    """Why it cannot be predicted, how its source errs, or what the gap is likely due to."""
    convention: str = ""
    """What the row's own TFLOP/s or MFU counts, where it states one."""
    fold: str = ""
    measured_step_s: float | None = None
    predicted_step_s: float | None = None
    low_step_s: float | None = None
    high_step_s: float | None = None
    measured_mem_bytes: float | None = None
    predicted_mem_bytes: float | None = None

    @property
    def error_frac(self) -> float:
        """Predicted over measured step time, less one; 0 where either is missing."""
        if not self.predicted_step_s or not self.measured_step_s:
            return 0.0
        return self.predicted_step_s / self.measured_step_s - 1.0


class ValidationReport(Record):
    """Every row of the files, and how good the predictions are."""

    subject: str
    cross_validation: str = ""
    """What was left out of the fit that predicts it; blank where the catalogue's calibration predicts all."""
    num_rows: int
    num_full_layouts: int
    """Rows that a prediction is owed: full layouts, hybrid state-space models and LoRA aside."""
    coverage_frac: float
    """Share of those that are predicted and scored."""
    overall: Score
    groups: tuple[ScoredGroup, ...] = ()
    memory: Score
    interval: IntervalScore
    rankings: tuple[Ranking, ...] = ()
    repeat_floor: RepeatFloor
    rows: tuple[ValidatedRun, ...]
    worst: tuple[str, ...] = ()
    """Ids of the rows furthest from their prediction, one per configuration, worst first."""

    def group(self, kind: str, name: str) -> Score | None:
        """The score of one group."""
        return next((one.score for one in self.groups if (one.kind, one.name) == (kind, name)), None)
