"""What flows lose when they share links: hash collisions, fair shares, contention, and waiting for the last.

A flow is hashed onto one of k equal-cost links, independently and uniformly (ECMP). Flows onto links are
balls into bins: the loads are multinomial, and the fullest link sets the pace of a collective, since all of
its flows must end. Factors are times over the time of a perfect spread, so 1 is the best.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gigawatt.laws.numbers import Number

EULER_GAMMA = 0.5772156649015329
MOST_FLOWS = 4096
"""Range of the exact distributions: flows times queue pairs."""


class Spread(NamedTuple):
    """Mean and 99th percentile, over hashes, of a slow-down."""

    mean_factor: float
    p99_factor: float


def max_load_cdf(num_flows: int, num_links: int) -> Number:
    """Chance that no link carries more than m of `num_flows` hashed flows, for m = 0, 1, 2, ... (an array).

    Exact: the coefficient of x^n in (sum of x^j / j! for j <= m)^k, times n! / k^n, read off on a circle of
    roots of unity after scaling each term to a Poisson probability of mean n / k. Later entries are 1.
    For `num_flows` >= 1, up to `MOST_FLOWS`; absolute error below 1e-10.

    Source: Johnson, Kotz, Urn Models and Their Application (Wiley, 1977), section 3.2. Diaconis, Mosteller,
    Methods for Studying Coincidences, JASA 84 (1989), count birthdays as flows on 365 links: among 23 people
    two share one with probability 0.507, among 88 three with 0.511.

    >>> round(1 - float(max_load_cdf(23, 365)[1]), 3), round(1 - float(max_load_cdf(88, 365)[2]), 3)
    (0.507, 0.511)
    """
    mean = num_flows / num_links
    # Ten standard deviations and more: beyond, a link is so full about once in 10^12 hashes.
    num_loads = int(min(num_flows, np.ceil(mean + 10.0 * np.sqrt(mean) + 20.0))) + 1
    size = int(2 ** np.ceil(np.log2(num_flows + 20.0 * np.sqrt(num_flows) + 64.0)))
    loads = np.arange(num_loads)
    log_factorial = np.concatenate((np.zeros(1), np.cumsum(np.log(np.arange(1, num_flows + 1)))))
    poisson = np.exp(loads * np.log(mean) - mean - log_factorial[:num_loads])
    truncated = np.tril(np.broadcast_to(poisson, (num_loads, num_loads)))
    spectrum = np.fft.fft(truncated, size, axis=1) ** num_links
    turn = np.exp(2j * np.pi * num_flows * np.arange(size) / size)
    exact_sum = np.exp(num_flows * np.log(num_flows) - num_flows - log_factorial[num_flows])
    cdf = (spectrum @ turn).real / size / exact_sum
    return np.maximum.accumulate(np.clip(cdf, 0.0, 1.0))


def ecmp_share(
    num_flows: int,
    num_links: int,
    qps_per_flow: int = 1,
    flow_per_link_frac: float = 1.0,
    num_leaves: int = 1,
) -> Spread:
    """Slow-down of a collective whose `num_flows` equal flows are hashed onto `num_links` links.

    The time of the fullest link over that of an even spread, mean and 99th percentile over hashes. Each flow
    is split evenly over `qps_per_flow` queue pairs that hash on their own (E-ECMP), and would fill
    `flow_per_link_frac` of a link. A link that is not full slows nobody. Where as many flows leave each of
    `num_leaves` leaves by links of its own, the fullest of all counts. Exact; flows times queue pairs up to
    `MOST_FLOWS`.

    Source: Gangidi et al., RDMA over Ethernet for Distributed Training at Meta Scale, SIGCOMM 2024, for
    hashing on queue pairs; Jiang et al., MegaScale, NSDI 2024, section 3.6, for 400 Gbit/s uplinks above
    200 Gbit/s ports. Eight flows that could have a link each, as one queue pair and as 32:

    >>> [round(float(ecmp_share(8, 8, qps).mean_factor), 2) for qps in (1, 32)]
    [2.6, 1.26]
    >>> round(float(ecmp_share(8, 8, 1, 0.5).mean_factor), 2)            # links twice as fast as the flows
    1.3
    >>> round(float(ecmp_share(2, 2, num_leaves=2).mean_factor), 9)      # at one of two leaves
    1.75
    """
    cdf = max_load_cdf(num_flows * qps_per_flow, num_links) ** num_leaves
    load = np.arange(cdf.size) * (flow_per_link_frac / qps_per_flow)
    even = np.maximum(1.0, num_flows * flow_per_link_frac / num_links)
    factor = np.maximum(load, even) / even
    mean = np.sum(factor * np.diff(cdf, prepend=0.0))
    return Spread(mean, factor[np.argmax(cdf >= 0.99)])


def busy_links_frac(num_flows: Number, num_links: Number) -> Number:
    """Expected share of links that carry at least one of `num_flows` hashed flows: 1 - (1 - 1/k)^n.

    What all flows together attain where each could fill a link, over all that the links could carry.

    Source: Johnson, Kotz, Urn Models (1977), section 3.1 (occupancy); with as many flows as links it tends to
    1 - 1/e, the figure known from hashing:

    >>> round(busy_links_frac(64, 64), 3), round(1 - 1 / 2.718281828, 3)
    (0.635, 0.632)
    """
    return 1.0 - (1.0 - 1.0 / num_links) ** num_flows


def fullest_link_flows(num_flows: Number, num_links: Number) -> Number:
    """Flows on the fullest link where there are many per link: n/k + sqrt(2 n ln k / k).

    The leading order, for n far above k ln k, where the exact distribution is not needed.

    Source: Raab, Steger, Balls into Bins: A Simple and Tight Analysis, RANDOM 1998, theorem 1, third case.
    A thousand flows per link on 64 links, and so many on the fullest:

    >>> round(float(fullest_link_flows(64_000, 64)))
    1091
    """
    return num_flows / num_links + np.sqrt(2.0 * num_flows * np.log(num_links) / num_links)


def max_min_shares(uses: Number, limit: Number) -> Number:
    """Max-min fair rate of each flow: `uses[flow, link]` is 1 where it crosses, `limit[link]` is the most.

    Progressive filling: the tightest link fixes the rate of its flows, which leave the others more. A flow
    may cross a link in part (the share of its bytes). Each flow must cross a link.

    Source: Bertsekas, Gallager, Data Networks (2nd ed., 1992), section 6.5.2: three flows of one link
    each and one that crosses all three, the middle link of capacity 1 being shared by two more:

    >>> uses = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]], dtype=float)
    >>> [round(float(rate), 3) for rate in max_min_shares(uses, np.ones(3))]
    [0.333, 0.667, 0.333, 0.333, 0.667]
    """
    num_flows, num_links = uses.shape
    rates = np.zeros(num_flows)
    fixed = np.zeros(num_flows)
    for _ in range(num_links):
        load = np.sum(uses * (1.0 - fixed)[:, None], axis=0)
        left = np.maximum(limit - np.sum(uses * (rates * fixed)[:, None], axis=0), 0.0)
        fair = np.where(load > 1e-12, left / np.maximum(load, 1e-12), np.inf)
        tightest = np.min(fair)
        crossing = np.sum(uses * (fair <= tightest * (1.0 + 1e-12))[None, :], axis=1) > 0.0
        newly = crossing & (fixed < 0.5) & np.isfinite(tightest)
        rates = np.where(newly, tightest, rates)
        fixed = np.where(newly, 1.0, fixed)
    return rates


def contention_factor(own_frac: Number, others_frac: Number) -> Number:
    """Slow-down of a group that would load a link to `own_frac` beside others that load it to `others_frac`.

    Beyond a full link all give way in proportion; fair among groups of equal size. Below it nobody does.

    Source: processor sharing, Bertsekas and Gallager (1992), section 6.5. Two groups that would each fill
    the uplinks of a leaf take twice as long; two that would half fill them do not notice:

    >>> float(contention_factor(1.0, 1.0)), float(contention_factor(0.5, 0.5))
    (2.0, 1.0)
    """
    return np.maximum(1.0, own_frac + others_frac) / np.maximum(1.0, own_frac)


def last_arrival_s(mean_delay_s: Number, num_ranks: Number) -> Number:
    """Expected wait for the last of `num_ranks` whose delays are exponential with `mean_delay_s` [s].

    A collective starts when all have come: mean times the harmonic number, ln n + gamma + 1/2n - 1/12n^2.
    At least two ranks; the series errs by less than 0.001 there, and less beyond.

    Source: David, Nagaraja, Order Statistics (3rd ed., 2003), section 2.5. The harmonic number of 10 is
    2.928968:

    >>> round(float(last_arrival_s(1.0, 10)), 5)
    2.92897
    """
    series = np.log(num_ranks) + EULER_GAMMA + 0.5 / num_ranks - 1.0 / (12.0 * num_ranks * num_ranks)
    return mean_delay_s * series


def straggler_factor(slowest_frac: Number, exposed_frac: Number) -> Number:
    """Slow-down of synchronous steps when one rank runs at `slowest_frac` of the others' speed.

    `exposed_frac` of the step is work that the slow rank does (its computing, or its link's share of a
    ring); everybody waits for it.

    Source: Amdahl, AFIPS 1967, for the form. Jiang et al., MegaScale, NSDI 2024, section 5: a few
    hosts took about 10 % longer to compute than their peers, and held all others back by as much:

    >>> round(straggler_factor(1 / 1.1, 1.0), 3)
    1.1
    """
    return 1.0 - exposed_frac + exposed_frac / slowest_frac
