"""Two records that are one: found so by their keys, or said so by a person.

A record has one row on a platform, so two records come together only where no platform has two living rows; the lower id
survives, moved rows keep all that is known of them, counters add nothing, sets add members and lose none, and every other
field is resolved again (semantics, H36). A key that *arrives* (there was none before) unites by itself; a key that *changes*
into another record's is a question, unless the other record's row went away where the key changed: then the platform itself
made one of two.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from syncd.core.conclude import conclude, snapshot
from syncd.core.folds import folds, is_counter, is_set
from syncd.core.identity import golden_values, key_fields, match_keys, record_keys
from syncd.core.life import IDENTITY, life_conflict
from syncd.core.merged import count_deletions, has_standing, is_apart, keep_mark, merging, told_by
from syncd.core.model import Conflict, GoldenField, Life, Record, Shadow, Tombstone
from syncd.core.rules import Entity, Field, Match
from syncd.core.space import Decision, Key, Link, Space

LINK = "link"  # what the conflict suggests where the two become one as soon as they can
PLACES = (Life.ALIVE, Life.LEFT, Life.ARCHIVED, Life.GONE)  # whose row is the record's, if it could have two
HERE = (Life.ALIVE, Life.LEFT)


@dataclass(frozen=True, slots=True)
class Rival:
    """Another record that may be this one: it has a key of it, or a platform told (``told``) that it made one of two things."""

    record: Record
    match: Match | None = None
    key: Key | None = None
    told: str = ""

    @property
    def sure(self) -> bool:
        """Whether that is enough without a person."""
        return self.match is None or self.match.confidence != "review"

    @property
    def by(self) -> tuple[str, ...]:
        """The fields that the key is made of."""
        return self.match.by if self.match is not None else ()

    @property
    def text(self) -> str:
        """The key, for people."""
        return f"{self.match.text} {self.key[2]}" if self.match is not None and self.key is not None else ""


def meet(space: Space, record: Record, arrived: Collection[tuple[Key, int]] = ()) -> None:
    """Compare a record with those that have one of its keys: unite them, or open, keep or close its identity conflict.

    ``arrived`` has the keys, each with the record, that a record has for the first time under that match.
    """
    if record.life is not Life.ALIVE:
        return None
    entity = space.rules.entities[record.entity]
    count_deletions(space, record)
    before, questions = record.conflicts.get(IDENTITY), list[tuple[Rival, str, bool]]()
    for rival in rivals(space, entity, record):
        wanted = is_wanted(record, rival, before, arrived)
        why = obstacle(space, record, rival.record)
        if wanted and not why:
            unite(space, record, rival.record, rival.told or f"both have {rival.text}")
            survivor = min(record, rival.record, key=lambda r: r.id)
            return meet(space, survivor, arrived)
        if rival.sure or not has_two_rows(record, rival.record):
            questions.append((rival, why, wanted))
    ask_which(space, entity, record, before, questions)
    return None


def is_wanted(record: Record, rival: Rival, before: Conflict | None, arrived: Collection[tuple[Key, int]]) -> bool:
    """Return whether a key makes one of two records without a person: it arrived, or the platform itself did it."""
    if rival.told or not rival.sure:
        return bool(rival.told)
    waits = before is not None and before.proposal == LINK and rival.record.id in before.others
    fresh = (rival.key, record.id) in arrived or (rival.key, rival.record.id) in arrived
    return waits or fresh or is_followed(record, rival) or is_followed(rival.record, replace(rival, record=record))


def is_followed(record: Record, rival: Rival) -> bool:
    """Return whether the platform that gave a record its key has no row of the other one any more: it made one of two."""
    for name in rival.by:
        golden = record.golden.get(name)
        platform = golden.who if golden is not None else None
        here, there = record.shadows.get(platform or ""), rival.record.shadows.get(platform or "")
        if here is not None and there is not None and here.life in HERE and there.life is Life.GONE:
            return True
    return False


def rivals(space: Space, entity: Entity, record: Record) -> list[Rival]:
    """Return the other records that have a key of this one, or that a platform made one with it, each once."""
    found = told_rivals(space, record)
    for match, key in match_keys(entity, golden_values(record, key_fields(entity)), space.now):
        for number in sorted(space.keys.get(key, ())) if key is not None else ():
            other = space.records.get(number)
            if other is None or other is record or number in found or not has_standing(other):
                continue
            if key is not None and key in record_keys(entity, other, space.now) and not is_apart(space, record, other):
                found[number] = Rival(other, match, key)
    return list(found.values())


# ---- may they be one


def obstacle(space: Space, one: Record, other: Record) -> str:
    """Return why two records cannot be one now, or ''."""
    for platform in space.rules.entities[one.entity].members:
        if is_double(one, other, platform):
            rows = one.shadows[platform].id, other.shadows[platform].id
            return f"both have a row in {platform} ({', '.join(rows)})"
    if any(number in (one.id, other.id) for number, _ in space.in_flight):
        return "a write to one of them is under way"
    return ""


def is_double(one: Record, other: Record, platform: str) -> bool:
    """Return whether both records live on a platform."""
    rows = one.shadows.get(platform), other.shadows.get(platform)
    return all(row is not None and row.life in HERE for row in rows)


def has_two_rows(one: Record, other: Record) -> bool:
    """Return whether a platform has a living row of each."""
    return any(is_double(one, other, platform) for platform in one.shadows)


def ask_which(
    space: Space, entity: Entity, record: Record, before: Conflict | None, questions: list[tuple[Rival, str, bool]]
) -> None:
    """Open the record's identity conflict, bring it up to date, or close it: nobody else has its keys any more."""
    if not questions:
        if record.conflicts.pop(IDENTITY, None) is not None:
            space.touch(record)
            conclude(space, record, "nobody else has its key", before=snapshot(record))
        return
    texts = [said(rival, why) for rival, why, _ in questions]
    about = {name for rival, _, _ in questions if rival.sure for name in rival.by}
    conflict = Conflict(
        IDENTITY,
        "identity",
        "; ".join(texts),
        held_by(record, keyed[0]) if (keyed := [n for rival, _, _ in questions for n in rival.by]) else rows_of(record),
        before.id if before else None,
        before.opened_at if before else space.now,
        LINK if all(wanted for _, _, wanted in questions) else None,  # it is said of all of them
        tuple(rival.record.id for rival, _, _ in questions),
        tuple(name for name in entity.fields if name in about),
    )
    if conflict != before:
        record.conflicts[IDENTITY] = conflict
        space.touch(record)


