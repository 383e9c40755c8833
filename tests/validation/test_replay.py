"""The Philly trace replayed: job by job as plain Python has it, and the published means to the digit."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from types import ModuleType

import pytest

from gigawatt.documents import load_csv
from gigawatt.domain.fleet import ReplayResult
from gigawatt.project.replay import replay_files

REPLAYED = ("fifo", "sjf", "easy")
"""What `operate replay` offers: the rules that two implementations agree on."""

SCALES = (1.0, 0.5, 0.35)


def replayed(shared_data: Path, policy: str, scale: float) -> ReplayResult:
    traces = shared_data / "traces"
    return replay_files(traces / "philly_jobs.csv.gz", traces / "philly_vc_nodes.csv", policy, scale)


@pytest.fixture(scope="module")
def plain_trace(shared_data: Path, plain_replay: ModuleType) -> tuple[list[object], dict[str, int]]:
    """Jobs and capacity read by nothing but the csv module."""
    traces = shared_data / "traces"
    with gzip.open(traces / "philly_jobs.csv.gz", "rt", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        jobs = [
            plain_replay.Job(
                row["job_id"], row["vc"], int(row["submit_s"]), int(row["duration_s"]), int(row["gpus"])
            )
            for row in rows
        ]
    with (traces / "philly_vc_nodes.csv").open(encoding="utf-8") as file:
        nodes = {row["vc"]: int(row["nodes_of_8_gpus"]) for row in csv.DictReader(file)}
    return jobs, nodes


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("policy", REPLAYED)
def test_every_job_starts_when_plain_python_starts_it(
    shared_data: Path, plain_replay: ModuleType, plain_trace, policy: str, scale: float
) -> None:
    jobs, nodes = plain_trace
    expected, dropped = plain_replay.replay(jobs, nodes, policy, scale)
    result = replayed(shared_data, policy, scale)
    found = {n: start_s for n, start_s in enumerate(result.start_s.tolist()) if start_s == start_s}
    assert [n for n in expected if found.get(n) != expected[n]] == []
    assert len(found) == len(expected) == 61_970
    assert result.summary.jobs_dropped == len(dropped) == 18


def test_the_means_are_the_reference_results_to_the_digit(shared_data: Path) -> None:
    """Its dropped jobs are those of the sized VCs alone: none; 18 stand in VCs without a size."""
    rows = load_csv(shared_data / "traces" / "reference_results.csv")
    compared = 0
    for row in rows:
        if row["tool"] != "plain Python reference":
            continue
        summary = replayed(shared_data, row["policy"], float(row["pool_scale"])).summary
        assert f"{summary.overall.mean_queue_s:.3f}" == row["mean_queue_s"]
        assert f"{summary.overall.mean_jct_s:.3f}" == row["mean_jct_s"]
        assert summary.jobs_started == int(row["jobs_started"])
        assert summary.remarks == {"unlisted tenant": 18}
        compared += 1
    assert compared == len(SCALES) * len(REPLAYED)
