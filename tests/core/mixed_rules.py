"""Rules drawn at random for the test world: every way to decide a field, with cases, formulas, freezes and options mixed.

A ``Rule`` is plain data: ``truth_of`` makes of it what the config would, and ``mixed_oracle`` reads it by itself. Beside its
fields a thing on a platform has raw fields of its own: ``w``, a word, and ``c``, a number.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

from syncd.core.expression import Names, compile_expression
from syncd.core.model import SECOND
from syncd.core.rules import Branch, Expression, Freeze, Truth
from syncd.core.values import parse_type

Look = Callable[[str], Any]  # what a name stands for: None where it is null or absent
TEXT_FIELDS = ("x", "y", "z")  # each may read golden of those before it
WORDS = ("on", "off", None)  # what w may be
OUT = "out"  # ... and what it is of a thing out of scope
REFUSED = "xy  w"  # the value that check.expr refuses where there is one
CONSTANT = "const"
UNTIL = 1060 * SECOND  # the world begins at 1000 s


class Untold(Exception):  # noqa: N818 - no error: a condition without an answer
    """Nobody can tell: a division by zero."""


class Rule(NamedTuple):
    """How a field is decided. ``freeze``: '', always, after_first, until, or a condition; ``cases``: (condition, rule), the
    last condition is ''; ``text`` is a formula's.
    """

    how: str
    platforms: tuple[str, ...] = ()
    if_null: str = "keep"
    if_stale: str = "keep"
    if_invalid: str = "hold"
    tie: tuple[str, ...] = ()
    freeze: str = ""
    text: str = ""
    cases: tuple[tuple[str, "Rule"], ...] = ()


# ---- expressions, and what they mean in the words of the test


def quotient(look: Look) -> float | None:
    """Return a.raw.c / b.raw.c."""
    one, other = look("a.raw.c"), look("b.raw.c")
    if one is None or other is None:
        return None
    if other == 0:
        raise Untold
    return float(one / other)


def first_of(*values: Any) -> Any:
    return next((v for v in values if v is not None), None)


CONDITIONS: dict[str, Callable[[Look, int], bool]] = {
    'a.x == "x"': lambda look, _: look("a.x") == "x",
    "b.y != null": lambda look, _: look("b.y") is not None,
    "not (a.x == b.x)": lambda look, _: look("a.x") != look("b.x"),
    'b.raw.w == "on"': lambda look, _: look("b.raw.w") == "on",
    'a.raw.w in ["on", "off"]': lambda look, _: look("a.raw.w") in ("on", "off"),
    "a.raw.c / b.raw.c > 1": lambda look, _: (quotient(look) or 0) > 1,
    'golden.x == "y"': lambda look, _: look("golden.x") == "y",
    "golden.x == null or b.x != golden.x": lambda look, _: look("golden.x") is None or look("b.x") != look("golden.x"),
    'length(coalesce(golden.y, "")) > 1': lambda look, _: len(look("golden.y") or "") > 1,
    'now() > datetime("1970-01-01T00:18:20Z")': lambda _, now: now > 1100 * SECOND,
}
FORMULAS: dict[str, Callable[[Look], Any]] = {
    "coalesce(a.x, b.y)": lambda look: first_of(look("a.x"), look("b.y")),
    'a.y if b.raw.w == "on" else b.x': lambda look: look("a.y") if look("b.raw.w") == "on" else look("b.x"),
    "text(a.raw.c / b.raw.c)": lambda look: None if (q := quotient(look)) is None else f"{q:g}",
    "upper(golden.x)": lambda look: None if look("golden.x") is None else look("golden.x").upper(),
    "coalesce(b.raw.w, golden.y)": lambda look: first_of(look("b.raw.w"), look("golden.y")),
}
NAMED = {text: tuple(dict.fromkeys(re.findall(r"\b(?:[ab](?:\.raw)?|golden)\.\w", text))) for text in (*CONDITIONS, *FORMULAS)}


def goldens_in(text: str) -> set[str]:
    """Return the fields whose golden an expression reads."""
    return {name[-1] for name in NAMED[text] if name.startswith("golden")}


@lru_cache(maxsize=256)
def compiled(text: str) -> Expression:
    """Return an expression as the config would compile it."""
    kinds = dict.fromkeys(TEXT_FIELDS, parse_type("string"))
    return compile_expression(text, Names(fields={"a": kinds, "b": kinds}, golden=kinds, bare=kinds))


def truth_of(rule: Rule, skew: int) -> Truth:
    """Return what the config makes of a rule."""
    named = [n.split(".")[0] for n in NAMED.get(rule.text, ())]
    branches = tuple(Branch(compiled(when) if when else None, truth_of(one, skew)) for when, one in rule.cases)
    platforms = [p for p in (*rule.platforms, *named, *(p for b in branches for p in b.truth.platforms)) if p != "golden"]
    return Truth(
        rule.how,
        tuple(dict.fromkeys(platforms)),
        skew=skew,
        tie=rule.tie,
        value=CONSTANT if rule.how == "const" else None,
        if_null=rule.if_null,
        null_value=CONSTANT if rule.if_null == "const" else None,
        null_use="b" if rule.if_null == "use" else None,
        if_stale=rule.if_stale,
        if_invalid=rule.if_invalid,
        expr=compiled(rule.text) if rule.text else None,
        branches=branches,
        freeze=freeze_of(rule.freeze),
    )


def freeze_of(text: str) -> Freeze | None:
    if not text:
        return None
    if text in ("always", "after_first", "until"):
        return Freeze(text, UNTIL if text == "until" else 0)
    return Freeze("when", when=compiled(text))


# ---- drawing


def draw_mix(random: Random, names: tuple[str, ...]) -> tuple[tuple[str, Rule], ...]:
    """Return the rules of some fields. ``names`` are the platforms."""
    mix = {name: draw_rule(random, names, name) if random.random() < 0.7 else Rule("owner", ("a",)) for name in TEXT_FIELDS}
    for name, hows in (("g", ("newest", "owner", "priority")), ("d", ("delta",)), ("u", ("union", "intersection"))):
        if random.random() < 0.25:
            mix[name] = draw_folded(random, names, hows)
    return tuple(mix.items())


def draw_rule(random: Random, names: tuple[str, ...], name: str) -> Rule:
    """Return a rule for a field of text: plain, or of two or three cases."""
    if random.random() < 0.6:
        return draw_plain(random, names, name)
    whens = random.sample([t for t in CONDITIONS if fits(t, name)], random.choice((1, 1, 2)))
    return Rule("cases", cases=tuple((when, draw_plain(random, names, name)) for when in (*whens, "")))


def fits(text: str, name: str) -> bool:
    """Whether a field's rule may read this: golden only of fields before it."""
    return all(other in TEXT_FIELDS[: TEXT_FIELDS.index(name)] for other in goldens_in(text))


