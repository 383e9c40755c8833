"""`gigawatt operate simulate` as people and scripts call it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gigawatt import simulate_fleet
from gigawatt.catalog import load_catalog
from gigawatt.domain.twin import TimelineRow
from gigawatt.drawings.timeline import timeline_svg
from gigawatt.project.fleet import read_fleet

DAYS = 20
FLEET: dict[str, Any] = {
    "name": "little",
    "system": "hgx-h100",
    "lasts_s": f"{DAYS} days",
    "sites": [{"name": "north", "num_nodes": 16, "num_spares": 1}],
    "tenants": [{"name": "pretraining"}, {"name": "research"}],
    "runs": [
        {
            "name": "model",
            "tenant": "pretraining",
            "num_gpus": 64,
            "work_s": "8 days",
            "deadline_s": "12 days",
            "checkpoint_write_s": "30 s",
        }
    ],
    "mixes": [
        {
            "name": "small",
            "tenant": "research",
            "jobs_per_s": "50 events/day",
            "sizes": {1: 1, 8: 1},
            "median_work_s": "1 h",
            "mean_work_s": "2 h",
        }
    ],
    "hazards": {"rate_ratio": 10},
    "prices": {"usd_per_gpu_h": "$2/gpu-h", "usd_per_mwh": "$50/MWh", "price_year": 2026},
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


NOT_USES = ("begin_s", "num_waiting", "num_interruptions")


def fleet(**changes: Any) -> str:
    Path("fleet.yaml").write_text(yaml.safe_dump(FLEET | changes))
    return "fleet.yaml"


def simulated(run_gigawatt, *options: str, **changes: Any):
    return run_gigawatt("operate", "simulate", fleet(**changes), *options)


def test_one_object_with_ranges(run_gigawatt) -> None:
    done = simulated(run_gigawatt, "--json", "--replications", "3")
    found = json.loads(done.output)
    assert (done.exit_code, found["schema"]) == (0, "gigawatt.operate-simulate/1")
    for figure in ("goodput_frac", "ettr_frac"):
        one = found[figure]
        assert 0 < one["low"] <= one["value"] <= one["high"] <= 1
    assert found["num_replications"] == len(found["replications"]) == 3
    assert found["events"] == sum(one["events"] for one in found["replications"])
    assert found["cpu_s"] >= 0


def test_gpu_hours_add_up(run_gigawatt) -> None:
    """All uses together are the fleet's hours: 16 nodes of 8 GPUs, day and night."""
    found = json.loads(simulated(run_gigawatt, "--json").output)
    assert sum(one["gpu_h"] for one in found["shares"]) == pytest.approx(16 * 8 * 24 * DAYS)
    assert sum(one["fleet_frac"] for one in found["shares"]) == pytest.approx(1.0)
    assert sum(one["held_frac"] or 0.0 for one in found["shares"]) == pytest.approx(1.0)
    assert found["replications"][0]["shares"]["residual_gpu_s"] == 0.0


def test_a_fleet_without_hazards_does_what_it_should(run_gigawatt) -> None:
    """A run of eight days that nothing stops: restart, work, and a checkpoint of no cost."""
    run = FLEET["runs"][0] | {"checkpoint_write_s": "0 s", "restart_s": "10 min"}
    only = {"runs": [run], "mixes": [], "hazards": {"rate_ratio": 0}}
    found = json.loads(simulated(run_gigawatt, "--json", **only).output)
    (one,) = found["runs"]
    assert one["p50_done_s"] == 8 * 86400 + 600
    assert (one["meets_deadline_frac"], one["num_faults"]) == (1.0, 0)
    assert found["goodput_frac"]["value"] == pytest.approx(8 * 1440 / (8 * 1440 + 10))
    assert found["cost_usd"]["value"] > 2 * 16 * 8 * 24 * DAYS


