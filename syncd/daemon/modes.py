"""The most careful mode wins: what ``--mode`` or a ledger that came back may still restrict."""

from dataclasses import replace

from syncd.core.rules import Entity, Rules

ORDER = ("observe", "propose", "enforce")


def careful(one: str, other: str | None) -> str:
    """Return the more careful of two modes."""
    return one if other is None else min(one, other, key=ORDER.index)


def restricted(rules: Rules, limit: str | None, *, place: str) -> Rules:
    """Return the rules with every platform at most in mode ``limit``; ``place`` says who decided that."""
    if limit in (None, "enforce"):
        return rules
    return replace(rules, entities={name: _restricted(entity, limit, place) for name, entity in rules.entities.items()})


def _restricted(entity: Entity, limit: str | None, place: str) -> Entity:
    members = {
        name: member
        if (mode := careful(member.mode, limit)) == member.mode
        else replace(member, mode=mode, mode_at=place)
        for name, member in entity.members.items()
    }
    return replace(entity, members=members)
