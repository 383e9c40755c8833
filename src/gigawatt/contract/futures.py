"""Futures as a tree: what is known when, and what each future changes.

A node is a stretch of months in which some futures cannot be told apart. Decisions belong to nodes, so that
nothing is decided by what is not yet known; what was signed at a node counts in all nodes after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.cash import list_factors
from gigawatt.contract.demand import Demand
from gigawatt.domain.portfolio import Change, Future, Roadmap, month_index
from gigawatt.errors import InputError
from gigawatt.laws.finance import MEGAWATT_W

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Node:
    """One stretch of months, with the futures that pass through it."""

    number: int
    parent: int
    begin: int
    end: int
    futures: tuple[int, ...]
    probability_frac: float


@dataclass(frozen=True)
class Course:
    """What one future comes to."""

    id: str
    probability_frac: float
    nodes: tuple[int, ...]
    """From the root to its own."""
    amount: Numbers
    """[K, T] units of work."""
    factors: Numbers
    """[offers, T] list prices over the stated ones."""
    energised_mw: Numbers
    """[places, T] MW that are there without signing anything."""
    slips: tuple[tuple[int, int, int], ...] = ()
    """Offer of power, first month of signature that is safe again, months late."""
    losses: tuple[tuple[str, int], ...] = ()
    """Provider, month."""


@dataclass(frozen=True)
class Tree:
    """Nodes, parents first, and the courses through them."""

    nodes: tuple[Node, ...]
    courses: tuple[Course, ...]
    others: tuple[Course, ...] = ()
    """Futures that share the root, though they are not solved along with these."""

    @property
    def kin(self) -> tuple[Course, ...]:
        """All futures among which the root does not tell."""
        return (*self.courses, *self.others)

    def node_at(self, course: int, month: int) -> int:
        """The node of a course in a month."""
        return next(n for n in self.courses[course].nodes if self.nodes[n].begin <= month < self.nodes[n].end)

    def path(self, node: int) -> tuple[int, ...]:
        """A node and all before it."""
        found: list[int] = []
        while node >= 0:
            found.append(node)
            node = self.nodes[node].parent
        return tuple(found)

    def learned(self, course: int, what: Callable[[Course], object]) -> int:
        """The first node of a course whose futures all agree with it on something."""
        mine = what(self.courses[course])

        def agreed(node: int) -> bool:
            others = self.others if node == 0 else ()
            here = (*(self.courses[n] for n in self.nodes[node].futures), *others)
            return all(what(other) == mine for other in here)

        return next(node for node in self.courses[course].nodes if agreed(node))

    def below(self, node: int) -> tuple[int, ...]:
        """A node and all after it."""
        return tuple(one.number for one in self.nodes if node in self.path(one.number))


def tree_of(roadmap: Roadmap, demand: Demand) -> Tree:
    """The roadmap's futures; one that is certain where it names none."""
    futures = roadmap.futures or (Future(id="expected", probability_frac=1.0),)
    begin = month_index(roadmap.start)
    cuts = [month_index(month) - begin for month in roadmap.reveals] if roadmap.futures else []
    cuts = [cut for cut in cuts if 0 < cut < roadmap.months]
    bounds = [0, *cuts, roadmap.months]
    words = [future.path[: len(cuts)] or (future.id,) * len(cuts) for future in futures]
    nodes: list[Node] = []
    known: dict[tuple[str, ...], int] = {}
    paths: list[list[int]] = [[] for _ in futures]
    for stage in range(len(bounds) - 1):
        for prefix in dict.fromkeys(word[:stage] for word in words):
            members = tuple(n for n, word in enumerate(words) if word[:stage] == prefix)
            parent = known[prefix[:-1]] if stage else -1
            chance = sum(futures[n].probability_frac for n in members)
            node = Node(len(nodes), parent, bounds[stage], bounds[stage + 1], members, chance)
            known[prefix] = node.number
            nodes.append(node)
            for n in members:
                paths[n].append(node.number)
    courses = tuple(
        _course(roadmap, demand, future, tuple(path)) for future, path in zip(futures, paths, strict=True)
    )
    _refuse_early_differences(roadmap, nodes, courses)
    return Tree(tuple(nodes), courses)


def _course(roadmap: Roadmap, demand: Demand, future: Future, nodes: tuple[int, ...]) -> Course:
    begin = month_index(roadmap.start)
    slips = tuple(
        (number, month_index(change.month) - begin, change.slip_months)
        for change in future.changes
        for number, offer in enumerate(roadmap.power, start=len(roadmap.offers))
        if change.delays(offer)
    )
    losses = tuple(
        (change.lost_provider, month_index(change.month) - begin)
        for change in future.changes
        if change.lost_provider
    )
    return Course(
        id=future.id,
        probability_frac=future.probability_frac,
        nodes=nodes,
        amount=demand.changed(roadmap, future.changes),
        factors=list_factors(roadmap, future.changes),
        energised_mw=energised_mw(roadmap, future.changes),
        slips=slips,
        losses=losses,
    )


