"""Files: YAML, CSV and JSON in, with the line and column of everything; text out, whole or not at all.

A file is read once, and everything that is wrong with it is reported at once, as `file:line:column: key: what
is wrong`. `reading` turns text into values with their places, `records` turns values into records (and what
is wrong with them into sentences), `writing` gives every value its one text, its digest and its file.
"""

from gigawatt.documents.reading import (
    Document,
    KeyPath,
    Row,
    load_csv,
    load_yaml,
    parse_json,
    parse_yaml,
    read_json,
    read_text,
)
from gigawatt.documents.records import json_schema, parse_record, parse_records, read_record
from gigawatt.documents.writing import canonical_json, digest, growing, write_atomic

__all__ = [
    "Document",
    "KeyPath",
    "Row",
    "canonical_json",
    "digest",
    "growing",
    "json_schema",
    "load_csv",
    "load_yaml",
    "parse_json",
    "parse_record",
    "parse_records",
    "parse_yaml",
    "read_json",
    "read_record",
    "read_text",
    "write_atomic",
]
