"""Quantities as text, at the edges: "3.35 TB/s" -> 3.35e12, and back.

Inside gigawatt a quantity is a plain float whose name ends in a unit suffix (`hbm_bytes_per_s`). `SUFFIXES`
is the one table of those suffixes, `UNITS` the one table of units that text may use. Reading is exact
(rational arithmetic, one rounding at the end) and checked for its dimension. Nothing is guessed: "Gb" is
bits, "GB" bytes and "GiB" 2^30 bytes, "mW" is not "MW", and one currency never becomes another.

A day is 86 400 s, a year 365.25 days and a month a twelfth of a year (30.4375 days).
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from gigawatt.errors import Problem, UnitError

Dimension = Mapping[str, int]
"""Exponents of the base dimensions: bytes per second is {"B": 1, "s": -1}."""
Factors = Mapping[str, int | Fraction]

_SMALL: dict[str, int | Fraction] = {
    p: Fraction(1, 10**e) for p, e in {"m": 3, "u": 6, "µ": 6, "μ": 6, "n": 9}.items()
}
_LARGE: dict[str, int | Fraction] = {p: 10 ** (3 * e) for e, p in enumerate("kMGTPE", start=1)}
# "KB" is as common as "kB"; "KW" is not, and reads as kelvin times watt.
_COUNTED: Factors = {**_LARGE, "K": 1000}
_BINARY: Factors = {f"{p}i": 2 ** (10 * e) for e, p in enumerate("KMGTPE", start=1)}
_SCALES: Factors = {
    "k": 10**3, "K": 10**3, "M": 10**6, "B": 10**9, "bn": 10**9, "T": 10**12,
    "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that text may use: its size in base units, its dimension, the prefixes it takes."""

    size: Fraction
    dimension: Dimension
    prefixes: Factors


def _units(names: str, size: int | Fraction, dimension: Dimension, *prefixes: Factors) -> dict[str, Unit]:
    allowed = {prefix: factor for group in prefixes for prefix, factor in group.items()}
    return {name: Unit(Fraction(size), dimension, allowed) for name in names.split()}


CURRENCIES: Mapping[str, str] = {
    "USD": "US dollars", "EUR": "euros", "GBP": "pounds sterling", "CHF": "Swiss francs", "CNY": "yuan",
    "JPY": "yen", "INR": "rupees", "KRW": "won", "SEK": "Swedish kronor", "NOK": "Norwegian kroner",
    "DKK": "Danish kroner", "CAD": "Canadian dollars", "AUD": "Australian dollars",
    "SGD": "Singapore dollars",
}  # fmt: skip
_SIGNS = {"US$": "USD", "$": "USD", "€": "EUR", "£": "GBP", "₹": "INR"}

