"""What people are told of what happened: one line each, with the same facts as fields."""

from collections.abc import Iterable, Sequence
from typing import Any

from syncd.core.life import IDENTITY
from syncd.core.model import Op, Value
from syncd.core.rules import Rules
from syncd.core.space import Decision
from syncd.daemon.events import Event, say
from syncd.daemon.journal import Sending
from syncd.daemon.judge import Judged, Opened
from syncd.daemon.settle import Settled
from syncd.daemon.weigh import Trip
from syncd.ledger.proposals import Proposal
from syncd.reports.masks import hide, hide_quotes, mask, worth

STRAY = {"revert": "put back", "keep": "kept", "review": "waits for a person", "lost": "lost to the rule"}


def line(entity: str, record: str, *parts: object) -> str:
    """Return a line about a record, its columns aligned as far as the words allow."""
    head = f"{entity} {record}"
    return "  ".join([f"{head:<20}", *(str(part) for part in parts if str(part))]).rstrip()


def shown(value: Value) -> str:
    """Return a value as it stands in a line."""
    if value is None:
        return "(empty)"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def is_personal(rules: Rules, entity: str, name: str) -> bool:
    """Return whether a field, or one of a group, is personal: its values are said as masks."""
    known = rules.entities.get(entity)
    if known is None:
        return False
    names = known.groups[name].fields if name in known.groups else (name,)
    return any(known.fields[one].pii for one in names if one in known.fields)


def tells_keys(rules: Rules, opened: Opened) -> bool:
    """Return whether a conflict quotes match keys of two records, and such a key may be personal."""
    known = rules.entities.get(opened.entity)
    if known is None or opened.conflict.name != IDENTITY:
        return False
    return any(is_personal(rules, opened.entity, name) for match in known.matches for name in match.by)


def judged(found: Judged, rules: Rules) -> None:
    """Tell what a batch came to: new records, stray edits, conflicts, what could not be understood."""
    for decision in found.decisions:
        entity, record = found.names.get(decision.record, ("", str(decision.record)))
        _decision(decision, entity, record)
    for opened in found.opened:
        _conflict(opened, rules)
    for broken in found.broken:
        unreadable(rules, broken.platform, broken.collection, f" {broken.id or ''}: {broken.reason}")
        letters(broken.platform, broken.collection, 1)


def unreadable(rules: Rules, platform: str, collection: str, said: str) -> None:
    """Tell of a thing that could not be read. Where it may have personal fields whatever the reason quotes is a mask."""
    entity = rules.entity_of(platform, collection)
    if entity is not None and any(field.pii for field in entity.fields.values()):
        paths = {place.path for field in entity.fields.values() for place in field.maps.values()}
        said = hide_quotes(said, {*entity.fields, *paths})
    say(Event.READING_BROKEN, f"{platform} {collection}{said}", platform=platform, collection=collection)


def letters(platform: str, collection: str, count: int) -> None:
    """Tell of new dead letters about things that could not be read; what they held is for who asks."""
    if count:
        text = f"{platform} {collection}: {count:,} dead letter{'' if count == 1 else 's'}: could not be read (syncd dead)"
        say(Event.LETTER_OPEN, text, platform=platform, collection=collection, count=count)


def _decision(decision: Decision, entity: str, record: str) -> None:
    if decision.version == 1 and decision.fields:
        say(Event.RECORD_NEW, line(entity, record, "new", decision.cause), entity=entity, record=record)
    for stray in decision.strays:
        about = {"entity": entity, "record": record, "field": stray.field, "platform": stray.platform}
        text = line(entity, record, f"{stray.field:<8}", f"edit in {stray.platform}", STRAY.get(stray.action, stray.action))
        say(Event.STRAY_EDIT, text, action=stray.action, **about)


def _conflict(opened: Opened, rules: Rules) -> None:
    conflict = opened.conflict
    values = " / ".join(f"{shown(value)} {platform}" for platform, value in conflict.values.items())
    number = f"c-{conflict.id}" if conflict.id else ""
    text = line(opened.entity, opened.record, f"{conflict.name or '(identity)':<8}", values, "held", conflict.why, number)
    quotes_keys = tells_keys(rules, opened)
    if quotes_keys or is_personal(rules, opened.entity, conflict.name):
        text = hide(text, worth([conflict.values, conflict.proposal]))
    if quotes_keys:
        text = hide_quotes(text, ())
    say(Event.CONFLICT_OPEN, text, entity=opened.entity, record=opened.record, field=conflict.name or None, conflict=number)


