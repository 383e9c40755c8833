"""The base of every record: frozen, strict, and able to read quantities written with their unit."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator, model_validator

from gigawatt import units

Basis = Literal["datasheet", "measured", "published", "quoted", "estimate"]


class Record(BaseModel):
    """An immutable value. Unknown keys are refused; a float field whose name ends in a unit suffix
    (`_bytes_per_s`, `_w`, ...) also accepts text such as "3.35 TB/s", checked for its dimension.

    Validation with `context={"from_file": True}` refuses bare numbers where a unit is needed.
    Sequences are tuples, so that records can be hashed and shared.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, ser_json_inf_nan="constants"
    )

    @field_validator("*", mode="before")
    @classmethod
    def _read_quantity(cls, value: Any, info: ValidationInfo) -> Any:
        suffix = units.suffix_of(info.field_name or "")
        if suffix is None:
            return value
        from_file = bool((info.context or {}).get("from_file"))
        return units.read(value, suffix, bare_numbers=not from_file)


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
    what a field says of itself is kept in `provenance`.
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

    _own_keys: ClassVar[frozenset[str]] = frozenset({"value", "source", "basis", "date", "note", "rejected"})

    @model_validator(mode="before")
    @classmethod
    def _unwrap_values(cls, row: Any) -> Any:
        if not isinstance(row, dict):
            return row
        plain: dict[str, Any] = {}
        provenance = dict(row.get("provenance", {}))
        for key, value in row.items():
            if isinstance(value, dict) and "value" in value and set(value) <= cls._own_keys:
                plain[key] = value["value"]
                own = {name: value[name] for name in value if name != "value"}
                provenance[key] = {"source": row.get("source"), "basis": row.get("basis"), **own}
            else:
                plain[key] = value
        return plain | {"provenance": provenance}

    def provenance_of(self, field: str) -> Provenance:
        """Source and basis of one field, falling back to those of the row."""
        return self.provenance.get(field) or Provenance(
            source=self.source, basis=self.basis, date=self.date, note=self.note
        )

    @classmethod
    def parse_file_row(cls, row: dict[str, Any]) -> Self:
        """A row as it stands in a file: quantities must carry their unit."""
        return cls.model_validate(row, context={"from_file": True})
