"""What a model holds and what a token costs: the counting laws walked over a model's record."""

from __future__ import annotations

from gigawatt.domain.model import Attention, Block, Experts, FeedForward, Model
from gigawatt.domain.record import Record
from gigawatt.laws import compute, counting


class ParameterCount(Record):
    """Parameters by group of tensors. Buffers (rotary tables, router corrections) are not parameters."""

    total: int
    """Everything but multi-token-prediction modules, a shared head counted once."""
    active: int
    """What one token passes: `total` without the routed experts it does not visit; embeddings included."""
    embedding: int
    """Token and learned position embeddings, and the norm of the embedding."""
    head: int
    """The output matrix; 0 where it is the embedding itself, its bias apart."""
    attention: int
    feed_forward: int
    """Dense MLPs and shared experts."""
    experts: int
    """Routed experts."""
    router: int
    norms: int
    mtp: int = 0
    """Multi-token-prediction modules without the embedding and head that they share with the model."""

    @property
    def non_embedding(self) -> int:
        """Total without embedding and head."""
        return self.total - self.embedding - self.head


class LayerParameters(Record):
    """Parameters of one layer by group."""

    attention: int
    feed_forward: int
    experts: int
    router: int
    norms: int
    idle: int
    """Of `experts`, those that a token does not visit."""

    @property
    def total(self) -> int:
        """All groups together."""
        return self.attention + self.feed_forward + self.experts + self.router + self.norms


def parameter_count(model: Model) -> ParameterCount:
    """Exact parameters of a model, by group.

    Errors: none; the record's invariants suffice.
    Source: the laws of `gigawatt.laws.counting`; equal to Hugging Face transformers where it has the class.
    """
    layers = [(block.count, layer_parameters(block, model)) for block in model.blocks]
    embedding = int(counting.vocabulary_params(model.hidden, model.vocab + model.num_learned_positions))
    embedding += _norm_params(model) if model.embedding_norm else 0
    head = 0 if model.tied_head else int(counting.vocabulary_params(model.hidden, model.vocab))
    head += model.vocab if model.head_bias else 0
    norms = _norm_params(model) + sum(count * layer.norms for count, layer in layers)
    total = embedding + head + _norm_params(model) + sum(count * layer.total for count, layer in layers)
    return ParameterCount(
        total=total,
        active=total - sum(count * layer.idle for count, layer in layers),
        embedding=embedding,
        head=head,
        attention=sum(count * layer.attention for count, layer in layers),
        feed_forward=sum(count * layer.feed_forward for count, layer in layers),
        experts=sum(count * layer.experts for count, layer in layers),
        router=sum(count * layer.router for count, layer in layers),
        norms=norms,
        mtp=model.num_mtp_layers * mtp_parameters(model),
    )


def layer_parameters(block: Block, model: Model) -> LayerParameters:
    """Exact parameters of one layer of `block`."""
    hidden = model.hidden
    experts = routed = router = idle = 0
    dense = _dense_parameters(block.feed_forward, hidden) if block.feed_forward else 0
    if block.experts:
        experts = block.experts.num_experts
        routed = experts * _expert_parameters(block.experts, hidden)
        idle = (experts - block.experts.num_experts_per_token) * _expert_parameters(block.experts, hidden)
        dense = _shared_parameters(block.experts, hidden)
        router = experts * (hidden + block.experts.router_bias)
    return LayerParameters(
        attention=attention_parameters(block.attention, hidden),
        feed_forward=dense,
        experts=routed,
        router=router,
        norms=model.num_norms_per_block * _norm_params(model) + _inner_norm_params(block.attention),
        idle=idle,
    )


def attention_parameters(attention: Attention, hidden: int) -> int:
    """Projections, biases and sinks of one layer; the norms inside attention are counted with the norms."""
    a = attention
    if a.kind == "mla":
        weights = counting.latent_attention_params(
            hidden, a.num_heads, a.head_dim, a.v_head_dim, a.qk_rope_head_dim, a.q_lora_rank, a.kv_lora_rank
        )
        qkv_bias = a.q_lora_rank + a.kv_lora_rank + a.qk_rope_head_dim
    else:
        weights = counting.grouped_query_params(hidden, a.num_heads, a.num_kv_heads, a.head_dim, a.v_head_dim)
        qkv_bias = a.num_heads * a.head_dim + a.num_kv_heads * (a.head_dim + a.v_head_dim)
    return int(weights) + a.qkv_bias * qkv_bias + a.out_bias * hidden + a.num_sinks


