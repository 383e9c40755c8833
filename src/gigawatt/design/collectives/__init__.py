"""Collectives on a cluster: which algorithm, how long, what sets it, how sure."""

from gigawatt.design.collectives.predict import predict_collective

__all__ = ["predict_collective"]
