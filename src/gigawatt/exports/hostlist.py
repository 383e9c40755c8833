"""Slurm's short form of many names: "node-[0000-0031,0040]" for thirty-three nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gigawatt.errors import InputError, Problem

_NUMBERED = re.compile(r"(.*?)(\d*)")
_ITEM = re.compile(r"([^,\[\]]*)(?:\[([^\[\]]*)\])?([^,\[\]]*)(?:,|$)")
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")


def fold_names(names: Iterable[str]) -> str:
    """Names as one host list, in their order: runs that count up by one become ranges.

    Leading zeros are kept. Numbers are folded where they end a name.

    >>> fold_names(["leaf-0007", "leaf-0008", "leaf-0009", "leaf-0012", "spine"])
    'leaf-[0007-0009,0012],spine'
    """
    groups: list[tuple[str, list[tuple[str, str]]]] = []
    for name in names:
        prefix, number = _NUMBERED.fullmatch(name).groups()  # type: ignore[union-attr]
        if not groups or groups[-1][0] != prefix or not number:
            groups.append((prefix, []))
        if number:
            _extend(groups[-1][1], number)
    return ",".join(_folded(prefix, ranges) for prefix, ranges in groups)


def _extend(ranges: list[tuple[str, str]], number: str) -> None:
    if ranges and len(ranges[-1][1]) == len(number) and int(number) == int(ranges[-1][1]) + 1:
        ranges[-1] = (ranges[-1][0], number)
    else:
        ranges.append((number, number))


def _folded(prefix: str, ranges: list[tuple[str, str]]) -> str:
    if not ranges:
        return prefix
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return prefix + ranges[0][0]
    return f"{prefix}[{','.join(first if first == last else f'{first}-{last}' for first, last in ranges)}]"


def unfold_names(text: str) -> tuple[str, ...]:
    """The names that a host list stands for. Raises InputError for what is no host list.

    >>> unfold_names("tux[0-3,12,18-20]")[-2:]
    ('tux19', 'tux20')
    """
    return tuple(_unfolded(text))


def _unfolded(text: str) -> Iterator[str]:
    place = 0
    while place < len(text):
        item = _ITEM.match(text, place)
        if item is None or not item.group(0).rstrip(","):
            raise InputError(Problem(f"found `{text[place:]}`; expected names such as node[01-32,40]"))
        prefix, ranges, suffix = item.groups()
        place = item.end()
        if ranges is None:
            yield prefix + suffix
        else:
            yield from (f"{prefix}{number}{suffix}" for number in _numbers(ranges))


def _numbers(ranges: str) -> Iterator[str]:
    for part in ranges.split(","):
        found = _RANGE.fullmatch(part)
        if found is None:
            raise InputError(Problem(f"found `[{ranges}]`; expected numbers such as [01-32,40]"))
        first, last = found.group(1), found.group(2) or found.group(1)
        yield from (f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1))
