"""Plans of single futures after a common root, put together over the tree of all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.branches import LEAF, OF_FUTURES, OF_NO_NODE, Part, Root, root_columns
from gigawatt.contract.futures import Tree
from gigawatt.contract.portfolio_model import Model, build_model
from gigawatt.contract.program import Block
from gigawatt.contract.signatures import Choice
from gigawatt.domain.portfolio import Roadmap

Numbers = NDArray[np.float64]
Blocks = dict[str, Block]
BY_FUTURE = ("undone", "run", "spot runs")
FUTURE_FIRST = ("budget",)


def assemble(
    roadmap: Roadmap, tree: Tree, root: Root, parts: Sequence[Part]
) -> tuple[Model, Numbers, Choice, Numbers]:
    """The model of all futures, values of its columns that are always there, and signatures with their units.

    `parts` are those of the futures, in the order of the tree.
    """
    model = build_model(roadmap, tree, risk=False)
    special = model.signatures.special
    width = model.builder.columns.count + len(special)
    values = np.zeros(width)
    values[root_columns(model, width)] = root.values
    position, month = np.nonzero(root.units)
    signed = Choice(position, month, np.zeros(len(position), dtype=np.int64))
    units = [root.units[position, month]]
    for number, part in enumerate(parts):
        leaf = tree.courses[number].nodes[-1]
        _copy(part.columns, part.values, model.builder.columns.blocks, values, leaf, number)
        values[width - len(special) + np.flatnonzero(special.node == leaf)] = part.special
        node = np.full(len(part.signed), leaf)
        signed = signed.joined(Choice(part.signed.position, part.signed.month, node))
        units.append(part.units)
    return model, values, signed, np.concatenate(units)


def assemble_duals(
    model: Model, rows: Sequence[Blocks], duals: Sequence[Numbers], chances: Numbers
) -> Numbers:
    """[rows of all futures]: prices of limits, from the rows and duals of each future's own program.

    What belongs to the root costs in each future what it costs there, weighed by its chance.
    """
    whole = model.builder.rows
    found = np.zeros(whole.count)
    for number, (blocks, mine) in enumerate(zip(rows, duals, strict=True)):
        weighed = mine * chances[number]
        _copy(blocks, weighed, whole.blocks, found, model.tree.courses[number].nodes[-1], number)
        for name, block in blocks.items():
            if name.split()[1:2] == ["0"]:
                found[whole.blocks[name].index] += weighed[block.index]
    return found


def _copy(branch: Blocks, values: Numbers, whole: Blocks, into: Numbers, leaf: int, number: int) -> None:
    """Values of a future's own columns or rows, to where they stand among those of all."""
    for name, block in branch.items():
        kind, *rest = name.split()
        if kind in FUTURE_FIRST:
            into[whole[name].index[number]] = values[block.index[0]]
        elif name in BY_FUTURE:
            into[whole[name].index[:, number]] = values[block.index[:, 0]]
        elif kind not in (*OF_FUTURES, *OF_NO_NODE, "right") and rest[0] == str(LEAF):
            into[whole[" ".join([kind, str(leaf), *rest[1:]])].index] = values[block.index]
