"""The last steps: how far golden has come on each platform, and what a write there waits for."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from syncd.core.model import GoldenField, Life
from syncd.core.plan import plan
from syncd.core.waits import WAITS
from syncd.ledger.attempts import Tried
from syncd.reports import figures
from syncd.reports.facts import Facts
from syncd.reports.outline import FieldLine, PlatformLine

SUSPENDED = "recency suspended"
MODES = ("observe", "propose", "enforce")  # the most careful first


class Step(NamedTuple):
    """One step: its code, what was looked at, and what came of it."""

    code: str
    text: str
    result: str


def write_steps(
    facts: Facts, line: FieldLine, golden: GoldenField | None, platforms: Mapping[str, PlatformLine]
) -> Iterator[Step]:
    """Yield how far golden has come on each platform that is told; without a value only why the record is not made there."""
    silent = golden is None or golden.who is None
    for name, way in line.ways.items():
        if way == "in" or (golden is not None and name in line.platforms and golden.who == name):
            continue
        if golden is not None and not silent:
            yield _write_step(facts, line, name, golden, platforms.get(name))
        elif name not in facts.record.shadows and _held(facts, line, name):
            yield _not_written(facts, line, name)


def _write_step(facts: Facts, line: FieldLine, name: str, golden: GoldenField, platform: PlatformLine | None) -> Step:
    """Return how far golden has come on one platform."""
    mode = _mode(facts, line, name, platform)
    if mode.startswith("observe"):
        return Step("observe", f"{name} is in mode {mode}", "never written")
    waits = _waits(facts, line, name, golden, mode)
    if waits:
        return waits
    last = next((one for one in facts.tried if _sent(one, line.name, name)), None)
    if last and last.outcome in ("done", "assumed") and last.attempt.write.sent[line.name] == golden.value:
        return _written(facts, name, last, platform)
    if _holds(facts, line, name, golden):
        return Step("same", f"{name} holds it", "nothing to write")
    if last and last.outcome is None:
        sent = clock(last.attempt.sent_at, facts.moment)
        return Step("doubt", f"{name} did not answer the last write", f"in doubt since {sent}")
    return _not_written(facts, line, name)


def _not_written(facts: Facts, line: FieldLine, name: str) -> Step:
    """Return why nothing is written although a platform holds something else, or does not have the record."""
    shadow, why = facts.record.shadows.get(name), _held(facts, line, name)
    if why.startswith(WAITS):
        return Step("reference", f"{name} has no row yet that {line.name} refers to", figures.plain(why))
    if shadow is None:
        return Step("absent", f"{name} does not have this record", figures.plain(why) or "nothing to write to")
    if shadow.life is Life.LEFT:
        return Step("scope", f"{name}: out of scope{_scope(facts, name)}", "neither written nor made again")
    if shadow.life is not Life.ALIVE:
        return Step("absent", f"{name}: {shadow.life} there", figures.plain(why) or "nothing to write to")
    known = shadow.fields.get(line.name)
    text = f"{name} holds {figures.value(known.means if known else None)}"
    if why.endswith(SUSPENDED):
        return Step("recency", text, figures.plain(why))
    return Step("differs", text, f"left as it is: {figures.plain(why)}" if why else "left as it is")


def _held(facts: Facts, line: FieldLine, name: str) -> str:
    """Return why a field is not written to a platform now, as the plan of this moment says it; '' of the past."""
    if facts.ruled is None or facts.at is not None or name not in facts.ruled.entity.members:
        return ""
    return plan(facts.ruled.space, facts.ruled.record, name).held.get(line.name, "")


def _scope(facts: Facts, name: str) -> str:
    """Return the condition that a thing does not meet."""
    member = facts.ruled.entity.members.get(name) if facts.ruled else None
    return f": {member.only.text} is not true" if member is not None and member.only is not None else ""


def _written(facts: Facts, name: str, last: Tried, platform: PlatformLine | None) -> Step:
    took = (last.closed_at or last.attempt.sent_at) - last.attempt.sent_at
    version = last.attempt.write.version
    guard = "" if version is None else f", guard version {version} still current"
    text = f"{name}{f' {platform.mode}' if platform else ''}{guard}"
    return Step("written", text, f"written {clock(last.attempt.sent_at, facts.moment)}, {took // 1000} ms")


def _holds(facts: Facts, line: FieldLine, name: str, golden: GoldenField) -> bool:
    """Return whether a platform holds golden already: what is written there is for another field's sake."""
    shadow = facts.record.shadows.get(name)
    known = shadow.fields.get(line.name) if shadow else None
    return shadow is not None and shadow.life is Life.ALIVE and known is not None and bool(known.means == golden.value)


def _mode(facts: Facts, line: FieldLine, name: str, platform: PlatformLine | None) -> str:
    """Return in which mode a field may be written there, and the place that decided it: the most careful wins."""
    entity = facts.ruled.entity if facts.ruled else None
    if entity is None or name not in entity.members or line.name not in entity.fields:
        return (platform.mode or "") if platform else ""
    member, field = entity.members[name], entity.fields[line.name]
    if field.mode and MODES.index(field.mode) < MODES.index(member.mode):
        return f"{field.mode} ({field.at.file}:{field.at.line})"
    return f"{member.mode} ({member.mode_at})" if member.mode_at else member.mode


def _waits(facts: Facts, line: FieldLine, name: str, golden: GoldenField, mode: str) -> Step | None:
    """Return what a write to a platform waits for, if anything does."""
    letter = next((one for one in facts.letters if one.platform == name), None)
    proposal = facts.proposals.get(name)
    breaker = next((one for one in facts.breakers if one.platform == name), None)
    if letter:
        return Step("refused", f"{name} refused it: {figures.plain(letter.answer)}", f"dead letter d-{letter.id}")
    if proposal and any(one.field == line.name for one in proposal.fields):
        proposes = mode if mode.startswith("propose") else "propose"
        return Step("proposed", f"{name} is in mode {proposes}", f"ch-{proposal.id} waits for approval")
    if name not in facts.behind or _holds(facts, line, name, golden):
        return None
    why = _held(facts, line, name)
    if why.startswith(WAITS):
        return Step("reference", f"{name} has no row yet that {line.name} refers to", figures.plain(why))
    if breaker:
        return Step("breaker", f"the breaker {breaker.kind} of {name} is open", "waits")
    if name in facts.paused:
        return Step("paused", f"{name} is paused", "waits")
    due = facts.behind[name]
    return Step("queued", f"{name} is behind since {clock(due.since, facts.moment)}", due.error or "queued")


def _sent(one: Tried, field_name: str, platform: str) -> bool:
    return one.attempt.write.platform == platform and field_name in one.attempt.write.sent


def clock(at: int | None, now: int) -> str:
    """Return a time, UTC: of the day if that is the day of ``now``."""
    text = figures.moment(figures.stamp(at))
    return text[11:] if text[:10] == figures.moment(figures.stamp(now))[:10] else text
