"""Whatever a file holds: it is read, or refused with a place; what is written can be read back."""

from __future__ import annotations

import json

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.documents import canonical_json, parse_json, parse_yaml
from gigawatt.errors import InputError, Problem

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


letters = st.text(st.characters(categories=("L", "N", "P"), max_codepoint=0xFFFF), max_size=8)


@given(st.text() | st.text(alphabet="ab01 :-\n[]{}&*!|>'\"#,?%@\t~<.e", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_yaml, parse_json):
        problems: tuple[Problem, ...] = ()
        try:
            parse(text, "f")
        except InputError as error:
            problems = error.problems
        assert all(str(problem).startswith("f") for problem in problems)


@given(values)
@settings(max_examples=50)
def test_canonical_json_reads_back(value: object) -> None:
    assert parse_json(canonical_json(value)) == value
    assert canonical_json(parse_json(canonical_json(value))) == canonical_json(value)


@given(st.dictionaries(letters, st.integers() | st.booleans() | st.none() | letters))
@settings(max_examples=50)
def test_what_another_writer_wrote_is_read(value: dict[str, object]) -> None:
    """PyYAML quotes what its own 1.1 rules would misread, which is more than ours would."""
    written = yaml.safe_dump({"top": value, "list": [value]}, allow_unicode=True)
    assert parse_yaml(written).value == {"top": value, "list": (value,)}


@given(
    st.dictionaries(letters, st.lists(st.dictionaries(letters, letters, max_size=3), max_size=3), max_size=3)
)
@settings(max_examples=50)
def test_places_point_at_the_text(value: dict[str, object]) -> None:
    text = json.dumps(value, indent=1, ensure_ascii=False)
    document = parse_yaml(text)
    for path, (line, column) in document.keys.items():
        here = text.split("\n")[line - 1][column - 1 :]
        assert here.startswith(json.dumps(path[-1], ensure_ascii=False))
