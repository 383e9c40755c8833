"""Print docs/validation.md, and what README.md shows of it: how near predicted steps come to measured ones.

    python scripts/validation_page.py DATA_DIR [--write]

DATA_DIR holds `training_measured.csv` and `training_measured_vtrain_single.csv`. Every figure is computed
here: with the calibration that is in the catalogue, and by cross-validation, which fits it anew once for each
model and once for each family of software that is left out.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import accuracy_limits as limits

from gigawatt.catalog import load_catalog
from gigawatt.design.training import predict_training
from gigawatt.domain.calibration import TrainingFit
from gigawatt.domain.training import Layout, TrainingJob
from gigawatt.domain.validation import Ranking, Score, ValidationReport
from gigawatt.validation.baseline import constant_mfu_score
from gigawatt.validation.configurations import chip_class
from gigawatt.validation.rows import MeasuredRow, read_rows
from gigawatt.validation.training import validate_apart

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "validation.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- figures of docs/validation.md -->", "<!-- end of figures -->"
IN_README = ("in the fit", "A", "B", "C", "constant MFU, leaving out families")
MAIN, SINGLE = "training_measured.csv", "training_measured_vtrain_single.csv"
KORTHIKANTI = "Reducing Activation Recomputation (arXiv 2205.05198) Table 5 via Calculon validation"

LLAMA, LLAMA_SOFTWARE = "llama-3.1-405b", "NeMo container 24.07"
LLAMA_LAYOUT = Layout(
    tp=8, pp=16, vpp=8, dp=128, micro_batch=1, zero=1, recompute="none", schedule="interleaved"
)
"""Llama Team, arXiv 2407.21783, table 4 and section 3.3.2, with a release of the month of that paper."""

REMARKS = {
    "vtrain-ground-truth-gpt-3-6b-016": (
        "twice what micro-batches of 8 to 32 take in the same layout; at 64 the batch is a single "
        "micro-batch, and the time is that of two"
    ),
    **dict.fromkeys(
        (f"vtrain-ground-truth-gpt-39-1b-{number:03}" for number in (1, 3, 7, 10, 35, 40)),
        "every row of this model with TP 2 is slow, by up to 1.6 times; its rows with TP 1, 4 and 8 are not, "
        "nor are the TP 2 rows of the smaller model",
    ),
    "mlperf-training-v3-1-nvidia-gpt3-175b-001": (
        "states no virtual stages, which the rule takes as 1; with 16 micro-batches over 8 stages the bubble "
        "is then 44 % of the work, and this run had less of one"
    ),
    "internevo-training-performance-internlm-7b-008": (
        "shards over 1,024 ranks of 4x100 Gbit/s Ethernet per node; the same run sharded within nodes is 1.6 "
        "times as fast"
    ),
}
"""What the source's other rows say of a row, beyond what its gap suggests."""


class Figures(NamedTuple):
    """All reports that the page draws on: first on the multi-node file, then on the single-node one."""

    fitted: tuple[ValidationReport, ...]
    by_model: tuple[ValidationReport, ...]
    by_family: tuple[ValidationReport, ...]
    flat_model: Score
    flat_family: Score
    fit: TrainingFit
    rows: tuple[MeasuredRow, ...]
    """Of the multi-node file."""


def say(done: int, total: int, label: str) -> None:
    """Progress on standard error."""
    print(f"{done + 1}/{total} {label}", file=sys.stderr, flush=True)


def figures(data: Path) -> Figures:
    """Compute everything."""
    catalogue = load_catalog()
    sets = [[data / MAIN], [data / SINGLE]]
    workers = os.cpu_count() or 1
    runs = read_rows(sets[0], catalogue)
    return Figures(
        fitted=validate_apart(sets, catalogue),
        by_model=validate_apart(sets, catalogue, "model", workers, say),
        by_family=validate_apart(sets, catalogue, "family", workers, say),
        flat_model=constant_mfu_score(runs, "model"),
        flat_family=constant_mfu_score(runs, "family"),
        fit=catalogue.training_calibration().fit,
        rows=runs,
    )


