"""Read a layout from a torchtitan command line or TOML job file, of this and of earlier years."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator, Mapping

from gigawatt.design.training.legal import contradictions
from gigawatt.domain.training import Layout, Recompute, Schedule
from gigawatt.errors import InputError, Problem
from gigawatt.exports.imported import ImportedLayout, Setting, Settings, divisible_in, ignored_note
from gigawatt.exports.launch import Launch, options
from gigawatt.exports.torchtitan import FORMAT_VERSION, TOML_VERSION
from gigawatt.exports.torchtitan_models import SHIPPED, Shipped

OLD_NAMES = {
    "training.batch_size": "training.local_batch_size",
    "training.data_parallel_degree": "parallelism.data_parallel_shard_degree",
    "training.data_parallel_shard_degree": "parallelism.data_parallel_shard_degree",
    "training.data_parallel_replicate_degree": "parallelism.data_parallel_replicate_degree",
    "training.tensor_parallel_degree": "parallelism.tensor_parallel_degree",
    "training.fsdp_reshard_after_forward": "parallelism.fsdp_reshard_after_forward",
    "training.max_context_length": "training.seq_len",
    "experimental.pipeline_parallel_degree": "parallelism.pipeline_parallel_degree",
    "experimental.pipeline_parallel_schedule": "parallelism.pipeline_parallel_schedule",
    "experimental.pipeline_parallel_microbatches": "parallelism.num_pp_microbatches",
    "experimental.context_parallel_degree": "parallelism.context_parallel_degree",
    "parallelism.pipeline_parallel_microbatches": "parallelism.num_pp_microbatches",
}
"""Options of earlier and later releases -> the option of 0.3.0 that says the same."""

_SCHEDULES: dict[str, Schedule] = {
    "1F1B": "1f1b",
    "1f1b": "1f1b",
    "Interleaved1F1B": "interleaved",
    "InterleavedZeroBubble": "zero-bubble",
    "ZBVZeroBubble": "zero-bubble",
}
_AXES = {
    "tp": "tensor_parallel_degree",
    "pp": "pipeline_parallel_degree",
    "vpp": "pipeline_parallel_layers_per_stage",
    "cp": "context_parallel_degree",
    "ep": "expert_parallel_degree",
    "etp": "expert_tensor_parallel_degree",
    "dp_shard": "data_parallel_shard_degree",
    "schedule": "pipeline_parallel_schedule",
}
_PRECISIONS = {
    "float8": "fp8",
    "fp8": "fp8",
    "mxfp8": "mxfp8",
    "mx": "mxfp8",
    "nvfp4": "nvfp4",
    "bf16": "bf16",
}


def read_torchtitan(launch: Launch, file: str, num_accelerators: int, num_layers: int) -> ImportedLayout:
    """The layout that a torchtitan command line asks for, on top of the config function that it names.

    Raises InputError with every option that is wrong: where it stands, what was found, what is expected.
    """
    found, loose = options(launch.arguments)
    given = {_today(name): setting for name, setting in found.items()}
    for word in loose:
        if word.text.replace("_", "-").startswith("activation-checkpoint:"):
            mode = word.text.partition(":")[2]
            given["activation_checkpoint.mode"] = Setting(word.text, mode, word.line, word.column)
    config = str(given["config"].value) if "config" in given else ""
    entry = next(
        (
            e
            for e in sorted(SHIPPED, key=lambda e: -len(e.config))
            if e.config and config.startswith(e.config)
        ),
        None,
    )
    presets = {**entry.presets, "activation_checkpoint.mode": entry.recompute} if entry else {}
    settings = Settings(file, {key: Setting(key, value) for key, value in presets.items()} | given)
    if entry is None:
        settings.note(
            f"config `{config}` is not one of torchtitan's own; its presets are unknown, defaults were taken"
        )
    if "job.config_file" in settings:
        settings.note("the job file is not read with the command line: import it by itself")
    suffix = config.removeprefix(entry.config).strip("_") if entry else config.rpartition("_")[2]
    precision = _PRECISIONS.get(suffix) or (entry.precision if entry else "bf16")
    for key in ("module", "config"):
        settings.text(key)
    return _imported(
        settings, f"torchtitan {FORMAT_VERSION}", entry, num_accelerators, num_layers, precision, launch.notes
    )


def read_torchtitan_toml(text: str, file: str, num_accelerators: int, num_layers: int) -> ImportedLayout:
    """The layout in a TOML job file. Raises InputError with every setting that is wrong."""
    try:
        values = dict(_flat(tomllib.loads(text)))
    except tomllib.TOMLDecodeError as error:
        raise InputError(Problem(f"not TOML: {error}", file=file)) from error
    lines = _lines(text)
    given = {_today(key): Setting(key, value, lines.get(key, 0), 1) for key, value in values.items()}
    settings = Settings(file, given)
    module, flavor = settings.text("model.name"), settings.text("model.flavor")
    entry = next(
        (e for e in SHIPPED if e.module == module and flavor and e.flavor_2025.startswith(flavor)), None
    )
    converters = set(re.findall(r"\w+", settings.text("model.converters")))
    precision = next((name for part, name in _PRECISIONS.items() if part in converters), "bf16")
    return _imported(
        settings, f"torchtitan-toml {TOML_VERSION}", entry, num_accelerators, num_layers, precision, ()
    )


def _today(name: str) -> str:
    name = name.replace("-", "_")
    return OLD_NAMES.get(name, name)


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _lines(text: str) -> dict[str, int]:
    """Line of each `key =`, by dotted name."""
    lines, table = {}, ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([\w.]+)\s*\]", line):
            table = header.group(1) + "."
        elif entry := re.match(r"\s*([\w.]+)\s*=", line):
            lines[table + entry.group(1)] = number
    return lines


def _imported(
    settings: Settings,
    form: str,
    entry: Shipped | None,
    num_accelerators: int,
    num_layers: int,
    precision: str,
    notes: tuple[str, ...],
) -> ImportedLayout:
    model = _model(settings, entry, num_layers)
    has_experts = model.get("num_experts", _degree(settings, "expert_parallel") - 1) > 0
    layout = _layout(settings, model, has_experts, num_accelerators)
    batch = {
        "seq_len": settings.integer("training.seq_len", 2048),
        "global_batch": _global_batch(settings, layout),
    }
    if not settings.problems:
        for one in contradictions(layout, divisible_in({**model, **batch})):
            option = f"parallelism.{_AXES[one.axis]}" if one.axis in _AXES else "training.global_batch_size"
            settings.problem(option, one.message)
    settings.raise_problems()
    if settings.text("training.mixed_precision_param") == "float32":
        precision = "fp32"
    flushes = batch["global_batch"] // (layout.dp * _local_batch(settings)) if layout.pp > 1 else 1
    if flushes > 1:
        settings.note(f"the pipeline is flushed {flushes} times a step; a layout is taken to flush once")
    return ImportedLayout(
        format=form,
        layout=layout,
        job={**batch, "precision": precision},
        model={**model},
        notes=(*notes, *settings.notes, *ignored_note(settings)),
    )


def _model(settings: Settings, entry: Shipped | None, num_layers: int) -> dict[str, int]:
    if entry is None:
        return {"num_layers": num_layers} if num_layers else {}
    hidden, layers, heads, experts, vocab = entry.shape
    if num_layers and num_layers != layers:
        settings.note(f"{entry.module} {entry.flavor} has {layers} layers, not the {num_layers} given")
    return {
        "hidden": hidden,
        "num_layers": layers,
        "num_heads": heads,
        "num_experts": experts,
        "vocab": vocab,
    }


def _degree(settings: Settings, name: str) -> int:
    return settings.integer(f"parallelism.{name}_degree", 1)


def _layout(settings: Settings, model: Mapping[str, int], has_experts: bool, num_accelerators: int) -> Layout:
    tp, pp, cp = (_degree(settings, f"{name}_parallel") for name in ("tensor", "pipeline", "context"))
    replicas, shards = _replicas_and_shards(settings, num_accelerators, tp * pp * cp)
    ep = _degree(settings, "expert_parallel") if has_experts else 1
    experts_tp = _degree(settings, "expert_tensor_parallel")
    etp = experts_tp if ep > 1 else tp
    schedule = _schedule(settings, pp)
    return Layout(
        tp=tp,
        pp=pp,
        vpp=_virtual_stages(settings, model, pp, schedule),
        cp=cp,
        ep=ep,
        etp=etp if has_experts else 1,
        dp=replicas * shards,
        micro_batch=_micro_batch(settings, pp),
        zero=_zero(settings, replicas, shards, pp, cp),
        recompute=_recompute(settings),
        schedule=schedule,
        dp_shard=shards if replicas > 1 and (shards > 1 or cp > 1) else 0,
    )


def _replicas_and_shards(settings: Settings, num_accelerators: int, model_ranks: int) -> tuple[int, int]:
    key = "parallelism.data_parallel_shard_degree"
    replicas = _degree(settings, "data_parallel_replicate")
    shards = settings.integer(key, -1, least=-1)
    if shards > 0:
        total = replicas * shards * model_ranks
        if num_accelerators and total != num_accelerators:
            settings.problem(
                key,
                f"dp_replicate x dp_shard x tp x pp x cp = {total}, but {num_accelerators} GPUs are started",
            )
        return replicas, shards
    if not num_accelerators:
        settings.problem(
            key, "all remaining GPUs (-1), but the file does not say how many there are: give the number"
        )
        return replicas, 1
    if num_accelerators % (replicas * model_ranks):
        product = replicas * model_ranks
        settings.problem(
            key, f"dp_replicate x tp x pp x cp = {product} does not divide the {num_accelerators} GPUs"
        )
        return replicas, 1
    return replicas, num_accelerators // (replicas * model_ranks)


def _schedule(settings: Settings, pp: int) -> Schedule:
    chosen = settings.choice("parallelism.pipeline_parallel_schedule", "1F1B", _SCHEDULES)
    return _SCHEDULES[chosen] if pp > 1 else "1f1b"


def _virtual_stages(settings: Settings, model: Mapping[str, int], pp: int, schedule: Schedule) -> int:
    """Stages per rank: one for 1F1B, else as the job file lists, as layers per stage give, or 2."""
    ends = [
        settings.integer(f"parallelism.pipeline_parallel_{end}_stage_less_layers", 1, least=0)
        for end in ("first", "last")
    ]
    key = "parallelism.pipeline_parallel_layers_per_stage"
    parts = settings.by_key.get("parallelism.module_fqns_per_model_part")
    if pp == 1 or schedule == "1f1b":
        return 1
    if parts is not None and isinstance(parts.value, list):
        settings.text("parallelism.module_fqns_per_model_part")
        return len(parts.value) // pp
    if key not in settings:
        return 2
    each = settings.integer(key, 1)
    if "num_layers" not in model:
        settings.problem(key, "stages follow from the model's layers; the file does not give them")
        return 2
    stages = math.ceil((model["num_layers"] + sum(ends)) / each)
    if stages % pp:
        settings.problem(
            key, f"{stages} stages of {each} layers do not divide by the pipeline_parallel_degree, {pp}"
        )
        return 2
    return stages // pp


def _local_batch(settings: Settings) -> int:
    return settings.integer("training.local_batch_size", 8)


def _micro_batch(settings: Settings, pp: int) -> int:
    local = _local_batch(settings)
    if pp == 1:
        return local
    if "parallelism.num_pp_microbatches" in settings:
        return max(local // settings.integer("parallelism.num_pp_microbatches", 1), 1)
    return settings.integer("parallelism.pipeline_parallel_microbatch_size", 1)


def _global_batch(settings: Settings, layout: Layout) -> int:
    sequences = settings.integer("training.global_batch_size", -1, least=-1)
    return sequences if sequences > 0 else _local_batch(settings) * layout.dp


def _zero(settings: Settings, replicas: int, shards: int, pp: int, cp: int) -> int:
    policy = settings.choice(
        "parallelism.fsdp_reshard_after_forward", "default", ("default", "always", "never")
    )
    sharded = shards > 1 or cp > 1
    if not sharded and (replicas > 1 or policy == "default"):
        return 0
    return 3 if policy == "always" or (policy == "default" and pp == 1) else 2


def _recompute(settings: Settings) -> Recompute:
    modes = ("none", "selective", "full", "memory_budget", "memory-budget")
    mode = settings.choice("activation_checkpoint.mode", "selective", modes)
    every = settings.text("activation_checkpoint.selective_ac_option")
    if mode.startswith("memory"):
        settings.note("activation checkpointing by memory budget; taken as selective recompute")
    if mode == "selective" and every.isdigit():
        settings.note(f"every {every}. layer is recomputed in full; taken as selective recompute")
    return "none" if mode == "none" else "full" if mode == "full" else "selective"
