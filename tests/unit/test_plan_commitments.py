"""Plans that wait for construction, buy energy by the hour and sign contracts, against closed forms."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gigawatt.domain.training import (
    Layout,
    StageMemory,
    TimePart,
    TrainingDesign,
    TrainingJob,
    TrainingPrediction,
)
from gigawatt.project import PlanDirectory, explain_figure, plan_scenario

STEP_S = 10.0

SCENARIO = """\
title: to be built
price_year: 2026
assumptions: {pue: 1.25, goodput_frac: 100 %, carbon_kgco2_per_mwh: 100 kgCO2/MWh}
runs:
  - {id: base, model: llama-3.1-8b, tokens: 8640 Mtokens, seq_len: 1000, global_batch: 1000,
     start: 2027-01-01, deadline: 2028-06-01}
clusters:
  - id: own
    system: hgx-h100
    num_accelerators: 1024
    construction: {project: project.yaml, block: hall}
    capex_usd: $8766
    lifetime_s: 1 years
    energy: site.yaml
rentals:
  - {offers: aws-p5-48xlarge-us-east-1, num_accelerators: 1024}
portfolio: roadmap.yaml
"""

PROJECT = """\
title: A hall
start: 2027-01-04
price_year: 2026
activities:
  - id: shell
    duration: {shape: triangular, low_s: 100 days, likely_s: 200 days, high_s: 400 days,
               source: a tender, basis: quoted}
milestones:
  - {id: hall, after: [shell], power_w: 10 MW}
  - {id: party, after: [hall]}
"""

SITE = """\
title: A campus on the grid
price_year: 2026
discount_frac: 8 %
hours: hours.csv
load: {rated_w: 10 MW, unserved_usd_per_mwh: $5000/MWh}
grid: {limit_w: 20 MW, tariff: market-delivered}
"""

ROADMAP = """\
title: a lab
price_year: 2026
start: 2027-01
months: 6
now_months: 3
places: [{id: here}]
chips: [{id: gpu, power_w: 1 kW}]
research: [{id: lab, num_equivalents: 10, start: 2027-01}]
offers:
  - id: hourly
    provider: cloud
    form: on-demand
    price_usd_per_gpu_h: {value: {gpu: $2/GPU/h}, source: a letter, basis: quoted, date: 2026-03}
    sites: here
    term_months: 1
"""


TRAINING = """\
training:
  - {id: base, work_gpu_h: {h100-sxm-80gb: 5}, start: 2027-02, deadline: 2027-02}
  - {id: other, work_gpu_h: {h100-sxm-80gb: 1000}, start: 2027-02, deadline: 2027-02}
