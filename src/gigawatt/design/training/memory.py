"""Peak memory per accelerator of any training layout, stage by stage.

Every number may be an array: layouts, measured rows or both are evaluated at once by broadcasting. A search
calls `block_footprint` for its few hundred distinct (tp, cp, ep, micro-batch, recompute) and `stage_bytes`
for the cross product; `peak_bytes` does both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gigawatt.design.training.step import Grid
from gigawatt.design.training.terms import BlockKind, BlockShape, Recipe, Split
from gigawatt.domain.memory import MemoryAccounting
from gigawatt.domain.training import StageMemory
from gigawatt.laws import counting, memory
from gigawatt.laws.numbers import Number

SIXTEEN_BIT_BYTES = 2.0


class Edges(NamedTuple):
    """What stands before the first block and after the last."""

    vocab: Number
    hidden: Number
    tied_head: Number


class Books(NamedTuple):
    """How a framework keeps memory: facts of the software, and one fitted figure. From `domain.memory`."""

    weight_bytes: Number
    """A parameter as it stands on the accelerator, copies in other formats included."""
    gradient_bytes: Number
    optimizer_bytes: Number
    """Master copy, moments and whatever else the optimizer owns, per parameter."""
    gather_bytes: Number
    """A parameter as ZeRO-3 gathers it."""
    reduce_bytes: Number
    """A gradient as ZeRO-3 reduces it."""
    bytes_per_logit: Number
    alternate_matmuls: Number
    """1 where selective recomputation keeps every other matrix product, 0 where it drops the scores."""
    bucket_bytes: Number
    """Communication buckets that are allocated once."""
    context_bytes: Number
    """What a measurement counts outside of tensors: kernels, NCCL, libraries."""
    slack_frac: Number
    """Allocator: the share by which the peak exceeds the tensors. The fitted figure."""
    imbalance: Number
    """Fullest expert rank over the mean."""

    @classmethod
    def of(cls, accounting: MemoryAccounting, operand_bytes: float = 2.0, imbalance: float = 1.0) -> Books:
        """The books of a framework at a number format whose matrix operands take `operand_bytes`."""
        copies = accounting.num_cached_operands * operand_bytes if operand_bytes < SIXTEEN_BIT_BYTES else 0.0
        return cls(
            weight_bytes=accounting.weight_bytes + copies,
            gradient_bytes=accounting.gradient_bytes,
            optimizer_bytes=accounting.optimizer_bytes,
            gather_bytes=accounting.gather_bytes,
            reduce_bytes=accounting.reduce_bytes,
            bytes_per_logit=accounting.logit_bytes,
            alternate_matmuls=float(accounting.selective == "alternate-matmuls"),
            bucket_bytes=accounting.bucket_bytes,
            context_bytes=accounting.context_bytes,
            slack_frac=accounting.slack_frac,
            imbalance=imbalance,
        )

    def as_reported(self, accounting: MemoryAccounting) -> Books:
        """For comparison with the framework's own figure: without context where that figure leaves it out."""
        return self if accounting.reports_context else self._replace(context_bytes=0.0)


class BlockFootprint(NamedTuple):
    """One layer on one accelerator: bytes of one micro-batch, and parameters by how ZeRO splits them."""

    saved_bytes: Number
    working_bytes: Number
    """What stands only while the layer goes backward: recomputed tensors and gradients of activations."""
    shared_params: Number
    expert_params: Number


class StageLoad(NamedTuple):
    """What the layers of one stage add up to on one accelerator."""

    saved_bytes: Number
    working_bytes: Number
    """The largest of any layer here."""
    shared_params: Number
    expert_params: Number
    largest_params: Number
    """Of the largest layer of the model."""


class StageBytes(NamedTuple):
    """Bytes on one accelerator of one pipeline stage, as arrays; the fields of `StageMemory`."""

    weights_bytes: Number
    gradients_bytes: Number
    optimizer_bytes: Number
    activations_bytes: Number
    logits_bytes: Number
    buffers_bytes: Number
    slack_bytes: Number

    @property
    def total_bytes(self) -> Number:
        """All parts together: the predicted peak."""
        return sum(self)


