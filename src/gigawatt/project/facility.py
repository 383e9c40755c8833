"""One question about one facility: system, number and site by name in, halls, power and cooling out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gigawatt.domain.facility import FacilityDesign
from gigawatt.project.handover import write_files
from gigawatt.project.parts import DEFAULT_SITE, chosen_fabric, fabric_parts, facility_parts, one_system


def house(
    system: str,
    num_accelerators: int,
    site: str = DEFAULT_SITE,
    fabric: str = "",
    overlays: Sequence[Path] = (),
) -> FacilityDesign:
    """The facility for so many accelerators of a system, with its usual kind of fabric unless one is named.

    Raises InputError for unknown ids and parts of which too little is known, InfeasibleError with the limit
    that binds and the nearest design that works.
    """
    from gigawatt.catalog import load_catalog

    catalogue = load_catalog(overlays)
    found = one_system(catalogue, system)
    accelerator = catalogue.accelerator(found.accelerator)
    parts = fabric_parts(catalogue, chosen_fabric(catalogue, found, fabric), found)
    place, climate, equipment = facility_parts(catalogue, site)
    from gigawatt.design.fabric import design_fabric
    from gigawatt.design.facility import design_facility

    wired = design_fabric(found, accelerator, num_accelerators, parts, place)
    return design_facility(found, accelerator, num_accelerators, wired, place, climate, equipment, parts)


def draw_facility(design: FacilityDesign, folder: Path) -> tuple[Path, ...]:
    """Writes floor plan, one-line diagram and the elevation of each kind of rack as SVG; the paths written.

    Raises WriteError.
    """
    return write_files({f"{name}.svg": drawing + "\n" for name, drawing in _drawings(design)}, folder)


def _drawings(design: FacilityDesign) -> Iterator[tuple[str, str]]:
    from gigawatt.drawings.elevation import elevation_svg
    from gigawatt.drawings.floor_plan import floor_plan_svg
    from gigawatt.drawings.one_line import one_line_svg

    yield "floor-plan", floor_plan_svg(design)
    yield "one-line", one_line_svg(design.power)
    for kind in design.floor.racks:
        words = kind.name if kind.role != "compute" else design.system
        yield f"elevation-{words.lower().replace(' ', '-')}", elevation_svg(kind)
