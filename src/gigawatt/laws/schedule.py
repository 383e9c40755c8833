"""How long an activity takes when nobody knows: distributions from three points or two percentiles."""

from __future__ import annotations

import numpy as np

from gigawatt.laws.numbers import Number

WEEK_DAYS = 7.0
MONTH_DAYS = 365.25 / 12
_LIKELY_WEIGHT = 4.0
_P90_SCORE = 1.2815515655446004
"""Standard normal quantile at 90 %."""


def pert_mean_s(low_s: Number, likely_s: Number, high_s: Number) -> Number:
    """Expected duration by PERT: the most likely one counts four times.

    Source: D. Malcolm, J. Roseboom, C. Clark, W. Fazar, Application of a technique for research and
    development program evaluation, Operations Research 7 (1959) 646-669: t = (a + 4m + b)/6. Of one, two
    and nine weeks:

    >>> pert_mean_s(1.0, 2.0, 9.0)
    3.0
    """
    return (low_s + _LIKELY_WEIGHT * likely_s + high_s) / (_LIKELY_WEIGHT + 2)


def pert_deviation_s(low_s: Number, likely_s: Number, high_s: Number) -> Number:
    """Standard deviation of the beta distribution whose mean is that of PERT.

    The rule of thumb (b - a)/6 of 1959 is this for most forms, within a few per cent.

    Source: D. Vose, Risk Analysis: A Quantitative Guide, 3rd ed., Wiley 2008, PERT distribution: variance
    (mean - a)(b - mean)/7. From 0 to 7 with a mean of 3.5 it is that of beta(3, 3) on seven, 7/sqrt(28):

    >>> round(float(pert_deviation_s(0.0, 3.5, 7.0)), 4)
    1.3229
    """
    mean_s = pert_mean_s(low_s, likely_s, high_s)
    return np.sqrt((mean_s - low_s) * (high_s - mean_s) / (_LIKELY_WEIGHT + 3))


def pert_shape(low_s: Number, likely_s: Number, high_s: Number) -> Number:
    """First shape of the beta distribution of PERT; the second is six less this. Holds for high > low.

    Source: D. Vose, Risk Analysis, 3rd ed., Wiley 2008: alpha = 1 + 4 (m - a)/(b - a), beta = 1 + 4
    (b - m)/(b - a), whose mode is the likely value: (alpha - 1)/(alpha + beta - 2) of the way. A quarter of
    the way:

    >>> pert_shape(0.0, 1.0, 4.0)
    2.0
    """
    return 1.0 + _LIKELY_WEIGHT * (likely_s - low_s) / (high_s - low_s)


def triangular_quantile_s(share_frac: Number, low_s: Number, likely_s: Number, high_s: Number) -> Number:
    """Duration within which a triangular one is over with probability `share_frac`. Holds for high > low.

    Source: S. Kotz, J. van Dorp, Beyond Beta, World Scientific 2004, chapter 1, inverse of the distribution.
    At the likely value the share is (m - a)/(b - a); the median of the symmetric one is its middle:

    >>> float(triangular_quantile_s(0.5, 0.0, 5.0, 10.0)), float(triangular_quantile_s(0.25, 0.0, 1.0, 4.0))
    (5.0, 1.0)
    """
    span_s = high_s - low_s
    rising_s = low_s + np.sqrt(share_frac * span_s * (likely_s - low_s))
    falling_s = high_s - np.sqrt((1.0 - share_frac) * span_s * (high_s - likely_s))
    return np.where(share_frac * span_s <= likely_s - low_s, rising_s, falling_s)


def lognormal_median_s(p10_s: Number, p90_s: Number) -> Number:
    """Median of the lognormal duration with these 10 % and 90 % points.

    Source: J. Aitchison, J. Brown, The Lognormal Distribution, Cambridge 1957, section 2.4: quantiles are
    exp(mu + v sigma), so the median is the geometric mean of any symmetric pair:

    >>> lognormal_median_s(10.0, 40.0)
    20.0
    """
    return np.sqrt(p10_s * p90_s)


def lognormal_spread(p10_s: Number, p90_s: Number) -> Number:
    """Standard deviation of the logarithm of that duration.

    Source: Aitchison, Brown 1957, section 2.4: sigma = ln(p90/p10)/(2 v), v = 1.2816 for these points. Ends
    that are e^2.5631 apart are one sigma:

    >>> round(float(lognormal_spread(1.0, np.exp(2.5631))), 4)
    1.0
    """
    return np.log(p90_s / p10_s) / (2.0 * _P90_SCORE)


def lognormal_quantile_s(score: Number, median_s: Number, spread: Number) -> Number:
    """Duration at a standard normal score: -1 is the 16th percentile, 0 the median, 1 the 84th.

    Source: Aitchison, Brown 1957, section 2.4. At 1.2816 it is the 90 % point:

    >>> round(float(lognormal_quantile_s(1.2815515655446004, 20.0, lognormal_spread(10.0, 40.0))), 9)
    40.0
    """
    return median_s * np.exp(spread * score)


def common_factor_loading(correlation_frac: Number) -> Number:
    """Weight of a common factor in the score of each of its activities, so that any two correlate by this.

    Scores are standard normal: loading x common + sqrt(1 - loading^2) x own.

    Source: O. Vasicek, The distribution of loan portfolio value, Risk 15 (2002) 160-162: one-factor Gaussian
    copula. At a correlation of a quarter half of each score is common:

    >>> float(common_factor_loading(0.25))
    0.5
    """
    return np.sqrt(correlation_frac)


def delay_cost_usd(delay_s: Number, delay_usd_per_year: Number) -> Number:
    """What capacity that comes later than asked costs at a flat rate.

    Source: liquidated damages by time, as in FIDIC Conditions of Contract for Plant and Design-Build, 2nd
    ed. 2017, clause 8.8, without its ceiling. Two weeks at 52.1786 (weeks of a year) times a million:

    >>> round(delay_cost_usd(2 * 7 * 86400.0, 365.25 / 7 * 1e6))
    2000000
    """
    return delay_s * delay_usd_per_year / (365.25 * 86400.0)
