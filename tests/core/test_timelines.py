"""Fixed timelines, each with its control: with the rule switched off the same timeline breaks a law or ends wrong.

A and B are platforms, A is owner, first choice and authority. K is everywhere at the beginning, with o = p = n = "x", d = 10.
"""

from collections.abc import Callable

import pytest

from syncd.core import plan
from syncd.core.model import SECOND
from tests.core.switches import without
from tests.core.world import KEYS, Setup, Step, World, start
from tests.core.world_daemon import Breach
from tests.core.world_platform import Spec

A, B, C = 0, 1, 2
K, L = 0, 1
X, CAPITAL, BLANKED, LONG, LONGER, Y, NULL, INVALID = range(8)  # texts a person sets, as in POOL
STREET, CITY, BOTH = 0, 1, 2  # of a group; 5, 6, 7: emptied


def spec(*traits: str, norm: str = "plain", skew: int = 0) -> Spec:
    return Spec(frozenset(traits), (norm,) * 4, skew)


def good(*more: str, norm: str = "plain") -> Spec:
    return spec("versions", "guard", "answers", "find", "unique", *more, norm=norm)


def world(*specs: Spec, **options: object) -> World:
    return start(Setup(specs, **options))  # type: ignore[arg-type]


def edit(w: World, at: int, name: str, value: int, *, key: int = K, part: bool = False, after: int = 1) -> None:
    w.pass_time(after)
    w.change(w.platform(at), KEYS[key], name, value, part=part)


def tell(w: World, *places: int) -> None:
    """The oldest event of each platform arrives and is decided."""
    for at in places:
        w.deliver(Step("deliver", at))
    w.daemon.decide()


def send(w: World, at: int, key: int = K, how: str = "", name: str = "o", value: int = 0) -> None:
    w.send(Step("send", at, key, name, value, how))


def sweep(w: World, at: int, how: str = "ok") -> None:
    w.sweep(Step("sweep", at, how=how))


def row(w: World, at: int, key: int = K) -> dict:
    return w.platform(at).live(KEYS[key])[0].values


def golden(w: World, name: str) -> object:
    return w.record("K").golden[name].value


def in_conflict(w: World, name: str) -> bool:
    return name in w.record("K").conflicts


# ---- the 25 of the model


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


# ---- more, one for each rule that the 25 leave out


def respelt() -> bool:
    """B cuts what we write; its spelling is no opinion."""
    w = world(good(), good(norm="cut2"))
    edit(w, A, "n", LONG, after=50)
    w.rest()
    return row(w, A)["n"] == "xy z" and row(w, B)["n"] == "xy"


def resent_through_normaliser() -> bool:
    """B takes whole records and cuts what it is sent, each time a little more: two such fields never come to rest."""
    w = world(good(), good("whole", norm="odd"))
    edit(w, A, "o", LONG)
    w.rest()
    edit(w, A, "p", LONG)
    w.rest()
    return row(w, B)["o"] == row(w, B)["p"] == "xy "


def explained() -> bool:
    """B cuts, answers nothing and has no versions: the loss must not come back as B's own word."""
    w = world(spec("find"), spec("find", norm="cut2"))
    edit(w, A, "n", LONG, after=50)
    w.rest()
    return row(w, A)["n"] == "xy z" and not in_conflict(w, "n")


def twice() -> bool:
    """B stores even numbers, answers nothing and has no versions: the second time we believe that it is its way."""
    w = world(spec("find"), spec("find", "rounds"))
    edit(w, A, "m", 7)
    w.rest()
    return golden(w, "m") == 7


def found_is_ours() -> bool:
    """The answer to a create is lost; what is found there is cut, newer, and ours."""
    w = world(spec("find"), spec("find", norm="cut2"))
    w.pass_time(50)
    w.create(Step("create", A, L, value=LONG))
    tell(w, A)
    w.pass_time(50)
    send(w, B, L, "lost")
    w.rest()
    return row(w, A, L)["n"] == "xy z"


def strictly_later() -> bool:
    """Two edits within one tick of B's clock; the events arrive the other way round."""
    w = world(spec("find"), spec("find", "ticks"))
    w.now = 10_001 * SECOND
    edit(w, B, "d", 5, after=0)
    edit(w, B, "d", 5, after=0)
    w.deliver(Step("deliver", B, value=1, how="any"))
    w.deliver(Step("deliver", B))
    w.daemon.decide()
    return golden(w, "d") == 16


