"""Why a decision came out as it did, field by field, in few bytes and without loss.

What most fields share stands once: the reason, what the rule was given, and for each platform what is known of its votes. A
vote that is not mentioned has the usual facts and the value that won.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from syncd.core.model import FieldChange, Value
from syncd.ledger.documents import alike, most_common
from syncd.ledger.texts import dump, load

Votes = dict[str, dict[str, Any]]  # field -> what is known of one platform's vote, its value included

RARE = ("platform", "value", "suspended")  # a suspended vote stands apart, as what it is
FACTS: dict[str, Any] = {"own": True, "null": False, "cleared": False, "invalid": False, "stale": False, "reason": ""}
BALLOT = {*FACTS, "value", "lo", "hi"}  # the facts of a vote as the core always records them
GOLDEN = ("lo", "hi", "who")


def pack(fields: Sequence[FieldChange]) -> dict[str, Any]:
    """Return the reasons of a decision's fields; before, after and who stand in the version."""
    why, rule = most_common([(f.why, f.rule) for f in fields])
    doc: dict[str, Any] = {"why": why, "rule": rule}
    if whys := {f.name: [f.why, f.rule] for f in fields if (f.why, f.rule) != (why, rule)}:
        doc["whys"] = whys
    if any(f.given for f in fields):
        doc |= pack_given(fields)
    shape = shape_of(fields)
    if odd := {f.name: f.inputs for f in fields if not is_ballot(f.inputs, shape)}:
        doc["odd"] = odd
    regular = [f for f in fields if f.name not in odd]
    platforms = sorted({platform for f in regular for platform in f.inputs})
    if platforms:
        doc["votes"] = {platform: pack_votes(platform, regular, shape) for platform in platforms}
    return doc


# ---- what was given beside the votes


def pack_given(fields: Sequence[FieldChange]) -> dict[str, Any]:
    """Return what most fields were given, and what the others were."""
    short = {f.name: short_given(f) for f in fields}
    texts = {name: dump(given) for name, given in short.items()}
    (usual,) = most_common([(text,) for text in texts.values()])
    doc: dict[str, Any] = {} if usual == "{}" else {"given": load(usual)}
    if others := {name: given for name, given in short.items() if texts[name] != usual}:
        doc["givens"] = others
    return doc


def short_given(change: FieldChange) -> dict[str, Any]:
    """Return what a field was given; golden as a list where there is no more to say than its times and author."""
    golden = change.given.get("golden")
    if not isinstance(golden, dict) or golden.keys() != {"value", *GOLDEN} or not alike(golden["value"], change.before):
        return change.given
    return change.given | {"golden": [golden[name] for name in GOLDEN]}


def full_given(given: Mapping[str, Any], before: Value) -> dict[str, Any]:
    """Return what a field was given, from its short form."""
    golden = given.get("golden")
    if not isinstance(golden, list):
        return dict(given)
    return {**given, "golden": {"value": before, **dict(zip(GOLDEN, golden, strict=True))}}


# ---- votes


def shape_of(fields: Sequence[FieldChange]) -> set[str]:
    """Return the facts that the votes of a decision have."""
    votes = (vote for f in fields for vote in f.inputs.values() if type(vote) is dict)
    return set(next(votes, ()))


def is_ballot(inputs: Mapping[str, Any], shape: set[str]) -> bool:
    """Return whether inputs are votes by platform, all of one shape and with a value."""
    return all(type(vote) is dict and "value" in vote and vote.keys() == shape for vote in inputs.values())


def pack_votes(platform: str, fields: Sequence[FieldChange], shape: set[str]) -> dict[str, Any]:
    """Return one platform's votes: the usual facts, the fields that differ, and those without a vote."""
    votes: Votes = {f.name: f.inputs[platform] for f in fields if platform in f.inputs}
    usual: dict[str, Any] = load(most_common([(dump(facts(vote)),) for vote in votes.values()])[0])
    won = {f.name: f.after for f in fields}
    doc: dict[str, Any] = {"usual": short_facts(usual) if shape == BALLOT else usual}
    if different := {n: d for n, vote in votes.items() if (d := difference(vote, usual, won[n]))}:
        doc["fields"] = different
    if missing := [f.name for f in fields if f.name not in votes]:
        doc["not"] = missing
    return doc


def short_facts(usual: Mapping[str, Any]) -> list[Any]:
    """Return the facts of a vote as the core records it: its interval, and what else is not as in most votes."""
    odd = {name: fact for name, fact in usual.items() if name not in ("lo", "hi") and not alike(fact, FACTS[name])}
    return [usual["lo"], usual["hi"], *([odd] if odd else [])]


def full_facts(usual: Mapping[str, Any] | Sequence[Any]) -> Mapping[str, Any]:
    """Return the facts of a vote from their short form."""
    if isinstance(usual, Mapping):
        return usual
    lo, hi, *odd = usual
    return {**FACTS, "lo": lo, "hi": hi, **(odd[0] if odd else {})}


def facts(vote: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of a vote beside its value."""
    return {name: fact for name, fact in vote.items() if name != "value"}


def difference(vote: Mapping[str, Any], usual: Mapping[str, Any], won: Value) -> dict[str, Any]:
    """Return in what a vote is not as usual."""
    odd = {name: vote[name] for name, fact in usual.items() if not alike(vote[name], fact)}
    return odd if alike(vote["value"], won) else {**odd, "value": vote["value"]}


# ---- the way back


def unpack(doc: Mapping[str, Any], steps: Mapping[str, Sequence[Any]]) -> list[FieldChange]:
    """Return the fields of a decision from its reasons and its version's steps: name -> before, after, who."""
    whys, odd, givens = doc.get("whys", {}), doc.get("odd", {}), doc.get("givens", {})
    votes = {platform: packed | {"usual": full_facts(packed["usual"])} for platform, packed in doc.get("votes", {}).items()}
    found = []
    for name, (before, after, who) in steps.items():
        why, rule = whys.get(name) or (doc["why"], doc["rule"])
        inputs = odd[name] if name in odd else unpack_votes(votes, name, after)
        given = full_given(givens[name] if name in givens else doc.get("given", {}), before)
        found.append(FieldChange(name, before, after, who, why, rule, inputs, given))
    return found


def unpack_votes(votes: Mapping[str, Any], name: str, won: Value) -> dict[str, Any]:
    """Return every platform's vote on one field."""
    return {
        platform: {"value": won, **packed["usual"], **packed.get("fields", {}).get(name, {})}
        for platform, packed in votes.items()
        if name not in packed.get("not", ())
    }
