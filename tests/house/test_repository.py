"""What is committed is ours, is text, and would work on any machine."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

# Written in parts, so that this file does not find itself.
HOSTS = re.compile(
    r"pypi\."
    + r"org|pythonhosted\."
    + r"org|/sim"
    + r"ple\b|index"
    + r"-url|registry\.npm"
    + r"js|registry\.yarn"
    r"pkg|conda\.ana" + r"conda|repo\.ana" + r"conda|proxy\.gol" + r"ang"
)
MACHINE_PATHS = re.compile(
    r"(?<![\w.~/-])/(?:wo" + r"rk|ro" + r"ot|t" + r"mp|ho" + r"me/\w+|Us" + r"ers/\w+)(?:/|\b)"
)
ELSEWHERE = re.compile("shared/" + r"(?:design|research|hooks)|(?i:\bissue #?\d)")
LICENCE_HEADER = re.compile(
    r"Copyright (?:\(c\)|©|\d{4})|All rights " + r"reserved|Permission is hereby " + "granted", re.I
)
VENDORED = {
    "vendor",
    "vendored",
    "third_party",
    "thirdparty",
    "node_modules",
    "site-packages",
    "extern",
    "external",
}
LOCK_FILES = {
    "uv.lock",
    "poetry.lock",
    "Pipfile.lock",
    "pdm.lock",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
}
BINARIES = {
    ".whl",
    ".egg",
    ".so",
    ".dll",
    ".dylib",
    ".pyc",
    ".zip",
    ".gz",
    ".tar",
    ".jar",
    ".exe",
    ".pickle",
    ".pkl",
}
MAX_FILE_BYTES = 2 << 20
MAX_CODE_LINE = 400


@pytest.fixture(scope="module")
def texts(repository: Path, committed: list[Path]) -> dict[str, str]:
    found = {}
    for path in committed:
        try:
            found[path.as_posix()] = (repository / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


def places(texts: dict[str, str], pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in texts.items()
        if pattern.search(text)
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_package_index_is_named(texts: dict[str, str], committed: list[Path]) -> None:
    assert places(texts, HOSTS) == []
    assert {path.name for path in committed} & LOCK_FILES == set()


def test_no_path_of_one_machine_is_named(texts: dict[str, str]) -> None:
    assert places(texts, MACHINE_PATHS) == []


def test_nothing_refers_to_what_a_reader_does_not_have(texts: dict[str, str]) -> None:
    assert places(texts, ELSEWHERE) == []


def test_no_third_party_code_is_committed(texts: dict[str, str], committed: list[Path]) -> None:
    assert [path.as_posix() for path in committed if set(path.parts) & VENDORED] == []
    assert [path.as_posix() for path in committed if path.suffix in BINARIES] == []
    code = {
        name: text
        for name, text in texts.items()
        if name != "LICENSE" and not name.endswith((".yaml", ".csv"))
    }
    assert places(code, LICENCE_HEADER) == []


def test_code_is_written_to_be_read(texts: dict[str, str]) -> None:
    """Minified script or style has lines that no person wrote."""
    minified = [
        name
        for name, text in texts.items()
        if name.endswith((".py", ".js", ".css", ".html", ".sh"))
        and max((len(line) for line in text.splitlines()), default=0) > MAX_CODE_LINE
    ]
    assert minified == []


def test_files_are_of_a_size_to_review(repository: Path, committed: list[Path]) -> None:
    sizes = {path.as_posix(): (repository / path).stat().st_size for path in committed}
    assert {name: size for name, size in sizes.items() if size > MAX_FILE_BYTES} == {}


def test_only_scripts_are_executable(repository: Path, committed: list[Path]) -> None:
    executable = {path for path in committed if (repository / path).stat().st_mode & stat.S_IXUSR}
    assert [
        path.as_posix() for path in executable if not (repository / path).read_bytes().startswith(b"#!")
    ] == []