def returning_id() -> bool:
    """B's row is deleted and made again under its id, unseen; its version is 1 as before, but it is no guard."""
    w = world(good(), spec("versions", "guard", "answers", "find", "reuse"))
    w.remove(Step("remove", B))
    w.create(Step("create", B, value=Y))
    w.platform(B).feed.clear()
    edit(w, A, "n", LONG, after=50)
    tell(w, A)
    send(w, B)
    return True


def invalid_there() -> bool:
    """What stands at B is invalid: whoever put it there must put it right."""
    w = world(good(), good())
    edit(w, B, "o", INVALID)
    edit(w, A, "o", Y)
    w.rest()
    return row(w, B)["o"] == 13


def empty_group() -> bool:
    """A changes the street and empties the city: the group wins with its empty member."""
    w = world(good(), good())
    edit(w, A, "g1", STREET, after=50)
    edit(w, A, "g2", 7, after=50)
    edit(w, A, "g1", STREET, after=50)
    w.rest()
    return golden(w, "g1") == row(w, A)["g1"] and golden(w, "g2") is None


def first_blank() -> bool:
    """clear: the owner's row is met for the first time with an empty field: it says nothing."""
    w = world(good(), good(), clear=True, seeded=False)
    w.create(Step("create", B, K, value=Y))
    tell(w, B)
    w.create(Step("create", A, K, value=Y))
    w.platform(A).live("K")[0].values["o"] = None
    w.rest()
    return golden(w, "o") == "y"


def stale_there() -> bool:
    """A's feed is down: B's p is golden for now, but is not written over A's, which we cannot see."""
    w = world(spec("find", "answers"), good())
    w.stale(Step("stale", A))
    edit(w, B, "p", Y)
    tell(w, B)
    w.daemon.ledger.behind.add((w.record("K").id, "a"))
    send(w, A)
    return golden(w, "p") == "y" and row(w, A)["p"] == "x"


def own_base() -> bool:
    """A adds T, B adds s at the same time: B did not take T out."""
    w = world(good(), good())
    edit(w, A, "u", 5)
    tell(w, A)
    edit(w, B, "u", 4)
    tell(w, B)
    w.rest()
    return row(w, A)["u"] == row(w, B)["u"] == {"s", "T"}


def seed() -> bool:
    """Two platforms are met with different numbers: the first in the rule gives the number, whoever comes first."""
    w = world(good(), good(), seeded=False)
    w.create(Step("create", B))
    edit(w, B, "d", 7)
    tell(w, B)
    w.create(Step("create", A))
    w.rest()
    return golden(w, "d") == 10


def countable() -> bool:
    """B rounds to even numbers and answers nothing: nothing is counted there that nobody counted."""
    w = world(good(), spec("find", "rounds"))
    edit(w, A, "d", 3)
    w.rest()
    return golden(w, "d") == row(w, A)["d"] == 11


def find() -> bool:
    """A person made the thing at B before we got there."""
    w = world(spec("find"), spec("find"))
    w.create(Step("create", A, L, value=2))
    tell(w, A)
    w.create(Step("create", B, L, value=2))
    send(w, B, L)
    w.rest()
    return len(w.platform(B).live("L")) == 1


def before() -> bool:
    """x is to become X at B; the write is refused, the answer is lost, and another field's edit moves the version."""
    w = world(good(), good())
    edit(w, A, "o", CAPITAL)
    tell(w, A)
    send(w, B, K, "race_lost", "m", 4)
    w.rest()
    return row(w, B)["o"] == "X"


def gone_by_key() -> bool:
    """A deletes the thing and makes it again under a new id, which we have not seen yet."""
    w = world(spec("find"), spec("find"))
    w.remove(Step("remove", A))
    tell(w, A)
    w.create(Step("create", A, K, value=2))
    send(w, B)
    w.rest()
    return [r.id for r in w.platform(B).rows.values() if r.alive] == ["B1"]


def nowhere() -> bool:
    """Born at B, gone at B before A had it."""
    w = world(good(), good())
    w.create(Step("create", B, L, value=2))
    tell(w, B)
    w.remove(Step("remove", B, L))
    w.rest()
    return w.record("L").tomb is not None


