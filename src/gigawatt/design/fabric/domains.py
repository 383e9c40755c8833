"""Scale-up domains above a fabric: what a collective sends out of each, over the ports of all its nodes.

Within a domain everything goes over the scale-up network, however its nodes hang on the fabric; what leaves
it leaves by all of its ports. So a cluster of one domain does not notice its fabric, and a domain of many
nodes hardly notices that one of them lost a port.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from gigawatt.design.fabric.graph import LEAF
from gigawatt.design.fabric.wiring import Array, Domains, mixed

COLLECTIVES = ("all_reduce", "all_gather", "all_to_all", "send_recv")
Times = dict[str, Fraction]
"""Of the slowest domain, by collective, in one unit for a whole fabric and what is left of it."""


class DomainTimes:
    """The distinct domains of a fabric, and how long each takes over what it has to send."""

    def __init__(
        self,
        domains: Domains,
        num_nodes: int,
        group: Mapping[int, Array],
        num_inside: Mapping[int, Array],
        rate: Mapping[int, Sequence[Fraction]],
    ) -> None:
        """By tier: the group of each device below it, the nodes in that group, what one of them can send."""
        self.domains, self.num_nodes, self.rate = domains, num_nodes, rate
        self.tiers = tuple(group)
        self.num_rows = int(domains.row.max(initial=-1)) + 1
        size = np.bincount(domains.row, domains.num, self.num_rows).astype(np.int64)
        self.size = size[domains.row]
        self.near = {tier: self._near(tier, group[tier], num_inside[tier]) for tier in self.tiers}
        """[entries] nodes that a node of the entry reaches below a tier, or through its own domain."""
        self.rate_mark = {tier: _numbered(rates)[domains.device] for tier, rates in rate.items()}

    def _near(self, tier: int, group: Array, num_inside: Array) -> Array:
        if tier == LEAF:
            return self.size
        row, device, num = self.domains
        here = row * (int(group.max(initial=0)) + 1) + group[device]
        both = np.unique(here, return_inverse=True)[1].reshape(-1)
        shared = np.bincount(both, num).astype(np.int64)[both]
        return np.asarray(num_inside[device] + self.size - shared)

    def slowest(self, left: Mapping[int, Array], shares: Sequence[Fraction]) -> Times | None:
        """Times with these shares (their numbers, by tier and device) left; a tier not given is left whole.

        None where a domain no longer gets to some tier that it has to send to.
        """
        times = dict.fromkeys(COLLECTIVES, Fraction(0))
        for entries in self._distinct(left):
            for tier in self.tiers:
                sent = self._sent(entries, tier)
                whole = self._can_send(entries, tier, None, shares)
                if not any(sent.values()) or not whole:
                    continue
                rate = self._can_send(entries, tier, left.get(tier), shares) if tier in left else whole
                if not rate:
                    return None
                for one in COLLECTIVES:
                    times[one] = max(times[one], sent[one] / rate)
        return times

    def _distinct(self, left: Mapping[int, Array]) -> list[list[int]]:
        """Entries of one domain of each kind, told apart by all that its time depends on."""
        row, device, num = self.domains
        label = mixed(self.size)
        for tier in self.tiers:
            label = mixed(label ^ mixed(self.near[tier]))
            label = mixed(label ^ mixed(self.rate_mark[tier]))
            if tier in left:
                label = mixed(label ^ mixed(left[tier][device]))
        total = np.zeros(self.num_rows, np.uint64)
        np.add.at(total, row, label * num.astype(np.uint64))
        first = np.unique(total, return_index=True)[1]
        begins, ends = np.searchsorted(row, first), np.searchsorted(row, first, side="right")
        return [list(range(begin, end)) for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]

    def _sent(self, entries: list[int], tier: int) -> Times:
        """What a domain has to send to a tier.

        Of a ring through the domains in their order, one domain's worth leaves each group of nodes;
        all-to-all is uniform; pairs that send to each other are as far apart as can be.
        """
        num, near = self.domains.num[entries].tolist(), self.near[tier][entries].tolist()
        beyond = [(n, close) for n, close in zip(num, near, strict=True) if close < self.num_nodes]
        ring = sum((Fraction(n, close) for n, close in beyond), Fraction(0))
        return {
            "all_reduce": ring,
            "all_gather": ring,
            "all_to_all": Fraction(sum(n * (self.num_nodes - close) for n, close in beyond)),
            "send_recv": Fraction(sum(n for n, _ in beyond)),
        }

    def _can_send(
        self, entries: list[int], tier: int, left: Array | None, shares: Sequence[Fraction]
    ) -> Fraction:
        device, num, rate = self.domains.device[entries].tolist(), self.domains.num, self.rate[tier]
        return sum(
            (
                int(num[entry]) * rate[at] * (1 if left is None else shares[left[at]])
                for entry, at in zip(entries, device, strict=True)
            ),
            Fraction(0),
        )


def _numbered(rates: Sequence[Fraction]) -> Array:
    """A number for each distinct rate."""
    numbers: dict[Fraction, int] = {}
    return np.array([numbers.setdefault(rate, len(numbers)) for rate in rates], np.int64)
