"""The price of a layout in seconds: all layers, then the step. Numbers or arrays, as everything below."""

from __future__ import annotations

from collections.abc import Sequence

from gigawatt.design.training.block import block_cost
from gigawatt.design.training.step import Grid, StepCost, Weights, head_s, step_cost
from gigawatt.design.training.terms import BlockCost, BlockKind, Chip, Physics, Recipe, Split
from gigawatt.laws.numbers import Number


def layers_cost(
    kinds: Sequence[BlockKind], hidden: Number, split: Split, chip: Chip, recipe: Recipe, physics: Physics
) -> BlockCost:
    """One micro-batch through all layers, forward and backward: the sum over kinds of block."""
    total: BlockCost | None = None
    for shape, count in kinds:
        one = block_cost(shape, hidden, split, chip, recipe, physics)
        scaled = BlockCost(*(count * seconds for seconds in one))
        total = scaled if total is None else BlockCost(*(a + b for a, b in zip(total, scaled, strict=True)))
    assert total is not None
    return total


def step_price(
    kinds: Sequence[BlockKind],
    weights: Weights,
    split: Split,
    grid: Grid,
    chip: Chip,
    recipe: Recipe,
    physics: Physics,
    num_nodes: Number,
) -> StepCost:
    """One optimizer step, by cause."""
    layers = layers_cost(kinds, weights.hidden, split, chip, recipe, physics)
    head = head_s(weights, split, chip, recipe, physics)
    return step_cost(grid, weights, layers, head, split, chip, recipe, physics, num_nodes)
