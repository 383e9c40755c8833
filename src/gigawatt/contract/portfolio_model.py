"""The portfolio as a linear program in stock form: signatures, stocks, work, limits and the cost of each
future.

A signature enters the stock of each of its families twice, when capacity comes and when it goes, instead of
once for every month in between. Stocks belong to nodes of the tree of futures; what a future has in a month
is the sum over the nodes on its way. Signatures are millions at full size, so their columns are made when
the solver asks for them, and priced without being made (`signatures`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.cash import discount_weights
from gigawatt.contract.demand import Demand, demand_of
from gigawatt.contract.families import MEGAWATT_W, Families, families_of
from gigawatt.contract.futures import Tree, tree_of
from gigawatt.contract.program import INFINITE, Builder, Program
from gigawatt.contract.signatures import Signatures, signatures_of
from gigawatt.contract.terms import NONE, Positions, positions_of
from gigawatt.contract.usage import add_usage
from gigawatt.domain.portfolio import Roadmap, month_index, month_text
from gigawatt.laws.power import facility_power_w

Numbers = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass
class Model:
    """A roadmap as a program without its signatures, and the signatures."""

    roadmap: Roadmap
    demand: Demand
    positions: Positions
    families: Families
    tree: Tree
    weights: Numbers
    builder: Builder
    vast: bool = False
    """So many signatures that the relaxed optimum is approached from within before it is pivoted to."""
    whole_root_only: bool = False
    """Blocks count in whole numbers only where they are signed before futures part."""
    compact: bool = False
    """Limits of sites and offers are bounds of their stocks, not rows: at full size, in a single node."""
    stock: dict[int, Ints] = field(default_factory=dict)
    """[families, months left] columns, by node."""
    stock_rows: dict[int, Ints] = field(default_factory=dict)
    work: dict[int, Ints] = field(default_factory=dict)
    """[pools, K, months] columns, by node; NONE where a pool may not do the work."""
    idle: dict[int, Ints] = field(default_factory=dict)
    """[limited sites, kinds, months] columns: hardware that waits for power."""
    unmet: dict[int, Ints] = field(default_factory=dict)
    """[K, months] columns by node; of runs [K] by future in `undone`."""
    undone: Ints = field(default_factory=lambda: np.empty((0, 0), dtype=np.int64))
    cost_columns: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """[nodes] what is spent at a node, where risk is weighed."""
    cost_rows: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    signatures: Signatures = field(default_factory=lambda: Signatures.none())

    def program(self) -> Program:
        """The program without signatures."""
        return self.builder.program()

    def month(self, number: int) -> str:
        """A month of the horizon as text."""
        return month_text(month_index(self.roadmap.start) + number)

    def spans(self, node: int) -> tuple[int, int]:
        """First month of a node, and the month after its last."""
        return self.tree.nodes[node].begin, self.tree.nodes[node].end

    def stocked(self, node: int, family: Ints | int, months: Ints) -> list[Ints]:
        """The stock columns that make up what is there at a node, one array for each node on the way."""
        return [self.stock[n][family, months - self.tree.nodes[n].begin] for n in self.tree.path(node)]

    def spend(self, node: int, columns: Ints, usd: Numbers | float) -> None:
        """Cost of columns at a node: in the objective, or in the node's account where risk is weighed."""
        flat, cost = np.broadcast_arrays(columns, np.asarray(usd, dtype=float))
        kept = flat >= 0
        if len(self.cost_rows):
            self.builder.put(self.cost_rows[node], flat[kept], -cost[kept])
            return
        chance = self.tree.nodes[node].probability_frac
        self.extra_cost.append((flat[kept], cost[kept] * chance))

    extra_cost: list[tuple[Ints, Numbers]] = field(default_factory=list)

    def costed(self, program: Program) -> Program:
        """The program with all costs in its objective."""
        cost = program.cost.copy()
        for columns, usd in self.extra_cost:
            np.add.at(cost, columns, usd)
        return Program(**{**program.__dict__, "cost": cost})


MANY_SIGNATURES = 2**18


