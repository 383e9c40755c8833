"""A linear program with whole columns, put together from blocks of numpy arrays.

Columns and rows come in named blocks of any shape; coefficients are scattered by index arrays. Nothing here
knows what a column means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]
Ints = NDArray[np.int64]
INFINITE = float("inf")


@dataclass(frozen=True)
class Block:
    """Columns or rows of one meaning; `index` has the block's own shape."""

    name: str
    index: Ints


@dataclass
class Side:
    """Columns or rows, growing block by block: bounds, and for columns cost and wholeness."""

    blocks: dict[str, Block] = field(default_factory=dict)
    lower: list[Numbers] = field(default_factory=list)
    upper: list[Numbers] = field(default_factory=list)
    cost: list[Numbers] = field(default_factory=list)
    whole: list[NDArray[np.bool_]] = field(default_factory=list)
    count: int = 0

    def add(
        self,
        name: str,
        shape: Sequence[int],
        lower: ArrayLike,
        upper: ArrayLike,
        cost: ArrayLike = 0.0,
        whole: ArrayLike = False,
    ) -> Ints:
        """A block; returns the index of each of its members, in the block's shape."""
        size = int(np.prod(shape))
        index = np.arange(self.count, self.count + size).reshape(shape)
        if name in self.blocks:
            raise ValueError(f"two blocks are called {name}")
        self.blocks[name] = Block(name, index)
        for kept, value, kind in (
            (self.lower, lower, float),
            (self.upper, upper, float),
            (self.cost, cost, float),
            (self.whole, whole, bool),
        ):
            kept.append(np.broadcast_to(np.asarray(value, dtype=kind), shape).ravel())
        self.count += size
        return index

    def owner(self, index: int) -> tuple[str, tuple[int, ...]]:
        """The block of a column or row, and its place there."""
        for block in self.blocks.values():
            flat = block.index.ravel()
            if len(flat) and flat[0] <= index <= flat[-1]:
                place = np.unravel_index(index - int(flat[0]), block.index.shape)
                return block.name, tuple(int(one) for one in place)
        raise IndexError(index)


@dataclass
class Builder:
    """Blocks and coefficients on their way to a `Program`."""

    columns: Side = field(default_factory=Side)
    rows: Side = field(default_factory=Side)
    _row: list[Ints] = field(default_factory=list)
    _column: list[Ints] = field(default_factory=list)
    _value: list[Numbers] = field(default_factory=list)

    def put(self, rows: ArrayLike, columns: ArrayLike, values: ArrayLike) -> None:
        """Coefficients, by broadcast; those at a negative row or column are left out."""
        row, column, value = np.broadcast_arrays(rows, columns, np.asarray(values, dtype=float))
        row, column, value = row.ravel(), column.ravel(), value.ravel()
        kept = (row >= 0) & (column >= 0) & (value != 0)
        self._row.append(row[kept].astype(np.int64))
        self._column.append(column[kept].astype(np.int64))
        self._value.append(value[kept])

    def program(self) -> Program:
        """What has been put together."""
        from scipy.sparse import coo_matrix

        empty: list[Any] = [np.empty(0)]
        entries = np.concatenate(self._value or empty)
        where = (
            np.concatenate(self._row or empty).astype(np.int64),
            np.concatenate(self._column or empty).astype(np.int64),
        )
        matrix = coo_matrix((entries, where), shape=(self.rows.count, self.columns.count)).tocsc()
        matrix.sum_duplicates()
        matrix.sort_indices()
        return Program(
            cost=np.concatenate(self.columns.cost),
            lower=np.concatenate(self.columns.lower),
            upper=np.concatenate(self.columns.upper),
            whole=np.concatenate(self.columns.whole),
            row_lower=np.concatenate(self.rows.lower),
            row_upper=np.concatenate(self.rows.upper),
            starts=matrix.indptr.astype(np.int64),
            rows=matrix.indices.astype(np.int64),
            values=matrix.data.astype(float),
        )


@dataclass(frozen=True)
class Program:
    """Minimise cost' x with row_lower <= A x <= row_upper, lower <= x <= upper; A by columns."""

    cost: Numbers
    lower: Numbers
    upper: Numbers
    whole: NDArray[np.bool_]
    row_lower: Numbers
    row_upper: Numbers
    starts: Ints
    rows: Ints
    values: Numbers

    @property
    def num_columns(self) -> int:
        """How many columns there are."""
        return len(self.cost)

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        return len(self.row_lower)

    def with_columns(self, more: Columns) -> Program:
        """The same rows, with these columns after the others."""
        return Program(
            cost=np.concatenate([self.cost, more.cost]),
            lower=np.concatenate([self.lower, more.lower]),
            upper=np.concatenate([self.upper, more.upper]),
            whole=np.concatenate([self.whole, more.whole]),
            row_lower=self.row_lower,
            row_upper=self.row_upper,
            starts=np.concatenate([self.starts, more.starts[1:] + self.starts[-1]]),
            rows=np.concatenate([self.rows, more.rows]),
            values=np.concatenate([self.values, more.values]),
        )

    def activity(self, values: Numbers) -> Numbers:
        """A x."""
        column = np.repeat(np.arange(self.num_columns), np.diff(self.starts))
        total = np.bincount(self.rows, self.values * values[column], minlength=self.num_rows)
        return total.astype(float)

    def priced(self, duals: Numbers) -> Numbers:
        """Reduced cost of every column: cost - A' y."""
        column = np.repeat(np.arange(self.num_columns), np.diff(self.starts))
        worth = np.bincount(column, self.values * duals[self.rows], minlength=self.num_columns)
        return np.asarray(self.cost - worth, dtype=float)


@dataclass(frozen=True)
class Columns:
    """Columns to be added to a program, by columns."""

    cost: Numbers
    lower: Numbers
    upper: Numbers
    whole: NDArray[np.bool_]
    starts: Ints
    rows: Ints
    values: Numbers

    @classmethod
    def of(
        cls, cost: Numbers, upper: Numbers, whole: NDArray[np.bool_], rows: Ints, values: Numbers
    ) -> Columns:
        """From dense [columns, entries]; entries at a negative row are left out, equal rows are added up."""
        from scipy.sparse import coo_matrix

        column = np.broadcast_to(np.arange(len(cost))[:, None], rows.shape)
        kept = (rows >= 0) & (values != 0)
        height = int(rows.max(initial=0)) + 1
        matrix = coo_matrix((values[kept], (rows[kept], column[kept])), shape=(height, len(cost))).tocsc()
        matrix.sum_duplicates()
        matrix.sort_indices()
        return cls(
            cost=cost,
            lower=np.zeros(len(cost)),
            upper=upper,
            whole=whole,
            starts=matrix.indptr.astype(np.int64),
            rows=matrix.indices.astype(np.int64),
            values=matrix.data.astype(float),
        )