UNITS: Mapping[str, Unit] = {
    **_units("s", 1, {"s": 1}, _SMALL),
    **_units("sec second seconds", 1, {"s": 1}),
    **_units("min minute minutes", 60, {"s": 1}),
    **_units("h hr hour hours", 3600, {"s": 1}),
    **_units("d day days", 86400, {"s": 1}),
    **_units("week weeks", 604800, {"s": 1}),
    **_units("month months mo", 2629800, {"s": 1}),
    **_units("year years yr", 31557600, {"s": 1}),
    **_units("Hz", 1, {"s": -1}, _LARGE),
    **_units("B byte bytes", 1, {"B": 1}, _COUNTED, _BINARY),
    **_units("b bit bits", Fraction(1, 8), {"B": 1}, _COUNTED, _BINARY),
    **_units("Bps", 1, {"B": 1, "s": -1}, _COUNTED),
    **_units("bps", Fraction(1, 8), {"B": 1, "s": -1}, _COUNTED),
    **_units("FLOP flop", 1, {"FLOP": 1}, _COUNTED),
    **_units("J", 1, {"J": 1}, _SMALL, _LARGE),
    **_units("Wh", 3600, {"J": 1}, _SMALL, _LARGE),
    **_units("W", 1, {"J": 1, "s": -1}, _SMALL, _LARGE),
    **_units("tok token tokens", 1, {"token": 1}, _COUNTED),
    **_units("gCO2 gCO2e gCO2eq", Fraction(1, 1000), {"kgCO2": 1}, _LARGE),
    **_units("tCO2 tCO2e tCO2eq", 1000, {"kgCO2": 1}, _LARGE),
    **_units("GPU GPUs gpu gpus accelerator accelerators", 1, {"GPU": 1}),
    **_units("GPUh gpuh", 3600, {"GPU": 1, "s": 1}),
    **_units("m", 1, {"m": 1}, _SMALL, {"c": Fraction(1, 100), "k": 1000}),
    **_units("m2", 1, {"m": 2}),
    **_units("m3", 1, {"m": 3}),
    **_units("L litre litres liter liters", Fraction(1, 1000), {"m": 3}),
    **_units("g", Fraction(1, 1000), {"kg": 1}, {"k": 1000}),
    **_units("t tonne tonnes", 1000, {"kg": 1}),
    **_units("V", 1, {"V": 1}, {"k": 1000}),
    **_units("A", 1, {"A": 1}, {"k": 1000}),
    **_units("VA", 1, {"VA": 1}, _LARGE),
    **_units("ohm ohms", 1, {"ohm": 1}, _SMALL),
    **_units("Pa", 1, {"Pa": 1}, {"k": 1000, "M": 10**6}),
    **_units("bar", 100_000, {"Pa": 1}),
    **_units("°C degC C", 1, {"°C": 1}),
    **_units("K", 1, {"K": 1}),
    **_units("%", Fraction(1, 100), {}),
    **_units("request requests event events", 1, {}),
    **{code: Unit(Fraction(1), {code: 1}, {}) for code in CURRENCIES},
}

Step = tuple[float, float, str]
"""From this magnitude on, divide by this factor and print so."""


@dataclass(frozen=True, slots=True)
class Suffix:
    """What the end of a field's name says: its canonical unit, what it is called, how it is written."""

    unit: str
    noun: str
    example: str
    steps: tuple[Step, ...]
    also: tuple[str, ...] = ()
    """Other dimensions that are understood, because the name says the rest ("$2.49/h" of a GPU's price)."""


def _ladder(unit: str, prefixes: str = "kMGTPE") -> tuple[Step, ...]:
    factors = {"": 1.0} | {p: float((_SMALL | _LARGE)[p]) for p in prefixes}
    return tuple(sorted((factor, factor, f"{{}} {prefix}{unit}") for prefix, factor in factors.items()))


