"""Many measured runs as one batch of arrays, priced in one pass of the laws that price a single layout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.training.physics import recipe_of
from gigawatt.design.training.price import step_price
from gigawatt.design.training.shape import block_kinds, chip_of, grid_of, split_of, weights_of
from gigawatt.design.training.step import Grid, StepCost, Weights
from gigawatt.design.training.terms import BlockKind, BlockShape, Chip, Physics, Recipe, Split
from gigawatt.validation.rows import MeasuredRun

Floats = NDArray[np.float64]
TupleT = TypeVar("TupleT", bound=tuple[Any, ...])


@dataclass(frozen=True)
class Batch:
    """The runs as arrays [runs]; kinds of block beyond a model's own have count 0."""

    kinds: tuple[BlockKind, ...]
    weights: Weights
    split: Split
    grid: Grid
    chip: Chip
    recipe: Recipe
    num_nodes: Floats

    def price(self, physics: Physics) -> StepCost:
        """Every run's step by cause [runs] s."""
        return step_price(
            self.kinds, self.weights, self.split, self.grid, self.chip, self.recipe, physics, self.num_nodes
        )

    def with_recompute(self, full: Floats, selective: Floats) -> Batch:
        """The same runs with other recomputation."""
        split = self.split._replace(full=full, selective=selective)
        return Batch(self.kinds, self.weights, split, self.grid, self.chip, self.recipe, self.num_nodes)


def stack(rows: Sequence[TupleT]) -> TupleT:
    """Named tuples of numbers as one named tuple of arrays."""
    kind: Callable[..., TupleT] = type(rows[0])
    return kind(*(np.array(column, dtype=float) for column in zip(*rows, strict=True)))


def batch_of(runs: Sequence[MeasuredRun]) -> Batch:
    """Arrays of expressible runs."""
    kinds = [block_kinds(run.model) for run in runs]
    most = max(len(row) for row in kinds)
    padded = [row + (row[0]._replace(count=0.0),) * (most - len(row)) for row in kinds]
    columns = [[row[k] for row in padded] for k in range(most)]
    weights = [
        weights_of(
            row,
            float(run.model.hidden),
            float(run.model.vocab),
            float(run.model.tied_head),
            float(run.model.num_mtp_layers),
        )
        for row, run in zip(kinds, runs, strict=True)
    ]
    return Batch(
        kinds=tuple(_stack_kind(column) for column in columns),
        weights=stack(weights),
        split=stack([split_of(run.layout, run.job) for run in runs]),
        grid=stack([grid_of(run.layout, run.job) for run in runs]),
        chip=stack([_chip(run) for run in runs]),
        recipe=stack([recipe_of(run.setting) for run in runs]),
        num_nodes=np.array([run.num_nodes for run in runs]),
    )


def _stack_kind(column: Sequence[BlockKind]) -> BlockKind:
    shapes: BlockShape = stack([kind.shape for kind in column])
    return BlockKind(shapes, np.array([kind.count for kind in column]))


def _chip(run: MeasuredRun) -> Chip:
    chip = chip_of(run.accelerator, run.system, run.setting.format, run.layout.num_accelerators)
    return chip._replace(scale_out_bytes_per_s=run.scale_out_bytes_per_s or chip.scale_out_bytes_per_s)