def build_model(
    roadmap: Roadmap,
    tree: Tree | None = None,
    risk: bool = True,
    whole_root_only: bool = False,
) -> Model:
    """Everything but the choice of signatures that the solver starts with."""
    demand = demand_of(roadmap)
    positions = positions_of(roadmap)
    model = Model(
        roadmap=roadmap,
        demand=demand,
        positions=positions,
        families=families_of(roadmap, demand, positions),
        tree=tree or tree_of(roadmap, demand),
        weights=discount_weights(roadmap),
        builder=Builder(),
        whole_root_only=whole_root_only,
    )
    model.vast = len(model.tree.nodes) == 1 and len(positions) * roadmap.months > MANY_SIGNATURES
    model.compact = model.vast and not roadmap.power
    if risk and roadmap.risk.cvar_weight_frac and len(model.tree.courses) > 1:
        _add_risk(model)
    for node in model.tree.nodes:
        _add_stocks(model, node.number)
        _add_work(model, node.number)
        _add_unmet(model, node.number)
    for node in model.tree.nodes:
        _add_idle(model, node.number)
        _add_supply(model, node.number)
        _add_power(model, node.number)
        _add_shares(model, node.number)
        _add_monthly(model, node.number)
    _add_runs(model)
    add_usage(model)
    _add_moves(model)
    model.signatures = signatures_of(model)
    return model


def _add_risk(model: Model) -> None:
    """Mean and CVaR of what each future costs, after Rockafellar and Uryasev."""
    rows, columns, tree = model.builder.rows, model.builder.columns, model.tree
    risk = model.roadmap.risk
    chances = np.array([course.probability_frac for course in tree.courses])
    nodes = np.array([node.probability_frac for node in tree.nodes])
    mean = 1.0 - risk.cvar_weight_frac
    model.cost_columns = columns.add("cost", [len(tree.nodes)], -INFINITE, INFINITE, nodes * mean)
    model.cost_rows = rows.add("cost", [len(tree.nodes)], 0.0, 0.0)
    edge = columns.add("edge", [1], -INFINITE, INFINITE, risk.cvar_weight_frac)
    beyond = columns.add(
        "beyond",
        [len(chances)],
        0.0,
        INFINITE,
        risk.cvar_weight_frac * chances / (1.0 - risk.cvar_level_frac),
    )
    tail = rows.add("tail", [len(chances)], 0.0, INFINITE)
    model.builder.put(model.cost_rows, model.cost_columns, 1.0)
    model.builder.put(tail, beyond, 1.0)
    model.builder.put(tail, edge[0], 1.0)
    for number, course in enumerate(tree.courses):
        model.builder.put(tail[number], model.cost_columns[list(course.nodes)], -1.0)


def _add_stocks(model: Model, node: int) -> None:
    """What adds up from signatures at this node, to the end of the horizon."""
    begin, _ = model.spans(node)
    shape = (model.families.count, model.roadmap.months - begin)
    # A loss of a provider takes away, in one future, what was signed before.
    floor = -INFINITE if node and model.tree.courses[0].nodes != (0,) else 0.0
    ceiling = np.full(shape, INFINITE)
    if model.compact:
        families, months = model.families, np.arange(begin, model.roadmap.months)
        for number, site in enumerate(families.limited_sites):
            ceiling[families.first_site + number] = model.tree.courses[0].energised_mw[site, months]
        for number, offer in enumerate(families.capped_offers):
            ceiling[families.first_offer + number] = _most(model.roadmap, offer)
    model.stock[node] = model.builder.columns.add(f"stock {node}", shape, floor, ceiling)
    model.stock_rows[node] = model.builder.rows.add(f"stock {node}", shape, 0.0, 0.0)
    model.builder.put(model.stock_rows[node], model.stock[node], 1.0)
    model.builder.put(model.stock_rows[node][:, 1:], model.stock[node][:, :-1], -1.0)


def _in_window(model: Model, months: Ints) -> NDArray[np.bool_]:
    """[K, months]"""
    demand = model.demand
    return (demand.first[:, None] <= months) & (months <= demand.last[:, None])


