"""A whole optimizer step: layers into stages, stages into a pipeline, gradients over replicas, optimizer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gigawatt.design.training import wires
from gigawatt.design.training.block import BF16_BYTES, linear_s
from gigawatt.design.training.terms import BlockCost, Chip, Physics, Recipe, Split
from gigawatt.laws import collectives, pipeline, traffic
from gigawatt.laws.numbers import Number


class Grid(NamedTuple):
    """What a layout adds to the split of one layer: stages, replicas and micro-batches."""

    pp: Number
    vpp: Number
    dp: Number
    zero: Number
    shard: Number
    """Ranks over which ZeRO shards; dp * cp unless it is hybrid."""
    num_microbatches: Number
    bubble_frac: Number


class Weights(NamedTuple):
    """Parameters by how they are split: over tp; over ep and etp; embedding and head."""

    hidden: Number
    vocab: Number
    num_layers: Number
    dense: Number
    expert: Number
    table: Number
    """Parameters of one embedding table or head."""
    root: Number
    """Both together: once where they are one table."""
    num_heads: Number
    """Passes through the output head: the model's own and one for each multi-token-prediction module."""


class StepCost(NamedTuple):
    """Seconds of one step by cause; they sum to step_s."""

    gemm_s: Number
    attention_s: Number
    traffic_s: Number
    head_s: Number
    tp_s: Number
    cp_s: Number
    ep_s: Number
    host_s: Number
    recompute_s: Number
    imbalance_s: Number
    bubble_s: Number
    p2p_s: Number
    dp_s: Number
    optimizer_s: Number
    jitter_s: Number
    step_s: Number


def head_s(weights: Weights, split: Split, chip: Chip, recipe: Recipe, physics: Physics) -> Number:
    """Output projections and losses of one micro-batch, both ways; in 16 bit in every recipe [s]."""
    tokens = split.seq_len * split.micro_batch / split.cp
    local = weights.vocab / split.tp
    rate = chip.flop_per_s * physics.gemm16_frac
    forward, backward = linear_s(
        tokens, local, weights.hidden, 1.0, rate, float(BF16_BYTES), chip, recipe, physics
    )
    loss = tokens * local * traffic.loss_bytes() / (chip.hbm_bytes_per_s * physics.hbm_frac)
    return weights.num_heads * (forward + backward + loss)


def shared_params(grid: Grid, weights: Weights, split: Split) -> Number:
    """What a rank of the first or the last stage holds apart from experts: a table beside its layers.

    Without a pipeline it is both tables.
    """
    edge = np.where(grid.pp > 1, weights.table, weights.root)
    return (weights.dense / grid.pp + edge) / split.tp


def replica_s(
    grid: Grid,
    weights: Weights,
    split: Split,
    chip: Chip,
    recipe: Recipe,
    physics: Physics,
    forward_s: Number,
    backward_s: Number,
) -> Number:
    """Visible gradient and parameter communication between replicas, a whole step [s].

    ZeRO-0 reduces gradients to every replica; ZeRO-1 scatters gradients and gathers parameters once a step;
    ZeRO-2 keeps its share of the gradients only, and so scatters them in every micro-batch; ZeRO-3 gathers
    twice and scatters once in every micro-batch. `forward_s` and `backward_s` of one micro-batch are the
    cover.
    """
    hidden_frac = physics.dp_hidden_frac * recipe.overlaps
    dense = shared_params(grid, weights, split)
    group = grid.dp * split.cp
    scatter = wires.gather_s(dense * recipe.gradient_bytes, group, split.tp, chip, physics)
    gather = wires.gather_s(dense * recipe.parameter_bytes, grid.shard, split.tp, chip, physics)
    expert = weights.expert / (split.ep * split.etp * grid.pp)
    expert_group = np.maximum(group * split.tp / (split.ep * split.etp), 1.0)
    expert_scatter = wires.gather_s(
        expert * recipe.gradient_bytes, expert_group, split.ep * split.etp, chip, physics
    )
    expert_gather = expert_scatter * recipe.parameter_bytes / recipe.gradient_bytes
    whole = np.where(grid.zero >= 1, 1.0, 0.0)
    each = np.where(grid.zero >= 3, 1.0, 0.0)
    hybrid = np.where(grid.shard < group, 1.0, 0.0)
    gather_once = whole * gather + (1.0 - whole) * scatter
    once = collectives.exposed_s(gather_once, forward_s, hidden_frac)
    told = wires.broadcasts_s(dense * recipe.parameter_bytes, grid.shard, split.tp, chip, physics)
    by_rank = recipe.broadcasts * whole
    once = by_rank * told + (1.0 - by_rank) * once
    once = once + collectives.exposed_s(scatter + expert_scatter + expert_gather, backward_s, hidden_frac)
    early = np.where(grid.zero == 2, grid.num_microbatches - 1.0, 0.0)
    once = once + early * collectives.exposed_s(scatter + expert_scatter, backward_s, hidden_frac)
    shard_scatter = gather * recipe.gradient_bytes / recipe.parameter_bytes
    all_gather = gather + expert_gather
    always = collectives.exposed_s(all_gather, forward_s, hidden_frac)
    always = always + collectives.exposed_s(
        all_gather + shard_scatter + expert_scatter, backward_s, hidden_frac
    )
    return (1.0 - each) * once + each * (always * grid.num_microbatches + hybrid * once)


