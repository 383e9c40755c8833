"""Files in: what they hold, where it stands, and one clear message for everything else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from gigawatt.documents import load_csv, load_yaml, parse_json, parse_yaml, read_json, read_text
from gigawatt.errors import InputError


def message_of(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_yaml(text, "plan.yaml")
    return str(caught.value)


def test_values_and_places() -> None:
    document = parse_yaml(
        "runs:\n  - id: a\n    tokens: 15.6T tokens\n  - {id: b, tokens: 1e9}\n", "plan.yaml"
    )
    assert document.value == {"runs": ({"id": "a", "tokens": "15.6T tokens"}, {"id": "b", "tokens": 1e9})}
    assert document.keys["runs", 0, "tokens"] == (3, 5)
    assert document.values["runs", 0, "tokens"] == (3, 13)
    assert document.values["runs", 1] == (4, 5)
    assert str(document.problem("is odd", ("runs", 1, "tokens"))) == "plan.yaml:4:21: runs[1].tokens: is odd"
    # What is not there is reported where its nearest neighbour above stands.
    assert str(document.problem("missing", ("runs", 1, "deadline"), of_key=True)).startswith(
        "plan.yaml:4:5: "
    )


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("on", "on"), ("no", "no"), ("yes", "yes"), ("off", "off"), ("y", "y"),
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("012", "012"), ("1:30", "1:30"), ("12:30:45", "12:30:45"), ("1_000", "1_000"), ("0x10", "0x10"),
        ("2027-06-30", "2027-06-30"), ("1e9", 1e9), ("1.5e-3", 1.5e-3), ("1E+3", 1e3), (".5", 0.5),
        ("3.", 3.0),
        ("-3", -3), ("+3", 3), ("0", 0), ("15600000000000", 15_600_000_000_000),
        (".inf", ".inf"), (".nan", ".nan"),
        ("'5'", "5"), ('"true"', "true"), ("null value", "null value"), ("80 GB", "80 GB"), ("=", "="),
    ],
)  # fmt: skip
def test_yaml_has_no_traps(written: str, value: object) -> None:
    found = parse_yaml(f"key: {written}").value["key"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_text() -> None:
    assert parse_yaml("2026: a\non: b\nnull: c\n1e9: d").value == {
        "2026": "a",
        "on": "b",
        "null": "c",
        "1e9": "d",
    }


def test_plain_files_mean_what_the_reference_parser_reads() -> None:
    text = """
    # a comment
    name: "a: b"
    folded: >
      two
      lines
    literal: |
      kept
      as is
    nested: {list: [1, 2.5, {deep: null}], empty: [], none: {}}
    anchored: &it [1, 2]
    again: *it
    """
    reference = yaml.safe_load(text)

    def with_tuples(value: object) -> object:
        if isinstance(value, dict):
            return {key: with_tuples(item) for key, item in value.items()}
        return tuple(map(with_tuples, value)) if isinstance(value, list) else value

    assert parse_yaml(text).value == with_tuples(reference)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "plan.yaml: is empty"),
        ("# nothing but a comment\n", "plan.yaml: is empty"),
        ("a: 1\nb: 2\na: 3", "plan.yaml:3:1: a: duplicate key, first given on line 1"),
        ("a: [1, 2", 'expected "," or "]"'),
        ("a: {b: 1", 'expected "," or "}"'),
        ("a: 'x", "a closing quote is missing"),
        ("a: b: c", 'plan.yaml:1:5: unexpected ":"'),
        ("a:\tb\n\tc: d", "plan.yaml:2:1: a tab: indent with spaces"),
        ("a: @x", "plan.yaml:1:4: this character cannot start a value"),
        ("a: *x", "alias *x stands before its anchor"),
        ("a: &x [*x]", "alias *x stands before its anchor"),
        ("a: 1\n---\nb: 2", 'plan.yaml:2:1: a second document ("---") starts here'),
        ("a: !!python/object:os.system x", "is not understood"),
        ("a: !!float 3", "is not understood"),
        ("<<: {a: 1}", "merge keys (<<) are not followed"),
        ("? [a]\n: b", "a key must be plain text"),
        ("a: \x01", "not text that YAML allows"),
        ("[" * 100_000, "more than 100 levels"),
        ("- " * 5_000 + "x", "more than 100 levels"),
    ],
)
def test_broken_yaml_is_named(text: str, message: str) -> None:
    assert message in message_of(text)


def test_all_duplicates_are_reported_at_once() -> None:
    assert message_of("a: 1\na: 2\nb: {c: 1, c: 2}\n").splitlines() == [
        "plan.yaml:2:1: a: duplicate key, first given on line 1",
        "plan.yaml:3:11: b.c: duplicate key, first given on line 3",
    ]


def test_aliases_of_aliases_do_not_blow_up() -> None:
    """Ten levels of nine aliases each stand for 9^10 values ("billion laughs")."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 11)]
    assert "values" in message_of("\n".join(lines))


