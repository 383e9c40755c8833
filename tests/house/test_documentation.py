"""What the documentation shows runs, and what it points to is there.

The python blocks of a page run one after the other in one namespace. In its console blocks each line that
starts with `$ gigawatt` runs, in a folder that holds a copy of `examples/`; it must end well, or with the
code that a trailing `# exit 1` announces. Blocks for the reader's shell or eyes only are marked sh or text.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
FENCE = re.compile(r"^```(?P<kind>[\w-]*)[^\n]*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\((?!\w+:)(?P<target>[^)#\s]+)(?:#[^)]*)?\)")


def blocks(page: Path, kind: str) -> list[str]:
    found = FENCE.finditer(page.read_text(encoding="utf-8"))
    return [block["text"] for block in found if block["kind"] == kind]


def pages_with(kind: str) -> list[object]:
    return [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in PAGES if blocks(page, kind)]


def commands(text: str) -> Iterator[tuple[list[str], int]]:
    """Arguments after `gigawatt`, and the exit code that the page announces."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("$ gigawatt"):
            command, _, remark = line.removeprefix("$ gigawatt").partition(" # exit ")
            yield shlex.split(command), int(remark or 0)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the reader has it: the examples and nothing else."""
    if (ROOT / "examples").is_dir():
        shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", pages_with("python"))
def test_python_blocks_run(page: Path, workplace: Path) -> None:
    namespace: dict[str, object] = {"__name__": "documentation"}
    for text in blocks(page, "python"):
        exec(compile(text, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", pages_with("console"))
def test_console_blocks_run(page: Path, workplace: Path, run_gigawatt) -> None:
    for text in blocks(page, "console"):
        for arguments, code in commands(text):
            done = run_gigawatt(*arguments)
            assert done.exit_code == code, f"gigawatt {shlex.join(arguments)}\n{done.output}{done.errors}"


def test_every_link_inside_the_repository_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {link['target']}"
        for page in PAGES
        for link in LINK.finditer(page.read_text(encoding="utf-8"))
        if not (page.parent / link["target"]).exists()
    ]
    assert broken == []


def test_every_fence_says_what_it_holds() -> None:
    """A block without a kind is a block that nobody checks."""
    opened = re.compile(r"^```(.*)$", re.MULTILINE)
    unmarked = [
        page.relative_to(ROOT).as_posix()
        for page in PAGES
        if any(not kind for kind in opened.findall(page.read_text(encoding="utf-8"))[::2])
    ]
    assert unmarked == []


def test_the_map_is_short_enough_to_be_read() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_figures_of_the_readme_are_those_of_the_page() -> None:
    """`scripts/validation_page.py --write` makes both."""
    readme, page = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/validation.md"))
    shown = readme.partition("<!-- figures of docs/validation.md -->")[2].partition(
        "<!-- end of figures -->"
    )[0]
    rows = shown.split("\n")[2:-2]
    assert len(rows) > 5
    assert set(rows) <= set(page.splitlines())
