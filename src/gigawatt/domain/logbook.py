"""The logbook: what was seen of runs. A plan's holds its rehearsals, one by one."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from gigawatt.domain.record import Record


class Play(Record):
    """One rehearsal of a run, from its start to its end."""

    seed: int
    inputs: Literal["middle", "drawn"]
    """Whether what is known within a range was at its middle, or drawn from it."""
    ettr_frac: float
    """Useful time over time since the start."""
    num_interruptions: int
    """Faults that stopped the run."""


class RehearsedRun(Record):
    """A run on one kind of hardware at one size, and the options that share it."""

    run: str
    options: tuple[str, ...]
    goodput_frac: float
    low_goodput_frac: float
    high_goodput_frac: float
    estimated_goodput_frac: float
    """The same by closed form."""
    plays: tuple[Play, ...]


class Logbook(Record):
    """The rehearsals of a plan."""

    model_config = ConfigDict(populate_by_name=True)

    schema_id: Literal["gigawatt.logbook/1"] = Field(default="gigawatt.logbook/1", alias="schema")
    blueprint: str
    """Digest of the plan's blueprint."""
    rehearsals: tuple[RehearsedRun, ...]
