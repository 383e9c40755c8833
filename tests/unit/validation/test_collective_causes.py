"""Curves made by one change are recognised by it; chance and small gaps are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from gigawatt.validation.collective_causes import Change, Floats, Place, likely_cause
from gigawatt.validation.nccl_hints import Hints

SIZES = 2.0 ** np.arange(20, 34)
LATENCY = {
    "ring": {"LL": 60e-6, "Simple": 120e-6},
    "tree": {"LL": 30e-6, "Simple": 60e-6},
    "nvls": {"Simple": 40e-6},
}
NEAR = {"ring": 1 / 370e9, "tree": 2 / 370e9, "nvls": 0.6 / 370e9}
FAR = {"ring": 2 / 390e9, "tree": 1.9 / 390e9, "nvls": 1.0 / 390e9}


def times(change: Change) -> Floats | None:
    """Two nodes of eight, by a model of latency and rates: what the test knows and the search does not."""
    found = []
    for name, protocols in LATENCY.items():
        for protocol, latency_s in protocols.items():
            if change.algorithm not in ("", name) or change.protocol not in ("", protocol):
                continue
            slower = 3.0 if protocol == "LL" else 1.0
            near = SIZES * NEAR[name] * slower / change.near_frac
            far = SIZES * FAR[name] * slower / change.far_frac
            found.append(latency_s + np.maximum(near, far))
    return np.minimum.reduce(found) if found else None


PLACE = Place(
    collective="all_reduce",
    num_ranks=16,
    num_domains=2,
    algorithms=frozenset(LATENCY),
    protocols=frozenset({"LL", "Simple"}),
    num_ports=8,
)


def cause_of(measured: Floats, hints: Hints | None = None, place: Place = PLACE):
    base = times(Change())
    assert base is not None
    outside = np.abs(np.log(measured / base)) > 0.1
    return likely_cause(list(measured), list(base), list(outside), times, place, hints)


def noisy(change: Change, seed: int = 1) -> Floats:
    made = times(change)
    assert made is not None
    return made * np.exp(np.random.default_rng(seed).normal(0.0, 0.03, made.size))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (Change(far_frac=1 / 8), "1 of 8 network ports of each domain was used"),
        (Change(far_frac=0.5), "4 of 8 network ports of each domain were used"),
        (Change(near_frac=0.05), "PCIe or host memory"),
        (Change(algorithm="tree"), "it ran by tree, the switches not reducing"),
        (Change(algorithm="ring"), "it ran by ring, the switches not reducing"),
        (Change(protocol="LL"), "the protocol LL at every size"),
        (Change(far_frac=0.75), "behind another PCIe switch or CPU socket"),
    ],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_change_that_made_a_curve_is_named(change: Change, says: str, seed: int) -> None:
    cause = cause_of(noisy(change, seed))
    assert says in cause.text
    assert "slower than predicted: as if" in cause.text
    assert cause.advice
    assert abs(cause.left_frac) < 0.1


def test_the_log_decides_between_causes_that_look_alike() -> None:
    measured = noisy(Change(far_frac=0.5))
    assert "GPUDirect RDMA off" in " ".join(cause_of(measured).alike)
    staged = cause_of(measured, Hints(network="IB", nics=frozenset(range(8)), num_channels_staged=16))
    assert "GPUDirect RDMA off" in staged.words
    assert "(the log: network channels without GDRDMA)" in staged.text
    direct = cause_of(measured, Hints(network="IB", nics=frozenset(range(4)), num_channels_direct=16))
    assert "4 of 8 network ports" in direct.words
    assert "channels on 4 ports" in direct.text
    assert "GPUDirect" not in " ".join(direct.alike)


def test_a_setting_in_the_log_is_quoted() -> None:
    cause = cause_of(noisy(Change(algorithm="ring")), Hints(settings={"NCCL_ALGO": "Ring"}))
    assert "NCCL_ALGO is Ring" in cause.text


def test_a_delay_of_every_call_shows_in_small_messages() -> None:
    base = times(Change())
    assert base is not None
    assert "each call took 500 us more" in cause_of(base + 500e-6).text


def test_chance_and_small_gaps_are_not_explained() -> None:
    assert cause_of(noisy(Change())).text == ""
    one_off = noisy(Change())
    one_off[3] *= 3.0
    assert cause_of(one_off).text == ""


def test_what_nothing_explains_is_said() -> None:
    base = times(Change())
    assert base is not None
    zigzag = base * np.where(np.arange(base.size) % 2 == 0, 20.0, 1.5)
    assert "no single cause explains it" in cause_of(zigzag).text


def test_faster_than_predicted_is_no_fault() -> None:
    base = times(Change())
    assert base is not None
    assert cause_of(base / 1.5).text == "33% faster than predicted: nothing to repair"


def test_one_domain_has_no_network_to_blame() -> None:
    alone = PLACE._replace(num_ranks=8, num_domains=1)
    assert "network" not in cause_of(noisy(Change(far_frac=1 / 8)), place=alone).words
