"""Units against the SI, IEC 80000-13 and what data sheets print."""

from __future__ import annotations

import math

import pytest

from gigawatt import units
from gigawatt.errors import InputError, UnitError

READS = [
    # data: decimal prefixes are powers of ten, binary ones of two (IEC 80000-13), a byte is eight bits
    ("80 GB", "_bytes", 80e9),
    ("80GB", "_bytes", 80e9),
    ("80 GiB", "_bytes", 85_899_345_920),
    ("1 KiB", "_bytes", 1024),
    ("1 KB", "_bytes", 1000),
    ("1 kB", "_bytes", 1000),
    ("8 Gb", "_bytes", 1e9),
    ("8 Gbit", "_bytes", 1e9),
    ("8 Gib", "_bytes", 2**30),
    ("512 bytes", "_bytes", 512),
    ("3.35 TB/s", "_bytes_per_s", 3.35e12),
    ("400 Gbit/s", "_bytes_per_s", 50e9),
    ("400 Gb/s", "_bytes_per_s", 50e9),
    ("400 Gbps", "_bytes_per_s", 50e9),
    ("400 GBps", "_bytes_per_s", 400e9),
    ("900 GB per second", "_bytes_per_s", 900e9),
    ("36 TB/h", "_bytes_per_s", 1e10),
    # computation
    ("989 TFLOP/s", "_flop_per_s", 989e12),
    ("1.4 EFLOP/s", "_flop_per_s", 1.4e18),
    ("3.8e25 FLOP", "_flop", 3.8e25),
    # power and energy: 1 kWh = 3.6 MJ; "m" and "M" are both legal and differ by 10^9
    ("2.5 GW", "_w", 2.5e9),
    ("10.2 kW", "_w", 10_200),
    ("5 mW", "_w", 0.005),
    ("5 MW", "_w", 5e6),
    ("1,000 W", "_w", 1000),
    ("-3 W", "_w", -3),
    ("1 kWh", "_j", 3.6e6),
    ("2 MWh", "_j", 7.2e9),
    ("5 W h", "_j", 18_000),
    ("0.4 J/token", "_j_per_token", 0.4),
    # time: the Julian year (IAU) has 365.25 days, a month is its twelfth
    ("90 days", "_s", 7_776_000),
    ("1 year", "_s", 31_557_600),
    ("18 months", "_s", 18 * 30.4375 * 86_400),
    ("36 h", "_s", 129_600),
    ("5 min", "_s", 300),
    ("12.5 us", "_s", 12.5e-6),
    ("12.5 µs", "_s", 12.5e-6),
    ("12.5 μs", "_s", 12.5e-6),
    ("2 weeks", "_s", 1_209_600),
    # money
    ("$2.49/h", "_usd_per_gpu_h", 2.49),
    ("$2.49/GPU/h", "_usd_per_gpu_h", 2.49),
    ("$2.49/GPU-h", "_usd_per_gpu_h", 2.49),
    ("$2.49 per GPU hour", "_usd_per_gpu_h", 2.49),
    ("2.49 USD/(GPU h)", "_usd_per_gpu_h", 2.49),
    ("$45/MWh", "_usd_per_mwh", 45),
    ("4.5 USD/kWh", "_usd_per_mwh", 4500),
    ("$2.5M", "_usd", 2.5e6),
    ("$1.2B", "_usd", 1.2e9),
    ("$1.2bn", "_usd", 1.2e9),
    ("$1.2 billion", "_usd", 1.2e9),
    ("US$ 30k", "_usd", 30_000),
    ("2.5M USD", "_usd", 2.5e6),
    ("-$5", "_usd", -5),
    ("$11M/MW", "_usd_per_w", 11),
    ("$0.60/1M tokens", "_usd_per_million_output_tokens", 0.6),
    ("$0.60 per million tokens", "_usd_per_million_output_tokens", 0.6),
    # tokens: of tokens, "B" is a billion and "K" a thousand
    ("15.6T tokens", "_tokens", 15_600_000_000_000),
    ("15.6T", "_tokens", 15_600_000_000_000),
    ("15.6e12", "_tokens", 15_600_000_000_000),
    ("8B", "_tokens", 8_000_000_000),
    ("128K", "_tokens", 128_000),
    ("1.2M tokens/s", "_tokens_per_s", 1.2e6),
    # the rest
    ("85 %", "_frac", 0.85),
    ("85%", "_frac", 0.85),
    ("0.85", "_frac", 0.85),
    ("0.4 kgCO2/kWh", "_kgco2_per_mwh", 400),
    ("400 g CO2e/kWh", "_kgco2_per_mwh", 400),
    ("0.4 tCO2/MWh", "_kgco2_per_mwh", 400),
    ("11,390 tCO2eq", "_kgco2", 11_390_000),
    ("27 °C", "_c", 27),
    ("27 C", "_c", 27),
    ("300.15 K", "_k", 300.15),
    ("50 Hz", "_per_s", 50),
    ("3 requests/s", "_per_s", 3),
]


