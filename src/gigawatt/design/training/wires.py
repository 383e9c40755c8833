"""Communication of one rank's group over the network: the laws with hardware and physics filled in.

A group takes every `stride`-th accelerator. Its ranks share scale-up domains and, above them, the pods of a
fabric that carries less between pods than within.
"""

from __future__ import annotations

import numpy as np

from gigawatt.design.training.terms import BlockShape, Chip, Physics
from gigawatt.laws import collectives
from gigawatt.laws.numbers import Number


def gather_s(total_bytes: Number, group: Number, stride: Number, chip: Chip, physics: Physics) -> Number:
    """One all-gather (or reduce-scatter) of `total_bytes` [s]."""
    inside, near_bytes_per_s, far_bytes_per_s = _ring_links(group, stride, chip, physics)
    return collectives.ring_s(
        total_bytes, group, inside, near_bytes_per_s, far_bytes_per_s, physics.hop_s, physics.far_hop_s
    )


def broadcasts_s(total_bytes: Number, group: Number, stride: Number, chip: Chip, physics: Physics) -> Number:
    """The same by one broadcast of each rank after the other [s]."""
    inside, near_bytes_per_s, far_bytes_per_s = _ring_links(group, stride, chip, physics)
    return collectives.broadcasts_s(
        total_bytes, group, inside, near_bytes_per_s, far_bytes_per_s, physics.hop_s, physics.far_hop_s
    )


def _ring_links(group: Number, stride: Number, chip: Chip, physics: Physics) -> tuple[Number, Number, Number]:
    """Ranks that share a domain, and the rates of a ring inside it and between domains [B/s]."""
    inside = collectives.ranks_inside(group, stride, chip.domain)
    inside_pod = collectives.ranks_inside(group, stride, chip.pod)
    slower = collectives.ring_oversubscription(group, inside, inside_pod, chip.oversubscription)
    up = chip.scale_up_bytes_per_s * physics.scale_up_frac
    return inside, up, chip.scale_out_bytes_per_s * physics.scale_out_frac / slower


def experts_s(
    rank_bytes: Number, block: BlockShape, group: Number, stride: Number, chip: Chip, physics: Physics
) -> Number:
    """One dispatch (or combine) of `rank_bytes` of token copies, each bound for one of its experts [s].

    A token bound for several experts of one far domain crosses once and is copied there, over the scale-up
    network. What leaves the pod shares its uplinks.
    """
    inside = collectives.ranks_inside(group, stride, chip.domain)
    domains = np.maximum(1.0, group / inside)
    top_k = np.maximum(block.top_k, 1.0)
    within = collectives.open_domains(domains, block.groups, block.groups_per_token)
    copies = collectives.distinct_domains(top_k, within) / np.minimum(top_k, domains)
    out = chip.scale_out_bytes_per_s * physics.scale_out_frac
    leaving = 1.0 - collectives.ranks_inside(group, stride, chip.pod) / np.maximum(group, 1.0)
    slower = np.maximum(1.0, chip.oversubscription * leaving * domains / np.maximum(domains - 1.0, 1.0))
    return collectives.all_to_all_s(
        rank_bytes,
        group,
        inside,
        chip.scale_up_bytes_per_s * physics.scale_up_frac / domains,
        out * np.maximum(top_k / domains, 1.0) / copies / slower,
        physics.hop_s,
        physics.far_hop_s,
    )


def send_s(
    moved_bytes: Number, stride: Number, num_accelerators: Number, chip: Chip, physics: Physics
) -> Number:
    """One message to the rank `stride` accelerators further, in which every accelerator sends [s].

    The slowest pair of a pipeline sets the pace: one domain has to hold all stages, or some pair is apart.
    """
    near = np.minimum(np.floor(chip.domain / num_accelerators), 1.0)
    crowd = np.minimum(stride / chip.pod, 1.0)
    slower = 1.0 + crowd * (chip.oversubscription - 1.0)
    up = chip.scale_up_bytes_per_s * physics.scale_up_frac
    out = chip.scale_out_bytes_per_s * physics.scale_out_frac / slower
    return moved_bytes / (near * up + (1.0 - near) * out) + physics.far_hop_s
