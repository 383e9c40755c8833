"""What accelerators cost by the hour, rented or owned, and what a run on them costs."""

from __future__ import annotations

import numpy as np

from gigawatt.laws.numbers import Number
from gigawatt.laws.power import MWH_J

HOUR_S = 3600.0
YEAR_H = 8766.0
MONTH_H = YEAR_H / 12
MEGAWATT_W = 1e6


def gpu_hours(num_accelerators: Number, duration_s: Number) -> Number:
    """Accelerator-hours of `num_accelerators` held for `duration_s`.

    Source: DeepSeek-AI, DeepSeek-V3 Technical Report (arXiv:2412.19437), section 1: a trillion tokens took
    180 thousand H800 hours, "3.7 days on our cluster with 2048 H800 GPUs":

    >>> round(gpu_hours(2048, 3.7 * 86400), -4)
    180000.0
    """
    return num_accelerators * duration_s / HOUR_S


def rental_cost_usd(gpu_h: Number, price_usd_per_gpu_h: Number) -> Number:
    """Dollars for `gpu_h` accelerator-hours at an hourly price, in the price's own year.

    Source: DeepSeek-AI, DeepSeek-V3 Technical Report (arXiv:2412.19437), table 1: 2.788 million H800 hours at
    $2 are $5.576 million:

    >>> round(rental_cost_usd(2.788e6, 2.0))
    5576000
    """
    return gpu_h * price_usd_per_gpu_h


def energy_cost_usd(energy_j: Number, power_price_usd_per_mwh: Number) -> Number:
    """Dollars for energy at a flat price.

    Source: the definition of the megawatt-hour. The 1,287 MWh that Patterson et al., Carbon Emissions and
    Large Neural Network Training (arXiv:2104.10350), table 4, give for GPT-3 are 64,350 dollars at
    $50/MWh:

    >>> energy_cost_usd(1287 * 3.6e9, 50.0)
    64350.0
    """
    return energy_j / MWH_J * power_price_usd_per_mwh


def repriced_usd(amount_usd: Number, level_then: Number, level_now: Number) -> Number:
    """An amount of one year in the dollars of another, by an index of prices in both.

    Source: U.S. Bureau of Labor Statistics, How to Use the Consumer Price Index for Escalation: the amount
    times the new index over the old. A dollar of 2015 (CPI-U 237.017) is 1.23 dollars of 2022 (292.655):

    >>> round(repriced_usd(1.0, 237.017, 292.655), 2)
    1.23
    """
    return amount_usd * level_now / level_then


def capital_recovery_frac(discount_frac: Number, lifetime_years: Number) -> Number:
    """Share of an investment to be earned each year so that it is repaid with interest over its life.

    i (1 + i)^n / ((1 + i)^n - 1), and 1/n without interest. Holds for a rate of 0 or more over a life > 0.

    Source: W. Short, D. Packey, T. Holt, A Manual for the Economic Evaluation of Energy Efficiency and
    Renewable Energy Technologies, NREL/TP-462-5173 (1995), uniform capital recovery factor. The usual
    interest tables give 0.1019 for 8 % over 20 years:

    >>> round(float(capital_recovery_frac(0.08, 20.0)), 4)
    0.1019
    """
    # As i / (1 - (1 + i)^-n), which stays exact for the smallest of rates.
    worth_lost = -np.expm1(-lifetime_years * np.log1p(discount_frac))
    free = worth_lost == 0.0
    return np.where(free, 1.0, discount_frac) / np.where(free, lifetime_years, worth_lost)


def discount_factor_frac(discount_frac: Number, years: Number) -> Number:
    """What a dollar due in `years` is worth today, as a share of it.

    (1 + i)^-n. Holds for a rate of 0 or more.

    Source: W. Short, D. Packey, T. Holt, NREL/TP-462-5173 (1995), present value. The usual interest tables
    give 0.2145 for 8 % over 20 years:

    >>> round(float(discount_factor_frac(0.08, 20.0)), 4)
    0.2145
    """
    return (1.0 + discount_frac) ** -years


def straight_line_book_usd(capex_usd: Number, residual_frac: Number, life_s: Number, age_s: Number) -> Number:
    """Value in the books of what cost `capex_usd`, written off evenly over `life_s` down to its residual.

    Source: IAS 16, Property, Plant and Equipment, paragraph 62: a constant charge over the useful life.
    Servers of a million dollars over six years stand at half after three:

    >>> year_s = 365.25 * 86400
    >>> float(straight_line_book_usd(1e6, 0.0, 6 * year_s, 3 * year_s))
    500000.0
    """
    used_frac = np.minimum(age_s / life_s, 1.0)
    return capex_usd * (1.0 - (1.0 - residual_frac) * used_frac)


def tail_weights(weights: Number, level_frac: Number) -> Number:
    """What each outcome counts in the mean of the worst 1 - `level_frac`, in rising order of cost.

    The outcome at the edge counts with the share of it that lies in the tail. Holds for chances that add up
    to 1 and a level below 1.

    Source: R. T. Rockafellar, S. Uryasev, Conditional value-at-risk for general loss distributions (Journal
    of Banking & Finance 26, 2002), section 4. Of four equal chances, the worst three eighths are the last and
    half of the one before:

    >>> [round(float(one), 4) for one in tail_weights(np.full(4, 0.25), 0.625)]
    [0.0, 0.0, 0.3333, 0.6667]
    """
    return np.clip(np.cumsum(weights) - level_frac, 0.0, weights) / (1.0 - level_frac)