"""


def search(
    model: Any, system: Any, accelerator: Any, num_accelerators: int, job: TrainingJob,
    calibration: Any, fixed: Mapping[str, object], *, top: int, network: Any,
) -> TrainingDesign:  # fmt: skip
    """Stands in for the layout search: 10 s a step, known exactly."""
    stage = StageMemory(
        stage=0, weights_bytes=1e9, gradients_bytes=1e9, optimizer_bytes=1e9, activations_bytes=1e9,
        logits_bytes=0.0, buffers_bytes=0.0, slack_bytes=0.0,
    )  # fmt: skip
    best = TrainingPrediction(
        layout=Layout(tp=8, pp=16, dp=num_accelerators // 128),
        step_s=STEP_S, low_step_s=STEP_S, high_step_s=STEP_S,
        parts=(TimePart(key="gemm", label="matrix products", time_s=STEP_S, law="laws.compute.gemm_s"),),
        memory=(stage,), memory_bytes=4e9, capacity_bytes=8e10, fits=True, mfu_frac=0.4, hfu_frac=0.4,
        tokens_per_s=1e6 / STEP_S, basis="stand-in",
    )  # fmt: skip
    return TrainingDesign(
        model=model.id, system=system.id, num_accelerators=num_accelerators, job=job, layouts_evaluated=1,
        layouts_legal=1, layouts_fitting=1, proven_optimal=True, best=(best,),
    )  # fmt: skip


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    for name, text in (("project", PROJECT), ("site", SITE), ("roadmap", ROADMAP), ("scenario", SCENARIO)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    hours = np.datetime64("2026-03-01T00", "h") + np.arange(240)
    lines = ["timestamp_utc,wind_cf,solar_cf,price_usd_mwh,avg_co2_g_kwh"]
    lines += [f"{hour}:00Z,0.0,0.0,45.0,400.0" for hour in hours]
    (tmp_path / "hours.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "scenario.yaml"


def first_use(share: float) -> date:
    """The day after the end of a triangular activity over 100, 200 and 400 days, by its quantile."""
    low, likely, high = 100.0, 200.0, 400.0
    mode_share = (likely - low) / (high - low)
    if share < mode_share:
        days = low + math.sqrt(share * (high - low) * (likely - low))
    else:
        days = high - math.sqrt((1 - share) * (high - low) * (high - likely))
    return date(2027, 1, 4) + timedelta(days=math.ceil(days))


def test_a_run_begins_when_the_block_is_done_with_its_ends(scenario: Path, tmp_path: Path) -> None:
    blueprint = plan_scenario(scenario, tmp_path / "plan", design=search).blueprint
    own = blueprint.runs[0].option_named("own")
    assert own is not None
    for start, share in ((own.low_start, 0.1), (own.start, 0.5), (own.high_start, 0.9)):
        assert abs(date.fromisoformat(start[:10]) - first_use(share)) <= timedelta(days=2)
    for start, finish in ((own.low_start, own.low_finish), (own.high_start, own.high_finish)):
        a_day = date.fromisoformat(finish[:10]) - date.fromisoformat(start[:10])
        assert a_day == timedelta(days=1)  # 8,640 steps of 10 s
    rented = blueprint.runs[0].options[1]
    assert (rented.low_start, rented.start, rented.high_start) == ("2027-01-01T00:00:00Z",) * 3


def test_power_costs_and_emits_what_the_campus_draws(scenario: Path, tmp_path: Path) -> None:
    """A flat market at $45 with $10 of delivery, at 400 g; capital of $8,766 over a year is $1 an hour."""
    blueprint = plan_scenario(scenario, tmp_path / "plan", design=search).blueprint
    own, rented = blueprint.runs[0].options
    energy = blueprint.clusters[0].energy
    assert energy is not None
    assert energy.usd_per_mwh == pytest.approx(55.0, rel=1e-4)
    assert own.energy_j is not None
    assert own.emissions_kgco2 == pytest.approx(own.energy_j / 3.6e9 * 400.0, rel=1e-4)
    assert own.cost_usd == pytest.approx(1024 * 24 * 1.0 + own.energy_j / 3.6e9 * 55.0, rel=1e-4)
    assert rented.energy_j is not None
    assert rented.emissions_kgco2 == pytest.approx(rented.energy_j / 3.6e9 * 100.0)


def test_the_portfolio_is_an_artefact_and_part_of_the_decision(
    scenario: Path, tmp_path: Path, run_gigawatt
) -> None:
    """Ten accelerators by the hour at $2 for six months, of which three are signed for now."""
    plan = plan_scenario(scenario, tmp_path / "plan", design=search)
    answer = plan.blueprint.portfolio
    assert answer is not None
    assert answer.objective_usd == pytest.approx(10 * 2 * 6 * 8766 / 12)
    assert [one.month for one in answer.sign_now] == ["2027-01", "2027-02", "2027-03"]
    assert {(one.offer, round(one.num_accelerators)) for one in answer.sign_now} == {("hourly", 10)}
    stored = tmp_path / "plan" / "portfolio.json"
    audited = run_gigawatt("contract", "portfolio", str(tmp_path / "roadmap.yaml"), "--audit", str(stored))
    assert audited.exit_code == 0
    assert plan.met
    page = (tmp_path / "plan" / "report.html").read_text(encoding="utf-8")
    assert 'id="portfolio"' in page
    assert "A campus on the grid" in page


def test_the_portfolio_takes_the_work_of_the_plan(scenario: Path, tmp_path: Path) -> None:
    """A day of 1,024 accelerators is 24,576 hours, whatever the roadmap says of the run of that name."""
    roadmap = ROADMAP.replace("gpu", "h100-sxm-80gb").replace(
        "price_usd_per_h100-sxm-80gb_h", "price_usd_per_gpu_h"
    )
    roadmap = roadmap.replace("research: [{id: lab, num_equivalents: 10, start: 2027-01}]", TRAINING)
    (tmp_path / "roadmap.yaml").write_text(roadmap, encoding="utf-8")
    plan = plan_scenario(scenario, tmp_path / "plan", design=search)
    answer = plan.blueprint.portfolio
    assert answer is not None
    (handed,) = answer.handed
    assert (handed.run, handed.work_gpu_h, handed.stated_gpu_h) == ("base", pytest.approx(24576), 5.0)
    month_h = 8766 / 12
    whole = math.ceil((24576 + 1000) / month_h)
    assert answer.objective_usd == pytest.approx(whole * month_h * 2)
    page = (tmp_path / "plan" / "report.html").read_text(encoding="utf-8")
    assert "24,576 accelerator-hours as planned on" in page
    blueprint = PlanDirectory(tmp_path / "plan").blueprint()
    (hours,) = explain_figure(blueprint, "/portfolio/handed/0/work_gpu_h").inputs
    assert hours.value == pytest.approx(24576)


DATED = """\
title: a lab of one's own
price_year: 2026
start: 2027-01
months: 30
places:
  - {id: here, schedule: ../project.yaml, blocks: hall}
  - {id: cloud}
