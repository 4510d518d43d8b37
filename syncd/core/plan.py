"""What to say to one platform about one record, from the golden and shadow of this moment.

A plan is never stored: it is made again at the moment of sending, so a stale write cannot be sent. A field that is not
written says why it waits (``core.held``), and a plan that still needs proof (a look, a look-up by key, a scan) says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from syncd.core.bounds import not_made
from syncd.core.folds import is_counter, less
from syncd.core.held import UNKNOWN, adjusts, closed_there, closed_to_writes, differs, held_everywhere, why_held
from syncd.core.identity import match_key
from syncd.core.life import before_mark, is_merging
from syncd.core.mapping import ABSENT, native_value
from syncd.core.model import Known, Life, Native, Op, Record, Shadow, ShadowField, Value, Write
from syncd.core.references import native_of, orphaned, take_out_missing
from syncd.core.rules import Entity, Field, Member
from syncd.core.space import Space
from syncd.core.values import NoWord

Need = Literal["", "look", "find", "sweep", "authority", "parent"]
NO_VALUE = "a required field has no value"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send, what it still needs, and which fields wait for what.

    ``need``: "look" (read the thing first), "find" (prove by key that it is not there), "sweep" (a complete scan later than
    the record's birth), "authority" (prove by key that the authority has none), "parent" (a record it refers to has no
    row there yet: ``held`` says which). ``held``: field -> why it waits. A write
    with a need must not be sent.
    """

    write: Write | None = None
    need: Need = ""
    held: Mapping[str, str] = field(default_factory=dict)

    @property
    def pending(self) -> bool:
        """Whether there is something to say, now or once what it needs is there."""
        return self.write is not None


NOTHING = Plan()


def plan(space: Space, record: Record, platform: str, *, only: Iterable[str] | None = None) -> Plan:
    """Return what ``platform`` should be told of ``record``; ``only`` limits an update to these fields.

    Raises nothing: what cannot be written is held, with the reason.
    """
    entity = space.rules.entities[record.entity]
    member = entity.members[platform]
    if member.mode == "observe":
        return NOTHING
    shadow = record.shadows.get(platform)
    if record.life is not Life.ALIVE:
        return plan_delete(space, entity, member, record, shadow)
    if shadow is None or shadow.life is Life.GONE:
        return plan_create(space, entity, member, record, shadow)
    if shadow.life is Life.ARCHIVED:
        return plan_return(space, entity, member, record, shadow)
    if shadow.life is not Life.ALIVE:
        return NOTHING  # left scope: neither written nor made again
    return plan_update(space, entity, member, record, shadow, only=only)


# ---- delete


def plan_delete(space: Space, entity: Entity, member: Member, record: Record, shadow: Shadow | None) -> Plan:
    """A tombstone: take the row away where the rules say so, and only with proof by key at the authority (R27)."""
    if shadow is None or shadow.life is not Life.ALIVE or member.on_delete not in ("delete", "archive"):
        return NOTHING
    if member.on_delete == "archive" and is_walled(member):
        return NOTHING
    op, values = Op.DELETE, dict[str, Native]()
    if member.on_delete == "archive":
        op, values = Op.ARCHIVE, dict([member.deleted] if member.deleted else [])
    version = shadow.version if member.guard == "version" else None
    write = Write(op, member.platform, member.collection, record.id, shadow.id, version, values)
    if not gone_by_key(space, entity, record):
        return Plan(write, "authority")
    return Plan(write, "look" if needs_look(member, shadow, write) else "")


def is_walled(member: Member) -> bool:
    """Return whether the mark of deleted things stands outside ``writable``, where nothing is ever written."""
    return member.writable is not None and member.deleted is not None and member.deleted[0] not in member.writable


def gone_by_key(space: Space, entity: Entity, record: Record) -> bool:
    """Return whether the authority was proved to have no row with this key after the tombstone."""
    if record.tomb is None or record.tomb.platform not in entity.members:
        return False
    authority = entity.members[record.tomb.platform]
    return proved_at(space, entity, record, authority) > record.tomb.as_of


def proved_at(space: Space, entity: Entity, record: Record, member: Member) -> int:
    """Return our number of the newest proof that a platform does not have a record's key: a look-up that found nothing; a
    decided scan only where nothing can be looked up.
    """
    if asked_by(entity, member, golden_values(record)) is not None:
        return space.proofs.get((record.id, member.platform), -1)
    return space.swept.get((member.platform, member.collection), -1)


def asked_by(entity: Entity, member: Member, values: Mapping[str, Value]) -> tuple[str, Native] | None:
    """Return the path and native value by which a platform can be asked for a record: of the first match key of one field that
    it has; None where nothing can be looked up.
    """
    if not member.abilities.find:
        return None
    for match in entity.matches:
        name = match.by[0]
        value = values.get(name)
        if len(match.by) > 1 or value is None or member.platform not in entity.fields[name].maps:
            continue
        if match.when is not None and match_key(entity, match, values) is None:
            continue  # a thing found by a key that is none would not be this record
        try:
            return entity.fields[name].maps[member.platform].path, native_value(entity, member.platform, name, value)
        except NoWord:
            continue
    return None


