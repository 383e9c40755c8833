"""Read a trace of jobs, whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gigawatt.documents import parse_json
from gigawatt.domain.fleet import JobTrace
from gigawatt.errors import InputError, Problem
from gigawatt.exports.job_csv import read_job_csv
from gigawatt.exports.philly_read import read_philly_log
from gigawatt.exports.sacct_read import is_sacct, read_sacct, read_sacct_json


def read_jobs(text: str, file: str) -> JobTrace:
    """The jobs of a CSV (ours, Helios, Acme, Alibaba), of sacct (parsable, JSON), or of Philly's log.

    What a line is that is no job stands in the trace's remarks. Raises InputError where the file is none of
    these, or holds no job at all.
    """
    trace = _read(text, file)
    if len(trace) == 0:
        shown = [Problem(one.message, one.id, file, one.line, 1) for one in trace.remarks[:SHOWN_REMARKS]]
        more = len(trace.remarks) - len(shown)
        tail = [Problem(f"and {more:,} more lines that are no jobs", file=file)] if more else []
        raise InputError([Problem("holds no job that can be replayed", file=file), *shown, *tail])
    return trace


SHOWN_REMARKS = 10


def _read(text: str, file: str) -> JobTrace:
    begin = text.lstrip()[:1]
    if begin in ("{", "["):
        content = parse_json(text, file)
        if isinstance(content, Mapping) and isinstance(content.get("jobs"), list | tuple):
            return read_sacct_json(content, file)
        if isinstance(content, Sequence) and not isinstance(content, str):
            return read_philly_log(content, file)
        raise InputError(Problem('expected "jobs" as of sacct --json, or a list as of Philly', file=file))
    header = text.lstrip().partition("\n")[0]
    return read_sacct(text, file) if is_sacct(header) else read_job_csv(text, file)
