"""The parsed source, and the repository's own files, for the tests that keep the house in order."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def source(repository: Path) -> dict[str, ast.Module]:
    """Every module of the package as a syntax tree, by its path below `src/gigawatt` (`laws/compute.py`)."""
    package = repository / "src" / "gigawatt"
    return {
        path.relative_to(package).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(package.rglob("*.py"))
    }


@pytest.fixture(scope="session")
def committed(repository: Path) -> list[Path]:
    """The files under version control, relative to the repository."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=False
    )
    if listing.returncode != 0:
        pytest.skip("not a git checkout, so there is no list of committed files")
    return [Path(name) for name in listing.stdout.split("\0") if name and (repository / name).is_file()]
