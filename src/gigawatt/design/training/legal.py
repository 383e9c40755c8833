"""Which layouts are legal, and what exactly keeps one from being so."""

from __future__ import annotations

from collections.abc import Iterator

from gigawatt.domain.model import Model
from gigawatt.domain.training import Binding, Layout, TrainingJob


def violations(model: Model, num_accelerators: int, job: TrainingJob, layout: Layout) -> tuple[Binding, ...]:
    """Every rule that a layout breaks, in words with the numbers; empty where it is legal."""
    return tuple(
        Binding(constraint=name, message=message)
        for name, message in _broken(model, num_accelerators, job, layout)
    )


def _broken(model: Model, num_accelerators: int, job: TrainingJob, x: Layout) -> Iterator[tuple[str, str]]:
    if x.num_accelerators != num_accelerators:
        yield (
            "accelerators",
            f"tp {x.tp} x pp {x.pp} x cp {x.cp} x dp {x.dp} is {x.num_accelerators}, not {num_accelerators}",
        )
    yield from _broken_width(model, x)
    yield from _broken_batch(job, x)
    yield from _broken_pipeline(model, job, x)
    yield from _broken_experts(model, x)
    if x.dp_shard and x.dp % x.dp_shard:
        yield "sharding group", f"dp {x.dp} is not a multiple of the sharding group {x.dp_shard}"


def _broken_width(model: Model, x: Layout) -> Iterator[tuple[str, str]]:
    for block in model.blocks:
        heads, kv_heads = block.attention.num_heads, block.attention.num_kv_heads
        if heads % x.tp:
            yield "heads", f"{heads} attention heads do not divide by tp {x.tp}"
        if kv_heads % x.tp and x.tp % kv_heads:
            yield "kv heads", f"{kv_heads} KV heads and tp {x.tp} divide neither way"
        if block.feed_forward and block.feed_forward.hidden % x.tp:
            yield "ffn", f"feed-forward width {block.feed_forward.hidden} does not divide by tp {x.tp}"


def _broken_batch(job: TrainingJob, x: Layout) -> Iterator[tuple[str, str]]:
    if job.global_batch % (x.dp * x.micro_batch):
        yield (
            "batch",
            f"global batch {job.global_batch} does not divide by dp {x.dp} x micro-batch {x.micro_batch}",
        )
    if x.cp > 1 and job.seq_len % (2 * x.cp):
        yield "sequence", f"sequence {job.seq_len} does not divide into 2 x cp {x.cp} balanced chunks"
    if x.tp > 1 and job.seq_len % (x.tp * x.cp):
        yield "sequence", f"sequence {job.seq_len} does not divide by tp {x.tp} x cp {x.cp}"


def _broken_pipeline(model: Model, job: TrainingJob, x: Layout) -> Iterator[tuple[str, str]]:
    layers = model.num_layers + model.num_mtp_layers
    if x.pp * x.vpp > layers + 2 * (x.vpp > 1):  # the ends may be embedding and head alone
        yield "layers", f"{layers} layers are fewer than pp {x.pp} x vpp {x.vpp} chunks"
    if x.vpp > 1 and x.pp == 1:
        yield "interleaving", f"vpp {x.vpp} needs more than one pipeline stage"
    if (x.vpp > 1) != (x.schedule == "interleaved"):
        yield "schedule", f"schedule {x.schedule} and vpp {x.vpp} contradict each other"
    if x.schedule == "zero-bubble" and x.pp == 1:
        yield "schedule", "a zero-bubble schedule needs more than one pipeline stage"
    microbatches = job.global_batch // (x.dp * x.micro_batch)
    if x.vpp > 1 and microbatches % x.pp:
        yield (
            "interleaving",
            f"{microbatches} micro-batches do not divide by pp {x.pp}, as interleaving needs",
        )


def _broken_experts(model: Model, x: Layout) -> Iterator[tuple[str, str]]:
    experts = [block.experts for block in model.blocks if block.experts]
    if not experts and (x.ep > 1 or x.etp > 1):
        yield "experts", f"{model.name} has no experts: ep and etp are 1"
    for moe in experts:
        if moe.num_experts % x.ep:
            yield "experts", f"{moe.num_experts} experts do not divide by ep {x.ep}"
        if moe.hidden % x.etp:
            yield "experts", f"expert width {moe.hidden} does not divide by etp {x.etp}"
    if experts and (x.tp * x.cp * x.dp) % (x.ep * x.etp):
        yield "experts", f"tp x cp x dp {x.tp * x.cp * x.dp} does not divide by ep x etp {x.ep * x.etp}"
