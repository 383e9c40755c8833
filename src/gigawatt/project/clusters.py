"""The owned clusters of a scenario as they are built: networks and collectives, halls, power and cooling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gigawatt import units
from gigawatt.domain.blueprint import ClusterPlan
from gigawatt.domain.collectives import Collective
from gigawatt.domain.fabric import FabricDesign
from gigawatt.domain.facility import FacilityDesign
from gigawatt.domain.hardware import Accelerator, System
from gigawatt.domain.record import Sourced
from gigawatt.domain.scenario import Cluster, Scenario
from gigawatt.domain.training import Binding
from gigawatt.errors import GigawattError
from gigawatt.project.parts import default_fabric, fabric_parts, facility_parts
from gigawatt.project.trace import Trace

if TYPE_CHECKING:
    from gigawatt.catalog import Catalog
    from gigawatt.domain.collectives import CollectivePrediction

SHOWN: tuple[tuple[Collective, str], ...] = (
    ("all_reduce", "1 MiB"),
    ("all_reduce", "1 GiB"),
    ("all_gather", "1 GiB"),
    ("reduce_scatter", "1 GiB"),
    ("all_to_all", "1 GiB"),
)
"""Collectives over a whole cluster that its plan states, by their whole buffer."""


def build_clusters(scenario: Scenario, catalogue: Catalog, trace: Trace) -> tuple[ClusterPlan, ...]:
    """Every owned cluster with its fabric and, where a site is named, its facility.

    What cannot be designed is said in `binding`; the runs are planned all the same.
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
        return plan.model_copy(update={"binding": (Binding(constraint="unknown fabric", message=message),)})
    try:
        fabric = _wired(cluster, kind, system, accelerator, catalogue, trace, here)
        plan = plan.model_copy(
            update={"fabric": fabric, "collectives": _timed(fabric, system, catalogue, trace, here)}
        )
        if cluster.site:
            facility = _housed(cluster, fabric, system, accelerator, catalogue, trace, here)
            plan = plan.model_copy(update={"facility": facility})
    except GigawattError as error:
        constraint = "facility" if plan.fabric else "fabric"
        return plan.model_copy(update={"binding": (Binding(constraint=constraint, message=str(error)),)})
    return plan


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
    facts = {**trace.row("fabrics", parts.kind), **trace.row("systems", system)}
    for switch in parts.switches.values():
        facts |= trace.row("switches", switch)
    trace.derive(f"{here}/fabric", "design.fabric.design_fabric", facts.values(), "counted by its rules")
    return design_fabric(system, accelerator, cluster.num_accelerators, parts, site, cluster.oversubscription)


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
    facts = [*_row(trace, "sites", site), *_row(trace, "climates", climate), f"{here}/fabric"]
    for part in equipment.values():
        facts += _row(trace, "equipment", part)
    trace.derive(f"{here}/facility", "design.facility.design_facility", facts, "hour by hour over a year")
    parts = fabric_parts(catalogue, fabric.fabric, system)
    return design_facility(
        system, accelerator, cluster.num_accelerators, fabric, site, climate, equipment, parts
    )


def _row(trace: Trace, section: str, row: Sourced) -> list[str]:
    return list(trace.row(section, row).values())
