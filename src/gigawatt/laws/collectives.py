"""Time of collective operations, by ring over two levels: a scale-up domain, and rails between domains.

Sizes are in bytes as each name says: `total_bytes` is the whole logical buffer, `rank_bytes` what one rank
holds. Bandwidths are one direction, per accelerator.
"""

from __future__ import annotations

import numpy as np

from gigawatt.laws.collective_algorithms import all_to_all_far_bytes, all_to_all_near_bytes, ring_bytes
from gigawatt.laws.numbers import Number


def ranks_inside(group: Number, stride: Number, domain: Number) -> Number:
    """How many ranks of a group that takes every `stride`-th accelerator share one scale-up domain.

    Source: Narayanan et al., arXiv 2104.04473, section 3 (ranks are numbered tensor-parallel first).

    >>> [int(ranks_inside(16, stride, 8)) for stride in (1, 2, 8)]
    [8, 4, 1]
    """
    return np.maximum(1.0, np.minimum(group, np.floor(domain / stride)))


def ring_s(
    total_bytes: Number,
    group: Number,
    inside: Number,
    scale_up_bytes_per_s: Number,
    scale_out_bytes_per_s: Number,
    hop_s: Number,
    far_hop_s: Number,
) -> Number:
    """Time of one all-gather or reduce-scatter of `total_bytes` over `group` ranks, `inside` to a domain [s].

    Each rank passes on (n-1)/n of the buffer. Where the ring leaves the domain, the share that crosses,
    (d-1)/d of the buffer over d domains, moves on all rails at once, `inside` of them; the slower level sets
    the pace. Latency is that of the 2-level algorithm: inside - 1 near hops and d - 1 far ones.
    Source: Thakur, Rabenseifner, Gropp, IJHPCA 19(1), 2005, for the ring; NVIDIA NCCL, "rail" topologies.

    >>> round(1e3 * ring_s(1e9, 8, 8, 366e9, 50e9, 0.0, 0.0), 3)     # 7/8 GB at 366 GB/s
    2.391
    >>> round(1e3 * ring_s(1e9, 16, 8, 366e9, 50e9, 0.0, 0.0), 3)    # half crosses, over 8 rails of 50 GB/s
    2.561
    """
    group = np.maximum(group, 1.0)
    domains = np.maximum(1.0, np.ceil(group / inside))
    near_s = ring_bytes(total_bytes, group) / scale_up_bytes_per_s * np.minimum(inside - 1.0, 1.0)
    far_s = ring_bytes(total_bytes, domains) / inside / scale_out_bytes_per_s
    return np.maximum(near_s, far_s) + (inside - 1.0) * hop_s + (domains - 1.0) * far_hop_s


def broadcasts_s(
    total_bytes: Number,
    group: Number,
    inside: Number,
    scale_up_bytes_per_s: Number,
    scale_out_bytes_per_s: Number,
    hop_s: Number,
    far_hop_s: Number,
) -> Number:
    """Time in which every rank in turn broadcasts its share of `total_bytes` to the whole group [s].

    The bytes take as long as those of an all-gather; but each of the `group` broadcasts has to travel the
    whole chain of ranks before it is done, where a ring moves all shares at once.
    Source: Thakur, Rabenseifner, Gropp, IJHPCA 19(1), 2005 (chains); PyTorch, ZeroRedundancyOptimizer, which
    updates parameters so.

    >>> round(broadcasts_s(14e9, 1024, 8, 230e9, 12.5e9, 2e-6, 10e-6), 2)    # 0.14 s for the bytes alone
    3.27
    """
    group = np.maximum(group, 1.0)
    domains = np.maximum(1.0, np.ceil(group / inside))
    moved_s = ring_s(
        total_bytes, group, inside, scale_up_bytes_per_s, scale_out_bytes_per_s, 0.0 * hop_s, 0.0 * far_hop_s
    )
    return moved_s + group * (domains * (inside - 1.0) * hop_s + (domains - 1.0) * far_hop_s)


