"""Read a layout from a Megatron-LM launch script or command line, of this and of earlier years."""

from __future__ import annotations

import re

from gigawatt.design.training.legal import contradictions
from gigawatt.domain.training import Layout, Recompute
from gigawatt.exports.imported import ImportedLayout, Setting, Settings, divisible_in, ignored_note
from gigawatt.exports.launch import Launch, options
from gigawatt.exports.megatron import FORMAT_VERSION

OLD_NAMES = {
    "model-parallel-size": "tensor-model-parallel-size",
    "batch-size": "micro-batch-size",
    "encoder-num-layers": "num-layers",
    "encoder-seq-length": "seq-length",
    "use-custom-fsdp": "use-megatron-fsdp",
    "virtual-pipeline-model-parallel-size": "num-virtual-stages-per-pipeline-rank",
    "padded-vocab-size": "vocab-size",
}
"""Options of earlier releases (and of config dataclasses) -> the option of today that says the same."""

_SHARDING = {"no_shard": 0, "optim": 1, "optim_grads": 2, "optim_grads_params": 3}
_RECIPES = {"tensorwise": "fp8", "delayed": "fp8", "blockwise": "fp8", "custom": "fp8", "mxfp8": "mxfp8"}
_MODEL = {
    "num-layers": "num_layers",
    "hidden-size": "hidden",
    "ffn-hidden-size": "ffn_hidden",
    "num-attention-heads": "num_heads",
    "kv-channels": "head_dim",
    "vocab-size": "vocab",
    "num-experts": "num_experts",
    "moe-router-topk": "num_experts_per_token",
    "moe-ffn-hidden-size": "expert_hidden",
    "moe-shared-expert-intermediate-size": "shared_hidden",
    "q-lora-rank": "q_lora_rank",
    "kv-lora-rank": "kv_lora_rank",
    "qk-pos-emb-head-dim": "qk_rope_head_dim",
    "v-head-dim": "v_head_dim",
    "max-position-embeddings": "max_positions",
    "mtp-num-layers": "num_mtp_layers",
}
_AXES = {
    "tp": "tensor-model-parallel-size",
    "pp": "pipeline-model-parallel-size",
    "vpp": "num-virtual-stages-per-pipeline-rank",
    "cp": "context-parallel-size",
    "ep": "expert-model-parallel-size",
    "etp": "expert-tensor-parallel-size",
    "micro_batch": "micro-batch-size",
    "dp_shard": "num-distributed-optimizer-instances",
    "schedule": "num-virtual-stages-per-pipeline-rank",
}
_NOT_MODELLED = {
    "decoder-first-pipeline-num-layers": "stages are taken as even as whole layers allow",
    "decoder-last-pipeline-num-layers": "stages are taken as even as whole layers allow",
    "cpu-offloading-num-layers": "activations are taken to stay on the accelerator",
    "optimizer-cpu-offload": "the optimizer is taken to stay on the accelerator",
    "moe-expert-capacity-factor": "tokens are taken not to be dropped",
    "use-precision-aware-optimizer": "optimizer states are taken to be fp32",
    "rampup-batch-size": "the final global batch is read",
    "distribute-saved-activations": "saved activations are not taken to be spread over TP",
}


