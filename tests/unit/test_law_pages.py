"""Each law is explained: a page for each file names every public law in it, and none that is not there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _public_laws(path: Path) -> list[str]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return [one.name for one in body if isinstance(one, ast.FunctionDef) and not one.name.startswith("_")]


LAWS = {path.stem: _public_laws(path) for path in sorted((ROOT / "src/gigawatt/laws").glob("*.py"))}
FILES = [name for name, laws in LAWS.items() if laws]


def _page(name: str) -> str:
    return (ROOT / "docs" / "laws" / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FILES)
def test_the_page_of_a_file_names_each_of_its_laws(name: str) -> None:
    assert [law for law in LAWS[name] if f"`{law}`" not in _page(name)] == []


@pytest.mark.parametrize("name", FILES)
def test_the_page_names_no_law_that_does_not_exist(name: str) -> None:
    """The first cell of each row of a page's tables is a law, or words."""
    named = re.findall(r"^\| `(\w+)` \|", _page(name), re.MULTILINE)
    assert set(named) <= set(LAWS[name])


def test_the_overview_lists_every_page_and_there_are_no_others() -> None:
    listed = re.findall(r"\]\((\w+)\.md\)", _page("README"))
    assert sorted(listed) == sorted(FILES)
    assert sorted(path.stem for path in (ROOT / "docs" / "laws").glob("*.md")) == sorted([*FILES, "README"])