def _scaled(before: str, after: str) -> tuple[Step, ...]:
    scales = {"": 1.0, "k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
    return tuple((factor, factor, f"{before}{{}}{scale}{after}") for scale, factor in scales.items())


def _flat(unit: str, factor: float = 1.0) -> tuple[Step, ...]:
    return ((factor, factor, f"{{}} {unit}"),)


_TIME: tuple[Step, ...] = (
    (1e-9, 1e-9, "{} ns"), (1e-6, 1e-6, "{} us"), (1e-3, 1e-3, "{} ms"), (1.0, 1.0, "{} s"),
    (120.0, 60.0, "{} min"), (7200.0, 3600.0, "{} h"), (172800.0, 86400.0, "{} days"),
    (63115200.0, 31557600.0, "{} years"),
)  # fmt: skip
# Small energies (of a token, of a bit) are spoken of in joules, what a meter counts in watt-hours.
_ENERGY: tuple[Step, ...] = (
    *_ladder("J", "numk"),
    *((max(3600 * factor, 1e5), 3600 * factor, text) for _, factor, text in _ladder("Wh") if factor >= 1e3),
)
_CARBON: tuple[Step, ...] = (
    (1e-3, 1e-3, "{} gCO2"), (1.0, 1.0, "{} kgCO2"), (1e3, 1e3, "{} tCO2"), (1e6, 1e6, "{} ktCO2"),
    (1e9, 1e9, "{} MtCO2"),
)  # fmt: skip

SUFFIXES: Mapping[str, Suffix] = {
    "_s": Suffix("s", "a duration", "90 days", _TIME),
    "_bytes": Suffix("B", "data", "80 GB", _ladder("B")),
    "_bytes_per_s": Suffix("B/s", "a rate", "3.35 TB/s", _ladder("B/s")),
    "_bytes_per_token": Suffix("B/token", "data per token", "160 kB/token", _ladder("B/token")),
    # A training run is 3.8e25 FLOP to everybody; nobody says 38 million EFLOP.
    "_flop": Suffix(
        "FLOP", "an amount of computation", "3.8e25 FLOP", (*_ladder("FLOP"), (1e21, 1.0, "{} FLOP"))
    ),
    "_flop_per_s": Suffix("FLOP/s", "a compute rate", "989 TFLOP/s", _ladder("FLOP/s")),
    "_flop_per_token": Suffix(
        "FLOP/token", "computation per token", "2.4 TFLOP/token", _ladder("FLOP/token")
    ),
    "_flop_per_byte": Suffix("FLOP/B", "an arithmetic intensity", "295 FLOP/B", _flat("FLOP/B")),
    "_w": Suffix("W", "power", "700 W", _ladder("W", "numkMGTPE")),
    "_j": Suffix("J", "energy", "1.5 GWh", _ENERGY),
    "_j_per_token": Suffix("J/token", "energy per token", "0.4 J/token", _ladder("J/token", "numkMG")),
    "_j_per_year": Suffix("J/year", "energy a year", "220 GWh/year", _flat("GWh/year", 3.6e12)),
    "_frac": Suffix("", "a fraction", "85 %", _flat("%", 0.01)),
    "_usd": Suffix("USD", "US dollars", "$2.5M", _scaled("$", "")),
    "_usd_per_year": Suffix("USD/year", "US dollars per year", "$1.2M/year", _scaled("$", "/year")),
    "_usd_per_w": Suffix("USD/W", "US dollars per power", "$11M/MW", _scaled("$", "/W")),
    "_usd_per_w_month": Suffix(
        "USD/W/month", "rent for power", "$184/kW/month", ((1e-3, 1e-3, "${}/kW/month"),)
    ),
    "_usd_per_mwh": Suffix("USD/MWh", "an energy price", "$45/MWh", _scaled("$", "/MWh")),
    "_usd_per_gpu_h": Suffix(
        "USD/GPU/h", "a rental price", "$2.49/GPU/h", _scaled("$", "/GPU/h"), also=("USD/h",)
    ),
    "_usd_per_million_output_tokens": Suffix(
        "USD/1M tokens", "a price per million tokens", "$0.60/1M tokens", _scaled("$", "/1M tokens")
    ),
    "_kgco2": Suffix("kgCO2", "emissions", "120 tCO2", _CARBON),
    "_kgco2_per_mwh": Suffix("kgCO2/MWh", "a carbon intensity", "400 kgCO2/MWh", _flat("kgCO2/MWh")),
    "_kgco2_per_million_tokens": Suffix(
        "kgCO2/1M tokens", "emissions per million tokens", "0.2 kgCO2/1M tokens", _flat("kgCO2/1M tokens")
    ),
    "_usd_per_kgco2": Suffix("USD/kgCO2", "a price of emissions", "$160/tCO2", ((1e-3, 1e-3, "${}/tCO2"),)),
    "_c": Suffix("°C", "a temperature in °C", "27 °C", _flat("°C")),
    "_k": Suffix("K", "a temperature (or a difference) in K", "10 K", _flat("K")),
    "_m": Suffix("m", "a length", "50 m", ((1e-3, 1e-3, "{} mm"), (1.0, 1.0, "{} m"), (1e4, 1e3, "{} km"))),
    "_m2": Suffix("m2", "an area", "2500 m2", _flat("m2")),
    "_m3": Suffix("m3", "a volume", "150 L", ((1e-3, 1e-3, "{} L"), (1.0, 1.0, "{} m3"))),
    "_m3_per_s": Suffix("m3/s", "a flow", "150 L/min", _flat("L/min", 1 / 60e3)),
    "_m3_per_j": Suffix("m3/J", "water per energy", "0.3 L/kWh", _flat("L/kWh", 1 / 3.6e9)),
    "_kg": Suffix("kg", "a mass", "1360 kg", ((1.0, 1.0, "{} kg"), (1e4, 1e3, "{} t"))),
    "_kg_per_m2": Suffix("kg/m2", "a floor load", "1200 kg/m2", _flat("kg/m2")),
    "_v": Suffix("V", "a voltage", "13.8 kV", _ladder("V", "k")),
    "_a": Suffix("A", "a current", "4000 A", _ladder("A", "k")),
    "_va": Suffix("VA", "apparent power", "3 MVA", _ladder("VA", "kMG")),
    "_ohm": Suffix("ohm", "a resistance", "2 mohm", _ladder("ohm", "m")),
    "_ohm_per_m": Suffix("ohm/m", "a resistance per length", "0.16 mohm/m", _flat("mohm/m", 1e-3)),
    "_pa": Suffix("Pa", "a pressure", "150 kPa", _ladder("Pa", "kM")),
    "_w_per_k": Suffix("W/K", "a thermal conductance", "90 kW/K", _ladder("W/K", "kM")),
    "_usd_per_m": Suffix("USD/m", "a price per length", "$4/m", _scaled("$", "/m")),
    "_usd_per_m2": Suffix("USD/m2", "a price per area", "$3000/m2", _scaled("$", "/m2")),
    "_tokens": Suffix("token", "a number of tokens", "15.6T tokens", _scaled("", " tokens")),
    "_tokens_per_s": Suffix("token/s", "a token rate", "1.2M tokens/s", _scaled("", " tokens/s")),
    "_tokens_per_mwh": Suffix("token/MWh", "tokens per energy", "9B tokens/MWh", _scaled("", " tokens/MWh")),
    "_per_s": Suffix("Hz", "a frequency", "50 Hz", (*_flat("/day", 1 / 86400), (0.1, 1.0, "{} /s"))),
}

UNITLESS = frozenset({"_tokens", "_frac"})
"""Suffixes whose plain numbers mean one thing only, so that files may leave the unit out."""
_WORDS = sorted({suffix[1:].split("_per_")[0] for suffix in SUFFIXES if not suffix.startswith("_per")})
_COMPOUND = re.compile(rf"(^|_)({'|'.join(_WORDS)})_per(_|$)")


@lru_cache(maxsize=4096)
def suffix_of(name: str) -> str | None:
    """The unit suffix that a field's name ends with: "hbm_bytes_per_s" -> "_bytes_per_s", "num_sms" -> None.

    A name that is nothing but a unit word counts too ("tokens"), single letters do not ("s", "k"). A compound
    that is not in the table ("usd_per_rack_s") has no suffix rather than the one its last word suggests.
    """
    for suffix in _LONGEST_FIRST:
        if name.endswith(suffix) or (name == suffix[1:] and len(name) > 1):
            return None if _COMPOUND.search(name[: -len(suffix)]) else suffix
    return None


_LONGEST_FIRST = sorted(SUFFIXES, key=len, reverse=True)


def read(value: object, suffix: str, bare_numbers: bool = True) -> object:
    """A value as it stands in a file or on the command line, in the canonical unit of `suffix`.

    Text is parsed (a whole number of tokens comes back as an int, everything else as a float); finite numbers
    pass, or are refused where `bare_numbers` is False and the suffix needs a unit; mappings and sequences are
    read element by element; None and anything else pass unchanged. Raises UnitError.
    """
    if isinstance(value, str):
        return parse_quantity(value, suffix)
    if isinstance(value, bool):
        raise UnitError(f"expected {expectation(suffix)}, found {str(value).lower()}")
    if isinstance(value, int | float):
        return _checked_number(value, suffix, bare_numbers)
    if isinstance(value, dict):
        return dict(zip(value, _read_each(value.items(), suffix, bare_numbers), strict=True))
    if isinstance(value, tuple | list):
        return type(value)(_read_each(enumerate(value), suffix, bare_numbers))
    return value


def _read_each(items: Iterable[tuple[object, object]], suffix: str, bare_numbers: bool) -> list[object]:
    """Every element; the problems of all of them together, each under its key or position."""
    quantities: list[object] = []
    problems: list[Problem] = []
    for key, item in items:
        try:
            quantities.append(read(item, suffix, bare_numbers))
        except UnitError as error:
            problems.extend(Problem(problem.message, key=str(key)) for problem in error.problems)
    if problems:
        raise UnitError(problems)
    return quantities


def _checked_number(value: int | float, suffix: str, bare_numbers: bool) -> int | float:
    if not math.isfinite(value):
        raise UnitError(f"expected {expectation(suffix)}, found {value}, which is not a finite number")
    if bare_numbers or suffix == "_tokens":
        return value
    if suffix != "_frac":
        raise UnitError(_bare(f"{value:g}" if 1e-3 <= abs(value) < 1e5 else f"{value}", suffix))
    if abs(value) > 1:
        raise UnitError(f'{value:g} is not a fraction: write "{value:g} %" or {value / 100:g}')
    return value


def expectation(suffix: str) -> str:
    """What a field with this suffix takes, with an example: 'a rate such as "3.35 TB/s"'."""
    spec = SUFFIXES[suffix]
    return f'{spec.noun} such as "{spec.example}"'


def _bare(number: str, suffix: str) -> str:
    example = SUFFIXES[suffix].example
    plain = re.fullmatch(r"-?\d+(\.\d+)?", number)
    if plain and len(number) < 7:
        example = _AMOUNT.sub(number, example, count=1)
    return f'bare number {number}: give a unit, for example "{example}"'


_MAX_LENGTH = 100
_AMOUNT = re.compile(r"[0-9]+(\.[0-9]+)?(e[0-9]+)?")
_NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?(?![0-9.,])"
)
_SCALE = re.compile(rf"\s*({'|'.join(sorted(_SCALES, key=len, reverse=True))})(?![A-Za-z])\s*")
_SCALED = re.compile(rf"{_NUMBER.pattern}([kKMBT]|bn|\s*(thousand|million|billion|trillion))?")
_SIGN = re.compile(rf"([+-]?)\s*({'|'.join(map(re.escape, (*_SIGNS, *CURRENCIES)))})\s*(?=[0-9.+-])")


