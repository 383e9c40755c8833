"""Which published figures of reliability follow from a fleet, how, and what they are predicted from.

A figure is predicted from a few quantities (how often nodes fail, what an interruption costs, ...) that
differ between organisations. Every figure that states a quantity teaches it; conditions stand beside it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from gigawatt.domain.record import Record, Sourced

Quantity = Literal[
    "node_failures",
    "link_failures",
    "corruptions",
    "gpu_share",
    "memory_share",
    "frail_nodes",
    "frail_failures",
    "lost_time",
    "lost_time_by_hand",
    "by_hand_share",
]
View = Literal["census", "run", "jobs"]
"""Nodes that were taken out; interruptions of one long run; jobs of many users that ended for any cause."""
FigureKind = Literal[
    "count",
    "rate",
    "interval",
    "share",
    "others",
    "members",
    "duration",
    "kept",
    "lost",
    "interval_for",
    "failed_after",
    "network_share",
    "spares",
    "law_error",
]


class Figure(Record):
    """How one published figure follows from a quantity, under which conditions."""

    id: str = ""
    """Of the row in the file of facts."""
    predicts: FigureKind
    quantity: Quantity = "node_failures"
    view: View = "run"
    """What counts as a failure of a node."""
    num_units: float = Field(default=1.0, gt=0)
    """Nodes of eight accelerators, links or nodes that may be frail: of whatever the quantity is of each."""
    period_s: float | None = Field(default=None, gt=0)
    """How long was counted; of a rate, the time that it is per."""
    unit_s: float = Field(default=1.0, gt=0)
    """What durations and intervals are printed in."""
    of_gpus: bool = False
    """Whether failures of GPUs alone are counted."""
    num_planned: int = Field(default=0, ge=0)
    """Interruptions besides that were planned."""
    interval_s: float | None = Field(default=None, gt=0)
    """Between checkpoints, where it is given; else what is lost since the last belongs to the lost time."""
    recovery_s: float | None = Field(default=None, gt=0)
    """What an interruption costs, where it is given."""
    kept_frac: float | None = Field(default=None, gt=0, lt=1)
    """The share of the time that is asked for."""
    failed_frac: float | None = Field(default=None, gt=0, lt=1)
    """Share of jobs that failed before frail nodes were taken away."""
    sd: float = Field(default=0.1, gt=0)
    """Of the logarithm of what the row teaches, beyond its printed range and its counts."""
    teaches: bool = False
    same_as: str = ""
    """Another row that prints the same outcome; this one is predicted and not scored."""
    contradiction: str = ""
    """How the row's source contradicts itself, where it does: predicted, not scored, and teaching nothing."""
    note: str = ""


class Metric(Figure):
    """How rows of one's own are predicted, by what their column `metric` says."""

    metric: str


class LeftOut(Record):
    """Rows that do not follow from a fleet."""

    reason: str
    ids: tuple[str, ...]


class Evidence(Sourced):
    """Something that teaches a quantity and is no row of the file: in a table, or beside a row's value."""

    organisation: str
    printed: str
    figure: Figure


class FailureParameter(Sourced):
    """What is held of a quantity before any evidence, and how much it may differ; its id is the quantity."""

    rate_per_s: float | None = Field(default=None, gt=0)
    share_frac: float | None = Field(default=None, gt=0, lt=1)
    duration_s: float | None = Field(default=None, gt=0)
    levels: dict[str, float]
    """Deviations of the logarithm (of a share, of the log-odds): of the `prior` itself; scales of those from
    one `organisation` and from one `row` to the next; of each view's offset."""
    offsets: dict[str, float] = Field(default={})
    """Ratio to a census that is expected of each other view."""

    @model_validator(mode="after")
    def _has_one_centre(self) -> FailureParameter:
        if sum(one is not None for one in (self.rate_per_s, self.share_frac, self.duration_s)) != 1:
            raise ValueError("expected one of rate_per_s, share_frac and duration_s")
        return self

    @property
    def unit(self) -> str:
        """Suffix of the unit that values of the quantity have."""
        named = {"_per_s": self.rate_per_s, "_frac": self.share_frac, "_s": self.duration_s}
        return next(suffix for suffix, value in named.items() if value is not None)

    @property
    def centre(self) -> float:
        """The middle of the prior, in seconds or events per second."""
        return next(one for one in (self.rate_per_s, self.share_frac, self.duration_s) if one is not None)


class PublishedFailures(Record):
    """All that predictions of published figures rest on, apart from the figures."""

    parameters: tuple[FailureParameter, ...]
    evidence: tuple[Evidence, ...]
    figures: tuple[Figure, ...]
    metrics: tuple[Metric, ...]
    left_out: tuple[LeftOut, ...]
