"""Records from documents: everything that is wrong with a file at once, in plain sentences.

Validation speaks of types and locations; a user has keys, lines and units. This is where one becomes the other.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin

from gigawatt import units
from gigawatt.documents.reading import Document, KeyPath, parse_json, parse_yaml, read_text
from gigawatt.errors import InputError, Problem

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

RecordT = TypeVar("RecordT", bound="BaseModel")


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
            yield document.problem(
                f"unknown key: {hint}", _known_path(document, at, detail["loc"]), of_key=True
            )
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
