"""A platform of the test world: what it stores, how it spells it, what it can do, what it tells.

It keeps every promise that its abilities make and no other. People edit it directly (``world.py``); syncd reaches it through
``read``, ``find``, ``scan`` and ``apply``, as through a connector.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from syncd.core.model import SECOND, Abilities, Answer, Change, Item, Op, Receipt, Via, Write

THINGS = "things"  # the one collection of every platform
KEY = "k"
TEXTS = ("o", "p", "n", "g1", "g2", "x", "y", "z")
FIELDS = ("o", "p", "n", "u", "d", "m", "g1", "g2")
NORM_OF = {"o": 0, "p": 1, "n": 2, "x": 0, "y": 1, "z": 2, "g1": 3, "g2": 3}  # which of a platform's normalisers
BAD = 13  # is not text: an invalid reading
MARK = ("status", "archived")
EMPTY = {"u": frozenset(), "d": 0, "m": 0}  # what a platform stores where it is told nothing

NORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda s: s,
    "strip": str.strip,
    "upper": str.upper,
    "cut2": lambda s: s[:2],
    "odd": lambda s: s.strip()[:3],  # not idempotent: a cut can leave a blank at the end
}

TRAITS = (
    "versions",  # numbers that only grow
    "etags",  # opaque versions
    "guard",  # a write can name the version it was planned on
    "hashes",  # a write can name the values it was planned on
    "answers",  # the answer to a write holds what is now stored
    "names",  # the answer to a write names the new version
    "bare",  # a list shows no versions
    "field_times",
    "untimed",  # nothing says when a thing was changed
    "ticks",  # a clock that stands still for five seconds
    "measured",  # syncd knows how far its clock is off
    "keyed",
    "find",
    "unique",
    "whole",
    "adjust",
    "reuse",  # a thing made again gets its old id
    "rounds",  # counters are stored even
    "upper",  # set members are stored in upper case
    "mute",  # nothing can be read by id
    "archives",  # a deleted thing only gets a mark
    "signs",  # a look says which write of ours made the state that it shows
)


class Spec(NamedTuple):
    """What a platform is like. ``norms`` are for o, p, n and the group; ``skew`` is in seconds."""

    traits: frozenset[str] = frozenset()
    norms: tuple[str, str, str, str] = ("plain", "plain", "plain", "plain")
    skew: int = 0

    def __contains__(self, trait: object) -> bool:
        return trait in self.traits

    @property
    def numbered(self) -> bool:
        """Versions that start again are no versions."""
        return "versions" in self.traits and "reuse" not in self.traits

    @property
    def tagged(self) -> bool:
        return "etags" in self.traits and not self.numbered

    @property
    def guard(self) -> str:
        if "guard" in self.traits and (self.numbered or self.tagged):
            return "version"
        return "hash" if "hashes" in self.traits and "mute" not in self.traits else "none"

    def abilities(self) -> Abilities:
        mute = "mute" in self.traits
        return Abilities(
            read=not mute,
            find="find" in self.traits and not mute,
            guard=self.guard != "none",
            ordered=self.numbered,
            contiguous=self.numbered,
            field_times="field_times" in self.traits,
            keyed="keyed" in self.traits,
            unique="unique" in self.traits,
            whole="whole" in self.traits,
            adjust="adjust" in self.traits,
            answers="answers" in self.traits,
            exact="rounds" not in self.traits,
            timed="untimed" not in self.traits,
            tick=5 * SECOND if "ticks" in self.traits else 1,
            lifetime=60 * SECOND,
        )

    @property
    def counts(self) -> bool:
        """Counters can be written exactly (R21)."""
        keyed = "adjust" in self.traits and "keyed" in self.traits and "rounds" not in self.traits
        return "answers" in self.traits and (self.guard != "none" or keyed)


@dataclass(frozen=True, slots=True)
class Seen(Change):
    """A change that also says, to the oracle only, up to which moment of the world it is true."""

    seq: int = 0


@dataclass(slots=True)
class Row:
    """One thing. ``touched`` has the moment of each field's last edit by a person, for the oracle."""

    id: str
    key: str
    values: dict[str, Any]
    version: int = 0
    tag: str = ""
    changed_at: int = 0
    times: dict[str, int] = field(default_factory=dict)
    touched: dict[str, int] = field(default_factory=dict)
    alive: bool = True
    archived: bool = False
    hidden: bool = False  # out of the collection's scope
    raws: dict[str, Any] = field(default_factory=dict)  # what no field is mapped to, but expressions name
    by_person: bool = True
    signed: str | None = None  # the key of the write that made it as it is


