"""Moving heat from racks to the outside: flows, fans and pumps, chillers, moist air, and the hours of a year.

Temperatures are in degrees Celsius, differences in kelvin. Water and air have the properties of room
temperature; a glycol mixture carries about 5 % less heat per litre.
"""

from __future__ import annotations

import numpy as np

from gigawatt.laws.numbers import Number

WATER_J_PER_M3_K = 4.186e6
"""Heat that a cubic metre of water takes up per kelvin, at 15 to 20 °C."""
AIR_J_PER_M3_K = 1230.0
"""The same of standard air, as ASHRAE's handbook uses it for sensible heat."""
LATENT_J_PER_M3 = 2.43e9
"""Heat that evaporates a cubic metre of water at 30 °C."""
ZERO_C_K = 273.15
HOURS_PER_DAY = 24


def coolant_flow_m3_per_s(heat_w: Number, rise_k: Number) -> Number:
    """Flow of water that carries `heat_w` while warming by `rise_k`, in m3/s: the heat balance.

    Source: OCP and OAI guidance for cold plates, 1.25 to 2.0 L/min per kW for at most 10 K; the balance gives
    1.43 L/min at 10 K:

    >>> round(float(coolant_flow_m3_per_s(1000, 10)) * 60e3, 2)
    1.43
    """
    return heat_w / (WATER_J_PER_M3_K * rise_k)


def air_flow_m3_per_s(heat_w: Number, rise_k: Number) -> Number:
    """Flow of air that carries `heat_w` while warming by `rise_k`, in m3/s at standard density.

    Source: ASHRAE Handbook of Fundamentals, sensible heat = 1.23 W per L/s and kelvin. 12.3 kW at 10 K:

    >>> float(air_flow_m3_per_s(12300, 10))
    1.0
    """
    return heat_w / (AIR_J_PER_M3_K * rise_k)


def hydraulic_power_w(flow_m3_per_s: Number, pressure_pa: Number, efficiency_frac: Number) -> Number:
    """Electrical power of a pump or fan that moves a flow against a pressure, wire to fluid.

    Source: White, Fluid Mechanics, pump power = flow x pressure / efficiency. A litre per second against
    one bar at 50 % takes 200 W:

    >>> hydraulic_power_w(0.001, 1e5, 0.5)
    200.0
    """
    return flow_m3_per_s * pressure_pa / efficiency_frac


def affinity_power_w(design_power_w: Number, flow_frac: Number) -> Number:
    """Power of a pump or fan at a share of its design flow, in a circuit of turbulent friction alone.

    Source: affinity laws (ASHRAE Handbook of HVAC Systems and Equipment, centrifugal pumps; the fan laws are
    the same): power goes as speed cubed, flow as speed. Half the flow takes an eighth of the power:

    >>> affinity_power_w(80.0, 0.5)
    10.0
    """
    return design_power_w * flow_frac**3


def chiller_cop(cold_c: Number, hot_c: Number, carnot_frac: Number, min_lift_k: Number) -> Number:
    """Heat moved per unit of compressor energy: a fixed share of what Carnot allows.

    `cold_c` is the leaving chilled water, `hot_c` the entering condenser water or air. Compressors keep at
    least `min_lift_k` between them. The share is that of full load; at part load real machines do better.

    Source: ASHRAE 90.1-2013 asks for an EER of 10.1 (COP 2.96) of large air-cooled chillers at the rating
    point of AHRI 550/590, 44 °F leaving and 95 °F outside. That is 30 % of Carnot:

    >>> round(float(chiller_cop(6.67, 35.0, 0.2997, 5.0)), 2)
    2.96
    """
    return carnot_frac * (cold_c + ZERO_C_K) / np.maximum(hot_c - cold_c, min_lift_k)


def condenser_compressor_w(
    heat_w: Number,
    cold_c: Number,
    sink_c: Number,
    approach_k_per_w: Number,
    carnot_frac: Number,
    min_lift_k: Number,
) -> Number:
    """Compressor power of chillers whose own heat warms the water that their condensers take in.

    Condenser water enters at `sink_c` plus `approach_k_per_w` times all heat rejected, compressors included:
    the equation is linear in the power and solved in closed form.

    Source: `chiller_cop` with the rejected heat put in. A megawatt at 10 °C against 25 °C, half of Carnot and
    5 K approach at a megawatt; the power reproduces itself:

    >>> w = float(condenser_compressor_w(1e6, 10.0, 25.0, 5e-6, 0.5, 8.0))
    >>> round(1e6 / w / float(chiller_cop(10.0, 25.0 + 5e-6 * (1e6 + w), 0.5, 8.0)), 9)
    1.0
    """
    ideal = carnot_frac * (cold_c + ZERO_C_K)
    lift_k = sink_c + approach_k_per_w * heat_w - cold_c
    return np.maximum(heat_w * lift_k / (ideal - heat_w * approach_k_per_w), heat_w * min_lift_k / ideal)


