"""Write a layout as a Megatron-LM launch script.

Options are those of Megatron-LM core_v0.16.1: the fields of megatron/core/transformer/transformer_config.py,
megatron/core/model_parallel_config.py and megatron/core/distributed/distributed_data_parallel_config.py, and
megatron/training/arguments.py (https://github.com/NVIDIA/Megatron-LM).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby, pairwise

from gigawatt.design.training.legal import contradictions, divisible_of
from gigawatt.design.training.memory import layers_before
from gigawatt.domain.hardware import System
from gigawatt.domain.model import Attention, Block, Experts, FeedForward, Model
from gigawatt.domain.training import Layout, TrainingJob
from gigawatt.errors import InputError, Problem
from gigawatt.exports.scripts import header, nodes_of, option_array

FORMAT_VERSION = "core_v0.16.1"

PRECISIONS: dict[str, tuple[str, ...]] = {
    "fp32": (),
    "bf16": ("--bf16",),
    "fp16": ("--fp16",),
    "fp8": ("--bf16", "--fp8-format hybrid", "--fp8-recipe tensorwise"),
    "mxfp8": ("--bf16", "--fp8-format e4m3", "--fp8-recipe mxfp8"),
    "nvfp4": ("--bf16", "--fp4-format e2m1", "--fp4-recipe nvfp4"),
}
SHARDING = {2: "optim_grads", 3: "optim_grads_params"}
"""Megatron-FSDP's name of each ZeRO stage that the distributed optimizer does not have."""


def write_megatron(model: Model, system: System, layout: Layout, job: TrainingJob) -> dict[str, str]:
    """`megatron-lm.sh`: torchrun, the model's shape, the parallelism, the batch; "$@" overrides options.

    Raises InputError naming each thing that Megatron-LM cannot express.
    """
    problems = [
        *(Problem(one.message, one.axis) for one in contradictions(layout, divisible_of(model, job))),
        *_inexpressible_layout(layout, job),
        *_inexpressible_model(model),
    ]
    if problems:
        raise InputError(problems)
    num_nodes, per_node = nodes_of(layout, system)
    arrays = {
        "MODEL": _model_options(model, job),
        "EXPERTS": _expert_options(model, layout),
        "PARALLELISM": [*_parallel_options(model, layout), *_group_options(layout, job)],
        "TRAINING": _training_options(layout, job),
    }
    used = {name: options for name, options in arrays.items() if options}
    lines = [
        *header(f"Megatron-LM {FORMAT_VERSION}", model, system, layout),
        "# RoPE base, router scoring, dropout and the like are not part of a layout: add them.",
        "set -euo pipefail",
        "",
        f"NNODES={num_nodes}",
        f"GPUS_PER_NODE={per_node}",
        *_environment(layout),
        "",
        *(line for name, options in used.items() for line in option_array(name, options)),
        "torchrun \\",
        '  --nnodes "$NNODES" --nproc-per-node "$GPUS_PER_NODE" \\',
        '  --node-rank "${NODE_RANK:-${SLURM_NODEID:-0}}" \\',
        '  --master-addr "${MASTER_ADDR:-localhost}" --master-port "${MASTER_PORT:-6000}" \\',
        "  pretrain_gpt.py " + " ".join(f'"${{{name}[@]}}"' for name in used) + ' "$@"',
        "",
    ]
    return {"megatron-lm.sh": "\n".join(lines)}


def _inexpressible_layout(layout: Layout, job: TrainingJob) -> list[Problem]:
    problems = []
    if layout.schedule == "zero-bubble":
        problems.append(Problem("Megatron-LM has no zero-bubble schedule: 1f1b or interleaved", "schedule"))
    if layout.vpp > 1 and _num_microbatches(layout, job) < layout.pp:
        message = f"interleaving needs at least pp = {layout.pp} micro-batches per step"
        problems.append(Problem(f"{message}, found {_num_microbatches(layout, job)}", "vpp"))
    if job.precision not in PRECISIONS:
        problems.append(
            Problem(f"found {job.precision}, expected one of {', '.join(PRECISIONS)}", "precision")
        )
    if job.precision == "fp16" and layout.ep > 1:
        problems.append(Problem("Megatron-LM refuses expert parallelism in fp16: use bf16", "precision"))
    return problems


def _num_microbatches(layout: Layout, job: TrainingJob) -> int:
    return job.global_batch // (layout.dp * layout.micro_batch)


def _one(values: Iterable[object], key: str, what: str) -> list[Problem]:
    found = sorted({str(value) for value in values})
    message = f"Megatron-LM takes one {what} for all layers, found {', '.join(found)}"
    return [Problem(message, key)] if len(found) > 1 else []


def _same(records: list[Attention] | list[Experts], key: str, what: str) -> list[Problem]:
    fields = list(type(records[0]).model_fields) if records else []
    differing = [name for name in fields if len({getattr(record, name) for record in records}) > 1]
    message = f"Megatron-LM takes one {what} for all layers; here they differ in {', '.join(differing)}"
    return [Problem(message, key)] if differing else []


