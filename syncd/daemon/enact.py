"""One rule test played through the core: a record on which everyone agrees, the looks it names, and what would be written.

No network, no ledger and a clock that stands: everything is decided by the same functions that decide for the daemon. Each
platform of the entity is an item in memory; what is planned for it can be laid into it as a receipt.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from syncd.config.ruletest import Base, Given, RuleTest
from syncd.config.testnames import is_on_the_way
from syncd.core import receipt
from syncd.core.conclude import name_record, revise
from syncd.core.decide import observe
from syncd.core.folds import is_counter
from syncd.core.held import differs, truth_of
from syncd.core.mapping import ABSENT, NoWord, get_path, native_value, parse_path, read_item, with_path
from syncd.core.model import (
    Answer,
    Attempt,
    Change,
    GoldenField,
    Item,
    Known,
    Life,
    Native,
    Op,
    Receipt,
    Record,
    Shadow,
    ShadowField,
    State,
    Value,
    Via,
    Word,
    Write,
)
from syncd.core.plan import Plan, plan
from syncd.core.rules import Entity, Field, Member, Rules, Steps
from syncd.core.space import Link, Loose, Space, Stray
from syncd.core.verdict import Verdict

DAY = 86_400_000_000
AGREED = 30 * DAY  # how long before the test's moment everyone agreed
PROVED = 1 << 40  # our number of the proof that a thing is not there: nothing in a test is ever missing from a list
MOST_LOOKS = 8  # at things that find their record only when another one is there


@dataclass(frozen=True, slots=True)
class Told:
    """What one platform would be told of one record: the plan, and its own paths without those that are only sent along."""

    record: int
    platform: str
    plan: Plan
    values: dict[str, Native] = field(default_factory=dict)


class Unplayable(ValueError):  # noqa: N818 - what the test is
    """What a test gives does not fit together: a path leads through something that is no list or mapping."""


class Stage:
    """The platforms of one test and the working set that watches them."""

    def __init__(self, rules: Rules, test: RuleTest) -> None:
        rules = in_scope(rules, test)
        self.entity = rules.entities[test.entity]
        self.test = test
        self.numbers = 0
        self.space = Space(rules, test.now, self.number, next_id=1 if test.base is None else 2, one_name=True)
        self.space.read_at = dict.fromkeys(self.entity.members, test.now)
        self.space.read_at.update({one.platform: 0 for one in test.given if one.stale})
        self.space.swept = {(m.platform, m.collection): PROVED for m in self.entity.members.values()}
        self.items: dict[str, Item | None] = dict.fromkeys(self.entity.members)
        self.versions = dict.fromkeys(self.entity.members, 1)
        self.record = self._agree(test.base) if test.base is not None else None

    def number(self) -> int:
        """Return the next of our numbers."""
        self.numbers += 1
        return self.numbers

    # ---- what everyone agreed on

    def _agree(self, base: Base) -> Record:
        """Make the record that base describes: golden, and the shadows of the platforms that have it, as after quiet."""
        then = self.test.now - AGREED
        record = Record(1, self.entity.name, born=self.number(), version=1)
        for name, value in base.fields.items():
            mapped = self.entity.fields[name]
            seed = (0, value) if is_counter(mapped) else None
            record.golden[name] = GoldenField(value, then, then, author(self.entity, mapped), seed=seed, version=1)
        for platform in base.platforms:
            record.shadows[platform] = self._row(platform, base, then)
            self.space.link((platform, self.entity.members[platform].collection, thing_id(platform)), Link(1, evidence="base"))
        self.space.touch(record)
        name_record(self.space, self.entity, record)
        return record

    def _row(self, platform: str, base: Base, then: int) -> Shadow:
        """Make one platform's row: its item, and what we know of it."""
        member = self.entity.members[platform]
        item: Item = {}
        for path, native in base.raws.get(platform, {}).items():
            item = placed(item, parse_path(path), native)
        shadow = Shadow(platform, member.collection, thing_id(platform), version=1, changed_at=then, seen_at=then)
        shadow.as_of = self.number()
        for name, value in base.fields.items():
            mapped = self.entity.fields[name]
            if platform in mapped.maps:
                item, raw = self._stored(item, mapped, platform, value)
                shadow.fields[name] = known(mapped, value, raw, then, own=platform in sources(self.entity, mapped))
        shadow.raws = {p: found for p in member.raws if (found := get_path(item, parse_path(p))) is not ABSENT}
        self.items[platform] = item
        return shadow

    def _stored(self, item: Item, mapped: Field, platform: str, value: Value) -> tuple[Item, Value]:
        """Return the item with a field as the platform would have it, and how it reads. Where a platform has no word for the
        value, or no way back, the field is not shown: it has no opinion beside what is agreed.
        """
        try:
            native = native_value(self.entity, platform, mapped.name, value)
        except NoWord:
            return item, value
        shown = placed(item, mapped.maps[platform].steps, native)
        found = read_item(self.entity, platform, shown)[mapped.name]
        own = platform in sources(self.entity, mapped)
        if found.state not in (State.VALUE, State.NULL) or (own and found.value != value):
            return item, value
        return shown, found.value

    # ---- what platforms say

    def play(self, given: Iterable[Given]) -> None:
        """Let each platform say its part, as often as the test repeats it."""
        for one in given:
            for _ in range(self.test.repeat):
                self.hear(one)
        self.look_again_at_strangers()
        for record in [] if any(not one.stale for one in self.test.given) else list(self.space.records.values()):
            revise(self.space, record, "stale")

    def hear(self, given: Given) -> None:
        """Take in what one platform says."""
        if given.stale:
            return
        at = self.test.now if given.at is None else given.at
        if given.gone:
            self.items[given.platform] = None
        else:
            item = self.items[given.platform] or {}
            for path, native in given.values.items():
                item = placed(item, parse_path(path), native)
            self.items[given.platform] = item
        self.look(given.platform, at)

    def look(self, platform: str, at: int) -> None:
        """Lay the platform's item before the decider, and again where it wants to read."""
        self.versions[platform] += 1
        for _ in range(MOST_LOOKS):
            if observe(self.space, self.change(platform, at)).verdict is not Verdict.READ:
                return

    def change(self, platform: str, at: int) -> Change:
        """Return what a read of the platform's thing shows now."""
        member, item = self.entity.members[platform], self.items[platform]
        return Change(
            platform,
            member.collection,
            thing_id(platform),
            Via.READ,
            self.number(),
            self.space.now,
            item,
            gone=item is None or is_marked(member, item),
            version=self.versions[platform],
            changed_at=at,
        )

    def look_again_at_strangers(self) -> None:
        """Matching runs on every pass: a thing that found no record looks again, for others may have made one."""
        for _ in self.entity.members:
            strangers = [t for t, link in self.space.links.items() if link.record is None and self.items[t[0]] is not None]
            before = len(self.space.settled)
            for platform, _, _ in strangers:
                self.look(platform, self.test.now)
            if len(self.space.settled) == before:
                return

    @property
    def asked(self) -> list[Loose]:
        """The questions about things that have no record, each once."""
        waiting = {one.thing: one for one in self.space.loose}
        return [one for thing, one in waiting.items() if self.space.links[thing].record is None]

    @property
    def strays(self) -> list[Stray]:
        """Every stray edit that was seen."""
        return [stray for decision in self.space.decisions for stray in decision.strays]

    # ---- what they would be told

    def told(self) -> list[Told]:
        """Return what each platform would be told of each record. What is not there is proved not to be there."""
        for platform in self.entity.members:
            self.space.proofs.update({(number, platform): PROVED for number in self.space.records})
        found = []
        for record in self.space.records.values():
            for platform in self.entity.members:
                made = plan(self.space, record, platform)
                if made.write is not None or made.held:
                    found.append(Told(record.id, platform, made, self._spoken(record, made.write)))
        return found

    def _spoken(self, record: Record, write: Write | None) -> dict[str, Native]:
        """Return a write's own paths, without the fields that are only sent along in a whole record (R3)."""
        if write is None:
            return {}
        shadow = record.shadows.get(write.platform)
        if write.op is not Op.UPDATE or shadow is None or not self.entity.members[write.platform].abilities.whole:
            return dict(write.values)
        moved = {name for name in write.sent if self._moves(record, shadow, name)}
        groups = {self.entity.fields[name].group for name in moved} - {None}
        said = [f for f in map(self.entity.fields.__getitem__, write.sent) if f.name in moved or f.group in groups]
        return {path: write.values[path] for f in said if (path := f.maps[write.platform].path) in write.values}

    def _moves(self, record: Record, shadow: Shadow, name: str) -> bool:
        golden, there = record.golden.get(name), shadow.fields.get(name, ShadowField())
        return golden is not None and differs(self.entity.fields[name], there, golden, shadow.platform)

    def deliver(self, told: Iterable[Told]) -> None:
        """Let every platform store what it is told, and answer with what it stored; then look at all of them again."""
        for one in told:
            if one.plan.write is not None:
                self._send(one.plan.write)
        for platform, item in self.items.items():
            if item is not None:
                self.look(platform, self.space.now)

    def _send(self, write: Write) -> None:
        record, platform = self.space.records[write.record], write.platform
        shadow = record.shadows.get(platform)
        raws = {n: shadow.fields[n].raw for n in write.sent if n in shadow.fields} if shadow and write.id else {}
        end = self.space.now + self.entity.members[platform].abilities.lifetime
        attempt = Attempt(self.number(), write, self.number(), self.space.now, end, raws)
        self.versions[platform] += 1
        if write.op is Op.DELETE:
            self.items[platform] = None
        else:
            self._store(write)
        look = self.change(platform, self.space.now) if write.op in (Op.CREATE, Op.UPDATE) else None
        receipt.settle(self.space, attempt, Receipt(Answer.DONE, thing_id(platform), look, atomic=True))

    def _store(self, write: Write) -> None:
        """Lay a write into the platform's item; a difference is added up."""
        item = self.items[write.platform] or {}
        for path, native in write.values.items():
            item = placed(item, parse_path(path), native)
        for name in write.adjust:
            native = native_value(self.entity, write.platform, name, write.sent[name])
            item = placed(item, self.entity.fields[name].maps[write.platform].steps, native)
        self.items[write.platform] = item