def read_megatron(launch: Launch, file: str, num_accelerators: int) -> ImportedLayout:
    """The layout that a Megatron-LM command line asks for, with Megatron-LM's own defaults and checks.

    Raises InputError with every option that is wrong: where it stands, what was found, what is expected.
    """
    found, _ = options(launch.arguments)
    settings = Settings(file, {_today(name): setting for name, setting in found.items()})
    shape = settings.numbers(_MODEL)
    if settings.flag("group-query-attention"):
        shape["num_kv_heads"] = settings.integer("num-query-groups", 1)
    elif "num_heads" in shape and not settings.flag("multi-latent-attention"):
        shape["num_kv_heads"] = shape["num_heads"]
    if settings.flag("multi-latent-attention"):
        shape["head_dim"] = settings.integer("qk-head-dim", 128) + shape.setdefault("qk_rope_head_dim", 64)
    layout = _layout(settings, shape, num_accelerators)
    batch = {
        "seq_len": settings.integer("seq-length", 0),
        "global_batch": settings.integer("global-batch-size", layout.micro_batch * layout.dp),
    }
    if not settings.problems:
        for one in contradictions(layout, divisible_in({"num_experts": 0, **shape, **batch})):
            settings.problem(_AXES.get(one.axis, one.axis), one.message)
    precision = _precision(settings)
    settings.raise_problems()
    job: dict[str, int | str] = {name: value for name, value in batch.items() if value}
    _remarks(settings, layout)
    return ImportedLayout(
        format=f"megatron-lm {FORMAT_VERSION}",
        layout=layout,
        job=job | {"precision": precision},
        model={**shape, **_architecture(settings)},
        notes=(*launch.notes, *settings.notes, *ignored_note(settings)),
    )


def _today(name: str) -> str:
    name = name.replace("_", "-")
    return OLD_NAMES.get(name, name)


def _layout(settings: Settings, shape: dict[str, int], num_accelerators: int) -> Layout:
    tp = settings.integer("tensor-model-parallel-size", 1)
    pp = settings.integer("pipeline-model-parallel-size", 1)
    cp = settings.integer("context-parallel-size", 1)
    dp = _replicas(settings, num_accelerators, tp * pp * cp)
    vpp = _virtual_stages(settings, shape, pp)
    zero_bubble = settings.flag("enable-zero-bubble") or settings.flag("zero-bubble-v-schedule")
    experts = shape.get("num_experts", 0)
    return Layout(
        tp=tp,
        pp=pp,
        vpp=2 if settings.flag("zero-bubble-v-schedule") else vpp,
        cp=cp,
        ep=settings.integer("expert-model-parallel-size", 1),
        etp=settings.integer("expert-tensor-parallel-size", tp if experts else 1),
        dp=dp,
        micro_batch=settings.integer("micro-batch-size", 1),
        zero=_zero(settings),
        recompute=_recompute(settings),
        schedule="zero-bubble" if zero_bubble else "interleaved" if vpp > 1 else "1f1b",
        dp_shard=_dp_shard(settings, dp),
    )


def _replicas(settings: Settings, num_accelerators: int, model_ranks: int) -> int:
    if not num_accelerators:
        settings.problem(
            "nproc-per-node",
            "the number of GPUs is not in the file: expected --nproc-per-node and --nnodes, "
            "or the number of accelerators given beside the file",
        )
        return 1
    if num_accelerators % model_ranks:
        settings.problem(
            "tensor-model-parallel-size",
            f"tp x pp x cp = {model_ranks} does not divide the {num_accelerators} GPUs",
        )
        return 1
    return num_accelerators // model_ranks


def _virtual_stages(settings: Settings, shape: dict[str, int], pp: int) -> int:
    if "pipeline-model-parallel-layout" in settings:
        return _stages_of_layout(settings, pp) // pp
    if "num-layers-per-virtual-pipeline-stage" not in settings:
        return settings.integer("num-virtual-stages-per-pipeline-rank", 1)
    per_stage = settings.integer("num-layers-per-virtual-pipeline-stage", 1)
    ends = ("account-for-embedding-in-pipeline-split", "account-for-loss-in-pipeline-split")
    layers = shape.get("num_layers", 0) + sum(settings.flag(end) for end in ends)
    if not shape.get("num_layers") or layers % (pp * per_stage):
        settings.problem(
            "num-layers-per-virtual-pipeline-stage",
            f"pp x {per_stage} layers = {pp * per_stage} does not divide the {layers} layers (--num-layers)",
        )
        return 1
    return layers // pp // per_stage


