"""The oracle: the laws of semantics section 4, each with the preconditions that make it true.

``Watch`` sees every request, look and commit as it happens (L6, L11, L12, L13, L15, L16); ``check`` judges the world at rest.
"""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

from syncd.core.model import SECOND, Attempt, Change, Life, Op, Receipt, Record, Write
from syncd.core.space import Space, Touch
from tests.core.mixed_oracle import Judge, Stood, judge_decision, stood_of
from tests.core.mixed_rules import REFUSED, Untold
from tests.core.value_laws import LAW_OF, SLACK, Edit, could_spell, folded
from tests.core.world_daemon import Breach
from tests.core.world_platform import BAD, KEY, Platform, Row

NEWEST = ("n", "g1", "g2")


class Watch:
    """What the world knows and syncd does not, and the checks that are made while things happen."""

    def __init__(self, setup: Any) -> None:
        self.setup = setup
        self.now, self.seq, self.numbers = 1000 * SECOND, 0, 0
        self.writes = self.edits = 0
        self.platforms: dict[str, Platform] = {}
        self.history: dict[tuple[str, str], list[Edit]] = {}
        self.groups: dict[str, set[tuple]] = {}
        self.owners: list[tuple[str, int, Any]] = []  # rule changes: owner, moment, golden of K then
        self.blind: set[tuple[str, str]] = set()  # fields in which an edit was overwritten unseen, or cannot be told from ours
        self.excluded: set[str] = set()  # records with twins that nobody can prevent
        self.in_doubt: set[str] = set()
        self.doubtful_counts: set[str] = set()
        self.unseen: set[str] = set()  # made and deleted before syncd looked
        self.reborn: set[str] = set()
        self.moved: set[str] = set()
        self.lied = self.restored = False
        self.touches: dict[tuple[str, str], list[Touch]] = {}
        self.stood: dict[int, dict[str, Stood | None] | None] = {}  # golden after the last decision; None: not alive
        self.journal: dict[str, Attempt] = {}
        self.sent: dict[str, int] = {}
        self.raced: set[str] = set()
        self.golden: dict[int, dict[str, tuple[Any, int]]] = {}  # value and beginning of its interval, as last committed
        self.known: dict[tuple[str, str, str], int] = {}
        self.knew: dict[str, dict[str, int]] = {}

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    # ---- what syncd knows

    def on_look(self, change: Change) -> None:
        for name in change.item or ():
            place = (change.platform, change.id, name)
            self.known[place] = max(self.known.get(place, -1), getattr(change, "seq", -1))

    def on_intent(self, attempt: Attempt) -> None:
        write = attempt.write
        if write.key in self.journal:
            raise Breach(f"L16: key {write.key} is used twice")
        if write.op is Op.CREATE and "create_when" in self.setup.guards and not self.may_create(attempt.write.values[KEY]):
            raise Breach(f"{write.values[KEY]} is made on {write.platform}, where its condition is not true")
        self.seq += 1
        self.journal[write.key] = attempt
        self.knew[write.key] = {
            n: self.known.get((write.platform, write.id or "", n), -1) for n in self.platforms[write.platform].fields
        } | {"": self.seq}

    def on_wire(self, platform: Platform, write: Write) -> None:
        if write.key not in self.journal:
            raise Breach("L16: a request without an attempt")
        self.sent[write.key] = self.sent.get(write.key, 0) + 1
        if self.sent[write.key] > 1 and not platform.able.keyed:
            raise Breach("L16: an attempt was sent twice without a key")

    # ---- what must never happen

    def on_create(self, platform: Platform, write: Write) -> None:
        """L12: no twins, where a twin can be known and nobody makes one between look and call."""
        key = write.values[KEY]
        if not platform.live(key):
            return
        if platform.able.find and write.key not in self.raced and not any(r.hidden for r in platform.live(key)):
            raise Breach(f"L12: a twin of {key} on {platform.name}")
        self.excluded.add(key)

    def on_change(self, platform: Platform, row: Row, write: Write) -> None:
        if write.op in (Op.DELETE, Op.ARCHIVE):
            self.on_delete(platform, row, write)
            return
        known = self.knew[write.key]
        if "p" in write.values and self.is_unheard(row.key, "p"):
            self.blind.add((row.key, "p"))  # planned on the first's former word: it took a word of the second's that came next
        for name in platform.fields:
            if name not in write.values and ("whole" not in platform.spec or name not in (write.item or ())):
                continue
            if name in write.adjust or row.touched.get(name, -1) <= known[name]:
                continue
            if platform.spec.guard == "version" and write.version is not None:
                raise Breach(f"L11: a guarded write covered an unseen edit of {name} on {platform.name}")
            self.blind.add((row.key, name))

    def on_delete(self, platform: Platform, row: Row, write: Write) -> None:
        """L13: nothing is deleted while the authority has the key."""
        authority = self.platforms["a"]
        excused = write.key in self.raced or (self.lied and not authority.able.find) or not authority.able.read
        if any(not r.hidden for r in authority.live(row.key)) and not excused:
            raise Breach(f"L13: {row.key} was deleted on {platform.name} while it lives at the authority")

    def is_unheard(self, key: str, name: str) -> bool:
        """Whether the first platform has an edit of this field that nobody told us of yet."""
        rows = self.platforms["a"].live(key)
        return any(row.touched.get(name, -1) > self.known.get(("a", row.id, name), -1) for row in rows)

    def on_receipt(self, attempt: Attempt, answer: Receipt) -> None:
        """Note what no evidence can tell apart: a person's edit between write and read-back that looks like ours."""
        look, write = answer.look, attempt.write
        if look is None or look.item is None or answer.atomic or self.is_ours(write, answer):
            return
        row = self.platforms[write.platform].rows[look.id]
        knew = self.knew[write.key]
        if write.op is Op.CREATE and "d" not in write.sent and row.touched.get("d", -1) > knew[""]:
            self.doubtful_counts.add(row.key)  # what it started with was never seen
        for name, sent in write.sent.items():
            edited = row.touched.get(name, -1) > min(knew[""], knew.get(name, -1) if write.op is Op.UPDATE else knew[""])
            stored = row.values.get(name)
            if edited and (could_spell(sent, stored) or same(sent, stored) or name in ("d", "u")):
                self.blind.add((row.key, name))
            if name == "d" and "rounds" in self.platforms[write.platform].spec:
                self.doubtful_counts.add(row.key)

    def is_ours(self, write: Write, answer: Receipt) -> bool:
        """Whether a read-back shows the very version that the write made; behind a lost answer it may be a person's."""
        assert answer.look is not None
        if answer.inferred:
            return False
        if answer.version is not None:
            return answer.version == answer.look.version
        numbers = isinstance(write.version, int) and isinstance(answer.look.version, int)
        return numbers and answer.look.version == write.version + 1 and self.platforms[write.platform].spec.numbered

    def on_doubt(self, attempt: Attempt) -> None:
        """An outcome was found out by reading: values that are equal by chance cannot be told apart."""
        record = self.by_id(attempt.write.record)
        if record is not None and attempt.write.op is Op.UPDATE:
            self.in_doubt.add(record.key)
            if "d" in attempt.write.sent:
                self.doubtful_counts.add(record.key)

    def on_giving_up(self, attempt: Attempt) -> None:
        """What a create that nobody can ask about left behind is met as a stranger, with a number of its own."""
        record = self.by_id(attempt.write.record)
        if record is not None and attempt.write.op is Op.CREATE:
            self.doubtful_counts.add(record.key)

    def on_decided(self, space: Space) -> None:
        """Judge what the rules of their own gave, for each living record that was decided."""
        for number in space.touched if self.setup.mix else ():
            record = space.records[number]
            alive = record.life is Life.ALIVE
            if alive and self.stood.get(number, {}) is not None:
                judge_decision(self, space, record, self.stood.get(number) or {})
            self.remember(record)

    def remember(self, record: Record) -> None:
        """Note how golden stands; a record that is no more stands for nothing."""
        names = [name for name, _ in self.setup.mix]
        alive = record.life is Life.ALIVE
        self.stood[record.id] = {name: stood_of(record, name) for name in names} if alive else None

    def on_restored(self, records: Iterable[Record]) -> None:
        self.stood.clear()
        for record in records:
            self.remember(record)

    @abstractmethod
    def record(self, key: str) -> Record | None: ...

    def by_id(self, number: int) -> Record | None:
        return self.daemon.ledger.records.get(number)  # type: ignore[attr-defined]

    def on_commit(self, record: Record) -> None:
        before = self.golden.setdefault(record.id, {})
        for name, golden in record.golden.items():
            if name in before:
                value, lo = before[name]
                if golden.value is None and value is not None and not self.is_mixed(name):
                    self.on_blank(record, name)
                before_it = golden.hi < lo - SLACK - self.setup.skew * SECOND
                if name in NEWEST and before_it and not self.is_mixed(name) and not self.restored:
                    raise Breach(f"L15: {name} went back in time")
        ended = record.life is not Life.ALIVE  # what lives again begins anew (L15: no new life)
        self.golden[record.id] = {} if ended else {name: (g.value, g.lo) for name, g in record.golden.items()}

    def is_mixed(self, name: str) -> bool:
        """Whether a field has a rule of its own, which ``mixed_oracle`` judges."""
        return any(mixed in (name, name[:1]) for mixed, _ in self.setup.mix)

    def may_create(self, key: str) -> bool:
        """Whether golden.x has a value: what ``create_when`` asks for."""
        record = self.record(key)
        golden = record.golden.get("x") if record is not None else None
        return golden is not None and golden.value is not None

    def on_blank(self, record: Record, name: str) -> None:
        """L6: an empty value never becomes golden, unless told so, or as a member of a group that is not empty."""
        empty_group = name in ("g1", "g2") and all(record.golden[n].value is None for n in ("g1", "g2"))
        if (name == "o" and not self.setup.clear) or name not in ("o", "g1", "g2") or empty_group:
            raise Breach(f"L6: {name} was emptied")

    def note_owner(self, name: str) -> None:
        record = self.record("K")
        golden = record.golden.get("o") if record else None
        self.seq += 1
        self.owners.append((name, self.seq, golden.value if golden else None))


