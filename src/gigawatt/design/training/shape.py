"""From records to numbers: a model's blocks, a chip, a layout as the tuples that the cost functions take."""

from __future__ import annotations

from collections.abc import Sequence

from gigawatt.design.training.step import Grid, Weights
from gigawatt.design.training.terms import BlockKind, BlockShape, Chip, Split
from gigawatt.domain.calibration import NumberFormat
from gigawatt.domain.fabric import Network
from gigawatt.domain.hardware import Accelerator, System
from gigawatt.domain.model import Block, Model
from gigawatt.domain.training import Layout, TrainingJob
from gigawatt.errors import InputError
from gigawatt.laws import counting
from gigawatt.laws.numbers import Number

BUBBLE_FRAC = {"1f1b": 1.0, "interleaved": 1.0, "zero-bubble": 1.0 / 3.0}
"""ZB-H1 leaves a third of the bubble of 1F1B. Source: Qi et al., arXiv 2401.10241, table 2."""


def block_kind(block: Block, count: float) -> BlockKind:
    """One run of equal layers as numbers."""
    a, dense, moe = block.attention, block.feed_forward, block.experts
    shape = BlockShape(
        num_heads=float(a.num_heads),
        num_kv_heads=float(a.num_kv_heads),
        head_dim=float(a.head_dim),
        v_head_dim=float(a.v_head_dim),
        q_lora_rank=float(a.q_lora_rank),
        kv_lora_rank=float(a.kv_lora_rank),
        rope_dim=float(a.qk_rope_head_dim if a.kind == "mla" else 0),
        mla=float(a.kind == "mla"),
        window_tokens=float(a.window_tokens),
        ffn=float(dense.hidden if dense else 0),
        gated=float((dense or moe).gated),  # type: ignore[union-attr]
        num_experts=float(moe.num_experts if moe else 0),
        top_k=float(moe.num_experts_per_token if moe else 0),
        expert_ffn=float(moe.hidden if moe else 0),
        shared_ffn=float(moe.shared_hidden if moe else 0),
        groups=float(moe.num_groups if moe else 1),
        groups_per_token=float(moe.num_groups_per_token if moe else 1),
        expert_bias=float(moe.bias if moe else False),
    )
    return BlockKind(shape, float(count))


def block_kinds(model: Model) -> tuple[BlockKind, ...]:
    """The model's layers in order. Multi-token-prediction modules run as further layers of the last kind."""
    last = len(model.blocks) - 1
    return tuple(
        block_kind(block, block.count + (model.num_mtp_layers if i == last else 0))
        for i, block in enumerate(model.blocks)
    )


def weights_of(
    kinds: Sequence[BlockKind], hidden: Number, vocab: Number, tied_head: Number, num_mtp_layers: Number
) -> Weights:
    """Parameters by how layouts split them, biases and norms left out (less than 1 in 10,000)."""
    dense: Number = 0.0
    expert: Number = 0.0
    layers: Number = 0.0
    for shape, count in kinds:
        mla = counting.latent_attention_params(
            hidden,
            shape.num_heads,
            shape.head_dim,
            shape.v_head_dim,
            shape.rope_dim,
            shape.q_lora_rank,
            shape.kv_lora_rank,
        )
        plain = counting.grouped_query_params(
            hidden, shape.num_heads, shape.num_kv_heads, shape.head_dim, shape.v_head_dim
        )
        attention = shape.mla * mla + (1.0 - shape.mla) * plain
        mlp = counting.mlp_params(hidden, shape.ffn + shape.shared_ffn, shape.gated)
        dense = dense + count * (attention + mlp + hidden * shape.num_experts)
        expert = expert + count * counting.experts_params(
            hidden, shape.expert_ffn, shape.gated, shape.num_experts
        )
        layers = layers + count
    table = counting.vocabulary_params(hidden, vocab)
    return Weights(
        hidden=hidden,
        vocab=vocab,
        num_layers=layers,
        dense=dense,
        expert=expert,
        table=table,
        root=table * (2.0 - tied_head),
        num_heads=1.0 + num_mtp_layers,
    )


def peak_of(accelerator: Accelerator, key: str) -> float:
    """Dense peak in one number format. Errors: InputError where the accelerator has no such rate."""
    rate = accelerator.peak_flop_per_s.get(key)
    if rate is None:
        have = ", ".join(sorted(accelerator.peak_flop_per_s)) or "none"
        raise InputError(
            f"{accelerator.id} has no {key} matrix rate; it has: {have}. Choose another precision"
        )
    return rate


def chip_of(
    accelerator: Accelerator,
    system: System,
    precision: NumberFormat,
    num_accelerators: int,
    network: Network | None = None,
) -> Chip:
    """What the cost functions need to know of the hardware. No network: one that is not oversubscribed."""
    return Chip(
        flop_per_s=peak_of(accelerator, "bf16"),
        low_flop_per_s=peak_of(accelerator, precision.peak),
        hbm_bytes_per_s=accelerator.hbm_bytes_per_s or 0.0,
        num_sms=float(accelerator.num_sms or DEFAULT_SMS),
        scale_up_bytes_per_s=system.scale_up_bytes_per_s or 0.0,
        scale_out_bytes_per_s=system.scale_out_bytes_per_s or system.scale_up_bytes_per_s or 0.0,
        domain=float(min(system.num_accelerators_per_domain, num_accelerators)),
        pod=float((network.num_accelerators_per_pod if network else 0) or num_accelerators),
        oversubscription=network.oversubscription if network else 1.0,
    )


DEFAULT_SMS = 128
"""Where no number of multiprocessors is published: waves are then those of a part of usual size."""


def split_of(layout: Layout, job: TrainingJob) -> Split:
    """One rank's share of a layer and of the batch."""
    return Split(
        seq_len=float(job.seq_len),
        micro_batch=float(layout.micro_batch),
        tp=float(layout.tp),
        cp=float(layout.cp),
        ep=float(layout.ep),
        etp=float(layout.etp),
        full=float(layout.recompute == "full"),
        selective=float(layout.recompute == "selective"),
    )


def grid_of(layout: Layout, job: TrainingJob) -> Grid:
    """Stages, replicas and micro-batches."""
    return Grid(
        pp=float(layout.pp),
        vpp=float(layout.vpp),
        dp=float(layout.dp),
        zero=float(layout.zero),
        shard=float((layout.dp_shard or layout.dp) * layout.cp),
        num_microbatches=job.global_batch / (layout.dp * layout.micro_batch),
        bubble_frac=BUBBLE_FRAC[layout.schedule],
    )
