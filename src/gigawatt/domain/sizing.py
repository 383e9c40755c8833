"""What searches over rehearsals answer: the number that does, and every number that was tried on the way."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gigawatt.domain.record import Record

ExtraKind = Literal["free", "hot", "spares"]
"""Nodes that a site has more: in its pool, kept by the run itself, or standing by."""


class IntervalStep(Record):
    """A checkpoint interval that was tried."""

    interval_s: float
    ettr_frac: float
    """Of the run, on average over replications."""


class IntervalAnswer(Record):
    """How often a run should write checkpoints."""

    run: str
    interval_s: float
    """The best of those tried."""
    low_s: float
    high_s: float
    """From here to there of those tried, the run loses hardly more."""
    ettr_frac: float
    curve: tuple[IntervalStep, ...]
    """By interval."""


class StockStep(Record):
    """A stock that was tried."""

    num_stock: int
    fill_frac: float = Field(ge=0, le=1)
    """Of demands, those that found the part on the shelf."""


class StockAnswer(Record):
    """How many of a part to keep."""

    part: str
    num_stock: int
    fill_frac: float
    curve: tuple[StockStep, ...]
    """By stock."""


class HandsStep(Record):
    """A number of people that was tried."""

    on_duty: int
    mean_wait_s: float
    """Of machines until somebody comes."""


class HandsAnswer(Record):
    """How many people of a skill to have on duty."""

    skill: str
    on_duty: int
    """In every shift that has anybody."""
    mean_wait_s: float
    curve: tuple[HandsStep, ...]
    """By number."""


class ExtraStep(Record):
    """A number of further nodes that was tried."""

    num_nodes: int
    on_time_frac: float
    """Of replications, those in which the run met its deadline."""
    end_s: float | None
    """By when it was done in as many of them as was asked for; None where it was not done that often."""


class ExtraAnswer(Record):
    """How many more nodes let a run meet its deadline."""

    run: str
    kind: ExtraKind
    num_nodes: int
    on_time_frac: float
    end_s: float | None
    curve: tuple[ExtraStep, ...]
    """By number."""
