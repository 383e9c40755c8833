"""A PyPSA folder as one plain linear program, by what PyPSA's handbook says of its attributes, for HiGHS.

It reads the files alone and shares no code with what is tested: least cost of generators, links, stores,
storage units and loads on buses, limits on primary energy, sums of energy over the year.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

DEFAULTS = {
    "p_nom": 0.0, "p_nom_min": 0.0, "p_nom_max": np.inf, "p_min_pu": 0.0, "p_max_pu": 1.0, "e_nom": 0.0,
    "e_nom_min": 0.0, "e_nom_max": np.inf, "efficiency": 1.0, "marginal_cost": 0.0, "capital_cost": 0.0,
    "standing_loss": 0.0, "e_sum_max": np.inf, "p_set": 0.0, "efficiency_store": 1.0, "max_hours": 1.0,
    "efficiency_dispatch": 1.0, "overnight_cost": np.nan, "discount_rate": np.nan, "fom_cost": 0.0,
    "lifetime": np.inf,
}  # fmt: skip


class Folder:
    """Attributes of components, static or hour by hour."""

    def __init__(self, path: Path) -> None:
        self.path = path
        weights = self.rows("snapshots")
        self.count = len(weights)
        self.cost_weight = np.array([float(row["objective"]) for row in weights])
        self.energy_weight = np.array([float(row["generators"]) for row in weights])
        self.store_h = np.array([float(row["stores"]) for row in weights])
        self.known: dict[tuple[str, str], dict[str, np.ndarray]] = {}

    def rows(self, name: str) -> list[dict[str, str]]:
        file = self.path / f"{name}.csv"
        if not file.exists():
            return []
        with file.open(newline="") as text:
            return list(csv.DictReader(text))

    def series(self, table: str, attribute: str) -> dict[str, np.ndarray]:
        if (table, attribute) not in self.known:
            rows = self.rows(f"{table}-{attribute}")
            names = [name for name in (rows[0] if rows else {}) if name not in ("snapshot", "")]
            self.known[table, attribute] = {
                name: np.array([float(row[name]) for row in rows]) for name in names
            }
        return self.known[table, attribute]

    def get(self, table: str, row: dict[str, str], attribute: str) -> np.ndarray:
        found = self.series(table, attribute).get(row["name"])
        if found is None:
            found = np.full(self.count, float(row.get(attribute) or DEFAULTS[attribute]))
        return found


class Program:
    def __init__(self, count: int) -> None:
        self.count, self.size = count, 0
        self.cost, self.low, self.high = [], [], []
        self.rows = {"equal": [], "below": []}
        self.sides = {"equal": [], "below": []}

    def columns(self, low, high, cost) -> np.ndarray:
        shape = np.broadcast(low, high, cost).shape or (1,)
        for kept, value in ((self.low, low), (self.high, high), (self.cost, cost)):
            kept.append(np.broadcast_to(np.asarray(value, float), shape))
        self.size += shape[0]
        return np.arange(self.size - shape[0], self.size)

    def add(self, kind: str, terms, side) -> None:
        """Rows of one entry for each hour: (columns, weights), ..."""
        side = np.atleast_1d(np.asarray(side, float))
        first = sum(len(one) for one in self.sides[kind])
        at = np.arange(first, first + len(side))
        for columns, weights in terms:
            columns, weights = np.broadcast_arrays(columns, weights)
            self.rows[kind].append((np.broadcast_to(at, columns.shape), columns, weights))
        self.sides[kind].append(side)

    def matrix(self, kind: str):
        if not self.rows[kind]:
            return None, None
        rows, columns, values = (np.concatenate(part) for part in zip(*self.rows[kind], strict=True))
        sides = np.concatenate(self.sides[kind])
        return coo_matrix((values, (rows, columns)), shape=(len(sides), self.size)).tocsr(), sides

    def solve(self) -> float:
        (equal, is_), (below, most) = self.matrix("equal"), self.matrix("below")
        bounds = np.stack([np.concatenate(self.low), np.concatenate(self.high)], axis=1)
        found = linprog(
            np.concatenate(self.cost), A_eq=equal, b_eq=is_, A_ub=below, b_ub=most, bounds=bounds,
            method="highs",
        )  # fmt: skip
        assert found.status == 0, found.message
        return float(found.fun)


def least_cost(path: Path) -> float:
    """USD of the horizon."""
    folder = Folder(path)
    lp = Program(folder.count)
    buses = {row["name"]: [] for row in folder.rows("buses")}
    need = {name: np.zeros(folder.count) for name in buses}
    for row in folder.rows("loads"):
        need[row["bus"]] += folder.get("loads", row, "p_set")
    given = _generators(folder, lp, buses)
    _links(folder, lp, buses)
    _stores(folder, lp, buses)
    _units(folder, lp, buses)
    for name, terms in buses.items():
        if terms:
            lp.add("equal", terms, need[name])
    _limits(folder, lp, given)
    return lp.solve()


def _yearly(folder, table, row) -> float:
    def one(attribute):
        return float(folder.get(table, row, attribute)[0])

    if np.isnan(one("overnight_cost")):
        return one("capital_cost") + one("fom_cost")
    rate, life = one("discount_rate"), one("lifetime")
    factor = rate / (1 - (1 + rate) ** -life) if rate else 1 / life
    return one("overnight_cost") * factor * folder.cost_weight.sum() / 8760 + one("fom_cost")


def _power(folder, lp, table, row, kind="p"):
    """Columns of a flow within its share of what is there or built."""
    low, high = (folder.get(table, row, f"{kind}_{end}_pu") for end in ("min", "max"))
    cost = folder.cost_weight * folder.get(table, row, "marginal_cost")
    if row.get("p_nom_extendable") != "True":
        nominal = folder.get(table, row, "p_nom")
        return lp.columns(low * nominal, high * nominal, cost)
    limits = (folder.get(table, row, f"p_nom_{end}")[:1] for end in ("min", "max"))
    size = lp.columns(*limits, _yearly(folder, table, row))
    flow = lp.columns(-np.inf, np.inf, cost)
    lp.add("below", [(flow, np.ones(folder.count)), (size, -high)], np.zeros(folder.count))
    lp.add("below", [(flow, -np.ones(folder.count)), (size, low)], np.zeros(folder.count))
    return flow


def _generators(folder, lp, buses):
    given = []
    for row in folder.rows("generators"):
        flow = _power(folder, lp, "generators", row)
        buses[row["bus"]].append((flow, np.ones(folder.count)))
        given.append((row, flow))
        if row.get("e_sum_max"):
            terms = [(flow[[hour]], folder.energy_weight[[hour]]) for hour in range(folder.count)]
            lp.add("below", terms, float(row["e_sum_max"]))
    return given


def _links(folder, lp, buses):
    for row in folder.rows("links"):
        flow = _power(folder, lp, "links", row)
        buses[row["bus0"]].append((flow, -np.ones(folder.count)))
        buses[row["bus1"]].append((flow, folder.get("links", row, "efficiency")))


def _level(folder, lp, size, most, loss):
    level = lp.columns(0.0, np.full(folder.count, np.inf), 0.0)
    if size is None:
        lp.add("below", [(level, np.ones(folder.count))], np.full(folder.count, most))
    else:
        lp.add("below", [(level, np.ones(folder.count)), (size, -most)], np.zeros(folder.count))
    return [(level, np.ones(folder.count)), (np.roll(level, 1), -((1.0 - loss) ** folder.store_h))]


def _stores(folder, lp, buses):
    for row in folder.rows("stores"):
        assert row["e_cyclic"] == "True"
        size, most = None, folder.get("stores", row, "e_nom")
        if row.get("e_nom_extendable") == "True":
            limits = (folder.get("stores", row, f"e_nom_{end}")[:1] for end in ("min", "max"))
            size, most = lp.columns(*limits, _yearly(folder, "stores", row)), np.ones(folder.count)
        account = _level(folder, lp, size, most, folder.get("stores", row, "standing_loss"))
        flow = lp.columns(-np.inf, np.inf, np.zeros(folder.count))
        buses[row["bus"]].append((flow, np.ones(folder.count)))
        lp.add("equal", [*account, (flow, folder.store_h)], np.zeros(folder.count))


def _units(folder, lp, buses):
    for row in folder.rows("storage_units"):
        assert row["cyclic_state_of_charge"] == "True"
        assert row["p_nom_extendable"] == "True"

        def share(name, row=row):
            return folder.get("storage_units", row, name)

        limits = (share(f"p_nom_{end}")[:1] for end in ("min", "max"))
        size = lp.columns(*limits, _yearly(folder, "storage_units", row))
        ones = np.ones(folder.count)
        give = lp.columns(0.0, np.inf * ones, folder.cost_weight * share("marginal_cost"))
        take = lp.columns(0.0, np.inf * ones, 0.0)
        for flow in (give, take):
            lp.add("below", [(flow, ones), (size, -ones)], 0.0 * ones)
        account = _level(folder, lp, size, share("max_hours"), share("standing_loss"))
        kept = [
            (take, -folder.store_h * share("efficiency_store")),
            (give, folder.store_h / share("efficiency_dispatch")),
        ]
        lp.add("equal", [*account, *kept], 0.0 * ones)
        buses[row["bus"]] += [(give, ones), (take, -ones)]


def _limits(folder, lp, given):
    carriers = {row["name"]: row for row in folder.rows("carriers")}
    for row in folder.rows("global_constraints"):
        assert row.get("type", "primary_energy") == "primary_energy"
        terms = []
        for generator, flow in given:
            carrier = carriers.get(generator.get("carrier", ""), {})
            amount = float(carrier.get(row.get("carrier_attribute") or "co2_emissions") or 0.0)
            weight = folder.energy_weight * amount / folder.get("generators", generator, "efficiency")
            terms += [(flow[[hour]], weight[[hour]]) for hour in range(folder.count)]
        sign = {"<=": 1.0, ">=": -1.0}[row["sense"]]
        lp.add("below", [(c, sign * w) for c, w in terms], sign * float(row["constant"]))
