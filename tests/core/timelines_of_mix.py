"""Timelines of the rule language: cases, formulas, freezes, conditions, scopes and bulk touches, each with its control."""

from tests.core.mixed_rules import TEXT_FIELDS, Rule
from tests.core.timeline import LONG, LONGER, NULL, A, B, K, X, Y, edit, golden, good, in_conflict, row, send, tell, world
from tests.core.world import Step, World

OWNER = Rule("owner", ("a",))
B_ON, B_OFF = Step("mark", B, value=0), Step("mark", B, value=1)


def mixed(*guards: str, seeded: bool = True, stray: str = "revert", **more: Rule) -> World:
    """Return a world in which a owns what has no other rule."""
    rules = {**dict.fromkeys(TEXT_FIELDS, OWNER), **more}
    fields = tuple(rules) + (() if "d" in rules else ("d",))
    return world(good(), good(), fields=fields, mix=tuple(rules.items()), guards=frozenset(guards), seeded=seeded, stray=stray)


def branch() -> bool:
    """B decides while its own field says so, and nobody else."""
    w = mixed(x=Rule("cases", cases=(('b.raw.w == "on"', Rule("owner", ("b",))), ("", OWNER))))
    w.mark(B_ON)
    edit(w, B, "x", Y)
    w.rest()
    first = golden(w, "x")
    w.mark(B_OFF)
    w.rest()
    return (first, golden(w, "x"), row(w, B)["x"]) == ("y", "y", "y")


def own_words() -> bool:
    """What we wrote to B is not B's word: a condition on it is not true."""
    w = mixed(y=Rule("cases", cases=(("b.y != null", Rule("owner", ("b",))), ("", OWNER))))
    edit(w, A, "y", LONG)
    w.rest()
    return golden(w, "y") == row(w, B)["y"] == "xy z"


def frozen() -> bool:
    """Golden stands; what is said later is shown and kept."""
    w = mixed(x=OWNER._replace(freeze="always"))
    edit(w, A, "x", Y)
    w.rest()
    return golden(w, "x") == "x" and row(w, A)["x"] == "y"


def frozen_count() -> bool:
    """A frozen counter counts nothing."""
    w = mixed(d=Rule("delta", ("a", "b"), freeze="always"))
    edit(w, A, "d", 5)
    w.rest()
    return golden(w, "d") == 10


def provisional_is_free() -> bool:
    """A value taken before the owner spoke is not frozen."""
    w = mixed(seeded=False, x=OWNER._replace(freeze="always"))
    w.create(Step("create", B, value=Y))
    tell(w, B)
    w.create(Step("create", A, value=LONG))
    w.rest()
    return golden(w, "x") == "xy z"


def import_of_b() -> bool:
    """An import at B gives every row the time of now: that is no edit, and A's older one stands."""
    w = mixed(x=Rule("newest", ("a", "b")))
    edit(w, A, "x", LONG)
    w.rest()
    w.bulk(Step("bulk", B, name="x", value=Y))
    tell(w, B, B)
    return golden(w, "x") == "xy z"


def import_is_left() -> bool:
    """... and what the import brought is not written over either."""
    w = mixed(x=Rule("newest", ("a", "b")))
    edit(w, A, "x", LONG)
    w.rest()
    w.bulk(Step("bulk", B, name="x", value=Y))
    w.rest()
    return row(w, B)["x"] == "y"


def scope() -> bool:
    """What is out of scope at B is B's own affair."""
    w = mixed("only")
    w.leave(Step("leave", B))
    w.rest()
    edit(w, A, "x", Y)
    w.rest()
    return row(w, B)["x"] == "x"


def made_where() -> bool:
    """A thing is made at B only once it has an x."""
    w = mixed("create_when", seeded=False)
    w.create(Step("create", A))
    edit(w, A, "x", NULL)
    w.rest()
    return not w.platform(B).live("K")


def condition() -> bool:
    """A value that breaks a check is invalid: golden stays, and a person is asked."""
    w = mixed("check")
    edit(w, A, "x", LONGER)
    w.rest()
    return golden(w, "x") == "x" and in_conflict(w, "x")


def follows() -> bool:
    """A formula follows the golden value that it reads."""
    w = mixed(y=Rule("expr", text="upper(golden.x)"))
    edit(w, A, "x", Y, part=True)
    tell(w, A)
    return golden(w, "y") == "Y"


def follows_raw() -> bool:
    """A formula follows a platform's own field that it reads."""
    w = mixed(z=Rule("expr", text="coalesce(b.raw.w, golden.y)"))
    w.mark(B_ON)
    tell(w, B)
    return golden(w, "z") == "on"


def in_order() -> bool:
    """A chain is decided from its beginning: z reads y, y reads x."""
    w = mixed(
        y=Rule("expr", text="upper(golden.x)"),
        z=Rule("cases", cases=(('length(coalesce(golden.y, "")) > 1', Rule("const")), ("", OWNER))),
    )
    edit(w, A, "x", LONG)
    tell(w, A)
    return golden(w, "y") == "XY Z" and golden(w, "z") == "const"


def stale_formula() -> bool:
    """A formula passes over a platform whose feed is down."""
    w = mixed(x=Rule("expr", text="coalesce(a.x, b.y)", if_stale="next"))
    edit(w, B, "y", Y)
    w.rest()
    w.stale(Step("stale", A))
    edit(w, B, "y", LONG)
    tell(w, B)
    return golden(w, "x") == "xy z"


def kept_is_over() -> bool:
    """B's edit is kept against x; golden goes to y and comes back: nothing is kept any more."""
    w = mixed(stray="keep")
    edit(w, B, "x", LONG)
    tell(w, B)
    edit(w, A, "x", Y)
    tell(w, A)
    edit(w, A, "x", X)
    w.rest()
    return row(w, B)["x"] == golden(w, "x") == "x"


def coincidence() -> bool:
    """Both sell one; our write of 11 is refused, the answer is lost, and 11 is what stands there: only the key tells."""
    w = world(good("keyed"), good("keyed"))
    edit(w, A, "d", 3)
    tell(w, A)
    send(w, B, K, "race_lost", "d", 3)
    w.rest()
    return golden(w, "d") == 12