def _stages_of_layout(settings: Settings, pp: int) -> int:
    """Stages of "E|(t|)*3,m|m||L": the bars after multiplication, plus one."""
    key = "pipeline-model-parallel-layout"
    text = settings.text(key).replace(",", "").replace(" ", "")
    for repeated in (r"\(([^)]+)\)\*(\d{1,4})", r"(.)\*(\d{1,4})"):
        text = re.sub(repeated, lambda found: found.group(1) * int(found.group(2)), text)
    stages = text.count("|") + 1
    if set(text) - set("EtmL|"):
        settings.problem(
            key, f"found `{settings.text(key)}`; expected E, t, m, L, |, and multiplications such as t*3"
        )
        return pp
    if stages % pp:
        settings.problem(key, f"{stages} stages do not divide by the pipeline-model-parallel-size, {pp}")
        return pp
    return stages


def _zero(settings: Settings) -> int:
    if settings.flag("use-megatron-fsdp"):
        settings.flag("use-distributed-optimizer")
        return _SHARDING[settings.choice("data-parallel-sharding-strategy", "no_shard", _SHARDING)]
    if settings.flag("use-torch-fsdp2"):
        return 2 if settings.flag("torch-fsdp2-no-reshard-after-forward") else 3
    sharded = settings.flag("use-distributed-optimizer")
    return int(settings.choice("zero-stage", str(int(sharded)), "0123"))


def _dp_shard(settings: Settings, dp: int) -> int:
    copies = settings.integer("num-distributed-optimizer-instances", 1)
    if dp % copies and not settings.problems:
        settings.problem(
            "num-distributed-optimizer-instances", f"{copies} does not divide the {dp} replicas (dp)"
        )
    return dp // copies if copies > 1 else 0


def _recompute(settings: Settings) -> Recompute:
    if settings.flag("recompute-activations"):
        return "selective"
    if settings.flag("checkpoint-activations"):
        return "full"
    chosen = settings.choice("recompute-granularity", "none", ("full", "selective"))
    method, layers = settings.text("recompute-method"), settings.integer("recompute-num-layers", 1, least=0)
    if chosen == "full" and method == "block":
        settings.note(f"only {layers} layers of each stage are recomputed; taken as full recompute")
    if settings.text("recompute-modules") not in {"", "core_attn"} and chosen == "selective":
        settings.note(
            f"recomputed modules {settings.text('recompute-modules')}; taken as selective (core attention)"
        )
    return "full" if chosen == "full" else "selective" if chosen == "selective" else "none"


def _precision(settings: Settings) -> str:
    if "fp4-format" in settings:
        settings.choice("fp4-recipe", "nvfp4", ("nvfp4", "custom"))
        settings.choice("fp4-format", "e2m1", ("e2m1",))
        return "nvfp4"
    if "fp8-format" in settings or settings.flag("fp8-hybrid") or settings.flag("fp8-e4m3"):
        settings.choice("fp8-format", "hybrid", ("hybrid", "e4m3"))
        return _RECIPES[settings.choice("fp8-recipe", "delayed", _RECIPES)]
    return "bf16" if settings.flag("bf16") else "fp16" if settings.flag("fp16") else "fp32"


def _architecture(settings: Settings) -> dict[str, int | str | bool]:
    return {
        "attention": "mla" if settings.flag("multi-latent-attention") else "gqa",
        "gated": settings.flag("swiglu") or settings.flag("quick-geglu"),
        "norm": "rms" if settings.text("normalization") == "RMSNorm" else "layer",
        "tied_head": not settings.flag("untie-embeddings-and-output-weights"),
    }


def _remarks(settings: Settings, layout: Layout) -> None:
    sequence_parallel = settings.flag("sequence-parallel")
    if layout.tp > 1 and not sequence_parallel:
        settings.note("--sequence-parallel is absent; layouts are taken to have it wherever tp is above 1")
    for key, reading in _NOT_MODELLED.items():
        if key in settings:
            found: Setting = settings.by_key[key]
            settings.note(f"line {found.line}: {found.name} cannot be expressed: {reading}")
    for key in (
        "bf16",
        "use-distributed-optimizer",
        "overlap-grad-reduce",
        "overlap-param-gather",
        "ckpt-format",
    ):
        settings.flag(key)
