"""The cost of one transformer layer, one micro-batch, on one rank: every kernel from the shape alone."""

from __future__ import annotations

import numpy as np

from gigawatt.design.training import wires
from gigawatt.design.training.terms import BlockCost, BlockShape, Chip, Physics, Recipe, Split
from gigawatt.laws import collectives, compute, traffic
from gigawatt.laws.numbers import Number

BF16_BYTES = 2


def product_s(
    m: Number,
    n: Number,
    k: Number,
    count: Number,
    flop_per_s: Number,
    operand_bytes: Number,
    chip: Chip,
    physics: Physics,
    out_bytes: Number,
) -> Number:
    """Time of `count` products [m, k] x [k, n], with shape effects [s]."""
    occupancy = compute.tile_occupancy_frac(m, n, count, chip.num_sms, physics.tile)
    tail = 1.0 / (1.0 + physics.tail_frac * (1.0 / occupancy - 1.0))
    shape = tail * compute.ramp_frac(k, physics.ramp_tokens)
    shape = shape * compute.alignment_frac(n, k, physics.aligned, physics.misaligned_frac)
    moved_bytes = count * (operand_bytes * k * (m + n) + out_bytes * m * n)
    rate = flop_per_s * shape
    return compute.gemm_s(
        2.0 * m * n * k * count, moved_bytes, rate, chip.hbm_bytes_per_s * physics.hbm_frac, physics.kernel_s
    )


def linear_s(
    m: Number,
    n: Number,
    k: Number,
    count: Number,
    rate: Number,
    size: Number,
    chip: Chip,
    recipe: Recipe,
    physics: Physics,
) -> tuple[Number, Number]:
    """Forward and backward time of a linear layer: y = x W, then dx = dy W' and dW = x' dy [s, s].

    Its products sustain `rate` [FLOP/s], once libraries have settled, on operands of `size` bytes an element.
    """
    rate = rate * compute.library_frac(
        recipe.library_age_s, physics.library_lag_frac, physics.library_settling_s
    )
    forward = product_s(m, n, k, count, rate, size, chip, physics, BF16_BYTES)
    data = product_s(m, k, n, count, rate, size, chip, physics, BF16_BYTES)
    weight = product_s(n, k, m, count, rate, size, chip, physics, 2 * recipe.gradient_bytes)
    return forward, data + weight


def attention_linears(block: BlockShape, hidden: Number, split: Split) -> tuple[tuple[Number, Number], ...]:
    """(n, k) of the projections around attention, per rank."""
    heads = block.num_heads / split.tp
    kv_heads = np.maximum(block.num_kv_heads / split.tp, 1.0)
    nope = block.head_dim - block.rope_dim
    plain = 1.0 - block.mla
    direct = plain + block.mla * (block.q_lora_rank == 0)
    return (
        (direct * heads * block.head_dim + plain * kv_heads * (block.head_dim + block.v_head_dim), hidden),
        (block.mla * block.q_lora_rank, hidden),
        (block.mla * (block.q_lora_rank > 0) * heads * block.head_dim, np.maximum(block.q_lora_rank, 1.0)),
        (block.mla * (block.kv_lora_rank + block.rope_dim), hidden),
        (block.mla * heads * (nope + block.v_head_dim), np.maximum(block.kv_lora_rank, 1.0)),
        (hidden, heads * block.v_head_dim),
    )


def linears_s(
    block: BlockShape, hidden: Number, split: Split, chip: Chip, recipe: Recipe, physics: Physics
) -> tuple[Number, Number]:
    """Forward and backward time of all matrix products with weights of a layer [s, s]."""
    tokens = split.seq_len * split.micro_batch / split.cp
    experts = block.num_experts / split.ep
    routed = tokens / split.tp * block.top_k * split.etp
    per_expert = routed / np.maximum(experts, 1.0)
    fan = 1.0 + block.gated
    products = [(tokens, n, k, 1.0) for n, k in attention_linears(block, hidden, split)]
    products += [
        (tokens, fan * block.ffn / split.tp, hidden, 1.0),
        (tokens, hidden, block.ffn / split.tp, 1.0),
        (tokens, fan * block.shared_ffn / split.tp, hidden, 1.0),
        (tokens, hidden, block.shared_ffn / split.tp, 1.0),
        (per_expert, fan * block.expert_ffn / split.etp, hidden, experts),
        (per_expert, hidden, block.expert_ffn / split.etp, experts),
    ]
    rate = chip.low_flop_per_s * physics.gemm_frac
    size = recipe.operand_bytes
    forward: Number = 0.0
    backward: Number = 0.0
    for m, n, k, count in products:
        present = (n > 0) & (k > 0) & (count > 0) & (m > 0)
        once = np.where(present, 1.0, 0.0)
        fwd, bwd = linear_s(
            np.maximum(m, 1.0),
            np.maximum(n, 1.0),
            np.maximum(k, 1.0),
            np.maximum(count, 1.0),
            rate,
            size,
            chip,
            recipe,
            physics,
        )
        forward = forward + once * fwd
        backward = backward + once * bwd
    return forward, backward


