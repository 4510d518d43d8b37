"""The decision of a batch: one function in the ledger's thread, one transaction. Inbox in; golden, conflicts and outbox out.

Whatever it raises undoes all of it. A change that cannot be decided is put into quarantine, and the batch is decided again
without it: one bad record never stops the others.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from syncd.core.decide import Said, Verdict, observe
from syncd.core.identity import record_keys
from syncd.core.life import IDENTITY, MERGED, is_merging
from syncd.core.model import Change, Conflict
from syncd.core.space import Decision, Space, Thing
from syncd.core.unite import meet
from syncd.daemon.kinship import conflict_in_keys
from syncd.daemon.scene import Poisoned, Scene, load_for, thing_of
from syncd.ledger import aliases, cursors, inbox, keys, letters, outbox, proposals, records, relatives, seen, strangers, sweeps
from syncd.ledger.inbox import Waiting
from syncd.ledger.keys import Moved
from syncd.ledger.loaded import Loaded
from syncd.ledger.schema import Database

NEVER = 2**62  # microseconds: until somebody says so
IN_FLIGHT = "an attempt is open"
READING = "being read"
WAITS_FOR_SWEEP = "waits for a complete sweep"
ROUNDS = 20  # of comparing records by their keys, each after what the one before came to
READ_WITHIN = 60_000_000  # microseconds after which a read that was lost with a crash is asked for again


@dataclass(frozen=True, slots=True)
class Ask:
    """An observation that is only a hint: ``things`` are read, in this order, and take its place in the inbox."""

    waiting: Waiting
    things: tuple[Thing, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A conflict that was opened by a batch, for those who tell people."""

    conflict: Conflict
    entity: str
    record: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A change that could not be decided, as the quarantine keeps it."""

    platform: str
    collection: str
    id: str | None
    where: str
    reason: str
    raw: str = ""


@dataclass(slots=True)
class Judged:
    """What came of a batch. ``names`` has (entity, key) of every record decided about."""

    rows: int = 0
    more: bool = False
    deferred: int = 0
    asks: list[Ask] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    opened: list[Opened] = field(default_factory=list)
    closed: int = 0
    broken: list[Quarantined] = field(default_factory=list)
    names: dict[int, tuple[str, str]] = field(default_factory=dict)
    met: set[int] = field(default_factory=set)  # records that were united with others, or are asked about, by this batch
    behind: set[str] = field(default_factory=set)
    proved: list[tuple[str, str]] = field(default_factory=list)  # collections whose scan is now decided to its last row


def judge(db: Database, scene: Scene, *, limit: int) -> Judged:
    """Decide the oldest ``limit`` changes that wait."""
    rows = inbox.pending(db, limit, now=scene.now)
    bad: dict[int, Poisoned] = {}
    while True:
        try:
            judged = judge_rows(db, scene, [row for row in rows if row.id not in bad])
            break
        except Poisoned as error:
            bad |= {row.id: error for row in rows if row.change is error.change}
    quarantine(db, scene, [(row, str(bad[row.id])) for row in rows if row.id in bad], judged)
    judged.rows = len(rows)
    before = cursors.proved(db)
    judged.proved = [(sweep.platform, sweep.collection) for sweep in sweeps.decided(db)]
    if judged.proved:
        outbox.release(db, WAITS_FOR_SWEEP)
    if not before.issuperset(judged.proved):
        strangers.recall_waiting(db, now=scene.now)  # who matches nothing may be asked about now
    judged.more = bool(inbox.pending(db, 1, now=scene.now))  # a full batch, or things that were woken by this one
    return judged


def judge_rows(db: Database, scene: Scene, rows: Sequence[Waiting]) -> Judged:
    """Decide these rows in order; raises Poisoned, with nothing stored, if one of them cannot be decided."""
    space, judged = scene.space(), Judged()
    loaded = load_for(db, space, [row.change for row in rows])
    taken: list[Waiting] = []
    for row in rows:
        said = observed(space, row.change)
        match said.verdict:
            case Verdict.DEFERRED:
                inbox.postpone(db, [row.id], NEVER, IN_FLIGHT)
                judged.deferred += 1
            case Verdict.READ:
                inbox.postpone(db, [row.id], scene.now + READ_WITHIN, READING)
                judged.asks.append(Ask(row, said.things, said.why))
            case _:
                taken.append(row)
    store(db, space, loaded, taken, judged)
    inbox.finish(db, [row.id for row in taken], now=scene.now)
    return judged


def observed(space: Space, change: Change) -> Said:
    """Decide one change; raises Poisoned if that fails."""
    try:
        return observe(space, change)
    except Exception as error:
        raise Poisoned(change, error) from error


def take_looks(db: Database, space: Space, looks: Sequence[Change]) -> list[Waiting]:
    """Decide looks at once; one that asks for more goes the ordinary way, through the inbox."""
    taken = []
    for look in looks:
        said = observed(space, look)
        if said.verdict in (Verdict.ABSORBED, Verdict.DROPPED):
            taken.append(Waiting(0, look, seen.look_hash(look)))
        else:
            inbox.add(db, look.platform, look.collection, [look], now=space.now)
    return taken


def store(
    db: Database,
    space: Space,
    loaded: Loaded,
    looks: Sequence[Waiting],
    judged: Judged,
    *,
    planned: Collection[tuple[int, str]] = (),
    rekey: bool = False,
) -> None:
    """Store what the decider did, and note what there is to tell about it. Who is in ``planned`` is being told just now.

    Records that have a key in common after it are compared, in the same transaction. ``rekey``: the match rules changed.
    """
    moved = keep(db, space, loaded, looks, judged, planned=planned, rekey=rekey)
    for _ in range(ROUNDS):
        again = compared(db, space, loaded, moved)
        if again is None:
            break
        space, loaded = again
        judged.met |= space.touched
        moved = keep(db, space, loaded, (), judged)


def keep(
    db: Database,
    space: Space,
    loaded: Loaded,
    looks: Sequence[Waiting],
    judged: Judged,
    *,
    planned: Collection[tuple[int, str]] = (),
    rekey: bool = False,
) -> Moved:
    """Store a working set and note what there is to tell about it; return the match keys that moved."""
    relatives.follow_survivors(db, space, loaded)
    space.behind |= proposals.standing(db, space.touched)  # golden may have moved back: what was proposed must be looked at
    space.behind.difference_update(planned)
    opened = [(r, c) for i in space.touched for r in [space.records[i]] for c in r.conflicts.values() if c.id is None]
    moved = records.commit(db, space, loaded, looks=looks, rekey=rekey)

    def in_keys(entity: str, conflict: Conflict) -> Conflict:
        return conflict_in_keys(db, space.rules.entities.get(entity), conflict)

    judged.decisions += space.decisions
    judged.names |= {i: (r.entity, r.key) for i in space.touched for r in [space.records[i]]}
    judged.behind |= {platform for _, platform in space.behind}
    judged.opened += [Opened(in_keys(record.entity, conflict), record.entity, record.key) for record, conflict in opened]
    judged.opened += [Opened(one.conflict, one.entity, " ".join(one.thing[::2])) for one in space.loose]
    judged.closed += len(space.closed)
    return moved


def load_merging(db: Database, space: Space, loaded: Loaded) -> None:
    """Load what rows of these records became one with, and the records asked about, and so on with those."""
    count = -1
    while count < len(space.records):
        count = len(space.records)
        others = {n for r in space.records.values() if (c := r.conflicts.get(IDENTITY)) for n in c.others}
        records.load(db, space, records=others, loaded=loaded)
        records.load(db, space, things=merges_of(space), loaded=loaded)


def merges_of(space: Space) -> set[Thing]:
    """Return the things that rows of these records became one with, as their platforms say."""
    rows = (row for record in space.records.values() for row in record.shadows.values())
    return {(row.platform, row.collection, str(row.raws[MERGED])) for row in rows if is_merging(row)}


def compared(db: Database, space: Space, loaded: Loaded, moved: Moved) -> tuple[Space, Loaded] | None:
    """Compare the records that share a key since this batch, or did before; return the working set if that moved anything."""
    asked = {n for n in space.touched if IDENTITY in space.records[n].conflicts}
    asked |= {n for n in space.touched for name, _ in loaded.conflicts.get(n, {}).values() if name == IDENTITY}
    together = keys.shared(db, moved.added) | moved.removed
    if not asked and not together:
        return None
    again = Space(space.rules, space.now, space.number, clocks=space.clocks)
    found = records.load(db, again, matches=together, records=asked)
    load_merging(db, again, found)
    ids = sorted(number for number, record in again.records.items() if record.entity in again.rules.entities)
    own = {key for n in ids for key in record_keys(again.rules.entities[again.records[n].entity], again.records[n], space.now)}
    records.load(db, again, matches=own, loaded=found)
    load_merging(db, again, found)
    again.apart = aliases.apart(db, again.records)
    for number in ids:
        meet(again, again.records[number], moved.arrived)
    return (again, found) if again.touched else None


def quarantine(db: Database, scene: Scene, bad: Collection[tuple[Waiting, str]], judged: Judged) -> None:
    """Take rows that cannot be decided out of the inbox, kept for a person to see."""
    for row, reason in bad:
        platform, collection, native = thing_of(row.change)
        judged.broken.append(
            Quarantined(platform, collection, native, f"{platform} {collection}", reason, raw=ascii(row.change.item))
        )
    letters.quarantine(db, judged.broken, scene.now)
    inbox.finish(db, [row.id for row, _ in bad], now=scene.now)


def quarantine_first(db: Database, scene: Scene, reason: str) -> Judged:
    """Quarantine the oldest row that waits: even alone it could not be stored."""
    judged = Judged(rows=1, more=True)
    quarantine(db, scene, [(row, reason) for row in inbox.pending(db, 1, now=scene.now)], judged)
    return judged
