"""Why a field is what it is: who says what, the rule, the steps, and what other rules would give.

Format ``syncd.explain/1.0``. The facts are the ledger's: shadows, the stored decision with its inputs, attempts, and
what waits. The rule's place is the config's.
"""

import re
from collections.abc import Mapping
from typing import Any

from syncd.core.model import GoldenField, Known, Life, Record, ShadowField, Value, Word
from syncd.ledger.history import Version
from syncd.reports import figures
from syncd.reports.envelope import Origin, envelope
from syncd.reports.explain_steps import steps
from syncd.reports.facts import Facts, gather
from syncd.reports.outline import EntityLine, FieldLine, PlatformLine
from syncd.reports.ruled import others

__all__ = ["Facts", "collect", "collect_field", "gather", "label_of"]

SCHEMA = "syncd.explain/1.0"


def collect(facts: Facts, entity: EntityLine, platforms: Mapping[str, PlatformLine], origin: Origin) -> dict[str, Any]:
    """Return a whole record: one entry per field."""
    record = facts.record
    return envelope(
        SCHEMA,
        origin,
        entity=record.entity,
        record=record.key,
        field=None,
        label=label_of(entity, record),
        life=str(record.life),
        at=figures.stamp(facts.at),
        fields=[explained(facts, line, platforms) for line in entity.fields.values()],
    )


def collect_field(
    facts: Facts, entity: EntityLine, line: FieldLine, platforms: Mapping[str, PlatformLine], origin: Origin
) -> dict[str, Any]:
    """Return one field with its steps."""
    record = facts.record
    document = envelope(SCHEMA, origin, entity=record.entity, record=record.key)
    label = {"label": label_of(entity, record), "life": str(record.life), "at": figures.stamp(facts.at)}
    return document | explained(facts, line, platforms) | label


def explained(facts: Facts, line: FieldLine, platforms: Mapping[str, PlatformLine]) -> dict[str, Any]:
    """Return everything about one field."""
    golden = facts.record.golden.get(line.name)
    before = facts.before(line.name)
    found = steps(facts, line, platforms)
    return {
        "field": line.name,
        "field_type": line.type,
        "golden": _golden(facts, line.name, golden, before),
        "readings": [_reading(facts, line, name, before) for name in _places(facts, line)],
        "rule": line.rule,
        "steps": [{"code": code, "text": text, "result": result} for code, text, result in found],
        "others": _others(facts, line),
    }


def _others(facts: Facts, line: FieldLine) -> dict[str, Any]:
    """Return what other rules would have given; nothing where the rules cannot be read."""
    golden, decided = facts.record.golden.get(line.name), facts.decided.get(line.name)
    if facts.ruled is None or golden is None:
        return {}
    change = next((one for one in decided.decision.fields if one.name == line.name), None) if decided else None
    strays = [one for version, one in facts.strays if one.field == line.name and version >= golden.version]
    return others(facts.ruled, line.name, change, decided.decision.at if decided else facts.moment, strays)


def label_of(entity: EntityLine, record: Record) -> str | None:
    """Return the record's label, as the entity's ``label:`` says, a field without a value as ``?``; None without a label."""

    def shown(found: re.Match[str]) -> str:
        golden = record.golden.get(found[1])
        return "?" if golden is None or golden.value is None else figures.value(golden.value)

    return re.sub(r"\{(\w+)\}", shown, entity.label) or None


def _golden(facts: Facts, name: str, golden: GoldenField | None, before: Version | None) -> dict[str, Any] | None:
    if golden is None:
        return None
    decided = facts.decided.get(name)
    was = next((step.after for step in before.fields if step.name == name), None) if before else None
    return {
        "value": golden.value,
        "version": golden.version,
        "decided_at": figures.stamp(decided.decision.at) if decided else None,
        "from": golden.who,
        "provisional": golden.provisional,
        "was": was,
        "was_version": before.version if before else None,
    }


def _places(facts: Facts, line: FieldLine) -> list[str]:
    return list(dict.fromkeys([*line.platforms, *line.ways, *facts.record.shadows]))


def _reading(facts: Facts, line: FieldLine, name: str, before: Version | None) -> dict[str, Any]:
    shadow = facts.record.shadows.get(name)
    known = shadow.fields.get(line.name) if shadow else None
    state, value = _state(line, name, shadow.life if shadow else None, known)
    seen = known is not None and known.known is not Known.NEVER
    own = seen and known is not None and known.word is Word.OWN
    return {
        "platform": name,
        "state": state,
        "value": value,
        "word": str(known.word) if seen and known else None,
        "means": known.means if seen and known else None,
        "read_at": figures.stamp(shadow.seen_at) if shadow and shadow.seen_at and name in line.ways else None,
        "changed_at": figures.stamp(known.hi) if seen and known and known.hi else None,
        "by": known.by if seen and known else None,
        "reason": known.reason or None if known else None,
        "changed": bool(own and known and (before is None or known.hi > before.at)),
        "decides": name in line.platforms,
    }


def _state(line: FieldLine, name: str, life: Life | None, known: ShadowField | None) -> tuple[str, Value]:
    """Return how a platform's field stands, with its value as the platform has it.

    Beside the states of a reading: ``unmapped``, ``missing`` (the platform does not have the record), and the lives of a row
    that is not alive. ``absent`` was never in an answer.
    """
    if name not in line.ways:
        return "unmapped", None
    if life is None:
        return "missing", None
    if life is not Life.ALIVE:
        return str(life), None
    if known is None or known.known is Known.NEVER:
        return "absent", None
    if known.known is Known.INVALID:
        return "invalid", known.raw
    return ("null", None) if known.known is Known.NULL else ("value", known.raw)
