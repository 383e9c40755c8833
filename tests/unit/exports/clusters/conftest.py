"""Clusters as designed from the catalogue: the real fabrics on the real floors, without power and cooling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gigawatt.catalog import Catalog, load_catalog
from gigawatt.design.fabric import plan_fabric
from gigawatt.design.fabric.cabling import cable_fabric, one_rack
from gigawatt.design.facility.floor import plan_floor
from gigawatt.design.facility.racks import rack_kinds
from gigawatt.domain.facility import FacilityDesign, PowerChain, PowerNode
from gigawatt.exports.cluster import BuiltCluster
from gigawatt.project.parts import fabric_parts

TAP = "tap-off-415v-125a"
Build = Callable[..., BuiltCluster]


@pytest.fixture(scope="session")
def catalogue() -> Catalog:
    """The shipped catalogue."""
    return load_catalog()


@pytest.fixture(scope="session")
def build(catalogue: Catalog) -> Build:
    """`build(system, num_accelerators, fabric, site)`: a cluster; without a site it has no racks."""
    made: dict[tuple[object, ...], BuiltCluster] = {}

    def _build(
        system: str, num_accelerators: int, fabric: str, site: str = "", redundancy: str = "2n"
    ) -> BuiltCluster:
        key = (system, num_accelerators, fabric, site, redundancy)
        if key not in made:
            made[key] = _built(catalogue, *key)
        return made[key]

    return _build


def _built(
    catalogue: Catalog, system: str, num_accelerators: int, fabric: str, site: str, redundancy: str
) -> BuiltCluster:
    kind = catalogue.system(system)
    accelerator, parts = catalogue.accelerator(kind.accelerator), fabric_parts(catalogue, fabric, kind)
    design = plan_fabric(kind, num_accelerators, parts)
    facility = None
    if site:
        place = catalogue.site(site)
        floor = plan_floor(rack_kinds(kind, accelerator, design, parts, place), design, place)
        # What exporters of the floor read of a facility, and no more: the rest is other tests' matter.
        node = PowerNode.model_construct(name="tap-off", kind="breaker", equipment=TAP)
        feeds = 1 if redundancy == "n" else 2
        pieces = tuple(feeds for _ in floor.racks)
        power = PowerChain.model_construct(
            redundancy=redundancy, nodes=(node,), feeds_per_rack=feeds, pieces_by_kind=pieces
        )
        facility = FacilityDesign.model_construct(site=place.id, floor=floor, power=power, bill=())
    equipment = {TAP: catalogue.equipment(TAP)}
    # NCCL's own latencies of a ring's step within a node and over the network (tuning.cc, LL128).
    cluster = BuiltCluster("test", kind, accelerator, design, parts, facility, equipment, 1.9e-6, 4e-6)
    if facility is None:
        return cluster
    places = {
        network.name: one_rack(network) if network.name == "scale-up" else cluster.positions(network.name)
        for network in cluster.cabled
    }
    cabled = cable_fabric(design, parts, places, facility.floor.tray_height_m)
    return replace(cluster, fabric=cabled)


@pytest.fixture(scope="session")
def text_of() -> Callable[[object], str]:
    """A file's text, whole or in pieces, as one."""
    return lambda text: text if isinstance(text, str) else "".join(text)  # type: ignore[attr-defined]
