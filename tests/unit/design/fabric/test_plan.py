"""Fabrics by rules: what their makers and papers say, and what cannot be built."""

from __future__ import annotations

import pytest

from gigawatt.errors import InfeasibleError, InputError


def counts(design) -> dict[str, int]:
    return {tier.role: tier.num_switches for tier in design.compute.tiers}


def cables(design) -> dict[str, int]:
    return {group.upper: group.num_cables for group in design.compute.cables}


def test_links_of_three_units_are_spread_evenly(plan) -> None:
    """24 leaves of 32 uplinks fill 12 spines; each leaf has equally many links to each of 16."""
    design = plan("hgx-b200", 768, "superpod-b200-ndr")
    assert counts(design) == {"leaf": 24, "spine": 16}


def test_the_fabric_manager_takes_the_place_of_a_node(plan) -> None:
    full, short = (plan("hgx-b200", gpus, "superpod-b200-ndr") for gpus in (256, 248))
    assert cables(full)["leaf"] == 256
    assert cables(short) == {"leaf": 248 + 4, "spine": 256}


def test_planes_part_leaves_and_spines_and_share_cables(plan) -> None:
    design = plan("hgx-b300", 4096, "superpod-b300-spectrum-x")
    assert counts(design) == {"leaf": 128, "spine": 64}
    assert cables(design) == {"leaf": 4096, "spine": 4096}
    assert design.compute.num_planes == 2
    assert design.compute.cables[0].links_per_cable == 2


def test_pods_of_llama_3(plan) -> None:
    """8 pods of 3,072; 16 GPUs and a switch to a rack; at most 7:1 between pods."""
    net = plan("hgx-h100", 24576, "llama-3-roce").compute
    assert net.num_pods == 8
    assert net.num_accelerators_per_pod == 3072
    assert net.tier("leaf").num_switches == 1536
    assert 6.5 < net.oversubscription <= 7.0


def test_segments_of_hpn(plan) -> None:
    """A segment of 1,024 GPUs on 16 leaves of 128 ports down and 60 up; 60 spines in either plane."""
    net = plan("hgx-h100", 15360, "hpn-7").compute
    leaf, spine = net.tier("leaf"), net.tier("spine")
    assert (leaf.num_switches, leaf.num_down_ports, leaf.num_up_ports) == (15 * 16, 128, 60)
    assert (spine.num_switches, spine.num_down_ports) == (2 * 60, 120)
    two_pods = plan("hgx-h100", 30720, "hpn-7").compute
    assert two_pods.tier("spine").num_up_ports == 8


def test_a_rack_of_72_has_1296_links_to_nine_trays(plan) -> None:
    net = next(
        net for net in plan("gb200-nvl72", 72, "superpod-gb200-ndr").networks if net.name == "scale-up"
    )
    assert (net.tiers[0].num_switches, net.cables[0].num_cables) == (9, 72 * 18)


def test_mesh_and_torus(plan) -> None:
    mesh = next(n for n in plan("hgx-mi300x", 16, "ethernet-51t-fat-tree").networks if n.name == "scale-up")
    assert mesh.cables[0].num_cables == 2 * 28
    torus = next(n for n in plan("tpu-v4-pod", 4096, "datacentre-host-200g").networks if n.name == "scale-up")
    assert torus.cables[0].num_cables == 3 * 4096


def test_every_switch_has_a_service_port(plan) -> None:
    """Two ports to each node and control node, one to each switch outside the nodes, 24 machines a switch."""
    design = plan("hgx-b200", 512, "superpod-b200-ndr")
    out = next(net for net in design.networks if net.name == "out-of-band")
    others = (net for net in design.networks if net.name != "out-of-band" and not net.inside_node)
    switches = sum(tier.num_switches for net in others for tier in net.tiers)
    assert out.num_nodes * 2 >= 2 * (64 + 2) + switches


def test_asked_oversubscription_is_met_exactly(plan) -> None:
    net = plan("hgx-b200", 1024, "superpod-b200-ndr", oversubscription=2.0).compute
    assert net.tier("leaf").num_up_ports == 16
    assert net.tier("spine").num_switches == 8
    assert net.oversubscription == 2.0
    assert net.bisection_bytes_per_s == pytest.approx(1024 / 2 * 50e9 / 2)


