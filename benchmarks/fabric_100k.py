"""How long the whole fabric of 100,000 GPUs takes: design, floor, cables, bill, graph, and every failure.

Twin-plane Spectrum-X above HGX B300: 400,704 links in 300,704 cables, 8,320 switches. `design_fabric` counts
the tiers, places the racks, measures and prices the cables, lays out the graph, and works out the loss of
every cable, leg, switch and plane, exactly. Three more fabrics of 100,000 are swept outside the time, in
`notes`.

Where `GIGAWATT_PEER_PYTHON` names an interpreter that has networkx, it is run in turn (`peer_networkx.py`):
one maximum flow for each failing link of a fabric of 512 GPUs, since it has no notion of what is alike.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from measure import Figures, measured, report

from gigawatt.catalog import load_catalog
from gigawatt.design.fabric import design_fabric, fabric_graph, plan_fabric
from gigawatt.design.fabric.failures import failure_effects
from gigawatt.domain.fabric import FabricDesign
from gigawatt.project.parts import fabric_parts

NUM_ACCELERATORS = 100_000
SYSTEM, FABRIC, SITE = "hgx-b300", "superpod-b300-spectrum-x", "generic"
OTHERS = (
    ("hgx-h100", "ethernet-51t-fat-tree"),
    ("hgx-b300", "superpod-b300-xdr"),
    ("hgx-h100", "dragonfly-ndr"),
)
NETWORKX = {
    "name": "networkx 3.6.1, one maximum flow for each failing link",
    "work": {"accelerators": 512, "failures": 1024},
    "cpu_s": 3.34,
    "rates": {"failures_per_cpu_s": 306.0},
    "source": "measured on one core of a 2-core x86-64 machine by peer_networkx.py",
}


def peer() -> dict[str, Any]:
    """networkx where it can be run, else what it took when it was."""
    python = os.environ.get("GIGAWATT_PEER_PYTHON")
    if not python:
        return NETWORKX
    script = Path(__file__).with_name("peer_networkx.py")
    done = subprocess.run([python, str(script)], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def counted(design: FabricDesign) -> dict[str, float]:
    """What a design holds and how many failures it answers for."""
    net = design.compute
    return {
        "accelerators": design.num_accelerators,
        "switches": sum(tier.num_switches for tier in net.tiers),
        "cables": sum(group.num_cables for group in net.cables),
        "failures": sum(effect.num_alike for effect in design.failures),
        "classes_of_failures": len(design.failures),
    }


def swept(system_id: str, fabric_id: str) -> dict[str, float]:
    """CPU seconds of plan, graph and failures of another fabric of as many accelerators."""
    catalog = load_catalog()
    system, _ = catalog.require_plannable(system_id, with_power=False)
    parts = fabric_parts(catalog, fabric_id, system)
    with measured() as spent:
        design = plan_fabric(system, NUM_ACCELERATORS, parts)
        effects = failure_effects(design, fabric_graph(design))
    return counted(design.model_copy(update={"failures": effects})) | {"cpu_s": spent.cpu_s}


def run() -> Figures:
    """Design the fabric once, cold."""
    catalog = load_catalog()
    system, accelerator = catalog.require_plannable(SYSTEM, with_power=False)
    parts, site = fabric_parts(catalog, FABRIC, system), catalog.site(SITE)
    with measured() as spent:
        design = design_fabric(system, accelerator, NUM_ACCELERATORS, parts, site)
    work = counted(design)
    return Figures(
        name="fabric_100k",
        work=work,
        spent=spent,
        rates={
            "failures_per_cpu_s": work["failures"] / spent.cpu_s,
            "accelerators_per_cpu_s": NUM_ACCELERATORS / spent.cpu_s,
        },
        peer=peer(),
        notes={fabric: swept(other, fabric) for other, fabric in OTHERS},
    )


if __name__ == "__main__":
    report(run, __doc__ or "")
