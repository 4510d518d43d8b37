"""After a shadow has moved: resolve, note stray edits, count a version, keep the decision, and see who is behind."""

from collections.abc import Mapping
from dataclasses import replace

from syncd.core.held import truth_of
from syncd.core.identity import record_key, record_keys
from syncd.core.life import end, is_nowhere
from syncd.core.model import FieldChange, Known, Life, Record, ShadowField, Value, Word
from syncd.core.plan import plan
from syncd.core.resolve import WAR_WINDOW, folded, resolve
from syncd.core.rules import Entity, Field
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
    platform: str | None,
    said: Mapping[str, Word | None],
) -> Decision:
    """Decide a record whose shadows moved; return the decision, which is also kept in the working set.

    ``before``: golden's values before anything moved. ``said``: the fields in which ``platform`` said something new.
    """
    entity = space.rules.entities[record.entity]
    decision = Decision(record.id, record.version, space.now, cause)
    if record.life is Life.ALIVE and is_nowhere(space, record):
        end(space, record, "gone everywhere")
    if record.life is Life.ALIVE:
        resolved = {c.name: c for c in resolve(space, record)}
        decision.fields = changes(entity, record, before, resolved)
        if platform is not None:
            decision.strays = strays(space, entity, record, platform, said=said)
            if decision.strays:
                resolve(space, record)  # a stray edit under review, or one too many, opens its conflict
    number_version(record, decision)
    name_record(space, entity, record)
    space.touch(record)
    if decision.fields or decision.strays or record.version == 0:
        space.decisions.append(decision)
    mark_behind(space, entity, record)
    return decision


def changes(
    entity: Entity, record: Record, before: Mapping[str, Value], resolved: Mapping[str, FieldChange]
) -> list[FieldChange]:
    """Return every field whose golden value moved, whether a rule took it or a fold counted it."""
    found = []
    for name, golden in record.golden.items():
        old = before.get(name)
        if golden.value == old:
            continue
        known = resolved.get(name)
        rule = truth_of(entity, entity.fields[name]).how
        if known is None or folded(entity.fields[name]):
            found.append(FieldChange(name, old, golden.value, golden.who, rule, rule))
        else:
            found.append(replace(known, before=old))
    return found


def number_version(record: Record, decision: Decision) -> None:
    """A record's version grows by one whenever golden's values move."""
    if not decision.fields and record.version > 0:
        return
    record.version += 1
    decision.version = record.version
    for change in decision.fields:
        record.golden[change.name].version = record.version


def name_record(space: Space, entity: Entity, record: Record) -> None:
    """Keep the record's key and its match keys as golden has them now."""
    record.key = record_key(entity, record)
    for key in record_keys(entity, record):
        space.keys.setdefault(key, set()).add(record.id)


# ---- stray edits


def strays(space: Space, entity: Entity, record: Record, platform: str, *, said: Mapping[str, Word | None]) -> list[Stray]:
    """Return what a platform just said against golden, and apply the field's policy to it."""
    found = []
    for name, before in said.items():
        field, known = entity.fields[name], record.shadows[platform].fields[name]
        if not is_stray(entity, record, field, known, platform=platform):
            continue
        action = field.stray.get(platform, "revert")
        golden = record.golden[name].value
        if action == "revert":
            count_flip(space, known, before)
        else:
            known.kept, known.review = [golden], action == "review"
        found.append(Stray(platform, name, known.means, golden, action, known.by, known.hi))
    return found


def is_stray(entity: Entity, record: Record, field: Field, known: ShadowField, *, platform: str) -> bool:
    """Return whether a platform's own word stands against golden without being a reason to wait."""
    golden = record.golden.get(field.name)
    if golden is None or golden.who is None or golden.provisional or known.known in (Known.INVALID, Known.NEVER):
        return False
    truth = truth_of(entity, field)
    if in_conflict(record, field) or field.maps[platform].direction == "in":
        return False
    if platform in truth.platforms and (known.known is Known.NULL or truth.how not in ("priority", "newest")):
        return False  # a source speaks with its vote; only a vote that lost to another is stray
    return not field.equal.same(known.means, golden.value)


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


def mark_behind(space: Space, entity: Entity, record: Record) -> None:
    """Mark every platform that has something to be told now, or once what holds it back is over."""
    for platform in entity.members:
        if plan(space, record, platform).pending:
            space.behind.add((record.id, platform))


def revise(space: Space, record: Record, cause: str) -> Decision:
    """Decide a record again without a new observation: after a rule change, a person's word, or a stale platform's return."""
    return conclude(space, record, cause, before=snapshot(record), platform=None, said={})
