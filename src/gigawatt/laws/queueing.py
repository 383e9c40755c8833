"""How long work waits for who does it, and how often a spare part is on the shelf.

Demands come at random at a constant rate (Poisson); an offered load is that rate times the mean service
time, in erlang: the mean number of servers that would be busy if there were enough.
"""

from __future__ import annotations

import numpy as np

from gigawatt.laws.numbers import Number


def pipeline_parts(demands_per_s: Number, resupply_s: Number) -> Number:
    """Mean number of parts on order or in repair, of parts that are reordered one for one.

    By Palm's theorem their number is Poisson with this mean, whatever the distribution of the resupply time
    (independent of each other, without limit of repair capacity).

    Source: C. C. Sherbrooke, Optimal Inventory Modeling of Systems (2nd edition, 2004), chapter 2: ten
    demands a year and a tenth of a year in repair are one part in the pipeline (years for seconds here):

    >>> pipeline_parts(10.0, 0.1)
    1.0
    """
    return demands_per_s * resupply_s


def spares_fill_frac(pipeline: Number, num_spares: int) -> Number:
    """Share of demands that find a spare on the shelf, of `num_spares` ordered one for one: (S - 1, S).

    `pipeline` is `pipeline_parts`. None at all without a spare.

    Source: Sherbrooke (2004), chapter 2: the chance that fewer than S are in a Poisson pipeline. With one
    part in the pipeline, one, two and three spares fill 37, 74 and 92 %:

    >>> [round(float(spares_fill_frac(1.0, spares)), 3) for spares in (1, 2, 3)]
    [0.368, 0.736, 0.92]
    """
    term = np.exp(-pipeline)
    filled = 0.0 * term
    for short in range(num_spares):
        filled = filled + term
        term = term * pipeline / (short + 1)
    return filled


def expected_backorders(pipeline: Number, num_spares: int) -> Number:
    """Mean number of demands that wait for a part, with `num_spares` ordered one for one: (S - 1, S).

    Source: Sherbrooke (2004), chapter 2: the mean of what a Poisson pipeline holds beyond S. With one part
    in the pipeline, none to three spares leave 1, 0.368, 0.104 and 0.023 waiting:

    >>> [round(float(expected_backorders(1.0, spares)), 3) for spares in range(4)]
    [1.0, 0.368, 0.104, 0.023]
    """
    term = np.exp(-pipeline)
    waiting = pipeline - num_spares + num_spares * term
    for short in range(1, num_spares):
        term = term * pipeline / short
        waiting = waiting + (num_spares - short) * term
    return waiting


def backorder_wait_s(pipeline: Number, num_spares: int, demands_per_s: Number) -> Number:
    """Mean time that a demand waits for a part, those that are filled at once included, in seconds.

    Source: J. D. C. Little, A proof for the queuing formula L = lambda W (Operations Research 9, 1961), on
    Sherbrooke's pipeline of one: without a spare, ten demands a year each wait the tenth of a year that a
    repair takes:

    >>> float(backorder_wait_s(1.0, 0, 10.0))
    0.1
    """
    return expected_backorders(pipeline, num_spares) / demands_per_s


def erlang_b_frac(offered_load: Number, num_servers: int) -> Number:
    """Share of arrivals lost where none may wait: all servers are busy (M/G/c/c), by Erlang's first formula.

    Holds for any distribution of service times. By the recursion in the number of servers, which is stable.

    Source: A. K. Erlang (1917); in the usual tables ten circuits carry 4.46 erlang at a loss of 1 %:

    >>> round(float(erlang_b_frac(4.46, 10)), 4)
    0.01
    """
    lost = 1.0 + 0.0 * offered_load
    for servers in range(1, num_servers + 1):
        lost = offered_load * lost / (servers + offered_load * lost)
    return lost


