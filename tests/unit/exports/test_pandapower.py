"""pandapower reads the network of a power chain, solves it, and finds the same losses."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from gigawatt.design.facility.power import power_flow, power_graph
from gigawatt.domain.facility import Redundancy
from gigawatt.exports.pandapower_net import pandapower_net

REDUNDANCIES: tuple[Redundancy, ...] = ("n", "n+1", "2n", "distributed", "block")
AGREES = 0.005
KINDS = ("transformer", "busway")


@pytest.mark.parametrize("redundancy", REDUNDANCIES)
def test_each_piece_with_losses_is_an_element(chains: SimpleNamespace, redundancy: Redundancy) -> None:
    chain = chains.chain_of(redundancy)
    tables = json.loads(pandapower_net(chain))["_object"]
    rows = {name: json.loads(frame["_object"]) for name, frame in tables.items() if isinstance(frame, dict)}
    count = {node.kind + node.level: node.num_installed for node in chain.nodes}
    assert len(rows["trafo"]["data"]) == count["transformersite"] + count["transformerlineup"]
    assert len(rows["line"]["data"]) == count["busway" + "lineup"]
    names = [row[0] for row in rows["bus"]["data"]]
    assert len(set(names)) == len(names)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("redundancy", REDUNDANCIES)
def test_losses_agree_with_pandapower(chains: SimpleNamespace, redundancy: Redundancy) -> None:
    """Of every transformer and busway of the graph, and of the chain's stages where all blocks are alike."""
    pandapower = pytest.importorskip(
        "pandapower", reason="solves the network again; pinned for the tests on Python 3.11 (extra `dev`)"
    )
    chain = chains.chain_of(redundancy, ((96, 100e3),))
    net = pandapower.from_json_string(pandapower_net(chain))
    pandapower.runpp(net)
    solved_w = 1e6 * (net.res_trafo.pl_mw.sum() + net.res_line.pl_mw.sum())
    graph = power_graph(chain)
    flow = power_flow(graph, chain)
    lossy = np.isin(np.array(graph.stages)[graph.node_stage], KINDS)
    assert flow.loss_w[lossy].sum() == pytest.approx(solved_w, rel=AGREES)
    assert sum(node.loss_w for node in chain.nodes if node.kind in KINDS) == pytest.approx(
        solved_w, rel=AGREES
    )
    supply = net.bus.vn_kv.loc[net.ext_grid.bus].to_numpy() > 1.0
    assert 1e6 * net.res_ext_grid.p_mw[supply].sum() == pytest.approx(chain.utility_w, rel=AGREES / 10)
    by_name = dict(zip(net.trafo.name, 1e6 * net.res_trafo.pl_mw, strict=True))
    for piece in np.flatnonzero(np.array(graph.stages)[graph.node_stage] == "transformer"):
        assert flow.loss_w[piece] == pytest.approx(by_name[graph.node_name(piece)], rel=2 * AGREES)
