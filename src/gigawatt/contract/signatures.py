"""Columns of what may be signed, and when: made on demand, and priced by arrays without being made.

A column is a position, the month of its parent's signature, and the node where it is decided. Most are
plain: everything they do follows from the tables of `terms` and `families`. Some need rows of their own
(rights, which go no further than what was signed) or differ between futures (late phases, lost providers,
bills that follow a list); those are all made at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.cash import delayed, weighted_cash
from gigawatt.contract.program import INFINITE, Columns
from gigawatt.contract.terms import FAR, NONE
from gigawatt.domain.portfolio import month_index

if TYPE_CHECKING:
    from gigawatt.contract.futures import Course
    from gigawatt.contract.portfolio_model import Model

Numbers = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Choice:
    """Columns by what they stand for: position, month of signature, node of the decision."""

    position: Ints
    month: Ints
    node: Ints

    def __len__(self) -> int:
        return len(self.position)

    @classmethod
    def none(cls) -> Choice:
        """Nothing to choose."""
        empty = np.empty(0, dtype=np.int64)
        return cls(empty, empty, empty)

    def taken(self, which: NDArray[np.generic]) -> Choice:
        """Some of them."""
        return Choice(self.position[which], self.month[which], self.node[which])

    def joined(self, other: Choice) -> Choice:
        """These, then the others."""
        return Choice(
            np.concatenate([self.position, other.position]),
            np.concatenate([self.month, other.month]),
            np.concatenate([self.node, other.node]),
        )


@dataclass
class Signatures:
    """All columns that may be signed."""

    plain: dict[int, Flags]
    """[P, T] by node: columns that are priced without being made."""
    special: Choice
    """Columns that are always there."""
    extras: list[tuple[Ints, Ints, Numbers]]
    """Rows, positions in `special` and coefficients beyond those that all columns have."""
    special_cost: Numbers
    """Added to the objective of `special`."""
    cash: dict[int, Numbers]
    """[P, T] by node: present value of one unit."""
    gates: Gates
    bills: Bills
    whole: Flags
    """[P] whether units are counted in whole numbers."""

    @classmethod
    def none(cls) -> Signatures:
        """Before anything is known."""
        empty = np.empty(0)
        return cls({}, Choice.none(), [], empty, {}, Gates(), Bills(), empty.astype(bool))


@dataclass
class Gates:
    """Whether anything is signed at a tier in a month: for fees, least amounts and exclusivity."""

    gate_of: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """[P]; NONE where a position has none."""
    low: dict[int, Ints] = field(default_factory=dict)
    """[gates, T] rows by node."""
    high: dict[int, Ints] = field(default_factory=dict)
    columns: dict[int, Ints] = field(default_factory=dict)
    """[gates, T] by node."""
    least: Numbers = field(default_factory=lambda: np.empty(0))
    """[gates] accelerators in one signature."""
    fee_usd: Numbers = field(default_factory=lambda: np.empty(0))
    most: Numbers = field(default_factory=lambda: np.empty(0))


@dataclass
class Bills:
    """Cash of each calendar year, where a budget limits it."""

    years: tuple[int, ...] = ()
    rows: Ints = field(default_factory=lambda: np.empty((0, 0), dtype=np.int64))
    """[courses, years]"""
    months: Numbers = field(default_factory=lambda: np.empty((0, 0)))
    """[years, T + 1]: 1 in the months of the year."""


def signatures_of(model: Model) -> Signatures:
    """Every column that the roadmap allows."""
    bills = _bills(model)
    gates = _gates(model)
    _bill_fees(model, bills, gates)
    cash = {
        node.number: weighted_cash(
            model.positions, model.weights, model.tree.courses[node.futures[0]].factors
        )
        for node in model.tree.nodes
    }
    allowed = {node.number: _allowed(model, node.number) for node in model.tree.nodes}
    apart = _differing(model, allowed)
    linked = np.isin(np.arange(len(model.positions)), model.positions.parent)
    plain = {n: one & ~apart[n] & ~linked[:, None] for n, one in allowed.items()}
    special = Choice.none()
    for node, one in allowed.items():
        position, month = np.nonzero(one & ~plain[node])
        special = special.joined(Choice(position, month, np.full(len(position), node)))
    special = special.joined(_rights(model, allowed))
    found = Signatures(
        plain=plain,
        special=special,
        extras=[],
        special_cost=np.zeros(len(special)),
        cash=cash,
        gates=gates,
        bills=bills,
        whole=_whole(model),
    )
    _link(model, found)
    courses = model.tree.courses
    if any(one.slips or one.losses for one in model.tree.kin) or not model.positions.locked.all():
        for number, course in enumerate(courses):
            _differ(model, found, number, course)
    return found


def _whole(model: Model) -> Flags:
    """Blocks are counted where they matter: power always, accelerators from a thousandth of the peak on."""
    amount = np.max([course.amount for course in model.tree.kin], axis=0)
    spread = np.where(
        model.demand.windowed,
        amount.sum(axis=1) / np.maximum(model.demand.last - model.demand.first + 1, 1),
        amount.max(axis=1),
    )
    small = float(spread.sum()) / SMALL_BLOCKS
    positions = model.positions
    return positions.power | (positions.whole & (positions.unit > small))


SMALL_BLOCKS = 1024


def _allowed(model: Model, node: int) -> Flags:
    """[P, T] months of signature at a node; rights are decided elsewhere."""
    begin, end = model.spans(node)
    month = np.arange(model.roadmap.months)
    positions = model.positions
    inside = (positions.first[:, None] <= month) & (month <= positions.last[:, None])
    here = [model.tree.courses[n] for n in model.tree.nodes[node].futures]
    here += [] if node else model.tree.others
    for name, since in set.intersection(*(set(course.losses) for course in here)):
        gone = np.array([one.provider == name for one in positions.entries])
        inside &= ~(gone[:, None] & (month >= since))
    return np.asarray(inside & (month >= begin) & (month < end) & (positions.parent == NONE)[:, None])


def _differing(model: Model, allowed: dict[int, Flags]) -> dict[int, Flags]:
    """Columns whose capacity or bill is not the same in all futures after their signature."""
    positions, entries = model.positions, model.positions.entries
    found = {n: np.zeros_like(one) for n, one in allowed.items()}
    month = np.arange(model.roadmap.months)
    last_step = np.where(positions.offsets < FAR, positions.offsets, 0).max(axis=1)
    # Even in futures where nothing slips: `entries_of` leaves to extras what slips in any.
    for offer, safe in {(offer, safe) for one in model.tree.kin for offer, safe, _ in one.slips}:
        for one in found.values():
            one |= (positions.offer == offer)[:, None] & (month < safe)
    for course in model.tree.kin:
        lost = {name for name, _ in course.losses}
        hit = np.array([one.provider in lost for one in entries])
        for node in course.nodes:
            found[node] |= hit[:, None]
            beyond = month + last_step[:, None] > model.tree.nodes[node].end
            found[node] |= ~positions.locked[:, None] & beyond & (len(model.tree.kin) > 1)
    return {n: one & allowed[n] for n, one in found.items()}


def _rights(model: Model, allowed: dict[int, Flags]) -> Choice:
    """Rights by parent's month of signature, at every node where they may be decided."""
    position: list[int] = []
    month: list[int] = []
    node: list[int] = []
    positions = model.positions
    for right in np.flatnonzero(positions.parent != NONE):
        parent, decide = int(positions.parent[right]), int(positions.decide[right])
        for signed, table in allowed.items():
            for start in np.flatnonzero(table[parent]):
                due = int(start) + decide
                if due >= model.roadmap.months:
                    continue
                for later in model.tree.below(signed):
                    begin, end = model.spans(later)
                    if begin <= due < end:
                        position.append(int(right))
                        month.append(int(start))
                        node.append(later)
    return Choice(*(np.array(one, dtype=np.int64) for one in (position, month, node)))


