"""Collective operations: what is asked, and what is predicted of one."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gigawatt.domain.record import Record
from gigawatt.domain.validation import IntervalScore, RunStatus, Score, ScoredGroup

Collective = Literal[
    "all_reduce",
    "all_gather",
    "reduce_scatter",
    "all_to_all",
    "broadcast",
    "send_recv",
    "moe_dispatch",
    "moe_combine",
]


class Candidate(Record):
    """One algorithm and protocol that could have been used."""

    algorithm: str
    protocol: str = ""
    time_s: float


class CollectivePrediction(Record):
    """Time of one collective, with its 10 % and 90 % points, and what sets it."""

    collective: Collective
    bytes_total: float
    """The whole logical buffer, as nccl-tests count it."""
    num_ranks: int
    num_domains: int
    """Scale-up domains that the ranks lie in."""
    time_s: float
    low_s: float
    high_s: float
    algorithm: str
    protocol: str = ""
    algbw_bytes_per_s: float
    busbw_bytes_per_s: float
    bottleneck: str
    """The link, or the latency, that sets the time."""
    sensitivity: dict[str, float] = Field(default={})
    """Relative change of the time for one per cent less of each resource, by its name."""
    candidates: tuple[Candidate, ...] = ()
    basis: str = ""
    mean_slowdown: float = 1.0
    """Slow-down of the network by flows hashed onto the same links, mean over hashes; part of `time_s`."""
    p99_slowdown: float = 1.0
    """As much in one run of a hundred."""
    hash_p99_s: float | None = None
    """The time then, which `high_s` is not below; None where nothing collides."""


class ValidatedCollective(Record):
    """One row of a file of measured collectives: measured beside predicted."""

    series: str
    collective: str
    bytes_total: float | None = None
    """As the file has it; an exchange of tokens may not say."""
    num_ranks: int | None = None
    band: str = ""
    """"small" to 64 KiB, "middle", "large" from 1 MiB, "exchange" of tokens."""
    status: RunStatus
    reason: str = ""
    """Why it cannot be predicted, or what the gap is likely due to."""
    fold: str = ""
    algorithm: str = ""
    known: bool = True
    """Whether the fit had seen its transports."""
    measured_s: float | None = None
    predicted_s: float | None = None
    low_s: float | None = None
    high_s: float | None = None
    measured_busbw_bytes_per_s: float | None = None
    predicted_busbw_bytes_per_s: float | None = None
    """Both as nccl-tests print it; None of token exchanges."""

    @property
    def error_frac(self) -> float:
        """Predicted over measured time, less one; 0 where either is missing."""
        return self.predicted_s / self.measured_s - 1.0 if self.predicted_s and self.measured_s else 0.0

    @property
    def is_within(self) -> bool | None:
        """Whether the measured time lies between the 10 % and the 90 % point; None where there is none."""
        if self.measured_s is None or self.low_s is None or self.high_s is None:
            return None
        return self.low_s <= self.measured_s <= self.high_s


class SeriesCause(Record):
    """What the gap between a measured series and its prediction is likely due to."""

    series: str
    cause: str
    advice: str = ""
    """What to look at."""
    left_frac: float = 0.0
    """What is left of the gap with it: typical distance of measured from predicted times."""


class CollectiveReport(Record):
    """Every row of the files, and how good the predictions are."""

    subject: Literal["collectives"] = "collectives"
    cross_validation: str = ""
    """What was left out of the fit that predicts it; blank where the catalogue's calibration predicts all."""
    num_rows: int
    coverage_frac: float
    """Share of the rows that is predicted."""
    overall: Score
    groups: tuple[ScoredGroup, ...] = ()
    """By series, by size ("size": small, middle, large, exchange), and whether transports were known."""
    fitted: tuple[ScoredGroup, ...] = ()
    """By size, of one fit that has seen all rows: beside cross-validation, how much is memory."""
    baseline: tuple[ScoredGroup, ...] = ()
    """By size and series, of a model of bandwidth alone."""
    interval: IntervalScore
    rows: tuple[ValidatedCollective, ...]
    causes: tuple[SeriesCause, ...] = ()
    """Of series that lie beyond their range more often than chance allows."""
    worst: tuple[str, ...] = ()
    """Series and sizes furthest from their prediction, worst first."""

    def group(self, kind: str, name: str) -> Score | None:
        """The score of one group."""
        return next((one.score for one in self.groups if (one.kind, one.name) == (kind, name)), None)
