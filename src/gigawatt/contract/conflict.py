"""Why no portfolio meets a roadmap: the smallest set of demands and limits that cannot hold together, in
words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.program import Program
from gigawatt.contract.solver import Solver, Unsolvable

if TYPE_CHECKING:
    from gigawatt.contract.portfolio_model import Model


def explain_conflict(model: Model, program: Program) -> str:
    """The rows of an irreducible conflict, each as a sentence."""
    names = sorted(set(_conflicting(program, model)))
    lines = "; ".join(names) if names else "demand and what is on offer"
    return f"roadmap binds: no portfolio meets it. These cannot hold together: {lines}"


def _conflicting(program: Program, model: Model) -> list[str]:
    """Removes one named demand or limit after the other, and keeps those without which all is well."""
    groups: dict[str, list[int]] = {}
    for row in range(program.num_rows):
        block, place = model.builder.rows.owner(row)
        if name := _named(model, block, place):
            groups.setdefault(name, []).append(row)
    solver = Solver(program)
    solver.relax()
    kept: list[str] = []
    for name, rows in groups.items():
        index = np.array(rows)
        solver.bound_rows(index, np.full(len(rows), -np.inf), np.full(len(rows), np.inf))
        try:
            solver.solve()
        except Unsolvable:
            continue
        kept.append(name)
        solver.bound_rows(index, program.row_lower[index], program.row_upper[index])
    return kept


def _named(model: Model, block: str, place: tuple[int, ...]) -> str:
    """What a row stands for, for somebody who wrote the roadmap; blank for what only keeps accounts."""
    kind, _, rest = block.partition(" ")
    roadmap, families = model.roadmap, model.families
    match kind:
        case "run":
            run = model.demand.work[int(np.flatnonzero(model.demand.windowed)[place[0]])]
            return f"run {run.id} is done by {run.deadline}"  # type: ignore[attr-defined]
        case "need":
            return f"work {_needed(model, int(rest), place[0])} is served"
        case "survival":
            return "what must survive the loss of a provider"
        case "power":
            return f"power energised at {roadmap.places[families.limited_sites[place[0]]].id}"
        case "provider":
            return f"no provider above {roadmap.limits.provider_frac:.0%} of capacity"
        case "supplier":
            return f"supplier {list(roadmap.limits.supplier_frac)[place[0]]} within its share"
        case "budget":
            return f"budget of {model.signatures.bills.years[place[1]]}"
        case "offer":
            offer = families.capped_offers[place[0]]
            return f"no more of {roadmap.signable[offer].id} than there is"
        case "spot":
            return "work that bears only so much interruptible capacity"
        case "most":
            return "runs at their greatest size"
        case "exclusive":
            return f"offers that exclude each other ({rest.split()[0]})"
    return ""


def limit_in_words(model: Model, block: str, place: tuple[int, ...]) -> tuple[str, str]:
    """What a row limits, and in which month; blank where it holds for all."""
    kind, _, rest = block.partition(" ")
    words = _named(model, block, place)
    if kind == "need":
        return words, model.month(int(_asked(model, int(rest))[1][place[0]]) + model.spans(int(rest))[0])
    if kind in ("power", "provider", "supplier", "survival", "offer"):
        return words, model.month(model.spans(int(rest))[0] + place[-1])
    return words, ""


def _needed(model: Model, node: int, number: int) -> str:
    """The work that a row of needs belongs to."""
    return model.demand.work[int(_asked(model, node)[0][number])].id


def _asked(model: Model, node: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Work and month of each row of needs: laid out by work, then by month."""
    begin, end = model.spans(node)
    demand = model.demand
    months = np.arange(begin, end)
    amount = model.tree.courses[model.tree.nodes[node].futures[0]].amount[:, begin:end]
    inside = (demand.first[:, None] <= months) & (months <= demand.last[:, None])
    asked = inside & ~demand.windowed[:, None] & (amount > 0)
    work, month = np.nonzero(asked)
    return work, month