class Platform:
    """One platform. ``watch`` is the world: it has the clock, hands out request numbers, and checks what must never happen."""

    def __init__(self, name: str, spec: Spec, fields: tuple[str, ...], watch: Any) -> None:
        self.name, self.spec, self.fields, self.watch = name, spec, fields, watch
        self.able = spec.abilities()
        self.rows: dict[str, Row] = {}
        self.feed: list[Seen] = []
        self.answered: dict[str, Receipt] = {}
        self.late: list[tuple[int, Write]] = []  # requests still on their way, with the time at which they land
        self.stale = False
        self.scoped = False  # scope is told by a field of the thing, not by the platform
        self.tags = 0

    # ---- storing

    def clock(self) -> int:
        return (self.watch.now + self.spec.skew * SECOND) // self.able.tick * self.able.tick

    def spell(self, name: str, value: Any) -> Any:
        """Return what is stored of a value."""
        if value is None or value is BAD:
            return value
        if name in TEXTS:
            return NORMS[self.spec.norms[NORM_OF[name]]](value) or None
        if name == "u":
            return frozenset(m.upper() for m in value) if "upper" in self.spec else frozenset(value)
        return value - value % 2 if "rounds" in self.spec else value

    def live(self, key: str) -> list[Row]:
        return [r for r in self.rows.values() if r.alive and not r.archived and r.key == key]

    def touch(
        self, row: Row, names: Iterable[str], *, part: frozenset[str] | None = None, signed: str | None = None
    ) -> None:
        self.tags += 1
        row.signed = signed if "signs" in self.spec else None
        row.version, row.tag, row.changed_at = row.version + 1, f"t{self.name}{self.tags}", self.clock()
        row.times.update(dict.fromkeys(names, row.changed_at))
        self.emit(row, part=part)

    def emit(self, row: Row, *, part: frozenset[str] | None = None) -> None:
        gone = not row.alive
        self.feed.append(self.shot(row, Via.EVENT, -1, gone=gone, part=part))

    def make(self, key: str, values: Mapping[str, Any], *, by_person: bool, signed: str | None = None) -> Row:
        row = Row(self.new_id(key), key, {}, by_person=by_person)
        for name in self.fields:
            value = values.get(name)
            row.values[name] = self.spell(name, EMPTY.get(name) if value is None else value)
        self.rows[row.id] = row
        self.touch(row, self.fields, signed=signed)
        return row

    def new_id(self, key: str) -> str:
        dead = [r.id for r in self.rows.values() if r.key == key and not r.alive]
        return dead[-1] if dead and "reuse" in self.spec else f"{self.name.upper()}{len(self.rows) + 1}"

    # ---- telling

    def item(self, row: Row, part: frozenset[str] | None = None) -> Item:
        names = self.fields if part is None else [n for n in self.fields if n in part]
        item: Item = {n: sorted(v) if isinstance(v := row.values[n], frozenset) else v for n in names}
        item[KEY] = row.key
        item.update((n, v) for n, v in row.raws.items() if v is not None and (part is None or n in part))
        if row.archived:
            item[MARK[0]] = MARK[1]
        return item

    def shot(self, row: Row, via: Via, as_of: int, *, gone: bool = False, part: frozenset[str] | None = None) -> Seen:
        version: int | str | None = row.version if self.spec.numbered else row.tag if self.spec.tagged else None
        timed = "untimed" not in self.spec
        return Seen(
            self.name,
            THINGS,
            row.id,
            via,
            as_of,
            self.watch.now,
            item=None if gone or (row.hidden and not self.scoped) else self.item(row, part),
            gone=gone or (row.archived and not row.hidden),
            left=row.hidden and not gone and not self.scoped,
            version=None if gone else version,
            changed_at=row.changed_at if timed else None,
            own=None if gone else row.signed,
            times=dict(row.times) if "field_times" in self.spec and not gone else None,
            seq=self.watch.seq,
        )

    def read(self, native: str) -> Seen:
        as_of, row = self.watch.number(), self.rows.get(native)
        if row is None or not row.alive:
            return Seen(self.name, THINGS, native, Via.READ, as_of, self.watch.now, gone=True, seq=self.watch.seq)
        return self.shot(row, Via.READ, as_of)

    def find(self, key: str) -> tuple[int, list[Seen]]:
        """Return the number of the request and the things with this key."""
        as_of = self.watch.number()
        rows = [r for r in self.rows.values() if r.alive and not r.hidden and r.key == key]
        return as_of, [self.shot(r, Via.READ, as_of) for r in rows]

    def scan(self) -> tuple[int, list[Seen]]:
        """Return the number of the request and everything in scope."""
        as_of = self.watch.number()
        shots = [self.shot(r, Via.READ, as_of) for r in self.rows.values() if r.alive and (self.scoped or not r.hidden)]
        return as_of, [replace(s, version=None) for s in shots] if "bare" in self.spec else shots

    # ---- being written to

    def apply(self, write: Write) -> Receipt:
        """Apply one request, atomically."""
        self.watch.on_wire(self, write)
        if "keyed" in self.spec and write.key in self.answered:
            return self.answered[write.key]
        receipt = self.create(write) if write.op is Op.CREATE else self.change(write)
        self.answered[write.key] = receipt
        return receipt

    def create(self, write: Write) -> Receipt:
        key = write.values[KEY]
        if self.live(key) and "unique" in self.spec:
            return Receipt(Answer.EXISTS)
        self.watch.on_create(self, write)
        values = {n: frozenset(v) if n == "u" and v is not None else v for n, v in write.values.items()}
        return self.receipt(self.make(key, values, by_person=False, signed=write.key))

    def change(self, write: Write) -> Receipt:
        row = self.rows.get(write.id or "")
        if row is None or not row.alive:
            return Receipt(Answer.GONE, write.id)
        if self.is_stale(row, write):
            return Receipt(Answer.STALE, write.id)
        self.watch.on_change(self, row, write)
        if write.op is Op.DELETE:
            row.alive, row.version = False, row.version + 1
            self.emit(row)
            return Receipt(Answer.DONE, row.id)
        if write.op is Op.ARCHIVE:
            row.archived = True
            self.touch(row, (), signed=write.key)
            return self.receipt(row)
        self.store(row, write)
        return self.receipt(row)

    def is_stale(self, row: Row, write: Write) -> bool:
        if self.spec.guard == "version" and write.version is not None:
            return write.version != (row.version if self.spec.numbered else row.tag)
        item = self.item(row)
        return self.spec.guard == "hash" and any(item.get(path) != old for path, old in write.before.items())

    def store(self, row: Row, write: Write) -> None:
        values = dict(write.values)
        if "whole" in self.spec:
            values = dict.fromkeys(self.fields) | dict(write.item or {}) | values
        for name in self.fields:
            if name not in values:
                continue
            value = EMPTY.get(name) if values[name] is None else values[name]
            value = frozenset(value) if name == "u" else value
            if name in write.adjust:
                value = row.values[name] + write.adjust[name]
            row.values[name] = self.spell(name, value)
        self.touch(row, [n for n in self.fields if n in write.values], signed=write.key)

    def receipt(self, row: Row) -> Receipt:
        look = self.shot(row, Via.READ, self.watch.number())
        if "answers" in self.spec:
            return Receipt(Answer.DONE, row.id, look, atomic=True, version=look.version)
        return Receipt(Answer.DONE, row.id, version=look.version if "names" in self.spec else None)
