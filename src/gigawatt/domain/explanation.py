"""What stands behind one figure of an artefact: a tree of figures, laws, facts and assumptions."""

from __future__ import annotations

from gigawatt.domain.record import Record


class LawNote(Record):
    """A law as its docstring presents it."""

    name: str
    """Dotted name below `gigawatt`."""
    summary: str = ""
    source: str = ""


class Explanation(Record):
    """One figure, how it came about, and what it came from."""

    pointer: str
    key: str
    """The name of the figure: its last part tells the unit."""
    label: str = ""
    """What the figure is of, where its name does not tell: the part of a step."""
    value: int | float | str | bool | None = None
    note: str = ""
    laws: tuple[LawNote, ...] = ()
    source: str = ""
    """Title and address of what states the value, for facts and assumptions."""
    basis: str = ""
    inputs: tuple[Explanation, ...] = ()
