"""A first scenario, with comments, for `gigawatt init`."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from gigawatt.documents import write_atomic
from gigawatt.errors import InputError, Problem, WriteError


def write_template(directory: Path) -> Path:
    """Write `scenario.yaml` into a folder, which is made if need be. Raises InputError where there is one."""
    path = directory / "scenario.yaml"
    if path.exists():
        raise InputError(Problem("is there already and stays as it is: give another folder", file=str(path)))
    if directory.exists() and not directory.is_dir():
        raise InputError(Problem("is a file: give a folder", file=str(directory)))
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{directory}: cannot be made: {(error.strerror or str(error)).lower()}") from None
    write_atomic(path, template_text())
    return path


def template_text() -> str:
    """The scenario that `init` writes."""
    return (resources.files("gigawatt.project") / "scenario_template.yaml").read_text(encoding="utf-8")
