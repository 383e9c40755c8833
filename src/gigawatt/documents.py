"""Files: YAML, CSV and JSON in, with the line and column of everything; text out, whole or not at all.

A file is read once, and everything that is wrong with it is reported at once, as `file:line:column: key: what is
wrong`. YAML follows the 1.2 core rules: `on`, `no`, `012`, `1:30` and dates are text, `1e9` is a number; keys are
always text. Sequences become tuples, so that what was read can be hashed and shared.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar, get_args, get_origin

from gigawatt import units
from gigawatt.errors import InputError, Problem, WriteError

if TYPE_CHECKING:
    import yaml
    from pydantic import BaseModel, ValidationError

RecordT = TypeVar("RecordT", bound="BaseModel")
KeyPath = tuple[str | int, ...]
"""Where a value stands in a document: ("runs", 0, "tokens")."""
Place = tuple[int, int]
"""Line and column, both counted from 1."""

_MAX_VALUES = 2_000_000
_MAX_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds, and where each key and value of it stands."""

    path: str
    value: Any
    keys: Mapping[KeyPath, Place] = field(default_factory=dict, repr=False)
    values: Mapping[KeyPath, Place] = field(default_factory=dict, repr=False)

    def problem(self, message: str, at: KeyPath = (), of_key: bool = False) -> Problem:
        """A problem that names file, line, column and key of the value at `at` (or of its key)."""
        places = (self.keys, self.values) if of_key else (self.values, self.keys)
        known = at
        while known and not any(known in table for table in places):
            known = known[:-1]
        line, column = next((table[known] for table in places if known in table), (0, 0))
        return Problem(message, key=_key_text(at), file=self.path, line=line, column=column)


def _key_text(path: KeyPath) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


