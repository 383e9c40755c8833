"""Jobs as Slurm accounts for them: `sacct --parsable`, `--parsable2` or `--json`, of real sites.

One run of one allocation is one job. Steps, jobs without GPUs, those that never started and those that still
run are no jobs of a replay: each is counted and named. A job that was requeued (`sacct -D`) stands there once
for each run. The tenant is the account, and the partition where no account is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from gigawatt.domain.fleet import JobTrace
from gigawatt.errors import InputError, Problem
from gigawatt.exports.job_columns import JobColumns
from gigawatt.exports.job_csv import date_s

SEPARATORS = ("|#", "|", "\t", ";")
UNKNOWN = frozenset({"", "unknown", "none", "n/a", "invalid"})
_ELAPSED = re.compile(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)(?:\.\d+)?")
_GPUS = re.compile(r"(?:^|,)(?:gres[/:])?gpu(:[^=,:]+)?[=:](\d+)")
_STARTING = frozenset({"PENDING", "REQUEUED", "RESIZING", "REVOKED"})


class Account(NamedTuple):
    """One row of the accounting, whatever it was printed as."""

    line: int
    id: str
    tenant: str
    state: str
    submit: str
    start: str
    end: str
    elapsed: str
    gpus: int


def read_sacct(text: str, file: str) -> JobTrace:
    """The jobs of `sacct --parsable` or `--parsable2` with any separator in `SEPARATORS`.

    Raises InputError where the header lacks what makes a job.
    """
    lines = text.split("\n")
    first = next((n for n, line in enumerate(lines) if line.strip()), 0)
    separator = _separator(lines[first])
    header = [name.strip() for name in lines[first].rstrip("\r").split(separator)]
    _require(header, file, first + 1)
    columns = JobColumns(file)
    rows = []
    for number, line in enumerate(lines[first + 1 :], start=first + 2):
        if not line.strip():
            continue
        columns.num_lines += 1
        cells = line.rstrip("\r").split(separator)
        if len(cells) != len(header):
            message = f"expected {len(header)} cells as in the header, found {len(cells)}"
            columns.remark(number, "malformed", "", message)
            continue
        rows.append(_account(number, dict(zip(header, cells, strict=True))))
    _add(columns, rows)
    return columns.trace()


def _separator(header: str) -> str:
    return next((one for one in SEPARATORS if one in header), "|")


def is_sacct(header: str) -> bool:
    """Whether a first line is the header of sacct."""
    return bool({"JobID", "JobIDRaw"} & set(header.strip().split(_separator(header))))


def _require(header: list[str], file: str, line: int) -> None:
    alternatives = (
        ("JobIDRaw", "JobID"),
        ("Submit",),
        ("ElapsedRaw", "Elapsed"),
        ("AllocTRES", "AllocGRES", "ReqTRES", "ReqGRES"),
        ("Account", "Partition"),
    )
    problems = [
        Problem(f"column is missing: expected {' or '.join(names)}", names[0], file, line, 1)
        for names in alternatives
        if not set(names) & set(header)
    ]
    if problems:
        raise InputError(problems)


def _account(line: int, row: Mapping[str, str]) -> Account:
    def cell(*names: str) -> str:
        return next((row[name].strip() for name in names if row.get(name, "").strip()), "")

    return Account(
        line=line,
        id=cell("JobIDRaw", "JobID"),
        tenant=cell("Account", "Partition"),
        state=cell("State"),
        submit=cell("Submit"),
        start=cell("Start"),
        end=cell("End"),
        elapsed=cell("ElapsedRaw", "Elapsed"),
        gpus=_num_gpus(cell("AllocTRES")) or _num_gpus(cell("AllocGRES", "ReqTRES", "ReqGRES")),
    )


def _num_gpus(text: str) -> int:
    """GPUs in "cpu=8,gres/gpu=4,gres/gpu:h100=4" or "gpu:a100:4": the total, else the sum over types."""
    found = _GPUS.findall(text)
    totals = [int(number) for kind, number in found if not kind]
    return totals[0] if totals else sum(int(number) for _, number in found)


def _add(columns: JobColumns, rows: Iterable[Account]) -> None:
    """Take the rows that are jobs which ran to their end, and say of each other what it is."""
    runs: dict[str, set[str]] = {}
    for row in rows:
        if "." in row.id:
            columns.remark(row.line, "not a job", row.id, "is a step of a job")
        elif row.gpus == 0:
            columns.remark(row.line, "no gpus", row.id, "has no GPU")
        elif (state := _unfinished(row)) is not None:
            columns.remark(row.line, "no run", row.id, state)
        else:
            submitted = runs.setdefault(row.id, set())
            # Requeued: the same number, submitted again. The same submission again is the same row again.
            name = f"{row.id}@{row.submit}" if submitted - {row.submit} else row.id
            submitted.add(row.submit)
            submit_s = date_s(row.submit, row.submit)
            columns.add(row.line, name, row.tenant, submit_s, _elapsed_s(row.elapsed), row.gpus)


def _unfinished(row: Account) -> str | None:
    """Why a row has no run time yet, or never had one."""
    state = row.state.partition(" ")[0].upper()
    if state in ("RUNNING", "COMPLETING", "SUSPENDED") or (not state and row.end.lower() in UNKNOWN):
        return "still runs"
    if state in _STARTING or row.start.lower() in UNKNOWN:
        return f"never started ({row.state or 'no state'})"
    if state.startswith("CANCELLED") and not _elapsed_s(row.elapsed):
        return "was cancelled before it ran"
    return None


def _elapsed_s(text: str) -> str | float:
    """ "186100" or "2-03:41:40" as s; what is neither stays text, and is refused by its column."""
    found = _ELAPSED.fullmatch(text)
    if not found:
        return float(text) if text.isdecimal() else text
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()


def read_sacct_json(content: Mapping[str, Any], file: str) -> JobTrace:
    """The jobs of `sacct --json`, of Slurm 21.08 and later; a job's line is its place in the list."""
    columns = JobColumns(file)
    rows = []
    for number, job in enumerate(content["jobs"], start=1):
        columns.num_lines += 1
        try:
            rows.append(_json_account(number, job))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            message = f"is no job of sacct: {type(error).__name__} {error}"
            columns.remark(number, "malformed", "", message)
    _add(columns, rows)
    return columns.trace()


