"""Where a run could happen: owned clusters and rental offers as one kind of thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from gigawatt.domain.blueprint import ClusterPlan
from gigawatt.domain.fabric import Network
from gigawatt.domain.hardware import Accelerator, System
from gigawatt.domain.record import Provenance
from gigawatt.domain.scenario import Cluster, OfferFilter, Rental, Scenario
from gigawatt.domain.training import Binding
from gigawatt.errors import InputError
from gigawatt.laws.finance import ownership_usd_per_gpu_h
from gigawatt.project.clusters import UNKNOWN_FABRIC
from gigawatt.project.trace import Trace

if TYPE_CHECKING:
    from gigawatt.catalog import Catalog
    from gigawatt.domain.market import Offer

_CAPITAL = {
    "capex_usd": "price of an accelerator with its share of node, network and site",
    "residual_frac": "value left at the end of its life",
    "discount_frac": "cost of capital per year",
    "lifetime_s": "life of the hardware",
    "utilisation_frac": "share of its life in use",
    "upkeep_usd_per_year": "upkeep of an accelerator",
}


@dataclass(frozen=True, slots=True)
class Price:
    """What an accelerator-hour costs. `power_usd_per_mwh` is set where energy is paid on top."""

    usd_per_gpu_h: float
    year: int
    note: str
    law: str
    inputs: tuple[str, ...]
    power_usd_per_mwh: float | None = None
    power_pointer: str = ""


Days = tuple[date, date, date]
"""Middle, early (10 %) and late (90 %) point of the first day of something."""


@dataclass(frozen=True, slots=True)
class Place:
    """Accelerators of one kind, at one size, with a price and a calendar.

    `problems` keep it from being planned.
    """

    id: str
    kind: Literal["owned", "rented"]
    label: str
    num_accelerators: int
    pue: float | None
    """None only where a facility was to give it and could not be designed: then there are `problems`."""
    pue_pointer: str
    system: System | None = None
    accelerator: Accelerator | None = None
    provider: str = ""
    region: str = ""
    available_from: Days | None = None
    available_pointer: str = ""
    """Where the blueprint says so, where it is not one day that the scenario states."""
    price: Price | None = None
    hardware_pointers: tuple[str, ...] = ()
    """Facts behind the prediction."""
    node_pointers: tuple[str, ...] = ()
    """Facts behind the power of a node."""
    network: Network | None = None
    """Between nodes, where it is designed; else one that is nowhere oversubscribed."""
    network_w: float = 0.0
    """Drawn by switches and transceivers beside the nodes."""
    network_pointers: tuple[str, ...] = ()
    carbon_kgco2_per_mwh: float | None = None
    """Of its own energy, where that is planned; else the scenario's holds."""
    carbon_pointer: str = ""
    runs: tuple[str, ...] = ()
    """Only for these runs; all where empty."""
    problems: tuple[Binding, ...] = ()


def places_of(
    scenario: Scenario, catalogue: Catalog, trace: Trace, clusters: Sequence[ClusterPlan]
) -> tuple[Place, ...]:
    """Every place that the scenario speaks of, clusters first. Raises InputError for unknown ids.

    `clusters` are the scenario's own, as they are built.
    """
    stated = scenario.assumptions.pue
    site = ""
    if stated is not None:
        origin = scenario.assumptions.provenance_of("pue")
        site = trace.assume("pue", "facility energy over IT energy", stated, origin)
    found = [
        _owned(_Built(cluster, plan, f"/clusters/{number}"), scenario, catalogue, trace, site)
        for number, (cluster, plan) in enumerate(zip(scenario.clusters, clusters, strict=True))
    ]
    for rental in scenario.rentals:
        for offer in _offers(rental, catalogue):
            found += [
                _rented(offer, size, rental, scenario, catalogue, trace, site)
                for size in rental.num_accelerators
            ]
    return tuple({place.id: place for place in found}.values())


@dataclass(frozen=True, slots=True)
class _Built:
    """An owned cluster, how it is built, and where the blueprint says so."""

    cluster: Cluster
    plan: ClusterPlan
    pointer: str

    def pue(self, stated: tuple[float | None, str], trace: Trace) -> tuple[float | None, str]:
        """Its facility's own, what the scenario says of it, or what holds for the whole plan."""
        if self.plan.facility:
            return self.plan.facility.pue, f"{self.pointer}/facility/pue"
        if self.cluster.pue is None:
            return stated
        key, label = f"clusters/{self.cluster.id}/pue", f"PUE of {self.cluster.id}"
        origin = self.cluster.provenance_of("pue")
        return self.cluster.pue, trace.assume(key, label, self.cluster.pue, origin)


