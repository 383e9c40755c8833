"""The shape of a transformer: everything its parameters, FLOPs and tensors follow from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gigawatt.domain.record import Record


class Attention(Record):
    """Multi-head, grouped-query (`gqa`) or multi-head latent (`mla`) attention."""

    kind: Literal["gqa", "mla"] = "gqa"
    num_heads: int = Field(gt=0)
    num_kv_heads: int = Field(gt=0)
    head_dim: int = Field(gt=0)
    """Width of a query or key head, the rotary part included (MLA: nope + rope)."""
    v_head_dim: int = Field(gt=0)
    q_lora_rank: int = 0
    kv_lora_rank: int = 0
    qk_rope_head_dim: int = 0
    window_tokens: int = 0
    """Sliding window; 0 is full attention."""
    qkv_bias: bool = False
    out_bias: bool = False
    qk_norm: bool = False
    num_sinks: int = 0


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
    shared_hidden: int = 0
    """Summed width of the shared experts; 0 where there are none."""
    shared_gate: bool = False
    num_groups: int = 1
    num_groups_per_token: int = 1


class Block(Record):
    """`count` equal transformer layers. Exactly one of `feed_forward` and `experts` is present."""

    count: int = Field(gt=0)
    attention: Attention
    feed_forward: FeedForward | None = None
    experts: Experts | None = None


class Model(Record):
    """A decoder-only transformer."""

    id: str
    name: str
    hidden: int = Field(gt=0)
    vocab: int = Field(gt=0)
    blocks: tuple[Block, ...]
    """In order from the embedding on; runs of equal layers are one block (alternating kinds may be merged by kind)."""
    tied_head: bool = False
    norm: Literal["rms", "layer"] = "rms"
    norm_bias: bool = False
    num_norms_per_block: int = 2
    embedding_norm: bool = False
    num_learned_positions: int = 0
    max_positions: int = 0
    num_mtp_layers: int = 0
    """Multi-token-prediction modules, each one more layer of the last kind with a projection of 2 x hidden."""

    @property
    def num_layers(self) -> int:
        """Transformer layers, MTP modules not counted."""
        return sum(block.count for block in self.blocks)