def mtp_parameters(model: Model) -> int:
    """One multi-token-prediction module: a layer of the last kind, its projection and three norms.

    Source: DeepSeek-V3, README_WEIGHTS.md: 11.5 billion besides the shared embedding and head.
    """
    layer = layer_parameters(model.layers[-1], model).total
    return layer + int(counting.mtp_projection_params(model.hidden)) + 3 * _norm_params(model)


def forward_flop_per_token(model: Model, seq_len: int, causal: bool, with_mtp: bool = True) -> float:
    """Forward FLOPs of one token, averaged over a sequence of `seq_len` tokens [FLOP].

    Counted: every matrix product with weights (visited experts, router and head included) and the
    attention core. Not counted: the embedding lookup, norms, activations, softmax. `causal` counts the keys
    that a token sees (half of the sequence, less under a window); without it every key of the sequence or
    window counts for every token, as in papers that write "4 s h". `with_mtp` adds the multi-token-prediction
    modules, each with a pass through the head.
    """
    head = counting.linear_flop_per_token(counting.vocabulary_params(model.hidden, model.vocab))
    total = head
    for block in model.blocks:
        total += block.count * _layer_flop_per_token(block, model.hidden, seq_len, causal)
    if with_mtp and model.num_mtp_layers:
        last = _layer_flop_per_token(model.layers[-1], model.hidden, seq_len, causal)
        projection = counting.linear_flop_per_token(counting.mtp_projection_params(model.hidden))
        total += model.num_mtp_layers * (last + projection + head)
    return float(total)


def train_flop_per_token(model: Model, seq_len: int, causal: bool, with_mtp: bool = True) -> float:
    """Model FLOPs of one token forward and backward, nothing recomputed [FLOP].

    The conventions are those of `forward_flop_per_token`; name them wherever the figure is printed.
    """
    return float(counting.training_flop(forward_flop_per_token(model, seq_len, causal, with_mtp)))


def attention_flop_per_token(attention: Attention, seq_len: int, causal: bool) -> float:
    """Forward FLOPs of the attention core of one layer, averaged over the sequence [FLOP]."""
    a = attention
    window = min(a.window_tokens or seq_len, seq_len)
    if not causal:
        return float(counting.full_attention_flop_per_token(window, a.num_heads, a.head_dim, a.v_head_dim))
    span = window if a.chunked else seq_len
    return float(compute.flash_attention_flop(1, span, window, a.num_heads, a.head_dim, a.v_head_dim)) / span


def _layer_flop_per_token(block: Block, hidden: int, seq_len: int, causal: bool) -> float:
    visited = block.experts
    weights = _attention_weights(block.attention, hidden)
    if block.feed_forward:
        weights += counting.mlp_params(hidden, block.feed_forward.hidden, block.feed_forward.gated)
    if visited:
        num_visited = visited.num_experts_per_token
        weights += counting.experts_params(hidden, visited.hidden, visited.gated, num_visited)
        weights += counting.mlp_params(hidden, visited.shared_hidden, visited.gated)
        weights += hidden * (visited.num_experts + visited.shared_gate)
    core = attention_flop_per_token(block.attention, seq_len, causal)
    return float(counting.linear_flop_per_token(weights)) + core


def _attention_weights(attention: Attention, hidden: int) -> int:
    plain = attention.model_copy(update={"qkv_bias": False, "out_bias": False, "num_sinks": 0})
    return attention_parameters(plain, hidden)


def _dense_parameters(feed_forward: FeedForward, hidden: int) -> int:
    f = feed_forward
    bias = f.bias * counting.mlp_bias_params(hidden, f.hidden, f.gated)
    return int(counting.mlp_params(hidden, f.hidden, f.gated) + bias)


def _expert_parameters(experts: Experts, hidden: int) -> int:
    bias = experts.bias * counting.mlp_bias_params(hidden, experts.hidden, experts.gated)
    return int(counting.mlp_params(hidden, experts.hidden, experts.gated) + bias)


def _shared_parameters(experts: Experts, hidden: int) -> int:
    weights = counting.mlp_params(hidden, experts.shared_hidden, experts.gated)
    return int(weights) + experts.shared_gate * hidden


def _norm_params(model: Model) -> int:
    return model.hidden * (1 + model.norm_bias)


def _inner_norm_params(attention: Attention) -> int:
    """Norms of queries and keys, or of the latents."""
    if attention.kind == "mla":
        return attention.q_lora_rank + attention.kv_lora_rank
    if not attention.qk_norm:
        return 0
    heads = attention.num_heads + attention.num_kv_heads if attention.qk_norm_heads == "all" else 2
    return heads * attention.head_dim
