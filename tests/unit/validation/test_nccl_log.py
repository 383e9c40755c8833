"""Logs as they come: every release's columns, prefixes, several runs, cut ends. Times are published ones."""

# ruff: noqa: E501  (logs are as wide as they are)

from __future__ import annotations

from pathlib import Path

import pytest

from gigawatt.validation.nccl_log import LogRun, is_nccl_log, parse_nccl_log, read_nccl_log

NODE = """\
# nccl-tests version 2.17.8 nccl-headers=22606 nccl-library=22606
# Collective test starting: all_reduce_perf
# nThread 1 nGpus 1 minBytes 1024 maxBytes 17179869184 step: 2(factor) warmup iters: 5 iters: 20 agg iters: 1 validation: 1 graph: 0
#
# Using devices
{ranks}
#
#                                                              out-of-place                       in-place
#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)
        1024           256     float     sum      -1    16.94    0.06    0.11      0    16.17    0.06    0.11      0
  1073741824     268435456     float     sum      -1   4034.4  266.15 {out:7.2f}      0   4030.1  266.43 {into:7.2f}    N/A
# Out of bounds values : 0 OK
# Avg bus bandwidth    : 232.9
#
# Collective test concluded: all_reduce_perf
"""


def ranks(num_nodes: int, name: str = "NVIDIA H100 80GB HBM3", group: str = "Group  0 ") -> str:
    return "\n".join(
        f"#  Rank {8 * node + gpu:2d} {group}Pid {895544 + gpu} on     h100-{node} device  {gpu} [0002:00:0{gpu}] {name}"
        for node in range(num_nodes)
        for gpu in range(8)
    )


def log(num_nodes: int, table: str = "", factor: float = 0.0) -> str:
    """A log of so many nodes of eight; the bandwidths go with its ranks."""
    factor = factor or 2 * (8 * num_nodes - 1) / (8 * num_nodes)
    return NODE.format(ranks=table or ranks(num_nodes), out=266.15 * factor, into=266.43 * factor)


def only(text: str, path: str = "<log>") -> LogRun:
    (run,) = parse_nccl_log(text, path)
    return run


def test_a_recent_log_in_full() -> None:
    run = only(log(1))
    assert (run.collective, run.num_ranks, run.hosts, run.device) == (
        "all_reduce", 8, ("h100-0",), "NVIDIA H100 80GB HBM3",
    )  # fmt: skip
    assert (run.library, run.captured, run.num_groups, run.problems) == ("2.26.6", False, 1, [])
    small, large = run.lines
    assert (small.line, small.size_bytes, small.root) == (18, 1024, -1)
    assert large.out_of_place.time_s == pytest.approx(4034.4e-6)
    assert large.out_of_place.busbw_bytes_per_s == pytest.approx(465.76e9)
    assert large.in_place is not None
    assert large.in_place.time_s == pytest.approx(4030.1e-6)
    assert large.out_of_place.num_wrong == 0
    assert large.in_place.num_wrong is None


def test_a_captured_run_says_so() -> None:
    assert only(log(1).replace("graph: 0", "graph: 3")).captured


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "[1,0]<stdout>:",
        "[1,0]<stdout>: ",
        "0: ",
        "worker-0: ",
        "2026-11-20T08:01:02.123456789Z ",
        "[0] ",
        "| ",
    ],
)
def test_launchers_and_containers_put_things_in_front(prefix: str) -> None:
    text = "\n".join(prefix + line for line in log(2).splitlines())
    run = only(text)
    assert (run.collective, run.num_ranks, len(run.hosts), len(run.lines)) == ("all_reduce", 16, 2, 2)


def test_a_log_pasted_without_its_hashes() -> None:
    run = only(log(1).replace("#wrong", "wrong").replace("#", " "))
    assert (run.num_ranks, len(run.lines), run.problems) == (8, 2, [])


def test_a_tag_inside_a_line_is_no_number() -> None:
    """mpirun tags each write, and a line is written in parts."""
    text = "[0]      2097152        524288     float     sum      -1[0]    325.3    6.45   12.49      0[0]    416.7    5.03    9.75      0"
    (line,) = only(text).lines
    assert line.out_of_place.time_s == pytest.approx(325.3e-6)
    assert line.root == -1


OLD = """\
# nThread 1 nGpus 12 minBytes 0 maxBytes 134217728 step: 2(factor) warmup iters: 5 iters: 20 validation: 1
#
# Using devices
#   Rank  0 Pid  87569 on    seville device  0 [0x34] Tesla V100-SXM3-32GB
#   Rank  1 Pid  87569 on    seville device  1 [0x36] Tesla V100-SXM3-32GB
#
#                                             out-of-place                       in-place
#       size         count    type     time   algbw   busbw  error     time   algbw   busbw  error
#        (B)    (elements)             (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)
           0             0   float    57.30    0.00    0.00  0e+00    57.09    0.00    0.00  0e+00
     1048576        131072   float    57.46   18.25    9.12  0e+00    57.40   18.27    9.13    N/A
"""


