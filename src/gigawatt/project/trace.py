"""The trail behind the figures: facts, assumptions and derivations of a blueprint in the making."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gigawatt.domain.blueprint import Assumption, Derivation, Fact, Reference
from gigawatt.domain.record import Provenance, Sourced

_NOT_FACTS = frozenset(
    {
        "id",
        "name",
        "aliases",
        "source",
        "basis",
        "date",
        "note",
        "missing",
        "provenance",
        "status",
        "vendor",
        "architecture",
    }
)


class Trace:
    """Collects what a blueprint rests on and hands out the JSON pointer of each entry."""

    def __init__(self) -> None:
        self._facts: dict[str, Fact] = {}
        self._assumptions: dict[str, Assumption] = {}
        self._derivations: dict[str, Derivation] = {}

    def fact(self, key: str, value: float | str | bool, provenance: Provenance) -> str:
        """Note one value from the catalogue, once."""
        if key not in self._facts:
            self._facts[key] = Fact(
                key=key,
                value=value,
                source=provenance.source,
                basis=provenance.basis,
                date=provenance.date,
                note=provenance.note,
            )
        return f"/facts/{list(self._facts).index(key)}"

    def row(self, section: str, row: Sourced, fields: Iterable[str] = ()) -> dict[str, str]:
        """Note the values of a catalogue row; returns the pointers by field (`peak_flop_per_s/bf16`).

        Every value, or those of `fields` that the row has.
        """
        pointers = {}
        wanted = frozenset(fields)
        for field, value in row:
            if field in _NOT_FACTS or (wanted and field not in wanted):
                continue
            parts = value.items() if isinstance(value, Mapping) else [("", value)]
            for name, part in parts:
                path = f"{field}/{name}" if name else field
                if isinstance(part, bool | int | float):
                    key = f"{section}/{row.id}/{path}"
                    pointers[path] = self.fact(key, part, row.provenance_of(path.replace("/", ".")))
        return pointers

    def assume(self, key: str, label: str, value: float | str | None, origin: Provenance) -> str:
        """Note something that is taken for granted, once."""
        if key not in self._assumptions:
            self._assumptions[key] = Assumption(
                key=key, label=label, value=value, source=origin.source, basis=origin.basis, note=origin.note
            )
        return f"/assumptions/{list(self._assumptions).index(key)}"

    def derive(self, figure: str, law: str, inputs: Iterable[str], note: str = "") -> None:
        """Note how a figure came about; a blank law means that it is taken over as it is."""
        self._derivations[figure] = Derivation(figure=figure, law=law, inputs=tuple(inputs), note=note)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """In the order in which they were first used."""
        return tuple(self._facts.values())

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """In the order in which they were first made."""
        return tuple(self._assumptions.values())

    @property
    def derivations(self) -> tuple[Derivation, ...]:
        """Sorted by figure."""
        return tuple(self._derivations[figure] for figure in sorted(self._derivations))

    def references(self, bibliography: Iterable[Reference]) -> tuple[Reference, ...]:
        """Of a bibliography, what the facts and assumptions cite."""
        used = {fact.source for fact in self.facts} | {one.source for one in self.assumptions}
        cited = (entry for entry in bibliography if entry.key in used)
        return tuple(sorted(cited, key=lambda entry: entry.key))
