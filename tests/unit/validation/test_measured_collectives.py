"""Logs through the whole of validate and calibrate: where ranks lie, what is scored, what is learnt."""

# ruff: noqa: E501  (logs are as wide as they are)

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gigawatt.catalog import Catalog, load_catalog
from gigawatt.validation.collective_files import Given
from gigawatt.validation.collective_rows import MeasuredCollective, read_collectives
from gigawatt.validation.collectives import validate_collectives

FABRIC = "InfiniBand 8x400Gb/s per node"
SIZES = {8388608: 160.0, 67108864: 464.0, 536870912: 2380.0, 4294967296: 17400.0}
"""About what sixteen H100 in two nodes take [us]."""


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return load_catalog()


def log(
    num_nodes: int = 2,
    per_node: int = 8,
    slower: float = 1.0,
    device: str = "NVIDIA H100 80GB HBM3",
    extra: str = "",
) -> str:
    ranks = num_nodes * per_node
    table = [
        f"#  Rank {per_node * node + gpu:2d} Group  0 Pid 4000 on   node-{node} device  {gpu} [0000:0{gpu}:00] {device}"
        for node in range(num_nodes)
        for gpu in range(per_node)
    ]
    lines = []
    for size, time_us in SIZES.items():
        time_us = round(time_us * slower, 1)
        algbw = size / time_us / 1e3
        half = f"{time_us:8.1f} {algbw:7.2f} {algbw * 2 * (ranks - 1) / ranks:7.2f}      0"
        lines.append(f"{size:12d} {size // 4:13d}     float     sum      -1 {half} {half}")
    start = (
        "# Collective test starting: all_reduce_perf\n# nThread 1 nGpus 1 minBytes 8 maxBytes 8 graph: 0\n"
    )
    return start + "\n".join([*table, extra, *lines]) + "\n"


def written(folder: Path, text: str, name: str = "run.log") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("nodes", "per_node", "device", "inside", "domains"),
    [
        (2, 8, "NVIDIA H100 80GB HBM3", 8, 2),
        (4, 4, "NVIDIA H100 80GB HBM3", 4, 4),
        (2, 1, "NVIDIA A100-SXM4-80GB", 1, 2),
        (1, 8, "NVIDIA H200", 8, 1),
        (18, 4, "NVIDIA GB200", 72, 1),
        (36, 4, "NVIDIA GB200", 72, 2),
        (36, 2, "NVIDIA GB200", 36, 2),
    ],
)
def test_ranks_share_the_domains_of_their_nodes(
    tmp_path: Path, catalogue: Catalog, nodes: int, per_node: int, device: str, inside: int, domains: int
) -> None:
    path = written(tmp_path, log(nodes, per_node, device=device))
    for row in read_collectives([path], catalogue, Given(fabric=FABRIC)):
        assert isinstance(row, MeasuredCollective), row.reason
        assert (row.ranks, row.inside, row.domains) == (nodes * per_node, inside, domains)


def test_a_log_of_nodes_without_a_network_asks_for_it(tmp_path: Path, catalogue: Catalog) -> None:
    report = validate_collectives([written(tmp_path, log())], catalogue)
    assert {row.status for row in report.rows} == {"inexpressible"}
    assert all("--fabric" in row.reason for row in report.rows)
    said = "node-0:1:2 [0] NCCL INFO Using network IB"
    report = validate_collectives([written(tmp_path, log(extra=said))], catalogue)
    assert {row.status for row in report.rows} == {"predicted"}


def test_a_healthy_log_has_nothing_to_explain(tmp_path: Path, catalogue: Catalog) -> None:
    report = validate_collectives([written(tmp_path, log())], catalogue, given=Given(fabric=FABRIC))
    assert report.causes == ()
    assert report.overall.median_frac < 0.15
    for row in report.rows:
        assert row.measured_busbw_bytes_per_s is not None
        assert row.bytes_total is not None
        assert row.measured_s is not None
        assert row.measured_busbw_bytes_per_s == pytest.approx(row.bytes_total / row.measured_s * 1.875)


