"""An explanation as lines of text: a tree, each figure with its law and its source."""

from __future__ import annotations

from collections.abc import Iterator

from gigawatt.domain.explanation import Explanation
from gigawatt.views.table import Column


def explanation_lines(explanation: Explanation) -> Iterator[str]:
    """The tree, deepest causes indented; a figure already shown is not opened again."""
    yield from _lines(explanation, "", set())


def value_text(explanation: Explanation) -> str:
    """The value in the unit that its key names."""
    parts = explanation.key.split("/")
    named = next((part for part in reversed(parts) if _has_unit(part)), parts[-1])
    return Column(named, "").text(explanation.value)


def _has_unit(name: str) -> bool:
    from gigawatt import units

    return units.suffix_of(name) is not None


def _lines(explanation: Explanation, indent: str, shown: set[str]) -> Iterator[str]:
    value = "" if explanation.value is None else f" = {value_text(explanation)}"
    of = f" of {explanation.label}" if explanation.label else ""
    yield f"{indent}{explanation.key}{of}{value}   {explanation.pointer}"
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
        basis = f", {explanation.basis}" if explanation.basis else ""
        yield f"{indent}  from {explanation.source}{basis}"
    for one in explanation.inputs:
        yield from _lines(one, indent + "  ", shown)
