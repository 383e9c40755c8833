"""Plans with a stand-in for the layout search, so that every figure can be worked out by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gigawatt.domain.blueprint import Blueprint, Option
from gigawatt.domain.explanation import Explanation
from gigawatt.domain.training import (
    Binding,
    Layout,
    StageMemory,
    TimePart,
    TrainingDesign,
    TrainingJob,
    TrainingPrediction,
)
from gigawatt.errors import InputError, UnknownIdError, WriteError
from gigawatt.project import PlanDirectory, explain_figure, plan_scenario

STEP_S = 10.0
"""At 1,024 accelerators; the stand-in scales perfectly and is known to within 10 %."""

SCENARIO = """\
title: by hand
price_year: 2026
deadline_confidence: {confidence}
assumptions:
  pue: 1.25
  goodput_frac: 100 %
  carbon_kgco2_per_mwh: 400 kgCO2/MWh
runs:
  - {{id: first, model: llama-3.1-8b, tokens: 8640 Mtokens, seq_len: 1000, global_batch: 1000,
      start: 2027-01-01, deadline: 2027-01-03}}
{more_runs}
clusters:
  - {{id: own, system: hgx-h100, num_accelerators: 1024, available_from: 2027-01-01,
      price_usd_per_gpu_h: $2/GPU/h}}
rentals:
  - {{offers: aws-p5-48xlarge-us-east-1, num_accelerators: [1024, 2048]}}
"""


class Search:
    """Stands in for the layout search and counts its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []

    def __call__(
        self, model: Any, system: Any, accelerator: Any, num_accelerators: int, job: TrainingJob,
        calibration: Any, fixed: Mapping[str, object], *, top: int, network: Any,
    ) -> TrainingDesign:  # fmt: skip
        self.calls.append((system.id, num_accelerators))
        best = (prediction(STEP_S * 1024 / num_accelerators, num_accelerators),)
        binding = ()
        if fixed.get("tp") == 3:
            best, binding = (), (Binding(constraint="heads", message="32 heads do not divide by tp=3"),)
        return TrainingDesign(
            model=model.id, system=system.id, num_accelerators=num_accelerators, job=job, layouts_evaluated=1,
            layouts_legal=1, layouts_fitting=1, proven_optimal=True, best=best, binding=binding,
        )  # fmt: skip


