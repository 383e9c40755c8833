"""A power chain as a network that pandapower loads and solves: buses, transformers, lines, loads, open ties.

UPS and power supplies keep their own voltage and lose by a curve, which no element of pandapower does. What
they draw is a load, and behind each group of UPS begins an island with a source of its own; their losses are
told in the names of those loads. All else is solved there once more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gigawatt.design.facility.power_graph import Flow, PowerGraph, power_flow, power_graph
from gigawatt.domain.facility import PowerChain, PowerNode

FORMAT_VERSION = "3.3.0"
"""Of pandapower's JSON, as release 3.5 writes it; later releases convert it."""
_KILO, _MEGA = 10.0**3, 10.0**6
_LINE_KM = 1.0  # resistances are of the whole run
_FAR_KA = 1024.0  # no limit of its own
_NO_REACTANCE = 1024.0  # below the resistance; the first guess of the solver divides by it

_Rows = list[dict[str, Any]]
_TYPES = {str: "object", float: "float64", int: "uint32", bool: "bool"}


def pandapower_net(chain: PowerChain) -> str:
    """The JSON text of the whole chain at full load, for `pandapower.from_json_string`."""
    graph = power_graph(chain)
    tables = _Tables(chain, graph, power_flow(graph, chain)).fill()
    frames = {name: _frame(rows) for name, rows in tables.items() if rows}
    head = {
        "name": f"power chain, {chain.redundancy}",
        "f_hz": 50.0,
        "sn_mva": 1.0,
        "version": FORMAT_VERSION,
        "format_version": FORMAT_VERSION,
    }
    net = {
        "_module": "pandapower.auxiliary",
        "_class": "pandapowerNet",
        "_object": {**frames, **head},
    }
    return json.dumps(net, indent=1) + "\n"


def _frame(rows: _Rows) -> dict[str, Any]:
    """A table as pandas writes it, columns and rows apart."""
    columns = list(rows[0])
    split = {
        "columns": columns,
        "index": list(range(len(rows))),
        "data": [list(row.values()) for row in rows],
    }
    return {
        "_module": "pandas.core.frame",
        "_class": "DataFrame",
        "_object": json.dumps(split),
        "orient": "split",
        "dtype": {name: _TYPES[type(rows[0][name])] for name in columns},
        "is_multiindex": False,
        "is_multicolumn": False,
    }


@dataclass
class _Joints:
    """Ends of pieces that are one bus, because nothing between them has resistance."""

    owner: dict[tuple[int, str], tuple[int, str]] = field(default_factory=dict)

    def find(self, end: tuple[int, str]) -> tuple[int, str]:
        root = end
        while self.owner.setdefault(root, root) != root:
            root = self.owner[root]
        while self.owner[end] != root:
            self.owner[end], end = root, self.owner[end]
        return root

    def join(self, one: tuple[int, str], other: tuple[int, str]) -> None:
        first, second = sorted((self.find(one), self.find(other)))
        self.owner[second] = first


