"""Strict JSON at the edge: what would poison the ledger is refused here, with a reason a person understands.

Numbers with a fraction are ``Decimal``, so that what a platform said is what we hold. One broken element must not stop
its neighbours: ``parse`` leaves what is wrong in its place as a ``Bad`` mark, and each element is asked for its flaw.
"""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson

from syncd.core.mapping import Absent, get_path, parse_path, with_path
from syncd.core.model import Native
from syncd.core.rules import Steps

DEPTH = 32  # of one thing
DIGITS = 64  # characters of one number
_LIMIT = 300  # nesting that Python's own scanner surely stands, wherever it is called from
_INT64 = 2**63
EXPONENT = 308  # beyond it every other program reads infinity or nothing
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[^\[\]{}"]+', re.DOTALL)
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PAGE = re.compile(rb"\s*(?:<!doctype html|<html|<head|<body)", re.IGNORECASE)
_NO_TEXT = re.compile(r"<(script|style)\b.*?(</\1\s*>|$)|<[^>]*>", re.IGNORECASE | re.DOTALL)


class BadBody(ValueError):  # noqa: N818 - the word the reports use
    """The bytes are not what we accept as JSON; ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Bad:
    """Marks, inside a parsed body, a value that we do not accept. ``value`` is what could be made of it."""

    reason: str
    value: Native = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed body. ``clean`` means: there is certainly nothing wrong in it anywhere."""

    value: Native
    clean: bool

    def flaw(self, part: Native) -> str | None:
        """Return what is wrong in a part of the body, or None."""
        return None if self.clean else flaw(part)


def decode(data: bytes) -> Native:
    """Return the one value of a body; raises BadBody if anything in it is not acceptable."""
    parsed = parse(data)
    reason = parsed.flaw(parsed.value)
    if reason:
        raise BadBody(reason)
    return parsed.value


def parse(data: bytes) -> Parsed:
    """Return a body with ``Bad`` marks where a value is not acceptable; raises BadBody if it is no JSON at all."""
    depth = _nesting(data)
    if depth > _LIMIT:
        raise BadBody(f"nested deeper than {DEPTH}")
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BadBody(f"not UTF-8 at byte {error.start}") from error
    marks = _marks()
    try:
        value, found = marks.loads(text)
    except json.JSONDecodeError as error:
        what = f"not JSON: {error.msg} at character {error.pos}" if text.strip() else "empty, not JSON"
        raise BadBody(what) from error
    finally:
        _SPARE.append(marks)
    return Parsed(value, clean=not found and depth <= DEPTH and not _ESCAPED_SURROGATE.search(data))


def flaw(value: Native) -> str | None:
    """Return why a value may not enter the ledger, or None. Knows ``Bad`` marks and values that databases give."""
    level: list[Native] = [value]
    depth = 0
    while level:
        below: list[Native] = []
        for part in level:
            if isinstance(part, dict):
                below += [*part.values(), *part]  # the keys are texts too
            elif isinstance(part, list):
                below += part
            elif reason := _flaw_of_scalar(part):
                return reason
        depth += any(isinstance(part, dict | list) for part in level)
        if depth > DEPTH:
            return f"nested deeper than {DEPTH}"
        level = below
    return None


def encode(value: Native) -> bytes:
    """Return JSON, numbers exactly as they are; raises BadBody for what JSON cannot hold."""
    return _dumps(value, orjson.OPT_PASSTHROUGH_DATETIME)


def canonical(value: Native) -> bytes:
    """Return JSON with sorted keys, the same bytes for the same document: for hashes."""
    return _dumps(value, orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_SORT_KEYS)


def excerpt(value: Native, limit: int = 500) -> str:
    """Return the beginning of a value as plain ASCII, safe to keep and print even if the value is broken."""
    return json.dumps(value, default=_shown, ensure_ascii=True)[:limit]


def plainly(body: bytes, limit: int = 500) -> str:
    """Return the beginning of a body in one line, for messages; of a page for people only what one would read there."""
    text = body[: 16 * limit].decode("utf-8", "replace")
    if is_page(body):
        text = f"a web page: {_NO_TEXT.sub(' ', text)}"
    return " ".join(text[: 4 * limit].split())[:limit]


def is_page(body: bytes) -> bool:
    """Return whether a body is a page for people: of a login, a proxy, a server that knows no such address."""
    return bool(_PAGE.match(body))


def salvage(value: Native) -> Native:
    """Return what could be made of a value that may be marked ``Bad``."""
    return value.value if isinstance(value, Bad) else value


class _Marks:
    """Decoder hooks that mark instead of raising, and remember that they did."""

    def __init__(self) -> None:
        self.found = False
        self.decoder = json.JSONDecoder(
            parse_float=self.fraction,
            parse_int=self.integer,
            parse_constant=lambda name: self.bad(f"{name} is not a number"),
            object_pairs_hook=self.object,
        )

    def loads(self, text: str) -> tuple[Native, bool]:
        """Return what a text stands for, and whether anything in it was marked."""
        self.found = False
        return self.decoder.decode(text), self.found

    def bad(self, reason: str, value: Native = None) -> Bad:
        self.found = True
        return Bad(reason, value)

    def integer(self, text: str) -> int | Bad:
        if len(text) < 19:
            return int(text)
        if len(text) > DIGITS:
            return self.bad(f"a number of {len(text)} characters")
        number = int(text)
        return number if -_INT64 <= number < _INT64 else self.bad(f"{text} is beyond 64 bit")

    def fraction(self, text: str) -> Decimal | Bad:
        if len(text) > DIGITS:
            return self.bad(f"a number of {len(text)} characters")
        number = Decimal(text)
        return number if abs(number.adjusted()) <= EXPONENT else self.bad(f"{text} is out of range")

    def object(self, pairs: list[tuple[str, Native]]) -> dict[str, Native] | Bad:
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        return self.bad(f"key {twice!a} stands there twice", made)


_SPARE: list[_Marks] = []  # decoders that nobody uses just now: making one takes as long as a small body


def _marks() -> _Marks:
    try:
        return _SPARE.pop()
    except IndexError:  # threads parse as well
        return _Marks()


def _nesting(data: bytes) -> int:
    """Return how deep a body is nested, without recursion; 1 for few brackets, at most one more than we ever parse."""
    if data.count(b"[") + data.count(b"{") <= DEPTH:
        return 1
    rest = _NOT_BRACKETS.sub(b"", data).translate(_BRACKETS)
    for depth in range(_LIMIT + 1):
        if b"[]" not in rest:
            return depth + len(rest)  # what is left has no partner; it cannot nest deeper than that
        rest = rest.replace(b"[]", b"")  # takes away exactly one level
    return _LIMIT + 1


def _flaw_of_scalar(part: Native) -> str | None:
    if isinstance(part, Bad):
        return part.reason
    if isinstance(part, str):
        return "text with a lone surrogate" if _SURROGATE.search(part) else None
    if isinstance(part, int):
        return None if -_INT64 <= part < _INT64 else f"{part} is beyond 64 bit"
    if isinstance(part, Decimal | float):
        return None if Decimal(part).is_finite() else f"{part} is not a number"
    return None


def _dumps(value: Native, option: int) -> bytes:
    try:
        return orjson.dumps(value, default=_exact, option=option)
    except TypeError as error:  # orjson's JSONEncodeError is one
        raise BadBody(f"not to be written as JSON: {error.__cause__ or error}") from error


def _exact(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(str(value))
    raise TypeError(f"{value!r}"[:100])


def _shown(value: Any) -> Any:
    return value.value if isinstance(value, Bad) and value.value is not None else str(getattr(value, "reason", value))


@lru_cache(maxsize=4096)
def steps_of(path: str) -> Steps:
    """Return the steps of a path; raises ValueError if it is none."""
    return parse_path(path)


def pick(value: Native, path: str, default: Native = None) -> Native:
    """Return what stands at a path as mappings write it, or the default; an empty path is everything."""
    found = get_path(value, steps_of(path))
    return default if isinstance(found, Absent) else found


def placed(value: Native, path: str, new: Native) -> Native:
    """Return a copy of a document with a path set; what is missing on the way is made. Raises ValueError at a gap in a list."""
    return with_path(value, steps_of(path), new)
