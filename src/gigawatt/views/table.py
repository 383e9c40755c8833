"""A table as every surface understands it: raw values, the unit of each column, and text on request."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gigawatt import units

Value = float | int | str | bool | None
_SHOWN_WHOLE_FROM = 1000


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `key` is stable for scripts and says the unit, `label` is for people."""

    key: str
    label: str
    right: bool = True
    digits: int = 3

    def text(self, value: Value) -> str:
        """A value as people read it."""
        if value is None:
            return "-"
        if isinstance(value, bool):
            return "yes" if value else "no"
        suffix = units.suffix_of(self.key)
        if isinstance(value, float | int) and suffix:
            return units.format_quantity(value, suffix, self.digits)
        if isinstance(value, int):
            return f"{value:,}"
        if isinstance(value, float):
            return f"{value:,.0f}" if abs(value) >= _SHOWN_WHOLE_FROM else f"{value:.{self.digits}g}"
        return value


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of raw values; `pointers` says for each row where in the artefact it stands."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    pointers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def texts(self) -> tuple[tuple[str, ...], ...]:
        """Every cell as people read it."""
        return tuple(
            tuple(column.text(value) for column, value in zip(self.columns, row, strict=True))
            for row in self.rows
        )

    def records(self) -> list[dict[str, Value]]:
        """Rows as mappings from column key to raw value."""
        keys = [column.key for column in self.columns]
        return [dict(zip(keys, row, strict=True)) for row in self.rows]


def text_column(key: str, label: str) -> Column:
    """A column of words, aligned to the left."""
    return Column(key, label, right=False)


def interval(middle: float | None, low: float | None, high: float | None, suffix: str) -> str:
    """A middle value with its 10 % and 90 % points, as text."""
    if middle is None:
        return "-"
    text = units.format_quantity(middle, suffix)
    if low is None or high is None or low == high:
        return text
    first, last = units.format_quantity(low, suffix), units.format_quantity(high, suffix)
    amount, _, unit = first.partition(" ")
    return f"{text} ({amount if unit and last.endswith(f' {unit}') else first} to {last})"


def without_blank_columns(table: Table) -> Table:
    """The table without columns that say nothing in any row."""
    kept = [n for n in range(len(table.columns)) if any(row[n] not in ("", None) for row in table.rows)]
    return replace(
        table,
        columns=tuple(table.columns[n] for n in kept),
        rows=tuple(tuple(row[n] for n in kept) for row in table.rows),
    )
