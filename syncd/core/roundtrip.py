"""Does a value come back as it was written? Tried on values that a field can have, which are the same each time.

What golden can hold is what its sources can say: a value goes through a source's own pipelines first, so that a platform
which only ever gives upper case is not asked for lower case.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from syncd.core.model import Native, Value
from syncd.core.native import Invalid, NoWord, shown, text_form
from syncd.core.rules import Check, Equality, FieldMap, FieldType, Transform

TEXTS = (
    *("Mug", "MUG-1", "mug", "Blue mug", "0", "7", "123", "00123", "0012345678901234567890", "12.50", "-3", "1.234,56"),
    *("Straße", "A-1/b_2", "x@y.example", "a;b", "a,b", "a|b", "true", "2026-01-31", "31.01.2026", "+4930901820", "<p>a</p>"),
    *("1" * n for n in range(1, 21)),
    *("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:n] for n in range(1, 27)),
    *("abcdefghijklmnopqrstuvwxyz"[:n] for n in range(1, 27)),
)
HTML = (
    *("<p>a</p>", "<h2>Title</h2><p>a <strong>b <em>c</em></strong> d</p>", "<p>1 &lt; 2</p>", "<p>one<br>two</p>"),
    *("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "<ol><li>a</li></ol>", "<blockquote>said</blockquote>"),
    '<p><a href="https://x.example/?a=1">link</a></p>',
)
NUMBERS = ("0", "1", "-1", "7", "12.5", "0.01", "-3.1", "99.99", "100", "1234.56", "12345", "1000000", "1234567.89", "0.125")
DATES = ("2026-01-31", "1999-12-31", "2000-02-29", "1931-05-04", "2068-12-01")
MOMENTS = ("2026-01-31T10:00:00Z", "2026-03-29T01:30:00Z", "1999-12-31T23:59:59.123456Z", "2026-06-30T22:15:30Z")
PHONES = ("+4930901820", "+442079460958", "+12015550123", "+390669883462")
SETS: tuple[list[str], ...] = (["a"], ["a", "b"], ["blue mug", "sale"], ["A", "b", "c-1"], ["1,5"])
BY_TYPE: dict[str, tuple[Native, ...]] = {
    "html": HTML,
    "email": ("mug@shop.example", "Jo.Doe+x@y.example"),
    "url": ("https://shop.example/a?b=c", "http://x.example"),
    "phone": PHONES,
    "boolean": (True, False),
    "date": DATES,
    "datetime": MOMENTS,
    "set(string)": SETS,
    "json": ({"a": 1}, [1, "x"], "text", 5),
}


@dataclass(frozen=True, slots=True)
class Loss:
    """A value that does not come back: as golden has it, as it was written, as it was read (or why it could not be)."""

    value: Value
    written: Native
    read: Value
    why: str = ""

    @property
    def text(self) -> str:
        """What happened to it, for people."""
        back = f"not read: {self.why}" if self.why else f"read as {quoted(self.read)}"
        return f"{quoted(self.value)} is written as {quoted(self.written)} and {back}"


@dataclass(frozen=True, slots=True)
class Trip:
    """What came of a field's values on one platform. ``said``: how many could be written at all, of ``tried``."""

    tried: int
    said: int
    losses: tuple[Loss, ...]
    wordless: str = ""  # why the first one could not be written


def quoted(value: object) -> str:
    """Return a value as a short text in quotes."""
    short = shown(value)
    return short if short.startswith('"') else f'"{short}"'


def candidates(kind: FieldType, words: Iterable[Value], seed: str) -> Iterator[Value]:
    """Yield canonical values of a type, the same for the same seed: usual ones, the words of tables and enums, and more."""
    numbers = [str(int(sha256(f"{seed}{n}".encode()).hexdigest()[:8], 16)) for n in range(8)]
    plain: Sequence[Native] = (*NUMBERS, *numbers) if kind.is_number else BY_TYPE.get(kind.name, (*TEXTS, *numbers))
    enum: tuple[str, ...] = getattr(kind, "words", ())
    found: list[Value] = []
    for raw in (*words, *enum, *plain):
        try:
            value = kind.read(raw)
        except ValueError:
            continue
        if value not in found and value != "":
            found.append(value)
    yield from found


def fits(value: Value, checks: Sequence[Check]) -> bool:
    """Return whether a value passes a field's own checks."""
    return all(check.problem(value) is None for check in checks)


def through(steps: Sequence[Transform], raw: Native) -> Native:
    """Return what a pipeline makes of a native value; null stays null."""
    for step in steps:
        if raw is None:
            return None
        raw = step(raw)
    return raw


def said_by(kind: FieldType, place: FieldMap, values: Iterable[Value], checks: Sequence[Check]) -> list[Value]:
    """Return what golden can have from a source: what its own spellings of these values, and its tables' words, are read as."""
    natives: list[Native] = [key for step in place.read if getattr(step, "verb", "") == "table" for key, _ in step.args]  # type: ignore[attr-defined]
    for value in values:
        natives.append(kind.write(value))
        for spell in (lambda v: through(place.write, kind.write(v)), text_form):
            try:
                natives.append(spell(value))
            except ValueError:
                continue
    found: list[Value] = []
    for native in natives:
        value = read_back(kind, place, native)
        if not isinstance(value, Invalid) and value is not None and value not in found and fits(value, checks):
            found.append(value)
    return found


def read_back(kind: FieldType, place: FieldMap, native: Native) -> Value | Invalid:
    """Return what a platform's native value is read as, None for empty, or why it is not."""
    try:
        raw = through(place.read, None if native == "" else native)
        return None if raw is None or raw == "" else kind.read(raw)
    except ValueError as error:
        return Invalid(str(error))


def try_out(kind: FieldType, place: FieldMap, values: Iterable[Value], same: Callable[[Value, Value], bool]) -> Trip:
    """Write values and read them back; a value that the platform has no word for is not asked to come back."""
    tried, said, wordless = 0, 0, ""
    losses: list[Loss] = []
    for value in values:
        tried += 1
        try:
            native = through(place.write, kind.write(value))
        except (Invalid, NoWord) as error:
            wordless = wordless or str(error)
            continue
        if native is None:
            continue
        said += 1
        back = read_back(kind, place, native)
        if isinstance(back, Invalid):
            losses.append(Loss(value, native, None, str(back)))
        elif not same(value, back):
            losses.append(Loss(value, native, back))
    return Trip(tried, said, tuple(losses), wordless)


def came_back(kind: FieldType, place: FieldMap, values: Sequence[Value], equal: Equality) -> tuple[int, int]:
    """Return how many of these values came back unchanged, of how many."""
    trip = try_out(kind, place, values, equal.same)
    return trip.tried - len(trip.losses) - (trip.tried - trip.said), trip.tried
