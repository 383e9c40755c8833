"""A training question as the arrays that compiled kernels take; and one layout at a time through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.training import search_kernel as kernel
from gigawatt.design.training.axes import RECOMPUTES, SCHEDULES, Row
from gigawatt.design.training.context import Context
from gigawatt.design.training.memory import fullest_candidates, layers_on_stage
from gigawatt.design.training.shape import BUBBLE_FRAC, grid_of, split_of
from gigawatt.design.training.step import StepCost
from gigawatt.design.training.terms import BlockKind
from gigawatt.domain.training import Layout
from gigawatt.kernels import compiled


def question_of(context: Context) -> kernel.Question:
    """What all layouts of a context share, as numbers."""
    c = context
    return kernel.Question(
        weights=c.weights,
        edges=c.edges,
        chip=c.chip,
        recipe=c.recipe,
        physics=c.physics,
        books=c.books,
        num_nodes=float(c.num_nodes),
        global_batch=float(c.job.global_batch),
        capacity_bytes=float(c.capacity_bytes),
    )


def kinds_of(context: Context) -> tuple[NDArray[np.void], NDArray[np.float64]]:
    """[kinds] The shape of each kind of layer, and how many there are."""
    shapes = np.array([tuple(kind.shape) for kind in context.kinds], kernel.SHAPE)
    return shapes, np.array([kind.count for kind in context.kinds], float)


def ends_of(
    kinds: Sequence[BlockKind], pp: int, vpp: NDArray[np.int64], schedule: NDArray[np.int64]
) -> kernel.Ends:
    """What each schedule makes of `pp` stages: which may be the fullest, and what they hold."""
    chunks = vpp.astype(float)
    candidates = fullest_candidates(kinds, np.full_like(chunks, pp), chunks)
    distinct = [one for i, one in enumerate(candidates) if not any((one == c).all() for c in candidates[:i])]
    held = np.array([layers_on_stage(kinds, float(pp), chunks, stage) for stage in distinct])
    return kernel.Ends(
        vpp=chunks,
        bubble_frac=np.array([BUBBLE_FRAC[name] for name in SCHEDULES])[schedule],
        stages=np.stack(distinct, axis=1),
        held=np.ascontiguousarray(np.moveaxis(held, 2, 0)),
        keys=vpp * kernel.VPP_RADIX + schedule * kernel.SCHEDULE_RADIX,
    )


def price_table(context: Context, question: kernel.Question, tp: int, cp: int, rows: Row) -> kernel.Table:
    """Every row priced once, for all meshes with this tp and cp."""
    splits = np.zeros(rows.ep.size, kernel.SPLIT)
    splits["seq_len"], splits["tp"], splits["cp"] = context.job.seq_len, tp, cp
    splits["micro_batch"], splits["ep"], splits["etp"] = rows.micro_batch, rows.ep, rows.etp
    for name in ("full", "selective"):
        splits[name] = rows.recompute == RECOMPUTES.index(name)
    order = np.arange(rows.ep.size) // np.unique(rows.recompute).size
    table = _empty_table(splits, len(context.kinds))
    _fill(context, question, table)
    return table._replace(keys=order * kernel.ROW_RADIX + rows.recompute * len(RECOMPUTES))


def _empty_table(splits: NDArray[np.void], num_kinds: int) -> kernel.Table:
    num_rows = splits.size
    return kernel.Table(
        splits=splits,
        layers=np.zeros(num_rows, kernel.LAYERS),
        heads=np.zeros(num_rows),
        footprints=np.zeros((num_rows, num_kinds), kernel.FOOTPRINT),
        keys=np.zeros(num_rows, np.int64),
    )


def _fill(context: Context, question: kernel.Question, table: kernel.Table) -> None:
    num_rows = table.heads.size
    shapes, counts = kinds_of(context)
    layers = table.layers.view(float).reshape(num_rows, -1)
    footprints = table.footprints.view(float).reshape(num_rows, shapes.size, -1)
    compiled(kernel.price_rows)(question, shapes, counts, table.splits, layers, table.heads, footprints)


@dataclass(frozen=True)
class Price:
    """What one layout costs: seconds by cause, and bytes on its fullest accelerator."""

    cost: StepCost
    memory_bytes: float

    @property
    def step_s(self) -> float:
        """Seconds of one optimizer step."""
        return float(self.cost.step_s)


@dataclass(frozen=True)
class Pricer:
    """Prices single legal layouts of one context by the search's own kernels, in some tens of microseconds.

    `predict` gives the same figures with intervals, memory of every stage and labels.
    """

    context: Context

    def price(self, layout: Layout) -> Price:
        """Time and memory of one layout."""
        split, grid = split_of(layout, self.context.job), grid_of(layout, self.context.job)
        table, layers, footprints = self._buffers
        table.splits[0] = tuple(split)
        layers[:] = 0.0
        ends = self._ends(layout)
        peaks = np.zeros(1)
        cost = compiled(kernel.price_layout)(
            self._question, *self._kinds, table, layers, footprints, ends, grid, peaks
        )
        return Price(cost, float(peaks[0]))

    @cached_property
    def _question(self) -> kernel.Question:
        return question_of(self.context)

    @cached_property
    def _kinds(self) -> tuple[NDArray[np.void], NDArray[np.float64]]:
        return kinds_of(self.context)

    @cached_property
    def _buffers(self) -> tuple[kernel.Table, NDArray[np.float64], NDArray[np.float64]]:
        table = _empty_table(np.zeros(1, kernel.SPLIT), len(self.context.kinds))
        footprints = table.footprints.view(float).reshape(1, len(self.context.kinds), -1)
        return table, table.layers.view(float).reshape(1, -1), footprints

    @cached_property
    def _known_ends(self) -> dict[tuple[int, int, str], kernel.Ends]:
        return {}

    def _ends(self, layout: Layout) -> kernel.Ends:
        key = (layout.pp, layout.vpp, layout.schedule)
        if key not in self._known_ends:
            vpp, schedule = np.array([layout.vpp]), np.array([SCHEDULES.index(layout.schedule)])
            self._known_ends[key] = ends_of(self.context.kinds, layout.pp, vpp, schedule)
        return self._known_ends[key]
