"""One future of many with the root before it: at decisions of the root that are given, or at its own, held to
those of the others by prices.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.blocks import Plan, plan_blocks
from gigawatt.contract.columns import Pinned, Relaxed, always_there, relax
from gigawatt.contract.futures import Tree, some_courses
from gigawatt.contract.portfolio_model import Model, build_model
from gigawatt.contract.program import Block, Program
from gigawatt.contract.signatures import Choice
from gigawatt.domain.portfolio import Roadmap

Numbers = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

LEAF = 1
OF_FUTURES = ("cost", "edge", "beyond", "undone")
OF_NO_NODE = ("exclusive",)
LEAST_UNITS = 1e-9
LEAST_SHARE = 1e-6
MUCH = 2.0


@dataclass(frozen=True)
class Root:
    """What is decided before futures part; on the way to a plan, in parts of blocks."""

    values: Numbers
    """Of the root's columns that are always there, in the order of `root_columns`."""
    units: Numbers
    """[P, T] of all other signatures."""


def root_names(model: Model) -> list[str]:
    """Blocks of columns that belong to the root."""
    found = []
    for name in model.builder.columns.blocks:
        kind, *rest = name.split()
        if kind in OF_NO_NODE or (kind not in OF_FUTURES and rest[0] == "0"):
            found.append(name)
    return sorted(found)


def root_columns(model: Model, width: int) -> Ints:
    """Columns of the root among the `width` that are always there, in one order for all futures."""
    blocks, special = model.builder.columns.blocks, model.signatures.special
    always = [blocks[name].index.ravel() for name in root_names(model)]
    return np.concatenate([*always, width - len(special) + np.flatnonzero(special.node == 0)])


def root_of(model: Model, relaxed: Relaxed) -> Root:
    """The root's part of a relaxed plan."""
    columns = root_columns(model, relaxed.program.num_columns)
    return _root(model, columns, relaxed.values, relaxed.choice, relaxed.answer.values[relaxed.fixed :])


def root_of_plan(plan: Plan) -> Root:
    """The root's part of a plan."""
    columns = root_columns(plan.model, len(plan.values))
    return _root(plan.model, columns, plan.values, plan.signed, plan.units)


def _root(model: Model, columns: Ints, values: Numbers, signed: Choice, units: Numbers) -> Root:
    table = np.zeros((len(model.positions), model.roadmap.months))
    mine = np.flatnonzero((signed.node == 0) & (units > LEAST_UNITS))
    table[signed.position[mine], signed.month[mine]] = units[mine]
    return Root(values[columns], table)


@dataclass(frozen=True)
class Part:
    """What a plan is in one future: values of its columns, and what is signed after futures part."""

    columns: dict[str, Block]
    values: Numbers
    special: Numbers
    """Of signatures that are always there, in their order."""
    signed: Choice
    units: Numbers
    objective_usd: float


