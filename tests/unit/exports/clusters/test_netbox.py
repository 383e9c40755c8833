"""A NetBox bundle by the rules of NetBox's import forms: every end cabled once, every device in a rack."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from gigawatt.documents import parse_yaml
from gigawatt.errors import InputError
from gigawatt.exports.netbox import write_netbox
from gigawatt.exports.netbox_read import NetBoxBundle, read_netbox

CLUSTERS = [
    ("hgx-b200", 512, "superpod-b200-ndr"),
    ("gb200-nvl72", 1152, "superpod-gb200-ndr"),
    ("hgx-b300", 4096, "superpod-b300-spectrum-x"),
]


@pytest.fixture(params=CLUSTERS, ids=lambda one: one[2])
def cluster(request, build):
    """A cluster on the generic site."""
    return build(*request.param, "generic")


def bundle_of(cluster, text_of) -> tuple[dict[str, str], NetBoxBundle]:
    files = {name: text_of(text) for name, text in write_netbox(cluster).items()}
    return files, read_netbox(files)


def test_a_bundle_is_accepted_and_complete(cluster, text_of) -> None:
    _, bundle = bundle_of(cluster, text_of)
    roles = Counter(device["role"] for device in bundle.tables["devices"])
    assert roles["node"] == cluster.fabric.num_nodes
    for tier in cluster.fabric.compute.tiers:
        assert roles[f"compute-{tier.role}"] == tier.num_switches
    assert len(bundle.tables["racks"]) == cluster.facility.floor.num_racks


def test_every_compute_link_is_a_cable(cluster, text_of) -> None:
    _, bundle = bundle_of(cluster, text_of)
    compute = [row for row in bundle.tables["cables"] if row["label"].startswith("compute-")]
    groups = cluster.fabric.compute.cables
    assert len(compute) == sum(group.num_cables * group.links_per_cable for group in groups)
    assert len({row["label"] for row in compute}) == sum(group.num_cables for group in groups)


def test_switches_have_no_more_interfaces_than_their_ports_split_into(cluster, text_of) -> None:
    _, bundle = bundle_of(cluster, text_of)
    for network in cluster.in_the_hall:
        for tier in network.tiers:
            switch = cluster.parts.switches[tier.switch]
            (kind,) = (
                kind for (_, model), kind in bundle.device_types.items()
                if model == f"{switch.name}, {network.name} {tier.role}"
            )  # fmt: skip
            fronts = {port["name"].partition("/")[0] for port in kind["interfaces"]}
            assert {int(front) for front in fronts} <= set(range(1, switch.num_ports + 1))


def test_each_side_of_the_supply_feeds_every_device(cluster, text_of) -> None:
    _, bundle = bundle_of(cluster, text_of)
    plugged = Counter(row["side_b_device"] for row in bundle.tables["outlet-cables"])
    assert set(plugged.values()) == {2}
    racks = {row["side_b_device"].partition("-outlets-")[0] for row in bundle.tables["power-cables"]}
    assert len(racks) * 2 == len(bundle.tables["power-feeds"])
    # 89.9 kW at 415 V between phases is the 125 A of the tap-off's name.
    stated = {
        (row["voltage"], row["amperage"], row["max_utilization"]) for row in bundle.tables["power-feeds"]
    }
    assert stated == {("415", "125", "80")}


def test_one_side_is_enough_without_redundancy(build, text_of) -> None:
    cluster = build("hgx-b200", 512, "superpod-b200-ndr", "generic", redundancy="n")
    _, bundle = bundle_of(cluster, text_of)
    assert {row["type"] for row in bundle.tables["power-feeds"]} == {"primary"}


def test_without_a_hall_there_is_nothing_to_import(build) -> None:
    with pytest.raises(InputError, match="give the cluster a site"):
        write_netbox(build("hgx-b200", 512, "superpod-b200-ndr"))


def test_device_types_have_what_the_library_s_schema_asks_for(cluster, text_of) -> None:
    """schema/devicetype.json of the device-type library: required keys, no others, slugs, half units."""
    files, _ = bundle_of(cluster, text_of)
    known = {
        "manufacturer", "model", "slug", "u_height", "is_full_depth", "power-ports", "power-outlets",
        "interfaces",
    }  # fmt: skip
    for name, text in files.items():
        if name.startswith("device-types/"):
            stated = parse_yaml(text, name).value
            assert {"manufacturer", "model", "slug", "u_height", "is_full_depth"} <= set(stated) <= known
            assert re.fullmatch(r"[-a-z0-9_]{1,100}", stated["slug"])
            assert stated["u_height"] * 2 % 1 == 0


NIC = "node-0000,dcim.interface,"
SPOILED = [
    ("10-cables.csv", NIC + "compute-2", NIC + "compute-1", "two cables"),
    ("10-cables.csv", NIC + "compute-2", NIC + "eth9", "there is no dcim.interface eth9"),
    ("10-cables.csv", "side_a_device", "a_device", "NetBox has no column a_device"),
    ("07-devices.csv", "node-0003,", "node-0002,", "node-0002 is there twice"),
    ("07-devices.csv", ",h01-r01-p01,1,front", ",h09-r01-p01,1,front", "is in no row of racks"),
    ("07-devices.csv", ",h01-r01-p01,1,front", ",h01-r01-p01,47,front", "does not fit"),
    ("06-racks.csv", ",19,", ",20,", "expected one of 10, 19, 21, 23"),
    ("09-power-feeds.csv", ",h01-r01-busway-A,", ",eps-7,", "eps-7 is in no row of power-panels"),
]


@pytest.mark.parametrize(("file", "what", "instead", "said"), SPOILED)
def test_what_netbox_would_refuse_is_refused(
    build, text_of, file: str, what: str, instead: str, said: str
) -> None:
    files, _ = bundle_of(build("hgx-b200", 512, "superpod-b200-ndr", "generic"), text_of)
    assert what in files[file]
    with pytest.raises(InputError, match=re.escape(said)):
        read_netbox({**files, file: files[file].replace(what, instead, 1)})