def trips(found: Iterable[Trip]) -> None:
    """Tell of breakers that stopped writes."""
    for trip in found:
        limit = " and ".join(
            filter(None, (str(trip.limit.max) if trip.limit.max is not None else "", _percent(trip.limit.ratio)))
        )
        what = "paused" if trip.paused else "only told: on_trip is warn"
        text = f"{trip.platform} {trip.entity}: {trip.count} {trip.kind} of {trip.linked} is over {limit}; {what}"
        say(Event.BREAKER_TRIP, text, platform=trip.platform, entity=trip.entity, kind=trip.kind, count=trip.count)


def _percent(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio * 100:g}%"


def proposed(found: Iterable[Proposal]) -> None:
    """Tell of writes that wait for approval."""
    for one in found:
        names = ", ".join(field.field for field in one.fields)
        text = line(one.entity, one.key, names, f"proposed for {one.platform}", str(one.op), f"ch-{one.id}")
        say(Event.WRITE_PROPOSED, text, entity=one.entity, record=one.key, platform=one.platform, change=f"ch-{one.id}")


def fields_of(sending: Sending) -> dict[str, Any]:
    """Return the facts about a write that every event about it has."""
    write = sending.attempt.write
    return {"entity": sending.entity, "record": sending.record, "platform": write.platform, "op": str(write.op)}


def doubted(sending: Sending, why: str) -> str:
    """Return the line about a write whose outcome is unknown."""
    return line(sending.entity, sending.record, f"{sending.attempt.write.op} {sending.attempt.write.platform}", "in doubt", why)


def resolved(sending: Sending, how: str) -> None:
    """Tell what an attempt in doubt came to."""
    text = line(sending.entity, sending.record, f"{sending.attempt.write.op} {sending.attempt.write.platform}", how)
    say(Event.WRITE_RESOLVED, text, **fields_of(sending))


def settled(found: Settled, rules: Rules) -> None:
    """Tell what became of a write; personal values, also those that a platform's answer quotes, as masks."""
    sending = found.outcome.sending
    write = sending.attempt.write
    secret = {n: (value, write.before.get(n)) for n, value in write.sent.items() if is_personal(rules, sending.entity, n)}
    moved = [step if step[0] not in secret else (step[0], mask(step[1]), mask(step[2]), *step[3:]) for step in found.fields]
    why = hide(found.why, worth(secret)) if secret else found.why
    about = fields_of(sending) | {"duration_ms": round(found.outcome.micros / 1000, 1)}
    where = f"{write.op} {write.platform}"
    if found.how == "done":
        _done(found, moved, about)
    elif found.how == "refused":
        letter = f"d-{found.letter}" if found.letter else ""
        say(Event.WRITE_REFUSED, line(sending.entity, sending.record, where, "refused", why, letter), **about)
    elif found.how == "stale":
        say(Event.WRITE_STALE, line(sending.entity, sending.record, where, "edited meanwhile", why), **about)
    else:
        say(Event.WRITE_LATER, line(sending.entity, sending.record, where, "later", why), **about)


def _done(found: Settled, moved: Sequence[Any], about: dict[str, Any]) -> None:
    sending, took = found.outcome.sending, f"{found.outcome.micros / 1000:.0f} ms"
    write = sending.attempt.write
    if write.op is not Op.UPDATE:
        words = {Op.CREATE: "made in", Op.DELETE: "deleted in", Op.ARCHIVE: "archived in"}
        say(Event.WRITE_OK, line(sending.entity, sending.record, words[write.op], write.platform, took), **about)
        return
    for name, before, after, who, rule in moved:
        path = f"{who or 'rule'} > {write.platform}"
        parts: Sequence[object] = (f"{name:<8}", f"{shown(before)} -> {shown(after)}", path, f"rule {rule}", took)
        say(Event.WRITE_OK, line(sending.entity, sending.record, *parts), field=name, rule=rule, **about)
