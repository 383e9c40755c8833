"""A Hugging Face config.json as a `Model`: the one reader of that format."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypeAlias

from gigawatt.domain.config_keys import ConfigKeys
from gigawatt.domain.model import Attention, Block, Experts, FeedForward, Model
from gigawatt.domain.model_families import ENCODERS, FAMILIES, HYBRIDS, Family, Switch
from gigawatt.errors import InputError, Problem

_Mlp: TypeAlias = FeedForward | Experts

_HIDDEN = ("hidden_size", "n_embd", "d_model")
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers")
_HEADS = ("num_attention_heads", "n_head", "n_heads")
_KV_HEADS = ("num_key_value_heads", "num_kv_heads")
_POSITIONS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
_WIDTH = ("intermediate_size", "n_inner", "ffn_hidden_size", "ffn_dim")
_EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts")
_EXPERTS_PER_TOKEN = ("num_experts_per_tok", "num_experts_per_token")

_MOST_LAYERS = 10_000
_MOST_HEADS = 100_000


def read_config(config: Mapping[str, Any], id: str, name: str) -> Model:
    """The model that a Hugging Face config.json describes, as a decoder-only transformer.

    Sizes come from the config, what its class leaves unsaid from `model_families`. Of a multimodal config
    only the language model (`text_config`) is read. Rotary, dropout, initialisation, number format and
    quantisation do not change the shape and are ignored.
    Errors: InputError with every missing, absurd or contradictory key at once; encoders and state-space
    hybrids are refused.
    Source: the formats' own classes, named in `gigawatt.domain.model_families`.
    """
    keys = _language_model(config)
    family = _family(keys)
    model = _Reader(keys, family).model(id, name)
    keys.check()
    return model


def _language_model(config: Mapping[str, Any]) -> ConfigKeys:
    """The part of a config that describes the decoder, without gigawatt's own keys."""
    if not isinstance(config, Mapping):
        raise InputError(f"found {type(config).__name__}, expected a config.json: a mapping of keys")
    text = config.get("text_config")
    if not isinstance(text, Mapping) or not text:
        return ConfigKeys(config)
    inherited = {key: config[key] for key in ("tie_word_embeddings",) if key in config}
    named = {"model_type": f"{config.get('model_type')}_text"}
    return ConfigKeys(named | inherited | dict(text), prefix="text_config.")


def _family(keys: ConfigKeys) -> Family:
    """The conventions behind `model_type`, or a clear refusal."""
    model_type = keys.raw("model_type")
    if isinstance(model_type, str) and model_type in FAMILIES:
        return FAMILIES[model_type]
    raise InputError(Problem(_refusal(keys, model_type), key="model_type"))


def _refusal(keys: ConfigKeys, model_type: object) -> str:
    if keys.has("peft_type"):
        return "missing; this is an adapter's configuration: give the config.json of its base model"
    if model_type is not None and not isinstance(model_type, str):
        return f"found {model_type!r}, expected a text such as 'llama'"
    if model_type is None:
        return f"missing, expected one of {', '.join(FAMILIES)}; is this a model's config.json?"
    if model_type in HYBRIDS:
        return (
            f"found {model_type!r}, a model with state-space or linear-attention layers: only transformers "
            "can be planned; choose a model whose layers are all attention"
        )
    if model_type in ENCODERS or keys.raw("is_encoder_decoder") is True:
        return (
            f"found {model_type!r}, an encoder or encoder-decoder: only decoder-only transformers can be "
            "planned; choose a causal language model"
        )
    near = get_close_matches(str(model_type), FAMILIES, n=1)
    if near:
        return f"found {model_type!r}; did you mean {near[0]!r}?"
    return (
        f"found {model_type!r}, expected one of {', '.join(FAMILIES)}; a model with the layers of one of "
        "these can be described by a config.json with that model_type"
    )


