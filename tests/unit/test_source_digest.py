"""A plan is made anew when anything changes that it is made with."""

from __future__ import annotations

from pathlib import Path

import pytest

import gigawatt
from gigawatt.project.plan import SOURCE, source_digest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "report").mkdir()
    (tmp_path / "plan.py").write_text("x = 1\n")
    (tmp_path / "report" / "page.html").write_text("<p>")
    return tmp_path


@pytest.mark.parametrize(
    "name", ["plan.py", "report/page.html", "report/new.css", "report/new.js", "init.yaml"]
)
def test_a_changed_or_added_file_of_source_changes_it(root: Path, name: str) -> None:
    before = source_digest(root)
    (root / name).write_text("other")
    assert source_digest(root) != before


def test_what_moves_from_one_file_to_another_changes_it(root: Path) -> None:
    before = source_digest(root)
    (root / "plan.py").rename(root / "plans.py")
    assert source_digest(root) != before


@pytest.mark.parametrize("name", ["__pycache__/plan.pyc", "data/models.yaml", ".cache/lock.db"])
def test_caches_and_data_do_not(root: Path, name: str) -> None:
    before = source_digest(root)
    (root / name).parent.mkdir()
    (root / name).write_bytes(b"\0")
    assert source_digest(root) == before


def test_every_kind_of_file_beside_the_code_counts() -> None:
    """A new kind of template has to be told apart from caches and markers here."""
    package = Path(gigawatt.__file__).parent
    kinds = {
        path.suffix
        for path in package.rglob("*.*")
        if path.is_file() and not any(part in ("data", "__pycache__", ".mypy_cache") for part in path.parts)
    }
    assert kinds - {".typed"} == SOURCE
