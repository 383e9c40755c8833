"""The made-up plan and its page, and a reader that sees the page as a browser's parser would."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import ModuleType

import pytest

from gigawatt.domain.blueprint import Blueprint
from gigawatt.report import render_report

VOID = frozenset({"br", "col", "hr", "img", "meta", "wbr"})


@dataclass
class Node:
    """An element: its tag, its attributes, its children, and all text below it."""

    tag: str
    attributes: dict[str, str]
    children: list[Node] = field(default_factory=list)
    text: str = ""

    def all(self, tag: str = "", class_: str = "") -> list[Node]:
        """Every element below with that tag and class, in the order of the page."""
        found = []
        for child in self.children:
            fits = not class_ or class_ in child.attributes.get("class", "").split()
            if fits and tag in ("", child.tag):
                found.append(child)
            found += child.all(tag, class_)
        return found

    def number(self, name: str) -> float:
        """An attribute that is a number."""
        return float(self.attributes[name])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for node in self.open:
            node.text += data


def read_page(html: str) -> Node:
    """The page as a tree; fails where a tag is left open or closed out of turn."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert len(reader.open) == 1
    return reader.root


@pytest.fixture(scope="session")
def plan(example: ModuleType) -> Blueprint:
    return example.blueprint()


@pytest.fixture(scope="session")
def html(plan: Blueprint) -> str:
    return render_report(plan)


@pytest.fixture(scope="session")
def page(html: str) -> Node:
    return read_page(html)


@pytest.fixture(scope="session")
def read() -> type:
    """`read_page`, for tests that render pages of their own."""
    return read_page  # type: ignore[return-value]