def _tokens(split: Split) -> Number:
    return split.seq_len * split.micro_batch / split.cp


def _edge_tp(split: Split, recipe: Recipe) -> Number:
    return np.where(np.asarray(recipe.sequence_parallel) > 0, split.tp, 1.0)


def block_params(
    shape: BlockShape, hidden: Number, tp: Number, ep: Number, etp: Number
) -> tuple[Number, Number]:
    """Parameters of one layer on one accelerator: those that all replicas share, and those of routed experts.

    Norms, router and MLA's down-projections are not cut by `tp`; KV heads are copied where there are fewer.
    Biases, less than 1 in 10,000, are left out.

    >>> llama = BlockShape(64, 8, 128, 128, 0, 0, 0, 0, 0, 28672, 1, 0, 0, 0, 0)
    >>> [int(n) for n in block_params(llama, 8192, 1, 1, 1)]
    [855654400, 0]
    """
    ranks = shape.q_lora_rank + shape.kv_lora_rank
    down = shape.mla * (hidden * (ranks + shape.rope_dim) + ranks)
    plain = counting.grouped_query_params(
        hidden, shape.num_heads, np.maximum(shape.num_kv_heads, tp), shape.head_dim, shape.v_head_dim
    )
    latent = counting.latent_attention_params(
        hidden, shape.num_heads, shape.head_dim, shape.v_head_dim, shape.rope_dim,
        shape.q_lora_rank, shape.kv_lora_rank,
    )  # fmt: skip
    attention = np.where(np.asarray(shape.mla) > 0, latent + ranks - down, plain)
    mlp = counting.mlp_params(hidden, shape.ffn + shape.shared_ffn, shape.gated)
    experts = counting.experts_params(hidden, shape.expert_ffn, shape.gated, shape.num_experts)
    whole = hidden * (2.0 + shape.num_experts) + down
    return (attention + mlp) / tp + whole, experts / (ep * etp)


def _mlp_saved(shape: BlockShape, hidden: Number, split: Split, recipe: Recipe, copies: Number) -> Number:
    """Bytes per token that a layer's MLP saves, dense or of experts."""
    edge_tp = _edge_tp(split, recipe)
    dense = memory.mlp_saved_bytes(hidden, shape.ffn, shape.gated, split.tp, edge_tp, recipe.operand_bytes)
    experts = memory.experts_saved_bytes(
        hidden, shape.expert_ffn, shape.gated, shape.num_experts, copies, shape.shared_ffn,
        split.tp, edge_tp, split.etp, recipe.operand_bytes,
    )  # fmt: skip
    return np.where(np.asarray(shape.num_experts) > 0, experts, dense)


