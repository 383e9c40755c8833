"""How much of the time equipment, alone and in groups, does what it is there for.

Failures and repairs are independent of each other: no common cause, as many repair crews as failures.
"""

from __future__ import annotations

from gigawatt.laws.numbers import Number
from gigawatt.laws.progress import YEAR_S


def unavailability_frac(mtbf_s: Number, mttr_s: Number) -> Number:
    """Share of the time that equipment is down: repair over repair and the time up between failures.

    Source: IEEE Std 493-2007. Its standard network has generators that fail 0.1235 times a year for 18.28 h
    each and prints an availability of 0.99974231, in the approximation of rate times duration:

    >>> round(float(unavailability_frac(YEAR_S / 0.1235, 18.28 * 3600)), 5)
    0.00026
    """
    return mttr_s / (mtbf_s + mttr_s)


def series_unavailability_frac(first_frac: Number, second_frac: Number) -> Number:
    """Share of the time that a chain of two is down: one, the other, or both.

    Written in unavailabilities, so that nines are not lost to rounding.

    Source: R. Billinton and R. N. Allan, Reliability Evaluation of Engineering Systems, chapter 4. A
    transformer (0.00111 failures a year of 5 h) and its switchgear (0.00949 of 7.29 h, IEEE Std 493-2007):

    >>> transformer, switchgear = 0.00111 * 5 / 8760, 0.00949 * 7.29 / 8760
    >>> round(1e6 * series_unavailability_frac(transformer, switchgear), 2)
    8.53
    """
    return first_frac + second_frac - first_frac * second_frac


def shortfall_frac(down_frac: Number, num_needed: int, num_installed: int) -> Number:
    """Share of the time that fewer than `num_needed` of `num_installed` alike are up.

    Each is down `down_frac` of it. All in series: needed = installed; all redundant: needed = 1.

    Source: R. Billinton and R. N. Allan, Reliability Evaluation of Engineering Systems, chapter 4, partially
    redundant systems, by the binomial distribution. Of two units that are each up 90 % of the time at least
    one is up 99 %, and two of three 97.2 %:

    >>> round(shortfall_frac(0.1, 1, 2), 9), round(shortfall_frac(0.1, 2, 3), 9)
    (0.01, 0.028)
    """
    term = (1.0 - down_frac) ** (num_needed - 1) * down_frac ** (num_installed - num_needed + 1)
    for up in range(1, num_needed):
        term = term * (num_installed - up + 1) / up
    total = term
    for up in range(num_needed - 1, 0, -1):
        term = term * up / (num_installed - up + 1) * down_frac / (1.0 - down_frac)
        total = total + term
    return total


def failure_interval_s(mtbf_s: Number, mttr_s: Number, num_needed: int, num_installed: int) -> Number:
    """Mean time from one failure of a group to the next, in seconds: fewer than `num_needed` are left.

    The group fails when one of exactly `num_needed` that are still up fails.

    Source: R. Billinton and R. N. Allan, Reliability Evaluation of Engineering Systems, chapter 9, frequency
    and duration. Two sets of 125,000 h (Kohler, of a single UPS) of which one suffices and that are repaired
    within 6 h would together fail every 1.3 billion hours; Kohler prints 1.25 million, which is what the
    parts that both share leave of it:

    >>> round(failure_interval_s(125e3 * 3600, 6.0 * 3600, 1, 2) / 3600 / 1e9, 1)
    1.3
    """
    down_frac = unavailability_frac(mtbf_s, mttr_s)
    exactly = (1.0 - down_frac) ** num_needed * down_frac ** (num_installed - num_needed)
    for up in range(1, num_needed + 1):
        exactly = exactly * (num_installed - up + 1) / up
    return mtbf_s / (exactly * num_needed)


def group_mtbf_s(mtbf_s: Number, mttr_s: Number, num_needed: int, num_installed: int) -> Number:
    """Mean time that a group is up between two failures, in seconds.

    Source: as `failure_interval_s`. Two of two units that live 1,000 h and are repaired in 10 h fail every
    500 h of being up:

    >>> round(group_mtbf_s(1000.0 * 3600, 10.0 * 3600, 2, 2) / 3600, 6)
    500.0
    """
    short_frac = shortfall_frac(unavailability_frac(mtbf_s, mttr_s), num_needed, num_installed)
    return (1.0 - short_frac) * failure_interval_s(mtbf_s, mttr_s, num_needed, num_installed)


def group_mttr_s(mtbf_s: Number, mttr_s: Number, num_needed: int, num_installed: int) -> Number:
    """Mean time that a group is down, in seconds; others of it may fail meanwhile.

    Source: as `failure_interval_s`. Of two units of which one suffices, both under repair for 6 h each, one
    is back after 3 h on average:

    >>> round(group_mttr_s(125e3 * 3600, 6.0 * 3600, 1, 2) / 3600, 6)
    3.0
    """
    short_frac = shortfall_frac(unavailability_frac(mtbf_s, mttr_s), num_needed, num_installed)
    return short_frac * failure_interval_s(mtbf_s, mttr_s, num_needed, num_installed)


def down_s_per_year(down_frac: Number) -> Number:
    """Seconds of a year that something is down.

    Source: definition. The Uptime Institute's tiers, as they were sold: 99.982 % (III) are 1.6 hours a year,
    99.995 % (IV) 26.3 minutes:

    >>> round(down_s_per_year(1 - 0.99982) / 3600, 1), round(down_s_per_year(1 - 0.99995) / 60, 1)
    (1.6, 26.3)
    """
    return down_frac * YEAR_S
