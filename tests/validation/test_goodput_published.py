"""Goodput by closed form against what large runs have published of theirs.

None of these runs is among the rows that plans learn failure rates from (`planned_with: false`), so that the
comparison is a forecast. The figures are in the catalogue, each with its source.
"""

from __future__ import annotations

import pytest

from gigawatt.catalog import Catalog, load_catalog
from gigawatt.project.goodput import Goodput, goodput_of, recovery_of
from gigawatt.project.trace import Trace


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return load_catalog()


def forecast(catalogue: Catalog, system_id: str, num_accelerators: int, num_params: float) -> Goodput:
    system = catalogue.system(system_id)
    learnt = recovery_of(system, catalogue.accelerator(system.accelerator), catalogue, Trace())
    return goodput_of(learnt, system, num_accelerators, num_params, 10.0)


def test_llama_3_is_interrupted_about_as_often_as_meta_counted(catalogue: Catalog) -> None:
    """419 unexpected interruptions in 54 days on 16,384 H100, forecast to within a quarter."""
    fleet = catalogue.reliability("meta-llama-3-405b")
    assert not fleet.planned_with
    assert (fleet.num_interruptions, fleet.num_accelerators) == (419, 16384)
    between = forecast(catalogue, "hgx-h100", 16384, 405e9).interruption_interval_s
    assert fleet.observed_s / between.middle == pytest.approx(419, rel=0.25)
    assert fleet.observed_s / between.high < 419 < fleet.observed_s / between.low


def test_llama_3_trains_for_about_as_much_of_the_time_as_meta_says(catalogue: Catalog) -> None:
    """ "Higher than 90%": the middle lies above, and the bound within the range."""
    share = forecast(catalogue, "hgx-h100", 16384, 405e9).frac
    assert 0.90 < share.middle < 0.97
    assert share.low < 0.90 < share.high


@pytest.mark.parametrize(
    ("fleet", "system", "num_accelerators", "num_params"),
    [
        ("bytedance-byterobust", "hgx-h800", 9600, 200e9),
        ("bytedance-megascale", "hgx-a100", 12288, 175e9),
    ],
)
def test_other_large_runs_lie_within_the_range(
    catalogue: Catalog, fleet: str, system: str, num_accelerators: int, num_params: float
) -> None:
    published = catalogue.reliability(fleet)
    assert not published.planned_with
    share = forecast(catalogue, system, num_accelerators, num_params).frac
    assert share.low < published.effective_frac < share.high
