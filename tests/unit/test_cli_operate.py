"""`gigawatt operate replay` as people and scripts call it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from gigawatt.cli.operate import replay

REPLAYED = ("fifo", "sjf", "easy")
"""What `operate replay` offers: the rules that two implementations agree on."""

JOBS = "job_id,vc,submit_s,duration_s,gpus\na,v,0,10,8\nb,v,1,10,8\nc,w,1,10,1\nd,v,2,10,99\ne,v,x,1,1\n"


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("nodes.csv").write_text("vc,nodes_of_8_gpus\nv,1\n")
    Path("jobs.csv").write_text(JOBS)
    return tmp_path


def replayed(run_gigawatt, *options: str):
    return run_gigawatt("operate", "replay", "jobs.csv", "--capacity", "nodes.csv", *options)


def test_the_command_knows_the_policies_there_are() -> None:
    choice = next(option for option in replay.params if option.name == "policy").type
    assert tuple(choice.choices) == REPLAYED


def test_one_object_on_standard_output(trace: Path, run_gigawatt) -> None:
    done = replayed(run_gigawatt, "--policy", "easy", "--starts", "out.csv", "--json")
    found = json.loads(done.output)
    assert (done.exit_code, found["schema"]) == (0, "gigawatt.operate-replay/1")
    assert (found["num_lines"], found["jobs_started"], found["jobs_dropped"], found["events"]) == (5, 2, 2, 4)
    assert found["overall"]["mean_queue_s"] == 4.5
    assert found["remarks"] == {"malformed": 1, "unlisted tenant": 1, "larger than pool": 1}
    assert [(one["line"], one["id"]) for one in found["lines"]] == [(6, "e"), (4, "c"), (5, "d")]
    assert Path("out.csv").read_text() == "job_id,start_s,end_s\na,0,10\nb,10,20\n"


def test_lines_that_are_no_jobs_are_named_by_file_and_line(trace: Path, run_gigawatt) -> None:
    done = replayed(run_gigawatt, "--policy", "fifo")
    assert done.exit_code == 0
    assert "jobs.csv:6: job e: malformed: submit_s: expected a number, found 'x'" in done.errors
    assert "jobs.csv:5: job d: larger than pool: 99 GPUs, and the pool of v has 8" in done.errors
    assert "2 jobs started, 2 dropped; 1 of 5 lines are no jobs" in done.output


def test_of_many_remarks_the_first_are_shown(trace: Path, run_gigawatt) -> None:
    Path("jobs.csv").write_text(JOBS + "".join(f"x{n},v,-1,1,1\n" for n in range(30)))
    done = replayed(run_gigawatt, "--policy", "fifo")
    assert done.errors.count("negative") == 10
    assert "and 20 more; -v shows all, --json lists them" in done.errors
    assert replayed(run_gigawatt, "--policy", "fifo", "-v").errors.count("negative") == 30


def test_a_zipped_trace_is_the_same_trace(trace: Path, run_gigawatt) -> None:
    plain = json.loads(replayed(run_gigawatt, "--policy", "sjf", "--json").output)
    Path("jobs.csv").write_bytes(gzip.compress(JOBS.encode()))
    assert json.loads(replayed(run_gigawatt, "--policy", "sjf", "--json").output) == plain
    Path("jobs.csv").write_bytes(gzip.compress(JOBS.encode())[:-9])
    done = replayed(run_gigawatt, "--policy", "sjf")
    assert (done.exit_code, "broken or cut off" in done.errors) == (2, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--policy", "lifo"), "lifo"),
        (("--policy", "fifo", "--scale", "0"), "scale: expected more than 0"),
        (("--policy", "fifo", "--scale", "nan"), "scale"),
        ((), "--policy"),
    ],
)
def test_wrong_usage(trace: Path, run_gigawatt, options: tuple[str, ...], message: str) -> None:
    done = replayed(run_gigawatt, *options)
    assert done.exit_code == 2
    assert message in done.errors
    assert "Traceback" not in done.errors


def test_wrong_files(trace: Path, run_gigawatt) -> None:
    Path("nodes.csv").write_text("vc,nodes\nv,1\n")
    done = replayed(run_gigawatt, "--policy", "fifo")
    assert (done.exit_code, "nodes.csv:1" in done.errors) == (2, True)
    Path("nodes.csv").write_text("vc,nodes_of_8_gpus\nv,1\n")
    Path("jobs.csv").unlink()
    assert replayed(run_gigawatt, "--policy", "fifo").exit_code == 2


def test_starts_that_cannot_be_written_say_so(trace: Path, run_gigawatt) -> None:
    done = replayed(run_gigawatt, "--policy", "fifo", "--starts", "nowhere/out.csv")
    assert (done.exit_code, "there is no folder" in done.errors) == (3, True)