@pytest.mark.parametrize(("text", "suffix", "value"), READS)
def test_text_is_read_in_the_canonical_unit(text: str, suffix: str, value: float) -> None:
    assert units.parse_quantity(text, suffix) == value


def test_reading_rounds_once() -> None:
    """0.1 kWh is the float nearest to 360 000 J, not 0.1 * 1000 * 3600 = 360000.00000000006 or so."""
    assert units.parse_quantity("0.1 kWh", "_j") == 360_000.0
    assert units.parse_quantity("1.1 TB", "_bytes") == 1.1e12
    assert units.parse_quantity("0.3 us", "_s") == 0.3e-6


def test_whole_numbers_of_tokens_are_ints() -> None:
    assert type(units.parse_quantity("15.6T tokens", "_tokens")) is int
    assert type(units.parse_quantity("0.5 tokens", "_tokens")) is float
    assert type(units.parse_quantity("80 GB", "_bytes")) is float


REFUSED = [
    (
        "3.35 TB",
        "_bytes_per_s",
        'expected a rate such as "3.35 TB/s", found "3.35 TB" (data)',
    ),
    ("45", "_usd_per_mwh", 'bare number 45: give a unit, for example "$45/MWh"'),
    ("700", "_w", 'bare number 700: give a unit, for example "700 W"'),
    ("5M", "_w", "bare number 5M: give a unit"),
    ("4 h", "_usd", "(duration)"),
    ("$2.49/GPU/h", "_usd", "(rental price)"),
    ("12 %", "_w", "(fraction)"),
    ("10.97 EUR", "_usd", "(euros): currencies are never converted here"),
    ("€10.97/h", "_usd_per_gpu_h", "currencies are never converted here"),
    ("$5", "_w", "(US dollars)"),
    ("27 °C", "_k", "(temperature in °C)"),
    ("8 GB", "_tokens", "(data)"),
    ("8 B", "_tokens", "(data)"),
    ("10 tokens", "_per_s", "(number of tokens)"),
    ("2 TFLOP/s/W", "_w", "(FLOP/J)"),
    ("989 TFLOPS", "_flop_per_s", 'ambiguous: write "TFLOP/s" for a rate'),
    ("5 KW", "_w", 'unknown unit "KW" (did you mean kW?)'),
    ("3 gb", "_bytes", "did you mean GB or Gb?"),
    ("3 TBytes", "_bytes", "unknown unit"),
    ("1,5 kW", "_w", "a comma parts thousands"),
    ("~80 GB", "_bytes", "no number"),
    ("¥5", "_usd", "no number"),
    ("", "_w", "no number"),
    ("W", "_w", "no number"),
    ("1.5.2 W", "_w", "no number"),
    ("nan W", "_w", "no number"),
    ("inf W", "_w", "no number"),
    ("2026-07-01", "_s", "unknown unit"),
    ("5 W/", "_w", "nothing after the slash"),
    ("5 J/0 s", "_w", "division by zero"),
    ("1e999 W", "_w", "beyond all measure"),
    ("1" * 5000 + " W", "_w", "too much text"),
]


@pytest.mark.parametrize(("text", "suffix", "message"), REFUSED)
def test_what_is_wrong_or_ambiguous_is_refused(text: str, suffix: str, message: str) -> None:
    with pytest.raises(UnitError) as caught:
        units.parse_quantity(text, suffix)
    assert message in str(caught.value)


def test_a_unit_error_is_an_input_error_and_a_value_error() -> None:
    assert issubclass(UnitError, InputError)
    assert issubclass(UnitError, ValueError)
    assert UnitError("x").exit_code == 2


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("hbm_bytes_per_s", "_bytes_per_s"),
        ("hbm_bytes", "_bytes"),
        ("node_power_w", "_w"),
        ("tokens", "_tokens"),
        ("tokens_per_s", "_tokens_per_s"),
        ("price_usd_per_gpu_h", "_usd_per_gpu_h"),
        ("usd_per_million_output_tokens", "_usd_per_million_output_tokens"),
        ("failures_per_s", "_per_s"),
        ("layers_per_gpu_bytes", "_bytes"),
        ("num_sms", None),
        ("seq_len", None),
        ("basis", None),
        ("s", None),
        ("k", None),
        ("num_experts_per_token", None),
        # The last word of an unknown compound is not its unit.
        ("usd_per_million_tokens", None),
        ("bytes_per_gpu_s", None),
    ],
)
def test_the_end_of_a_name_is_its_unit(name: str, suffix: str | None) -> None:
    assert units.suffix_of(name) == suffix


