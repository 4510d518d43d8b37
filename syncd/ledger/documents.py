"""Golden and shadow fields as JSON documents of few bytes.

In golden a field is its bare value when everything else about it is as ``usual``: the author, times and version that most
fields share. A shadow is what differs from golden: a field that is *in step* (it holds golden's value, means it, has golden's
times and the usual author) is left out, ``not`` names the fields of golden that the platform does not have, and a field that
is out of step is again a bare value if its times are the usual ones. So the two are always read and written together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from operator import attrgetter
from typing import Any

from syncd.core.model import GoldenField, Known, Native, ShadowField, Value, Word
from syncd.ledger.stepwise import Standing, Stepwise, standing
from syncd.ledger.texts import dump, load, load_native

SHADOW_VOICE = ("word", "by")
TIMES = ("lo", "hi")
SHADOW_OWN = ("raw", "known", "means")
GOLDEN_USUAL = ("who", "lo", "hi", "version")


def _others(kind: type, named: tuple[str, ...]) -> dict[str, Any]:
    """Return the further attributes of a dataclass with their defaults."""
    plain = (f for f in fields(kind) if f.name not in named)
    return {f.name: None if f.default is MISSING else f.default for f in plain}


SHADOW_OTHERS = _others(ShadowField, SHADOW_VOICE + TIMES + SHADOW_OWN)
GOLDEN_OTHERS = _others(GoldenField, (*GOLDEN_USUAL, "value"))
shadow_rest = attrgetter(*SHADOW_VOICE, *SHADOW_OTHERS)  # all but times and values
times_of = attrgetter(*TIMES)
golden_usual = attrgetter(*GOLDEN_USUAL)
golden_others = attrgetter(*GOLDEN_OTHERS)
SHADOW_PLAIN = tuple(SHADOW_OTHERS.values())
GOLDEN_PLAIN = tuple(GOLDEN_OTHERS.values())
OK, NULL = Known.OK, Known.NULL
KNOWNS, WORDS = {str(one): one for one in Known}, {str(one): one for one in Word}
NEW_SHADOW = {name: getattr(ShadowField(), name) for name in SHADOW_VOICE + TIMES}
ALL_IN_STEP = '{"fields":{}'  # how the text of a shadow begins that differs from golden nowhere
NEW_GOLDEN = {name: getattr(GoldenField(), name) for name in GOLDEN_USUAL}


def most_common(rows: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Return the row that occurs most often; of several the greatest, so that order does not matter."""
    for row in (rows[0], rows[-1]):
        if rows.count(row) * 2 > len(rows):
            return row
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


def with_raws(text: str, raws: Mapping[str, Native]) -> str:
    """Return the text of a shadow with what its platform shows at the paths that expressions name."""
    return f'{text[:-1]},"raws":{dump(raws)}}}' if raws else text


def raws_in(text: str) -> dict[str, Native]:
    """Return what a shadow's platform was last seen to show at the paths that expressions name; numbers are exact."""
    return dict(load_native(text).get("raws", ())) if '"raws":' in text else {}


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
    if type(known) is Stepwise and len(known.left) * 2 > len(known):
        return stepwise_text(known, golden)
    missing = [] if known.keys() == golden.keys() else sorted(golden.keys() - known.keys())
    if not known:
        return document({}, {}, missing)
    rests = list(map(shadow_rest, known.values()))
    voice = rests[0][:2] if rests.count(rests[0]) == len(rests) else most_common([rest[:2] for rest in rests])
    plain = voice + SHADOW_PLAIN
    apart = []
    for (name, field), rest in zip(known.items(), rests, strict=True):
        should = golden.get(name)
        if should is None or rest != plain or not is_in_step(field, should):
            apart.append((name, field))
    return text_of(apart, voice, missing)


def stepwise_text(known: Stepwise, golden: Mapping[str, GoldenField]) -> str:
    """Return the same text without making the fields that are in step still: they are most, so their author is the usual."""
    for name, stood in [*known.left.items()]:
        should = golden.get(name)
        if should is None or should.value is not stood[0] or should.lo != stood[1] or should.hi != stood[2]:
            known[name]  # golden moved away from it: asking makes it
    if len(known.left) * 2 <= len(known):
        return shadow_text(dict(known), golden)
    voice = known.word, known.by
    plain = voice + SHADOW_PLAIN
    apart = [
        (name, field)
        for name, field in known.made()
        if (should := golden.get(name)) is None or shadow_rest(field) != plain or not is_in_step(field, should)
    ]
    missing = (
        []
        if len(known) == len(golden) and all(name in golden for name, _ in known.made())
        else [name for name in sorted(golden) if name not in known]
    )
    return text_of(apart, voice, missing)