def _link(model: Model, found: Signatures) -> None:
    """In every future, rights of a signature add up to no more than it."""
    special, positions = found.special, model.positions
    rights = np.flatnonzero(positions.parent[special.position] != NONE)
    if not len(rights):
        return
    parents = {
        (int(special.position[n]), int(special.month[n]), int(special.node[n])): n
        for n in np.flatnonzero(positions.parent[special.position] == NONE)
    }
    groups: dict[tuple[int, int], list[int]] = {}
    for number, course in enumerate(model.tree.courses):
        on_way = set(course.nodes)
        for right in rights:
            if int(special.node[right]) not in on_way:
                continue
            month = int(special.month[right])
            parent = int(positions.parent[special.position[right]])
            key = (parent, month, model.tree.node_at(number, month))
            groups.setdefault((int(parents[key]), number), []).append(int(right))
    kept = {(parent, tuple(members)) for (parent, _), members in groups.items()}
    ordered = sorted(kept)
    rows = model.builder.rows.add("right", [len(ordered)], -INFINITE, 0.0)
    for row, (parent, members) in zip(rows, ordered, strict=True):
        where = np.array([parent, *members])
        found.extras.append((np.full(len(where), row), where, np.array([-1.0, *[1.0] * len(members)])))


def _differ(model: Model, found: Signatures, number: int, course: Course) -> None:
    """Capacity and cost of special columns in one future, where they are not those of their node."""
    leaf = course.nodes[-1]
    mine = np.flatnonzero(np.isin(found.special.node, course.nodes))
    if not len(mine):
        return
    late = _late(model, found.special.taken(mine), course)
    lost = _lost_from(model, found.special.taken(mine), course)
    _correct_capacity(model, found, mine, late, lost, number)
    change = _cash_in(model, found, mine, late, lost, course, model.weights)
    _correct_cost(model, found, mine, change, leaf, course.probability_frac)
    if found.bills.years:
        for year, months in enumerate(found.bills.months):
            spent = _cash_in(model, found, mine, late, lost, course, months)
            row = np.full(len(mine), found.bills.rows[number, year])
            found.extras.append((row, mine, spent))


