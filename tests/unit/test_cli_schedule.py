"""`gigawatt contract schedule`: what it prints, how it ends, and what it says of a file that is wrong."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest

EXAMPLE = "examples/campus-phases/project.yaml"
QUICK = ("--samples", "2048")

PLAIN = """\
title: A hall
start: 2027-01-04
price_year: 2026
activities:
  - id: shell
    duration: {fixed_s: 10 weeks}
  - id: fit-out
    duration: {low_s: 5 weeks, likely_s: 6 weeks, high_s: 9 weeks}
    after: [shell]
milestones:
  - id: ready
    after: [fit-out]
    power_w: 10 MW
"""

WRONG = """\
title: A hall
start: 2027-01-04
price_year: 2026
calendars:
  - id: builders
    stops:
      - {first: 2027-05-10, last: 2027-05-01}
activities:
  - id: land
    started: 2026-05-01
    finished: 2026-04-01
    duration: {fixed_s: 10 weeks}
  - id: shell
    duration: {fixed_s: -3 weeks}
    after: [lnad]
  - id: fit-out
    duration: {low_s: 9 weeks, likely_s: 6 weeks, high_s: 12 weeks}
    after: [shell, tests]
    shares: [maker]
  - id: tests
    duration: {prior: hall-comissioning}
    after: [fit-out]
    calendar: bilders
milestones:
  - id: ready
    after: [tests]
