"""A PyPSA network of a campus seen from its one place of load: sources and stores, with links reckoned in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from gigawatt.contract.energy_program import Megawatts, Sum, Values
from gigawatt.errors import InputError, Problem
from gigawatt.exports.pypsa_network import TONNE_KG
from gigawatt.exports.pypsa_read import Component, Folder
from gigawatt.laws.finance import HOUR_S

_AMPLE = 10
"""Times the highest load: what bounds nothing."""
_SUPPLIES = ("generators", "loads", "links", "stores", "storage_units", "processes", "shunt_impedances")
Way = tuple[tuple[Component, bool], ...]
"""Links one after the other, each with whether it is passed backwards."""


@dataclass(frozen=True, slots=True)
class Source:
    """A generator as the campus sees it."""

    component: Component
    """The generator."""
    name: str
    words: str
    """Names and carrier, by which its kind is guessed."""
    life_years: float
    extendable: bool
    least: Megawatts
    limit: Megawatts
    """What stands, or the most that may be built."""
    yearly_usd: float
    """For each MW at the campus."""
    usd_per_mwh: Values
    kgco2_per_mwh: Values
    profile_frac: Values
    most_in_year: Sum
    """Of the year."""
    efficiency_frac: float


@dataclass(frozen=True, slots=True)
class Battery:
    """A store as the campus sees it, in MWh such that it loses as much on the way in as on the way out."""

    component: Component
    limit: Megawatts
    yearly_usd: float
    """For each MW."""
    most: Megawatts
    energy_usd: float
    """A year, for each MWh."""
    each_way_frac: float
    loss_frac: float
    """Of its level, in a snapshot."""
    wear_usd_per_mwh: float
    """Of what goes in and of what comes out."""
    full_power_s: float | None = None


@dataclass
class Campus:
    """The place of load, and what reaches it."""

    folder: Folder
    num_years: float
    notes: list[str] = field(default_factory=list)
    buses: set[str] = field(default_factory=set)
    load: Values = field(default_factory=lambda: np.zeros(0))
    sources: list[Source] = field(default_factory=list)
    batteries: list[Battery] = field(default_factory=list)
    _dealt_with: set[str] = field(default_factory=set)

    def read(self) -> None:
        """All of it. Raises InputError for a network that is not one campus."""
        self._find_load()
        links = [*self.folder.all("links")]
        for store in self.folder.all("stores"):
            self._store(store, links)
        for unit in self.folder.all("storage_units"):
            if unit.text("bus") in self.buses:
                self._unit(unit)
        for generator in self.folder.all("generators"):
            self._generator(generator, links)

    def left_out(self) -> Iterator[str]:
        """Components that found no place, and attributes of the others that were not used."""
        for table in _SUPPLIES:
            components = self.folder.all(table)
            if lost := [f'"{one.name}"' for one in components if one.words not in self._dealt_with]:
                yield f"{table} left out, no source, store or load of the campus: {', '.join(lost)}."
            for one in components:
                if one.words in self._dealt_with and (left := list(one.left())):
                    yield f"{one.words}: left out: {', '.join(left)}."

    def take(self, component: Component) -> None:
        """Marks a component as said."""
        self._dealt_with.add(component.words)

    def _find_load(self) -> None:
        joined = {name: name for name in self.folder.tables["buses"]}

        def root(name: str) -> str:
            while joined[name] != name:
                name = joined[name]
            return name

        wires = self.folder.all("lines") + self.folder.all("transformers")
        for wire in wires:
            joined[root(wire.text("bus0"))] = root(wire.text("bus1"))
        if wires:
            self.notes.append(
                f"{len(wires)} lines and transformers are taken to carry what is asked: the buses that they "
                "join are one."
            )
        loads = [one for one in self.folder.all("loads") if np.any(_drawn(one))]
        places = {root(load.text("bus")) for load in loads}
        if len(places) != 1:
            found = ", ".join(sorted(places)) or "none"
            message = f"a campus has its load in one place, here it is on {found}: export that part alone"
            raise InputError(Problem(message, "bus", str(self.folder.path / "loads.csv")))
        self.buses = {name for name in joined if root(name) in places}
        self.load = np.sum([_drawn(one) for one in loads], axis=0)
        for load in self.folder.all("loads"):
            self.take(load)

    def _store(self, store: Component, links: Sequence[Component]) -> None:
        bus = store.text("bus")
        ways = ((), ()) if bus in self.buses else (self._way(bus, links, True), self._way(bus, links, False))
        into, out = ways
        if into is None or out is None:
            return
        size = _size(store, "e_nom", self.num_years)
        in_frac, into_usd, into_limit, into_yearly = _through(into, self.num_years, False)
        out_frac, out_usd, out_limit, out_yearly = _through(out, self.num_years, True)
        both = into_yearly | out_yearly
        if into_limit != out_limit and min(into_limit, out_limit) < _AMPLE * float(self.load.max()):
            self.notes.append(
                f"{store.words}: takes in {into_limit:g} MW and gives {out_limit:g} MW at the most: the less "
                "is written for both."
            )
        if set(into_yearly) != set(out_yearly):
            self.notes.append(
                f"{store.words}: the ways in and out are sized as one: of the same power at the campus, at "
                "the cost of both."
            )
        each_way, stretch = float(np.sqrt(in_frac * out_frac)), float(np.sqrt(out_frac / in_frac))
        self.batteries.append(
            Battery(
                store,
                min(into_limit, out_limit),
                sum(both.values()),
                size[1] * stretch,
                size[2] / stretch,
                each_way,
                store.number("standing_loss"),
                (into_usd / each_way**2 + out_usd) / (1.0 + each_way**-2),
            )
        )
        self._cyclic(store, "e_cyclic")
        for one in (store, *(link for link, _ in (*into, *out))):
            self.take(one)

    def _cyclic(self, store: Component, attribute: str) -> None:
        if not store.flag(attribute):
            self.notes.append(
                f"{store.words}: it begins as it is said to and may end empty; in the site it ends as it "
                "began."
            )

    def _way(self, bus: str, links: Sequence[Component], into: bool) -> Way | None:
        """The links from the campus to a bus, or back, over one bus more at the most."""
        for first in self._from(bus, links, into):
            near = _other(first, bus)
            if near in self.buses:
                return (first,)
            for second in self._from(near, links, into):
                if _other(second, near) in self.buses:
                    return (second, first) if into else (first, second)
        return None

    def _from(self, bus: str, links: Sequence[Component], into: bool) -> Iterator[tuple[Component, bool]]:
        """Links that lead to a bus (or away from it), and whether backwards."""
        for link in links:
            ends = (link.text("bus1"), link.text("bus0")) if into else (link.text("bus0"), link.text("bus1"))
            if ends[0] == bus:
                yield link, False
            elif ends[1] == bus and float(link.peek("p_min_pu").min()) < 0.0:
                link.used.add("p_min_pu")
                yield link, True

    def _unit(self, unit: Component) -> None:
        _, limit, usd = _size(unit, "p_nom", self.num_years)
        in_frac, out_frac = unit.number("efficiency_store"), unit.number("efficiency_dispatch")
        each_way, stretch = float(np.sqrt(in_frac * out_frac)), float(np.sqrt(out_frac / in_frac))
        self._cyclic(unit, "cyclic_state_of_charge")
        if np.any(unit.peek("p_min_pu") == -1.0):
            unit.used.add("p_min_pu")
        self.batteries.append(
            Battery(
                unit,
                limit,
                usd,
                np.inf,
                0.0,
                each_way,
                unit.number("standing_loss"),
                unit.number("marginal_cost") / (1.0 + each_way**-2),
                unit.number("max_hours") * stretch * HOUR_S,
            )
        )
        self.take(unit)

    def _generator(self, one: Component, links: Sequence[Component]) -> None:
        """A generator on the campus, or behind one link."""
        bus = one.text("bus")
        if one.number("sign") != 1.0:
            return
        if bus in self.buses:
            self.sources.append(self._source(one, None))
            self.take(one)
            return
        ways = [link for link in links if link.text("bus0") == bus and link.text("bus1") in self.buses]
        if self._stored(bus):
            return
        for link in ways:
            self.sources.append(self._source(one, link))
            self.take(one)
            self.take(link)
        if len(ways) > 1 and np.isfinite(_size(one, "p_nom", self.num_years)[1]):
            self.notes.append(
                f"{one.words}: its own limit holds for each of its {len(ways)} links, not for all."
            )

    def _stored(self, bus: str) -> bool:
        return any(store.text("bus") == bus for store in self.folder.all("stores"))

    def _source(self, one: Component, link: Component | None) -> Source:
        least, limit, yearly = _size(one, "p_nom", self.num_years)
        burnt = one.values("efficiency")
        usd, given = one.values("marginal_cost"), one.values("p_max_pu")
        out_frac = 1.0
        if link is not None:
            out_frac = link.number("efficiency")
            usd = (usd + link.values("marginal_cost")) / out_frac
            _, most, link_yearly = _size(link, "p_nom", self.num_years)
            least, limit, yearly = (
                least * out_frac,
                min(limit, most) * out_frac,
                (yearly + link_yearly) / out_frac,
            )
        carrier = one.text("carrier")
        named = link or one
        return Source(
            component=one,
            name=named.name,
            words=f"{one.name} {named.name} {carrier}".lower(),
            life_years=named.number("lifetime"),
            extendable=one.flag("p_nom_extendable") or (link is not None and link.flag("p_nom_extendable")),
            least=least,
            limit=limit,
            yearly_usd=yearly,
            usd_per_mwh=usd,
            kgco2_per_mwh=self._kgco2(carrier) / burnt / out_frac,
            profile_frac=given,
            most_in_year=one.number("e_sum_max") * out_frac,
            efficiency_frac=float(burnt.mean()) * out_frac,
        )

    def _kgco2(self, carrier: str) -> float:
        known = self.folder.tables["carriers"]
        return known[carrier].number("co2_emissions") * TONNE_KG if carrier in known else 0.0


def _drawn(load: Component) -> Values:
    """[snapshots] MW; the sign of a load is that of giving."""
    drawn: Values = -load.number("sign") * load.values("p_set")
    return drawn


def _size(one: Component, attribute: str, num_years: float) -> tuple[Megawatts, Megawatts, float]:
    """The least, the most, and what a unit costs: nothing of what stands."""
    if not one.flag(f"{attribute}_extendable"):
        one.used |= {f"{attribute}_min", f"{attribute}_max", "capital_cost", "overnight_cost", "fom_cost"}
        return 0.0, one.number(attribute), 0.0
    one.used.add(attribute)
    return one.number(f"{attribute}_min"), one.number(f"{attribute}_max"), one.yearly_usd(num_years)


def _other(step: tuple[Component, bool], bus: str) -> str:
    link = step[0]
    return link.text("bus0") if link.text("bus1") == bus else link.text("bus1")


def _through(way: Way, num_years: float, backwards: bool) -> tuple[float, float, Megawatts, dict[str, float]]:
    """What a way leaves of a MWh, what it costs, what it carries, and what a MW of each link to build costs.

    All at the campus: what enters the way, or `backwards`, what leaves it.
    """
    here, usd, limit = 1.0, 0.0, np.inf
    yearly: dict[str, float] = {}
    for link, turned in reversed(way) if backwards else way:
        efficiency = link.number("efficiency")
        if turned and efficiency != 1.0:
            message = f"{link.name}: goes both ways with an efficiency: give each way a link of its own"
            raise InputError(Problem(message, "efficiency", link.place))
        here = here / efficiency if backwards else here
        _, most, cost = _size(link, "p_nom", num_years)
        if not link.varies("p_max_pu"):
            most *= link.number("p_max_pu")
        limit = min(limit, most / here)
        if link.flag("p_nom_extendable"):
            yearly[link.name] = cost * here
        usd += link.number("marginal_cost") * here
        here = here if backwards else here * efficiency
    return (1.0 / here if backwards else here), usd, float(limit), yearly