# -- text ------------------------------------------------------------------------------------------------------


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file (a leading byte-order mark is dropped). Raises InputError for everything else."""
    name, path = str(path), Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(Problem(_why_unreadable(path, error), file=name)) from None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(Problem("is UTF-16: save it as UTF-8", file=name))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(Problem(f"is not UTF-8 text (byte {error.start}, line {line})", file=name)) from None
    if "\0" in text:
        raise InputError(Problem("is a binary file, expected text", file=name))
    return text


def _why_unreadable(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        with suppress(OSError):
            if near := difflib.get_close_matches(path.name, [other.name for other in path.parent.iterdir()], 1):
                return f'no such file: did you mean "{near[0]}"?'
        return "no such file" if path.parent.is_dir() else f'no such file: there is no folder "{path.parent}"'
    if isinstance(error, IsADirectoryError):
        return "is a folder, expected a file"
    if isinstance(error, PermissionError):
        return "cannot be read: permission denied"
    return f"cannot be read: {error.strerror or error}"


# -- YAML ------------------------------------------------------------------------------------------------------

_TAG = "tag:yaml.org,2002:"
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)$")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
_RESOLVERS = {
    **dict.fromkeys("0123456789+-.", [(f"{_TAG}int", _INT), (f"{_TAG}float", _FLOAT)]),
    **dict.fromkeys("tTfF", [(f"{_TAG}bool", re.compile(r"(true|True|TRUE|false|False|FALSE)$"))]),
    **dict.fromkeys(["~", "n", "N", ""], [(f"{_TAG}null", re.compile(r"(~|null|Null|NULL|)$"))]),
}


@lru_cache(maxsize=1)
def _loader() -> type[yaml.SafeLoader]:
    import yaml

    parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return type("CoreLoader", (parser,), {"yaml_implicit_resolvers": _RESOLVERS})


def load_yaml(path: str | Path) -> Document:
    """A YAML (or JSON) file with the place of every key and value.

    Raises InputError with every problem found: a file that cannot be read or is empty, broken syntax, duplicate
    keys, tags and merge keys (which we do not follow).
    """
    return parse_yaml(read_text(path), str(path))


def parse_yaml(text: str, name: str = "<text>") -> Document:
    """As load_yaml, for text that is already here; `name` stands for the file in messages."""
    import yaml

    depth = _depth(text)
    if depth > _MAX_DEPTH:
        raise InputError(Problem(f"brackets nested {depth} deep, expected at most {_MAX_DEPTH}", file=name))
    try:
        node = yaml.compose(text, Loader=_loader())
    except yaml.MarkedYAMLError as error:
        raise InputError(_syntax_problem(error, name)) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(Problem(f"is not YAML: {error}", file=name)) from None
    if node is None:
        raise InputError(Problem("is empty", file=name))
    reader = _NodeReader(name)
    value = reader.read(node, ())
    if reader.problems:
        raise InputError(reader.problems)
    return Document(name, value, reader.keys, reader.values)


def _depth(text: str) -> int:
    """How deep flow brackets could nest at most: the parser recurses, and must not be driven off its stack."""
    deepest = depth = 0
    for bracket in re.findall(r"[\[\]{}]", text):
        depth = max(0, depth + (1 if bracket in "[{" else -1))
        deepest = max(deepest, depth)
    return deepest


def _syntax_problem(error: yaml.MarkedYAMLError, name: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    message = error.problem or error.context or "broken syntax"
    for said, meant in _SYNTAX.items():
        if said in message:
            message = meant
    place = {"line": mark.line + 1, "column": mark.column + 1} if mark else {}
    return Problem(message, file=name, **place)


_SYNTAX = {
    "cannot start any token": "a character that cannot stand here (a tab? indent with spaces; put text with @, ` or % in quotes)",
    "mapping values are not allowed": 'a second ":" on this line, or wrong indentation: put text that contains ": " in quotes',
    "did not find expected key": "expected a key here: check the indentation and the quotes above",
    "did not find expected '-' indicator": 'expected "- " here: all entries of a list start at the same column',
    "could not find expected ':'": 'expected ":" after the key, or the text above lacks its closing quote',
    "found unexpected end of stream": "the file ends inside quoted text: a closing quote is missing",
    "did not find expected ',' or '}'": 'expected "," or "}" here',
    "did not find expected ',' or ']'": 'expected "," or "]" here',
    "but found another document": 'a second document ("---") starts here, expected one',
    "found undefined alias": "an alias (*name) without its anchor (&name)",
    "control characters are not allowed": "a control character: is this a text file?",
}


class _NodeReader:
    """Turns parser nodes into plain values, noting where each stands and what is wrong on the way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.keys: dict[KeyPath, Place] = {}
        self.values: dict[KeyPath, Place] = {}
        self.problems: list[Problem] = []

    def read(self, node: yaml.Node, path: KeyPath) -> Any:
        self.values[path] = _place(node)
        if len(path) > _MAX_DEPTH or len(self.values) > _MAX_VALUES:
            # An alias that contains itself, or aliases of aliases of aliases.
            raise InputError(self._problem("nested or repeated without end (aliases?)", node, path[:3]))
        if node.id == "mapping" and node.tag == f"{_TAG}map":
            return self._mapping(node, path)
        if node.id == "sequence" and node.tag == f"{_TAG}seq":
            return tuple(self.read(item, (*path, index)) for index, item in enumerate(node.value))
        if node.id == "scalar":
            return self._scalar(node, path)
        return self._refuse(f"tag {node.tag.replace(_TAG, '!!')} is not understood: leave it out", node, path)

    def _mapping(self, node: yaml.Node, path: KeyPath) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.id != "scalar":
                self._refuse("a key must be plain text", key_node, path)
                continue
            key = str(key_node.value)
            here = (*path, key)
            if key == "<<":
                self._refuse("merge keys (<<) are not followed: write the keys out", key_node, here)
            elif key in mapping:
                self._refuse(f"duplicate key, first given on line {self.keys[here][0]}", key_node, here)
            else:
                self.keys[here] = _place(key_node)
                mapping[key] = self.read(value_node, here)
        return mapping

    def _scalar(self, node: yaml.Node, path: KeyPath) -> Any:
        kind, text = node.tag.removeprefix(_TAG), node.value
        try:
            match kind:
                case "null":
                    return None
                case "bool":
                    return {"true": True, "false": False}[text.lower()]
                case "int":
                    return int(text)
                case "float":
                    return float(text)
                case "str":
                    return text
        except (ValueError, KeyError):
            return self._refuse(f'"{text}" is not a {kind}', node, path)
        return self._refuse(f"tag {node.tag.replace(_TAG, '!!')} is not understood: leave it out", node, path)

    def _refuse(self, message: str, node: yaml.Node, path: KeyPath) -> None:
        self.problems.append(self._problem(message, node, path))

    def _problem(self, message: str, node: yaml.Node, path: KeyPath) -> Problem:
        line, column = _place(node)
        return Problem(message, key=_key_text(path), file=self.name, line=line, column=column)


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


