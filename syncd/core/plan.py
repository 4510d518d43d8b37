"""What to say to one platform about one record, from the golden and shadow of this moment.

A plan is never stored: it is made again at the moment of sending, so a stale write cannot be sent. A field that is not
written says why it waits, and a plan that still needs proof (a look, a look-up by key, a scan) says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from syncd.core.absorb import is_counter, less
from syncd.core.mapping import native_value
from syncd.core.model import GoldenField, Known, Life, Native, Op, Record, Shadow, ShadowField, Value, Word, Write
from syncd.core.resolve import is_stale
from syncd.core.rules import Entity, Field, Member, Truth
from syncd.core.space import Space
from syncd.core.values import NoWord

Need = Literal["", "look", "find", "sweep", "authority"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send, what it still needs, and which fields wait for what.

    ``need``: "look" (read the thing first), "find" (prove by key that it is not there), "sweep" (a complete scan later than
    the record's birth), "authority" (prove by key that the authority has none). ``held``: field -> why it waits. A write
    with a need must not be sent.
    """

    write: Write | None = None
    need: Need = ""
    held: Mapping[str, str] = field(default_factory=dict)

    @property
    def pending(self) -> bool:
        """Whether there is something to say, now or once what it needs is there."""
        return self.write is not None or bool(self.need)


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
    if shadow.life is not Life.ALIVE:
        return NOTHING  # left scope, or archived: neither written nor made again
    return plan_update(space, entity, member, record, only=only)


# ---- delete


def plan_delete(space: Space, entity: Entity, member: Member, record: Record, shadow: Shadow | None) -> Plan:
    """A tombstone: take the row away where the rules say so, and only with proof by key at the authority (R27)."""
    if shadow is None or shadow.life is not Life.ALIVE or member.on_delete not in ("delete", "archive"):
        return NOTHING
    assert record.tomb is not None
    op = Op.DELETE if member.on_delete == "delete" else Op.ARCHIVE
    write = Write(op, member.platform, member.collection, record.id, shadow.id, shadow.version)
    if op is Op.ARCHIVE and member.deleted is not None:
        write = Write(op, member.platform, member.collection, record.id, shadow.id, shadow.version, dict([member.deleted]))
    if gone_by_key(space, entity, record):
        return Plan(write, "look" if needs_look(member, shadow, write) else "")
    return Plan(write, "authority")


def gone_by_key(space: Space, entity: Entity, record: Record) -> bool:
    """Return whether the authority was proved to have no row with this key after the tombstone."""
    assert record.tomb is not None
    authority = record.tomb.platform
    if authority not in entity.members:
        return False
    swept = space.swept.get((authority, entity.members[authority].collection), -1)
    return max(swept, space.proofs.get((record.id, authority), -1)) > record.tomb.as_of


# ---- create


def plan_create(space: Space, entity: Entity, member: Member, record: Record, shadow: Shadow | None) -> Plan:
    """Make a record on a platform that has none: only if it lives elsewhere, and with proof that it is not there."""
    if not member.abilities.create or not wanted(entity, member, record, shadow):
        return NOTHING
    values, held = {}, {}
    for name, mapped in entity.fields.items():
        if member.platform not in mapped.maps or mapped.maps[member.platform].direction == "in":
            continue
        reason = held_everywhere(space, entity, record, mapped)
        if reason:
            held[name] = reason
        elif (value := to_create(record, mapped, member.platform)) is not None:
            values[name] = value
    if incomplete(entity, record):
        return Plan(held={n: "a required field has no value" for n in entity.fields})
    write = written(entity, member, record, values, op=Op.CREATE, shadow=None)
    if write is None:
        return Plan(held=held)
    return Plan(write, proof_of_absence(space, entity, member, record), held)


def wanted(entity: Entity, member: Member, record: Record, shadow: Shadow | None) -> bool:
    """Return whether the record should be made on this platform: alive elsewhere, and told so by the rules."""
    if not any(s.life is Life.ALIVE for p, s in record.shadows.items() if p != member.platform):
        return False
    if shadow is not None:
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
    return any(
        f.required and ((g := record.golden.get(f.name)) is None or g.value is None) for f in entity.fields.values()
    )


