"""One's own failure figures as a row of the catalogue, which plans go by instead of what others published."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gigawatt.catalog import Catalog
from gigawatt.domain.reliability import FleetReliability
from gigawatt.errors import InputError
from gigawatt.units import format_quantity
from gigawatt.validation.reliability import learn, taught_by
from gigawatt.validation.reliability_figures import NUM_DRAWS
from gigawatt.validation.reliability_pool import Floats
from gigawatt.validation.reliability_rows import NODE, Fact, read_facts

_RATES = ("node_failures_per_s", "low_node_failures_per_s", "high_node_failures_per_s")


def calibrate_reliability(
    files: Sequence[Path], catalogue: Catalog, accelerator: str, date: str
) -> tuple[FleetReliability, ...]:
    """What each organisation's own figures say of its next long run, in the light of all in the files.

    Rows whose conditions the catalogue knows are published ones: they teach, and get no row. Few figures of
    one's own leave a wide range, as clusters differ.

    Errors: InputError for files that cannot be read, or in which no figure of one's own says how often nodes
    fail; UnknownIdError for an accelerator that the catalogue does not have.
    """
    published = catalogue.published_failures()
    facts = read_facts(files, published)
    listed = {one.id for one in published.figures}
    own = [fact for fact in facts if fact.cells["id"] not in listed and _tells_a_rate(fact)]
    if not own:
        why = sorted({fact.reason for fact in facts if fact.reason})
        raise InputError(f"no figure of one's own says how often nodes fail; {'; '.join(why) or 'no rows'}")
    pool = learn(taught_by(facts, published), published)["node_failures"]
    assert pool is not None
    kind = catalogue.accelerator(accelerator).id
    rows = []
    for name in dict.fromkeys(fact.cells["org"] for fact in own):
        members = [fact for fact in own if fact.cells["org"] == name]
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        drawn = pool.draws("run", members[0].organisations, NUM_DRAWS, rng)
        rows.append(_fleet(name, kind, date, members, drawn))
    return tuple(rows)


def _tells_a_rate(fact: Fact) -> bool:
    figure, value = fact.figure, fact.value
    numbered = value is not None and value.kind != "bound"
    return numbered and figure is not None and figure.teaches and figure.quantity == "node_failures"


def _fleet(
    name: str, accelerator: str, date: str, members: Sequence[Fact], drawn: Floats
) -> FleetReliability:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "own"
    low, middle, high = (float(one) for one in np.percentile(drawn, [10, 50, 90]))
    return FleetReliability(
        id=f"own-{slug}",
        name=f"{name}, from {len(members)} figure{'s' * (len(members) != 1)} of its own",
        organisation=name,
        accelerator=accelerator,
        source=f"own-figures-{slug}",
        basis="measured",
        date=date,
        note=f"Pooled with all that was at hand: {', '.join(fact.cells['id'] for fact in members)}.",
        accelerators_per_node=NODE,
        node_failures_per_s=middle,
        low_node_failures_per_s=low,
        high_node_failures_per_s=high,
    )


def reliability_overlay(rows: Sequence[FleetReliability]) -> str:
    """The rows as an overlay of the catalogue (YAML text), each with a source of its own."""
    about = {
        row.source: {
            "title": row.name,
            "publisher": row.organisation,
            "url": "",
            "date": row.date,
            "accessed": row.date,
            "licence": "own figures",
        }
        for row in rows
    }
    lines = [f"sources: {json.dumps(about, ensure_ascii=False)}", "reliability:"]
    for row in rows:
        kept = row.model_dump(mode="json", exclude_defaults=True)
        kept |= {name: format_quantity(kept[name], "_per_s", digits=9) for name in _RATES}
        first, *others = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in kept.items()]
        lines += [f"  - {first}", *(f"    {other}" for other in others)]
    return "\n".join([*lines, ""])
