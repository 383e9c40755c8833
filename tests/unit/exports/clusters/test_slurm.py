"""What Slurm is told of a fabric: read by our reader, by python-hostlist and, if installed, by slurmctld."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawatt.errors import InputError
from gigawatt.exports.hostlist import fold_names, unfold_names
from gigawatt.exports.slurm import write_topology_block, write_topology_conf, write_topology_yaml
from gigawatt.exports.slurm_read import read_topology_conf, read_topology_yaml

NAMES = st.lists(
    st.builds(
        "{}{:0{}d}".format,
        st.sampled_from(["node-", "leaf-", "n", "gpu2a-"]),
        st.integers(0, 12_000),
        st.sampled_from([1, 4]),
    ),
    unique=True,
    max_size=60,
)


@given(NAMES)
def test_folded_names_unfold(names: list[str]) -> None:
    assert list(unfold_names(fold_names(names))) == names


@given(NAMES.filter(bool))
def test_folded_names_mean_the_same_to_another_reader(names: list[str]) -> None:
    hostlist = pytest.importorskip("hostlist", reason="python-hostlist is not installed")
    assert list(hostlist.expand_hostlist(fold_names(names))) == names


def test_the_examples_of_the_manual_are_read() -> None:
    """topology.conf(5): two leaves of tux nodes below s4; topology.yaml(5): a tree and four blocks."""
    conf = (
        "SwitchName=s0 Nodes=tux[0-1]\nSwitchName=s1 Nodes=tux[2-3] # rack 2\n"
        "switchname=s4 switches=s[0-1] LinkSpeed=100\n"
    )
    found = read_topology_conf(conf)
    assert (found.root, found.nodes["s1"], found.switches["s4"]) == ("s4", ("tux2", "tux3"), ("s0", "s1"))
    text = (
        "- topology: topo1\n  cluster_default: True\n  tree:\n    switches:\n    - switch: sw_root\n"
        "      nodes: node[01-04]\n- topology: topo2\n  block:\n    block_sizes: [4, 16]\n    blocks:\n"
        "    - block: b1\n      nodes: node[01-04]\n    - block: b2\n      nodes: node[05-08]\n"
    )
    tree, blocks = read_topology_yaml(text)
    assert (tree.default, tree.nodes) == (True, {"sw_root": ("node01", "node02", "node03", "node04")})
    assert (blocks.block_sizes, tuple(blocks.blocks)) == ((4, 16), ("b1", "b2"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "SwitchName=s0 Nodes=a[0-1]\nSwitchName=s1 Nodes=a[1-2]\nSwitchName=r Switches=s[0-1]",
            "a1 is there 2",
        ),
        ("SwitchName=s0 Nodes=a0\nSwitchName=s1 Nodes=a1", "found 2"),
        ("SwitchName=s0 Nodes=a0 Switches=s1", "one of Nodes=..., Switches=..."),
        ("SwitchName=r Switches=s0", "s0 hangs below another but has no line"),
        ("SwitchName=s0 Nodes=a[0-", "expected names"),
    ],
)
def test_what_slurm_would_refuse_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        read_topology_conf(text)


@pytest.mark.parametrize("size", [18, 36, 144, 288])
def test_block_sizes_are_powers_of_two_apart(size: int) -> None:
    blocks = "blocks: [{block: b, nodes: 'n[1-18]'}]"
    text = f"- topology: a\n  block:\n    block_sizes: [18, {size}]\n    {blocks}\n"
    assert read_topology_yaml(text)[0].block_sizes == (18, size)
    with pytest.raises(InputError, match="no power of two"):
        read_topology_yaml(text.replace(f"[18, {size}]", "[18, 54]"))


def test_a_rail_optimised_unit_is_one_switch_to_slurm(build) -> None:
    """DGX SuperPOD B200: 32 nodes in each of 32 units; three tiers, all units of a pod below its spines."""
    cluster = build("hgx-b200", 8192, "superpod-b200-ndr")
    found = read_topology_conf(write_topology_conf(cluster)["topology.conf"])
    assert len(found.nodes) == 32
    assert {len(nodes) for nodes in found.nodes.values()} == {32}
    assert sum(map(len, found.nodes.values())) == 1024
    assert found.root == "core"


def test_a_rack_switch_is_named_itself(build) -> None:
    """Llama 3: 1,536 top-of-rack switches with two nodes each, in eight pods of 192."""
    cluster = build("hgx-h100", 24_576, "llama-3-roce")
    found = read_topology_conf(write_topology_conf(cluster)["topology.conf"])
    assert (len(found.nodes), {len(nodes) for nodes in found.nodes.values()}) == (1536, {2})
    assert found.nodes["leaf-0007"] == ("node-0014", "node-0015")
    assert {name: len(below) for name, below in found.switches.items()} == {
        **{f"pod-{pod:04d}": 192 for pod in range(1, 9)},
        "core": 8,
    }


def test_an_nvl72_rack_is_a_block(build) -> None:
    """A unit is eight racks of 18 trays (DGX SuperPOD GB200)."""
    cluster = build("gb200-nvl72", 9216, "superpod-gb200-ndr")
    blocks, tree = read_topology_yaml(write_topology_yaml(cluster)["topology.yaml"])
    assert blocks.block_sizes == (18, 144)
    assert (len(blocks.blocks), {len(nodes) for nodes in blocks.blocks.values()}) == (128, {18})
    assert (blocks.default, tree.default) == (True, False)
    in_blocks = [node for nodes in blocks.blocks.values() for node in nodes]
    assert sorted(in_blocks) == sorted(node for nodes in tree.nodes.values() for node in nodes)


def test_blocks_for_releases_without_yaml(build) -> None:
    cluster = build("gb200-nvl72", 9216, "superpod-gb200-ndr")
    found = read_topology_conf(write_topology_block(cluster)["topology.conf"])
    (blocks, _) = read_topology_yaml(write_topology_yaml(cluster)["topology.yaml"])
    assert (found.blocks, found.block_sizes) == (blocks.blocks, blocks.block_sizes)
    with pytest.raises(InputError, match="last block has 7 of 18 nodes"):
        write_topology_block(build("gb200-nvl72", 100, "superpod-gb200-ndr"))
    with pytest.raises(InputError, match="domain of its own"):
        write_topology_block(build("hgx-b200", 512, "superpod-b200-ndr"))


def test_the_manual_s_blocks_are_read() -> None:
    """topology.conf(5): two blocks, and sizes a power of two apart."""
    text = "BlockName=block1 Nodes=node[01-04]\nBlockName=block2 Nodes=node[05-08]\nBlockSizes=4,8\n"
    found = read_topology_conf(text)
    assert (len(found.blocks["block2"]), found.block_sizes) == (4, (4, 8))
    with pytest.raises(InputError, match="node04 is there 2 times"):
        read_topology_conf(text.replace("05-08", "04-07"))


def test_nodes_of_their_own_domain_are_no_blocks(build) -> None:
    cluster = build("hgx-b200", 512, "superpod-b200-ndr")
    (tree,) = read_topology_yaml(write_topology_yaml(cluster)["topology.yaml"])
    assert (tree.default, len(tree.nodes)) == (True, 2)


CONFIGURATION = """\
ClusterName=test
SlurmctldHost=localhost
SlurmUser={user}
AuthType=auth/none
CredType=cred/none
StateSaveLocation={folder}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
ProctrackType=proctrack/linuxproc
SwitchType=switch/none
SelectType=select/cons_tres
TopologyPlugin=topology/tree
NodeName={nodes} CPUs=1 NodeAddr=127.0.0.1
PartitionName=all Nodes=ALL Default=YES
"""


@pytest.mark.skipif(
    not (shutil.which("slurmctld") and shutil.which("scontrol")), reason="Slurm is not installed"
)
def test_slurm_itself_reads_the_tree(build, tmp_path: Path) -> None:
    text = write_topology_conf(build("hgx-b200", 8192, "superpod-b200-ndr"))["topology.conf"]
    ours = read_topology_conf(text)
    (tmp_path / "topology.conf").write_text(text)
    nodes = fold_names(node for below in ours.nodes.values() for node in below)
    filled = CONFIGURATION.format(folder=tmp_path, user=getpass.getuser(), nodes=nodes, ports=_free_ports())
    (tmp_path / "slurm.conf").write_text(filled)
    environment = {**os.environ, "SLURM_CONF": str(tmp_path / "slurm.conf")}
    with (tmp_path / "log").open("w") as log:
        daemon = subprocess.Popen(["slurmctld", "-D"], stdout=log, stderr=log, env=environment)
        try:
            shown = _shown_topology(environment)
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(timeout=30)
    if not shown and "plugin" in (tmp_path / "log").read_text():
        pytest.skip("this Slurm was built without the plugins that need no key")
    by_name = dict(re.findall(r"^SwitchName=(\S+) .*?Nodes=(\S+)", shown, re.MULTILINE))
    assert {name: unfold_names(by_name[name]) for name in ours.nodes} == dict(ours.nodes)
    assert len(unfold_names(by_name[ours.root])) == 1024
    assert set(by_name) == {*ours.nodes, *ours.switches}


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _shown_topology(environment: dict[str, str]) -> str:
    """What scontrol prints once the daemon answers; nothing if it never does."""
    for _ in range(30):
        done = subprocess.run(
            ["scontrol", "show", "topology"], capture_output=True, text=True, env=environment, timeout=60
        )
        if done.returncode == 0 and "SwitchName" in done.stdout:
            return done.stdout
        time.sleep(0.5)
    return ""
