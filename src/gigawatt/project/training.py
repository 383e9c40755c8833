"""One question about one training run: model, machines and job by name in, the best layouts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gigawatt.documents import Document, parse_record
from gigawatt.domain.training import Layout, TrainingDesign, TrainingJob, TrainingPrediction
from gigawatt.errors import InputError, Problem
from gigawatt.laws.progress import DAY_S, optimizer_steps, training_time_s
from gigawatt.project.parts import fabric_parts
from gigawatt.views.training import position_remark

if TYPE_CHECKING:
    from gigawatt.catalog import Catalog
    from gigawatt.domain.fabric import Network
    from gigawatt.domain.hardware import System

_WORDS = {"recompute", "schedule"}


@dataclass(frozen=True)
class Answer:
    """A training design and, given a number of tokens, how long the run takes with its best layout."""

    design: TrainingDesign
    search_cpu_s: float
    tokens: float | None = None
    num_steps: int | None = None
    train_s: float | None = None
    low_train_s: float | None = None
    high_train_s: float | None = None
    remark: str = ""
    """What to know of the question itself."""

    def length_text(self) -> str:
        """How long the run takes, in words."""
        days = [(span or 0.0) / DAY_S for span in (self.train_s, self.low_train_s, self.high_train_s)]
        return (
            f"{self.num_steps:,} steps take {days[0]:,.1f} days ({days[1]:,.1f} to {days[2]:,.1f}); "
            "steps only, without failures, restarts, checkpoints and evaluation"
        )

    def for_scripts(self) -> dict[str, Any]:
        """The answer as plain keys for scripts."""
        design = self.design
        keys = {
            "model": design.model,
            "system": design.system,
            "num_accelerators": design.num_accelerators,
            "layouts_evaluated": design.layouts_evaluated,
            "layouts_legal": design.layouts_legal,
            "layouts_fitting": design.layouts_fitting,
            "search_cpu_s": self.search_cpu_s,
            "proven_optimal": design.proven_optimal,
            "best": [flat(one) for one in design.best],
            "reasons": list(design.reasons),
            "asked": flat(design.asked) if design.asked else None,
            "binding": [one.model_dump() for one in design.binding],
            "nearest": flat(design.nearest) if design.nearest else None,
            "sensitivity": [one.model_dump() for one in design.sensitivity],
        }
        if self.train_s is not None:
            keys |= {
                "tokens": self.tokens,
                "num_steps": self.num_steps,
                "train_s": self.train_s,
                "low_train_s": self.low_train_s,
                "high_train_s": self.high_train_s,
            }
        return keys


def flat(prediction: TrainingPrediction) -> dict[str, Any]:
    """A prediction with its layout's axes beside its figures."""
    plain = prediction.model_dump()
    axes: dict[str, Any] = plain.pop("layout")
    return axes | plain


def lay_out(
    model: str,
    system: str,
    num_accelerators: int,
    job: TrainingJob,
    tokens: float | None = None,
    fixed: Mapping[str, object] | None = None,
    top: int = 5,
    asked: str | None = None,
    exhaustive: bool = False,
    overlays: Sequence[Path] = (),
    fabric: str | None = None,
) -> Answer:
    """The best layouts of a run. `asked` is a layout of one's own as text ("tp=8 pp=16 ...").

    `fabric` is the kind of network between the nodes; without it, no tier is oversubscribed. Raises
    InputError for unknown ids and machines of which too little is known.
    """
    from gigawatt.catalog import load_catalog

    catalogue = load_catalog(overlays)
    shape = catalogue.model(model)
    found, accelerator = catalogue.require_plannable(system, with_power=False)
    layout = read_layout(asked, num_accelerators) if asked else None
    calibration = catalogue.training_calibration()
    from gigawatt.design.training import search_layouts

    network = _network(found, num_accelerators, fabric, catalogue) if fabric else None
    design, search = search_layouts(
        shape,
        found,
        accelerator,
        num_accelerators,
        job,
        calibration,
        fixed or {},
        top,
        layout,
        exhaustive,
        network,
    )
    remark = position_remark(shape, job.seq_len)
    if tokens is None or not design.best:
        return Answer(design, search.cpu_s, remark=remark)
    best = design.best[0]
    num_steps = int(optimizer_steps(tokens, job.seq_len, job.global_batch))
    middle, low, high = (
        float(training_time_s(num_steps, s, 1.0)) for s in (best.step_s, best.low_step_s, best.high_step_s)
    )
    return Answer(design, search.cpu_s, tokens, num_steps, middle, low, high, remark)


def _network(system: System, num_accelerators: int, fabric: str, catalogue: Catalog) -> Network:
    from gigawatt.design.fabric import plan_fabric

    return plan_fabric(system, num_accelerators, fabric_parts(catalogue, fabric)).compute


def read_layout(text: str, num_accelerators: int) -> Layout:
    """A layout from "tp=8 pp=16 ..."; an unsaid dp is what the accelerators leave. Raises InputError."""
    axes: dict[str, Any] = {}
    problems = []
    for word in text.replace(",", " ").split():
        name, equals, value = word.partition("=")
        name = name.replace("-", "_").lower()
        if not equals or not value:
            problems.append(Problem(f'"{word}": expected axis=value, such as tp=8', key="--layout"))
        elif name in axes:
            problems.append(Problem(f'"{name}" is given twice', key="--layout"))
        else:
            axes[name] = value if name in _WORDS or not value.isdigit() else int(value)
    if problems:
        raise InputError(problems)
    layout = parse_record(Document("--layout", axes), Layout)
    if "dp" not in axes:
        without = layout.tp * layout.pp * layout.cp
        layout = layout.model_copy(update={"dp": max(1, num_accelerators // without)})
    if layout.num_accelerators != num_accelerators:
        product = f"tp x pp x cp x dp = {layout.num_accelerators:,}"
        raise InputError(Problem(f"{product}, expected {num_accelerators:,} (--gpus)", key="--layout"))
    return layout
