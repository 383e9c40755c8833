"""Collectives on a cluster: which algorithm, how long, what sets it, how sure."""