chips: [{id: gpu, power_w: 1 kW, resale_frac: [1, 1]}]
research: [{id: lab, num_equivalents: 10, start: 2027-01}]
offers:
  - id: own
    provider: self
    form: owned
    capex_usd: {gpu: $1}
    sites: here
    term_months: 60
    block_accelerators: 10
  - id: hourly
    provider: cloud
    form: on-demand
    price_usd_per_gpu_h: {gpu: $2/GPU/h}
    sites: cloud
    term_months: 1
"""


@pytest.fixture
def dated(scenario: Path, tmp_path: Path) -> Path:
    """The same scenario; its roadmap, in a folder of its own, names the cluster's project."""
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "roadmap.yaml").write_text(DATED, encoding="utf-8")
    scenario.write_text(SCENARIO.replace("roadmap.yaml", "contracts/roadmap.yaml"), encoding="utf-8")
    return scenario


def test_the_portfolio_plans_with_the_dates_that_the_cluster_waits_for(dated: Path, tmp_path: Path) -> None:
    blueprint = plan_scenario(dated, tmp_path / "plan", design=search).blueprint
    ready, answer = blueprint.clusters[0].ready, blueprint.portfolio
    assert ready is not None
    assert answer is not None
    assert answer.dates is not None
    (block,) = answer.dates.blocks
    assert (str(block.p10), str(block.p50), str(block.p90)) == (ready.p10, ready.p50, ready.p90)
    for share, day in ((0.1, block.p10), (0.5, block.p50), (0.9, block.p90)):
        assert abs(day - first_use(share)) <= timedelta(days=3)
    (cost,) = answer.dates.costs
    assert cost.week_usd == pytest.approx(10 * 2 * 7 * 24, rel=1e-3)
    stored = json.loads((tmp_path / "plan" / "portfolio.json").read_text())
    assert stored["dates"]["blocks"][0]["months"] == block.months
    assert list(json.loads((tmp_path / "plan" / "schedule.json").read_text())["projects"]) == ["project.yaml"]
    page = (tmp_path / "plan" / "report.html").read_text(encoding="utf-8")
    assert f"Block hall for here is ready by {block.p50} with even odds" in page


