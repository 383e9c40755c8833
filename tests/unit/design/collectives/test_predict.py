"""One collective: published points, what must be monotonic, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.catalog import load_catalog
from gigawatt.design.collectives import predict_collective
from gigawatt.domain.collectives import CollectivePrediction
from gigawatt.errors import InputError

GIB = 2.0**30
MIB = 2.0**20


CATALOGUE = load_catalog()
H100, CALIBRATION = CATALOGUE.system("hgx-h100"), CATALOGUE.collective_calibration()


def all_reduce(size: float, ranks: int, **more: object) -> CollectivePrediction:
    return predict_collective("all_reduce", size, ranks, H100, CALIBRATION, **more)  # type: ignore[arg-type]


def test_eight_h100_take_four_milliseconds_for_a_gibibyte() -> None:
    """Measured 4.03 ms and 466 GB/s of bus bandwidth; ASTRA-sim says 5.32 and 9.70."""
    found = all_reduce(GIB, 8)
    assert found.low_s <= 4.03e-3 <= found.high_s
    assert found.time_s == pytest.approx(4.03e-3, rel=0.05)
    assert found.algorithm == "nvls"
    assert "NVLink" in found.bottleneck


@pytest.mark.parametrize(("gpus", "busbw"), [(5, 420e9), (6, 440e9), (7, 460e9), (8, 480e9)])
def test_bus_bandwidth_of_part_of_a_node(gpus: int, busbw: float) -> None:
    """NVIDIA/nccl#1455, rounded there to 10 GB/s."""
    assert all_reduce(4 * GIB, gpus).busbw_bytes_per_s == pytest.approx(busbw, rel=0.06)


def test_a_ring_reaches_what_the_maintainer_says() -> None:
    """365 to 370 GB/s with NCCL_ALGO=RING on H100 (NVIDIA/nccl-tests#212)."""
    assert all_reduce(4 * GIB, 8, algorithm="ring").busbw_bytes_per_s == pytest.approx(367e9, rel=0.05)


def test_an_all_to_all_between_nodes_is_one_port_wide() -> None:
    """Jeaugey, NVIDIA/nccl-tests#267: it cannot use the ports of others."""
    found = predict_collective("all_to_all", GIB, 512, H100, CALIBRATION)
    through_port = found.busbw_bytes_per_s * 504 / 511
    assert 0.7 * 50e9 < through_port < 50e9


def test_two_nodes_may_show_more_than_their_network() -> None:
    assert all_reduce(8 * GIB, 16).busbw_bytes_per_s > 400e9 > all_reduce(8 * GIB, 64).busbw_bytes_per_s


@settings(max_examples=30, deadline=None)
@given(st.integers(10, 34), st.integers(2, 2048))
def test_more_bytes_never_take_less_time(power: int, ranks: int) -> None:
    assert all_reduce(2.0**power, ranks).time_s <= all_reduce(2.0 ** (power + 1), ranks).time_s


def test_more_nodes_take_longer_and_odd_numbers_are_fine() -> None:
    times = [all_reduce(GIB, ranks).time_s for ranks in (8, 16, 64, 256, 1024)]
    assert times == sorted(times)
    assert all_reduce(GIB, 24 * 8).num_domains == 24
    assert all_reduce(GIB, 13).time_s > 0


def test_sharing_contention_congestion_and_stragglers_cost_time() -> None:
    usual = all_reduce(GIB, 64).time_s
    assert all_reduce(GIB, 64, num_sharing=2).time_s == pytest.approx(2 * usual, rel=0.1)
    assert usual < all_reduce(GIB, 64, congestion=1.5).time_s < 1.5 * usual
    assert all_reduce(GIB, 64, straggler_s=0.25).time_s == pytest.approx(usual + 0.25)
    assert all_reduce(GIB, 64, ranks_per_domain=1).time_s > 2 * usual


def test_a_captured_launch_is_quicker_and_one_process_for_all_slower() -> None:
    usual = all_reduce(1024.0, 8).time_s
    assert all_reduce(1024.0, 8, captured=True).time_s < usual
    assert all_reduce(1024.0, 8, ranks_per_process=8).time_s > usual


def test_sensitivities_say_what_binds() -> None:
    near, far = all_reduce(GIB, 8).sensitivity, all_reduce(GIB, 256).sensitivity
    assert near["scale-up rate"] == pytest.approx(0.01, abs=0.002)
    assert near["network rate"] == 0.0
    assert far["network rate"] > 0.5 * 0.01


def test_what_sets_the_time_of_a_ring_over_thousands_is_its_latency() -> None:
    """Sixteen thousand ranks wait for 32,766 steps: no faster link would help."""
    found = all_reduce(MIB, 16_384, algorithm="ring")
    assert found.sensitivity["scale-up rate"] < 0.1 * 0.01
    assert found.bottleneck == "latency of ring over 16,384 ranks"
    assert "network" in all_reduce(8 * GIB, 256).bottleneck


def test_a_rack_leaves_by_as_many_ports_as_channels_reach() -> None:
    """CoreWeave, 20 racks: every further GiB takes 5.0 ms, which is 430 GB/s of bus bandwidth."""
    rack = CATALOGUE.system("gb200-nvl72")

    def ring(size: float) -> float:
        return predict_collective("all_reduce", size, 1440, rack, CALIBRATION, algorithm="ring").time_s

    slope_s = (ring(16 * GIB) - ring(8 * GIB)) / 8
    assert slope_s == pytest.approx((84.625e-3 - 45.004e-3) / 8, rel=0.1)
    assert ring(GIB / 2) == pytest.approx(7.1084e-3, rel=0.2)
    exchanged = predict_collective("all_to_all", GIB, 1440, rack, CALIBRATION)
    assert exchanged.busbw_bytes_per_s > 0.7 * 50e9


def test_exchanges_follow_deepep() -> None:
    """128 tokens of 7168 in FP8 with scales to 32 ranks: 155 us (DeepEP, docs/legacy.md)."""
    tokens = 128 * 7168 * (1 + 4 / 128)
    found = predict_collective(
        "moe_dispatch", tokens, 32, CATALOGUE.system("hgx-h800"), CALIBRATION, algorithm="low-latency"
    )
    assert found.time_s == pytest.approx(155e-6, rel=0.1)


def test_what_nothing_measured_has_a_wider_range() -> None:
    known = predict_collective("all_reduce", GIB, 64, H100, CALIBRATION)
    unseen = predict_collective("all_reduce", GIB, 64, CATALOGUE.system("trn2-node"), CALIBRATION)
    untold = predict_collective("broadcast", GIB, 64, H100, CALIBRATION)
    vast = predict_collective("all_reduce", GIB, 32_768, H100, CALIBRATION)
    for wide in (unseen, untold, vast):
        assert wide.high_s / wide.low_s > known.high_s / known.low_s
        assert "no measurement" in wide.basis


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bytes_total": 0.0}, "bytes_total is 0"),
        ({"num_ranks": 1}, "num_ranks is 1"),
        ({"algorithm": "nvls"}, "algorithm: nvls cannot run"),
        ({"network": "token-ring"}, "there are infiniband"),
        ({"ranks_per_domain": 16}, "ranks_per_domain is 16"),
        ({"congestion": 0.5}, "congestion is 0.5"),
        ({"bytes_total": float("nan")}, "bytes_total is nan"),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, object], words: str) -> None:
    asked: dict[str, object] = {"bytes_total": MIB, "num_ranks": 64, **change}
    with pytest.raises(InputError, match=words):
        predict_collective("all_reduce", system=H100, calibration=CALIBRATION, **asked)  # type: ignore[arg-type]
