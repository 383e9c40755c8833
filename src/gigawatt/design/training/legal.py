"""Which layouts are legal, and what exactly keeps one from being so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gigawatt.domain.model import Model
from gigawatt.domain.training import Binding, Layout, TrainingJob


@dataclass(frozen=True)
class Divisible:
    """The numbers of a model and a job that a layout must divide; what is not known is None or empty."""

    num_layers: int | None = None
    num_heads: frozenset[int] = frozenset()
    num_kv_heads: frozenset[int] = frozenset()
    ffn_hidden: frozenset[int] = frozenset()
    num_experts: frozenset[int] | None = None
    """Empty for a dense model."""
    expert_hidden: frozenset[int] = frozenset()
    seq_len: int | None = None
    global_batch: int | None = None


@dataclass(frozen=True)
class Violation:
    """A rule that a layout breaks: its name, the axis at fault, and the numbers in words."""

    constraint: str
    axis: str
    message: str


_Found = Iterator[tuple[str, str, str]]
"""Constraint, axis, message."""


def divisible_of(model: Model, job: TrainingJob) -> Divisible:
    """Everything that a layout of this model and job must divide."""
    experts = [block.experts for block in model.blocks if block.experts]
    return Divisible(
        num_layers=model.num_layers + model.num_mtp_layers,
        num_heads=frozenset(block.attention.num_heads for block in model.blocks),
        num_kv_heads=frozenset(block.attention.num_kv_heads for block in model.blocks),
        ffn_hidden=frozenset(block.feed_forward.hidden for block in model.blocks if block.feed_forward),
        num_experts=frozenset(each.num_experts for each in experts),
        expert_hidden=frozenset(each.hidden for each in experts),
        seq_len=job.seq_len,
        global_batch=job.global_batch,
    )


def violations(model: Model, num_accelerators: int, job: TrainingJob, layout: Layout) -> tuple[Binding, ...]:
    """Every rule that a layout breaks, in words with the numbers; empty where it is legal."""
    broken = [
        *(Violation(*found) for found in _unpriced(num_accelerators, job, layout)),
        *contradictions(layout, divisible_of(model, job)),
    ]
    return tuple(Binding(constraint=one.constraint, message=one.message) for one in broken)


def _unpriced(num_accelerators: int, job: TrainingJob, x: Layout) -> _Found:
    """What some software runs and the laws of a step do not cover; and the size of the cluster."""
    if x.num_accelerators != num_accelerators:
        product = f"tp {x.tp} x pp {x.pp} x cp {x.cp} x dp {x.dp}"
        yield "accelerators", "dp", f"{product} is {x.num_accelerators}, not {num_accelerators}"
    if x.schedule == "zero-bubble" and x.vpp > 1:
        yield "schedule", "schedule", f"zero-bubble is known with one stage per rank, found vpp {x.vpp}"
    microbatches = job.global_batch // (x.dp * x.micro_batch)
    if x.vpp > 1 and microbatches % x.pp:
        message = f"{microbatches} micro-batches do not divide by pp {x.pp}, as interleaving needs"
        yield "interleaving", "vpp", message


def contradictions(layout: Layout, known: Divisible) -> list[Violation]:
    """What cannot be true of a layout and these numbers together, whichever software runs it."""
    rules = (_width, _batch, _pipeline, _experts, _sharding)
    return [Violation(*found) for rule in rules for found in rule(layout, known)]


def _width(x: Layout, known: Divisible) -> _Found:
    for heads in sorted(known.num_heads):
        if heads % x.tp:
            yield "heads", "tp", f"tp {x.tp} does not divide the {heads} attention heads"
    for heads in sorted(known.num_kv_heads):
        if heads % x.tp and x.tp % heads:
            message = f"tp {x.tp} neither divides nor is a multiple of the {heads} key-value heads"
            yield "kv heads", "tp", message
    for width in sorted(known.ffn_hidden):
        if width % x.tp:
            yield "ffn", "tp", f"tp {x.tp} does not divide the feed-forward width, {width}"


def _batch(x: Layout, known: Divisible) -> _Found:
    at_once, cut = x.dp * x.micro_batch, x.tp * x.cp
    if known.global_batch is not None and known.global_batch % at_once:
        message = f"dp x micro_batch = {at_once} does not divide the global batch, {known.global_batch}"
        yield "batch", "micro_batch", message
    if known.seq_len is None:
        return
    if x.cp > 1 and known.seq_len % (2 * x.cp):
        yield "sequence", "cp", f"2 x cp = {2 * x.cp} does not divide the sequence of {known.seq_len}"
    if x.tp > 1 and known.seq_len % cut:
        yield "sequence", "tp", f"tp x cp = {cut} does not divide the sequence of {known.seq_len}"


def _pipeline(x: Layout, known: Divisible) -> _Found:
    chunks, ends = x.pp * x.vpp, 2 * (x.vpp > 1)  # the ends may be embedding and head alone
    if known.num_layers is not None and chunks > known.num_layers + ends:
        message = f"{chunks} pipeline stages (pp x vpp) for {known.num_layers} layers leaves some empty"
        yield "layers", "pp", message
    if x.vpp > 1 and x.pp == 1:
        yield "interleaving", "vpp", f"{x.vpp} virtual stages need pipeline parallelism, found pp 1"
    if x.schedule == "1f1b" and x.vpp > 1:
        message = f"1f1b has one stage per rank, found vpp {x.vpp}: use interleaved"
        yield "schedule", "schedule", message
    if x.schedule == "interleaved" and x.vpp == 1:
        yield "schedule", "schedule", "interleaved needs vpp of at least 2, found 1"
    if x.schedule == "zero-bubble" and x.pp == 1:
        yield "schedule", "schedule", "zero-bubble needs pipeline parallelism, found pp 1"


def _experts(x: Layout, known: Divisible) -> _Found:
    if known.num_experts is None:
        return
    if not known.num_experts:
        for axis in ("ep", "etp"):
            if getattr(x, axis) > 1:
                yield "experts", axis, f"the model has no experts: {axis} is 1, found {getattr(x, axis)}"
        return
    for count in sorted(known.num_experts):
        if count % x.ep:
            yield "experts", "ep", f"ep {x.ep} does not divide the {count} experts"
    for width in sorted(known.expert_hidden):
        if width % x.etp:
            yield "experts", "etp", f"etp {x.etp} does not divide the expert's width, {width}"
    ranks = x.tp * x.cp * x.dp
    if ranks % (x.ep * x.etp):
        yield "experts", "ep", f"ep x etp = {x.ep * x.etp} does not divide tp x cp x dp = {ranks}"


def _sharding(x: Layout, known: Divisible) -> _Found:
    del known  # every rule has one shape
    name = "sharding group", "dp_shard"
    if x.dp_shard and x.dp % x.dp_shard:
        yield *name, f"a group of {x.dp_shard} does not divide the {x.dp} replicas (dp)"
    if x.dp_shard and not x.zero:
        yield *name, "sharding over some replicas needs zero of at least 1, found 0"
    if x.dp_shard == 1 and x.cp == 1 and x.dp > 1:
        yield *name, "sharding over one replica is no sharding; expected zero 0 or more replicas"