def test_lines_that_their_log_speaks_against_are_predicted_and_not_scored(
    tmp_path: Path, catalogue: Catalog
) -> None:
    text = log().replace("      0 ", "      5 ", 1)
    report = validate_collectives([written(tmp_path, text)], catalogue, given=Given(fabric=FABRIC))
    assert [row.status for row in report.rows] == ["document_error", "predicted", "predicted", "predicted"]
    assert report.rows[0].predicted_s is not None
    assert report.overall.n == 3
    left_out = validate_collectives(
        [written(tmp_path, text)], catalogue, "source", given=Given(fabric=FABRIC)
    )
    assert left_out.overall.n == 3


def test_one_port_of_eight_is_recognised(tmp_path: Path, catalogue: Catalog) -> None:
    """A log in which the large sizes crawl as through one port of eight, as users report them."""
    text = log(slower=4.6)
    (cause,) = validate_collectives([written(tmp_path, text)], catalogue, given=Given(fabric=FABRIC)).causes
    assert cause.series == "run"
    assert "slower than predicted" in cause.cause
    assert cause.advice


def test_the_command_reads_a_log(tmp_path: Path, run_gigawatt) -> None:
    path, out = written(tmp_path, log()), tmp_path / "predictions.csv"
    done = run_gigawatt(
        "validate", "collectives", str(path), "--fabric", FABRIC, "--predictions", str(out), "--json",
        "--require", "large: median<=15%",
    )  # fmt: skip
    assert done.exit_code == 0, done.errors
    answer = json.loads(done.output)
    assert answer["schema"] == "gigawatt.validate-collectives/1"
    assert answer["missed"] == []
    header, *lines = out.read_text().splitlines()
    assert header == "series,collective,bytes,gpus,measured_us,predicted_us,low_us,high_us,status,reason"
    assert len(lines) == len(SIZES)
    assert "as expected" in done.errors
    missed = run_gigawatt(
        "validate", "collectives", str(path), "--fabric", FABRIC, "--require", "median<=0.1%"
    )
    assert missed.exit_code == 1
    assert "missed" in missed.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--require", "regret<=1"), "collectives have"),
        (("--system", "hgx-h1000"), "hgx-h100"),
        (("--collective", "all_reduze"), "no such collective"),
    ],
)
def test_wrong_usage_says_what_there_is(
    tmp_path: Path, run_gigawatt, arguments: tuple[str, ...], says: str
) -> None:
    done = run_gigawatt(
        "validate", "collectives", str(written(tmp_path, log())), "--fabric", FABRIC, *arguments
    )
    assert done.exit_code == 2
    assert says in done.errors


def test_a_file_of_neither_kind_says_so(tmp_path: Path, run_gigawatt) -> None:
    done = run_gigawatt("validate", "collectives", str(written(tmp_path, "nothing here\n")))
    assert done.exit_code == 2
    assert "neither a table" in done.errors


def test_what_a_log_teaches_is_used(tmp_path: Path, run_gigawatt) -> None:
    """Machines that are half as fast: the overlay predicts them, and says what it changed."""
    path, overlay = written(tmp_path, log(slower=2.0)), tmp_path / "ours.json"
    question = (
        "design",
        "collective",
        "all_reduce",
        "--bytes-total",
        "4 GiB",
        "--system",
        "hgx-h100",
        "--gpus",
        "16",
    )
    usual = json.loads(run_gigawatt(*question, "--json").output)["time_s"]
    done = run_gigawatt("calibrate", "collectives", str(path), "--fabric", FABRIC, "-o", str(overlay))
    assert done.exit_code == 0, done.errors
    assert "What these runs changed" in done.output
    own = json.loads(run_gigawatt(*question, "--overlay", str(overlay), "--json").output)["time_s"]
    assert own > 1.3 * usual
    assert abs(own - 34.8e-3) < abs(usual - 34.8e-3)


def test_nothing_can_be_learnt_from_nothing(tmp_path: Path, run_gigawatt) -> None:
    done = run_gigawatt(
        "calibrate", "collectives", str(written(tmp_path, log())), "-o", str(tmp_path / "o.json")
    )
    assert done.exit_code == 2
    assert "--fabric" in done.errors
