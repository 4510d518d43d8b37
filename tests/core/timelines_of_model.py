"""The twenty-five timelines by which the semantics were found."""

from syncd.core import plan
from syncd.core.model import SECOND
from tests.core.timeline import (
    LONG,
    NULL,
    STREET,
    A,
    B,
    C,
    K,
    L,
    Y,
    edit,
    golden,
    good,
    in_conflict,
    row,
    send,
    spec,
    sweep,
    tell,
    world,
)
from tests.core.world import Step


def lying() -> bool:
    """The authority's list is short twice and says that it is complete."""
    w = world(spec(), spec())
    sweep(w, A, "lies")
    sweep(w, A, "lies")
    w.daemon.decide()
    send(w, B)
    w.rest()
    return [r.id for r in w.platform(B).rows.values() if r.alive] == ["B1"]


def epoch() -> bool:
    """Idempotency keys are used again after a restore: B repeats the answer to another write."""
    w = world(spec("keyed", "answers", "find"), spec("keyed", "answers", "find"))
    w.daemon.backup()
    edit(w, A, "o", Y)
    w.rest()
    w.restore(Step("restore"))
    edit(w, A, "o", LONG)
    w.rest()
    return row(w, B)["o"] == "xy z"


def late_first() -> bool:
    """A create with a key is journaled, syncd crashes before the call, a person makes it meanwhile, it is sent again."""
    w = world(spec("keyed", "answers", "find"), spec("keyed", "answers", "find"))
    w.create(Step("create", A, L, value=2))
    tell(w, A)
    send(w, B, L, "crash_before")
    w.create(Step("create", B, L, value=2))
    w.rest()
    return len(w.platform(B).live("L")) == 1


def late_event() -> bool:
    """B's update arrives after A deleted the thing and we deleted it at B."""
    w = world(spec("find"), spec("find"))
    edit(w, B, "u", 4)
    event = w.platform(B).feed.pop()
    w.remove(Step("remove", A))
    w.rest()
    w.daemon.event(event)
    w.daemon.decide()
    send(w, A)
    send(w, B)
    return not any(p.live("K") for p in w.platforms.values())


def owner_blank() -> bool:
    """The owner blanks its own field: golden stays, and the owner is not refilled."""
    w = world(good(), good())
    edit(w, A, "o", NULL)
    w.rest()
    return row(w, A)["o"] is None and row(w, B)["o"] == "x"


def pages() -> bool:
    """A (no look-up) deletes and makes again; the page that shows the new row is read but not decided."""
    w = world(spec(), spec())
    w.remove(Step("remove", A))
    w.platform(A).feed.clear()
    sweep(w, A)
    sweep(w, A)
    w.daemon.decide()
    w.pass_time(5)
    w.create(Step("create", A, K, value=3))
    w.platform(A).feed.clear()
    sweep(w, A)
    send(w, B)
    return bool(w.platform(B).live("K"))


def resend() -> bool:
    """B takes whole records: our write of d re-sends its own p, which must stay its own word."""
    w = world(good("whole"), good("whole"))
    edit(w, A, "p", Y)
    w.rest()
    edit(w, B, "d", 4)
    w.rest()
    edit(w, B, "p", LONG)
    w.rest()
    return row(w, A)["p"] == row(w, B)["p"] == "y"


def late_page() -> bool:
    """B's page, fetched before a sale, is decided after it; there are no versions, and the clock ticks slowly."""
    w = world(spec("find"), spec("find", "ticks"))
    w.now = 10_003 * SECOND
    edit(w, B, "m", 3, after=0)
    tell(w, B)
    sweep(w, B, "late")
    edit(w, B, "d", 0, after=0)
    tell(w, B)
    sweep(w, B, "lands")
    w.daemon.decide()
    return golden(w, "d") == 8


def partial() -> bool:
    """Events hold only what changed; the one with n is lost, the next one moves the version on; then A's n is written."""
    w = world(good(), good())
    edit(w, B, "n", Y, part=True)
    w.platform(B).feed.clear()
    edit(w, B, "d", 4, part=True, after=50)
    tell(w, B)
    edit(w, A, "n", LONG, after=50)
    tell(w, A)
    send(w, B)
    return True


def ratchet() -> bool:
    """max: A says 7, and later 2."""
    w = world(good(), good())
    edit(w, A, "m", 7)
    w.rest()
    edit(w, A, "m", 2)
    w.rest()
    return row(w, A)["m"] == row(w, B)["m"] == 2


def kept() -> bool:
    """keep: B's stray edit stays until the owner speaks again, then it goes."""
    w = world(good(), good(), stray="keep")
    edit(w, B, "o", Y)
    w.rest()
    before = row(w, B)["o"], row(w, A)["o"]
    edit(w, A, "o", LONG)
    w.rest()
    return before == ("y", "x") and row(w, B)["o"] == "xy z"


def capture() -> bool:
    """priority: A is empty, B speaks, we fill A; B speaks again."""
    w = world(good(), good())
    edit(w, A, "p", NULL)
    w.rest()
    edit(w, B, "p", Y)
    w.rest()
    edit(w, B, "p", LONG)
    w.rest()
    return golden(w, "p") == "xy z"


