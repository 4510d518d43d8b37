"""What a platform is told, what a write still needs, and why a field waits."""

import pytest

from syncd.core.mapping import parse_path
from syncd.core.model import SECOND, Abilities, Life, Op
from syncd.core.plan import NOTHING
from syncd.core.rules import Deletes, FieldMap, Group, Match
from syncd.core.transforms import parse_pipeline, write_of
from tests.core.desk import GOOD, Desk, a_field, a_member, desk, owner, rule

PLAIN = Abilities(find=False)
FINDS = Abilities(find=True)


def two(*fields, how=None, **options):
    """Return a desk on which a and b hold the same, and a has now said something new."""
    d = desk(*fields, **options)
    names = [f.name for f in d.entity.fields.values() if f.name != "k"]
    d.look("a", **dict.fromkeys(names, "x"))
    d.look("b", **dict.fromkeys(names, "x"))
    d.look("a", **dict.fromkeys(names, "y"))
    return d


# ---- updates


def test_only_what_differs_is_sent_guarded_by_the_version_last_seen():
    d = two(a_field(), a_field("same", owner("b")))
    write = d.plan("b").write
    assert (write.op, write.id, write.version, write.sent, write.values) == (Op.UPDATE, "B", 1, {"f": "y"}, {"f": "y"})
    assert d.sent("a") == {"same": "x"}
    assert desk_in_step().plan("b") is NOTHING


def desk_in_step():
    d = desk()
    d.look("a", f="x")
    d.look("b", f="x")
    return d


def test_only_some_fields_can_be_asked_for():
    d = two(a_field(), a_field("g"))
    assert d.plan("b", only=["g"]).write.sent == {"g": "y"}
    assert d.plan("b", only=[]).write is None


@pytest.mark.parametrize(
    ("field", "member", "reason"),
    [
        ({"mode": "observe"}, {}, "the field is only observed"),
        ({"writes": ("c",)}, {}, "not among the field's writes"),
        ({}, {"writable": frozenset({"other"})}, "outside writable"),
    ],
)
def test_doors_that_the_config_closes(field, member, reason):
    d = two(a_field(**field), members=(a_member("b", **member),))
    assert d.plan("b").held == {"f": reason}


@pytest.mark.parametrize("member", [{"mode": "observe"}, {"able": Abilities(update=False)}])
def test_platforms_that_are_not_written_to(member):
    assert two(members=(a_member("b", **member),)).plan("b").write is None


def test_what_is_only_read_somewhere_is_not_compared_there():
    d = two(a_field(way={"b": "in"}))
    assert d.plan("b") is NOTHING


def test_a_record_without_a_required_value_spreads_nowhere():
    d = two(a_field(), a_field("must", required=True))
    d.record.golden["must"].value = None
    assert d.plan("b").held == dict.fromkeys(("f", "must"), "a required field has no value")
    assert d.plan("c").held["f"] == "a required field has no value"


def test_a_field_whose_owner_never_had_a_value_is_not_emptied():
    d = desk(a_field(), a_field("other"))
    d.look("a", f="x", other=None)
    d.look("b", f="x", other="there")
    assert d.golden("other") == "there"  # an empty first look says nothing: the first own word stands until the owner speaks
    assert d.plan("b") is NOTHING


def test_a_field_that_was_never_read_there_is_looked_at_first():
    d = two()
    del d.record.shadows["b"].fields["f"]
    plan = d.plan("b")
    assert (plan.need, plan.write.sent) == ("look", {"f": "y"})


def test_what_stands_there_invalid_is_not_written_over():
    d = two()
    d.look("b", f=7)
    assert d.plan("b").held == {"f": "invalid there: 7 is a number, not text"}


def test_the_blank_of_a_source_is_kept_unless_the_next_one_fills_it():
    d = two()
    d.look("a", f=None)
    assert (d.golden(), d.plan("a").held) == ("y", {"f": "empty there: kept"})
    d = two(a_field(truth=rule("priority", "a", "b", if_null="next")))
    d.look("b", f="z")
    d.look("a", f=None)
    assert (d.golden(), d.sent("a")) == ("z", {"f": "z"})