def said(rival: Rival, why: str) -> str:
    """Return the question about one other record, for people."""
    name, more = called(rival.record), f"; {why}" if why else ""
    if rival.told:
        return f"ambiguous: is it {name}? {rival.told}{more}"
    if not rival.sure and rival.match is not None:
        return f"to be confirmed: {name} has the same {rival.match.text}"
    return f"ambiguous: {name} has {rival.text} too{more}"


def called(record: Record) -> str:
    """Return what a record is called, with its own id where that is not its key."""
    own = f"{record.entity[:1]}{record.id}"
    return own if record.key in ("", own) else f"{record.key} ({own})"


def held_by(record: Record, name: str) -> dict[str, object]:
    """Return what each platform holds in a field of a record."""
    rows = ((p, s.fields.get(name)) for p, s in record.shadows.items() if s.life is Life.ALIVE)
    return {platform: known.raw for platform, known in rows if known is not None}


def rows_of(record: Record) -> dict[str, object]:
    """Return a record's row on each platform where it lives."""
    return {platform: row.id for platform, row in record.shadows.items() if row.life in HERE}


# ---- a merge that a platform tells of


def follow(space: Space, record: Record, other: Record, platform: str) -> None:
    """Make one record of two whose things a platform made one; where they cannot be one now, or a person keeps them apart, that
    is settled as ``meet`` says.
    """
    row = record.shadows[platform]
    if is_apart(space, record, other):
        count_deletions(space, record)
        return
    why = obstacle(space, record, other)
    if not why:
        unite(space, record, other, told_by(row))
        return
    for one, two in ((record, other), (other, record)):
        before = one.conflicts.get(IDENTITY)
        text = said(Rival(two, told=told_by(row)), why)
        conflict = Conflict(IDENTITY, "identity", text, rows_of(one), opened_at=space.now, proposal=LINK, others=(two.id,))
        if before is not None:  # what is asked already stays
            more = (*before.others, *(() if two.id in before.others else (two.id,)))
            conflict = replace(before, why=f"{before.why}; {text}", others=more)
        one.conflicts[IDENTITY] = conflict
        space.touch(one)


def told_rivals(space: Space, record: Record) -> dict[int, Rival]:
    """Return the records whose things a platform made one with this one's."""
    found = {other.id: Rival(other, told=told_by(row)) for row, other in merging(space, record) if other is not None}
    if IDENTITY in record.conflicts:
        others = [one for one in space.records.values() if one.life is Life.ALIVE and one.entity == record.entity]
        found |= {one.id: Rival(one, told=told_by(row)) for one in others for row, two in merging(space, one) if two is record}
    return {number: rival for number, rival in found.items() if not is_apart(space, record, rival.record)}


