"""What is wrong with a record, in sentences with a place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, Self

import pytest
from pydantic import Field, model_validator

from gigawatt.documents import json_schema, parse_record, parse_records, parse_yaml, read_record
from gigawatt.domain.record import Record, Sourced
from gigawatt.errors import InputError


class Engine(Record):
    kind: Literal["diesel", "steam"]
    power_w: float = Field(gt=0)
    num_cylinders: int = 4


class Ship(Record):
    name: str
    engines: tuple[Engine, ...] = Field(min_length=1)
    fuel_j: float
    nuclear: bool = False
    range_tokens: int = 0
    crew: int | str = 0
    cabins: dict[str, int] = Field(default={})
    spare: Engine | None = None

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.name == "Titanic":
            raise ValueError("is sunk")
        return self


class Port(Sourced):
    depth_s: float = Field(gt=0)
    rates_w: dict[str, float] = Field(default={})


GOOD = "name: Ada\nengines:\n  - {kind: steam, power_w: 5 MW}\nfuel_j: 3 GWh\n"


def problems(text: str, record: type[Record] = Ship) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse_record(parse_yaml(text, "s.yaml"), record)
    return str(caught.value).splitlines()


def test_a_good_file_is_a_record() -> None:
    ship = parse_record(parse_yaml(GOOD), Ship)
    assert ship == Ship(name="Ada", engines=(Engine(kind="steam", power_w=5e6),), fuel_j=3e9 * 3600)


def test_all_problems_of_a_file_at_once_in_order() -> None:
    text = """name: 5
engines:
  - kind: steem
    powr_w: 5 MW
  - {kind: diesel, power_w: 5 MWh, num_cylinders: 2.5}
  - {kind: diesel, power_w: -5 MW}
fuel_j: 100
nuclear: no
crew: [1]
cabins: {a: x, b: 2}
colour: red
"""
    assert problems(text) == [
        's.yaml:1:7: name: expected text, found the number 5: put it in quotes',
        's.yaml:3:11: engines[0].kind: expected "diesel" or "steam", found "steem": did you mean "steam"?',
        's.yaml:4:5: engines[0].powr_w: unknown key: did you mean "power_w"?',
        's.yaml:5:29: engines[1].power_w: expected power such as "700 W", found "5 MWh" (energy)',
        "s.yaml:5:51: engines[1].num_cylinders: expected a whole number, found the number 2.5",
        's.yaml:6:29: engines[2].power_w: expected more than 0 W, found "-5 MW"',
        's.yaml:7:9: fuel_j: bare number 100: give a unit, for example "100 GWh"',
        's.yaml:8:10: nuclear: expected true or false, found "no": write false',
        "s.yaml:9:7: crew: expected a whole number or text, found a list of 1",
        's.yaml:10:13: cabins.a: expected a whole number, found "x"',
        "s.yaml:11:1: colour: unknown key: known keys are name, engines, fuel_j, nuclear, "
        "range_tokens, crew, cabins, spare",
    ]  # fmt: skip


def test_missing_keys_say_what_they_hold_and_where() -> None:
    assert problems("engines:\n  - {kind: steam}\nspare: 3\n") == [
        "s.yaml:1:1: name: missing: expected text",
        's.yaml:1:1: fuel_j: missing: expected energy such as "1.5 GWh"',
        's.yaml:2:5: engines[0].power_w: missing: expected power such as "700 W"',
        "s.yaml:3:8: spare: expected a mapping (lines of `key: value`), found the number 3",
    ]


def test_a_misspelt_key_is_not_reported_missing_as_well() -> None:
    assert problems(GOOD.replace("fuel_j", "feul_j")) == [
        's.yaml:4:1: feul_j: unknown key: did you mean "fuel_j"?'
    ]


def test_invariants_are_reported_at_the_record() -> None:
    assert problems(GOOD.replace("Ada", "Titanic")) == ["s.yaml:1:1: is sunk"]
    assert problems(GOOD.replace("\n  - {kind: steam, power_w: 5 MW}", " []")) == [
        "s.yaml:2:10: engines: expected a list of at least 1, found a list of 0"
    ]
    assert problems("- a\n") == ["s.yaml:1:1: expected a mapping (lines of `key: value`), found a list of 1"]


def test_values_with_their_own_source_are_found_in_the_file() -> None:
    head = "id: p\nname: P\nsource: x\nbasis: published\ndate: 2026-01-01\n"
    text = (
        head
        + "depth_s: {value: 5 W, source: y}\nrates_w:\n  a: {value: 3 kW, source: z}\n  b: {value: 4 s}\n"
    )
    assert problems(text, Port) == [
        's.yaml:6:18: depth_s.value: expected a duration such as "90 days", found "5 W" (power)',
        's.yaml:9:14: rates_w.b.value: expected power such as "700 W", found "4 s" (duration)',
    ]


def test_a_list_of_records_is_checked_as_a_whole() -> None:
    document = parse_yaml(
        "ships:\n  - {kind: steam, power_w: 5 MW}\n  - {kind: steam, power_w: 1}\n  - 7\n", "s.yaml"
    )
    with pytest.raises(InputError) as caught:
        parse_records(document, Engine, ("ships",))
    assert [problem.key for problem in caught.value.problems] == ["ships[1].power_w", "ships[2]"]
    with pytest.raises(InputError, match="expected a list, found a mapping"):
        parse_records(parse_yaml("{a: 1}"), Engine)
    good = parse_yaml("- {kind: steam, power_w: 5 MW}")
    assert parse_records(good, Engine) == (Engine(kind="steam", power_w=5e6),)


def test_artefacts_are_read_back_and_errors_have_places(tmp_path: Path) -> None:
    ship = parse_record(parse_yaml(GOOD), Ship)
    path = tmp_path / "ship.json"
    path.write_text(ship.model_dump_json(indent=1))
    assert read_record(path, Ship) == ship
    path.write_text(
        '{"name": "Ada",\n "engines": [{"kind": "steam", "power_w": "5 J"}], "fuel_j": 1, "x": 2}'
    )
    with pytest.raises(InputError) as caught:
        read_record(path, Ship)
    assert [(problem.line, problem.key) for problem in caught.value.problems] == [
        (2, "engines[0].power_w"),
        (2, "x"),
    ]


def test_schema_for_editors_asks_for_units() -> None:
    schema = json_schema(Port)
    json.dumps(schema)
    assert schema["$schema"].startswith("https://json-schema.org/")
    plain, sourced = schema["properties"]["depth_s"]["anyOf"]
    assert plain["type"] == "string"
    assert plain["examples"] == ["90 days"]
    assert "exclusiveMinimum" not in plain
    assert sourced["properties"]["value"] == plain
    assert sourced["required"] == ["value"]
    engine = json_schema(Engine)
    assert engine["properties"]["power_w"]["type"] == "string"
    assert engine["properties"]["num_cylinders"] == {
        "default": 4,
        "title": "Num Cylinders",
        "type": "integer",
    }
    assert engine["required"] == ["kind", "power_w"]
