"""Read an NCCL topology file as NCCL does: its own small XML, its own nesting, its own limits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from gigawatt.errors import InputError, Problem

NESTING = {
    "": {"system"},
    "system": {"cpu"},
    "cpu": {"pci", "nic"},
    "pci": {"pci", "gpu", "nic", "pcilink"},
    "gpu": {"nvlink", "c2c"},
    "nic": {"net"},
}
"""Elements that NCCL reads in each other; it skips any other."""
REQUIRED = {
    "system": {"version"},
    "cpu": {"numaid"},
    "pci": {"busid", "class"},
    "gpu": {"dev"},
    "net": {"name", "dev", "speed", "port"},
}
MAX_ATTRIBUTES = 16
MAX_LETTERS = 255

_TOKEN = re.compile(r"<!--.*?-->|<(/?)(\w+)((?: [\w]+=\"[^\"]*\")*)(/?)>|\S", re.DOTALL)
_ATTRIBUTE = re.compile(r"(\w+)=\"([^\"]*)\"")


@dataclass(frozen=True, slots=True)
class Element:
    """An element with its attributes and what is in it."""

    name: str
    attributes: dict[str, str]
    children: tuple[Element, ...] = ()

    def walk(self, name: str) -> Iterator[Element]:
        """Every element of that name in this one, in order."""
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.walk(name)


def read_nccl_topology(text: str, file: str = "nccl-topology.xml") -> Element:
    """The `system` element. Raises InputError where NCCL would stop or silently skip what is written."""
    children, _ = _elements(text, 0, "", file)
    systems = [child for child in children if child.name == "system"]
    problems = [] if len(systems) == 1 else [f"expected one system, found {len(systems)}"]
    for system in systems:
        problems += _faults(system, "")
        for name, key in (("pci", "busid"), ("gpu", "dev"), ("net", "dev"), ("net", "name")):
            stated = Counter(one.attributes.get(key, "") for one in system.walk(name))
            problems += [f"{name}: {key} {value} is there twice" for value, n in stated.items() if n > 1]
    if problems:
        raise InputError([Problem(problem, file=file) for problem in problems])
    return systems[0]


def _elements(text: str, place: int, within: str, file: str) -> tuple[tuple[Element, ...], int]:
    """What stands between `place` and the end of the element `within`, and where that end is."""
    found: list[Element] = []
    while (token := _TOKEN.search(text, place)) is not None:
        place = token.end()
        closing, name, attributes, single = token.groups()
        if token.group(0).startswith("<!--"):
            continue
        if name is None or (closing and name != within):
            line = text.count("\n", 0, token.start()) + 1
            message = f"NCCL cannot read `{text[token.start() : token.start() + 20]}`"
            raise InputError(Problem(message, file=file, line=line))
        if closing:
            return tuple(found), place
        children: tuple[Element, ...] = ()
        if not single:
            children, place = _elements(text, place, name, file)
        found.append(Element(name, dict(_ATTRIBUTE.findall(attributes)), children))
    if within:
        raise InputError(Problem(f"the element {within} does not end", file=file))
    return tuple(found), place


def _faults(element: Element, within: str) -> Iterator[str]:
    if element.name not in NESTING.get(within, set()):
        yield f"NCCL skips {element.name} in {within}"
    if missing := REQUIRED.get(element.name, set()) - set(element.attributes):
        yield f"{element.name}: {', '.join(sorted(missing))} missing"
    if len(element.attributes) > MAX_ATTRIBUTES or any(
        len(value) > MAX_LETTERS for value in element.attributes.values()
    ):
        yield f"{element.name}: more attributes, or longer ones, than NCCL keeps"
    for child in element.children:
        yield from _faults(child, element.name)
