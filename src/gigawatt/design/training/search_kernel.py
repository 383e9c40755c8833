"""The inner loops of the search: price every row of a table, then weigh every layout of one mesh.

Plain functions of arrays and tuples of numbers, in numba's subset, compiled by `gigawatt.kernels`
together with the cost functions that they call; uncompiled they are their own reference in the tests.
Records of arrays (`rows[b].tp`) stand for the named tuples of `terms`: fields by the same names.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.training.block import block_cost
from gigawatt.design.training.memory import (
    BlockFootprint,
    Books,
    Edges,
    block_footprint,
    stage_bytes,
    stage_load,
)
from gigawatt.design.training.step import Grid, StepCost, Weights, head_s, step_cost
from gigawatt.design.training.terms import BlockCost, BlockShape, Chip, Physics, Recipe, Split

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Records: TypeAlias = Any
"""Structured arrays, whose elements have the fields of a named tuple."""


class Question(NamedTuple):
    """What all layouts of a search share."""

    weights: Weights
    edges: Edges
    chip: Chip
    recipe: Recipe
    physics: Physics
    books: Books
    num_nodes: float
    global_batch: float
    capacity_bytes: float


class Table(NamedTuple):
    """Everything that depends on how one layer is split, priced once."""

    splits: Records
    """[rows] fields of Split."""
    layers: Records
    """[rows] fields of BlockCost: all layers, one micro-batch, s."""
    heads: Floats
    """[rows] s."""
    footprints: Records
    """[rows, kinds] fields of BlockFootprint."""
    keys: Ints
    """[rows] the order of rows in a tie."""


class Ends(NamedTuple):
    """What a schedule makes of a number of stages."""

    vpp: Floats
    """[schedules]"""
    bubble_frac: Floats
    """[schedules]"""
    stages: Floats
    """[schedules, candidates] stages of which one is the fullest."""
    held: Floats
    """[schedules, candidates, kinds] layers of each kind on those stages."""
    keys: Ints
    """[schedules] their order in a tie."""


class Kept(NamedTuple):
    """The best layouts of a mesh, sorted by step time, ties by key; the lightest; and what was counted."""

    step_s: Floats
    """[top]"""
    memory_bytes: Floats
    """[top]"""
    keys: Ints
    """[top]"""
    places: Ints
    """[top, 3] row, schedule and way to shard."""
    lightest_bytes: Floats
    """[1]"""
    lightest: Ints
    """[4] key, row, schedule and way to shard."""
    counts: Ints
    """[4] layouts weighed; of them fitting; not weighed, since their bound lost; faster than their bound."""


def record_type(fields: type[Any]) -> np.dtype[Any]:
    """Records with the fields of a named tuple, all of them floats."""
    return np.dtype([(name, np.float64) for name in fields._fields])


def price_rows(
    question: Question,
    shapes: Records,
    counts: Floats,
    splits: Records,
    layers: Floats,
    heads: Floats,
    footprints: Floats,
) -> None:
    """Fill in what each row of a table costs.

    `layers` [rows, fields], `heads` [rows], `footprints` [rows, kinds, fields].
    """
    hidden = question.weights.hidden
    chip, recipe, physics = question.chip, question.recipe, question.physics
    for row in range(splits.shape[0]):
        split = splits[row]
        heads[row] = head_s(question.weights, split, chip, recipe, physics)
        for kind in range(shapes.shape[0]):
            cost = block_cost(shapes[kind], hidden, split, chip, recipe, physics)
            for i in range(len(cost)):
                layers[row, i] += counts[kind] * cost[i]
            footprint = block_footprint(shapes[kind], hidden, split, recipe, question.books)
            for i in range(len(footprint)):
                footprints[row, kind, i] = footprint[i]


def price_layout(
    question: Question,
    shapes: Records,
    counts: Floats,
    table: Table,
    layers: Floats,
    footprints: Floats,
    ends: Ends,
    grid: Grid,
    peaks: Floats,
) -> StepCost:
    """The cost of the one layout whose split is the table's only row; fills in `peaks` [1] bytes.

    `layers` and `footprints` are the table's own columns as plain floats.
    """
    price_rows(question, shapes, counts, table.splits, layers, table.heads, footprints)
    shards = np.empty((1, 2))
    shards[0, 0], shards[0, 1] = grid.zero, grid.shard
    split = table.splits[0]
    fullest(question, grid, split, table.footprints[0], ends.stages[0], ends.held[0], shards, peaks)
    return step_cost(
        grid, question.weights, table.layers[0], table.heads[0], split, question.chip, question.recipe,
        question.physics, question.num_nodes,
    )  # fmt: skip


def weigh_mesh(
    question: Question,
    pp: float,
    dp: float,
    chosen: Ints,
    bounds: Floats,
    table: Table,
    ends: Ends,
    shards: Floats,
    prune: bool,
    kept: Kept,
) -> None:
    """Weigh every layout of a mesh; with `prune`, only of rows whose bound does not lose to the last kept.

    `chosen` are the mesh's rows of the table, `bounds` their least possible step times; `shards` [ways, 2]
    are ZeRO stages, each with the number of ranks that share.
    """
    peaks = np.zeros(shards.shape[0])
    last = kept.step_s.shape[0] - 1
    for index in range(chosen.shape[0]):
        row = chosen[index]
        split = table.splits[row]
        num_microbatches = question.global_batch / (dp * split.micro_batch)
        whole_rounds = num_microbatches % pp == 0.0
        for schedule in range(ends.vpp.shape[0]):
            vpp = ends.vpp[schedule]
            if vpp > 1.0 and not whole_rounds:
                continue
            if prune and bounds[index] > kept.step_s[last]:
                kept.counts[2] += shards.shape[0]
                continue
            grid = Grid(pp, vpp, dp, 0.0, dp, num_microbatches, ends.bubble_frac[schedule])
            fullest(
                question,
                grid,
                split,
                table.footprints[row],
                ends.stages[schedule],
                ends.held[schedule],
                shards,
                peaks,
            )
            for way in range(shards.shape[0]):
                grid = Grid(
                    pp, vpp, dp, shards[way, 0], shards[way, 1], num_microbatches, ends.bubble_frac[schedule]
                )
                cost = step_cost(
                    grid,
                    question.weights,
                    table.layers[row],
                    table.heads[row],
                    split,
                    question.chip,
                    question.recipe,
                    question.physics,
                    question.num_nodes,
                )
                kept.counts[0] += 1
                if cost.step_s < bounds[index]:
                    kept.counts[3] += 1
                key = ends.keys[schedule] + table.keys[row] + way * SHARD_RADIX
                keep(
                    kept,
                    cost.step_s,
                    peaks[way],
                    peaks[way] <= question.capacity_bytes,
                    key,
                    row,
                    schedule,
                    way,
                )


SCHEDULE_RADIX, SHARD_RADIX, ROW_RADIX = 1, 16, 2**16
VPP_RADIX = ROW_RADIX * 2**32
"""Ties go by the axes in order: virtual stages, experts and micro-batch, sharding, recompute, schedule."""


def fullest(
    question: Question,
    grid: Grid,
    split: Any,
    footprints: Records,
    stages: Floats,
    held: Floats,
    shards: Floats,
    peaks: Floats,
) -> None:
    """Fill in `peaks`: the fullest stage's bytes for each way to shard."""
    peaks[:] = 0.0
    for i in range(stages.shape[0]):
        load = stage_load(footprints, held[i])
        for way in range(shards.shape[0]):
            at = Grid(
                grid.pp,
                grid.vpp,
                grid.dp,
                shards[way, 0],
                shards[way, 1],
                grid.num_microbatches,
                grid.bubble_frac,
            )
            parts = stage_bytes(load, question.edges, split, at, question.recipe, question.books, stages[i])
            total = 0.0
            for part in parts:
                total += part
            peaks[way] = max(peaks[way], total)


