"""One training run: cost against finish date, every option, where the step goes, what fills the memory."""

from __future__ import annotations

from collections.abc import Sequence

from gigawatt.domain.blueprint import Blueprint, RunPlan
from gigawatt.domain.training import TrainingDesign, TrainingPrediction
from gigawatt.drawings.markup import Markup, element
from gigawatt.report import series, wording
from gigawatt.report.axes import Axis, date_axis, quantity_axis
from gigawatt.report.bars import Bar, stacked_bars
from gigawatt.report.elements import (
    WIDE,
    Cell,
    Line,
    bullets,
    figure,
    folded,
    paragraph,
    section,
    swatch,
    table,
)
from gigawatt.report.options import options_table, refused_table
from gigawatt.report.scatter import Mark, Standing, point_key, scatter

_ROOM_AFTER_DEADLINE = 1.5
"""Finish dates beyond this many times the span from start to deadline are held at the chart's right edge."""
_MOST_STAGES = 16
"""Of a deeper pipeline the first, last, fullest and some other stages are drawn; the table has them all."""
_STANDINGS: tuple[tuple[Standing, str], ...] = (
    ("chosen", "chosen"), ("meets", "meets the deadline"), ("late", "late"),
)  # fmt: skip


def _axes(found: Sequence[Mark], run: RunPlan, currency: str, wide: bool) -> tuple[Axis, Axis]:
    start, deadline = wording.ordinal(run.start), wording.ordinal(run.deadline)
    chosen = [mark.x_high for mark in found if mark.standing == "chosen"]
    beyond = max(start + (deadline - start) * _ROOM_AFTER_DEADLINE, *chosen, deadline)
    days = [deadline, *(day for mark in found for day in (mark.x_low, mark.x, mark.x_high))]
    amounts = [amount for mark in found for amount in (mark.y_low, mark.y_high)]
    x_axis = date_axis("Finish date", days, 7 if wide else 3, beyond)
    return x_axis, quantity_axis(f"Cost, {currency}", amounts, lambda value: wording.quantity(value, "_usd"))


def _cost_caption(run: RunPlan, found: Sequence[Mark], late_edge: float) -> str:
    planned = [option for option in run.options if option.planned]
    unpriced, held = len(planned) - len(found), sum(mark.x > late_edge for mark in found)
    parts = [
        "Each point is one place to train; lines reach from the 10 % to the 90 % point of cost and of finish "
        "date. Points without room for a label show theirs when pointed at; all are in the table below."
    ]
    if held:
        parts.append(f"Arrows at the right edge finish later than the chart shows: {held}.")
    if unpriced:
        parts.append(f"Not drawn for want of a price: {unpriced}.")
    return " ".join(parts)


def cost_figure(run: RunPlan, run_index: int, currency: str) -> Markup:
    """Cost against finish date of every option that has both, with the deadline."""
    found = series.marks(run, run_index)
    if not found:
        return paragraph("No option has both a finish date and a cost, so there is nothing to draw here.")
    deadline, text = wording.ordinal(run.deadline), f"Deadline {wording.day(run.deadline)}"

    def draw(width: float) -> tuple[Markup, float]:
        wide = width == WIDE
        height = 480.0 if wide else 430.0
        return scatter(found, *_axes(found, run, currency, wide), width, height, deadline, text), height

    present = {mark.standing for mark in found}
    return figure(
        f"run-{run_index}-cost",
        f"Cost against finish date for {run.id}",
        f"{len(found)} options. " + "; ".join(mark.detail for mark in found[:3]) + ".",
        draw,
        _cost_caption(run, found, _axes(found, run, currency, wide=True)[0].high),
        [point_key(standing, text) for standing, text in _STANDINGS if standing in present],
    )


def _candidates(design: TrainingDesign) -> list[tuple[str, TrainingPrediction]]:
    named = [
        ("Chosen" if rank == 0 else f"Runner-up {rank}", found) for rank, found in enumerate(design.best)
    ]
    return named + ([("Asked for", design.asked)] if design.asked else [])


def _parts_table(caption: str, bars: Sequence[Bar], names: Sequence[str], suffix: str) -> Markup:
    lines = []
    for bar in bars:
        values = {segment.part: segment.value for segment in bar.segments}
        amounts = [values.get(part, 0.0) for part in range(len(names))]
        cells = [Cell(wording.quantity(amount, suffix), figure=True) for amount in amounts]
        lines.append(Line((Cell(bar.label), *cells, Cell(bar.total_text, figure=True))))
    return folded("The numbers behind this picture", table(caption, ("", *names, "Total"), lines))


