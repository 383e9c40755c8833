"""Power chains: watts add up everywhere, what is spare carries the load, failures take what they must."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.design.facility.power import plan_power, power_failures, power_flow, power_graph
from gigawatt.design.facility.power_graph import PowerGraph, energised
from gigawatt.domain.facility import PowerChain, Redundancy
from gigawatt.errors import InfeasibleError, InputError
from gigawatt.laws.availability import shortfall_frac, unavailability_frac
from gigawatt.laws.power import peak_efficiency_frac

REDUNDANCIES: tuple[Redundancy, ...] = ("n", "n+1", "2n", "distributed", "block")
_ABOVE = ("utility-feed", "substation-transformer-63mva", "mv-switchgear-20kv-2500a", "transformer-3150kva")
_LINEUP = ("diesel-generator-3000kw", "lv-switchgear-415v-5000a", "ups-1500kw")
VARIANTS = (
    (*_ABOVE, *_LINEUP, "busway-415v-1200a", "tap-off-415v-125a", "power-shelf-33kw"),
    (*_ABOVE, *_LINEUP, "busway-415v-1200a", "tap-off-415v-125a"),
    (*_ABOVE, *_LINEUP, "busway-415v-1200a"),
    (*_ABOVE, *_LINEUP, "pdu-300kva"),
    (*_ABOVE, *_LINEUP, "busway-415v-1200a", "pdu-300kva", "tap-off-415v-63a", "power-shelf-33kw"),
)
"""Chains with and without power distribution units, tap-offs and shelves."""


def stages(graph: PowerGraph, kind: str) -> np.ndarray:
    """[pieces] whether it is of that kind."""
    return np.array(graph.stages)[graph.node_stage] == kind


@pytest.mark.parametrize("redundancy", REDUNDANCIES)
def test_watts_in_are_watts_out_and_losses_at_every_stage(
    chains: SimpleNamespace, redundancy: Redundancy
) -> None:
    chain = chains.chain_of(redundancy)
    for node in chain.nodes:
        assert node.input_w == pytest.approx(node.output_w + node.loss_w, rel=1e-12)
    assert chain.utility_w == pytest.approx(chain.it_w + chain.cooling_w + chain.loss_w, rel=1e-12)
    upstream = sum(node.loss_w for node in chain.nodes if node.kind != "shelf")
    assert upstream == pytest.approx(chain.loss_w, rel=1e-9)


@settings(deadline=None, max_examples=25)
@given(
    redundancy=st.sampled_from(REDUNDANCIES),
    num_racks=st.integers(1, 80),
    rack_w=st.floats(5e3, 140e3),
    num_small=st.integers(0, 20),
    cooling=st.floats(0.0, 0.5),
    pieces=st.sampled_from(VARIANTS),
)
def test_every_piece_of_the_graph_passes_on_what_it_takes_less_its_losses(
    chains: SimpleNamespace,
    redundancy: Redundancy,
    num_racks: int,
    rack_w: float,
    num_small: int,
    cooling: float,
    pieces: tuple[str, ...],
) -> None:
    """Kirchhoff's law at every piece: what its feeds bring in, what it sends on, its load and its losses."""
    chain = chains.chain_of(redundancy, ((num_racks, rack_w), (num_small, 5e3)), cooling, chain=pieces)
    graph = power_graph(chain)
    flow = power_flow(graph, chain)
    brought = np.bincount(graph.edge_to, flow.edge_w, graph.num_nodes)
    sent = np.bincount(graph.edge_from, flow.edge_w, graph.num_nodes)
    utility = stages(graph, "utility")
    idle = stages(graph, "generator")
    assert sent + graph.load_w == pytest.approx(flow.output_w, rel=1e-9, abs=1e-6)
    assert flow.output_w + flow.loss_w == pytest.approx(flow.input_w, rel=1e-12, abs=1e-6)
    inside = ~utility & ~idle
    assert brought[inside] == pytest.approx(flow.input_w[inside], rel=1e-9, abs=1e-6)
    assert flow.input_w[utility].sum() == pytest.approx(chain.utility_w, rel=0.01)
    for number, node in enumerate(chain.nodes):
        assert (graph.node_stage == number).sum() == node.num_installed, node.name