def _owned(built: _Built, scenario: Scenario, catalogue: Catalog, trace: Trace, site: str) -> Place:
    cluster, fabric = built.cluster, built.plan.fabric
    system, accelerator, hardware, node = _hardware(cluster.system, catalogue, trace)
    pue, pue_pointer = built.pue((scenario.assumptions.pue, site), trace)
    return Place(
        id=cluster.id,
        kind="owned",
        label=f"{cluster.num_accelerators:,} x {cluster.id} (owned)",
        num_accelerators=cluster.num_accelerators,
        pue=pue,
        pue_pointer=pue_pointer,
        system=system,
        accelerator=accelerator,
        available_from=_first_days(built),
        available_pointer=f"{built.pointer}/ready" if built.plan.ready else "",
        price=_owners_price(built, scenario.price_year, trace),
        hardware_pointers=hardware,
        node_pointers=node,
        network=fabric.compute if fabric else None,
        network_w=fabric.power_w if fabric else 0.0,
        network_pointers=(f"{built.pointer}/fabric/power_w",) if fabric else (),
        carbon_kgco2_per_mwh=built.plan.energy.kgco2_per_mwh if built.plan.energy else None,
        carbon_pointer=f"{built.pointer}/energy/kgco2_per_mwh" if built.plan.energy else "",
        problems=(
            *_unplannable(
                system.id, cluster.num_accelerators, system.num_accelerators_per_node, "nodes", catalogue
            ),
            *(one for one in built.plan.binding if one.constraint != UNKNOWN_FABRIC),
        ),
    )


def _surely(day: date | None) -> Days | None:
    return (day, day, day) if day else None


def _first_days(built: _Built) -> Days | None:
    """The day that the scenario states, or the days after those at which the block is done."""
    ready = built.plan.ready
    if ready is None:
        return _surely(built.cluster.available_from)
    middle, early, late = (
        date.fromisoformat(day) + timedelta(days=1) for day in (ready.p50, ready.p10, ready.p90)
    )
    return middle, early, late


def _hardware(
    system_id: str, catalogue: Catalog, trace: Trace
) -> tuple[System, Accelerator, tuple[str, ...], tuple[str, ...]]:
    system = catalogue.system(system_id)
    accelerator = catalogue.accelerator(system.accelerator)
    of_system = trace.row("systems", system)
    of_accelerator = trace.row("accelerators", accelerator)
    node = tuple(
        of_system[field] for field in ("num_accelerators_per_node", "node_power_w") if field in of_system
    )
    return system, accelerator, (*of_accelerator.values(), *of_system.values()), node


def _owners_price(built: _Built, year: int, trace: Trace) -> Price | None:
    cluster = built.cluster

    def assume(field: str, label: str) -> str:
        key, value = f"clusters/{cluster.id}/{field}", getattr(cluster, field)
        return trace.assume(key, f"{label}, {cluster.id}", value, cluster.provenance_of(field))

    year = cluster.price_year or year
    if cluster.price_usd_per_gpu_h is not None:
        pointer = assume("price_usd_per_gpu_h", "all-in cost of an accelerator-hour")
        return Price(cluster.price_usd_per_gpu_h, year, "all-in, as the scenario states it", "", (pointer,))
    energy = built.plan.energy
    if cluster.capex_usd is None or cluster.lifetime_s is None or (cluster.energy and not energy):
        return None
    pointers = tuple(assume(field, label) for field, label in _CAPITAL.items())
    added: tuple[str, ...] = ()
    around_usd, site_usd = 0.0, 0.0
    if cluster.capex_covers == "systems":
        around = _around(built)
        if around is None:
            return None
        around_usd, site_usd, added = around
    usd_per_gpu_h = ownership_usd_per_gpu_h(
        cluster.capex_usd + around_usd,
        cluster.residual_frac,
        cluster.discount_frac,
        cluster.lifetime_s,
        cluster.utilisation_frac,
        cluster.upkeep_usd_per_year,
    )
    if cluster.site_lifetime_s:
        pointers += (assume("site_lifetime_s", "life of the facility"),)
        usd_per_gpu_h += ownership_usd_per_gpu_h(
            site_usd, 0.0, cluster.discount_frac, cluster.site_lifetime_s, cluster.utilisation_frac, 0.0
        )
    designed = ", with the designed fabric and facility" if added else ""
    return Price(
        usd_per_gpu_h=float(usd_per_gpu_h),
        year=year,
        note=f"capital{designed} and upkeep per used hour; energy is paid on top",
        law="laws.finance.ownership_usd_per_gpu_h",
        inputs=(*pointers, *added),
        power_usd_per_mwh=energy.usd_per_mwh if energy else cluster.power_price_usd_per_mwh,
        power_pointer=(
            f"{built.pointer}/energy/usd_per_mwh"
            if energy
            else assume("power_price_usd_per_mwh", "price of power")
        ),
    )