class _Reader:
    """One config read with its family's conventions; problems gather in `keys`."""

    def __init__(self, keys: ConfigKeys, family: Family) -> None:
        self.keys = keys
        self.family = family
        self.hidden = keys.count(*_HIDDEN)
        self.num_layers = keys.count(*_LAYERS, high=_MOST_LAYERS)

    def model(self, id: str, name: str) -> Model:
        """The whole model; raises once everything has been read."""
        keys, family = self.keys, self.family
        for key in family.required:
            if not keys.has(key):
                keys.count(key, low=0)
        self._refuse_foreign_keys()
        blocks, layer_kinds = self._blocks()
        vocab = self._count("vocab_size")
        positions = keys.count(*_POSITIONS, default=0, low=0)
        mtp = keys.count("num_nextn_predict_layers", default=0, low=0, high=_MOST_LAYERS)
        tied = keys.flag("tie_word_embeddings", default=family.tied)
        norm_bias, num_norms = self._norms()
        learned = self._learned_positions()
        keys.check()
        return Model(
            id=id, name=name, hidden=self.hidden, vocab=vocab, blocks=blocks, layer_kinds=layer_kinds,
            tied_head=tied, head_bias=family.head_bias, norm=family.norm, norm_bias=norm_bias,
            num_norms_per_block=num_norms, embedding_norm=family.embedding_norm,
            num_learned_positions=learned, max_positions=positions, num_mtp_layers=mtp,
        )  # fmt: skip

    def _count(self, *names: str, low: int = 1, high: int = 1_000_000_000) -> int:
        return self.keys.count(*names, default=self.family.defaults.get(names[0]), low=low, high=high)

    def _switch(self, switch: Switch) -> bool:
        return switch if isinstance(switch, bool) else self.keys.flag(switch[0], default=switch[1])

    def _mpt_bias(self) -> bool:
        """MPT writes one `no_bias` for its projections, MLPs and norms."""
        return self.family.attention == "mpt" and not self.keys.flag("no_bias", default=False)

    def _refuse_foreign_keys(self) -> None:
        """A dense family's config that names experts or latent attention is not what its model_type says."""
        family, keys = self.family, self.keys
        model_type = keys.raw("model_type")
        for key in () if family.experts else _EXPERTS:
            value = keys.raw(key)
            if isinstance(value, int) and value > 1:
                keys.note(key, f"found {value}, but model_type {model_type!r} has no experts")
        if family.attention != "mla" and keys.has("kv_lora_rank"):
            keys.note("kv_lora_rank", f"found in model_type {model_type!r}, which has no latent attention")

    def _norms(self) -> tuple[bool, int]:
        """Whether norms have a bias, and how many a layer carries."""
        family, keys = self.family, self.keys
        if family.attention == "mpt":
            return self._mpt_bias(), family.num_norms
        if family.attention == "falcon":
            two_in_parallel = keys.flag("new_decoder_architecture", default=False)
            default = 2 if two_in_parallel or not keys.flag("parallel_attn", default=True) else 1
            return family.norm_bias, keys.count("num_ln_in_parallel_attn", default=default, high=2)
        return family.norm_bias, family.num_norms

    def _learned_positions(self) -> int:
        if self.family.attention == "mpt":
            attention = self.keys.section("attn_config")
            rotary = attention.flag("alibi", default=False) or attention.flag("rope", default=False)
            learned = self.keys.flag("learned_pos_emb", default=True) and not rotary
            return self.keys.count(*_POSITIONS[2:]) if learned else 0
        return self.keys.count(*_POSITIONS) if self.family.learned_positions else 0

    def _blocks(self) -> tuple[tuple[Block, ...], tuple[int, ...]]:
        """Layers grouped by kind in order of first appearance, and the kind of each where they alternate."""
        attention = self._attention()
        windows = self._windows()
        sparse = self._sparse_layers()
        dense_mlp = None if all(sparse) else self._dense()
        expert_mlp = self._experts() if any(sparse) else None
        if any(windows) and self.family.window == "chunk":
            attention = attention.model_copy(update={"chunked": True})
        layers = list(zip(windows, sparse, strict=True))
        kinds = list(dict.fromkeys(layers))
        blocks = tuple(
            Block(
                count=layers.count((window, is_sparse)),
                attention=attention.model_copy(
                    update={"window_tokens": window, "chunked": attention.chunked and window > 0}
                ),
                feed_forward=None if is_sparse else dense_mlp,
                experts=expert_mlp if is_sparse else None,
            )
            for window, is_sparse in kinds
        )
        order = tuple(kinds.index(layer) for layer in layers)
        return blocks, () if order == tuple(sorted(order)) else order

    def _attention(self) -> Attention:
        family = self.family
        if family.attention == "mla":
            return self._latent_attention()
        num_heads = self._count(*_HEADS, high=_MOST_HEADS)
        num_kv_heads = self._kv_heads(num_heads)
        if num_heads % num_kv_heads:
            self.keys.note(_KV_HEADS[0], f"found {num_kv_heads}, expected a divisor of the {num_heads} heads")
            num_kv_heads = num_heads
        head_dim = self._head_dim(num_heads)
        bias = self._mpt_bias()
        qk_norm = self._switch(family.qk_norm)
        if family.attention == "mpt":
            qk_norm = self.keys.section("attn_config").flag("qk_ln", default=False)
        return Attention(
            num_heads=num_heads, num_kv_heads=num_kv_heads, head_dim=head_dim, v_head_dim=head_dim,
            qkv_bias=bias or self._switch(family.qkv_bias), out_bias=bias or self._switch(family.out_bias),
            qk_norm=qk_norm, qk_norm_heads="all" if family.attention == "mpt" else family.qk_norm_heads,
            num_sinks=num_heads if family.sinks else 0,
        )  # fmt: skip

    def _latent_attention(self) -> Attention:
        keys, family = self.keys, self.family
        num_heads = keys.count(*_HEADS, high=_MOST_HEADS)
        rotary = keys.count("qk_rope_head_dim")
        return Attention(
            kind="mla", num_heads=num_heads, num_kv_heads=num_heads,
            head_dim=keys.count("qk_nope_head_dim") + rotary, v_head_dim=keys.count("v_head_dim"),
            q_lora_rank=keys.count("q_lora_rank", default=0, low=0), kv_lora_rank=keys.count("kv_lora_rank"),
            qk_rope_head_dim=rotary, qkv_bias=self._switch(family.qkv_bias),
            out_bias=self._switch(family.out_bias),
        )  # fmt: skip

    def _head_dim(self, num_heads: int) -> int:
        default = self.family.defaults.get("head_dim")
        if self.keys.has("head_dim") or default:
            return self.keys.count("head_dim", default=default, high=_MOST_HEADS)
        if self.hidden > 1 and self.hidden % num_heads:  # 1: it is missing or wrong, and that is said already
            self.keys.note(
                _HEADS[0],
                f"found {num_heads}, expected a divisor of the hidden size {self.hidden}, or a head_dim",
            )
        return max(1, self.hidden // num_heads)

    def _kv_heads(self, num_heads: int) -> int:
        keys = self.keys
        if self.family.attention == "falcon" and not keys.flag("new_decoder_architecture", default=False):
            return 1 if keys.flag("multi_query", default=True) else num_heads
        if self.family.attention == "mpt":
            attention = keys.section("attn_config")
            kind = attention.text("attn_type", default="multihead_attention")
            few = {"multihead_attention": num_heads, "multiquery_attention": 1}
            return few[kind] if kind in few else attention.count("kv_n_heads", high=_MOST_HEADS)
        default = num_heads if self.family.multi_head else self.family.defaults.get(_KV_HEADS[0])
        return keys.count(*_KV_HEADS, default=default, high=_MOST_HEADS)

    def _dense(self) -> FeedForward:
        keys, family = self.keys, self.family
        names = ("intermediate_size_mlp",) if family.window == "chunk" else _WIDTH
        default = family.wide_mlp * self.hidden or None
        if family.attention == "mpt":
            default = self.hidden * keys.count("expansion_ratio", default=family.wide_mlp)
        bias = self._switch(family.mlp_bias) or self._mpt_bias()
        return FeedForward(hidden=keys.count(*names, default=default), gated=family.gated, bias=bias)

    def _experts(self) -> Experts:
        keys, family = self.keys, self.family
        num_experts = keys.count(*_EXPERTS, high=_MOST_HEADS)
        for key in _EXPERTS:
            if keys.count(key, default=num_experts, low=0) != num_experts:
                keys.note(key, f"found {keys.raw(key)}, but another key says {num_experts} experts")
        per_token = keys.count(*_EXPERTS_PER_TOKEN, high=_MOST_HEADS)
        if per_token > num_experts:
            keys.note(_EXPERTS_PER_TOKEN[0], f"found {per_token}, expected at most the {num_experts} experts")
            per_token = num_experts
        width = keys.count("moe_intermediate_size" if family.experts == "moe" else "intermediate_size")
        return Experts(
            num_experts=num_experts, num_experts_per_token=per_token, hidden=width, gated=family.gated,
            bias=self._switch(family.mlp_bias), router_bias=family.router_bias,
            shared_hidden=self._shared_width(width), shared_gate=family.shared == "width",
            num_groups=keys.count("n_group", default=1),
            num_groups_per_token=keys.count("topk_group", default=1),
        )  # fmt: skip

    def _shared_width(self, width: int) -> int:
        keys = self.keys
        if self.family.shared == "count":
            return width * keys.count("n_shared_experts", default=0, low=0, high=_MOST_HEADS)
        if self.family.shared == "width":
            return keys.count("shared_expert_intermediate_size", low=0)
        return width if self.family.shared == "one" else 0

    def _sparse_layers(self) -> list[bool]:
        """Which layers have experts, by whichever of the formats' rules the config uses."""
        keys = self.keys
        if not self.family.experts or (self.family.experts == "moe" and not keys.has(*_EXPERTS)):
            return [False] * self.num_layers
        if keys.has("moe_layers"):
            chosen = self._layer_set("moe_layers")
            return [layer in chosen for layer in range(self.num_layers)]
        first = keys.count("first_k_dense_replace", default=0, low=0)
        every = keys.count("moe_layer_freq", default=1)
        step = keys.count("decoder_sparse_step", "interleave_moe_layer_step", default=1)
        dense = self._layer_set("mlp_only_layers")
        return [
            layer >= first and layer % every == 0 and (layer + 1) % step == 0 and layer not in dense
            for layer in range(self.num_layers)
        ]

    def _layer_set(self, name: str) -> frozenset[int]:
        """Layers that a key lists by number, from 0 on."""
        layers = frozenset(self.keys.items(name, int))
        beyond = sorted(layer for layer in layers if not 0 <= layer < self.num_layers)
        if beyond:
            self.keys.note(name, f"found layer {beyond[0]}, expected 0 to {self.num_layers - 1}")
        return layers

    def _windows(self) -> list[int]:
        """The window of each layer, 0 where it sees everything."""
        keys, family = self.keys, self.family
        name = "attention_chunk_size" if family.window == "chunk" else "sliding_window"
        must_say = family.window in {"pattern", "chunk"} and not keys.mentions(name)
        window = keys.count(name, default=None if must_say else 0, low=0)
        if family.window == "never" or not keys.flag("use_sliding_window", default=family.window != "late"):
            return [0] * self.num_layers
        if keys.has("layer_types"):
            return self._windows_by_type(window)
        return [window if self._slides(layer) else 0 for layer in range(self.num_layers)]

    def _windows_by_type(self, window: int) -> list[int]:
        sliding = {"sliding_attention", "chunked_attention"}
        types = self.keys.items("layer_types", str)
        for odd in sorted(set(types) - sliding - {"full_attention"}):
            self.keys.note("layer_types", f"found {odd!r}, expected full, sliding or chunked attention")
        if len(types) != self.num_layers:
            self.keys.note("layer_types", f"found {len(types)} layers, expected {self.num_layers}")
            return [0] * self.num_layers
        return [window if kind in sliding else 0 for kind in types]

    def _slides(self, layer: int) -> bool:
        keys, family = self.keys, self.family
        if family.window == "late":
            return layer >= keys.count("max_window_layers", default=0, low=0)
        if family.window == "chunk":
            rotary = keys.items("no_rope_layers", int)
            if len(rotary) == self.num_layers:
                return bool(rotary[layer])
            return (layer + 1) % keys.count("no_rope_layer_interval", default=family.pattern) != 0
        if family.window == "pattern":
            return (layer + 1) % keys.count("sliding_window_pattern", default=family.pattern) != 0
        return True