def rejection_flow_frac(
    heat_w: Number, conductance_w_per_k: Number, inlet_c: Number, sink_c: Number
) -> Number:
    """Share of its design air flow that a heat rejector needs; above 1 it cannot carry the heat alone.

    A rejector carries heat in proportion to its air flow and to how much warmer the water comes in than the
    air (dry bulb for dry coolers, wet bulb for towers): constant effectiveness.

    Source: Incropera et al., Fundamentals of Heat and Mass Transfer, effectiveness-NTU method with the
    effectiveness held. 1 MW in a cooler that was rated at 1 MW and 20 K, on a day that leaves 40 K:

    >>> rejection_flow_frac(1e6, 50e3, 50.0, 10.0)
    0.5
    """
    return heat_w / (conductance_w_per_k * np.maximum(inlet_c - sink_c, 1e-9))


def economiser_limit_c(inlet_c: Number, heat_w: Number, conductance_w_per_k: Number) -> Number:
    """Warmest air (for towers: wet bulb) at which a heat rejector at full air flow carries the heat alone.

    Below it no compressor runs: the hours of a year below it are the economiser hours.

    Source: the definition of conductance, Incropera et al., Fundamentals of Heat and Mass Transfer. Water
    that enters at 46 °C and is to lose 1 MW in a cooler rated at 1 MW and 20 K:

    >>> economiser_limit_c(46.0, 1e6, 50e3)
    26.0
    """
    return inlet_c - heat_w / conductance_w_per_k


def saturation_pressure_pa(temperature_c: Number) -> Number:
    """Pressure of saturated water vapour over water, -40 to 50 °C, within 0.4 %.

    Source: Alduchov and Eskridge, Improved Magnus Form Approximation of Saturation Vapor Pressure, J. Appl.
    Meteor. 35 (1996), equation 21. Steam tables give 2,339 Pa at 20 °C:

    >>> round(float(saturation_pressure_pa(20.0)) / 2339.0, 2)
    1.0
    """
    return 610.94 * np.exp(17.625 * temperature_c / (temperature_c + 243.04))


def wet_bulb_c(temperature_c: Number, relative_humidity_frac: Number) -> Number:
    """Wet-bulb temperature at sea-level pressure, from 0 to 50 °C and 5 to 99 % humidity, within 1.4 K.

    Between 15 and 95 % within 1.2 K; below 0 °C within 1.8 K. Humidities beyond are taken as the nearest. At
    80 kPa the true value lies up to 1.5 K lower.

    Source: Stull, Wet-Bulb Temperature from Relative Humidity and Air Temperature, J. Appl. Meteor.
    Climatol. 50 (2011), equation 1 and its example, 20 °C at 50 %:

    >>> round(float(wet_bulb_c(20.0, 0.5)), 1)
    13.7
    """
    rh = 100 * np.minimum(np.maximum(relative_humidity_frac, 0.05), 0.99)
    wet = (
        temperature_c * np.arctan(0.151977 * np.sqrt(rh + 8.313659))
        + np.arctan(temperature_c + rh)
        - np.arctan(rh - 1.676331)
        + 0.00391838 * rh**1.5 * np.arctan(0.023101 * rh)
        - 4.686035
    )
    return np.minimum(wet, temperature_c)


def pad_outlet_c(temperature_c: Number, wet_c: Number, effectiveness_frac: Number) -> Number:
    """Temperature of air behind wetted pads: part of the way from dry bulb to wet bulb.

    Source: ASHRAE Handbook of HVAC Applications, direct evaporative coolers, saturation effectiveness. At
    85 % from 40 °C with a wet bulb of 20 °C:

    >>> round(pad_outlet_c(40.0, 20.0, 0.85), 9)
    23.0
    """
    return temperature_c - effectiveness_frac * (temperature_c - wet_c)


