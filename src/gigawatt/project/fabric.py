"""`gigawatt design fabric`: ids resolved, and the act called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gigawatt.catalog import Catalog, load_catalog
from gigawatt.design.fabric import design_fabric, plan_fabric
from gigawatt.domain.fabric import FabricDesign, FabricKind
from gigawatt.domain.hardware import System
from gigawatt.errors import InfeasibleError, InputError
from gigawatt.project.blueprint_parts import default_fabric, fabric_kinds, fabric_parts


def wire(
    system_id: str,
    num_accelerators: int,
    fabric_id: str = "",
    oversubscription: float | None = None,
    num_planes: int | None = None,
    site_id: str = "generic",
    overlays: Sequence[Path] = (),
) -> FabricDesign:
    """The fabric of a cluster in the halls of a site; blank `fabric_id` takes the system's usual kind.

    Errors: UnknownIdError, InputError for what is absurd or not said; InfeasibleError with what binds.
    """
    catalogue = load_catalog(overlays)
    system = catalogue.system(system_id)
    kind = fabric_id or default_fabric(catalogue, system)
    if not kind:
        known = ", ".join(one.id for one in fabric_kinds(catalogue) if one.other_networks)
        raise InputError(f"no kind of fabric is usual for {system.id}: name one with --fabric ({known})")
    try:
        return design_fabric(
            system,
            catalogue.accelerator(system.accelerator),
            num_accelerators,
            fabric_parts(catalogue, kind, system),
            catalogue.site(site_id),
            oversubscription,
            num_planes,
        )
    except InfeasibleError as error:
        others = _others(catalogue, catalogue.fabric(kind), system, num_accelerators)
        if not others or oversubscription or num_planes:
            raise
        raise InfeasibleError(f"{error}; kinds that reach so far: {', '.join(others)}") from None


def _others(catalogue: Catalog, kind: FabricKind, system: System, num_accelerators: int) -> list[str]:
    """Kinds of fabric of as much bandwidth to an accelerator that so many can be joined by."""
    fits = []
    for other in fabric_kinds(catalogue):
        if other.ports_per_node or not other.other_networks or _bandwidth(other) != _bandwidth(kind):
            continue
        try:
            plan_fabric(system, num_accelerators, fabric_parts(catalogue, other.id, system))
        except InfeasibleError:
            continue
        fits.append(other.id)
    return fits


def _bandwidth(kind: FabricKind) -> float:
    return kind.port_bytes_per_s * kind.ports_per_accelerator