def test_every_suffix_reads_its_own_example_and_is_found_again() -> None:
    for suffix, spec in units.SUFFIXES.items():
        assert math.isfinite(units.parse_quantity(spec.example, suffix))
        assert units.suffix_of(f"some{suffix}") == suffix


def test_no_text_has_two_meanings() -> None:
    """No prefix and unit spell another unit: every word that can be written has one reading."""
    readings: dict[str, set[tuple[object, ...]]] = {}
    for name, unit in units.UNITS.items():
        for prefix, factor in {"": 1, **unit.prefixes}.items():
            reading = (unit.size * factor, *sorted(unit.dimension.items()))
            readings.setdefault(prefix + name, set()).add(reading)
    assert {text for text, meanings in readings.items() if len(meanings) > 1} == set()


def test_values_are_read_elementwise_and_the_rest_passes() -> None:
    assert units.read({"bf16": "989 TFLOP/s", "fp8": 1979e12}, "_flop_per_s") == {
        "bf16": 989e12,
        "fp8": 1979e12,
    }
    assert units.read(("1 kW", "2 kW"), "_w") == (1000.0, 2000.0)
    assert units.read(["1 kW"], "_w") == [1000.0]
    assert units.read(None, "_w") is None
    assert units.read(5, "_w") == 5


@pytest.mark.parametrize(
    ("value", "suffix", "message"),
    [
        (True, "_w", "found true"),
        (False, "_tokens", "found false"),
        (math.nan, "_w", "not a finite number"),
        (-math.inf, "_frac", "not a finite number"),
    ],
)
def test_bool_nan_and_infinity_are_no_quantities(value: object, suffix: str, message: str) -> None:
    with pytest.raises(UnitError, match=message):
        units.read(value, suffix)


def test_bare_numbers_are_refused_where_a_unit_is_needed() -> None:
    with pytest.raises(UnitError) as caught:
        units.read(45, "_usd_per_mwh", bare_numbers=False)
    assert str(caught.value) == 'bare number 45: give a unit, for example "$45/MWh"'
    with pytest.raises(UnitError, match="bare number"):
        units.read({"a": 4.5e12}, "_bytes", bare_numbers=False)
    assert units.read(0.85, "_frac", bare_numbers=False) == 0.85
    assert units.read(8_000_000, "_tokens", bare_numbers=False) == 8_000_000
    with pytest.raises(UnitError, match=r'85 is not a fraction: write "85 %" or 0.85'):
        units.read(85, "_frac", bare_numbers=False)


@pytest.mark.parametrize(
    ("value", "suffix", "text"),
    [
        (3.35e12, "_bytes_per_s", "3.35 TB/s"),
        (999_999, "_bytes", "1 MB"),
        (0, "_bytes", "0 B"),
        (0.0032, "_s", "3.2 ms"),
        (14.7, "_s", "14.7 s"),
        (7_024_320, "_s", "81.3 days"),
        (0, "_s", "0 s"),
        (125, "_s", "2.08 min"),
        (3e8, "_s", "9.51 years"),
        (2.49, "_usd_per_gpu_h", "$2.49/GPU/h"),
        (2.5, "_usd_per_gpu_h", "$2.50/GPU/h"),
        (45, "_usd_per_mwh", "$45/MWh"),
        (1_234_567, "_usd", "$1.23M"),
        (0.0023, "_usd", "$0.0023"),
        (-5, "_usd", "-$5"),
        (0.851, "_frac", "85.1 %"),
        (5.4e12, "_j", "1.5 GWh"),
        (0.4, "_j", "400 mJ"),
        (15.6e12, "_tokens", "15.6T tokens"),
        (3.8e25, "_flop", "3.8e25 FLOP"),
        (11_390_000, "_kgco2", "11.4 ktCO2"),
        (2.5e9, "_w", "2.5 GW"),
        (27, "_c", "27 °C"),
    ],
)
def test_quantities_are_written_as_people_write_them(value: float, suffix: str, text: str) -> None:
    assert units.format_quantity(value, suffix) == text


def test_digits_and_binary_prefixes_are_a_choice() -> None:
    assert units.format_quantity(1_234_567, "_w", digits=5) == "1.2346 MW"
    assert units.format_quantity(85_899_345_920, "_bytes", binary=True) == "80 GiB"
    assert units.format_quantity(2**20, "_bytes_per_s", binary=True) == "1 MiB/s"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_not_written(value: float) -> None:
    with pytest.raises(UnitError):
        units.format_quantity(value, "_w")
