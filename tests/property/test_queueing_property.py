"""Laws of queues and spares against summed distributions, the balance of all states, and chance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gigawatt.laws import queueing

LOADS = [(0.3, 1), (0.9, 1), (2.0, 3), (4.46, 10), (8.0, 10), (45.0, 50)]


@pytest.mark.parametrize("pipeline", [0.01, 0.5, 1.0, 4.2, 30.0])
@pytest.mark.parametrize("num_spares", [0, 1, 2, 7, 40])
def test_spares_against_the_poisson_distribution_summed_up(pipeline: float, num_spares: int) -> None:
    stock = np.arange(400)
    chance = stats.poisson.pmf(stock, pipeline)
    waiting = (np.maximum(stock - num_spares, 0) * chance).sum()
    filled = stats.poisson.cdf(num_spares - 1, pipeline)
    assert queueing.expected_backorders(pipeline, num_spares) == pytest.approx(waiting, rel=1e-9, abs=1e-12)
    assert queueing.spares_fill_frac(pipeline, num_spares) == pytest.approx(filled, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("cv", [0.0, 0.5, 1.5])
def test_palms_theorem_by_simulation_whatever_the_resupply(cv: float) -> None:
    """Orders outstanding at each demand; resupply times constant, regular or wild."""
    rng = np.random.default_rng(11)
    demands = np.cumsum(rng.exponential(1.0, 2_000_000))
    shape = 1 / max(cv, 1e-9) ** 2
    resupply = rng.gamma(shape, 2.5 / shape, demands.size) if cv else np.full(demands.size, 2.5)
    arrived = np.sort(demands + resupply)
    outstanding = np.arange(demands.size) - np.searchsorted(arrived, demands)
    late = outstanding[1000:]
    pipeline = queueing.pipeline_parts(1.0, 2.5)
    for spares in (1, 3, 5):
        assert queueing.spares_fill_frac(pipeline, spares) == pytest.approx(np.mean(late < spares), rel=0.01)
        short = np.mean(np.maximum(late - spares, 0))
        assert queueing.expected_backorders(pipeline, spares) == pytest.approx(short, rel=0.02)
        assert queueing.backorder_wait_s(pipeline, spares, 1.0) == pytest.approx(short, rel=0.02)


def stationary(birth: np.ndarray, death: np.ndarray) -> np.ndarray:
    """Chances of the states of a birth-death chain, by solving its balance equations."""
    size = len(birth) + 1
    flow = np.zeros((size, size))
    for state, (up, down) in enumerate(zip(birth, death, strict=True)):
        flow[state, state + 1] += up
        flow[state + 1, state] += down
    flow -= np.diag(flow.sum(axis=1))
    equations = np.vstack([flow.T, np.ones(size)])
    chances, *_ = np.linalg.lstsq(equations, np.append(np.zeros(size), 1.0), rcond=None)
    return chances


@pytest.mark.parametrize(("load", "servers"), LOADS)
def test_erlang_b_against_the_chain_of_states(load: float, servers: int) -> None:
    chances = stationary(np.full(servers, load), np.arange(1.0, servers + 1))
    assert queueing.erlang_b_frac(load, servers) == pytest.approx(chances[-1], rel=1e-6)


@pytest.mark.parametrize(("load", "servers"), LOADS)
def test_erlang_c_and_the_wait_against_the_chain_of_states(load: float, servers: int) -> None:
    room = servers + 400
    chances = stationary(np.full(room, load), np.minimum(np.arange(1.0, room + 1), servers))
    state = np.arange(room + 1)
    waits, queued = chances[servers:].sum(), (np.maximum(state - servers, 0) * chances).sum()
    assert queueing.erlang_c_frac(load, servers) == pytest.approx(waits, rel=1e-4)
    assert queueing.mmc_wait_s(load, 1.0, servers) == pytest.approx(queued / load, rel=1e-4)


def simulated_wait(rng: np.random.Generator, load: float, servers: int, cv: float) -> float:
    """Mean wait in M/G/c by the recursion of Kiefer and Wolfowitz, many queues side by side."""
    num_queues, num_customers, warm_up = 4000, 1500, 400
    free = np.zeros((num_queues, servers))
    total = 0.0
    shape = 1 / max(cv, 1e-9) ** 2
    for customer in range(num_customers):
        free = np.maximum(free - rng.exponential(1 / load, (num_queues, 1)), 0.0)
        free.sort(axis=1)
        total += free[:, 0].mean() if customer >= warm_up else 0.0
        free[:, 0] += rng.gamma(shape, 1 / shape, num_queues) if cv else 1.0
    return total / (num_customers - warm_up)


@pytest.mark.parametrize(("load", "servers"), [(1.4, 2), (3.0, 4)])
@pytest.mark.parametrize("cv", [0.0, 0.5, 1.0, 1.4])
def test_waits_of_general_service_by_simulation(load: float, servers: int, cv: float) -> None:
    seen = simulated_wait(np.random.default_rng(12), load, servers, cv)
    between = queueing.mgc_wait_between_s(load, 1.0, cv, servers)
    assert queueing.mgc_wait_s(load, 1.0, cv, servers) == pytest.approx(seen, rel=0.1)
    assert between == pytest.approx(seen, rel=0.03)


@pytest.mark.parametrize("cv", [0.0, 0.5, 2.0])
def test_one_server_is_exact(cv: float) -> None:
    """Pollaczek and Khinchine: load times the second moment over twice what is left of the server."""
    exact = 0.7 * (1 + cv**2) / (2 * (1 - 0.7))
    assert queueing.mgc_wait_s(0.7, 1.0, cv, 1) == pytest.approx(exact)
    assert queueing.mgc_wait_between_s(0.7, 1.0, cv, 1) == pytest.approx(exact)
