"""What a target cannot express is refused by name, never written wrongly."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gigawatt.domain.hardware import System
from gigawatt.domain.model import Block, FeedForward, Model
from gigawatt.domain.training import Layout, TrainingJob
from gigawatt.errors import InputError, UnknownIdError
from gigawatt.exports import export_layout

JOB = TrainingJob(seq_len=8192, global_batch=64)


def refusals(
    target: str, model: Model, hgx: System, layout: Layout, job: TrainingJob = JOB
) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        export_layout(target, model, hgx, layout, job)
    found: dict[str, str] = {}
    for problem in caught.value.problems:
        found[problem.key] = "; ".join(filter(None, (found.get(problem.key), problem.message)))
    return found


def test_an_unknown_target(models: Mapping[str, Model], hgx: System) -> None:
    with pytest.raises(
        UnknownIdError, match="unknown export target `nemo`; expected one of megatron-lm, torchtitan"
    ):
        export_layout("nemo", models["llama-8b"], hgx, Layout(), JOB)


@pytest.mark.parametrize(
    ("target", "name", "layout", "key", "message"),
    [
        (
            "megatron-lm",
            "llama-8b",
            Layout(pp=2, schedule="zero-bubble"),
            "schedule",
            "no zero-bubble schedule",
        ),
        ("megatron-lm", "llama-8b", Layout(tp=3), "tp", "3 does not divide the 32 attention heads"),
        ("megatron-lm", "llama-8b", Layout(pp=64), "pp", "64 pipeline stages (pp x vpp) for 32 layers"),
        (
            "megatron-lm",
            "llama-8b",
            Layout(pp=2, vpp=2),
            "schedule",
            "1f1b has one stage per rank, found vpp 2",
        ),
        ("megatron-lm", "llama-8b", Layout(pp=2, schedule="interleaved"), "schedule", "vpp of at least 2"),
        ("megatron-lm", "llama-8b", Layout(ep=2, dp=2), "ep", "the model has no experts"),
        (
            "megatron-lm",
            "llama-8b",
            Layout(dp=8, dp_shard=3),
            "dp_shard",
            "group of 3 does not divide the 8 replicas",
        ),
        ("megatron-lm", "llama-8b", Layout(dp=8, zero=0, dp_shard=4), "dp_shard", "needs zero of at least 1"),
        ("megatron-lm", "llama-8b", Layout(dp=8, dp_shard=1), "dp_shard", "over one replica is no sharding"),
        (
            "megatron-lm",
            "llama-8b",
            Layout(dp=48),
            "micro_batch",
            "= 48 does not divide the global batch, 64",
        ),
        (
            "megatron-lm",
            "llama-8b",
            Layout(pp=8, vpp=2, dp=16, schedule="interleaved"),
            "vpp",
            "interleaving needs at least pp = 8 micro-batches per step, found 4",
        ),
        ("megatron-lm", "deepseek-v3", Layout(ep=3, dp=3), "ep", "3 does not divide the 256 experts"),
        ("megatron-lm", "gpt-oss", Layout(dp=12), "layout", "does not fill whole nodes of 8"),
        ("torchtitan", "llama-8b", Layout(dp=8, zero=1), "zero", "expected zero 0, 2 or 3, found 1"),
        ("torchtitan", "llama-8b", Layout(cp=2, dp=4, zero=0), "zero", "always shards over cp"),
        (
            "torchtitan",
            "llama-8b",
            Layout(pp=2, dp=4, zero=2, schedule="zero-bubble"),
            "vpp",
            "zero-bubble schedules have several stages per rank",
        ),
        (
            "torchtitan",
            "llama-8b",
            Layout(pp=4, vpp=5, dp=2, zero=2, schedule="interleaved"),
            "vpp",
            "cannot cut 32 layers into 20 stages",
        ),
        (
            "torchtitan",
            "qwen3-30b",
            Layout(tp=2, dp=4, ep=2, etp=2, zero=2),
            "etp",
            "cuts no expert where ep is above 1",
        ),
        (
            "torchtitan",
            "qwen3-30b",
            Layout(tp=2, dp=4, zero=2),
            "etp",
            "cuts experts by tp: expected 2, found 1",
        ),
        (
            "torchtitan-toml",
            "qwen3-30b",
            Layout(tp=4, dp=2, ep=2, etp=2, zero=2),
            "etp",
            "1 or tp = 4 ways, found 2",
        ),
        ("torchtitan-toml", "qwen3-30b", Layout(pp=2, dp=4, zero=2), "pp", "does not pipeline qwen3"),
    ],
)
def test_layouts(
    target: str, name: str, layout: Layout, key: str, message: str, models: Mapping[str, Model], hgx: System
) -> None:
    job = TrainingJob(seq_len=8192, global_batch=96) if layout.dp == 12 else JOB
    assert message in refusals(target, models[name], hgx, layout, job)[key]


@pytest.mark.parametrize(
    ("target", "name", "precision"),
    [
        ("megatron-lm", "llama-8b", "mxfp4"),
        ("megatron-lm", "llama-8b", "tf32"),
        ("torchtitan", "llama-8b", "fp16"),
        ("torchtitan", "llama-8b", "nvfp4"),
        ("torchtitan", "qwen3-30b", "fp8"),
        ("torchtitan-toml", "llama-8b", "nvfp4"),
    ],
)
def test_number_formats(
    target: str, name: str, precision: str, models: Mapping[str, Model], hgx: System
) -> None:
    layout = Layout(dp=8, ep=8 if name == "qwen3-30b" else 1, zero=2)
    job = JOB.model_copy(update={"precision": precision})
    assert refusals(target, models[name], hgx, layout, job)["precision"].startswith(f"found {precision}")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"embedding_norm": True}, "embedding_norm"),
        ({"num_norms_per_block": 4}, "num_norms_per_block"),
    ],
)
def test_models_that_megatron_does_not_build(
    change: dict[str, object], key: str, models: Mapping[str, Model], hgx: System
) -> None:
    model = models["llama-8b"].model_copy(update=change)
    assert key in refusals("megatron-lm", model, hgx, Layout(dp=8))


def test_layers_of_unequal_shape(models: Mapping[str, Model], hgx: System) -> None:
    block = models["llama-8b"].blocks[0]
    other = Block(
        count=4, attention=block.attention, feed_forward=FeedForward(hidden=8192, bias=True, gated=False)
    )
    narrow = block.attention.model_copy(update={"num_heads": 16})
    third = Block(count=4, attention=narrow, feed_forward=block.feed_forward)
    model = models["llama-8b"].model_copy(update={"blocks": (block, other, third)})
    found = refusals("megatron-lm", model, hgx, Layout(dp=8))
    assert set(found) == {
        "blocks.attention",
        "blocks.feed_forward.hidden",
        "blocks.feed_forward.gated",
        "blocks.feed_forward.bias",
    }
    assert found["blocks.feed_forward.hidden"].endswith("found 14336, 8192")


@pytest.mark.parametrize("target", ["torchtitan", "torchtitan-toml"])
def test_a_model_that_torchtitan_does_not_ship(target: str, models: Mapping[str, Model], hgx: System) -> None:
    model = models["llama-8b"].model_copy(update={"name": "Ours", "hidden": 5000})
    message = refusals(target, model, hgx, Layout(dp=8, zero=2))["model"]
    assert "ships no config of Ours's shape" in message
    assert "llama3" in message


def test_sliding_windows_and_sinks(models: Mapping[str, Model], hgx: System) -> None:
    (script,) = export_layout("megatron-lm", models["gpt-oss"], hgx, Layout(ep=8, dp=8), JOB).values()
    for option in (
        "--window-size 128,0\n",
        '--window-attn-skip-freq "([1]*18+[0]*18)"\n',
        "--softmax-type learnable\n",
    ):
        assert option in script
    assert "--disable-bias-linear" not in script


def test_a_last_group_of_micro_batches_is_never_smaller_than_the_pipeline(
    models: Mapping[str, Model], hgx: System
) -> None:
    layout = Layout(pp=4, vpp=2, dp=2, schedule="interleaved")
    job = TrainingJob(seq_len=8192, global_batch=20)
    (script,) = export_layout("megatron-lm", models["llama-8b"], hgx, layout, job).values()
    # 10 micro-batches: groups of 4 leave 2, groups of 5 leave none.
    assert "--microbatch-group-size-per-virtual-pipeline-stage 5\n" in script
