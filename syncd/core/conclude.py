"""After a shadow has moved: resolve, note stray edits, count a version, keep the decision, and see who is behind."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from syncd.core.absorb import Heard
from syncd.core.dependencies import fields_of, followers
from syncd.core.force import force_of, may_say, truth_now
from syncd.core.held import UNKNOWN, differs, doubtful, why_held
from syncd.core.identity import key_fields, own_id, record_key, record_keys
from syncd.core.inputs import Given
from syncd.core.life import end, is_nowhere
from syncd.core.model import FieldChange, Known, Life, Record, ShadowField, Value, Word
from syncd.core.plan import plan
from syncd.core.resolve import WAR_WINDOW, folded, resolve
from syncd.core.rules import Entity, Field, Member
from syncd.core.space import Decision, Space, Stray


def snapshot(record: Record) -> dict[str, Value]:
    """Return golden's values, to tell later what changed."""
    return {name: g.value for name, g in record.golden.items()}


def conclude(
    space: Space,
    record: Record,
    cause: str,
    *,
    before: Mapping[str, Value],
    platform: str | None = None,
    heard: Heard | None = None,
) -> Decision:
    """Decide a record whose shadows moved; return the decision, which is also kept in the working set.

    ``before``: golden's values before anything moved. ``heard``: what a look at ``platform`` moved; without it everything is
    decided.
    """
    entity = space.rules.entities[record.entity]
    decision, asked = Decision(record.id, record.version, space.now, cause), set(record.conflicts)
    if record.life is Life.ALIVE and is_nowhere(space, record):
        end(space, record, "gone everywhere")
    if record.life is Life.ALIVE:
        decide_fields(space, entity, record, decision, before=before, platform=platform, heard=heard)
    number_version(record, decision)
    if not record.key or any(names_it(entity, change.name) for change in decision.fields):
        rename(space, entity, record, decision)
    space.touch(record)
    if decision.fields or decision.strays:
        space.decisions.append(decision)
    names = None
    if heard is not None and not heard.anew and record.life is Life.ALIVE and asked == record.conflicts.keys():
        names = may_differ(entity, decision, heard)
    mark_behind(space, entity, record, names)
    return decision


def decide_fields(
    space: Space,
    entity: Entity,
    record: Record,
    decision: Decision,
    *,
    before: Mapping[str, Value],
    platform: str | None,
    heard: Heard | None,
) -> None:
    """Resolve what moved, and see which of the platform's words are stray."""
    moved = heard.moved if heard and not heard.anew else None
    resolved = {c.name: c for c in resolve(space, record, moved)}
    may_have = record.golden if moved is None else {*moved, *resolved}
    folds = heard.folds if heard else {}
    decision.fields = changes(space, entity, record, may_have, before=before, resolved=resolved, folds=folds)
    forget_kept(record, decision.fields)
    if heard and platform is not None:
        decision.strays = strays(space, entity, record, platform, said=heard.said)
        if decision.strays:
            resolve(space, record, heard.said)  # a stray edit under review, or one too many, opens its conflict


def forget_kept(record: Record, changed: Collection[FieldChange]) -> None:
    """A stray edit was kept against a golden value; once golden is another that is over, also if golden comes back (R34)."""
    for change in changed:
        for shadow in record.shadows.values():
            known = shadow.fields.get(change.name)
            if known is not None and known.kept is not None and known.kept[0] != change.after:
                known.kept, known.review = None, False


def changes(
    space: Space,
    entity: Entity,
    record: Record,
    names: Collection[str],
    *,
    before: Mapping[str, Value],
    resolved: Mapping[str, FieldChange],
    folds: Mapping[str, Given],
) -> list[FieldChange]:
    """Return every field whose golden value moved, whether a rule took it or a fold counted it."""
    found = []
    for name in entity.fields if len(names) > 1 else names:
        golden, old = record.golden.get(name), before.get(name)
        if golden is None or name not in names or golden.value == old:
            continue
        known = resolved.get(name)
        if known is None or (folded(entity.fields[name]) and name in folds):
            rule = truth_now(space, entity, record, entity.fields[name]).how
            given = {"fold": folds[name]} if name in folds else {"person" if golden.who == "person" else "moved": True}
            found.append(FieldChange(name, old, golden.value, golden.who, rule, rule, given=given))
        else:
            found.append(known if known.before == old else replace(known, before=old))
    return found


def number_version(record: Record, decision: Decision) -> None:
    """A record's version grows by one whenever golden's values move."""
    if not decision.fields and record.version > 0:
        return
    record.version += 1
    decision.version = record.version
    for change in decision.fields:
        record.golden[change.name].version = record.version