def erlang_c_frac(offered_load: Number, num_servers: int) -> Number:
    """Share of arrivals that have to wait (M/M/c), by Erlang's second formula.

    Holds for exponential service and a load below the number of servers.

    Source: D. Gross, J. F. Shortle, J. M. Thompson, C. M. Harris, Fundamentals of Queueing Theory, M/M/c:
    a clinic of three doctors, six patients an hour, twenty minutes each (2 erlang): 4 of 9 wait:

    >>> round(float(erlang_c_frac(2.0, 3)), 6)
    0.444444
    """
    lost = erlang_b_frac(offered_load, num_servers)
    return num_servers * lost / (num_servers - offered_load * (1.0 - lost))


def mmc_wait_s(arrivals_per_s: Number, service_s: Number, num_servers: int) -> Number:
    """Mean time in the queue of M/M/c, those who do not wait included, in seconds.

    Holds for exponential service and a load below the number of servers.

    Source: Gross et al., Fundamentals of Queueing Theory, M/M/c: the clinic of `erlang_c_frac` keeps its
    patients waiting for 8.9 minutes:

    >>> round(float(mmc_wait_s(6 / 3600, 1200.0, 3)) / 60, 1)
    8.9
    """
    offered_load = arrivals_per_s * service_s
    return erlang_c_frac(offered_load, num_servers) * service_s / (num_servers - offered_load)


def mdc_wait_s(arrivals_per_s: Number, service_s: Number, num_servers: int) -> Number:
    """Mean time in the queue of M/D/c (every service as long as the next), approximately, in seconds.

    Within about 2 % for loads above half of the servers; exact for one server.

    Source: G. P. Cosmetatos, Approximate explicit formulae for the average queueing time in the processes
    (M/D/r) and (D/M/r) (INFOR 13, 1975). One server at half load waits half a service time, half of what
    exponential service makes it wait (Pollaczek and Khinchine):

    >>> float(mdc_wait_s(0.5, 1.0, 1)), float(mmc_wait_s(0.5, 1.0, 1))
    (0.5, 1.0)
    """
    busy_frac = arrivals_per_s * service_s / num_servers
    crowd = (num_servers - 1) * (np.sqrt(4.0 + 5.0 * num_servers) - 2.0)
    longer = 1.0 + (1.0 - busy_frac) * crowd / (16.0 * busy_frac * num_servers)
    return 0.5 * longer * mmc_wait_s(arrivals_per_s, service_s, num_servers)


def mgc_wait_s(arrivals_per_s: Number, service_s: Number, service_cv: Number, num_servers: int) -> Number:
    """Mean time in the queue of M/G/c by two moments, approximately, in seconds.

    `service_cv` is the deviation of the service time over its mean. Exact for one server (Pollaczek and
    Khinchine) and for exponential service; else within a few per cent at loads above half of the servers
    and below a cv of about 2.

    Source: A. M. Lee, P. A. Longton, Queueing processes associated with airline passenger check-in
    (Operational Research Quarterly 10, 1959): the wait of M/M/c times (1 + cv^2) / 2. The clinic with
    consultations that are all alike:

    >>> round(float(mgc_wait_s(6 / 3600, 1200.0, 0.0, 3)) / 60, 2)
    4.44
    """
    return 0.5 * (1.0 + service_cv**2) * mmc_wait_s(arrivals_per_s, service_s, num_servers)


def mgc_wait_between_s(
    arrivals_per_s: Number, service_s: Number, service_cv: Number, num_servers: int
) -> Number:
    """Mean time in the queue of M/G/c between M/D/c and M/M/c, approximately, in seconds.

    Nearer than `mgc_wait_s` for services more regular than exponential: within about 2 % for a cv of 0 to 1.

    Source: T. Kimura, A two-moment approximation for the mean waiting time in the GI/G/s queue (Management
    Science 32, 1986), for Poisson arrivals: the harmonic mean of both, weighted by cv^2. Where they bound it
    they are met, as in a clinic of exponential consultations:

    >>> round(float(mgc_wait_between_s(6 / 3600, 1200.0, 1.0, 3)) / 60, 1)
    8.9
    """
    square = service_cv**2
    exponential_s = mmc_wait_s(arrivals_per_s, service_s, num_servers)
    regular_s = mdc_wait_s(arrivals_per_s, service_s, num_servers)
    return (1.0 + square) / (2.0 * square / exponential_s + (1.0 - square) / regular_s)
