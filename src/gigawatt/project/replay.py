"""A trace and a capacity file by name in, a replay out."""

from __future__ import annotations

from pathlib import Path

from gigawatt.documents import load_csv, read_text
from gigawatt.domain.fleet import ReplayResult
from gigawatt.exports.job_csv import read_capacity
from gigawatt.exports.job_files import read_jobs
from gigawatt.operate.replay import Progress, replay_jobs


def replay_files(
    jobs: Path,
    capacity: Path,
    policy: str,
    scale: float = 1.0,
    progress: Progress = lambda _done, _total, _label: None,
) -> ReplayResult:
    """Play the trace in `jobs` (any form that `read_jobs` knows, also gzipped) back on `capacity`.

    Raises InputError where a file cannot be read or holds nothing to play; single lines that are no jobs are
    counted and named in the result.
    """
    nodes = read_capacity(load_csv(capacity, required=("vc", "nodes_of_8_gpus")), str(capacity))
    progress(0, 0, f"reading {jobs}")
    trace = read_jobs(read_text(jobs), str(jobs))
    return replay_jobs(trace, nodes, policy, scale, progress)
