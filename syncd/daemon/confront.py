"""Expected against got: every difference between a test and what came of it, as people read it."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from syncd.config.ruletest import Expect
from syncd.core.model import Native
from syncd.core.rules import Entity
from syncd.core.subject import subjects
from syncd.daemon.outcome import Outcome
from syncd.reports import figures

NONE = "none"


class Difference(NamedTuple):
    """One thing that is not as expected. ``fields``: the fields and groups that it is about."""

    what: str
    expected: str
    got: str
    fields: tuple[str, ...] = ()


def confront(expect: Expect, got: Outcome, entity: Entity) -> list[Difference]:
    """Return every difference: conflicts and golden first, for they explain the rest."""
    return [
        *lists("conflicts", expect.conflicts, got.conflicts, str),
        *goldens(expect, got),
        *writes(expect, got, entity),
        *totals(expect, got),
        *deciders(expect, got, entity),
        *lists("stray_edits", expect.stray_edits, got.stray_edits, field_of),
        *lists("held", expect.held, got.held, field_of),
        *lists("creates", expect.creates, got.creates, nothing_of),
        *deletes(expect, got),
    ]


def field_of(edited: str) -> str:
    """Return FIELD of PLATFORM.FIELD."""
    return edited.partition(".")[2]


def nothing_of(_: str) -> str:
    """A whole thing is about no field."""
    return ""


def listed(names: Iterable[str]) -> str:
    """Return ``[price, tags]``, or none."""
    found = ", ".join(sorted(names))
    return f"[{found}]" if found else NONE


def lists(
    what: str, expected: tuple[str, ...] | None, got: tuple[str, ...], about: Callable[[str], str]
) -> Iterator[Difference]:
    """Yield the difference of two lists that must be the same."""
    if expected is not None and set(expected) != set(got):
        odd = sorted(set(expected) ^ set(got))
        yield Difference(what, listed(expected), listed(got), tuple(dict.fromkeys(name for one in odd if (name := about(one)))))


def goldens(expect: Expect, got: Outcome) -> Iterator[Difference]:
    """Yield a difference for each field whose golden value is another; only those named are asked."""
    for name, value in (expect.golden or {}).items():
        there = got.golden.get(name)
        if not same(there, value):
            yield Difference("golden", f"{name} = {shown(value)}", f"{name} = {shown(there)}", (name,))


def writes(expect: Expect, got: Outcome, entity: Entity) -> Iterator[Difference]:
    """Yield a difference for each path that is written otherwise than expected; ``writes`` is whole."""
    if expect.writes is None:
        return
    wanted, made = flat(expect.writes), flat(got.writes)
    for key in dict.fromkeys([*wanted, *made]):
        if key in wanted and key in made and same(wanted[key], made[key]):
            continue
        sides = [f"{key[0]} {key[1]} = {shown(some[key])}" if key in some else NONE for some in (wanted, made)]
        yield Difference("writes", sides[0], sides[1], fields_at(entity, *key))


def flat(values: Mapping[str, Mapping[str, Native]]) -> dict[tuple[str, str], Native]:
    """Return values by (platform, path)."""
    return {(platform, path): native for platform, paths in values.items() for path, native in paths.items()}


def fields_at(entity: Entity, platform: str, path: str) -> tuple[str, ...]:
    """Return the fields that are mapped to a path."""
    return tuple(f.name for f in entity.fields.values() if platform in f.maps and f.maps[platform].path == path)


def totals(expect: Expect, got: Outcome) -> Iterator[Difference]:
    """Yield the difference in how many writes there are."""
    if expect.writes_total is not None and expect.writes_total != got.writes_total:
        yield Difference("writes_total", str(expect.writes_total), str(got.writes_total))


def deciders(expect: Expect, got: Outcome, entity: Entity) -> Iterator[Difference]:
    """Yield a difference for each field that another rule decides."""
    known = subjects(entity)
    for name, strategy in (expect.decided_by or {}).items():
        there = got.decided_by.get(name) or next((got.decided_by.get(s.name) for n, s in known.items() if n == name), None)
        if there != strategy:
            yield Difference("decided_by", f"{name} {strategy}", f"{name} {there}" if there else NONE, (name,))


def deletes(expect: Expect, got: Outcome) -> Iterator[Difference]:
    """Yield the difference in what is taken away. A test that says what is written says by that what is not taken away."""
    expected = expect.deletes if expect.deletes is not None else {} if expect.writes is not None else None
    if expected is None:
        return
    wordless = all(not word for word in expected.values())
    if expected.keys() != got.deletes.keys() or any(word and got.deletes[p] != word for p, word in expected.items()):
        sides = [some if wordless else [f"{p} {w}".strip() for p, w in some.items()] for some in (expected, got.deletes)]
        yield Difference("deletes", listed(sides[0]), listed(sides[1]))


# ---- values


def same(one: Any, other: Any) -> bool:
    """Return whether two values are the same JSON: numbers by what they are worth, text only as text, true never as 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | Decimal) and isinstance(other, int | Decimal):
        return one == other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    return type(one) is type(other) and bool(one == other)


def shown(value: Any) -> str:
    """Return a value as JSON on one line; numbers are exact and nothing in it can steer a terminal."""
    match value:
        case Decimal():
            return str(value)
        case list():
            return f"[{', '.join(shown(one) for one in value)}]"
        case dict():
            return f"{{{', '.join(f'{shown(key)}: {shown(one)}' for key, one in value.items())}}}"
        case _:
            return figures.plain(json.dumps(value, ensure_ascii=False))
