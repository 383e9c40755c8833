"""The formats that a whole cluster is written in, each pinned to the release that it is written for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from gigawatt.exports import (
    astra_sim,
    bill,
    cabling,
    graphml,
    nccl_topology,
    netbox,
    pictures,
    simai,
    slurm,
)
from gigawatt.exports.cluster import BuiltCluster

Files = Mapping[str, str | Iterable[str]]
"""Text by file name; a long text comes in pieces."""


@dataclass(frozen=True, slots=True)
class ClusterTarget:
    """A format that clusters are written in: what it is, the release it is for, its writer."""

    title: str
    format_version: str
    write: Callable[[BuiltCluster], Files]


CLUSTER_TARGETS = {
    "slurm": ClusterTarget("Slurm topology.conf", slurm.CONF_VERSION, slurm.write_topology_conf),
    "slurm-yaml": ClusterTarget("Slurm topology.yaml", slurm.YAML_VERSION, slurm.write_topology_yaml),
    "netbox": ClusterTarget(
        "NetBox device types and import files", netbox.FORMAT_VERSION, netbox.write_netbox
    ),
    "nccl": ClusterTarget(
        "NCCL topology file of a node", nccl_topology.FORMAT_VERSION, nccl_topology.write_nccl_topology
    ),
    "astra-sim": ClusterTarget(
        "ASTRA-sim network and system", astra_sim.FORMAT_VERSION, astra_sim.write_astra_sim
    ),
    "simai": ClusterTarget("SimAI topology", simai.FORMAT_VERSION, simai.write_simai),
    "graphml": ClusterTarget("GraphML", graphml.FORMAT_VERSION, graphml.write_graphml),
    "bill": ClusterTarget("bill of materials as CSV", bill.FORMAT_VERSION, bill.write_bill),
    "cables": ClusterTarget("cable schedule as CSV", cabling.FORMAT_VERSION, cabling.write_cable_schedule),
    "ports": ClusterTarget("port map as CSV", cabling.FORMAT_VERSION, cabling.write_port_map),
    "drawings": ClusterTarget("drawings as SVG", pictures.FORMAT_VERSION, pictures.write_drawings),
}


def export_cluster(target: str, cluster: BuiltCluster) -> Files:
    """The files, by name, in which the system that `target` names takes in a cluster.

    Raises InputError for what the target cannot express, or where it needs a facility and none is designed.
    """
    return CLUSTER_TARGETS[target].write(cluster)