def test_a_stored_portfolio_with_dates_is_audited_against_its_roadmap(
    dated: Path, tmp_path: Path, run_gigawatt
) -> None:
    roadmap, stored = str(tmp_path / "contracts" / "roadmap.yaml"), str(tmp_path / "stored.json")
    shown = run_gigawatt("contract", "portfolio", roadmap, "--plan-only", "--save", stored)
    assert shown.exit_code == 0
    for words in ("When capacity is ready", "Dates taken, by future", "What a week of delay costs"):
        assert words in shown.output
    assert run_gigawatt("contract", "portfolio", roadmap, "--audit", stored).exit_code == 0
    dated.write_text(dated.read_text() + "seed: 77\n", encoding="utf-8")
    plan_scenario(dated, tmp_path / "plan", design=search)
    planned = str(tmp_path / "plan" / "portfolio.json")
    assert run_gigawatt("contract", "portfolio", roadmap, "--audit", planned).exit_code == 0


def test_what_a_week_costs_leads_back_to_the_project(dated: Path, tmp_path: Path) -> None:
    plan_scenario(dated, tmp_path / "plan", design=search)
    blueprint = PlanDirectory(tmp_path / "plan").blueprint()
    week = explain_figure(blueprint, "/portfolio/dates/costs/0/week_usd")
    (block,) = [one for one in week.inputs if one.pointer == "/portfolio/dates/blocks/0"]
    assert {one.source for one in block.inputs} == {"project.yaml", "a tender"}
    cost = explain_figure(blueprint, "/portfolio/objective_usd")
    assert "/portfolio/dates/blocks/0" in {one.pointer for one in cost.inputs}


def test_a_project_that_only_the_roadmap_names_is_planned_anew_when_it_changes(
    dated: Path, tmp_path: Path
) -> None:
    waits = "construction: {project: project.yaml, block: hall}"
    text = dated.read_text().replace(waits, "available_from: 2027-06-01")
    dated.write_text(text, encoding="utf-8")
    plan = plan_scenario(dated, tmp_path / "plan", design=search)
    assert "construction project.yaml" in plan.blueprint.inputs
    assert "schedule.json" in plan.artefacts
    assert plan_scenario(dated, tmp_path / "plan", design=search).skipped
    (tmp_path / "project.yaml").write_text(PROJECT.replace("400 days", "420 days"), encoding="utf-8")
    assert not plan_scenario(dated, tmp_path / "plan", design=search).skipped


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("../project.yaml", "project.yaml", "roadmap.yaml:6:26: places[0].schedule"),
        (
            "blocks: hall",
            "blocks: hal",
            '6:51: places[0].blocks: block "hal" of ../project.yaml is not there',
        ),
        ("blocks: hall", "blocks: party", 'block "party" of ../project.yaml is a milestone without power_w'),
        ("{id: cloud}", "{id: cloud, schedule: .././project.yaml, blocks: hall}", "is counted twice"),
        (", blocks: hall", "", "schedule and blocks go together"),
        (
            "2027-01\nmonths",
            "2027-08\nmonths",
            "block hall may be there from 2027-06, and the roadmap starts in",
        ),
    ],
)
def test_a_roadmap_whose_dates_do_not_go_together_is_told_by_line(
    dated: Path, tmp_path: Path, run_gigawatt, old: str, new: str, told: str
) -> None:
    path = tmp_path / "contracts" / "roadmap.yaml"
    path.write_text(DATED.replace(old, new).replace("start: 2027-01}", "start: 2027-08}"), encoding="utf-8")
    for command in (
        ("plan", str(dated), "--out", str(tmp_path / "plan")),
        ("contract", "portfolio", str(path)),
    ):
        done = run_gigawatt(*command)
        assert done.exit_code == 2
        (line,) = done.errors.strip().splitlines()
        assert told in line
    assert not (tmp_path / "plan").exists()


