"""How much of the time a rack has no power, from the block diagram of its chain."""

from __future__ import annotations

from itertools import product

from gigawatt.domain.facility import PowerChain, PowerNode
from gigawatt.laws.availability import series_unavailability_frac, shortfall_frac, unavailability_frac


def rack_unavailability_frac(chain: PowerChain) -> float:
    """Share of the time that one rack, at full load of the site, has no power.

    Sources, lineups and the rack's feeds are conditioned on one after the other and the cases added up, which
    is exact for pieces that fail independently. A block that has lost more lineups than it can spare counts
    as down for all its racks; switching, bridging by batteries and repair crews never fail here.
    """
    down = 0.0
    for probability, sources_up in _source_cases(chain):
        for genset_probability, common_up in _generator_cases(chain):
            fails = [_lineup_down_frac(chain, up, common_up) for up in _sources_of_lineups(chain, sources_up)]
            down += probability * genset_probability * _rack_down_frac(chain, fails)
    return down


def _down_frac(node: PowerNode | None) -> float:
    if node is None or not node.mtbf_s:
        return 0.0
    return float(unavailability_frac(node.mtbf_s, node.mttr_s))


def _source_cases(chain: PowerChain) -> list[tuple[float, tuple[bool, ...]]]:
    """Whether medium voltage is there, side by side, and how likely that is."""
    site = [node for node in chain.nodes if node.level == "site"]
    if chain.redundancy == "2n":
        side = 0.0
        for node in site:
            per_side = node.num_installed // chain.num_sides
            needed = node.num_needed
            side = series_unavailability_frac(side, shortfall_frac(_down_frac(node), needed, per_side))
        return [
            (_chance(side, first) * _chance(side, second), (first, second))
            for first, second in product((True, False), repeat=2)
        ]
    whole = 0.0
    for node in site:
        down = _sides_down_frac(chain, node)
        whole = series_unavailability_frac(whole, down)
    return [(1.0 - whole, (True,)), (whole, (False,))]


def _sides_down_frac(chain: PowerChain, node: PowerNode) -> float:
    """Shared transformers count together; of feeds and buses one whole side suffices."""
    down = _down_frac(node)
    if node.kind == "transformer" or chain.num_sides == 1:
        return float(shortfall_frac(down, node.num_needed, node.num_installed))
    side = shortfall_frac(down, node.num_needed, node.num_installed // chain.num_sides)
    return float(side**chain.num_sides)


def _generator_cases(chain: PowerChain) -> list[tuple[float, bool | None]]:
    """Whether generators that all lineups of a block share can carry it; None: each lineup has its own."""
    common = chain.node("generator", "block")
    if common is None:
        return [(1.0, None)]
    needed, installed = common.num_needed // chain.num_blocks, common.num_installed // chain.num_blocks
    down = float(shortfall_frac(_down_frac(common), needed, installed))
    return [(1.0 - down, True), (down, False)]


def _sources_of_lineups(chain: PowerChain, sources_up: tuple[bool, ...]) -> list[bool]:
    return [sources_up[lineup % len(sources_up)] for lineup in range(chain.lineups_per_block)]


def _lineup_down_frac(chain: PowerChain, source_up: bool, common_up: bool | None) -> float:
    """A lineup's bus is fed by its transformer or by generators; switchgear and UPS are in series with it."""
    lineups = chain.num_blocks * chain.lineups_per_block
    transformer = _down_frac(chain.node("transformer", "lineup")) if source_up else 1.0
    if common_up is None:
        own = chain.node("generator", "lineup")
        count = own.num_installed // lineups if own else 0
        generators = float(shortfall_frac(_down_frac(own), count, count)) if count else 1.0
    else:
        generators = 0.0 if common_up else 1.0
    down = series_unavailability_frac(
        transformer * generators, _down_frac(chain.node("switchgear", "lineup"))
    )
    ups = chain.node("ups", "lineup")
    if ups is not None:
        installed = ups.num_installed // lineups
        spare = 1 if chain.redundancy == "n+1" else 0
        down = series_unavailability_frac(down, shortfall_frac(_down_frac(ups), installed - spare, installed))
    return float(down)


def _rack_down_frac(chain: PowerChain, fails: list[float]) -> float:
    """Of a rack that hangs on the first lineups, each of which is down `fails` of the time."""
    distribution = 0.0
    for kind in ("busway", "pdu"):
        distribution = series_unavailability_frac(distribution, _down_frac(chain.node(kind, "lineup")))
    down = 0.0
    for state in product((True, False), repeat=len(fails)):
        probability = 1.0
        for up, fail in zip(state, fails, strict=True):
            probability *= _chance(fail, up)
        down += probability * _hanging_down_frac(chain, state, distribution)
    return down


def _hanging_down_frac(chain: PowerChain, state: tuple[bool, ...], distribution: float) -> float:
    if chain.redundancy == "n+1" or chain.lineups_per_block == 1:
        sources = [state[0]]
    elif sum(state) < chain.lineups_needed:
        return 1.0
    elif chain.redundancy == "block":
        sources = [state[0] or state[-1]] * chain.feeds_per_rack
    else:
        sources = list(state[: chain.feeds_per_rack])
    down = 0.0
    for ways in product((True, False), repeat=len(sources)):
        probability = 1.0
        for up in ways:
            probability *= _chance(distribution, up)
        fed = sum(source and way for source, way in zip(sources, ways, strict=True))
        down += probability * _shelves_down_frac(chain, fed)
    return down


def _shelves_down_frac(chain: PowerChain, num_fed: int) -> float:
    """Of the heaviest rack, so many of whose feeds have power."""
    if num_fed == 0:
        return 1.0
    each = series_unavailability_frac(
        _down_frac(chain.node("breaker", "rack")), _down_frac(chain.node("shelf", "rack"))
    )
    pieces = max(chain.pieces_by_kind, default=0)
    if not each or not pieces:
        return 0.0
    needed = pieces // chain.feeds_per_rack if chain.feeds_per_rack > 1 else pieces - 1
    if chain.node("shelf", "rack") is None and chain.feeds_per_rack == 1:
        needed = pieces
    return float(shortfall_frac(each, needed, pieces * num_fed // chain.feeds_per_rack))


def _chance(down_frac: float, up: bool) -> float:
    return 1.0 - down_frac if up else down_frac
