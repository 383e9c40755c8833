"""Prints the catalogue's models, their parameters beside the reference; `--write` renews docs/models.md."""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gigawatt.design.model_counts import ParameterCount, parameter_count, train_flop_per_token
from gigawatt.domain.huggingface import read_config

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "src" / "gigawatt" / "data" / "models"
PRINTED = ROOT / "tests" / "validation" / "reference_parameters.csv"
PAGE = ROOT / "docs" / "models.md"

FLOP_SEQ_LEN = 4096
SCALES = {"T": 10**12, "B": 10**9, "M": 10**6, "": 1}

PUBLISHED_COUNTS: Mapping[str, Callable[[ParameterCount], int]] = {
    "total": lambda count: count.total,
    "layers": lambda count: count.non_embedding,
    "layers and mtp": lambda count: count.non_embedding + count.mtp,
}
"""What a published total counts, by the words of a model's file."""

ACTIVE_COUNTS: Mapping[str, Callable[[ParameterCount], int]] = {
    "total": lambda count: count.active,
    "without embedding": lambda count: count.active - count.embedding,
    "layers": lambda count: count.active - count.embedding - count.head,
}
"""What a published figure of active parameters counts."""

HEAD = """\
# Models

Every model of the catalogue, its parameters counted from its `config.json` alone, beside the count of its
reference: the class of Hugging Face transformers {version}, built without weights on the meta device. The
difference is exact, in parameters. An empty reference means that transformers has no class for that shape;
there the published figure is the proof. *Active* is what one token passes, embeddings included. *Published*
is the source's own figure: some vendors cut decimals, leave embeddings out or count a vision tower; the notes
say which. FLOPs are model FLOPs per token in GFLOP, forward and backward, causal attention over {seq_len}
tokens, nothing recomputed, multi-token-prediction modules included.

This page is printed by `python scripts/model_table.py --write`; the tests compare it and every number in it.
How to [add a model](howto/add-a-model.md).

"""


def agrees(figure: int, published: str) -> bool:
    """Whether a count is the published figure, rounded or cut to the digits that it prints.

    Zeros before the unit ("70B") carry no digit: 68.98 billion is published as 70B.
    """
    digits, scale = re.fullmatch(r"([\d.,]+)([TBM]?)", published).groups()  # type: ignore[union-attr]
    plain = digits.replace(",", "")
    decimals = len(plain.partition(".")[2])
    zeros = 0 if decimals else len(plain) - len(plain.rstrip("0"))
    last_digit = SCALES[scale] * 10.0 ** (zeros - decimals)
    above = figure - float(plain) * SCALES[scale]
    return abs(above) <= last_digit / 2 or (scale != "" and 0 <= above < last_digit)


def models() -> dict[str, dict[str, Any]]:
    """Id and config of every catalogue model."""
    paths = sorted(MODELS.glob("*.json"), key=lambda path: path.stem)
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def printed_totals() -> dict[str, dict[str, str]]:
    """What transformers printed, by model."""
    with PRINTED.open(encoding="utf-8") as file:
        return {row["model"]: row for row in csv.DictReader(file)}


def row(id: str, config: Mapping[str, Any], printed: Mapping[str, str]) -> tuple[str, ...]:
    """One line of the table."""
    model = read_config(config, id, config["_gigawatt"]["name"])
    count = parameter_count(model)
    total = int(printed["total"]) if printed else None
    told = config["_gigawatt"]
    flop = train_flop_per_token(model, FLOP_SEQ_LEN, causal=True)
    active = told.get("published_active_params")
    return (
        f"`{id}`",
        told["name"],
        f"{count.total:,}",
        f"{total:,}" if total else "",
        f"{count.total - total:,}" if total else "",
        f"{count.active / 1e9:.2f}B" if count.active != count.total else "",
        told["published_params"] + (f" ({active})" if active else ""),
        f"{flop / 1e9:,.1f}",
    )


def page() -> str:
    """The whole page."""
    printed = printed_totals()
    version = next(iter(printed.values()))["transformers"]
    columns = ("Id", "Model", "Ours", "Reference", "Difference", "Active", "Published (active)", "GFLOP")
    lines = ["| " + " | ".join(columns) + " |", "|---|---|--:|--:|--:|--:|--:|--:|"]
    catalogue = models()
    for id, config in catalogue.items():
        lines.append("| " + " | ".join(row(id, config, printed.get(id, {}))) + " |")
    notes = [
        f"- `{id}`: {config['_gigawatt']['note']}"
        for id, config in catalogue.items()
        if config["_gigawatt"].get("note")
    ]
    head = HEAD.format(version=version, seq_len=FLOP_SEQ_LEN)
    return head + "\n".join(lines) + "\n\n## Notes\n\n" + "\n".join(notes) + "\n"


def main() -> None:
    """Prints the page, or writes it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/models.md")
    if parser.parse_args().write:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        print(page(), end="")


if __name__ == "__main__":
    main()
