"""Why a field is what it is: who says what, the rule, the steps, and what other rules would give.

Format ``syncd.explain/1.0``. The facts are the ledger's: shadows, the stored decision with its inputs, attempts, and
what waits. The rule's place is the config's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from syncd.core.model import GoldenField, Known, Life, Record, ShadowField, Value, Word
from syncd.core.rules import Truth
from syncd.core.truth import Case, Kind, Vote, judge
from syncd.ledger import attempts, breakers, conflicts, history, letters, outbox, pauses, proposals
from syncd.ledger.attempts import Tried
from syncd.ledger.breakers import Breaker
from syncd.ledger.conflicts import Open
from syncd.ledger.history import Decided, Version
from syncd.ledger.letters import Letter
from syncd.ledger.outbox import Due
from syncd.ledger.proposals import Proposal
from syncd.ledger.schema import Database
from syncd.reports import figures
from syncd.reports.envelope import Origin, envelope
from syncd.reports.outline import EntityLine, FieldLine, PlatformLine

SCHEMA = "syncd.explain/1.0"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the ledger knows of a record and of what stands between it and its platforms."""

    record: Record
    now: int
    versions: list[Version]
    tried: list[Tried]
    conflicts: list[Open]
    behind: dict[str, Due]
    letters: list[Letter]
    proposals: dict[str, Proposal]
    breakers: list[Breaker]
    paused: dict[str, str]
    decided: dict[str, Decided] = field(default_factory=dict)  # the last decision of each field

    def before(self, name: str) -> Version | None:
        """Return the version of a field before its present one."""
        found = [one for one in self.versions if any(step.name == name for step in one.fields)]
        return found[1] if len(found) > 1 else None


def gather(db: Database, record: Record, entity: EntityLine, now: int) -> Facts:
    """Read everything about a record once."""
    decided: dict[str, Decided] = {}
    for one in history.decisions(db, record.id, limit=1000):
        for step in one.decision.fields:
            decided.setdefault(step.name, one)
    standing = {one: proposals.latest(db, record.id, one) for one in entity.platforms}
    return Facts(
        record,
        now,
        history.versions(db, record.id),
        attempts.of_record(db, record.id),
        conflicts.standing(db, record=record.id),
        outbox.behind(db, record.id),
        [one for one in letters.in_state(db) if one.record == record.id],
        {name: one for name, one in standing.items() if one is not None and one.state == "open"},
        [one for one in breakers.standing(db) if one.entity == record.entity],
        {one.platform: one.note for one in pauses.standing(db, now) if one.entity in {"", record.entity}},
        decided,
    )


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
        fields=[explained(facts, line, platforms) for line in entity.fields.values()],
    )


def collect_field(
    facts: Facts, entity: EntityLine, line: FieldLine, platforms: Mapping[str, PlatformLine], origin: Origin
) -> dict[str, Any]:
    """Return one field with its steps."""
    record = facts.record
    document = envelope(SCHEMA, origin, entity=record.entity, record=record.key)
    label = {"label": label_of(entity, record), "life": str(record.life)}
    return document | explained(facts, line, platforms) | label


def explained(facts: Facts, line: FieldLine, platforms: Mapping[str, PlatformLine]) -> dict[str, Any]:
    """Return everything about one field."""
    golden = facts.record.golden.get(line.name)
    before = facts.before(line.name)
    return {
        "field": line.name,
        "field_type": line.type,
        "golden": _golden(facts, line.name, golden, before),
        "readings": [_reading(facts, line, name, before) for name in _places(facts, line)],
        "rule": line.rule,
        "steps": [{"code": code, "text": text, "result": result} for code, text, result in steps(facts, line, platforms)],
        "others": others(facts, line),
    }


def label_of(entity: EntityLine, record: Record) -> str | None:
    """Return the record's label, as the entity's ``label:`` says; None without one."""
    text = entity.label
    for name, golden in record.golden.items():
        text = text.replace("{" + name + "}", figures.value(golden.value))
    return text or None


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


# ---- the steps


def steps(facts: Facts, line: FieldLine, platforms: Mapping[str, PlatformLine]) -> Iterator[tuple[str, str, str]]:
    """Yield code, text and result of each step from what was said to what is stored where."""
    golden = facts.record.golden.get(line.name)
    before = facts.before(line.name)
    decided = facts.decided.get(line.name)
    if golden is None or golden.who is None:
        yield "silent", "nobody who is mapped has said a value yet", "golden has none"
        return
    saying = [one["platform"] for one in (_reading(facts, line, name, before) for name in line.ways) if one["changed"]]
    since = f" since version {before.version}" if before else ""
    who = ", ".join(saying) or "no platform"
    yield "changed", f"{who} changed it{since}", "so the rule decides" if len(saying) > 1 else "one word to weigh"
    yield _rule_step(line, golden, decided)
    conflict = next((one for one in facts.conflicts if one.field == line.name), None)
    if conflict:
        yield "held", conflict.why, f"held as c-{conflict.id}: golden stays"
    if decided:
        for stray in decided.decision.strays:
            if stray.field == line.name:
                yield "stray", f"{stray.platform} said {figures.value(stray.value)}", f"stray_edits: {stray.action}"
    for name, way in line.ways.items():
        if way != "in" and not (name in line.platforms and golden.who == name):
            yield _write_step(facts, line, name, golden, platforms.get(name))