def optimizer_s(grid: Grid, weights: Weights, split: Split, chip: Chip, physics: Physics) -> Number:
    """Adam on this rank's shard: memory traffic of gradient, master weight and two moments [s]."""
    dense = shared_params(grid, weights, split)
    expert = weights.expert / (split.ep * split.etp * grid.pp)
    shard = np.where(grid.zero >= 1, grid.shard, 1.0)
    expert_shard = np.where(
        grid.zero >= 1, np.maximum(grid.dp * split.cp * split.tp / (split.ep * split.etp), 1.0), 1.0
    )
    moved = traffic.adam_bytes(dense / shard + expert / expert_shard, dense + expert)
    return moved / (chip.hbm_bytes_per_s * physics.hbm_frac)


def accumulate_s(
    grid: Grid, weights: Weights, split: Split, chip: Chip, recipe: Recipe, physics: Physics
) -> Number:
    """Adding a micro-batch's gradients to the accumulated ones, where the products do not do so [s].

    ZeRO-3 accumulates its shard only.
    """
    local = (weights.dense + weights.root) / split.tp + weights.expert / (split.ep * split.etp)
    shard = np.where(grid.zero >= 3, grid.shard, 1.0)
    moved = (
        (1.0 - recipe.fused_accumulation)
        * local
        / (grid.pp * shard)
        * traffic.accumulate_bytes(recipe.gradient_bytes)
    )
    return moved * physics.accumulate_traffic / (chip.hbm_bytes_per_s * physics.hbm_frac)


def p2p_s(grid: Grid, weights: Weights, split: Split, chip: Chip, physics: Physics) -> Number:
    """Activations and gradients handed to the next stage for one micro-batch, every chunk [s].

    Each tensor-parallel rank sends its share and the receivers gather: Narayanan et al., arXiv 2104.04473,
    section 4.1.
    """
    moved = split.seq_len * split.micro_batch / split.cp * weights.hidden * BF16_BYTES / split.tp
    piped = np.minimum(grid.pp - 1.0, 1.0)
    stage = split.tp * split.cp * grid.dp
    return piped * 2.0 * grid.vpp * wires.send_s(moved, stage, stage * grid.pp, chip, physics)


def step_cost(
    grid: Grid,
    weights: Weights,
    layers: BlockCost,
    head: Number,
    split: Split,
    chip: Chip,
    recipe: Recipe,
    physics: Physics,
    num_nodes: Number,
) -> StepCost:
    """The step, by cause. `layers` sums BlockCost over all layers for one micro-batch; `head` is `head_s`."""
    per_layer = layers.total_s / weights.num_layers
    slowest = pipeline.slowest_stage_s(per_layer, weights.num_layers, grid.pp, head)
    p2p = p2p_s(grid, weights, split, chip, physics) * (
        1.0 - physics.pp_hidden_frac * np.minimum(grid.vpp - 1.0, 1.0)
    )
    accumulate = accumulate_s(grid, weights, split, chip, recipe, physics)
    work = layers.total_s + head
    extra = p2p + accumulate
    pipe = pipeline.pipeline_s(
        slowest + extra, work + grid.pp * extra, grid.num_microbatches, grid.vpp, grid.bubble_frac
    )
    forward_s = layers.forward_s / grid.pp
    backward_s = (layers.total_s - layers.forward_s) / grid.pp
    dp = replica_s(grid, weights, split, chip, recipe, physics, forward_s, backward_s)
    optimizer = optimizer_s(grid, weights, split, chip, physics) + physics.step_host_s
    m = grid.num_microbatches
    share = m / grid.pp
    plain = pipe + dp + optimizer
    jitter = pipeline.straggler_s(plain, physics.jitter_frac, num_nodes)
    return StepCost(
        gemm_s=layers.gemm_s * share,
        attention_s=layers.attention_s * share,
        traffic_s=layers.traffic_s * share + m * accumulate,
        head_s=head * share,
        tp_s=layers.tp_s * share,
        cp_s=layers.cp_s * share,
        ep_s=layers.ep_s * share,
        host_s=layers.host_s * share,
        recompute_s=layers.recompute_s * share,
        imbalance_s=m * slowest - work * share,
        bubble_s=pipe - m * (slowest + extra),
        p2p_s=m * p2p,
        dp_s=dp,
        optimizer_s=optimizer,
        jitter_s=jitter,
        step_s=plain + jitter,
    )


def least_step_s(layers_s: Number, head_s: Number, pp: Number, num_microbatches: Number) -> Number:
    """No step is shorter [s]: every stage works without pause, on nothing but its layers and the head."""
    return (layers_s + head_s) * num_microbatches / pp
