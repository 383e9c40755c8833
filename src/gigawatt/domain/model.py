"""The shape of a transformer: everything its parameters, FLOPs and tensors follow from."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from gigawatt.domain.record import Record


class Attention(Record):
    """Multi-head, grouped-query (`gqa`) or multi-head latent (`mla`) attention."""

    kind: Literal["gqa", "mla"] = "gqa"
    num_heads: int = Field(gt=0)
    num_kv_heads: int = Field(gt=0)
    head_dim: int = Field(gt=0)
    """Width of a query or key head, the rotary part included (MLA: nope + rope)."""
    v_head_dim: int = Field(gt=0)
    q_lora_rank: int = Field(default=0, ge=0)
    kv_lora_rank: int = Field(default=0, ge=0)
    qk_rope_head_dim: int = Field(default=0, ge=0)
    window_tokens: int = Field(default=0, ge=0)
    """Sliding window; 0 is full attention."""
    chunked: bool = False
    """The window is a fixed chunk (Llama 4): a token sees only earlier tokens of its own chunk."""
    qkv_bias: bool = False
    out_bias: bool = False
    qk_norm: bool = False
    qk_norm_heads: Literal["one", "all"] = "one"
    """Whether the weights of the query and key norms serve each head (Qwen3) or span all (OLMo 2)."""
    num_sinks: int = Field(default=0, ge=0)
    """Learned attention sinks per layer (gpt-oss: one per query head)."""

    @model_validator(mode="after")
    def _check_heads(self) -> Self:
        if self.num_heads % self.num_kv_heads:
            raise ValueError(
                f"num_heads {self.num_heads} is not a multiple of num_kv_heads {self.num_kv_heads}"
            )
        return self


class FeedForward(Record):
    """A dense MLP: gated (SwiGLU, three matrices) or plain (GELU, two)."""

    hidden: int = Field(gt=0)
    gated: bool = True
    bias: bool = False


class Experts(Record):
    """A mixture-of-experts MLP: routed experts, and shared ones that every token visits."""

    num_experts: int = Field(gt=0)
    num_experts_per_token: int = Field(gt=0)
    hidden: int = Field(gt=0)
    gated: bool = True
    bias: bool = False
    router_bias: bool = False
    shared_hidden: int = Field(default=0, ge=0)
    """Summed width of the shared experts; 0 where there are none."""
    shared_gate: bool = False
    num_groups: int = Field(default=1, gt=0)
    num_groups_per_token: int = Field(default=1, gt=0)

    @model_validator(mode="after")
    def _check_routing(self) -> Self:
        if self.num_experts_per_token > self.num_experts:
            raise ValueError(f"a token visits {self.num_experts_per_token} experts of {self.num_experts}")
        return self


class Block(Record):
    """`count` equal transformer layers. Exactly one of `feed_forward` and `experts` is present."""

    count: int = Field(gt=0)
    attention: Attention
    feed_forward: FeedForward | None = None
    experts: Experts | None = None

    @model_validator(mode="after")
    def _check_one_mlp(self) -> Self:
        if (self.feed_forward is None) == (self.experts is None):
            raise ValueError("a block has either feed_forward or experts")
        return self


class Model(Record):
    """A decoder-only transformer."""

    id: str
    name: str
    hidden: int = Field(gt=0)
    vocab: int = Field(gt=0)
    blocks: tuple[Block, ...] = Field(min_length=1)
    """In order from the embedding on; equal layers are one block, also where two kinds alternate."""
    layer_kinds: tuple[int, ...] = ()
    """Index into `blocks` of every layer, where kinds alternate; empty where blocks follow one another."""
    tied_head: bool = False
    head_bias: bool = False
    norm: Literal["rms", "layer"] = "rms"
    norm_bias: bool = False
    num_norms_per_block: int = Field(default=2, ge=0)
    embedding_norm: bool = False
    num_learned_positions: int = Field(default=0, ge=0)
    max_positions: int = Field(default=0, ge=0)
    num_mtp_layers: int = Field(default=0, ge=0)
    """Multi-token-prediction modules, each one more layer of the last kind and a projection of 2 x hidden."""

    @model_validator(mode="after")
    def _check_layer_kinds(self) -> Self:
        counts = [self.layer_kinds.count(index) for index in range(len(self.blocks))]
        if self.layer_kinds and counts != [block.count for block in self.blocks]:
            raise ValueError("layer_kinds does not name each block as often as its count says")
        return self

    @property
    def num_layers(self) -> int:
        """Transformer layers, MTP modules not counted."""
        return sum(block.count for block in self.blocks)

    @property
    def layers(self) -> tuple[Block, ...]:
        """The block of every layer, from the embedding on; MTP modules not included."""
        if self.layer_kinds:
            return tuple(self.blocks[index] for index in self.layer_kinds)
        return tuple(block for block in self.blocks for _ in range(block.count))