def test_tables_fit_a_terminal(run_gigawatt) -> None:
    done = simulated(run_gigawatt, "--replications", "3")
    titles = ("Fleet little", "Where GPU-hours go", "Runs", "Tenants", "Causes", "Parts", "Hands")
    lines = done.output.splitlines()
    assert [title for title in titles if title not in lines] == []
    assert max(len(line) for line in lines) <= 80


def test_the_same_seed_gives_the_same_figures_for_any_number_of_workers(run_gigawatt) -> None:
    def figures(*options: str) -> dict[str, Any]:
        found = json.loads(simulated(run_gigawatt, "--json", "--replications", "4", *options).output)
        return {key: value for key, value in found.items() if key != "cpu_s"}

    first = figures("--workers", "1")
    assert first == figures("--workers", "3")
    assert first["replications"][0]["seed"] == 1
    assert first != figures("--seed", "2")
    assert figures("--seed", "2")["replications"][:3] == first["replications"][1:]


def test_until_the_goodput_is_known(run_gigawatt) -> None:
    found = json.loads(simulated(run_gigawatt, "--json", "--until", "3 %").output)
    assert found["converged"]
    assert found["goodput_frac"]["half_width"] <= 0.03


def test_the_python_call_says_the_same(run_gigawatt) -> None:
    found = json.loads(simulated(run_gigawatt, "--json", "--replications", "2").output)
    same = simulate_fleet("fleet.yaml", replications=2)
    assert json.loads(same.goodput_frac.model_dump_json()) == found["goodput_frac"]
    assert [one.events for one in same.replications] == [one["events"] for one in found["replications"]]


