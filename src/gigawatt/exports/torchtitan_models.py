"""The models that torchtitan ships, with the settings their configs start from.

Names and defaults of torchtitan 0.3.0 (torchtitan/models/*/config_registry.py) and of torchtitan 0.2.2
(torchtitan/models/*/__init__.py), https://github.com/pytorch/torchtitan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gigawatt.domain.model import Model


@dataclass(frozen=True, slots=True)
class Shipped:
    """A model of torchtitan: its module, the flavor, the 0.3.0 config and what that config presets."""

    module: str
    flavor: str
    shape: tuple[int, int, int, int, int]
    """Hidden width, layers, attention heads, experts (0: dense), vocabulary."""
    config: str = ""
    """Config function of 0.3.0; blank where 0.3.0 has none."""
    precision: str = "bf16"
    recompute: str = "selective"
    presets: Mapping[str, object] = field(default_factory=dict)
    flavor_2025: str = ""
    """Flavor in 0.2.2; blank where 0.2.2 has none."""


def _batch(local: int, seq_len: int, **parallelism: object) -> dict[str, object]:
    named = {f"parallelism.{key}": value for key, value in parallelism.items()}
    return {"training.local_batch_size": local, "training.seq_len": seq_len, **named}


_INTERLEAVED = "Interleaved1F1B"

SHIPPED = (
    Shipped(
        "llama3", "8B", (4096, 32, 32, 0, 128256), "llama3_8b", presets=_batch(1, 8192), flavor_2025="8B"
    ),
    Shipped(
        "llama3",
        "70B",
        (8192, 80, 64, 0, 128256),
        "llama3_70b",
        "bf16",
        "full",
        _batch(8, 8192, tensor_parallel_degree=8),
        "70B",
    ),
    Shipped(
        "llama3",
        "405B",
        (16384, 126, 128, 0, 128256),
        "llama3_405b",
        "fp8",
        "full",
        _batch(2, 8192, tensor_parallel_degree=8),
        "405B",
    ),
    Shipped(
        "qwen3", "0.6B", (1024, 28, 16, 0, 151936), "qwen3_0_6b", presets=_batch(4, 4096), flavor_2025="0.6B"
    ),
    Shipped(
        "qwen3", "1.7B", (2048, 28, 16, 0, 151936), "qwen3_1_7b", presets=_batch(4, 4096), flavor_2025="1.7B"
    ),
    Shipped("qwen3", "4B", (2560, 36, 32, 0, 151936), flavor_2025="4B"),
    Shipped("qwen3", "8B", (4096, 36, 32, 0, 151936), flavor_2025="8B"),
    Shipped("qwen3", "14B", (5120, 40, 40, 0, 151936), "qwen3_14b", "bf16", "full", _batch(4, 4096), "14B"),
    Shipped("qwen3", "32B", (5120, 64, 64, 0, 151936), "qwen3_32b", "bf16", "full", _batch(2, 4096), "32B"),
    Shipped(
        "qwen3",
        "30B-A3B",
        (2048, 48, 32, 128, 151936),
        "qwen3_30b_a3b",
        "bf16",
        "full",
        _batch(2, 4096),
        "30B-A3B",
    ),
    Shipped("qwen3", "235B-A22B", (4096, 94, 64, 128, 151936), flavor_2025="235B-A22B"),
    Shipped(
        "deepseek_v3",
        "16B",
        (2048, 27, 16, 64, 102400),
        "deepseek_v3_16b",
        "bf16",
        "selective",
        _batch(4, 4096, pipeline_parallel_schedule=_INTERLEAVED, expert_parallel_degree=8),
        "16B",
    ),
    Shipped("deepseek_v3", "236B", (5120, 60, 128, 160, 102400), flavor_2025="236B"),
    Shipped(
        "deepseek_v3",
        "671B",
        (7168, 61, 128, 256, 129280),
        "deepseek_v3_671b",
        "bf16",
        "selective",
        _batch(4, 4096, pipeline_parallel_schedule=_INTERLEAVED, expert_parallel_degree=2),
        "671B",
    ),
    Shipped(
        "deepseek_v3",
        "671B",
        (7168, 61, 128, 256, 129280),
        "deepseek_v3_671b_float8",
        "fp8",
        "selective",
        _batch(4, 4096, pipeline_parallel_schedule=_INTERLEAVED, expert_parallel_degree=2),
    ),
    Shipped(
        "gpt_oss", "20b", (2880, 24, 64, 32, 201088), "gpt_oss_20b", "bf16", "full", _batch(1, 8192), "20b"
    ),
    Shipped(
        "gpt_oss",
        "120b",
        (2880, 36, 64, 128, 201088),
        "gpt_oss_120b",
        "bf16",
        "full",
        _batch(1, 8192),
        "120b",
    ),
    Shipped("llama4", "17bx16e", (5120, 48, 40, 16, 202048), flavor_2025="17bx16e_irope"),
    Shipped("llama4", "17bx128e", (5120, 48, 40, 128, 202048), flavor_2025="17bx128e_irope"),
)


def shipped_as(model: Model) -> tuple[Shipped, ...]:
    """Every entry of torchtitan with this model's shape."""
    experts = max((block.experts.num_experts for block in model.blocks if block.experts), default=0)
    shape = (model.hidden, model.num_layers, model.blocks[0].attention.num_heads, experts, model.vocab)
    return tuple(entry for entry in SHIPPED if entry.shape == shape)
