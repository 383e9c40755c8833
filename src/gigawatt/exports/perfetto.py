"""A rehearsal as a trace that Perfetto and Chrome open: tenants with their jobs, repairs, and what GPUs do.

The JSON array of the Trace Event Format, whose closing bracket may be missing: the file is written as it
goes, and what is there can be opened whenever the writing stops.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from gigawatt.domain.twin import TimelineRow
from gigawatt.exports.spells import STATES
from gigawatt.operate import world
from gigawatt.operate.cast import Cast
from gigawatt.operate.tables import NONE, Ints, Table
from gigawatt.units import parse_quantity

FORMAT_VERSION = "2016-10"
MOST_JOBS = 1_000
"""Jobs that get a row of their own: every run, then the largest of the others."""
US_S = parse_quantity("1 us", "_s")
FLEET = 1
"""The process that holds what GPUs do over the time; tenants follow, then the repairs of each site."""

Event = dict[str, Any]


class Writing:
    """What takes in a log, block by block, and at the end the timeline."""

    def __init__(self, file: BinaryIO, cast: Cast) -> None:
        self._file, self._cast = file, cast
        self._jobs, self._seen = set(shown_jobs(cast).tolist()), set[tuple[int, int]]()
        self._repairs = FLEET + 1 + len(cast.tenants)
        self._first = True
        self._write(self._processes())

    def add(self, rows: Table) -> None:
        """Write a block of the log."""
        wanted = np.isin(rows.subject, list(self._jobs)) | (rows.state >= world.STANDING_BY)
        kept = rows[wanted & (rows.end_s > rows.begin_s)]
        self._write(event for row in kept for event in self._spell(row))

    def add_timeline(self, rows: Iterable[TimelineRow]) -> None:
        """Write what GPUs did, and how many were waited for, as counters."""
        self._write(event for row in rows for event in _counters(row))

    def _write(self, events: Iterable[Event]) -> None:
        for event in events:
            self._file.write(b"[\n" if self._first else b",\n")
            self._file.write(json.dumps(event, separators=(",", ":")).encode())
            self._first = False
        self._file.flush()

    def _processes(self) -> Iterator[Event]:
        names = ["fleet", *(f"jobs of {tenant}" for tenant in self._cast.tenants)]
        names += [f"repairs at {site.name}" for site in self._cast.plan.sites]
        for number, name in enumerate(names):
            pid = FLEET + number
            yield _named("process_name", pid, 0, name)
            yield {"ph": "M", "pid": pid, "name": "process_sort_index", "args": {"sort_index": number}}

    def _spell(self, row: Any) -> Iterator[Event]:
        subject, state, cause = int(row.subject), int(row.state), int(row.cause)
        if state < world.STANDING_BY:
            pid = FLEET + 1 + int(self._cast.tenant[subject])
        else:
            pid = self._repairs + self._cast.site(subject)
        tid = subject + 1
        if (pid, tid) not in self._seen:
            self._seen.add((pid, tid))
            name = self._cast.job if state < world.STANDING_BY else self._cast.asset
            yield _named("thread_name", pid, tid, name(subject))
        details: Event = {"gpus": int(row.gpus)}
        if cause != NONE:
            details["cause"] = self._cast.cause(cause)
        begin_s, passed_s = float(row.begin_s), float(row.end_s) - float(row.begin_s)
        yield {
            "ph": "X",
            "pid": pid,
            "tid": tid,
            "name": STATES[state],
            "ts": begin_s / US_S,
            "dur": passed_s / US_S,
            "args": details,
        }


@contextmanager
def written_trace(file: BinaryIO, cast: Cast) -> Iterator[Writing]:
    """Whoever gets blocks of the log writes them to the file; it is closed in the end."""
    yield Writing(file, cast)
    file.write(b"\n]\n")


def shown_jobs(cast: Cast) -> Ints:
    """Jobs with a row of their own: runs first, then the largest, then the earliest."""
    rank = np.lexsort((np.arange(len(cast.kind)), -cast.num_gpus, ~cast.is_run[cast.kind]))
    return rank[:MOST_JOBS]


def _named(what: str, pid: int, tid: int, name: str) -> Event:
    return {"ph": "M", "pid": pid, "tid": tid, "name": what, "args": {"name": name}}


def _counters(row: TimelineRow) -> Iterator[Event]:
    values = row.model_dump(exclude={"begin_s", "num_waiting", "num_interruptions"})
    shown = {name.removeprefix("num_").replace("_", " "): value for name, value in values.items()}
    tracks = {
        "GPUs": shown,
        "GPUs waited for": {"waiting": row.num_waiting},
        "interruptions": {"jobs": row.num_interruptions},
    }
    for name, track in tracks.items():
        yield {"ph": "C", "pid": FLEET, "name": name, "ts": row.begin_s / US_S, "args": track}
