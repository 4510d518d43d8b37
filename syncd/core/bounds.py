"""What is in scope on a platform (``only``), and where a record is made (``create: {when}``)."""

from syncd.core.computed import Failed, is_so
from syncd.core.mapping import get_path, parse_path
from syncd.core.model import Change, Record, Shadow, Via
from syncd.core.native import ABSENT
from syncd.core.rules import Entity, Member
from syncd.core.views import record_view, thing_view


def is_partial(member: Member, change: Change, shadow: Shadow | None) -> bool:
    """Return whether an event does not show enough to say whether its thing is in scope, and nobody saw it before."""
    if change.via is not Via.EVENT or not member.abilities.read or member.only is None:
        return False
    paths = [name.path if not name.scope else f"{name.scope}.{name.path}" for name in member.only.names]
    known = shadow.raws if shadow is not None else {}
    return any(get_path(change.item, parse_path(path)) is ABSENT and path not in known for path in paths)


def is_within(member: Member, change: Change, shadow: Shadow | None, now: int) -> bool:
    """Return whether a thing is in scope by ``only``; raises Failed if that cannot be told."""
    return member.only is None or is_so(member.only, thing_view(change.item or {}, shadow), now)


def is_beyond(member: Member, change: Change, record: Record | None, now: int) -> bool:
    """Return whether a thing is certainly out of scope."""
    if member.only is None or change.item is None:
        return False
    try:
        return not is_within(member, change, record.shadows.get(member.platform) if record is not None else None, now)
    except Failed:
        return False


def not_made(entity: Entity, member: Member, record: Record, now: int) -> str:
    """Return why ``create: {when}`` does not let a record be made on a platform, ''."""
    condition = member.create_when
    if condition is None:
        return ""
    try:
        made = is_so(condition, record_view(entity, record), now)
    except Failed as error:
        return f"not made there: {condition.text}: {error}"
    return "" if made else f"not made there: {condition.text} is not true"