def test_files_beside_the_answer(run_gigawatt) -> None:
    options = ("--log", "log.csv", "--trace", "trace.json", "--timeline", "time.svg", "--out", "time.csv")
    done = simulated(
        run_gigawatt, *options, hazards={"rate_ratio": 10, "only": ["gpu-fault", "nic", "driver"]}
    )
    assert done.exit_code == 0
    assert [line for line in done.errors.splitlines() if line.startswith("wrote")] == [
        "wrote log.csv",
        "wrote trace.json",
        "wrote time.svg",
        "wrote time.csv",
    ]
    with Path("time.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(TimelineRow.model_fields)
    used = [sum(float(v) for k, v in row.items() if k not in NOT_USES) for row in rows]
    assert used == pytest.approx([16 * 8] * len(rows), abs=0.1)
    assert Path("log.csv").read_text().startswith("begin_s,end_s,what,subject")
    assert json.loads(Path("trace.json").read_text())


def test_the_picture_shows_every_use(run_gigawatt) -> None:
    svg = timeline_svg(simulate_fleet(fleet()))
    for words in ("working", "saving", "restarting", "hanging, unnoticed", "spare", "out of service", "free"):
        assert words in svg
    assert "days from the begin" in svg


def test_what_is_not_stated_comes_from_the_catalogue() -> None:
    plan = read_fleet(Path(fleet()), load_catalog()).plan
    usual, frail = load_catalog().reliability("plan-recovery"), load_catalog().frail_nodes()
    assert (plan.recovery.restart_s, plan.recovery.swap_s) == pytest.approx(
        (usual.restart_s, usual.replacement_s)
    )
    assert (plan.hazards.frail_frac, plan.hazards.frail_ratio) == (frail.nodes_frac, frail.ratio)
    stated = {"recovery": {"restart_s": "1 min", "swap_s": "0 s"}, "hazards": {"frail_frac": "0 %"}}
    plan = read_fleet(Path(fleet(**stated)), load_catalog()).plan
    assert (plan.recovery.restart_s, plan.recovery.swap_s, plan.hazards.frail_frac) == (60.0, 0.0, 0.0)


def test_hazards_by_name() -> None:
    catalogue = load_catalog()
    two = read_fleet(Path(fleet(hazards={"only": ["nic", "link"]})), catalogue).hazards
    assert sorted(one.id for one in two) == ["link", "nic"]
    others = read_fleet(Path(fleet(hazards={"without": ["nic"]})), catalogue).hazards
    assert "nic" not in {one.id for one in others}
    assert len(others) == len(catalogue.ids("hazards")) - 1


RUN = FLEET["runs"][0]
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a key": ({"polcy": {}}, 'polcy: unknown key: did you mean "policy"?'),
    "a unit": ({"lasts_s": "60 GB"}, 'lasts_s: expected a duration such as "90 days"'),
    "no unit": ({"lasts_s": 60}, "lasts_s: bare number 60: give a unit"),
    "negative": ({"runs": [RUN | {"work_s": "-3 days"}]}, "runs[0].work_s: expected more than 0 s"),
    "too large": (
        {"runs": [RUN | {"num_gpus": 121}]},
        "runs[0].num_gpus: 121 GPUs are 16 nodes of 8, and north has 15 beside its spares",
    ),
    "too large with idle nodes": (
        {"runs": [RUN | {"num_gpus": 120, "num_hot_nodes": 1}]},
        "16 nodes of 8, 1 of them kept idle, and north has 15",
    ),
    "system": ({"system": "hgx-h10"}, 'system: no system "hgx-h10" in the catalogue: did you mean hgx-h100'),
    "site": ({"runs": [RUN | {"site": "nroth"}]}, 'runs[0].site: no site "nroth" in this file: did you mean'),
    "tenant": (
        {"runs": [RUN | {"tenant": "x"}]},
        'runs[0].tenant: no tenant "x" in this file: there are pretraining, research',
    ),
    "hazard": (
        {"hazards": {"only": ["gpu-falt"]}},
        'hazards.only[0]: no hazard "gpu-falt" in the catalogue: did you mean "gpu-fault"?',
    ),
    "part": (
        {"repair": {"stock": {"gpu-modul": 1}}},
        'repair.stock.gpu-modul: no part "gpu-modul" in the catalogue: did you mean "gpu-module"?',
    ),
    "twice": ({"runs": [RUN, RUN]}, 'runs[1].name: "model" is a name given twice'),
    "trace": ({"traces": [{"name": "t", "file": "no.csv"}]}, "traces[0].file: no.csv: no such file"),
    "policy": ({"policy": {"schedule": "esay"}}, 'policy.schedule: expected "fifo"'),
    "spares": (
        {"sites": [{"num_nodes": 4, "num_spares": 4}]},
        "num_spares: 4 of 4 nodes leave none to work",
    ),
    "elastic": (
        {"runs": [RUN | {"min_gpus": 72}]},
        "runs[0].min_gpus: expected at most num_gpus, 64, found 72",
    ),
    "deadline": (
        {"runs": [RUN | {"submit_s": "13 days"}]},
        "runs[0].deadline_s: lies before the run is submitted",
    ),
    "interval": (
        {"policy": {"checkpoint": "fixed"}},
        "runs[0]: checkpoint_interval_s is missing, and policy.checkpoint is fixed",
    ),
    "late": (
        {"runs": [], "mixes": [], "traces": []},
        "expected at least one, for without jobs nothing happens",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_a_line(case: str, run_gigawatt) -> None:
    changes, message = WRONG[case]
    done = simulated(run_gigawatt, "--json", **changes)
    assert (done.exit_code, done.output) == (2, "")
    lines = [line for line in done.errors.splitlines() if message in line]
    assert len(lines) == 1, done.errors
    assert lines[0].startswith("error: fleet.yaml:")
    assert "Traceback" not in done.errors


def test_all_that_is_wrong_is_said_at_once(run_gigawatt) -> None:
    done = simulated(
        run_gigawatt,
        system="hgx-h10",
        runs=[RUN | {"site": "x", "work_s": "-1 s"}],
        hazards={"without": ["y"]},
        traces=[{"name": "t", "file": "no.csv"}],
    )
    assert done.exit_code == 2
    assert len(done.errors.splitlines()) == 5


def test_lines_of_a_trace_are_counted_and_named(run_gigawatt) -> None:
    rows = "a,v,0,1000,8\nb,v,1,10,x\nc,v,5,100,128\nd,v,9000000,10,1\n"
    Path("jobs.csv").write_text(f"job_id,vc,submit_s,duration_s,gpus\n{rows}")
    only = {"runs": [], "mixes": [], "traces": [{"name": "t", "tenant": "research", "file": "jobs.csv"}]}
    done = simulated(run_gigawatt, **only)
    assert done.exit_code == 0
    assert "jobs.csv:3: job b: malformed: gpus: expected a number, found 'x'" in done.errors
    assert "jobs.csv:4: job c: larger than pool: 128 GPUs, and north has 120 beside its spares" in done.errors
    assert (
        "jobs.csv:5: job d: after the end: submitted after 104 days, and all ends after 20 days"
        in done.errors
    )
    assert "Left out, larger than their site: 1 job." in done.output
    found = json.loads(simulated(run_gigawatt, "--json", **only).output)
    assert [(one["line"], one["kind"]) for one in found["lines"]] == [
        (3, "malformed"),
        (4, "larger than pool"),
        (5, "after the end"),
    ]
    assert found["num_jobs"] == 1


def test_a_trace_without_a_job_is_refused_with_its_lines(run_gigawatt) -> None:
    Path("jobs.csv").write_text("job_id,vc,submit_s,duration_s,gpus\na,v,0,-10,8\n")
    done = simulated(run_gigawatt, traces=[{"name": "t", "tenant": "research", "file": "jobs.csv"}])
    assert done.exit_code == 2
    assert "jobs.csv:2:1: a: duration_s: expected no less than 0, found -10" in done.errors


def test_a_trace_is_looked_for_beside_the_fleet_file(run_gigawatt) -> None:
    Path("plans").mkdir()
    Path("plans/jobs.csv").write_text("job_id,vc,submit_s,duration_s,gpus\na,v,0,1000,8\n")
    traces = [{"name": "t", "tenant": "research", "file": "jobs.csv"}]
    Path("plans/fleet.yaml").write_text(yaml.safe_dump(FLEET | {"traces": traces}))
    assert run_gigawatt("operate", "simulate", "plans/fleet.yaml").exit_code == 0


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--log", "x.txt", "the name must end in .csv or .parquet"),
        ("--timeline", "x.png", "the name must end in .svg"),
        ("--trace", "nowhere/x.json", 'there is no folder "nowhere"'),
        ("--until", "120 %", "expected less than 100 %"),
        ("--replications", "0", "0 is not in the range"),
    ],
)
def test_options_that_cannot_be_are_refused_before_any_work(
    option: str, value: str, message: str, run_gigawatt
) -> None:
    done = simulated(run_gigawatt, option, value)
    assert done.exit_code == 2
    assert message in done.errors


def test_who_is_interrupted_keeps_the_log(run_gigawatt, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Ctrl-C does it: in the midst of the first replication."""
    from gigawatt.exports.spells import read_spells
    from gigawatt.operate import rehearse

    monkeypatch.setattr(rehearse, "MOST_EVENTS", 200)

    def interrupted(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gigawatt.cli.operate._bar", interrupted)
    done = simulated(run_gigawatt, "--log", "log.csv", "--trace", "trace.json")
    assert done.exit_code == 130
    assert "interrupted: log.csv and trace.json hold what happened until then" in done.errors
    log = read_spells("log.csv")
    assert log.is_whole
    assert len(log.rows) > 0
    assert log.rows.end_s.max() < DAYS * 86400
    assert json.loads(Path("trace.json").read_text() + "]")


def test_the_schema_for_editors(run_gigawatt) -> None:
    found = json.loads(run_gigawatt("schema", "fleet").output)
    assert {"sites", "runs", "hazards", "repair"} <= set(found["properties"])