def same(sent: Any, stored: Any) -> bool:
    return frozenset(sent or ()) == stored if isinstance(stored, frozenset) else sent == stored


# ---- at rest


def check(world: Any) -> None:
    """Judge a world at rest; raises Breach."""
    for key in ("K", "L"):
        if (key, "born") in world.history and key not in world.excluded:
            check_record(world, key)


def check_record(world: Any, key: str) -> None:
    rows = {p.name: [r for r in p.live(key) if not r.hidden] for p in world.platforms.values()}
    record = world.record(key)
    loose = world.daemon.ledger.loose.values()
    two = [one for one in loose if record is not None and record.id in one.candidates and "two rows" in one.conflict.why]
    if two:
        if all(len(r) <= 1 for r in rows.values()):
            raise Breach("two candidates, but only one lives")
        return
    if key in world.unseen and len(world.history[key, "born"]) == 1 and any(rows.values()):
        raise Breach(f"a ghost: {key} was gone before it was seen")
    if not check_life(world, key, record, rows):
        return
    for platform in world.platforms.values():
        check_row(world, platform, record, rows[platform.name])
    if (key, "dead") not in world.history and key not in world.reborn | world.moved and not mute(world):
        for law, name in LAW_OF.items():
            if not world.is_mixed(name):
                law(world, key, record)


