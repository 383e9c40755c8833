"""Our parameter counts against transformers built without weights, and against published figures."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from gigawatt.design.model_counts import parameter_count, train_flop_per_token
from gigawatt.domain.huggingface import read_config

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def load_script(name):
    """A script of the repository as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference_parameters = load_script("reference_parameters")
model_table = load_script("model_table")

CATALOGUE = dict(reference_parameters.catalogue())
PRINTED = {id: int(row["total"]) for id, row in model_table.printed_totals().items()}
FAMILIES = json.loads((HERE / "reference_families.json").read_text(encoding="utf-8"))["models"]


def count(id):
    return parameter_count(read_config(CATALOGUE[id], id, id))


@pytest.mark.parametrize("id", sorted(PRINTED))
def test_total_equals_what_transformers_printed(id):
    assert count(id).total == PRINTED[id]


def test_every_model_with_a_reference_class_has_its_printed_total():
    expected = {id for id, config in CATALOGUE.items() if reference_parameters.has_reference_class(config)}
    assert expected == set(PRINTED)


@pytest.mark.parametrize("row", FAMILIES, ids=lambda row: row["config"]["model_type"])
def test_family_conventions_equal_those_of_transformers(row):
    model = read_config(row["config"], "small", "small")
    assert parameter_count(model).total == row["total"]
    if row["layer_types"]:
        full = [block.attention.window_tokens == 0 for block in model.layers]
        assert full == [kind == "full_attention" for kind in row["layer_types"]]


def test_totals_equal_transformers_built_on_the_meta_device():
    for library in ("torch", "transformers"):
        pytest.importorskip(library, reason=f"{library} is not installed: pip install 'gigawatt[reference]'")
    for id in PRINTED:
        built = reference_parameters.reference(CATALOGUE[id])
        assert built is not None
        assert count(id).total == built.total, id


@pytest.mark.parametrize("id", sorted(CATALOGUE))
def test_total_agrees_with_the_published_figure_to_its_printed_digits(id):
    told = CATALOGUE[id]["_gigawatt"]
    counts = told.get("published_counts", "total")
    if counts in {"not as stated", "with vision tower"}:
        assert told["note"]
        assert id in PRINTED, "a figure that does not agree needs a reference class to stand on"
        return
    figure = model_table.PUBLISHED_COUNTS[counts](count(id))
    assert model_table.agrees(figure, told["published_params"])


@pytest.mark.parametrize(
    "id", sorted(id for id, config in CATALOGUE.items() if "published_layer_params" in config["_gigawatt"])
)
def test_layers_agree_with_the_published_figure_without_embeddings(id):
    assert model_table.agrees(count(id).non_embedding, CATALOGUE[id]["_gigawatt"]["published_layer_params"])


@pytest.mark.parametrize(
    "id", sorted(id for id, config in CATALOGUE.items() if "published_active_params" in config["_gigawatt"])
)
def test_active_parameters_agree_with_the_published_figure(id):
    told = CATALOGUE[id]["_gigawatt"]
    figure = model_table.ACTIVE_COUNTS[told.get("published_active_counts", "total")](count(id))
    assert model_table.agrees(figure, told["published_active_params"])


def test_multi_token_prediction_layer_of_deepseek_v3_is_as_published():
    """README_WEIGHTS.md: 11.5 billion unique parameters, the layer without the projection before it."""
    told = count("deepseek-v3")
    projection_and_norms = 2 * 7168 * 7168 + 3 * 7168
    assert model_table.agrees(told.mtp - projection_and_norms, "11.5B")


def test_published_figures_agree_by_rounding_or_by_cutting_decimals():
    assert model_table.agrees(405_853_388_800, "405B")
    assert model_table.agrees(174_604_259_328, "174,600M")
    assert model_table.agrees(68_976_648_192, "70B")
    assert not model_table.agrees(315_684_820_992, "314B")
    assert not model_table.agrees(176_247_271_425, "176,247,271,424")


def test_flop_per_token_of_llama_3_405b_gives_the_published_budget():
    """Llama 3 report, section 3.2: 3.8e25 FLOPs for 15.6T tokens, counted as 6 N D."""
    model = read_config(CATALOGUE["llama-3.1-405b"], "llama-3.1-405b", "Llama 3.1 405B")
    linear = train_flop_per_token(model, 1, causal=True)
    assert linear * 15.6e12 == pytest.approx(3.8e25, rel=0.01)


def test_flop_per_token_of_gpt_3_follows_narayanan():
    """Narayanan et al., 2104.04473, equation 3, not recomputed: 72 l h^2 (1 + s/6h + V/12lh) per token."""
    model = read_config(CATALOGUE["gpt-3-175b"], "gpt-3-175b", "GPT-3")
    layers, hidden, seq_len, vocab = 96, 12288, 2048, 50257
    expected = 72 * layers * hidden**2 * (1 + seq_len / (6 * hidden) + vocab / (12 * layers * hidden))
    assert train_flop_per_token(model, seq_len, causal=False) == pytest.approx(expected, rel=1e-12)


def test_table_in_the_documentation_is_what_the_script_prints():
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    assert text == model_table.page()
