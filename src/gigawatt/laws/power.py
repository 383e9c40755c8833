"""What a cluster draws, at its nodes and at the facility's meter, and what that emits."""

from __future__ import annotations

import numpy as np

from gigawatt.laws.numbers import Number

MWH_J = 3.6e9


def nodes_power_w(num_accelerators: Number, num_per_node: Number, node_power_w: Number) -> Number:
    """Draw of the nodes that hold `num_accelerators`, in watts; a partly used node draws as a whole.

    Source: NVIDIA DGX H100 user guide, at most 10.2 kW for eight accelerators. A 127-node, 1,016-accelerator
    DGX SuperPOD of four scalable units therefore needs at most 1.295 MW:

    >>> float(nodes_power_w(1016, 8, 10.2e3)) / 1e6
    1.2954
    """
    return np.ceil(num_accelerators / num_per_node) * node_power_w


def facility_power_w(it_power_w: Number, pue: Number) -> Number:
    """Draw at the meter of a facility that feeds `it_power_w` to its computers, in watts.

    Power usage effectiveness `pue` >= 1 is facility energy over IT energy (ISO/IEC 30134-2, a yearly mean).

    Source: The Green Grid, White Paper 49 (2012). At 1.58, the mean of the Uptime Institute's survey of 2023,
    a megawatt of computers draws 1.58 MW at the meter:

    >>> facility_power_w(1e6, 1.58)
    1580000.0
    """
    return it_power_w * pue


def energy_j(power_w: Number, duration_s: Number) -> Number:
    """Energy of a constant draw, in joules.

    Source: Patterson et al., Carbon Emissions and Large Neural Network Training (arXiv:2104.10350), table 4:
    GPT-3 on 10,000 V100 at 330 W for 14.8 days with PUE 1.10 took 1,287 MWh, from rounded figures:

    >>> round(energy_j(10_000 * 330 * 1.10, 14.8 * 86400) / 3.6e9)
    1289
    """
    return power_w * duration_s


def emissions_kgco2(used_energy_j: Number, carbon_kgco2_per_mwh: Number) -> Number:
    """Emissions of energy drawn from a grid of constant carbon intensity, in kg of CO2 equivalent.

    Source: Patterson et al., arXiv:2104.10350, table 4: GPT-3's 1,287 MWh at 0.429 kg/kWh are 552.1 tonnes:

    >>> round(emissions_kgco2(1287 * 3.6e9, 429.0) / 1000, 1)
    552.1
    """
    return used_energy_j / MWH_J * carbon_kgco2_per_mwh


def three_phase_current_a(power_w: Number, line_v: Number, active_frac: Number) -> Number:
    """Current of each conductor of a balanced three-phase circuit, in amperes.

    `line_v` is between conductors, `active_frac` the power factor.

    Source: definition (IEC 60050-141); Schneider Electric prints 722 A for the output of a 500 kW UPS at
    400 V and power factor 1 (Galaxy VXL, specifications):

    >>> round(float(three_phase_current_a(500e3, 400.0, 1.0)))
    722
    """
    return power_w / (np.sqrt(3.0) * line_v * active_frac)


def three_phase_loss_w(current_a: Number, ohm_per_m: Number, length_m: Number) -> Number:
    """Heat of the three conductors of a cable or busway, in watts; `ohm_per_m` of one, at its temperature.

    Source: Joule's law, three times. A cable NA2XS2Y 1x240 for 12/20 kV has 0.122 ohm/km and carries 421 A
    (pandapower, basic standard types); a kilometre of it then loses 64.9 kW:

    >>> round(three_phase_loss_w(421.0, 0.122e-3, 1000.0) / 1e3, 1)
    64.9
    """
    return 3.0 * current_a**2 * ohm_per_m * length_m


def transformer_loss_w(load_frac: Number, no_load_loss_w: Number, load_loss_w: Number) -> Number:
    """Losses of a transformer that carries `load_frac` of its rated current at rated voltage, in watts.

    The core's are there at any load, the windings' go with the square of the current.

    Source: IEC 60076-1; Commission Regulation (EU) 548/2014, annex I, allows a dry-type transformer of
    2,500 kVA 2,790 W without load and 19,000 W more at its rating. At half load it loses 7.54 kW at most:

    >>> transformer_loss_w(0.5, 2790.0, 19000.0)
    7540.0
    """
    return no_load_loss_w + load_frac**2 * load_loss_w


