"""Schedules, port maps and graphs: every link once, every port once, and as many as the design counts."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections import Counter
from xml.etree import ElementTree

import pytest

from gigawatt.domain.fabric import SwitchTier
from gigawatt.exports.bill import write_bill
from gigawatt.exports.cabling import write_cable_schedule, write_port_map
from gigawatt.exports.cluster import port_names
from gigawatt.exports.graphml import write_graphml

INNER = {"nvswitch-5-chip"}
"""Part of the node, and bought with it."""
CLUSTERS = [
    ("hgx-b200", 512, "superpod-b200-ndr"),
    ("hgx-b300", 4096, "superpod-b300-spectrum-x"),
    ("hgx-h100", 1024, "hpn-7"),
    ("gb200-nvl72", 1152, "superpod-gb200-ndr"),
    ("hgx-h100", 1024, "dragonfly-ndr"),
]


@pytest.fixture(params=CLUSTERS, ids=lambda one: one[2])
def cluster(request, build):
    """A cluster without a site."""
    return build(*request.param)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_schedule_has_every_cable_of_the_design(cluster, text_of) -> None:
    rows = rows_of(text_of(write_cable_schedule(cluster)["cable-schedule.csv"]))
    for network in cluster.cabled:
        mine = [row for row in rows if row["network"] == network.name]
        assert len({row["cable"] for row in mine}) == sum(group.num_cables for group in network.cables)


def test_rates_are_those_of_the_ports(cluster, text_of) -> None:
    rows = rows_of(text_of(write_cable_schedule(cluster)["cable-schedule.csv"]))
    into_nodes = cluster.fabric.compute.cables[0]
    (rate,) = {
        row["bytes_per_s"]
        for row in rows
        if row["from_device"] == "node-0000" and row["network"] == "compute"
    }
    assert float(rate) == into_nodes.bytes_per_s / into_nodes.links_per_cable


def test_no_port_is_used_twice_and_the_map_is_the_schedule(cluster, text_of) -> None:
    rows = rows_of(text_of(write_cable_schedule(cluster)["cable-schedule.csv"]))
    ends = Counter(
        end for row in rows
        for end in ((row["from_device"], row["from_port"]), (row["to_device"], row["to_port"]))
    )  # fmt: skip
    assert set(ends.values()) == {1}
    mapped = {
        (row["device"], row["port"]) for row in rows_of(text_of(write_port_map(cluster)["port-map.csv"]))
    }
    assert mapped == set(ends)


def test_the_graph_is_the_schedule(cluster, text_of) -> None:
    rows = rows_of(text_of(write_cable_schedule(cluster)["cable-schedule.csv"]))
    text = text_of(write_graphml(cluster)["fabric.graphml"])
    space = "{http://graphml.graphdrawing.org/xmlns}"
    graph = ElementTree.fromstring(text).find(f"{space}graph")
    assert graph is not None
    nodes = {node.get("id") for node in graph.findall(f"{space}node")}
    edges = Counter((edge.get("source"), edge.get("target")) for edge in graph.findall(f"{space}edge"))
    assert edges == Counter((row["from_device"], row["to_device"]) for row in rows)
    assert {end for edge in edges for end in edge} <= nodes
    assert len(nodes) == len(graph.findall(f"{space}node"))


def test_networkx_reads_the_graph(cluster, text_of) -> None:
    networkx = pytest.importorskip("networkx", reason="networkx is not installed")
    text = text_of(write_graphml(cluster)["fabric.graphml"])
    graph = networkx.parse_graphml(text, force_multigraph=True)
    compute = cluster.fabric.compute
    wired = [data for _, _, data in graph.edges(data=True) if data["network"] == "compute"]
    assert len(wired) == sum(group.num_cables * group.links_per_cable for group in compute.cables)
    roles = Counter(data["role"] for _, data in graph.nodes(data=True))
    assert roles["node"] == cluster.fabric.num_nodes


def test_ports_are_named_as_they_stand_on_the_front() -> None:
    """A 64-port switch whose lower half is broken out by two: 1/1, 1/2, ..., 32/2, then 33 to 64."""
    tier = SwitchTier(
        role="leaf", switch="s", num_switches=1, num_ports=64, num_down_ports=64, num_up_ports=32,
        down_links_per_port=2,
    )  # fmt: skip
    names = port_names(tier, 64)
    assert (names[0], names[1], names[63], names[64], names[-1]) == ("1/1", "1/2", "32/2", "33", "64")
    spine = SwitchTier(
        role="spine", switch="s", num_switches=1, num_ports=128, num_down_ports=100, num_up_ports=0
    )
    assert (port_names(spine, 64)[:2], len(port_names(spine, 64))) == (["1/1", "1/2"], 128)


def test_a_schedule_is_written_as_it_comes(build) -> None:
    """Of the 12 MB of text of 24,576 GPUs no more than a fraction is ever held."""
    cluster = build("hgx-h100", 24_576, "llama-3-roce")
    for network in cluster.cabled:
        cluster.graph(network.name)
    tracemalloc.start()
    length = sum(map(len, write_cable_schedule(cluster)["cable-schedule.csv"]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < length


def test_a_scale_up_cable_stays_in_its_rack(build, text_of) -> None:
    """NVL72: 72 GPUs with a link to each of 18 chips, all within one rack (DGX SuperPOD GB200)."""
    cluster = build("gb200-nvl72", 1152, "superpod-gb200-ndr", "generic")
    rows = rows_of(text_of(write_cable_schedule(cluster)["cable-schedule.csv"]))
    within = [row for row in rows if row["network"] == "scale-up"]
    assert Counter(row["from_rack"] for row in within) == Counter(row["to_rack"] for row in within)
    assert all(row["from_rack"] == row["to_rack"] for row in within)
    assert set(Counter(row["from_rack"] for row in within).values()) == {72 * 18}


@pytest.mark.parametrize("one", [CLUSTERS[0], CLUSTERS[1], CLUSTERS[3]], ids=lambda one: one[2])
def test_the_schedule_adds_up_to_the_bill(build, text_of, one) -> None:
    """Cables of each kind, and their metres, as the design counts and bills them."""
    cluster = build(*one, "generic")
    rows = rows_of(text_of(write_cable_schedule(cluster)["cable-schedule.csv"]))
    cables = {row["cable"]: row for row in rows}
    found = Counter((row["network"], row["part"]) for row in cables.values())
    billed: Counter[tuple[str, str]] = Counter()
    for line in cluster.fabric.bill:
        if line.category == "cable":
            billed[line.network, line.part] += int(line.quantity)
    assert found == billed
    for network in cluster.cabled:
        metres = sum(sum(group.metres_by_link.values()) for group in network.cables)
        mine = [float(row["length_m"]) for row in cables.values() if row["network"] == network.name]
        assert sum(mine) == pytest.approx(metres, rel=1e-3)


def test_the_bill_is_the_design_s(build, text_of) -> None:
    cluster = build("hgx-b200", 512, "superpod-b200-ndr", "generic")
    rows = rows_of(text_of(write_bill(cluster)["bill-of-materials.csv"]))
    assert len(rows) == len(cluster.fabric.bill)
    total_w = sum(float(row["power_w"]) for row in rows if row["power_w"])
    assert total_w == pytest.approx(cluster.fabric.power_w)
    unknown = [row for row in rows if row["price_usd_each"] == ""]
    assert {row["price_usd"] for row in unknown} <= {""}
    assert {row["part"] for row in rows if row["category"] == "switch"} == set(cluster.parts.switches) - INNER
