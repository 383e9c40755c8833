"""What a power chain is made of: the equipment that a site names, and how redundancy arranges it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gigawatt.design.facility.power_stages import limit_w, losses_of
from gigawatt.domain.facility import Equipment, FloorPlan, Redundancy, Site
from gigawatt.errors import InfeasibleError, InputError, Problem
from gigawatt.units import format_quantity

KINDS = ("utility", "transformer", "switchgear", "generator", "ups", "busway", "pdu", "breaker", "shelf")
"""Of equipment that belongs to a power chain."""
_MOST_LOW_V = 1000  # above it is medium and high voltage (IEC 60038)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How lineups stand in for each other, and what is spare beside them."""

    lineups_per_block: int
    lineups_needed: int
    spare_pieces: int
    """UPS modules per lineup and generators per block, beyond what carries the load."""
    num_sides: int
    spare_transformers: int
    """Between utility and medium voltage; two sides that are kept apart have a full set each."""
    feeds_per_rack: int
    reserve: bool = False
    """Whether what is not needed stands idle behind static switches."""


ARRANGEMENTS: Mapping[Redundancy, Arrangement] = {
    "n": Arrangement(1, 1, 0, 1, 0, 1),
    "n+1": Arrangement(4, 4, 1, 1, 1, 1),
    "2n": Arrangement(2, 1, 0, 2, 0, 2),
    "distributed": Arrangement(4, 3, 0, 2, 1, 2),
    "block": Arrangement(4, 3, 0, 2, 1, 2, reserve=True),
}


@dataclass(frozen=True, slots=True)
class Parts:
    """The equipment of a chain by its place, from the utility to the racks."""

    utility: Equipment
    substation: Equipment | None
    mv_switchgear: Equipment | None
    transformer: Equipment
    generator: Equipment
    lv_switchgear: Equipment
    ups: Equipment
    distribution: tuple[Equipment, ...]
    """Busways and power distribution units, in order."""
    breaker: Equipment | None
    shelf: Equipment | None


def power_parts(site: Site, equipment: Mapping[str, Equipment]) -> Parts:
    """The pieces that `site.chain` names, each in its place.

    Raises InputError with all that is missing, of an unknown kind, or does not fit the voltage before it.
    """
    chain = [equipment[name] for name in site.chain if name in equipment]
    problems = [f"chain: {name} is not among the equipment" for name in site.chain if name not in equipment]
    problems += [
        f"chain: {piece.id} is a {piece.kind}, which no power chain has"
        for piece in chain
        if piece.kind not in KINDS
    ]
    low = [piece for piece in chain if piece.output_v is None or piece.output_v <= _MOST_LOW_V]
    high = [piece for piece in chain if piece not in low]
    found = {
        "utility": _of(chain, "utility"),
        "transformer to low voltage": _of(low, "transformer"),
        "generator": _of(low, "generator"),
        "low-voltage switchgear": _of(low, "switchgear"),
        "ups": _of(low, "ups"),
        "busway or pdu": [piece for piece in low if piece.kind in ("busway", "pdu")],
    }
    problems += [f"chain: a {name} is missing" for name, pieces in found.items() if not pieces]
    problems += [
        f"chain: {name} is named more than once"
        for name, pieces in found.items()
        if len(pieces) > 1 and "busway" not in name
    ]
    problems += _voltage_problems(chain, site)
    if problems:
        raise InputError([Problem(text, key=f"sites/{site.id}") for text in problems])
    one = {name: pieces[0] for name, pieces in found.items()}
    return Parts(
        one["utility"],
        next(iter(_of(high, "transformer")), None),
        next(iter(_of(high, "switchgear")), None),
        one["transformer to low voltage"],
        one["generator"],
        one["low-voltage switchgear"],
        one["ups"],
        tuple(found["busway or pdu"]),
        next(iter(_of(chain, "breaker")), None),
        next(iter(_of(chain, "shelf")), None),
    )


def _of(pieces: Sequence[Equipment], kind: str) -> list[Equipment]:
    return [piece for piece in pieces if piece.kind == kind]


def _voltage_problems(chain: Sequence[Equipment], site: Site) -> list[str]:
    """Each piece takes what the one before it gives; a generator joins at its own voltage."""
    problems = []
    volts = site.utility_v
    for piece in chain:
        if piece.input_v is not None and abs(piece.input_v - volts) > 0.1 * volts:
            given, taken = format_quantity(volts, "_v"), format_quantity(piece.input_v, "_v")
            problems.append(f"chain: {piece.id} takes {taken}, what comes before it gives {given}")
        if piece.kind != "generator" and piece.output_v is not None:
            volts = piece.output_v
    return problems


@dataclass(frozen=True, slots=True)
class RackFeed:
    """What feeds one rack of a kind: so many breakers and shelves, of which so many carry it alone."""

    power_w: float
    num_racks: int
    pieces: int
    needed: int


def rack_feeds(floor: FloorPlan, parts: Parts, feeds_per_rack: int) -> tuple[RackFeed, ...]:
    """Shelves (or, without shelves, breakers) of each kind of rack.

    Two feeds carry the rack each on its own; on one feed there is a shelf to spare.
    Raises InfeasibleError where a breaker or a busway cannot carry one rack.
    """
    feeds = []
    for kind in floor.racks:
        if kind.power_w <= 0 or not kind.num_racks:
            continue
        needed = _pieces_needed(kind.power_w, parts)
        spare = needed if feeds_per_rack > 1 else (1 if parts.shelf else 0)
        feeds.append(RackFeed(kind.power_w, kind.num_racks, needed + spare, needed))
        for piece, load_w in (
            (parts.breaker, kind.power_w / needed),
            *((p, kind.power_w) for p in parts.distribution),
        ):
            if piece is not None and load_w > limit_w(piece):
                drawn, most = format_quantity(load_w, "_w"), format_quantity(limit_w(piece), "_w")
                share = (
                    f"one of {needed} inputs of a {kind.name} rack"
                    if piece.kind == "breaker"
                    else f"a {kind.name} rack"
                )
                raise InfeasibleError(
                    f"{piece.kind}: {share} draws {drawn}, {piece.id} carries {most} for hours; "
                    f"take one of a higher rating, or racks of at most {most}"
                )
    if not feeds:
        raise InfeasibleError("power: no rack of the floor plan draws power")
    return tuple(feeds)


def _pieces_needed(rack_w: float, parts: Parts) -> int:
    most_w = limit_w(parts.breaker) if parts.breaker else rack_w
    if parts.shelf:
        full = parts.shelf.rating_w
        most_w = min(most_w, full + float(losses_of(parts.shelf).loss_w(full)))
    return max(1, -int(-rack_w // most_w))