# ---- one of two


def unite(space: Space, one: Record, other: Record, why: str) -> Record:
    """Make one record of two; the lower id survives and is returned. The caller has asked ``obstacle``."""
    survivor, loser = (one, other) if one.id < other.id else (other, one)
    entity = space.rules.entities[survivor.entity]
    told, before = (called(survivor), called(loser)), snapshot(survivor)
    lead, rest = (survivor, loser) if survivor.life is Life.ALIVE else (loser, survivor)
    names = [name for name in entity.fields if name in lead.golden or name in rest.golden]
    golden = {name: golden_of_both(entity.fields[name], lead, rest) for name in names}
    survivor.golden = {name: field for name, field in golden.items() if field is not None}
    survivor.life, survivor.tomb = Life.ALIVE, None
    for conflict in (IDENTITY, *loser.conflicts):
        survivor.conflicts.pop(conflict, None)
    move_rows(space, survivor, loser, why)
    withdraw_record(space, loser, f"one with {told[0]}: {why}")
    note_version(space, survivor, f"{told[1]} is one with it: {why}")
    space.united.append((loser.id, survivor.id, why))
    space.apart.discard((survivor.id, loser.id))
    survivor.key = ""  # named anew by what it holds now
    conclude(space, survivor, f"one with {told[1]}", before=before)
    return survivor


def golden_of_both(field: Field, lead: Record, rest: Record) -> GoldenField | None:
    """Return what golden is before the fields are resolved again: nothing is counted twice, no member is lost (H36)."""
    mine, theirs = lead.golden.get(field.name), rest.golden.get(field.name)
    if mine is None or theirs is None:
        return mine or theirs
    if theirs.who is None or is_counter(field):
        return mine if mine.who is not None else theirs
    if mine.who is None or (mine.provisional and not theirs.provisional):
        return theirs
    if is_set(field):
        have = folds(field, mine.value)
        more = [m for m in theirs.value or () if field.equal.fold(m) not in have]
        return replace(mine, value=sorted([*(mine.value or ()), *more])) if more else mine
    return theirs if is_later(field, mine, theirs) else mine


def is_later(field: Field, mine: GoldenField, theirs: GoldenField) -> bool:
    """Return whether the other golden is the better start: a value instead of a blank, or a newer one where that counts."""
    if mine.value is None or theirs.value is None:
        return mine.value is None and theirs.value is not None
    return field.truth is not None and field.truth.how == "newest" and theirs.hi > mine.hi


def move_rows(space: Space, survivor: Record, loser: Record, why: str) -> None:
    """Give the survivor the loser's rows; of two on one platform only one lives, and that one is the record's."""
    for platform, row in list(loser.shadows.items()):
        known = survivor.shadows.get(platform)
        taken = known is None or rank(row) < rank(known)
        if taken:
            survivor.shadows[platform] = row
        keep_mark(space, survivor, loser, [one for one in (known, row) if one is not None])
        left = known if taken else row
        if left is not None and left.id and left.id != survivor.shadows[platform].id:
            space.link((platform, left.collection, left.id), Link(survivor.id, Life.GONE, "another row of its record lives"))
        if taken and row.id:
            life = Life.GONE if row.life is Life.GONE else Life.ALIVE
            space.link((platform, row.collection, row.id), Link(survivor.id, life, f"linked: {why}"))
            space.settled.append((platform, row.collection, row.id))
        if taken and row.life in HERE:
            survivor.conflicts.pop(life_conflict(platform), None)  # the record is there after all


def rank(row: Shadow) -> tuple[int, int]:
    """Return the place of a row among two of one platform: the living before the others, then the last seen."""
    return PLACES.index(row.life), -row.as_of


def withdraw_record(space: Space, record: Record, proof: str) -> None:
    """End a record that became one with another: it has no row, no key and nothing to say; its history stays."""
    for keys in space.keys.values():
        keys.discard(record.id)
    record.shadows.clear()
    record.golden.clear()
    record.conflicts.clear()
    record.life, record.tomb = Life.GONE, Tombstone(space.number(), space.now, proof)
    note_version(space, record, proof)
    space.behind |= {(record.id, platform) for platform in space.rules.entities[record.entity].members}


def note_version(space: Space, record: Record, cause: str) -> None:
    """Write into a record's history what became of it, as a version in which no field moves."""
    record.version += 1
    space.decisions.append(Decision(record.id, record.version, space.now, cause, notes=[cause]))
    space.touch(record)