# -- records ---------------------------------------------------------------------------------------------------


def parse_record(document: Document, record_class: type[RecordT], at: KeyPath = ()) -> RecordT:
    """The record that the document (or the part of it at `at`) describes.

    Quantities must carry their unit. Raises InputError with every problem: misspelt keys with the likely one, missing
    keys, wrong types, wrong units, broken invariants, each with its line and column.
    """
    return _parsed(document, [at], record_class)[0]


def parse_records(document: Document, record_class: type[RecordT], at: KeyPath = ()) -> tuple[RecordT, ...]:
    """The records of a list in the document, or of a mapping from id to record (the key becomes `id`).

    Raises InputError with the problems of all of them.
    """
    value = _value_at(document.value, at)
    if not isinstance(value, tuple):
        raise InputError(document.problem(f"expected a list, found {_describe(value)}", at))
    return tuple(_parsed(document, [(*at, index) for index in range(len(value))], record_class))


def _parsed(document: Document, paths: Iterable[KeyPath], record_class: type[RecordT]) -> list[RecordT]:
    from pydantic import ValidationError

    records: list[RecordT] = []
    problems: list[Problem] = []
    for path in paths:
        value = _value_at(document.value, path)
        if not isinstance(value, dict):
            expected = f"expected a mapping (lines of `key: value`), found {_describe(value)}"
            problems.append(document.problem(expected, path))
            continue
        try:
            records.append(record_class.model_validate(value, context={"from_file": True}))
        except ValidationError as error:
            problems.extend(_problems_of(error, document, path, record_class))
    if problems:
        raise InputError(sorted(problems, key=lambda problem: (problem.line, problem.column)))
    return records


def read_record(path: str | Path, record_class: type[RecordT]) -> RecordT:
    """A record from the JSON file that gigawatt wrote it to: numbers are in canonical units. Raises InputError."""
    from pydantic import ValidationError

    text = read_text(path)
    value = parse_json(text, str(path))
    try:
        return record_class.model_validate_json(text)
    except ValidationError as error:
        document = Document(str(path), value)
        with suppress(InputError):
            document = parse_yaml(text, str(path))
        raise InputError(list(_problems_of(error, document, (), record_class))) from None


def _value_at(value: Any, path: KeyPath) -> Any:
    for part in path:
        value = value[part]
    return value


def _problems_of(
    error: ValidationError, document: Document, at: KeyPath, record_class: type[BaseModel]
) -> Iterator[Problem]:
    expected: dict[KeyPath, tuple[list[str], str]] = {}
    details = error.errors(include_url=False)
    misspelt: set[KeyPath] = set()
    for detail in details:
        if detail["type"] == "extra_forbidden":
            *parent, key = detail["loc"]
            known = _fields_at(record_class, parent)
            near = difflib.get_close_matches(str(key), known, n=1)
            misspelt.update((*parent, name) for name in near)
            hint = f'did you mean "{near[0]}"?' if near else f"known keys are {', '.join(known)}"
            yield document.problem(f"unknown key: {hint}", _known_path(document, at, detail["loc"]), of_key=True)
    for detail in details:
        path = _known_path(document, at, detail["loc"])
        kind, given = detail["type"], detail["input"]
        if kind == "missing" and detail["loc"] not in misspelt:
            want = _expectation_of(record_class, detail["loc"])
            yield document.problem(f"missing: expected {want}", path, of_key=True)
        elif kind in ("value_error", "assertion_error"):
            yield document.problem(str(detail["ctx"]["error"]), path)
        elif kind not in ("missing", "extra_forbidden"):
            wanted, _ = expected.setdefault(path, ([], _found(document, path, given)))
            wanted.append(_wanted(detail, path))
    for path, (wanted, found) in expected.items():
        yield document.problem(f"expected {' or '.join(dict.fromkeys(wanted))}, found {found}", path)