def _late(model: Model, choice: Choice, course: Course) -> Ints:
    """Months that each column comes late in a future; NONE where all futures agree on it."""
    positions = model.positions
    late = np.full(len(choice), NONE)
    for offer, safe in {(offer, safe) for one in model.tree.kin for offer, safe, _ in one.slips}:
        late[(positions.offer[choice.position] == offer) & (choice.month < safe)] = 0
    for offer, safe, months in course.slips:
        late[(positions.offer[choice.position] == offer) & (choice.month < safe)] = months
    return late


def _lost_from(model: Model, choice: Choice, course: Course) -> Ints:
    """Month from which each column's provider delivers nothing; FAR where it does not fail."""
    month = np.full(len(choice), FAR)
    for name, since in course.losses:
        hit = np.array(
            [model.positions.entries[int(p)].provider == name for p in choice.position], dtype=bool
        )
        month[hit] = since
    return month


def _correct_capacity(
    model: Model, found: Signatures, mine: Ints, late: Ints, lost: Ints, number: int
) -> None:
    """Moves steps in time: within the stocks of the node where this is learned, or of the signature's own.

    Futures that learn it together share that node, and the first of them speaks for all.
    """
    tree, choice, families = model.tree, found.special.taken(mine), model.families
    months = model.roadmap.months
    family, coefficient = families.family[choice.position], families.coefficients[choice.position]
    at = choice.month[:, None] + families.offsets[choice.position]
    slipped = tree.learned(number, lambda one: one.slips)
    failed = tree.learned(number, lambda one: one.losses)

    def put(when: Ints, which: Flags, values: Numbers, learned: int) -> None:
        later = np.isin(choice.node, tree.below(learned))
        node = np.where(later, choice.node, learned)
        speaks = np.array([tree.nodes[int(n)].futures[0] == number for n in node], dtype=bool)
        begin = np.array([tree.nodes[int(n)].begin for n in node])
        when = np.maximum(when, begin[:, None])
        for one in np.unique(node):
            here = which & speaks & (node == one)
            place = np.nonzero(here[:, None] & (family >= 0) & (when < months))
            row = model.stock_rows[int(one)][family[place], when[place] - tree.nodes[int(one)].begin]
            found.extras.append((row, mine[place[0]], values[place]))

    # What may slip is left out of its own node (see `entries_of`), and stands here in every future.
    put(at + np.maximum(late, 0)[:, None], late >= 0, -coefficient, slipped)
    put(np.maximum(at, lost[:, None]), (lost < months) & (late < 0), coefficient, failed)


