"""What one layout does: its step time by cause, its memory by stage, its FLOPs rates."""

from __future__ import annotations

from gigawatt.design.model_counts import forward_flop_per_token, train_flop_per_token
from gigawatt.design.training.context import Context, context_of
from gigawatt.design.training.legal import violations
from gigawatt.design.training.memory import all_stages
from gigawatt.design.training.price import step_price
from gigawatt.design.training.shape import grid_of, split_of
from gigawatt.design.training.step import StepCost
from gigawatt.domain.calibration import TrainingCalibration
from gigawatt.domain.fabric import Network
from gigawatt.domain.hardware import Accelerator, System
from gigawatt.domain.model import Model
from gigawatt.domain.training import Layout, TimePart, TrainingJob, TrainingPrediction
from gigawatt.errors import InputError

PARTS = {
    "gemm_s": ("matrix products", "laws.compute.gemm_s"),
    "attention_s": ("attention", "laws.compute.flash_attention_flop"),
    "traffic_s": ("element-wise and casts", "laws.compute.streaming_s"),
    "head_s": ("output head and loss", "laws.compute.gemm_s"),
    "recompute_s": ("recomputation", "laws.compute.gemm_s"),
    "tp_s": ("tensor parallel, exposed", "laws.collectives.ring_s"),
    "cp_s": ("context parallel, exposed", "laws.collectives.ring_s"),
    "ep_s": ("expert parallel, exposed", "laws.collectives.all_to_all_s"),
    "host_s": ("launch and host", "laws.compute.issue_bound_s"),
    "imbalance_s": ("stage imbalance", "laws.pipeline.slowest_stage_s"),
    "bubble_s": ("pipeline bubble", "laws.pipeline.pipeline_s"),
    "p2p_s": ("stage to stage", "laws.pipeline.pipeline_s"),
    "dp_s": ("data parallel, exposed", "laws.collectives.exposed_s"),
    "optimizer_s": ("optimizer", "laws.compute.streaming_s"),
    "jitter_s": ("stragglers", "laws.pipeline.straggler_s"),
}
"""Causes of step time in the order in which tables show them: label and law."""


def predict_training(
    model: Model,
    system: System,
    accelerator: Accelerator,
    layout: Layout,
    job: TrainingJob,
    calibration: TrainingCalibration,
    network: Network | None = None,
) -> TrainingPrediction:
    """Predict one layout, on exactly the accelerators that it names, over `network` between nodes.

    Errors: InputError with every rule that the layout breaks, or with what the catalogue lacks.
    """
    broken = violations(model, layout.num_accelerators, job, layout)
    if broken:
        raise InputError("; ".join(row.message for row in broken))
    context = context_of(model, system, accelerator, layout.num_accelerators, job, calibration, network)
    return predict(context, layout)


def step_of(context: Context, layout: Layout) -> StepCost:
    """Seconds by cause."""
    c = context
    return step_price(
        c.kinds,
        c.weights,
        split_of(layout, c.job),
        grid_of(layout, c.job),
        c.chip,
        c.recipe,
        c.physics,
        c.num_nodes,
    )


def predict(context: Context, layout: Layout) -> TrainingPrediction:
    """Predict one legal layout."""
    c, job = context, context.job
    cost = step_of(c, layout)
    step_s = float(cost.step_s)
    stages = all_stages(c.kinds, c.edges, split_of(layout, job), grid_of(layout, job), c.recipe, c.books)
    fullest = max(stage.total_bytes for stage in stages)
    tokens = job.global_batch * job.seq_len
    useful = train_flop_per_token(c.model, job.seq_len, causal=True) * tokens
    again = forward_flop_per_token(c.model, job.seq_len, causal=True) * tokens * (layout.recompute == "full")
    peak = c.chip.low_flop_per_s * c.num_accelerators * step_s
    return TrainingPrediction(
        layout=layout,
        step_s=step_s,
        low_step_s=step_s * c.spread.low_frac,
        high_step_s=step_s * c.spread.high_frac,
        parts=tuple(
            TimePart(key=key, label=label, time_s=float(getattr(cost, key)), law=law)
            for key, (label, law) in PARTS.items()
        ),
        memory=stages,
        memory_bytes=fullest,
        capacity_bytes=c.capacity_bytes,
        fits=fullest <= c.capacity_bytes,
        mfu_frac=useful / peak,
        hfu_frac=(useful + again) / peak,
        tokens_per_s=tokens / step_s,
        basis=c.basis,
    )
