"""Watts and volts through the stages of a power chain, from the racks back to the utility."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gigawatt.domain.facility import Equipment, PowerNode
from gigawatt.laws.power import (
    continuous_limit_w,
    converter_loss_frac,
    receiving_voltage_frac,
    transformer_loss_w,
)

FloatArray = npt.NDArray[np.float64]
_ROUNDS = 12  # of the sweep; each gains two digits and more


@dataclass(frozen=True, slots=True)
class Losses:
    """What one piece loses: a converter by its known efficiencies, all else by a constant and a square."""

    rating_w: float
    no_load_loss_w: float
    load_loss_w: float
    impedance_frac: float
    known_load_frac: FloatArray | None
    known_efficiency_frac: FloatArray | None

    @property
    def resistance_frac(self) -> float:
        """Of its rating; what heats is resistance."""
        return self.load_loss_w / self.rating_w

    def loss_w(self, output_w: Any, voltage_frac: float = 1.0) -> Any:
        """Of one piece that passes on `output_w` (a float or an array) at this voltage behind it."""
        load_frac = output_w / self.rating_w
        if self.known_load_frac is not None:
            known, efficiency = self.known_load_frac, self.known_efficiency_frac
            return self.rating_w * converter_loss_frac(load_frac, known, efficiency)
        return transformer_loss_w(load_frac / voltage_frac, self.no_load_loss_w, self.load_loss_w)


def losses_of(piece: Equipment | PowerNode) -> Losses:
    """The losses of equipment, or of one piece of a stage."""
    known = efficiency = None
    if piece.efficiency_by_load:
        known, efficiency = curve(piece.efficiency_by_load)
    return Losses(
        piece.rating_w,
        piece.no_load_loss_w or 0.0,
        piece.load_loss_w or 0.0,
        piece.impedance_frac or 0.0,
        known,
        efficiency,
    )


def curve(efficiency_by_load: Mapping[str, float]) -> tuple[FloatArray, FloatArray]:
    """Loads, ascending, and efficiencies at them, from entries such as "25%": 0.958."""
    points = sorted(
        (float(load.removesuffix("%")) / 100, value) for load, value in efficiency_by_load.items()
    )
    return np.array([load for load, _ in points]), np.array([value for _, value in points])


def limit_w(equipment: Equipment) -> float:
    """What it may carry for hours."""
    share = 1.0 if equipment.continuous_frac is None else equipment.continuous_frac
    return float(continuous_limit_w(equipment.rating_w, share))


class Through(NamedTuple):
    """What passes a stage, all of its pieces together."""

    input_w: float
    output_w: float
    voltage_frac: float
    """Behind it."""
    input_va: float
    """Reactive power drawn."""


def sweep(
    stages: Sequence[tuple[Losses, int]],
    load_w: float,
    load_va: float = 0.0,
    extra_w: Mapping[int, float] | None = None,
    sending_frac: float = 1.0,
) -> list[Through]:
    """Power and voltage through stages in series, the source first, each of so many pieces in parallel.

    `load_w` and `load_va` (reactive) are what leaves the last; `extra_w` leaves other stages, by number.
    Backward for power, forward for voltage, until both agree.
    """
    volts = [sending_frac] * len(stages)
    passed: list[Through] = []
    for _ in range(_ROUNDS):
        passed = _backward(stages, load_w, load_va, extra_w or {}, [sending_frac, *volts])
        volts = _forward(stages, passed, load_va, sending_frac)
    return passed


def _backward(
    stages: Sequence[tuple[Losses, int]],
    load_w: float,
    load_va: float,
    extra_w: Mapping[int, float],
    volts: Sequence[float],
) -> list[Through]:
    passed: list[Through] = []
    active, reactive = load_w, load_va
    for number in reversed(range(len(stages))):
        losses, pieces = stages[number]
        output = active + extra_w.get(number, 0.0)
        if losses.known_load_frac is not None:
            active, reactive = output + pieces * losses.loss_w(output / pieces), 0.0
        else:
            squared = (output**2 + reactive**2) / (volts[number + 1] ** 2 * pieces * losses.rating_w)
            core = pieces * losses.no_load_loss_w * volts[number] ** 2
            active = output + losses.resistance_frac * squared + core
            reactive += _reactance_frac(losses) * squared
        passed.append(Through(active, output, volts[number + 1], reactive))
    return passed[::-1]


def _forward(
    stages: Sequence[tuple[Losses, int]],
    passed: Sequence[Through],
    load_va: float,
    sending_frac: float,
) -> list[float]:
    volts, before = [], sending_frac
    for number, (losses, pieces) in enumerate(stages):
        if losses.known_load_frac is not None:
            before = 1.0  # it makes its own
        elif losses.load_loss_w or losses.impedance_frac:
            base = pieces * losses.rating_w
            reactive = passed[number + 1].input_va if number + 1 < len(passed) else load_va
            impedance = max(losses.impedance_frac, losses.resistance_frac)
            output = passed[number].output_w
            before = float(
                receiving_voltage_frac(
                    before, output / base, reactive / base, losses.resistance_frac, impedance
                )
            )
        volts.append(before)
    return volts


def _reactance_frac(losses: Losses) -> float:
    return float(np.sqrt(max(losses.impedance_frac**2 - losses.resistance_frac**2, 0.0)))


def output_of_w(losses: Losses, input_w: float, pieces: int) -> float:
    """What leaves `pieces` in parallel that draw `input_w`."""
    output = input_w
    for _ in range(_ROUNDS):
        output = input_w - pieces * float(losses.loss_w(output / pieces))
    return output
