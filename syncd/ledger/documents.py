"""Golden and shadow fields as JSON documents of few bytes.

A field is written as its bare value when everything else about it is as usual: seen well, saying what it means, and with the
author and times that most fields of the document have (those stand once, under ``usual``). Anything else is an object. A
shadow is written as what differs from golden: a usual field with golden's value is left out, and ``not`` names the fields of
golden that the platform does not have. So the two are always read and written together.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from operator import attrgetter
from typing import Any

from syncd.core.model import GoldenField, Known, ShadowField, Value, Word
from syncd.ledger.texts import dump, load

SHADOW_USUAL = ("word", "lo", "hi", "by")
GOLDEN_USUAL = ("who", "lo", "hi", "version")
SHADOW_OWN = ("raw", "known", "means")


def _others(kind: type, named: tuple[str, ...]) -> dict[str, Any]:
    """Return the further attributes of a dataclass with their defaults."""
    plain = (f for f in fields(kind) if f.name not in named)
    return {f.name: None if f.default is MISSING else f.default for f in plain}


SHADOW_OTHERS = _others(ShadowField, SHADOW_USUAL + SHADOW_OWN)
GOLDEN_OTHERS = _others(GoldenField, (*GOLDEN_USUAL, "value"))
shadow_usual = attrgetter(*SHADOW_USUAL)
golden_usual = attrgetter(*GOLDEN_USUAL)
shadow_others = attrgetter(*SHADOW_OTHERS)
golden_others = attrgetter(*GOLDEN_OTHERS)
SHADOW_PLAIN = tuple(SHADOW_OTHERS.values())
GOLDEN_PLAIN = tuple(GOLDEN_OTHERS.values())
NEW_SHADOW = dict(zip(SHADOW_USUAL, shadow_usual(ShadowField()), strict=True))
NEW_GOLDEN = dict(zip(GOLDEN_USUAL, golden_usual(GoldenField()), strict=True))


def most_common(rows: Iterable[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Return the row that occurs most often, the first of several."""
    counts: dict[tuple[Any, ...], int] = {}
    for row in rows:
        counts[row] = counts.get(row, 0) + 1
    return max(counts, key=counts.__getitem__)


def alike(one: Value, other: Value) -> bool:
    """Return whether two canonical values are the same text in JSON: 1, 1.0 and true are three values."""
    if type(one) is not type(other):
        return False
    return one == other if one is None or isinstance(one, str | int) else dump(one) == dump(other)


def implied(raw: Value) -> Known:
    """Return the state that a stored value has unless something else is said."""
    return Known.NULL if raw is None else Known.OK


def differing(field: object, usual: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a field that are not as usual."""
    return {name: value for name, usually in usual.items() if (value := getattr(field, name)) != usually}


def usual_of(fields: Iterable[Any], names: tuple[str, ...], of: Callable[[Any], tuple[Any, ...]]) -> dict[str, Any]:
    """Return the attributes that most fields share."""
    return dict(zip(names, most_common(of(field) for field in fields), strict=True))


def document(parts: Mapping[str, Any], usual: Mapping[str, Any], new: Mapping[str, Any], **more: Any) -> str:
    """Return the document of encoded fields; what is empty or as in a new field is left out."""
    shared = {name: value for name, value in usual.items() if value != new[name]}
    return dump({"fields": parts, **({"usual": shared} if shared else {}), **{k: v for k, v in more.items() if v}})


def shadow_text(known: Mapping[str, ShadowField], golden: Mapping[str, GoldenField]) -> str:
    """Return the fields of one shadow as JSON text, beside its record's golden; equal fields give equal text."""
    missing = sorted(golden.keys() - known.keys())
    if not known:
        return document({}, NEW_SHADOW, NEW_SHADOW, **{"not": missing})
    names = sorted(known)
    usual = usual_of((known[name] for name in names), SHADOW_USUAL, shadow_usual)
    common = tuple(usual.values())
    parts: dict[str, Any] = {}
    for name in names:
        field = known[name]
        plain = field.known is implied(field.raw) and alike(field.raw, field.means)
        if not plain or shadow_usual(field) != common or shadow_others(field) != SHADOW_PLAIN:
            parts[name] = _shadow_part(field, usual)
        elif (should := golden.get(name)) is None or not alike(should.value, field.raw):
            parts[name] = {"raw": field.raw} if type(field.raw) is dict else field.raw
    return document(parts, usual, NEW_SHADOW, **{"not": missing})


def _shadow_part(field: ShadowField, usual: Mapping[str, Any]) -> dict[str, Any]:
    part = {"raw": field.raw, **differing(field, usual), **differing(field, SHADOW_OTHERS)}
    if field.known is not implied(field.raw):
        part["known"] = field.known
    if not alike(field.raw, field.means):
        part["means"] = field.means
    return part


def shadow_fields(text: str, golden: Mapping[str, GoldenField]) -> dict[str, ShadowField]:
    """Return the fields of one shadow from their text and golden."""
    doc = load(text)
    usual = NEW_SHADOW | doc.get("usual", {})
    usual["word"] = word = Word(usual["word"])
    lo, hi, by = usual["lo"], usual["hi"], usual["by"]
    parts = {name: field.value for name, field in golden.items()}
    dicts = {name for name, value in parts.items() if type(value) is dict} - doc["fields"].keys()
    for name in doc.get("not", ()):
        del parts[name]
    parts |= doc["fields"]
    return {
        name: _full_shadow(part, usual)
        if type(part) is dict and name not in dicts
        else ShadowField(part, Known.NULL if part is None else Known.OK, part, word, lo, hi, by=by)
        for name, part in parts.items()
    }


def _full_shadow(part: dict[str, Any], usual: Mapping[str, Any]) -> ShadowField:
    raw = part["raw"]
    field = ShadowField(**{**usual, "means": raw, "known": implied(raw), **part})
    field.known, field.word = Known(field.known), Word(field.word)
    return field


def golden_text(golden: Mapping[str, GoldenField]) -> str:
    """Return golden as JSON text; equal fields give equal text."""
    if not golden:
        return '{"fields":{}}'
    names = sorted(golden)
    usual = usual_of((golden[name] for name in names), GOLDEN_USUAL, golden_usual)
    common = tuple(usual.values())
    parts: dict[str, Any] = {}
    for name in names:
        field = golden[name]
        if golden_usual(field) == common and golden_others(field) == GOLDEN_PLAIN and type(field.value) is not dict:
            parts[name] = field.value
        else:
            parts[name] = {"value": field.value, **differing(field, usual), **differing(field, GOLDEN_OTHERS)}
    return document(parts, usual, NEW_GOLDEN)


def golden_fields(text: str) -> dict[str, GoldenField]:
    """Return golden from its text."""
    doc = load(text)
    usual = NEW_GOLDEN | doc.get("usual", {})
    return {
        name: _full_golden(part, usual) if type(part) is dict else GoldenField(part, **usual)
        for name, part in doc["fields"].items()
    }


def _full_golden(part: dict[str, Any], usual: Mapping[str, Any]) -> GoldenField:
    field = GoldenField(**{**usual, **part})
    if field.seed is not None:
        field.seed = (field.seed[0], field.seed[1])
    return field
