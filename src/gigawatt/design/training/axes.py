"""The space of layouts: which values every axis may take, and which combinations are legal.

Rules are asked of `legal.violations`, axis by axis, so that a search and a prediction can never disagree on
them. Two things follow by construction instead: micro-batches divide a replica's share of the batch, and an
interleaved schedule takes whole rounds of micro-batches. Left out is what is legal but not sensible: ZeRO
where one rank holds everything, ZeRO-2 and -3 in a pipeline, which would scatter or gather anew for every
micro-batch, and chunks of unequal depth on a full stage, over which an interleaved schedule stalls (an axis
that is fixed is taken as it is). Only ZeRO-3 is tried on groups of replicas.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, prod
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.training.legal import violations
from gigawatt.domain.model import Model
from gigawatt.domain.training import Binding, Layout, Recompute, Schedule, TrainingJob
from gigawatt.errors import InputError, Problem

RECOMPUTES: tuple[str, ...] = get_args(Recompute)
SCHEDULES: tuple[str, ...] = get_args(Schedule)
ZEROS = (0, 1, 2, 3)
AXES = (
    "tp",
    "pp",
    "vpp",
    "cp",
    "ep",
    "etp",
    "dp",
    "micro_batch",
    "zero",
    "dp_shard",
    "recompute",
    "schedule",
)
"""Every axis that a search varies, in the order in which ties are broken."""


class Mesh(NamedTuple):
    """How the accelerators are divided: tp x pp x cp x dp of them."""

    tp: int
    pp: int
    cp: int
    dp: int


class Row(NamedTuple):
    """What decides the cost of a layer, apart from tp and cp."""

    ep: NDArray[np.int64]
    etp: NDArray[np.int64]
    micro_batch: NDArray[np.int64]
    recompute: NDArray[np.int64]
    """Index into RECOMPUTES."""


class Tail(NamedTuple):
    """What remains: how stages work together, and then replicas."""

    vpp: NDArray[np.int64]
    schedule: NDArray[np.int64]
    """[as vpp] Index into SCHEDULES."""
    zero: NDArray[np.int64]
    """Of its own length: every schedule goes with every way to shard."""
    dp_shard: NDArray[np.int64]
    """[as zero] Replicas over which ZeRO shards; 0 is all of them."""


def divisors(number: int) -> list[int]:
    """All divisors, ascending."""
    low = [d for d in range(1, int(number**0.5) + 1) if number % d == 0]
    return low + [number // d for d in reversed(low) if d * d != number]


@dataclass(frozen=True)
class Space:
    """All layouts of one job on so many accelerators, with some axes fixed."""

    model: Model
    num_accelerators: int
    job: TrainingJob
    fixed: Mapping[str, Any] = field(default_factory=dict)
    schedules: Sequence[str] = SCHEDULES
    """Those that the software runs; a fixed schedule overrides them."""
    zeros: Sequence[int] = ZEROS

    def __post_init__(self) -> None:
        _check_fixed(self.fixed)

    @cached_property
    def meshes(self) -> tuple[Mesh, ...]:
        """Every legal division of the accelerators, in order."""
        return tuple(mesh for mesh, broken in self._judged_meshes if not broken)

    @cached_property
    def refused(self) -> tuple[Binding, ...]:
        """Which rules keep divisions of the accelerators from being legal, and how many each refuses."""
        count: Counter[str] = Counter()
        message: dict[str, str] = {}
        for _, broken in self._judged_meshes:
            for name in {row.constraint for row in broken}:
                count[name] += 1
            for row in broken:
                message.setdefault(row.constraint, row.message)
        return tuple(
            Binding(constraint=name, message=message[name], num_layouts=number)
            for name, number in count.most_common()
        )

    @cached_property
    def _judged_meshes(self) -> list[tuple[Mesh, tuple[Binding, ...]]]:
        return [(mesh, self._broken(mesh)) for mesh in self._all_meshes()]

    def _all_meshes(self) -> Iterator[Mesh]:
        """Divisions of the accelerators; where what is fixed leaves none, the nearest that is illegal."""
        whole = divisors(self.num_accelerators)
        for tp in self._choices("tp", whole):
            for pp in self._choices("pp", whole):
                for cp in self._choices("cp", whole):
                    rest, over = divmod(self.num_accelerators, tp * pp * cp)
                    fixed = any(name in self.fixed for name in ("tp", "pp", "cp"))
                    if rest and (not over or fixed):
                        yield from (Mesh(tp, pp, cp, dp) for dp in self._choices("dp", [rest]))

    def _choices(self, axis: str, free: Sequence[Any]) -> Sequence[Any]:
        return [self.fixed[axis]] if axis in self.fixed else free

    def _broken(self, mesh: Mesh) -> tuple[Binding, ...]:
        """What is wrong with a division whatever the other axes are: at their smallest, or as fixed."""
        said = {
            name: self.fixed[name]
            for name in ("ep", "etp", "micro_batch", "vpp", "schedule")
            if name in self.fixed
        }
        if said.get("vpp", 1) > 1:
            said.setdefault("schedule", "interleaved")
        if said.get("schedule") == "interleaved":
            said.setdefault("vpp", 2)
        return violations(self.model, self.num_accelerators, self.job, Layout(**mesh._asdict(), **said))

    def experts(self, mesh: Mesh) -> list[tuple[int, int]]:
        """Legal (ep, etp) of a division."""
        return self._experts_by_ranks(mesh.tp * mesh.cp * mesh.dp)

    def _experts_by_ranks(self, ranks: int) -> list[tuple[int, int]]:
        known = self._experts_known
        if ranks not in known:
            eps, etps = self._expert_choices
            known[ranks] = [
                (ep, etp) for ep in eps for etp in etps
                if not violations(self.model, ranks, self._any_job, Layout(dp=ranks, ep=ep, etp=etp))
            ]  # fmt: skip
        return known[ranks]

    @cached_property
    def _experts_known(self) -> dict[int, list[tuple[int, int]]]:
        return {}

    @property
    def _any_job(self) -> TrainingJob:
        """A batch that any number of replicas divides, so that only the rule asked about is judged."""
        return self.job.model_copy(update={"global_batch": self.num_accelerators})

    def micro_batches(self, mesh: Mesh) -> Sequence[int]:
        """Every micro-batch that divides a replica's share of the batch."""
        share = self.job.global_batch // mesh.dp
        return [m for m in self._choices("micro_batch", divisors(share)) if share % m == 0]

    @cached_property
    def num_raw(self) -> int:
        """All combinations of values with tp x pp x cp x dp = accelerators, legal or not."""
        whole = divisors(self.num_accelerators)
        meshes: int = sum(
            self.num_accelerators % (tp * pp * cp) == 0
            for tp in self._choices("tp", whole)
            for pp in self._choices("pp", whole)
            for cp in self._choices("cp", whole)
        )
        experts, widths = self._expert_choices
        layers = self.model.num_layers + self.model.num_mtp_layers
        others = (
            experts, widths, self._choices("vpp", range(layers)), self._choices("zero", self.zeros),
            self._choices("micro_batch", divisors(self.job.global_batch)),
            self._choices("recompute", RECOMPUTES), self._choices("schedule", self.schedules),
        )  # fmt: skip
        return int(meshes * prod(len(one) for one in others))

    @property
    def _expert_choices(self) -> tuple[Sequence[int], Sequence[int]]:
        moes = [block.experts for block in self.model.blocks if block.experts]
        eps = self._choices("ep", divisors(min(moe.num_experts for moe in moes)) if moes else [1])
        return eps, self._choices("etp", divisors(min(moe.hidden for moe in moes)) if moes else [1])

    def rows(self, experts: Sequence[tuple[int, int]], micro_batches: Sequence[int]) -> Row:
        """Everything that the cost of a layer depends on besides tp and cp: the cross product, in order."""
        recomputes = [RECOMPUTES.index(name) for name in self._choices("recompute", RECOMPUTES)]
        pairs, micro, again = np.meshgrid(
            np.arange(len(experts)),
            np.asarray(micro_batches, np.int64),
            np.asarray(recomputes),
            indexing="ij",
        )
        table = np.asarray(experts, np.int64).reshape(-1, 2)[pairs.ravel()]
        return Row(table[:, 0], table[:, 1], micro.ravel(), again.ravel().astype(np.int64))

    def tail(self, mesh: Mesh) -> Tail:
        """Schedules with their virtual stages, in order, and ways to shard over replicas."""
        if mesh not in self._tails_known:
            self._tails_known[mesh] = self._tail(mesh)
        return self._tails_known[mesh]

    @cached_property
    def _tails_known(self) -> dict[Mesh, Tail]:
        return {}

    def _tail(self, mesh: Mesh) -> Tail:
        table = np.asarray(self._schedules(mesh.pp), np.int64).reshape(-1, 2)
        shards = [
            (zero, shard) for zero in self._choices("zero", _zeros(mesh, self.zeros))
            for shard in self._choices("dp_shard", _shards(mesh, zero)) if not shard or mesh.dp % shard == 0
        ]  # fmt: skip
        columns = np.asarray(shards, np.int64).reshape(-1, 2)
        return Tail(table[:, 0], table[:, 1], columns[:, 0], columns[:, 1])

    def _schedules(self, pp: int) -> list[tuple[int, int]]:
        known = self._schedules_known
        if pp not in known:
            layers = self.model.num_layers + self.model.num_mtp_layers
            vpps = self._choices("vpp", divisors(ceil(layers / pp)))
            names = self._choices("schedule", self.schedules)
            job = self.job.model_copy(update={"global_batch": pp})
            known[pp] = [
                (vpp, SCHEDULES.index(name)) for vpp in vpps for name in names
                if not violations(self.model, pp, job, Layout(pp=pp, vpp=vpp, schedule=name))
            ]  # fmt: skip
        return known[pp]

    @cached_property
    def _schedules_known(self) -> dict[int, list[tuple[int, int]]]:
        return {}


