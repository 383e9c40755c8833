"""What stands on a floor, and how far cables run over it."""

from __future__ import annotations

import numpy as np

from gigawatt.laws.numbers import Number


def tray_run_m(x_a_m: Number, y_a_m: Number, x_b_m: Number, y_b_m: Number, drop_m: Number) -> Number:
    """Length of a cable between two racks by the trays above them, in metres: along the rows, across them,
    and `drop_m` down at either end. Within one rack it is the two drops.

    Source: the rectilinear (Manhattan) metric of cable trays, as in Mudigonda, Yalagandula and Mogul, Taming
    the Flying Cable Monster (USENIX ATC 2011), which lays cables by it. Racks 3 m apart along the row and
    4 m across, trays 1 m above both:

    >>> float(tray_run_m(0.0, 0.0, 3.0, 4.0, 1.0))
    9.0
    """
    return np.abs(x_b_m - x_a_m) + np.abs(y_b_m - y_a_m) + 2 * drop_m


def floor_load_kg_per_m2(
    weight_kg: Number, rack_width_m: Number, rack_depth_m: Number, aisles_m: Number
) -> Number:
    """Load of a rack on its footprint and its half of the aisles before and behind it, in kg/m2.
    `aisles_m` is the depth of the cold and the hot aisle together.

    Source: definition. A GB200 NVL72 rack of 1,360 kg (Leviathan Systems, Liquid Cooling Requirements for
    Blackwell) on 0.6 m x 1.2 m between aisles of 1.2 m each has 1.44 m2 of its own:

    >>> round(float(floor_load_kg_per_m2(1360.0, 0.6, 1.2, 2.4)), 1)
    944.4
    """
    return weight_kg / (rack_width_m * (rack_depth_m + aisles_m / 2))
