"""One question about one collective: name, size, system and fabric by name in, its time and range out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from gigawatt.domain.collectives import Collective, CollectivePrediction
from gigawatt.errors import InputError
from gigawatt.project.parts import default_fabric, fabric_parts, one_system
from gigawatt.units import format_quantity

if TYPE_CHECKING:
    from gigawatt.catalog import Catalog
    from gigawatt.domain.fabric import FabricDesign
    from gigawatt.domain.hardware import Accelerator, System

NAMES = get_args(Collective)
_ALSO = {
    "alltoall": "all_to_all",
    "sendrecv": "send_recv",
    "allreduce": "all_reduce",
    "allgather": "all_gather",
}


def collective_named(name: str) -> Collective:
    """The collective as it is called here, or in nccl-tests. Raises InputError with those that there are."""
    plain = name.strip().lower().replace("-", "_").removesuffix("_perf")
    plain = _ALSO.get(plain, plain)
    if plain not in NAMES:
        raise InputError(f"{name}: no such collective; there are {', '.join(NAMES)}")
    return plain  # type: ignore[return-value]


@dataclass(frozen=True)
class CollectiveQuestion:
    """A collective over accelerators of a system, one rank on each, scale-up domains filled one by one."""

    name: str
    bytes_total: float
    """The whole buffer as nccl-tests count it; of a dispatch or combine, one rank's tokens."""
    system: str
    num_ranks: int
    fabric: str = ""
    """Kind of network between domains; blank: the one that the system is usually built with."""
    num_planes: int | None = None
    ranks_per_domain: int | None = None
    num_groups: int = 1
    """Groups on other accelerators that do the same at the same time."""
    num_sharing: int = 1
    """Collectives that run at the same time on the same accelerators."""
    top_k: int | None = None
    algorithm: str = ""
    captured: bool = False
    straggler_s: float = 0.0
    """By how much one rank comes late; all wait for it."""


def time_collective(question: CollectiveQuestion, overlays: Sequence[Path] = ()) -> CollectivePrediction:
    """The time of a collective with its range.

    Raises InputError for unknown ids and names, InfeasibleError for more than the fabric reaches.
    """
    from gigawatt.catalog import load_catalog
    from gigawatt.design.collectives import predict_collective

    collective = collective_named(question.name)
    catalogue = load_catalog(overlays)
    asked = one_system(catalogue, question.system)
    kind, accelerator = catalogue.require_plannable(asked.id, with_power=False)
    _check_size(question.bytes_total, accelerator)
    return predict_collective(
        collective,
        question.bytes_total,
        question.num_ranks,
        kind,
        catalogue.collective_calibration(),
        fabric=_wired(catalogue, kind, question),
        num_groups=question.num_groups,
        num_sharing=question.num_sharing,
        ranks_per_domain=question.ranks_per_domain,
        algorithm=question.algorithm,
        captured=question.captured,
        straggler_s=question.straggler_s,
        top_k=question.top_k,
    )


def _check_size(bytes_total: float, accelerator: Accelerator) -> None:
    """Every collective has a rank that holds the whole buffer, before it or after."""
    most = accelerator.hbm_bytes
    if most and bytes_total > most:
        found, limit = (format_quantity(size, "_bytes") for size in (bytes_total, most))
        raise InputError(
            f"bytes_total: expected up to {limit}, the memory of one {accelerator.name}; found {found}"
        )


def _wired(catalogue: Catalog, system: System, question: CollectiveQuestion) -> FabricDesign | None:
    """The fabric between scale-up domains; None within one, and where no kind of fabric is known."""
    from gigawatt.design.fabric import plan_fabric

    inside = question.ranks_per_domain or system.num_accelerators_per_domain
    named = question.fabric or default_fabric(catalogue, system)
    domains = -(-question.num_ranks // inside) * question.num_groups
    if domains < 2 or not named:
        return None
    parts = fabric_parts(catalogue, named, system)
    return plan_fabric(system, domains * system.num_accelerators_per_domain, parts, None, question.num_planes)
