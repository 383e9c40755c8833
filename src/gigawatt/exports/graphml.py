"""Write a network as GraphML, for networkx, Gephi, Cytoscape and the like (http://graphml.graphdrawing.org)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import quoteattr

from gigawatt.exports.cabling import Cable, cables
from gigawatt.exports.cluster import BuiltCluster

FORMAT_VERSION = "1.0"

_NODE_KEYS = {"role": "string", "pod": "int", "plane": "int", "unit": "int", "rack": "string"}
_EDGE_KEYS = {
    "network": "string",
    "source_port": "string",
    "target_port": "string",
    "bytes_per_s": "double",
    "length_m": "double",
    "part": "string",
}


def write_graphml(cluster: BuiltCluster) -> dict[str, Iterable[str]]:
    """`fabric.graphml`: every device of every network, and every cable as an edge from the lower tier up."""
    return {"fabric.graphml": _graph(cluster)}


def _graph(cluster: BuiltCluster) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
    for kind, keys in (("node", _NODE_KEYS), ("edge", _EDGE_KEYS)):
        for name, form in keys.items():
            yield f'  <key id="{kind}-{name}" for="{kind}" attr.name="{name}" attr.type="{form}"/>\n'
    yield f'  <graph id={quoteattr(cluster.name)} edgedefault="undirected">\n'
    for device in cluster.devices():
        values = (device.role, device.pod, device.plane, device.unit, device.rack)
        yield f"    <node id={quoteattr(device.name)}>{_data('node', _NODE_KEYS, values)}</node>\n"
    for number, cable in enumerate(cables(cluster)):
        yield _edge(number, cable)
    yield "  </graph>\n</graphml>\n"


def _edge(number: int, cable: Cable) -> str:
    values = (cable.network, cable.from_port, cable.to_port, cable.bytes_per_s, cable.length_m, cable.part)
    ends = f'source="{cable.from_device}" target="{cable.to_device}"'
    return f'    <edge id="{number}" {ends}>{_data("edge", _EDGE_KEYS, values)}</edge>\n'


def _data(kind: str, keys: Iterable[str], values: Iterable[object]) -> str:
    stated = zip(keys, values, strict=True)
    return "".join(
        f'<data key="{kind}-{key}">{value}</data>'
        for key, value in stated
        if value is not None and value != ""
    )