def golden_values(record: Record) -> dict[str, Value]:
    """Return a record's golden values."""
    return {name: golden.value for name, golden in record.golden.items()}


# ---- create


def plan_create(space: Space, entity: Entity, member: Member, record: Record, shadow: Shadow | None) -> Plan:
    """Make a record on a platform that has none: only if it lives elsewhere, and with proof that it is not there."""
    if not member.abilities.create or not wanted(entity, member, record, shadow):
        return NOTHING
    if incomplete(entity, record):
        return Plan(held=dict.fromkeys(entity.fields, NO_VALUE))
    if unwanted := not_made(entity, member, record, space.now):
        return Plan(held=dict.fromkeys([n for n, f in entity.fields.items() if member.platform in f.maps], unwanted))
    values: dict[str, Value] = {}
    held: dict[str, str] = {}
    for name, mapped in entity.fields.items():
        if member.platform not in mapped.maps or mapped.maps[member.platform].direction == "in":
            continue
        reason = held_everywhere(space, entity, record, mapped) or closed_there(entity, member, mapped)
        if reason:
            held[name] = reason
        elif (value := to_create(record, mapped, member.platform)) is not None:
            values[name] = value
    lost = orphaned(entity, record, member.platform)
    late = take_out_missing(space, member, record, values, held) or bool(lost)
    held |= lost
    write = written(space, entity, member, record, values, op=Op.CREATE, shadow=None)
    if write is None:
        return Plan(held=held)
    return Plan(write, "parent" if late else proof_of_absence(space, entity, member, record), held)


def wanted(entity: Entity, member: Member, record: Record, shadow: Shadow | None) -> bool:
    """Return whether the record should be made on this platform: alive elsewhere, and told so by the rules."""
    if is_merging(shadow) or not any(s.life is Life.ALIVE for p, s in record.shadows.items() if p != member.platform):
        return False
    if shadow is not None and shadow.id:
        return entity.deletes.elsewhere == "restore"
    return member.create


def to_create(record: Record, mapped: Field, platform: str) -> Value:
    """Return the value a create starts with: golden's, else the mapping's default; None leaves the field out."""
    golden = record.golden.get(mapped.name)
    if golden is not None and golden.value is not None:
        return golden.value
    return mapped.maps[platform].default


def incomplete(entity: Entity, record: Record) -> bool:
    """Return whether a required field has no value: such a record spreads nowhere."""
    return any(f.required and ((g := record.golden.get(f.name)) is None or g.value is None) for f in entity.fields.values())


def proof_of_absence(space: Space, entity: Entity, member: Member, record: Record) -> Need:
    """Return what is still needed to know that a platform does not have the record (R24, R28, first fill)."""
    if not all(seen_once(space, record, m) for m in entity.members.values()):
        return "sweep"
    if proved_at(space, entity, record, member) > to_prove(record, member):
        return ""
    if asked_by(entity, member, golden_values(record)) is not None:
        return "find"
    return "sweep" if member.abilities.list else ""  # nobody can ask such a platform: what it holds is what it told us


def to_prove(record: Record, member: Member) -> int:
    """Return our number after which it must be proved: the record's birth, or when its row was last known there."""
    shadow = record.shadows.get(member.platform)
    return max(record.born, shadow.as_of) if shadow is not None else record.born


def seen_once(space: Space, record: Record, member: Member) -> bool:
    """Return whether a platform was swept completely once, or asked for this record; one that cannot be listed counts."""
    return space.is_swept(member) or (record.id, member.platform) in space.proofs


# ---- back from the archive


def plan_return(space: Space, entity: Entity, member: Member, record: Record, shadow: Shadow) -> Plan:
    """Bring back an archived row of a record that lives, where the rules restore: by the field that carries the mark, else by
    what stood in its place before.
    """
    if member.deleted is None or entity.deletes.elsewhere != "restore" or not member.abilities.update:
        return NOTHING
    path, mark = member.deleted
    for name, value in golden_values(record).items():
        mapped = entity.fields.get(name)
        if mapped is None or not is_at(mapped, member.platform, path) or closed_there(entity, member, mapped):
            continue
        write = written(space, entity, member, record, {name: value}, op=Op.UPDATE, shadow=shadow)
        if write is not None and write.values[path] != mark:
            return Plan(write, "look" if needs_look(member, shadow, write) else "")
    before = before_mark(member, shadow)
    if before is ABSENT or is_walled(member):
        return NOTHING
    version = shadow.version if member.guard == "version" else None
    write = Write(Op.UPDATE, member.platform, member.collection, record.id, shadow.id, version, {path: before})
    return Plan(write, "look" if needs_look(member, shadow, write) else "")


