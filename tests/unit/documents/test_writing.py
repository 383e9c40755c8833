"""Files out: whole or not at all; and the one text of a value."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gigawatt.documents import canonical_json, digest, write_atomic
from gigawatt.domain.record import Record
from gigawatt.errors import GigawattError, WriteError


def test_a_file_is_written_and_nothing_is_left_beside(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    write_atomic(path, "one")
    write_atomic(path, b"two")
    assert path.read_text() == "two"
    assert list(tmp_path.iterdir()) == [path]


def test_mode_and_links_survive(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    write_atomic(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert real.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("stop", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_stopped_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException
) -> None:
    path = tmp_path / "plan.json"
    path.write_text("old")

    def fail(_: int) -> None:
        raise stop

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(WriteError if isinstance(stop, OSError) else KeyboardInterrupt):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_system_refuses_midway(tmp_path: Path) -> None:
    """A real refusal: a process that may not write files beyond 1000 bytes."""
    path = tmp_path / "plan.json"
    path.write_text("old")
    script = (
        "import resource, signal, sys\n"
        "from gigawatt.documents import write_atomic\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_atomic(sys.argv[1], 'x' * 100_000)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
    )
    assert "WriteError" in done.stderr
    assert "cannot be written: file too large" in done.stderr
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_says_so() -> None:
    with pytest.raises(WriteError, match="no space left") as caught:
        write_atomic("/dev/full", "text")
    assert isinstance(caught.value, GigawattError)
    assert caught.value.exit_code == 3


def test_impossible_places_say_why(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="there is no folder"):
        write_atomic(tmp_path / "nowhere" / "a.json", "x")
    with pytest.raises(WriteError, match="it is a folder"):
        write_atomic(tmp_path, "x")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("x")
    with pytest.raises(WriteError, match="there is no folder"):
        write_atomic(tmp_path / "file" / "a.json", "x")


class Point(Record):
    y_s: float
    names: tuple[str, ...] = ()


def test_canonical_json_is_one_text() -> None:
    assert canonical_json({"b": 0.1 + 0.2, "a": (1, 2.0, None, "Zürich")}) == (
        '{"a":[1,2.0,null,"Zürich"],"b":0.30000000000000004}'
    )
    assert canonical_json(Point(y_s=3, names=("a",))) == '{"names":["a"],"y_s":3.0}'
    assert canonical_json({"a": 1, "b": 2}) == canonical_json({"b": 2, "a": 1})


@pytest.mark.parametrize("value", [math.nan, math.inf, [-math.inf]])
def test_canonical_json_has_no_nan(value: object) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(value)


@pytest.mark.parametrize("value", [{1: "a"}, {"a": {1, 2}}, b"x"])
def test_canonical_json_refuses_what_json_has_no_word_for(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


def test_digest_is_the_hash_of_the_canonical_text() -> None:
    text = json.dumps({"a": [1, 2.5]}, separators=(",", ":"))
    assert digest({"a": (1, 2.5)}) == "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def test_a_text_may_come_in_pieces(tmp_path: Path) -> None:
    write_atomic(tmp_path / "long.csv", (f"{number},ä\n" for number in range(3)))
    assert (tmp_path / "long.csv").read_text(encoding="utf-8") == "0,ä\n1,ä\n2,ä\n"


def test_a_text_whose_pieces_fail_leaves_the_old_file(tmp_path: Path) -> None:
    def pieces() -> Iterator[str]:
        yield "half"
        raise ZeroDivisionError

    path = tmp_path / "file.txt"
    write_atomic(path, "old")
    with pytest.raises(ZeroDivisionError):
        write_atomic(path, pieces())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