def _inexpressible_model(model: Model) -> list[Problem]:
    attentions = [block.attention for block in model.blocks]
    denses = [block.feed_forward for block in model.blocks if block.feed_forward]
    experts = [block.experts for block in model.blocks if block.experts]
    mlps: list[FeedForward | Experts] = [*denses, *experts]
    full = [attention.model_copy(update={"window_tokens": 0}) for attention in attentions]
    windows = (attention.window_tokens for attention in attentions if attention.window_tokens)
    biases = [*(mlp.bias for mlp in mlps), *(attention.out_bias for attention in attentions)]
    problems = [
        *_same(full, "blocks.attention", "attention shape"),
        *_one(windows, "blocks.attention.window_tokens", "window"),
        *_one((dense.hidden for dense in denses), "blocks.feed_forward.hidden", "feed-forward width"),
        *_same(experts, "blocks.experts", "shape of experts"),
        *_one((mlp.gated for mlp in mlps), "blocks.feed_forward.gated", "choice of gated activation"),
        *_one(biases, "blocks.feed_forward.bias", "choice of biases (all linear layers or none)"),
    ]
    if model.embedding_norm:
        problems.append(Problem("Megatron-LM has no norm after the embedding", "embedding_norm"))
    if model.num_norms_per_block != 2:
        found = model.num_norms_per_block
        problems.append(Problem(f"Megatron-LM has 2 norms per layer, found {found}", "num_norms_per_block"))
    if attentions[0].kind == "gqa" and attentions[0].v_head_dim != attentions[0].head_dim:
        message = "Megatron-LM makes value heads as wide as query heads"
        problems.append(Problem(message, "blocks.attention.v_head_dim"))
    return problems


def _model_options(model: Model, job: TrainingJob) -> list[str]:
    attention = model.blocks[0].attention
    mlps = [block.feed_forward or block.experts for block in model.blocks]
    dense = next((block.feed_forward for block in model.blocks if block.feed_forward), mlps[0])
    biased = any(mlp.bias for mlp in mlps if mlp)
    positions = model.num_learned_positions or max(model.max_positions, job.seq_len)
    return [
        f"--num-layers {model.num_layers}",
        f"--hidden-size {model.hidden}",
        *([f"--ffn-hidden-size {dense.hidden}"] if dense else []),
        f"--num-attention-heads {attention.num_heads}",
        *_attention_options(attention),
        *_window_options(model.blocks),
        f"--max-position-embeddings {positions}",
        f"--position-embedding-type {'learned_absolute' if model.num_learned_positions else 'rope'}",
        f"--normalization {'RMSNorm' if model.norm == 'rms' else 'LayerNorm'}",
        *(["--swiglu"] if dense and dense.gated else []),
        *([] if biased else ["--disable-bias-linear"]),
        *(["--add-qkv-bias"] if attention.qkv_bias and not biased else []),
        *([] if model.tied_head else ["--untie-embeddings-and-output-weights"]),
        *([f"--mtp-num-layers {model.num_mtp_layers}"] if model.num_mtp_layers else []),
        f"--vocab-size {model.vocab}",
    ]


def _attention_options(attention: Attention) -> list[str]:
    common = [
        *(["--qk-layernorm"] if attention.qk_norm else []),
        *(["--softmax-type learnable"] if attention.num_sinks else []),
    ]
    if attention.kind == "mla":
        return [
            "--multi-latent-attention",
            *([f"--q-lora-rank {attention.q_lora_rank}"] if attention.q_lora_rank else []),
            f"--kv-lora-rank {attention.kv_lora_rank}",
            f"--qk-head-dim {attention.head_dim - attention.qk_rope_head_dim}",
            f"--qk-pos-emb-head-dim {attention.qk_rope_head_dim}",
            f"--v-head-dim {attention.v_head_dim}",
            *common,
        ]
    groups = ["--group-query-attention", f"--num-query-groups {attention.num_kv_heads}"]
    grouped = attention.num_kv_heads < attention.num_heads
    return [*(groups if grouped else []), f"--kv-channels {attention.head_dim}", *common]


def _pattern(blocks: tuple[Block, ...], marks: list[bool]) -> str:
    """Megatron-LM's list expression for a per-layer switch: "([0]*3+[1]*58)"."""
    runs = (f"[{int(mark)}]*{block.count}" for block, mark in zip(blocks, marks, strict=True))
    return f"({'+'.join(runs)})"


def _window_options(blocks: tuple[Block, ...]) -> list[str]:
    marks = [block.attention.window_tokens > 0 for block in blocks]
    if not any(marks):
        return []
    window = max(block.attention.window_tokens for block in blocks)
    some = [] if all(marks) else [f'--window-attn-skip-freq "{_pattern(blocks, marks)}"']
    return [f"--window-size {window},0", *some]