@settings(deadline=None, max_examples=25)
@given(redundancy=st.sampled_from(REDUNDANCIES), num_racks=st.integers(1, 80), rack_w=st.floats(20e3, 140e3))
def test_nothing_carries_more_than_it_may(
    chains: SimpleNamespace, redundancy: Redundancy, num_racks: int, rack_w: float
) -> None:
    chain = chains.chain_of(redundancy, ((num_racks, rack_w),))
    graph = power_graph(chain)
    flow = power_flow(graph, chain)
    for number, node in enumerate(chain.nodes):
        assert node.worst_load_frac <= 1 + 1e-6, node.name
        if node.limit_w:
            carried = flow.output_w[graph.node_stage == number].max()
            assert carried <= node.limit_w * (1 + 1e-6), node.name


@pytest.mark.parametrize("side", [0, 1])
def test_either_side_of_2n_carries_the_whole_load(chains: SimpleNamespace, side: int) -> None:
    """Everything of one side is out: all racks have power, and nothing carries more than it may."""
    chain = chains.chain_of("2n")
    graph = power_graph(chain)
    site = np.array([node.level == "site" for node in chain.nodes])[graph.node_stage]
    failed = (graph.node_lineup == side) | (site & (graph.node_index % 2 == side))
    flow = power_flow(graph, chain, failed)
    racks = stages(graph, "rack")
    assert flow.input_w[racks] == pytest.approx(graph.load_w[racks])
    assert flow.output_w[stages(graph, "breaker")].sum() >= chain.it_w * 0.99
    for number, node in enumerate(chain.nodes):
        if node.limit_w:
            carried = flow.output_w[graph.node_stage == number].max()
            assert carried <= node.limit_w * (1 + 1e-6), node.name


@pytest.mark.parametrize("redundancy", ["distributed", "block"])
@pytest.mark.parametrize("lineup", range(4))
def test_any_three_of_four_lineups_carry_the_whole_load(
    chains: SimpleNamespace, redundancy: Redundancy, lineup: int
) -> None:
    chain = chains.chain_of(redundancy, ((48, 120e3),))
    graph = power_graph(chain)
    flow = power_flow(graph, chain, graph.node_lineup == lineup) if redundancy == "distributed" else None
    if flow is None:
        upstream = ~stages(graph, "busway")
        flow = power_flow(graph, chain, (graph.node_lineup == lineup) & upstream)
    racks = stages(graph, "rack")
    assert flow.input_w[racks] == pytest.approx(graph.load_w[racks])
    for number, node in enumerate(chain.nodes):
        if node.limit_w:
            carried = flow.output_w[graph.node_stage == number].max()
            assert carried <= node.limit_w * (1 + 1e-6), node.name


def test_breakers_carry_four_fifths_of_their_rating(chains: SimpleNamespace) -> None:
    chain = chains.chain_of("2n")
    for node in chain.nodes:
        if node.kind in ("busway", "breaker") or (node.kind == "switchgear" and node.level == "lineup"):
            assert node.limit_w == pytest.approx(0.8 * node.rating_w)
            assert node.worst_load_frac * node.limit_w <= 0.8 * node.rating_w


def test_a_gb200_rack_on_two_feeds_has_the_eight_shelves_that_nvidia_builds_in(
    chains: SimpleNamespace,
) -> None:
    """120 kW of load, shelves of 33 kW: four carry it, twice four stand there (NVIDIA Mission Control)."""
    shelf = chains.chain_of("2n", ((18, 120e3),)).node("shelf")
    assert shelf is not None
    assert (shelf.num_installed, shelf.num_needed) == (18 * 8, 18 * 4)