def test_a_blank_that_was_never_anything_else_is_filled_where_it_does_not_decide():
    d = desk(a_field(truth=rule("newest")))
    d.look("a", f=None)
    d.look("b", f="y")
    assert d.sent("a") == {"f": "y"}
    d.look("a", f="z")
    d.look("a", f=None)
    assert d.plan("a").held == {"f": "empty there: kept"}


def test_values_without_a_word_are_no_write():
    words = parse_pipeline([{"table": {"1": "x"}}])
    table = {"b": FieldMap("f", ("f",), read=words, write=write_of(words) or ())}
    d = desk(a_field(maps=table))
    d.look("a", f="x")
    d.look("b", f="1")
    d.look("a", f="y")
    assert d.plan("b").write is None


# ---- groups


def test_a_group_is_written_whole_and_held_whole():
    group = Group("g", ("one", "two"), owner())
    d = Desk(a_field("one", group="g"), a_field("two", group="g", platforms=("a", "b")), groups=(group,))
    for platform in "abc":
        d.look(platform, one="x", two="x")
    d.look("a", one="y", two="x")
    assert d.sent("b") == {"one": "y", "two": "x"}
    assert d.sent("c") == {"one": "y"}
    d.look("b", one="x", two=7)
    assert d.plan("b").held == {"one": "invalid there: 7 is a number, not text"}


def test_an_empty_group_of_a_source_is_kept():
    group = Group("g", ("one", "two"), rule("newest", "a", "b"))
    d = Desk(a_field("one", group="g"), a_field("two", group="g"), groups=(group,))
    for platform in "ab":
        d.look(platform, one="x", two="x")
    d.look("b", one=None, two=None)
    assert d.plan("b").held == {"one": "empty there: kept", "two": "empty there: kept"}


# ---- counters and whole things

COUNT = a_field(kind="integer", truth=rule("delta", "a", "b"))
ADJUSTS = Abilities(adjust=True, keyed=True, answers=True)


def counted(able, **options):
    d = desk(COUNT, members=(a_member("b", able, **options),))
    d.look("a", f=10)
    d.look("b", f=10)
    d.look("a", f=13)
    return d.plan("b")


def test_a_counter_is_set_under_a_guard_or_changed_by_its_difference():
    assert (counted(GOOD).write.values, counted(GOOD).write.adjust) == ({"f": 13}, {})
    write = counted(ADJUSTS, guard="none").write
    assert (write.values, write.sent, write.adjust) == ({"f": 3}, {"f": 13}, {"f": 3})


@pytest.mark.parametrize(
    "able",
    [
        Abilities(),
        Abilities(guard=True),
        Abilities(answers=True),
        Abilities(adjust=True, answers=True),
        Abilities(adjust=True, keyed=True),
        Abilities(adjust=True, keyed=True, answers=True, exact=False),
    ],
)
def test_a_counter_is_not_written_where_it_cannot_be_exact(able):
    assert counted(able).held == {"f": "a counter cannot be written exactly there"}


def test_a_counter_without_contact_is_not_written():
    d = desk(COUNT)
    d.look("a", f=10)
    d.look("b")
    d.look("a", f=11)
    assert d.plan("b").held == {"f": "a counter cannot be written exactly there"}


def test_a_follower_may_be_counted_to():
    d = desk(a_field(kind="integer", truth=rule("delta", "a")), members=(a_member("b", ADJUSTS),))
    d.look("a", f=10)
    d.look("b", f=4)
    assert d.plan("b").write.adjust == {"f": 6}


def test_whole_things_are_sent_with_what_they_mean_and_read_first():
    whole = Abilities(guard=True, ordered=True, whole=True)
    fields = (a_field(), a_field("rest"), a_field("bad"), a_field("mine", way={"b": "in"}), a_field("shut", writes=("a",)))
    d = two(*fields, members=(a_member("b", whole),))
    d.look("b", f="x", rest="y", bad=7, mine="m", shut="s")
    plan = d.plan("b")
    assert plan.need == "look"
    assert plan.write.values == {"k": "K", "f": "y", "rest": "y"}


