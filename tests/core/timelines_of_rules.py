"""More timelines: one for each rule that those of the model leave out."""

from syncd.core.model import SECOND
from tests.core.timeline import (
    CAPITAL,
    INVALID,
    LONG,
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
from tests.core.world import Step, World


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


def outlived() -> bool:
    """C's page was read before we deleted the thing there, and is decided afterwards: it brings nothing back."""
    w = world(spec("find"), spec(), spec())
    w.remove(Step("remove", A))
    tell(w, A)
    sweep(w, C)
    send(w, C)
    w.daemon.decide()
    return w.record("K").tomb is not None