def test_where_it_came_from_can_be_explained(scenario: Path, tmp_path: Path) -> None:
    plan_scenario(scenario, tmp_path / "plan", design=search)
    blueprint = PlanDirectory(tmp_path / "plan").blueprint()
    start = explain_figure(blueprint, "/runs/0/options/0/start")
    (ready,) = [one for one in start.inputs if one.pointer == "/clusters/0/ready"]
    assert {one.source for one in ready.inputs} == {"project.yaml", "a tender"}
    cost = explain_figure(blueprint, "/runs/0/options/0/cost_usd")
    assert "/clusters/0/energy/usd_per_mwh" in {one.pointer for one in cost.inputs}
    emitted = explain_figure(blueprint, "/runs/0/options/0/emissions_kgco2")
    assert "/clusters/0/energy/kgco2_per_mwh" in {one.pointer for one in emitted.inputs}


@pytest.mark.parametrize("name", ["project.yaml", "site.yaml", "hours.csv", "roadmap.yaml"])
def test_a_file_that_changes_is_planned_anew(scenario: Path, tmp_path: Path, name: str) -> None:
    plan_scenario(scenario, tmp_path / "plan", design=search)
    again = plan_scenario(scenario, tmp_path / "plan", design=search)
    assert again.skipped
    assert {"schedule.json", "energy.json", "portfolio.json"} < set(again.artefacts)
    assert "Energy of the campus" in (tmp_path / "plan" / "report.html").read_text()
    path = tmp_path / name
    path.write_text(
        path.read_text().replace("45.0,400.0", "46.0,400.0") + ("" if "csv" in name else "# more\n")
    )
    assert not plan_scenario(scenario, tmp_path / "plan", design=search).skipped


def test_every_rehearsal_is_in_the_logbook(scenario: Path, tmp_path: Path) -> None:
    """Interruptions come one by one: over all rehearsals about as many as the node rate makes of the time."""
    stated = SCENARIO.replace("goodput_frac: 100 %, ", "").replace("8640 Mtokens", "86400 Mtokens")
    scenario.write_text(stated.replace("portfolio: roadmap.yaml\n", ""), encoding="utf-8")
    plan = plan_scenario(scenario, tmp_path / "plan", design=search)
    text = (tmp_path / "plan" / "logbook.json").read_text()
    logbook = json.loads(text)
    assert (logbook["schema"], logbook["blueprint"]) == ("gigawatt.logbook/1", plan.blueprint.digest)
    (run,) = logbook["rehearsals"]
    assert run["options"] == [option.id for option in plan.blueprint.runs[0].options]
    middle = [play for play in run["plays"] if play["inputs"] == "middle"]
    drawn = [play["ettr_frac"] for play in run["plays"] if play["inputs"] == "drawn"]
    own = plan.blueprint.runs[0].options[0]
    assert own.goodput_frac == pytest.approx(sum(play["ettr_frac"] for play in middle) / len(middle))
    assert min(drawn) <= run["low_goodput_frac"] <= run["high_goodput_frac"] <= max(drawn)
    assert own.train_s is not None
    assert own.interruption_interval_s is not None
    expected = len(middle) * own.train_s / own.interruption_interval_s
    found = sum(play["num_interruptions"] for play in middle)
    assert abs(found - expected) <= 4 * math.sqrt(expected) + 1
    again = plan_scenario(scenario, tmp_path / "again", design=search)
    assert (again.directory / "logbook.json").read_text() == text


def test_what_is_no_longer_asked_for_goes(scenario: Path, tmp_path: Path) -> None:
    plan_scenario(scenario, tmp_path / "plan", design=search)
    scenario.write_text(SCENARIO.replace("portfolio: roadmap.yaml\n", ""), encoding="utf-8")
    (tmp_path / "plan" / "energy.json").write_text("my own notes")
    plan = plan_scenario(scenario, tmp_path / "plan", design=search)
    assert "portfolio.json" not in plan.artefacts
    assert not (tmp_path / "plan" / "portfolio.json").exists()
    assert json.loads((tmp_path / "plan" / "energy.json").read_text())["schema"] == "gigawatt.plan-energy/1"


