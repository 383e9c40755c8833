"""The head of the report: for each run what to do, what it takes, and why."""

from __future__ import annotations

from gigawatt.domain.blueprint import Blueprint, Option, RunPlan
from gigawatt.domain.training import TrainingPrediction
from gigawatt.drawings.markup import Markup, element, join
from gigawatt.report import wording
from gigawatt.report.elements import badge, definitions, paragraph, section
from gigawatt.views.plan import VERDICTS, goodput_text


def _value(main: str, small: str = "") -> Markup:
    return join([element("span", main), element("small", small)]) if small else element("span", main)


def margin(option: Option) -> str:
    """How far the finish lies from the deadline, in words."""
    if option.slack_s is None:
        return ""
    room = wording.quantity(abs(option.slack_s), "_s", 2)
    return f"{room} to spare" if option.slack_s >= 0 else f"{room} too late"


def _power(option: Option) -> str:
    return "" if option.power_w is None else f"{wording.quantity(option.power_w, '_w')} on average"


def _times(run: RunPlan, option: Option) -> list[tuple[str, Markup]]:
    finish = wording.days_between(option.low_finish, option.high_finish)
    step = wording.between(option.low_step_s, option.high_step_s, "_s")
    return [
        ("Finishes", _value(wording.day(option.finish), finish)),
        ("Deadline", _value(wording.day(run.deadline), margin(option))),
        ("Time for one step", _value(wording.quantity(option.step_s, "_s"), step)),
        ("Goodput", _value(wording.quantity(option.goodput_frac, "_frac"), wording.goodput_range(option))),
    ]


def _amounts(option: Option) -> list[tuple[str, Markup]]:
    cost = f"Cost, {option.currency} of {option.price_year}" if option.price_year else "Cost"
    cost_range = wording.between(option.low_cost_usd, option.high_cost_usd, "_usd")
    gpu_hours = f"{option.num_accelerators:,} × {option.accelerator_name or option.accelerator}"
    return [
        (cost, _value(wording.money(option.cost_usd, option.currency), cost_range)),
        ("GPU-hours", _value(wording.count(option.gpu_hours), gpu_hours)),
        ("Energy at the meter", _value(wording.quantity(option.energy_j, "_j"), _power(option))),
    ]


def _layout(prediction: TrainingPrediction | None) -> list[tuple[str, Markup]]:
    if prediction is None:
        return []
    chosen = prediction.layout
    return [
        ("Layout", _value(wording.layout(chosen), wording.layout_manner(chosen))),
        ("Model FLOPs utilisation", _value(wording.quantity(prediction.mfu_frac, "_frac"))),
    ]


def _card(run: RunPlan, run_index: int) -> Markup:
    option = run.option_named(run.decision.option)
    heading = element("h3", element("a", run.id, href=f"#run-{run_index}"), f" · {run.model_name}")
    reason = paragraph(wording.sentence(run.decision.reason))
    if option is None:
        return element(
            "article", heading, paragraph("No place works", class_="choice"), reason, class_="card missed"
        )
    choice = element("p", option.label, " ", badge(option.verdict, VERDICTS[option.verdict]), class_="choice")
    facts = _times(run, option) + _amounts(option) + _layout(run.prediction_of(option))
    standing = "met" if run.decision.met else "missed"
    return element(
        "article", heading, choice, reason, definitions(facts, broad=("Layout",)), class_=f"card {standing}"
    )


def decision_section(blueprint: Blueprint) -> Markup:
    """One card for each run."""
    confidence = wording.quantity(blueprint.deadline_confidence_frac, "_frac")
    note = (
        f"A deadline counts as met where the finish date at {confidence} confidence lies before it. "
        "Ranges run from the 10 % to the 90 % point of the prediction; how figures are counted stands "
        "under Conventions."
    )
    cards = [_card(run, index) for index, run in enumerate(blueprint.runs)]
    notes = [paragraph(text, class_="lead") for text in (note, goodput_text(blueprint)) if text]
    return section("decision", "Decision", *cards, *notes)