def test_ups_at_half_load_in_pairs_lose_more_than_alone(chains: SimpleNamespace) -> None:
    lost = {}
    for redundancy in ("n", "2n"):
        ups = chains.chain_of(redundancy).node("ups")
        assert ups is not None
        lost[redundancy] = ups.loss_w
        assert ups.load_frac == pytest.approx({"n": 0.63, "2n": 0.31}[redundancy], abs=0.08)
    assert lost["2n"] > lost["n"]


def test_substation_transformers_are_better_than_the_law_asks(chains: SimpleNamespace) -> None:
    """Table I.7 of EU 548/2014, tier 2."""
    for name, least in (("substation-transformer-40mva", 0.99724), ("substation-transformer-63mva", 0.99745)):
        row = chains.equipment()[name]
        assert peak_efficiency_frac(row.rating_va, row.no_load_loss_w, row.load_loss_w) >= least


def test_the_pdu_meets_the_efficiency_that_it_was_split_from(chains: SimpleNamespace) -> None:
    """10 CFR 431.196: 99.02 % at 35 % load."""
    pdu = chains.equipment()["pdu-300kva"]
    lost = pdu.no_load_loss_w + 0.35**2 * pdu.load_loss_w
    assert 0.35 * pdu.rating_w / (0.35 * pdu.rating_w + lost) == pytest.approx(0.9902, abs=2e-4)


@pytest.mark.parametrize("redundancy", REDUNDANCIES)
def test_a_failure_leaves_what_still_has_power(chains: SimpleNamespace, redundancy: Redundancy) -> None:
    """Racks that go dark when a piece fails, counted on the graph, are what the piece's effect says at least;
    where nothing is overloaded it is the same."""
    chain = chains.chain_of(redundancy)
    graph = power_graph(chain, num_blocks=1)
    share = graph.load_w[stages(graph, "rack")].sum() / chain.node("rack").output_w
    effects = {effect.failing: effect for effect in power_failures(chain, 1000)}
    assert len(effects) > 2 * len(chain.nodes) - 6
    for number, node in enumerate(chain.nodes):
        name = node.kind if node.kind in effects else f"{node.level} {node.kind}"
        if name not in effects:
            continue
        failed = np.zeros(graph.num_nodes, bool)
        failed[np.flatnonzero(graph.node_stage == number)[0]] = True
        dark = stages(graph, "rack") & ~energised(graph, failed)
        dark_w = graph.load_w[dark].sum() / graph.load_w[stages(graph, "rack")].sum() * share * chain.it_w
        lost_w = chain.it_w - effects[name].power_left_w
        assert lost_w >= dark_w - 100.0, name
        if dark.any():
            assert lost_w == pytest.approx(dark_w, rel=0.05), name
        assert effects[name].num_alike == node.num_installed


@pytest.mark.parametrize(
    ("redundancy", "kept"),
    [("n", False), ("n+1", False), ("2n", True), ("distributed", True), ("block", True)],
)
def test_what_is_maintainable_loses_no_rack_to_any_one_piece(
    chains: SimpleNamespace, redundancy: Redundancy, kept: bool
) -> None:
    chain = chains.chain_of(redundancy)
    assert chain.concurrently_maintainable is kept
    cut = [effect.failing for effect in power_failures(chain, 4608) if effect.num_accelerators_cut_off]
    assert (cut == []) is kept


def test_a_lost_ups_of_n_takes_its_share_and_of_n_plus_1_nothing(chains: SimpleNamespace) -> None:
    plain = {effect.failing: effect for effect in power_failures(chains.chain_of("n"), 4608)}
    spare = {effect.failing: effect for effect in power_failures(chains.chain_of("n+1"), 4608)}
    assert plain["ups"].num_accelerators_cut_off > 0
    assert spare["ups"].num_accelerators_cut_off == 0
    assert plain["utility"].num_accelerators_cut_off == 0
    assert "generators" in plain["utility"].note


