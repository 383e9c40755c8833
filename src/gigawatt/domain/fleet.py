"""Vocabulary of a fleet at work: jobs and the trace they come from, and what became of them in a replay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, TypeAlias

from gigawatt.domain.record import Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Ints: TypeAlias = NDArray[np.int64]
else:
    # The vocabulary is read without numpy; whoever holds a trace has loaded it.
    Floats = Ints = Any

RemarkKind = Literal[
    "malformed",
    "negative",
    "duplicate id",
    "unsorted",
    "not a job",
    "no gpus",
    "no run",
    "unlisted tenant",
    "larger than pool",
    "after the end",
]
"""Why a line of a trace is no job of the replay; `unsorted` alone says that it is one, at its own time."""


class Job(NamedTuple):
    """One gang job: all of its GPUs at once, from start to end."""

    id: str
    tenant: str
    submit_s: float
    duration_s: float
    num_gpus: int


class LineRemark(NamedTuple):
    """What is to be said of one line of a trace."""

    line: int
    """Counted from 1; of a trace that was no file, the place of the job."""
    kind: RemarkKind
    id: str
    """Of the job, where the line has one."""
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class JobTrace:
    """Jobs as columns, in the order of their file, with what its other lines were."""

    ids: tuple[str, ...]
    tenants: tuple[str, ...]
    """Names, in order of appearance."""
    tenant: Ints
    """[jobs] place in `tenants`."""
    submit_s: Floats
    """[jobs] s"""
    duration_s: Floats
    """[jobs] s"""
    num_gpus: Ints
    """[jobs]"""
    line: Ints
    """[jobs]"""
    num_lines: int
    """Lines that the file has, blank ones and the header aside."""
    remarks: tuple[LineRemark, ...] = ()
    file: str = ""

    @classmethod
    def of(
        cls,
        jobs: Iterable[Job],
        lines: Iterable[int] = (),
        remarks: Iterable[LineRemark] = (),
        num_lines: int = 0,
        file: str = "",
    ) -> Self:
        """The trace of some jobs, which are taken as they are."""
        import numpy as np

        rows = tuple(jobs)
        tenants = tuple(dict.fromkeys(job.tenant for job in rows))
        place = {name: n for n, name in enumerate(tenants)}
        return cls(
            ids=tuple(job.id for job in rows),
            tenants=tenants,
            tenant=np.array([place[job.tenant] for job in rows], np.int64),
            submit_s=np.array([job.submit_s for job in rows], np.float64),
            duration_s=np.array([job.duration_s for job in rows], np.float64),
            num_gpus=np.array([job.num_gpus for job in rows], np.int64),
            line=np.array(tuple(lines) or range(1, len(rows) + 1), np.int64),
            num_lines=num_lines or len(rows),
            remarks=tuple(remarks),
            file=file,
        )

    def __len__(self) -> int:
        return len(self.ids)


class QueueFigures(Record):
    """How jobs fared: the wait from submission to start, and to completion; of a tenant or of all."""

    tenant: str = ""
    """Blank for all together."""
    num_gpus: int
    """Of the pool."""
    num_jobs: int
    """That ran."""
    mean_queue_s: float
    p50_queue_s: float
    p90_queue_s: float
    max_queue_s: float
    mean_jct_s: float
    """Job completion time: from submission to end."""
    p50_jct_s: float
    p90_jct_s: float
    gpu_h: float
    """GPU-hours of work."""
    utilisation_frac: float
    """GPUs at work over GPUs there, from the first submission to the last end of the whole replay."""


class ReplaySummary(Record):
    """What a replay did, in figures."""

    file: str
    policy: str
    scale: float
    """Of every pool's GPUs, before rounding down."""
    num_lines: int
    """Lines of the trace."""
    num_jobs: int
    """Of them jobs that the replay could take."""
    jobs_started: int
    jobs_dropped: int
    """Larger than their pool, or in a VC without one."""
    remarks: dict[str, int]
    """Lines by what is to be said of them."""
    events: int
    """Arrivals and completions."""
    rounds: int
    """Instants, counted once more for what ends at the instant at which it began."""
    span_s: float
    """From the first submission to the last end."""
    overall: QueueFigures
    tenants: tuple[QueueFigures, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ReplayResult:
    """The summary, and when each job of the trace started and ended (NaN where it was dropped)."""

    summary: ReplaySummary
    trace: JobTrace
    start_s: Floats
    """[jobs] s"""
    end_s: Floats
    """[jobs] s"""
    remarks: tuple[LineRemark, ...]
    """Of the trace's own lines, then of the jobs dropped."""