def _add_work(model: Model, node: int) -> None:
    """Accelerators of each pool that do each piece of work in each month."""
    begin, end = model.spans(node)
    months = np.arange(begin, end)
    allowed = model.families.allowed[:, :, None] & _in_window(model, months)[None]
    index = np.full(allowed.shape, NONE)
    index[allowed] = model.builder.columns.add(f"work {node}", [int(allowed.sum())], 0.0, INFINITE)
    model.work[node] = index


def _add_unmet(model: Model, node: int) -> None:
    """Monthly work that is left undone, at its price."""
    begin, end = model.spans(node)
    months = np.arange(begin, end)
    soft = np.isfinite(model.demand.unmet_usd) & ~model.demand.windowed
    index = np.full((len(soft), end - begin), NONE)
    asked = _in_window(model, months) & soft[:, None]
    index[asked] = model.builder.columns.add(f"unmet {node}", [int(asked.sum())], 0.0, INFINITE)
    model.unmet[node] = index
    price = np.where(soft, model.demand.unmet_usd, 0.0)
    model.spend(node, index, price[:, None] * model.weights[months])


def _add_idle(model: Model, node: int) -> None:
    """Hardware that waits for power, where power may come late."""
    courses = model.tree.kin
    moved = any(not np.array_equal(one.energised_mw, courses[0].energised_mw) for one in courses)
    if not moved and not any(one.slips for one in courses):
        return
    begin, end = model.spans(node)
    sites, kinds = len(model.families.limited_sites), len(model.roadmap.chips)
    model.idle[node] = model.builder.columns.add(f"idle {node}", (sites, kinds, end - begin), 0.0, INFINITE)


def _add_supply(model: Model, node: int) -> None:
    """No pool does more work than it delivers."""
    begin, end = model.spans(node)
    months = np.arange(begin, end)
    pools = len(model.families.pools)
    rows = model.builder.rows.add(f"pool {node}", (pools, end - begin), -INFINITE, 0.0)
    model.builder.put(rows[:, None, :], model.work[node], 1.0)
    for stock in model.stocked(node, np.arange(pools)[:, None], months[None, :]):
        model.builder.put(rows, stock, -1.0)
    if node in model.idle:
        for number, site in enumerate(model.families.limited_sites):
            for kind in range(len(model.roadmap.chips)):
                model.builder.put(rows[_waiting_pool(model, site, kind)], model.idle[node][number, kind], 1.0)


def _waiting_pool(model: Model, site: int, kind: int) -> Ints | int:
    """The pool that hardware at a site feeds; NONE where there is none."""
    here = (model.positions.site == site) & (model.positions.kind == kind) & ~model.positions.power
    pools = model.families.pool_index[here]
    return int(pools[0]) if len(pools) else slice(0, 0)  # type: ignore[return-value]


def _add_power(model: Model, node: int) -> None:
    """What is installed and not waiting draws no more than what is energised."""
    families = model.families
    sites = 0 if model.compact else len(families.limited_sites)
    begin, end = model.spans(node)
    months = np.arange(begin, end)
    course = model.tree.courses[model.tree.nodes[node].futures[0]]
    base = course.energised_mw[list(families.limited_sites[:sites]), begin:end]
    shape = (sites, end - begin)
    rows = model.builder.rows.add(f"power {node}", shape, -INFINITE, base.reshape(shape))
    numbers = np.arange(sites)[:, None]
    for stock in model.stocked(node, families.first_site + numbers, months[None, :]):
        model.builder.put(rows, stock, 1.0)
    if model.roadmap.power:
        for stock in model.stocked(node, families.first_supply + numbers, months[None, :]):
            model.builder.put(rows, stock, -1.0)
    if node in model.idle:
        drawn = np.array([
            [facility_power_w(chip.power_w, model.roadmap.places[site].pue) / MEGAWATT_W
             for chip in model.roadmap.chips]
            for site in families.limited_sites
        ])  # fmt: skip
        model.builder.put(rows[:, None, :], model.idle[node], -drawn[:, :, None])


