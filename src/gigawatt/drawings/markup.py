"""HTML and SVG elements as text, escaped by construction.

`element` escapes every child that is not already `Markup`, so text from a model's name or a file can
never become a tag: there is no way to forget.
"""

from __future__ import annotations

from html import escape

_VOID = frozenset({"br", "col", "hr", "img", "meta", "wbr"})


class Markup(str):
    """Text that is already HTML or SVG."""

    __slots__ = ()


def join(parts: list[Markup] | tuple[Markup, ...], separator: str = "") -> Markup:
    """Several pieces one after the other."""
    return Markup(separator.join(parts))


def number(value: float) -> str:
    """A coordinate: two decimals at most, no negative zero, the same text on every machine."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _attribute(name: str, value: object) -> str:
    shown = number(value) if isinstance(value, float) else str(value)
    return f' {name.rstrip("_").replace("_", "-")}="{escape(shown, quote=True)}"'


def element(tag: str, *children: str, **attributes: object) -> Markup:
    """`<tag attribute="...">children</tag>`.

    Attribute names lose a trailing underscore (`class_`) and turn inner ones into hyphens
    (`aria_label`); an attribute that is None or False is left out, True stands for itself.
    """
    opened = "".join(
        _attribute(name, "" if value is True else value)
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    if tag in _VOID:
        return Markup(f"<{tag}{opened}>")
    inner = "".join(child if isinstance(child, Markup) else escape(child) for child in children)
    return Markup(f"<{tag}{opened}>{inner}</{tag}>")
