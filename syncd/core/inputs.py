"""What a decision depended on, as it is stored with it, so that it can be derived again bit for bit (``core.rederive``).

``FieldChange.inputs`` has each platform's vote; ``FieldChange.given`` has the rest, and only what was there:

``golden``  what golden was: value (of a group: of all its members), lo, hi, who, provisional, and the words a person ruled on
``slack``   coarsest tick and uncertainty of the clocks that edits were compared with, microseconds
``unsure``  true: golden's own time was one of a bulk touch
``passed``  the platforms that a formula passed over because they were stale
``names``   what the names in conditions and formulas stood for, in the form of ``noted``
``fold``    what a set or a counter was folded with: the platform's state before, and what it said
``person``  true: a person chose the value
``moved``   true: it came from another record, with a row that was linked or split off
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from syncd.core.case import Case, Vote
from syncd.core.mapping import ABSENT
from syncd.core.model import GoldenField, Known, Life, Record, ShadowField
from syncd.core.rules import Name, Truth

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Given = dict[str, Any]


# ---- a rule's ruling


def inputs_of(case: Case) -> dict[str, Any]:
    """Return every platform's vote."""
    return {
        v.platform: {
            "value": v.value,
            "own": v.own,
            "null": v.null,
            "cleared": v.cleared,
            "invalid": v.invalid,
            "stale": v.stale,
            "lo": v.lo,
            "hi": v.hi,
            "reason": v.reason,
        }
        | ({"suspended": v.suspended} if v.suspended else {})
        for v in case.others
    }


def given_of(case: Case) -> Given:
    """Return what the rule saw beside the votes; called before golden takes the new value."""
    given = dict(case.seen)
    golden = case.golden
    if golden is not None and golden.who is not None:
        given["golden"] = golden_of(golden)
    if not given.get("slack", True):
        del given["slack"]
    return given


def golden_of(golden: GoldenField) -> Given:
    """Return golden as it stood."""
    found: Given = {"value": golden.value, "lo": golden.lo, "hi": golden.hi, "who": golden.who}
    if golden.provisional:
        found["provisional"] = True
    if golden.ruled is not None:
        found["ruled"] = golden.ruled
    return found


def votes_in(inputs: Mapping[str, Any]) -> dict[str, Vote]:
    """Return the votes as they were; what an older ledger did not keep is as usual."""
    return {platform: Vote(platform, **vote) for platform, vote in inputs.items()}


def golden_in(given: Mapping[str, Any]) -> GoldenField | None:
    """Return golden as it was, None if nobody had spoken."""
    kept = given.get("golden")
    return None if kept is None else GoldenField(**kept)


# ---- names in formulas


def noting(look: Callable[[Name], Any], seen: dict[str, Any]) -> Callable[[Name], Any]:
    """Return a look that notes each name it is asked for, with its value, under ``names``."""
    names: dict[str, Any] = seen.setdefault("names", {})

    def look_and_note(name: Name) -> Any:
        value = look(name)
        names[named(name)] = noted(value)
        return value

    return look_and_note


def named(name: Name) -> str:
    """Return a name as the formula has it."""
    return f"{name.scope}.{name.path}" if name.scope else name.path


def look_in(names: Mapping[str, Any]) -> Callable[[Name], Any]:
    """Return a look that answers from what was noted; a name that was not asked for then is absent."""
    return lambda name: recalled(names[named(name)]) if named(name) in names else ABSENT


def noted(value: Any) -> Any:
    """Return an expression's value as JSON that says what it was. Text, numbers without fraction and booleans stand bare."""
    if value is ABSENT:
        return {"absent": True}
    if isinstance(value, Decimal):
        return {"number": str(value)}
    if isinstance(value, datetime):
        return {"moment": (value - EPOCH) // timedelta(microseconds=1)}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, (tuple, list)):
        return [noted(one) for one in value]
    if isinstance(value, Mapping):
        return {"object": {str(key): noted(one) for key, one in value.items()}}
    return value


def recalled(kept: Any) -> Any:
    """Return the value that was noted."""
    if isinstance(kept, list):
        return tuple(recalled(one) for one in kept)
    if not isinstance(kept, dict):
        return kept
    if "number" in kept:
        return Decimal(kept["number"])
    if "moment" in kept:
        return EPOCH + timedelta(microseconds=kept["moment"])
    if "day" in kept:
        return date.fromisoformat(kept["day"])
    return {key: recalled(one) for key, one in kept["object"].items()} if "object" in kept else ABSENT


# ---- sets and counters


def fold_of(truth: Truth, record: Record, platform: str, name: str, known: ShadowField) -> Given:
    """Return what a platform's value of a set or a counter is about to be folded with: its own last state, golden's, and for
    ``intersection`` what the other sources hold.
    """
    golden = record.golden.get(name)
    fold: Given = {"platform": platform}
    if known.known is not Known.NEVER:
        fold |= {"known": str(known.known), "raw": known.raw, "means": known.means}
    if known.base is not None:
        fold["base"] = known.base
    if golden is not None:
        fold["golden"] = {"value": golden.value, "who": golden.who}
        if golden.seed is not None:
            fold["golden"]["seed"] = list(golden.seed)
    if truth.how == "intersection":
        others = {p: record.shadows[p] for p in truth.platforms if p != platform and p in record.shadows}
        kept = {p: (s.life, s.fields.get(name)) for p, s in others.items()}
        fold["others"] = {
            p: k.raw for p, (life, k) in kept.items() if life is Life.ALIVE and k is not None and k.known is not Known.NEVER
        }
    return fold