def _cash_in(
    model: Model, found: Signatures, mine: Ints, late: Ints, lost: Ints, course: Course, weights: Numbers
) -> Numbers:
    """What columns cost in one future, less what they cost by their node."""
    choice = found.special.taken(mine)
    where = (choice.position, choice.month)
    known = np.array([model.tree.nodes[int(n)].futures[0] for n in choice.node])
    change = np.zeros(len(mine))
    for first in np.unique(known):
        here = known == first
        base = weighted_cash(model.positions, weights, model.tree.courses[first].factors)
        change[here] -= base[where][here]
    change += weighted_cash(model.positions, weights, course.factors)[where]
    for months in np.unique(late[late > 0]):
        slipped = weighted_cash(delayed(model.positions, int(months)), weights, course.factors)[where]
        nominal = weighted_cash(model.positions, weights, course.factors)[where]
        change += np.where(late == months, slipped - nominal, 0.0)
    for since in np.unique(lost[lost < model.roadmap.months]):
        after = np.where(np.arange(len(weights)) >= since, weights, 0.0)
        unpaid = weighted_cash(model.positions, after, course.factors)[where]
        change -= np.where(lost == since, unpaid, 0.0)
    return change


def _correct_cost(
    model: Model, found: Signatures, mine: Ints, change: Numbers, leaf: int, probability_frac: float
) -> None:
    if len(model.cost_rows):
        found.extras.append((np.full(len(mine), model.cost_rows[leaf]), mine, -change))
    else:
        found.special_cost[mine] += change * probability_frac


def _bills(model: Model) -> Bills:
    """A row for each future and year with a budget."""
    budget = model.roadmap.limits.budget_usd_per_year
    if not budget:
        return Bills()
    years = tuple(sorted(int(year) for year in budget))
    limit = np.array([budget[str(year)] for year in years])
    shape = (len(model.tree.courses), len(years))
    rows = model.builder.rows.add("budget", shape, -INFINITE, np.broadcast_to(limit, shape))
    begin = month_index(model.roadmap.start)
    year_of = (begin + np.arange(model.roadmap.months)) // 12
    months = np.array([[*(year_of == year), False] for year in years], dtype=float)
    for number, course in enumerate(model.tree.courses):
        for node in course.nodes:
            _bill_usage(model, node, rows[number], months)
    return Bills(years, rows, months)


def _bill_usage(model: Model, node: int, rows: Ints, months: Numbers) -> None:
    """What is paid by use counts in its year."""
    from gigawatt.contract.usage import list_usd

    begin, end = model.spans(node)
    for position in model.families.taken:
        extra = model.builder.columns.blocks[f"extra {node} {position}"].index
        price = list_usd(model, position, model.tree.nodes[node].futures[0])[begin:end]
        for row, inside in zip(rows, months, strict=True):
            model.builder.put(row, extra, price * inside[begin:end])


def _bill_fees(model: Model, bills: Bills, gates: Gates) -> None:
    """Fees of signatures count in the year of the signature."""
    for number, course in enumerate(model.tree.courses if bills.years else ()):
        for node in course.nodes:
            columns = gates.columns.get(node)
            if columns is None:
                continue
            for row, inside in zip(bills.rows[number], bills.months[:, :-1], strict=True):
                model.builder.put(row, columns, gates.fee_usd[:, None] * inside)


def _gates(model: Model) -> Gates:
    """Yes or no for each offer and tier that has a fee, a least amount or a rival that excludes it."""
    offers, entries = model.roadmap.offers, model.positions.entries
    keys: dict[tuple[int, int], int] = {}
    gate_of = np.full(len(entries), NONE)
    for number, one in enumerate(entries):
        if one.power or one.parent != NONE:
            continue
        offer = offers[one.offer]
        if offer.fee_usd or one.least > one.unit or offer.exclusive or np.isfinite(one.most):
            gate_of[number] = keys.setdefault((one.offer, one.tier), len(keys))
    gates = Gates(gate_of=gate_of)
    if not keys:
        return gates
    bounds = {gate_of[n]: (one.least, one.most, one.unit) for n, one in enumerate(entries) if gate_of[n] >= 0}
    least = np.array([max(bounds[g][0], 0.0) for g in range(len(keys))])
    most = np.array([_most_at_once(model, key, bounds[g]) for key, g in keys.items()])
    fee = np.array([offers[offer].fee_usd for offer, _ in keys])
    gates.least, gates.most, gates.fee_usd = least, most, fee
    for node in model.tree.nodes:
        _gates_at(model, gates, node.number, (least, most, fee))
    _exclude(model, gates, keys)
    return gates