def _add_shares(model: Model, node: int) -> None:
    """Shares of providers and suppliers, survival of the loss of one, and what an offer has at most."""
    families, limits = model.families, model.roadmap.limits
    begin, end = model.spans(node)
    months, put = np.arange(begin, end), model.builder.put
    others = [n for n, name in enumerate(families.providers) if name not in limits.own_providers]
    everyone = families.first_provider + np.arange(len(families.providers))[:, None]
    if limits.provider_frac is not None and others:
        rows = model.builder.rows.add(f"provider {node}", (len(others), end - begin), -INFINITE, 0.0)
        for stock in model.stocked(node, everyone, months[None, :]):
            put(rows[:, None, :], stock[None, :, :], -limits.provider_frac)
            put(rows, stock[others], 1.0)
    if limits.supplier_frac:
        share = np.array(list(limits.supplier_frac.values()))
        behind = families.first_supplier + np.arange(len(share))[:, None]
        rows = model.builder.rows.add(f"supplier {node}", (len(share), end - begin), -INFINITE, 0.0)
        for stock in model.stocked(node, everyone, months[None, :]):
            put(rows[:, None, :], stock[None, :, :], -share[:, None, None])
        for stock in model.stocked(node, behind, months[None, :]):
            put(rows, stock, 1.0)
    if any(one.survive_frac for one in model.demand.work) and others:
        need = _needed_after_a_loss(model, node)
        rows = model.builder.rows.add(f"survival {node}", (len(others), end - begin), need, INFINITE)
        for stock in model.stocked(node, everyone, months[None, :]):
            put(rows[:, None, :], stock[None, :, :], 1.0)
            put(rows, stock[others], -1.0)
    if families.capped_offers and not model.compact:
        most = [_most(model.roadmap, offer) for offer in families.capped_offers]
        shape = (len(most), end - begin)
        rows = model.builder.rows.add(f"offer {node}", shape, -INFINITE, np.array(most)[:, None])
        capped = families.first_offer + np.arange(len(most))[:, None]
        for stock in model.stocked(node, capped, months[None, :]):
            put(rows, stock, 1.0)


def _most(roadmap: Roadmap, offer: int) -> float:
    count = len(roadmap.offers)
    if offer < count:
        return float(roadmap.offers[offer].most_accelerators or 0)
    return float(roadmap.power[offer - count].most_blocks)


def _needed_after_a_loss(model: Model, node: int) -> Numbers:
    """[months] reference accelerators; a run counts evenly over its window."""
    begin, end = model.spans(node)
    months, demand = np.arange(begin, end), model.demand
    amount = model.tree.courses[model.tree.nodes[node].futures[0]].amount
    inside = _in_window(model, months)
    even = amount.sum(axis=1) / np.maximum(demand.last - demand.first + 1, 1)
    asked = np.where(demand.windowed[:, None], even[:, None] * inside, amount[:, begin:end])
    share = np.array([one.survive_frac for one in demand.work])
    return np.asarray(np.sum(asked * (share * demand.unit_equivalents)[:, None], axis=0))


def _add_monthly(model: Model, node: int) -> None:
    """Traffic and research are served month by month, so much of it on capacity that can be taken away."""
    begin, end = model.spans(node)
    months, demand = np.arange(begin, end), model.demand
    amount = model.tree.courses[model.tree.nodes[node].futures[0]].amount[:, begin:end]
    asked = _in_window(model, months) & ~demand.windowed[:, None] & (amount > 0)
    rows = np.full(asked.shape, NONE)
    rows[asked] = model.builder.rows.add(f"need {node}", [int(asked.sum())], amount[asked], INFINITE)
    rate = demand.rate.T[[pool.kind for pool in model.families.pools]]
    model.builder.put(rows[None], model.work[node], rate[:, :, None])
    model.builder.put(rows, model.unmet[node], 1.0)
    share = np.array([one.interruptible_frac for one in demand.work])
    some = asked & ((share > 0) & (share < 1))[:, None]
    fickle = np.array([pool.interruptible for pool in model.families.pools])
    if some.any() and fickle.any():
        capped = np.full(asked.shape, NONE)
        ceiling = (share[:, None] * amount)[some]
        capped[some] = model.builder.rows.add(f"spot {node}", [int(some.sum())], -INFINITE, ceiling)
        model.builder.put(capped[None], model.work[node], np.where(fickle[:, None], rate, 0.0)[:, :, None])
    most = np.isfinite(demand.most)
    if most.any():
        inside = _in_window(model, months) & most[:, None]
        at_once = np.full(inside.shape, NONE)
        ceiling = np.broadcast_to(demand.most[:, None], inside.shape)[inside]
        at_once[inside] = model.builder.rows.add(f"most {node}", [int(inside.sum())], -INFINITE, ceiling)
        model.builder.put(at_once[None], model.work[node], 1.0)


