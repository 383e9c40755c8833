"""Finding rows, laying overlays, and saying what is wrong with either."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gigawatt.catalog import SECTIONS, Catalog, load_catalog
from gigawatt.errors import InputError, UnknownIdError

ACCELERATOR = """\
id: house-80gb
name: A part of our own
aliases: [House 80GB]
vendor: House
architecture: house
source: our-lab
basis: measured
date: "2026-05"
peak_flop_per_s: {bf16: 500 TFLOP/s, fp8: 1 PFLOP/s}
hbm_bytes: 80 GiB
usable_hbm_bytes: {value: 78 GiB, note: Read from the driver.}
hbm_bytes_per_s: 3 TB/s
num_sms: 100
tdp_w: 600 W
"""
SOURCES = """\
our-lab:
  title: Bench notes
  publisher: Our lab
  url: https://example.com/notes
  date: "2026-05"
  accessed: "2026-05-01"
  licence: ours
"""
FABRIC = """\
id: zz-rails
name: House rails
source: our-lab
basis: estimate
date: "2026-05"
systems: []
technology: ethernet
topology: fat-tree
leaf_switch: sn4600c
port_bytes_per_s: 100 Gbit/s
other_networks: {storage: storage-ndr}
"""
OFFERS = """\
id,provider,gpu_kind,accelerators_per_instance,on_demand_usd_per_gpu_h,term,date,source,basis,accelerator
ours,house,House 80GB,8,1.25,on-demand,2026-05-01,our-lab,quoted,house-80gb
"""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """A folder with one accelerator, its source and a price."""
    for folder in ("accelerators", "offers"):
        (tmp_path / folder).mkdir()
    (tmp_path / "accelerators" / "house-80gb.yaml").write_text(ACCELERATOR)
    (tmp_path / "offers" / "ours.csv").write_text(OFFERS)
    (tmp_path / "sources.yaml").write_text(SOURCES)
    return tmp_path


def errors(catalog: Catalog) -> list[str]:
    return [str(finding) for finding in catalog.check() if finding.kind == "error"]


def test_what_is_shipped_passes_its_own_check(catalog: Catalog) -> None:
    assert errors(catalog) == []


def test_aliases_ids_and_names_are_found_however_they_are_written(catalog: Catalog) -> None:
    for name in ("h100-sxm-80gb", "H100-SXM-80GB", "h100", "NVIDIA H100 SXM 80 GB", "NVIDIA_H100_80GB_HBM3"):
        assert catalog.accelerator(name).id == "h100-sxm-80gb"
    assert catalog.system("DGX H100").id == "hgx-h100"


def test_an_unknown_id_names_the_nearest_ones(catalog: Catalog) -> None:
    with pytest.raises(UnknownIdError, match=r'no accelerator "h100-sxm-8gb".*did you mean h100-sxm-80gb'):
        catalog.accelerator("h100-sxm-8gb")
    with pytest.raises(UnknownIdError, match=r"did you mean gb200-nvl72"):
        catalog.system("gb200-nvl27")
    with pytest.raises(UnknownIdError, match=r"did you mean aws-p5-48xlarge-us-east-1"):
        catalog.offer("aws-p5-48xlarge-us-est-1")
    with pytest.raises(UnknownIdError, match=r"did you mean llama-3.1-405b"):
        catalog.model("llama-3.1-405")


def test_every_section_lists_its_rows(catalog: Catalog) -> None:
    for section in SECTIONS:
        rows = catalog.rows(section)
        assert len(rows) > 2
        assert [row.id for row in rows] == list(catalog.ids(section))
    with pytest.raises(UnknownIdError, match="did you mean systems"):
        catalog.rows("system")


def test_each_value_knows_where_it_comes_from(catalog: Catalog) -> None:
    memory = catalog.accelerator("b200-sxm-180gb").provenance_of("hbm_bytes")
    assert memory.source in catalog.sources
    assert "192 GB" in memory.rejected


def test_a_model_is_found_by_id_by_alias_and_by_file(catalog: Catalog, tmp_path: Path) -> None:
    by_id = catalog.model("llama-3.1-8b")
    assert (by_id.hidden, by_id.num_layers) == (4096, 32)
    config = {
        "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 128, "vocab_size": 100,
    }  # fmt: skip
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    for path in (folder, folder / "config.json", str(folder / "config.json")):
        assert catalog.model(path).id == "mine"
    (tmp_path / "broken.json").write_text(json.dumps(config | {"hidden_size": -1}))
    with pytest.raises(InputError, match=r"broken\.json: hidden_size"):
        catalog.model(tmp_path / "broken.json")


def test_parts_that_lack_something_refuse_to_be_planned_with(catalog: Catalog) -> None:
    with pytest.raises(InputError, match=r"power of a node is not known \(node_power_w\).*overlay"):
        catalog.require_plannable("tpu-v5p-pod")
    system, accelerator = catalog.require_plannable("tpu-v5p-pod", with_power=False)
    assert (system.id, accelerator.id) == ("tpu-v5p-pod", "tpu-v5p")
    with pytest.raises(InputError, match="pre-release"):
        catalog.require_plannable("rubin-nvl72", with_power=False)
    for ready in ("hgx-a100", "hgx-h100", "hgx-b200", "gb200-nvl72", "gb300-nvl72", "hgx-mi355x"):
        catalog.require_plannable(ready)


def test_an_overlay_adds_rows_offers_and_sources(overlay: Path, catalog: Catalog) -> None:
    wider = load_catalog([overlay])
    assert wider.accelerator("house 80gb").usable_hbm_bytes == 78 * 2**30
    assert wider.offer("ours").on_demand_usd_per_gpu_h == 1.25
    assert wider.sources["our-lab"].publisher == "Our lab"
    assert len(wider.offers) == len(catalog.offers) + 1
    assert wider.notes == ()
    assert errors(wider) == []


def test_an_overlay_replaces_rows_and_says_so(overlay: Path) -> None:
    text = ACCELERATOR.replace("id: house-80gb", "id: h100-sxm-80gb")
    (overlay / "accelerators" / "h100-sxm-80gb.yaml").write_text(text)
    replaced = load_catalog([overlay])
    assert replaced.accelerator("h100-sxm-80gb").vendor == "House"
    assert replaced.notes == (f"accelerators/h100-sxm-80gb of {overlay} replaces the one of the catalogue",)


def test_one_file_can_be_an_overlay(tmp_path: Path) -> None:
    rows = "accelerators:\n- " + ACCELERATOR.replace("\n", "\n  ").rstrip()
    sources = "\nsources:\n  " + SOURCES.replace("\n", "\n  ").rstrip()
    path = tmp_path / "mine.yaml"
    path.write_text(rows + sources + "\n")
    wider = load_catalog([path])
    assert wider.accelerator("house-80gb").tdp_w == 600
    assert errors(wider) == []


def test_a_fit_of_ones_own_stands_for_the_shipped_one(catalog: Catalog, tmp_path: Path) -> None:
    fit = {"source": "our-lab", "basis": "measured", "date": "2026-05", "parameters": [], "spreads": []}
    (tmp_path / "fit.yaml").write_text(json.dumps(fit))
    (tmp_path / "folder" / "calibration").mkdir(parents=True)
    (tmp_path / "folder" / "calibration" / "training.json").write_text(json.dumps(fit))
    shipped = catalog.training_calibration()
    for overlay in (tmp_path / "fit.yaml", tmp_path / "folder"):
        own = load_catalog([overlay]).training_calibration()
        assert own.fit.source == "our-lab"
        assert (own.formats, own.software) == (shipped.formats, shipped.software)


def test_what_is_no_overlay_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is this an overlay"):
        load_catalog([tmp_path])
    (tmp_path / "other.yaml").write_text("gpus: []\n")
    with pytest.raises(InputError, match=r"other\.yaml:1:1: gpus: unknown section"):
        load_catalog([tmp_path / "other.yaml"])
    with pytest.raises(InputError, match="no such file"):
        load_catalog([tmp_path / "none.yaml"])


def test_the_digest_follows_the_content_and_not_the_place(overlay: Path, tmp_path: Path) -> None:
    shipped = load_catalog().digest
    assert shipped == load_catalog().digest
    assert shipped.startswith("sha256:")
    with_overlay = load_catalog([overlay]).digest
    assert with_overlay != shipped
    moved = overlay.rename(overlay.parent / "elsewhere")
    assert load_catalog([moved]).digest == with_overlay
    (moved / "offers" / "ours.csv").write_text(OFFERS.replace("1.25", "1.26"))
    assert load_catalog([moved]).digest != with_overlay


@pytest.mark.parametrize(
    ("line", "instead", "complaint"),
    [
        ("hbm_bytes: 80 GiB", "hbm_bytes: 80", "80"),
        ("hbm_bytes: 80 GiB", "hbm_bytes: 80 GB/s", "expected data"),
        ("hbm_bytes: 80 GiB", "hbm_bytes: 80 TB", "hbm_bytes: 80 TB is not plausible"),
        ("value: 78 GiB", "value: 82 GiB", "usable_hbm_bytes.*more than nominal"),
        ("fp8: 1 PFLOP/s", "fp8: 700 TFLOP/s", "fp8 is 1.40 times bf16"),
        ("source: our-lab", "source: our-leb", 'source "our-leb" is not in the bibliography'),
        (
            "aliases: [House 80GB]",
            "aliases: [H100]",
            '"h100" already names h100-sxm-80gb|"h100" already names',
        ),
        ("num_sms: 100", "missing: [tdp_w]", "missing: num_sms, tdp_w"),
        ("tdp_w: 600 W", "tpd_w: 600 W", 'tpd_w: unknown key: did you mean "tdp_w"'),
        ('date: "2026-05"', "date: last May", 'row: "last May" is not a date'),
        ("id: house-80gb", "id: house-81gb", "the file is named"),
        ("num_sms: 100", "same_chip_as: house-40gb", 'same_chip_as "house-40gb" is not in the catalogue'),
    ],
)
def test_the_check_finds(overlay: Path, line: str, instead: str, complaint: str) -> None:
    path = overlay / "accelerators" / "house-80gb.yaml"
    assert line in ACCELERATOR
    path.write_text(ACCELERATOR.replace(line, instead))
    found = errors(load_catalog([overlay]))
    assert [text for text in found if re.search(complaint, text)], found


@pytest.mark.parametrize(
    ("line", "instead", "complaint"),
    [
        ("leaf_switch: sn4600c", "leaf_switch: sn4600d", '"sn4600d" is not among the switches'),
        ("systems: []", "systems: [hgx-h101]", '"hgx-h101" is not among the systems'),
        ("systems: []", "systems: [hgx-h100]", "hgx-h100 is already usually built with superpod-h100-ndr"),
        ("storage: storage-ndr", "storage: storage-xdr", '"storage-xdr" is not among the fabrics'),
        ("storage: storage-ndr", "stores: storage-ndr", "other_networks: stores are not known"),
    ],
)
def test_the_check_finds_in_fabrics(overlay: Path, line: str, instead: str, complaint: str) -> None:
    assert line in FABRIC
    (overlay / "fabrics").mkdir()
    path = overlay / "fabrics" / "zz-rails.yaml"
    path.write_text(FABRIC)
    assert errors(load_catalog([overlay])) == []
    path.write_text(FABRIC.replace(line, instead))
    found = errors(load_catalog([overlay]))
    assert [text for text in found if complaint in text], found


def test_the_check_finds_sources_that_nothing_uses(overlay: Path) -> None:
    (overlay / "sources.yaml").write_text(SOURCES + SOURCES.replace("our-lab", "their-lab"))
    assert errors(load_catalog([overlay])) == ["error: sources/their-lab: nothing refers to it"]


@pytest.mark.parametrize(
    ("cell", "instead", "complaint"),
    [
        ("1.25", "cheap", r"ours\.csv:2:5: on_demand_usd_per_gpu_h: expected a number"),
        ("1.25", "0", "on_demand_usd_per_gpu_h.*greater than 0"),
        ("1.25", "125", "not plausible"),
        ("1.25", "", "neither an on-demand nor a spot price"),
        (",8,", ",8.5,", "expected a whole number"),
        ("2026-05-01", "yesterday", "expected a date"),
        ("house-80gb\n", "house-90gb\n", '"house-90gb" is not in the catalogue'),
        ("on_demand_usd", "on_demand_eur", 'unknown column: did you mean "on_demand_usd_per_gpu_h"'),
        ("provider,", "vendor,", "provider: missing column"),
    ],
)
def test_the_check_finds_in_price_lists(overlay: Path, cell: str, instead: str, complaint: str) -> None:
    assert cell in OFFERS
    (overlay / "offers" / "ours.csv").write_text(OFFERS.replace(cell, instead))
    found = errors(load_catalog([overlay]))
    assert [text for text in found if re.search(complaint, text)], found


def test_offers_without_a_known_accelerator_are_kept_and_told(catalog: Catalog) -> None:
    unmapped = [offer for offer in catalog.offers if not offer.accelerator]
    assert unmapped
    told = [finding.message for finding in catalog.check() if finding.kind == "note"]
    for kind in {offer.gpu_kind for offer in unmapped}:
        assert any(f'"{kind}"' in message for message in told)


def test_published_sizes_are_compared_to_their_printed_digits(catalog: Catalog) -> None:
    """405B is 404.5 to 406: a count of 402 billion is not that model."""
    wrong = {f.row for f in catalog.check(lambda model: 402e9) if f.kind == "error"}
    assert "models/llama-3.1-405b" in wrong
    right = {f.row for f in catalog.check(lambda model: 405_853_388_800) if f.kind == "error"}
    assert "models/llama-3.1-405b" not in right
