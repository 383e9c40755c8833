"""`validate reliability` on figures of one's own: what it prints and writes, and how it ends."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

HEADER = "id,org,topic,metric,value,unit,scale_gpus,period"
OWN = (
    "a-1,us,interruptions,interruptions_unexpected,12,count,1024,30 d",
    "a-2,us,ettr,effective_training_time,0.95,fraction,1024,30 d",
    "b-1,them,failure rate,failures_per_1000_node_days,3.1,1/1000 node-d,4096,2026",
    "b-2,them,mttf,mttf_job,10,h,1024,2026",
)


@pytest.fixture
def facts(tmp_path: Path):
    def write(*lines: str) -> str:
        path = tmp_path / "facts.csv"
        path.write_text("\n".join([HEADER, *lines]) + "\n")
        return str(path)

    return write


def test_own_figures_are_predicted_from_each_other(facts, run_gigawatt, tmp_path) -> None:
    out = tmp_path / "out.csv"
    done = run_gigawatt(
        "validate", "reliability", facts(*OWN), "--cross-validate", "organisation", "--predictions", str(out)
    )
    assert done.exit_code == 0
    for words in ("leaving out one organisation", "Printed and predicted", "What was learnt"):
        assert words in done.output
    with out.open(newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert list(rows["a-1"]) == ["id", "measured", "predicted", "low", "high", "status", "reason", "fold"]
    assert {row["status"] for row in rows.values()} == {"predicted"}
    # 128 nodes for 30 days; they see 3.1 in 1,000 node-days, and a run ends for a third more than nodes.
    assert float(rows["a-1"]["predicted"]) == pytest.approx(128 * 30 * 3.1e-3 * 1.3, rel=0.4)
    assert float(rows["a-1"]["low"]) < 12 < float(rows["a-1"]["high"])


def test_as_json(facts, run_gigawatt) -> None:
    done = run_gigawatt("validate", "reliability", facts(*OWN), "--json", "--quiet")
    found = json.loads(done.output)
    assert found["schema"] == "gigawatt.validate-reliability/1"
    assert found["missed"] == []
    assert {row["id"] for row in found["rows"]} == {"a-1", "a-2", "b-1", "b-2"}
    assert found["inside_frac"] == 1.0


def test_a_missed_bound_ends_with_1(facts, run_gigawatt) -> None:
    command = ("validate", "reliability", facts(*OWN), "--cross-validate", "organisation")
    assert run_gigawatt(*command, "--require", "inside>=80%").exit_code == 0
    done = run_gigawatt(*command, "--require", "max<=0.01%")
    assert done.exit_code == 1
    assert "missed: max<=0.01%" in done.output
    done = run_gigawatt(*command, "--require", "nobody: mape<=1%")
    assert done.exit_code == 2
    assert "there are" in done.errors


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("x,us,t,happiness,3,count,8,30 d", 'metric "happiness" is not known; known are'),
        ("x,us,t,interruptions_unexpected,many,count,8,30 d", '"many" is no number, range or bound'),
        ("x,us,t,interruptions_unexpected,0,count,8,30 d", "0 is not above nothing"),
        ("x,us,t,interruptions_unexpected,-3,count,8,30 d", "-3 is not above nothing"),
        ("x,us,t,interruptions_unexpected,3,count,,30 d", 'scale_gpus: "" is no number of accelerators'),
        ("x,us,t,interruptions_unexpected,3,count,8,a while", 'period: "a while" is no time such as "54 d"'),
        ("x,us,t,interruptions_unexpected,3,count,8,4 GPUs", "GPUs"),
        ("x,us,t,mttf_job,3,apples,8,30 d", "apples"),
        ("x,us,t,ettr,1.2,fraction,8,30 d", "1.2 is no share"),
    ],
)
def test_what_cannot_be_expressed_says_why(facts, run_gigawatt, line: str, reason: str) -> None:
    done = run_gigawatt("validate", "reliability", facts(line, *OWN), "--json", "--quiet")
    assert done.exit_code == 0
    (row,) = [row for row in json.loads(done.output)["rows"] if row["id"] == "x"]
    assert row["status"] == "inexpressible"
    assert reason in row["reason"]


def test_what_nobody_else_states_is_not_predicted(facts, run_gigawatt) -> None:
    alone = facts("a-1,us,t,interruptions_unexpected,12,count,1024,30 d")
    done = run_gigawatt(
        "validate", "reliability", alone, "--cross-validate", "organisation", "--json", "--quiet"
    )
    (row,) = json.loads(done.output)["rows"]
    assert row["status"] == "inexpressible"
    assert "no other organisation states" in row["reason"]


def test_a_file_that_cannot_be_read_ends_with_2(facts, run_gigawatt, tmp_path) -> None:
    twice = run_gigawatt("validate", "reliability", facts(OWN[0], OWN[0]))
    assert twice.exit_code == 2
    assert "facts.csv:3" in twice.errors
    assert "stands in line 2 already" in twice.errors
    other = tmp_path / "other.csv"
    other.write_text("id,value\nx,1\n")
    missing = run_gigawatt("validate", "reliability", str(other))
    assert missing.exit_code == 2
    assert "metric" in missing.errors
