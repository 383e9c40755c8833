"""From the blueprint's records to what the figures draw: points, bars and bookings; nothing is computed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from gigawatt.domain.blueprint import Blueprint, Booking, Option, RunPlan
from gigawatt.domain.training import StageMemory, TrainingPrediction
from gigawatt.report import wording
from gigawatt.report.bars import Bar, Row, Segment, Span
from gigawatt.report.scatter import Mark, Standing
from gigawatt.views.plan import VERDICTS, option_order

MEMORY_PARTS = (
    ("weights_bytes", "Weights"),
    ("gradients_bytes", "Gradients"),
    ("optimizer_bytes", "Optimizer state"),
    ("activations_bytes", "Activations"),
    ("logits_bytes", "Logits"),
    ("buffers_bytes", "Communication buffers"),
    ("slack_bytes", "Allocator slack"),
)


def anchor(run_index: int, option_index: int) -> str:
    """The id of an option's row on the page."""
    return f"run-{run_index}-option-{option_index}"


def spoken(option: Option) -> str:
    """One option in a sentence, for those who point at it or have it read out."""
    return (
        f"{option.label}: {VERDICTS[option.verdict]}, finishes {wording.day(option.finish)} "
        f"({wording.days_between(option.low_finish, option.high_finish)}), costs "
        f"{wording.money(option.cost_usd, option.currency)} "
        f"({wording.between(option.low_cost_usd, option.high_cost_usd, '_usd')})"
    )


def _standing(run: RunPlan, option: Option) -> Standing:
    if option.id == run.decision.option:
        return "chosen"
    return "meets" if option.verdict == "meets" else "late"


def _mark(run: RunPlan, option: Option, href: str) -> Mark | None:
    if not option.planned or option.cost_usd is None or not option.finish:
        return None
    low_cost = option.cost_usd if option.low_cost_usd is None else option.low_cost_usd
    high_cost = option.cost_usd if option.high_cost_usd is None else option.high_cost_usd
    return Mark(
        label=option.label,
        detail=spoken(option),
        standing=_standing(run, option),
        x=wording.ordinal(option.finish),
        x_low=wording.ordinal(option.low_finish or option.finish),
        x_high=wording.ordinal(option.high_finish or option.finish),
        y=option.cost_usd,
        y_low=low_cost,
        y_high=high_cost,
        href=href,
    )


def marks(run: RunPlan, run_index: int) -> list[Mark]:
    """Every option with a finish date and a cost: the chosen one, then those in time, cheapest first."""
    found = [_mark(run, run.options[index], f"#{anchor(run_index, index)}") for index in option_order(run)]
    return [mark for mark in found if mark]


def prices(run: RunPlan, currency: str) -> str:
    """The currency and the years of the prices behind the run's costs."""
    years = {option.price_year for option in run.options if option.cost_usd is not None and option.price_year}
    return f"{currency} of {', '.join(map(str, sorted(years)))}" if years else currency


def time_parts(predictions: Sequence[TrainingPrediction]) -> list[tuple[str, str]]:
    """Key and label of every part that takes any time in any of the layouts, in order of appearance."""
    parts = [part for prediction in predictions for part in prediction.parts if part.time_s > 0]
    return list({part.key: wording.capitalised(part.label) for part in parts}.items())


def time_bar(label: str, prediction: TrainingPrediction, keys: Sequence[str]) -> Bar:
    """One layout's step, part by part."""
    segments = tuple(
        Segment(
            keys.index(part.key),
            part.time_s,
            wording.quantity(part.time_s, "_s", 2),
            f"{label}: {part.label} {wording.quantity(part.time_s, '_s')}",
        )
        for part in prediction.parts
        if part.time_s > 0
    )
    total = wording.quantity(prediction.step_s, "_s")
    return Bar(label, segments, total, prediction.low_step_s, prediction.high_step_s)


def _contents(stage: StageMemory) -> tuple[float, ...]:
    return tuple(getattr(stage, name) for name, _ in MEMORY_PARTS)


def alike_stages(prediction: TrainingPrediction) -> list[tuple[str, StageMemory]]:
    """The pipeline's stages with their names, neighbours that hold the same taken together."""
    found = []
    for _, group in groupby(prediction.memory, key=_contents):
        stages = list(group)
        first, last = stages[0].stage, stages[-1].stage
        found.append((f"Stage {first}" if first == last else f"Stages {first} – {last}", stages[0]))
    return found


def shown_stages(stages: Sequence[tuple[str, StageMemory]], most: int) -> list[tuple[str, StageMemory]]:
    """At most so many of them: evenly spread, with the first, the last and the fullest among them."""
    if len(stages) <= most:
        return list(stages)
    fullest = max(range(len(stages)), key=lambda index: stages[index][1].total_bytes)
    spread = {round(index * (len(stages) - 1) / (most - 2)) for index in range(most - 1)}
    return [stages[index] for index in sorted(spread | {fullest})]


def memory_bar(label: str, stage: StageMemory, capacity_bytes: float) -> Bar:
    """What one accelerator of a stage holds, against what it can hold."""
    segments = tuple(
        Segment(
            index,
            value,
            wording.quantity(value, "_bytes", 2),
            f"{label}: {name} {wording.quantity(value, '_bytes')}",
        )
        for index, ((_, name), value) in enumerate(zip(MEMORY_PARTS, _contents(stage), strict=True))
        if value > 0
    )
    return Bar(label, segments, wording.quantity(stage.total_bytes, "_bytes"), limit=capacity_bytes)


def _span(booking: Booking, part: int) -> Span:
    detail = (
        f"{booking.run} on {booking.cluster}: {wording.day(booking.start)} to {wording.day(booking.finish)} "
        f"({wording.days_between(booking.low_finish, booking.high_finish)})"
    )
    return Span(
        part,
        booking.run,
        detail,
        wording.ordinal(booking.start),
        wording.ordinal(booking.finish),
        wording.ordinal(booking.low_finish),
        wording.ordinal(booking.high_finish),
    )


def calendar_rows(blueprint: Blueprint) -> list[Row]:
    """A row for each owned cluster that has bookings, in the calendar's order; a colour for each run."""
    parts = {run: part for part, run in enumerate(dict.fromkeys(one.run for one in blueprint.calendar))}
    spans: dict[str, tuple[Span, ...]] = {}
    for one in blueprint.calendar:
        spans[one.cluster] = (*spans.get(one.cluster, ()), _span(one, parts[one.run]))
    return [Row(cluster, booked) for cluster, booked in spans.items()]
