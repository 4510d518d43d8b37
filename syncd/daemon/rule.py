"""A person's word, in the ledger's thread: on a conflict, a proposal, a dead letter, a breaker."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncd.core.conclude import conclude, snapshot
from syncd.core.life import clear_links
from syncd.core.model import GoldenField, Life, Record, Tombstone, Value
from syncd.core.native import Invalid
from syncd.core.resolve import case_of
from syncd.core.rules import Field
from syncd.core.space import Link, Space
from syncd.core.subject import Subject, subjects
from syncd.daemon.judge import Judged, store
from syncd.daemon.scene import Scene
from syncd.daemon.weigh import BREAKER, limit_of, parked
from syncd.errors import SyncdError
from syncd.ledger import audit, breakers, conflicts, letters, outbox, proposals, records
from syncd.ledger.breakers import Breaker
from syncd.ledger.conflicts import Open
from syncd.ledger.letters import Letter
from syncd.ledger.schema import Database


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said about a conflict: take a platform's value, take this value, or keep golden."""

    by: str
    note: str = ""
    take: str | None = None
    value: Value = None
    keep: bool = False

    @property
    def text(self) -> str:
        """The word as the history keeps it."""
        said = f"take {self.take}" if self.take else ("keep" if self.keep else f"value {self.value}")
        return f"{said}: {self.note}" if self.note else said


@dataclass(slots=True)
class Done:
    """What a person's word led to: the records concerned, things and collections to be read again."""

    records: set[int] = field(default_factory=set)
    count: int = 0
    things: list[tuple[str, str, str]] = field(default_factory=list)
    sweeps: set[tuple[str, str]] = field(default_factory=set)
    judged: Judged = field(default_factory=Judged)


# ---- conflicts


def resolve_conflict(db: Database, scene: Scene, number: int, word: Word) -> Done:
    """Settle a conflict about a record by a person's word. Raises SyncdError if it cannot be settled that way."""
    conflict = open_conflict(db, number)
    if conflict.record is None:
        raise SyncdError(
            f"c-{number} is about which record {' '.join(conflict.thing or ())} is: no value settles it."
            " Say --link A B or --split; or correct the keys on one of the platforms: it closes by itself"
        )
    if conflict.kind == "identity":
        raise SyncdError(
            f"c-{number} is about whether {conflict.key} and another are one: no value settles it. Say --link A B or --split;"
            " or correct the keys on one of the platforms: it closes by itself"
        )
    space, done = scene.space(), Done({conflict.record}, 1)
    loaded = records.load(db, space, records=[conflict.record])
    record = space.records[conflict.record]
    if record.entity not in space.rules.entities:
        raise SyncdError(f"c-{number} is about {record.entity}, which the config knows no more")
    before = snapshot(record)
    if conflict.kind == "delete":
        rule_on_life(space, record, conflict, word)
    else:
        rule_on_value(space, record, conflict, word)
    space.closed.append((number, "resolved", word.text))
    cause = f"conflict c-{number} settled by {word.by}"
    decision = conclude(space, record, cause, before=before)
    decision.notes.append(word.text)
    space.behind |= {(record.id, platform) for platform in space.rules.entities[record.entity].members}
    store(db, space, loaded, (), done.judged)
    conflicts.note(db, number, word.text, by=word.by, now=scene.now)
    audit.add(db, word.by, "resolve", {"conflict": number, "said": word.text}, now=scene.now)
    return done


def open_conflict(db: Database, number: int) -> Open:
    """Return an open conflict; raises SyncdError if there is none."""
    conflict = conflicts.get(db, number)
    if conflict is None:
        raise SyncdError(f"no conflict c-{number} in the ledger")
    if conflict.state != "open":
        raise SyncdError(f"c-{number} is closed already ({conflict.how or 'settled'})")
    return conflict