@dataclass(frozen=True)
class Branch:
    """One future as a program that knows its root from those of the others only by its columns' order."""

    model: Model
    program: Program
    root: Ints

    @classmethod
    def of(cls, roadmap: Roadmap, tree: Tree, number: int) -> Branch:
        """The future of that number."""
        model = build_model(roadmap, some_courses(tree, [number], [1.0]), risk=False)
        program = always_there(model)
        return cls(model, program, root_columns(model, program.num_columns))

    def relaxed_at(self, root: Root, first: Choice | None, deadline_s: float) -> Relaxed:
        """The best that is left when the root is given. Raises what `relax` raises."""
        lower, upper = self.program.lower.copy(), self.program.upper.copy()
        tied = self.root[self._tied()]
        lower[tied] = upper[tied] = root.values[self._tied()]
        program = replace(self.program, lower=lower, upper=upper)
        return relax(self.model, deadline_s, self._open(first), self._pinned(root), program)

    def _open(self, first: Choice | None) -> Choice | None:
        """Those of some signatures that are made like any other here; what is special is there anyhow."""
        if first is None:
            return None
        plain = self.model.signatures.plain
        there = [plain[int(n)][p, t] for p, t, n in zip(first.position, first.month, first.node, strict=True)]
        return first.taken(np.flatnonzero(there))

    def _tied(self) -> Flags:
        """Columns of the root to be given; stocks follow from them."""
        blocks = self.model.builder.columns.blocks
        stocks = blocks["stock 0"].index
        return np.asarray((self.root < stocks.min()) | (self.root > stocks.max()))

    def _pinned(self, root: Root) -> Pinned:
        special = self.model.signatures.special
        at_root = special.taken(np.flatnonzero(special.node == 0))
        position, month = np.nonzero(root.units)
        plain = Choice(position, month, np.zeros(len(position), dtype=np.int64))
        units = np.concatenate([root.values[len(root.values) - len(at_root) :], root.units[position, month]])
        kept = np.flatnonzero(units > 0)
        return Pinned(at_root.joined(plain).taken(kept), units[kept])

    def worth(self, relaxed: Relaxed) -> Numbers:
        """[root columns] USD that the future would be cheaper for one more of each."""
        program, duals = relaxed.program, relaxed.answer.row_duals
        column = np.repeat(np.arange(program.num_columns), np.diff(program.starts))
        later = np.zeros(program.num_columns, dtype=bool)
        later[: self.program.num_columns] = True
        later[self.root] = False
        rows = np.zeros(program.num_rows, dtype=bool)
        rows[program.rows[later[column]]] = True
        price = np.where(rows, duals, 0.0)
        worth = np.bincount(column, program.values * price[program.rows], minlength=program.num_columns)
        return np.asarray(worth[self.root])

    def relaxed_with(self, prices_usd: Numbers, first: Choice | None, deadline_s: float) -> Relaxed:
        """The best with a root of its own, of which every unit costs these prices on top."""
        cost, upper = self.program.cost.copy(), self.program.upper.copy()
        cost[self.root] += prices_usd
        most, months = self._most(), self.model.roadmap.months
        peak = float(np.max([course.amount for course in self.model.tree.kin]))
        pools = self.model.stock[0][: len(self.model.families.pools)]
        upper[pools] = np.minimum(upper[pools], most)
        for name in root_names(self.model):
            kind = name.split()[0]
            ceiling = {"account": most * months, "unmet": MUCH * peak, "left": MUCH * peak}.get(kind, most)
            if kind != "stock":
                index = self.model.builder.columns.blocks[name].index
                upper[index] = np.minimum(upper[index], ceiling)
        program = replace(self.program, cost=cost, upper=upper)
        return relax(self.model, deadline_s, self._open(first), program=program)

    def _most(self) -> float:
        """More accelerators than any pool is needed for: prices must not buy without end.

        Twice all work of any future at its peak on the slowest kind, as capacity may be there to outlive the
        loss of a provider; over the least share of a ramp that is there at first, and the least that a
        provider or a supplier may have of all; and a block and a least amount over.
        """
        demand, tree, positions = self.model.demand, self.model.tree, self.model.positions
        limits, chips = self.model.roadmap.limits, self.model.roadmap.chips
        rate = np.where(demand.rate > 0, demand.rate, np.inf).min(axis=1)
        peak = np.max([course.amount for course in tree.kin], axis=0).max(axis=1)
        worth = [chip.equivalents_per_gpu for chip in chips]
        ramps = [min(offer.ramp_frac) for offer in self.model.roadmap.offers]
        shares = [limits.provider_frac or 1.0, *limits.supplier_frac.values()]
        share = min(ramps) * float(np.prod([one for one in shares if one > 0])) * min(worth) / max(worth)
        least = max(one.least + one.unit for one in positions.entries)
        return float((MUCH * np.sum(peak / rate) + least) / max(share, LEAST_SHARE))

    def plan_at(self, root: Root, first: Choice | None, gap_frac: float, deadline_s: float) -> Part:
        """The same in whole blocks."""
        relaxed = self.relaxed_at(root, first, deadline_s)
        plan = plan_blocks(self.model, gap_frac, deadline_s, relaxed, patient=False)
        columns, special = self.model.builder.columns, self.model.signatures.special
        later = np.flatnonzero((plan.signed.node == LEAF) & (plan.units > 0))
        own = columns.count + np.flatnonzero(special.node == LEAF)
        return Part(
            columns=columns.blocks,
            values=plan.values[: columns.count],
            special=plan.values[own],
            signed=plan.signed.taken(later),
            units=plan.units[later],
            objective_usd=plan.objective_usd,
        )
