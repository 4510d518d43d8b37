"""Golden and shadow fields as JSON documents of few bytes.

A field is written as its bare value when everything else about it is as usual: seen well, saying what it means, and with the
author and times that most fields of the document have (those stand once, under ``usual``). Anything else is an object. A
shadow is written as what differs from golden: a usual field with golden's value is left out, and ``not`` names the fields of
golden that the platform does not have. So the two are always read and written together.
"""

from collections.abc import Mapping, Sequence
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
OK, NULL = Known.OK, Known.NULL
KNOWNS, WORDS = {str(one): one for one in Known}, {str(one): one for one in Word}
NEW_SHADOW = dict(zip(SHADOW_USUAL, shadow_usual(ShadowField()), strict=True))
NEW_GOLDEN = dict(zip(GOLDEN_USUAL, golden_usual(GoldenField()), strict=True))


def most_common(rows: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Return the row that occurs most often; of several the greatest, so that order does not matter."""
    if rows.count(rows[0]) == len(rows):
        return rows[0]
    return max(set(rows), key=lambda row: (rows.count(row), repr(row)))


def alike(one: Value, other: Value) -> bool:
    """Return whether two canonical values are the same text in JSON: 1, 1.0 and true are three values."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    return one == other if isinstance(one, str | int) else dump(one) == dump(other)


def implied(raw: Value) -> Known:
    """Return the state that a stored value has unless something else is said."""
    return Known.NULL if raw is None else Known.OK


def differing(field: object, usual: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a field that are not as usual."""
    return {name: value for name, usually in usual.items() if (value := getattr(field, name)) != usually}


def document(parts: Mapping[str, Any], usual: Mapping[str, Any], missing: Sequence[str] = ()) -> str:
    """Return the document of encoded fields; what is empty or as in a new field is left out."""
    doc: dict[str, Any] = {"fields": parts}
    if usual:
        doc["usual"] = usual
    if missing:
        doc["not"] = missing
    return dump(doc)


def shadow_text(known: Mapping[str, ShadowField], golden: Mapping[str, GoldenField]) -> str:
    """Return the fields of one shadow as JSON text, beside its record's golden; equal fields give equal text."""
    missing = [] if known.keys() == golden.keys() else sorted(golden.keys() - known.keys())
    if not known:
        return document({}, {}, missing)
    usuals = list(map(shadow_usual, known.values()))
    common = most_common(usuals)
    usual = dict(zip(SHADOW_USUAL, common, strict=True))
    parts: dict[str, Any] = {}
    for (name, field), own, others in zip(known.items(), usuals, map(shadow_others, known.values()), strict=True):
        raw = field.raw
        should = golden[name].value if name in golden else MISSING
        as_usual = own == common and others == SHADOW_PLAIN
        if as_usual and raw is should and raw is field.means and field.known is OK and raw is not None:
            continue  # the common case, told without looking at values
        if not as_usual or not is_plain(field):
            parts[name] = _shadow_part(field, usual)
        elif should is MISSING or not alike(should, raw):
            parts[name] = {"raw": raw} if type(raw) is dict else raw
    return document(parts, {name: value for name, value in usual.items() if value != NEW_SHADOW[name]}, missing)


def is_plain(field: ShadowField) -> bool:
    """Return whether a shadow field is seen well and says what it means."""
    return field.known is implied(field.raw) and alike(field.raw, field.means)


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
    usual["word"] = word = WORDS[usual["word"]]
    lo, hi, by = usual["lo"], usual["hi"], usual["by"]
    parts, missing = doc["fields"], doc.get("not", ())
    found = {
        name: ShadowField(raw, NULL if raw is None else OK, raw, word, lo, hi, by=by)
        for name, should in golden.items()
        if name not in parts and name not in missing
        for raw in (should.value,)
    }
    for name, part in parts.items():
        found[name] = _full_shadow(part if type(part) is dict else {"raw": part}, usual)
    return found


def _full_shadow(part: dict[str, Any], usual: Mapping[str, Any]) -> ShadowField:
    raw = part["raw"]
    field = ShadowField(**{**usual, "means": raw, "known": implied(raw), **part})
    field.known, field.word = KNOWNS[field.known], WORDS[field.word]
    return field


def golden_text(golden: Mapping[str, GoldenField]) -> str:
    """Return golden as JSON text; equal fields give equal text."""
    if not golden:
        return document({}, {})
    usuals = list(map(golden_usual, golden.values()))
    common = most_common(usuals)
    usual = dict(zip(GOLDEN_USUAL, common, strict=True))
    parts: dict[str, Any] = {}
    for (name, field), own in zip(golden.items(), usuals, strict=True):
        if own == common and golden_others(field) == GOLDEN_PLAIN and type(field.value) is not dict:
            parts[name] = field.value
        else:
            parts[name] = {"value": field.value, **differing(field, usual), **differing(field, GOLDEN_OTHERS)}
    return document(parts, {name: value for name, value in usual.items() if value != NEW_GOLDEN[name]})


def golden_fields(text: str) -> dict[str, GoldenField]:
    """Return golden from its text."""
    doc = load(text)
    usual = NEW_GOLDEN | doc.get("usual", {})
    who, lo, hi, version = usual["who"], usual["lo"], usual["hi"], usual["version"]
    return {
        name: _full_golden(part, usual) if type(part) is dict else GoldenField(part, lo, hi, who, version=version)
        for name, part in doc["fields"].items()
    }


def _full_golden(part: dict[str, Any], usual: Mapping[str, Any]) -> GoldenField:
    field = GoldenField(**{**usual, **part})
    if field.seed is not None:
        field.seed = (field.seed[0], field.seed[1])
    return field
