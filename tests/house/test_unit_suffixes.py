"""A public float says its unit in its name, so that a wrong one reads wrong.

Checked: float parameters of public functions and float fields of public classes. Laws take and return
`Number` (a float or an array), mostly counts and ratios; there only a name that speaks of a dimension, the
law's own included, must say in which unit. Kernels (`*_kernel.py`) take arrays, each documented with shape
and unit.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from gigawatt import units

# A float without a dimension, or whose dimension is told by another field. Each name with its reason.
DIMENSIONLESS = {
    "value": "the unit stands in the key or suffix beside it",
    "factor": "a ratio",
    "scale": "of every pool of a replay, a ratio",
    "ratio": "a ratio",
    "weight": "of a share beside the others', a ratio",
    "half_width": "of an interval of a figure named beside it",
    "values": "of one figure over replications, named beside them",
    "key": "what a policy orders by, any column",
    "amount": "of whatever is rounded to whole ticks",
    "pue": "power usage effectiveness, a ratio >= 1",
    "peak_pue": "the same, of one hour",
    "latitude": "degrees, as everywhere",
    "imbalance": "the fullest over the mean, a ratio >= 1",
    "offset": "in log space, of a parameter named beside it",
    "offsets": "in log space, of parameters named beside them",
    "sd": "of a logarithm",
    "centre": "of a parameter named beside it",
    "centres": "of parameters named beside them",
    "levels": "prior deviations in log space, by level",
    "start": "offsets to start a fit from, in log space",
    "bound": "of a score named beside it",
    "slowdown": "a ratio >= 1, by collective",
    "repeats": "of one configuration, only ever divided by each other",
    "spearman": "a rank correlation",
    "score": "of a standard normal distribution",
    "figure": "what a search ranks by, named beside it",
    "full": "share of layers, 0 or 1",
    "selective": "share of layers, 0 or 1",
    "measured_mem_gib": "a column of the measurement files that validate reads",
    "middle": "of an interval whose suffix is passed beside it",
    "low": "of an interval whose suffix is passed beside it",
    "predicted": "in the unit of the row that holds it",
    "infant_ratio": "a ratio >= 1",
    "high": "of an interval whose suffix is passed beside it",
    "oversubscription": "bandwidth down over bandwidth up, a ratio",
    "leaf_oversubscription": "bandwidth down over bandwidth up, a ratio",
    "spine_oversubscription": "bandwidth down over bandwidth up, a ratio",
    "metres_by_link": "the unit begins the name",
    "quantity": "its unit stands in the field beside it",
    "size": "a unit's size in base units (units.py)",
    "bytes_total": "the unit begins the name: of a collective's whole buffer",
    "congestion": "a ratio >= 1",
    "sensitivity": "relative change of a time, by resource",
    "weights": "of residuals",
    "usd_per_million_tokens": "the name is the unit",
    "unit": "accelerators in a block of a contract, a count",
    "least": "accelerators in one signature, a count",
    "most": "accelerators in one signature, a count",
    "delivered": "over paid, a ratio",
    "takes": "share of a contract that is paid whether used or not, a ratio",
    "share": "of a contract's volume, a ratio",
    "chance": "of a future, a ratio",
    "bought": "units of a contract, a count",
    "efficiency_by_load": "output over input, by the share of the rating that is loaded",
}
# Counts may be floats where they are estimates or array elements.
COUNT = re.compile(r"^num_|_(count|years|months|hours|days|gpu_h)$|^(count|months|gpu_h|gpu_hours|gpu_days)$")
DIMENSION_WORDS = set(
    "time duration latency delay interval frequency bandwidth throughput traffic rate speed volume memory "
    "capacity power energy heat temperature emissions cost price fee".split()
)
FLOAT = re.compile(r"\b(float|floating|float64|Floats?|FloatArray)\b")


def says_its_unit(name: str) -> bool:
    name = name.strip("_")
    bare = re.sub(r"^(low|high|p\d\d|min|max|mean|median)_", "", name)
    if units.suffix_of(name) or bare in DIMENSIONLESS or COUNT.search(bare):
        return True
    if name.endswith("_ratio"):
        return True
    # `peak_flop_per_s` keyed by precision, `usd_per_gpu_h` itself, `_usd_per_gpu`: a unit per a count.
    return (
        units.suffix_of(f"_{name}") is not None
        or re.search(r"_per_(gpu|node|layer|stage|year|call)$", name) is not None
    )


def floats(annotation: ast.expr | None) -> bool:
    """Whether the annotation is a float, an optional float or a plain collection of floats."""
    if annotation is None:
        return False
    text = ast.unparse(annotation).strip("'\"")
    if re.search(
        r"\b(str|int|bool|object|Callable|Literal|ClassVar)\b", re.sub(r"(dict|Mapping)\[str, ", "", text)
    ):
        return False
    return FLOAT.search(text) is not None


def public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AnnAssign]:
    """Public functions and methods, and the annotated fields of public classes."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for member in node.body:
                if isinstance(member, ast.AnnAssign) or (
                    isinstance(member, ast.FunctionDef) and not member.name.startswith("_")
                ):
                    yield member


def silent_names(path: str, tree: ast.Module) -> Iterator[str]:
    for node in public(tree):
        if isinstance(node, ast.AnnAssign):
            name = ast.unparse(node.target)
            if floats(node.annotation) and not says_its_unit(name):
                yield f"{path}:{node.lineno} field {name}"
            continue
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for argument in arguments:
            if floats(argument.annotation) and not says_its_unit(argument.arg):
                yield f"{path}:{node.lineno} {node.name}({argument.arg})"


def test_public_floats_say_their_unit(source: dict[str, ast.Module]) -> None:
    pixels = (
        "report/",
        "console/",
        "drawings/",
        "units.py",
    )  # drawing speaks in pixels; units.py is the table itself
    silent = [
        text
        for path, tree in source.items()
        if not path.startswith(pixels) and not path.endswith("_kernel.py")
        for text in silent_names(path, tree)
    ]
    assert silent == [], "\n" + "\n".join(silent)


def test_laws_that_speak_of_a_dimension_say_its_unit(source: dict[str, ast.Module]) -> None:
    silent = []
    for path, tree in source.items():
        if not path.startswith("laws/"):
            continue
        for node in public(tree):
            if isinstance(node, ast.FunctionDef):
                names = [node.name, *(argument.arg for argument in node.args.args)]
                silent += [
                    f"{path}:{node.lineno} {node.name}: {name}"
                    for name in names
                    if DIMENSION_WORDS & set(name.split("_")) and not says_its_unit(name)
                ]
    assert silent == [], "\n" + "\n".join(silent)
