"""Why the winner wins: what runners-up lose by, what the winner is sensitive to, what binds where nothing
works.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gigawatt import units
from gigawatt.design.training.context import Context
from gigawatt.design.training.legal import violations
from gigawatt.design.training.predict import step_of
from gigawatt.domain.training import Binding, Layout, Sensitivity, TrainingPrediction

CHIP_INPUTS = (
    ("network between domains", ("scale_out_bytes_per_s",)),
    ("network within a domain", ("scale_up_bytes_per_s",)),
    ("memory bandwidth", ("hbm_bytes_per_s",)),
    ("matrix rate", ("flop_per_s", "low_flop_per_s")),
)
"""What a sensitivity changes: label, and fields of Chip."""
FACTORS = (0.5, 2.0)
SHOWN_CAUSES = 2
FELT_FRAC = 2**-14
"""Share of a step below which a difference is not worth a word."""


def reasons(best: Sequence[TrainingPrediction]) -> tuple[str, ...]:
    """Why each runner-up loses, in order: the causes of step time that grow most against the winner."""
    return tuple(_reason(best[0], other) for other in best[1:])


def _reason(winner: TrainingPrediction, other: TrainingPrediction) -> str:
    behind_s, felt_s = other.step_s - winner.step_s, FELT_FRAC * winner.step_s
    own = {part.key: part.time_s for part in winner.parts}
    growth = [(part.time_s - own[part.key], part.label) for part in other.parts]
    growth.sort(key=lambda one: (-one[0], one[1]))
    grown = [f"{label} +{_time(more_s)}" for more_s, label in growth[:SHOWN_CAUSES] if more_s > felt_s]
    shrunk = [f"{label} -{_time(-more_s)}" for more_s, label in growth[-1:] if more_s < -felt_s]
    if behind_s <= felt_s or not grown:
        return "as fast as the winner"
    text = f"{behind_s / winner.step_s:.1%} slower: {', '.join(grown)}"
    return text + (f", against {shrunk[0]}" if shrunk else "")


def _time(span_s: float) -> str:
    return units.format_quantity(span_s, "_s")


def sensitivity(context: Context, layout: Layout) -> tuple[Sensitivity, ...]:
    """Step time of one layout when the hardware, or the batch, is half or twice what it is."""
    changed = [
        (label, factor, _with_chip(context, names, factor))
        for label, names in CHIP_INPUTS
        for factor in FACTORS
    ]
    changed += [
        ("global batch", factor, other)
        for factor in FACTORS
        if (other := _with_batch(context, layout, factor))
    ]
    return tuple(
        Sensitivity(input=label, factor=factor, step_s=float(step_of(other, layout).step_s))
        for label, factor, other in changed
    )


def _with_chip(context: Context, names: Sequence[str], factor: float) -> Context:
    return replace(
        context, chip=context.chip._replace(**{name: getattr(context.chip, name) * factor for name in names})
    )


def _with_batch(context: Context, layout: Layout, factor: float) -> Context | None:
    """The same question with another batch; None where the layout would not be legal with it."""
    global_batch = context.job.global_batch * factor
    if global_batch < 1 or global_batch != int(global_batch):
        return None
    job = context.job.model_copy(update={"global_batch": int(global_batch)})
    legal = not violations(context.model, context.num_accelerators, job, layout)
    return replace(context, job=job) if legal else None


def memory_binding(nearest: TrainingPrediction, num_layouts: int) -> tuple[Binding, ...]:
    """Nothing fits: by how much the lightest layout misses, and on which stage."""
    excess_bytes = nearest.memory_bytes - nearest.capacity_bytes
    stage = max(nearest.memory, key=lambda one: one.total_bytes).stage
    needed, excess, usable = (
        units.format_quantity(size, "_bytes")
        for size in (nearest.memory_bytes, excess_bytes, nearest.capacity_bytes)
    )
    message = f"the lightest layout needs {needed} on stage {stage}, {excess} more than the {usable} usable"
    return (Binding(constraint="memory", message=message, num_layouts=num_layouts),)


def enough_binding(num_accelerators: int, layout: Layout) -> Binding:
    """The number of accelerators on which the same job would fit."""
    split = f"tp {layout.tp}, pp {layout.pp}, cp {layout.cp}, ep {layout.ep}, dp {layout.dp}"
    return Binding(
        constraint="nearest", message=f"it would fit on {num_accelerators:,} accelerators, with {split}"
    )
