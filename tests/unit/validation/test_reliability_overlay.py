"""`calibrate reliability`: one's own figures as what plans go by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gigawatt.catalog import load_catalog
from gigawatt.errors import InputError, UnknownIdError
from gigawatt.project.goodput import recovery_of
from gigawatt.project.trace import Trace
from gigawatt.validation.reliability_overlay import calibrate_reliability

HEADER = "id,org,metric,value,unit,scale_gpus,period\n"
RUN = "run-1,Us & Co,interruptions_unexpected,400,count,8192,50 d\n"
SEEN_PER_S = 400 / (1024 * 50 * 86400)


def own(tmp_path: Path, lines: str) -> Path:
    path = tmp_path / "own.csv"
    path.write_text(HEADER + lines)
    return path


def test_the_middle_is_what_was_seen(tmp_path: Path) -> None:
    """400 interruptions leave no doubt of that run; how the next differs is the range."""
    (row,) = calibrate_reliability([own(tmp_path, RUN)], load_catalog(), "h100-sxm-80gb", "2026-07-01")
    assert row.node_failures_per_s == pytest.approx(SEEN_PER_S, rel=0.1)
    assert row.low_node_failures_per_s < 0.8 * SEEN_PER_S
    assert row.high_node_failures_per_s > 1.25 * SEEN_PER_S
    assert list(row.contradictions()) == []


def test_plans_go_by_it(tmp_path: Path, run_gigawatt) -> None:
    out = tmp_path / "rates.yaml"
    done = run_gigawatt(
        "calibrate", "reliability", str(own(tmp_path, RUN)), "--accelerator", "h100-sxm-80gb",
        "--date", "2026-07-01", "-o", str(out), "--json", "--quiet",
    )  # fmt: skip
    assert done.exit_code == 0
    (row,) = json.loads(done.output)["rows"]
    assert row["id"] == "own-us-co"
    catalogue = load_catalog([out])
    assert [str(one) for one in catalogue.check() if one.kind == "error"] == []
    system = catalogue.system("hgx-h100")
    accelerator = catalogue.accelerator(system.accelerator)
    found = recovery_of(system, accelerator, catalogue, Trace()).inputs["node_failures_per_s"]
    assert found.middle == pytest.approx(row["node_failures_per_s"])
    assert (found.low, found.high) == pytest.approx(
        (row["low_node_failures_per_s"], row["high_node_failures_per_s"])
    )


def test_more_runs_narrow_the_range(tmp_path: Path) -> None:
    more = RUN + "".join(
        f"run-{n},Us & Co,interruptions_unexpected,{400 + n},count,8192,50 d\n" for n in range(2, 9)
    )
    widths = []
    for lines in (RUN, more):
        (row,) = calibrate_reliability([own(tmp_path, lines)], load_catalog(), "h100-sxm-80gb", "2026-07-01")
        widths.append(row.high_node_failures_per_s / row.low_node_failures_per_s)
    assert widths[1] < 0.8 * widths[0]


def test_figures_that_say_no_rate_are_refused(tmp_path: Path) -> None:
    kept = own(tmp_path, "kept,us,ettr,0.95,fraction,1024,30 d\nwhat,us,happiness,3,count,8,30 d\n")
    with pytest.raises(InputError, match="happiness"):
        calibrate_reliability([kept], load_catalog(), "h100-sxm-80gb", "2026-07-01")
    with pytest.raises(UnknownIdError):
        calibrate_reliability([own(tmp_path, RUN)], load_catalog(), "h100-sxm-79gb", "2026-07-01")
