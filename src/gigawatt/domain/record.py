"""The base of every record: frozen, strict, and able to read quantities written with their unit."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any, ClassVar, Literal, Self, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    ValidationInfo,
    field_validator,
    model_validator,
)

from gigawatt import units

Basis = Literal["datasheet", "measured", "published", "quoted", "estimate"]
_COUNTABLE = frozenset({"_tokens", "_bytes", "_flop"})


class Record(BaseModel):
    """An immutable value. Unknown keys are refused; a float field whose name ends in a unit suffix
    (`_bytes_per_s`, `_w`, ...) also accepts text such as "3.35 TB/s", checked for its dimension. So does an
    int field of what is counted (`_tokens`, `_bytes`, `_flop`), where the text must denote a whole number.

    Validation with `context={"from_file": True}` refuses bare numbers where a unit is needed.
    Sequences are tuples, so that records can be hashed and shared.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, ser_json_inf_nan="constants"
    )

    @field_validator("*", mode="before")
    @classmethod
    def _read_quantity(cls, value: Any, info: ValidationInfo) -> Any:
        if info.mode == "json":
            # Strict tuples take a JSON array only while no Python has touched it, and here we are.
            value = _with_tuples(value)
        suffix, whole = _quantity(cls, info.field_name or "")
        if suffix is None:
            return value
        from_file = bool((info.context or {}).get("from_file"))
        quantity = units.read(value, suffix, bare_numbers=not from_file)
        return _as_whole(quantity, value) if whole else quantity

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler.resolve_ref_schema(handler(core_schema))
        described = dict(_attribute_docstrings(cls))
        for name, part in schema.get("properties", {}).items():
            if name in described:
                part.setdefault("description", described[name])
            suffix, _ = _quantity(cls, name)
            if suffix is not None:
                _ask_for_unit(part, suffix)
        return schema


def _with_tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_with_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _with_tuples(item) for key, item in value.items()}
    return value


@lru_cache(maxsize=4096)
def _quantity(record: type[Record], name: str) -> tuple[str | None, bool]:
    """The unit suffix of a field that holds a quantity, and whether it holds whole numbers only."""
    suffix = units.suffix_of(name)
    if suffix is None or name not in record.model_fields:
        return None, False
    kinds = set(_kinds(record.model_fields[name].annotation))
    if float in kinds:
        return suffix, False
    # `top_k: int` is no temperature: an int is a quantity only of what comes in ones.
    return (suffix, True) if int in kinds and suffix in _COUNTABLE else (None, False)


