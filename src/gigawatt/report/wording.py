"""How figures read on the page: quantities, intervals, dates and layouts as short text."""

from __future__ import annotations

from datetime import datetime, timedelta

from gigawatt import units
from gigawatt.domain.blueprint import Option
from gigawatt.domain.training import Layout
from gigawatt.report.axes import day_text

_SCHEDULES = {"1f1b": "1F1B", "interleaved": "interleaved", "zero-bubble": "zero bubble"}


def quantity(value: float | None, suffix: str, digits: int = 3) -> str:
    """A value in the unit that reads best; an em dash where there is none."""
    return "—" if value is None else units.format_quantity(value, suffix, digits)


def between(low: float | None, high: float | None, suffix: str) -> str:
    """The two ends of an interval, a unit that they share said once; blank where there is none."""
    if low is None or high is None:
        return ""
    first, last = quantity(low, suffix), quantity(high, suffix)
    amount, _, unit = first.partition(" ")
    return f"{amount if unit and last.endswith(f' {unit}') else first} – {last}"


def goodput_range(option: Option) -> str:
    """The range of the share of time that makes progress; blank where it is stated, and so known exactly."""
    low, high = option.low_goodput_frac, option.high_goodput_frac
    return "" if low == high else between(low, high, "_frac")


def count(value: float | None) -> str:
    """A count to three digits: 31.2M; an em dash where there is none."""
    return "—" if value is None else units.format_quantity(value, "_tokens").removesuffix(" tokens")


def money(value: float | None, currency: str) -> str:
    """An amount with its currency's sign or code."""
    text = quantity(value, "_usd")
    return text if currency == "USD" else text.replace("$", f"{currency} ")


def moment(iso: str) -> datetime:
    """An instant of the blueprint (ISO 8601, UTC)."""
    return datetime.fromisoformat(iso)


def ordinal(iso: str) -> float:
    """An instant as a position on a date axis: whole days count from 1 January of year 1, which is day 1."""
    return (moment(iso).replace(tzinfo=None) - datetime.min) / timedelta(days=1) + 1


def day(iso: str) -> str:
    """3 Mar 2027; an em dash where there is no date."""
    return day_text(moment(iso).date()) if iso else "—"


def days_between(low: str, high: str) -> str:
    """Two dates as an interval; one date where both fall on the same day; blank where there are none."""
    if not low or not high:
        return ""
    first, last = day(low), day(high)
    if first == last:
        return first
    return f"{first.removesuffix(last[-5:])} – {last}"


def layout(chosen: Layout) -> str:
    """The axes that matter, to be read at a glance: TP 8 · PP 16 × 4 · DP 64 (4 chunks for each stage) ..."""
    stages = f"PP {chosen.pp}" + (f" × {chosen.vpp}" if chosen.vpp > 1 else "")
    experts = f"EP {chosen.ep}" + (f" × ETP {chosen.etp}" if chosen.etp > 1 else "")
    parts = [f"TP {chosen.tp}", stages]
    parts += [f"CP {chosen.cp}"] if chosen.cp > 1 else []
    parts += [experts] if chosen.ep > 1 or chosen.etp > 1 else []
    parts += [f"DP {chosen.dp}", f"micro-batch {chosen.micro_batch}", f"ZeRO {chosen.zero}"]
    parts += [f"sharded over {chosen.dp_shard}"] if chosen.dp_shard else []
    return " · ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)


def layout_manner(chosen: Layout) -> str:
    """How the layout is run: its pipeline schedule and what it recomputes."""
    recompute = "no recompute" if chosen.recompute == "none" else f"{chosen.recompute} recompute"
    schedule = f"{_SCHEDULES[chosen.schedule]} schedule, " if chosen.pp > 1 else ""
    return schedule + recompute


def named_value(key: str, value: float | str | bool | None) -> str:
    """A fact's or an assumption's value in the unit that its key names (`.../peak_flop_per_s/bf16`)."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    suffixes = [units.suffix_of(part) for part in reversed(key.split("/"))]
    suffix = next((suffix for suffix in suffixes if suffix), None)
    return f"{value:,.6g}" if suffix is None else units.format_quantity(value, suffix)


def capitalised(text: str) -> str:
    """Text with a capital first letter; the rest as it is."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """Text with a capital first letter and a full stop."""
    return capitalised(text) + ("" if text.endswith((".", "!", "?")) else ".")