def evaporated_m3_per_s(heat_w: Number) -> Number:
    """Water that evaporates while taking up `heat_w`.

    Source: latent heat of water, 2.43 MJ/kg at 30 °C. The trade's rule, 0.1 % of the circulation per degree
    Fahrenheit (Expert CTR, cooling tower glossary: 8.75 gpm of 875 gpm that cool by 10 °F), is 4 % above:

    >>> gpm = 6.309e-5
    >>> round(8.75 * gpm / float(evaporated_m3_per_s(875 * gpm * WATER_J_PER_M3_K * 10 / 1.8)), 2)
    1.04
    """
    return heat_w / LATENT_J_PER_M3


def makeup_m3_per_s(evaporated_flow_m3_per_s: Number, num_cycles: Number) -> Number:
    """Water drawn where salts may concentrate `num_cycles` times: evaporation and blow-down E / (C - 1).

    Source: Expert CTR, cooling tower glossary: 8.75 gpm evaporated at three cycles take 13.1 gpm:

    >>> round(makeup_m3_per_s(8.75, 3), 1)
    13.1
    """
    return evaporated_flow_m3_per_s * num_cycles / (num_cycles - 1)


def diurnal_temperature_c(mean_c: Number, range_k: Number, hour: Number) -> Number:
    """Temperature through a day: the first harmonic, warmest at 15 h local standard time.

    The mean of the day is `mean_c`, its maximum less its minimum `range_k`. Real mornings warm faster
    than evenings cool; within 3 K of the mean days of typical years.

    Source: ASHRAE Handbook of Fundamentals, daily range fractions (maximum at 14 to 15 h). A day of 20 °C
    and 10 K at its warmest, and half a day later:

    >>> float(diurnal_temperature_c(20.0, 10.0, 15.0)), float(diurnal_temperature_c(20.0, 10.0, 3.0))
    (25.0, 15.0)
    """
    return mean_c + range_k / 2 * np.cos(2 * np.pi * (hour - 15.0) / HOURS_PER_DAY)


def normal_quantile(probability_frac: Number) -> Number:
    """Standard normal deviate that is not exceeded with a probability, within 0.012 from 1 to 99 %.

    Source: Joiner and Rosenblatt, Some Properties of the Range in Samples from Tukey's Symmetric Lambda
    Distributions, JASA 66 (1971): lambda = 0.135 imitates the normal. The tables' 95 % point is 1.645:

    >>> round(float(normal_quantile(0.95)), 2)
    1.65
    """
    return (probability_frac**0.135 - (1 - probability_frac) ** 0.135) / 0.1975


def day_spread_k(mean_c: Number, range_k: Number, hot_c: Number) -> Number:
    """Standard deviation of daily means within a month, from the temperature that 5 % of its hours exceed.

    Hours are taken as the sum of a cosine through the day and a normal deviation from day to day, whose
    variances add up.

    Source: ASHRAE Handbook of Fundamentals, climatic design conditions (monthly 5 % dry bulb): Washington
    Dulles in July has a mean of 24.6 °C, a range of 11.4 K and 32.8 °C at 5 %; its days then differ by 2.9 K:

    >>> round(float(day_spread_k(24.6, 11.4, 32.8)), 1)
    2.9
    """
    total = (hot_c - mean_c) / 1.645
    return np.sqrt(np.maximum(total**2 - range_k**2 / 8, 0.0))


def overheat_s(coolant_m3: Number, margin_k: Number, heat_w: Number) -> Number:
    """Time in which unmoved heat warms a loop's coolant by `margin_k`; what metal takes up comes on top.

    Source: heat balance. 1 m3 of water under 1 MW warms by 10 K in 42 s:

    >>> round(float(overheat_s(1.0, 10.0, 1e6)))
    42
    """
    return coolant_m3 * WATER_J_PER_M3_K * margin_k / heat_w


def pue(facility_energy_j: Number, it_energy_j: Number) -> Number:
    """Power usage effectiveness: energy of a facility over energy of its computers, over the same time.

    Source: The Green Grid, White Paper 49 (2012); ISO/IEC 30134-2. Google's fleet: 10 MWh beside each 100:

    >>> pue(110.0, 100.0)
    1.1
    """
    return facility_energy_j / it_energy_j


def wue_m3_per_j(water_m3: Number, it_energy_j: Number) -> Number:
    """Water usage effectiveness: water drawn on site over energy of the computers, over the same time.

    Source: The Green Grid, White Paper 35 (2011); ISO/IEC 30134-9. Meta's halls of 2021 drew 0.26 L/kWh:

    >>> round(wue_m3_per_j(0.26, 1000 * 3.6e6) * 3.6e9, 2)
    0.26
    """
    return water_m3 / it_energy_j
