"""The log of a rehearsal: what each job and asset did from when to when, written as it goes and read again.

As CSV it is readable up to its last whole line whenever the writing stops. Parquet, which is smaller, is
complete only once it is closed: an interruption closes it, a killed process cannot.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from gigawatt.documents import read_text
from gigawatt.errors import InputError, Problem
from gigawatt.operate import world
from gigawatt.operate.cast import SCOPES, Cast
from gigawatt.operate.tables import NONE, Ints, Table, table

FORMAT_VERSION = "1"
STATES = (
    "waiting",
    "starting",
    "running",
    "stalled",
    "saving",
    "done",
    "standing-by",
    "in-service",
    "faulty",
    "draining",
    "triage",
    "reboot",
    "waits-for-part",
    "waits-for-hands",
    "hands-on",
    "burn-in",
    "maintenance",
    "out with its domain",
)
"""In the order of their numbers in `gigawatt.operate.world`."""
COLUMNS = (
    "begin_s",
    "end_s",
    "what",
    "subject",
    "tenant",
    "state",
    "cause",
    "gpus",
    "idle_gpus",
    "work_gpu_s",
    "save_gpu_s",
    "slow_gpu_s",
    "lost_gpu_s",
)
AMOUNTS = ("work_gpu_s", "save_gpu_s", "slow_gpu_s", "lost_gpu_s")
KINDS = (".csv", ".parquet")

Keep = Callable[[Table], None]


def require_kind(kind: str) -> None:
    """Errors: InputError where no log of this kind can be written, before any file is begun."""
    if kind not in KINDS:
        raise InputError(f"{kind}: a log is written as {' or '.join(KINDS)}")
    if kind == ".parquet" and find_spec("pyarrow") is None:
        raise InputError("writing .parquet needs pyarrow: pip install 'gigawatt[parquet]'")


@contextmanager
def written_spells(file: BinaryIO, kind: str, cast: Cast) -> Iterator[Keep]:
    """Whoever gets a block of the log writes it to the file, `.csv` or `.parquet`, at once.

    Errors: InputError as `require_kind`.
    """
    require_kind(kind)
    if kind == ".parquet":
        with _parquet(file, cast) as keep:
            yield keep
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)

    def keep_lines(rows: Table) -> None:
        writer.writerows(zip(*_columns(rows, cast), strict=True))
        file.write(text.getvalue().encode())
        file.flush()
        text.seek(0)
        text.truncate()

    yield keep_lines


@contextmanager
def _parquet(file: BinaryIO, cast: Cast) -> Iterator[Keep]:
    import pyarrow
    import pyarrow.parquet

    texts = ("what", "subject", "tenant", "state", "cause")
    kinds = {name: pyarrow.string() if name in texts else pyarrow.float64() for name in COLUMNS}
    kinds |= dict.fromkeys(("gpus", "idle_gpus"), pyarrow.int64())
    schema = pyarrow.schema(list(kinds.items()))
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:

        def keep(rows: Table) -> None:
            columns = dict(zip(COLUMNS, _columns(rows, cast), strict=True))
            writer.write_table(pyarrow.table(columns, schema=schema))

        yield keep


def _columns(rows: Table, cast: Cast) -> Iterator[list[Any]]:
    is_job = rows.state < world.STANDING_BY
    subject = rows.subject.tolist()
    scopes = np.searchsorted(cast.first_asset[:, 0], rows.subject, side="right") - 1
    tenants = np.array(cast.tenants, object)[cast.tenant[np.where(is_job, rows.subject, 0)]]
    names = {number: cast.cause(number) for number in np.unique(rows.cause).tolist()}
    yield rows.begin_s.tolist()
    yield rows.end_s.tolist()
    yield np.where(is_job, "job", np.array(SCOPES)[scopes]).tolist()
    yield cast.subjects(rows) if subject else []
    yield np.where(is_job, tenants, "").tolist()
    yield np.array(STATES)[rows.state].tolist()
    yield [names[number] for number in rows.cause.tolist()]
    for name in ("gpus", "idle_gpus", *AMOUNTS):
        yield rows[name].tolist()


class SpellLog(NamedTuple):
    """A log that has been read, as `gigawatt.operate.ledger` takes it in."""

    rows: Table
    """[rows] SPELL; jobs, assets and hazards numbered as they appear."""
    tenants: tuple[str, ...]
    tenant: Ints
    """[jobs] place in `tenants`."""
    hazards: tuple[str, ...]
    subjects: tuple[str, ...]
    """[jobs] names."""
    is_whole: bool
    """Whether the last line is; where it is not, it was left out."""


def read_spells(path: str) -> SpellLog:
    """A log as CSV. Errors: InputError with each line that is none of a log."""
    text = read_text(path)
    whole, _, rest = text.rpartition("\n")
    reader = csv.reader(io.StringIO(whole))
    header = next(reader, [])
    if tuple(header) != COLUMNS:
        raise InputError(Problem(f"expected the columns {','.join(COLUMNS)}", file=path, line=1, column=1))
    numbers = _Numbers({}, {}, {}, {})
    values: list[tuple[Any, ...]] = []
    problems = []
    for cells in reader:
        try:
            values.append(numbers.row(cells))
        except (ValueError, IndexError) as error:
            problems.append(Problem(f"is no spell: {error}", file=path, line=reader.line_num, column=1))
    if problems:
        raise InputError(problems)
    rows = table(world.SPELL, len(values))
    fields = ("begin_s", "end_s", "subject", "state", "cause", "gpus", "idle_gpus", *AMOUNTS)
    for name, column in zip(fields, zip(*values, strict=True), strict=False):
        rows[name] = column
    return SpellLog(
        rows=rows,
        tenants=tuple(numbers.tenants),
        tenant=np.array(list(numbers.jobs.values()), np.int64),
        hazards=tuple(numbers.hazards),
        subjects=tuple(numbers.jobs),
        is_whole=not rest,
    )


class _Numbers(NamedTuple):
    """Numbers given to names as they appear."""

    tenants: dict[str, int]
    jobs: dict[str, int]
    """With the place of their tenant."""
    places: dict[tuple[str, str], int]
    """Of jobs and of assets."""
    hazards: dict[str, int]

    def row(self, cells: list[str]) -> tuple[Any, ...]:
        """A line as a row of the log."""
        begin, end, what, subject, tenant, state, cause, gpus, idle, *amounts = cells
        if len(amounts) != len(AMOUNTS):
            raise ValueError(f"{len(cells)} fields, expected {len(COLUMNS)}")
        is_job = what == "job"
        if is_job and subject not in self.jobs:
            self.places["job", subject] = len(self.jobs)
            self.jobs[subject] = self.tenants.setdefault(tenant, len(self.tenants))
        number = self.places.setdefault(("job" if is_job else "asset", subject), len(self.places))
        return (
            float(begin),
            float(end),
            number,
            STATES.index(state),
            self._cause(cause),
            int(gpus),
            int(idle),
            *map(float, amounts),
        )

    def _cause(self, name: str) -> int:
        if name in ("", "planned"):
            return NONE if name == "" else world.PLANNED
        return self.hazards.setdefault(name, len(self.hazards))
