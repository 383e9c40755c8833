"""What a fabric is built from: its kind and everything that the kind names, looked up beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gigawatt.domain.fabric import FabricKind, Link, Switch


@dataclass(frozen=True, slots=True)
class FabricParts:
    """A kind of fabric with its switches by id, the links to choose from, and a cluster's other networks."""

    kind: FabricKind
    switches: Mapping[str, Switch]
    links: tuple[Link, ...] = ()
    others: Mapping[str, FabricKind] = field(default_factory=dict)
    """Kinds of the scale-up, storage, management and out-of-band networks, by the network's name."""