def broken(chain: PowerChain, down: float) -> PowerChain:
    """The chain with pieces that are down that share of the time, so that chance sees it."""
    nodes = tuple(
        node.model_copy(update={"mtbf_s": 1.0 - down, "mttr_s": down}) if node.mtbf_s else node
        for node in chain.nodes
    )
    return chain.model_copy(update={"nodes": nodes})


@pytest.mark.parametrize("redundancy", REDUNDANCIES)
def test_availability_against_drawn_states_of_all_pieces(
    chains: SimpleNamespace, redundancy: Redundancy
) -> None:
    """Random states of every piece that one rack depends on, and the rack's power in each of them."""
    from gigawatt.design.facility.power_availability import rack_unavailability_frac

    down, draws = 0.08, 400_000
    chain = broken(chains.chain_of(redundancy, ((12, 120e3),)), down)
    if chain.num_blocks > 1:
        pytest.skip("the made-up hall should be one block")
    random = np.random.default_rng(11)

    def up(count: int) -> np.ndarray:
        return random.random((count, draws)) >= down

    def at_least(states: np.ndarray, needed: int) -> np.ndarray:
        return states.sum(axis=0) >= needed

    m, sides = chain.lineups_per_block, chain.num_sides
    source = [np.ones(draws, bool) for _ in range(sides)]
    for node in [node for node in chain.nodes if node.level == "site"]:
        pieces = up(node.num_installed)
        if node.kind == "transformer" and redundancy != "2n":
            source = [s & at_least(pieces, node.num_needed) for s in source]
            continue
        alive = [at_least(pieces[side::sides], node.num_needed) for side in range(sides)]
        if redundancy != "2n" and sides == 2:
            alive = [alive[0] | alive[1]] * 2
        source = [s & a for s, a in zip(source, alive, strict=True)]
    gensets = chain.node("generator")
    ups = chain.node("ups")
    assert gensets is not None
    assert ups is not None
    common = at_least(up(gensets.num_installed), gensets.num_needed) if gensets.level == "block" else None
    lineups = []
    for lineup in range(m):
        own = common if common is not None else up(gensets.num_installed // m).all(axis=0)
        modules = up(ups.num_installed // m)
        spare = 1 if redundancy == "n+1" else 0
        fed = (source[lineup % sides] & up(1)[0]) | own
        lineups.append(fed & up(1)[0] & at_least(modules, len(modules) - spare))
    ways = up(chain.feeds_per_rack)
    feeding = {
        "n": [lineups[0]],
        "n+1": [lineups[0]],
        "2n": lineups[:2],
        "distributed": lineups[:2],
        "block": [lineups[0] | lineups[-1]] * 2,
    }[redundancy]
    pieces = chain.pieces_by_kind[0]
    shelf = up(pieces) & up(pieces)
    per_feed = pieces // chain.feeds_per_rack
    lit = [f & way for f, way in zip(feeding, ways, strict=True)]
    alive = sum(shelf[n * per_feed : (n + 1) * per_feed].sum(axis=0) * lit[n] for n in range(len(lit)))
    needed = per_feed if chain.feeds_per_rack > 1 else pieces - 1
    powered = alive >= needed
    if redundancy not in ("n", "n+1"):
        powered &= np.sum(lineups, axis=0) >= chain.lineups_needed
    seen = 1.0 - powered.mean()
    told = rack_unavailability_frac(chain)
    assert told == pytest.approx(seen, abs=4.5 * (seen * (1 - seen) / draws) ** 0.5)


def test_availability_of_2n_in_closed_form(chains: SimpleNamespace) -> None:
    """Only UPS fail: each side is down when one of its two is, the rack when both sides are."""
    from gigawatt.design.facility.power_availability import rack_unavailability_frac

    chain = chains.chain_of("2n")
    nodes = tuple(
        node if node.kind == "ups" else node.model_copy(update={"mtbf_s": 0.0}) for node in chain.nodes
    )
    ups = chain.node("ups")
    assert ups is not None
    per_side = ups.num_installed // (2 * chain.num_blocks)
    one = float(unavailability_frac(125_000.0, 6.0))
    side = float(shortfall_frac(one, per_side, per_side))
    assert rack_unavailability_frac(chain.model_copy(update={"nodes": nodes})) == pytest.approx(
        side**2, rel=1e-6
    )


def test_power_alone_is_better_than_the_tiers_that_count_everything(chains: SimpleNamespace) -> None:
    """Uptime Institute sold 99.671, 99.741, 99.982 and 99.995 % for whole sites, planned work, cooling and
    people included; independent failures of the power chain alone are rarer, in the same order."""
    tiers = {"n": 0.99671, "n+1": 0.99741, "distributed": 0.99982, "2n": 0.99995}
    found = {name: chains.chain_of(name).availability_frac for name in tiers}
    assert all(found[name] > tier for name, tier in tiers.items())
    assert found["n"] < found["n+1"] < found["distributed"] <= found["2n"]
    # Three to six hours a year are what single-path sites without spare parts see from their power.
    assert 0.05 < (1 - found["n"]) * 8766 < 6


def test_a_site_with_too_little_power_says_so_and_what_fits(chains: SimpleNamespace) -> None:
    with pytest.raises(
        InfeasibleError, match=r"utility: .*9\.83 MW at the meter.*offers 5 MW; about 3\.99 MW"
    ):
        chains.chain_of("2n", available_w=5e6)


def test_a_rack_that_its_breakers_cannot_carry_names_the_stage(chains: SimpleNamespace) -> None:
    with pytest.raises(InfeasibleError, match="busway: a kind 0 rack draws 600 kW"):
        chains.chain_of("2n", ((4, 600e3),))


def test_racks_of_three_kinds_that_no_busway_carries_together_are_refused(chains: SimpleNamespace) -> None:
    """800 A at 415 V for hours are 460 kW; one rack of each kind is 600 kW."""
    with pytest.raises(InfeasibleError, match=r"busway: .* would carry 130% of its limit of 460 kW"):
        chains.chain_of("2n", ((4, 200e3), (4, 200e3), (4, 200e3)))


def test_a_ups_that_ends_before_generators_start_is_refused(chains: SimpleNamespace) -> None:
    slow = chains.equipment()["diesel-generator-2500kw"].model_copy(update={"start_s": 600.0})
    with pytest.raises(InfeasibleError, match=r"ups: .*5 min, diesel-generator-2500kw needs 10 min"):
        chains.chain_of("n", pieces={slow.id: slow})


def test_everything_wrong_with_a_chain_is_told_at_once(chains: SimpleNamespace) -> None:
    wrong = ("utility-feed", "transformer-2500kva", "lv-switchgear-415v-4000a", "nothing-such")
    with pytest.raises(InputError) as caught:
        plan_power(1e6, 0.0, chains.floor(((8, 100e3),)), chains.site(chain=wrong), chains.equipment(), "n")
    told = str(caught.value)
    assert "nothing-such is not among the equipment" in told
    assert "transformer-2500kva takes 20 kV, what comes before it gives 110 kV" in told
    for missing in ("a generator is missing", "a ups is missing", "a busway or pdu is missing"):
        assert missing in told


def test_equipment_costs_less_than_what_a_whole_electrical_trade_costs(chains: SimpleNamespace) -> None:
    """Cushman & Wakefield 2025: 11.7 $/W of which 53 % is critical capacity; electrical equipment, without
    labour and cables, is below that and not next to nothing."""
    chain = chains.chain_of("distributed", ((640, 120e3),))
    spent = sum(
        (chains.equipment()[node.equipment].price_usd or 0.0) * node.num_installed
        for node in chain.nodes
        if node.equipment and node.kind != "shelf"
    )
    assert 1.0 < spent / chain.it_w < 0.53 * 11.7
