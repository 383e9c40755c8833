"""Published nccl-tests figures, printed as the program prints them and read back."""

# ruff: noqa: E501  (logs are as wide as they are)

from __future__ import annotations

from pathlib import Path

import pytest

from gigawatt.documents import Row, load_csv
from gigawatt.validation.nccl_log import COLLECTIVES, parse_nccl_log, ranks_by_factor

TESTS = {name: test for test, name in COLLECTIVES.items()}
HEADER = "#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong"

# Its table ends with rank 143 (of the same process and host as the log before it), its bandwidths are of 128.
MISLABELLED = {"cw-gb200-2rack": 128}


@pytest.fixture(scope="module")
def series(shared_data: Path) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in load_csv(shared_data / "collectives_measured.csv"):
        if row["collective"] in TESTS and row["time_us"]:
            found.setdefault(row["series"], []).append(row)
    return found


def printed(row: Row) -> str:
    """A line as nccl-tests print it: five digits of time, hundredths of GB/s."""
    size, ranks = int(row["bytes"]), int(row["gpus"])
    reduces = row["collective"] == "all_reduce"
    count = size // 4 if reduces else size // 4 // ranks
    half = f"{float(row['time_us']):>8.6g} {float(row['algbw_GBps']):7.2f} {float(row['busbw_GBps']):7.2f}"
    return f"{size:12d} {count:13d} {'float':>9} {'sum' if reduces else 'none':>7} {-1:7d} {half}      0 {half}    N/A"


def test_every_figure_comes_back(series: dict[str, list[Row]]) -> None:
    for name, rows in series.items():
        start = f"# Collective test starting: {TESTS[rows[0]['collective']]}_perf"
        (run,) = parse_nccl_log("\n".join([start, HEADER, *map(printed, rows)]), name)
        assert run.collective == rows[0]["collective"]
        assert len(run.lines) == len(rows)
        for line, row in zip(run.lines, rows, strict=True):
            assert line.size_bytes == int(row["bytes"])
            assert 1e6 * line.out_of_place.time_s == pytest.approx(float(row["time_us"]), rel=1e-5)
            assert line.out_of_place.busbw_bytes_per_s / 1e9 == pytest.approx(
                float(row["busbw_GBps"]), abs=0.0051
            )


def test_the_printed_bandwidths_give_back_the_ranks(series: dict[str, list[Row]]) -> None:
    """Where they are printed from the machine, not derived from a rounded busbw."""
    checked = 0
    for name, rows in series.items():
        (run,) = parse_nccl_log("\n".join([HEADER, *map(printed, rows)]), name)
        found = ranks_by_factor(run.lines, rows[0]["collective"])
        assert found in (0, MISLABELLED.get(name, int(rows[0]["gpus"]))), name
        checked += found > 0
    assert checked >= 0.8 * len(series)
