"""Where rows stand: the folders and files that make up a catalogue, and the places within them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from gigawatt.documents import KeyPath, load_yaml, parse_record
from gigawatt.domain.record import Source
from gigawatt.errors import InputError, Problem

Table = Literal[
    "accelerators",
    "systems",
    "models",
    "offers",
    "switches",
    "links",
    "fabrics",
    "equipment",
    "climates",
    "sites",
    "hazards",
    "parts",
    "reliability",
    "schedule",
    "deals",
    "energy",
    "tariffs",
]
TABLES: tuple[Table, ...] = get_args(Table)
SECTIONS = (*TABLES, "sources")
"""What `gigawatt catalog list` and `show` know."""
SUFFIXES: Mapping[Table, str] = dict.fromkeys(TABLES, ".yaml") | {
    "models": ".json",
    "offers": ".csv",
    "deals": ".csv",
}
LISTS: tuple[Table, ...] = ("offers", "deals")
"""Tables whose files each hold many rows, one a line."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a row stands: a file, and the place within it."""

    path: Path
    at: KeyPath = ()


def plain(name: str) -> str:
    """A name as ids are compared: lower case, spaces and underscores as hyphens."""
    return "-".join(name.strip().lower().replace("_", " ").split())


def table_named(section: str) -> Table:
    return next(table for table in SUFFIXES if table == section)


def entries_of(root: Path, section: Table) -> Iterator[tuple[str, Entry]]:
    suffix = SUFFIXES[section]
    if root.is_dir():
        for path in sorted((root / section).glob(f"*{suffix}")):
            # Two price lists may have one name; what counts is the ids of their lines.
            yield (path.stem if section not in LISTS else str(path)), Entry(path)
    elif suffix == ".yaml":
        rows = load_yaml(root).value.get(section, ())
        for number, row in enumerate(rows if isinstance(rows, tuple) else ()):
            yield (
                str(row.get("id", number) if isinstance(row, dict) else number),
                Entry(root, (section, number)),
            )


def data_files(root: Path) -> list[Path]:
    """The data files below a root (or the root itself), without what editors leave beside them."""
    if not root.is_dir():
        return [root]
    kinds = {*SUFFIXES.values(), ".json"}
    return sorted(path for path in root.rglob("*") if path.suffix in kinds and not path.name.startswith("."))


def check_outline(root: Path) -> None:
    if root.is_dir():
        known = [*SUFFIXES, "sources.yaml", "sources", "calibration"]
        if not any((root / name).exists() for name in known):
            raise InputError(
                Problem(f"holds none of {', '.join(known)}: is this an overlay?", file=str(root))
            )
        return
    document = load_yaml(root)
    if not isinstance(document.value, dict):
        raise InputError(document.problem("expected a mapping with accelerators, systems or sources"))
    if fit_subject(root):
        return
    known = [*(table for table in TABLES if SUFFIXES[table] == ".yaml"), "sources"]
    problems = [
        document.problem(f"unknown section, expected {', '.join(known)}", (key,), of_key=True)
        for key in document.value
        if key not in known
    ]
    if problems:
        raise InputError(problems)


def fit_subject(path: Path) -> str:
    """What a file is a fit of, if `gigawatt calibrate` wrote it: "training", "collectives"; else blank."""
    value = load_yaml(path).value
    if not isinstance(value, dict) or "parameters" not in value:
        return ""
    return str(value.get("subject", "training"))


def source_files(root: Path) -> list[Path]:
    """Where a folder of rows keeps its bibliography: `sources.yaml`, or the files of `sources/`."""
    return [path for path in (root / "sources.yaml", *sorted(root.glob("sources/*.yaml"))) if path.is_file()]


def read_sources(root: Path) -> list[Source]:
    """The bibliography of a root. Raises InputError with all problems of a file."""
    if root.is_dir():
        return [source for path in source_files(root) for source in _sources_in(path, ())]
    return _sources_in(root, ("sources",))


def _sources_in(path: Path, at: KeyPath) -> list[Source]:
    document = load_yaml(path)
    table = document.value.get("sources", {}) if at else document.value
    if not isinstance(table, dict):
        raise InputError(document.problem("expected a mapping from key to title, publisher, url, ...", at))
    problems: list[Problem] = []
    found = []
    for key, row in table.items():
        named = {"id": key, **row} if isinstance(row, dict) else row
        value: dict[str, Any] = {key: named}
        try:
            found.append(
                parse_record(replace(document, value={at[0]: value} if at else value), Source, (*at, key))
            )
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return found
