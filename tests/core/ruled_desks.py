"""Desks on which rules of all sorts have decided, for the tests that derive decisions again."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from syncd.core.conclude import conclude, snapshot
from syncd.core.model import SECOND, GoldenField, Record, Shadow
from syncd.core.rules import Entity, Freeze, Group, Match, Member, Rules
from syncd.core.space import Touch
from tests.core.desk import GOOD, KEY, Desk, a_field, a_member, desk, owner, rule
from tests.core.rule_words import cases, const, expr, frozen_when, scope

DAY = 86400 * SECOND
LOCKS = a_member("c", raws=("lock",))


def stale_in_a_formula() -> Desk:
    """A platform is passed over by the formula, but its word makes the condition true."""
    truth = cases(("b.f == 'y'", expr("coalesce(b.f, a.f)", if_stale="next")), owner("c"))
    d = desk(a_field(truth=truth))
    d.space.read_at |= dict.fromkeys("abc", d.space.now)
    d.look("a", f="x")
    d.look("b", f="y")
    d.space.now += DAY
    d.space.read_at |= {"a": d.space.now, "c": d.space.now}
    d.revise()
    assert d.golden() == "x", "b is stale"
    return d


def imported() -> Desk:
    """Two edits of ``newest``, one of them in a bulk touch; and golden of such a one."""
    d = desk(a_field(truth=rule("newest", "a", "b", tie=("b",))))
    d.space.touches["b", "things"] = [Touch(5000 * SECOND, 5000 * SECOND, 30, 40)]
    d.look("b", f="y", how={"changed_at": 5000 * SECOND})
    d.look("a", f="x", how={"changed_at": 2000 * SECOND})
    assert d.golden() == "x"
    return d


def imported_and_gone() -> Desk:
    """Golden is of a platform that was touched all at once and has the record no more: its time proves nothing (R12)."""
    d = desk(a_field(truth=rule("newest", "a", "b", tie=("a",))))
    d.look("b", f="y", how={"changed_at": 5000 * SECOND})
    d.space.touches["b", "things"] = [Touch(5000 * SECOND, 5000 * SECOND, 30, 40)]
    d.look("b", f=None)
    d.look("a", f="x", how={"changed_at": 4000 * SECOND})
    assert d.golden() == "x"
    assert d.space.decisions[-1].fields[0].given["unsure"]
    return d


def frozen(freeze: Freeze) -> Desk:
    d = desk(a_field(truth=owner(freeze=freeze)), members=(LOCKS,))
    d.look("c", f="z", lock=True)
    d.look("a", f="x")
    d.look("a", f="y")
    d.look("b", f="w")
    assert d.golden() == "x"
    return d


def thawed() -> Desk:
    """A freeze ends at its date: the decision has no new observation (``revise``)."""
    d = frozen(Freeze("until", until=1500 * SECOND))
    d.space.now = 1500 * SECOND
    d.revise()
    assert d.golden() == "y"
    return d


def timed() -> Desk:
    """A condition becomes true as time goes by."""
    d = desk(a_field(truth=cases(("now() > datetime('1970-01-01T00:20:00Z')", const("late")), owner("a"))))
    d.look("a", f="x")
    d.space.now = 1300 * SECOND
    d.revise()
    assert d.golden() == "late"
    return d


def left() -> Desk:
    """A platform's row leaves its scope and comes back."""
    d = desk(
        a_field(truth=rule("priority", "b", "a", if_null="next")),
        members=(a_member("b", only=scope("status != 'out'"), raws=("status",)),),
    )
    for platform, value, status in (("a", "x", "in"), ("b", "y", "in"), ("b", "y", "out"), ("a", "z", "in"), ("b", "w", "in")):
        d.look(platform, f=value, status=status)
    assert d.golden() == "w"
    return d


def group_of_cases() -> Desk:
    truth = cases(("c.raw.lock", owner("b")), rule("newest", "a", "b"))
    fields = a_field("street", group="address"), a_field("city", group="address")
    d = Desk(*fields, members=(LOCKS,), groups=(Group("address", ("street", "city"), truth),))
    d.look("c", street="C", city="C", lock=False)
    d.look("a", street="A", city="A")
    d.look("b", street="B", city=None)
    d.look("c", street="C", city="C", lock=True)
    d.look("a", street="A2", city="A2")
    assert d.golden("street") == "B"
    return d