def text_of(apart: Sequence[tuple[str, ShadowField]], voice: tuple[Any, ...], missing: Sequence[str]) -> str:
    """Return the text of a shadow whose fields ``apart`` are out of step with golden."""
    usual = dict(zip(SHADOW_VOICE, voice, strict=True))
    if apart:
        usual |= zip(TIMES, most_common([times_of(field) for _, field in apart]), strict=True)
    parts = {name: shadow_part(field, usual) for name, field in apart}
    return document(parts, {name: value for name, value in usual.items() if value != NEW_SHADOW[name]}, missing)


def is_in_step(field: ShadowField, should: GoldenField) -> bool:
    """Return whether a shadow field holds golden's value and means it, since golden's time."""
    raw, value = field.raw, should.value
    if raw is value and raw is field.means and field.known is OK and raw is not None:  # one object: the common case
        return field.hi == should.hi and field.lo == should.lo
    if field.hi != should.hi or field.lo != should.lo or field.known is not implied(raw):
        return False
    return alike(raw, value) and alike(raw, field.means)


def shadow_part(field: ShadowField, usual: Mapping[str, Any]) -> Any:
    """Return one field as its bare value, or as an object if there is more to say."""
    part = differing(field, usual)
    if shadow_rest(field)[2:] != SHADOW_PLAIN:
        part |= differing(field, SHADOW_OTHERS)
    if field.known is not implied(field.raw):
        part["known"] = field.known
    if not alike(field.raw, field.means):
        part["means"] = field.means
    return part | {"raw": field.raw} if part or type(field.raw) is dict else field.raw


def shadow_fields(text: str, golden: Mapping[str, GoldenField]) -> dict[str, ShadowField]:
    """Return the fields of one shadow from their text and golden."""
    return fields_beside(text, standing(golden))


def fields_beside(text: str, stands: Mapping[str, Standing]) -> dict[str, ShadowField]:
    """Return the fields of one shadow from their text and golden as it stands; those in step are made when asked for."""
    doc = load(text)
    usual = NEW_SHADOW | doc.get("usual", {})
    usual["word"] = word = WORDS[usual["word"]]
    parts, missing = doc["fields"], doc.get("not", ())
    made = {name: _full_shadow(part if type(part) is dict else {"raw": part}, usual) for name, part in parts.items()}
    left = dict(stands)
    for name in (*parts, *missing):
        left.pop(name, None)
    return Stepwise(made, left, word, usual["by"])


def shadow_doc(text: str) -> dict[str, Any]:
    """Return the document of a shadow: ``fields`` are those that are apart from golden, ``not`` those it does not have."""
    doc: dict[str, Any] = load(text)
    return doc


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
        value = field.value
        plain = golden_others(field) == GOLDEN_PLAIN
        if plain and own == common and type(value) is not dict:
            parts[name] = value
        else:
            parts[name] = {"value": value, **differing(field, usual), **({} if plain else differing(field, GOLDEN_OTHERS))}
    return document(parts, {name: value for name, value in usual.items() if value != NEW_GOLDEN[name]})


def golden_fields(text: str) -> dict[str, GoldenField]:
    """Return golden from its text."""
    return golden_among(text, None)


def golden_among(text: str, names: Sequence[str] | None) -> dict[str, GoldenField]:
    """Return these fields of golden from its text, as far as it has them; all without ``names``."""
    doc = load(text)
    usual = NEW_GOLDEN | doc.get("usual", {})
    who, lo, hi, version = usual["who"], usual["lo"], usual["hi"], usual["version"]
    parts = doc["fields"]
    return {
        name: _full_golden(part, usual) if type(part) is dict else GoldenField(part, lo, hi, who, version=version)
        for name, part in (parts.items() if names is None else [(n, parts[n]) for n in names if n in parts])
    }


def _full_golden(part: dict[str, Any], usual: Mapping[str, Any]) -> GoldenField:
    field = GoldenField(**{**usual, **part})
    if field.seed is not None:
        field.seed = (field.seed[0], field.seed[1])
    return field
