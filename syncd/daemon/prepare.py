"""The last step before sending, in one transaction: take the looks in, plan again, ask modes and breakers, journal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from syncd.core.mapping import Absent, get_path, parse_path
from syncd.core.model import Change, Life, Op, Record, Write
from syncd.core.plan import Plan, plan
from syncd.core.rules import Member
from syncd.core.space import Space, Thing
from syncd.core.waits import WAITS
from syncd.daemon.journal import Candidate, Sending, journal
from syncd.daemon.judge import NEVER, WAITS_FOR_SWEEP, Judged, Quarantined, store, take_looks
from syncd.daemon.propose import permitted
from syncd.daemon.scene import Poisoned, Scene, load_for, thing_of
from syncd.daemon.survey import Rest, put_to_rest
from syncd.daemon.weigh import BREAKER, Load, Trip, add, judge_load, stopped
from syncd.ledger import inbox, letters, outbox, proposals
from syncd.ledger.breakers import KINDS
from syncd.ledger.outbox import Due
from syncd.ledger.proposals import Proposal
from syncd.ledger.schema import Database

UNANSWERED = "could not be asked"
UNTOLD = "what the platform told is not decided yet"
SOON = 50_000  # microseconds
AGAIN, LONGEST = 2_000_000, 300_000_000  # microseconds until a record whose proof could not be had is looked at again


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sent to a platform: due records, and what was read and proved for them just now."""

    platform: str
    due: Sequence[Due]
    rests: Sequence[Rest] = ()
    looks: Sequence[Change] = ()
    proofs: Mapping[tuple[int, str], int] = field(default_factory=dict)
    trouble: Mapping[str, int] = field(default_factory=dict)  # platforms in trouble, and until when they are left in peace


@dataclass(slots=True)
class Prepared:
    """What may be sent now, and what was found out on the way."""

    sendings: list[Sending] = field(default_factory=list)
    proposed: list[Proposal] = field(default_factory=list)
    trips: list[Trip] = field(default_factory=list)
    judged: Judged = field(default_factory=Judged)
    untold: set[str] = field(default_factory=set)  # collections that told something which is not decided yet


def prepare(db: Database, scene: Scene, order: Order) -> Prepared:
    """Return the attempts to send, journaled. A look that cannot be decided is quarantined and its record left alone."""
    bad: dict[Thing, str] = {}
    for rest in order.rests:
        put_to_rest(db, rest)
    while True:
        try:
            return prepare_without(db, scene, order, bad)
        except Poisoned as error:
            bad[thing_of(error.change)] = str(error)


def prepare_without(db: Database, scene: Scene, order: Order, bad: Mapping[Thing, str]) -> Prepared:
    """Prepare an order, ignoring the looks at bad things."""
    made, space = Prepared(), scene.space()
    marks = outbox.marks(db, order.platform, [one.record for one in order.due])
    order = replace(order, due=[one for one in order.due if marks.get(one.record) == one.stand])  # as the breakers saw them
    looks = [look for look in order.looks if thing_of(look) not in bad]
    loaded = load_for(db, space, looks, ids=[one.record for one in order.due])
    space.proofs.update(order.proofs)
    made.untold = inbox.undecided(db, order.platform, now=scene.now)
    taken = take_looks(db, space, looks)
    fresh = {thing_of(look): look for look in looks}
    candidates = [c for due in order.due if (c := choose(db, space, due, fresh, made, order.trouble)) is not None]
    store(db, space, loaded, taken, made.judged, planned={(one.record, order.platform) for one in order.due})
    made.judged.broken = [
        Quarantined(*thing, f"{thing[0]} {thing[1]}", reason) for thing, reason in bad.items()
    ]
    letters.quarantine(db, made.judged.broken, scene.now)
    candidates = [one for one in candidates if one.record.id not in made.judged.met]  # they are other records now
    for one in weighed(db, scene, order.platform, candidates, made):
        made.sendings.append(journal(db, scene, one))
    return made