def rule_on_value(space: Space, record: Record, conflict: Open, word: Word) -> None:
    """Put a person's word into golden; it stands until one of the platforms says something new."""
    subject = next((s for s in subjects(space.rules.entities[record.entity]).values() if s.name == conflict.field), None)
    if subject is None:
        raise SyncdError(f"c-{conflict.id} is about {conflict.field}, which the config knows no more")
    case = case_of(space, record, subject)
    ruled = {vote.platform: vote.value for vote in case.others if vote.own}
    values = chosen(record, subject, word, {vote.platform: vote.value for vote in case.others})
    for mapped, value in zip(subject.fields, values, strict=True):
        old = record.golden.get(mapped.name) or GoldenField()
        if word.keep and old.who is None:
            raise SyncdError(f"{mapped.name} has no value yet: there is nothing to keep")
        times = (old.lo, old.hi) if word.keep else (space.now, space.now)
        who = old.who if word.keep else "person"
        record.golden[mapped.name] = GoldenField(value, *times, who, seed=old.seed, ruled=ruled, version=old.version)
        settle_shadows(record, mapped.name)
    record.conflicts.pop(conflict.field, None)


def settle_shadows(record: Record, name: str) -> None:
    """Nothing of a field waits for a person any more, and its revert war is over."""
    for shadow in record.shadows.values():
        known = shadow.fields.get(name)
        if known is not None:
            known.kept, known.review, known.flips = None, False, 0


def chosen(record: Record, subject: Subject, word: Word, held: Mapping[str, Value]) -> tuple[Value, ...]:
    """Return the value of each field that a person chose; raises SyncdError for one that cannot be."""
    if word.keep:
        return tuple(golden.value if (golden := record.golden.get(f.name)) else None for f in subject.fields)
    if word.take is not None:
        if word.take not in held:
            raise SyncdError(f"{word.take} has no value of {subject.name}; those who have: {', '.join(held) or 'nobody'}")
        return subject.unpack(held[word.take])
    if not subject.single:
        raise SyncdError(f"{subject.name} is a group of fields: take a platform's, or keep golden")
    return (parsed(subject.fields[0], word.value),)


def parsed(mapped: Field, text: Value) -> Value:
    """Return a value as a person typed it; raises SyncdError if it does not fit."""
    try:
        raw = json.loads(text) if mapped.type.is_set or mapped.type.name == "json" else text
        value = None if raw in ("", None) and not mapped.blank_is_value else mapped.type.read(raw)
    except (Invalid, ValueError, TypeError) as error:
        raise SyncdError(f"{mapped.name} cannot be {text!r}: {error}") from error
    problem = next((p for check in mapped.checks if value is not None and (p := check.problem(value))), None)
    if problem:
        raise SyncdError(f"{mapped.name} cannot be {text!r}: {problem}")
    return value


def rule_on_life(space: Space, record: Record, conflict: Open, word: Word) -> None:
    """Decide about a deletion that its platform may not decide: take it everywhere, or keep the record alive."""
    platform = conflict.field.strip("()")
    if word.value is not None:
        raise SyncdError(f"c-{conflict.id} is about a deletion: take {platform}, or keep the record")
    if word.take not in (None, platform):
        raise SyncdError(f"c-{conflict.id} is about a deletion in {platform}: take that, or keep the record")
    record.conflicts.pop(conflict.field, None)
    shadow = record.shadows.get(platform)
    if word.take:
        record.life = Life.GONE
        record.tomb = Tombstone(space.number(), space.now, f"deleted in {platform}, confirmed by {word.by}", platform)
        clear_links(space, record)
    elif shadow is not None and shadow.life is Life.GONE:
        space.link((platform, shadow.collection, shadow.id), Link(record.id, Life.GONE, f"gone; kept alive by {word.by}"))
        del record.shadows[platform]  # made again there if `create:` says so


# ---- proposed writes, dead letters and breakers


def decide_proposals(db: Database, scene: Scene, numbers: Sequence[int], state: str, *, by: str, note: str) -> Done:
    """Approve or reject proposed writes; raises SyncdError if one of them does not wait any more."""
    found = proposals.decide(db, numbers, state, by=by, note=note or None, now=scene.now)
    missing = sorted(set(numbers) - {one.id for one in found})
    if missing:
        names = ", ".join(f"ch-{number}" for number in missing)
        raise SyncdError(f"no change that waits: {names}")
    behind = {(one.record, one.platform) for one in found}
    if state == "approved":
        outbox.mark(db, sorted(behind), scene.now)
        for record, platform in behind:
            outbox.hasten(db, platform, record=record)
    audit.add(db, by, state, {"changes": list(numbers), "note": note}, now=scene.now)
    return Done({one.record for one in found} if state == "approved" else set(), len(found))


