"""A table drawn to fit a terminal: whole, with wrapped cells, or row by row; words are never broken."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from gigawatt.views.table import Column, Table

_GAP = "  "


def drawn_lines(table: Table, width: int | None = None, with_pointers: bool = False) -> Iterator[str]:
    """The heads of the columns, then the rows. `width` is None where nothing needs to be wrapped."""
    columns, rows = _cells(table, with_pointers)
    wanted = [max(map(len, cells)) for cells in _by_column(columns, rows)]
    widths = wanted if width is None else _widths(wanted, _least(columns, rows), width)
    if widths is None:
        for row in rows:
            yield from _block(columns, row, width or 0)
        return
    heads = tuple(column.label for column in columns)
    for row in (heads, *rows):
        yield from _wrapped(columns, row, widths)


def _cells(table: Table, with_pointers: bool) -> tuple[tuple[Column, ...], list[tuple[str, ...]]]:
    rows = list(table.texts())
    if not (with_pointers and table.pointers):
        return table.columns, rows
    rows = [(*row, pointer) for row, pointer in zip(rows, table.pointers, strict=True)]
    return (*table.columns, Column("pointer", "Figure", right=False)), rows


def _by_column(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    for number, column in enumerate(columns):
        yield [column.label, *(row[number] for row in rows)]


def _least(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    """How narrow each column can be without breaking a word."""
    return [
        max((len(word) for cell in cells for word in cell.split()), default=0)
        for cells in _by_column(columns, rows)
    ]


def _widths(wanted: Sequence[int], least: Sequence[int], width: int) -> list[int] | None:
    """A width for each column, the spare room given to the neediest last; None if words would break."""
    spare = width - sum(least) - len(_GAP) * (len(least) - 1)
    if spare < 0:
        return None
    widths = list(least)
    needs = sorted(range(len(least)), key=lambda number: wanted[number] - least[number])
    for place, number in enumerate(needs):
        share = min(wanted[number] - least[number], spare // (len(needs) - place))
        widths[number] += share
        spare -= share
    return widths


def _wrapped(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    cells = [
        textwrap.wrap(cell, max(1, width), break_long_words=False, break_on_hyphens=False) if cell else []
        for cell, width in zip(row, widths, strict=True)
    ]
    for line in range(max(1, *map(len, cells))):
        texts = [cell[line] if line < len(cell) else "" for cell in cells]
        aligned = (
            text.rjust(width) if column.right else text.ljust(width)
            for column, text, width in zip(columns, texts, widths, strict=True)
        )
        yield _GAP.join(aligned).rstrip()


def _block(columns: Sequence[Column], row: Sequence[str], width: int) -> Iterator[str]:
    """One row as lines of label and value, under the columns that name it."""
    named = next((number for number, column in enumerate(columns) if column.label), 0) + 1
    yield " ".join(filter(None, row[:named]))
    reach = max((len(column.label) for column in columns[named:]), default=0)
    for column, cell in zip(columns[named:], row[named:], strict=True):
        if cell in ("", "-"):
            continue
        head = f"{_GAP * 2}{column.label.ljust(reach)}{_GAP}"
        yield from textwrap.wrap(
            cell,
            max(width, len(head) + 1),
            initial_indent=head,
            subsequent_indent=" " * len(head),
            break_long_words=False,
            break_on_hyphens=False,
        )
