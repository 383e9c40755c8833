"""Write a node as NCCL's topology file (NCCL_TOPO_FILE): which NIC shares a PCIe switch with which GPU.

The form is that of NCCL's own dump, version 1 (https://github.com/NVIDIA/nccl, src/graph/xml.cc and topo.cc):
system, cpu, pci, gpu, nic, net. NCCL finds a GPU by its bus id, so the ids below have to be replaced by those
of the machine (`nvidia-smi --query-gpu=pci.bus_id`, `lspci`); what the file leaves out (cores, NVLinks) NCCL
asks the machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gigawatt import units
from gigawatt.design.fabric import FabricGraph
from gigawatt.design.fabric.graph import NODE
from gigawatt.errors import InputError, Problem
from gigawatt.exports.cluster import BuiltCluster

FORMAT_VERSION = "1"

DEVICES = {
    "ampere": ("80", "16.0 GT/s PCIe"),
    "ada": ("89", "16.0 GT/s PCIe"),
    "hopper": ("90", "32.0 GT/s PCIe"),
    "blackwell": ("100", "32.0 GT/s PCIe"),
    "blackwell-ultra": ("103", "64.0 GT/s PCIe"),
}
"""NCCL's words for an architecture's compute capability and for the speed of its PCIe lanes."""

PCI_BRIDGE, PCI_GPU = "0x060400", "0x030200"
PCI_NIC = {"infiniband": "0x020700", "ethernet": "0x020000"}
_LANES = "16"


@dataclass(frozen=True, slots=True)
class NodePort:
    """A network port of a node: the accelerator it serves, its speed."""

    accelerator: int
    bytes_per_s: float


def write_nccl_topology(cluster: BuiltCluster) -> dict[str, str]:
    """`nccl-topology.xml` for one node of the cluster; every node is alike.

    Raises InputError for accelerators that NCCL does not run on.
    """
    accelerator = cluster.accelerator
    if accelerator.architecture not in DEVICES:
        message = f"NCCL does not run on {accelerator.name}: expected one of {', '.join(DEVICES)}"
        raise InputError(Problem(message, "accelerator"))
    ports = node_ports(cluster.graph("compute"), cluster.system.num_accelerators_per_node)
    lines = [
        f"<!-- One node of {cluster.title}. Written by gigawatt for NCCL_TOPO_FILE. -->",
        "<!-- Replace each busid by what the machine reports; NVLinks and cores NCCL finds itself. -->",
        f'<system version="{FORMAT_VERSION}">',
        *_cpus(cluster, ports),
        "</system>",
    ]
    return {"nccl-topology.xml": "\n".join(lines) + "\n"}


def node_ports(graph: FabricGraph, num_accelerators: int) -> tuple[NodePort, ...]:
    """The network ports of the first node, in order, dealt evenly to its accelerators."""
    first = int(np.flatnonzero(graph.device_role == NODE)[0])
    mine = np.flatnonzero(graph.cable_a == first)
    mine = mine[np.argsort(graph.cable_a_port[mine], kind="stable")]
    rates = graph.cable_bytes_per_s[mine].tolist()
    return tuple(
        NodePort(place * num_accelerators // len(rates), float(rate)) for place, rate in enumerate(rates)
    )


def _cpus(cluster: BuiltCluster, ports: Sequence[NodePort]) -> Iterator[str]:
    num_accelerators = cluster.system.num_accelerators_per_node
    num_cpus = min(2, num_accelerators)
    per_cpu = -(-num_accelerators // num_cpus)
    for cpu in range(num_cpus):
        yield f'  <cpu numaid="{cpu}">'
        for accelerator in range(cpu * per_cpu, min((cpu + 1) * per_cpu, num_accelerators)):
            yield from _branch(cluster, accelerator, ports)
        yield "  </cpu>"


def _branch(cluster: BuiltCluster, accelerator: int, ports: Sequence[NodePort]) -> Iterator[str]:
    """A PCIe switch with one GPU and the NIC that serves it."""
    capability, speed = DEVICES[cluster.accelerator.architecture]
    technology = cluster.fabric.compute.technology
    bus, gdr = 16 * accelerator, 'gdr="1"'
    yield f"    {_pci(bus, PCI_BRIDGE, speed)}>"
    yield f"      {_pci(bus + 1, PCI_GPU, speed)}>"
    yield f'        <gpu dev="{accelerator}" sm="{capability}" {gdr}/>'
    yield "      </pci>"
    served = [number for number, port in enumerate(ports) if port.accelerator == accelerator]
    if served:
        yield f"      {_pci(bus + 2, PCI_NIC.get(technology, PCI_NIC['ethernet']), speed)}>"
        yield "        <nic>"
        for port, number in enumerate(served, start=1):
            megabits = round(ports[number].bytes_per_s / _megabit_bytes_per_s())
            stated = f'name="mlx5_{number}" dev="{number}" speed="{megabits}" port="{port}" {gdr}'
            yield f"          <net {stated}/>"
        yield "        </nic>"
        yield "      </pci>"
    yield "    </pci>"


def _pci(bus: int, kind: str, speed: str) -> str:
    return f'<pci busid="0000:{bus:02x}:00.0" class="{kind}" link_speed="{speed}" link_width="{_LANES}"'


def _megabit_bytes_per_s() -> float:
    rate = units.read("1 Mbit/s", "_bytes_per_s")
    assert isinstance(rate, float)
    return rate
