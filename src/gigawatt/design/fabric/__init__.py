"""The design of fabrics: rules and radix in; counts, graphs, cables and bills out."""

from gigawatt.design.fabric.graph import FabricGraph, fabric_graph
from gigawatt.design.fabric.parts import FabricParts
from gigawatt.design.fabric.plan import plan_fabric

__all__ = ["FabricGraph", "FabricParts", "fabric_graph", "plan_fabric"]
