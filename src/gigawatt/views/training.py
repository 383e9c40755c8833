"""A training design as tables: the best layouts, where the step goes, memory by stage, sensitivity."""

from __future__ import annotations

from gigawatt import units
from gigawatt.domain.model import Model
from gigawatt.domain.training import Layout, StageMemory, TrainingDesign, TrainingPrediction
from gigawatt.views.table import Column, Table, text_column

_ALWAYS = ("tp", "pp", "dp")
_WHEN_MORE_THAN_ONE = ("vpp", "cp", "ep", "etp", "dp_shard")


MFU_CONVENTION = (
    "MFU: model FLOPs (3 x forward, causal attention counted once, no recomputation) over the dense peak of "
    "the number format; another convention gives another figure"
)
"""What the printed utilisation counts, in one line."""


def layout_text(layout: Layout) -> str:
    """A layout in one line: what is 1 and need not be said is left out."""
    axes = [f"{name}={getattr(layout, name)}" for name in _ALWAYS]
    axes += [f"{name}={getattr(layout, name)}" for name in _WHEN_MORE_THAN_ONE if getattr(layout, name) > 1]
    axes += [f"micro_batch={layout.micro_batch}", f"zero={layout.zero}", f"recompute={layout.recompute}"]
    if layout.pp > 1:
        axes.append(f"schedule={layout.schedule}")
    return " ".join(axes)


def layout_brief(layout: Layout) -> str:
    """A layout in few words, for a column: "TP8 PP16x2 DP128, ZeRO-1"."""
    stages = f"PP{layout.pp}x{layout.vpp}" if layout.vpp > 1 else f"PP{layout.pp}"
    many = [f"{name.upper()}{getattr(layout, name)}" for name in ("cp", "ep") if getattr(layout, name) > 1]
    words = [" ".join((f"TP{layout.tp}", stages, *many, f"DP{layout.dp}")), f"ZeRO-{layout.zero}"]
    if layout.recompute != "none":
        words.append(f"{layout.recompute} recompute")
    return ", ".join(words)


def layouts_table(design: TrainingDesign) -> Table:
    """The best layouts, and the asked one last."""
    shown = [*design.best, *([design.asked] if design.asked else [])]
    names = [*(str(rank) for rank in range(1, len(design.best) + 1)), *(["yours"] if design.asked else [])]
    where = f"{design.num_accelerators:,} accelerators of {design.system}"
    return Table(
        title=f"{design.model} on {where}: {_extent(design)}",
        columns=(
            text_column("rank", ""),
            text_column("layout", "Layout"),
            Column("step_s", "Step"),
            Column("low_step_s", "10 %"),
            Column("high_step_s", "90 %"),
            Column("mfu_frac", "MFU"),
            Column("tokens_per_s", "Rate"),
            Column("memory_bytes", "Memory"),
            Column("fits", "Fits"),
        ),
        rows=tuple(
            (
                name,
                layout_text(one.layout),
                one.step_s,
                one.low_step_s,
                one.high_step_s,
                one.mfu_frac,
                one.tokens_per_s,
                one.memory_bytes,
                one.fits,
            )
            for name, one in zip(names, shown, strict=True)
        ),
        pointers=tuple(f"/best/{index}" for index in range(len(design.best)))
        + (("/asked",) if design.asked else ()),
        notes=tuple(f"{rank}: {reason}" for rank, reason in enumerate(design.reasons, start=2)),
    )


def _extent(design: TrainingDesign) -> str:
    """How much was searched, and what that proves."""
    proof = "proven optimal" if design.proven_optimal else "best found"
    extent = f"{proof} among {design.layouts_legal:,} legal layouts"
    if design.layouts_evaluated < design.layouts_legal:
        extent += f", {design.layouts_evaluated:,} of them weighed singly and the rest ruled out by bounds"
    return extent


def parts_table(prediction: TrainingPrediction, other: TrainingPrediction | None = None) -> Table:
    """Where the step goes; beside it, where it goes in another layout."""
    others = {part.key: part.time_s for part in other.parts} if other else {}
    columns = [text_column("part", "Part"), Column("time_s", "Time"), Column("share_frac", "Share", digits=2)]
    if other:
        columns.append(Column("yours_time_s", "Yours"))
    columns.append(text_column("law", "Law"))
    labels = {part.key: part for part in (*prediction.parts, *(other.parts if other else ()))}
    own = {part.key: part.time_s for part in prediction.parts}
    rows = []
    for key, part in labels.items():
        time_s = own.get(key, 0.0)
        if max(time_s, others.get(key, 0.0)) < _SHOWN_FRAC * prediction.step_s:
            continue
        beside = (others.get(key, 0.0),) if other else ()
        rows.append((part.label, time_s, time_s / prediction.step_s, *beside, part.law))
    return Table(title="Where the step goes", columns=tuple(columns), rows=tuple(rows))


def position_remark(model: Model, seq_len: int) -> str:
    """What to know of sequences beyond the positions of the model's config; blank where there are none."""
    if not 0 < model.max_positions < seq_len:
        return ""
    return (
        f"{model.name} is configured for {model.max_positions:,} positions, fewer than the {seq_len:,} "
        "tokens of a sequence: planned as if its positions were extended"
    )


_SHOWN_FRAC = 0.0005
_MEMORY_PARTS = ("weights", "gradients", "optimizer", "activations", "logits", "buffers", "slack")


def memory_table(prediction: TrainingPrediction, every_stage: bool = False, whose: str = "") -> Table:
    """Memory of one accelerator of the first, the fullest and the last pipeline stage, or of every stage."""
    fullest = max(prediction.memory, key=lambda stage: stage.total_bytes)
    shown = prediction.memory
    if not every_stage:
        shown = tuple(dict.fromkeys((prediction.memory[0], fullest, prediction.memory[-1])))
    shown = tuple(sorted(shown, key=lambda stage: stage.stage))
    usable = units.format_quantity(prediction.capacity_bytes, "_bytes")
    stages = "one stage" if len(prediction.memory) == 1 else f"{len(prediction.memory)} stages"
    return Table(
        title=f"Memory per accelerator{whose} ({usable} usable), {stages}",
        columns=(
            Column("stage", "Stage"),
            *(Column(f"{name}_bytes", name.capitalize()) for name in _MEMORY_PARTS),
            Column("total_bytes", "Total"),
        ),
        rows=tuple(_memory_row(stage) for stage in shown),
    )


def _memory_row(stage: StageMemory) -> tuple[float | int, ...]:
    return (stage.stage, *(getattr(stage, f"{name}_bytes") for name in _MEMORY_PARTS), stage.total_bytes)


def sensitivity_table(design: TrainingDesign) -> Table | None:
    """What the step would take if one input changed; None where it was not asked."""
    if not design.sensitivity or not design.best:
        return None
    return Table(
        title="Sensitivity of the best layout",
        columns=(text_column("input", "If"), Column("factor", "times"), Column("step_s", "Step")),
        rows=tuple((one.input, one.factor, one.step_s) for one in design.sensitivity),
    )


def binding_table(design: TrainingDesign) -> Table:
    """Why nothing works."""
    where = f"{design.num_accelerators:,} accelerators of {design.system}"
    return Table(
        title=f"No layout of {design.model} works on {where}",
        columns=(
            text_column("constraint", "Constraint"),
            text_column("message", "Why"),
            Column("num_layouts", "Layouts stopped"),
        ),
        rows=tuple((one.constraint, one.message, one.num_layouts or None) for one in design.binding),
    )