class _Unreadable(Exception):
    """Part of the text is no number, or no unit that the table knows."""


@lru_cache(maxsize=4096)
def parse_quantity(text: str, suffix: str) -> int | float:
    """The quantity that `text` states, in the canonical unit of `suffix`; a whole number of tokens is an int.

    Raises UnitError when the text cannot be read, lacks its unit, or has another dimension.
    """
    if suffix == "_tokens" and _SCALED.fullmatch(text.strip()):
        text += " tokens"  # of tokens, "8B" is no bytes and "128K" no kelvin
    try:
        size, dimension = _read_text(text)
    except _Unreadable as reason:
        raise UnitError(f'{reason} in "{text[:_MAX_LENGTH]}": expected {expectation(suffix)}') from None
    spec = SUFFIXES[suffix]
    for canonical in (spec.unit, *spec.also):
        unit_size, unit_dimension = _read_units(canonical)
        if dimension == unit_dimension:
            return _as_number(size / unit_size, suffix)
    if not dimension and "%" not in text:
        raise UnitError(_bare(text.strip(), suffix))
    raise UnitError(_wrong_dimension(text, dimension, suffix))


def _as_number(size: Fraction, suffix: str) -> int | float:
    if suffix == "_tokens" and size.denominator == 1:
        return int(size)
    try:
        return float(size)
    except OverflowError:
        raise UnitError(f"a number beyond all measure: expected {expectation(suffix)}") from None


