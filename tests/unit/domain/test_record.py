"""The base of all records: strict, frozen, and fluent in units."""

from __future__ import annotations

import pytest
from pydantic import Field, ValidationError

from gigawatt.domain.hardware import Accelerator
from gigawatt.domain.record import Record, Sourced


class Part(Record):
    power_w: float = 0.0
    sizes_bytes: tuple[float, ...] = ()


class Machine(Record):
    window_tokens: int = 0
    tokens: float = 0.0
    message_bytes: int = 0
    top_k: int = 0
    rates_flop_per_s: dict[str, float] = Field(default={})
    step_s: float | None = None
    parts: tuple[Part, ...] = ()
    grid: tuple[tuple[int, ...], ...] = ()


class Special(Machine):
    cooling_w: float = Field(default=0.0, ge=0)


class Row(Sourced):
    power_w: float | None = None
    peak_flop_per_s: dict[str, float] = Field(default={})


ROW = {"id": "a", "name": "A", "source": "sheet", "basis": "datasheet", "date": "2026-01-01"}
FILE = {"from_file": True}


def test_quantities_are_read_by_the_suffix_of_their_field_inherited_ones_too() -> None:
    special = Special(
        step_s="3 ms",  # type: ignore[arg-type]
        rates_flop_per_s={"bf16": "989 TFLOP/s"},  # type: ignore[dict-item]
        cooling_w="2 kW",  # type: ignore[arg-type]
        parts=(Part(power_w="5 W", sizes_bytes=("1 KiB", 3.0)),),  # type: ignore[arg-type]
    )
    assert special.step_s == 0.003
    assert special.rates_flop_per_s == {"bf16": 989e12}
    assert special.cooling_w == 2000
    assert special.parts[0].sizes_bytes == (1024.0, 3.0)


def test_counts_stay_whole() -> None:
    machine = Machine.model_validate(
        {"window_tokens": "128K", "tokens": "15.6T tokens", "message_bytes": "80 GiB", "top_k": 4},
        context=FILE,
    )
    assert (machine.window_tokens, type(machine.window_tokens)) == (128_000, int)
    assert (machine.message_bytes, type(machine.message_bytes)) == (85_899_345_920, int)
    assert (machine.tokens, type(machine.tokens)) == (15.6e12, float)
    assert machine.top_k == 4


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"window_tokens": "4.5 tokens"}, "expected a whole number"),
        ({"message_bytes": "1 bit"}, "expected a whole number"),
        ({"step_s": "3 W"}, "expected a duration"),
        ({"step_s": True}, "found true"),
        ({"window_tokens": True}, "found true"),
        ({"step_s": float("nan")}, "not a finite number"),
        ({"step_s": "3"}, "bare number"),
        ({"top_k": "4 K"}, "valid integer"),
        ({"grid": [[1]]}, "valid tuple"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_what_is_wrong_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Machine.model_validate(fields)


def test_all_problems_come_together() -> None:
    with pytest.raises(ValidationError) as caught:
        Machine.model_validate({"step_s": "3 W", "tokens": "3 GB", "top_k": "x"})
    assert caught.value.error_count() == 3


def test_files_must_give_units_and_programs_need_not() -> None:
    assert Part(power_w=5).power_w == 5
    with pytest.raises(ValidationError, match="bare number 5"):
        Part.model_validate({"power_w": 5}, context=FILE)
    with pytest.raises(ValidationError, match="bare number 5"):
        Machine.model_validate({"parts": ({"power_w": 5},)}, context=FILE)


def test_records_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Part().power_w = 3.0


def test_json_gives_back_the_same_record() -> None:
    machine = Special(
        grid=((1, 2), (3,)),
        parts=(Part(power_w=0.1 + 0.2, sizes_bytes=(1.0,)),),
        rates_flop_per_s={"fp8": 1e15},
    )
    assert Special.model_validate_json(machine.model_dump_json()) == machine


def test_a_value_may_say_where_it_comes_from() -> None:
    row = Row.parse_file_row(
        ROW
        | {
            "power_w": {"value": "700 W", "source": "measured-by-us", "basis": "measured"},
            "peak_flop_per_s": {"bf16": "989 TFLOP/s", "fp8": {"value": "1979 TFLOP/s", "note": "dense"}},
        }
    )
    assert row.power_w == 700
    assert row.peak_flop_per_s == {"bf16": 989e12, "fp8": 1979e12}
    assert (row.provenance_of("power_w").source, row.provenance_of("power_w").basis) == (
        "measured-by-us",
        "measured",
    )
    assert row.provenance_of("peak_flop_per_s.fp8").note == "dense"
    assert row.provenance_of("peak_flop_per_s.fp8").source == "sheet"
    assert row.provenance_of("peak_flop_per_s.bf16").source == "sheet"
    assert row.provenance_of("name").basis == "datasheet"
    assert Row.model_validate_json(row.model_dump_json()) == row


def test_a_whole_mapping_may_have_one_source() -> None:
    row = Row.parse_file_row(ROW | {"peak_flop_per_s": {"value": {"bf16": "989 TFLOP/s"}, "source": "other"}})
    assert row.peak_flop_per_s == {"bf16": 989e12}
    assert row.provenance_of("peak_flop_per_s.bf16").source == "other"


@pytest.mark.parametrize("broken", [{"provenance": 3}, {"provenance": ["a"]}, {"basis": "hearsay"}])
def test_broken_provenance_is_an_error_not_a_crash(broken: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Row.parse_file_row(ROW | broken)
    with pytest.raises(ValidationError):
        Row.model_validate("text")


def test_accelerators_of_the_catalogue_are_such_rows() -> None:
    chip = Accelerator.parse_file_row(
        ROW
        | {"vendor": "v", "architecture": "a", "peak_flop_per_s": {"bf16": "1 PFLOP/s"}, "hbm_bytes": "80 GB"}
    )
    assert chip.hbm_bytes == 80e9
