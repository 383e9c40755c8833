"""The search for the best layout: every legal one is priced and weighed, or proven unable to win.

A layer's cost depends on few axes, so it is priced once for each of their combinations. Meshes (tp x pp x
cp x dp) are then weighed by a compiled loop, the most promising first. A row of a mesh is skipped only
where its bound from below loses already against the worst layout that would still be shown: the answer is
that of an exhaustive search.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.training import explain
from gigawatt.design.training import search_kernel as kernel
from gigawatt.design.training.axes import (
    Mesh,
    Row,
    Space,
    Tail,
    layout_key,
    make_layout,
)
from gigawatt.design.training.context import Context, context_of
from gigawatt.design.training.legal import violations
from gigawatt.design.training.nearest import more_accelerators, remedies
from gigawatt.design.training.predict import predict
from gigawatt.design.training.step import least_step_s
from gigawatt.design.training.tables import ends_of, price_table, question_of
from gigawatt.domain.calibration import TrainingCalibration
from gigawatt.domain.fabric import Network
from gigawatt.domain.hardware import Accelerator, System
from gigawatt.domain.model import Model
from gigawatt.domain.training import Binding, Layout, TrainingDesign, TrainingJob, TrainingPrediction
from gigawatt.errors import InputError, Problem
from gigawatt.kernels import compiled


@dataclass(frozen=True)
class SearchReport:
    """How a search went. Not part of the artefact: times differ from run to run."""

    layouts_evaluated: int
    """Priced and weighed."""
    layouts_bounded: int
    """Proven unable to win by the bound of their row."""
    cpu_s: float

    @property
    def layouts_legal(self) -> int:
        """All that the search answers for."""
        return self.layouts_evaluated + self.layouts_bounded


def design_training(
    model: Model,
    system: System,
    accelerator: Accelerator,
    num_accelerators: int,
    job: TrainingJob,
    calibration: TrainingCalibration,
    fixed: Mapping[str, object] = {},
    top: int = 5,
    asked: Layout | None = None,
    exhaustive: bool = False,
    network: Network | None = None,
) -> TrainingDesign:
    """The best layouts of a training job on so many accelerators, why they win, what they are sensitive to.

    `fixed` settles axes by name ("tp", "recompute", ...). Where no layout is legal or none fits, `binding`
    names the constraints and `nearest` the layout that misses by least. `exhaustive` weighs also those
    layouts that a bound proves unable to win: the same answer, and the count of all that fit. `network` is
    the fabric between nodes; without it, none of its tiers is oversubscribed.
    Errors: InputError for an illegal `asked` (with every rule that it breaks), an unknown axis, or a gap in
    the catalogue.
    """
    return search_layouts(
        model, system, accelerator, num_accelerators, job, calibration, fixed, top, asked, exhaustive, network
    )[0]


def search_layouts(
    model: Model,
    system: System,
    accelerator: Accelerator,
    num_accelerators: int,
    job: TrainingJob,
    calibration: TrainingCalibration,
    fixed: Mapping[str, object] = {},
    top: int = 5,
    asked: Layout | None = None,
    exhaustive: bool = False,
    network: Network | None = None,
) -> tuple[TrainingDesign, SearchReport]:
    """As `design_training`, with how the search went."""
    begun_s = time.process_time()
    if top < 1:
        raise InputError(Problem(f"at least one layout has to be kept, found {top}", key="top"))
    context = context_of(model, system, accelerator, num_accelerators, job, calibration, network)
    if asked is not None:
        broken = violations(model, num_accelerators, job, asked)
        if broken:
            raise InputError([Problem(row.message, key=row.constraint) for row in broken])
    software = context.setting.software
    space = Space(model, num_accelerators, job, dict(fixed), software.schedules, software.zero_stages)
    search = Search(context, space, top)
    search.run(exhaustive)
    report = SearchReport(search.evaluated, search.bounded, time.process_time() - begun_s)
    return _design(search, asked, calibration), report


def _design(search: Search, asked: Layout | None, calibration: TrainingCalibration) -> TrainingDesign:
    context = search.context
    best = tuple(predict(context, found.layout) for found in search.best)
    binding, nearest = ((), None) if best else _what_binds(search, calibration)
    return TrainingDesign(
        model=context.model.id,
        system=context.system.id,
        num_accelerators=context.num_accelerators,
        job=context.job,
        layouts_evaluated=search.evaluated,
        layouts_legal=search.evaluated + search.bounded,
        layouts_fitting=search.fitting,
        proven_optimal=bool(best) and not search.wrong_bounds,
        best=best,
        asked=predict(context, asked) if asked else None,
        reasons=explain.reasons(best),
        binding=binding,
        nearest=nearest,
        sensitivity=explain.sensitivity(context, best[0].layout) if best else (),
    )


def _what_binds(
    search: Search, calibration: TrainingCalibration
) -> tuple[tuple[Binding, ...], TrainingPrediction | None]:
    """Why no layout works, and the one that is nearest to working."""
    context, space = search.context, search.space
    if search.lightest is not None:
        lightest = predict(context, search.lightest.layout)
        return explain.memory_binding(lightest, search.evaluated) + _enough(search, calibration), lightest
    found = list(remedies(space))
    if not found:
        return space.refused, None
    other = found[0]
    again = context_of(
        context.model,
        context.system,
        context.accelerator,
        other.num_accelerators,
        other.job,
        calibration,
        context.network,
    )
    moved = replace(space, num_accelerators=other.num_accelerators, job=other.job, fixed=other.fixed)
    nearby = Search(again, moved, 1)
    nearby.run(False)
    one = nearby.best[0] if nearby.best else nearby.lightest
    return (*space.refused, *(remedy.message for remedy in found)), predict(
        again, one.layout
    ) if one else None


def _enough(search: Search, calibration: TrainingCalibration) -> tuple[Binding, ...]:
    """How many accelerators of this kind the same job would fit on, by doublings."""
    context = search.context
    for space in more_accelerators(search.space):
        more = context_of(
            context.model,
            context.system,
            context.accelerator,
            space.num_accelerators,
            context.job,
            calibration,
            context.network,
        )
        wider = Search(more, space, 1)
        wider.run(False)
        if wider.best:
            return (explain.enough_binding(space.num_accelerators, wider.best[0].layout),)
    return ()


NO_KEY = np.iinfo(np.int64).max


class Found(NamedTuple):
    """A layout with what decides its rank: a figure, and its axes for ties."""

    figure: float
    key: tuple[int, ...]
    layout: Layout


class Part(NamedTuple):
    """One mesh of the search: which rows of its table are legal on it, and their bounds."""

    mesh: Mesh
    rows: Row
    table: kernel.Table
    chosen: NDArray[np.int64]
    """[rows of the mesh] index into the table."""
    least_s: NDArray[np.float64]
    """[rows of the mesh] No layout of the row has a shorter step."""


@dataclass
class Search:
    """A search in progress: what has been found and counted."""

    context: Context
    space: Space
    top: int
    best: list[Found] = field(default_factory=list)
    lightest: Found | None = None
    evaluated: int = 0
    fitting: int = 0
    bounded: int = 0
    wrong_bounds: int = 0
    """Layouts faster than their bound: none, or the proof is void."""

    def run(self, exhaustive: bool) -> None:
        """Weigh all parts, the most promising first."""
        for part in sorted(self.parts(), key=lambda part: (float(part.least_s.min()), part.mesh)):
            self._weigh(part, exhaustive)

    def parts(self) -> Iterator[Part]:
        """Every mesh with its priced rows."""
        meshes = sorted(self.space.meshes, key=lambda mesh: (mesh.tp, mesh.cp, mesh.pp))
        for (tp, cp), group in groupby(meshes, key=lambda mesh: (mesh.tp, mesh.cp)):
            yield from self._parts(tp, cp, list(group))

    def _parts(self, tp: int, cp: int, meshes: Sequence[Mesh]) -> Iterator[Part]:
        """The meshes that share one table."""
        space = self.space
        experts = sorted({pair for mesh in meshes for pair in space.experts(mesh)})
        micro_batches = sorted({size for mesh in meshes for size in space.micro_batches(mesh)})
        rows = space.rows(experts, micro_batches)
        if not rows.ep.size:
            return
        table = price_table(self.context, self.question, tp, cp, rows)
        pair, size = _places(experts, micro_batches, rows)
        for mesh in meshes:
            sizes, pairs = set(space.micro_batches(mesh)), set(space.experts(mesh))
            allowed = np.array([one in sizes for one in micro_batches])[size]
            allowed &= np.array([one in pairs for one in experts])[pair]
            chosen = np.flatnonzero(allowed)
            if chosen.size and space.tail(mesh).vpp.size:
                num_microbatches = self.context.job.global_batch / (mesh.dp * rows.micro_batch[chosen])
                least_s = least_step_s(
                    table.layers["total_s"][chosen], table.heads[chosen], mesh.pp, num_microbatches
                )
                yield Part(mesh, rows, table, chosen, least_s)

    def _weigh(self, part: Part, exhaustive: bool) -> None:
        mesh = part.mesh
        kept = self.nothing_kept(self.best[-1].figure if len(self.best) == self.top else np.inf)
        weigh_mesh = compiled(kernel.weigh_mesh)
        weigh_mesh(
            self.question,
            float(mesh.pp),
            float(mesh.dp),
            part.chosen,
            part.least_s,
            part.table,
            self.ends(mesh.pp),
            self.shards(mesh),
            not exhaustive,
            kept,
        )
        self._merge(part, self.space.tail(mesh), kept)

    def shards(self, mesh: Mesh) -> NDArray[np.float64]:
        """[ways, 2] ZeRO stages, each with the number of ranks that share."""
        tail = self.space.tail(mesh)
        ranks = np.where(tail.dp_shard > 0, tail.dp_shard, mesh.dp) * mesh.cp
        return np.stack([tail.zero, ranks], axis=1).astype(float)

    def nothing_kept(self, limit_s: float) -> kernel.Kept:
        """Where a mesh keeps its best: nothing yet, and nothing slower than `limit_s` will be."""
        return kernel.Kept(
            step_s=np.full(self.top, limit_s),
            memory_bytes=np.zeros(self.top),
            keys=np.full(self.top, NO_KEY),
            places=np.zeros((self.top, 3), np.int64),
            lightest_bytes=np.full(1, np.inf),
            lightest=np.zeros(4, np.int64),
            counts=np.zeros(4, np.int64),
        )

    def _merge(self, part: Part, tail: Tail, kept: kernel.Kept) -> None:
        weighed, fitting, bounded, wrong = (int(count) for count in kept.counts)
        self.evaluated += weighed
        self.fitting += fitting
        self.bounded += bounded
        self.wrong_bounds += wrong
        if weighed and (self.lightest is None or kept.lightest_bytes[0] <= self.lightest.figure):
            layout = make_layout(part.mesh, part.rows, tail, *kept.lightest[1:])
            found = Found(float(kept.lightest_bytes[0]), layout_key(layout), layout)
            self.lightest = min(self.lightest or found, found)
        for step_s, key, place in zip(kept.step_s, kept.keys, kept.places, strict=True):
            if key < NO_KEY:
                layout = make_layout(part.mesh, part.rows, tail, *place)
                self.best.append(Found(float(step_s), layout_key(layout), layout))
        self.best.sort(key=lambda found: found[:2])
        del self.best[self.top :]

    @cached_property
    def question(self) -> kernel.Question:
        """What all layouts share, as numbers."""
        return question_of(self.context)

    def ends(self, pp: int) -> kernel.Ends:
        """What the schedules make of `pp` stages."""
        if pp not in self._known_ends:
            tail = self.space.tail(Mesh(1, pp, 1, 1))
            self._known_ends[pp] = ends_of(self.context.kinds, pp, tail.vpp, tail.schedule)
        return self._known_ends[pp]

    @cached_property
    def _known_ends(self) -> dict[int, kernel.Ends]:
        return {}


def _places(
    experts: Sequence[tuple[int, int]], micro_batches: Sequence[int], rows: Row
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[rows] Which of the experts' pairs and of the micro-batches each row of their cross product has."""
    each = rows.ep.size // len(experts)
    place = np.arange(rows.ep.size)
    return place // each, place % each // (each // len(micro_batches))
