"""Numbers about the world live in `data/`, arithmetic in `laws/`, conversions in `units.py`; nowhere else.

Elsewhere a literal may be a small integer, a power of two, a round share, a percentile, a tolerance, or a
limit: beyond which an input is refused as absurd, a search gives up, or a number is printed another way.
What the classes behind a foreign format leave unsaid in its files is the vocabulary of that format
(domain/model_families.py), not a number about the world.
Surfaces (command line, report, console) lay out pixels and columns and are not looked at.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

LOOKED_AT = (
    "domain/",
    "design/",
    "contract/",
    "operate/",
    "exports/",
    "validation/",
    "views",
    "catalog",
    "project",
)
# The scatter and the outlier width that a fit tolerates are settings of its method.
METHODS = ("validation/fitting.py",)
FORMATS = ("domain/model_families.py", "exports/torchtitan_models.py")
SMALL = 16
SHARES = {0.1, 0.2, 0.25, 0.5, 0.75, 0.8, 0.9, 1.5}
PERCENTILES = {5, 10, 20, 25, 50, 75, 80, 90, 95, 99, 100}
TOLERANCE = 1e-5


def is_plain(number: float) -> bool:
    if number != number or number in SHARES or number in PERCENTILES or abs(number) <= TOLERANCE:
        return True
    whole = int(number)
    return whole == number and (abs(whole) <= SMALL or whole & (whole - 1) == 0)


LIMIT_KEYWORDS = {"ge", "gt", "le", "lt", "low", "high", "max_rounds"}
LIMIT_NAMES = ("MAX_", "MIN_", "MOST_", "SHOWN_", "NOT_SHOWN_", "MANY")


def limits(tree: ast.Module) -> Iterator[ast.AST]:
    """`Field(le=5000)`, `def count(low=1, high=10_000)` and `_MOST_LAYERS = 10_000`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in LIMIT_KEYWORDS:
            yield node.value
        elif isinstance(node, ast.arguments):
            named = zip(reversed(node.args), reversed(node.defaults), strict=False)
            keyed = zip(node.kwonlyargs, node.kw_defaults, strict=True)
            yield from (value for name, value in (*named, *keyed) if value and name.arg in LIMIT_KEYWORDS)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).lstrip("_").startswith(
            LIMIT_NAMES
        ):
            yield node.value


def literals(tree: ast.Module) -> Iterator[ast.Constant]:
    free = {id(inner) for limit in limits(tree) for inner in ast.walk(limit)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float) and id(node) not in free:
            yield node


def test_physical_numbers_live_in_data_and_laws(source: dict[str, ast.Module]) -> None:
    stray = [
        f"{path}:{node.lineno} {node.value}"
        for path, tree in source.items()
        if path.startswith(LOOKED_AT) and path not in (*FORMATS, *METHODS)
        for node in literals(tree)
        if not is_plain(node.value)
    ]
    assert stray == [], "\n" + "\n".join(stray)


def test_the_check_sees_a_physical_number() -> None:
    tree = ast.parse(
        "rate = 3.35e12\nhours = seconds / 3600\nbits = 8 * size\nhalf = 0.5 * 1024\n"
        "price: float = Field(le=5000)\n_MAX_LAYERS = 10_000\n"
    )
    assert [node.value for node in literals(tree) if not is_plain(node.value)] == [3.35e12, 3600]