def block_footprint(
    shape: BlockShape, hidden: Number, split: Split, recipe: Recipe, books: Books
) -> BlockFootprint:
    """What one layer saves, works with and holds as parameters on one accelerator."""
    edge_tp = _edge_tp(split, recipe)
    kv_heads = np.where(np.asarray(shape.mla) > 0, shape.num_heads, shape.num_kv_heads)
    latent_width = shape.mla * (shape.q_lora_rank + shape.kv_lora_rank)
    scores = memory.attention_scores_bytes(
        shape.num_heads, split.seq_len, split.tp, recipe.flash, recipe.dropout
    )
    attention = memory.attention_saved_bytes(
        hidden, shape.num_heads, kv_heads, shape.head_dim, shape.v_head_dim,
        latent_width, split.tp, edge_tp, recipe.flash, recipe.operand_bytes,
    )  # fmt: skip
    copies = memory.routed_copies(shape.top_k, split.tp, split.etp, books.imbalance)
    mlp = _mlp_saved(shape, hidden, split, recipe, copies)
    everything = memory.norm_and_mask_bytes(hidden, edge_tp, recipe.dropout) + attention + scores + mlp
    width = shape.ffn + shape.shared_ffn + copies * split.tp / split.etp * shape.expert_ffn
    kept = memory.alternate_matmuls_bytes(
        hidden, shape.num_heads, kv_heads, shape.head_dim, shape.v_head_dim, width, split.tp, edge_tp
    )
    saved = memory.recompute_saved_bytes(
        everything, scores, books.alternate_matmuls * kept, memory.checkpoint_bytes(hidden, edge_tp),
        split.selective + 2.0 * split.full,
    )  # fmt: skip
    heads = (shape.num_heads + np.maximum(kv_heads, split.tp)) / split.tp
    backward = memory.backward_bytes(
        hidden, heads * (shape.head_dim + shape.v_head_dim), scores, width, shape.gated, copies, split.tp
    )
    shared, experts = block_params(shape, hidden, split.tp, split.ep, split.etp)
    tokens = _tokens(split)
    return BlockFootprint(tokens * saved, tokens * (everything - saved + backward), shared, experts)


def layers_before(chunk: Number, num_layers: Number, num_chunks: Number) -> Number:
    """Layers in the chunks before this one, when they are dealt out as evenly as whole layers allow.

    Spare layers go to the middle: the last chunk, then the first, are the first to carry one fewer, since
    they also carry head and embedding. Llama 3.1 405B over 16 stages: 126 layers, 7 at either end and 8
    between (arXiv 2407.21783, section 3.3.2).

    >>> [int(layers_before(c + 1, 126, 16) - layers_before(c, 126, 16)) for c in (0, 1, 14, 15)]
    [7, 8, 8, 7]
    """
    each = np.floor(num_layers / num_chunks)
    spare = num_layers - each * num_chunks
    first_extra = np.where(spare <= num_chunks - 2, 1.0, 0.0)
    return each * chunk + np.clip(chunk - first_extra, 0.0, spare)


def first_chunk_from(layer: Number, num_layers: Number, num_chunks: Number) -> Number:
    """The first chunk that starts at `layer` or later: the inverse of `layers_before`.

    >>> int(first_chunk_from(3, 61, 16)), int(layers_before(1, 61, 16))
    (1, 3)
    """
    each = np.floor(num_layers / num_chunks)
    spare = num_layers - each * num_chunks
    first_extra = np.where(spare <= num_chunks - 2, 1.0, 0.0)
    among_larger = np.ceil((layer + first_extra) / (each + 1.0))
    beyond = np.ceil((layer - spare) / np.maximum(each, 1.0))
    plain = np.minimum(np.ceil(layer / np.maximum(each, 1.0)), first_extra)
    larger = np.where(among_larger <= spare + first_extra, among_larger, beyond)
    return np.where(layers_before(plain, num_layers, num_chunks) >= layer, plain, larger)


def layers_on_stage(kinds: Sequence[BlockKind], pp: Number, vpp: Number, stage: Number) -> list[Number]:
    """How many layers of each kind a stage holds, over all of its chunks.

    >>> dense = moe = BlockShape(*[1] * 15)
    >>> kinds = (BlockKind(dense, 3), BlockKind(moe, 58))
    >>> [n.tolist() for n in layers_on_stage(kinds, 16, 1, np.array([0, 1]))]
    [[3.0, 0.0], [0.0, 4.0]]
    """
    num_layers = sum(kind.count for kind in kinds)
    held: list[Number] = [0.0] * len(kinds)
    for chunk in range(int(np.max(vpp))):
        index = stage + chunk * pp
        start = layers_before(index, num_layers, pp * vpp)
        end = layers_before(index + 1, num_layers, pp * vpp)
        first: Number = 0.0
        for k, kind in enumerate(kinds):
            overlap = np.minimum(end, first + kind.count) - np.maximum(start, first)
            held[k] = held[k] + np.where(chunk < np.asarray(vpp), np.maximum(overlap, 0.0), 0.0)
            first = first + kind.count
    return held