def test_unreadable_files_get_one_clear_message(tmp_path: Path) -> None:
    def message(path: Path) -> str:
        with pytest.raises(InputError) as caught:
            load_yaml(path)
        assert caught.value.exit_code == 2
        assert len(caught.value.problems) == 1
        return str(caught.value).removeprefix(f"{path}")

    (tmp_path / "scenario.yaml").write_text("a: 1")
    (tmp_path / "binary.yaml").write_bytes(b"\x7fELF\0\0")
    (tmp_path / "latin.yaml").write_bytes("a: 1\nb: Zürich".encode("latin-1"))
    (tmp_path / "wide.yaml").write_bytes("a: 1".encode("utf-16"))
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert message(tmp_path / "scenaro.yaml") == ': no such file: did you mean "scenario.yaml"?'
    assert message(tmp_path / "xyz") == ": no such file"
    assert "there is no folder" in message(tmp_path / "nowhere" / "scenario.yaml")
    assert message(tmp_path) == ": is a folder, expected a file"
    assert message(tmp_path / "binary.yaml") == ": is a binary file, expected text"
    assert message(tmp_path / "latin.yaml") == ":2:5: is not UTF-8 text: save it as UTF-8"
    assert message(tmp_path / "wide.yaml") == ": is UTF-16 text: save it as UTF-8"
    assert "cannot be read" in message(tmp_path / "loop")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_closed_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "closed.yaml"
    path.write_text("a: 1")
    path.chmod(0)
    with pytest.raises(InputError, match="permission denied"):
        load_yaml(path)


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "marked.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1")
    assert read_text(path) == "a: 1"
    assert load_yaml(path).value == {"a": 1}


def test_csv_rows_know_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "offers.csv"
    path.write_text('id,price\na,"$2\n.49/h"\n\nb,$3/h\n')
    rows = load_csv(path, required=["id"])
    assert rows == [{"id": "a", "price": "$2\n.49/h"}, {"id": "b", "price": "$3/h"}]
    assert [row.line for row in rows] == [2, 5]
    assert str(rows[1].problem("too dear", "price")) == f"{path}:5:2: price: too dear"


def test_all_problems_of_a_csv_at_once(tmp_path: Path) -> None:
    path = tmp_path / "offers.csv"
    path.write_text("id,prize,id,\n1,2,3,4\n1,2\n1,2,3,4,5\n")
    with pytest.raises(InputError) as caught:
        load_csv(path, required=["id", "price"])
    text = str(caught.value)
    assert ":1:3: id: column given twice" in text
    assert ":1:4: column 4 has no name" in text
    assert 'price: missing column: is it what "prize" means?' in text
    assert ":3:3: expected 4 cells as in the header, found 2" in text
    assert ":4:5: expected 4 cells" in text
    path.write_text("")
    with pytest.raises(InputError, match="is empty, expected a header"):
        load_csv(path)
    path.write_text('a,b\n1,"2\n')
    with pytest.raises(InputError, match="is not CSV"):
        load_csv(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "c.json: is empty"),
        ('{"a": [1, 2', "c.json:1:12: the file ends too early: is it truncated?"),
        ('{"a": "x', "is it truncated?"),
        ('{\n"a": 1,\n}', "c.json:"),
        ('{"a": 1} x', "c.json:1:10: is not JSON: extra data"),
        ('{"a": 1, "a": 2}', "c.json: a: duplicate key"),
        ('{"a": NaN}', "NaN is not a number that JSON has"),
        ("[" * 100_000, "c.json"),
    ],
)
def test_broken_json_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_json(text, "c.json")
    assert message in str(caught.value)


def test_json_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"a": [1, 2.5, null, "x"]}')
    assert read_json(path) == {"a": [1, 2.5, None, "x"]}
    assert load_yaml(path).value == {"a": (1, 2.5, None, "x")}
