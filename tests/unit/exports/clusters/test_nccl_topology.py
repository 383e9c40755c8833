"""An NCCL topology file: as NCCL's own small parser takes it, with the NICs where the node has them."""

from __future__ import annotations

import pytest

from gigawatt.errors import InputError
from gigawatt.exports.nccl_topology import write_nccl_topology
from gigawatt.exports.nccl_topology_read import read_nccl_topology

DUMP = """\
<system version="1">
  <cpu numaid="0" affinity="00000000,0000000f" arch="x86_64" vendor="GenuineIntel" familyid="6" modelid="85">
    <pci busid="0000:11:00.0" class="0x060400" link_speed="8 GT/s" link_width="16">
      <pci busid="0000:17:00.0" class="0x030200" link_speed="16 GT/s" link_width="16">
        <gpu dev="0" sm="80" rank="0" gdr="1">
          <nvlink target="0000:e7:00.0" count="2" tclass="0x068000"/>
        </gpu>
      </pci>
      <pci busid="0000:1b:00.0" class="0x020000" link_speed="8 GT/s" link_width="16">
        <nic>
          <net name="mlx5_0" dev="0" speed="100000" port="1" guid="0x0" maxconn="131072" gdr="1"/>
        </nic>
      </pci>
    </pci>
  </cpu>
</system>
"""
"""The form of NCCL's dump (NCCL_TOPO_DUMP_FILE), shortened to one GPU and one NIC."""


def test_a_dump_of_nccl_is_read() -> None:
    system = read_nccl_topology(DUMP)
    assert [gpu.attributes["sm"] for gpu in system.walk("gpu")] == ["80"]
    assert [link.attributes["count"] for link in system.walk("nvlink")] == ["2"]


@pytest.mark.parametrize(
    ("system", "num", "fabric", "gpus", "nets", "speed"),
    [
        ("hgx-h100", 256, "superpod-h100-ndr", 8, 8, "400000"),
        ("hgx-b300", 576, "superpod-b300-xdr", 8, 8, "800000"),
        ("hgx-b300", 512, "superpod-b300-spectrum-x", 8, 16, "400000"),
        ("gb200-nvl72", 1152, "superpod-gb200-ndr", 4, 4, "400000"),
    ],
)
def test_a_node_has_its_gpus_and_ports(
    build, system: str, num: int, fabric: str, gpus: int, nets: int, speed: str
) -> None:
    """Published nodes: eight 400 or 800 Gbit/s ports; two of 400 for each GPU on two planes."""
    found = read_nccl_topology(write_nccl_topology(build(system, num, fabric))["nccl-topology.xml"])
    assert len(list(found.walk("gpu"))) == gpus
    assert [net.attributes["speed"] for net in found.walk("net")] == [speed] * nets
    switches = [child for cpu in found.walk("cpu") for child in cpu.children]
    assert [len(list(switch.walk("gpu"))) for switch in switches] == [1] * gpus
    assert [len(list(switch.walk("net"))) for switch in switches] == [nets // gpus] * gpus


def test_it_has_no_declaration_for_nccl_reads_none(build) -> None:
    text = write_nccl_topology(build("hgx-h100", 256, "superpod-h100-ndr"))["nccl-topology.xml"]
    assert text.startswith("<!--")
    with pytest.raises(InputError, match="NCCL cannot read"):
        read_nccl_topology('<?xml version="1.0"?>\n' + text)


@pytest.mark.parametrize(
    ("what", "instead", "said"),
    [
        ('busid="0000:17:00.0"', 'busid="0000:11:00.0"', "busid 0000:11:00.0 is there twice"),
        ("<gpu ", "<gpgpu ", "NCCL cannot read"),
        ("<nic>", "", "NCCL cannot read"),
        (' speed="100000"', "", "net: speed missing"),
        ("</system>", "", "the element system does not end"),
    ],
)
def test_what_nccl_stumbles_over_is_refused(what: str, instead: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_nccl_topology(DUMP.replace(what, instead))


def test_nccl_runs_on_its_own_accelerators_only(catalogue, build) -> None:
    cluster = build("hgx-mi300x", 256, "ethernet-51t-fat-tree")
    with pytest.raises(InputError, match="NCCL does not run on"):
        write_nccl_topology(cluster)