def test_an_old_log_without_operator_root_and_group() -> None:
    run = only(OLD, "runs/all_gather.log")
    assert (run.collective, run.num_ranks) == ("all_gather", 2)
    assert [line.size_bytes for line in run.lines] == [1048576]
    assert run.lines[0].out_of_place.num_wrong == 0.0
    assert [(one.line, one.why) for one in run.problems] == [(10, "no bytes were moved")]


def test_old_errors_are_read_as_errors() -> None:
    text = "  67108864      16777216     float     sum    39770    1.69    2.53  2e-07    39763    1.69    2.53  2e-07"
    (line,) = only(text).lines
    assert (line.root, line.redop, line.out_of_place.num_wrong) == (None, "sum", 2e-7)
    assert line.out_of_place.time_s == pytest.approx(39770e-6)


RCCL = """\
# nThread 1 nGpus 8 minBytes 8388608 maxBytes 1073741824 step: 2(factor) warmup iters: 5 iters: 20 agg iters: 1 validation: 1 graph: 0
#
rccl-tests: Version develop:83d38d9
# Using devices
#  Rank  0 Group  0 Pid  37300 on   g100n126 device  0 [0000:05:00] AMD Instinct MI300X
#  Rank  1 Group  0 Pid  37300 on   g100n126 device  1 [0000:33:00] AMD Instinct MI300X
RCCL version : 2.18.6-HEAD:1b2f0cd
#
     8388608       2097152     float     sum      -1    91.10   92.08   92.08      0    94.94   88.36   88.36      0
"""


def test_rccl_tests_print_the_same() -> None:
    run = only(RCCL, "rccl.txt")
    assert (run.device, run.num_ranks, run.library) == ("AMD Instinct MI300X", 2, "2.18.6")
    assert run.lines[0].out_of_place.algbw_bytes_per_s == pytest.approx(92.08e9)


def test_several_runs_in_one_file() -> None:
    second = log(2).replace("all_reduce", "all_gather").replace("    268435456", "     16777216")
    runs = parse_nccl_log("some shell\n" + log(1) + "slurmstepd: done\n" + second)
    assert [(one.collective, one.num_ranks, len(one.lines)) for one in runs] == [
        ("all_reduce", 8, 2), ("all_gather", 16, 2),
    ]  # fmt: skip


def test_old_runs_are_told_apart_by_the_command_between_them() -> None:
    text = f"$ ./build/all_gather_perf -b 8 -g 2\n{OLD}$ ./build/all_reduce_perf -b 8 -g 2\n{OLD}"
    assert [one.collective for one in parse_nccl_log(text)] == ["all_gather", "all_reduce"]


def test_groups_of_ranks_that_run_at_the_same_time() -> None:
    halves = ranks(1).replace("Group  0", "Group  1", 4)
    run = only(log(1, halves, factor=1.5))
    assert (run.num_ranks, run.num_groups) == (4, 2)


# The published 16-node log omits the table; the factor, 1.984, gives it back.
BARE = """\
#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
 17179869184    4294967296     float     sum      -1    92173  186.39  369.86      0    92284  186.16  369.42      0
"""


def test_the_factor_gives_back_the_ranks() -> None:
    run = only(BARE)
    assert (run.collective, run.num_ranks) == ("all_reduce", 128)


SHORTENED = """\
#  Rank 143 Group  0 Pid  14840 on slurm-gb200-207-171 device  3 [0x01] NVIDIA GB200
#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
   536870912     134217728     float     sum      -1   2156.8  248.92  {}      0   2093.7  256.42  {}      0
 17179869184    4294967296     float     sum      -1    42067  408.40  {}      0    41557  413.41  {}      0
"""


def test_a_table_that_is_shown_in_part_is_not_counted() -> None:
    run = only(SHORTENED.format("494.38", "509.28", "811.13", "821.08"))
    assert (run.num_ranks, run.table_is_whole, run.problems) == (144, False, [])


def test_a_table_and_bandwidths_of_different_ranks_contradict_each_other() -> None:
    """As one published log does: its last rank is 143, its factor that of 128."""
    run = only(SHORTENED.format("493.94", "508.83", "810.41", "820.36"))
    assert run.num_ranks == 128
    (problem,) = run.problems
    assert problem.why == "144 ranks are listed, and busbw over algbw is that of 128"


def test_elements_give_back_the_ranks_of_a_gather() -> None:
    text = BARE.replace("4294967296", "  33554432").replace("369.86", "184.93").replace("sum", "none")
    run = only(text, "all_gather_h200.out")
    assert (run.collective, run.num_ranks) == ("all_gather", 128)


def test_a_factor_that_rounding_leaves_open_gives_no_ranks() -> None:
    text = (
        BARE.replace("186.39", "  0.13")
        .replace("369.86", "  0.26")
        .replace("92173", "132152839")
        .partition(" 92284")[0]
    )
    assert only(text).num_ranks == 0


