"""A pattern turned into a table while it is used: from each state by each character to the next, so a text costs its length.

The states of a pattern can be very many; what was worked out is forgotten when it grows too large, and a text for which it
would have to be worked out again and again is given up (``TooMuch``) before anybody waits for it.
"""

from collections.abc import Iterable

from syncd.core.pattern import NotAPattern, Pattern, parse_pattern

MAX_PLACES = 1000  # of a pattern, repeats written out
MAX_REPEAT = 999
MAX_KNOWN = 20_000  # ways from state to state that are remembered
MAX_WALKED = 1_000_000  # places walked for one text: about a second
PART = 4096  # characters between two looks at whether it is over

__all__ = ["Automaton", "NotAPattern", "TooMuch"]


class TooMuch(ValueError):  # noqa: N818 - what it is
    """A text needs more steps than anybody should wait for."""


class Stand(dict[str, "Stand"]):
    """Where the search stands: the next stand by character, worked out when it is asked for.

    ``over``: nothing that follows changes the answer. ``good``: found, if the text ends here.
    """

    __slots__ = ("good", "home", "over", "places")

    def __init__(self, home: "Automaton", places: frozenset[int], *, good: bool, over: bool) -> None:
        super().__init__()
        self.home, self.places, self.good, self.over = home, places, good, over

    def __missing__(self, char: str) -> "Stand":
        """Work out and remember where a character leads."""
        found = self[char] = self.home.step(self, char)
        return found


class Automaton:
    """A pattern that can be looked for in texts of any length. Raises NotAPattern for what is none."""

    def __init__(self, text: str) -> None:
        self.pattern: Pattern = parse_pattern(text, most_places=MAX_PLACES, most_repeat=MAX_REPEAT)
        self.walked = 0
        self.forget()

    def forget(self) -> None:
        """Begin with an empty table."""
        self.stands: dict[frozenset[int], Stand] = {}
        self.known = 0
        self.first = self.stand((self.pattern.begin,), at_start=True)

    def found(self, text: str) -> bool:
        """Return whether the pattern is found anywhere in a text, unless it has anchors. Raises TooMuch."""
        stand, self.walked = self.first, 0
        for begin in range(0, len(text), PART):
            for char in text[begin : begin + PART]:
                stand = stand[char]
            if stand.over:
                break
        return stand.good

    def step(self, stand: Stand, char: str) -> Stand:
        """Return where a character leads."""
        if stand.over:
            return stand
        if self.known > MAX_KNOWN:
            self.forget()
        self.known += 1
        places = self.pattern.places
        ahead = [places[n].then[0] for n in stand.places if (test := places[n].test) is not None and test(char)]
        return self.stand((*ahead, self.pattern.begin), at_start=False)

    def stand(self, begin: Iterable[int], *, at_start: bool) -> Stand:
        """Return the stand that comes of some places without reading a character."""
        waiting, good = self.reach(begin, at_start=at_start, at_end=False)
        if good:
            return self.of(frozenset((-1,)), good=True, over=True)
        places = frozenset(waiting)
        _, good = self.reach(begin, at_start=at_start, at_end=True)
        key = places | {-2} if good else places
        known = self.stands.get(key)
        over = not key and not at_start and not self.begins
        return self.of(key, good=good, over=over) if known is None else known

    def of(self, key: frozenset[int], *, good: bool, over: bool) -> Stand:
        """Make and remember a stand."""
        found = self.stands[key] = Stand(self, frozenset(n for n in key if n >= 0), good=good, over=over)
        return found

    @property
    def begins(self) -> bool:
        """Return whether something can still begin behind the first character, or be found at the very end."""
        waiting, good = self.reach((self.pattern.begin,), at_start=False, at_end=True)
        return bool(waiting) or good

    def reach(self, begin: Iterable[int], *, at_start: bool, at_end: bool) -> tuple[set[int], bool]:
        """Return the places that wait for a character, and whether the match is reached."""
        waiting, seen, stack = set[int](), set[int](), list(begin)
        while stack:
            n = stack.pop()
            if n in seen:
                continue
            seen.add(n)
            place = self.pattern.places[n]
            if place.sort == "match":
                return waiting, True
            if place.sort == "one":
                waiting.add(n)
            elif place.sort == "split" or (place.sort == "start" and at_start) or (place.sort == "end" and at_end):
                stack.extend(place.then)
        self.walked += len(seen)
        if self.walked > MAX_WALKED:
            raise TooMuch(f"{self.pattern.text} needs too many steps for this text")
        return waiting, False
