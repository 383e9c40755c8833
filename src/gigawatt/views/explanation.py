"""An explanation as lines of text: a tree, each figure with its law and its source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gigawatt.domain.explanation import Explanation
from gigawatt.views.table import Column

_MOST_FACTS = 6
"""Of one source below one figure; more are counted unless all are asked for."""


def explanation_lines(explanation: Explanation, every: bool = False) -> Iterator[str]:
    """The tree, deepest causes indented; a figure already shown is not opened again.

    Facts of one source stand together above it; of many the first ones, or `every` one.
    """
    yield from _lines(explanation, "", set(), every)


def value_text(explanation: Explanation) -> str:
    """The value in the unit that its key names."""
    parts = explanation.key.split("/")
    named = next((part for part in reversed(parts) if _has_unit(part)), parts[-1])
    return Column(named, "").text(explanation.value)


def _has_unit(name: str) -> bool:
    from gigawatt import units

    return units.suffix_of(name) is not None


def _named(explanation: Explanation) -> str:
    value = "" if explanation.value is None else f" = {value_text(explanation)}"
    of = f" of {explanation.label}" if explanation.label else ""
    return f"{explanation.key}{of}{value}   {explanation.pointer}"


def _lines(explanation: Explanation, indent: str, shown: set[str], every: bool) -> Iterator[str]:
    yield f"{indent}{_named(explanation)}"
    if explanation.pointer in shown:
        if explanation.inputs:
            yield f"{indent}  (see above)"
        return
    shown.add(explanation.pointer)
    if explanation.note:
        yield f"{indent}  {explanation.note}"
    for law in explanation.laws:
        yield f"{indent}  law {law.name}: {law.summary}".rstrip(": ")
        if law.source:
            yield f"{indent}    source: {law.source}"
    if explanation.source:
        yield f"{indent}  {_origin(explanation)}"
    for one in explanation.inputs:
        if not _is_fact(one):
            yield from _lines(one, indent + "  ", shown, every)
    yield from _facts([one for one in explanation.inputs if _is_fact(one)], indent + "  ", shown, every)


def _is_fact(explanation: Explanation) -> bool:
    return bool(explanation.basis) and not explanation.inputs


def _origin(explanation: Explanation) -> str:
    return f"from {explanation.source}{f', {explanation.basis}' if explanation.basis else ''}"


def _facts(facts: Sequence[Explanation], indent: str, shown: set[str], every: bool) -> Iterator[str]:
    by_origin: dict[str, list[Explanation]] = {}
    for one in facts:
        by_origin.setdefault(_origin(one), []).append(one)
    for origin, group in by_origin.items():
        new = [one for one in group if one.pointer not in shown]
        told = new if every else new[:_MOST_FACTS]
        for one in told:
            yield f"{indent}{_named(one)}"
            if one.note:
                yield f"{indent}  {one.note}"
        shown.update(one.pointer for one in group)
        if hidden := len(group) - len(told):
            yield f"{indent}... and {hidden} more (-v shows each once)"
        yield f"{indent}  {origin}"
