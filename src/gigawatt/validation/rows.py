"""Measured training runs: a CSV with the columns of `training_measured.csv`, one run a row, as records."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import get_args

from gigawatt.catalog import Catalog
from gigawatt.design.training.legal import contradictions, divisible_of
from gigawatt.design.training.physics import Setting, require, setting_of, software_of
from gigawatt.design.training.shape import peak_of
from gigawatt.documents import load_csv
from gigawatt.domain.calibration import RowRules, TrainingCalibration, TrainingSoftware
from gigawatt.domain.hardware import Accelerator, System
from gigawatt.domain.model import Attention, Block, FeedForward, Model
from gigawatt.domain.training import Layout, Recompute, TrainingJob
from gigawatt.domain.validation import RunStatus
from gigawatt.errors import InputError, Problem
from gigawatt.units import parse_quantity

GIGA = parse_quantity("1 GB/s", "_bytes_per_s")

NEEDED = ("tp", "pp", "dp", "micro_batch", "global_batch_seqs", "seq_len", "measured_step_s")
CONFIGURATION = (
    "model",
    "gpu_kind",
    "gpus",
    "tp",
    "cp",
    "ep",
    "pp",
    "vpp",
    "dp",
    "micro_batch",
    "global_batch_seqs",
    "seq_len",
    "precision",
    "zero",
    "recompute",
    "software",
)


@dataclass(frozen=True)
class MeasuredRow:
    """One row of a file as it stands; `reason` says why it cannot be predicted, or is not scored."""

    id: str
    row: Mapping[str, str]
    status: RunStatus
    reason: str
    full_layout: bool
    has_laws: bool
    """Whether the laws cover what it trains."""

    @property
    def family(self) -> str:
        """The framework with all its releases and sites."""
        return self.row.get("framework", "")


@dataclass(frozen=True)
class MeasuredRun(MeasuredRow):
    """A row that the laws can express: what ran, where, and what was measured."""

    model: Model
    system: System
    accelerator: Accelerator
    layout: Layout
    job: TrainingJob
    setting: Setting
    scale_out_bytes_per_s: float
    num_nodes: float
    measured_step_s: float
    measured_mem_gib: float
    """0 where the row does not say."""
    blank_recompute: str
    """The software's rule, where the row does not say what was recomputed."""

    @property
    def configuration(self) -> tuple[str, ...]:
        """What makes two rows measurements of the same thing."""
        shape = tuple(self.row.get(key, "") for key in ("hidden", "layers", "heads"))
        return tuple(self.row.get(key, "") for key in CONFIGURATION) + shape

    @property
    def family(self) -> str:
        """The framework with all its releases and sites."""
        return self.setting.keys["framework"]

    @property
    def is_moe(self) -> bool:
        """Whether the model routes tokens to experts."""
        return any(block.experts for block in self.model.blocks)


def read_rows(files: Sequence[Path], catalogue: Catalog) -> tuple[MeasuredRow, ...]:
    """Every row of the files: runs, and the rows that cannot be expressed, which say why.

    Errors: InputError where a file lacks the columns that every row needs.
    """
    calibration = catalogue.training_calibration()
    found: list[MeasuredRow] = []
    for file in files:
        rows = load_csv(file)
        _require_columns(file, rows)
        found += [_read_row(row, catalogue, calibration) for row in rows]
    return tuple(found)


def _require_columns(file: Path, rows: Sequence[Mapping[str, str]]) -> None:
    have = set(rows[0]) if rows else set()
    lacking = [name for name in ("model", "gpu_kind", "gpus", *NEEDED) if name not in have]
    if lacking:
        raise InputError(
            [
                Problem("column is missing; a file of measured runs needs it", key=name, file=str(file))
                for name in lacking
            ]
        )


def _read_row(row: Mapping[str, str], catalogue: Catalog, calibration: TrainingCalibration) -> MeasuredRow:
    blank = [key for key in NEEDED if not (row.get(key) or "").strip()]
    lacks = _lacks(row, calibration.rows)
    try:
        if blank:
            raise InputError(f"not a full layout: {', '.join(blank)} blank")
        if lacks:
            raise InputError(lacks)
        return _expressed(row, catalogue, calibration)
    except ValueError as error:
        # A record refused the row: its first line says which field, and why.
        reason = str(error).partition("\n")[0]
    except InputError as error:
        reason = str(error)
    return MeasuredRow(row.get("id", ""), row, "inexpressible", reason, not blank, not lacks)


