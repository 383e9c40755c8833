"""Groups that know their commands by name and load each only when it is run."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

import click


@dataclass(frozen=True, slots=True)
class Later:
    """A command that is not loaded yet: what the list of commands says of it, and where it is."""

    summary: str
    module: str
    function: str

    def load(self) -> click.Command:
        """The command itself."""
        command = getattr(import_module(f"gigawatt.cli.{self.module}"), self.function)
        assert isinstance(command, click.Command)
        return command


class LazyGroup(click.Group):
    """A group of commands given as `Later` and further groups."""

    def __init__(self, name: str, summary: str, table: Mapping[str, Later | LazyGroup]) -> None:
        super().__init__(name, help=summary, short_help=summary, no_args_is_help=True)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names in the order of the table."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, loaded now."""
        found = self.table.get(cmd_name)
        return found.load() if isinstance(found, Later) else found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with the nearest names where there is no such command."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in self.table:
            near = difflib.get_close_matches(name, self.table, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"commands are {', '.join(self.table)}"
            raise click.UsageError(f"no such command {name!r}: {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands, from the table alone."""
        lines = [
            (name, entry.summary if isinstance(entry, Later) else entry.short_help or "")
            for name, entry in self.table.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(lines)