def choose(
    db: Database, space: Space, due: Due, fresh: Mapping[Thing, Change], made: Prepared, trouble: Mapping[str, int]
) -> Candidate | None:
    """Plan a record again and return its write if it may go; else its outbox row says what it waits for."""
    record = space.records[due.record]
    if (record.id, due.platform) in space.in_flight:
        return None
    member = space.rules.entities[record.entity].members[due.platform]
    planned = plan(space, record, due.platform)
    if planned.write is None:
        nothing_left(db, space, due)
        return None
    if is_untold(member, planned.write, made):
        outbox.postpone(db, due.record, due.platform, until=space.now + SOON, error=UNTOLD, counts=False)
        return None
    if not is_proved(record, planned, due, fresh):
        wait_for_proof(db, space, record, planned, due, trouble)
        return None
    allowed, proposal = permitted(db, space, record, planned)
    if proposal is not None and proposal.state == "open" and proposal.proposed_at == space.now:
        made.proposed.append(proposal)
    if allowed.write is None or is_refused(db, record, allowed.write):
        outbox.clear(db, due.record, due.platform, mark=due.mark)
        return None
    shadow = record.shadows.get(due.platform)
    look = fresh.get((due.platform, shadow.collection, shadow.id)) if shadow else None
    return Candidate(due, record, filled(member, allowed.write, look), member)


def is_untold(member: Member, write: Write, made: Prepared) -> bool:
    """Return whether a create waits until all is decided that its platform told: where nobody can ask, that is the proof."""
    return write.op is Op.CREATE and not member.abilities.list and member.collection in made.untold


def nothing_left(db: Database, space: Space, due: Due) -> None:
    """There is nothing to say: the record leaves the outbox, and what was proposed for it is obsolete."""
    outbox.clear(db, due.record, due.platform, mark=due.mark)
    proposals.withdraw(db, due.record, due.platform, now=space.now)


def is_proved(record: Record, planned: Plan, due: Due, fresh: Mapping[Thing, Change]) -> bool:
    """Return whether everything a plan needs is there."""
    return not planned.need or (planned.need == "look" and is_fresh(record, due.platform, fresh))


def wait_for_proof(
    db: Database, space: Space, record: Record, planned: Plan, due: Due, trouble: Mapping[str, int]
) -> None:
    """Let a record wait for what its plan needs: for the platform that was asked, or ever longer if that said nothing."""
    asked = record.tomb.platform if planned.need == "authority" and record.tomb else due.platform
    if planned.need == "parent":
        put_to_rest(db, Rest(due, NEVER, next(why for why in planned.held.values() if why.startswith(WAITS))))
    elif planned.need == "sweep":
        put_to_rest(db, Rest(due, NEVER, WAITS_FOR_SWEEP))
    elif asked in trouble:
        until = max(trouble[asked], space.now)
        outbox.postpone(db, due.record, due.platform, until=until, error=UNANSWERED, counts=False)
    else:
        until = space.now + min(max(space.now - due.since, AGAIN), LONGEST)  # as long again as it has waited
        outbox.postpone(db, due.record, due.platform, until=until, error=UNANSWERED, counts=False)


def is_fresh(record: Record, platform: str, fresh: Mapping[Thing, Change]) -> bool:
    """Return whether the thing was read just now, and nothing newer was heard of it since."""
    shadow = record.shadows.get(platform)
    if shadow is None or shadow.life not in (Life.ALIVE, Life.ARCHIVED):
        return False
    look = fresh.get((platform, shadow.collection, shadow.id))
    if look is None or look.item is None:
        return False
    return look.as_of >= shadow.as_of or (look.version is not None and look.version == shadow.version)


def is_refused(db: Database, record: Record, write: Write) -> bool:
    """Return whether the platform refused the very same write before, and nobody said to try it again."""
    letter = letters.of_write(db, record.id, write.platform)
    return letter is not None and letter.op == write.op and letter.body.get("sent") == write.sent


def filled(member: Member, write: Write, look: Change | None) -> Write:
    """Return a write with what its guard and its platform need of the thing as just read."""
    if look is None or look.item is None or write.op is Op.CREATE:
        return write
    item = look.item
    version = look.version if member.guard == "version" and member.abilities.guard else None
    before = {path: known for path in write.values if not isinstance(known := get_path(item, parse_path(path)), Absent)}
    return replace(write, item=item, version=version, before=before)


def weighed(
    db: Database, scene: Scene, platform: str, candidates: Sequence[Candidate], made: Prepared
) -> list[Candidate]:
    """Return the writes that no breaker stops; those it stops wait until a person resets it."""
    loads: dict[str, Load] = {}
    for one in candidates:
        load = loads.setdefault(one.record.entity, {kind: set() for kind in KINDS})
        add(load, one.record, one.write)
    for entity, load in loads.items():
        made.trips += judge_load(db, scene, platform, entity, load)
    closed = stopped(db, platform)
    for one in candidates:
        if one.record.entity in closed:
            outbox.postpone(db, one.due.record, platform, until=NEVER, error=BREAKER, counts=False)
    return [one for one in candidates if one.record.entity not in closed]