def all_to_all_s(
    rank_bytes: Number,
    group: Number,
    inside: Number,
    scale_up_bytes_per_s: Number,
    scale_out_bytes_per_s: Number,
    hop_s: Number,
    far_hop_s: Number,
) -> Number:
    """Time of an all-to-all in which every rank holds `rank_bytes` to spread evenly over the group [s].

    Of each rank's bytes (inside - 1)/n stay in the domain and (n - inside)/n leave it; both move at the same
    time.
    Source: Thakur, Rabenseifner, Gropp, IJHPCA 19(1), 2005 (pairwise exchange).

    >>> round(1e3 * all_to_all_s(1e9, 16, 8, 366e9, 50e9, 0.0, 0.0), 2)    # half leaves at 50 GB/s
    10.0
    """
    group = np.maximum(group, 1.0)
    near_s = all_to_all_near_bytes(rank_bytes, group, inside) / scale_up_bytes_per_s
    far_s = all_to_all_far_bytes(rank_bytes, group, inside) / inside / scale_out_bytes_per_s
    hops_s = np.minimum(group - 1.0, 1.0) * hop_s + np.minimum(group - inside, 1.0) * far_hop_s
    return np.maximum(near_s, far_s) + hops_s


def ring_oversubscription(
    group: Number, inside: Number, inside_pod: Number, oversubscription: Number
) -> Number:
    """By how much a ring between domains is slowed where it leaves oversubscribed pods (>= 1).

    `inside` of its ranks share a domain and `inside_pod` a pod. A ring leaves each pod over the rails of one
    domain, whereas all accelerators of the pod share the uplinks, so that every ring finds `inside_pod` /
    `inside` times its share of them: a ring with that many domains in each pod is not slowed at all.
    Source: by counting flows; Llama 3 (arXiv 2407.21783, section 3.3.1) trains over pods at 1:7 so.

    >>> float(ring_oversubscription(128, 1, 16, 7.0)), float(ring_oversubscription(16, 1, 2, 7.0))
    (1.0, 3.5)
    """
    leaves = np.minimum(np.ceil(group / inside_pod) - 1.0, 1.0)
    return 1.0 + leaves * (np.maximum(1.0, oversubscription * inside / inside_pod) - 1.0)


def exposed_s(communication_s: Number, cover_s: Number, hidden_frac: Number) -> Number:
    """What is left visible of communication that runs beside `cover_s` of computation [s].

    At most `hidden_frac` of it can be hidden, and no more than the computation lasts.
    Source: the overlap model of Isaev et al., "Calculon", SC 2023, with a continuous instead of a boolean
    overlap.

    >>> exposed_s(2.0, 10.0, 0.75), exposed_s(2.0, 1.0, 0.75)
    (0.5, 1.0)
    """
    return communication_s - np.minimum(communication_s * hidden_frac, cover_s)


def distinct_domains(top_k: Number, domains: Number) -> Number:
    """Expected number of domains that a token's `top_k` uniformly chosen experts lie in.

    Source: the classical occupancy problem, D (1 - (1 - 1/D)^k).

    >>> round(distinct_domains(8, 8), 2)
    5.25
    """
    return domains * (1.0 - (1.0 - 1.0 / domains) ** top_k)


def open_domains(domains: Number, groups: Number, groups_per_token: Number) -> Number:
    """Of `domains` that hold all experts, in how many a token may choose where routing is limited to groups.

    Experts form `groups` equal groups in the order of their ranks, and a token's experts lie in
    `groups_per_token` of them. Where a domain holds whole groups, no token visits more domains than groups.
    One group: no limit.
    Source: DeepSeek-AI, "DeepSeek-V3 Technical Report", arXiv 2412.19437, section 2.1.2 (node-limited
    routing: 8 groups, of which a token visits 4).

    >>> [float(open_domains(domains, 8, 4)) for domains in (2, 4, 8, 16)]
    [2.0, 4.0, 4.0, 8.0]
    """
    share = np.minimum(groups_per_token / groups, 1.0)
    return np.maximum(domains * share, np.minimum(domains, groups * share))
