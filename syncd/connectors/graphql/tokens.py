"""The words of a GraphQL document, each with its place. Protocol: the GraphQL specification, section 2.1."""

import re
from dataclasses import dataclass
from typing import Never

_WORD = re.compile(
    r"""(?P<skip>[\s,\ufeff]+|\#[^\n\r]*)
    |(?P<name>[_A-Za-z][_0-9A-Za-z]*)
    |(?P<text>\"\"\"(?:\\\"\"\"|(?!\"\"\").)*\"\"\"|"(?!"")(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]+\})|[^"\\\n\r])*"|"")
    |(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9._A-Za-z]))
    |(?P<mark>\.\.\.|[!$&():=@\[\]{|}])""",
    re.VERBOSE | re.DOTALL,
)


class DocumentError(ValueError):
    """A document is not what it has to be; the text says where and what."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word. ``kind``: name, text, number, mark, or end. ``at`` counts characters from the beginning."""

    kind: str
    text: str
    line: int
    column: int
    at: int

    def wrong(self, what: str) -> DocumentError:
        """Return what is wrong here, with the place."""
        return DocumentError(f"line {self.line}, column {self.column} of it: {what}")


class Tokens:
    """The words of a document, read from its beginning to its end. Raises DocumentError at what is no word."""

    def __init__(self, text: str) -> None:
        self._words = _split(text)
        self._place = 0

    @property
    def peek(self) -> Token:
        """Return the next word without going on."""
        return self._words[self._place]

    @property
    def ended(self) -> bool:
        """Return whether all was read."""
        return self.peek.kind == "end"

    def next(self) -> Token:
        """Return the next word and go on; raises DocumentError at the end."""
        found = self.peek
        if found.kind == "end":
            raise found.wrong("it ends too early: a bracket is not closed")
        self._place += 1
        return found

    def skip(self, text: str) -> bool:
        """Go on if the next word is this one, and return whether it was."""
        if self.peek.text != text or self.peek.kind == "text":
            return False
        self._place += 1
        return True

    def need(self, text: str) -> Token:
        """Return the next word, which has to be this one."""
        found = self.peek
        if not self.skip(text):
            self._expected(text)
        return found

    def name(self, what: str) -> Token:
        """Return the next word, which has to be a name."""
        if self.peek.kind != "name":
            self._expected(what)
        return self.next()

    def _expected(self, what: str) -> Never:
        found = self.peek
        there = "the end" if found.kind == "end" else found.text[:20]
        raise found.wrong(f"{what} is expected, not {there}")


def _split(text: str) -> list[Token]:
    found, at, line, start = [], 0, 1, 0
    while at < len(text):
        word = _WORD.match(text, at)
        if word is None:
            raise Token("mark", text[at], line, at - start + 1, at).wrong(f"{text[at]!r} has no meaning here")
        kind, said = str(word.lastgroup), word[0]
        if kind != "skip":
            found.append(Token(kind, said, line, at - start + 1, at))
        if "\n" in said:
            line, start = line + said.count("\n"), at + said.rindex("\n") + 1
        at = word.end()
    return [*found, Token("end", "", line, at - start + 1, at)]
