"""What users install is whole: the data, the type marker and the command."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import gigawatt


def test_every_file_of_the_package_is_installed(repository: Path) -> None:
    """Not only modules: the catalogue's rows, the report's page and style."""
    checkout, installed = repository / "src" / "gigawatt", Path(gigawatt.__path__[0])
    files = [path for path in checkout.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    wanted = {path.relative_to(checkout): path.read_bytes() for path in files}
    assert any(name.parts[0] == "data" for name in wanted)
    assert [str(name) for name in wanted if not (installed / name).is_file()] == []
    assert [str(name) for name, text in wanted.items() if (installed / name).read_bytes() != text] == []


def test_data_holds_no_code(repository: Path) -> None:
    assert list((repository / "src" / "gigawatt" / "data").rglob("*.py")) == []


def test_the_package_is_marked_as_typed() -> None:
    assert (Path(gigawatt.__path__[0]) / "py.typed").is_file()


def test_the_version_is_told_once() -> None:
    assert gigawatt.__version__ == importlib.metadata.version("gigawatt")


def test_the_command_is_installed() -> None:
    (command,) = importlib.metadata.entry_points(group="console_scripts", name="gigawatt")
    assert command.value == "gigawatt.cli:main"
