"""The search for the best layout: every legal one is priced and weighed, none is sampled."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.training import explain
from gigawatt.design.training.axes import AXES, RECOMPUTES, SCHEDULES, Mesh, Row, Space, Tail
from gigawatt.design.training.context import Context, context_of
from gigawatt.design.training.legal import violations
from gigawatt.design.training.memory import peak_bytes
from gigawatt.design.training.predict import predict
from gigawatt.design.training.price import step_price
from gigawatt.design.training.shape import BUBBLE_FRAC
from gigawatt.design.training.step import Grid
from gigawatt.design.training.terms import Split
from gigawatt.domain.calibration import TrainingCalibration
from gigawatt.domain.hardware import Accelerator, System
from gigawatt.domain.model import Model
from gigawatt.domain.training import Binding, Layout, TrainingDesign, TrainingJob
from gigawatt.errors import InputError, Problem


class Found(NamedTuple):
    """A layout with what decides its rank. Ordered by step time, ties by the layout's axes."""

    figure: float
    key: tuple[int, ...]
    layout: Layout


@dataclass
class Tally:
    """What a search has seen so far."""

    top: int
    evaluated: int = 0
    fitting: int = 0
    best: list[Found] = field(default_factory=list)
    lightest: list[Found] = field(default_factory=list)

    def offer(self, kept: list[Found], limit: int, found: list[Found]) -> None:
        """Keep the first `limit` of what is kept and found."""
        kept[:] = sorted([*kept, *found], key=lambda one: one[:2])[:limit]


@dataclass(frozen=True)
class SearchReport:
    """How a search went. Not part of the artefact: times differ from run to run."""

    layouts_evaluated: int
    cpu_s: float


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
) -> TrainingDesign:
    """The best layouts of a training job on so many accelerators, why they win, and what they are sensitive to.

    `fixed` settles axes by name ("tp", "recompute", ...). Where no layout is legal or none fits, `binding` names
    the constraints and `nearest` the layout that misses by least.
    Errors: InputError for an illegal `asked` (with every rule that it breaks), an unknown axis, or a gap in the catalogue.
    """
    return search_layouts(
        model, system, accelerator, num_accelerators, job, calibration, fixed, top, asked, exhaustive
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
) -> tuple[TrainingDesign, SearchReport]:
    """As `design_training`, with how the search went."""
    begun_s = time.process_time()
    context = context_of(model, system, accelerator, num_accelerators, job, calibration)
    if asked is not None:
        _require_legal(context, asked)
    space = Space(model, num_accelerators, job, dict(fixed))
    tally = Tally(top)
    for mesh in space.meshes:
        _weigh(context, space, mesh, tally)
    report = SearchReport(tally.evaluated, time.process_time() - begun_s)
    return _design(context, space, tally, asked), report


def _require_legal(context: Context, asked: Layout) -> None:
    broken = violations(context.model, context.num_accelerators, context.job, asked)
    if broken:
        raise InputError([Problem(row.message, key=row.constraint) for row in broken])


def _design(context: Context, space: Space, tally: Tally, asked: Layout | None) -> TrainingDesign:
    best = tuple(predict(context, found.layout) for found in tally.best)
    nearest = predict(context, tally.lightest[0].layout) if tally.lightest and not best else None
    binding: tuple[Binding, ...] = ()
    if not best:
        binding = explain.memory_binding(nearest, tally.evaluated) if nearest else space.refused
    return TrainingDesign(
        model=context.model.id, system=context.system.id, num_accelerators=context.num_accelerators, job=context.job,
        layouts_evaluated=tally.evaluated, layouts_legal=tally.evaluated, layouts_fitting=tally.fitting,
        proven_optimal=bool(best), best=best, asked=predict(context, asked) if asked else None,
        reasons=explain.reasons(best), binding=binding, nearest=nearest,
        sensitivity=explain.sensitivity(context, best[0].layout) if best else (),
    )  # fmt: skip


def _weigh(context: Context, space: Space, mesh: Mesh, tally: Tally) -> None:
    """Price every layout of one division of the accelerators."""
    rows, tails = space.rows(mesh), space.tails(mesh)
    legal = space.legal(mesh, rows, tails)
    if not legal.any():
        return
    step_s, memory_bytes = evaluate(context, mesh, rows, tails)
    fits = legal & (memory_bytes <= context.capacity_bytes)
    tally.evaluated += int(legal.sum())
    tally.fitting += int(fits.sum())
    found = _smallest(space, mesh, rows, tails, np.where(fits, step_s, np.inf), tally.top)
    tally.offer(tally.best, tally.top, found)
    tally.offer(tally.lightest, 1, _smallest(space, mesh, rows, tails, np.where(legal, memory_bytes, np.inf), 1))


def evaluate(
    context: Context, mesh: Mesh, rows: Row, tails: Tail
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[rows, tails] Step time [s] and peak memory [bytes] of every layout of a mesh."""
    c, job = context, context.job
    split = Split(
        seq_len=float(job.seq_len), micro_batch=_column(rows.micro_batch), tp=float(mesh.tp), cp=float(mesh.cp),
        ep=_column(rows.ep), etp=_column(rows.etp),
        full=_column(rows.recompute == RECOMPUTES.index("full")),
        selective=_column(rows.recompute == RECOMPUTES.index("selective")),
    )  # fmt: skip
    bubbles = np.array([BUBBLE_FRAC[name] for name in SCHEDULES])
    grid = Grid(
        pp=float(mesh.pp), vpp=tails.vpp.astype(float)[None, :], dp=float(mesh.dp),
        zero=tails.zero.astype(float)[None, :], shard=float(mesh.dp * mesh.cp),
        num_microbatches=job.global_batch / (mesh.dp * split.micro_batch), bubble_frac=bubbles[tails.schedule][None, :],
    )  # fmt: skip
    cost = step_price(c.kinds, c.weights, split, grid, c.chip, c.recipe, c.physics, c.num_nodes)
    memory_bytes = peak_bytes(c.kinds, c.edges, split, grid, c.recipe, c.books)
    shape = (rows.ep.size, tails.vpp.size)
    return np.broadcast_to(cost.step_s, shape), np.broadcast_to(memory_bytes, shape)


def _column(values: NDArray[np.generic]) -> NDArray[np.float64]:
    return values.astype(np.float64)[:, None]


def _smallest(
    space: Space, mesh: Mesh, rows: Row, tails: Tail, figures: NDArray[np.float64], limit: int
) -> list[Found]:
    """The layouts with the `limit` smallest figures; all that tie with the last of them too, for a stable order."""
    flat = figures.ravel()
    last = np.partition(flat, min(limit, flat.size) - 1)[min(limit, flat.size) - 1]
    found = []
    for index in np.flatnonzero((flat <= last) & np.isfinite(flat)):
        row, tail = divmod(int(index), tails.vpp.size)
        layout = space.layout(mesh, rows, tails, row, tail)
        found.append(Found(float(flat[index]), _key(layout), layout))
    return found


def _key(layout: Layout) -> tuple[int, ...]:
    """A layout's axes as numbers, in the order in which ties are broken."""
    codes = {"recompute": RECOMPUTES.index(layout.recompute), "schedule": SCHEDULES.index(layout.schedule)}
    return tuple(codes.get(axis, getattr(layout, axis)) for axis in AXES)
