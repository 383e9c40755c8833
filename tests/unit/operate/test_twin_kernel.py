"""The compiled fleet against the same functions in plain Python: every table, to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gigawatt import kernels
from gigawatt.handles import Handle
from gigawatt.operate.policies import POLICIES
from gigawatt.operate.rehearse import play
from gigawatt.operate.tables import Table
from gigawatt.operate.twin import Twin, new_twin

SEEDS = {"fifo": 3, "sjf": 6, "easy": 4, "conservative": 1, "edf": 13, "fair-share": 14, "quota": 8}


def plain(function: Callable[..., Any], **_options: Any) -> Callable[..., Any]:
    """The function as it is written, without a compiler."""

    def call(*arguments: Any) -> Any:
        with np.errstate(over="ignore", divide="ignore"):
            return function(*(one.held if isinstance(one, Handle) else one for one in arguments))

    return call


def played(made_up_fleets: Any, seed: int, policy: str) -> tuple[Twin, Table]:
    plan, hazards, parts = made_up_fleets.some_fleet(seed, policy)
    twin = new_twin(plan, made_up_fleets.GPUS_PER_NODE, hazards, parts, {}, seed)
    blocks: list[Table] = []
    play(twin, lambda rows: blocks.append(rows.copy()))
    return twin, np.concatenate(blocks)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_kernel_is_the_plain_functions(
    made_up_fleets, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    compiled, rows = played(made_up_fleets, SEEDS[policy], policy)
    monkeypatch.setattr(kernels, "compiled", plain)
    reference, expected = played(made_up_fleets, SEEDS[policy], policy)
    assert len(expected) > 300
    assert rows.tobytes() == expected.tobytes()
    for mine, theirs in ((compiled.fleet, reference.fleet), (compiled.world, reference.world)):
        assert_same(mine, theirs)


def assert_same(mine: Any, theirs: Any) -> None:
    """Every array of a named tuple of arrays and such tuples."""
    for name, value in mine._asdict().items():
        other = getattr(theirs, name)
        if hasattr(value, "_fields"):
            assert_same(value, other)
        elif name == "tenants":  # numpy and the C library round an exponential differently
            assert np.allclose(value.usage_gpu_s, other.usage_gpu_s, rtol=1e-12)
            assert value.used_gpus.tolist() == other.used_gpus.tolist()
        elif isinstance(value, np.ndarray):
            assert value.tobytes() == other.tobytes(), name
        else:
            assert value == other, name
