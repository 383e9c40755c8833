"""What the acts of a blueprint are built from, looked up in the catalogue: acts themselves know no ids."""

from __future__ import annotations

from gigawatt.catalog import Catalog
from gigawatt.design.fabric.parts import FabricParts
from gigawatt.domain.fabric import FabricKind
from gigawatt.domain.hardware import System

_SCALE_UP = ("nvlink", "xgmi", "ici")


def fabric_kinds(catalogue: Catalog) -> tuple[FabricKind, ...]:
    """All kinds of fabric, by id."""
    return tuple(catalogue.fabric(id) for id in catalogue.ids("fabrics"))


def default_fabric(catalogue: Catalog, system: System) -> str:
    """The id of the scale-out fabric that a system is usually built with; blank where none is named."""
    kinds = (kind for kind in fabric_kinds(catalogue) if kind.technology not in _SCALE_UP)
    return next((kind.id for kind in kinds if system.id in kind.systems), "")


def fabric_parts(catalogue: Catalog, fabric_id: str, system: System | None = None) -> FabricParts:
    """A kind of fabric with its switches, all links, and the kinds of the cluster's other networks.

    With `system`, its scale-up network is among them. Errors: UnknownIdError with the nearest ids.
    """
    kind = catalogue.fabric(fabric_id)
    others = {name: catalogue.fabric(id) for name, id in kind.other_networks.items()}
    if system is not None:
        near = (other for other in fabric_kinds(catalogue) if other.technology in _SCALE_UP)
        inner = next((other for other in near if system.id in other.systems), None)
        others |= {"scale-up": inner} if inner else {}
    kinds = (kind, *others.values())
    names = {id for one in kinds for id in (one.leaf_switch, one.spine_switch, one.core_switch)}
    switches = {id: catalogue.switch(id) for id in sorted(names) if id}
    links = tuple(catalogue.link(id) for id in catalogue.ids("links"))
    return FabricParts(kind, switches, links, others)
