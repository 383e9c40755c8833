"""Reading a foreign configuration key by key, keeping every problem for one report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from gigawatt.errors import InputError, Problem

ItemT = TypeVar("ItemT", int, str)

_SHOWN_CHARACTERS = 40


class ConfigKeys:
    """A mapping whose values are asked for by name, kind and range.

    What is missing or wrong is noted, and a harmless value is handed on so that reading continues; `check`
    raises everything that was noted at once.
    """

    def __init__(self, config: Mapping[str, Any], prefix: str = "") -> None:
        self._config = config
        self._prefix = prefix
        self.problems: list[Problem] = []

    def note(self, key: str, message: str) -> None:
        """Keeps one problem, once."""
        problem = Problem(message, key=self._prefix + key)
        if problem not in self.problems:
            self.problems.append(problem)

    def check(self) -> None:
        """Raises InputError with all problems noted so far, if any."""
        if self.problems:
            raise InputError(self.problems)

    def has(self, *names: str) -> bool:
        """Whether one of the names is present and not null."""
        return self._find(names)[1] is not None

    def mentions(self, name: str) -> bool:
        """Whether the name is present, be it null."""
        return name in self._config

    def raw(self, *names: str) -> Any:
        """The value as it stands; None where absent or null."""
        return self._find(names)[1]

    def count(self, *names: str, default: int | None = None, low: int = 1, high: int = 1_000_000_000) -> int:
        """A whole number in [low, high] under the first of `names` present; `default` where none is."""
        key, value = self._find(names)
        if value is None:
            return self._missing(names, "a whole number", low) if default is None else default
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self.note(key, f"found {_shown(value)}, expected a whole number")
            return max(low, 1)
        if not low <= value <= high:
            self.note(key, f"found {value}, expected a whole number from {low} to {high}")
            return max(low, 1)
        return value

    def flag(self, *names: str, default: bool) -> bool:
        """A boolean under the first of `names` present; `default` where none is."""
        key, value = self._find(names)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.note(key, f"found {_shown(value)}, expected true or false")
            return default
        return value

    def text(self, *names: str, default: str | None = None) -> str:
        """A text under the first of `names` present; `default` where none is."""
        key, value = self._find(names)
        if value is None and default is not None:
            return default
        if value is None:
            self._missing(names, "a text", 0)
            return ""
        if not isinstance(value, str):
            self.note(key, f"found {_shown(value)}, expected a text")
            return default or ""
        return value

    def items(self, name: str, kind: type[ItemT]) -> tuple[ItemT, ...]:
        """A list of one kind of value; empty where absent."""
        value = self.raw(name)
        if value is None:
            return ()
        words = "texts" if kind is str else "whole numbers"
        if isinstance(value, str) or not isinstance(value, Sequence):
            self.note(name, f"found {_shown(value)}, expected a list of {words}")
            return ()
        odd = [item for item in value if not isinstance(item, kind)]
        if odd:
            self.note(name, f"found {_shown(odd[0])} among them, expected {words}")
            return ()
        return tuple(value)

    def section(self, name: str) -> ConfigKeys:
        """A nested mapping, empty where absent; its problems are noted here."""
        value = self._config.get(name)
        if value is not None and not isinstance(value, Mapping):
            self.note(name, f"found {_shown(value)}, expected a mapping")
            value = None
        nested = ConfigKeys(value or {}, prefix=f"{self._prefix}{name}.")
        nested.problems = self.problems
        return nested

    def _find(self, names: Sequence[str]) -> tuple[str, Any]:
        for name in names:
            if self._config.get(name) is not None:
                return name, self._config[name]
        return names[0], None

    def _missing(self, names: Sequence[str], expected: str, low: int) -> int:
        if any(name in self._config for name in names):
            self.note(names[0], f"found null, expected {expected}")
            return max(low, 1)
        near = get_close_matches(names[0], [str(key) for key in self._config], n=1, cutoff=0.8)
        hint = f"; did you mean it by {near[0]!r}?" if near else ""
        self.note(names[0], f"missing, expected {expected}{hint}")
        return max(low, 1)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."