def is_at(mapped: Field, platform: str, path: str) -> bool:
    """Return whether a field is mapped to this path on a platform."""
    return platform in mapped.maps and mapped.maps[platform].path == path


# ---- update


def plan_update(
    space: Space, entity: Entity, member: Member, record: Record, shadow: Shadow, *, only: Iterable[str] | None
) -> Plan:
    """Write the fields whose shadow stands for something else than golden."""
    values: dict[str, Value] = {}
    held: dict[str, str] = {}
    for name, mapped in entity.fields.items():
        golden = record.golden.get(name)
        if golden is None or not differs(mapped, shadow.fields.get(name, UNKNOWN), golden, member.platform):
            continue
        reason = why_held(space, entity, member, record, mapped)
        if reason:
            held[name] = reason
        elif only is None or name in only:
            values[name] = golden.value
    late = take_out_missing(space, member, record, values, held)
    if late and not values and member.abilities.update:
        return Plan(Write(Op.UPDATE, member.platform, member.collection, record.id, shadow.id), "parent", held)
    if not values or not member.abilities.update:
        return Plan(held=held) if held else NOTHING
    if incomplete(entity, record):
        return Plan(held={**held, **dict.fromkeys(values, NO_VALUE)})
    whole_groups(entity, record, values)
    write = written(space, entity, member, record, values, op=Op.UPDATE, shadow=shadow)
    if write is None:
        return Plan(held=held)
    return Plan(write, "look" if needs_look(member, shadow, write) else "", held)


def whole_groups(entity: Entity, record: Record, values: dict[str, Value]) -> None:
    """A group is always written whole (R14)."""
    for group in entity.groups.values():
        if any(name in values for name in group.fields):
            values.update({n: g.value for n in group.fields if (g := record.golden.get(n)) is not None})


# ---- from golden to the platform's own values


def written(
    space: Space, entity: Entity, member: Member, record: Record, values: Mapping[str, Value], *, op: Op, shadow: Shadow | None
) -> Write | None:
    """Return the write of these golden values, or None if no value has a word on the platform."""
    paths: dict[str, Native] = {}
    sent: dict[str, Value] = {}
    adjust: dict[str, Value] = {}
    for name, value in {**values, **rest_of_whole(entity, member, shadow, values)}.items():
        mapped = entity.fields[name]
        if member.platform not in mapped.maps or mapped.maps[member.platform].direction == "in":
            continue
        difference = adjustment(member, mapped, shadow, value)
        try:
            native = native_of(space, entity, member.platform, name, value if difference is None else difference)
        except NoWord:
            continue  # a value that the table cannot write is not written there, and is no drift
        paths[mapped.maps[member.platform].path], sent[name] = native, value
        if difference is not None:
            adjust[name] = difference
    if not any(name in sent for name in values):
        return None
    version = shadow.version if shadow and member.guard == "version" else None
    native_id = shadow.id if shadow else None
    at = {name: entity.fields[name].maps[member.platform].path for name in adjust}
    return Write(op, member.platform, member.collection, record.id, native_id, version, paths, sent, adjust, at)


def rest_of_whole(entity: Entity, member: Member, shadow: Shadow | None, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the other fields of a platform that takes whole records: as what they mean, not as they are spelt (R3).

    What is invalid there, or closed to writes, is left to the thing as last read: it is sent back as it was.
    """
    if shadow is None or not member.abilities.whole:
        return {}
    return {
        name: resent_value(known)
        for name, known in shadow.fields.items()
        if name in entity.fields
        and name not in values
        and known.known in (Known.OK, Known.NULL)
        and member.platform in entity.fields[name].maps
        and not closed_to_writes(member, entity.fields[name])
    }


def resent_value(known: ShadowField) -> Value:
    """Return what a field is re-sent as in a whole record."""
    return known.means


def adjustment(member: Member, mapped: Field, shadow: Shadow | None, value: Value) -> Value:
    """Return a counter's difference for a platform that adjusts exactly, else None."""
    if shadow is None or not is_counter(mapped) or not adjusts(member):
        return None
    base = shadow.fields[mapped.name].base
    return None if base is None else less(mapped, value, base)


def needs_look(member: Member, shadow: Shadow, write: Write) -> bool:
    """Return whether the thing must be read before it is written: nothing guards it, or parts of it must be sent along."""
    if not member.abilities.read:
        return False
    if member.guard != "version" or not member.abilities.guard or shadow.version is None:
        return True
    unseen = any(shadow.fields.get(name, UNKNOWN).known is Known.NEVER for name in write.sent)
    return unseen or member.abilities.whole or any("." in path or "[" in path for path in write.values)
