"""Write the drawings of a cluster: its fabric, floor plan, racks and one-line diagram."""

from __future__ import annotations

from gigawatt.drawings.elevation import elevation_svg
from gigawatt.drawings.fabric import fabric_svg
from gigawatt.drawings.floor_plan import floor_plan_svg
from gigawatt.drawings.one_line import one_line_svg
from gigawatt.exports.cluster import BuiltCluster
from gigawatt.exports.netbox_types import slug

FORMAT_VERSION = "1.1"


def write_drawings(cluster: BuiltCluster) -> dict[str, str]:
    """`fabric.svg`; with a facility also `floor-plan.svg`, `one-line.svg`, and each kind of rack."""
    drawn = {"fabric.svg": fabric_svg(cluster.fabric)}
    if cluster.facility is None:
        return drawn
    drawn["floor-plan.svg"] = floor_plan_svg(cluster.facility)
    drawn["one-line.svg"] = one_line_svg(cluster.facility.power)
    kinds = [kind for kind in cluster.facility.floor.racks if kind.items]
    return drawn | {f"rack-{slug(kind.name)}.svg": elevation_svg(kind) for kind in kinds}