def stage_load(footprints: Sequence[BlockFootprint], held: Sequence[Number]) -> StageLoad:
    """The sum over `held[k]` layers of kind k, from `layers_on_stage`."""
    saved: Number = 0.0
    working: Number = 0.0
    shared: Number = 0.0
    experts: Number = 0.0
    largest: Number = 0.0
    for k in range(len(footprints)):
        saved = saved + held[k] * footprints[k].saved_bytes
        shared = shared + held[k] * footprints[k].shared_params
        experts = experts + held[k] * footprints[k].expert_params
        working = np.maximum(working, np.where(np.asarray(held[k]) > 0, footprints[k].working_bytes, 0.0))
        largest = np.maximum(largest, footprints[k].shared_params + footprints[k].expert_params)
    return StageLoad(saved, working, shared, experts, largest)


def _activation_bytes(
    load: StageLoad, edges: Edges, split: Split, grid: Grid, recipe: Recipe, books: Books, stage: Number
) -> tuple[Number, Number]:
    """Activations in flight with one layer's working set, and what the loss holds.

    Loss and layers go backward one after the other, so only the larger of loss and working set stands; what
    they share is counted as the loss's.
    """
    is_first = np.where(np.asarray(stage) == 0, 1.0, 0.0)
    is_last = np.where(np.asarray(stage) == grid.pp - 1, 1.0, 0.0)
    tokens, edge_tp = _tokens(split), _edge_tp(split, recipe)
    stages_worth = memory.chunks_in_flight(grid.pp, grid.vpp, stage, grid.num_microbatches) / grid.vpp
    embedding = is_first * tokens * memory.embedding_saved_bytes(edges.hidden, edge_tp, recipe.dropout)
    head = is_last * tokens * memory.head_saved_bytes(edges.hidden, edge_tp)
    loss = is_last * tokens * memory.logits_bytes(edges.vocab, split.tp, books.bytes_per_logit)
    activations = stages_worth * (load.saved_bytes + embedding) + head
    return activations + np.maximum(load.working_bytes - loss, 0.0), loss


def stage_bytes(
    load: StageLoad, edges: Edges, split: Split, grid: Grid, recipe: Recipe, books: Books, stage: Number
) -> StageBytes:
    """Bytes on one accelerator of `stage`, whose layers come to `load`."""
    is_first = np.where(np.asarray(stage) == 0, 1.0, 0.0)
    is_last = np.where(np.asarray(stage) == grid.pp - 1, 1.0, 0.0)
    tables = np.maximum(is_first, is_last) + is_first * is_last * (1.0 - edges.tied_head)
    root = tables * edges.vocab * edges.hidden / split.tp
    shared, experts = root + load.shared_params, load.expert_params
    expert_shard = np.maximum(
        memory.expert_replicas(split.tp, split.cp, grid.shard / split.cp, split.ep, split.etp), 1.0
    )

    gathered = memory.gathered_bytes(
        load.largest_params,
        root,
        shared + experts,
        books.gather_bytes,
        books.reduce_bytes,
        grid.zero,
        grid.pp,
    )
    activations, logits = _activation_bytes(load, edges, split, grid, recipe, books, stage)
    weights = _state_bytes(shared, experts, books.weight_bytes, grid, 3.0, expert_shard)
    gradients = _state_bytes(shared, experts, books.gradient_bytes, grid, 2.0, expert_shard)
    optimizer = _state_bytes(shared, experts, books.optimizer_bytes, grid, 1.0, expert_shard)
    buffers = gathered + books.bucket_bytes
    slack = books.slack_frac * (weights + gradients + optimizer + activations + logits + buffers)
    return StageBytes(
        weights, gradients, optimizer, activations, logits, buffers + books.context_bytes, slack
    )