class _Tables:
    """The tables of the network, filled piece by piece."""

    def __init__(self, chain: PowerChain, graph: PowerGraph, flow: Flow) -> None:
        self.chain, self.graph, self.flow = chain, graph, flow
        self.joints = _Joints()
        self.numbers: dict[tuple[int, str], int] = {}
        self.tables: dict[str, _Rows] = {
            name: [] for name in ("bus", "ext_grid", "trafo", "line", "load", "switch")
        }

    def fill(self) -> Mapping[str, _Rows]:
        apart = (*_IN_RACKS, "cooling", "generator")
        shown = [piece for piece in range(self.graph.num_nodes) if self._kind(piece) not in apart]
        edges = [
            (int(source), int(sink), bool(standby))
            for source, sink, standby in zip(
                self.graph.edge_from, self.graph.edge_to, self.graph.edge_standby, strict=True
            )
        ]
        for piece in shown:
            if self._is_bus(piece):
                self.joints.join((piece, "in"), (piece, "out"))
        for source, sink, standby in edges:
            if not standby and self._kind(sink) not in apart:
                self.joints.join((source, "out"), (sink, "in"))
        for piece in shown:
            self._piece(piece)
        self._loads(edges)
        self._ties(edges)
        return self.tables

    def _node(self, piece: int) -> PowerNode:
        return self.chain.nodes[int(self.graph.node_stage[piece])]

    def _kind(self, piece: int) -> str:
        return self._node(piece).kind

    def _is_bus(self, piece: int) -> bool:
        node = self._node(piece)
        return not (node.efficiency_by_load or node.load_loss_w)

    def _bus(self, piece: int, end: str) -> int:
        root = self.joints.find((piece, end))
        if root not in self.numbers:
            node = self._node(root[0])
            volts = node.input_v if root[1] == "in" else node.output_v
            self.numbers[root] = len(self.tables["bus"])
            self.tables["bus"].append(
                {
                    "name": f"{self.graph.node_name(root[0])} {root[1]}",
                    "vn_kv": volts / _KILO,
                    "type": "b",
                    "in_service": True,
                }
            )
        return self.numbers[root]

    def _piece(self, piece: int) -> None:
        node, name = self._node(piece), self.graph.node_name(piece)
        if node.kind == "utility":
            self._source(piece, "out", name)
        elif node.kind == "ups":
            lost_kw = float(self.flow.loss_w[piece]) / _KILO
            self._load(piece, "in", f"{name}, loses {lost_kw:.3f} kW", float(self.flow.input_w[piece]))
        elif node.no_load_loss_w:
            self.tables["trafo"].append(self._transformer(piece, node, name))
        elif node.load_loss_w:
            self.tables["line"].append(self._line(piece, node, name))

    def _source(self, piece: int, end: str, name: str) -> None:
        bus = self._bus(piece, end)
        if bus not in [row["bus"] for row in self.tables["ext_grid"]]:
            self.tables["ext_grid"].append(
                {
                    "name": name,
                    "bus": bus,
                    "vm_pu": 1.0,
                    "va_degree": 0.0,
                    "slack_weight": 1.0,
                    "in_service": True,
                    "controllable": False,
                }
            )

    def _load(self, piece: int, end: str, name: str, power_w: float) -> None:
        self.tables["load"].append(
            {
                "name": name,
                "bus": self._bus(piece, end),
                "p_mw": power_w / _MEGA,
                "q_mvar": 0.0,
                "const_z_p_percent": 0.0,
                "const_i_p_percent": 0.0,
                "const_z_q_percent": 0.0,
                "const_i_q_percent": 0.0,
                "scaling": 1.0,
                "in_service": True,
                "type": "wye",
            }
        )

    def _transformer(self, piece: int, node: PowerNode, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "hv_bus": self._bus(piece, "in"),
            "lv_bus": self._bus(piece, "out"),
            "sn_mva": node.rating_w / _MEGA,
            "vn_hv_kv": node.input_v / _KILO,
            "vn_lv_kv": node.output_v / _KILO,
            "vk_percent": 100.0 * max(node.impedance_frac, node.load_loss_w / node.rating_w),
            "vkr_percent": 100.0 * node.load_loss_w / node.rating_w,
            "pfe_kw": node.no_load_loss_w / _KILO,
            "i0_percent": 100.0 * node.no_load_loss_w / node.rating_w,
            "shift_degree": 0.0,
            "parallel": 1,
            "df": 1.0,
            "in_service": True,
            "oltc": False,
        }

    def _line(self, piece: int, node: PowerNode, name: str) -> dict[str, Any]:
        resistance_ohm = node.load_loss_w * node.input_v**2 / node.rating_w**2
        return {
            "name": name,
            "from_bus": self._bus(piece, "in"),
            "to_bus": self._bus(piece, "out"),
            "length_km": _LINE_KM,
            "r_ohm_per_km": resistance_ohm / _LINE_KM,
            "x_ohm_per_km": resistance_ohm / _LINE_KM / _NO_REACTANCE,
            "c_nf_per_km": 0.0,
            "g_us_per_km": 0.0,
            "max_i_ka": _FAR_KA,
            "df": 1.0,
            "parallel": 1,
            "in_service": True,
        }

    def _loads(self, edges: list[tuple[int, int, bool]]) -> None:
        """What hangs on busways, taken together for each, what cools, and the sources behind the UPS."""
        hanging: dict[int, float] = {}
        for number, (source, sink, standby) in enumerate(edges):
            kind = self._kind(sink)
            if kind in _IN_RACKS and self._kind(source) not in _IN_RACKS:
                hanging[source] = hanging.get(source, 0.0) + float(self.flow.edge_w[number])
            if self._kind(source) == "ups" and not standby:
                self._source(source, "out", f"{self.graph.node_name(source)} output")
        for piece, power_w in hanging.items():
            self._load(piece, "out", f"racks on {self.graph.node_name(piece)}", power_w)
        for number, (source, sink, _) in enumerate(edges):
            if self._kind(sink) == "cooling":
                name = f"{self.graph.node_name(sink)} from {self.graph.node_name(source)}"
                self._load(source, "out", name, float(self.flow.edge_w[number]))

    def _ties(self, edges: list[tuple[int, int, bool]]) -> None:
        """Ways that stand by, as open switches."""
        seen = set()
        for source, sink, standby in edges:
            if not standby or {self._kind(source), self._kind(sink)} & {"generator", "ups", "cooling"}:
                continue
            pair = (self._bus(source, "out"), self._bus(sink, "in"))
            if pair[0] != pair[1] and pair not in seen:
                seen.add(pair)
                self.tables["switch"].append(
                    {"bus": pair[0], "element": pair[1], "et": "b", "closed": False, "name": "", "z_ohm": 0.0}
                )


_IN_RACKS = ("breaker", "shelf", "rack")