def mute(world: Any) -> bool:
    return any("mute" in p.spec for p in world.platforms.values())


def check_life(world: Any, key: str, record: Record | None, rows: dict[str, list[Row]]) -> bool:
    """L13, L14: who is dead is dead everywhere; return whether the record lives."""
    dead = [e for e in world.history.get((key, "dead"), []) if e.platform == "a"]
    born_after = dead and any(e.seq > dead[-1].seq for e in world.history[key, "born"])
    if dead and not rows["a"] and not born_after and not key_hidden(world, key):
        ours = [r for one in rows.values() for r in one if not r.by_person]
        alive_again = (
            record is not None and record.life is Life.ALIVE and any(r.by_person for one in rows.values() for r in one)
        )
        if ours and not alive_again and not world.lied and not mute(world):
            raise Breach(f"L14: {key} lives though the authority deleted it")
        return False
    if record is None:
        if any(rows.values()) and not mute(world):
            raise Breach(f"{key} lives but has no record")
        return False
    if record.life is not Life.ALIVE:
        if rows["a"]:
            raise Breach(f"{key} lives at the authority but is a tombstone")
        return False
    return True


def key_hidden(world: Any, key: str) -> bool:
    return any(r.hidden for p in world.platforms.values() for r in p.live(key))


def check_row(world: Any, platform: Platform, record: Record, rows: list[Row]) -> None:
    """L1 and L12: each platform has the record once, and every field means golden."""
    if any(r.hidden for r in platform.live(record.key)):
        check_scope(platform, record)
        return
    if not rows and stays_away(world, platform, record.key):
        return
    if len(rows) != 1:
        if (platform.able.find or not rows) and not mute(world) and not key_hidden(world, record.key):
            raise Breach(f"L12: {len(rows)} rows of {record.key} on {platform.name}")
        return
    for name in platform.fields:
        golden = record.golden.get(name)
        if golden is not None and golden.who is not None and not excused(world, platform, record, rows[0], name):
            check_value(platform, rows[0], name, golden.value)


