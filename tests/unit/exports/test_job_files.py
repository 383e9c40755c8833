"""Traces of jobs as they come: what is a job is taken, and every other line is named with its reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gigawatt.documents import load_csv, read_text
from gigawatt.domain.fleet import Job, JobTrace
from gigawatt.errors import InputError
from gigawatt.exports.job_csv import read_capacity, starts_csv
from gigawatt.exports.job_files import read_jobs
from gigawatt.operate import replay_jobs

HEADER = "job_id,vc,submit_s,duration_s,gpus\n"


def said(trace: JobTrace) -> list[tuple[int, str]]:
    return [(one.line, one.kind) for one in trace.remarks]


def jobs_in(trace: JobTrace) -> list[Job]:
    """The jobs as records again."""
    columns = (trace.submit_s.tolist(), trace.duration_s.tolist(), trace.num_gpus.tolist())
    names = [trace.tenants[n] for n in trace.tenant.tolist()]
    return [Job(*row) for row in zip(trace.ids, names, *columns, strict=True)]


def test_our_own_columns_in_any_order_beside_others() -> None:
    text = "\ufeffgpus,user,vc,job_id,duration_s,submit_s\r\n8,u,a,one,0.5,7\r\n\r\n1,u,b,two,3,9\r\n"
    trace = read_jobs(text.removeprefix("\ufeff"), "x.csv")
    assert jobs_in(trace) == [Job("one", "a", 7.0, 0.5, 8), Job("two", "b", 9.0, 3.0, 1)]
    assert (trace.num_lines, said(trace), trace.line.tolist()) == (2, [], [2, 4])


def test_each_line_that_is_no_job_is_named_with_its_reason() -> None:
    lines = [
        "a,v,0,10,1",
        "b,v,0,10",  # 3: a cell is missing
        "c,v,soon,10,1",  # 4
        "d,v,0,-1,1",  # 5
        "e,v,0,nan,1",  # 6
        "f,v,0,10,1.5",  # 7
        "a,v,3,10,1",  # 8: the number of line 2
        "g,v,-5,10,1",  # 9
        ",v,0,10,1",  # 10
        "h,,0,10,1",  # 11
        'i,"v,0,10,1',  # 12: a quote that is never closed
        "j,v,9,0,1",
        "k,v,4,10,1",  # 14: before line 13
        "l,v,9,10,-2",  # 15
        '"m, the last",v,9,inf,1',  # 16
        "n,v,9,10,1e400",  # 17
    ]
    trace = read_jobs(HEADER + "\n".join(lines), "x.csv")
    assert [job.id for job in jobs_in(trace)] == ["a", "j", "k"]
    assert said(trace) == [
        (3, "malformed"),
        (4, "malformed"),
        (5, "negative"),
        (6, "malformed"),
        (7, "malformed"),
        (8, "duplicate id"),
        (9, "negative"),
        (10, "malformed"),
        (11, "malformed"),
        (12, "malformed"),
        (14, "unsorted"),
        (15, "negative"),
        (16, "malformed"),
        (17, "malformed"),
    ]
    assert trace.num_lines == len(lines) == len(trace) + len(trace.remarks) - 1  # the unsorted one is a job


def test_an_unsorted_trace_plays_like_a_sorted_one() -> None:
    rows = ["a,v,0,10,8", "b,v,5,10,8", "c,v,2,10,8"]
    shuffled = replay_jobs(read_jobs(HEADER + "\n".join(rows), "x.csv"), {"v": 1}, "fifo")
    assert dict(zip(shuffled.trace.ids, shuffled.start_s.tolist(), strict=True)) == {"a": 0, "b": 20, "c": 10}


def test_a_job_of_absurd_size_is_larger_than_its_pool() -> None:
    result = replay_jobs(read_jobs(HEADER + "a,v,0,1,1e300\nb,v,0,1,1\n", "x.csv"), {"v": 1}, "fifo")
    assert [(one.line, one.kind) for one in result.remarks] == [(2, "larger than pool")]


def test_a_file_without_a_job_says_why() -> None:
    with pytest.raises(InputError) as refused:
        read_jobs(HEADER + "a,v,x,1,1\n", "x.csv")
    assert "holds no job" in str(refused.value)
    assert "x.csv:2:1: a: submit_s: expected a number, found 'x'" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("job,vc,submit_s,duration_s,gpus\n", 'did you mean "job"'),
        ("a,b\n1,2\n", "column is missing"),
        ("{}", 'expected "jobs"'),
        ("JobID|State\n", "column is missing: expected Submit"),
    ],
)
def test_a_file_of_another_kind_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_jobs(text, "x.csv")


def test_published_traces_as_their_pages_show_them() -> None:
    times = "2020-06-09 18:41:27,2020-06-09 18:41:27,2020-06-09 18:45:36"
    helios = (
        "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n"
        "1425511,uXBbc,vcJkd,1,1,1,COMPLETED,2020-06-09 18:41:01,2020-06-09 18:41:01,2020-06-10 04:55:09,"
        f"36848,0\n1425512,uVMrF,vchbv,4,16,1,FAILED,{times},249,0\n"
        f"1425513,uVMrF,vchbv,0,16,1,FAILED,{times},249,0\n"
    )
    trace = read_jobs(helios, "cluster_log.csv")
    assert [job[1:] for job in jobs_in(trace)] == [
        ("vcJkd", 1591728061.0, 36848.0, 1),
        ("vchbv", 1591728087.0, 249.0, 4),
    ]
    assert said(trace) == [(4, "no gpus")]
    acme = (
        "job_id,user,node_num,gpu_num,cpu_num,type,state,submit_time,start_time,end_time,duration,queue,gpu_time\n"
        "5778432,u5907,1,8,128,Other,FAILED,2023-03-01 00:18:22+08:00,2023-03-01 00:18:54+08:00,"
        "2023-03-01 00:20:51+08:00,117,32,936.0\n"
    )
    assert jobs_in(read_jobs(acme, "trace_seren.csv")) == [Job("5778432", "all", 1677601102.0, 117.0, 8)]


def test_philly_own_log_adds_up_attempts() -> None:
    host = {"ip": "m47", "gpus": [f"gpu{n}" for n in range(8)]}
    attempts = [
        {"start_time": "2017-10-07 01:12:09", "end_time": "2017-10-07 01:13:23", "detail": [host]},
        {"start_time": "2017-10-07 01:13:30", "end_time": "2017-10-09 06:53:12", "detail": [host, host]},
    ]
    job = {"jobid": "application_1", "vc": "ee9e8c", "submitted_time": "2017-10-07 01:11:39", "user": "u"}
    log = [
        job | {"attempts": attempts},
        job | {"jobid": "2", "attempts": []},
        job | {"jobid": "3", "attempts": [attempts[0] | {"end_time": None}]},
        {"jobid": "4"},
    ]
    trace = read_jobs(json.dumps(log), "cluster_job_log")
    assert jobs_in(trace) == [Job("application_1", "ee9e8c", 1507338699.0, 74.0 + 193182.0, 16)]
    assert said(trace) == [(2, "no run"), (3, "no run"), (4, "malformed")]


SACCT = "JobIDRaw|JobID|Account|Partition|State|Submit|Start|End|Elapsed|ElapsedRaw|AllocTRES|ReqTRES|JobName"
ROWS = (
    "1|1|research|train|COMPLETED|2024-01-01T00:00:00|2024-01-01T00:00:10|2024-01-01T01:00:10|01:00:00|3600|"
    "billing=8,cpu=64,gres/gpu:h100=8,gres/gpu=8,node=1||a",
    "1.batch|1.batch|research||COMPLETED|2024-01-01T00:00:00|2024-01-01T00:00:10|2024-01-01T01:00:10|"
    "01:00:00|3600|cpu=64,gres/gpu=8||batch",
    "2|2|research|train|CANCELLED by 1000|2024-01-01T00:05:00|None|2024-01-01T00:06:00|00:00:00|0||"
    "gres/gpu=4|b",
    "3|3|research|train|RUNNING|2024-01-01T00:06:00|2024-01-01T00:06:00|Unknown|2-00:00:00|172800|gres/gpu=4||c",
    "4|4|research|train|COMPLETED|2024-01-01T00:07:00|2024-01-01T00:07:00|2024-01-01T00:08:00|00:01:00|60|cpu=4||d",
    "6|5_7|research|train|NODE_FAIL|2024-01-01T00:08:00|2024-01-01T00:08:00|2024-01-01T00:08:31|00:00:31||"
    "gres/gpu:a100=2,gres/gpu:h100=1||e",
    "6|5_7|research|train|TIMEOUT|2024-01-01T00:08:31|2024-01-01T00:10:32|2024-01-03T00:10:33|2-00:00:01||"
    "gres/gpu:a100=2,gres/gpu:h100=1||e",
    "7|7||train|FAILED|2024-01-01T00:09:00|2024-01-01T00:09:00|2024-01-01T00:09:05|00:00:05|5|gres/gpu=1||f|g",
    "8|8||train|OUT_OF_MEMORY|2024-01-01T00:09:00|2024-01-01T00:09:00|2024-01-01T00:09:05|00:00:05|5|gres/gpu=1||f",
    "9|9|x|train|PENDING|2024-01-01T00:10:00|Unknown|Unknown|00:00:00|0||gres/gpu=16|h",
    "1|1|research|train|COMPLETED|2024-01-01T00:00:00|2024-01-01T00:00:10|2024-01-01T01:00:10|01:00:00|3600|"
    "gres/gpu=8||a",
)


@pytest.mark.parametrize(("separator", "end"), [("|", ""), ("|", "|"), ("|#", "|#"), (";", "")])
def test_sacct_with_its_odd_lines(separator: str, end: str) -> None:
    # The job name of line 9 holds the separator, as names do.
    text = "\n".join((line + ("|" if end else "")).replace("|", separator) for line in (SACCT, *ROWS))
    trace = read_jobs(text, "sacct.txt")
    epoch = 1704067200.0
    assert jobs_in(trace) == [
        Job("1", "research", epoch, 3600.0, 8),
        Job("6", "research", epoch + 480, 31.0, 3),
        Job("6@2024-01-01T00:08:31", "research", epoch + 511, 172801.0, 3),
        Job("8", "train", epoch + 540, 5.0, 1),
    ]
    assert said(trace) == [
        (3, "not a job"),
        (4, "no run"),
        (5, "no run"),
        (6, "no gpus"),
        (9, "malformed"),
        (11, "no run"),
        (12, "duplicate id"),
    ]


def wrapped(number: int) -> dict[str, object]:
    """A number as Slurm 23.11 and later write it."""
    return {"set": True, "infinite": False, "number": number}


def test_sacct_as_json_of_old_and_new_releases() -> None:
    old = {
        "job_id": 11,
        "account": "research",
        "partition": "train",
        "state": {"current": "COMPLETED", "reason": "None"},
        "time": {"submission": 100, "start": 110, "end": 170, "elapsed": 60},
        "tres": {"allocated": [{"type": "gres", "name": "gpu", "id": 1001, "count": 8}], "requested": []},
        "steps": [],
    }
    new = old | {
        "job_id": wrapped(12),
        "account": "",
        "state": {"current": ["CANCELLED"], "reason": "None"},
        "time": {
            "submission": wrapped(200),
            "start": wrapped(210),
            "end": wrapped(215),
            "elapsed": wrapped(5),
        },
        "tres": {"allocated": [{"type": "gres", "name": "gpu:h100", "count": wrapped(4)}]},
    }
    pending = old | {"job_id": 13, "time": {"submission": 300, "start": 0, "end": 0, "elapsed": 0}}
    trace = read_jobs(json.dumps({"meta": {}, "jobs": [old, new, pending, {"job_id": 14}]}), "sacct.json")
    assert jobs_in(trace) == [Job("11", "research", 100.0, 60.0, 8), Job("12", "train", 200.0, 5.0, 4)]
    assert said(trace) == [(3, "no run"), (4, "malformed")]


def test_samples_of_a_real_site_are_steps_to_the_last_line(shared_data: Path) -> None:
    folder = shared_data / "traces" / "slurm_samples"
    for name, lines in (("sample-sacct-output.txt", 68), ("sacct_running_large.txt.gz", 5040)):
        with pytest.raises(InputError, match=f"and {lines - 10:,} more lines"):
            read_jobs(read_text(folder / name), name)


def test_alibaba_pods_that_never_ran_are_those_without_a_wait(shared_data: Path) -> None:
    trace = read_jobs(read_text(shared_data / "traces" / "alibaba_openb2023_pods.csv.gz"), "pods")
    kinds = [one.kind for one in trace.remarks]
    assert (trace.num_lines, kinds.count("no run")) == (8152, 897)
    assert len(trace) == 8152 - 897 - kinds.count("no gpus") - kinds.count("malformed")


def test_capacity_with_every_mistake_at_once(tmp_path: Path) -> None:
    file = tmp_path / "nodes.csv"
    file.write_text("vc,nodes_of_8_gpus\na,4\nb,many\na,5\n,1\nc,-1\n")
    with pytest.raises(InputError) as refused:
        read_capacity(load_csv(file), str(file))
    assert [(one.line, one.key) for one in refused.value.problems] == [
        (3, "nodes_of_8_gpus"),
        (4, "vc"),
        (5, "vc"),
        (6, "nodes_of_8_gpus"),
    ]


def test_start_times_are_written_to_the_last_bit() -> None:
    jobs = [Job('a"b', "v", 0.1, 0.2, 8), Job("c", "v", 0, 5, 9), Job("d", "v", 1, 5, 1)]
    text = "".join(starts_csv(replay_jobs(jobs, {"v": 1}, "fifo")))
    assert text == f'job_id,start_s,end_s\n"a""b",0.1,{0.1 + 0.2!r}\nd,1,6\n'
