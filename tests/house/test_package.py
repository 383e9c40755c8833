"""What users install is whole: the data, the type marker and the command."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import gigawatt


def test_every_data_file_is_installed(repository: Path) -> None:
    checkout = repository / "src" / "gigawatt" / "data"
    installed = Path(gigawatt.__path__[0]) / "data"
    wanted = {path.relative_to(checkout): path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
    assert wanted
    missing = [str(name) for name in wanted if not (installed / name).is_file()]
    assert missing == []
    assert {name: (installed / name).read_bytes() for name in wanted} == wanted


def test_data_holds_no_code(repository: Path) -> None:
    assert list((repository / "src" / "gigawatt" / "data").rglob("*.py")) == []


def test_the_package_is_marked_as_typed() -> None:
    assert (Path(gigawatt.__path__[0]) / "py.typed").is_file()


def test_the_version_is_told_once() -> None:
    assert gigawatt.__version__ == importlib.metadata.version("gigawatt")


def test_the_command_is_installed() -> None:
    (command,) = importlib.metadata.entry_points(group="console_scripts", name="gigawatt")
    assert command.value == "gigawatt.cli:main"
