"""Builds a config's reference class of Hugging Face transformers without weights, and counts its parameters.

Run as a program (extra `reference`), it writes the two files in tests/validation that the tests compare with
where transformers is not installed: `reference_parameters.csv` for the catalogue, `reference_families.json`
for small models of every `model_type`, with the switches that change parameters turned both ways.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "src" / "gigawatt" / "data" / "models"
CATALOGUE_TOTALS = ROOT / "tests" / "validation" / "reference_parameters.csv"
FAMILY_TOTALS = ROOT / "tests" / "validation" / "reference_families.json"

SAME_CLASS = {"kimi_k2": "deepseek_v3"}
"""Types that transformers builds with another type's class, by their own `architectures`."""

SIZES = {
    "hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 8, "vocab_size": 320,
    "max_position_embeddings": 128,
}  # fmt: skip
GROUPED = SIZES | {"num_key_value_heads": 2, "intermediate_size": 96, "pad_token_id": None}
WIDE_HEADS = {"head_dim": 24}
EXPERTS = {"num_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 40}
ROUTED = {"n_routed_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 40}
LATENT = SIZES | {
    "intermediate_size": 96, "q_lora_rank": 24, "kv_lora_rank": 16, "qk_nope_head_dim": 12,
    "qk_rope_head_dim": 4, "v_head_dim": 20, "n_shared_experts": 2, "first_k_dense_replace": 1,
    "n_group": 2, "topk_group": 1, "num_key_value_heads": 8, "pad_token_id": None,
} | ROUTED  # fmt: skip
GREEDY = {"topk_method": "greedy"}
TIED = {"tie_word_embeddings": True}
UNTIED = {"tie_word_embeddings": False}
BIASED = {"attention_bias": True}
GPT_2 = {"n_embd": 64, "n_layer": 4, "n_head": 8, "n_positions": 128, "vocab_size": 320}
OLD = {"hidden_size": 64, "n_layer": 4, "n_head": 8, "vocab_size": 320}
FALCON = {"hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 8, "vocab_size": 320}

VARIANTS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "llama": (
        GROUPED, GROUPED | WIDE_HEADS | TIED, GROUPED | BIASED | {"mlp_bias": True},
        SIZES | {"intermediate_size": 96},
    ),
    "granite": (GROUPED, GROUPED | BIASED | {"mlp_bias": True} | TIED),
    "mistral": (GROUPED, GROUPED | WIDE_HEADS, GROUPED | {"sliding_window": None} | TIED),
    "mixtral": (GROUPED | {"num_local_experts": 4, "num_experts_per_tok": 2},),
    "qwen2": (
        GROUPED, GROUPED | TIED,
        GROUPED | {"use_sliding_window": True, "sliding_window": 32, "max_window_layers": 2},
    ),
    "qwen2_moe": (
        GROUPED | EXPERTS | {"shared_expert_intermediate_size": 72},
        GROUPED | EXPERTS | {
            "shared_expert_intermediate_size": 72, "decoder_sparse_step": 2, "mlp_only_layers": [3],
        },
    ),
    "qwen3": (GROUPED, GROUPED | WIDE_HEADS | BIASED, GROUPED | TIED),
    "qwen3_moe": (GROUPED | EXPERTS, GROUPED | EXPERTS | WIDE_HEADS | {"mlp_only_layers": [0, 2]}),
    "deepseek_v2": (LATENT | GREEDY, LATENT | GREEDY | {"q_lora_rank": None}),
    "deepseek_v3": (
        LATENT, LATENT | BIASED, LATENT | {"q_lora_rank": None, "first_k_dense_replace": 3}, LATENT | TIED,
    ),
    "glm4_moe": (
        GROUPED | ROUTED | WIDE_HEADS | {"n_shared_experts": 1, "first_k_dense_replace": 1},
        GROUPED | ROUTED | BIASED | {"n_shared_experts": 2, "first_k_dense_replace": 2, "use_qk_norm": True},
    ),
    "gpt_oss": (
        GROUPED | {"num_local_experts": 4, "num_experts_per_tok": 2, "head_dim": 16, "sliding_window": 32},
    ),
    "llama4_text": tuple(
        GROUPED | {
            "num_local_experts": 4, "num_experts_per_tok": 1, "intermediate_size_mlp": 160, "head_dim": 16,
            "interleave_moe_layer_step": step, "attention_bias": step == 2, "attention_chunk_size": 16,
        }
        for step in (1, 2)
    ),
    "olmoe": (GROUPED | {"num_experts": 6, "num_experts_per_tok": 2},),
    "olmo2": (GROUPED, GROUPED | BIASED | TIED),
    "olmo3": (GROUPED | {"sliding_window": 32},),
    "gemma": (GROUPED, GROUPED | WIDE_HEADS | UNTIED),
    "gemma2": (GROUPED | {"sliding_window": 16}, GROUPED | WIDE_HEADS | BIASED | {"sliding_window": 32}),
    "gemma3_text": (
        GROUPED | {"sliding_window": 32, "num_hidden_layers": 8},
        GROUPED | WIDE_HEADS | BIASED | UNTIED | {"sliding_window": 32},
    ),
    "phi": (GROUPED, SIZES | {"intermediate_size": 96} | TIED),
    "phi3": (GROUPED, SIZES | {"intermediate_size": 96, "pad_token_id": None}),
    "cohere": (GROUPED, GROUPED | {"use_qk_norm": True} | BIASED | UNTIED),
    "cohere2": (GROUPED | {"sliding_window": 32},),
    "seed_oss": (
        GROUPED | WIDE_HEADS, GROUPED | WIDE_HEADS | {"attention_bias": False, "attention_out_bias": True},
    ),
    "smollm3": (GROUPED, GROUPED | UNTIED | BIASED | {"mlp_bias": True}),
    "starcoder2": (GROUPED, GROUPED | UNTIED | {"use_bias": False}),
    "nemotron": (GROUPED, GROUPED | WIDE_HEADS | BIASED | {"mlp_bias": True}, GROUPED | TIED),
    "gpt2": (GPT_2, GPT_2 | {"n_inner": 160} | UNTIED),
    "gpt_neox": (
        SIZES | {"intermediate_size": 160},
        SIZES | {"intermediate_size": 160, "attention_bias": False} | TIED,
    ),
    "bloom": (OLD, OLD | UNTIED),
    "mpt": (
        {"d_model": 64, "n_layers": 4, "n_heads": 8, "vocab_size": 320, "expansion_ratio": 4, "no_bias": True,
         "attn_config": {"alibi": True}},
    ),
    "falcon": (
        FALCON, FALCON | UNTIED | {"multi_query": False, "bias": True, "parallel_attn": False},
        FALCON | {"new_decoder_architecture": True, "num_kv_heads": 2, "ffn_hidden_size": 160},
        FALCON | {"new_decoder_architecture": True, "num_kv_heads": 4, "num_ln_in_parallel_attn": 1},
    ),
}  # fmt: skip


def language_model(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config without gigawatt's keys; of a multimodal one the language model alone."""
    plain = {key: value for key, value in config.items() if not key.startswith("_")}
    text = plain.get("text_config")
    if not text:
        return plain
    shared = {key: plain[key] for key in ("tie_word_embeddings",) if key in plain}
    return shared | dict(text)


class Reference(NamedTuple):
    """What transformers says of a config."""

    name: str
    total: int
    layer_types: tuple[str, ...]


def reference(config: Mapping[str, Any]) -> Reference | None:
    """The reference model, built on the meta device and counted; None where there is no class."""
    import torch
    from transformers import CONFIG_MAPPING, AutoModelForCausalLM

    values = language_model(config)
    model_type = values.pop("model_type")
    model_type = SAME_CLASS.get(model_type, model_type)
    values.pop("architectures", None)
    if model_type not in CONFIG_MAPPING:
        return None
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(CONFIG_MAPPING[model_type](**values))
    total = sum(parameter.numel() for parameter in model.parameters())
    return Reference(type(model).__name__, total, tuple(getattr(model.config, "layer_types", None) or ()))


def has_reference_class(config: Mapping[str, Any]) -> bool:
    """Whether transformers builds this shape: its MPT knows no learned positions, and it lacks some types."""
    values = language_model(config)
    if values["model_type"] in {"grok-1", "internlm"}:
        return False
    return values["model_type"] != "mpt" or bool(values.get("no_bias"))


def catalogue() -> Iterator[tuple[str, dict[str, Any]]]:
    """Id and config of every catalogue model, in order of ids."""
    for path in sorted(MODELS.glob("*.json"), key=lambda found: found.stem):
        yield path.stem, json.loads(path.read_text(encoding="utf-8"))


def write_catalogue_totals() -> None:
    """Writes the totals of all catalogue models that have a reference class."""
    import transformers

    with CATALOGUE_TOTALS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("model", "class", "transformers", "total"))
        for id, config in catalogue():
            built = reference(config) if has_reference_class(config) else None
            if built:
                writer.writerow((id, built.name, transformers.__version__, built.total))


def write_family_totals() -> None:
    """Writes small configs of every family with the totals that transformers gives them."""
    import transformers

    rows = []
    for model_type, variants in VARIANTS.items():
        for variant in variants:
            config = {"model_type": model_type} | variant
            built = reference(config)
            assert built, f"transformers {transformers.__version__} has no class for {model_type}"
            row = {"class": built.name, "total": built.total, "layer_types": built.layer_types}
            rows.append(row | {"config": config})
    head = f'{{"transformers": "{transformers.__version__}", "models": [\n'
    body = ",\n".join(json.dumps(row) for row in rows)
    FAMILY_TOTALS.write_text(head + body + "\n]}\n", encoding="utf-8")


if __name__ == "__main__":
    write_catalogue_totals()
    write_family_totals()