def _wrong_dimension(text: str, dimension: Dimension, suffix: str) -> str:
    found = _name_of(dimension)
    remedy = ""
    if "USD" in _read_units(SUFFIXES[suffix].unit)[1] and set(dimension) & (set(CURRENCIES) - {"USD"}):
        remedy = ": currencies are never converted here, give the amount in US dollars"
    return f'expected {expectation(suffix)}, found "{text}" ({found}){remedy}'


def _name_of(dimension: Dimension) -> str:
    for spec in SUFFIXES.values():
        if _read_units(spec.unit)[1] == dimension:
            return re.sub(r"^an? ", "", spec.noun)
    if len(dimension) == 1 and set(dimension) <= set(CURRENCIES):
        return CURRENCIES[next(iter(dimension))]
    above = "*".join(
        f"{base}^{power}" if power > 1 else base for base, power in dimension.items() if power > 0
    )
    below = "".join(f"/{base}" * -power for base, power in dimension.items() if power < 0)
    return (above or "1") + below if dimension else "a plain number"


def _read_text(text: str) -> tuple[Fraction, Dimension]:
    """Size and dimension of a text such as "$2.5M/MW" or "15.6T tokens"."""
    rest, currency, scale = text.strip(), "", ""
    if len(rest) > _MAX_LENGTH:
        raise _Unreadable("too much text")
    if sign := _SIGN.match(rest):
        currency = _SIGNS.get(sign[2], sign[2])
        rest = sign[1] + rest[sign.end() :]
    number = _NUMBER.match(rest)
    if not number:
        comma = " (a comma parts thousands, a point decimals)" if re.match("[+-]?[0-9]+,", rest) else ""
        raise _Unreadable(f"no number{comma}")
    rest = rest[number.end() :]
    if currency and (scaled := _SCALE.match(rest)):
        # Of money, "B" is a billion; everywhere else it is bytes.
        scale, rest = scaled[1], rest[scaled.end() :]
    size, dimension = _read_units(f"{currency} {rest}")
    return Fraction(number[0].replace(",", "")) * _SCALES.get(scale, 1) * size, dimension


