"""Write the drawings of a cluster: floor plan, racks, one-line diagram, fabric."""

from __future__ import annotations

from gigawatt.drawings.elevation import elevation_svg
from gigawatt.drawings.floor_plan import floor_plan_svg
from gigawatt.errors import InputError, Problem
from gigawatt.exports.cluster import BuiltCluster
from gigawatt.exports.netbox_types import slug

FORMAT_VERSION = "SVG 1.1"


def write_drawings(cluster: BuiltCluster) -> dict[str, str]:
    """`floor-plan.svg` and an elevation of each kind of rack.

    Raises InputError where no facility is designed.
    """
    if cluster.facility is None:
        raise InputError(Problem("there is no hall to draw: give the cluster a site", "site"))
    racks = {
        f"rack-{slug(kind.name)}.svg": elevation_svg(kind)
        for kind in cluster.facility.floor.racks
        if kind.items
    }
    return {"floor-plan.svg": floor_plan_svg(cluster.facility), **racks}
