"""ASTRA-sim and SimAI: files that their readers take, with the numbers that were published of them."""

from __future__ import annotations

import csv

import pytest
import yaml

from gigawatt.design.collectives.astra_sim import chunked_collective_s
from gigawatt.errors import InputError
from gigawatt.exports.astra_sim import write_astra_sim
from gigawatt.exports.astra_sim_read import read_assumptions, read_network
from gigawatt.exports.simai import write_simai
from gigawatt.exports.simai_read import read_simai


def test_a_cluster_is_dimensions_from_the_inside_out(build) -> None:
    """Eight GPUs of 450 GB/s on NVLink, 32 nodes with 50 GB/s a GPU."""
    text = write_astra_sim(build("hgx-h100", 256, "superpod-h100-ndr"))["network.yml"]
    inner, outer = read_network(text)
    assert (inner.ranks, outer.ranks) == (8, 32)
    assert inner.bytes_per_s == pytest.approx(450e9)
    assert outer.bytes_per_s == pytest.approx(50e9)


def test_oversubscribed_pods_are_a_dimension(build) -> None:
    """Llama 3: pods of 3,072 GPUs, 1:7 between them, as near as whole ports come."""
    dimensions = read_network(write_astra_sim(build("hgx-h100", 24_576, "llama-3-roce"))["network.yml"])
    assert [one.ranks for one in dimensions] == [8, 384, 8]
    assert dimensions[1].bytes_per_s / dimensions[2].bytes_per_s == pytest.approx(7, rel=0.03)


def test_the_simulator_s_assumptions_give_a_time(build) -> None:
    """Rings of 32 nodes cannot beat their links: 2 x 31/32 of an eighth of the bytes over 50 GB/s."""
    files = write_astra_sim(build("hgx-h100", 256, "superpod-h100-ndr"))
    network, assumed = (
        read_network(files["network.yml"]),
        read_assumptions(files["system.json"], "all_reduce"),
    )
    bound_s = 2 * 31 / 32 * 2**30 / 8 / 50e9
    assert bound_s < chunked_collective_s("all_reduce", 2**30, network, assumed) < 2 * bound_s


def test_unequal_domains_have_no_words_in_astra_sim(build) -> None:
    with pytest.raises(InputError, match="no whole number of scale-up domains"):
        write_astra_sim(build("gb200-nvl72", 100, "superpod-gb200-ndr"))


def test_a_mesh_is_fully_connected(build) -> None:
    """MI300X: seven links of 64 GB/s each way, one to each other accelerator (AMD's data sheet)."""
    text = write_astra_sim(build("hgx-mi300x", 256, "ethernet-51t-fat-tree"))["network.yml"]
    stated = yaml.safe_load(text)
    assert stated["topology"] == ["FullyConnected", "Switch"]
    assert stated["bandwidth"][0] * 2**30 == pytest.approx(64e9)


@pytest.mark.parametrize("write", [write_astra_sim, write_simai])
def test_a_torus_is_no_switch(build, write) -> None:
    with pytest.raises(InputError, match="a torus has no switch"):
        write(build("tpu-v4-pod", 4096, "datacentre-host-200g"))


@pytest.fixture(scope="session")
def templates(shared_data):
    """Sizes of SimAI's templates as its generator printed them, by name."""
    with (shared_data / "collectives_reference" / "simai_topologies.csv").open(encoding="utf-8") as file:
        return {row["template"]: row for row in csv.DictReader(file)}


def test_the_dual_plane_template_of_hpn_is_our_graph(build, templates, text_of) -> None:
    """1,024 GPUs on two leaves each: 16 leaves with 60 links up, and as many links in all as SimAI draws.

    SimAI draws the spines of a whole pod of 15 such segments over its one segment.
    """
    row = templates["AlibabaHPN_1024g_8gps_DualToR_DualPlane_200Gbps_H100"]
    segment = build("hgx-h100", 1024, "hpn-7")
    found = read_simai(text_of(write_simai(segment)["simai-topology.txt"]))
    assert (found.num_gpus, found.gpu_kind) == (1024, row["gpu_type"])
    assert (found.gpus_per_server, found.num_scale_up_switches) == (8, int(row["nv_switches"]))
    assert len(found.links) == int(row["links"])
    leaves, spines = (tier.num_switches for tier in segment.fabric.compute.tiers)
    (_, spines_of_pod, *_) = (
        tier.num_switches for tier in build("hgx-h100", 15 * 1024, "hpn-7").fabric.compute.tiers
    )
    assert leaves + spines_of_pod == int(row["other_switches"])
    assert found.num_nodes + spines_of_pod - spines == int(row["nodes_total"])


def test_leaves_and_bandwidth_are_those_of_the_spectrum_x_template(build, templates, text_of) -> None:
    """16 leaves of 64 GPUs. SimAI draws 64 spines whatever the size, and links up of the NICs' 400 Gbit/s."""
    row = templates["Spectrum-X_1024g_8gps_400Gbps_H100"]
    cluster = build("hgx-h100", 1024, "spectrum-x-400g")
    found = read_simai(text_of(write_simai(cluster)["simai-topology.txt"]))
    leaves, spines = (tier.num_switches for tier in cluster.fabric.compute.tiers)
    assert leaves + 64 == int(row["other_switches"])
    assert found.num_nodes - spines + 64 == int(row["nodes_total"])
    first_leaf = found.num_gpus + found.num_scale_up_switches
    up = [float(rate.removesuffix("Gbps")) for a, b, rate in found.links if a >= first_leaf]
    links_of_400 = sum(up) / 400
    assert found.num_gpus * 2 + links_of_400 == int(row["links"])


def test_a_small_topology_of_simai_is_read() -> None:
    text = "7 2 2 1 8 A100\n4 5 6\n" + "".join(
        f"{a} {b} {rate} 0ms 0\n"
        for a, b, rate in [
            (0, 4, "2400Gbps"), (1, 4, "2400Gbps"), (2, 5, "2400Gbps"), (3, 5, "2400Gbps"),
            (0, 6, "100Gbps"), (1, 6, "100Gbps"), (2, 6, "100Gbps"), (3, 6, "100Gbps"),
        ]
    )  # fmt: skip
    found = read_simai(text)
    assert (found.num_gpus, found.num_switches, found.links[-1]) == (4, 1, (3, 6, "100Gbps"))
    with pytest.raises(InputError, match="counts 8 links, there are 7"):
        read_simai(text.rsplit("\n", 2)[0] + "\n")
