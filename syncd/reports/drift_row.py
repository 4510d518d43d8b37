"""From a difference, as the core finds it, to a row of the drift report."""

from syncd.core.drift import Action, Difference, Place
from syncd.core.model import Change
from syncd.core.rules import At
from syncd.reports import figures
from syncd.reports.drift import Row


def row_of(place: Place, found: Difference, change: Change | None = None) -> Row:
    """Return a row; ``change`` is the look that showed it. Since when, and how often, is the ledger's to add."""
    golden = place.record.golden.get(found.field or "")
    return {
        "entity": place.entity.name,
        "record": place.record.key,
        "field": found.field,
        "platform": found.platform,
        "why": str(found.why),
        "truth": {
            "value": figures.exact(found.truth),
            "platform": golden.who if golden else None,
            "version": golden.version if golden else place.record.version,
        },
        "found": {
            "value": figures.exact(found.found),
            "platform": found.platform,
            "changed_at": figures.stamp(_changed_at(place, found, change)),
            "by": change.by if change else None,
        },
        "rule": _rule(place, found.field),
        "action": _action(found.action),
        "reason": found.note or None,
        "first_seen": None,
        "times_seen": 1,
    }


def _changed_at(place: Place, found: Difference, change: Change | None) -> int | None:
    """Return when the platform's side changed, as far as it is known."""
    mapped = place.entity.fields.get(found.field or "")
    target = mapped.maps.get(found.platform) if mapped else None
    if change is not None:
        told = (change.times or {}).get(target.path) if target else None
        return told if told is not None else change.changed_at
    shadow = place.record.shadows.get(found.platform)
    known = shadow.fields.get(found.field or "") if shadow else None
    return known.hi or None if known else None


def _rule(place: Place, name: str | None) -> dict[str, str | int] | None:
    mapped = place.entity.fields.get(name or "")
    if mapped is None:
        return None
    truth = place.entity.groups[mapped.group].truth if mapped.group else mapped.truth
    at = truth.at if truth else At()
    return {"file": at.file, "line": at.line, "strategy": truth.how if truth else ""}


def _action(action: Action | None) -> dict[str, object] | None:
    if action is None:
        return None
    return {"op": action.op, "platform": action.platform, "path": action.path, "value": figures.exact(action.value)}
