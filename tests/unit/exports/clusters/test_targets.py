"""Every format of a cluster, from a finished plan to files; and what cannot be exported."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from gigawatt.catalog import load_catalog
from gigawatt.design.fabric import design_fabric
from gigawatt.design.facility.facility import design_facility
from gigawatt.domain.blueprint import ClusterPlan
from gigawatt.domain.training import Binding
from gigawatt.errors import InfeasibleError, InputError, UnknownIdError
from gigawatt.exports.cabling import cables
from gigawatt.exports.cluster_targets import CLUSTER_TARGETS, export_cluster
from gigawatt.exports.netbox_read import read_netbox
from gigawatt.project.directory import PlanDirectory
from gigawatt.project.handover import built_cluster, export_plan, write_files
from gigawatt.project.parts import fabric_parts, facility_parts
from gigawatt.project.plan import sealed


@pytest.fixture(scope="session")
def plan() -> ClusterPlan:
    """1,024 GPUs with networks, floor, power and cooling, as a plan holds them."""
    catalogue = load_catalog()
    system = catalogue.system("hgx-b200")
    accelerator = catalogue.accelerator(system.accelerator)
    parts = fabric_parts(catalogue, "superpod-b200-ndr", system)
    site, climate, equipment = facility_parts(catalogue, "generic")
    fabric = design_fabric(system, accelerator, 1024, parts, site)
    facility = design_facility(system, accelerator, 1024, fabric, site, climate, equipment, parts)
    return ClusterPlan(
        cluster="own", system=system.id, num_accelerators=1024, fabric=fabric, facility=facility
    )


@pytest.fixture
def directory(example, plan: ClusterPlan, tmp_path: Path) -> Path:
    """A finished plan with two clusters of its own, the second without a fabric."""
    message = "no kind of fabric"
    other = ClusterPlan(
        cluster="other",
        system="hgx-b200",
        num_accelerators=8,
        binding=(Binding(constraint="unknown fabric", message=message),),
    )
    blueprint = example.blueprint(example.run()).model_copy(update={"clusters": (plan, other)})
    _, text = sealed(blueprint)
    PlanDirectory(tmp_path / "plan").write({}, {"blueprint.json": text})
    return tmp_path / "plan"


def test_every_target_is_written_from_a_plan(directory: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="domain of its own"):
        export_plan(directory, "slurm-block", cluster_name="own")
    for target in set(CLUSTER_TARGETS) - {"slurm-block"}:
        written = write_files(export_plan(directory, target, cluster_name="own"), tmp_path / target)
        assert written
        assert all(path.stat().st_size for path in written), target
    root = tmp_path / "netbox"
    files = {
        path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()
    }
    assert len(read_netbox(files).tables["devices"]) > 128
    power = json.loads((tmp_path / "pandapower").read_text())
    assert power["_class"] == "pandapowerNet"


def test_the_schedule_of_a_plan_adds_up_to_its_bill(plan: ClusterPlan) -> None:
    """Fabric and facility stand on the same floor: what was billed is what is pulled."""
    cluster = built_cluster(plan, load_catalog())
    pulled = Counter((one.network, one.part) for one in {one.cable: one for one in cables(cluster)}.values())
    billed: Counter[tuple[str, str]] = Counter()
    for line in cluster.fabric.bill:
        if line.category == "cable":
            billed[line.network, line.part] += int(line.quantity)
    assert pulled == billed


def test_the_command_writes_what_the_call_returns(directory: Path, tmp_path: Path, run_gigawatt) -> None:
    out = tmp_path / "cables.csv"
    done = run_gigawatt("export", "cables", str(directory), "--cluster", "own", "-o", str(out))
    assert done.exit_code == 0, done.errors
    (pieces,) = export_plan(directory, "cables", cluster_name="own").values()
    assert out.read_text() == "".join(pieces)


def test_which_cluster_has_to_be_said(directory: Path) -> None:
    with pytest.raises(InputError, match="clusters own, other: say which"):
        export_plan(directory, "slurm")
    with pytest.raises(InputError, match='no cluster "third"'):
        export_plan(directory, "slurm", cluster_name="third")
    with pytest.raises(InfeasibleError, match="no kind of fabric"):
        export_plan(directory, "slurm", cluster_name="other")


def test_another_switch_under_the_same_name_is_noticed(plan: ClusterPlan) -> None:
    fabric = plan.fabric
    assert fabric is not None
    (leaf, *above) = fabric.compute.tiers
    compute = fabric.compute.model_copy(
        update={"tiers": (leaf.model_copy(update={"num_ports": leaf.num_ports + 1}), *above)}
    )
    other = fabric.model_copy(update={"networks": (compute, *fabric.networks[1:])})
    with pytest.raises(InputError, match=r"switches/quantum-2-qm9700: not the switch.*--overlay"):
        built_cluster(plan.model_copy(update={"fabric": other}), load_catalog())


def test_an_unknown_target_names_those_that_there_are(directory: Path, plan: ClusterPlan) -> None:
    with pytest.raises(UnknownIdError, match=r"megatron-lm, .*netbox"):
        export_plan(directory, "openstack")
    with pytest.raises(UnknownIdError, match="slurm"):
        export_cluster("openstack", built_cluster(plan, load_catalog()))
