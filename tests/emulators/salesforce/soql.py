"""A part of SOQL: SELECT of fields and parents' fields, COUNT(), WHERE, ORDER BY, LIMIT, OFFSET.

As Salesforce does it: texts compare without case, ids by 15 characters, AND and OR need parentheses to stand together, a
date and time stands without quotes. What is not understood is MALFORMED_QUERY, an unknown field INVALID_FIELD.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.salesforce.values import Refused

TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<time>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d))|(?P<date>\d{4}-\d\d-\d\d)
    |(?P<number>[+-]?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][\w.]*)|(?P<sign><=|>=|!=|<>|[=<>(),]))""",
    re.VERBOSE,
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
Test = Callable[[Any], bool]


@dataclass
class Literal:
    """A value written in a query: ``kind`` is text, time, date, number or word (TRUE, FALSE, NULL)."""

    kind: str
    text: str
    pattern: str = ""  # a text as LIKE understands it


@dataclass
class Condition:
    """One comparison."""

    path: str
    sign: str
    values: list[Literal]


@dataclass
class Tree:
    """AND, OR or NOT of what is below."""

    word: str
    parts: list["Tree | Condition"]


@dataclass
class Query:
    """One query as read."""

    fields: list[str]
    source: str
    where: Tree | Condition | None = None
    order: list[tuple[str, bool, bool]] = field(default_factory=list)  # path, descending, nulls last
    limit: int | None = None
    offset: int = 0
    every: bool = False  # ALL ROWS


def malformed(text: str) -> Refused:
    """Return the error of a query that cannot be read."""
    return Refused("MALFORMED_QUERY", f"unexpected token: {text}")


class Reader:
    """Reads one query, token by token."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at, text = 0, text.strip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if not found or found.end() == at:
                raise malformed(text[at : at + 20])
            self.tokens.append((found.lastgroup or "", found[found.lastgroup or 0]))
            at = found.end()
        self.at = 0

    def query(self) -> Query:
        """Return the query; raises Refused."""
        self.expect("SELECT")
        fields = self.fields()
        self.expect("FROM")
        query = Query(fields, self.word())
        if self.take("WHERE"):
            query.where = self.tree()
        self.ending(query)
        if self.at < len(self.tokens):
            raise malformed(self.tokens[self.at][1])
        return query

    def fields(self) -> list[str]:
        names = [self.selected()]
        while self.take(","):
            names.append(self.selected())
        return names

    def selected(self) -> str:
        name = self.word()
        if name.upper() not in {"COUNT", "FIELDS"} or not self.take("("):
            return name
        inside = "" if self.peek() == ")" else self.word()
        self.expect(")")
        return f"{name.upper()}({inside.upper()})"

    def ending(self, query: Query) -> None:
        if self.take("ORDER"):
            self.expect("BY")
            query.order.append(self.ordering())
            while self.take(","):
                query.order.append(self.ordering())
        if self.take("LIMIT"):
            query.limit = self.count()
        if self.take("OFFSET"):
            query.offset = self.count()
        if self.take("ALL"):
            self.expect("ROWS")
            query.every = True

    def ordering(self) -> tuple[str, bool, bool]:
        path = self.word()
        down = self.take("DESC")
        if not down:
            self.take("ASC")
        last = False
        if self.take("NULLS"):
            last = self.take("LAST")
            if not last:
                self.expect("FIRST")
        return path, down, last

    def count(self) -> int:
        kind, text = self.next()
        if kind != "number" or not text.isdecimal():
            raise malformed(text)
        return int(text)

    def tree(self) -> Tree | Condition:
        parts = [self.part()]
        word = self.peek().upper()
        if word not in {"AND", "OR"}:
            return parts[0]
        while self.take(word):
            parts.append(self.part())
        if self.peek().upper() in {"AND", "OR"}:
            raise malformed(self.peek())  # the two do not stand together without parentheses
        return Tree(word, parts)

    def part(self) -> Tree | Condition:
        if self.take("NOT"):
            return Tree("NOT", [self.part()])
        if self.take("("):
            inside = self.tree()
            self.expect(")")
            return inside
        return self.condition()

    def condition(self) -> Condition:
        path = self.word()
        kind, sign = self.next()
        sign = sign.upper()
        if sign == "NOT":
            self.expect("IN")
            return Condition(path, "NOT IN", self.several())
        if sign == "IN":
            return Condition(path, "IN", self.several())
        if sign == "LIKE" or kind == "sign":
            return Condition(path, "!=" if sign == "<>" else sign, [self.literal()])
        raise malformed(sign)

    def several(self) -> list[Literal]:
        self.expect("(")
        values = [self.literal()]
        while self.take(","):
            values.append(self.literal())
        self.expect(")")
        return values

    def literal(self) -> Literal:
        kind, text = self.next()
        if kind == "text":
            return Literal(kind, unescaped(text[1:-1]), pattern_of(text[1:-1]))
        if kind == "word" and text.upper() not in {"TRUE", "FALSE", "NULL"}:
            raise Refused("INVALID_FIELD", f"Bind variables only allowed in Apex code: {text}")
        if kind == "sign":
            raise malformed(text)
        return Literal(kind, text.upper())

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise malformed("<EOF>")
        self.at += 1
        return self.tokens[self.at - 1]

    def take(self, text: str) -> bool:
        found = self.peek().upper() == text and self.tokens[self.at][0] in {"word", "sign"}
        self.at += found
        return found

    def expect(self, text: str) -> None:
        if not self.take(text):
            raise malformed(self.peek() or "<EOF>")

    def word(self) -> str:
        kind, text = self.next()
        if kind != "word":
            raise malformed(text)
        return text


def unescaped(text: str) -> str:
    """Return a text without its backslashes."""
    return re.sub(r"\\u([0-9a-fA-F]{4})|\\(.)", _plain, text, flags=re.DOTALL)


def _plain(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    if found[2] in ESCAPES:
        return ESCAPES[found[2]]
    if found[2] not in {"'", '"', "\\", "_", "%"}:
        raise Refused("MALFORMED_QUERY", f"Illegal string escape: \\{found[2]}")
    return found[2]


def pattern_of(text: str) -> str:
    """Return a regular expression for a text of LIKE: ``%`` is anything, ``_`` one character, unless escaped."""
    parts = re.findall(r"\\u[0-9a-fA-F]{4}|\\.|.", text, flags=re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return "".join(wild.get(part) or re.escape(unescaped(part)) for part in parts)
