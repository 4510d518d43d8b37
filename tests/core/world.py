"""The test world: platforms, people who edit them, deliveries that go wrong, and a daemon that knows nothing of all this.

A *program* is a setup and a list of steps. ``trial`` runs it, lets the world come to rest, and asks the oracle.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from syncd.core.model import SECOND, Attempt, Record
from syncd.core.space import Touch
from tests.core.mixed_rules import OUT, WORDS, Rule
from tests.core.world_daemon import Breach, Daemon
from tests.core.world_oracle import Edit, Watch, check
from tests.core.world_platform import BAD, FIELDS, KEY, TEXTS, Platform, Row, Spec
from tests.core.world_rules import AUTHORITY, NAMES, rules

KEYS = ("K", "L")
POOL = ("x", "X", "x ", "xy z", "xy  w", "y", None, BAD)
MEMBERS = ("r", "s", "T")
FAULTS = (
    "lost",
    "crash_before",
    "crash_after",
    "transient",
    "race",
    "echo_first",
    "late",
    "race_after",
    "race_lost",
)
ROUNDS = 18  # the world must come to rest in fewer


@dataclass(frozen=True, slots=True)
class Setup:
    """What a program runs on. ``skew`` is that of ``newest``, in seconds; ``seeded``: K is everywhere before it starts."""

    specs: tuple[Spec, ...]
    fields: tuple[str, ...] = FIELDS
    skew: int = 3
    clear: bool = False
    stray: str = "revert"
    elsewhere: str = "restore"
    seeded: bool = True
    strict: bool = False
    mix: tuple[tuple[str, Rule], ...] = ()  # rules of their own for some fields
    guards: frozenset[str] = frozenset()  # only, create_when, check

    @property
    def checked(self) -> bool:
        return "check" in self.guards


class Step(NamedTuple):
    """One thing that happens: ``at`` a platform, to a record (``key``), ``how``."""

    do: str
    at: int = 0
    key: int = 0
    name: str = ""
    value: int = 0
    how: str = ""


class World(Watch):
    """Time, people and faults."""

    def __init__(self, setup: Setup, *, twice: bool = False) -> None:
        super().__init__(setup)
        specs = setup.specs
        names = NAMES[: len(specs)]
        self.platforms = {n: Platform(n, s, setup.fields, self) for n, s in zip(names, specs, strict=True)}
        self.clocks = {n: (s.skew * SECOND, 0) for n, s in zip(names, specs, strict=True) if "measured" in s.traits}
        self.daemon = Daemon(self, self.rules(AUTHORITY), self.platforms, strict=setup.strict, twice=twice)
        self.held: list[tuple[str, int, list]] = []
        for platform in self.platforms.values():
            platform.scoped = "only" in setup.guards

    def rules(self, owner: str):
        s = self.setup
        more = {"mix": s.mix, "guards": s.guards}
        return rules(s.specs, s.fields, skew=s.skew, clear=s.clear, stray=s.stray, elsewhere=s.elsewhere, owner=owner, **more)

    def platform(self, at: int) -> Platform:
        return self.platforms[NAMES[at % len(self.platforms)]]

    def record(self, key: str) -> Record | None:
        found = [r for r in self.daemon.ledger.records.values() if r.key == key]
        return found[-1] if found else None

    # ---- time

    def pass_time(self, seconds: int) -> None:
        self.now += seconds * SECOND
        for platform in self.platforms.values():
            due = [w for t, w in platform.late if t <= self.now]
            platform.late = [(t, w) for t, w in platform.late if t > self.now]
            for write in due:
                platform.apply(write)

    def run(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self.seq += 1
            self.pass_time(1)
            getattr(self, step.do)(step)

    # ---- people

    def edit(self, step: Step) -> None:
        self.change(self.platform(step.at), KEYS[step.key], step.name, step.value, part=step.how == "part")

    def change(self, platform: Platform, key: str, name: str, value: int, *, part: bool = False) -> None:
        """A person edits one field (or some of a group); what does not change anything is no edit."""
        rows = [r for r in platform.live(key) if not r.hidden]
        if not rows or name not in platform.fields:
            return
        self.seq += 1
        edited = self.new_values(platform, rows[0], name, value)
        if not edited:
            return
        rows[0].values.update(edited)
        rows[0].touched.update(dict.fromkeys(edited, self.seq))
        self.edits += 1
        platform.touch(rows[0], edited, part=frozenset(edited) if part else None)
        if name in ("g1", "g2"):
            self.see_group(rows[0])

    def new_values(self, platform: Platform, row: Row, name: str, value: int) -> dict:
        """Return what a person's edit stores, and put it into history; nothing if it changes nothing."""
        old = row.values[name]
        if name in ("g1", "g2"):
            names = (("g1",), ("g2",), ("g1", "g2"))[value % 3]
            new = {n: platform.spell(n, f"{self.seq}s" if value < 5 else None) for n in names}
            self.say(row.key, "g", platform, tuple({**row.values, **new}[n] for n in ("g1", "g2")))
            return new
        if name == "u":
            member = platform.spell("u", {MEMBERS[value % 3]})
            new = old | member if value >= 3 else old - member
            if new != old:
                self.say(row.key, f"u {MEMBERS[value % 3].casefold()}", platform, value >= 3)
        elif name == "d":
            new = platform.spell("d", old + value - 2)
            if new != old:
                self.say(row.key, "d", platform, new - old)
        else:
            new = platform.spell(name, value if name == "m" else POOL[value % 8])
            if new != old:
                self.say(row.key, name, platform, new)
        return {} if new == old else {name: new}

    def create(self, step: Step) -> None:
        platform, key = self.platform(step.at), KEYS[step.key]
        if platform.live(key):
            return
        self.seq += 1
        self.edits += 1
        if self.history.get((key, "born")):
            self.reborn.add(key)
        text, group = POOL[step.value % 6], f"{self.seq}s"
        values = {**dict.fromkeys(("o", "p", "n", "x", "y", "z"), text), "d": 10, "g1": group, "g2": group}
        row = platform.make(key, values, by_person=True)
        row.touched.update(dict.fromkeys(platform.fields, self.seq))
        self.say(key, "born", platform, row.values.get("d"))
        for name in platform.fields:
            if name in ("o", "p", "n"):
                self.say(key, name, platform, row.values[name])
        if "g1" in platform.fields:
            self.say(key, "g", platform, (row.values["g1"], row.values["g2"]))
            self.see_group(row)

    def mark(self, step: Step) -> None:
        """A person changes what no field is mapped to."""
        for row in self.platform(step.at).live(KEYS[step.key]):
            name, values = ("w", WORDS) if step.value < 4 else ("c", (0, 1, 2))
            new = values[step.value % 3]
            if not row.hidden and row.raws.get(name) != new:
                self.seq += 1
                row.raws[name] = new
                self.platform(step.at).touch(row, (), part=frozenset((name,)) if step.how == "part" else None)

    def bulk(self, step: Step) -> None:
        """An import touches every row of a platform at once, and changes some of them."""
        platform = self.platform(step.at)
        at = platform.clock()
        self.touches[platform.name, "things"] = [Touch(at, at, 30, 40)]
        self.daemon.revise("bulk touch")
        for row in platform.live(KEYS[step.key]):
            platform.touch(row, ())
        self.edit(step)

    def remove(self, step: Step) -> None:
        """A person deletes a thing, or archives it where things are archived."""
        platform, key = self.platform(step.at), KEYS[step.key]
        for row in platform.live(key):
            self.seq += 1
            self.edits += 1
            if not self.was_seen(key):
                self.unseen.add(key)
            row.archived = "archives" in platform.spec
            row.alive = row.archived
            platform.touch(row, ())
            self.say(key, "dead", platform, None)

    def was_seen(self, key: str) -> bool:
        """Whether syncd has, or is about to have, a record of this key, or it lives elsewhere too."""
        read = any(w.change.item and w.change.item.get(KEY) == key and w.change.via == "read" for w in self.daemon.ledger.inbox)
        return read or self.record(key) is not None or sum(len(p.live(key)) for p in self.platforms.values()) > 1

    def leave(self, step: Step) -> None:
        """A thing that syncd knows leaves the scope of its collection, where that can be seen by id."""
        self.hide(step, hidden=True)

    def back(self, step: Step) -> None:
        self.hide(step, hidden=False)

    def hide(self, step: Step, *, hidden: bool) -> None:
        platform = self.platform(step.at)
        for row in platform.live(KEYS[step.key]):
            link = self.daemon.ledger.links.get((platform.name, "things", row.id))
            if platform.able.read and row.hidden is not hidden and link is not None and link.record is not None:
                row.hidden = hidden
                row.raws["w"] = OUT if hidden else "on"
                self.moved.add(row.key)
                platform.touch(row, ())

    # ---- delivery

    def deliver(self, step: Step) -> None:
        feed = self.platform(step.at).feed
        if not feed:
            return
        place = step.value % len(feed) if step.how in ("any", "again", "lost") else 0
        change = feed[place]
        if step.how != "again":
            del feed[place]
        if step.how != "lost":
            self.daemon.event(change)

    def decide(self, step: Step) -> None:
        self.daemon.decide()

    def send(self, step: Step) -> None:
        self.send_to(
            self.platform(step.at), KEYS[step.key], step.how, lambda p, k: self.change(p, k, step.name, step.value % 6)
        )

    def send_to(self, platform: Platform, key: str, fault: str = "", race: Callable = lambda *_: None) -> None:
        record = self.record(key)
        if record is not None:
            self.daemon.send(record.id, platform.name, fault, race=lambda: race(platform, key))

    def sweep(self, step: Step) -> None:
        platform = self.platform(step.at)
        if step.how == "lands":
            if self.held:
                name, as_of, page = self.held.pop(0)
                self.daemon.sweep(name, as_of, page, complete=True)
            return
        as_of, page = platform.scan()
        if step.how == "late":
            self.held.append((platform.name, as_of, page))
        elif step.how == "half":
            self.daemon.sweep(platform.name, as_of, page[: len(page) // 2], complete=False)
        elif step.how == "lies":
            self.lied = self.lied or platform.name == AUTHORITY
            self.daemon.sweep(platform.name, as_of, page[1:], complete=True)
        else:
            self.daemon.sweep(platform.name, as_of, page, complete=True)

    def land(self, step: Step) -> None:
        """A request that timed out arrives after all."""
        platform = self.platform(step.at)
        if platform.late:
            platform.apply(platform.late.pop(0)[1])

    # ---- syncd

    def wait(self, step: Step) -> None:
        self.pass_time(step.value)

    def restart(self, step: Step) -> None:
        self.daemon.restart()

    def owner(self, step: Step) -> None:
        name = NAMES[step.at % min(3, len(self.platforms))]
        self.note_owner(name)
        self.daemon.change_rules(self.rules(name))

    def backup(self, step: Step) -> None:
        self.daemon.backup()

    def restore(self, step: Step) -> None:
        if self.daemon.saved is not None:
            self.restored = True
            self.daemon.restore()

    def stale(self, step: Step) -> None:
        """Feeds and sweeps of a platform stop working, or work again."""
        platform = self.platform(step.at)
        platform.stale = not platform.stale
        if not platform.stale:
            self.daemon.revise(f"{platform.name} is back")

    # ---- rest

    def rest(self, *, turns: int = 4, order: int = 1, drain: bool = True) -> int:
        """Nobody edits, every event arrives (or none), scans are complete; return the number of writes until quiet.

        That takes some ``turns``: a deletion needs two scans, what follows from it another one.
        """
        started = self.writes
        self.held = []
        for platform in self.platforms.values():
            if platform.stale:
                self.stale(Step("stale", NAMES.index(platform.name)))
        for turn in range(1, ROUNDS):
            before = self.writes
            self.seq += 1
            self.pass_time(200)
            self.daemon.restart()
            self.hear_all(order, drain=drain)
            self.write_all(order)
            if self.writes == before and turn >= turns:
                return self.writes - started
        raise Breach("L2: never quiet, writes go on without an edit")

    def hear_all(self, order: int, *, drain: bool) -> None:
        for platform in list(self.platforms.values())[::order]:
            while drain and platform.feed:
                self.daemon.event(platform.feed.pop(0))
            platform.feed.clear()
            self.sweep(Step("sweep", NAMES.index(platform.name), how="ok"))
        self.daemon.decide()

    def write_all(self, order: int) -> None:
        for _ in range(3):
            for platform in list(self.platforms.values())[::order]:
                for key in KEYS:
                    self.send_to(platform, key)
            self.daemon.decide()

    def see_group(self, row: Row) -> None:
        self.groups.setdefault(row.key, set()).add((row.values["g1"], row.values["g2"]))

    def say(self, key: str, name: str, platform: Platform, value: object) -> None:
        self.history.setdefault((key, name), []).append(Edit(self.now, platform.name, value, self.seq))


def start(setup: Setup, *, twice: bool = False) -> World:
    """Return a world in which K, if seeded, is everywhere."""
    world = World(setup, twice=twice)
    if setup.seeded:
        world.create(Step("create"))
        world.rest(turns=2)
        world.writes = world.edits = 0
    return world


def trial(setup: Setup, steps: Sequence[Step], *, order: int = 1, drain: bool = True, twice: bool = False) -> World:
    """Run a program to rest and check every law; raises Breach."""
    world = start(setup, twice=twice)
    world.run(steps)
    world.rest(order=order, drain=drain)
    settled = world.writes
    world.rest(turns=2, order=order)
    if world.writes != settled:
        raise Breach(f"L2: {world.writes - settled} writes after quiet")
    check(world)
    return world


# ---- in words


def words(step: Step) -> str:
    """Return a step as a sentence."""
    where = f"{NAMES[step.at]}.{KEYS[step.key]}"
    return {
        "edit": f"a person sets {where}.{step.name} to {value_words(step)}"
        + (" (the event has only that)" if step.how else ""),
        "deliver": f"an event of {NAMES[step.at]} arrives: {step.how or 'the first'} #{step.value}",
        "decide": "decide",
        "send": f"send {where}" + (f", {step.how} ({step.name} {step.value})" if step.how else ""),
        "sweep": f"sweep {NAMES[step.at]}: {step.how}",
        "create": f"a person makes {where} {POOL[step.value % 6]!r}",
        "remove": f"a person deletes {where}",
        "wait": f"{step.value} s pass",
        "land": f"the request that timed out arrives at {NAMES[step.at]}",
        "stale": f"{NAMES[step.at]} goes stale or comes back",
        "owner": f"rules: o is now decided by {NAMES[step.at]}",
    }.get(step.do, f"{step.do} {where}")


def value_words(step: Step) -> str:
    value = step.value
    if step.name == "u":
        return f"{'with' if value >= 3 else 'without'} {MEMBERS[value % 3]}"
    if step.name == "d":
        return f"{value - 2:+d}"
    if step.name in ("g1", "g2"):
        return f"{('g1', 'g2', 'both')[value % 3]}{' empty' if value >= 5 else ''}"
    return repr(POOL[value % 8]) if step.name in TEXTS else str(value)


def story(setup: Setup, steps: Sequence[Step]) -> str:
    """Return a program as text."""
    lines = []
    for name, spec in zip(NAMES, setup.specs, strict=False):
        norms = "" if set(spec.norms) == {"plain"} else f" norms {' '.join(spec.norms)}"
        lines.append(f"  {name}: {' '.join(sorted(spec.traits)) or 'nothing'}{norms} skew {spec.skew} s")
    options = ("fields", "skew", "clear", "stray", "elsewhere", "seeded", "strict", "mix", "guards")
    rest = {k: getattr(setup, k) for k in options}
    return "\n".join([*lines, f"  {rest}", *(f"  - {words(s)}" for s in steps), f"  {replace(setup)!r}", f"  {list(steps)!r}"])


def attempt_of(world: World, platform: str) -> Attempt | None:
    """Return the open attempt on a platform, if there is one."""
    return next((a for a in world.daemon.ledger.open.values() if a.write.platform == platform), None)
