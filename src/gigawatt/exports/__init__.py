"""What real systems take in: launch files for a chosen layout, layouts read back from them, whole clusters.

`TARGETS` is the table of formats for layouts, `cluster_targets.CLUSTER_TARGETS` that for clusters; each is
pinned to the release whose options it writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gigawatt.domain.hardware import System
from gigawatt.domain.model import Model
from gigawatt.domain.training import Layout, TrainingJob
from gigawatt.errors import UnknownIdError
from gigawatt.exports import megatron, torchtitan
from gigawatt.exports.imported import ImportedLayout
from gigawatt.exports.layouts import import_layout

__all__ = ["TARGETS", "ImportedLayout", "Target", "export_layout", "import_layout"]


@dataclass(frozen=True, slots=True)
class Target:
    """A format that layouts are written in: what it is, the upstream release it is for, its writer."""

    title: str
    format_version: str
    write: Callable[[Model, System, Layout, TrainingJob], dict[str, str]]


TARGETS = {
    "megatron-lm": Target("Megatron-LM launch script", megatron.FORMAT_VERSION, megatron.write_megatron),
    "torchtitan": Target("torchtitan launch script", torchtitan.FORMAT_VERSION, torchtitan.write_torchtitan),
    "torchtitan-toml": Target(
        "torchtitan job file", torchtitan.TOML_VERSION, torchtitan.write_torchtitan_toml
    ),
}


def export_layout(
    target: str, model: Model, system: System, layout: Layout, job: TrainingJob
) -> dict[str, str]:
    """Launch files, file name -> text, that run `layout` in the system that `target` names.

    Raises UnknownIdError for an unknown target, InputError naming each thing that the target cannot express.
    """
    require_target(target)
    return TARGETS[target].write(model, system, layout, job)


def require_target(target: str) -> None:
    """Raises UnknownIdError for an unknown target."""
    if target not in TARGETS:
        raise UnknownIdError(f"unknown export target `{target}`; expected one of {', '.join(TARGETS)}")