def draw_plain(random: Random, names: tuple[str, ...], name: str) -> Rule:
    how = random.choice(("owner", "owner", "priority", "newest", "longest", "const", "expr", "expr"))
    count = 1 if how == "owner" else random.choice((2, 2, 3))
    text = random.choice([t for t in FORMULAS if fits(t, name)]) if how == "expr" else ""
    nulls = ("keep", "keep", "clear", "hold", "const", "use")
    return Rule(
        how,
        () if how in ("expr", "const") else tuple(random.sample(names, min(count, len(names)))),
        random.choice((*nulls, "next", "next") if how == "priority" else nulls),
        random.choice(("keep", "keep", "next", "hold")),
        random.choice(("keep", "next", "hold", "hold")),
        random.choice(((), ("b", "a"))),
        draw_freeze(random, name),
        text,
    )


def draw_freeze(random: Random, name: str) -> str:
    """Return when golden stands; such a condition may also read the field's own golden."""
    whens = [t for t in CONDITIONS if all(n == name or fits(t, name) for n in goldens_in(t)) and "golden" in t]
    return random.choice(("always", "after_first", "until", *whens)) if random.random() < 0.25 else ""


def draw_folded(random: Random, names: tuple[str, ...], hows: tuple[str, ...]) -> Rule:
    """Return a rule for a group, a counter or a set: frozen, or only in some cases what it is."""
    sources = names[:2] if hows[0] == "newest" else names[:3]
    freeze = random.choice(("", "", "always", "after_first", "until"))
    one = Rule(how := random.choice(hows), sources[:1] if how == "owner" else sources, freeze=freeze)
    if random.random() < 0.5:
        return one
    when = random.choice([t for t in CONDITIONS if not goldens_in(t)])
    return Rule("cases", cases=((when, one), ("", Rule("owner", names[:1]))))
