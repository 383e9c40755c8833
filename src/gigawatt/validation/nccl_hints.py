"""What NCCL itself says in a log (NCCL_DEBUG=INFO) that tells why a number is what it is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

_NETWORK = re.compile(r"Using network (?P<name>[^\s]+(?: Libfabric)?)")
_CHANNEL = re.compile(r"via NET/(?P<name>[^/]+)/(?P<nic>\d+)(?:\(\d+\))?(?P<rest>\S*)")
_SETTING = re.compile(r"(?P<key>NCCL_[A-Z0-9_]+) set by environment to (?P<value>[^\s.]+)")
_GIVEN = re.compile(r"\b(?P<key>NCCL_[A-Z0-9_]+)=(?P<value>[^\s\"']+)")
_NO_NVLS = re.compile(r"NVLS multicast support is not available", re.IGNORECASE)
_NVLS = re.compile(r"NVLS multicast support is available", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hints:
    """Facts from NCCL's messages; None and blank where it did not say."""

    network: str = ""
    """IB, Socket, AWS Libfabric, ..."""
    nics: frozenset[int] = frozenset()
    """Numbers of the network ports that channels were opened on."""
    num_channels_direct: int = 0
    """Network channels that reach accelerator memory directly (GPUDirect RDMA)."""
    num_channels_staged: int = 0
    """Network channels through host memory."""
    nvls: bool | None = None
    settings: dict[str, str] = field(default_factory=dict)
    """NCCL's variables that the environment set."""

    @property
    def staged(self) -> bool | None:
        """Whether any network channel goes through host memory; None where no channel was printed."""
        if not self.num_channels_direct + self.num_channels_staged:
            return None
        return self.num_channels_staged > 0


def hints_in(line: str, known: Hints) -> Hints:
    """`known` with what one line adds: a message of NCCL, or a command that sets its variables.

    >>> hints_in("NCCL INFO Channel 00/0 : 8[0] -> 0[0] [receive] via NET/IB/3/GDRDMA", Hints()).nics
    frozenset({3})
    >>> hints_in("mpirun -np 16 -x NCCL_ALGO=Ring ./build/all_reduce_perf -g 1", Hints()).settings
    {'NCCL_ALGO': 'Ring'}
    """
    if found := _NETWORK.search(line):
        known = replace(known, network=found["name"])
    if found := _CHANNEL.search(line):
        direct = "GDRDMA" in found["rest"]
        known = replace(
            known,
            network=known.network or found["name"],
            nics=known.nics | {int(found["nic"])},
            num_channels_direct=known.num_channels_direct + direct,
            num_channels_staged=known.num_channels_staged + (not direct),
        )
    for found in (*_SETTING.finditer(line), *_GIVEN.finditer(line)):
        known = replace(known, settings=known.settings | {found["key"]: found["value"]})
    if _NO_NVLS.search(line):
        known = replace(known, nvls=False)
    elif _NVLS.search(line):
        known = replace(known, nvls=True)
    return known