def conditional_value_usd(sorted_usd: Number, weights: Number, level_frac: Number) -> Number:
    """Mean of the worst 1 - `level_frac` of outcomes (CVaR), in rising order of cost with their chances.

    The outcome at the edge counts with the share of it that lies in the tail. Holds for chances that add up
    to 1 and a level below 1.

    Source: R. T. Rockafellar, S. Uryasev, Conditional value-at-risk for general loss distributions (Journal
    of Banking & Finance 26, 2002), section 4: the weighted mean of what exceeds the edge and of the edge's
    own atom. Of 1, 2, 3, 4 with equal chances, the worst half costs 3.5 and the worst three eighths 11/3:

    >>> chances = np.full(4, 0.25)
    >>> costs = np.arange(1.0, 5.0)
    >>> [round(float(conditional_value_usd(costs, chances, level)), 3) for level in (0.5, 0.625)]
    [3.5, 3.667]
    """
    return np.sum(tail_weights(weights, level_frac) * sorted_usd)


def net_present_usd(cash_usd: Number, years: Number, discount_frac: Number) -> Number:
    """What cash flows are worth today: income positive, outlays negative, each due after so many years.

    Source: R. Brealey, S. Myers, F. Allen, Principles of Corporate Finance, 10th ed. 2011, chapter 2: an
    office block for 370,000 dollars that sells for 420,000 after a year is worth 30,000 at 5 %:

    >>> round(float(net_present_usd(np.array([-370e3, 420e3]), np.array([0.0, 1.0]), 0.05)))
    30000
    """
    return np.sum(cash_usd * discount_factor_frac(discount_frac, years))


def annuity_factor(discount_frac: Number, years: Number) -> Number:
    """Today's worth of a dollar a year, paid evenly through so many years.

    (1 - e^(-rn))/r with r = ln(1 + i), and n without interest. Holds for a rate of 0 or more.

    Source: Short, Packey, Holt, NREL/TP-462-5173 (1995), present value of uniform annual cash flows, in its
    limit of payments without pause. At 8 % over 20 years 9.8181 if paid at each end of year by the usual
    tables, and i/r = 1.0395 times that paid evenly:

    >>> round(float(annuity_factor(0.08, 20.0)), 3), round(9.8181 * 0.08 / np.log(1.08), 3)
    (10.206, 10.206)
    """
    rate = np.log1p(discount_frac)
    free = rate == 0.0
    return np.where(free, years, -np.expm1(-rate * years)) / np.where(free, 1.0, rate)


def capital_usd_per_year(
    capex_usd: Number, residual_frac: Number, discount_frac: Number, lifetime_years: Number
) -> Number:
    """What an investment has to earn each year: loss of value repaid with interest, interest on what is left.

    Source: Short, Packey, Holt, NREL/TP-462-5173 (1995): capital recovery with salvage value,
    (P - S) (A/P, i, n) + S i. A million at 8 % over 20 years, by the usual tables 0.10185 a year:

    >>> round(float(capital_usd_per_year(1e6, 0.0, 0.08, 20.0)), -1)
    101850.0
    """
    residual_usd = capex_usd * residual_frac
    repaid_usd = (capex_usd - residual_usd) * capital_recovery_frac(discount_frac, lifetime_years)
    return repaid_usd + residual_usd * discount_frac


def token_usd_per_million_output_tokens(hour_usd_per_gpu_h: Number, per_gpu_tokens_per_s: Number) -> Number:
    """Dollars for a million tokens of an accelerator that costs so much an hour and makes so many a second.

    Source: DeepSeek-AI, DeepSeek-V3/R1 Inference System Overview (February 2025): 168 billion output tokens a
    day on 226.75 nodes of 8 H800 at $2 an hour, $87,072 a day. That is $0.518 for a million:

    >>> round(float(token_usd_per_million_output_tokens(2.0, 168e9 / 86400 / (226.75 * 8))), 3)
    0.518
    """
    return hour_usd_per_gpu_h / (per_gpu_tokens_per_s * HOUR_S) * 1e6


def ownership_usd_per_gpu_h(
    capex_usd: Number,
    residual_frac: Number,
    discount_frac: Number,
    lifetime_s: Number,
    utilisation_frac: Number,
    upkeep_usd_per_year: Number,
) -> Number:
    """What an owned accelerator must earn per used hour, energy apart, in dollars per accelerator-hour.

    `capex_usd` is per accelerator with its share of node, network and site. Loss of value is repaid over the
    life, what value remains earns interest, and yearly upkeep (staff, spares, site) is added; all of it is
    spread over the hours in use.

    Source: Short, Packey, Holt, NREL/TP-462-5173 (1995): capital recovery with salvage value,
    (P - S) (A/P, i, n) + S i. Without interest and salvage it is the price over the hours: 43,830 dollars
    over five years of 8,766 hours are one dollar an hour:

    >>> float(ownership_usd_per_gpu_h(43830.0, 0.0, 0.0, 5 * 8766 * 3600.0, 1.0, 0.0))
    1.0
    """
    lifetime_years = lifetime_s / (YEAR_H * HOUR_S)
    capital_usd = capital_usd_per_year(capex_usd, residual_frac, discount_frac, lifetime_years)
    yearly_usd = capital_usd + upkeep_usd_per_year
    return yearly_usd / (YEAR_H * utilisation_frac)
