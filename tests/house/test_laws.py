"""Each law: its doctests hold, it says where it is published, and a kernel can compile it.

The doctests run on the installed package, so that what users get is what is checked.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import gigawatt

PACKAGE = Path(gigawatt.__path__[0])
EXAMPLES = sorted(
    path.relative_to(PACKAGE.parent).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if re.search(r"^\s*>>> ", path.read_text(encoding="utf-8"), re.MULTILINE)
)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_in_docstrings_hold(name: str) -> None:
    # A law answers floats and arrays alike; examples read better without `np.float64(...)` around each.
    with np.printoptions(legacy="1.25"):
        outcome = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert outcome.attempted
    assert outcome.failed == 0


def public_laws(source: dict[str, ast.Module]) -> Iterator[tuple[str, ast.FunctionDef]]:
    for path, tree in source.items():
        if path.startswith("laws/"):
            for node in tree.body:
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                    yield f"{path}:{node.lineno} {node.name}", node


def test_every_law_has_a_doctest_and_no_keyword_only_parameters(source: dict[str, ast.Module]) -> None:
    wanting = [
        name
        for name, node in public_laws(source)
        if ">>> " not in (ast.get_docstring(node) or "") or node.args.kwonlyargs or node.args.kwarg
    ]
    assert wanting == []


def test_every_law_names_its_source(source: dict[str, ast.Module]) -> None:
    """In its own docstring, or in that of its module."""
    unsourced = []
    for name, node in public_laws(source):
        module = ast.get_docstring(source[name.split(":")[0]]) or ""
        if "ource" not in (ast.get_docstring(node) or "") and "Source" not in module:
            unsourced.append(name)
    assert unsourced == []


def test_laws_are_branch_free(source: dict[str, ast.Module]) -> None:
    """So that one function serves a float, an array and a compiled kernel."""
    branching = [
        f"{name}, line {inner.lineno}"
        for name, node in public_laws(source)
        for inner in ast.walk(node)
        if isinstance(inner, ast.If | ast.IfExp | ast.While | ast.Try | ast.Raise | ast.With)
    ]
    assert branching == []


def test_no_two_laws_compute_the_same(source: dict[str, ast.Module]) -> None:
    """Each formula once: no two functions with one body under different names (plain products apart)."""
    homes: dict[str, str] = {}
    twins = []
    for name, node in public_laws(source):
        body = ast.Module([part for part in node.body if not isinstance(part, ast.Expr)], type_ignores=[])
        if sum(isinstance(inner, ast.BinOp | ast.Call) for inner in ast.walk(body)) > 3:
            formula = renamed(
                ast.unparse(body), {argument.arg: f"a{n}" for n, argument in enumerate(node.args.args)}
            )
            twins += [f"{name} = {homes[formula]}"] if formula in homes else []
            homes[formula] = name
    assert twins == []


def renamed(text: str, names: dict[str, str]) -> str:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in names:
            node.id = names[node.id]
    return ast.unparse(tree)
