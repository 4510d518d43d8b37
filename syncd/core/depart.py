"""A thing that is gone, left scope, is put away, or became one with another."""

from syncd.core.conclude import conclude, snapshot
from syncd.core.life import bury, is_put_away, note_unmarked, put_away
from syncd.core.merged import ask_for_both, is_unseen, lose_row, merged_with
from syncd.core.model import Change, Life, Record, Via
from syncd.core.rules import Entity, Member
from syncd.core.space import Space
from syncd.core.unite import follow
from syncd.core.verdict import Said, Verdict, is_in_flight, read_again, read_or_drop, thing_of
from syncd.core.views import take_raws


def depart(space: Space, entity: Entity, member: Member, change: Change, record: Record | None) -> Said:
    """Take a disappearance in: only a read begun now can prove it (R29)."""
    if not is_last_word(member, change):
        return read_again(change, "said to be gone")
    if record is None:
        space.settled.append(thing_of(change))
        return Said(Verdict.DROPPED, "was not known")
    shadow = record.shadows[change.platform]
    if change.as_of < shadow.as_of:
        return read_or_drop(member, change, "seen since", record)
    if is_unseen(space, member, change, record):
        return ask_for_both(space, change, record)
    other = merged_with(space, change, record)
    if other is not None and is_in_flight(space, other, change.platform):
        return Said(Verdict.DEFERRED, "an attempt is open", record.id)
    before = snapshot(record)
    shadow.as_of, shadow.seen_at = change.as_of, max(shadow.seen_at, change.seen_at)
    if change.item is not None:
        note_unmarked(member, shadow)
        take_raws(entity, shadow, change.item)
    how = lose(space, entity, change, record, other)
    conclude(space, record, f"{how}: {change.platform}", before=before)
    if other is not None:
        follow(space, record, other, change.platform)
    return Said(Verdict.ABSORBED, how, record.id)


def lose(space: Space, entity: Entity, change: Change, record: Record, other: Record | None) -> str:
    """Let a record lose its row in the way that a look shows, and return that. ``other``: what it became one with."""
    shadow = record.shadows[change.platform]
    if other is not None:
        lose_row(space, change, record)
        return "one with another"
    if change.left and shadow.life is Life.ARCHIVED:
        return "archived"  # what we archived is out of scope too, and stays what it is (H41)
    if change.left:
        shadow.life = Life.LEFT
        return "left scope"
    if change.item is not None and is_put_away(entity, record, shadow):
        put_away(space, entity, record, shadow)
        return "archived"
    bury(space, entity, record, change.platform)
    return "gone"


def is_last_word(member: Member, change: Change) -> bool:
    """Return whether a disappearance is proved: read by id, or told by a platform that cannot be read."""
    return change.via is Via.READ or not member.abilities.read
