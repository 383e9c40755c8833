"""Jobs of a file as columns of cells, held to what a job must be: whoever fails is named, not lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from gigawatt.domain.fleet import Floats, Ints, JobTrace, LineRemark, RemarkKind

MOST_GPUS = 2.0**53
"""Beyond which a float does not count by one; no pool is near it."""

Cell = str | float


@dataclass
class JobColumns:
    """What a reader has found so far: jobs as they stand in their lines, and lines that are none."""

    file: str
    line: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    tenants: list[str] = field(default_factory=list)
    submit_s: list[Cell] = field(default_factory=list)
    duration_s: list[Cell] = field(default_factory=list)
    num_gpus: list[Cell] = field(default_factory=list)
    remarks: list[LineRemark] = field(default_factory=list)
    num_lines: int = 0

    def add(self, line: int, id: str, tenant: str, submit_s: Cell, duration_s: Cell, num_gpus: Cell) -> None:
        """A line that looks like a job."""
        self.line.append(line)
        self.ids.append(id)
        self.tenants.append(tenant)
        self.submit_s.append(submit_s)
        self.duration_s.append(duration_s)
        self.num_gpus.append(num_gpus)

    def remark(self, line: int, kind: RemarkKind, id: str, message: str) -> None:
        """A line that is no job, and why."""
        self.remarks.append(LineRemark(line, kind, id, message))

    def trace(self) -> JobTrace:
        """The jobs that are sound, and a remark for every line that is not, or stands out of order."""
        submit_s, duration_s = _numbers(self.submit_s), _numbers(self.duration_s)
        num_gpus = _numbers(self.num_gpus)
        sound = np.ones(len(self.ids), np.bool_)
        for n, kind, message in self._flaws(submit_s, duration_s, num_gpus):
            if sound[n]:
                sound[n] = False
                self.remark(self.line[n], kind, self.ids[n], message)
        kept = np.flatnonzero(sound)
        self._note_unsorted(kept, submit_s)
        self.remarks.sort(key=lambda remark: remark.line)
        names, places = _places([self.tenants[n] for n in kept.tolist()])
        return JobTrace(
            ids=tuple([self.ids[n] for n in kept.tolist()]),
            tenants=names,
            tenant=places,
            submit_s=submit_s[kept],
            duration_s=duration_s[kept],
            num_gpus=np.minimum(num_gpus[kept], MOST_GPUS).astype(np.int64),
            line=np.array(self.line, np.int64)[kept],
            num_lines=self.num_lines,
            remarks=tuple(self.remarks),
            file=self.file,
        )

    def _flaws(
        self, submit_s: Floats, duration_s: Floats, num_gpus: Floats
    ) -> Iterable[tuple[int, RemarkKind, str]]:
        """Each flaw of each line; of a line with several, the first counts."""
        columns = (
            ("submit_s", submit_s, self.submit_s),
            ("duration_s", duration_s, self.duration_s),
            ("gpus", num_gpus, self.num_gpus),
        )
        for name, values, cells in columns:
            for n in np.flatnonzero(~np.isfinite(values)).tolist():
                yield n, "malformed", f"{name}: expected a number, found {cells[n]!r}"
        for name, values, cells in columns:
            for n in np.flatnonzero(values < 0.0).tolist():
                yield n, "negative", f"{name}: expected no less than 0, found {cells[n]}"
        for n in np.flatnonzero(num_gpus != np.floor(num_gpus)).tolist():
            yield n, "malformed", f"gpus: expected a whole number, found {self.num_gpus[n]}"
        for what, names in (("job_id", self.ids), ("vc", self.tenants)):
            if not all(names):
                yield from ((n, "malformed", f"{what}: is blank") for n, name in enumerate(names) if not name)
        if len(set(self.ids)) < len(self.ids):
            yield from self._duplicates()

    def _duplicates(self) -> Iterable[tuple[int, RemarkKind, str]]:
        first: dict[str, int] = {}
        for n, name in enumerate(self.ids):
            before = first.setdefault(name, n)
            if before != n:
                yield n, "duplicate id", f"job {name} stands on line {self.line[before]} already"

    def _note_unsorted(self, kept: Ints, submit_s: Floats) -> None:
        """Jobs that were submitted before one further up: they are taken, at their own time."""
        times = submit_s[kept]
        if len(times) == 0:
            return
        latest = np.maximum.accumulate(times)
        for n in kept[times < latest].tolist():
            message = "was submitted before a job further up; taken at its own time"
            self.remark(self.line[n], "unsorted", self.ids[n], message)


def _numbers(cells: Sequence[Cell]) -> Floats:
    """Cells as numbers, NaN where one is none."""
    try:
        return np.array(cells, dtype=np.float64)
    except ValueError:
        return np.array([_number(cell) for cell in cells], np.float64)


def _number(cell: Cell) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _places(names: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """The distinct names in order of appearance, and the place of each name among them."""
    place: dict[str, int] = {}
    places = [place.setdefault(name, len(place)) for name in names]
    return tuple(place), np.array(places, np.int64)