def table(columns: str, rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; a colon before a column's name aligns it to the right."""
    names = [name.strip() for name in columns.split("|")]
    rule = "|".join("--:" if name.startswith(":") else "---" for name in names)
    lines = [f"| {' | '.join(name.lstrip(':') for name in names)} |", f"|{rule}|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def percent(value: float, digits: int = 1) -> str:
    """0.0835 as "8.3 %"."""
    return f"{100.0 * value:.{digits}f} %"


def signed(value: float) -> str:
    """-0.02 as "-2.0 %"."""
    return f"{100.0 * value:+.1f} %"


def short(score: Score | None) -> tuple[str, str]:
    """MAPE and median."""
    return (percent(score.mape_frac), percent(score.median_frac)) if score and score.n else ("", "")


def full(score: Score | None) -> tuple[str, ...]:
    """n, MAPE, median, p90, max, bias."""
    if score is None or not score.n:
        return ("",) * 6
    errors = (score.mape_frac, score.median_frac, score.p90_frac, score.max_frac)
    return (str(score.n), *map(percent, errors), signed(score.bias_frac))


def goals(f: Figures) -> str:
    """What was aimed at beside what is reached."""
    a, b = f.by_model[0].group("protocol", "A"), f.by_family[0].group("protocol", "B")
    c, table5 = f.by_family[0].group("protocol", "C"), f.by_model[0].group("source", KORTHIKANTI)
    fitted5, main = f.fitted[0].group("source", KORTHIKANTI), f.fitted[0]
    assert a and b and table5 and fitted5  # noqa: PT018
    rows = [
        ("A, MAPE", "8 %", percent(a.mape_frac)),
        ("A, median", "5 %", percent(a.median_frac)),
        ("A, p90", "18 %", percent(a.p90_frac)),
        ("B, MAPE", "12 %", percent(b.mape_frac)),
        ("B, median", "7 %", percent(b.median_frac)),
        ("C, MAPE", "none", percent(c.mape_frac) if c else ""),
        (
            "vTrain single node, MAPE",
            "9 %",
            f"{percent(f.by_model[1].overall.mape_frac)} leaving out models, "
            f"{percent(f.fitted[1].overall.mape_frac)} in the fit",
        ),
        (
            "Korthikanti et al., table 5, MAPE",
            "3.5 %",
            f"{percent(table5.mape_frac)} leaving out models, {percent(fitted5.mape_frac)} in the fit",
        ),
        ("Coverage of full layouts", "at least 95 %", percent(main.coverage_frac)),
        ("Peak memory, MAPE", "7 %", percent(main.memory.mape_frac)),
        ("80 % intervals cover, A", "70 to 90 %", percent(f.by_model[0].interval.coverage_frac)),
        ("80 % intervals cover, B and C", "70 to 90 %", percent(f.by_family[0].interval.coverage_frac)),
        ("Spearman, mean of clusters, A", "at least 0.9", f"{mean_spearman(f.by_model[0].rankings):.2f}"),
        ("Regret of the top pick, largest, A", "3 %", percent(worst_regret(f.by_model[0].rankings))),
    ]
    return table("Figure | :Goal | :Reached", rows)


def mean_spearman(rankings: Sequence[Ranking]) -> float:
    """Each cluster once."""
    return sum(one.spearman for one in rankings) / len(rankings) if rankings else 0.0


def worst_regret(rankings: Sequence[Ranking]) -> float:
    """Of the cluster that it is largest in."""
    return max((one.regret_frac for one in rankings), default=0.0)


def protocol_table(f: Figures) -> str:
    """Scores in full: in the fit, and by protocol."""
    rows = [
        ("in the fit", *full(f.fitted[0].overall)),
        ("leaving out models, all", *full(f.by_model[0].overall)),
    ]
    for report in (f.by_model[0], f.by_family[0]):
        rows += [(one.name, *full(one.score)) for one in report.groups if one.kind == "protocol"]
    rows += [
        ("constant MFU, leaving out models", *full(f.flat_model)),
        ("constant MFU, leaving out families", *full(f.flat_family)),
        ("vTrain single node, in the fit", *full(f.fitted[1].overall)),
        ("vTrain single node, leaving out models", *full(f.by_model[1].overall)),
        ("vTrain single node, leaving out Megatron-LM", *full(f.by_family[1].overall)),
    ]
    return table("Protocol | :n | :MAPE | :Median | :p90 | :Max | :Bias", rows)


def group_table(f: Figures, kind: str) -> str:
    """One kind of group, in the fit beside left out."""
    rows = []
    for one in f.fitted[0].groups:
        if one.kind == kind:
            a, b = f.by_model[0].group(kind, one.name), f.by_family[0].group(kind, one.name)
            rows.append((one.name, str(one.score.n), *short(one.score), *short(a), *short(b)))
    return table(
        "Group | :n | :In the fit: MAPE | :median | :Left-out model: MAPE | :median "
        "| :Left-out family: MAPE | :median",
        rows,
    )


def ranking_table(f: Figures) -> str:
    """Order of layouts, in the fit and left out."""
    rows = []
    for fitted, out in zip(f.fitted[0].rankings, f.by_model[0].rankings, strict=True):
        figures = (fitted.spearman, out.spearman)
        regrets = (percent(fitted.regret_frac), percent(out.regret_frac))
        rows.append((fitted.name, str(fitted.num_layouts), *(f"{x:.2f}" for x in figures), *regrets))
    return table(
        "Cluster | :Layouts | :Spearman, in the fit | :left out | :Regret, in the fit | :left out", rows
    )


def limit_table(f: Figures) -> str:
    """What knowing more than a layout would be worth."""
    by_model, by_family = (limits.once_of(f.rows, one) for one in (f.by_model[0], f.by_family[0]))
    b = limits.in_b(by_family)
    rows = [
        ("B, as predicted", limits.as_predicted(b)),
        ("B, if each family's own speed were known", limits.with_own_speed(b, lambda run: run.family)),
        (
            "B, if that of each family on each accelerator and width were known",
            limits.with_own_speed(b, lambda run: (run.family, *chip_class(run))),
        ),
        ("measured more than once: copied from the other releases", limits.from_other_releases(by_model)),
        ("measured more than once: predicted, model left out", limits.of_repeated(by_model)),
    ]
    cells = [
        (name, str(one.n), *map(percent, (one.mape_frac, one.median_frac, one.p90_frac)))
        for name, one in rows
    ]
    return table("Runs | :n | :MAPE | :Median | :p90", cells)


def order_table(f: Figures) -> str:
    """What order noise and the oddities of a cluster leave."""
    once = limits.once_of(f.rows, f.by_model[0])
    gap_frac = f.fitted[0].repeat_floor.median_frac
    rows = []
    for one, part in zip(f.by_model[0].rankings, limits.clusters(once), strict=True):
        again = limits.remeasured(part, gap_frac)
        known = limits.by_tensor_parallelism(part)
        rows.append((one.name, *(f"{x:.2f}" for x in (one.spearman, again, known))))
    return table("Cluster | :Left out | :Measured anew | :Each TP degree's own speed known", rows)


def llama_table() -> str:
    """The published run that is larger than all measured ones, by software of its time and of today."""
    catalogue = load_catalog()
    calibration = catalogue.training_calibration()
    system, accelerator = catalogue.require_plannable("hgx-h100", with_power=False)
    rows = []
    for software in (LLAMA_SOFTWARE, calibration.default_software):
        job = TrainingJob(seq_len=8192, global_batch=2048, precision="bf16", software=software)
        one = predict_training(catalogue.model(LLAMA), system, accelerator, LLAMA_LAYOUT, job, calibration)
        shares = (one.step_s / one.high_step_s, 1.0, one.step_s / one.low_step_s)
        rows.append((software, f"{one.step_s:.2f}", *(percent(one.mfu_frac * share) for share in shares)))
    return table("Software | :Step s | :MFU, 10 % | :MFU | :MFU, 90 %", rows)


def single_ranking(f: Figures) -> str:
    """The clusters of the single-node file in one sentence."""
    ranks = f.by_model[1].rankings
    least = min((one.spearman for one in ranks), default=0.0)
    return (
        f"The {len(ranks)} single-node clusters of vTrain (30 to 90 layouts each, left-out models): mean "
        f"Spearman {mean_spearman(ranks):.2f}, least {least:.2f}, "
        f"largest regret {percent(worst_regret(ranks))}."
    )


def interval_table(f: Figures) -> str:
    """Coverage, width and interval score."""
    rows = []
    for name, report in (
        ("in the fit", f.fitted[0]),
        ("leaving out models", f.by_model[0]),
        ("leaving out families", f.by_family[0]),
        ("vTrain single node, leaving out models", f.by_model[1]),
    ):
        one = report.interval
        rows.append((name, percent(one.coverage_frac), percent(one.width_frac), f"{one.winkler_frac:.2f}"))
    return table("Predictions | :Covered | :Width over measured | :Interval score", rows)


def spread_table(f: Figures) -> str:
    """What the catalogue's intervals are."""
    rows = []
    for one in f.fit.spreads:
        kind = "mixture of experts" if one.moe else "dense"
        low, high = signed(one.low_frac - 1.0), signed(one.high_frac - 1.0)
        rows.append((SCOPES[one.scope], kind, low, high, str(one.num_rows)))
    return table("Known | Model | :10 % | :90 % | :From rows", rows)


SCOPES = {
    "software": "accelerator, number format and software",
    "accelerator": "accelerator and number format",
    "neither": "neither",
}


def worst_table(report: ValidationReport) -> str:
    """The furthest rows and why."""
    by_id = {row.id: row for row in report.rows}
    rows = []
    for id in report.worst:
        row = by_id[id]
        measured, predicted = row.measured_step_s or 0.0, row.predicted_step_s or 0.0
        reason = REMARKS.get(id) or row.reason.partition(": ")[2] or row.reason
        rows.append((f"`{id}`", f"{measured:.3g}", f"{predicted:.3g}", signed(row.error_frac), reason))
    return table("Row | :Measured s | :Predicted s | :Error | Likely cause", rows)


def unscored_table(report: ValidationReport) -> str:
    """What is not predicted, by reason."""
    counts: dict[tuple[str, str], list[str]] = {}
    for row in report.rows:
        if row.status != "predicted":
            counts.setdefault((row.status, row.reason), []).append(row.id)
    rows = [
        (status, str(len(ids)), reason, f"`{ids[0]}`") for (status, reason), ids in sorted(counts.items())
    ]
    return table("Status | :Rows | Why | Such as", rows)


def convention_table(report: ValidationReport) -> str:
    """What published TFLOP/s and MFU count."""
    counts: dict[tuple[str, str], int] = {}
    for row in report.rows:
        if row.convention:
            _, found, says = row.convention.partition(" counts ")
            key = (row.source, says.partition(";")[0] if found else "no usual count of the step")
            counts[key] = counts.get(key, 0) + 1
    rows = [(source, str(n), says) for (source, says), n in sorted(counts.items())]
    return table("Source | :Rows | It counts", rows)


def parameter_table(fit: TrainingFit) -> str:
    """What each parameter saw, and how far it moved."""
    rows = []
    for parameter in load_catalog().training_calibration().parameters:
        name = parameter.id
        for level, sd in parameter.levels.items():
            own = [one for one in fit.parameters if (one.name, one.level) == (name, level)]
            if own:
                seen = max(one.num_rows for one in own)
                moved = max(own, key=lambda one: abs(one.offset))
                furthest = f"{moved.offset * sd:+.2f}" + (f" ({moved.key})" if moved.key else "")
                rows.append(
                    (f"`{name}`", level, f"{sd:g}", str(len(own)), str(seen), furthest, parameter.name)
                )
    return table(
        "Parameter | Level | :Prior deviation | :Keys | :Most rows of a key | Furthest offset | Meaning", rows
    )


def sections(f: Figures) -> Iterator[tuple[str, Callable[[Figures], str]]]:
    """Places in the page and what stands there."""
    report = f.fitted[0]
    floor = report.repeat_floor
    yield "goals", goals
    yield "protocols", protocol_table
    yield "families", lambda f: group_table(f, "family")
    yield "types", lambda f: group_table(f, "model type")
    yield "formats", lambda f: group_table(f, "number format")
    yield "sources", lambda f: group_table(f, "source")
    yield "rankings", ranking_table
    yield "limits", limit_table
    yield "llama", lambda _: llama_table()
    yield "orders", order_table
    yield "single_ranking", single_ranking
    yield "intervals", interval_table
    yield "spreads", spread_table
    yield "worst_left_out", lambda f: worst_table(f.by_model[0])
    yield "worst_fitted", lambda f: worst_table(f.fitted[0])
    yield "unscored", lambda f: unscored_table(f.fitted[0])
    yield "conventions", lambda f: convention_table(f.fitted[0])
    yield "parameters", lambda f: parameter_table(f.fit)
    yield "num_parameters", lambda f: str(len(f.fit.parameters))
    yield "floor_median", lambda _: percent(floor.median_frac)
    yield "floor_mean", lambda _: percent(floor.mean_frac)
    yield "floor_count", lambda _: str(floor.num_configurations)
    yield (
        "memory",
        lambda f: "n {}, MAPE {}, median {}, p90 {}, largest {}, bias {}".format(*full(f.fitted[0].memory)),
    )
    yield "flat", lambda f: percent(f.flat_family.mape_frac)
    yield "num_rows", lambda _: str(report.num_rows)
    yield "num_full", lambda _: str(report.num_full_layouts)
    yield "num_configurations", lambda _: str(report.overall.n)


def page(f: Figures) -> str:
    """The whole page."""
    text = (ROOT / "scripts" / "validation_page.md").read_text(encoding="utf-8")
    for name, write in sections(f):
        text = text.replace("{{" + name + "}}", write(f))
    return text


def excerpt(text: str) -> str:
    """The rows of the page's table of protocols that the README shows, word for word."""
    _, name, rest = text.partition("| Protocol |")
    head, rule, *rows = (name + rest.partition("\n\n")[0]).splitlines()
    shown = tuple(f"| {name} |" for name in IN_README)
    return "\n".join([head, rule, *(row for row in rows if row.startswith(shown))])


def with_excerpt(readme: str, text: str) -> str:
    """The README with the page's figures in place of those between its marks."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n\n{excerpt(text)}\n\n{end}{after}"


def main() -> None:
    """Prints the page, or writes it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument(
        "--write", action="store_true", help="write docs/validation.md, and its figures in README.md"
    )
    options = parser.parse_args()
    text = page(figures(options.data))
    if options.write:
        PAGE.write_text(text, encoding="utf-8")
        README.write_text(with_excerpt(README.read_text(encoding="utf-8"), text), encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
