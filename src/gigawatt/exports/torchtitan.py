"""Write a layout for torchtitan: command-line overrides for 0.3.0, a TOML job file for 0.2.2.

Options are those of torchtitan/config/configs.py at 0.3.0 and of torchtitan/config/job_config.py at 0.2.2
(https://github.com/pytorch/torchtitan). 0.3.0 has no job files: a config function is named and overridden.
Where its number format is another one than asked for, a config function of our own goes beside the script.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from gigawatt.design.training.legal import contradictions, divisible_of
from gigawatt.domain.hardware import System
from gigawatt.domain.model import Model
from gigawatt.domain.training import Layout, TrainingJob
from gigawatt.errors import InputError, Problem
from gigawatt.exports.scripts import header, nodes_of, option_array
from gigawatt.exports.torchtitan_models import SHIPPED, Shipped, shipped_as

FORMAT_VERSION = "0.3.0"
TOML_VERSION = "0.2.2"
OWN_MODULE = "gigawatt_config"

_SCHEDULES = {"1f1b": "1F1B", "interleaved": "Interleaved1F1B", "zero-bubble": "InterleavedZeroBubble"}
_RESHARD = {0: "default", 1: "default", 2: "never", 3: "always"}
"""FSDP keeps gathered parameters until the backward pass (ZeRO-2) or gathers them again (ZeRO-3)."""
_CONVERTERS = {
    "fp8": 'Float8LinearConverter.Config(filter_fqns=["lm_head"], model_compile_enabled=True)',
    "mxfp8": "MXFP8LinearConverter.Config(model_compile_enabled=True)",
}
_TOML_CONVERTERS = {
    "bf16": ((), ()),
    "fp32": ((), ()),
    "fp8": (("quantize.linear.float8",), ("quantize.grouped_mm.float8",)),
    "mxfp8": (("quantize.linear.mx",), ("quantize.grouped_mm.mx",)),
}
"""Model converters of 0.2.2 by number format: for every model, and for experts besides."""
_NO_PIPELINE = frozenset({"qwen3", "gpt_oss"})
"""Modules that 0.2.2 does not pipeline."""


def write_torchtitan(model: Model, system: System, layout: Layout, job: TrainingJob) -> dict[str, str]:
    """`torchtitan.sh`, and `gigawatt_config.py` where torchtitan has no config in the job's number format.

    Raises InputError naming each thing that torchtitan 0.3.0 cannot express.
    """
    entries = [entry for entry in shipped_as(model) if entry.config]
    problems = [*_inexpressible(model, layout, job), *_expert_limits(model, layout)]
    if not entries:
        problems.append(
            _not_shipped(model, FORMAT_VERSION, sorted(entry.config for entry in SHIPPED if entry.config))
        )
    elif not _has_precision(entries, job.precision):
        problems.append(
            _no_precision(job.precision, sorted({e.precision for e in entries} | {"bf16", "fp32"}))
        )
    if problems:
        raise InputError(problems)
    num_nodes, per_node = nodes_of(layout, system)
    entry = next((entry for entry in entries if entry.precision == job.precision), entries[0])
    own = entry.precision != ("bf16" if job.precision == "fp32" else job.precision)
    config = f"{entry.config}_{job.precision}" if own else entry.config
    settings = {**_parallelism(model, layout), **_training(layout, job)}
    options = [f"--module {OWN_MODULE if own else entry.module}", f"--config {config}"]
    options += [f"--{key} {value}".removesuffix(" True") for key, value in settings.items()]
    lines = [
        *header(f"torchtitan {FORMAT_VERSION}", model, system, layout),
        "set -euo pipefail",
        "",
        f"NNODES={num_nodes}",
        f"GPUS_PER_NODE={per_node}",
        "",
        *option_array("OPTIONS", options),
        *(['export PYTHONPATH="$(dirname "$0"):${PYTHONPATH:-}"'] if own else []),
        "torchrun \\",
        '  --nnodes "$NNODES" --nproc-per-node "$GPUS_PER_NODE" \\',
        '  --rdzv-backend c10d --rdzv-endpoint "${MASTER_ADDR:-localhost}:${MASTER_PORT:-29500}" \\',
        f'  -m torchtitan.train "${{OPTIONS[@]}}" "$@" activation-checkpoint:{layout.recompute}',
        "",
    ]
    own_file = {f"{OWN_MODULE}.py": _config_function(entry, config, job.precision)} if own else {}
    return {"torchtitan.sh": "\n".join(lines)} | own_file


def write_torchtitan_toml(model: Model, system: System, layout: Layout, job: TrainingJob) -> dict[str, str]:
    """`torchtitan.toml`, the job file of torchtitan 0.2.2.

    Raises InputError naming each thing that torchtitan 0.2.2 cannot express.
    """
    entries = [entry for entry in shipped_as(model) if entry.flavor_2025]
    problems = _inexpressible(model, layout, job)
    if not entries:
        problems.append(
            _not_shipped(
                model, TOML_VERSION, [f"{e.module} {e.flavor_2025}" for e in SHIPPED if e.flavor_2025]
            )
        )
    elif layout.pp > 1 and entries[0].module in _NO_PIPELINE:
        problems.append(
            Problem(f"torchtitan {TOML_VERSION} does not pipeline {entries[0].module}; expected 1", "pp")
        )
    if job.precision not in _TOML_CONVERTERS:
        problems.append(_no_precision(job.precision, list(_TOML_CONVERTERS)))
    if _has_experts(model) and layout.etp not in {1, layout.tp}:
        problems.append(
            Problem(f"torchtitan cuts an expert 1 or tp = {layout.tp} ways, found {layout.etp}", "etp")
        )
    if _has_experts(model) and layout.ep == 1 and layout.etp != layout.tp:
        problems.append(_experts_cut_by_tp(layout))
    if problems:
        raise InputError(problems)
    nodes_of(layout, system)
    everywhere, experts = _TOML_CONVERTERS[job.precision]
    converters = [*everywhere, *(experts if _has_experts(model) else ())]
    settings: dict[str, object] = {
        "model.name": entries[0].module,
        "model.flavor": entries[0].flavor_2025,
        "model.converters": converters,
        **_training(layout, job),
        **_parallelism(model, layout),
        "parallelism.expert_tensor_parallel_degree": layout.etp,
        "activation_checkpoint.mode": layout.recompute,
        **({"activation_checkpoint.selective_ac_option": "op"} if layout.recompute == "selective" else {}),
        **({f"{name}.fqns": ["experts"] for name in converters if "grouped_mm" in name}),
    }
    settings.pop("training.disable_cuda_graphs", None)
    title = header(f"torchtitan {TOML_VERSION}", model, system, layout)[1:]
    return {"torchtitan.toml": "\n".join([*title, *_toml(settings)]) + "\n"}


def _has_experts(model: Model) -> bool:
    return any(block.experts for block in model.blocks)


def _not_shipped(model: Model, version: str, names: list[str]) -> Problem:
    return Problem(
        f"torchtitan {version} ships no config of {model.name}'s shape; it has {', '.join(names)}", "model"
    )


def _no_precision(found: str, names: list[str]) -> Problem:
    return Problem(f"found {found}; torchtitan trains this model in {', '.join(names)}", "precision")


def _has_precision(entries: list[Shipped], precision: str) -> bool:
    """By a shipped config, or by one of ours: converters of ours cover linear layers, not experts."""
    dense = entries[0].shape[3] == 0
    return precision in {
        "bf16",
        "fp32",
        *(entry.precision for entry in entries),
        *(_CONVERTERS if dense else ()),
    }


def _inexpressible(model: Model, layout: Layout, job: TrainingJob) -> list[Problem]:
    found = contradictions(layout, divisible_of(model, job))
    problems = [Problem(one.message, one.axis) for one in found]
    if layout.zero == 1 and layout.dp * layout.cp > 1:
        problems.append(
            Problem(
                "torchtitan shards with FSDP: expected zero 0, 2 or 3, found 1; search with --zero 2", "zero"
            )
        )
    if layout.zero == 0 and layout.cp > 1:
        problems.append(Problem("torchtitan always shards over cp: expected zero 2 or 3, found 0", "zero"))
    if layout.schedule == "zero-bubble" and layout.vpp == 1:
        message = (
            "torchtitan's zero-bubble schedules have several stages per rank; expected vpp of at least 2"
        )
        problems.append(Problem(message, "vpp"))
    microbatches = job.global_batch // (layout.dp * layout.micro_batch)
    if layout.vpp > 1 and microbatches % max(microbatches // layout.pp, 1):
        message = (
            f"{microbatches} micro-batches do not divide into the {microbatches // layout.pp} rounds of pp"
        )
        problems.append(Problem(message, "schedule"))
    if not found and layout.vpp > 1 and _layers_per_stage(model.num_layers, layout) is None:
        message = f"torchtitan cannot cut {model.num_layers} layers into {layout.pp * layout.vpp} stages"
        problems.append(Problem(message, "vpp"))
    return problems


def _expert_limits(model: Model, layout: Layout) -> list[Problem]:
    """0.3.0 spreads experts over ep ranks and cuts none; without ep, tensor parallelism cuts each."""
    if not _has_experts(model):
        return []
    if layout.ep > 1 and layout.etp > 1:
        return [
            Problem(
                f"torchtitan {FORMAT_VERSION} cuts no expert where ep is above 1; found {layout.etp}", "etp"
            )
        ]
    return [_experts_cut_by_tp(layout)] if layout.ep == 1 and layout.etp != layout.tp else []


def _experts_cut_by_tp(layout: Layout) -> Problem:
    return Problem(
        f"without ep, torchtitan cuts experts by tp: expected {layout.tp}, found {layout.etp}", "etp"
    )


def _shares(layout: Layout) -> tuple[int, int]:
    """(replicas, shards) of the data-parallel ranks."""
    if layout.zero == 0:
        return layout.dp, 1
    shards = layout.dp_shard or layout.dp
    return layout.dp // shards, shards


def _parallelism(model: Model, layout: Layout) -> dict[str, object]:
    replicas, shards = _shares(layout)
    return {
        "parallelism.data_parallel_replicate_degree": replicas,
        "parallelism.data_parallel_shard_degree": shards,
        "parallelism.fsdp_reshard_after_forward": _RESHARD[layout.zero],
        "parallelism.tensor_parallel_degree": layout.tp,
        "parallelism.context_parallel_degree": layout.cp,
        "parallelism.expert_parallel_degree": layout.ep,
        "parallelism.pipeline_parallel_degree": layout.pp,
        **(_stages(model.num_layers, layout) if layout.pp > 1 else {}),
    }


def _stages(num_layers: int, layout: Layout) -> dict[str, object]:
    """Stages of equal layers where they divide; else torchtitan's default, one layer less at each end."""
    per_stage = _layers_per_stage(num_layers, layout)
    less = int(num_layers % (layout.pp * layout.vpp) > 0)
    settings: dict[str, object] = {
        "parallelism.pipeline_parallel_schedule": _SCHEDULES[layout.schedule],
        "parallelism.pipeline_parallel_microbatch_size": layout.micro_batch,
        "parallelism.pipeline_parallel_first_stage_less_layers": less,
        "parallelism.pipeline_parallel_last_stage_less_layers": less,
    }
    return settings | (
        {"parallelism.pipeline_parallel_layers_per_stage": per_stage} if layout.vpp > 1 else {}
    )


