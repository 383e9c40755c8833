"""design collective: the keys that scripts rely on, every name, and questions that have no answer."""

from __future__ import annotations

import json

import pytest

ALL = (
    "all_reduce",
    "all_gather",
    "reduce_scatter",
    "all_to_all",
    "broadcast",
    "send_recv",
    "moe_dispatch",
    "moe_combine",
)


def asked(run_gigawatt, *arguments: str, gpus: str = "16", system: str = "hgx-h100", size: str = "1 GiB"):
    return run_gigawatt(
        "design", "collective", *arguments, "--bytes-total", size, "--system", system, "--gpus", gpus
    )  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_every_collective_has_an_answer_with_its_range(run_gigawatt, name: str) -> None:
    done = asked(run_gigawatt, name, "--json")
    assert done.exit_code == 0, done.errors
    answer = json.loads(done.output)
    assert answer["schema"] == "gigawatt.design-collective/1"
    assert 0.0 < answer["low_s"] <= answer["time_s"] <= answer["high_s"]
    assert answer["busbw_bytes_per_s"] > 0.0
    assert answer["algorithm"]
    assert answer["bottleneck"]
    assert answer["sensitivity"]


@pytest.mark.parametrize(
    ("name", "plain"),
    [("all-reduce", "all_reduce"), ("alltoall", "all_to_all"), ("sendrecv_perf", "send_recv")],
)
def test_names_of_nccl_tests_are_understood(run_gigawatt, name: str, plain: str) -> None:
    assert json.loads(asked(run_gigawatt, name, "--json").output)["collective"] == plain


def test_tables_say_what_sets_the_time_and_what_else_could_be_used(run_gigawatt) -> None:
    done = asked(run_gigawatt, "all_reduce", gpus="8")
    assert "over 8 ranks in 1 scale-up domain" in done.output
    assert "Algorithms and protocols" in done.output
    assert "With one per cent less of" in done.output


def test_an_eight_gpu_all_reduce_is_what_was_measured(run_gigawatt) -> None:
    """4.03 ms: NVIDIA's dgxc-benchmarking log of a DGX H100, 1 GiB."""
    answer = json.loads(asked(run_gigawatt, "all_reduce", "--json", gpus="8").output)
    assert answer["time_s"] == pytest.approx(4.03e-3, rel=0.1)
    assert answer["low_s"] < 4.03e-3 < answer["high_s"]


def test_what_shares_the_network_takes_time(run_gigawatt) -> None:
    def time_s(*options: str, name: str = "all_gather") -> float:
        return float(json.loads(asked(run_gigawatt, name, "--json", *options, gpus="64").output)["time_s"])

    assert time_s("--sharing", "2") > 1.5 * time_s()
    assert time_s("--ranks-per-domain", "1") > 3.0 * time_s()
    assert time_s("--algorithm", "rail") != time_s()


def test_a_captured_launch_saves_latency(run_gigawatt) -> None:
    eager, captured = (
        json.loads(asked(run_gigawatt, "all_reduce", "--json", *more, size="1 KiB").output)["time_s"]
        for more in ((), ("--captured",))
    )
    assert captured < eager


@pytest.mark.parametrize(
    ("arguments", "gpus", "code", "says"),
    [
        (("all_reduze",), "16", 2, "there are all_reduce"),
        (("all_reduce",), "1", 2, "two or more"),
        (("all_reduce", "--algorithm", "nvls"), "16", 2, "cannot run all_reduce"),
        (("all_reduce", "--ranks-per-domain", "9"), "16", 2, "has 8"),
        (("all_reduce", "--fabric", "superpod"), "16", 2, "superpod"),
        (("all_reduce",), "9000000", 1, "nearest design that works"),
    ],
)
def test_what_cannot_be_says_why(
    run_gigawatt, arguments: tuple[str, ...], gpus: str, code: int, says: str
) -> None:
    done = asked(run_gigawatt, *arguments, gpus=gpus)
    assert done.exit_code == code
    assert says in done.errors + done.output
    assert "Traceback" not in done.errors


def test_a_buffer_larger_than_memory_is_refused_with_what_fits(run_gigawatt) -> None:
    done = asked(run_gigawatt, "all_reduce", size="1 EB")
    assert done.exit_code == 2
    for words in ("bytes_total: expected up to", "the memory of one NVIDIA H100", "found 1 EB"):
        assert words in done.errors


def test_all_wait_for_a_rank_that_comes_late(run_gigawatt) -> None:
    usual, late = (
        json.loads(asked(run_gigawatt, "all_reduce", *more, "--json").output)["time_s"]
        for more in ((), ("--straggler", "2 ms"))
    )
    assert late == pytest.approx(usual + 2e-3)
