"""What every benchmark reports, in one form: work, CPU and wall seconds, peak memory, rates, and a peer."""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KIB = 1024


@dataclass
class Measured:
    """CPU and wall seconds of a stretch of work."""

    cpu_s: float = 0.0
    wall_s: float = 0.0


@contextmanager
def measured() -> Iterator[Measured]:
    """Seconds of this process, in the block."""
    spent = Measured()
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    yield spent
    spent.cpu_s, spent.wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s


def peak_bytes() -> int:
    """The most memory that this process has held so far."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage counts what the parent held before it started this program
        held = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(held.split()[1]) * KIB
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most if sys.platform == "darwin" else most * KIB)


@dataclass
class Figures:
    """One benchmark's answer."""

    name: str
    work: dict[str, float]
    spent: Measured
    rates: dict[str, float]
    """Per CPU second."""
    peer: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "schema": "gigawatt.benchmark/1",
            "name": self.name,
            "work": self.work,
            "cpu_s": self.spent.cpu_s,
            "wall_s": self.spent.wall_s,
            "peak_bytes": peak_bytes(),
            "rates": self.rates,
            "peer": self.peer,
            "notes": self.notes,
        }


def report(run: Callable[[], Figures], description: str) -> None:
    """Run a benchmark and print its figures: lines for people, or one JSON object."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    asked = parser.parse_args()
    figures = run().as_json()
    if asked.json:
        print(json.dumps(figures))
        return
    for key, value in figures.items():
        for name, one in value.items() if isinstance(value, dict) else [("", value)]:
            print(f"{key:>10}  {name:<40}  {f'{one:,.6g}' if isinstance(one, float) else one}")
