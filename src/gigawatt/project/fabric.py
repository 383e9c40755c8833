"""`gigawatt design fabric`: ids resolved, and the act called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gigawatt.catalog import load_catalog
from gigawatt.design.fabric import design_fabric
from gigawatt.domain.fabric import FabricDesign
from gigawatt.errors import InputError
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
    return design_fabric(
        system,
        catalogue.accelerator(system.accelerator),
        num_accelerators,
        fabric_parts(catalogue, kind, system),
        catalogue.site(site_id),
        oversubscription,
        num_planes,
    )