def make_layout(mesh: Mesh, rows: Row, tail: Tail, row: int, schedule: int, shard: int) -> Layout:
    """One layout as a record, from its place in each table."""
    return Layout(
        tp=mesh.tp,
        pp=mesh.pp,
        vpp=int(tail.vpp[schedule]),
        cp=mesh.cp,
        ep=int(rows.ep[row]),
        etp=int(rows.etp[row]),
        dp=mesh.dp,
        micro_batch=int(rows.micro_batch[row]),
        zero=int(tail.zero[shard]),
        dp_shard=int(tail.dp_shard[shard]),
        recompute=RECOMPUTES[rows.recompute[row]],
        schedule=SCHEDULES[tail.schedule[schedule]],
    )


def layout_key(layout: Layout) -> tuple[int, ...]:
    """A layout's axes as numbers, in the order in which ties are broken."""
    codes = {"recompute": RECOMPUTES.index(layout.recompute), "schedule": SCHEDULES.index(layout.schedule)}
    return tuple(codes[axis] if axis in codes else getattr(layout, axis) for axis in AXES)


def _zeros(mesh: Mesh, known: Sequence[int]) -> Sequence[int]:
    """Sharded gradients or parameters move with every micro-batch of a pipeline: not where ZeRO-1 will do."""
    if mesh.dp * mesh.cp == 1:
        return (0,)
    light = [zero for zero in known if zero <= 1] if 1 in known else list(known)
    return known if mesh.pp == 1 else light


def _shards(mesh: Mesh, zero: int) -> Sequence[int]:
    """All replicas; with ZeRO-3 also groups of them, as hybrid sharding has it."""
    return (0, *divisors(mesh.dp)[1:-1]) if zero == ZEROS[-1] else (0,)


def _check_fixed(fixed: Mapping[str, Any]) -> None:
    problems = [
        Problem(f"no such axis; a layout has {', '.join(AXES)}", key=str(name))
        for name in fixed
        if name not in AXES
    ]
    for name, choices in (("recompute", RECOMPUTES), ("schedule", SCHEDULES), ("zero", ZEROS)):
        if name in fixed and fixed[name] not in choices:
            problems.append(
                Problem(f"expected one of {', '.join(map(str, choices))}, found {fixed[name]!r}", key=name)
            )
    problems += [
        Problem(f"expected a whole number of at least {least}, found {fixed[name]!r}", key=name)
        for name, least in (*((axis, 1) for axis in AXES[:8]), ("dp_shard", 0))
        if name in fixed and not (isinstance(fixed[name], int) and fixed[name] >= least)
    ]
    if problems:
        raise InputError(problems)
