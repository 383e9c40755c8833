"""The way back from a figure to what it rests on, read from a blueprint alone."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

from gigawatt.domain.explanation import Explanation, LawNote
from gigawatt.errors import InputError

_MAX_DEPTH = 8


def explain_figure(blueprint: Mapping[str, Any], pointer: str) -> Explanation:
    """What stands behind the figure at a JSON pointer of a blueprint (as read from its file).

    Raises InputError for a pointer that leads nowhere, with the keys that exist where it went astray.
    """
    pointer = "/" + pointer.strip("/")
    _look_up(blueprint, pointer)
    return _Trail(blueprint).explanation(pointer, 0)


class _Trail:
    def __init__(self, blueprint: Mapping[str, Any]) -> None:
        self.blueprint = blueprint
        self.derivations = {entry["figure"]: entry for entry in blueprint.get("derivations", ())}
        self.sources = {entry["key"]: entry for entry in blueprint.get("sources", ())}

    def explanation(self, pointer: str, depth: int) -> Explanation:
        found = _look_up(self.blueprint, pointer)
        parts = pointer.split("/")
        if parts[1] in ("facts", "assumptions") and len(parts) == 3:
            return self._stated(pointer, found)
        derivation, exact = self._derivation(pointer)
        laws = _part_laws(self.blueprint, pointer) or derivation.get("law", "").split(" + ")
        inputs = self._inputs(pointer, derivation, exact)
        return Explanation(
            pointer=pointer,
            key=_key(pointer, found),
            label=_part(self.blueprint, pointer).get("label", ""),
            value=found if isinstance(found, float | int | str | bool) else None,
            note=derivation.get("note", ""),
            laws=tuple(law_note(name) for name in dict.fromkeys(laws) if name),
            source="" if derivation else "the scenario",
            inputs=tuple(self.explanation(one, depth + 1) for one in inputs) if depth < _MAX_DEPTH else (),
        )

    def _stated(self, pointer: str, entry: Mapping[str, Any]) -> Explanation:
        source = self.sources.get(entry["source"], {})
        named = (source.get("title", entry["source"]), source.get("url", ""))
        title = " ".join(part for part in named if part)
        dated = entry.get("date", "")
        return Explanation(
            pointer=pointer,
            key=entry["key"],
            value=entry.get("value"),
            note=entry.get("note", "") or entry.get("label", ""),
            source=f"{title} ({dated})" if dated else title,
            basis=entry["basis"],
        )

    def _derivation(self, pointer: str) -> tuple[Mapping[str, Any], bool]:
        """The derivation of a figure, or of what it is part of; whether it is the figure's own."""
        head, _, last = pointer.rpartition("/")
        middle = f"{head}/{re.sub('^(low|high)_', '', last)}"
        if middle in self.derivations:
            return self.derivations[middle], True
        while pointer:
            if pointer in self.derivations:
                return self.derivations[pointer], False
            pointer = pointer.rpartition("/")[0]
        return {}, False

    def _inputs(self, pointer: str, derivation: Mapping[str, Any], exact: bool) -> Iterator[str]:
        if not exact and re.search(r"/best/\d+/(low_|high_)?step_s$", pointer):
            prediction = pointer.rpartition("/")[0]
            parts = _look_up(self.blueprint, f"{prediction}/parts")
            yield from (f"{prediction}/parts/{index}/time_s" for index in range(len(parts)))
        if "/parts/" not in pointer:
            yield from (one for one in derivation.get("inputs", ()) if one != pointer)


def _look_up(blueprint: Any, pointer: str) -> Any:
    found, walked = blueprint, ""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping) and name in found:
            found = found[name]
        elif isinstance(found, list | tuple) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            raise InputError(f"no figure {pointer}: {walked or '/'} has {_offers(found)}")
        walked += f"/{part}"
    return found


def _offers(found: Any) -> str:
    if isinstance(found, Mapping):
        return "the keys " + ", ".join(found)
    if isinstance(found, list | tuple):
        return f"{len(found)} entries, counted from 0"
    return f"the value {found!r} and nothing below it"


def _key(pointer: str, found: Any) -> str:
    if isinstance(found, Mapping):
        return str(found.get("id", pointer.rpartition("/")[2]))
    return pointer.rpartition("/")[2]


def _part(blueprint: Any, pointer: str) -> Mapping[str, Any]:
    """The part of a prediction that a figure belongs to; empty for other figures."""
    owner = _look_up(blueprint, pointer.rpartition("/")[0]) if "/parts/" in pointer else {}
    return owner if isinstance(owner, Mapping) else {}


def _part_laws(blueprint: Any, pointer: str) -> list[str]:
    """The law that a part of a prediction names itself."""
    law = _part(blueprint, pointer).get("law")
    return [law] if law else []


@lru_cache(maxsize=256)
def law_note(name: str) -> LawNote:
    """First sentence and source of the law of that dotted name (below `gigawatt`)."""
    module, _, function = name.rpartition(".")
    try:
        law = getattr(import_module(f"gigawatt.{module}"), function)
    except (ImportError, AttributeError):
        return LawNote(name=name)
    text = inspect.getdoc(law) or ""
    source = re.search(r"Source: (.*?)(?=\n\s*\n|>>>|\Z)", text, re.DOTALL)
    return LawNote(
        name=name,
        summary=text.split("\n\n")[0].replace("\n", " "),
        source=" ".join(source[1].split()).rstrip(":") if source else "",
    )
