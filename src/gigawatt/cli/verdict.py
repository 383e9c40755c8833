"""How a validation ends: the report as the result, and each bound that it was held to and missed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gigawatt.cli.terminal import Terminal

if TYPE_CHECKING:
    from gigawatt.validation.requirements import Requirement


def verdict(terminal: Terminal, schema: str, report: Any, bounds: Sequence[Requirement]) -> int:
    """Say which bounds the report misses, and hand it over; the exit code, 1 where one is missed."""
    from gigawatt.validation.requirements import found_figure, is_met

    missed = [one for one in bounds if not is_met(report, one)]
    for one in missed:
        found = found_figure(report, one)
        terminal.say(f"missed: {one.text} (found {f'{found:.1%}' if '%' in one.text else f'{found:.4g}'})")
    terminal.result(schema, report.model_dump(mode="json") | {"missed": [one.text for one in missed]})
    return int(bool(missed))