def test_more_planes_break_ports_out(plan) -> None:
    """Twice 200 Gbit/s to an accelerator: units of twice the nodes, as many switches."""
    one, two = (plan("hgx-b200", 2048, "superpod-b200-ndr", num_planes=n).compute for n in (1, 2))
    assert two.nodes_per_unit == 2 * one.nodes_per_unit
    assert [t.num_switches for t in two.tiers] == [t.num_switches for t in one.tiers]
    assert two.cables[0].num_cables == one.cables[0].num_cables


@pytest.mark.parametrize(
    ("asked", "binds", "nearest"),
    [
        ({"num_accelerators": 65544}, "radix of three tiers", "65,536 accelerators"),
        ({"num_accelerators": 1001}, "whole nodes", "1,000 or 1,008"),
        ({"oversubscription": 3.0}, "oversubscription", "3.2:1 (10 up)"),
        ({"num_planes": 3}, "port speed", "one plane or 2 planes"),
    ],
)
def test_what_cannot_be_built_says_what_binds(plan, asked, binds, nearest) -> None:
    with pytest.raises(InfeasibleError) as refused:
        plan(**{"system": "hgx-b200", "num_accelerators": 1024, "fabric": "superpod-b200-ndr", **asked})
    assert str(refused.value).startswith(binds)
    assert nearest in str(refused.value)


def test_the_nearest_design_is_one(plan) -> None:
    assert counts(plan("hgx-b200", 65536, "superpod-b200-ndr"))["core"] == 1024
    plan("hgx-b200", 1024, "superpod-b200-ndr", oversubscription=3.2)


@pytest.mark.parametrize(
    ("system", "asked", "fabric", "binds"),
    [
        ("gb300-nvl72", 201_600, "superpod-gb300-xdr", "radix of three tiers of the storage network: "),
        ("hgx-b300", 1_000_000, "superpod-b300-xdr", "radix of three tiers: "),
        ("hgx-h200", 2_000_000, "dragonfly-ndr", "dragonfly reach: "),
    ],
)
def test_the_nearest_design_counts_every_network(plan, system, asked, fabric, binds) -> None:
    """Storage and management end before the accelerators' own network does; one domain more does not work."""
    with pytest.raises(InfeasibleError, match=binds) as refused:
        plan(system, asked, fabric)
    nearest = int(str(refused.value).split("works: ")[1].split(" ")[0].replace(",", ""))
    step = 72 if system == "gb300-nvl72" else 8
    assert nearest % step == 0
    assert plan(system, nearest, fabric).num_accelerators == nearest
    with pytest.raises(InfeasibleError):
        plan(system, nearest + step, fabric)


@pytest.mark.parametrize("asked", [{"oversubscription": 900.0}, {"num_planes": 0}, {"num_accelerators": -8}])
def test_the_absurd_is_refused_with_its_range(plan, asked) -> None:
    with pytest.raises(InputError, match="expected"):
        plan(**{"system": "hgx-b200", "num_accelerators": 1024, "fabric": "superpod-b200-ndr", **asked})


def test_largest_dragonfly(plan) -> None:
    """Kim et al.: radix 64 joins 513 groups of 512, beyond 256K endpoints."""
    assert counts(plan("hgx-b200", 262656, "dragonfly-ndr")) == {"leaf": 513 * 32}
    with pytest.raises(InfeasibleError, match="dragonfly reach"):
        plan("hgx-b200", 262664, "dragonfly-ndr")


def test_full_trees_are_the_closed_forms(plan) -> None:
    """Al-Fares et al.: 2 (k/2)^t endpoints on (2t - 1) (k/2)^(t-1) switches, radix 64 and 144."""
    for fabric, system, radix in (
        ("superpod-b200-ndr", "hgx-b200", 64),
        ("superpod-b300-xdr", "hgx-b300", 144),
    ):
        two_tiers = counts(plan(system, radix**2 // 2, fabric))
        assert sum(two_tiers.values()) == 3 * radix // 2
    three_tiers = counts(plan("hgx-b200", 64**3 // 4, "superpod-b200-ndr"))
    assert sum(three_tiers.values()) == 5 * 64**2 // 4
