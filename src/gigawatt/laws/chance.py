"""Random numbers that depend on what they are for and on nothing else.

A number is drawn for a seed, a purpose, a thing and a count: the tenth failure of a node is the same whoever
else has failed before, so that two runs which differ in one policy still meet the same bad luck (common
random numbers), in any order and on any number of workers. All arguments are unsigned 64-bit, and wrap
around.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
_TOP_BITS = np.uint64(11)
_P90_SCORE = 1.2815515655446004


def mixed_bits(state: Any) -> Any:
    """The next output of SplitMix64 after `state`: 64 bits, each of which depends on every bit of `state`.

    Source: G. L. Steele, D. Lea, C. H. Flood, Fast splittable pseudorandom number generators (OOPSLA 2014),
    figure 16, whose generator is the one published with the constants used here. From a seed of 1234567 on,
    the first outputs that are commonly printed for it:

    >>> states = np.array([1234567, 1234567 + 0x9E3779B97F4A7C15], np.uint64)
    >>> mixed_bits(states).tolist()
    [6457827717110365317, 3203168211198807973]
    """
    bits = state + _GOLDEN
    bits = (bits ^ (bits >> _SHIFTS[0])) * _FIRST
    bits = (bits ^ (bits >> _SHIFTS[1])) * _SECOND
    return bits ^ (bits >> _SHIFTS[2])


def uniform_number(seed: Any, purpose: Any, thing: Any, count: Any) -> Any:
    """A number above 0 and below 1, every one as likely as the next, for this purpose of this thing.

    Source: as `mixed_bits`; 53 of its bits are a fraction of double precision, and half of the last of them
    is added, which keeps 0 and 1 out. A thousand of them have the mean and variance of the uniform law:

    >>> seed, purpose, thing = np.array([[1], [2], [3]], np.uint64)
    >>> numbers = uniform_number(seed, purpose, thing, np.arange(1000, dtype=np.uint64))
    >>> bool(abs(numbers.mean() - 0.5) < 0.03), bool(abs(numbers.var() * 12 - 1) < 0.1)
    (True, True)
    """
    bits = mixed_bits(mixed_bits(mixed_bits(mixed_bits(seed) ^ purpose) ^ thing) ^ count)
    return ((bits >> _TOP_BITS) + 0.5) * 2.0**-53


def exponential_number(uniform: Any, mean: Any) -> Any:
    """An exponentially distributed number of this mean, from one that is uniform.

    Source: inversion, L. Devroye, Non-Uniform Random Variate Generation (1986), chapter II. Half of them are
    below the mean times ln 2:

    >>> round(float(exponential_number(0.5, 1.0)), 4)
    0.6931
    """
    return -mean * np.log(uniform)


def stated_quantile(score: Any, p10: Any, p50: Any, p90: Any) -> Any:
    """A quantity at a standard normal score, where only its 10, 50 and 90 % points are stated.

    Straight in the score from the median to either side, so that the three points are met and either tail is
    half of a normal distribution of its own width. Holds for p10 <= p50 <= p90.

    Source: T. Keelin, B. Powley, Quantile-parameterized distributions (Decision Analysis 8, 2011), of which
    this is the one by pieces; scores of the normal table: 1.2816 at 90 %, 1 at 84.13 %. From 10, 20 and 40:

    >>> [round(float(stated_quantile(z, 10.0, 20.0, 40.0)), 2) for z in (-1.2816, 0.0, 1.0, 1.2816)]
    [10.0, 20.0, 35.61, 40.0]
    """
    share = score / _P90_SCORE
    return p50 + np.minimum(share, 0.0) * (p50 - p10) + np.maximum(share, 0.0) * (p90 - p50)
