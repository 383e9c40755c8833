"""What a step is made of, as plain tuples of numbers or arrays.

Every field is a float or an array that broadcasts with the others, so one set of functions prices one layout,
a million of them, or every row of a file of measurements. Named tuples, because compiled kernels take them
too.
"""

from __future__ import annotations

from typing import NamedTuple

from gigawatt.laws.numbers import Number


class BlockShape(NamedTuple):
    """One kind of transformer layer. Absent parts are 0: ffn in an MoE layer, num_experts in a dense one."""

    num_heads: Number
    num_kv_heads: Number
    head_dim: Number
    v_head_dim: Number
    q_lora_rank: Number
    kv_lora_rank: Number
    rope_dim: Number
    mla: Number
    window_tokens: Number
    ffn: Number
    gated: Number
    num_experts: Number
    top_k: Number
    expert_ffn: Number
    shared_ffn: Number
    groups: Number = 1.0
    """Of experts, between which routing chooses first; 1 where it chooses among all experts."""
    groups_per_token: Number = 1.0
    expert_bias: Number = 0.0
    """1 where experts have biases and a clamped activation (gpt-oss): no fused kernel covers them."""


class BlockKind(NamedTuple):
    """`count` equal transformer layers; kinds come in order from the embedding on."""

    shape: BlockShape
    count: Number


class Split(NamedTuple):
    """How the work is split: one rank's share of a layer and of the batch."""

    seq_len: Number
    micro_batch: Number
    tp: Number
    cp: Number
    ep: Number
    etp: Number
    full: Number
    """1 with full recomputation, else 0."""
    selective: Number


class Chip(NamedTuple):
    """What the accelerator and its network can do; rates by datasheet, one direction, per accelerator."""

    flop_per_s: Number
    """Dense peak in 16-bit."""
    low_flop_per_s: Number
    """Dense peak in the number format of the layers' matrix products."""
    hbm_bytes_per_s: Number
    num_sms: Number
    scale_up_bytes_per_s: Number
    scale_out_bytes_per_s: Number
    domain: Number
    """Accelerators of this job that share one scale-up domain."""
    pod: Number
    """Accelerators within which the network between domains is not oversubscribed."""
    oversubscription: Number
    """Bandwidth of a pod's accelerators over the bandwidth out of the pod."""


class Recipe(NamedTuple):
    """What a framework does: facts about the software, not fitted."""

    flash: Number
    """1 where attention never materialises its scores."""
    blocking: Number
    """1 where every launch waits for its kernel to end, so that host and device take turns."""
    stops: Number
    """1 where a layer of experts stops until the host knows how many tokens each of them got."""
    library_age_s: Number
    """How much younger than the accelerator's architecture the software is."""
    sequence_parallel: Number
    dropout: Number
    operand_bytes: Number
    """Bytes of an element of the layers' matrix operands: 2, 1 (fp8) or 0.5625 (4 bit with block scales)."""
    cast_bytes: Number
    """Memory traffic of quantising one element, both orientations; 0 in 16 bit."""
    fused_accumulation: Number
    """1 where the weight-gradient product adds to the accumulated gradient by itself."""
    overlaps: Number
    """1 where communication may run beside computation."""
    gradient_bytes: Number
    """Bytes of a gradient as it is accumulated and reduced."""
    parameter_bytes: Number
    """Bytes of a parameter as it is gathered."""
    broadcasts: Number
    """1 where each rank broadcasts the parameters that it has updated, one after the other, all visible."""


class Physics(NamedTuple):
    """The calibrated quantities: how much of the datasheet is sustained, and what software adds."""

    gemm_frac: Number
    """Sustained share of peak in the layers' matrix products, apart from shape effects."""
    gemm16_frac: Number
    """The same in 16 bit."""
    library_lag_frac: Number
    """By how much longer those products take on the day on which an architecture comes out."""
    library_settling_s: Number
    """Time in which that lag falls by a factor of e."""
    attention_frac: Number
    """Sustained share of the 16-bit peak in fused attention, apart from short heads and windows."""
    head_ramp: Number
    window_ramp_tokens: Number
    flash_backward: Number
    """Backward over forward time of fused attention."""
    hbm_frac: Number
    tail_frac: Number
    """Share of tile and wave quantisation loss that the library does not hide."""
    ramp_tokens: Number
    """Depth of a matrix product lost to its prologue and epilogue."""
    misaligned_frac: Number
    kernel_s: Number
    """Gap between dependent kernels."""
    host_block_s: Number
    """Host time to issue one layer's forward pass."""
    moe_sync_s: Number
    """Time that a dropless MoE layer waits, forward and backward, until the host knows its token counts."""
    traffic: Number
    """Element-wise memory traffic against its minimum, with kernels fused as in Megatron's recipe."""
    accumulate_traffic: Number
    """Memory traffic of accumulating gradients apart from their products, against the minimum."""
    softmax_traffic: Number
    """Passes over materialised attention scores, against the minimum of eight bytes a score."""
    moe_traffic: Number
    """The same of an MoE layer's own kernels: permutation, routing, biases of experts."""
    scale_up_frac: Number
    scale_out_frac: Number
    hop_s: Number
    far_hop_s: Number
    sync_experts: Number
    """Local experts that double `moe_sync_s`."""
    tile: Number
    """Edge of an output tile. Larger ones run faster and waste more at ragged edges; libraries choose."""
    aligned: Number
    """Elements of 16 bit that tensor cores load at a time."""
    layer_kernels: Number
    """Memory-bound kernels of a layer's forward pass: norms, additions, rotary, activation, casts."""
    routing_kernels: Number
    """The same of routing to experts."""
    backward_launches: Number
    """Launches of a backward pass against its forward pass: two products for each one."""
    tp_hidden_frac: Number
    cp_hidden_frac: Number
    pp_hidden_frac: Number
    """Share of stage-to-stage traffic that an interleaved schedule overlaps."""
    dp_hidden_frac: Number
    ep_hidden_frac: Number
    step_host_s: Number
    jitter_frac: Number
    """Growth of the step per doubling of nodes, from stragglers."""


class BlockCost(NamedTuple):
    """One layer, one micro-batch, one rank: seconds by cause. Recomputation is in `recompute_s` alone."""

    gemm_s: Number
    attention_s: Number
    traffic_s: Number
    tp_s: Number
    cp_s: Number
    ep_s: Number
    host_s: Number
    recompute_s: Number
    forward_s: Number
    """Device and visible communication, forward."""
    total_s: Number
    """Forward, backward and recomputation, with what the host holds up."""