def _most_at_once(model: Model, key: tuple[int, int], bound: tuple[float, float, float]) -> float:
    """Most in one signature: less than the next tier, no more than there is, and than anybody could use."""
    offer = model.roadmap.offers[key[0]]
    amount = np.max([course.amount for course in model.tree.kin], axis=0)
    rate = np.where(model.demand.rate > 0, model.demand.rate, np.inf).min(axis=1)
    useful = float(np.sum(amount.max(axis=1) / rate)) + offer.least_accelerators + bound[2]
    most = offer.most_accelerators if offer.most_accelerators is not None else useful
    return max(min(bound[1] - 1 if np.isfinite(bound[1]) else np.inf, float(most)), bound[0])


def _gates_at(model: Model, gates: Gates, node: int, bounds: tuple[Numbers, Numbers, Numbers]) -> None:
    least, most, fee = bounds
    begin, end = model.spans(node)
    months = model.roadmap.months
    shape = (len(least), end - begin)
    whole = not (node and model.whole_root_only)
    columns = model.builder.columns.add(f"gate {node}", shape, 0.0, 1.0, 0.0, whole)
    low = model.builder.rows.add(f"least {node}", shape, 0.0, INFINITE)
    high = model.builder.rows.add(f"signed {node}", shape, -INFINITE, 0.0)
    model.builder.put(low, columns, -least[:, None])
    model.builder.put(high, columns, -most[:, None])
    model.spend(node, columns, fee[:, None] * model.weights[begin:end])
    for kept, index in ((gates.columns, columns), (gates.low, low), (gates.high, high)):
        kept[node] = np.full((len(least), months), NONE)
        kept[node][:, begin:end] = index


def _exclude(model: Model, gates: Gates, keys: dict[tuple[int, int], int]) -> None:
    """Of offers that exclude each other, those of one provider only."""
    offers = model.roadmap.offers
    words = dict.fromkeys(offers[offer].exclusive for offer, _ in keys if offers[offer].exclusive)
    for word in words:
        members = [(key, gate) for key, gate in keys.items() if offers[key[0]].exclusive == word]
        names = list(dict.fromkeys(offers[key[0]].provider for key, _ in members))
        chosen = model.builder.columns.add(f"exclusive {word}", [len(names)], 0.0, 1.0, 0.0, True)
        one = model.builder.rows.add(f"exclusive {word}", [1], -INFINITE, 1.0)
        model.builder.put(one[0], chosen, 1.0)
        for key, gate in members:
            for node, columns in gates.columns.items():
                begin, end = model.spans(node)
                tag = f"exclusive {word} {node} {gate}"
                rows = model.builder.rows.add(tag, [end - begin], -INFINITE, 0.0)
                model.builder.put(rows, columns[gate, begin:end], 1.0)
                model.builder.put(rows, chosen[names.index(offers[key[0]].provider)], -1.0)


def entries_of(model: Model, choice: Choice) -> tuple[Ints, Numbers]:
    """[columns, entries] rows and coefficients that every column has."""
    families, months = model.families, model.roadmap.months
    rows = np.full((len(choice), families.family.shape[1]), NONE)
    values = -families.coefficients[choice.position]
    at = choice.month[:, None] + families.offsets[choice.position]
    family = families.family[choice.position]
    late = _late(model, choice, model.tree.courses[0]) >= 0
    for node in np.unique(choice.node):
        here = choice.node == node
        begin = model.tree.nodes[node].begin
        inside = here[:, None] & (family >= 0) & (at < months) & ~late[:, None]
        rows[inside] = model.stock_rows[node][family[inside], at[inside] - begin]
    more = [(rows, values), *_gate_entries(model, choice), *_bill_entries(model, choice)]
    if len(model.cost_rows):
        more.append((model.cost_rows[choice.node][:, None], -cash_of(model, choice)[:, None]))
    return np.hstack([one[0] for one in more]), np.hstack([one[1] for one in more])


def _gate_entries(model: Model, choice: Choice) -> Iterator[tuple[Ints, Numbers]]:
    gates = model.signatures.gates
    if not gates.low:
        return
    gate = gates.gate_of[choice.position]
    unit = model.positions.unit[choice.position][:, None]
    for table in (gates.low, gates.high):
        rows = np.full(len(choice), NONE)
        for node in np.unique(choice.node):
            here = (choice.node == node) & (gate >= 0)
            rows[here] = table[int(node)][gate[here], choice.month[here]]
        yield rows[:, None], unit


