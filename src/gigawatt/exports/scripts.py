"""What every launch script that gigawatt writes has in common."""

from __future__ import annotations

from collections.abc import Sequence

from gigawatt.domain.hardware import System
from gigawatt.domain.model import Model
from gigawatt.domain.training import Layout
from gigawatt.errors import InputError, Problem


def nodes_of(layout: Layout, system: System) -> tuple[int, int]:
    """(nodes, processes per node). Raises InputError where the accelerators do not fill whole nodes."""
    total, per_node = layout.num_accelerators, system.num_accelerators_per_node
    if total <= per_node:
        return 1, total
    if total % per_node:
        message = f"tp x pp x cp x dp = {total} does not fill whole nodes of {per_node} ({system.id})"
        raise InputError(Problem(message, "layout"))
    return total // per_node, per_node


def header(target: str, model: Model, system: System, layout: Layout) -> list[str]:
    """Shebang and what the script is."""
    return [
        "#!/usr/bin/env bash",
        f"# {model.name} on {layout.num_accelerators} accelerators ({system.name}).",
        f"# Written by gigawatt for {target}.",
    ]


def option_array(name: str, options: Sequence[str]) -> list[str]:
    """A bash array, one option per line."""
    return [f"{name}=(", *(f"  {option}" for option in options), ")", ""]
