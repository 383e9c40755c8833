"""Models and systems for the export tests, typed from the published configurations."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gigawatt.domain.hardware import System
from gigawatt.domain.model import Attention, Block, Experts, FeedForward, Model


def _gqa(heads: int, kv_heads: int, head_dim: int, **more: object) -> Attention:
    shape = {"num_heads": heads, "num_kv_heads": kv_heads, "head_dim": head_dim, "v_head_dim": head_dim}
    return Attention.model_validate({**shape, **more})


def _dense(
    name: str, hidden: int, layers: int, ffn: int, vocab: int, attention: Attention, **more: object
) -> Model:
    block = Block(count=layers, attention=attention, feed_forward=FeedForward(hidden=ffn))
    shape = {"id": name, "name": name, "hidden": hidden, "vocab": vocab, "blocks": (block,)}
    return Model.model_validate({**shape, **more})


def _deepseek_v3() -> Model:
    attention = Attention(
        kind="mla",
        num_heads=128,
        num_kv_heads=128,
        head_dim=192,
        v_head_dim=128,
        q_lora_rank=1536,
        kv_lora_rank=512,
        qk_rope_head_dim=64,
    )
    experts = Experts(
        num_experts=256,
        num_experts_per_token=8,
        hidden=2048,
        shared_hidden=2048,
        num_groups=8,
        num_groups_per_token=4,
    )
    blocks = (
        Block(count=3, attention=attention, feed_forward=FeedForward(hidden=18432)),
        Block(count=58, attention=attention, experts=experts),
    )
    return Model(
        id="deepseek-v3",
        name="DeepSeek-V3",
        hidden=7168,
        vocab=129280,
        blocks=blocks,
        max_positions=163840,
        num_mtp_layers=1,
    )


def _gpt_oss() -> Model:
    experts = Experts(num_experts=128, num_experts_per_token=4, hidden=2880, bias=True, router_bias=True)
    shared = {"qkv_bias": True, "out_bias": True, "num_sinks": 64}
    blocks = tuple(
        Block(count=18, attention=_gqa(64, 8, 64, window_tokens=window, **shared), experts=experts)
        for window in (128, 0)
    )
    return Model(id="gpt-oss-120b", name="gpt-oss-120b", hidden=2880, vocab=201088, blocks=blocks)


@pytest.fixture(scope="session")
def models() -> Mapping[str, Model]:
    """By short name: shapes of the models' own config.json."""
    qwen_experts = Experts(num_experts=128, num_experts_per_token=8, hidden=768)
    qwen = Block(count=48, attention=_gqa(32, 4, 128, qk_norm=True), experts=qwen_experts)
    return {
        "llama-8b": _dense("Llama 3.1 8B", 4096, 32, 14336, 128256, _gqa(32, 8, 128), max_positions=131072),
        "llama-70b": _dense("Llama 3.1 70B", 8192, 80, 28672, 128256, _gqa(64, 8, 128), max_positions=131072),
        "llama-405b": _dense(
            "Llama 3.1 405B", 16384, 126, 53248, 128256, _gqa(128, 8, 128), max_positions=131072
        ),
        "qwen3-30b": Model(
            id="qwen3-30b-a3b", name="Qwen3 30B-A3B", hidden=2048, vocab=151936, blocks=(qwen,)
        ),
        "deepseek-v3": _deepseek_v3(),
        "gpt-oss": _gpt_oss(),
    }


@pytest.fixture(scope="session")
def hgx() -> System:
    """Nodes of eight accelerators."""
    return System(
        id="hgx-h100",
        name="HGX H100",
        accelerator="h100-sxm-80gb",
        num_accelerators_per_node=8,
        num_accelerators_per_domain=8,
        source="test",
        basis="estimate",
        date="2025-01",
    )