def attention_s(
    block: BlockShape, split: Split, chip: Chip, recipe: Recipe, physics: Physics
) -> tuple[Number, Number]:
    """Forward and backward time of the attention core [s, s].

    Fused attention is arithmetic, slower on short windows and on the short chunks of context parallelism;
    materialised attention is two batched products and the traffic of its scores.
    """
    heads = block.num_heads / split.tp
    window = np.where(block.window_tokens > 0, np.minimum(block.window_tokens, split.seq_len), split.seq_len)
    flop = compute.flash_attention_flop(
        split.micro_batch, split.seq_len, window, heads, block.head_dim, block.v_head_dim
    )
    rate = chip.flop_per_s * physics.attention_frac * compute.ramp_frac(block.head_dim, physics.head_ramp)
    stretch = np.minimum(window, split.seq_len / split.cp)
    rate = rate * compute.ramp_frac(stretch, physics.window_ramp_tokens)
    fused = flop / split.cp / rate
    batched = split.micro_batch * heads
    rate16 = chip.flop_per_s * physics.gemm16_frac
    seq = split.seq_len
    scores = product_s(seq, seq, block.head_dim, batched, rate16, BF16_BYTES, chip, physics, BF16_BYTES)
    mix = product_s(seq, block.v_head_dim, seq, batched, rate16, BF16_BYTES, chip, physics, BF16_BYTES)
    # One byte of every score, as often as it passes.
    pass_s = batched * seq * seq * physics.softmax_traffic / (chip.hbm_bytes_per_s * physics.hbm_frac)
    plain = scores + mix + traffic.scores_bytes(recipe.dropout) * pass_s
    plain_backward = 2.0 * (scores + mix) + traffic.scores_backward_bytes(recipe.dropout) * pass_s
    forward = recipe.flash * fused + (1.0 - recipe.flash) * plain
    backward = recipe.flash * physics.flash_backward * fused + (1.0 - recipe.flash) * plain_backward
    return forward, backward


def traffic_bytes(
    block: BlockShape, hidden: Number, split: Split, recipe: Recipe, physics: Physics
) -> tuple[Number, Number]:
    """Forward and backward memory traffic of everything that is not a matrix product [bytes, bytes].

    Norms are split by sequence parallelism only; a low-precision recipe casts the input of every product, and
    the gradient of its output.
    """
    tokens = split.seq_len * split.micro_batch / split.cp
    norm_split = 1.0 + (split.tp - 1.0) * recipe.sequence_parallel
    local = tokens / split.tp
    copies = local * block.top_k
    moe = np.where(block.num_experts > 0, 1.0, 0.0)
    ffn = local * (block.ffn + block.shared_ffn) + copies * block.expert_ffn
    norm = tokens / norm_split * traffic.norm_and_residual_bytes(hidden, recipe.dropout)
    rotary = local * traffic.rotary_bytes(block.num_heads, block.head_dim)
    biased = block.expert_bias * copies * traffic.biased_expert_bytes(hidden, block.expert_ffn, block.gated)
    biased = biased * physics.moe_traffic
    activation = traffic.activation_bytes(ffn, block.gated)
    routing = (
        moe * local * traffic.routing_bytes(hidden, block.num_experts, block.top_k) * physics.moe_traffic
    )
    cast_in = local * (2.0 * hidden + block.num_heads * block.v_head_dim) + ffn + copies * hidden
    cast_out = (
        local * (2.0 * hidden + block.num_heads * block.head_dim)
        + ffn * (1.0 + block.gated)
        + copies * hidden
    )
    forward = (norm + rotary + activation) * physics.traffic + routing + biased + cast_in * recipe.cast_bytes
    again = traffic.BACKWARD_NORM * norm + rotary + traffic.BACKWARD_ACTIVATION * activation
    backward = again * physics.traffic + traffic.BACKWARD_NORM * routing + cast_out * recipe.cast_bytes
    backward = backward + traffic.BACKWARD_ACTIVATION * biased
    return forward, backward


