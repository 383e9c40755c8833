"""From a calibration to the values of its quantities on given transports."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gigawatt.design.collectives.pricing import Physics
from gigawatt.domain.calibration_collectives import CollectiveCalibration, ScaleOut, ScaleUp


def keys_of(near: ScaleUp, far: ScaleOut | None) -> dict[str, str]:
    """The key of each level under which a group's parameters are fitted; blank where a level says nothing."""
    return {
        "all": "",
        "scale_up": near.group,
        "family": far.family if far else "",
        "scale_out": far.id if far else "",
    }


def physics_of(calibration: CollectiveCalibration, keys: Mapping[str, str]) -> Physics:
    """Each quantity: its centre, moved by the offsets of every level that it is fitted at."""
    values = {
        row.id: row.centre
        * float(
            np.exp(sum(calibration.offsets.get((row.id, level, keys[level]), 0.0) for level in row.levels))
        )
        for row in calibration.parameters
    }
    return Physics(**values)