def keep(
    kept: Kept, step_s: float, memory_bytes: float, fits: bool, key: int, row: int, schedule: int, way: int
) -> None:
    """Count a layout, and insert it where it belongs among the best, or as the lightest."""
    lighter = memory_bytes < kept.lightest_bytes[0]
    if lighter or (memory_bytes == kept.lightest_bytes[0] and key < kept.lightest[0]):
        kept.lightest_bytes[0] = memory_bytes
        kept.lightest[0], kept.lightest[1], kept.lightest[2], kept.lightest[3] = key, row, schedule, way
    if not fits:
        return
    kept.counts[1] += 1
    at = kept.step_s.shape[0]
    while at > 0 and (
        step_s < kept.step_s[at - 1] or (step_s == kept.step_s[at - 1] and key < kept.keys[at - 1])
    ):
        at -= 1
    for i in range(kept.step_s.shape[0] - 1, at, -1):
        kept.step_s[i] = kept.step_s[i - 1]
        kept.memory_bytes[i] = kept.memory_bytes[i - 1]
        kept.keys[i] = kept.keys[i - 1]
        kept.places[i] = kept.places[i - 1]
    if at < kept.step_s.shape[0]:
        kept.step_s[at] = step_s
        kept.memory_bytes[at] = memory_bytes
        kept.keys[at] = key
        kept.places[at, 0], kept.places[at, 1], kept.places[at, 2] = row, schedule, way


SPLIT, LAYERS, FOOTPRINT, SHAPE = (
    record_type(fields) for fields in (Split, BlockCost, BlockFootprint, BlockShape)
)