def tp_s(hidden: Number, split: Split, chip: Chip, physics: Physics) -> Number:
    """Forward tensor-parallel communication of a layer: two all-gathers and two reduce-scatters [s]."""
    tokens = split.seq_len * split.micro_batch / split.cp
    return 4.0 * wires.gather_s(tokens * hidden * BF16_BYTES, split.tp, 1.0, chip, physics)


def cp_s(block: BlockShape, split: Split, chip: Chip, physics: Physics) -> Number:
    """Forward context-parallel communication: keys and values passed round the ring of cp ranks [s]."""
    tokens = split.seq_len * split.micro_batch
    kv = np.maximum(block.num_kv_heads / split.tp, 1.0) * (block.head_dim + block.v_head_dim)
    return wires.gather_s(tokens * kv * BF16_BYTES, split.cp, split.tp, chip, physics)


def ep_s(block: BlockShape, hidden: Number, split: Split, chip: Chip, physics: Physics) -> Number:
    """Forward expert-parallel communication: dispatch and combine [s].

    Ranks that share an expert (`etp`) gather the tokens of all of them, and scatter the sums of their
    results.
    """
    tokens = split.seq_len * split.micro_batch / split.cp / split.tp
    rank_bytes = tokens * block.top_k * hidden * BF16_BYTES
    exchange = wires.experts_s(rank_bytes, block, split.ep, split.etp, chip, physics)
    share = wires.gather_s(rank_bytes * split.etp, split.etp, 1.0, chip, physics)
    return 2.0 * (exchange + share) * (block.num_experts > 0)


def block_cost(
    block: BlockShape, hidden: Number, split: Split, chip: Chip, recipe: Recipe, physics: Physics
) -> BlockCost:
    """Everything one layer costs one rank for one micro-batch."""
    gemm_f, gemm_b = linears_s(block, hidden, split, chip, recipe, physics)
    core_f, core_b = attention_s(block, split, chip, recipe, physics)
    bytes_f, bytes_b = traffic_bytes(block, hidden, split, recipe, physics)
    hbm = chip.hbm_bytes_per_s * physics.hbm_frac
    moe = np.where(block.num_experts > 0, 1.0, 0.0)
    kernels = physics.layer_kernels + moe * physics.routing_kernels
    move_f = compute.streaming_s(bytes_f, hbm, kernels, physics.kernel_s)
    move_b = compute.streaming_s(bytes_b, hbm, traffic.BACKWARD_NORM * kernels, physics.kernel_s)
    tp = tp_s(hidden, split, chip, physics)
    tp_f = collectives.exposed_s(tp, gemm_f, physics.tp_hidden_frac * recipe.overlaps)
    tp_b = collectives.exposed_s(tp, gemm_b, physics.tp_hidden_frac * recipe.overlaps)
    cp = cp_s(block, split, chip, physics)
    cp_f = collectives.exposed_s(cp, core_f, physics.cp_hidden_frac)
    cp_b = collectives.exposed_s(2.0 * cp, core_b, physics.cp_hidden_frac)
    ep = ep_s(block, hidden, split, chip, physics)
    ep_f = collectives.exposed_s(ep, gemm_f + core_f, physics.ep_hidden_frac * recipe.overlaps)
    ep_b = collectives.exposed_s(ep, gemm_b + core_b, physics.ep_hidden_frac * recipe.overlaps)
    forward = gemm_f + core_f + move_f + tp_f + cp_f + ep_f
    backward = gemm_b + core_b + move_b + tp_b + cp_b + ep_b
    again = split.full * forward + split.selective * core_f
    sync = physics.moe_sync_s * (1.0 + block.num_experts / split.ep / physics.sync_experts)
    host = physics.host_block_s * (1.0 + physics.backward_launches + split.full)
    device = forward + backward + again
    issued = compute.issue_bound_s(device, host)
    issued = issued + recipe.blocking * (device + host - issued)
    total = issued + moe * recipe.stops * sync
    return BlockCost(
        gemm_s=gemm_f + gemm_b,
        attention_s=core_f + core_b,
        traffic_s=move_f + move_b,
        tp_s=tp_f + tp_b,
        cp_s=cp_f + cp_b,
        ep_s=ep_f + ep_b,
        host_s=total - device,
        recompute_s=again,
        forward_s=forward,
        total_s=total,
    )