def peak_efficiency_frac(rating_va: Number, no_load_loss_w: Number, load_loss_w: Number) -> Number:
    """Highest efficiency that a transformer reaches at any load, 0..1: where both losses are equal.

    Source: Commission Regulation (EU) 548/2014, annex II, without the power of its cooling. A 40 MVA
    transformer that loses 18 kW without load and 136 kW at its rating (pandapower, standard types) is better
    than the 99.724 % that table I.7 asks for:

    >>> round(100 * float(peak_efficiency_frac(40e6, 18e3, 136e3)), 3)
    99.753
    """
    return 1.0 - 2.0 * np.sqrt(no_load_loss_w * load_loss_w) / rating_va


def converter_loss_frac(load_frac: Number, known_load_frac: Number, known_efficiency_frac: Number) -> Number:
    """Losses of a UPS or power supply at part load, as a share of its rating (not of its load).

    Straight lines between the losses at the loads where the efficiency (output over input) is known, in
    ascending order. Below the lowest of them its losses stay; above the highest the last line goes on flat.

    Source: 80 PLUS Titanium for redundant supplies at 230 V asks for 90, 94, 96 and 91 % at 10, 20, 50 and
    100 % load (Tom's Hardware). Half loaded, such a supply of 3 kW loses 62.5 W:

    >>> points, efficiencies = np.array([0.1, 0.2, 0.5, 1.0]), np.array([0.90, 0.94, 0.96, 0.91])
    >>> round(3e3 * float(converter_loss_frac(0.5, points, efficiencies)), 1)
    62.5
    """
    losses_frac = known_load_frac * (1.0 / known_efficiency_frac - 1.0)
    return np.interp(load_frac, known_load_frac, losses_frac)


def receiving_voltage_frac(
    sending_frac: Number,
    power_frac: Number,
    reactive_frac: Number,
    resistance_frac: Number,
    impedance_frac: Number,
) -> Number:
    """Voltage behind a series impedance that a load draws constant power through, of the nominal voltage.

    Powers are what arrives, of the base power that resistance and impedance refer to as well.

    Source: M. E. Baran and F. F. Wu, Network reconfiguration in distribution systems for loss reduction and
    load balancing, IEEE Transactions on Power Delivery 4 (1989), solved for the receiving end. A transformer
    of 16.2 % impedance and 0.34 % resistance (pandapower, 40 MVA 110/20 kV) that passes on its rating at
    power factor 1 holds 98.3 %, and the current times the impedance adds up to the sending voltage:

    >>> far = float(receiving_voltage_frac(1.0, 1.0, 0.0, 0.0034, 0.162))
    >>> round(far, 3)
    0.983
    >>> round(abs(far + 1.0 / far * complex(0.0034, (0.162**2 - 0.0034**2) ** 0.5)), 9)
    1.0
    """
    reactance_frac = np.sqrt(impedance_frac**2 - resistance_frac**2)
    half = sending_frac**2 / 2.0 - resistance_frac * power_frac - reactance_frac * reactive_frac
    return np.sqrt(half + np.sqrt(half**2 - impedance_frac**2 * (power_frac**2 + reactive_frac**2)))


def continuous_limit_w(rating_w: Number, continuous_frac: Number) -> Number:
    """Most that equipment may carry for three hours or longer, in watts.

    Source: NEC (NFPA 70) 210.20(A) and 215.3: an overcurrent device is rated for 125 % of a continuous load
    unless listed for 100 %, so it carries at most 80 % of its rating. Of 4,000 A at 415 V, 2.875 MW:

    >>> continuous_limit_w(2.875e6, 1 / 1.25) / 1e6
    2.3
    """
    return rating_w * continuous_frac


def bridge_energy_j(load_w: Number, bridge_s: Number, efficiency_frac: Number) -> Number:
    """Energy that batteries give while generators start, in joules; `efficiency_frac` from battery to load.

    Source: definition. Generators carry the load after 10 to 30 s (NCP-AII study guide); a megawatt for 30 s
    through an inverter of 96 % takes 8.7 kWh:

    >>> round(bridge_energy_j(1e6, 30.0, 0.96) / 3.6e6, 1)
    8.7
    """
    return load_w * bridge_s / efficiency_frac
