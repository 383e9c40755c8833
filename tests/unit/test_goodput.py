"""The closed form of goodput: its ranges against chance, its inputs, and its ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gigawatt.catalog import Catalog, load_catalog
from gigawatt.project.goodput import Goodput, Recovery, goodput_of, recovery_of
from gigawatt.project.trace import Trace

Z90 = 1.2815515655446004


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return load_catalog()


def recovery(catalogue: Catalog, system_id: str) -> Recovery:
    system = catalogue.system(system_id)
    return recovery_of(system, catalogue.accelerator(system.accelerator), catalogue, Trace())


def goodput(catalogue: Catalog, system_id: str, num_accelerators: int, num_params: float) -> Goodput:
    learnt = recovery(catalogue, system_id)
    return goodput_of(learnt, catalogue.system(system_id), num_accelerators, num_params, 10.0)


@pytest.mark.parametrize("num_accelerators", [1024, 16384])
def test_its_range_is_what_drawing_every_input_gives(catalogue: Catalog, num_accelerators: int) -> None:
    """Inputs drawn log-normally between their ends; what is lost to first order, each at its best interval.

    Combining the ends of one input at a time comes within a fifth of what is lost: the middle of skewed
    inputs lies below the median of what they make.
    """
    rng = np.random.default_rng(3)
    draws = {}
    for field, ends in recovery(catalogue, "hgx-h100").inputs.items():
        z = rng.standard_normal(200_000) / Z90
        arm = np.where(z > 0, np.log(ends.high / ends.middle), np.log(ends.middle / ends.low))
        draws[field] = ends.middle * np.exp(arm * z)
    rate = draws["node_failures_per_s"] * num_accelerators / 8
    write = 405e9 * draws["saved_bytes"] / (draws["write_bytes_per_s"] * num_accelerators)
    wait = draws["detection_s"] + draws["replacement_s"] + draws["restart_s"]
    lost = np.quantile(rate * wait + np.sqrt(2 * write * rate), [0.1, 0.5, 0.9])
    found = goodput(catalogue, "hgx-h100", num_accelerators, 405e9).frac
    overheads = [1 / kept - 1 for kept in (found.high, found.middle, found.low)]
    assert overheads[0] == pytest.approx(lost[0], rel=0.2)
    assert overheads[1] == pytest.approx(lost[1], rel=0.2)
    assert overheads[2] == pytest.approx(lost[2], rel=0.2)


def test_rates_come_from_the_architectures_own_fleets_or_from_all(catalogue: Catalog) -> None:
    """A100 from Meta's two clusters; a part that nobody published on from everybody, per accelerator."""
    ampere = recovery(catalogue, "hgx-a100").inputs["node_failures_per_s"]
    assert ampere.middle == pytest.approx((6.50e-3 * 2.34e-3) ** 0.5 / 86400)
    assert (ampere.low, ampere.high) == pytest.approx((2.34e-3 / 86400, 6.50e-3 / 86400))
    unseen = recovery(catalogue, "hgx-mi300x").inputs["node_failures_per_s"]
    eight = [6.50e-3, 2.34e-3, 2.53e-3, 6.4e-3, 2.89e-3, 2 * 0.8e-3]
    assert unseen.middle == pytest.approx(np.prod(eight) ** (1 / 6) / 86400)


OWN = """\
reliability:
  - id: our-h100
    name: Our H100, first half of 2026
    organisation: we
    accelerator: h100-sxm-80gb
    source: our-logbook
    basis: measured
    date: "2026-07"
    accelerators_per_node: 8
    node_failures_per_s: 3.1e-3 events/day
sources:
  our-logbook: {title: Log, publisher: we, url: "", date: "2026-07", accessed: "2026-07-01", licence: ours}
"""


def test_what_an_overlay_has_watched_replaces_what_others_published(tmp_path: Path) -> None:
    """Of its own architecture; and what it does not state stays as it was."""
    (tmp_path / "own.yaml").write_text(OWN, encoding="utf-8")
    own, shipped = load_catalog([tmp_path / "own.yaml"]), load_catalog()
    rate = recovery(own, "hgx-h200").inputs["node_failures_per_s"]
    assert (rate.low, rate.middle, rate.high) == pytest.approx((3.1e-3 / 86400,) * 3)
    assert recovery(own, "hgx-h200").inputs["restart_s"] == recovery(shipped, "hgx-h200").inputs["restart_s"]
    assert recovery(own, "hgx-a100").inputs == recovery(shipped, "hgx-a100").inputs


def test_a_tray_of_four_fails_half_as_often_as_a_node_of_eight(catalogue: Catalog) -> None:
    assert catalogue.system("gb200-nvl72").num_accelerators_per_node == 4
    tray = recovery(catalogue, "gb200-nvl72").inputs["node_failures_per_s"]
    node = recovery(catalogue, "hgx-b200").inputs["node_failures_per_s"]
    assert tray.middle == pytest.approx(node.middle / 2)


def test_more_accelerators_and_more_parameters_deliver_a_smaller_share(catalogue: Catalog) -> None:
    shares = [goodput(catalogue, "hgx-h100", size, 405e9).frac.middle for size in (128, 1024, 8192, 65536)]
    assert shares == sorted(shares, reverse=True)
    models = [goodput(catalogue, "hgx-h100", 1024, params).frac.middle for params in (8e9, 70e9, 405e9)]
    assert models == sorted(models, reverse=True)


def test_checkpoints_are_not_written_within_a_step(catalogue: Catalog) -> None:
    learnt = recovery(catalogue, "hgx-h100")
    found = goodput_of(learnt, catalogue.system("hgx-h100"), 100_000, 1e9, 300.0)
    assert found.checkpoint_interval_s == 300.0


def test_a_fleet_that_never_gets_anywhere_still_has_figures(catalogue: Catalog) -> None:
    """A million nodes: no division by what is left of nothing."""
    found = goodput(catalogue, "hgx-h100", 8_000_000, 1e12).frac
    assert 0 <= found.low <= found.middle <= found.high < 0.2