def _bill_entries(model: Model, choice: Choice) -> Iterator[tuple[Ints, Numbers]]:
    bills = model.signatures.bills
    for year, months in enumerate(bills.months):
        for number, course in enumerate(model.tree.courses):
            inside = np.isin(choice.node, course.nodes)
            spent = np.zeros(len(choice))
            for node in np.unique(choice.node[inside]):
                here = inside & (choice.node == node)
                factors = model.tree.courses[model.tree.nodes[node].futures[0]].factors
                table = weighted_cash(model.positions, months, factors)
                spent[here] = table[choice.position[here], choice.month[here]]
            rows = np.where(inside, bills.rows[number, year], NONE)
            yield rows[:, None], spent[:, None]


def cash_of(model: Model, choice: Choice) -> Numbers:
    """[columns] USD at the start for one unit, by what is known at its node."""
    found = np.zeros(len(choice))
    for node in np.unique(choice.node):
        here = choice.node == node
        found[here] = model.signatures.cash[int(node)][choice.position[here], choice.month[here]]
    return found


def make_columns(model: Model, choice: Choice, special: bool = False) -> Columns:
    """The columns of a choice; with `special`, of all that are always there."""
    found = model.signatures
    rows, values = entries_of(model, choice)
    cost = np.zeros(len(choice))
    if not len(model.cost_rows):
        chances = np.array([node.probability_frac for node in model.tree.nodes])
        cost = cash_of(model, choice) * chances[choice.node]
    if special:
        cost = cost + found.special_cost
        rows, values = _with_extras(found, rows, values)
    whole = found.whole[choice.position] & ((choice.node == 0) | (not model.whole_root_only))
    return Columns.of(cost, np.full(len(choice), INFINITE), whole, rows, values)


def _with_extras(found: Signatures, rows: Ints, values: Numbers) -> tuple[Ints, Numbers]:
    """The same table, widened by the coefficients of rights and differences."""
    if not found.extras:
        return rows, values
    row, column, value = (np.concatenate(part) for part in zip(*found.extras, strict=True))
    order = np.argsort(column, kind="stable")
    row, column, value = row[order], column[order], value[order]
    place = np.arange(len(column)) - np.searchsorted(column, column)
    width = int(place.max(initial=-1)) + 1
    more = np.full((len(rows), width), NONE)
    worth = np.zeros((len(rows), width))
    more[column, place] = row
    worth[column, place] = value
    return np.hstack([rows, more]), np.hstack([values, worth])


def reduced_costs(model: Model, node: int, duals: Numbers, everything: bool = False) -> Numbers:
    """[P, T]: reduced cost of every plain column at a node; infinite where there is none.

    With `everything`, of all positions in all months, as if each column were plain.
    """
    found, families, months = model.signatures, model.families, model.roadmap.months
    begin, _ = model.spans(node)
    price = np.zeros((families.count + 1, months + 1))
    price[:-1, begin:months] = duals[model.stock_rows[node]]
    chance = model.tree.nodes[node].probability_frac
    if len(model.cost_rows):
        chance = float(duals[model.cost_rows[node]])
    total = found.cash[node] * chance
    month = np.arange(months)
    for entry in range(families.family.shape[1]):
        at = np.minimum(month + families.offsets[:, entry, None], months)
        total += families.coefficients[:, entry, None] * price[families.family[:, entry, None], at]
    total -= _gate_worth(model, node, duals) + _bill_worth(model, node, duals)
    if not everything:
        total[~found.plain[node]] = INFINITE
    return total


def _gate_worth(model: Model, node: int, duals: Numbers) -> Numbers | float:
    gates = model.signatures.gates
    if node not in gates.low:
        return 0.0
    padded = np.append(duals, 0.0)
    both = padded[gates.low[node]] + padded[gates.high[node]]
    worth = np.vstack([both, np.zeros(both.shape[1])])[gates.gate_of]
    return np.asarray(worth * model.positions.unit[:, None])


def _bill_worth(model: Model, node: int, duals: Numbers) -> Numbers | float:
    bills = model.signatures.bills
    if not bills.years:
        return 0.0
    mine = [n for n, course in enumerate(model.tree.courses) if node in course.nodes]
    weights = duals[bills.rows[mine]].sum(axis=0) @ bills.months
    factors = model.tree.courses[model.tree.nodes[node].futures[0]].factors
    return weighted_cash(model.positions, weights, factors)