def _known_path(document: Document, at: KeyPath, loc: Sequence[str | int]) -> KeyPath:
    """The path of an error in the file: without the names that validation gives to alternatives."""
    path, value = at, _value_at(document.value, at)
    for position, part in enumerate(loc):
        if isinstance(value, dict) and part not in value and isinstance(value.get("value"), dict | tuple):
            path, value = (*path, "value"), value["value"]
        if (isinstance(value, dict) and part in value) or (
            isinstance(value, tuple | list) and isinstance(part, int) and part < len(value)
        ):
            path, value = (*path, part), value[part]
        elif position == len(loc) - 1 and isinstance(value, dict) and not (path and path[-1] == part):
            path = (*path, part)
    if isinstance(value, dict) and "value" in value:
        path = (*path, "value")
    return path


_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping (lines of `key: value`)",
    "model_type": "a mapping (lines of `key: value`)",
    "finite_number": "a finite number",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "literal_error": "{expected}",
    "string_too_short": "text of at least {min_length} characters",
    "string_too_long": "text of at most {max_length} characters",
    "string_pattern_mismatch": "text of the form {pattern}",
    "too_short": "at least {min_length} entries",
    "too_long": "at most {max_length} entries",
    "none_required": "nothing",
}


def _wanted(detail: Mapping[str, Any], path: KeyPath) -> str:
    kind = detail["type"]
    if kind == "float_type":
        names = [part for part in path if isinstance(part, str) and part != "value"]
        suffixes = [suffix for name in names[-2:] if (suffix := units.suffix_of(name))]
        if suffixes:
            return units.expectation(suffixes[-1])
    text = _WANTED.get(kind, detail["msg"]).format(**detail.get("ctx", {}))
    return text.replace("'", '"') if kind == "literal_error" else text


def _found(document: Document, path: KeyPath, given: Any) -> str:
    with suppress(KeyError, IndexError, TypeError):
        given = _value_at(document.value, path)
    return _describe(given)