@pytest.mark.parametrize(
    ("able", "options", "path", "need"),
    [
        (GOOD, {}, "f", ""),
        (GOOD, {}, "list.0.f", "look"),
        (GOOD, {"guard": "hash"}, "f", "look"),
        (Abilities(), {}, "f", "look"),
        (Abilities(read=False), {}, "f", ""),
    ],
)
def test_a_look_comes_first_where_nothing_guards_or_parts_are_sent_along(able, options, path, need):
    maps = {"b": FieldMap(path, parse_path(path))}
    d = desk(a_field(maps=maps), members=(a_member("b", able, **options),))
    d.look("a", f="x")
    item = {"f": "x"} if path == "f" else {"list": [{"f": "x"}]}
    d.look("b", **item)
    d.look("a", f="y")
    assert (d.plan("b").need, d.plan("b").write.values) == (need, {path: "y"})


# ---- creates


def created(*fields, able=FINDS, **options):
    d = desk(*fields, members=(a_member("b", able, **options),))
    d.look("a", f="x")
    return d


def test_a_create_waits_for_the_first_fill_and_then_for_a_look_up():
    d = created()
    assert d.plan("b").need == "sweep"
    d.swept()
    assert d.plan("b").need == "find"
    d.space.proofs[1, "b"] = d.number()
    plan = d.plan("b")
    assert (plan.need, plan.write.op, plan.write.id, plan.write.sent) == ("", Op.CREATE, None, {"k": "K", "f": "x"})


def test_a_look_up_counts_as_having_asked_a_platform():
    d = created()
    d.swept("a", "c")
    d.space.proofs[1, "b"] = d.number()
    assert d.plan("b").need == ""


def test_where_nothing_can_be_looked_up_a_later_scan_proves_it():
    d = created(able=PLAIN)
    d.swept()
    assert d.plan("b").need == ""
    d.record.born = d.number()
    assert d.plan("b").need == "sweep"


def test_where_nobody_can_be_asked_it_is_made_at_once():
    d = created(able=Abilities(list=False, find=False))
    d.swept("a", "c")
    assert d.plan("b").need == ""


def test_a_record_is_looked_up_by_the_first_key_of_one_field_that_has_a_word_there():
    words = parse_pipeline([{"table": {"1": "z"}}])
    no_word = {"b": FieldMap("odd", ("odd",), read=words, write=write_of(words) or ())}
    matches = tuple(Match(by, lambda v: v, text=" ".join(by)) for by in (("k", "f"), ("none",), ("away",), ("odd",)))
    fields = (a_field(), a_field("none"), a_field("away", platforms=("a",)), a_field("odd", maps=no_word))
    d = Desk(*fields, members=(a_member("b", FINDS),), matches=matches)
    d.look("a", f="x", away="x", odd="x")
    d.swept()
    assert d.plan("b").need == ""


def test_values_of_a_create():
    fields = (
        a_field(),
        a_field("empty"),
        a_field("filled", maps={"b": FieldMap("filled", ("filled",), default="new")}),
        a_field("read", way={"b": "in"}),
        a_field("away", platforms=("a",)),
        a_field("shut", writes=("c",)),
        a_field("asked", rule("manual")),
    )
    d = created(*fields)
    d.look("a", f="x", empty=None, read="r", away="w", shut="s", asked="q")
    d.look("a", f="x", empty=None, read="r", away="w", shut="s", asked="r")
    plan = d.plan("b")
    assert plan.write.sent == {"k": "K", "f": "x", "filled": "new"}
    assert plan.held == {"shut": "not among the field's writes", "asked": "in conflict"}


@pytest.mark.parametrize("options", [{"create": False}, {"able": Abilities(create=False)}])
def test_platforms_on_which_nothing_is_made(options):
    d = created(**options)
    assert d.plan("b") is NOTHING


def test_nothing_is_made_of_a_record_that_lives_nowhere_else():
    d = created()
    d.record.shadows["a"].life = Life.LEFT
    assert d.plan("b") is NOTHING
    d.record.shadows["b"] = d.record.shadows["a"]
    assert d.plan("b") is NOTHING


def test_a_create_without_a_single_value_is_none():
    d = Desk(a_field(), members=(a_member("b", FINDS),))
    d.look("a", f="x")
    d.rules(fields={n: f for n, f in d.entity.fields.items() if n != "k"})
    d.record.golden["f"].value = None
    assert d.plan("b").write is None


@pytest.mark.parametrize(("elsewhere", "again"), [("restore", True), ("ignore", False), ("review", False)])
def test_what_was_deleted_by_a_platform_that_may_not(elsewhere, again):
    d = desk(deletes=Deletes(authority="a", elsewhere=elsewhere))
    d.look("a", f="x")
    d.look("b", f="x")
    d.swept()
    d.gone("b")
    assert (d.plan("b").write is not None) is again
    if again:
        assert d.plan("b").need == "find"


