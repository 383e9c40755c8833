"""What cannot be true of a layout, a model and a batch together, whichever system runs it."""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd

from gigawatt.domain.model import Model
from gigawatt.domain.training import Layout, TrainingJob

Found = list[tuple[str, str]]


def shape_of(model: Model) -> dict[str, int]:
    """The numbers of a model that a layout must divide."""
    attention = model.blocks[0].attention
    experts = [block.experts for block in model.blocks if block.experts]
    shape = {
        "num_layers": model.num_layers,
        "num_heads": attention.num_heads,
        "ffn_hidden": gcd(*(block.feed_forward.hidden for block in model.blocks if block.feed_forward)),
        "num_experts": max((each.num_experts for each in experts), default=0),
        "expert_hidden": gcd(*(each.hidden for each in experts)),
    }
    return shape if attention.kind == "mla" else shape | {"num_kv_heads": attention.num_kv_heads}


def batch_of(job: TrainingJob) -> dict[str, int]:
    """The numbers of a job that a layout must divide."""
    return {"seq_len": job.seq_len, "global_batch": job.global_batch}


def contradictions(layout: Layout, shape: Mapping[str, int], batch: Mapping[str, int]) -> Found:
    """(axis, message) for each thing that does not fit; what `shape` or `batch` lacks is not checked."""
    return [
        *_splits(layout, shape),
        *_stages(layout, shape),
        *_experts(layout, shape),
        *_batches(layout, batch),
    ]


def _splits(layout: Layout, shape: Mapping[str, int]) -> Found:
    found = []
    heads, kv_heads = shape.get("num_heads", layout.tp), shape.get("num_kv_heads", layout.tp)
    if heads % layout.tp:
        found.append(("tp", f"{layout.tp} does not divide the {heads} attention heads"))
    if kv_heads % layout.tp and layout.tp % kv_heads:
        found.append(
            ("tp", f"{layout.tp} neither divides nor is a multiple of the {kv_heads} key-value heads")
        )
    for name, what, axis in (
        ("ffn_hidden", "feed-forward width", "tp"),
        ("expert_hidden", "expert's width", "etp"),
    ):
        if shape.get(name, 0) % getattr(layout, axis):
            found.append((axis, f"{getattr(layout, axis)} does not divide the {what}, {shape[name]}"))
    if layout.dp_shard and layout.dp % layout.dp_shard:
        found.append(("dp_shard", f"{layout.dp_shard} does not divide the {layout.dp} replicas (dp)"))
    if layout.dp_shard and not layout.zero:
        found.append(("dp_shard", "sharding over some replicas needs zero of at least 1, found 0"))
    if layout.dp_shard == 1 and layout.cp == 1 and layout.dp > 1:
        found.append(
            ("dp_shard", "sharding over one replica is no sharding; expected zero 0 or more replicas")
        )
    return found


def _stages(layout: Layout, shape: Mapping[str, int]) -> Found:
    found = []
    stages, layers = layout.pp * layout.vpp, shape.get("num_layers")
    if layers is not None and stages > layers:
        found.append(("pp", f"{stages} pipeline stages (pp x vpp) for {layers} layers leaves some empty"))
    if layout.vpp > 1 and layout.pp == 1:
        found.append(("vpp", f"{layout.vpp} virtual stages need pipeline parallelism, found pp 1"))
    if layout.schedule == "1f1b" and layout.vpp > 1:
        found.append(("schedule", f"1f1b has one stage per rank, found vpp {layout.vpp}: use interleaved"))
    if layout.schedule == "interleaved" and layout.vpp == 1:
        found.append(("schedule", "interleaved needs vpp of at least 2, found 1"))
    if layout.schedule == "zero-bubble" and layout.pp == 1:
        found.append(("schedule", "zero-bubble needs pipeline parallelism, found pp 1"))
    return found


def _experts(layout: Layout, shape: Mapping[str, int]) -> Found:
    if "num_experts" not in shape:
        return []
    experts, ranks = shape["num_experts"], layout.tp * layout.cp * layout.dp
    if not experts:
        return [(axis, "the model has no experts: 1") for axis in ("ep", "etp") if getattr(layout, axis) > 1]
    if experts % layout.ep:
        return [("ep", f"{layout.ep} does not divide the {experts} experts")]
    if ranks % (layout.ep * layout.etp):
        return [("ep", f"ep x etp = {layout.ep * layout.etp} does not divide tp x cp x dp = {ranks}")]
    return []


def _batches(layout: Layout, batch: Mapping[str, int]) -> Found:
    found = []
    sequences, at_once = batch.get("global_batch", 0), layout.dp * layout.micro_batch
    if sequences % at_once:
        found.append(
            ("micro_batch", f"dp x micro_batch = {at_once} does not divide the global batch, {sequences}")
        )
    if layout.tp > 1 and batch.get("seq_len", 0) % (layout.tp * layout.cp):
        ranks = layout.tp * layout.cp
        found.append(("tp", f"tp x cp = {ranks} does not divide the sequence of {batch['seq_len']}"))
    if layout.cp > 1 and batch.get("seq_len", 0) % (2 * layout.cp):
        found.append(("cp", f"2 x cp = {2 * layout.cp} does not divide the sequence of {batch['seq_len']}"))
    return found
