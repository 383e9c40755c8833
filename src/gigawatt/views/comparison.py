"""Two plans side by side, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from gigawatt.domain.comparison import Change, Comparison
from gigawatt.views.table import Column, Table, Value, text_column

_SHOWN_DIGITS = 12


def comparison_tables(comparison: Comparison) -> tuple[Table, ...]:
    """What changed in the inputs, and what that did to the answer."""
    return (_table("What went in", comparison.causes), _table("What came out", comparison.effects))


def _table(title: str, changes: Sequence[Change]) -> Table:
    return Table(
        title=title if changes else f"{title}: no difference",
        columns=(
            text_column("where", "Where"),
            text_column("key", "What"),
            Column("before", "Before"),
            Column("after", "After"),
        ),
        rows=tuple(
            (one.where, one.key, _text(one.key, one.before), _text(one.key, one.after)) for one in changes
        ),
    )


def _text(key: str, value: Value) -> str:
    if isinstance(value, str) and value.startswith("sha256:"):
        return value[: len("sha256:") + _SHOWN_DIGITS]
    return Column(key.rpartition("/")[2], "").text(value)