def names_it(entity: Entity, name: str) -> bool:
    """Return whether a field is part of what the record is called or found by."""
    return name == entity.key or name in key_fields(entity)


def rename(space: Space, entity: Entity, record: Record, decision: Decision) -> None:
    """Name a record anew; a key that it had before is noted with the decision that took it."""
    before = record.key
    name_record(space, entity, record)
    if before not in ("", record.key, own_id(entity, record)):
        decision.notes.append(f"renamed: {before} is {record.key} now")


def name_record(space: Space, entity: Entity, record: Record) -> None:
    """Keep the record's key and its match keys as golden has them now."""
    record.key = record_key(entity, record)
    for key in record_keys(entity, record, space.now):
        space.keys.setdefault(key, set()).add(record.id)


def revise(space: Space, record: Record, cause: str) -> Decision:
    """Decide a record again without a new observation: after a rule change, a person's word, or a stale platform's return."""
    return conclude(space, record, cause, before=snapshot(record))


# ---- stray edits


def strays(space: Space, entity: Entity, record: Record, platform: str, *, said: Mapping[str, Word | None]) -> list[Stray]:
    """Return what a platform just said against golden, and apply the field's policy to it."""
    found = []
    for name, before in said.items():
        field, known = entity.fields[name], record.shadows[platform].fields[name]
        if not is_stray(space, entity, record, field, known, platform=platform):
            continue
        action = field.stray.get(platform, "revert")
        if action == "revert" and force_of(space, entity, record, field).frozen:
            action = "keep"  # what is said after a freeze is shown, not lost (H39)
        golden = record.golden[name].value
        if action == "revert":
            count_flip(space, known, before)
        else:
            known.kept, known.review = [golden], action == "review"
        found.append(Stray(platform, name, known.means, golden, action, known.by, known.hi))
    return found


def is_stray(space: Space, entity: Entity, record: Record, field: Field, known: ShadowField, *, platform: str) -> bool:
    """Return whether a platform's own word stands against golden without being a reason to wait."""
    golden = record.golden.get(field.name)
    if golden is None or golden.who is None or golden.provisional or known.known in (Known.INVALID, Known.NEVER):
        return False
    if in_conflict(record, field) or field.equal.same(known.means, golden.value):
        return False
    force = force_of(space, entity, record, field)
    if force.frozen:
        return True
    if field.maps[platform].direction == "in":
        return False
    if not may_say(force.truth, field, platform):
        return True
    if known.known is Known.NULL or force.truth.how not in ("priority", "newest"):
        return False  # a source speaks with its vote; only a vote that lost to another is stray
    return not (space.touches and force.truth.how == "newest" and doubtful(space, record, platform, field))


def in_conflict(record: Record, field: Field) -> bool:
    """Return whether the field, or its group, waits for a person."""
    return field.name in record.conflicts or (field.group is not None and field.group in record.conflicts)


def count_flip(space: Space, known: ShadowField, before: Word | None) -> None:
    """Count a platform overwriting our own value; three times within the window are a revert war (R16)."""
    if before is not Word.OURS:
        return
    if space.now - known.flip_at > WAR_WINDOW:
        known.flips, known.flip_at = 0, space.now
    known.flips += 1


# ---- who is behind


def may_differ(entity: Entity, decision: Decision, heard: Heard) -> Collection[str] | None:
    """Return the fields that platforms may have to be told of; None if it may be any: a required value holds back all."""
    changed = [change.name for change in decision.fields]
    names = {*heard.moved, *changed, *fields_of(entity, followers(entity, changed))}
    return None if any(entity.fields[name].required for name in names) else names


def mark_behind(space: Space, entity: Entity, record: Record, names: Collection[str] | None) -> None:
    """Mark every platform that has something to be told now, or once what it needs is there."""
    for platform, member in entity.members.items():
        if is_behind(space, entity, member, record, names):
            space.behind.add((record.id, platform))


def is_behind(space: Space, entity: Entity, member: Member, record: Record, names: Collection[str] | None) -> bool:
    """Return whether a platform has something to be told. Where it has the record only the fields that moved are asked."""
    shadow = record.shadows.get(member.platform)
    if names is None or shadow is None or shadow.life is not Life.ALIVE:
        return plan(space, record, member.platform).pending
    for name in names:
        mapped, golden = entity.fields[name], record.golden.get(name)
        if golden is None or not differs(mapped, shadow.fields.get(name, UNKNOWN), golden, member.platform):
            continue
        if not why_held(space, entity, member, record, mapped):
            return True
    return False
