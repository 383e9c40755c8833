"""ARCHITECTURE.md is the map: each room is on it, and what it points to is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAP = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "src" / "gigawatt"


def rooms() -> set[str]:
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    return folders | {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}


def test_every_room_is_on_the_map() -> None:
    assert {room for room in rooms() if not re.search(rf"\b{room}\b", MAP)} == set()


def test_the_map_shows_no_room_that_is_not_there() -> None:
    """The first word of each line of the picture of the floors, and of what stands beside it."""
    picture = next(block for block in re.findall(r"```text\n(.*?)```", MAP, re.DOTALL) if "errors" in block)
    drawn = {part.split()[0] for line in picture.splitlines() for part in line.split("│") if part.strip()}
    assert drawn == rooms()


def test_the_floors_are_declared_in_the_order_drawn() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    floors = next(c for c in settings["tool"]["importlinter"]["contracts"] if c["id"] == "floors")
    declared = [
        name
        for layer in floors["layers"]
        for name in (part.strip("() ") for part in layer.split("|"))
        if name in rooms()
    ]
    assert sorted(declared, key=MAP.split("## Floors")[1].index) == declared


def test_every_path_on_the_map_is_there() -> None:
    paths = set(re.findall(r"`((?:src|tests|docs|examples|benchmarks|scripts|\.ci)/[\w./-]*)`", MAP))
    assert {path for path in paths if not (ROOT / path).exists()} == set()