def _state_bytes(
    shared: Number,
    experts: Number,
    bytes_per_param: Number,
    grid: Grid,
    from_zero: Number,
    expert_shard: Number,
) -> Number:
    """One kind of state of all parameters of a stage."""
    split = memory.sharded_bytes(shared, bytes_per_param, grid.zero, from_zero, grid.shard)
    return split + memory.sharded_bytes(experts, bytes_per_param, grid.zero, from_zero, expert_shard)


def fullest_candidates(kinds: Sequence[BlockKind], pp: Number, vpp: Number) -> list[Number]:
    """The stages of which one has the highest peak.

    Activations in flight fall from stage to stage and only the ends differ in what they hold, so it is the
    first, the second (no embedding, perhaps one layer more), the last, or the first to hold a further kind of
    layer.
    """
    last = pp - 1
    num_layers = sum(kind.count for kind in kinds)
    candidates = [np.zeros_like(last), np.minimum(last, 1), last]
    for k in range(1, len(kinds)):
        start = sum(kind.count for kind in kinds[:k])
        candidates.append(np.minimum(last, first_chunk_from(start, num_layers, pp * vpp)))
    return candidates


def fullest_stage(
    kinds: Sequence[BlockKind], edges: Edges, split: Split, grid: Grid, recipe: Recipe, books: Books
) -> StageBytes:
    """The stage with the highest peak, layout by layout."""
    footprints = [block_footprint(kind.shape, edges.hidden, split, recipe, books) for kind in kinds]

    def at(stage: Number) -> StageBytes:
        held = layers_on_stage(kinds, grid.pp, grid.vpp, stage)
        return stage_bytes(stage_load(footprints, held), edges, split, grid, recipe, books, stage)

    first, *others = fullest_candidates(kinds, np.asarray(grid.pp), grid.vpp)
    best = at(first)
    for other in map(at, others):
        larger = other.total_bytes > best.total_bytes
        best = StageBytes(*(np.where(larger, b, a) for a, b in zip(best, other, strict=True)))
    return best


def peak_bytes(
    kinds: Sequence[BlockKind], edges: Edges, split: Split, grid: Grid, recipe: Recipe, books: Books
) -> Number:
    """Predicted peak on the fullest accelerator [bytes]."""
    return fullest_stage(kinds, edges, split, grid, recipe, books).total_bytes


def all_stages(
    kinds: Sequence[BlockKind], edges: Edges, split: Split, grid: Grid, recipe: Recipe, books: Books
) -> tuple[StageMemory, ...]:
    """Every pipeline stage of one layout."""
    footprints = [block_footprint(kind.shape, edges.hidden, split, recipe, books) for kind in kinds]
    stages = np.arange(int(grid.pp))
    held = layers_on_stage(kinds, grid.pp, grid.vpp, stages)
    table = np.broadcast_arrays(
        *stage_bytes(stage_load(footprints, held), edges, split, grid, recipe, books, stages), stages
    )
    return tuple(
        StageMemory(
            stage=s, **{name: float(part[s]) for name, part in zip(StageBytes._fields, table, strict=False)}
        )
        for s in range(int(grid.pp))
    )


def lightest_fitting_recompute(
    kinds: Sequence[BlockKind],
    edges: Edges,
    split: Split,
    grid: Grid,
    recipe: Recipe,
    books: Books,
    usable_bytes: Number,
) -> Number:
    """Code of the lightest recompute policy whose peak fits `usable_bytes`, row by row; full where none fits.

    The rule for measured rows that do not say what they recomputed: nobody recomputes more than they must.
    """
    none = peak_bytes(kinds, edges, split._replace(selective=0.0, full=0.0), grid, recipe, books)
    selective = peak_bytes(kinds, edges, split._replace(selective=1.0, full=0.0), grid, recipe, books)
    heavier = np.where(selective <= usable_bytes, memory.SELECTIVE, memory.FULL)
    return np.where(none <= usable_bytes, memory.NONE, heavier)
