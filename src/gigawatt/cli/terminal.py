"""What a command prints, and where: results on standard output, notes and progress on standard error.

With `--json` standard output carries one object and nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from gigawatt.errors import InfeasibleError
from gigawatt.views.table import Table


@dataclass(frozen=True, slots=True)
class Terminal:
    """How this command was asked to speak."""

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False

    def table(self, table: Table) -> None:
        """Print a table with its notes; with -v each row says by which pointer it can be explained."""
        if self.as_json and self.quiet:
            return
        from gigawatt.cli.drawing import drawn_lines

        stream = sys.stderr if self.as_json else sys.stdout
        width = shutil.get_terminal_size().columns if stream.isatty() else None
        bold = stream.isatty() and not os.environ.get("NO_COLOR")
        print(f"\033[1m{table.title}\033[0m" if bold else table.title, file=stream)
        if table.rows:
            print("\n".join(drawn_lines(table, width, self.verbose)), file=stream)
        for note in table.notes:
            print(note, file=stream)
        print(file=stream)

    def say(self, text: str) -> None:
        """A line of the answer, for people."""
        if self.as_json and self.quiet:
            return
        print(text, file=sys.stderr if self.as_json else sys.stdout)

    def note(self, text: str) -> None:
        """A remark beside the answer."""
        if not self.quiet:
            print(text, file=sys.stderr)

    def result(self, schema: str, content: Mapping[str, Any]) -> None:
        """The one object of `--json`; nothing otherwise."""
        if self.as_json:
            print(json.dumps({"schema": f"gigawatt.{schema}/1", **content}, indent=1, allow_nan=False))

    def infeasible(self, schema: str, error: InfeasibleError, asked: Mapping[str, Any]) -> int:
        """Say what binds; the one object of `--json` holds it as `binding`. Returns the exit code."""
        self.say(str(error))
        constraint, _, message = str(error).partition(": ")
        self.result(
            schema,
            {**asked, "binding": [{"constraint": constraint.removesuffix(" binds"), "message": message}]},
        )
        return error.exit_code

    @contextmanager
    def progress(self) -> Iterator[Callable[[int, int, str], None]]:
        """A line that says how far things are; silent unless standard error is a terminal."""
        if self.quiet or not sys.stderr.isatty():
            yield lambda _done, _total, _label: None
            return
        from rich.console import Console

        with Console(stderr=True).status("reading") as status:

            def show(done: int, total: int, label: str) -> None:
                status.update(f"{done + 1}/{total}  {label}" if total else label)

            yield show


def speaking(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command `--json`, `--quiet` and `-v`, and passes it a `Terminal` as its first argument."""

    @click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
    @click.option("--quiet", "-q", is_flag=True, help="No remarks and no progress.")
    @click.option("--verbose", "-v", is_flag=True, help="Show by which pointer each row can be explained.")
    @wraps(command)
    def spoken(as_json: bool, quiet: bool, verbose: bool, **arguments: Any) -> Any:
        return command(Terminal(as_json, quiet, verbose), **arguments)

    return spoken


def write_table(path: str, table: Table) -> None:
    """Write raw values to a .csv or .parquet file. Raises InputError for another kind, WriteError."""
    from gigawatt.documents import write_atomic
    from gigawatt.errors import InputError

    if path.endswith(".csv"):
        write_atomic(path, _csv_text(table))
    elif path.endswith(".parquet"):
        write_atomic(path, _parquet_bytes(table))
    else:
        raise InputError(f"--out {path}: the name must end in .csv or .parquet")


def _csv_text(table: Table) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.key for column in table.columns])
    writer.writerows(["" if value is None else value for value in row] for row in table.rows)
    return text.getvalue()


def _parquet_bytes(table: Table) -> bytes:
    import io

    from gigawatt.errors import InputError

    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputError("writing .parquet needs pyarrow: pip install 'gigawatt[parquet]'") from None
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(table.records()), buffer)
    return buffer.getvalue()
