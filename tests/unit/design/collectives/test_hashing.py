"""Hash collisions of a collective, against closed forms, and what a prediction makes of them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from gigawatt.catalog import Catalog, load_catalog
from gigawatt.design.collectives import predict_collective
from gigawatt.design.collectives.hashing import LeafFlows, hash_slowdown, leaf_flows
from gigawatt.design.fabric import plan_fabric
from gigawatt.design.fabric.collisions import hash_collisions
from gigawatt.domain.fabric import FabricDesign
from gigawatt.laws.congestion import ecmp_share
from gigawatt.project.parts import fabric_parts
from gigawatt.views.collectives import hash_text

GIB = 2.0**30


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return load_catalog()


def wired(catalogue: Catalog, kind: str, gpus: int) -> FabricDesign:
    system = catalogue.system("hgx-h100")
    return plan_fabric(system, gpus, fabric_parts(catalogue, kind, system))


def test_two_flows_on_two_links_at_two_leaves() -> None:
    """Each leaf collides half of the time, so neither does in one of four."""
    assert hash_slowdown(LeafFlows(2, 2, 1, 1.0, 1)) == pytest.approx((1.5, 2.0))
    assert hash_slowdown(LeafFlows(2, 2, 1, 1.0, 2)) == pytest.approx((1.75, 2.0))
    assert hash_slowdown(LeafFlows(2, 2, 1, 0.5, 2)) == pytest.approx((1.0, 1.0))
    assert hash_slowdown(None) == (1.0, 1.0)


def test_the_fullest_of_several_leaves_by_counting_every_hash() -> None:
    worst = [
        max(np.bincount(links[:3], minlength=3).max(), np.bincount(links[3:], minlength=3).max())
        for links in product(range(3), repeat=6)
    ]
    assert ecmp_share(3, 3, num_leaves=2).mean_factor == pytest.approx(np.mean(worst))


def test_a_ring_of_leaves_drawn_over_both_hops_is_the_closed_form() -> None:
    """What leaves one leaf enters the next by the same spines: the way down is as full as the way up."""
    flows = [(leaf, (leaf + 1) % 4) for leaf in range(4) for _ in range(8)]
    drawn = hash_collisions(flows, 16, num_draws=4000, seed=2)
    closed = hash_slowdown(LeafFlows(8, 16, 1, 1.0, 4))
    assert drawn.mean_factor == pytest.approx(closed.mean_factor, rel=0.01)
    assert drawn.p99_factor == closed.p99_factor


def test_beyond_the_exact_law_the_excess_still_shrinks() -> None:
    factors = [hash_slowdown(LeafFlows(n, 32, 1, 32 / n, 1)).mean_factor for n in (2048, 4096, 8192, 65_536)]
    assert factors == sorted(factors, reverse=True)
    assert factors[2] - 1 == pytest.approx((factors[1] - 1) / 2**0.5)


def test_flows_are_counted_by_what_the_cables_say(catalogue: Catalog) -> None:
    """Leaves of 64 ports at 400 Gbit/s take eight nodes; 32 links of 800 Gbit/s go up."""
    net = wired(catalogue, "ethernet-51t-fat-tree", 1024).compute
    assert leaf_flows(net, 1.0, 128, 1.0, False, False) == LeafFlows(8, 32, 1, 0.5, 16)
    assert leaf_flows(net, 1.0, 8, 1.0, False, False) is None
    assert leaf_flows(net, 1.0, 128, 0.125, False, False) == LeafFlows(1, 32, 1, 0.5, 16)
    exchange = leaf_flows(net, 1.0, 128, 1.0, False, True)
    assert exchange is not None
    assert exchange.num_flows == 64 * 120
    assert exchange.num_flows * exchange.flow_per_link_frac == pytest.approx(32 * 120 / 127)


def test_a_prediction_carries_its_collisions(catalogue: Catalog) -> None:
    system, calibration = catalogue.system("hgx-h100"), catalogue.collective_calibration()
    fabric = wired(catalogue, "ethernet-51t-fat-tree", 1024)
    found = predict_collective("all_reduce", GIB, 1024, system, calibration, fabric)
    mean, p99 = hash_slowdown(LeafFlows(8, 32, 1, 0.5, 16))
    assert (found.mean_slowdown, found.p99_slowdown) == pytest.approx((mean, p99), abs=1e-8)
    assert found.hash_p99_s is not None
    assert found.time_s < found.hash_p99_s <= found.high_s
    assert "one run of a hundred" in hash_text(found)
    by_hand = predict_collective(
        "all_reduce", GIB, 1024, system, calibration, _routed(fabric, "adaptive"), congestion=mean
    )
    assert found.time_s == pytest.approx(by_hand.time_s)
    inside_a_leaf = predict_collective("all_reduce", GIB, 64, system, calibration, fabric)
    assert inside_a_leaf.hash_p99_s is None


def test_queue_pairs_help(catalogue: Catalog) -> None:
    net = wired(catalogue, "ethernet-51t-fat-tree", 1024).compute
    one, many = (
        hash_slowdown(
            leaf_flows(net.model_copy(update={"qps_per_connection": n}), 1.0, 128, 1.0, False, False)
        )
        for n in (1, 16)
    )
    assert many.mean_factor < one.mean_factor
    assert wired(catalogue, "llama-3-roce", 1024).compute.qps_per_connection == 16


@pytest.mark.parametrize("kind", ["superpod-h100-ndr", "spectrum-x-400g", "hpn-7"])
def test_adaptive_and_static_routes_do_not_collide(catalogue: Catalog, kind: str) -> None:
    system, calibration = catalogue.system("hgx-h100"), catalogue.collective_calibration()
    fabric = wired(catalogue, kind, 2048)
    assert fabric.compute.routing in ("adaptive", "static")
    found = predict_collective("all_reduce", GIB, 2048, system, calibration, fabric)
    assert (found.mean_slowdown, found.hash_p99_s) == (1.0, None)
    assert hash_text(found) == ""


def _routed(fabric: FabricDesign, routing: str) -> FabricDesign:
    networks = tuple(
        net.model_copy(update={"routing": routing}) if net.name == "compute" else net
        for net in fabric.networks
    )
    return fabric.model_copy(update={"networks": networks})