# ---- deletes


def buried(on_delete="delete", able=FINDS, **options):
    options = {"on_delete": on_delete} | options
    members = (a_member("a", able), a_member("b", **options))
    d = desk(members=members, deletes=Deletes(authority="a"))
    d.look("a", f="x")
    d.look("b", f="x")
    d.gone("a")
    return d


def test_a_delete_needs_proof_by_key_at_the_authority():
    d = buried()
    assert (d.plan("b").need, d.plan("b").write.op) == ("authority", Op.DELETE)
    d.swept("a")
    assert d.plan("b").need == "authority"
    d.space.proofs[1, "a"] = d.number()
    assert (d.plan("b").need, d.plan("b").write.version) == ("", 1)


def test_a_decided_scan_proves_it_where_nothing_can_be_looked_up():
    d = buried(able=PLAIN)
    assert d.plan("b").need == "authority"
    d.swept("a")
    assert d.plan("b").need == ""


def test_an_unguarded_delete_looks_first():
    d = buried(guard="none", able=PLAIN)
    d.swept("a")
    assert (d.plan("b").need, d.plan("b").write.version) == ("look", None)


def test_archiving_sets_the_mark():
    d = buried("archive", deleted=("status", "archived"))
    assert (d.plan("b").write.op, d.plan("b").write.values) == (Op.ARCHIVE, {"status": "archived"})
    assert buried("archive").plan("b").write.values == {}


def test_the_mark_may_stand_outside_writable():
    d = buried("archive", deleted=("status", "archived"), writable=frozenset({"f"}))
    assert d.plan("b") is NOTHING


@pytest.mark.parametrize("on_delete", ["ignore", "clear_link"])
def test_rows_that_stay_when_a_record_ends(on_delete):
    assert buried(on_delete).plan("b") is NOTHING


def test_rows_that_are_gone_already_are_not_deleted():
    d = buried()
    d.gone("b")
    assert d.plan("b") is NOTHING
    assert d.plan("c") is NOTHING


def test_without_an_authority_nothing_is_deleted():
    d = desk(members=(a_member("b", on_delete="delete"),))
    d.look("a", f="x")
    d.look("b", f="x")
    d.record.life = Life.GONE
    d.swept()
    assert d.plan("b").need == "authority"


# ---- rows that are not alive


def test_what_left_scope_is_let_be():
    d = two()
    d.record.shadows["b"].life = Life.LEFT
    assert d.plan("b") is NOTHING


STATUS = a_field("status")


def archived(elsewhere="restore", *fields, **options):
    member = a_member("b", **({"deleted": ("status", "archived")} | options))
    d = desk(*(fields or (STATUS,)), members=(member,), deletes=Deletes(authority="a", elsewhere=elsewhere))
    d.look("a", status="active")
    d.look("b", status="active")
    d.gone("b", item={"status": "archived"})
    return d


def test_an_archived_row_comes_back_by_the_field_that_carries_the_mark():
    d = archived()
    assert d.sent("b") == {"status": "active"}
    d.answer("b")
    assert d.record.shadows["b"].life is Life.ALIVE


@pytest.mark.parametrize(
    "d",
    [
        archived("review"),
        archived("restore", a_field("other"), a_field("status", platforms=("a",))),
        archived(able=Abilities(update=False)),
        archived("restore", a_field("status", writes=("a",))),
        archived(deleted=None),
    ],
    ids=["review", "not mapped", "no update", "closed", "no mark"],
)
def test_otherwise_it_stays_archived(d):
    assert d.plan("b") is NOTHING


def test_a_mark_that_is_meant_stays():
    d = archived()
    d.look("a", status="archived")
    assert d.plan("b") is NOTHING


def test_fields_that_the_rules_lost_bring_nothing_back():
    d = archived()
    d.rules(fields={n: f for n, f in d.entity.fields.items() if n != "status"})
    assert d.plan("b") is NOTHING


def test_time_alone_changes_no_plan():
    d = two()
    before = d.plan("b")
    d.space.now += 10**6 * SECOND
    assert d.plan("b") == before
