"""Logs and tables come out as the same rows; what is missing is asked for, what is wrong is counted."""

# ruff: noqa: E501  (logs are as wide as they are)

from __future__ import annotations

from pathlib import Path

import pytest

from gigawatt.errors import InputError
from gigawatt.validation.collective_files import COLUMNS, Given, LogRow, read_measurements

LOG = """\
# Collective test starting: all_reduce_perf
# nThread 1 nGpus 1 minBytes 1024 maxBytes 8589934592 step: 2(factor) warmup iters: 1 iters: 20 agg iters: 1 validation: 1 graph: 1
#  Rank  0 Group  0 Pid  11565 on node-a device  0 [0000:06:00] NVIDIA B200
#  Rank  1 Group  0 Pid  11566 on node-b device  0 [0000:06:00] NVIDIA B200
NCCL version 2.26.2+cuda12.8
node-a:11565:11565 [0] NCCL INFO Using network AWS Libfabric
        1024           256     float     sum      -1    45.33    0.02    0.02      0    37.98    0.03    0.03      0
        2048           512     float     sum      -1    46.00    0.04    0.04      7    37.98    0.05    0.05      0
        4096          1024     float     sum      -1      ...
"""
BARE = "  1073741824     268435456     float     sum       0   4034.4  266.15  266.15      0   4030.1  266.43  266.43      0\n"


def test_a_log_comes_out_as_rows_of_the_table(tmp_path: Path) -> None:
    path = tmp_path / "b200.log"
    path.write_text(LOG)
    (found,) = read_measurements([path])
    first, wrong, unread = found.rows
    assert tuple(first) == COLUMNS
    told = {key: value for key, value in first.items() if value}
    assert told == {
        "series": "b200",
        "collective": "all_reduce",
        "bytes": "1024",
        "gpus": "2",
        "nodes": "2",
        "gpu_kind": "NVIDIA B200",
        "fabric": "EFA",
        "algbw_GBps": "0.02",
        "busbw_GBps": "0.02",
        "time_us": "45.33",
        "time_us_inplace": "37.98",
        "busbw_inplace_GBps": "0.03",
        "source": str(path),
        "note": "NCCL 2.26.2",
    }
    assert found.problems[1] == "values came out wrong (7)"
    assert found.problems[2].startswith("cannot be read as time, algbw and busbw: 4096")
    assert (wrong.line, unread.line, unread["bytes"]) == (8, 9, "")
    assert isinstance(first, LogRow)
    assert (first.captured, first.num_groups, first.hints.network) == (True, 1, "AWS Libfabric")


def test_whoever_ran_it_says_what_the_log_does_not(tmp_path: Path) -> None:
    path = tmp_path / "unnamed.txt"
    path.write_text(BARE)
    (found,) = read_measurements([path])
    assert "--collective" in found.problems[0]
    assert "--gpus" in found.problems[0]
    assert "--system" in found.problems[0]
    given = Given("hgx-h100", "InfiniBand 8x400Gb/s per node", "broadcast", 16, 8)
    (told,) = read_measurements([path], given)
    assert told.problems == {}
    (row,) = told.rows
    assert [row[key] for key in ("gpu_kind", "fabric", "collective", "gpus", "nodes")] == [
        "hgx-h100", "InfiniBand 8x400Gb/s per node", "broadcast", "16", "2",
    ]  # fmt: skip


def test_runs_of_one_file_are_series_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "two.log"
    path.write_text(LOG + LOG)
    (found,) = read_measurements([path])
    assert {row["series"] for row in found.rows} == {"two#1", "two#2"}


def test_a_table_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(
        "series,collective,bytes,gpus,nodes,gpu_kind,fabric,time_us\na,all_reduce,1024,8,1,H100,,17\n"
    )
    (found,) = read_measurements([path])
    assert found.rows[0]["time_us"] == "17"
    assert found.problems == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("just words\n", "neither a table"),
        ("", "neither a table"),
        ("series,collective,bytes\na,all_reduce,1024\n", "gpus"),
    ],
)
def test_other_files_say_what_is_expected(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        read_measurements([path])