def _add_runs(model: Model) -> None:
    """Each run is done within its window, in every future."""
    demand, tree = model.demand, model.tree
    runs = np.flatnonzero(demand.windowed)
    shape = (len(runs), len(tree.courses))
    amounts = np.array([course.amount.sum(axis=1)[runs] for course in tree.courses]).T.reshape(shape)
    rows = model.builder.rows.add("run", shape, amounts, INFINITE)
    soft = np.isfinite(demand.unmet_usd[runs])
    model.undone = np.full(shape, NONE)
    if soft.any():
        columns = model.builder.columns.add("undone", (int(soft.sum()), shape[1]), 0.0, INFINITE)
        model.undone[soft] = columns
    model.builder.put(rows, model.undone, 1.0)
    rate = demand.rate.T[[pool.kind for pool in model.families.pools]]
    fickle = np.array([pool.interruptible for pool in model.families.pools])
    share = np.array([demand.work[run].interruptible_frac for run in runs])
    some = (share > 0) & (share < 1) & fickle.any()
    capped = np.full(shape, NONE)
    if some.any():
        ceiling = (share[:, None] * amounts)[some]
        capped[some] = model.builder.rows.add("spot runs", ceiling.shape, -INFINITE, ceiling)
    for number, course in enumerate(tree.courses):
        late = model.weights[np.minimum(demand.last[runs], model.roadmap.months - 1)]
        price = np.where(soft, demand.unmet_usd[runs], 0.0) * late
        model.spend(course.nodes[-1], model.undone[:, number], price)
        for node in course.nodes:
            work = model.work[node][:, runs, :]
            model.builder.put(rows[None, :, number, None], work, rate[:, runs, None])
            spot = np.where(fickle[:, None], rate[:, runs], 0.0)
            model.builder.put(capped[None, :, number, None], work, spot[:, :, None])


def _add_moves(model: Model) -> None:
    """Work that leaves a site takes its data along and costs an effort."""
    moving = [k for k, one in enumerate(model.demand.work) if one.data_bytes or one.move_usd]
    for node in model.tree.nodes if moving else ():
        _add_moves_at(model, node.number, moving)


PETABYTE_BYTES = 10**15


def _add_moves_at(model: Model, node: int, moving: list[int]) -> None:
    begin, end = model.spans(node)
    places = model.roadmap.places
    sites = np.array([pool.site for pool in model.families.pools])
    shape = (len(moving), len(places), end - begin)
    left = model.builder.columns.add(f"left {node}", shape, 0.0, INFINITE)
    rows = model.builder.rows.add(f"left {node}", shape, 0.0, INFINITE)
    model.builder.put(rows, left, 1.0)
    demand, parent = model.demand, model.tree.nodes[node].parent
    amount = demand.amount
    for number, k in enumerate(moving):
        one = demand.work[k]
        for site, place in enumerate(places):
            here = np.flatnonzero(sites == site)
            rate = np.array([demand.rate[k, model.families.pools[pool].kind] for pool in here])[:, None]
            work = model.work[node][here, k]
            model.builder.put(rows[number, site][None], work, rate)
            model.builder.put(rows[number, site, 1:][None], work[:, :-1], -rate)
            if parent >= 0:
                model.builder.put(rows[number, site, :1][None], model.work[parent][here, k, -1:], -rate)
            cost = one.data_bytes / PETABYTE_BYTES * place.petabyte_egress_usd + one.move_usd
            whole = amount[k].max() / (demand.last[k] - demand.first[k] + 1 if demand.windowed[k] else 1)
            model.spend(node, left[number, site], cost / max(whole, 1e-9) * model.weights[begin:end])
