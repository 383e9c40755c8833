"""What is printed can be read back, and reading never does anything but read or refuse."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawatt import units
from gigawatt.errors import UnitError

suffixes = st.sampled_from(sorted(units.SUFFIXES))
magnitudes = st.floats(min_value=1e-12, max_value=1e27)
signs = st.sampled_from([-1.0, 1.0])


@given(magnitudes, signs, suffixes, st.integers(2, 12))
def test_reading_undoes_writing_within_the_digits_printed(
    magnitude: float, sign: float, suffix: str, digits: int
) -> None:
    value = sign * magnitude
    back = units.parse_quantity(units.format_quantity(value, suffix, digits=digits), suffix)
    cents = 0.005 if units.SUFFIXES[suffix].example.startswith("$") and magnitude >= 0.095 else 0.0
    assert math.isclose(back, value, rel_tol=0.5000001 * 10.0 ** (1 - digits), abs_tol=cents)


@given(magnitudes, st.integers(2, 12))
def test_binary_prefixes_read_back_too(magnitude: float, digits: int) -> None:
    text = units.format_quantity(magnitude, "_bytes", digits=digits, binary=True)
    assert math.isclose(
        units.parse_quantity(text, "_bytes"), magnitude, rel_tol=0.5000001 * 10.0 ** (1 - digits)
    )


@given(st.integers(-(10**15), 10**15), st.sampled_from(["B", "kB", "MB", "GB", "KiB", "GiB", "Gbit"]))
def test_whole_amounts_are_exact(count: int, unit: str) -> None:
    bits = {"B": 8, "kB": 8e3, "MB": 8e6, "GB": 8e9, "KiB": 8 * 2**10, "GiB": 8 * 2**30, "Gbit": 1e9}
    assert units.parse_quantity(f"{count} {unit}", "_bytes") == count * int(bits[unit]) / 8


SAME_DIMENSION = {
    ("_usd_per_year", "_usd_per_gpu_h"),
    ("_w", "_j_per_year"),
    ("_j_per_year", "_w"),
    ("_usd_per_mwh", "_usd_per_w_month"),
    ("_usd_per_w_month", "_usd_per_mwh"),
}


@given(magnitudes, suffixes)
def test_a_printed_number_is_refused_under_every_other_dimension(magnitude: float, suffix: str) -> None:
    text = units.format_quantity(magnitude, suffix)
    for other, spec in units.SUFFIXES.items():
        # An amount per year is a price per GPU hour where the key says that it is one GPU's; energy per
        # year is a power; rent for power and month is a price of energy.
        if other == suffix or (suffix, other) in SAME_DIMENSION:
            continue
        with pytest.raises(UnitError) as refused:
            units.parse_quantity(text, other)
        assert spec.example in str(refused.value)


@given(
    st.text(alphabet="0123456789.,eE+-/ $€%kKMGTPBbitsWhJ·*()GPU", max_size=30) | st.text(max_size=30),
    suffixes,
)
def test_any_text_is_read_as_a_finite_number_or_refused(text: str, suffix: str) -> None:
    try:
        value = units.parse_quantity(text, suffix)
    except UnitError:
        return
    assert math.isfinite(value)
