"""A real event told again as a rule test: what was agreed before, what the platforms said, and what the rules make of it.

What is expected is what the rules of now decide, so the test passes where it is put; where something else was decided then,
a comment says so. Personal fields are never shown.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from syncd.config.ruletest import RuleTest
from syncd.config.ruletests import read_tests
from syncd.config.source import Source
from syncd.config.testedit import written
from syncd.config.yaml import parse
from syncd.core.case import RAW
from syncd.core.dependencies import names_in
from syncd.core.mapping import NoWord, native_value
from syncd.core.model import Conflict, FieldChange, Life, Native, Record, Value, Word
from syncd.core.references import as_list, references
from syncd.core.rules import Entity, Field, Name, Rules
from syncd.core.space import Decision
from syncd.core.subject import subjects
from syncd.daemon.rehearse import Result, rehearse_one
from syncd.errors import SyncdError
from syncd.ledger import history
from syncd.ledger.schema import Database


class Event(NamedTuple):
    """What happened to a record: the fields it was about, what golden was, what platforms said, what was decided."""

    at: int
    names: tuple[str, ...]
    before: Mapping[str, Value]
    said: Mapping[str, Mapping[str, Value]]  # platform -> field -> canonical
    after: Mapping[str, Value]
    is_new: bool = False


def as_test(db: Database, record: Record, rules: Rules, field: str | None = None) -> str:
    """Return a YAML file with one test of the last event of a record, or of one of its fields.

    ``rules`` are those of now, with what platforms can do. Raises SyncdError if there was none, or none that may be shown.
    """
    entity = rules.entities[record.entity]
    event = last_event(db, entity, record, field)
    personal = [name for name in event.names if entity.fields[name].pii]
    if field in personal or len(personal) == len(event.names):
        raise SyncdError(f"{', '.join(personal)} is personal: a test would show it; write one with an invented value")
    shown = by_key(db, entity, record, event._replace(names=tuple(name for name in event.names if name not in personal)))
    title = " ".join(["the last event of", record.entity, record.key or str(record.id), *([field] if field else [])])
    return completed(rules, entity, draft(entity, record, shown, title), shown)


# ---- what happened


def last_event(db: Database, entity: Entity, record: Record, field: str | None) -> Event:
    """Return the last event: an open conflict if it is later than the last decision."""
    known = names_of(entity)
    conflicts = [c for name, c in record.conflicts.items() if field in (None, *known.get(name, ())) and name in known]
    newest = max(conflicts, key=lambda one: one.opened_at, default=None)
    for one in history.decisions(db, record.id, field=field, limit=1):
        if newest is None or newest.opened_at <= one.decision.at:
            return decided(entity, record, one.decision, field)
    if newest is not None:
        return asked(entity, record, newest)
    raise SyncdError(f"nothing was decided about {field or 'this record'} yet: there is no event to make a test of")


def by_key(db: Database, entity: Entity, record: Record, event: Event) -> Event:
    """Return an event with the keys of parents in place of their records: so a test calls them, on every platform."""
    links = references(entity)
    if not links:
        return event
    needed = {name: golden(record, name) for name in links if entity.fields[name].required}
    event = event._replace(before={**needed, **event.before})
    values = [v for part in (event.before, event.after, *event.said.values()) for n, v in part.items() if n in links]
    keys = history.names_of(db, {one for value in values for one in as_list(value) if isinstance(one, int)})

    def key(value: Value) -> Value:
        if isinstance(value, list):
            return [key(one) for one in value]
        return keys[value][1] if isinstance(value, int) and value in keys else value

    def named(part: Mapping[str, Value]) -> dict[str, Value]:
        return {name: key(value) if name in links else value for name, value in part.items()}

    said = {platform: named(part) for platform, part in event.said.items()}
    return event._replace(before=named(event.before), after=named(event.after), said=said)


def names_of(entity: Entity) -> Mapping[str, tuple[str, ...]]:
    """Return the fields of each field and group that one rule decides."""
    return {subject.name: tuple(f.name for f in subject.fields) for subject in subjects(entity).values()}


def together(entity: Entity, names: Iterable[str]) -> tuple[str, ...]:
    """Return fields with those that are decided together with them, in the order of the entity."""
    known = subjects(entity)
    found = {f.name for name in names if name in known for f in known[name].fields}
    return tuple(name for name in entity.fields if name in found)


def decided(entity: Entity, record: Record, decision: Decision, field: str | None) -> Event:
    """Return a decision as an event."""
    moved = {c.name: c for c in decision.fields if c.name in entity.fields}
    strays = [s for s in decision.strays if s.field in entity.fields]
    about = together(entity, [field] if field else [*moved, *(s.field for s in strays)])
    said: dict[str, dict[str, Value]] = {}
    for name in about:
        for platform, value in words(entity, record, decision, moved.get(name), name).items():
            said.setdefault(platform, {})[name] = value
    for stray in strays:
        if stray.field in about:
            said.setdefault(stray.platform, {})[stray.field] = stray.value
    before = {name: moved[name].before if name in moved else golden(record, name) for name in about}
    before |= {s.field: s.golden for s in strays if s.field in about and s.field not in moved}
    after = {name: moved[name].after for name in about if name in moved}
    return Event(decision.at, about, before, said, after, decision.version == 1)


def golden(record: Record, name: str) -> Value:
    """Return golden's value of a field."""
    found = record.golden.get(name)
    return found.value if found else None