def fold_in_a_case(how: str) -> Desk:
    """A set or a counter only in some cases."""
    sets = how != "delta"
    one, two, three = (["r", "s"], ["s", "t"], ["t"]) if sets else (10, 12, 15)
    truth = cases(("c.raw.lock", owner("b")), rule(how, "a", "b"))
    d = desk(a_field("f", truth=truth, kind="set(string)" if sets else "integer"), members=(LOCKS,))
    d.look("a", f=one)
    d.look("b", f=two)
    d.look("a", f=three)
    d.look("c", lock=True)
    d.look("b", f=one)
    d.look("c", lock=False)
    d.look("a", f=two)
    return d


def chained() -> Desk:
    """A formula of golden, an invalid formula, one that gives nothing, and the platform used instead."""
    d = desk(
        a_field("f", truth=expr("upper(golden.g)", if_null="use", null_use="b")),
        a_field("g", truth=owner(if_null="clear")),
        a_field("n", truth=expr("a.n / b.n", if_null="const", null_value="1.00"), kind="decimal(2)"),
    )
    d.look("a", f="q", g="x", n="3.00")
    d.look("b", f="w", g="y", n="2.00")
    d.look("a", f="q", g=None, n=None)
    assert (d.golden("f"), d.golden("n")) == ("w", "1.00")
    return d


def person(*, keep: bool) -> Desk:
    """A person settles a jump, by a value or by keeping golden; later a platform says something else."""
    d = desk(a_field("f", truth=owner(), kind="decimal(2)", max_step=0.5))
    d.look("a", f="10.00")
    d.look("a", f="99.00")
    before, golden = snapshot(d.record), d.golden_field()
    value, who = ("10.00", "a") if keep else ("12.00", "person")
    d.record.golden["f"] = replace(golden, value=value, who=who, ruled={"a": "99.00"})
    d.record.conflicts.clear()
    conclude(d.space, d.record, "conflict c-1 settled by cli:ana", before=before)
    d.look("a", f="13.00")
    assert d.golden() == "13.00"
    return d


def referring() -> Desk:
    """A thing refers to another one, first before that is a record: golden is the parent's record."""
    d = desk(a_field("f", kind="ref(brand)"))
    brand = Entity(
        "brand",
        "name",
        {"name": replace(KEY, name="name", maps={p: replace(KEY.maps["a"], path="name", steps=("name",)) for p in "ab"})},
        {p: Member(p, "brands", GOOD, mode="enforce", create=True, unmatched="create") for p in "ab"},
        (Match(("name",), lambda value: value, text="name"),),
    )
    d.space.rules = Rules("0", {"thing": d.entity, "brand": brand})
    d.look("a", f="7")
    d.space.records[2] = parent = made_parent(d, brand)
    d.look("a", f="7")
    assert d.golden() == parent.id
    return d


def made_parent(d: Desk, brand: Entity) -> Record:
    record = Record(2, brand.name, d.space.now, "ACME")
    record.shadows["a"] = Shadow("a", "brands", "7")
    record.golden["name"] = GoldenField("ACME", who="a")
    return record


RULED: dict[str, Callable[[], Desk]] = {
    "stale in a formula": stale_in_a_formula,
    "imported": imported,
    "imported and gone": imported_and_gone,
    "frozen": partial(frozen, Freeze("always")),
    "frozen after its first": partial(frozen, Freeze("after_first")),
    "frozen until": partial(frozen, Freeze("until", until=10**15)),
    "frozen when": partial(frozen, frozen_when("c.raw.lock")),
    "thawed": thawed,
    "timed": timed,
    "left scope": left,
    "group of cases": group_of_cases,
    "union in a case": partial(fold_in_a_case, "union"),
    "intersection in a case": partial(fold_in_a_case, "intersection"),
    "counter in a case": partial(fold_in_a_case, "delta"),
    "formulas": chained,
    "a person's value": partial(person, keep=False),
    "a person keeps": partial(person, keep=True),
    "reference": referring,
}