def proof_of_absence(space: Space, entity: Entity, member: Member, record: Record) -> Need:
    """Return what is still needed to know that a platform does not have the record (R24, R28, first fill)."""
    if not all(seen_once(space, record, m) for m in entity.members.values()):
        return "sweep"
    if member.abilities.find:
        return "" if space.proofs.get((record.id, member.platform), -1) > record.born else "find"
    if not member.abilities.list:
        return ""  # nobody can ask such a platform: what it holds is what it told us
    return "" if space.swept.get((member.platform, member.collection), -1) > record.born else "sweep"


def seen_once(space: Space, record: Record, member: Member) -> bool:
    """Return whether a platform was swept completely once, or asked for this record; one that cannot be listed counts."""
    if not member.abilities.list or (member.platform, member.collection) in space.swept:
        return True
    return (record.id, member.platform) in space.proofs


# ---- update


def plan_update(space: Space, entity: Entity, member: Member, record: Record, *, only: Iterable[str] | None) -> Plan:
    """Write the fields whose shadow stands for something else than golden."""
    shadow = record.shadows[member.platform]
    if not member.abilities.update:
        return NOTHING
    values, held = {}, {}
    for name, mapped in entity.fields.items():
        known = shadow.fields.get(name) or ShadowField()
        golden = record.golden.get(name)
        if golden is None or not differs(mapped, known, golden, member.platform):
            continue
        reason = why_held(space, entity, member, record, mapped)
        if reason:
            held[name] = reason
        elif only is None or name in only:
            values[name] = golden.value
    if incomplete(entity, record):
        return Plan(held={**held, **dict.fromkeys(values, "a required field has no value")})
    whole_groups(entity, record, values)
    if not values:
        return Plan(held=held)
    write = written(entity, member, record, values, op=Op.UPDATE, shadow=shadow)
    if write is None:
        return Plan(held=held)
    return Plan(write, "look" if needs_look(member, shadow, write) else "", held)


def differs(mapped: Field, known: ShadowField, golden: GoldenField, platform: str) -> bool:
    """Return whether a mapped field stands for something else than golden there: means, not raw, is compared (R2)."""
    target = mapped.maps.get(platform)
    if target is None or target.direction == "in" or golden.who is None:
        return False
    if known.known is Known.NEVER:
        return golden.value is not None
    return not mapped.equal.same(means_of(known), golden.value)


def means_of(known: ShadowField) -> Value:
    """Return the golden value that a platform's stored spelling stands for."""
    return None if known.known is Known.NULL and known.word is Word.OWN else known.means


def why_held(space: Space, entity: Entity, member: Member, record: Record, mapped: Field) -> str:
    """Return why a field that differs is not written there, or ''. Never write over the cause (R13)."""
    known = record.shadows[member.platform].fields.get(mapped.name) or ShadowField()
    return (
        held_everywhere(space, entity, record, mapped)
        or closed_to_writes(member, mapped)
        or the_cause(space, entity, member, record, mapped)
        or kept_or_counted(member, record, mapped, known)
    )


def held_everywhere(space: Space, entity: Entity, record: Record, mapped: Field) -> str:
    """Return why a field is written nowhere now: a conflict, or a stale owner under ``hold``."""
    if mapped.name in record.conflicts or (mapped.group and mapped.group in record.conflicts):
        return "in conflict"
    truth = truth_of(entity, mapped)
    if truth.if_stale == "hold" and any(is_stale(space, record, truth, p) for p in truth.platforms):
        return "its owner is stale"
    return ""


def closed_to_writes(member: Member, mapped: Field) -> str:
    """Return why the config lets nothing be written to a field there."""
    if mapped.mode == "observe":
        return "the field is only observed"
    if mapped.writes is not None and member.platform not in mapped.writes:
        return "not among the field's writes"
    path = mapped.maps[member.platform].path
    if member.writable is not None and path not in member.writable:
        return "outside writable"
    return ""


