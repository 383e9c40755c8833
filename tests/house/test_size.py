"""Files and functions stay short: what people complain about is always the tail."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median

import pytest

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 80
MAX_MEDIAN_FUNCTION_LINES = 13
FOLDERS = ("src", "tests", "benchmarks", "scripts", "docs")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@pytest.fixture(scope="module")
def files(repository: Path) -> dict[str, str]:
    paths = [path for folder in FOLDERS for path in sorted((repository / folder).rglob("*.py"))]
    return {path.relative_to(repository).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def functions(text: str) -> list[Function]:
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, Function)]


def num_lines(function: Function) -> int:
    """Lines from `def` to the end; a docstring is free, however long."""
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    free = (docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - free


def test_no_file_is_too_long_to_read(files: dict[str, str]) -> None:
    lengths = {name: len(text.splitlines()) for name, text in files.items()}
    assert {name: n for name, n in lengths.items() if n > MAX_FILE_LINES} == {}


def test_no_function_is_too_long_to_hold_in_mind(files: dict[str, str]) -> None:
    long = {
        f"{name}:{function.lineno} {function.name}": num_lines(function)
        for name, text in files.items()
        for function in functions(text)
        if num_lines(function) > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_most_functions_are_short(files: dict[str, str]) -> None:
    lengths = [
        num_lines(function)
        for name, text in files.items()
        if name.startswith("src/")
        for function in functions(text)
    ]
    assert median(lengths) <= MAX_MEDIAN_FUNCTION_LINES
    short = sum(length <= 50 for length in lengths)
    assert short >= 0.9 * len(lengths), f"only {short} of {len(lengths)} functions have at most 50 lines"