def _kinds(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _kinds(part)


def _as_whole(quantity: Any, found: Any) -> Any:
    if isinstance(quantity, dict):
        return {key: _as_whole(item, found) for key, item in quantity.items()}
    if isinstance(quantity, tuple):
        return tuple(_as_whole(item, found) for item in quantity)
    if not isinstance(quantity, float):
        return quantity
    if not quantity.is_integer():
        raise ValueError(f"expected a whole number, found {found}")
    return int(quantity)


def _ask_for_unit(schema: dict[str, Any], suffix: str) -> None:
    """Rewrites the numbers of a JSON Schema into what files hold: text with a unit."""
    for part in (*schema.get("anyOf", ()), *schema.get("prefixItems", ()), schema.get("items")):
        if isinstance(part, dict):
            _ask_for_unit(part, suffix)
    if isinstance(schema.get("additionalProperties"), dict):
        _ask_for_unit(schema["additionalProperties"], suffix)
    default = schema.get("default")
    if isinstance(default, int | float) and not isinstance(default, bool) and suffix not in units.UNITLESS:
        schema["default"] = units.format_quantity(default, suffix, digits=12)
    if schema.get("type") not in ("number", "integer"):
        return
    number = {key: schema.pop(key) for key in tuple(schema) if key in _NUMERIC_KEYS}
    text = {"type": "string", "pattern": "[0-9]", "examples": [units.SUFFIXES[suffix].example]}
    schema.update({"anyOf": [text, number]} if suffix in units.UNITLESS else text)


_NUMERIC_KEYS = {"type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}


def _attribute_docstrings(record: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """The text under each field, read from the source only when a schema is asked for."""
    for owner in reversed(record.__mro__):
        if not issubclass(owner, Record):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0].body  # type: ignore[attr-defined]
        for field, below in pairwise(body):
            if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
                yield ast.unparse(field.target), inspect.cleandoc(ast.literal_eval(below.value))


class Source(Record):
    """An entry of the bibliography: what a fact was taken from."""

    id: str
    """The key under which facts name it."""
    title: str
    publisher: str
    url: str
    date: str
    """The publisher's own, or the revision's where it carries none."""
    accessed: str
    licence: str


class Provenance(Record):
    """Where one value comes from. `source` is a key of the catalogue's bibliography."""

    source: str
    basis: Basis
    date: str = ""
    note: str = ""
    rejected: str = ""
    """Conflicting values found elsewhere and why they were not chosen."""


class Sourced(Record):
    """A catalogue row: every field is a value or `{value, source, basis, date, note}`.

    The row's own `source`, `basis` and `date` hold for each field that does not say otherwise;
    what a field says of itself is kept in `provenance` (of one entry of a mapping: under "field.entry").
    """

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    source: str
    basis: Basis
    date: str
    note: str = ""
    missing: tuple[str, ...] = ()
    """What is not known of this row; an entry that lacks what a plan needs refuses to be planned with."""
    provenance: dict[str, Provenance] = {}

    _own_keys: ClassVar[frozenset[str]] = frozenset({"value", *Provenance.model_fields})

    @model_validator(mode="before")
    @classmethod
    def _unwrap_values(cls, row: Any) -> Any:
        if not isinstance(row, dict):
            return row
        # A row without source or basis is refused anyway; its values need not repeat the complaint.
        default = {
            "source": row.get("source", ""),
            "basis": row.get("basis", "estimate"),
            "date": row.get("date", ""),
        }
        mappings = {name for name, field in cls.model_fields.items() if get_origin(field.annotation) is dict}
        return unwrap_values(row, default, mappings - {"provenance"})

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        for name, part in schema["properties"].items():
            if name in Sourced.model_fields:
                continue
            value = {
                key: part.pop(key) for key in tuple(part) if key not in ("title", "description", "default")
            }
            if isinstance(entry := value.get("additionalProperties"), dict):
                value["additionalProperties"] = {"anyOf": [entry, with_source(entry)]}
            part["anyOf"] = [value, with_source(value)]
        return schema

    def provenance_of(self, field: str) -> Provenance:
        """Source and basis of a field ("hbm_bytes") or entry ("peak_flop_per_s.fp8"), else the row's."""
        for name in (field, field.partition(".")[0]):
            if name in self.provenance:
                return self.provenance[name]
        return Provenance(source=self.source, basis=self.basis, date=self.date, note=self.note)

    @classmethod
    def parse_file_row(cls, row: dict[str, Any]) -> Self:
        """A row as it stands in a file: quantities must carry their unit."""
        return cls.model_validate(row, context={"from_file": True})


def with_source(value: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema of `{value, source, ...}` around the schema of a value."""
    own: dict[str, Any] = {"value": value}
    own |= {name: {"type": "string"} for name in Provenance.model_fields}
    own["basis"] = {"enum": list(get_args(Basis))}
    return {"type": "object", "properties": own, "required": ["value"], "additionalProperties": False}


def unwrap_values(row: Mapping[str, Any], default: Mapping[str, Any], mappings: set[str]) -> dict[str, Any]:
    """A row whose `{value, source, ...}` have become plain values, with what they said of themselves under
    `provenance`; `default` fills in what they left out. Entries of the fields in `mappings` may say it too.
    """
    stated = row.get("provenance", {})
    if not isinstance(stated, Mapping):
        return dict(row)
    plain: dict[str, Any] = {}
    provenance = dict(stated)

    def unwrap(value: Any, path: str) -> Any:
        if not (isinstance(value, dict) and "value" in value and set(value) <= Sourced._own_keys):
            return value
        said = {key: text for key, text in value.items() if key != "value"}
        # The row's date is that of the row's source: a value from elsewhere does not inherit it.
        inherited = {key: text for key, text in default.items() if key != "date" or "source" not in said}
        provenance[path] = {**inherited, **said}
        return value["value"]

    for key, found in row.items():
        value = unwrap(found, key)
        if key in mappings and isinstance(value, dict):
            value = {entry: unwrap(item, f"{key}.{entry}") for entry, item in value.items()}
        plain[key] = value
    return plain | {"provenance": provenance}