def test_a_roadmap_that_nothing_meets_ends_with_the_reason(scenario: Path, tmp_path: Path) -> None:
    text = ROADMAP.replace("term_months: 1\n", "term_months: 1\n    most_accelerators: 5\n")
    (tmp_path / "roadmap.yaml").write_text(text, encoding="utf-8")
    plan = plan_scenario(scenario, tmp_path / "plan", design=search)
    answer = plan.blueprint.portfolio
    assert answer is not None
    assert answer.objective_usd is None
    assert answer.binding
    assert not plan.met
    assert not (tmp_path / "plan" / "portfolio.json").exists()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("project.yaml,", "projct.yaml,", "scenario.yaml:11:29: clusters[0].construction.project"),
        ("block: hall", "block: hal", '11:50: clusters[0].construction.block: no block of capacity "hal"'),
        ("block: hall", "block: party", "it is a milestone without power_w; there are hall"),
        ("energy: site.yaml", "energy: no.yaml", "scenario.yaml:14:13: clusters[0].energy"),
        ("portfolio: roadmap", "portfolio: no", "scenario.yaml:17:12: portfolio"),
        ("    capex", "    available_from: 2027-01-01\n    capex", "leave out available_from"),
        ("    construction: {project: project.yaml, block: hall}\n", "", "give available_from, or"),
        ("    energy", "    power_price_usd_per_mwh: $50/MWh\n    energy", "leave out power_price"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_line(
    scenario: Path, tmp_path: Path, run_gigawatt, old: str, new: str, told: str
) -> None:
    assert SCENARIO.count(old) == 1
    scenario.write_text(SCENARIO.replace(old, new), encoding="utf-8")
    done = run_gigawatt("plan", str(scenario), "--out", str(tmp_path / "plan"))
    assert done.exit_code == 2
    (line,) = done.errors.strip().splitlines()
    assert told in line
    assert not (tmp_path / "plan").exists()


def test_mistakes_of_all_files_are_told_together(scenario: Path, tmp_path: Path, run_gigawatt) -> None:
    (tmp_path / "project.yaml").write_text(PROJECT.replace("[shell]", "[shel]"), encoding="utf-8")
    (tmp_path / "roadmap.yaml").write_text(ROADMAP.replace("months: 6", "months: six"), encoding="utf-8")
    (tmp_path / "hours.csv").unlink()
    done = run_gigawatt("plan", str(scenario), "--out", str(tmp_path / "plan"))
    first, second, third = done.errors.strip().splitlines()
    assert "project.yaml:9:24: milestones[0].after[0]" in first
    assert "scenario.yaml:14:13: clusters[0].energy" in second
    assert "hours.csv" in second
    assert "roadmap.yaml:4:9: months" in third


def test_what_changed_between_two_plans_names_dates_and_signatures(
    scenario: Path, tmp_path: Path, run_gigawatt
) -> None:
    plan_scenario(scenario, tmp_path / "before", design=search)
    for name, old, new in (
        ("project", "100 days", "150 days"),
        ("roadmap", "equivalents: 10", "equivalents: 12"),
    ):
        path = tmp_path / f"{name}.yaml"
        path.write_text(path.read_text().replace(old, new), encoding="utf-8")
    plan_scenario(scenario, tmp_path / "after", design=search)
    done = run_gigawatt("diff", str(tmp_path / "before"), str(tmp_path / "after"), "--json")
    changes = {(one["where"], one["key"]): one for one in json.loads(done.output)["effects"]}
    assert ("cluster own", "ready p10") in changes
    signed = changes["portfolio", "hourly gpu here 2027-01"]
    assert (signed["before"], signed["after"]) == (10.0, 12.0)
