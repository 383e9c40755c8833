"""Figures from quantities and back, against closed forms; what rows print, read."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from gigawatt.catalog import load_catalog
from gigawatt.domain.published_failures import Figure, Quantity
from gigawatt.validation.reliability_figures import Knowledge, UnseenError, observation_of, predict
from gigawatt.validation.reliability_pool import Observation, Pool, pool_of
from gigawatt.validation.reliability_rows import Value, read_value

HERE = frozenset({"here"})
DAY = 86400.0
SURE: dict[Quantity, float] = {
    "node_failures": 4e-3 / DAY, "link_failures": 3e-5 / DAY, "corruptions": 5e-5 / DAY, "gpu_share": 0.6,
    "frail_nodes": 0.02, "frail_failures": 0.73, "lost_time": 600.0, "by_hand_share": 0.01,
}  # fmt: skip


@pytest.fixture(scope="module")
def sure() -> dict[Quantity, Pool | None]:
    """Quantities that are known all but exactly: what remains is arithmetic and chance."""
    pools: dict[Quantity, Pool | None] = dict.fromkeys(
        ["memory_share", "lost_time_by_hand"],  # type: ignore[list-item]
    )
    for parameter in load_catalog().published_failures().parameters:
        if parameter.id in SURE:
            still = {**parameter.levels, "organisation": 1e-6, "row": 1e-6}
            exact = parameter.model_copy(update={"levels": still, "offsets": {}})
            value = SURE[parameter.id]  # type: ignore[index]
            pools[parameter.id] = pool_of(exact, [Observation(HERE, "census", value, 1e-6)])  # type: ignore[index]
    return pools


def drawn(sure: dict[Quantity, Pool | None], **figure: object) -> np.ndarray:
    return predict(Figure.model_validate(figure), Knowledge(sure, HERE, np.random.default_rng(1)))


def test_interruptions_are_a_poisson_count(sure) -> None:
    counts = drawn(sure, predicts="count", num_units=2048, period_s=54 * DAY, num_planned=47)
    expected = 2048 * 54 * 4e-3
    assert counts.mean() == pytest.approx(expected + 47, rel=0.01)
    assert counts.var() == pytest.approx(expected, rel=0.1)
    gpus = drawn(sure, predicts="count", num_units=2048, period_s=54 * DAY, of_gpus=True)
    assert gpus.mean() == pytest.approx(0.6 * expected, rel=0.01)


def test_rates_and_times_between_are_each_other_inverted(sure) -> None:
    rate = drawn(sure, predicts="rate", num_units=1000, period_s=DAY)
    assert np.median(rate) == pytest.approx(4.0, rel=1e-4)
    hours = drawn(sure, predicts="interval", num_units=16384, unit_s=3600.0)
    assert np.median(hours) == pytest.approx(24 / (16384 * 4e-3), rel=1e-4)


def test_time_kept_by_closed_form(sure) -> None:
    """2,000 nodes fail eight times a day; each costs ten minutes, or that and half an interval."""
    assert np.median(drawn(sure, predicts="kept", quantity="lost_time", num_units=2000)) == pytest.approx(
        1 / (1 + 8 * 600 / DAY), rel=1e-3
    )
    kept = drawn(sure, predicts="kept", quantity="lost_time", num_units=2000, interval_s=600.0)
    assert np.median(kept) == pytest.approx(1 / (1 + 8 * 900 / DAY), rel=2e-3)
    lost = drawn(sure, predicts="lost", quantity="lost_time", num_units=2000, interval_s=600.0)
    assert np.median(lost) == pytest.approx(1 - np.median(kept))


def test_an_interval_that_keeps_a_share_keeps_it(sure) -> None:
    """To first order, as it was asked: 1 - rate (restart + half) is a half."""
    minutes = np.median(
        drawn(
            sure, predicts="interval_for", quantity="lost_time", num_units=3000, kept_frac=0.5,
            recovery_s=300.0, unit_s=60.0,
        )
    )  # fmt: skip
    assert 1 - 12 / DAY * (300 + 30 * minutes) == pytest.approx(0.5, rel=1e-3)


def test_spares_are_the_99th_percentile_of_a_binomial(sure) -> None:
    spares = drawn(sure, predicts="spares", num_units=128, period_s=DAY)
    assert np.median(spares) == binom.ppf(0.99, 128, 4e-3)


def test_lemons(sure) -> None:
    found = drawn(sure, predicts="members", quantity="frail_nodes", num_units=3000)
    assert found.mean() == pytest.approx(60, rel=0.01)
    after = drawn(sure, predicts="failed_after", quantity="frail_failures", failed_frac=0.14)
    assert np.median(after) == pytest.approx(1 - 0.86**0.27, rel=1e-3)


def test_shares(sure) -> None:
    network = drawn(sure, predicts="network_share", quantity="link_failures", num_units=8)
    assert np.median(network) == pytest.approx(8 * 3e-5 / 4e-3, rel=1e-3)
    assert np.median(drawn(sure, predicts="others", quantity="by_hand_share")) == pytest.approx(0.99)


def test_what_nobody_has_seen_is_not_predicted(sure) -> None:
    with pytest.raises(UnseenError, match="memory share"):
        drawn(sure, predicts="share", quantity="memory_share")


@pytest.mark.parametrize(
    "figure",
    [
        {"predicts": "count", "num_units": 2048, "period_s": 54 * DAY, "num_planned": 47},
        {"predicts": "count", "num_units": 2048, "period_s": 54 * DAY, "of_gpus": True},
        {"predicts": "rate", "num_units": 1000, "period_s": DAY},
        {"predicts": "interval", "num_units": 128, "unit_s": 3600.0},
        {"predicts": "share", "quantity": "gpu_share"},
        {"predicts": "members", "quantity": "frail_nodes", "num_units": 3000},
        {"predicts": "duration", "quantity": "lost_time", "unit_s": 60.0},
        {"predicts": "kept", "quantity": "lost_time", "num_units": 2000},
        {"predicts": "lost", "quantity": "lost_time", "num_units": 2000},
    ],
    ids=lambda figure: f"{figure['predicts']}{'-gpus' * ('of_gpus' in figure)}",
)
def test_what_a_figure_teaches_is_what_it_follows_from(sure, figure) -> None:
    asked = Figure.model_validate(figure)
    middle = float(np.median(predict(asked, Knowledge(sure, HERE, np.random.default_rng(2)))))
    learnt = observation_of(asked, middle, 0.0, HERE, 0.6, SURE["node_failures"])
    assert learnt is not None
    assert learnt.value == pytest.approx(SURE[asked.quantity], rel=0.02)


def test_less_lost_than_the_interval_costs_teaches_nothing() -> None:
    figure = Figure(predicts="kept", quantity="lost_time", num_units=2000, interval_s=3600.0)
    assert observation_of(figure, 0.99, 0.0, HERE, 1.0, 4e-3 / DAY) is None


def test_counts_are_as_sure_as_they_are_large() -> None:
    figure = Figure(predicts="count", num_units=1, period_s=1.0, sd=0.1)
    learnt = observation_of(figure, 25.0, 0.0, HERE, 1.0, 1.0)
    assert learnt is not None
    assert learnt.sd == pytest.approx(np.hypot(0.1, 0.2))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("419", Value("number", 419.0, 419.0)),
        ("5e-05", Value("number", 5e-5, 5e-5)),
        (">0.90", Value("bound", 0.9, np.inf)),
        ("<=0.05", Value("bound", 0.0, 0.05)),
        ("0.01-0.02", Value("range", 0.01, 0.02)),
        ("10/10", Value("number", 10.0, 10.0)),
        ("0.14->0.04", Value("number", 0.04, 0.04)),
        ("18, 6, 11", None),
        ("1047 -> 361 -> <5", None),
        ("nan", None),
        ("2-1", None),
        ("", None),
    ],
)
def test_what_rows_print(text: str, value: Value | None) -> None:
    assert read_value(text) == value