def prediction(step_s: float, num_accelerators: int) -> TrainingPrediction:
    stage = StageMemory(
        stage=0, weights_bytes=1e9, gradients_bytes=1e9, optimizer_bytes=1e9, activations_bytes=1e9,
        logits_bytes=0.0, buffers_bytes=0.0, slack_bytes=0.0,
    )  # fmt: skip
    part = TimePart(key="gemm", label="matrix products", time_s=step_s, law="laws.compute.gemm_s")
    return TrainingPrediction(
        layout=Layout(tp=8, pp=16, dp=num_accelerators // 128),
        step_s=step_s, low_step_s=0.9 * step_s, high_step_s=1.1 * step_s,
        parts=(part,), memory=(stage,), memory_bytes=4e9, capacity_bytes=8e10, fits=True, mfu_frac=0.4,
        hfu_frac=0.4, tokens_per_s=1e6 / step_s, basis="stand-in",
    )  # fmt: skip


@pytest.fixture
def write(tmp_path: Path):
    def scenario(more_runs: str = "", confidence: str = "p90", text: str = SCENARIO) -> Path:
        path = tmp_path / "scenario.yaml"
        path.write_text(text.format(more_runs=more_runs, confidence=confidence), encoding="utf-8")
        return path

    return scenario


def options_of(blueprint: Blueprint, run: int = 0) -> dict[str, Option]:
    return {option.id: option for option in blueprint.runs[run].options}


RENTED = "aws-p5-48xlarge-us-east-1"


def test_a_day_of_1024_accelerators_by_hand(write, tmp_path: Path) -> None:
    """8,640 steps of 10 s are a day; 1,024 accelerators for a day are 24,576 hours."""
    plan = plan_scenario(write(), tmp_path / "plan", design=Search())
    run, options = plan.blueprint.runs[0], options_of(plan.blueprint)
    own, same, twice = options["own"], options[f"{RENTED}@1024"], options[f"{RENTED}@2048"]
    assert run.num_steps == 8640
    assert (own.train_s, own.low_train_s, own.high_train_s) == pytest.approx((86400, 77760, 95040))
    assert (own.start, own.finish) == ("2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z")
    assert (own.low_finish, own.high_finish) == ("2027-01-01T21:36:00Z", "2027-01-02T02:24:00Z")
    assert own.gpu_hours == pytest.approx(24576)
    assert (own.cost_usd, own.high_cost_usd) == pytest.approx((49152, 49152 * 1.1))
    assert same.cost_usd == pytest.approx(24576 * 6.88)  # the AWS list price of the offer
    assert same.price_year == 2026
    assert twice.cost_usd == pytest.approx(same.cost_usd)
    assert twice.train_s == pytest.approx(43200)
    # 128 nodes of 10.2 kW at PUE 1.25 are 1.632 MW: 39.168 MWh a day, 15.667 t at 400 kg/MWh.
    assert same.energy_j == pytest.approx(39.168 * 3.6e9)
    assert same.emissions_kgco2 == pytest.approx(15667.2)
    # What is owned has its network designed, and that draws as well.
    network_w = plan.blueprint.clusters[0].fabric.power_w
    assert own.energy_j == pytest.approx((128 * 10.2e3 + network_w) * 1.25 * 86400)


def test_the_cheapest_that_meets_the_deadline_is_taken(write, tmp_path: Path) -> None:
    plan = plan_scenario(write(), tmp_path / "plan", design=Search())
    decision = plan.blueprint.runs[0].decision
    assert plan.met
    assert decision.option == "own"
    assert decision.runner_up == f"{RENTED}@2048"  # costs the same as 1,024, finishes earlier
    assert "244.0 % more" in decision.reason  # 6.88 against 2


def test_two_runs_queue_for_the_owned_cluster_by_deadline(write, tmp_path: Path) -> None:
    """The run listed second has the earlier deadline, so the first waits, and so does its interval."""
    second = (
        "  - {id: urgent, model: llama-3.1-8b, tokens: 8640 Mtokens, seq_len: 1000, global_batch: 1000,\n"
        "      start: 2027-01-01, deadline: 2027-01-02}"
    )
    plan = plan_scenario(write(second), tmp_path / "plan", design=Search())
    first, urgent = (options_of(plan.blueprint, run)["own"] for run in (0, 1))
    assert (urgent.start, urgent.finish) == ("2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z")
    assert first.waits_for == ("urgent",)
    assert (first.start, first.finish) == ("2027-01-02T00:00:00Z", "2027-01-03T00:00:00Z")
    assert (first.low_finish, first.high_finish) == ("2027-01-02T19:12:00Z", "2027-01-03T04:48:00Z")
    assert [(one.run, one.cluster) for one in plan.blueprint.calendar] == [
        ("urgent", "own"),
        ("first", "own"),
    ]


def test_a_run_that_would_wait_too_long_rents(write, tmp_path: Path) -> None:
    """At 90 % the queue ahead takes 1.1 days and the run 2.2: more than the three days it has."""
    second = (
        "  - {id: urgent, model: llama-3.1-8b, tokens: 8640 Mtokens, seq_len: 1000, global_batch: 1000,\n"
        "      start: 2027-01-01, deadline: 2027-01-02}"
    )
    twice_as_long = SCENARIO.replace("tokens: 8640 Mtokens", "tokens: 17280 Mtokens")
    plan = plan_scenario(write(second, text=twice_as_long), tmp_path / "plan", design=Search())
    assert plan.blueprint.runs[1].decision.option == "own"
    assert options_of(plan.blueprint)["own"].slack_s == pytest.approx(-0.3 * 86400)
    assert plan.blueprint.runs[0].decision.option == f"{RENTED}@2048"


def test_confidence_decides_what_meets(write, tmp_path: Path) -> None:
    """A middle finish at the last moment meets at p50 and misses at p90."""
    text = SCENARIO.replace("deadline: 2027-01-03", "deadline: 2027-01-01")
    middling = plan_scenario(write(confidence="p50", text=text), tmp_path / "a", design=Search())
    cautious = plan_scenario(write(confidence="p90", text=text), tmp_path / "b", design=Search())
    assert options_of(middling.blueprint)["own"].verdict == "meets"
    assert options_of(cautious.blueprint)["own"].verdict == "late"
    assert cautious.blueprint.runs[0].decision.option == f"{RENTED}@2048"


def test_the_nearest_miss_is_named_when_nothing_meets(write, tmp_path: Path) -> None:
    text = SCENARIO.replace("8640 Mtokens", "86400 Mtokens")
    plan = plan_scenario(write(text=text), tmp_path / "plan", design=Search())
    decision = plan.blueprint.runs[0].decision
    assert not plan.met
    assert decision.option == f"{RENTED}@2048"  # five days at the middle, 5.5 at 90 %, three allowed
    assert "2.5 days late" in decision.reason
    assert {one.constraint for one in options_of(plan.blueprint)["own"].binding} == {"deadline"}


def test_a_stated_goodput_stretches_time_and_is_known_exactly(write, tmp_path: Path) -> None:
    text = SCENARIO.replace("goodput_frac: 100 %", "goodput_frac: 80 %")
    stretched = plan_scenario(write(text=text), tmp_path / "plan", design=Search()).blueprint
    own = options_of(stretched)["own"]
    assert own.train_s == pytest.approx(86400 / 0.8)
    assert own.high_train_s == pytest.approx(1.1 * 86400 / 0.8)
    assert (own.goodput_frac, own.low_goodput_frac, own.high_goodput_frac) == (0.8, 0.8, 0.8)
    assert own.interruption_interval_s is None
    assert not [fact for fact in stretched.facts if fact.key.startswith("reliability/")]


UNSTATED = SCENARIO.replace("  goodput_frac: 100 %\n", "")


def test_goodput_that_is_not_stated_by_hand(write, tmp_path: Path) -> None:
    """128 nodes of H100, which fail 2.53 and 6.4 times in 1,000 days by what two sources say.

    8.03 billion parameters at 14 bytes are written by 1,024 accelerators at 120 MB/s each in 0.915 s, best
    once in sqrt(2 x 0.915 s x time between failures); a failure costs a minute until it is noticed, two until
    a spare is there, five to restart, and half an interval.
    """
    plan = plan_scenario(write(text=UNSTATED), tmp_path / "plan", design=Search()).blueprint
    own, rented = options_of(plan)["own"], options_of(plan)[f"{RENTED}@2048"]
    between_s = 86400 / (128 * (2.53e-3 * 6.4e-3) ** 0.5)
    write_s = 8.03e9 * 14 / (120e6 * 1024)
    interval_s = (2 * write_s * between_s) ** 0.5
    lost = (60 + 120 + 300 + interval_s / 2) / between_s + write_s / interval_s
    assert own.interruption_interval_s == pytest.approx(between_s)
    assert own.checkpoint_write_s == pytest.approx(write_s, rel=1e-3)
    assert own.checkpoint_interval_s == pytest.approx(interval_s, rel=3e-3)
    assert own.estimated_goodput_frac == pytest.approx(1 - lost, abs=1e-4)
    # Stragglers, switches and faults looked for in the wrong place come on top.
    assert own.goodput_frac is not None
    assert 1 - 4 * lost < own.goodput_frac < 1 - lost / 2
    assert own.train_s == pytest.approx(86400 / own.goodput_frac)
    assert own.gpu_hours == pytest.approx(24576 / own.goodput_frac)
    assert own.cost_usd == pytest.approx(49152 / own.goodput_frac)
    # Twice the nodes fail twice as often, and write twice as fast.
    assert rented.interruption_interval_s == pytest.approx(between_s / 2)
    assert rented.checkpoint_write_s == pytest.approx(write_s / 2, rel=1e-3)
    assert rented.goodput_frac < own.goodput_frac


def test_the_range_of_goodput_goes_into_dates_and_costs(write, tmp_path: Path) -> None:
    """As an independent factor: the root of the sum of squares of both logarithms."""
    text = UNSTATED.replace("llama-3.1-8b", "llama-3.1-405b")
    own = options_of(plan_scenario(write(text=text), tmp_path / "plan", design=Search()).blueprint)["own"]
    assert own.low_goodput_frac < own.goodput_frac < own.high_goodput_frac < 1
    late = math.hypot(math.log(1.1), math.log(own.goodput_frac / own.low_goodput_frac))
    early = math.hypot(math.log(1 / 0.9), math.log(own.high_goodput_frac / own.goodput_frac))
    assert own.high_train_s == pytest.approx(own.train_s * math.exp(late))
    assert own.low_train_s == pytest.approx(own.train_s * math.exp(-early))
    assert own.high_cost_usd == pytest.approx(own.high_train_s / 3600 * 1024 * 2)
    finish = datetime.fromisoformat(own.high_finish) - datetime.fromisoformat(own.start)
    assert finish.total_seconds() == pytest.approx(own.high_train_s, abs=1)


def test_a_goodput_that_is_not_stated_says_what_it_takes_for_granted(write, tmp_path: Path) -> None:
    plan = plan_scenario(write(text=UNSTATED), tmp_path / "plan", design=Search()).blueprint
    assumed = {one.key: one for one in plan.assumptions}
    assert assumed["goodput_frac"].value is None
    assert assumed["goodput_frac"].basis == "estimate"
    assert "rehearsed" in assumed["goodput_frac"].note
    assert {"hazards", "blocking_checkpoints", "nodes_at_hand"} <= set(assumed)


def test_goodput_is_traced_to_the_fleets_that_it_was_learnt_from(write, tmp_path: Path) -> None:
    plan_scenario(write(text=UNSTATED), tmp_path / "plan", design=Search())
    blueprint = PlanDirectory(tmp_path / "plan").blueprint()

    def leaves(explanation: Explanation) -> Iterator[Explanation]:
        yield explanation
        for one in explanation.inputs:
            yield from leaves(one)

    found = list(leaves(explain_figure(blueprint, "/runs/0/options/0/goodput_frac")))
    laws = {law.name.rpartition(".")[2] for one in found for law in one.laws}
    assert {"renewal_ettr_frac", "daly_interval_s", "checkpoint_write_s", "job_failures_per_s"} <= laws
    keys = {one.key for one in found}
    assert {"reliability/field-h100/node_failures_per_s", "reliability/plan-recovery/restart_s"} <= keys
    assert "reliability/meta-rsc-1/node_failures_per_s" not in keys  # of A100
    assert not [key for key in keys if "llama-3-405b" in key]  # kept back, to compare with
    cost = leaves(explain_figure(blueprint, "/runs/0/options/0/cost_usd"))
    assert "goodput_frac" in {one.key for one in cost}


def test_a_layout_is_searched_once_for_each_system_and_size(write, tmp_path: Path) -> None:
    search = Search()
    plan_scenario(write(), tmp_path / "plan", design=search)
    assert sorted(search.calls) == [("hgx-h100", 1024), ("hgx-h100", 2048)]


def test_an_impossible_layout_says_what_binds(write, tmp_path: Path) -> None:
    text = SCENARIO.replace("deadline: 2027-01-03}}", "deadline: 2027-01-03, layout: {{tp: 3}}}}")
    plan = plan_scenario(write(text=text), tmp_path / "plan", design=Search())
    own = options_of(plan.blueprint)["own"]
    assert own.verdict == "infeasible"
    assert own.binding[0].constraint == "heads"
    assert plan.blueprint.runs[0].decision.option == ""


def test_offers_that_cannot_be_planned_say_why(write, tmp_path: Path) -> None:
    text = SCENARIO + "  - {{offers: lambda-b200-sxm6-on-demand, num_accelerators: 1024}}\n"
    text = text.replace("[1024, 2048]", "1020")
    options = options_of(plan_scenario(write(text=text), tmp_path / "plan", design=Search()).blueprint)
    assert options["lambda-b200-sxm6-on-demand@1024"].binding[0].constraint == "unknown system"
    assert options[f"{RENTED}@1020"].binding[0].constraint == "whole nodes"
    assert "1,024" in options[f"{RENTED}@1020"].binding[0].message


def test_a_plan_of_unchanged_inputs_is_not_made_again(write, tmp_path: Path) -> None:
    path, search = write(), Search()
    first = plan_scenario(path, tmp_path / "plan", design=search)
    second = plan_scenario(path, tmp_path / "plan", design=search)
    assert (first.skipped, second.skipped, len(search.calls)) == (False, True, 2)
    assert second.blueprint == first.blueprint


def test_a_changed_input_or_a_damaged_artefact_is_planned_again(write, tmp_path: Path) -> None:
    plan_scenario(write(), tmp_path / "plan", design=Search())
    assert not plan_scenario(write(confidence="p50"), tmp_path / "plan", design=Search()).skipped
    (tmp_path / "plan" / "report.html").write_text("cut")
    assert not plan_scenario(write(confidence="p50"), tmp_path / "plan", design=Search()).skipped
    (tmp_path / "plan" / "manifest.json").unlink()
    assert not plan_scenario(write(confidence="p50"), tmp_path / "plan", design=Search()).skipped


def test_same_inputs_give_the_same_bytes(write, tmp_path: Path) -> None:
    path = write()
    for name in ("a", "b"):
        plan_scenario(path, tmp_path / name, design=Search())
    names = sorted(file.name for file in (tmp_path / "a").iterdir())
    assert names == ["blueprint.json", "manifest.json", "report.html", "scenario.yaml"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_artefacts_carry_no_times_and_no_machine(write, tmp_path: Path) -> None:
    plan_scenario(write(), tmp_path / "plan", design=Search())
    for file in (tmp_path / "plan").iterdir():
        assert str(tmp_path) not in file.read_text(encoding="utf-8")


def test_an_interruption_leaves_the_old_plan(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan_scenario(write(), tmp_path / "plan", design=Search())
    before = {file.name: file.read_bytes() for file in (tmp_path / "plan").iterdir()}

    def interrupted(*_: object, **__: object) -> TrainingDesign:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan_scenario(write(confidence="p50"), tmp_path / "plan", design=interrupted)
    assert {file.name: file.read_bytes() for file in (tmp_path / "plan").iterdir()} == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["plan", "scenario.yaml"]


def test_a_full_disk_leaves_nothing_behind(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gigawatt.project.directory.write_atomic", full)
    with pytest.raises(WriteError, match="no space left on device"):
        plan_scenario(write(), tmp_path / "new" / "plan", design=Search())
    assert sorted(file.name for file in tmp_path.iterdir()) == ["scenario.yaml"]


def test_another_scenario_is_not_overwritten(write, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "scenario.yaml").write_text("mine")
    with pytest.raises(InputError, match="another scenario"):
        plan_scenario(write(), tmp_path / "other", design=Search())
    assert [file.read_text() for file in (tmp_path / "other").iterdir()] == ["mine"]


def test_what_else_lies_in_the_folder_stays(write, tmp_path: Path) -> None:
    plan_scenario(write(), tmp_path / "plan", design=Search())
    (tmp_path / "plan" / "notes.txt").write_text("keep me")
    plan_scenario(write(confidence="p50"), tmp_path / "plan", design=Search())
    assert (tmp_path / "plan" / "notes.txt").read_text() == "keep me"


def test_unknown_ids_are_input_errors(write, tmp_path: Path) -> None:
    with pytest.raises(UnknownIdError, match="hgx-h100"):
        plan_scenario(write(text=SCENARIO.replace("hgx-h100", "hgx-h10")), tmp_path / "p", design=Search())
    with pytest.raises(UnknownIdError, match=r"llama-3\.1-8b"):
        plan_scenario(write(text=SCENARIO.replace("3.1-8b", "3.1-9b")), tmp_path / "p", design=Search())
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [
        ("tokens: 8640 Mtokens", "tokens: 0 tokens", "tokens"),
        ("tokens: 8640 Mtokens", "tokens: 8640 GB", "tokens"),
        ("seq_len: 1000", "seq_len: -1", "seq_len"),
        ("num_accelerators: 1024", "num_accelerators: 99999999999", "num_accelerators"),
        ("deadline: 2027-01-03", "deadline: 2026-01-03", "before start"),
        ("deadline: 2027-01-03", "deadline: someday", "not a date"),
        ("pue: 1.25", "pue: 0.5", "pue"),
        ("$2/GPU/h", "2 EUR/GPU/h", "price_usd_per_gpu_h"),
        ("$2/GPU/h", "2", "price_usd_per_gpu_h"),
        ("title: by hand", "titel: by hand", "title"),
        ("id: own", "id: 'a b'", "id"),
    ],
)
def test_bad_input_is_placed_and_explained(
    write, tmp_path: Path, was: str, becomes: str, complaint: str
) -> None:
    path = write(text=SCENARIO.replace(was, becomes))
    with pytest.raises(InputError) as refused:
        plan_scenario(path, tmp_path / "plan", design=Search())
    problem = refused.value.problems[0]
    assert problem.file == str(path)
    assert problem.line > 0
    assert complaint in str(problem)
    assert not (tmp_path / "plan").exists()


def test_every_figure_of_every_option_can_be_explained(write, tmp_path: Path) -> None:
    plan_scenario(write(), tmp_path / "plan", design=Search())
    blueprint = PlanDirectory(tmp_path / "plan").blueprint()
    figures = (
        "step_s goodput_frac train_s finish slack_s gpu_hours energy_j power_w emissions_kgco2 "
        "price_usd_per_gpu_h cost_usd"
    )
    for index in range(3):
        for figure in figures.split():
            explanation = explain_figure(blueprint, f"/runs/0/options/{index}/{figure}")
            assert explanation.inputs, figure
            assert all(law.source for law in explanation.laws), figure


def test_a_cost_leads_back_to_the_price_list(write, tmp_path: Path) -> None:
    plan_scenario(write(), tmp_path / "plan", design=Search())
    explanation = explain_figure(PlanDirectory(tmp_path / "plan").blueprint(), "/runs/0/options/1/cost_usd")
    text = json.dumps(explanation.model_dump())
    assert "laws.finance.rental_cost_usd" in text
    assert f"offers/{RENTED}/on_demand_usd_per_gpu_h" in text
    assert "Amazon" in text or "AWS" in text
    assert "laws.progress.training_time_s" in text


def test_a_figure_that_is_not_there_says_what_is(write, tmp_path: Path) -> None:
    plan_scenario(write(), tmp_path / "plan", design=Search())
    with pytest.raises(InputError, match="cost_usd"):
        explain_figure(PlanDirectory(tmp_path / "plan").blueprint(), "/runs/0/options/1/costs")


def test_a_blueprint_changed_by_hand_is_refused(write, tmp_path: Path) -> None:
    plan_scenario(write(), tmp_path / "plan", design=Search())
    file = tmp_path / "plan" / "blueprint.json"
    file.write_text(file.read_text().replace('"num_steps": 8640', '"num_steps": 8641'))
    with pytest.raises(InputError, match="changed by hand"):
        PlanDirectory(tmp_path / "plan").blueprint()


def test_a_folder_without_a_manifest_is_no_plan(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="manifest"):
        PlanDirectory(tmp_path).blueprint()
    with pytest.raises(InputError, match="no such plan"):
        PlanDirectory(tmp_path / "nowhere").blueprint()


def test_a_plan_is_exported_as_it_was_decided(write, tmp_path: Path) -> None:
    from gigawatt.project.handover import export_plan

    plan_scenario(write(), tmp_path / "plan", design=Search())
    (script,) = export_plan(tmp_path / "plan", "megatron-lm").values()
    assert "--tensor-model-parallel-size 8" in script
    assert "--seq-length 1000" in script
    with pytest.raises(InputError, match="the plan has first"):
        export_plan(tmp_path / "plan", "megatron-lm", "second")


def test_two_plans_differ_by_what_was_changed(write, tmp_path: Path) -> None:
    from gigawatt.project.comparison import compare_plans

    plan_scenario(write(), tmp_path / "a", design=Search())
    plan_scenario(write(text=SCENARIO.replace("$2/GPU/h", "$3/GPU/h")), tmp_path / "b", design=Search())
    comparison = compare_plans(tmp_path / "a", tmp_path / "b")
    assert [one.key for one in comparison.causes] == ["scenario", "clusters/own/price_usd_per_gpu_h"]
    costs = {one.where: (one.before, one.after) for one in comparison.effects if one.key == "cost_usd"}
    assert costs == {"first on own": pytest.approx((49152.0, 73728.0))}
    same = compare_plans(tmp_path / "a", tmp_path / "a")
    assert (same.causes, same.effects) == ((), ())


def test_the_report_is_drawn_again_as_it_was(write, tmp_path: Path) -> None:
    from gigawatt.project.handover import draw_report

    plan_scenario(write(), tmp_path / "plan", design=Search())
    before = (tmp_path / "plan" / "report.html").read_bytes()
    (tmp_path / "plan" / "report.html").unlink()
    assert draw_report(tmp_path / "plan").read_bytes() == before
