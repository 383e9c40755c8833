"""The hours of an energy plan as a picture needs them: the year by days, two weeks by hours, durations."""

from __future__ import annotations

from typing import Literal

from gigawatt.domain.record import Record

DispatchKind = Literal[
    "purchase", "dispatchable", "grid", "wind", "solar", "storage", "shifted", "curtailed", "unserved",
    "feed-in",
]  # fmt: skip
"""What gives or takes power."""


class PowerSeries(Record):
    """Power over time; below nought where it is taken."""

    name: str
    kind: DispatchKind
    values_w: tuple[float, ...]


class Stretch(Record):
    """A piece of the year, step by step."""

    words: str
    """Why this piece."""
    begin: str
    """Its first hour, UTC."""
    step_s: float
    load_w: tuple[float, ...]
    spilled_w: tuple[float, ...]
    """What wind and sun could have given beside."""
    emitted_kgco2: tuple[float, ...]
    """In each step."""
    series: tuple[PowerSeries, ...]


class EnergyDispatch(Record):
    """The year at a glance."""

    year: Stretch
    weeks: tuple[Stretch, ...]
    durations: tuple[PowerSeries, ...]
    """Of what gives: from its highest hour to its lowest, at evenly spaced shares of the year."""
