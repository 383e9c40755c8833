"""What each Hugging Face `model_type` leaves unsaid in its config.json.

A published config names sizes; whether a projection has a bias, how many norms a layer carries or whether the
head shares the embedding is written in the class behind `model_type`. Source: the configuration and modelling
classes of Hugging Face transformers 5.23 (Apache-2.0), MosaicML llm-foundry for `mpt`, the repositories of
InternLM and Grok-1 for `internlm` and `grok-1`. The tests build every family there and compare counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

Switch: TypeAlias = bool | tuple[str, bool]
"""A fixed answer, or the key that gives it with its default."""


@dataclass(frozen=True, slots=True)
class Family:
    """The conventions of one `model_type`."""

    attention: Literal["gqa", "mla", "mpt", "falcon"] = "gqa"
    experts: Literal["", "moe", "dense-width"] = ""
    """Width of an expert: `moe_intermediate_size`, or the key of the dense MLP."""
    shared: Literal["", "count", "width", "one"] = ""
    """Shared experts: `n_shared_experts` of expert width, a width of their own, or one of dense width."""
    gated: bool = True
    norm: Literal["rms", "layer"] = "rms"
    norm_bias: bool = False
    num_norms: int = 2
    embedding_norm: bool = False
    qkv_bias: Switch = False
    out_bias: Switch = False
    mlp_bias: Switch = False
    head_bias: bool = False
    qk_norm: Switch = False
    qk_norm_heads: Literal["one", "all"] = "one"
    sinks: bool = False
    router_bias: bool = False
    learned_positions: bool = False
    tied: bool = False
    window: Literal["never", "always", "pattern", "late", "chunk"] = "never"
    """Which layers slide: all, all but each n-th, from `max_window_layers` on, all but those without RoPE."""
    pattern: int = 0
    wide_mlp: int = 0
    """Width of the MLP in hidden sizes where the config gives none; 0: it must."""
    multi_head: bool = True
    """A missing `num_key_value_heads` means one per query head; else the config must say."""
    defaults: Mapping[str, int] = field(default_factory=dict)
    required: tuple[str, ...] = ()


_ATTENTION_BIAS = ("attention_bias", False)
_MLP_BIAS = ("mlp_bias", False)

_PLAIN = Family(qkv_bias=_ATTENTION_BIAS, out_bias=_ATTENTION_BIAS)
_LLAMA = replace(_PLAIN, mlp_bias=_MLP_BIAS)
_DEEPSEEK = replace(
    _PLAIN, attention="mla", experts="moe", shared="count", required=("first_k_dense_replace", "kv_lora_rank")
)
_GPT = Family(gated=False, norm="layer", norm_bias=True, qkv_bias=True, out_bias=True, mlp_bias=True)
_OLMO = replace(_PLAIN, qk_norm=True, qk_norm_heads="all")
_GEMMA = replace(_PLAIN, tied=True, multi_head=False, defaults={"head_dim": 256})
_COHERE = replace(_PLAIN, norm="layer", num_norms=1, tied=True)

FAMILIES: Mapping[str, Family] = {
    "llama": _LLAMA,
    "granite": _LLAMA,
    "mistral": Family(window="always", multi_head=False),
    "mixtral": Family(window="always", multi_head=False, experts="dense-width"),
    "qwen2": Family(qkv_bias=True, window="late", multi_head=False),
    "qwen2_moe": Family(qkv_bias=True, window="late", multi_head=False, experts="moe", shared="width"),
    "qwen3": replace(_PLAIN, qk_norm=True, window="late", multi_head=False, defaults={"head_dim": 128}),
    "qwen3_moe": replace(_PLAIN, qk_norm=True, window="late", multi_head=False, experts="moe"),
    "deepseek_v2": _DEEPSEEK,
    "deepseek_v3": _DEEPSEEK,
    "kimi_k2": _DEEPSEEK,
    "glm4_moe": Family(
        qkv_bias=_ATTENTION_BIAS, qk_norm=("use_qk_norm", False), experts="moe", shared="count",
        multi_head=False, required=("first_k_dense_replace",),
    ),
    "gpt_oss": Family(
        qkv_bias=("attention_bias", True), out_bias=("attention_bias", True), mlp_bias=True, sinks=True,
        experts="dense-width", router_bias=True, window="pattern", pattern=2, multi_head=False,
        defaults={"head_dim": 64},
    ),
    "llama4_text": replace(
        _PLAIN, experts="dense-width", shared="one", window="chunk", pattern=4, multi_head=False,
        defaults={"head_dim": 128},
    ),
    "grok-1": Family(experts="dense-width", num_norms=4, tied=True, multi_head=False),
    "olmoe": replace(_OLMO, experts="dense-width"),
    "olmo2": _OLMO,
    "olmo3": replace(_OLMO, window="pattern", pattern=4),
    "gemma": _GEMMA,
    "gemma2": replace(_GEMMA, num_norms=4, window="pattern", pattern=2),
    "gemma3_text": replace(
        _GEMMA, num_norms=4, qk_norm=True, window="pattern", pattern=6,
        defaults={"head_dim": 256, "num_attention_heads": 8, "num_key_value_heads": 4, "vocab_size": 262208},
    ),
    "phi": replace(_GPT, num_norms=1, head_bias=True),
    "phi3": Family(window="always"),
    "cohere": replace(_COHERE, qk_norm=("use_qk_norm", False), qk_norm_heads="all"),
    "cohere2": replace(_COHERE, window="pattern", pattern=4),
    "seed_oss": Family(
        qkv_bias=("attention_bias", True), out_bias=("attention_out_bias", False), mlp_bias=_MLP_BIAS,
        multi_head=False,
    ),
    "smollm3": replace(_LLAMA, tied=True, multi_head=False),
    "starcoder2": replace(
        _GPT, qkv_bias=("use_bias", True), out_bias=("use_bias", True), mlp_bias=("use_bias", True),
        tied=True, window="always", multi_head=False,
    ),
    "internlm": Family(qkv_bias=("bias", True), out_bias=("bias", True)),
    "nemotron": replace(_GPT, qkv_bias=_ATTENTION_BIAS, out_bias=_ATTENTION_BIAS, mlp_bias=_MLP_BIAS),
    "gpt2": replace(_GPT, tied=True, wide_mlp=4, learned_positions=True),
    "gpt_neox": replace(_GPT, qkv_bias=("attention_bias", True), out_bias=("attention_bias", True)),
    "bloom": replace(_GPT, tied=True, wide_mlp=4, embedding_norm=True),
    "mpt": Family(attention="mpt", gated=False, norm="layer", tied=True, wide_mlp=4),
    "falcon": replace(
        _GPT, attention="falcon", qkv_bias=("bias", False), out_bias=("bias", False),
        mlp_bias=("bias", False), tied=True, wide_mlp=4,
    ),
}  # fmt: skip

HYBRIDS = frozenset(
    """
    bamba bailing_hybrid falcon_h1 falcon_mamba granitemoehybrid jamba kimi_linear lfm2 lfm2_moe mamba mamba2
    minimax nemotron_h olmo_hybrid qwen3_5 qwen3_5_text qwen3_5_moe qwen3_5_moe_text qwen3_next
    recurrent_gemma rwkv rwkv7 xlstm zamba zamba2
    """.split()
)
"""State-space, recurrent and linear-attention models: their layers are not a transformer's."""

ENCODERS = frozenset(
    """
    albert bart bert camembert clip deberta deberta-v2 distilbert electra led longformer longt5 m2m_100 marian
    mbart modernbert mpnet mt5 nomic_bert pegasus roberta siglip switch_transformers t5 t5gemma umt5 vit
    wav2vec2 whisper xlm-roberta
    """.split()
)
"""Encoders and encoder-decoders."""