@lru_cache(maxsize=1024)
def _read_units(text: str) -> tuple[Fraction, Dimension]:
    """Size and dimension of units such as "kgCO2/kWh", "GPU h", "USD/1M tokens" or nothing at all."""
    text = text.replace("CO₂", "CO2").replace(" per ", "/")
    text = re.sub(r"g\s+CO2", "gCO2", text)
    above, *below = (part.strip(" ()") for part in text.split("/"))
    size, dimension = _read_product(above)
    if below and not all(below):
        raise _Unreadable("nothing after the slash")
    for part in below:
        divisor, divided = _read_product(part)
        if not divisor:
            raise _Unreadable("division by zero")
        size /= divisor
        dimension = _times(dimension, divided, -1)
    return size, dimension


def _read_product(text: str) -> tuple[Fraction, Dimension]:
    size, dimension = Fraction(1), dict[str, int]()
    number = _NUMBER.match(text)
    if number:
        size, text = Fraction(number[0].replace(",", "")), text[number.end() :].strip()
    if text not in UNITS and (scale := _SCALE.match(text)):
        size, text = size * _SCALES[scale[1]], text[scale.end() :]
    for name in filter(None, re.split(r"[\s*·-]+", text)):
        unit_size, unit_dimension = _unit(name)
        size, dimension = size * unit_size, _times(dimension, unit_dimension, 1)
    return size, dimension


