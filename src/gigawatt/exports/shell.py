"""Shell scripts, read as far as a launch needs it: assignments, arrays, quotes, expansions, continuations.

Nothing is run. Every character remembers where it was written, so that a flag that reaches the launch command
through three variables is still reported at the line where it stands.
"""

from __future__ import annotations

import ast
import operator
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from gigawatt.errors import InputError, Problem

Chars = list[tuple[str, int]]
"""A piece of the script: each character with its offset in the file."""

_FLOW = frozenset("if while until for case".split())
_KEYWORDS = _FLOW | frozenset(
    "then else elif fi do done esac { } ! export local declare readonly eval".split()
)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+?)=", re.DOTALL)
_EXPANSION = re.compile(r"([A-Za-z_]\w*|[0-9@*#?])(\[[@*]\])?(?::?([-=])(.*))?", re.DOTALL)
_REDIRECTION = re.compile(r"\d?[<>]{1,2}(&\d)?")
_NAME = re.compile(r"\$?\{?([A-Za-z_]\w*)\}?")
_HEREDOC = re.compile(r"<<-?[ \t]*(['\"]?)(\w+)\1(?P<body>.*?\n[ \t]*\2[ \t]*$)", re.DOTALL | re.MULTILINE)
_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.floordiv,
    ast.Mod: operator.mod,
}


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command after expansion, and where it stands in the file."""

    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Script:
    """Commands in order, the variables as the last assignment leaves them, and what could not be followed."""

    commands: tuple[tuple[Word, ...], ...]
    variables: dict[str, str]
    notes: tuple[str, ...]


def read_script(text: str, file: str) -> Script:
    """Commands of a shell script with every variable replaced by its value.

    A variable that the script does not set stays as it is written (`$TP`). Conditions and loops are not
    followed: all branches are read in order and the last assignment counts, which the notes then say.
    Raises InputError for a quote or bracket that is never closed.
    """
    text = text.replace("\r\n", "\n")
    source = _HEREDOC.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)
    reader = _Reader(text, file)
    chars = list(zip(source, range(len(source)), strict=True))
    for statement in reader.statements(chars):
        reader.run(statement)
    variables = {name: _text(chars) for name, chars in reader.scalars.items()}
    return Script(tuple(reader.commands), variables, tuple(reader.notes))


def _text(chars: Sequence[tuple[str, int]]) -> str:
    return "".join(char for char, _ in chars)


def _end_of_line(chars: Chars, index: int) -> int:
    """Index of the last character before the line ends."""
    return next((end for end in range(index, len(chars) - 1) if chars[end + 1][0] == "\n"), len(chars) - 1)


def _separates(char: str, before: str) -> bool:
    """Whether an unquoted character ends a word: not the bracket of `A=(`, nor the ampersand of `2>&1`."""
    return char.isspace() or (char in ";|&()" and (before, char) not in {("=", "("), (">", "&")})


def _without_redirections(raw: list[Chars]) -> list[Chars]:
    kept: list[Chars] = []
    words = iter(raw)
    for word in words:
        found = _REDIRECTION.match(_text(word))
        if not found:
            kept.append(word)
        elif found.end() == len(word) and not word[-1][0].isdigit():
            next(words, None)
    return kept


def _fields(chars: Chars) -> list[Chars]:
    """Split at white space."""
    fields: list[Chars] = [[]]
    for char in chars:
        if char[0].isspace():
            fields.append([])
        else:
            fields[-1].append(char)
    return [field for field in fields if field]


def _whole_number(node: ast.expr) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_whole_number(node.left), _whole_number(node.right))
    raise ValueError("not whole-number arithmetic")


@dataclass
class _Reader:
    source: str
    file: str
    scalars: dict[str, Chars] = field(default_factory=dict)
    arrays: dict[str, list[Chars]] = field(default_factory=dict)
    commands: list[tuple[Word, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lines = [0, *(found.end() for found in re.finditer("\n", self.source))]

    def place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.lines, offset)
        return line, offset - self.lines[line - 1] + 1

    def end_of(self, chars: Chars, start: int, close: str) -> int:
        """Index of the quote or bracket that closes the one at `start`."""
        opening, depth, index = chars[start][0], 0, start
        while index < len(chars):
            char = chars[index][0]
            if char == "\\" and close != "'":
                index += 1
            elif char == close and (index > start or opening != close):
                depth -= 1
                if depth <= 0:
                    return index
            elif char == opening and opening != close:
                depth += 1
            elif char == "#" and close == ")" and chars[index - 1][0].isspace():
                index = _end_of_line(chars, index)
            elif char in "'\"" and opening != close and not (char == "'" and close == "}"):
                index = self.end_of(chars, index, char)
            elif opening == '"' and _text(chars[index : index + 2]) in {"$(", "${"}:
                index = self.end_of(chars, index + 1, ")" if chars[index + 1][0] == "(" else "}")
            index += 1
        line, column = self.place(chars[start][1])
        raise InputError(Problem(f"`{opening}` is never closed", file=self.file, line=line, column=column))

    def statements(self, chars: Chars) -> Iterator[list[Chars]]:
        """Raw words (quotes and expansions still in them), command by command."""
        words: list[Chars] = []
        word: Chars = []
        index = 0
        while index < len(chars):
            char = chars[index][0]
            follower = chars[index + 1][0] if index + 1 < len(chars) else ""
            end = index
            if char == "\\":
                end = index + 1
                if follower != "\n":
                    word += chars[index : end + 1]
            elif char == "#" and not word:
                end = _end_of_line(chars, index)
            elif _separates(char, word[-1][0] if word else ""):
                words, word = [*words, *([word] if word else [])], []
                if char not in " \t" and words:
                    yield words
                    words = []
            else:
                end = self._end_of_piece(chars, index, follower)
                word += chars[index : end + 1]
            index = end + 1
        if words or word:
            yield [*words, *([word] if word else [])]

    def _end_of_piece(self, chars: Chars, index: int, follower: str) -> int:
        char = chars[index][0]
        if char in "'\"`":
            return self.end_of(chars, index, char)
        if char == "$" and follower and follower in "({":
            return self.end_of(chars, index + 1, ")" if follower == "(" else "}")
        return self.end_of(chars, index, ")") if char == "(" else index

    def run(self, raw: list[Chars]) -> None:
        """Take one statement in: its assignments, then its command."""
        while raw and _text(raw[0]) in _KEYWORDS:
            if _text(raw[0]) in _FLOW:
                self._note_flow(raw[0][0][1])
            raw = raw[1:]
        while raw and (found := _ASSIGNMENT.match(_text(raw[0]))):
            self._assign(found.group(1), bool(found.group(2)), raw[0][found.end() :])
            raw = raw[1:]
        expanded = [word for piece in _without_redirections(raw) for word in self.expand(piece)]
        words = [part for word in expanded for part in (_fields(word) if " --" in _text(word) else [word])]
        kept = [word for word in words if word and _text(word) != "\\"]
        command = tuple(Word(_text(word), *self.place(word[0][1])) for word in kept)
        if command:
            self.commands.append(command)

    def _note_flow(self, offset: int) -> None:
        if not self.notes:
            what = "conditions and loops are not followed; the last assignment of a variable counts"
            self.notes.append(f"line {self.place(offset)[0]}: {what}")

    def _assign(self, name: str, append: bool, raw: Chars) -> None:
        if raw and raw[0][0] == "(":
            inner = [word for statement in self.statements(raw[1:-1]) for word in statement]
            items = [word for piece in inner for word in self.expand(piece)]
            self.arrays[name] = [*(self.arrays.get(name, []) if append else []), *items]
            return
        value = [char for word in self.expand(raw, split=False) for char in word]
        self.scalars[name] = [*(self.scalars.get(name, []) if append else []), *value]

    def expand(self, raw: Chars, split: bool = True) -> list[Chars]:
        """The words that a raw word stands for."""
        words: list[Chars] = [[]]
        index = 0
        while index < len(raw):
            char = raw[index][0]
            end = index
            if char == "'":
                end = self.end_of(raw, index, "'")
                words[-1] += raw[index + 1 : end]
            elif char == '"':
                end = self.end_of(raw, index, '"')
                words = _joined(words, self._quoted(raw[index + 1 : end]))
            elif char == "\\":
                end = index + 1
                words[-1] += raw[end : end + 1]
            elif char == "$":
                pieces, end = self._variable(raw, index)
                parts = [part for piece in pieces for part in _fields(piece)] if split else pieces
                words = _joined(words, parts)
            else:
                words[-1].append(raw[index])
            index = end + 1
        return [word for word in words if word]

    def _quoted(self, raw: Chars) -> list[Chars]:
        """Double quotes: expansions, no splitting (an array still gives its words)."""
        words: list[Chars] = [[]]
        index = 0
        while index < len(raw):
            end = index
            if raw[index][0] == "\\":
                end = index + 1
                if end < len(raw) and raw[end][0] != "\n":
                    words[-1].append(raw[end])
            elif raw[index][0] == "$":
                pieces, end = self._variable(raw, index)
                words = _joined(words, pieces)
            else:
                words[-1].append(raw[index])
            index = end + 1
        return words

    def _variable(self, raw: Chars, start: int) -> tuple[list[Chars], int]:
        """What the `$...` at `start` stands for, and the index of its last character."""
        rest = _text(raw[start + 1 :])
        if rest.startswith("("):
            end = self.end_of(raw, start + 1, ")")
            written = raw[start : end + 1]
            return [self._arithmetic(written) if rest.startswith("((") else _unsplit(written)], end
        if rest.startswith("{"):
            end = self.end_of(raw, start + 1, "}")
            return self._parameter(raw[start : end + 1], raw[start + 2 : end]), end
        found = re.match(r"[A-Za-z_]\w*|[0-9@*#?]", rest)
        end = start + (found.end() if found else 0)
        return self._parameter(raw[start : end + 1], raw[start + 1 : end + 1]), end

    def _parameter(self, written: Chars, inner: Chars) -> list[Chars]:
        """`NAME`, `NAME[@]`, `NAME:-default`; anything else stays as written."""
        found = _EXPANSION.fullmatch(_text(inner))
        if not found:
            return [_unsplit(written)]
        name, index, form, _ = found.groups()
        if index and name in self.arrays:
            return self.arrays[name]
        if name in self.scalars:
            return [self.scalars[name]]
        if name in "@*":
            return []
        if form is None:
            return [written]
        value = [char for word in self.expand(inner[found.start(4) :], split=False) for char in word]
        if form == "=":
            self.scalars[name] = value
        return [value]

    def _arithmetic(self, written: Chars) -> Chars:
        sum_text = _NAME.sub(lambda found: self._number_text(found.group(1)), _text(written[3:-2]))
        try:
            value = str(_whole_number(ast.parse(sum_text.strip(), mode="eval").body))
        except (SyntaxError, ValueError, ZeroDivisionError):
            return _unsplit(written)
        return [(char, written[0][1]) for char in value]

    def _number_text(self, name: str) -> str:
        return _text(self.scalars[name]) if name in self.scalars else name


def _unsplit(written: Chars) -> Chars:
    """An expansion that cannot be followed, kept as one word."""
    return [char for char in written if not char[0].isspace()]


def _joined(words: list[Chars], pieces: list[Chars]) -> list[Chars]:
    """`a"$B"c`: the first piece continues the last word, the last one is continued by what follows."""
    if not pieces:
        return words
    return [*words[:-1], words[-1] + pieces[0], *(list(piece) for piece in pieces[1:])]