def words(entity: Entity, record: Record, decision: Decision, change: FieldChange | None, name: str) -> dict[str, Value]:
    """Return what platforms said of a field themselves: as the rule saw it, else as they hold it."""
    if change is not None and change.inputs:
        lead = subjects(entity)[name]
        place = [f.name for f in lead.fields].index(name)
        votes = {p: vote["value"] for p, vote in change.inputs.items() if vote.get("own")}
        return {p: value if lead.single or value is None else value[place] for p, value in votes.items()}
    if change is not None and "fold" in change.given:
        return {change.given["fold"]["platform"]: refolded(entity.fields[name], change)}
    source = decision.cause.rpartition(" ")[2]
    platforms = [source] if source in record.shadows else list(record.shadows)
    known = {p: record.shadows[p].fields.get(name) for p in platforms}
    return {p: k.raw for p, k in known.items() if k is not None and k.word is Word.OWN} if change is not None else {}


def refolded(field: Field, change: FieldChange) -> Value:
    """Return what a platform would have said of a set or a counter, had it held what golden was: the same difference."""
    fold, before = change.given["fold"], change.before
    value = fold.get("value")
    if value is None or before is None:
        return value
    if isinstance(value, list):
        old = set(fold.get("raw") or ())
        return sorted((set(before) - (old - set(value))) | (set(value) - old))
    if fold.get("base") is None:
        return value
    number = field.type.number
    return field.type.read(number(before) + number(value) - number(fold["base"]))


def asked(entity: Entity, record: Record, conflict: Conflict) -> Event:
    """Return an open conflict as an event: golden stands as it was, the platforms say what they hold."""
    about = names_of(entity)[conflict.name]
    said: dict[str, dict[str, Value]] = {}
    for platform, value in conflict.values.items():
        shadow = record.shadows.get(platform)
        parts = [value] if len(about) == 1 else list(value or [None] * len(about))
        for name, part in zip(about, parts, strict=False):
            known = shadow.fields.get(name) if shadow else None
            if known is not None and known.word is Word.OWN:
                said.setdefault(platform, {})[name] = part
    return Event(conflict.opened_at, about, {name: golden(record, name) for name in about}, said, {})


# ---- as a test


def draft(entity: Entity, record: Record, event: Event, title: str) -> dict[str, Any]:
    """Return the test without what it expects."""
    test: dict[str, Any] = {"name": title, "now": moment(event.at)}
    if not event.is_new:
        platforms = [p for p in entity.members if p in record.shadows and record.shadows[p].life is Life.ALIVE]
        if platforms != list(entity.members):
            test["in"] = platforms
        test["base"] = base_of(entity, record, event)
    given = {p: paths for p in entity.members if (paths := given_of(entity, record, event, p))}
    test["given"] = given
    return test