def _search(design: TrainingDesign) -> str:
    proof = "; the winner is proven optimal under the model" if design.proven_optimal else ""
    return (
        f"{design.layouts_evaluated:,} layouts evaluated, {design.layouts_legal:,} legal, "
        f"{design.layouts_fitting:,} fit in memory{proof}."
    )


def time_figure(run: RunPlan, run_index: int, design: TrainingDesign) -> Markup:
    """Where the step goes, for the winner, the runners-up and the layout asked for."""
    candidates = _candidates(design)
    parts = series.time_parts([prediction for _, prediction in candidates])
    keys, names = [key for key, _ in parts], [label for _, label in parts]
    bars = [
        series.time_bar(f"{name}: {wording.layout(prediction.layout)}", prediction, keys)
        for name, prediction in candidates
    ]
    caption = "Time of one optimizer step, part by part; the line below a bar spans its 10 % to 90 % range. "
    return figure(
        f"run-{run_index}-step",
        f"Where the step time goes for {run.id}",
        "; ".join(f"{bar.label}: {bar.total_text}" for bar in bars),
        lambda width: stacked_bars(bars, width),
        caption + _search(design),
        [swatch(index, name) for index, name in enumerate(names)],
        bullets(
            [f"Runner-up {rank}: {wording.sentence(reason)}" for rank, reason in enumerate(design.reasons, 1)]
        ),
        _parts_table(f"Time of one step of {run.id} by part", bars, names, "_s"),
    )


def memory_figure(run: RunPlan, run_index: int, prediction: TrainingPrediction) -> Markup:
    """What fills one accelerator of each stage, against what it can hold."""
    capacity = prediction.capacity_bytes
    stages = series.alike_stages(prediction)
    every_bar = [series.memory_bar(name, stage, capacity) for name, stage in stages]
    shown = {name for name, _ in series.shown_stages(stages, _MOST_STAGES)}
    bars = [bar for bar in every_bar if bar.label in shown]
    names = [name for _, name in series.MEMORY_PARTS]
    used = sorted({segment.part for bar in every_bar for segment in bar.segments})
    caption = (
        "Peak on one accelerator of each stage; neighbouring stages that hold the same are drawn once. "
        "The red mark is what can be used."
        + (f" Of {len(stages)} kinds of stage {len(bars)} are drawn." if len(bars) < len(stages) else "")
    )
    return figure(
        f"run-{run_index}-memory",
        f"Memory of each pipeline stage for {run.id}",
        "; ".join(f"{bar.label}: {bar.total_text}" for bar in bars),
        lambda width: stacked_bars(bars, width, f"{wording.quantity(capacity, '_bytes')} usable"),
        caption,
        [swatch(index, names[index]) for index in used],
        _parts_table(f"Peak memory of each stage of {run.id} by part", every_bar, names, "_bytes"),
    )


def sensitivity_table(run: RunPlan, design: TrainingDesign) -> Markup:
    """How the step moves when one input does."""
    lines = [
        Line(
            (
                Cell(wording.capitalised(item.input)),
                Cell(f"× {item.factor:g}", figure=True),
                Cell(wording.quantity(item.step_s, "_s"), figure=True),
            )
        )
        for item in design.sensitivity
    ]
    caption = f"Step time of {run.id} if one input changes"
    return table(caption, ("Input", "Changed by", "Step"), lines) if lines else Markup()


def _workload(run: RunPlan) -> str:
    return (
        f"{run.model_name}, {wording.quantity(run.tokens, '_tokens')} in {run.num_steps:,} steps of "
        f"{run.global_batch:,} sequences of {run.seq_len:,} tokens, {run.precision}. "
        f"May start on {wording.day(run.start)}, due on {wording.day(run.deadline)}."
    )


def _chosen_pictures(run: RunPlan, run_index: int) -> list[Markup]:
    option = run.option_named(run.decision.option)
    prediction = run.prediction_of(option) if option else None
    if option is None or option.design is None or prediction is None:
        return []
    design = run.designs[option.design]
    return [
        element("h3", f"Where the step time goes on {option.label}"),
        time_figure(run, run_index, design),
        sensitivity_table(run, design),
        element("h3", f"Memory by stage on {option.label}"),
        memory_figure(run, run_index, prediction),
    ]


def run_section(blueprint: Blueprint, run_index: int) -> Markup:
    """All there is to say about one run."""
    run = blueprint.runs[run_index]
    return section(
        f"run-{run_index}",
        f"Run {run.id}",
        paragraph(_workload(run), class_="lead"),
        element("h3", "Cost against finish date"),
        cost_figure(run, run_index, series.prices(run, blueprint.currency)),
        element("h3", "Every option"),
        options_table(run, run_index, blueprint.currency),
        refused_table(run, run_index),
        *_chosen_pictures(run, run_index),
    )