def test_a_gather_and_an_all_to_all_without_a_name_stay_apart() -> None:
    text = BARE.replace("4294967296", "  33554432").replace("369.86", "184.93").replace("sum", "none")
    assert only(text).collective == ""


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (
            "     8388608       2097152     float     sum      -1      ...     ...     ...       0",
            "cannot be read",
        ),
        ("     8388608       2097152     float     sum      -1    91.10", "cannot be read"),
        (
            "     8388608       2097152     float     sum      -1     0.00   0.00   0.00  0  0.00 0.00 0.00 0",
            "cannot be read",
        ),
        (
            "     8388608       2097152     float     sum      -1      nan    nan    nan  0  1.0  1.0  1.0  0",
            "cannot be read",
        ),
        (
            "     8388608       2097152     float     sum      -1    91.10  920.80  920.80  0  94.9 88.36 88.36 0",
            "contradicts itself",
        ),
    ],
)
def test_lines_that_are_no_measurements_are_kept_with_a_reason(row: str, why: str) -> None:
    run = only(BARE + row + "\n")
    assert len(run.problems) == 1
    assert why in run.problems[0].why
    assert run.problems[0].line == 3


def test_a_line_cut_off_in_place_keeps_its_first_half() -> None:
    whole, cut = only(BARE + BARE.splitlines()[1][:96]).lines
    assert cut.out_of_place == whole.out_of_place
    assert cut.in_place is None


def test_a_log_cut_off_before_its_first_line_says_so() -> None:
    run = only(log(1).split("#       size")[0])
    assert "without measurements" in run.problems[0].why


def test_ranks_of_one_are_pointed_out() -> None:
    row = "  1073741824     268435456     float     sum      -1    900.1 1192.91    0.00      0    900.1 1192.91    0.00      0\n"
    table = "#  Rank  0 Group  0 Pid 1 on node-a device  0 [0000:18:00] NVIDIA H100 80GB HBM3\n"
    run = only("# nThread 1 nGpus 1 minBytes 8 graph: 0\n" + table + row)
    assert "without MPI" in run.problems[0].why


MESSAGES = """\
node-a:27255:27255 [0] NCCL INFO Bootstrap : Using ib0:10.0.35.1<0>
node-a:27255:27299 [0] NCCL INFO Using network IB
node-a:27255:27299 [0] NCCL INFO NCCL_ALGO set by environment to Ring.
node-a:27255:27299 [0] NCCL INFO NVLS multicast support is not available on dev 0
node-a:27255:27299 [0] NCCL INFO Channel 00/0 : 8[0] -> 0[0] [receive] via NET/IB/0/GDRDMA
node-a:27255:27299 [0] NCCL INFO Channel 01/0 : 8[0] -> 0[0] [receive] via NET/IB/3
"""


def test_what_the_library_says_is_kept() -> None:
    hints = only(MESSAGES + log(2)).hints
    assert (hints.network, hints.nics, hints.nvls, hints.staged) == ("IB", {0, 3}, False, True)
    assert hints.settings == {"NCCL_ALGO": "Ring"}


@pytest.mark.parametrize(
    ("line", "network", "nic", "staged"),
    [
        ("[receive] via NET/NCCL RDMA Plugin v8/7/GDRDMA", "NCCL RDMA Plugin v8", 7, False),
        ("[send] via NET/SPCX/2(8)/GDRDMA", "SPCX", 2, False),
        ("[send] via NET/Libfabric/1", "Libfabric", 1, True),
        ("[receive] via NET/Socket/0", "Socket", 0, True),
    ],
)
def test_channels_of_every_network(line: str, network: str, nic: int, staged: bool) -> None:
    text = f"a:1:2 [0] NCCL INFO Channel 00/0 : 8[0] -> 0[0] {line}\n"
    hints = only(text + log(2)).hints
    assert (hints.network, hints.nics, hints.staged) == (network, {nic}, staged)


def test_variables_on_the_command_line_belong_to_its_run() -> None:
    text = "".join(
        f"mpirun -np 16 -x NCCL_ALGO={name} ./all_reduce_perf -g 1\n{log(2)}" for name in ("Ring", "Tree")
    )
    assert [run.hints.settings for run in parse_nccl_log(text)] == [
        {"NCCL_ALGO": "Ring"},
        {"NCCL_ALGO": "Tree"},
    ]


def test_a_broadcast_of_old_prints_its_root_only() -> None:
    text = "  1048576        262144   float       0    74.62   14.05   14.05  0e+00    79.08   13.26   13.26  0e+00\n"
    (line,) = only(text, "broadcast.txt").lines
    assert (line.root, line.redop) == (0, "")
    assert line.out_of_place.time_s == pytest.approx(74.62e-6)


def test_messages_between_the_lines_do_no_harm() -> None:
    head, _, tail = log(2).partition("        1024 ")
    run = only(head + MESSAGES + "        1024 " + tail)
    assert (run.num_ranks, len(run.lines), run.problems) == (16, 2, [])


def test_other_tests_of_the_suite_are_none_of_ours() -> None:
    assert only(log(1).replace("all_reduce", "hypercube")).collective == ""


def test_a_table_of_runs_is_no_log(tmp_path: Path) -> None:
    assert not is_nccl_log("series,collective,bytes,gpus\nx,all_reduce,1024,8\n")
    path = tmp_path / "x.log"
    path.write_text(log(1))
    assert is_nccl_log(path.read_text())
    assert read_nccl_log(str(path))[0].path == str(path)