def moment(at: int) -> str:
    """Return a moment to the second."""
    return datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def base_of(entity: Entity, record: Record, event: Event) -> dict[str, Any]:
    """Return what was agreed: what names the record, what the rules read, and the fields that it is about."""
    needed = {entity.key, *(name for match in entity.matches for name in match.by)}
    needed |= {f.name for f in entity.fields.values() if f.required}
    named = {name for one in event.names for name in names_in(subjects(entity)[one].truth)}
    needed |= {name.path.partition(".")[0] for name in named if not name.scope.endswith(RAW)}
    base: dict[str, Any] = {}
    for name, field in entity.fields.items():
        value = event.before[name] if name in event.before else golden(record, name) if name in needed else None
        if value is not None and not (field.pii and name not in event.names):
            base[name] = value
    return base | own_fields(record, sorted(named))


def own_fields(record: Record, named: Iterable[Name]) -> dict[str, Native]:
    """Return what platforms hold in their own fields that a rule names, by these names."""
    found = {}
    for name in named:
        shadow = record.shadows.get(name.scope.removesuffix(RAW)) if name.scope.endswith(RAW) else None
        if shadow is not None and name.path in shadow.raws:
            found[f"{name.scope}.{name.path}"] = shadow.raws[name.path]
    return found


def given_of(entity: Entity, record: Record, event: Event, platform: str) -> dict[str, Native]:
    """Return what a platform said, as it says it; a new thing with all that it has."""
    said = dict(event.said.get(platform, {}))
    if event.is_new and said:
        shadow = record.shadows.get(platform)
        fields = shadow.fields if shadow else {}
        plain = entity.fields.keys() - references(entity).keys()
        said = {n: k.raw for n, k in fields.items() if k.word is Word.OWN and n in plain} | said
    found: dict[str, Native] = {}
    for name, value in said.items():
        place = entity.fields[name].maps.get(platform)
        same = not event.is_new and name in event.before and event.before[name] == value
        if place is None or same or (entity.fields[name].pii and name not in event.names):
            continue
        try:
            found[place.path] = native_value(entity, platform, name, value)
        except NoWord:
            continue
    return found


def completed(rules: Rules, entity: Entity, test: dict[str, Any], event: Event) -> str:
    """Return the file with what the rules make of it. Raises SyncdError if the event cannot be told as a test."""
    if not test["given"]:
        raise SyncdError("what the platforms said then is not kept any more: there is nothing to make a test of")
    result = rehearse_one(rules, parsed(entity, page(entity, test, {"writes": {}})))
    golden_now = {name: result.got.golden.get(name) for name in event.names}
    expect: dict[str, Any] = {"golden": golden_now, "writes": result.got.writes}
    leads = dict.fromkeys(subjects(entity)[name].name for name in event.names)
    expect["decided_by"] = {name: result.got.decided_by[name] for name in leads if name in result.got.decided_by}
    for key in ("conflicts", "stray_edits", "creates", "deletes"):
        if found := getattr(result.got, key):
            expect[key] = found
    text = page(entity, test, {key: value for key, value in expect.items() if value or key == "writes"})
    return text + "".join(f"# {line}\n" for line in remarks(rehearse_one(rules, parsed(entity, text)), event))


def remarks(result: Result, event: Event) -> Iterable[str]:
    """Yield what the reader must know: what was decided then, if it was something else, and what the hidden checks say."""
    for name, value in event.after.items():
        if name in event.names and result.got.golden.get(name) != value:
            yield f"then it was decided otherwise: {name} = {written(value)}"
    for one in result.differences:
        yield f"{one.what}: expected {one.expected}, got {one.got}"


def page(entity: Entity, test: Mapping[str, Any], expect: Mapping[str, Any]) -> str:
    """Return a tests file with one test."""
    lines = [f"entity: {entity.name}", "tests:", f"  - name: {written(test['name'])}"]
    for key, value in test.items():
        if key == "given":
            lines += ["    given:", *(f"      {platform}: {written(paths)}" for platform, paths in value.items())]
        elif key != "name":
            lines.append(f"    {key}: {written(value)}")
    lines += ["    expect:", *(f"      {key}: {written(value)}" for key, value in expect.items())]
    return "\n".join(lines) + "\n"


def parsed(entity: Entity, text: str) -> RuleTest:
    """Return the test of a page. Raises SyncdError with what is wrong if it cannot be one."""
    source = Source("tests/new.yaml", "tests/new.yaml", text)
    parse(source, {})
    tests = read_tests(source, {entity.name: entity})
    if source.failed:
        raise SyncdError(f"this event cannot be told as a test: {source.found[0].message}")
    return tests[0]