def _describe(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            return f'"{value}"' if len(value) <= 60 else f'"{value[:57]}..."'
        case tuple() | list():
            return f"a list of {len(value)}"
        case dict():
            return "a mapping"
    return type(value).__name__


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and hasattr(annotation, "model_fields"):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _models_at(record_class: type[BaseModel], loc: Sequence[str | int]) -> list[type[BaseModel]]:
    models = [record_class]
    for part in loc:
        inner = [model.model_fields[part].annotation for model in models if part in model.model_fields]
        if inner:
            models = [model for annotation in inner for model in _models_in(annotation)]
    return models


def _fields_at(record_class: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    return list(dict.fromkeys(name for model in _models_at(record_class, loc) for name in model.model_fields))


def _expectation_of(record_class: type[BaseModel], loc: Sequence[str | int]) -> str:
    name = str(loc[-1])
    for model in _models_at(record_class, loc[:-1]):
        if name in model.model_fields:
            annotation = model.model_fields[name].annotation
            suffix = units.suffix_of(name)
            return units.expectation(suffix) if suffix and annotation is not str else _type_text(annotation)
    return "a value"


def _type_text(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Literal:
        return " or ".join(f'"{choice}"' for choice in get_args(annotation))
    if origin is tuple:
        return "a list"
    plain = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    if annotation in plain:
        return plain[annotation]
    return "a mapping (lines of `key: value`)" if origin is dict or _models_in(annotation) else "a value"


def json_schema(record_class: type[BaseModel]) -> dict[str, Any]:
    """JSON Schema of a record as it is written in files, for editors: quantities are text with a unit."""
    schema = record_class.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


# -- CSV -------------------------------------------------------------------------------------------------------


class Row(dict[str, str]):
    """A line of a CSV file by column, which knows its file and line."""

    def __init__(self, cells: Mapping[str, str], file: str, line: int) -> None:
        super().__init__(cells)
        self.file = file
        self.line = line

    def problem(self, message: str, column: str = "") -> Problem:
        """A problem with this line, or with one column of it."""
        number = list(self).index(column) + 1 if column in self else 1
        return Problem(message, key=column, file=self.file, line=self.line, column=number)


def load_csv(path: str | Path, required: Sequence[str] = ()) -> list[Row]:
    """The lines of a CSV file as mappings from column to text; blank lines are skipped.

    Raises InputError with every problem: no header, a column given twice, without a name or missing from `required`,
    a line with too few or too many cells.
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
        yield Problem("is empty, expected a header line with column names", file=name)
        return
    for number, column in enumerate(header, start=1):
        if not column:
            yield Problem("a column without a name", file=name, line=1, column=number)
        elif column in header[: number - 1]:
            yield Problem("a column given twice", key=column, file=name, line=1, column=number)
    for column in required:
        if column not in header:
            near = difflib.get_close_matches(column, header, n=1)
            hint = f': did you mean it by "{near[0]}"?' if near else ""
            yield Problem(f"missing column{hint}", key=column, file=name, line=1, column=1)


# -- JSON ------------------------------------------------------------------------------------------------------


def read_json(path: str | Path) -> Any:
    """What a JSON file holds. Raises InputError: unreadable, empty, truncated, duplicate keys, NaN or infinity."""
    return parse_json(read_text(path), str(path))


def parse_json(text: str, name: str = "<text>") -> Any:
    """As read_json, for text that is already here."""
    if not text.strip():
        raise InputError(Problem("is empty", file=name))

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        mapping = dict(pairs)
        if len(mapping) < len(pairs):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            raise InputError(Problem("duplicate key", key=twice, file=name))
        return mapping

    def refuse(constant: str) -> NoReturn:
        raise InputError(Problem(f"{constant} is not a number that JSON has", file=name))

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        message = "the file ends too early: is it truncated?" if cut else f"is not JSON: {error.msg}"
        raise InputError(Problem(message, file=name, line=error.lineno, column=error.colno)) from None
    except RecursionError:
        raise InputError(Problem("nested too deep", file=name)) from None


def canonical_json(value: Any) -> str:
    """The one text for a value: keys sorted, no spaces, floats by repr, records as their fields.

    Raises TypeError for what JSON has no word for and ValueError for NaN and infinity: both are mistakes of the
    program, not of a user.
    """
    return json.dumps(
        _plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    if isinstance(value, Mapping):
        if odd := [key for key in value if not isinstance(key, str)]:
            raise TypeError(f"keys must be text, found {odd[0]!r}")
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def digest(value: Any) -> str:
    """ "sha256:" and the hash of the canonical JSON of a value."""
    return "sha256:" + hashlib.sha256(canonical_json(value).encode()).hexdigest()


# -- writing ---------------------------------------------------------------------------------------------------


def write_atomic(path: str | Path, text: str | bytes) -> None:
    """Write a file so that it is there whole or not at all: beside, synced to disk, then renamed.

    The folder must exist. Raises WriteError when the system refuses; whatever stops the write, an interruption
    included, the old file stays as it was and nothing is left beside it.
    """
    target = Path(os.path.realpath(path))
    data = text.encode() if isinstance(text, str) else text
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            target.write_bytes(data)  # a pipe or a terminal: there is nothing to rename
            return
        try:
            with beside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        except BaseException:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {_why_unwritable(target, error)}") from None


def _why_unwritable(target: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f'there is no folder "{target.parent}"'
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    return (error.strerror or str(error)).lower()
