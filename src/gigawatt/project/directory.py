"""A plan directory: whole artefacts, and a manifest that comes last and says that they are complete."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gigawatt.documents import digest, read_json, read_record, write_atomic
from gigawatt.domain.blueprint import Blueprint
from gigawatt.errors import InputError, Problem, WriteError

MANIFEST = "manifest.json"
BLUEPRINT = "blueprint.json"
PORTFOLIO = "portfolio.json"
LOGBOOK = "logbook.json"
SCENARIO = "scenario.yaml"
REPORT = "report.html"
_SCHEMA = "gigawatt.manifest/1"


class PlanDirectory:
    """Artefacts by file name, below one folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def holds(self, inputs: Mapping[str, str]) -> bool:
        """Whether a complete plan for exactly these inputs is there, with its files unaltered."""
        manifest = self._manifest()
        if manifest.get("inputs") != dict(inputs):
            return False
        artefacts = manifest.get("artefacts", {})
        return bool(artefacts) and all(
            _file_digest(self.path / name) == expected for name, expected in artefacts.items()
        )

    def artefacts(self) -> tuple[str, ...]:
        """The files of the complete plan that is there, by name."""
        return tuple(self._manifest().get("artefacts", ()))

    def _unaltered(self) -> Iterator[str]:
        """Of these, what still is as it was written, and lies in this very folder."""
        for name, expected in self._manifest().get("artefacts", {}).items():
            if Path(name).name == name and _file_digest(self.path / name) == expected:
                yield name

    def _manifest(self) -> dict[str, Any]:
        with suppress(InputError):
            found = read_json(self.path / MANIFEST)
            if isinstance(found, dict) and found.get("schema") == _SCHEMA:
                return found
        return {}

    def refuse_to_overwrite(self, scenario_text: str) -> None:
        """Raise InputError where a file is in the way, or a scenario of the user's own in the folder."""
        if self.path.exists() and not self.path.is_dir():
            raise InputError(
                Problem("is a file: give a folder or a new name for the plan", file=str(self.path))
            )
        theirs = self.path / SCENARIO
        is_plan = (self.path / MANIFEST).exists() or (self.path / BLUEPRINT).exists()
        if not is_plan and theirs.is_file() and theirs.read_bytes() != scenario_text.encode():
            message = (
                "is another scenario, which the plan's copy would overwrite: give --out a folder of its own"
            )
            raise InputError(Problem(message, file=str(theirs)))

    def write(self, inputs: Mapping[str, str], artefacts: Mapping[str, str]) -> None:
        """Put artefacts in place, whole or not at all; what other files are there stays.

        Raises WriteError when the system refuses (disk full, no permission); the plan that was there before
        then stays as it was.
        """
        manifest = {
            "schema": _SCHEMA,
            "inputs": dict(sorted(inputs.items())),
            "artefacts": {name: text_digest(text) for name, text in sorted(artefacts.items())},
        }
        with self._staging() as staging:
            for name, text in artefacts.items():
                write_atomic(staging / name, text)
            write_atomic(staging / MANIFEST, json_text(manifest))
            self._put_in_place(staging, [*artefacts, MANIFEST])

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        """A folder beside the plan's, gone afterwards whatever happens."""
        beside = self.path.resolve().with_name(f".{self.path.resolve().name}.{os.getpid()}.tmp")
        made = [parent for parent in beside.parents if not parent.exists()]
        try:
            beside.mkdir(parents=True)
            yield beside
        except WriteError as error:
            raise WriteError(str(error).replace(str(beside), str(self.path))) from None
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise WriteError(f"{self.path}: cannot be written: {reason}") from None
        finally:
            shutil.rmtree(beside, ignore_errors=True)
            for folder in made:
                with suppress(OSError):
                    folder.rmdir()

    def _put_in_place(self, staging: Path, names: list[str]) -> None:
        if not self.path.exists():
            staging.rename(self.path)
            return
        dropped = [name for name in self._unaltered() if name not in names]
        (self.path / MANIFEST).unlink(missing_ok=True)
        for name in names:
            (staging / name).replace(self.path / name)
        for name in dropped:
            (self.path / name).unlink(missing_ok=True)

    def blueprint(self) -> dict[str, Any]:
        """The blueprint as it stands in its file. Raises InputError where there is no complete plan."""
        self.check()
        found = read_json(self.path / BLUEPRINT)
        if not isinstance(found, dict) or not str(found.get("schema", "")).startswith("gigawatt.blueprint/"):
            raise InputError(Problem("is not a blueprint", file=str(self.path / BLUEPRINT)))
        stated = found.get("digest", "")
        if digest({key: value for key, value in found.items() if key != "digest"}) != stated:
            message = (
                "its content does not match its digest: it was changed by hand; run `gigawatt plan` again"
            )
            raise InputError(Problem(message, file=str(self.path / BLUEPRINT)))
        return found

    def record(self) -> Blueprint:
        """The blueprint as a record. Raises InputError where there is no complete, unaltered plan."""
        self.blueprint()
        return read_record(self.path / BLUEPRINT, Blueprint)

    def check(self) -> None:
        """Refuse a folder that holds no complete plan, saying what is missing."""
        if not self.path.is_dir():
            message = "no such plan directory: `gigawatt plan SCENARIO.yaml` makes one"
            raise InputError(Problem(message, file=str(self.path)))
        if not (self.path / MANIFEST).is_file():
            message = f"no {MANIFEST} here, so this is not a complete plan: run `gigawatt plan` again"
            raise InputError(Problem(message, file=str(self.path)))


def json_text(value: Mapping[str, Any]) -> str:
    """JSON for people and programs: indented, in the order given, the same bytes for the same value."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def text_digest(text: str) -> str:
    """The hash of a file's text."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _file_digest(path: Path) -> str:
    with suppress(OSError):
        return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    return ""