def _json_account(number: int, job: Mapping[str, Any]) -> Account:
    times = {name: _plain(job["time"][name]) for name in ("submission", "start", "end", "elapsed")}
    tres = job.get("tres", {})
    gpus = _json_gpus(tres.get("allocated", ())) or _json_gpus(tres.get("requested", ()))
    state = job["state"]["current"]
    return Account(
        line=number,
        id=str(_plain(job["job_id"])),
        tenant=str(job.get("account") or job.get("partition") or ""),
        state=" ".join(state) if isinstance(state, list | tuple) else str(state),
        submit=str(times["submission"]),
        start=str(times["start"] or ""),
        end=str(times["end"] or ""),
        elapsed=str(times["elapsed"]),
        gpus=gpus,
    )


def _plain(value: Any) -> Any:
    """A number that newer releases wrap as {"set": true, "infinite": false, "number": 5}."""
    if isinstance(value, Mapping):
        return value["number"] if value.get("set", True) and not value.get("infinite") else ""
    return value


def _json_gpus(tres: Iterable[Mapping[str, Any]]) -> int:
    gpus = [one for one in tres if one["type"] == "gres" and str(one.get("name", "")).startswith("gpu")]
    totals = [int(_plain(one["count"])) for one in gpus if one["name"] == "gpu"]
    return totals[0] if totals else sum(int(_plain(one["count"])) for one in gpus)