def _lacks(row: Mapping[str, str], rules: RowRules) -> str:
    """What the laws miss of the row's model."""
    found = (
        reason
        for pattern, reason in rules.inexpressible.items()
        if re.search(pattern, row["model"], re.IGNORECASE)
    )
    return next(found, "")


def _expressed(row: Mapping[str, str], catalogue: Catalog, calibration: TrainingCalibration) -> MeasuredRun:
    system = catalogue.system(row["gpu_kind"])
    accelerator = catalogue.accelerator(system.accelerator)
    framework = _framework(row, calibration)
    software = software_of(calibration, row.get("software", ""), framework)
    precision = row.get("precision") or _narrowest(accelerator, calibration)
    setting = setting_of(calibration, accelerator, precision, row.get("software", ""), framework)
    setting = _with_options(setting, row)
    require(accelerator)
    peak_of(accelerator, setting.format.peak)
    network = _number(row, "inter_node_network_GBps")
    nodes = _whole(row, "gpus") / system.num_accelerators_per_node
    model = model_of(row, catalogue, calibration.rows)
    layout = _layout(row, software)
    job = TrainingJob(
        seq_len=_whole(row, "seq_len"), global_batch=_whole(row, "global_batch_seqs"), precision=precision
    )
    contradiction = _contradiction(row, model, layout, job)
    return MeasuredRun(
        id=row.get("id", ""),
        row=row,
        status="document_error" if contradiction else "predicted",
        reason=contradiction,
        full_layout=True,
        has_laws=True,
        model=model,
        system=system,
        accelerator=accelerator,
        layout=layout,
        job=job,
        setting=setting,
        scale_out_bytes_per_s=network * GIGA
        if network
        else software.blank_scale_out_bytes_per_s or system.scale_out_bytes_per_s or 0.0,
        num_nodes=max(nodes, 1.0),
        measured_step_s=_number(row, "measured_step_s") or 0.0,
        measured_mem_gib=_number(row, "measured_peak_mem_gib") or 0.0,
        blank_recompute="" if row.get("recompute") else software.blank_recompute,
    )


def _with_options(setting: Setting, row: Mapping[str, str]) -> Setting:
    """The setting with what the row switches on: "+sp" in its recomputation, "(tokendrop)" in its notes."""
    stated = {
        "sequence_parallel": "sp" in row.get("recompute", "").split("+")[1:],
        "drops_tokens": "(tokendrop)" in row.get("notes", ""),
    }
    switched_on = {name: True for name, found in stated.items() if found}
    return replace(setting, software=setting.software.model_copy(update=switched_on))


def _framework(row: Mapping[str, str], calibration: TrainingCalibration) -> str:
    """The framework that the row names, or its source where that is one; else that of the default release."""
    named = row.get("framework") or row.get("software")
    known = {name for one in calibration.software for name in (one.id, *one.aliases)}
    source = row.get("source", "")
    if named or source in known:
        return row.get("framework") or source
    return calibration.default_software


def _contradiction(row: Mapping[str, str], model: Model, layout: Layout, job: TrainingJob) -> str:
    """What the row says that no run can have done; that it ran proves the rest of the layout legal."""
    gpus = _whole(row, "gpus")
    if layout.num_accelerators != gpus:
        return f"tp * cp * pp * dp is {layout.num_accelerators} and gpus {gpus}"
    found = contradictions(layout, divisible_of(model, job))
    return next((one.message for one in found if one.constraint in ("layers", "batch")), "")


def _narrowest(accelerator: Accelerator, calibration: TrainingCalibration) -> str:
    """The format of a row that does not say. Errors: InputError where the calibration does not say either."""
    for row in calibration.architectures:
        if row.id == accelerator.architecture:
            return row.narrowest
    raise InputError(
        f"the row states no precision, and calibration/architectures.yaml no {accelerator.architecture}"
    )


def _layout(row: Mapping[str, str], software: TrainingSoftware) -> Layout:
    zero, shard = _zero(row.get("zero", ""), software)
    vpp = _whole(row, "vpp", 1)
    recompute = row.get("recompute", "").split("+")[0]
    if not recompute:
        recompute = (
            software.blank_recompute if software.blank_recompute in ("none", "selective", "full") else "none"
        )
    if recompute not in get_args(Recompute):
        raise InputError(
            f"recompute: expected {', '.join(get_args(Recompute))} or blank, found {recompute!r}"
        )
    return Layout(
        tp=_whole(row, "tp"),
        pp=_whole(row, "pp"),
        vpp=vpp,
        cp=_whole(row, "cp", 1),
        ep=_whole(row, "ep", 1),
        dp=_whole(row, "dp"),
        micro_batch=_whole(row, "micro_batch"),
        zero=zero,
        dp_shard=shard,
        recompute=recompute,  # type: ignore[arg-type]
        schedule="interleaved" if vpp > 1 else "1f1b",
    )


