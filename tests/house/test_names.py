"""A module earns its file by hiding something; a drawer for the rest does not."""

from __future__ import annotations

import ast
import re

DRAWERS = {
    "util", "utils", "utility", "utilities", "helper", "helpers", "common", "misc", "shared", "base", "core",
    "manager", "managers", "service", "services", "stuff", "lib", "tools", "types", "constants",
}  # fmt: skip
VAGUE_CLASS = re.compile(
    r"(Manager|Helper|Helpers|Util|Utils|Service|Wrapper|Impl|Info|Base)$|^(Base|Abstract)[A-Z]"
)
SECOND_TRY = re.compile(r"(^|_)(v[2-9]|new|old|legacy|tmp|temp|final)$")
UNFINISHED = re.compile("TO" + "DO|FIX" + "ME|XX" + "X|HA" + r"CK\b")


def test_modules_are_named_for_what_they_hide(source: dict[str, ast.Module]) -> None:
    parts = {part.removesuffix(".py").strip("_") for path in source for part in path.split("/")}
    assert parts & DRAWERS == set()
    assert {part for part in parts if SECOND_TRY.search(part)} == set()


def test_classes_and_functions_are_named_for_what_they_are(source: dict[str, ast.Module]) -> None:
    vague = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in source.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.ClassDef) and VAGUE_CLASS.search(node.name))
        or (isinstance(node, ast.FunctionDef) and SECOND_TRY.search(node.name))
    ]
    assert vague == []


def test_nothing_is_left_for_later(source: dict[str, ast.Module], repository) -> None:
    unfinished = []
    for path, tree in source.items():
        lines = (repository / "src" / "gigawatt" / path).read_text(encoding="utf-8").splitlines()
        unfinished += [f"{path}:{n}" for n, line in enumerate(lines, start=1) if UNFINISHED.search(line)]
        unfinished += [
            f"{path}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and node.id == "NotImplementedError"
        ]
    assert unfinished == []
