"""`gigawatt design fabric`: ids resolved, and the act called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gigawatt.catalog import Catalog, load_catalog
from gigawatt.design.fabric import design_fabric, is_within_reach
from gigawatt.domain.fabric import FabricDesign, FabricKind
from gigawatt.domain.hardware import System
from gigawatt.errors import InfeasibleError
from gigawatt.project.parts import (
    DEFAULT_SITE,
    chosen_fabric,
    fabric_kinds,
    fabric_parts,
    one_system,
    plausible_site,
)


def wire(
    system: str,
    num_accelerators: int,
    fabric: str = "",
    oversubscription: float | None = None,
    num_planes: int | None = None,
    site: str = DEFAULT_SITE,
    overlays: Sequence[Path] = (),
) -> FabricDesign:
    """The fabric of a cluster in the halls of a site; blank `fabric` takes the system's usual kind.

    Errors: UnknownIdError, InputError for what is absurd or not said; InfeasibleError with what binds.
    """
    catalogue = load_catalog(overlays)
    found = one_system(catalogue, system)
    kind = chosen_fabric(catalogue, found, fabric)
    try:
        return design_fabric(
            found,
            catalogue.accelerator(found.accelerator),
            num_accelerators,
            fabric_parts(catalogue, kind, found),
            plausible_site(catalogue, site),
            oversubscription,
            num_planes,
        )
    except InfeasibleError as error:
        others = _others(catalogue, catalogue.fabric(kind), found, num_accelerators)
        if not others or oversubscription or num_planes:
            raise
        raise InfeasibleError(f"{error}; kinds that reach so far: {', '.join(others)}") from None


def _others(catalogue: Catalog, kind: FabricKind, system: System, num_accelerators: int) -> list[str]:
    """Kinds of fabric of as much bandwidth to an accelerator that so many can be joined by."""
    fits = []
    for other in fabric_kinds(catalogue):
        if other.ports_per_node or not other.other_networks or _bandwidth(other) != _bandwidth(kind):
            continue
        if is_within_reach(system, num_accelerators, fabric_parts(catalogue, other.id, system)):
            fits.append(other.id)
    return fits


def _bandwidth(kind: FabricKind) -> float:
    return kind.port_bytes_per_s * kind.ports_per_accelerator
