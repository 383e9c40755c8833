"""What fabrics and facilities are built from, looked up in the catalogue: acts themselves know no ids."""

from __future__ import annotations

from gigawatt.catalog import Catalog, require_plausible
from gigawatt.design.fabric.parts import FabricParts
from gigawatt.domain.fabric import SCALE_UP, FabricKind
from gigawatt.domain.facility import Climate, Equipment, Site
from gigawatt.domain.hardware import System
from gigawatt.errors import InputError
from gigawatt.units import format_quantity

DEFAULT_SITE = "generic"


def one_system(catalogue: Catalog, named: str) -> System:
    """The system of this id. Raises InputError where several are named, for a design has nodes of one kind,
    and where its row has a slip of a unit."""
    ids = [part.strip() for part in named.replace("+", ",").split(",") if part.strip()]
    if len(ids) < 2:
        found = catalogue.system(named)
        require_plausible(catalogue, "systems", [found])
        return found
    told = "; ".join(_node_in_words(catalogue.system(id)) for id in ids)
    each = " and ".join(f"--system {id}" for id in ids)
    raise InputError(
        f"mixed systems: ports, rails and racks are planned for nodes of one kind ({told}); nearest design "
        f"that works: one for each kind, as {each}, or a cluster for each in a scenario"
    )


def _node_in_words(system: System) -> str:
    rate, power = system.scale_out_bytes_per_s, system.node_power_w
    ports = f" with {format_quantity(rate, '_bytes_per_s')} of network each" if rate else ""
    drawn = f", {format_quantity(power, '_w')}" if power else ""
    return f"{system.id}: {system.num_accelerators_per_node} accelerators{ports}{drawn}"


def fabric_kinds(catalogue: Catalog) -> tuple[FabricKind, ...]:
    """All kinds of fabric, by id."""
    return tuple(catalogue.fabric(id) for id in catalogue.ids("fabrics"))


def default_fabric(catalogue: Catalog, system: System) -> str:
    """The id of the scale-out fabric that a system is usually built with; blank where none is named."""
    kinds = (kind for kind in fabric_kinds(catalogue) if kind.technology not in SCALE_UP)
    return next((kind.id for kind in kinds if system.id in kind.systems), "")


def chosen_fabric(catalogue: Catalog, system: System, asked: str = "") -> str:
    """The id that was asked for, else the usual one. Raises InputError with those that there are."""
    if found := asked or default_fabric(catalogue, system):
        return found
    known = ", ".join(one.id for one in fabric_kinds(catalogue) if one.other_networks)
    raise InputError(f"no kind of fabric is usual for {system.id}: name one with --fabric ({known})")


def fabric_parts(catalogue: Catalog, fabric_id: str, system: System | None = None) -> FabricParts:
    """A kind of fabric with its switches, all links, and the kinds of the cluster's other networks.

    With `system`, its scale-up network is among them. Errors: UnknownIdError with the nearest ids.
    """
    kind = catalogue.fabric(fabric_id)
    others = {name: catalogue.fabric(id) for name, id in kind.other_networks.items()}
    if system is not None:
        near = (other for other in fabric_kinds(catalogue) if other.technology in SCALE_UP)
        inner = next((other for other in near if system.id in other.systems), None)
        others |= {"scale-up": inner} if inner else {}
    kinds = (kind, *others.values())
    names = {id for one in kinds for id in (one.leaf_switch, one.spine_switch, one.core_switch)}
    switches = {id: catalogue.switch(id) for id in sorted(names) if id}
    links = tuple(catalogue.link(id) for id in catalogue.ids("links"))
    return FabricParts(kind, switches, links, others)


def plausible_site(catalogue: Catalog, site_id: str) -> Site:
    """A site. Errors: UnknownIdError, InputError for values that are a slip of a unit."""
    site = catalogue.site(site_id)
    require_plausible(catalogue, "sites", [site])
    return site


def facility_parts(
    catalogue: Catalog, site_id: str = DEFAULT_SITE
) -> tuple[Site, Climate, dict[str, Equipment]]:
    """A site, its climate, and the equipment that its power chain and cooling plant name, by id.

    Errors: UnknownIdError with the nearest ids, InputError for values that are a slip of a unit.
    """
    site = plausible_site(catalogue, site_id)
    climate = catalogue.climate(site.climate)
    equipment = {id: catalogue.equipment(id) for id in (*site.chain, *site.plant)}
    require_plausible(catalogue, "climates", [climate])
    require_plausible(catalogue, "equipment", list(equipment.values()))
    return site, climate, equipment
