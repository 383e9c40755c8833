"""Text files as plain values that know where they stand.

YAML follows the 1.2 core rules: `on`, `no`, `012`, `1:30` and dates are text, `1e9` is a number; keys are
always text. Sequences become tuples. Anchors and aliases work; tags and merge keys are refused.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from gigawatt.errors import InputError, Problem

if TYPE_CHECKING:
    import yaml

KeyPath = tuple[str | int, ...]
"""Where a value stands in a document: ("runs", 0, "tokens")."""
Place = tuple[int, int]
"""Line and column, both counted from 1."""

_MAX_DEPTH = 100
_MAX_VALUES = 2_000_000


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds, and where each key and each value of it stands."""

    path: str
    value: Any
    keys: Mapping[KeyPath, Place] = field(default_factory=dict, repr=False)
    values: Mapping[KeyPath, Place] = field(default_factory=dict, repr=False)

    def problem(self, message: str, at: KeyPath = (), of_key: bool = False) -> Problem:
        """A problem with the value at `at` (or with its key), by file, line, column and key."""
        places = (self.keys, self.values) if of_key else (self.values, self.keys)
        known = at
        while known and not any(known in table for table in places):
            known = known[:-1]
        line, column = next((table[known] for table in places if known in table), (0, 0))
        return Problem(message, key=key_text(at), file=self.path, line=line, column=column)

    def part(self, at: KeyPath) -> Any:
        """The value at `at`. Raises LookupError or TypeError when there is none."""
        value = self.value
        for step in at:
            value = value[step]
        return value


def key_text(path: KeyPath) -> str:
    """A path as people write it: runs[0].tokens."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file, also of a gzipped one, without its byte-order mark.

    Raises InputError for everything else.
    """
    name, path = str(path), Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(Problem(_why_unreadable(path, error), file=name)) from None
    if data[:2] == b"\x1f\x8b":
        data = _unzipped(data, name)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(Problem("is UTF-16 text: save it as UTF-8", file=name))
    if b"\0" in data:
        raise InputError(Problem("is a binary file, expected text", file=name))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        problem = Problem("is not UTF-8 text: save it as UTF-8", file=name, line=line, column=column)
        raise InputError(problem) from None


def _unzipped(data: bytes, name: str) -> bytes:
    import gzip
    import zlib

    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        raise InputError(Problem("is a gzip file that is broken or cut off", file=name)) from None


def _why_unreadable(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        with suppress(OSError):
            beside = [other.name for other in path.parent.iterdir()]
            if near := difflib.get_close_matches(path.name, beside, n=1):
                return f'no such file: did you mean "{near[0]}"?'
        return "no such file" if path.parent.is_dir() else f'no such file: there is no folder "{path.parent}"'
    if isinstance(error, IsADirectoryError):
        return "is a folder, expected a file"
    if isinstance(error, PermissionError):
        return "cannot be read: permission denied"
    return f"cannot be read: {(error.strerror or str(error)).lower()}"


def load_yaml(path: str | Path) -> Document:
    """A YAML (or JSON) file with the place of every key and value.

    Raises InputError with every problem found: a file that cannot be read or is empty, broken syntax (the
    first spot), duplicate keys, tags and merge keys.
    """
    return parse_yaml(read_text(path), str(path))


def parse_yaml(text: str, name: str = "<text>") -> Document:
    """As load_yaml, for text that is at hand; `name` stands for the file in messages."""
    import yaml

    # The parser's own tree builder recurses in C and dies of deep nesting; its events do not.
    reader = _EventReader(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), name)
    try:
        value = reader.document()
    except yaml.MarkedYAMLError as error:
        raise InputError(_syntax_problem(error, name)) from None
    except yaml.YAMLError as error:
        raise InputError(
            Problem(f"is not text that YAML allows: {str(error).splitlines()[0]}", file=name)
        ) from None
    if reader.problems:
        raise InputError(reader.problems)
    return Document(name, value, reader.keys, reader.values)