"""


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str) -> str:
        path = tmp_path / "project.yaml"
        path.write_text(text)
        return str(path)

    return write


def test_people_read_dates_drivers_and_activities(run_gigawatt, repository) -> None:
    done = run_gigawatt("contract", "schedule", str(repository / EXAMPLE), *QUICK)
    assert done.exit_code == 0
    for words in ("P10", "P50", "P90", "What drives the dates", "utility-texas", "a week more costs"):
        assert words in done.output


def test_scripts_read_the_percentiles_of_each_milestone(run_gigawatt, repository) -> None:
    done = run_gigawatt("contract", "schedule", str(repository / EXAMPLE), *QUICK, "--json", "--quiet")
    answer = json.loads(done.output)
    assert answer["schema"] == "gigawatt.contract-schedule/1"
    assert answer["currency"] == "USD"
    assert answer["price_year"] == 2026
    assert len(answer["milestones"]) == 6
    for one in answer["milestones"]:
        dates = [date.fromisoformat(one[key]) for key in ("p10", "p50", "p90")]
        assert dates == sorted(dates)
        assert sum(month["share_frac"] for month in one["months"]) == pytest.approx(1.0)


def test_every_duration_of_the_example_says_where_it_comes_from(run_gigawatt, repository) -> None:
    done = run_gigawatt("contract", "schedule", str(repository / EXAMPLE), *QUICK, "--json", "--quiet")
    used = {one["owner"]: one for one in json.loads(done.output)["durations"]}
    assert used["switchgear"]["source"] == "cushman-market-costs-2025"
    assert used["substation"]["basis"] == "estimate"
    assert all(one["source"] not in ("", "project") for one in used.values() if one["basis"] != "estimate")


def test_a_plain_project_ends_when_its_arithmetic_says(run_gigawatt, written) -> None:
    """Ten weeks and between five and nine: whatever comes out lies between, and the ends are never passed."""
    done = run_gigawatt("contract", "schedule", written(PLAIN), "--json", "--quiet")
    (ready,) = json.loads(done.output)["milestones"]
    first, last = date(2027, 1, 4), date(2027, 5, 17)
    assert first < date.fromisoformat(ready["p10"]) < date.fromisoformat(ready["p90"]) < last


def test_everything_wrong_is_named_at_once_in_its_place(run_gigawatt, written) -> None:
    path = written(WRONG)
    done = run_gigawatt("contract", "schedule", path)
    assert done.exit_code == 2
    told = [line for line in done.errors.splitlines() if path in line]
    found = {int(line.split(f"{path}:")[1].split(":")[0]): line for line in told}
    for line, words in {
        7: "last 2027-05-01 is before first 2027-05-10",
        9: "finished 2026-04-01 is before started 2026-05-01",
        14: "at least 0 s",
        15: 'no activity or milestone "lnad" in this file: did you mean "land"?',
        17: "low_s is longer than likely_s",
        19: 'no factor "maker"',
        21: 'no prior "hall-comissioning" in the catalogue: did you mean "hall-commissioning"?',
        23: 'no calendar "bilders" in this file: did you mean "builders"?',
    }.items():
        assert words in found[line], line
    assert any("a circle, each waits for the next: fit-out -> tests -> fit-out" in line for line in told)
    assert "Traceback" not in done.errors


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("fixed_s: 10 weeks", "fixed_s: 10", "bare number 10"),
        ("{fixed_s: 10 weeks}", "{p10_s: 10 weeks}", "takes p10_s, p90_s, found p10_s"),
        ("{fixed_s: 10 weeks}", "{observed_s: [10 weeks]}", "a fit takes 3 or more"),
        ("{fixed_s: 10 weeks}", "{fixed_s: 10 weeks, prior: generator}", "two answers"),
        ("    after: [shell]", "    after: [fit-out]", "fit-out -> fit-out"),
        ("  - id: fit-out", "  - id: shell", '"shell" is an id given twice'),
        ("power_w: 10 MW", "power_w: 10 MWh", "expected power"),
        ("price_year: 2026", "price_year: 2026\ncurrency: EUR", '"USD"'),
        ("start: 2027-01-04", "start: 2027-13-04", "is not a date"),
        ("    after: [shell]", "    started: 2027-02-01", "2027-02-01 is after the start of the project"),
        ("start: 2027-01-04", "strat: 2027-01-04", 'did you mean "start"'),
    ],
)
def test_one_thing_wrong(run_gigawatt, written, old: str, new: str, words: str) -> None:
    assert old in PLAIN
    done = run_gigawatt("contract", "schedule", written(PLAIN.replace(old, new)))
    assert done.exit_code == 2
    assert words in done.errors
    assert "project.yaml:" in done.errors


def test_what_only_the_draw_can_refuse_is_no_traceback(run_gigawatt, written) -> None:
    late = "    started: 2026-01-05\n    duration: {low_s: 5 weeks"
    done = run_gigawatt("contract", "schedule", written(PLAIN.replace("    duration: {low_s: 5 weeks", late)))
    assert done.exit_code == 2
    assert "fit-out: under way for longer than its longest duration" in done.errors


def test_the_chart_is_well_formed_and_shows_every_row(run_gigawatt, repository, tmp_path: Path) -> None:
    drawing = tmp_path / "gantt.svg"
    done = run_gigawatt("contract", "schedule", str(repository / EXAMPLE), *QUICK, "--draw", str(drawing))
    assert done.exit_code == 0
    root = ElementTree.parse(drawing).getroot()
    texts = {"".join(one.itertext()) for one in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {
        "Main transformers, ordered in 2026",
        "texas · phase-2",
        "Hall 4 ready for service, 100 MW",
    } <= texts
    width = float(root.attrib["width"])
    for rect in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert float(rect.attrib["x"]) >= 0
        assert float(rect.attrib["x"]) + float(rect.attrib["width"]) <= width


def test_months_are_written_as_a_table(run_gigawatt, written, tmp_path: Path) -> None:
    out = tmp_path / "months.csv"
    done = run_gigawatt("contract", "schedule", written(PLAIN), *QUICK, "--out", str(out))
    assert done.exit_code == 0
    lines = out.read_text().splitlines()
    assert lines[0] == "milestone,month,share_frac,reached_frac"
    assert float(lines[-1].split(",")[3]) == pytest.approx(1.0)
