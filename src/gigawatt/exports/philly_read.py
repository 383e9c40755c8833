"""Jobs of Philly's own log, `cluster_job_log`: a list of jobs with their attempts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gigawatt.domain.fleet import JobTrace
from gigawatt.exports.job_columns import JobColumns
from gigawatt.exports.job_csv import date_s


def read_philly_log(content: Sequence[Any], file: str) -> JobTrace:
    """One job for each entry: as long as its attempts together, as wide as the widest of them.

    A job's line is its place in the list. Jobs without an attempt, and those with one whose start or end the
    log has lost, are named.
    """
    columns = JobColumns(file)
    for number, job in enumerate(content, start=1):
        columns.num_lines += 1
        try:
            _add_job(columns, number, job)
        except (KeyError, TypeError, AttributeError) as error:
            message = f"is no job of Philly's log: {type(error).__name__} {error}"
            columns.remark(number, "malformed", "", message)
    return columns.trace()


def _add_job(columns: JobColumns, number: int, job: Mapping[str, Any]) -> None:
    name, attempts = str(job["jobid"]), job["attempts"]
    if not attempts:
        columns.remark(number, "no run", name, "has no attempt")
        return
    times = [(date_s(str(one["start_time"]), ""), date_s(str(one["end_time"]), "")) for one in attempts]
    if any(time == "" for both in times for time in both):
        columns.remark(number, "no run", name, "has an attempt without start or end")
        return
    duration_s = sum(float(end) - float(begin) for begin, end in times)
    gpus = max(sum(len(host["gpus"]) for host in one["detail"]) for one in attempts)
    if gpus == 0:
        columns.remark(number, "no gpus", name, "has no GPU")
        return
    submitted = str(job["submitted_time"])
    columns.add(number, name, str(job["vc"]), date_s(submitted, submitted), duration_s, gpus)