def _around(built: _Built) -> tuple[float, float, tuple[str, ...]] | None:
    """What fabric and facility cost an accelerator, and where that stands; None where a price is missing."""
    fabric, facility, size = built.plan.fabric, built.plan.facility, built.cluster.num_accelerators
    if fabric is None or facility is None or fabric.price_usd is None:
        return None
    pointers = (f"{built.pointer}/fabric/price_usd", f"{built.pointer}/facility/cost_usd")
    return fabric.price_usd / size, facility.cost_usd / size, pointers


def _offers(rental: Rental, catalogue: Catalog) -> Iterable[Offer]:
    if rental.where is None:
        return [catalogue.offer(id) for id in rental.offers]
    found = [offer for offer in catalogue.offers if _passes(offer, rental.where, catalogue)]
    if not found:
        asked = ", ".join(f"{key} {'/'.join(values)}" for key, values in rental.where if values)
        raise InputError(
            f"rentals: no offer of the catalogue has {asked}; `gigawatt catalog list offers` shows all"
        )
    return found


def _passes(offer: Offer, where: OfferFilter, catalogue: Catalog) -> bool:
    accelerators = tuple(catalogue.accelerator(id).id for id in where.accelerator)
    systems = tuple(catalogue.system(id).id for id in where.system)
    asked: Sequence[tuple[str, tuple[str, ...]]] = (
        (offer.accelerator, accelerators),
        (offer.system, systems),
        (offer.provider, where.provider),
        (offer.region, where.region),
        (offer.term, where.term),
    )
    return all(not wanted or value in wanted for value, wanted in asked)


def _rented(
    offer: Offer, size: int, rental: Rental, scenario: Scenario, catalogue: Catalog, trace: Trace, site: str
) -> Place:
    pointers = trace.row("offers", offer)
    spot = " spot" if rental.price == "spot" else ""
    bare = Place(
        id=f"{offer.id}@{size}",
        kind="rented",
        label=f"{size:,} x {offer.name}{spot}",
        num_accelerators=size,
        pue=scenario.assumptions.pue,
        pue_pointer=site,
        provider=offer.provider,
        region=offer.region,
        available_from=_surely(rental.available_from),
        price=_quoted_price(offer, rental.price, pointers),
        runs=rental.runs,
    )
    system_id = offer.system or rental.system
    if not system_id:
        return replace(bare, problems=(_no_system(offer),))
    system, accelerator, hardware, node = _hardware(system_id, catalogue, trace)
    if not offer.system:
        note = f"{offer.id} does not say what node it is"
        origin = Provenance(source="scenario", basis="estimate", note=note)
        trace.assume(f"offers/{offer.id}/system", "node kind of an offer that names none", system.id, origin)
    if offer.accelerator and catalogue.accelerator(offer.accelerator).id != accelerator.id:
        message = f"the offer is for {offer.accelerator}, but {system.id} holds {accelerator.id}"
        return replace(bare, problems=(Binding(constraint="wrong system", message=message),))
    return replace(
        bare,
        system=system,
        accelerator=accelerator,
        hardware_pointers=hardware,
        node_pointers=node,
        problems=_unplannable(system.id, size, offer.accelerators_per_instance, "instances", catalogue),
    )


def _no_system(offer: Offer) -> Binding:
    what = f"{offer.accelerators_per_instance} x {offer.gpu_kind}"
    message = f"the offer says {what}, not how they are joined: name the node kind with `system`"
    return Binding(constraint="unknown system", message=message)


def _quoted_price(offer: Offer, which: str, pointers: Mapping[str, str]) -> Price | None:
    field = "spot_usd_per_gpu_h" if which == "spot" else "on_demand_usd_per_gpu_h"
    usd_per_gpu_h = getattr(offer, field)
    if usd_per_gpu_h is None:
        return None
    kind = "spot price, interruptions not counted" if which == "spot" else f"{offer.term} price"
    if offer.term.startswith("reserved") and which != "spot":
        kind += ", the rest of its term not counted"
    return Price(usd_per_gpu_h, offer.price_year, f"{kind}, quoted {offer.date}", "", (pointers[field],))


def _unplannable(system_id: str, size: int, unit: int, noun: str, catalogue: Catalog) -> tuple[Binding, ...]:
    """What keeps accelerators of a known system from being planned with."""
    found = list(_split_units(size, unit, noun))
    try:
        catalogue.require_plannable(system_id, with_power=False)
    except InputError as error:
        found += [Binding(constraint="missing facts", message=problem.message) for problem in error.problems]
    return tuple(found)


def _split_units(size: int, per_node: int, noun: str) -> Iterator[Binding]:
    if size % per_node == 0:
        return
    near = -(-size // per_node) * per_node
    message = f"{size:,} accelerators are not a whole number of {per_node}-accelerator {noun}: take {near:,}"
    yield Binding(constraint="whole nodes", message=message)