def interval() -> bool:
    """Times of whole records: A's n is edited (event lost), then B's n, then another field of A."""
    w = world(spec("find", "answers"), spec("find", "answers"))
    edit(w, A, "n", Y, after=10)
    w.platform(A).feed.clear()
    edit(w, B, "n", LONG, after=50)
    tell(w, B)
    edit(w, A, "u", 4, after=50)
    tell(w, A)
    return in_conflict(w, "n") or golden(w, "n") == "xy z"


def members() -> bool:
    """B stores members in upper case; A adds r, later a person at B takes R out."""
    w = world(good(), good("upper"))
    edit(w, A, "u", 3)
    w.rest()
    edit(w, B, "u", 0)
    w.rest()
    return row(w, A)["u"] == row(w, B)["u"] == frozenset()


def adjusted() -> bool:
    """+1 at A; while our +1 travels to B somebody adds 2 there; B answers with what it holds now."""
    w = world(spec("keyed", "adjust", "answers", "find"), spec("keyed", "adjust", "answers", "find"))
    edit(w, A, "d", 3)
    tell(w, A)
    send(w, B, K, "race", "d", 4)
    w.rest()
    return golden(w, "d") == row(w, A)["d"] == row(w, B)["d"] == 13


def zombie() -> bool:
    """v1 to B times out, A says v2, we write v2, then v1 lands."""
    w = world(spec("find", "answers"), spec("find", "answers"))
    edit(w, A, "n", Y, after=50)
    tell(w, A)
    send(w, B, K, "late")
    edit(w, A, "n", LONG, after=20)
    w.deliver(Step("deliver", A))
    w.daemon.restart()
    w.daemon.decide()
    send(w, B)
    w.pass_time(50)
    w.rest()
    return row(w, A)["n"] == row(w, B)["n"] == "xy z"


def golden_stands() -> bool:
    """B says y, A says later z, then A is empty: golden stays z and does not go back to y."""
    w = world(good(), good(), good())
    edit(w, B, "n", Y, after=20)
    w.rest()
    edit(w, A, "n", LONG, after=50)
    tell(w, A)
    edit(w, A, "n", NULL, after=50)
    tell(w, A)
    return golden(w, "n") == "xy z"


def ticks() -> bool:
    """A's clock ticks in 5 s: its edit at 4 shows as 0; B's edit at 2 is older and looks newer."""
    w = world(good("ticks"), good(), skew=0)
    w.now = 10_002 * SECOND
    edit(w, B, "n", Y, after=0)
    edit(w, A, "n", LONG, after=2)
    tell(w, A, B)
    return in_conflict(w, "n") or golden(w, "n") == "xy z"


def whole_group() -> bool:
    """A changes the street only; B gets street and city."""
    w = world(spec("find", "answers"), spec("find", "answers"))
    edit(w, A, "g1", STREET, after=50)
    tell(w, A)
    write = plan.plan(w.daemon.space(), w.record("K"), "b").write
    return write is not None and {"g1", "g2"} <= write.sent.keys()


def relink() -> bool:
    """A's row is deleted and made again under a new id; only the new one is seen."""
    w = world(good(), good())
    w.remove(Step("remove", A))
    w.platform(A).feed.clear()
    w.pass_time(5)
    w.create(Step("create", A, K, value=LONG))
    tell(w, A)
    settled = not w.daemon.ledger.loose
    w.rest()
    return settled and row(w, B)["o"] == "xy z"


def first_count() -> bool:
    """A third platform makes the thing anew, with 10 already on it."""
    w = world(good(), good(), good())
    w.remove(Step("remove", C))
    w.create(Step("create", C))
    w.rest()
    return golden(w, "d") == 10


def ghost() -> bool:
    """Made and deleted at B before we look; the delete is lost, the create is not."""
    w = world(good(), good())
    w.create(Step("create", B, L, value=2))
    w.remove(Step("remove", B, L))
    event = w.platform(B).feed.pop(0)
    w.platform(B).feed.clear()
    w.daemon.event(event)
    w.daemon.decide()
    w.rest()
    return not any(p.live("L") for p in w.platforms.values())


def echo() -> bool:
    """Our own write's webhook arrives before its receipt."""
    w = world(good(), good())
    edit(w, A, "d", 5)
    tell(w, A)
    send(w, B, K, "echo_first")
    w.rest()
    return row(w, A)["d"] == row(w, B)["d"] == 13


def restore() -> bool:
    """A copy of the ledger is opened after +3 at A was spread."""
    w = world(good(), good())
    w.daemon.backup()
    edit(w, A, "d", 5)
    w.rest()
    w.restore(Step("restore"))
    w.rest()
    return row(w, A)["d"] == row(w, B)["d"] == 13


def rule_change() -> bool:
    """A's edit is accepted and not yet written to B when B becomes the owner."""
    w = world(good(), good())
    edit(w, A, "o", Y)
    tell(w, A)
    w.owner(Step("owner", B))
    w.rest()
    return row(w, B)["o"] == "y"
