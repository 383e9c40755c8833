"""Records from documents: everything that is wrong with a file at once, in plain sentences.

Validation speaks of types and locations; a user has keys, lines and units. Here one becomes the other.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin

from gigawatt import units
from gigawatt.documents.reading import Document, KeyPath, parse_json, parse_yaml, read_text
from gigawatt.errors import InputError, Problem

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

RecordT = TypeVar("RecordT", bound="BaseModel")
Location = Sequence[str | int]

_MAPPING = "a mapping (lines of `key: value`)"


def parse_record(document: Document, record_class: type[RecordT], at: KeyPath = ()) -> RecordT:
    """The record that the document (or the part of it at `at`) describes. Quantities must carry their unit.

    Raises InputError with every problem: misspelt keys with the likely one, missing keys, wrong types, wrong
    units, broken invariants, each with its line and column.
    """
    return _parse(document, [at], record_class)[0]


def parse_records(document: Document, record_class: type[RecordT], at: KeyPath = ()) -> tuple[RecordT, ...]:
    """The records of a list in the document. Raises InputError with the problems of all of them."""
    value = document.part(at)
    if not isinstance(value, tuple):
        raise InputError(document.problem(f"expected a list, found {_describe(value)}", at))
    return tuple(_parse(document, [(*at, index) for index in range(len(value))], record_class))


def _parse(document: Document, paths: Iterable[KeyPath], record_class: type[RecordT]) -> list[RecordT]:
    from pydantic import ValidationError

    records: list[RecordT] = []
    problems: list[Problem] = []
    for path in paths:
        value = document.part(path)
        if not isinstance(value, dict):
            problems.append(document.problem(f"expected {_MAPPING}, found {_describe(value)}", path))
            continue
        try:
            records.append(record_class.model_validate(value, context={"from_file": True}))
        except ValidationError as error:
            problems.extend(_Reader(document, path, record_class).problems_of(error))
    if problems:
        raise InputError(_in_order(problems))
    return records


def read_record(path: str | Path, record_class: type[RecordT]) -> RecordT:
    """A record from the JSON file that gigawatt wrote it to: plain numbers, in canonical units.

    Raises InputError as read_json does, and with every problem that the record has.
    """
    from pydantic import ValidationError

    text = read_text(path)
    value = parse_json(text, str(path))
    try:
        return record_class.model_validate_json(text)
    except ValidationError as error:
        document = Document(str(path), value)
        with suppress(InputError):
            document = parse_yaml(text, str(path))  # JSON is YAML, and now the places matter
        raise InputError(_in_order(_Reader(document, (), record_class).problems_of(error))) from None


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.line, problem.column))


@dataclass(frozen=True)
class _Reader:
    """Reads the complaints of a validation as what a user sees: the file, its keys and its lines."""

    document: Document
    at: KeyPath
    record_class: type[BaseModel]

    def problems_of(self, error: ValidationError) -> Iterator[Problem]:
        details = error.errors(include_url=False)
        unknown = [detail for detail in details if detail["type"] == "extra_forbidden"]
        meant = {detail["loc"]: self._nearest_key(detail["loc"]) for detail in unknown}
        for location, near in meant.items():
            known = ", ".join(self._known_keys(location[:-1]))
            hint = f'did you mean "{near}"?' if near else f"known keys are {known}"
            yield self.document.problem(f"unknown key: {hint}", self._path(location), of_key=True)
        misspelt = {(*location[:-1], near) for location, near in meant.items() if near}
        mistyped: dict[KeyPath, list[Any]] = {}
        for detail in details:
            path, kind = self._path(detail["loc"]), detail["type"]
            if kind == "missing" and detail["loc"] not in misspelt:
                expected = self._expected_at(detail["loc"])
                yield self.document.problem(f"missing: expected {expected}", path, of_key=True)
            elif kind in ("value_error", "assertion_error"):
                yield from self._refusal(detail["ctx"]["error"], detail["loc"])
            elif kind == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]:
                continue  # long enough, but of wrong entries, which are reported themselves
            elif kind not in ("missing", "extra_forbidden"):
                mistyped.setdefault(path, []).append(detail)
        for path, alternatives in mistyped.items():
            yield self.document.problem(self._mismatch(path, alternatives), path)

    def _refusal(self, error: Exception, location: Location) -> Iterator[Problem]:
        """What a record itself objects to; the elements of a quantity each have their own place."""
        for problem in error.problems if isinstance(error, InputError) else (Problem(str(error)),):
            path = self._path(location)
            with suppress(LookupError, TypeError):
                inside = self.document.part(path)
                key = int(problem.key) if isinstance(inside, tuple) else problem.key
                path = self._path((*location, key)) if _has(inside, key) else path
            yield self.document.problem(problem.message, path)

    def _mismatch(self, path: KeyPath, alternatives: Sequence[Mapping[str, Any]]) -> str:
        found = alternatives[0]["input"]
        with suppress(LookupError, TypeError):
            found = self.document.part(path)
        wanted = list(dict.fromkeys(_wanted(detail, path) for detail in alternatives))
        return f"expected {' or '.join(wanted)}, found {_describe(found)}{_remedy(found, alternatives)}"

    def _path(self, location: Location) -> KeyPath:
        """The path in the file: without the names that validation gives to alternatives, and with the
        `value` that a value with its own source stands under."""
        path, value = self.at, self.document.part(self.at)
        for position, part in enumerate(location):
            inner = value.get("value") if isinstance(value, dict) and part not in value else None
            if inner is not None and _has(inner, part):
                path, value = (*path, "value"), inner
            if _has(value, part):
                path, value = (*path, part), value[part]
            elif position == len(location) - 1 and isinstance(value, dict) and isinstance(part, str):
                return (*path, part)
        return (*path, "value") if _has(value, "value") else path

    def _nearest_key(self, location: Location) -> str:
        near = difflib.get_close_matches(str(location[-1]), self._known_keys(location[:-1]), n=1)
        return near[0] if near else ""

    def _known_keys(self, location: Location) -> list[str]:
        models = self._models_at(location)
        return list(dict.fromkeys(name for model in models for name in model.model_fields))

    def _models_at(self, location: Location) -> list[type[BaseModel]]:
        models: list[type[BaseModel]] = [self.record_class]
        for part in location:
            fields = [model.model_fields[str(part)] for model in models if part in model.model_fields]
            if fields:
                models = [model for field in fields for model in _models_in(field.annotation)]
        return models

    def _expected_at(self, location: Location) -> str:
        name = str(location[-1])
        for model in self._models_at(location[:-1]):
            if name in model.model_fields:
                return _expected(name, model.model_fields[name].annotation)
        return "a value"


def _has(value: Any, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, tuple | list) and isinstance(part, int) and part < len(value)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and hasattr(annotation, "model_fields"):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _expected(name: str, annotation: Any) -> str:
    suffix = units.suffix_of(name)
    if suffix and "float" in str(annotation):
        return units.expectation(suffix)
    if get_origin(annotation) is Literal:
        return " or ".join(f'"{choice}"' for choice in get_args(annotation))
    if get_origin(annotation) is tuple:
        return "a list"
    plain = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    if annotation in plain:
        return plain[annotation]
    return _MAPPING if get_origin(annotation) is dict or _models_in(annotation) else "a value"


_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
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
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "none_required": "nothing",
}


def _wanted(detail: Mapping[str, Any], path: KeyPath) -> str:
    kind = detail["type"]
    if kind not in _WANTED:
        return str(detail["msg"])
    names = [part for part in path if isinstance(part, str) and part != "value"]
    suffix = next(filter(None, map(units.suffix_of, reversed(names[-2:]))), None)
    if kind == "float_type" and suffix:
        return units.expectation(suffix)
    bounds = {name: _bound(value, suffix) for name, value in detail.get("ctx", {}).items()}
    return _WANTED[kind].format(**bounds).replace("'", '"' if kind == "literal_error" else "'")


def _bound(value: Any, suffix: str | None) -> str:
    if isinstance(value, float):
        return units.format_quantity(value, suffix, digits=9) if suffix else f"{value:g}"
    return str(value)


def _remedy(found: Any, alternatives: Sequence[Mapping[str, Any]]) -> str:
    kinds = {detail["type"] for detail in alternatives}
    if "literal_error" in kinds and isinstance(found, str):
        choices = re.findall(r"'([^']*)'", alternatives[0]["ctx"]["expected"])
        near = difflib.get_close_matches(found, choices, n=1)
        return f': did you mean "{near[0]}"?' if near else ""
    if "bool_type" in kinds and str(found).lower() in ("yes", "no", "on", "off"):
        return f": write {str(str(found).lower() in ('yes', 'on')).lower()}"
    if kinds & {"int_type", "float_type"} and isinstance(found, str) and re.fullmatch(r"[-+.0-9e]+", found):
        return ": leave out the quotes"
    if "string_type" in kinds and isinstance(found, bool | int | float):
        return ": put it in quotes"
    return ""


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


def json_schema(record_class: type[BaseModel]) -> dict[str, Any]:
    """JSON Schema of a record as it stands in files, for editors: quantities are text with a unit."""
    schema = record_class.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