def provisional() -> bool:
    """Before its owner speaks: of two that did the first in `in:` is golden, whoever comes first."""
    w = world(good(), good(), good(), seeded=False)
    w.create(Step("create", C, K, value=Y))
    tell(w, C)
    w.create(Step("create", B, K, value=LONG))
    tell(w, B)
    return golden(w, "o") == "xy z"


def spelt_anew() -> bool:
    """A person at B writes r as R: under `equal: casefold` nobody added or removed anything."""
    w = world(good(), good())
    edit(w, A, "u", 3)
    w.rest()
    replace_members(w, {"R"})
    return golden(w, "u") == ["r"]


def cut_member() -> bool:
    """B cut the member that we sent; a person takes it out there."""
    w = world(good(), good())
    cut_at_b(w, "r")
    replace_members(w, set())
    return golden(w, "u") == [] and not in_conflict(w, "u")


def unclear_member() -> bool:
    """B cut two members that we sent; one of them is taken out there: a person must say which."""
    w = world(good(), good())
    cut_at_b(w, "r", "s")
    replace_members(w, {"s"})
    return in_conflict(w, "u") and len(golden(w, "u")) == 2


def cut_at_b(w: World, *names: str) -> None:
    for value, _ in enumerate(names, start=3):
        edit(w, A, "u", value)
    w.rest()
    long = [f"a long {name}" for name in names]
    w.record("K").golden["u"].value = w.record("K").shadows["b"].fields["u"].means = long


def replace_members(w: World, new: set[str]) -> None:
    row(w, B)["u"] = frozenset(new)
    w.platform(B).touch(w.platform(B).live("K")[0], ["u"])
    tell(w, B)


def last_word() -> bool:
    """A deletes and makes again under the same id; only the news of the deletion arrives."""
    w = world(spec("find", "reuse"), spec("find"))
    w.remove(Step("remove", A))
    w.create(Step("create", A))
    tell(w, A)
    return w.record("K").tomb is None


TIMELINES: dict[Callable[[], bool], tuple[str, ...]] = {
    lying: ("last word", "gone by key"),
    epoch: ("epoch",),
    late_first: ("find after crash",),
    late_event: ("ghost",),
    owner_blank: ("blank there",),
    pages: ("decided scan",),
    resend: ("resent",),
    late_page: ("as of",),
    partial: ("partial",),
    ratchet: ("own",),
    kept: ("kept",),
    capture: ("own",),
    interval: ("interval",),
    members: ("fold members", "respelt members"),
    adjusted: ("counted meanwhile",),
    zombie: ("not yet",),
    golden_stands: ("golden stands",),
    ticks: ("tick",),
    whole_group: ("whole group",),
    relink: ("read both",),
    first_count: ("first count",),
    ghost: ("ghost",),
    echo: ("defer",),
    restore: ("rebase",),
    rule_change: ("spoken",),
    respelt: ("means",),
    resent_through_normaliser: ("resent as means",),
    explained: ("explain",),
    twice: ("twice",),
    found_is_ours: ("found is ours",),
    strictly_later: ("strictly later",),
    returning_id: ("returning ids",),
    invalid_there: ("invalid there",),
    empty_group: ("empty group",),
    first_blank: ("cleared",),
    stale_there: ("stale there",),
    own_base: ("own base",),
    seed: ("seed",),
    countable: ("countable",),
    find: ("find",),
    before: ("before",),
    gone_by_key: ("gone by key",),
    nowhere: ("nowhere",),
    provisional: ("provisional",),
    spelt_anew: ("fold members",),
    cut_member: ("respelt members",),
    unclear_member: ("unclear members",),
    last_word: ("last word",),
}


def name_of(timeline: object) -> str:
    return getattr(timeline, "__name__", str(timeline))


@pytest.mark.parametrize("timeline", TIMELINES, ids=name_of)
def test_a_timeline_ends_well(timeline: Callable[[], bool]) -> None:
    assert timeline()


@pytest.mark.parametrize("timeline", TIMELINES, ids=name_of)
def test_without_its_rule_the_same_timeline_goes_wrong(timeline: Callable[[], bool]) -> None:
    with without(*TIMELINES[timeline]):
        try:
            went_well = timeline()
        except Breach:
            went_well = False
    assert not went_well