def check_scope(platform: Platform, record: Record) -> None:
    """What is out of scope has left, where that can be seen."""
    (row, *others) = platform.live(record.key)
    shadow = record.shadows.get(platform.name)
    seen = platform.scoped and platform.able.read and not others and shadow is not None and shadow.id == row.id
    if seen and shadow is not None and shadow.life is Life.ALIVE:
        raise Breach(f"{record.key} on {platform.name} is out of scope, and nobody noticed")


def stays_away(world: Any, platform: Platform, key: str) -> bool:
    """A row that a person deleted there is not put back by these rules; an archived one only a person can bring back."""
    deleted = any(e.platform == platform.name for e in world.history.get((key, "dead"), []))
    if "create_when" in world.setup.guards and not world.may_create(key):
        return True
    archived = any(r.archived and r.key == key for r in platform.rows.values())
    dormant = not any(p.live(key) for p in world.platforms.values())
    return archived or dormant or (deleted and world.setup.elsewhere != "restore")


def excused(world: Any, platform: Platform, record: Record, row: Row, name: str) -> bool:
    """The preconditions of L1."""
    group = ("g1", "g2", "g") if name in ("g1", "g2") else (name,)
    known = record.shadows[platform.name].fields.get(name)
    owner = world.daemon.entity.fields["o"].truth.platforms[0] if "o" in platform.fields else ""
    return (
        any((record.key, n) in world.blind or n in record.conflicts for n in group)
        or any(row.values.get(n) is BAD for n in group)
        or (name == "d" and not platform.spec.counts)
        or (name == "o" and world.setup.stray != "revert" and platform.name != owner)
        or (row.values[name] is None and known is not None and known.cleared and (name != "o" or platform.name == owner))
        or (name == "o" and row.values[name] is None and platform.name == owner)
        or passed_blank(record, platform, row, group)
        or ("mute" in platform.spec)
        or (world.is_mixed(name) and left_alone(world, record, platform.name, row, name))
        or (bool(world.touches) and name in NEWEST)
    )


def left_alone(world: Any, record: Record, platform: str, row: Row, name: str) -> bool:
    """Whether a field with a rule of its own is left as it is there: kept, an own blank of a source, or a bulk touch."""
    subject = "g" if name in ("g1", "g2") else name
    rule = next(r for n, r in world.setup.mix if n == subject)
    shadow, golden = record.shadows[platform], record.golden[name]
    known = [k for n in (("g1", "g2") if subject == "g" else (name,)) if (k := shadow.fields.get(n)) is not None]
    if world.setup.checked and name == "x" and row.values[name] == REFUSED:
        return True  # invalid there
    if any(k.kept is not None and k.kept[0] == record.golden[n].value for n, k in shadow.fields.items() if k in known):
        return True
    try:
        rule = Judge(world, None, record, subject, None).in_force(rule, world.now)
    except Untold:
        return True
    source = platform in rule.platforms or f"{platform}.{name}" in rule.text
    blank = row.values[name] is None and golden.value is not None and rule.if_null != "next"
    judge = Judge(world, None, record, subject, None)
    return source and (blank or (rule.how == "newest" and any(judge.doubtful(platform, k.hi) for k in known)))


def passed_blank(record: Record, platform: Platform, row: Row, group: tuple[str, ...]) -> bool:
    """R13, R14: a group that is blank as a whole, and was seen to be blanked, keeps its blanks."""
    fields = record.shadows[platform.name].fields
    parts = [n for n in group if n in row.values and n in fields]
    return len(parts) > 1 and all(row.values[n] is None for n in parts) and any(fields[n].cleared for n in parts)


def check_value(platform: Platform, row: Row, name: str, golden: Any) -> None:
    value = row.values[name]
    if name == "u":
        fine = folded(value) == folded(golden)
    else:
        once = platform.spell(name, golden)
        fine = value in (golden, once, platform.spell(name, once))
    if not fine:
        raise Breach(f"L1: {row.key}.{name} on {platform.name} is {value!r}, golden {golden!r}")