_SYNTAX = {
    "cannot start any token": "this character cannot start a value: put the text in quotes",
    "tab character": "a tab: indent with spaces",
    "mapping values are not allowed": 'unexpected ":": check the indentation; text with ": " needs quotes',
    "did not find expected key": "expected a key: check the indentation here and the quotes above",
    "did not find expected '-' indicator": 'expected "- ": all entries of a list start in the same column',
    "could not find expected ':'": 'expected ":" after the key above',
    "unexpected end of stream": "the file ends inside quoted text: a closing quote is missing",
    "expected ',' or '}'": 'expected "," or "}"',
    "expected ',' or ']'": 'expected "," or "]"',
    "expected node content": "expected a value",
    "unknown directive": 'text that starts with "%" needs quotes',
}


def _syntax_problem(error: yaml.MarkedYAMLError, name: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    said = error.problem or error.context or "broken syntax"
    message = next((meant for part, meant in _SYNTAX.items() if part in said), said)
    if mark is None:
        return Problem(message, file=name)
    return Problem(message, file=name, line=mark.line + 1, column=mark.column + 1)


_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def _plain_scalar(text: str) -> Any:
    """What unquoted text stands for."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text) and len(text) < 400:
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


class _EventReader:
    """Turns the parser's events into plain values, noting where each stands and what is wrong on the way."""

    def __init__(self, events: Iterator[Any], name: str) -> None:
        self.events = events
        self.name = name
        self.keys: dict[KeyPath, Place] = {}
        self.values: dict[KeyPath, Place] = {}
        self.problems: list[Problem] = []
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.num_values = 0

    def document(self) -> Any:
        """The only document of the stream."""
        for event in self.events:
            match type(event).__name__:
                case "StreamEndEvent":
                    raise InputError(Problem("is empty", file=self.name))
                case "DocumentStartEvent":
                    break
        value = self._value(next(self.events), ())
        next(self.events)
        following = next(self.events)
        if type(following).__name__ == "DocumentStartEvent":
            self._refuse('a second document ("---") starts here, expected one', following, ())
        if value is None and len(self.values) == 1:
            raise InputError(Problem("is empty", file=self.name))
        return value

    def _value(self, event: Any, path: KeyPath) -> Any:
        self.values[path] = _place(event)
        before, self.num_values = self.num_values, self.num_values + 1
        if len(path) > _MAX_DEPTH or self.num_values > _MAX_VALUES:
            limit = f"{_MAX_DEPTH} levels" if len(path) > _MAX_DEPTH else f"{_MAX_VALUES} values"
            raise InputError(self._problem(f"more than {limit}", event, path[:3]))
        if getattr(event, "tag", None) not in (None, "!"):
            self._refuse(f"tag {event.tag} is not understood: leave it out", event, path)
        value: Any
        match type(event).__name__:
            case "AliasEvent":
                return self._alias(event, path)
            case "MappingStartEvent":
                value = self._mapping(path)
            case "SequenceStartEvent":
                value = self._sequence(path)
            case _:
                value = _plain_scalar(event.value) if _is_plain(event) else event.value
        if event.anchor:
            self.anchors[event.anchor] = (value, self.num_values - before)
        return value

    def _alias(self, event: Any, path: KeyPath) -> Any:
        if event.anchor not in self.anchors:
            return self._refuse(
                f"alias *{event.anchor} stands before its anchor &{event.anchor} ends", event, path
            )
        value, size = self.anchors[event.anchor]
        self.num_values += size  # aliases of aliases of aliases add up
        return value

    def _sequence(self, path: KeyPath) -> tuple[Any, ...]:
        items: list[Any] = []
        while type(event := next(self.events)).__name__ != "SequenceEndEvent":
            items.append(self._value(event, (*path, len(items))))
        return tuple(items)

    def _mapping(self, path: KeyPath) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while type(event := next(self.events)).__name__ != "MappingEndEvent":
            key = self._key(event, path)
            here = (*path, key)
            if key in mapping:
                self._refuse(f"duplicate key, first given on line {self.keys[here][0]}", event, here)
                self._value(next(self.events), (*path, f"{key} (again)"))
                continue
            self.keys[here] = _place(event)
            mapping[key] = self._value(next(self.events), here)
        return mapping

    def _key(self, event: Any, path: KeyPath) -> str:
        if type(event).__name__ != "ScalarEvent":
            self._refuse("a key must be plain text (text with braces or brackets needs quotes)", event, path)
            self._value(event, (*path, "?"))
            return "?"
        if event.value == "<<" and _is_plain(event):
            self._refuse("merge keys (<<) are not followed: write the keys out", event, (*path, "<<"))
        return str(event.value)

    def _refuse(self, message: str, event: Any, path: KeyPath) -> None:
        self.problems.append(self._problem(message, event, path))

    def _problem(self, message: str, event: Any, path: KeyPath) -> Problem:
        line, column = _place(event)
        return Problem(message, key=key_text(path), file=self.name, line=line, column=column)


def _is_plain(event: Any) -> bool:
    """Whether a scalar stands without quotes."""
    return event.style in (None, "", "\0")


def _place(event: Any) -> Place:
    return event.start_mark.line + 1, event.start_mark.column + 1


class Row(dict[str, str]):
    """A line of a CSV file by column, which knows its file and line."""

    def __init__(self, cells: Mapping[str, str], file: str, line: int) -> None:
        super().__init__(cells)
        self.file = file
        self.line = line

    def problem(self, message: str, column: str = "") -> Problem:
        """A problem with this line, or with one column of it (counted in cells)."""
        number = list(self).index(column) + 1 if column in self else 1
        return Problem(message, key=column, file=self.file, line=self.line, column=number)


def load_csv(path: str | Path, required: Sequence[str] = ()) -> list[Row]:
    """The lines of a CSV file as mappings from column to text; blank lines are skipped.

    Raises InputError with every problem: no header, a column given twice, without a name or missing from
    `required`, a line with too few or too many cells.
    """
    name = str(path)
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    rows: list[Row] = []
    problems: list[Problem] = []
    try:
        header = [cell.strip() for cell in next(reader, [])]
        problems.extend(_header_problems(header, required, name))
        before = reader.line_num
        for cells in reader:
            line, before = before + 1, reader.line_num
            if len(cells) == len(header):
                rows.append(Row(dict(zip(header, cells, strict=True)), name, line))
            elif cells:
                found = f"expected {len(header)} cells as in the header, found {len(cells)}"
                problems.append(Problem(found, file=name, line=line, column=min(len(cells), len(header)) + 1))
    except csv.Error as error:
        problems.append(Problem(f"is not CSV: {error}", file=name, line=reader.line_num, column=1))
    if problems:
        raise InputError(problems)
    return rows


def _header_problems(header: Sequence[str], required: Sequence[str], name: str) -> Iterator[Problem]:
    if not any(header):
        yield Problem("is empty, expected a header line with the names of the columns", file=name)
        return
    for number, column in enumerate(header, start=1):
        if not column:
            yield Problem(f"column {number} has no name", file=name, line=1, column=number)
        elif column in header[: number - 1]:
            yield Problem("column given twice", key=column, file=name, line=1, column=number)
    for column in required:
        if column not in header:
            near = difflib.get_close_matches(column, header, n=1)
            hint = f': is it what "{near[0]}" means?' if near else ""
            yield Problem(f"missing column{hint}", key=column, file=name, line=1, column=1)


def read_json(path: str | Path) -> Any:
    """What a JSON file holds.

    Raises InputError: unreadable, empty, truncated, duplicate keys, NaN or infinity.
    """
    return parse_json(read_text(path), str(path))


def parse_json(text: str, name: str = "<text>") -> Any:
    """As read_json, for text that is at hand."""
    if not text.strip():
        raise InputError(Problem("is empty", file=name))

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        mapping = dict(pairs)
        if len(mapping) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise InputError(Problem("duplicate key", key=twice, file=name))
        return mapping

    def refuse(constant: str) -> NoReturn:
        raise InputError(Problem(f"{constant} is not a number that JSON has", file=name))

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        message = "the file ends too early: is it truncated?" if cut else f"is not JSON: {error.msg.lower()}"
        raise InputError(Problem(message, file=name, line=error.lineno, column=error.colno)) from None
    except RecursionError:
        raise InputError(Problem("is nested too deep", file=name)) from None
