"""The owned clusters of a scenario as they are built: networks and collectives, halls, power and cooling."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from gigawatt import units
from gigawatt.domain.blueprint import ClusterPlan
from gigawatt.domain.collectives import Collective
from gigawatt.domain.fabric import FabricDesign
from gigawatt.domain.facility import Climate, Equipment, FacilityDesign, Site
from gigawatt.domain.hardware import Accelerator, System
from gigawatt.domain.record import Sourced
from gigawatt.domain.scenario import Cluster, Scenario
from gigawatt.domain.training import Binding
from gigawatt.errors import GigawattError
from gigawatt.laws.progress import DAY_S, YEAR_S
from gigawatt.project.parts import default_fabric, fabric_parts, facility_parts
from gigawatt.project.trace import Trace

if TYPE_CHECKING:
    from gigawatt.catalog import Catalog
    from gigawatt.design.fabric import FabricParts
    from gigawatt.domain.collectives import CollectivePrediction

DAYS_PER_MONTH = YEAR_S / DAY_S / 12
SHOWN: tuple[tuple[Collective, str], ...] = (
    ("all_reduce", "1 MiB"),
    ("all_reduce", "1 GiB"),
    ("all_gather", "1 GiB"),
    ("reduce_scatter", "1 GiB"),
    ("all_to_all", "1 GiB"),
)
"""Collectives over a whole cluster that its plan states, by their whole buffer."""


UNKNOWN_FABRIC = "unknown fabric"
"""The one gap that does not keep runs from being planned: they then find a network without tiers."""


def build_clusters(scenario: Scenario, catalogue: Catalog, trace: Trace) -> tuple[ClusterPlan, ...]:
    """Every owned cluster with its fabric and, where a site is named, its facility.

    What cannot be designed is said in `binding`.
    """
    return tuple(
        _built(cluster, catalogue, trace, f"/clusters/{number}")
        for number, cluster in enumerate(scenario.clusters)
    )


def _built(cluster: Cluster, catalogue: Catalog, trace: Trace, here: str) -> ClusterPlan:
    system = catalogue.system(cluster.system)
    accelerator = catalogue.accelerator(system.accelerator)
    plan = ClusterPlan(cluster=cluster.id, system=system.id, num_accelerators=cluster.num_accelerators)
    kind = cluster.fabric or default_fabric(catalogue, system)
    if not kind:
        message = f"the catalogue has no kind of fabric for {system.id}: name one with `fabric`"
        return plan.model_copy(update={"binding": (Binding(constraint=UNKNOWN_FABRIC, message=message),)})
    stage = "fabric"
    try:
        fabric = _wired(cluster, kind, system, accelerator, catalogue, trace, here)
        plan, stage = plan.model_copy(update={"fabric": fabric}), "collectives"
        plan = plan.model_copy(update={"collectives": _timed(fabric, system, catalogue, trace, here)})
        if cluster.site:
            stage = "facility"
            facility = _housed(cluster, fabric, system, accelerator, catalogue, trace, here)
            plan = plan.model_copy(update={"facility": facility})
        plan = plan.model_copy(update={"remarks": tuple(_remarks(cluster, plan))})
    except GigawattError as error:
        return plan.model_copy(update={"binding": (Binding(constraint=stage, message=str(error)),)})
    return plan


def _remarks(cluster: Cluster, plan: ClusterPlan) -> Iterator[str]:
    if plan.facility is None:
        yield "no site is named: cables are counted, and neither measured nor priced"
        return
    if cluster.available_from is not None:
        first = plan.facility.phases[0]
        start = cluster.available_from - timedelta(days=first.months * DAYS_PER_MONTH)
        yield (
            f"the first halls take {first.months:.0f} months: "
            f"for {cluster.available_from} works start by {start}"
        )
    if cluster.capex_covers == "everything":
        yield "the designed fabric and facility are part of what the scenario states, and not added to it"


def _wired(
    cluster: Cluster,
    kind: str,
    system: System,
    accelerator: Accelerator,
    catalogue: Catalog,
    trace: Trace,
    here: str,
) -> FabricDesign:
    from gigawatt.design.fabric import design_fabric

    parts = fabric_parts(catalogue, kind, system)
    site = catalogue.site(cluster.site) if cluster.site else None
    design = design_fabric(
        system, accelerator, cluster.num_accelerators, parts, site, cluster.oversubscription
    )
    _trace_fabric(design, parts, system, trace, f"{here}/fabric")
    return design


def _trace_fabric(design: FabricDesign, parts: FabricParts, system: System, trace: Trace, here: str) -> None:
    bought = {line.part for line in design.bill}
    switches = [switch for id, switch in parts.switches.items() if id in bought]
    links = [link for link in parts.links if link.id in bought]

    def facts(section: str, rows: Sequence[Sourced], *fields: str) -> list[str]:
        return [pointer for row in rows for pointer in trace.row(section, row, fields).values()]

    nodes = facts("systems", [system], "num_accelerators_per_node")
    rules = facts("fabrics", [parts.kind]) + facts("switches", switches, "num_ports", "port_bytes_per_s")
    trace.derive(here, "design.fabric.design_fabric", [*nodes, *rules], "counted by its rules")
    watts = facts("switches", switches, "power_w") + facts("links", links, "end_power_w")
    trace.derive(f"{here}/power_w", "", [f"{here}/bill", *watts], "the bill's parts, each with its draw")
    prices = facts("switches", switches, "price_usd")
    prices += facts("links", links, "cable_usd", "cable_usd_per_m", "end_usd")
    trace.derive(f"{here}/price_usd", "", [f"{here}/bill", *prices], "the bill's parts, each at its price")
    if links:
        trace.derive(f"{here}/bill", "", (here, *facts("links", links, "reach_m")), "links by length")


def _timed(
    fabric: FabricDesign, system: System, catalogue: Catalog, trace: Trace, here: str
) -> tuple[CollectivePrediction, ...]:
    from gigawatt.design.collectives import predict_collective

    calibration = catalogue.collective_calibration()
    law = "design.collectives.predict_collective"
    trace.derive(f"{here}/collectives", law, (f"{here}/fabric",), "over all accelerators of the cluster")
    return tuple(
        predict_collective(
            collective,
            units.parse_quantity(size, "_bytes"),
            fabric.num_accelerators,
            system,
            calibration,
            fabric=fabric,
        )
        for collective, size in SHOWN
    )


def _housed(
    cluster: Cluster,
    fabric: FabricDesign,
    system: System,
    accelerator: Accelerator,
    catalogue: Catalog,
    trace: Trace,
    here: str,
) -> FacilityDesign:
    from gigawatt.design.facility import design_facility

    site, climate, equipment = facility_parts(catalogue, cluster.site)
    _trace_facility(site, climate, equipment, trace, here)
    parts = fabric_parts(catalogue, fabric.fabric, system)
    return design_facility(
        system, accelerator, cluster.num_accelerators, fabric, site, climate, equipment, parts
    )


_PRICED = ("price_usd",)
_BROKEN = ("mtbf_s", "mttr_s", "start_s", "autonomy_s", "lead_time_s", "area_m2", "weight_kg")
"""Facts about equipment that neither a load nor a loss depends on."""


def _trace_facility(
    site: Site, climate: Climate, equipment: Mapping[str, Equipment], trace: Trace, cluster: str
) -> None:
    here = f"{cluster}/facility"

    def facts(ids: Iterable[str]) -> list[str]:
        names = {field for field in Equipment.model_fields if field not in (*_PRICED, *_BROKEN)}
        return [one for id in ids for one in trace.row("equipment", equipment[id], names).values()]

    ground = [*trace.row("sites", site).values(), f"{cluster}/fabric"]
    law = "design.facility.design_facility"
    trace.derive(here, law, ground, "racks by what a rack may hold, halls by what a hall may feed")
    trace.derive(f"{here}/power", "design.facility.power.plan_power", [f"{here}/it_w", *facts(site.chain)])
    weather = trace.row("climates", climate).values()
    trace.derive(
        f"{here}/cooling",
        "design.facility.cooling.plan_cooling",
        [f"{here}/it_w", *weather, *facts(site.plant)],
    )
    spent = (f"{here}/it_w", f"{here}/power/loss_w", f"{here}/cooling/energy_j_per_year")
    trace.derive(f"{here}/energy_j_per_year", law, spent, "hour by hour over a year at full load")
    energies = (f"{here}/energy_j_per_year", f"{here}/it_w")
    trace.derive(f"{here}/pue", "laws.cooling.pue", energies, "a result, at full load")
    costs = trace.row("sites", site, ("costs_usd_per_w",)).values()
    trace.derive(f"{here}/cost_usd", law, [f"{here}/it_w", *costs], "by trade")