def in_scope(rules: Rules, test: RuleTest) -> Rules:
    """Return the rules without the ``only:`` of platforms on which a test says nothing that it asks: what is not said there is
    as agreed, so the thing is in scope.
    """
    entity = rules.entities[test.entity]
    said = [(one.platform, path) for one in test.given for path in one.values]
    for name in test.base.fields if test.base else ():
        said += [(platform, place.path) for platform, place in entity.fields[name].maps.items()]
    said += [(platform, path) for platform, raws in (test.base.raws if test.base else {}).items() for path in raws]
    free = [m.platform for m in entity.members.values() if m.only is not None and not is_asked(m, said)]
    if not free:
        return rules
    key = f"(in scope: {', '.join(free)})"  # no platform is called that
    if key not in entity.compiled:
        members = {p: replace(m, only=None) if p in free else m for p, m in entity.members.items()}
        entity.compiled[key] = replace(entity, members=members)
    return replace(rules, entities={**rules.entities, entity.name: entity.compiled[key]})


def is_asked(member: Member, said: Iterable[tuple[str, str]]) -> bool:
    """Return whether the scope of a platform depends on something that is said there."""
    asked = [name.path for name in member.only.names] if member.only is not None else []
    return any(platform == member.platform and is_on_the_way(path, one) for platform, path in said for one in asked)