def _zero(text: str, software: TrainingSoftware) -> tuple[int, int]:
    """ZeRO stage and sharding group: "3", "1 (group 8)", "hsdp"; blank where the optimizer is not sharded."""
    if not text:
        return (1 if software.overlaps else 0), 0
    if text.lower() == "hsdp":
        return 3, 8
    if text[0] not in "0123":
        raise InputError(f"zero: expected a stage from 0 to 3, or hsdp, found {text!r}")
    group = re.search(r"group (\d+)", text)
    return int(text[0]), int(group[1]) if group else 0


def model_of(row: Mapping[str, str], catalogue: Catalog, rules: RowRules) -> Model:
    """The model by its name; where the row states another shape, the shape of the row.

    A row whose notes say "w/o MTP" ran without the modules for multi-token prediction.
    Errors: InputError where neither the catalogue nor the row has the shape.
    """
    known = _catalogued(row["model"], catalogue)
    hidden, layers = _number(row, "hidden"), _number(row, "layers")
    heads = _number(row, "heads")
    if known is not None:
        first = known.blocks[0].attention
        same = hidden in (None, known.hidden) and layers in (None, known.num_layers)
        if same and (first.kind == "mla" or heads in (None, first.num_heads)):
            without = "w/o MTP" in row.get("notes", "")
            return known.model_copy(update={"num_mtp_layers": 0}) if without else known
    if hidden is None:
        raise InputError(f"model {row['model']!r} is not in the catalogue and the row states no shape")
    return _plain_gpt(row, int(hidden), rules)


@cache
def _catalogued(name: str, catalogue: Catalog) -> Model | None:
    for candidate in (name, re.sub(r"\s+(SFT|pretrain)$", "", name)):
        try:
            return catalogue.model(candidate)
        except InputError:
            continue
    return None


def _plain_gpt(row: Mapping[str, str], hidden: int, rules: RowRules) -> Model:
    """A GPT of the row's shape; blanks follow from the parameters (layers) and usual head sizes (heads)."""
    vocab = int(_number(row, "vocab") or rules.gpt_vocab)
    ffn = int(_number(row, "ffn_hidden") or 4 * hidden)
    layers = int(_number(row, "layers") or _usual_layers(row, hidden, vocab))
    heads = int(_number(row, "heads") or _usual_heads(hidden))
    kv_heads = int(_number(row, "kv_heads") or heads)
    head_dim = int(_number(row, "head_dim") or hidden // heads)
    attention = Attention(
        num_heads=heads,
        num_kv_heads=kv_heads,
        head_dim=head_dim,
        v_head_dim=head_dim,
        qkv_bias=True,
        out_bias=True,
    )
    block = Block(
        count=layers, attention=attention, feed_forward=FeedForward(hidden=ffn, gated=False, bias=True)
    )
    return Model(
        id=row["model"],
        name=row["model"],
        hidden=hidden,
        vocab=vocab,
        blocks=(block,),
        tied_head=True,
        norm="layer",
        norm_bias=True,
        num_learned_positions=_whole(row, "seq_len"),
    )


def _usual_layers(row: Mapping[str, str], hidden: int, vocab: int) -> int:
    params_b = _number(row, "params_b")
    if params_b is None:
        raise InputError("the row states neither layers nor params_b")
    return max(round((params_b * GIGA - vocab * hidden) / (12 * hidden**2)), 1)


def _usual_heads(hidden: int) -> int:
    """Heads in eights whose width divides `hidden` and lies nearest to 128."""
    if hidden % 8:
        raise InputError(f"the row states no heads, and hidden {hidden} is no multiple of 8")
    return min((n for n in range(8, hidden + 1, 8) if hidden % n == 0), key=lambda n: abs(hidden / n - 128))


def _number(row: Mapping[str, str], key: str) -> float | None:
    text = (row.get(key) or "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{key}: expected a number, found {text!r}") from None
    if not 0.0 < value < math.inf:
        raise InputError(f"{key}: expected a number above 0, found {text!r}")
    return value


def _whole(row: Mapping[str, str], key: str, blank: int | None = None) -> int:
    """A whole number of at least 1; `blank` where the cell is empty."""
    value = _number(row, key)
    if value is None and blank is not None:
        return blank
    if value is None or value != int(value) or value < 1:
        raise InputError(f"{key}: expected a whole number of at least 1, found {row.get(key)!r}")
    return int(value)
