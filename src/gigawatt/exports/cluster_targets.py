"""The formats that a whole cluster is written in, each pinned to the release that it is written for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from gigawatt.errors import InputError, Problem, UnknownIdError
from gigawatt.exports import (
    astra_sim,
    bill,
    cabling,
    graphml,
    nccl_topology,
    netbox,
    pandapower_net,
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


def _power_chain(cluster: BuiltCluster) -> Files:
    """`power-chain.json`. Raises InputError where no facility is designed."""
    if cluster.facility is None:
        raise InputError(Problem("there is no power chain: give the cluster a site", "site"))
    return {"power-chain.json": pandapower_net.pandapower_net(cluster.facility.power)}


CLUSTER_TARGETS = {
    "slurm": ClusterTarget("Slurm topology.conf", slurm.CONF_VERSION, slurm.write_topology_conf),
    "slurm-block": ClusterTarget("Slurm blocks", slurm.BLOCK_VERSION, slurm.write_topology_block),
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
    "pandapower": ClusterTarget("pandapower network", pandapower_net.FORMAT_VERSION, _power_chain),
    "drawings": ClusterTarget("drawings as SVG", pictures.FORMAT_VERSION, pictures.write_drawings),
}


def export_cluster(target: str, cluster: BuiltCluster) -> Files:
    """The files, by name, in which the system that `target` names takes in a cluster.

    Raises UnknownIdError for an unknown target, InputError for what the target cannot express, or where it
    needs a facility and none is designed.
    """
    if target not in CLUSTER_TARGETS:
        known = ", ".join(CLUSTER_TARGETS)
        raise UnknownIdError(f"unknown export target `{target}`; expected one of {known}")
    return CLUSTER_TARGETS[target].write(cluster)
