"""The one text of a value, its digest, and files that are there whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from gigawatt.errors import WriteError


def canonical_json(value: Any) -> str:
    """The one text of a value: keys sorted, no spaces, floats by repr, records as their fields.

    Raises TypeError for what JSON has no word for and ValueError for NaN and infinity: both are mistakes of
    the program, not of a user.
    """
    return json.dumps(
        _plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        # Dates and the like become text; records never hold what JSON cannot say.
        value = value.model_dump(mode="json")
    if isinstance(value, Mapping):
        if odd := [key for key in value if not isinstance(key, str)]:
            raise TypeError(f"keys must be text, found {odd[0]!r}")
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def digest(value: Any) -> str:
    """The hash of a value's canonical JSON: "sha256:" and 64 hex digits."""
    return "sha256:" + hashlib.sha256(canonical_json(value).encode()).hexdigest()


def write_atomic(path: str | Path, text: str | bytes | Iterable[str]) -> None:
    """Write a file so that it is there whole or not at all: beside, synced to disk, then renamed.

    A long text may come in pieces, which are written as they come. The folder must exist. Raises WriteError
    when the system refuses. Whatever stops the write, an interruption included: the old file stays as it was
    and nothing is left beside it.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            with target.open("wb") as file:  # a pipe or a terminal: there is nothing to rename
                _write_pieces(file, text)
        else:
            _write_beside(target, text)
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {_why_unwritable(target, error)}") from None


@contextmanager
def growing(path: str | Path) -> Iterator[BinaryIO]:
    """A new file that is written piece by piece, and holds what has been flushed whatever stops the writing.

    The folder must exist. Raises WriteError when the system refuses.
    """
    target = Path(os.path.realpath(path))
    try:
        with target.open("wb") as file:
            yield file
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {_why_unwritable(target, error)}") from None


def _write_pieces(file: BinaryIO, text: str | bytes | Iterable[str]) -> None:
    if isinstance(text, bytes):
        file.write(text)
        return
    for piece in (text,) if isinstance(text, str) else text:
        file.write(piece.encode())


def _write_beside(target: Path, text: str | bytes | Iterable[str]) -> None:
    if target.is_dir():
        raise IsADirectoryError
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            _write_pieces(file, text)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            beside.chmod(target.stat().st_mode & 0o777)
        beside.replace(target)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def _why_unwritable(target: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f'there is no folder "{target.parent}"'
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    return (error.strerror or str(error)).lower()
