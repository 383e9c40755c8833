"""Traces of jobs as CSV: our own columns and those of published traces; start times and capacity, too."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import NamedTuple

from gigawatt.documents import Row
from gigawatt.domain.fleet import JobTrace, ReplayResult
from gigawatt.errors import InputError, Problem
from gigawatt.exports.job_columns import Cell, JobColumns

SHOWN_NAMES = 8


class Dialect(NamedTuple):
    """The columns of one published form that make up a job."""

    name: str
    id: str
    tenant: str
    """Blank: the whole cluster is one tenant, called "all"."""
    submit: str
    duration: str
    gpus: str
    dates: bool = False
    """Submission as a date and time, not as seconds."""
    ran: str = ""
    """A column that is blank for a job that never ran."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that a file must have."""
        named = (self.id, self.tenant, self.submit, self.duration, self.gpus, self.ran)
        return tuple(dict.fromkeys(name for name in named if name))


OWN = Dialect("gigawatt", "job_id", "vc", "submit_s", "duration_s", "gpus")
DIALECTS = (
    OWN,
    Dialect("Helios", "job_id", "vc", "submit_time", "duration", "gpu_num", dates=True),
    Dialect("Acme", "job_id", "", "submit_time", "duration", "gpu_num", dates=True),
    Dialect("Alibaba openb", "job_id", "", "submit_s", "duration_s", "gpus", ran="queue_s"),
)
"""From the most telling to the least: the first whose columns are all there reads the file."""


def read_job_csv(text: str, file: str) -> JobTrace:
    """The jobs of a CSV file, and a remark for each line that is none.

    Raises InputError where the header has not the columns of any form that is known.
    """
    lines = text.split("\n")
    start = next((n for n, line in enumerate(lines) if line.strip()), 0)
    header = [cell.strip() for cell in next(csv.reader([lines[start]]), [])]
    dialect = next((one for one in DIALECTS if set(one.columns) <= set(header)), None)
    if dialect is None:
        raise InputError(_header_problems(header, file, start + 1))
    columns = JobColumns(file)
    places = [header.index(name) for name in dialect.columns]
    rows = _cells(lines, start + 1, len(header), columns)
    if dialect.dates or dialect.ran or not dialect.tenant:
        _add_foreign(columns, dialect, ((n, dict(zip(header, cells, strict=True))) for n, cells in rows))
    else:
        pick = itemgetter(*places)
        for number, cells in rows:
            name, tenant, submit, duration, gpus = pick(cells)
            columns.add(number, name.strip(), tenant.strip(), submit, duration, gpus)
    return columns.trace()


def _cells(
    lines: Sequence[str], start: int, width: int, columns: JobColumns
) -> Iterator[tuple[int, list[str]]]:
    """The cells of each line with its number; a quote that is never closed spoils its own line only."""
    for number, line in enumerate(lines[start:], start=start + 1):
        stripped = line.strip()
        if not stripped:
            continue
        columns.num_lines += 1
        cells = _quoted_cells(stripped) if '"' in stripped else stripped.split(",")
        if len(cells) == width:
            yield number, cells
        else:
            message = f"expected {width} cells as in the header, found {len(cells)}"
            columns.remark(number, "malformed", cells[0].strip(), message)


def _quoted_cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line]))
    except csv.Error:  # a cell of a size that nobody wrote
        return [""]


def _add_foreign(columns: JobColumns, dialect: Dialect, rows: Iterable[tuple[int, dict[str, str]]]) -> None:
    for number, row in rows:
        name = row[dialect.id].strip()
        if dialect.ran and not row[dialect.ran].strip():
            columns.remark(number, "no run", name, f"{dialect.ran} is blank: it never ran")
            continue
        if row[dialect.gpus].strip() in ("0", "0.0"):
            columns.remark(number, "no gpus", name, "asks for no GPU")
            continue
        submit: Cell = row[dialect.submit].strip()
        if dialect.dates:
            submit = date_s(str(submit), submit)
        tenant = row[dialect.tenant].strip() if dialect.tenant else "all"
        columns.add(number, name, tenant, submit, row[dialect.duration], row[dialect.gpus])


def date_s(text: str, otherwise: Cell) -> Cell:
    """A date and time as s since 1970; one without a zone is taken for UTC, so that no hour comes twice.

    Seconds since 1970 stay what they are; what is neither becomes `otherwise`.
    """
    if text.isdecimal():
        return float(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return otherwise
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _header_problems(header: Sequence[str], file: str, line: int) -> list[Problem]:
    if not any(header):
        return [Problem("is empty, expected a header line with the names of the columns", file=file)]
    shown = ", ".join(header[:SHOWN_NAMES]) + (", ..." if len(header) > SHOWN_NAMES else "")
    problems = []
    for name in OWN.columns:
        if name not in header:
            near = difflib.get_close_matches(name, header, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"found {shown}"
            problems.append(Problem(f"column is missing: {hint}", key=name, file=file, line=line, column=1))
    return problems


def read_capacity(rows: Sequence[Row], file: str) -> dict[str, float]:
    """Each VC's number of 8-GPU nodes. Raises InputError with every line that cannot be used."""
    capacity: dict[str, float] = {}
    problems = []
    for row in rows:
        vc, cell = row["vc"].strip(), row["nodes_of_8_gpus"].strip()
        try:
            nodes = float(cell)
        except ValueError:
            nodes = float("nan")
        if not vc:
            problems.append(row.problem("is blank", "vc"))
        elif vc in capacity:
            problems.append(row.problem(f"{vc} stands further up already", "vc"))
        elif not 0.0 <= nodes < float("inf"):
            problems.append(row.problem(f"expected a number of nodes, found {cell!r}", "nodes_of_8_gpus"))
        capacity.setdefault(vc, nodes)
    if not rows:
        problems.append(Problem("has no line below its header", file=file))
    if problems:
        raise InputError(problems)
    return capacity


def starts_csv(result: ReplayResult) -> Iterator[str]:
    """`job_id,start_s,end_s` of every job that started, in the order of the trace."""
    yield "job_id,start_s,end_s\n"
    columns = zip(result.trace.ids, result.start_s.tolist(), result.end_s.tolist(), strict=True)
    for name, start_s, end_s in columns:
        if start_s == start_s:
            yield f"{_quoted(name)},{_plain(start_s)},{_plain(end_s)}\n"


def _plain(seconds: float) -> str:
    """Whole seconds without a point, others to the last bit."""
    return str(int(seconds)) if seconds.is_integer() else repr(seconds)


def _quoted(name: str) -> str:
    if any(sign in name for sign in ',"\n\r'):
        return '"' + name.replace('"', '""') + '"'
    return name