def _times(left: Dimension, right: Dimension, power: int) -> dict[str, int]:
    product = {base: left.get(base, 0) + power * right.get(base, 0) for base in (*left, *right)}
    return {base: exponent for base, exponent in product.items() if exponent}


def _unit(name: str) -> tuple[Fraction, Dimension]:
    for length in (0, 1, 2):
        unit = UNITS.get(name[length:])
        if unit and (not length or name[:length] in unit.prefixes):
            prefix = unit.prefixes[name[:length]] if length else 1
            return unit.size * prefix, unit.dimension
    raise _Unreadable(f'unknown unit "{name}"{_advice(name)}')


def _advice(name: str) -> str:
    if loose := re.fullmatch(r"([kKMGTPE]?)flops", name, re.IGNORECASE):
        return f' (ambiguous: write "{loose[1]}FLOP/s" for a rate, "{loose[1]}FLOP" for an amount)'
    known = [prefix + unit for unit, spec in UNITS.items() for prefix in ("", *spec.prefixes)]
    same = [other for other in known if other.lower() == name.lower()]
    near = same or difflib.get_close_matches(name, known, n=2, cutoff=0.75)
    return f" (did you mean {' or '.join(near[:3])}?)" if near else ""


def format_quantity(value: float, suffix: str, digits: int = 3, binary: bool = False) -> str:
    """A number in the canonical unit of `suffix` as people write it: 3.35e12, "_bytes_per_s" -> "3.35 TB/s".

    `digits` are significant digits (money below a thousand keeps its cents instead); `binary` prints bytes in
    KiB, MiB, GiB, ... What is printed can be read back, within the digits printed. Raises UnitError for NaN
    and infinity.

    >>> format_quantity(7.03e6, "_s"), format_quantity(2.49, "_usd_per_gpu_h")
    ('81.4 days', '$2.49/GPU/h')
    """
    if not math.isfinite(value):
        raise UnitError(f"{value} is not a finite number")
    steps = SUFFIXES[suffix].steps
    if binary and suffix in ("_bytes", "_bytes_per_s"):
        steps = _BINARY_STEPS[suffix]
    magnitude = max(abs(value), abs(float(f"{value:.{digits - 1}e}")))
    _, factor, template = max((step for step in steps if step[0] <= magnitude), default=steps[0])
    if not value:
        template = next((step[2] for step in steps if step[1] == 1.0), steps[0][2])
    if template.startswith("$") and factor == 1.0 and magnitude >= 0.1:
        text = f"{abs(value):.2f}".removesuffix(".00")
    else:
        text = _significant(abs(value) / factor, digits)
    return ("-" if value < 0 and text.strip("0.") else "") + template.format(text)


def format_link_rate(bytes_per_s: float) -> str:
    """A network link's rate as the trade speaks of it: 50e9 -> "400 Gbit/s".

    >>> format_link_rate(50e9), format_link_rate(2.4e12)
    ('400 Gbit/s', '19200 Gbit/s')
    """
    return f"{bytes_per_s * 8 / 1e9:.6g} Gbit/s"


_BINARY_STEPS = {
    suffix: tuple(
        (float(f), float(f), f"{{}} {p}{SUFFIXES[suffix].unit}") for p, f in {"": 1, **_BINARY}.items()
    )
    for suffix in ("_bytes", "_bytes_per_s")
}


def _significant(value: float, digits: int) -> str:
    """Significant digits without trailing zeros; with an exponent only where nobody would count the zeros."""
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if not -5 <= int(exponent) < 6:
        return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"
    text = f"{float(f'{mantissa}e{exponent}'):.{max(0, digits - 1 - int(exponent))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
