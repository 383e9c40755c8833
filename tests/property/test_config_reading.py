"""Whatever stands in a config.json, reading it gives a model or an InputError, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.design.model_counts import parameter_count
from gigawatt.domain.huggingface import read_config
from gigawatt.domain.model_families import FAMILIES
from gigawatt.errors import InputError

MODELS = Path(__file__).parents[2] / "src" / "gigawatt" / "data" / "models"
CONFIGS = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(MODELS.glob("*.json"))]
KEYS = sorted({key for config in CONFIGS for key in config} - {"_gigawatt"})

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10**12) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def read_or_refuse(config):
    try:
        model = read_config(config, "any", "Any")
    except InputError as error:
        refused = [problem.message for problem in error.problems]
    else:
        assert parameter_count(model).total > 0
        return
    assert refused
    assert all(refused)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(CONFIGS),
    st.dictionaries(st.sampled_from(KEYS), json_values, max_size=3),
    st.sets(st.sampled_from(KEYS), max_size=3),
)
def test_damaged_configs_of_the_catalogue(config, damage, dropped):
    read_or_refuse({key: value for key, value in (config | damage).items() if key not in dropped})


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(CONFIGS), st.sampled_from(sorted(FAMILIES)))
def test_configs_under_another_model_type(config, model_type):
    read_or_refuse(config | {"model_type": model_type})


@settings(max_examples=100, deadline=None)
@given(json_values)
def test_anything_at_all(value):
    read_or_refuse(value)