def the_cause(space: Space, entity: Entity, member: Member, record: Record, mapped: Field) -> str:
    """Return why a platform's own reading forbids to write over it: invalid, a passed-over blank, or stale (R13, R16)."""
    truth = truth_of(entity, mapped)
    known = record.shadows[member.platform].fields.get(mapped.name) or ShadowField()
    if known.known is Known.INVALID:
        return f"invalid there: {known.reason}"
    if member.platform not in truth.platforms:
        return ""
    if is_passed_blank(truth, known):
        return "empty there: kept"
    return "stale" if is_stale(space, record, truth, member.platform) else ""


def is_passed_blank(truth: Truth, known: ShadowField) -> bool:
    """Return whether a source's own blank was passed over: an owner's always, another's if we saw it blanked."""
    if known.word is not Word.OWN or known.known is not Known.NULL or truth.if_null == "next":
        return False
    return truth.how == "owner" or known.cleared


def kept_or_counted(member: Member, record: Record, mapped: Field, known: ShadowField) -> str:
    """Return why a kept stray edit, or a counter that cannot be exact there, is left alone (R34, R21)."""
    if is_kept(known, record.golden[mapped.name]):
        return "stray edit kept"
    if is_counter(mapped) and (known.base is None or not countable(member)):
        return "a counter cannot be written exactly there"
    return ""


def is_kept(known: ShadowField, golden: GoldenField) -> bool:
    """Return whether a stray edit is kept against the golden value of now."""
    return known.kept is not None and known.kept[0] == golden.value


def countable(member: Member) -> bool:
    """Return whether a counter can be written exactly: a guard and the body, or an adjust call with a key (R21)."""
    able = member.abilities
    return able.answers and able.exact and (able.guard or (able.adjust and able.keyed))


def whole_groups(entity: Entity, record: Record, values: dict[str, Value]) -> None:
    """A group is always written whole (R14)."""
    for group in entity.groups.values():
        if any(name in values for name in group.fields):
            values.update({n: g.value for n in group.fields if (g := record.golden.get(n)) is not None})


def truth_of(entity: Entity, mapped: Field) -> Truth:
    """Return the rule that decides a field: its own or its group's."""
    truth = entity.groups[mapped.group].truth if mapped.group else mapped.truth
    assert truth is not None
    return truth


# ---- from golden to the platform's own values


def written(
    entity: Entity, member: Member, record: Record, values: Mapping[str, Value], *, op: Op, shadow: Shadow | None
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
            native = native_value(entity, member.platform, name, value if difference is None else difference)
        except NoWord:
            continue  # a value that the table cannot write is not written there, and is no drift
        paths[mapped.maps[member.platform].path], sent[name] = native, value
        if difference is not None:
            adjust[name] = difference
    if not any(name in sent for name in values):
        return None
    version = shadow.version if shadow and member.guard == "version" else None
    return Write(
        op, member.platform, member.collection, record.id, shadow.id if shadow else None, version, paths, sent, adjust
    )


def rest_of_whole(entity: Entity, member: Member, shadow: Shadow | None, values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the other fields of a platform that takes whole records: as what they mean, not as they are spelt (R3)."""
    if shadow is None or not member.abilities.whole:
        return {}
    return {
        name: resent_value(known)
        for name, known in shadow.fields.items()
        if name in entity.fields and name not in values and known.known is not Known.NEVER
    }


def resent_value(known: ShadowField) -> Value:
    """Return what a field is re-sent as in a whole record."""
    return known.raw if known.known is Known.INVALID else known.means


def adjustment(member: Member, mapped: Field, shadow: Shadow | None, value: Value) -> Value:
    """Return a counter's difference for a platform that adjusts exactly, else None."""
    if shadow is None or not is_counter(mapped) or not (member.abilities.adjust and member.abilities.keyed):
        return None
    base = shadow.fields[mapped.name].base
    return None if base is None else less(mapped, value, base)


def needs_look(member: Member, shadow: Shadow, write: Write) -> bool:
    """Return whether the thing must be read before it is written: no guard by version, or parts that must be sent whole."""
    if not member.abilities.read:
        return False
    if member.guard != "version" or not member.abilities.guard or shadow.version is None:
        return True
    return member.abilities.whole or any("." in path or "[" in path for path in write.values)
