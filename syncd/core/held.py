"""Why a field that differs is not written: never over the cause, never in conflict, never where the rules close the door."""

from syncd.core.dependencies import readers
from syncd.core.folds import is_counter
from syncd.core.force import may_say, truth_now
from syncd.core.life import IDENTITY
from syncd.core.model import GoldenField, Known, Record, ShadowField, Value, Word
from syncd.core.recency import suspension
from syncd.core.rules import Entity, Field, Member, Truth
from syncd.core.space import Space
from syncd.core.subject import is_stale, may_vote

UNCOUNTABLE = "a counter cannot be written exactly there"
UNKNOWN = ShadowField()  # of a field that was never read; nobody changes it


def truth_of(entity: Entity, mapped: Field) -> Truth:
    """Return the rule that decides a field: its own or its group's."""
    truth = entity.groups[mapped.group].truth if mapped.group else mapped.truth
    assert truth is not None
    return truth


def known_of(record: Record, platform: str, name: str) -> ShadowField:
    """Return what a platform is known to hold in a field."""
    shadow = record.shadows.get(platform)
    return shadow.fields.get(name, UNKNOWN) if shadow is not None else UNKNOWN


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
    """Return why a field that differs is not written there, or ''. A group is held as a whole (R14)."""
    if not mapped.group:
        return reason(space, entity, member, record, mapped)
    parts = parts_of(entity, mapped, member.platform)
    return next((why for part in parts if (why := reason(space, entity, member, record, part))), "")


def parts_of(entity: Entity, mapped: Field, platform: str) -> list[Field]:
    """Return the fields that are held and written together with this one on a platform."""
    if not mapped.group:
        return [mapped]
    return [entity.fields[n] for n in entity.groups[mapped.group].fields if platform in entity.fields[n].maps]


def reason(space: Space, entity: Entity, member: Member, record: Record, mapped: Field) -> str:
    """Return why one field is not written there, or ''."""
    return (
        held_everywhere(space, entity, record, mapped)
        or closed_to_writes(member, mapped)
        or the_cause(space, entity, member, record, mapped)
        or kept_or_counted(member, record, mapped)
    )


def held_everywhere(space: Space, entity: Entity, record: Record, mapped: Field) -> str:
    """Return why a field is written nowhere now: a conflict, or a stale owner under ``hold``."""
    if mapped.name in record.conflicts or (mapped.group and mapped.group in record.conflicts):
        return "in conflict"
    if IDENTITY in record.conflicts and mapped.name in record.conflicts[IDENTITY].about:
        return "its key is another record's too"
    if not readers(entity).restless:
        return ""
    truth = truth_now(space, entity, record, mapped)
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


def closed_there(entity: Entity, member: Member, mapped: Field) -> str:
    """Return why the config lets nothing be written to a field there, or to another one of its group (R14)."""
    parts = parts_of(entity, mapped, member.platform)
    return next((why for part in parts if (why := closed_to_writes(member, part))), "")


def the_cause(space: Space, entity: Entity, member: Member, record: Record, mapped: Field) -> str:
    """Return why a platform's own reading forbids to write over it: invalid, a passed-over blank, or stale (R13, R16)."""
    truth = truth_now(space, entity, record, mapped)
    known = known_of(record, member.platform, mapped.name)
    if is_invalid(known):
        return f"invalid there: {known.reason}"
    if member.platform not in truth.platforms:
        return ""
    if may_say(truth, mapped, member.platform) and is_blank(entity, record, member.platform, mapped, truth):
        return "empty there: kept"
    if is_unread(space, record, truth, member.platform):
        return "stale"
    return doubtful(space, record, member.platform, mapped) if space.touches and truth.how == "newest" else ""


def doubtful(space: Space, record: Record, platform: str, mapped: Field) -> str:
    """Return why a platform's word was passed over because its rows were touched all at once, '': it is not written over."""
    shadow, known = record.shadows.get(platform), known_of(record, platform, mapped.name)
    if shadow is None or not may_vote(known):
        return ""
    return suspension(space, platform, shadow.collection, known.hi)


def is_invalid(known: ShadowField) -> bool:
    """Return whether what stands there now does not fit: whoever put it there must put it right (R13)."""
    return known.known is Known.INVALID


def is_unread(space: Space, record: Record, truth: Truth, platform: str) -> bool:
    """Return whether a source was not read for so long that it is not written to either: first it is read (R16)."""
    return is_stale(space, record, truth, platform)


def is_blank(entity: Entity, record: Record, platform: str, mapped: Field, truth: Truth) -> bool:
    """Return whether a source's own blank was passed over; a group is blank if all of it is (R14)."""
    names = entity.groups[mapped.group].fields if mapped.group else (mapped.name,)
    parts = [known_of(record, platform, n) for n in names]
    return all(is_own_blank(k) for k in parts) and is_passed_blank(truth, cleared=any(k.cleared for k in parts))


def is_own_blank(known: ShadowField) -> bool:
    """Return whether a platform itself says empty."""
    return known.word is Word.OWN and known.known is Known.NULL


def is_passed_blank(truth: Truth, *, cleared: bool) -> bool:
    """Return whether the rule passes a source's blank over: an owner's always, another's if we saw it blanked."""
    return truth.if_null != "next" and (truth.how == "owner" or cleared)


def kept_or_counted(member: Member, record: Record, mapped: Field) -> str:
    """Return why a kept stray edit, or a counter that cannot be exact there, is left alone (R34, R21)."""
    known = known_of(record, member.platform, mapped.name)
    golden = record.golden.get(mapped.name)
    if golden is not None and is_kept(known, golden):
        return "stray edit kept"
    if is_counter(mapped) and (known.base is None or not is_countable(member)):
        return UNCOUNTABLE
    return ""


def is_kept(known: ShadowField, golden: GoldenField) -> bool:
    """Return whether a stray edit is kept against the golden value of now."""
    return known.kept is not None and known.kept[0] == golden.value


def is_countable(member: Member) -> bool:
    """Return whether a counter can be written exactly: a guard and the body, or an exact adjust call (R21)."""
    return (member.abilities.answers and member.abilities.guard) or adjusts(member)


def adjusts(member: Member) -> bool:
    """Return whether numbers can be changed by a difference, once and exactly: with a key and the body."""
    able = member.abilities
    return able.adjust and able.keyed and able.answers and able.exact