def _expert_options(model: Model, layout: Layout) -> list[str]:
    experts = next((block.experts for block in model.blocks if block.experts), None)
    if experts is None:
        return []
    marks = [block.experts is not None for block in model.blocks]
    shared = f"--moe-shared-expert-intermediate-size {experts.shared_hidden}"
    return [
        f"--num-experts {experts.num_experts}",
        f"--moe-router-topk {experts.num_experts_per_token}",
        f"--moe-ffn-hidden-size {experts.hidden}",
        *([shared] if experts.shared_hidden else []),
        *(["--moe-shared-expert-gate"] if experts.shared_gate else []),
        *([f"--moe-router-num-groups {experts.num_groups}"] if experts.num_groups > 1 else []),
        *([f"--moe-router-group-topk {experts.num_groups_per_token}"] if experts.num_groups > 1 else []),
        *([] if all(marks) else [f'--moe-layer-freq "{_pattern(model.blocks, marks)}"']),
        "--moe-grouped-gemm",
        "--moe-token-dispatcher-type alltoall",
        f"--expert-model-parallel-size {layout.ep}",
        f"--expert-tensor-parallel-size {layout.etp}",
    ]


def _parallel_options(model: Model, layout: Layout) -> list[str]:
    return [
        f"--tensor-model-parallel-size {layout.tp}",
        *(["--sequence-parallel"] if layout.tp > 1 else []),
        f"--pipeline-model-parallel-size {layout.pp}",
        *_stage_options(model, layout),
        f"--context-parallel-size {layout.cp}",
        *_zero_options(layout),
        *(["--overlap-grad-reduce"] if layout.dp * layout.cp > 1 else []),
        *(["--overlap-param-gather"] if layout.zero and layout.dp * layout.cp > 1 else []),
    ]


def _stage_options(model: Model, layout: Layout) -> list[str]:
    stages = layout.pp * layout.vpp
    if model.num_layers % stages or (model.num_mtp_layers and stages > 1):
        return [f'--pipeline-model-parallel-layout "{_uneven_stages(model, stages)}"']
    return [f"--num-virtual-stages-per-pipeline-rank {layout.vpp}"] if layout.vpp > 1 else []


def _group_options(layout: Layout, job: TrainingJob) -> list[str]:
    """Micro-batches go through a virtual stage in groups of pp; the last may not be smaller."""
    total = _num_microbatches(layout, job)
    if layout.vpp == 1 or total % layout.pp == 0:
        return []
    fits = (size for size in range(layout.pp, total + 1) if not 0 < total % size < layout.pp)
    return [f"--microbatch-group-size-per-virtual-pipeline-stage {next(fits)}"]


def _uneven_stages(model: Model, stages: int) -> str:
    """Layers dealt out as they are priced, those that predict further tokens last: "Ettt|(tttt|)*2,tttL"."""
    layers = "t" * model.num_layers + "m" * model.num_mtp_layers
    edges = [int(layers_before(stage, len(layers), stages)) for stage in range(stages + 1)]
    chunks = [layers[start:end] for start, end in pairwise(edges)]
    chunks[0] = "E" + chunks[0]
    chunks[-1] += "L"
    runs = [(chunk, len(list(equal))) for chunk, equal in groupby(chunks)]
    text = "".join(f"({chunk}|)*{times}," if times > 1 else f"{chunk}|" for chunk, times in runs)
    return text.removesuffix("|")


def _zero_options(layout: Layout) -> list[str]:
    if not layout.zero:
        return []
    instances = layout.dp // layout.dp_shard if layout.dp_shard else 1
    copies = [f"--num-distributed-optimizer-instances {instances}"] if instances > 1 else []
    if layout.zero == 1:
        return ["--use-distributed-optimizer", *copies]
    sharding = f"--data-parallel-sharding-strategy {SHARDING[layout.zero]}"
    fsdp = ["--use-megatron-fsdp", sharding, "--ckpt-format fsdp_dtensor"]
    return ["--use-distributed-optimizer", *fsdp, *copies]


def _training_options(layout: Layout, job: TrainingJob) -> list[str]:
    recompute = {
        "none": [],
        "selective": ["--recompute-granularity selective"],
        "full": ["--recompute-granularity full", "--recompute-method uniform", "--recompute-num-layers 1"],
    }
    return [
        f"--seq-length {job.seq_len}",
        f"--micro-batch-size {layout.micro_batch}",
        f"--global-batch-size {job.global_batch}",
        *PRECISIONS[job.precision],
        *recompute[layout.recompute],
        "--mock-data",
        "--tokenizer-type NullTokenizer",
        '--train-iters "${TRAIN_ITERS:-50}"',
        '--lr "${LR:-1.0e-4}"',
    ]


def _environment(layout: Layout) -> list[str]:
    """Megatron-LM insists on one connection with TP or CP before Blackwell, and on several with its FSDP."""
    if layout.zero > 1:
        return ["unset CUDA_DEVICE_MAX_CONNECTIONS"]
    return ["export CUDA_DEVICE_MAX_CONNECTIONS=1"] if layout.tp * layout.cp > 1 else []
