"""What reading a foreign launch file gives: a layout, the job and model fields in it, and notes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import Field

from gigawatt.design.training.legal import Divisible
from gigawatt.domain.record import Record
from gigawatt.domain.training import Layout
from gigawatt.errors import InputError, Problem


class ImportedLayout(Record):
    """A layout read from another system's launch file, with everything else that the file said of the run.

    `job` and `model` hold what was found, under gigawatt's names (`seq_len`, `global_batch`, `precision`;
    `num_layers`, `hidden`, `num_heads`, ...). `notes` say what was ignored, assumed or cannot be expressed.
    """

    format: str
    """Target id of the format that was read, with the version whose defaults were taken."""
    layout: Layout
    job: dict[str, int | str] = Field(default_factory=dict)
    model: dict[str, int | str | bool] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """One option as it stands in a file: its written name, its value (`True` for a bare flag), its place."""

    name: str
    value: object
    line: int = 0
    column: int = 0


@dataclass
class Settings:
    """The options of one file. Reads them typed, collects every problem, and knows which nobody asked for."""

    file: str
    by_key: Mapping[str, Setting]
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _asked: set[str] = field(default_factory=set)

    def __contains__(self, key: str) -> bool:
        self._asked.add(key)
        return key in self.by_key

    def problem(self, key: str, message: str) -> None:
        """Report something wrong with an option (or with one that is missing)."""
        found = self.by_key.get(key, Setting(key, None))
        self.problems.append(Problem(message, found.name, self.file, found.line, found.column))

    def integer(self, key: str, default: int, least: int = 1) -> int:
        """A whole number of at least `least`; a problem is reported and `default` returned otherwise."""
        if key not in self:
            return default
        value = self.by_key[key].value
        try:
            number = int(value) if isinstance(value, int | str) and not isinstance(value, bool) else None
        except ValueError:
            number = None
        if number is not None and number >= least:
            return number
        self.problem(key, _expected(value, f"a whole number of at least {least}"))
        return default

    def choice(self, key: str, default: str, choices: Iterable[str]) -> str:
        """One of the named values."""
        if key not in self:
            return default
        value, allowed = str(self.by_key[key].value), tuple(choices)
        if value in allowed:
            return value
        self.problem(key, _expected(value, "one of " + ", ".join(allowed)))
        return default

    def flag(self, key: str) -> bool:
        """Whether a switch is on: given bare, or with a value that says yes."""
        return key in self and str(self.by_key[key].value).lower() in {"true", "1", "yes"}

    def text(self, key: str) -> str:
        """The value as written, "" where the option is absent."""
        return str(self.by_key[key].value) if key in self else ""

    def numbers(self, names: Mapping[str, str]) -> dict[str, int]:
        """The whole numbers that are present, renamed: option -> gigawatt's name."""
        return {name: self.integer(key, 1, least=0) for key, name in names.items() if key in self}

    def unasked(self) -> tuple[str, ...]:
        """Options that stand in the file and played no part."""
        return tuple(setting.name for key, setting in self.by_key.items() if key not in self._asked)

    def note(self, text: str) -> None:
        """Keep a remark for the user."""
        self.notes.append(text)

    def raise_problems(self) -> None:
        """InputError with every problem found so far, if there is any."""
        if self.problems:
            raise InputError(self.problems)


def _expected(found: object, wanted: str) -> str:
    shown = "no value" if found is True else f"`{found}`"
    unset = isinstance(found, str) and "$" in found
    return f"found {shown}{', which the file does not set' if unset else ''}; expected {wanted}"


def divisible_in(found: Mapping[str, int]) -> Divisible:
    """What a layout must divide, of the numbers that a file states under gigawatt's names."""

    def stated(name: str) -> frozenset[int]:
        return frozenset({found.get(name, 0)} - {0})

    return Divisible(
        num_layers=found.get("num_layers"),
        num_heads=stated("num_heads"),
        num_kv_heads=stated("num_kv_heads"),
        ffn_hidden=stated("ffn_hidden"),
        num_experts=stated("num_experts") if "num_experts" in found else None,
        expert_hidden=stated("expert_hidden"),
        seq_len=found.get("seq_len"),
        global_batch=found.get("global_batch"),
    )


def ignored_note(settings: Settings) -> tuple[str, ...]:
    """One note that names the options which say nothing about the layout."""
    names = settings.unasked()
    return (f"not part of a layout, ignored: {' '.join(names)}",) if names else ()
