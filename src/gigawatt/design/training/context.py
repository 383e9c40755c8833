"""A training question with everything looked up: what all layouts of one search or prediction share."""

from __future__ import annotations

from dataclasses import dataclass

from gigawatt.design.training.memory import Books, Edges
from gigawatt.design.training.physics import Setting, physics_of, recipe_of, require, setting_of
from gigawatt.design.training.shape import block_kinds, chip_of, weights_of
from gigawatt.design.training.step import Weights
from gigawatt.design.training.terms import BlockKind, Chip, Physics, Recipe
from gigawatt.domain.calibration import Spread, TrainingCalibration
from gigawatt.domain.fabric import Network
from gigawatt.domain.hardware import Accelerator, System
from gigawatt.domain.memory import MemoryAccounting
from gigawatt.domain.model import Model
from gigawatt.domain.training import TrainingJob
from gigawatt.errors import InputError


@dataclass(frozen=True)
class Context:
    """One model on one system with one job, as records and as the numbers that the cost functions take."""

    model: Model
    system: System
    accelerator: Accelerator
    num_accelerators: int
    job: TrainingJob
    network: Network | None
    setting: Setting
    kinds: tuple[BlockKind, ...]
    weights: Weights
    edges: Edges
    chip: Chip
    recipe: Recipe
    physics: Physics
    books: Books
    spread: Spread
    basis: str

    @property
    def capacity_bytes(self) -> float:
        """What a framework can allocate on one accelerator."""
        return self.accelerator.usable_hbm_bytes or 0.0

    @property
    def num_nodes(self) -> float:
        """Nodes of the system that the job fills."""
        return max(self.num_accelerators / self.system.num_accelerators_per_node, 1.0)


def context_of(
    model: Model,
    system: System,
    accelerator: Accelerator,
    num_accelerators: int,
    job: TrainingJob,
    calibration: TrainingCalibration,
    network: Network | None = None,
) -> Context:
    """Look everything up. Raises InputError where the catalogue lacks a figure, UnknownIdError for names.

    `network` is the one between nodes; without it, none of its tiers is oversubscribed.
    """
    require(accelerator)
    if num_accelerators < 1:
        raise InputError(f"at least one accelerator is needed, found {num_accelerators}")
    setting = setting_of(calibration, accelerator, job.precision, job.software)
    kinds = block_kinds(model)
    scope = scope_of(calibration, setting)
    return Context(
        model=model,
        system=system,
        accelerator=accelerator,
        num_accelerators=num_accelerators,
        job=job,
        setting=setting,
        kinds=kinds,
        weights=weights_of(
            kinds,
            float(model.hidden),
            float(model.vocab),
            float(model.tied_head),
            float(model.num_mtp_layers),
        ),
        edges=Edges(float(model.vocab), float(model.hidden), float(model.tied_head)),
        network=network,
        chip=chip_of(accelerator, system, setting.format, num_accelerators, network),
        recipe=recipe_of(setting),
        physics=physics_of(calibration, setting),
        books=Books.of(accounting_of(calibration, setting), setting.format.operand_bytes),
        spread=spread_of(calibration, scope, any(block.experts for block in model.blocks)),
        basis=SCOPES[scope],
    )


def accounting_of(calibration: TrainingCalibration, setting: Setting) -> MemoryAccounting:
    """How the software keeps memory: by its release, else its framework."""
    names = (setting.vintage, setting.software.id, setting.keys["framework"])
    for name in names:
        for row in calibration.accounting:
            if name and name in (row.id, *row.aliases):
                return row
    raise InputError(f"no memory accounting for {setting.software.name}; add one to calibration/memory.yaml")


UNKNOWN = Spread(scope="neither", moe=False, low_frac=0.75, high_frac=1.5, num_rows=0)
"""Where the calibration has no spread: the range of software found on one chip, read off its priors."""


SCOPES = {
    "software": "measured on this accelerator and number format, and with this software",
    "accelerator": "measured on this accelerator and number format, with other software",
    "neither": "no measurement on this accelerator and number format: priors only",
}
"""How much a calibration knows of a setting, best first, in words."""


def scope_of(calibration: TrainingCalibration, setting: Setting) -> str:
    """What the calibration has seen of this setting: a key of `SCOPES`."""
    seen = calibration.seen
    low = setting.format.peak != "bf16"
    chip = (
        ("peak", setting.keys["peak"]) in seen
        if low
        else ("accelerator", setting.keys["accelerator"]) in seen
    )
    # Neither does a release know a chip whose architecture has not run its attention kernels.
    software = all((level, setting.keys[level]) in seen for level in ("software", "attention"))
    return "software" if chip and software else "accelerator" if chip else "neither"


def spread_of(calibration: TrainingCalibration, scope: str, moe: bool) -> Spread:
    """The interval's factors at a scope."""
    for row in calibration.fit.spreads:
        if (row.scope, row.moe) == (scope, moe):
            return row
    return UNKNOWN