def energised_mw(roadmap: Roadmap, changes: tuple[Change, ...] = ()) -> Numbers:
    """[places, T] MW at each place without signing anything: by its own steps, then by those of changes."""
    begin = month_index(roadmap.start)
    found = np.zeros((len(roadmap.places), roadmap.months))
    for number, place in enumerate(roadmap.places):
        for step in place.energised or ():
            found[number, max(0, month_index(step.month) - begin) :] = step.power_w / MEGAWATT_W
        for change in changes:
            if change.energised is not None and (not change.sites or place.id in change.sites):
                since = max(0, month_index(change.month) - begin)
                found[number, since:] = 0.0
                for step in change.energised:
                    found[number, max(since, month_index(step.month) - begin) :] = step.power_w / MEGAWATT_W
    return found


def _refuse_early_differences(roadmap: Roadmap, nodes: list[Node], courses: tuple[Course, ...]) -> None:
    """Futures that are not yet told apart must not differ."""
    problems = []
    for node in nodes:
        months = slice(node.begin, node.end)
        first = courses[node.futures[0]]
        for n in node.futures[1:]:
            one = courses[n]
            # The amount of a run stands in its first month; it is looked at where its window ends.
            same_work = np.allclose(one.amount[:, months], first.amount[:, months]) or _only_runs(
                roadmap, one.amount, first.amount, months
            )
            same_rest = all(
                np.allclose(mine[:, months], other[:, months])
                for mine, other in ((one.factors, first.factors), (one.energised_mw, first.energised_mw))
            )
            if not same_work or not same_rest:
                problems.append(
                    f"futures {first.id} and {one.id} differ before they can be told apart: their changes "
                    f"must not begin before the month in reveals that parts them"
                )
    if problems:
        raise InputError(problems[0])


def _only_runs(roadmap: Roadmap, one: Numbers, other: Numbers, months: slice) -> bool:
    runs = len(roadmap.training)
    return bool(np.allclose(one[runs:, months], other[runs:, months]))


def in_two_stages(tree: Tree) -> bool:
    """Whether all futures part at once, each from all others."""
    return 1 < len(tree.courses) == len(tree.nodes) - 1 and all(len(one.nodes) == 2 for one in tree.courses)


def some_courses(tree: Tree, chosen: Sequence[int], chances_frac: Sequence[float]) -> Tree:
    """Some futures of two stages by these chances; the root still does not tell them from the others."""
    root, leaf = tree.nodes[0], tree.nodes[1]
    nodes = [replace(root, futures=tuple(range(len(chosen))), probability_frac=float(sum(chances_frac)))]
    courses = []
    for n, (course, chance) in enumerate(zip(chosen, chances_frac, strict=True)):
        nodes.append(Node(n + 1, 0, leaf.begin, leaf.end, (n,), float(chance)))
        one = tree.courses[course]
        courses.append(replace(one, probability_frac=float(chance), nodes=(0, n + 1)))
    left = [replace(one, nodes=(0,)) for n, one in enumerate(tree.courses) if n not in set(chosen)]
    return Tree(tuple(nodes), tuple(courses), tuple(left))


def single_course(tree: Tree, course: int, months: int) -> Tree:
    """The tree of one future alone, known from the start: what perfect foresight would face."""
    one = tree.courses[course]
    node = Node(0, -1, 0, months, (0,), 1.0)
    return Tree((node,), (Course(**{**one.__dict__, "probability_frac": 1.0, "nodes": (0,)}),))


def expected_course(tree: Tree, months: int) -> Tree:
    """The tree of the one future in which demand, prices and dates take their means, and nobody fails."""
    chances = np.array([one.probability_frac for one in tree.courses])

    def mean(tables: list[Numbers]) -> Numbers:
        return np.asarray(np.tensordot(chances, np.array(tables), axes=1))

    course = Course(
        id="expected",
        probability_frac=1.0,
        nodes=(0,),
        amount=mean([one.amount for one in tree.courses]),
        factors=mean([one.factors for one in tree.courses]),
        energised_mw=mean([one.energised_mw for one in tree.courses]),
        slips=tuple(_mean_slips(tree)),
    )
    return Tree((Node(0, -1, 0, months, (0,), 1.0),), (course,))


def _mean_slips(tree: Tree) -> Iterator[tuple[int, int, int]]:
    """Each offer of power late by the mean over all futures, to the month."""
    late: dict[int, float] = {}
    safe: dict[int, int] = {}
    for course in tree.courses:
        for offer, month, months in course.slips:
            late[offer] = late.get(offer, 0.0) + course.probability_frac * months
            safe[offer] = max(safe.get(offer, 0), month)
    for offer, mean in late.items():
        if round(mean):
            yield offer, safe[offer], round(mean)