def _layers_per_stage(num_layers: int, layout: Layout) -> int | None:
    """The setting from which torchtitan derives pp x vpp stages: ceil((layers + less) / setting)."""
    stages = layout.pp * layout.vpp
    counted = num_layers + 2 * (num_layers % stages > 0)
    return next((each for each in range(1, counted + 1) if math.ceil(counted / each) == stages), None)


def _training(layout: Layout, job: TrainingJob) -> dict[str, object]:
    """A rank's batch goes through the pipeline at once; without a pipeline it is one micro-batch."""
    local = job.global_batch // layout.dp if layout.pp > 1 else layout.micro_batch
    return {
        "training.seq_len": job.seq_len,
        "training.local_batch_size": local,
        "training.global_batch_size": job.global_batch,
        **({"training.mixed_precision_param": "float32"} if job.precision == "fp32" else {}),
        **({"training.disable_cuda_graphs": True} if layout.pp > 1 or layout.ep > 1 else {}),
    }


def _config_function(entry: Shipped, name: str, precision: str) -> str:
    converter = _CONVERTERS.get(precision, "")
    imports = (
        f"from torchtitan.components.quantization import {converter.partition('.')[0]}\n" if converter else ""
    )
    compiled = (
        '    config.compile = CompileConfig(enable=True, components=["model", "loss"])\n' if converter else ""
    )
    compile_import = "from torchtitan.config import CompileConfig\n" if converter else ""
    return (
        f'"""{entry.config} of torchtitan {FORMAT_VERSION} in {precision}."""\n\n'
        f"{imports}{compile_import}"
        f"from torchtitan.models.{entry.module} import model_registry\n"
        f"from torchtitan.models.{entry.module}.config_registry import {entry.config}\n"
        "from torchtitan.trainer import Trainer\n\n\n"
        f"def {name}() -> Trainer.Config:\n"
        f"    config = {entry.config}()\n"
        f"{compiled}"
        f'    config.model_spec = model_registry("{entry.flavor}", converters=[{converter}])\n'
        "    return config\n"
    )


def _toml(settings: Mapping[str, object]) -> list[str]:
    tables: dict[str, list[str]] = {}
    for key, value in settings.items():
        table, _, name = key.rpartition(".")
        tables.setdefault(table, []).append(f"{name} = {_toml_value(value)}")
    return [line for table, entries in tables.items() for line in ("", f"[{table}]", *entries)]


def _toml_value(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml_value(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