def close_letters(db: Database, scene: Scene, chosen_: Sequence[int], state: str, *, by: str, note: str) -> Done:
    """Retry or discard dead letters; a retry decides again from present readings, never from the letter."""
    found = letters.set_state(db, chosen_, state, note=note or None, now=scene.now)
    missing = sorted(set(chosen_) - {one.id for one in found})
    if missing:
        raise SyncdError(f"no open dead letter: {', '.join(f'd-{number}' for number in missing)}")
    done = Done(count=len(found))
    for letter in found if state == "retried" else ():
        try_again(db, scene, letter, done)
    audit.add(db, by, state, {"letters": list(chosen_), "note": note}, now=scene.now)
    return done


def try_again(db: Database, scene: Scene, letter: Letter, done: Done) -> None:
    """Have the record of a letter planned again, or its thing read again."""
    if letter.kind == "write" and letter.record is not None:
        outbox.mark(db, [(letter.record, letter.platform)], scene.now)
        outbox.hasten(db, letter.platform, record=letter.record)
        done.records.add(letter.record)
    elif letter.kind == "reading":
        collection = letter.collection or letter.what.removeprefix("read ")
        if letter.thing is not None:
            done.things.append((letter.platform, collection, letter.thing))
        else:
            done.sweeps.add((letter.platform, collection))


def letters_of(
    db: Database, *, letters_: Sequence[int], groups: Sequence[int], everything: bool, most: int | None
) -> list[int]:
    """Return the open letters that were named, of the groups that were named, or all; at most so many, oldest first."""
    found = list(letters_)
    for group in groups:
        members = [letter.id for letter in letters.in_state(db, group=group)]
        if not members:
            raise SyncdError(f"no open letter in group dg-{group}")
        found += members
    if everything:
        found = [letter.id for letter in letters.in_state(db)]
    return list(dict.fromkeys(found))[:most]


def of_pair(db: Database, platform: str, entity: str) -> list[Breaker]:
    """Return the open breakers of a platform and entity."""
    return [one for one in breakers.standing(db) if (one.platform, one.entity) == (platform, entity)]


def longest_window(scene: Scene, entity: str) -> int:
    """Return the longest window in which writes of an entity are counted."""
    rules = scene.rules.entities.get(entity)
    return max(limit_of(rules, kind).per for kind in breakers.KINDS) if rules else 0


def reset_breaker(db: Database, scene: Scene, request: Mapping[str, Any]) -> Done:
    """Close the breakers of a platform and entity; the parked work is planned again. Raises SyncdError if none is open.

    Without a number what is parked now is allowed, and no more: that is what a person looked at.
    """
    platform, entity = str(request["platform"]), str(request["entity"])
    allow, period = request.get("allow"), request.get("for_us")
    until = scene.now + int(period) if period is not None else None
    by, note = str(request.get("by") or ""), str(request.get("note") or "")
    if allow is None and not any(one.kind == "shrink" for one in of_pair(db, platform, entity)):
        allow, until = parked(db, scene, platform, entity) or None, scene.now + longest_window(scene, entity)
    found = breakers.reset(db, platform, entity, allow=allow, until=until, note=note, by=by, now=scene.now)
    if not found:
        raise SyncdError(f"no breaker of {platform} {entity} is open")
    done = Done(count=len(found))
    outbox.release(db, BREAKER, platform=platform, entity=entity)
    done.records = outbox.of_entity(db, platform, entity)
    member = scene.rules.entities[entity].members.get(platform) if entity in scene.rules.entities else None
    if member is not None and any(one.kind == "shrink" for one in found):
        done.sweeps.add((platform, member.collection))
    audit.add(db, by, "breaker reset", {"platform": platform, "entity": entity, "allow": allow, "note": note}, now=scene.now)
    return done