def _rule_step(line: FieldLine, golden: GoldenField, decided: Decided | None) -> tuple[str, str, str]:
    found = next((one for one in decided.decision.fields if one.name == line.name), None) if decided else None
    rule = f"truth {line.strategy} {', '.join(line.platforms)}".rstrip()
    if golden.ruled is not None:
        return "person", "a person decided; it stands until a platform says something else", figures.value(golden.value)
    if found is None:
        return "rule", rule, figures.value(golden.value)
    said = found.who if found.who not in (None, "rule") else "the rule"
    why = "" if found.why in ("", found.rule) else f": {found.why}"
    return "rule", f"{rule}: {said} has the word{why}", figures.value(found.after)


def _write_step(
    facts: Facts, line: FieldLine, name: str, golden: GoldenField, platform: PlatformLine | None
) -> tuple[str, str, str]:
    """Return how far golden has come on one platform."""
    if platform and platform.mode == "observe":
        return "observe", f"{name} is in mode observe", "never written"
    waits = _waits(facts, line, name)
    if waits:
        return waits
    last = next((one for one in facts.tried if _sent(one, line.name, name)), None)
    shadow = facts.record.shadows.get(name)
    known = shadow.fields.get(line.name) if shadow else None
    if last and last.outcome in ("done", "assumed") and last.attempt.write.sent[line.name] == golden.value:
        took = (last.closed_at or last.attempt.sent_at) - last.attempt.sent_at
        return "written", f"{name} was told", f"written {figures.stamp(last.attempt.sent_at)}, {took // 1000} ms"
    if known and known.means == golden.value:
        return "same", f"{name} holds it", "nothing to write"
    if last and last.outcome is None:
        return "doubt", f"{name} did not answer the last write", f"in doubt since {figures.stamp(last.attempt.sent_at)}"
    if shadow is None:
        return "absent", f"{name} does not have this record", "nothing to write to"
    return "differs", f"{name} holds {figures.value(known.means if known else None)}", "left as it is"


def _waits(facts: Facts, line: FieldLine, name: str) -> tuple[str, str, str] | None:
    """Return what a write to a platform waits for, if anything does."""
    letter = next((one for one in facts.letters if one.platform == name), None)
    proposal = facts.proposals.get(name)
    breaker = next((one for one in facts.breakers if one.platform == name), None)
    if letter:
        return "refused", f"{name} refused it: {figures.plain(letter.answer)}", f"dead letter d-{letter.id}"
    if proposal and any(one.field == line.name for one in proposal.fields):
        return "proposed", f"{name} is in mode propose", f"ch-{proposal.id} waits for approval"
    if name not in facts.behind:
        return None
    if breaker:
        return "breaker", f"the breaker {breaker.kind} of {name} is open", "waits"
    if name in facts.paused:
        return "paused", f"{name} is paused", "waits"
    due = facts.behind[name]
    return "queued", f"{name} is behind since {figures.stamp(due.since)}", due.error or "queued"


def _sent(one: Tried, field_name: str, platform: str) -> bool:
    return one.attempt.write.platform == platform and field_name in one.attempt.write.sent


# ---- other rules


def others(facts: Facts, line: FieldLine) -> dict[str, Any]:
    """Return what other rules would give now, of the platforms' own words alone; a held one reads ``held``."""
    votes = tuple(_votes(facts.record, line))
    if line.strategy.startswith("merge") or not votes:
        return {}
    names = tuple(vote.platform for vote in votes)
    rules = {f"owner {name}": Truth("owner", (name,)) for name in names}
    if len(names) > 1:
        rules["newest"] = Truth("newest", names)
    own = f"owner {line.platforms[0]}" if line.strategy == "owner" and line.platforms else line.strategy
    golden = facts.record.golden.get(line.name)
    found = {name: _would_give(rule, votes, golden, line) for name, rule in rules.items() if name != own}
    return found | ({"manual": "held"} if own != "manual" else {})


def _votes(record: Record, line: FieldLine) -> Iterator[Vote]:
    for name, way in line.ways.items():
        shadow = record.shadows.get(name)
        known = shadow.fields.get(line.name) if shadow and shadow.life is Life.ALIVE else None
        if known and way != "out" and known.word is Word.OWN and known.known is Known.OK:
            yield Vote(name, known.means, lo=known.lo, hi=known.hi)


def _would_give(truth: Truth, votes: tuple[Vote, ...], golden: GoldenField | None, line: FieldLine) -> Value:
    chosen = tuple(vote for vote in votes if vote.platform in truth.platforms)
    numeric = line.type.startswith(("integer", "decimal", "money"))
    case = Case(
        truth,
        chosen,
        votes,
        golden,
        lambda one, other: bool(one == other),
        lambda value: Decimal(value) if numeric else value,
        lambda values: values[0],
        lambda _: truth.skew,
    )
    ruling = judge(case)
    if ruling.kind is Kind.TAKE:
        return ruling.value
    return "held" if ruling.kind is Kind.HOLD else golden and golden.value
