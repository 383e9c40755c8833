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
