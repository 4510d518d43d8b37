"""Regular expressions in linear time, for ``matches``: a small language without what makes a search explode.

Known are characters, ``.``, classes ``[a-z]``, ``\\d \\w \\s`` and their opposites, groups, ``|``, ``? * + {2,5}``, ``^``
and ``$``. There is no looking ahead or back and no back-reference. A pattern is kept as a set of places that are all
walked at once, so a text costs its length times the places, however it is written.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MAX_PLACES = 300  # of a pattern, repeats written out
MAX_REPEAT = 100
MAX_NESTED = 20

Test = Callable[[str], bool]
DIGITS = frozenset("0123456789")
SHORT: dict[str, Test] = {
    "d": DIGITS.__contains__,
    "D": lambda c: c not in DIGITS,
    "w": lambda c: c.isalnum() or c == "_",
    "W": lambda c: not (c.isalnum() or c == "_"),
    "s": str.isspace,
    "S": lambda c: not c.isspace(),
}
SIGNS = {"n": "\n", "t": "\t", "r": "\r"}
SIMPLE_REPEATS: dict[str, tuple[int, int | None]] = {"?": (0, 1), "*": (0, None), "+": (1, None)}
REPEAT = re.compile(r"\{([0-9]{1,3})(?:(,)([0-9]{0,3}))?\}")


class NotAPattern(ValueError):  # noqa: N818 - what is wrong with a text
    """A text is no pattern of this language; the message says why."""


@dataclass(slots=True)
class Place:
    """A place in a pattern. ``sort``: one (a character that passes the test), start, end, split, match."""

    sort: str
    test: Test | None = None
    then: tuple[int, ...] = ()


@dataclass(slots=True)
class Pattern:
    """A compiled pattern."""

    text: str
    places: list[Place] = field(default_factory=list)
    begin: int = 0

    def found(self, text: str, spend: Callable[[int], None]) -> bool:
        """Return whether it is found anywhere in a text, unless it has anchors. ``spend`` is told of each place walked."""
        alive = self.reach((self.begin,), 0, len(text))
        for at, char in enumerate(text):
            if alive is None:
                return True
            ahead = [p.then[0] for p in (self.places[n] for n in alive) if p.test and p.test(char)]
            spend(1 + 3 * (len(ahead) + len(alive)) // 2)
            alive = self.reach((*ahead, self.begin), at + 1, len(text))
        return alive is None

    def reach(self, begin: tuple[int, ...], at: int, end: int) -> set[int] | None:
        """Return the places that wait for a character, from some places without reading; None if the match is reached."""
        waiting: set[int] = set()
        seen: set[int] = set()
        stack = list(begin)
        while stack:
            n = stack.pop()
            if n in seen:
                continue
            seen.add(n)
            place = self.places[n]
            if place.sort == "match":
                return None
            if place.sort == "one":
                waiting.add(n)
            elif place.sort == "split" or (place.sort == "start" and at == 0) or (place.sort == "end" and at == end):
                stack.extend(place.then)
        return waiting


Tree = tuple[Any, ...]  # ("one", test) ("start",) ("end",) ("seq", [..]) ("alt", [..]) ("repeat", tree, least, most or None)


class Reader:
    """Reads the text of a pattern into a tree; raises NotAPattern."""

    def __init__(self, text: str, most_repeat: int = MAX_REPEAT) -> None:
        self.text, self.at, self.deep = text, 0, 0
        self.most_repeat = most_repeat

    def peek(self) -> str:
        """Return the next character, or nothing at the end."""
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        """Return the next character and go on; raises at the end."""
        if self.at >= len(self.text):
            raise NotAPattern("it ends too early")
        self.at += 1
        return self.text[self.at - 1]

    def whole(self) -> Tree:
        """Read everything."""
        tree = self.choice()
        if self.at < len(self.text):
            raise NotAPattern('a ")" closes nothing')
        return tree

    def choice(self) -> Tree:
        """Read alternatives."""
        ways = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            ways.append(self.sequence())
        return ways[0] if len(ways) == 1 else ("alt", ways)

    def sequence(self) -> Tree:
        """Read what follows one another."""
        parts: list[Tree] = []
        while self.peek() and self.peek() not in "|)":
            parts.append(self.repeated(self.one()))
        return ("seq", parts)

    def repeated(self, tree: Tree) -> Tree:
        """Read how often."""
        sign = self.peek()
        least: int
        most: int | None
        if sign and sign in "?*+":
            self.at += 1
            least, most = SIMPLE_REPEATS[sign]
        elif found := REPEAT.match(self.text, self.at):
            self.at = found.end()
            least = int(found[1])
            unbounded = bool(found[2]) and not found[3]
            most = None if unbounded else int(found[3] or found[1])
            if max(least, most or 0) > self.most_repeat or (most is not None and most < least):
                raise NotAPattern(f"{found[0]} is no count from 0 to {self.most_repeat}")
        else:
            return tree
        if tree[0] in ("start", "end"):
            raise NotAPattern("an anchor cannot be repeated")
        follows = self.peek()
        if follows and (follows in "?*+" or REPEAT.match(self.text, self.at)):
            raise NotAPattern(f'"{follows}" repeats a repeat')
        return ("repeat", tree, least, most)

    def one(self) -> Tree:
        """Read a character, a class, an anchor or a group."""
        char = self.take()
        if char == "(":
            return self.group()
        if char == "[":
            return ("one", self.klass())
        if char == "^":
            return ("start",)
        if char == "$":
            return ("end",)
        if char == ".":
            return ("one", lambda c: c != "\n")
        if char == "\\":
            return ("one", self.escaped())
        if char in "*+?{}]":
            raise NotAPattern(f'"{char}" has nothing before it: write \\{char} for the character')
        return ("one", char.__eq__)

    def group(self) -> Tree:
        """Read a group; raises for what looks ahead or back."""
        if self.text.startswith("?:", self.at):
            self.at += 2
        elif self.peek() == "?":
            raise NotAPattern("(?...) is not known, but for (?:...)")
        self.deep += 1
        if self.deep > MAX_NESTED:
            raise NotAPattern("groups are nested too deep")
        tree = self.choice()
        self.deep -= 1
        if self.peek() != ")":
            raise NotAPattern('a "(" is not closed')
        self.at += 1
        return tree

    def escaped(self) -> Test:
        """Read what stands behind a backslash."""
        char = self.take()
        if char in SHORT:
            return SHORT[char]
        if char in SIGNS:
            return SIGNS[char].__eq__
        if char.isalnum():
            raise NotAPattern(f"\\{char} is not known")
        return char.__eq__

    def klass(self) -> Test:
        """Read a class; its opening bracket is read already."""
        opposite = self.peek() == "^"
        self.at += opposite
        tests: list[Test] = []
        first = True
        while first or self.peek() != "]":
            first = False
            low, test = self.member()
            if low and self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                high, _ = self.member()
                if not high or high < low:
                    raise NotAPattern(f"{low}-{high} is no range of characters")
                test = between(low, high)
            tests.append(test)
        self.at += 1
        return none_of(tests) if opposite else one_of(tests)

    def member(self) -> tuple[str, Test]:
        """Read a member of a class: the character, or nothing for several, and its test."""
        char = self.take()
        if char != "\\":
            return char, char.__eq__
        behind = self.peek()
        return SIGNS.get(behind, "" if behind in SHORT else behind), self.escaped()


def between(low: str, high: str) -> Test:
    """Return the test of a range."""
    return lambda char: low <= char <= high


def one_of(tests: list[Test]) -> Test:
    """Return the test that one of some holds."""
    return tests[0] if len(tests) == 1 else lambda char: any(test(char) for test in tests)


def none_of(tests: list[Test]) -> Test:
    """Return the test that none of some holds."""
    return lambda char: not any(test(char) for test in tests)


class Builder:
    """Lays a tree out as places, from its end to its beginning."""

    def __init__(self, places: list[Place], most: int = MAX_PLACES) -> None:
        self.places = places
        self.most = most

    def put(self, place: Place) -> int:
        """Add a place; return its number."""
        if len(self.places) >= self.most:
            raise NotAPattern(f"written out it has more than {self.most} characters")
        self.places.append(place)
        return len(self.places) - 1

    def lay(self, tree: Tree, then: int) -> int:
        """Lay out a tree before the place ``then``; return where it begins."""
        sort = tree[0]
        if sort == "seq":
            for part in reversed(tree[1]):
                then = self.lay(part, then)
            return then
        if sort == "alt":
            return self.put(Place("split", then=tuple(self.lay(way, then) for way in tree[1])))
        if sort == "repeat":
            return self.repeat(tree[1], tree[2], tree[3], then)
        return self.put(Place(sort, tree[1] if sort == "one" else None, (then,)))

    def repeat(self, tree: Tree, least: int, most: int | None, then: int) -> int:
        """Lay out a repeat: written out as often as it must be, the rest as ways past it."""
        after = then
        if most is None:
            loop = self.put(Place("split"))
            self.places[loop].then = (self.lay(tree, loop), after)
            then = loop
        else:
            for _ in range(most - least):
                then = self.put(Place("split", then=(self.lay(tree, then), after)))
        for _ in range(least):
            then = self.lay(tree, then)
        return then


def parse_pattern(text: str, *, most_places: int = MAX_PLACES, most_repeat: int = MAX_REPEAT) -> Pattern:
    """Return the compiled pattern; raises NotAPattern."""
    tree = Reader(text, most_repeat).whole()
    pattern = Pattern(text)
    builder = Builder(pattern.places, most_places)
    pattern.begin = builder.lay(tree, builder.put(Place("match")))
    return pattern