def thing_id(platform: str) -> str:
    """Return the id of the one thing that a platform has in a test."""
    return f"{platform}-1"


def is_marked(member: Member, item: Item) -> bool:
    """Return whether an item carries the collection's mark of deleted things."""
    return member.deleted is not None and bool(get_path(item, parse_path(member.deleted[0])) == member.deleted[1])


def sources(entity: Entity, mapped: Field) -> tuple[str, ...]:
    """Return the platforms whose own word an agreed value is: those the rule asks, where they can say it.

    Of a sum only one: the others add nothing to what is agreed. Of a manual rule all.
    """
    truth = truth_of(entity, mapped)
    spoken = [p for p, place in mapped.maps.items() if place.direction != "out"]
    if truth.how == "manual":
        return tuple(spoken)
    asked = [p for p in truth.platforms if p in spoken]
    return tuple(asked[:1] if truth.how == "sum" else asked)


def author(entity: Entity, mapped: Field) -> str:
    """Return who an agreed value comes from."""
    return next(iter(sources(entity, mapped)), "rule")


def known(mapped: Field, value: Value, raw: Value, then: int, *, own: bool) -> ShadowField:
    """Return what we know of a field on which all agree."""
    return ShadowField(
        raw,
        Known.NULL if raw is None else Known.OK,
        value,
        Word.OWN if own else Word.OURS,
        then,
        then,
        base=raw if is_counter(mapped) else None,
    )


def placed(item: Item, steps: Steps, native: Native) -> Item:
    """Return the item with a value at a path; a list that is too short for it is filled up with nothing. Raises Unplayable."""
    try:
        for end, step in enumerate(steps):
            least = step if isinstance(step, int) and not isinstance(get_path(item, steps[:end]), dict) else 0
            for place in range(least):
                if get_path(item, (*steps[:end], place)) is ABSENT:
                    item = with_path(item, (*steps[:end], place), None)
        found: Item = with_path(item, steps, native)
    except ValueError as error:
        raise Unplayable(str(error)) from error
    return found


def is_alive(record: Record) -> bool:
    """Return whether a record is not deleted."""
    return record.life is Life.ALIVE
