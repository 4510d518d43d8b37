"""History, decisions, reports and how long they are kept; how a record is found; how the ledger stands."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.core.model import FieldChange, Life, Op, Record, Shadow, Tombstone
from syncd.core.space import Decision, Stray
from syncd.ledger import (
    attempts,
    audit,
    breakers,
    conflicts,
    cursors,
    drift,
    history,
    inbox,
    letters,
    lookup,
    outbox,
    pauses,
    proposals,
    records,
    retention,
    state,
    sweeps,
)
from syncd.ledger.drift import Noted, Report, Sighting, Spot
from syncd.ledger.history import FieldStep
from syncd.ledger.letters import Refusal
from syncd.ledger.proposals import Planned
from syncd.ledger.retention import Thinned
from syncd.ledger.schema import Database
from tests.ledger.builders import (
    DAY,
    NOW,
    SECOND,
    change,
    conflict,
    decision,
    golden,
    keep,
    record,
    rules,
    shadow,
    space,
    take,
    write,
)
from tests.ledger.test_documents import goldens, shadows, texts, whole


def decide(db: Database, *decisions: Decision, sha: str = "4f1c9e2") -> None:
    working = space(rules=rules(sha=sha))
    working.decisions.extend(decisions)
    records.commit(db, working, records.load(db, working))


class TestHistory:
    @pytest.fixture(autouse=True)
    def _record(self, db: Database) -> None:
        keep(db, record(1), record(2))

    def stray(self) -> Stray:
        return Stray("shop", "price", "9.99", "12.50", "revert", "jo@acme.example", NOW - SECOND)

    def test_a_decision_comes_back_with_its_inputs_and_the_config_of_its_time(self, db: Database) -> None:
        full = Decision(
            1,
            2,
            NOW,
            "read erp",
            [
                FieldChange("price", "12.00", "12.50", "erp", "newest by 3 s", "newest", {"erp": ["12.50", 1], "shop": None}),
                FieldChange("name", None, "Mug", "erp", "owner", "owner"),
                FieldChange("tags", ["a"], None, None, "cleared", "union"),
                FieldChange("stock", 4, 7, "rule", "delta", "delta", {"erp": 3}),
            ],
            [self.stray()],
            ["assumed ours"],
        )
        decide(db, full)
        [decided] = history.decisions(db, 1)
        assert decided.config == "4f1c9e2"
        assert sorted(decided.decision.fields, key=lambda f: f.name) == sorted(full.fields, key=lambda f: f.name)
        assert (decided.decision.strays, decided.decision.notes) == (full.strays, full.notes)
        assert (decided.decision.version, decided.decision.at, decided.decision.cause) == (2, NOW, "read erp")

    def test_versions_newest_first_with_who_and_why(self, db: Database) -> None:
        decide(db, decision(1, 1, name="Mug", price="1"), decision(1, 2, at=NOW + SECOND, price="2"), decision(2, 1, name="X"))
        two, one = history.versions(db, 1)
        assert (two.version, two.at, two.cause, two.config) == (2, NOW + SECOND, "read erp", "4f1c9e2")
        assert two.fields == (FieldStep("price", None, "2", "erp", "owner", "owner"),)
        assert [f.name for f in one.fields] == ["name", "price"]
        assert [v.version for v in history.versions(db, 1, field="name")] == [1]
        assert [f.name for f in history.versions(db, 1, field="name")[0].fields] == ["name"]
        assert [v.version for v in history.versions(db, 1, since=NOW + 1)] == [2]
        assert [v.version for v in history.versions(db, 1, limit=1)] == [2]

    def test_a_field_with_an_odd_name_is_found(self, db: Database) -> None:
        decide(db, decision(1, 1, **{'a"b. c': "x"}))
        assert len(history.versions(db, 1, field='a"b. c')) == 1
        assert len(history.decisions(db, 1, field='a"b. c')) == 1

    def test_a_stray_edit_alone_is_a_decision_but_no_version(self, db: Database) -> None:
        decide(db, decision(1, 1, price="12.50"))
        decide(db, Decision(1, 1, NOW + SECOND, "event shop", strays=[self.stray()]))
        assert [v.version for v in history.versions(db, 1)] == [1]
        assert history.strays(db, 1) == [(1, self.stray())]
        stray, first = history.decisions(db, 1)
        assert stray.decision.strays == [self.stray()]
        assert first.decision.fields[0].after == "12.50"
        assert [d.decision.cause for d in history.decisions(db, 1, field="price")] == ["event shop", "read erp"]
        assert history.decisions(db, 1, field="name") == []

    def test_a_record_born_without_a_value_has_a_first_version(self, db: Database) -> None:
        decide(db, Decision(1, 1, NOW, "read shop"))
        [born] = history.versions(db, 1)
        assert (born.version, born.fields, born.cause) == (1, (), "read shop")

    def test_the_past_at_a_time_with_its_rules(self, db: Database) -> None:
        decide(db, decision(1, 1, at=NOW, price="1"), sha="aaaaaaa")
        decide(db, decision(1, 2, at=NOW + DAY, price="2"), sha="bbbbbbb")
        [then] = history.decisions(db, 1, until=NOW + DAY - 1)
        assert (then.config, then.decision.fields[0].after) == ("aaaaaaa", "1")
        assert [d.config for d in history.decisions(db, 1, until=NOW + DAY)] == ["bbbbbbb", "aaaaaaa"]
        assert history.decisions(db, 1, until=NOW - 1) == []

    def test_the_same_version_twice_is_refused(self, db: Database) -> None:
        import sqlite3

        decide(db, decision(1, 1, price="1"))
        with pytest.raises(sqlite3.IntegrityError):
            decide(db, decision(1, 1, price="2"))


class TestDrift:
    price, name, row = (
        Spot("product", "MUG-1", "price", "shop"),
        Spot("product", "MUG-1", "name", "shop"),
        Spot("product", "MUG-9", None, "erp"),
    )

    def note(self, db: Database, *spots: Spot, at: int = NOW, covered: Any = lambda spot: True) -> Noted:
        return drift.note(db, drift.new_id(db, at), [(s, "stray") for s in spots], covered=covered, now=at)

    def test_first_seen_and_times_seen(self, db: Database) -> None:
        assert self.note(db, self.price, self.row) == Noted((Sighting(NOW, 1), Sighting(NOW, 1)), 2, 0)
        assert self.note(db, self.name, self.price, at=NOW + 5) == Noted((Sighting(NOW + 5, 1), Sighting(NOW, 2)), 1, 1)
        assert [(d.spot, d.times_seen, d.last_seen) for d in drift.standing(db)] == [
            (self.price, 2, NOW + 5),
            (self.name, 1, NOW + 5),
        ]

    def test_what_comes_back_is_new(self, db: Database) -> None:
        self.note(db, self.price)
        assert self.note(db, at=NOW + 1).gone == 1
        assert self.note(db, self.price, at=NOW + 2) == Noted((Sighting(NOW + 2, 1),), 1, 0)

    def test_what_a_report_did_not_look_at_is_not_gone(self, db: Database) -> None:
        self.note(db, self.price, self.row)
        assert self.note(db, covered=lambda spot: spot.platform == "erp").gone == 1
        assert [d.spot for d in drift.standing(db)] == [self.price]
        assert [d.why for d in drift.standing(db, record="MUG-1")] == ["stray"]
        assert drift.standing(db, record="MUG-9") == []

    def test_reports_are_kept_with_ids_that_tell_their_minute(self, db: Database) -> None:
        assert drift.last(db) is None
        for number in ("r-20251120-2345", "r-20251120-2345-2", "r-20251120-2345-3"):
            assert drift.new_id(db, NOW) == number
            drift.keep(db, Report(number, NOW, number.endswith("-2"), "4f1c9e2", {"rows": [number]}))
        last, complete = drift.last(db), drift.last(db, complete=True)
        assert last is not None
        assert complete is not None
        assert (last.id, complete.id, complete.document) == (
            "r-20251120-2345-3",
            "r-20251120-2345-2",
            {"rows": ["r-20251120-2345-2"]},
        )
        assert drift.get(db, "r-20251120-2345") == Report(
            "r-20251120-2345", NOW, False, "4f1c9e2", {"rows": ["r-20251120-2345"]}
        )
        assert drift.get(db, "r-1") is None


class TestLookup:
    def test_by_key_by_platform_and_by_own_id(self, db: Database) -> None:
        keep(db, record(12, shadow("shop", "gid:77"), key="MUG-1"), record(13, key="p12"))
        assert lookup.find_record(db, "product", "MUG-1") == 12
        assert lookup.find_record(db, "product", "shop:gid:77") == 12
        assert lookup.find_record(db, "product", "p12") == 13, "a key goes before an own id"
        assert lookup.find_record(db, "product", "p13") == 13
        for unknown in ("MUG-2", "shop:1", "erp:gid:77", "p99", "c12", "p", "p1x", "p²", "p" + "9" * 30, "shop:"):
            assert lookup.find_record(db, "product", unknown) is None
        assert lookup.find_record(db, "customer", "MUG-1") is None
        assert lookup.find_record(db, "customer", "shop:gid:77") is None

    def test_a_thing_is_found_in_whichever_collection_it_is(self, db: Database) -> None:
        for number, collection in ((1, "a"), (2, "b"), (3, "c")):
            keep(db, record(number, shadow("shop", f"gid{number}", collection=collection)))
        assert [lookup.find_record(db, "product", f"shop:gid{n}") for n in (1, 2, 3, 4)] == [1, 2, 3, None]

    def test_the_ids_of_an_entity_page_by_page(self, db: Database) -> None:
        keep(db, *(record(n) for n in (1, 2, 3)))
        assert lookup.ids_after(db, "product", after=0, limit=2) == [1, 2]
        assert lookup.ids_after(db, "product", after=2, limit=2) == [3]
        assert lookup.ids_after(db, "customer", after=0, limit=2) == []

    def test_the_living_one_of_two_with_one_key(self, db: Database) -> None:
        gone = record(1, key="A", life=Life.GONE, tomb=Tombstone(1, NOW, "gone"))
        keep(db, gone, record(2, key="A"))
        assert lookup.find_records(db, "product", "A") == [2, 1]


class TestState:
    def test_an_empty_ledger(self, db: Database) -> None:
        found = state.now(db, NOW)
        assert (found.restored, found.records, found.open) == (None, {}, state.Open(0, 0, 0, 0, 0, 0))

    def test_everything_that_waits(self, db: Database) -> None:
        one = record(1, shadow(), conflicts={"price": conflict(), "name": conflict("name")})
        keep(db, one, behind={(1, "shop")})
        conflicts.snooze(db, 1, NOW + 9, by="ana", now=NOW)
        proposals.propose(db, 1, "shop", op=Op.UPDATE, fields=[Planned("name", "t", 1, 2)], why="", now=NOW)
        letters.refuse(db, Refusal(1, "shop", Op.UPDATE, (), "422"), NOW)
        attempts.intend(db, write(1), epoch="e", as_of=1, raws={}, now=NOW, lifetime=1)
        drift.note(db, "r", [(Spot("product", "SKU-1", "name", "shop"), "stray")], covered=lambda s: True, now=NOW)
        breakers.trip(db, "shop", "product", "changes", figures={}, now=NOW)
        pauses.pause(db, "erp", by="ana", now=NOW)
        take(db, change("5"))
        cursors.note_read(db, "erp", "items", NOW)
        found = state.now(db, NOW)
        assert found.open == state.Open(conflicts=2, snoozed=1, changes=1, dead=1, drift=1, attempts=1)
        assert found.records == {"product": 1}
        assert found.inbox.waiting == 1
        assert found.outbox == {"shop": 1}
        assert [b.kind for b in found.breakers] == ["changes"]
        assert [p.platform for p in found.pauses] == ["erp"]
        assert [f.read_at for f in found.feeds] == [NOW]
        assert len(found.epoch) == 12


class TestRetention:
    def test_the_past_goes_and_the_present_stays(self, db: Database) -> None:
        one = record(1, shadow(), conflicts={"price": conflict()}, version=3)
        keep(db, one, decisions=[decision(1, n, price=str(n)) for n in (1, 2, 3)])
        attempt = attempts.intend(db, write(1), epoch="e", as_of=1, raws={}, now=NOW, lifetime=1)
        open_one = attempts.intend(db, write(1), epoch="e", as_of=1, raws={}, now=NOW, lifetime=1)
        attempts.close(db, attempt.id, "done", now=NOW)
        audit.add(db, "ana", "pause", now=NOW)
        conflicts.close(db, 1, "kept", now=NOW)
        letters.refuse(db, Refusal(1, "shop", Op.UPDATE, (), "422"), NOW)
        letters.close_write(db, 1, "shop", NOW)
        proposals.propose(db, 1, "shop", op=Op.UPDATE, fields=[], why="", now=NOW)
        proposals.withdraw(db, 1, "shop", now=NOW)
        drift.note(db, "r", [(Spot("product", "SKU-1", "name", "shop"), "stray")], covered=lambda s: True, now=NOW)
        drift.note(db, "r", [], covered=lambda s: True, now=NOW)
        for as_of in (1, 2):
            sweep = sweeps.begin(db, "shop", "products", as_of=as_of, now=NOW)
            sweeps.finish(db, sweep, complete=True, limit=None, deletes=None, now=NOW)
        inbox.finish(db, [w.id for w in take(db, change("1", event_id="e1"))], now=NOW)
        assert retention.forget_past(db, before=NOW, now=NOW) == 0, "nothing is older"
        gone = 0
        while done := retention.forget_past(db, before=NOW + 1, now=NOW + 20 * DAY, limit=1):
            gone += done
        assert gone == 1 + 1 + 1 + 1 + 1 + 1, "an attempt, an act, a conflict, a drift, a sweep, an event"
        assert retention.thin(db, before=NOW, after=0) == Thinned(0, None), "nothing is older"
        assert retention.thinned_before(db) is None
        assert retention.thin(db, before=NOW + 1, after=0) == Thinned(2 + 2, None)
        assert retention.thinned_before(db) == NOW + 1
        assert [v.version for v in history.versions(db, 1)] == [3]
        assert [d.decision.version for d in history.decisions(db, 1)] == [3]
        assert attempts.open_attempts(db) == [open_one]
        assert conflicts.get(db, 1) is None
        last = sweeps.last(db, "shop", "products")
        assert last is not None
        assert last.as_of == 2
        assert records.one(db, 1) == record(1, shadow(), version=3)

    def test_the_last_report_always_stays(self, db: Database) -> None:
        for number, at in (("r-1", NOW), ("r-2", NOW + 1), ("r-3", NOW + 2)):
            drift.keep(db, Report(number, at, True, "sha", {}))
        assert retention.forget_reports(db, before=NOW + 1) == 1
        assert retention.forget_reports(db, before=NOW + DAY) == 1
        last = drift.last(db)
        assert last is not None
        assert last.id == "r-3"


def test_cursors_are_per_collection(db: Database) -> None:
    assert cursors.position(db, "erp", "items") is None
    cursors.move(db, "erp", "items", "a")
    cursors.move(db, "erp", "prices", "b")
    cursors.move(db, "erp", "items", None)
    cursors.note_read(db, "erp", "items", NOW)
    cursors.note_read(db, "erp", "items", NOW - 5)
    assert [(f.collection, f.position, f.read_at) for f in cursors.feeds(db)] == [("items", None, NOW), ("prices", "b", None)]


lives = st.sampled_from(Life)
versions = st.none() | texts | st.integers(0, 2**60)
shadow_of = st.builds(
    Shadow,
    platform=st.just("erp"),
    collection=st.sampled_from(["items", "products"]),
    id=texts.filter(lambda t: "\0" not in t),
    life=lives,
    version=versions,
    changed_at=st.none() | st.integers(0, 2**60),
    seen_at=st.integers(0, 2**60),
    as_of=st.integers(-1, 2**60),
    old_version=st.integers(-1, 2**40),
    fields=st.dictionaries(texts, shadows, max_size=3),
)
tombs = st.builds(Tombstone, st.integers(0, 2**60), st.integers(0, 2**55), texts, st.sampled_from(["", "erp"]))
plain_conflict = st.builds(
    conflict, texts, texts, kind=st.sampled_from(["value", "step"]), values=st.dictionaries(texts, whole, max_size=2)
)


@st.composite
def whole_records(draw: st.DrawFn) -> list[Record]:
    found = []
    for number in draw(st.sets(st.integers(1, 2**50), max_size=3)):
        platforms = draw(st.sets(st.sampled_from(["erp", "shop", "crm"]), max_size=3))
        made = {}
        for platform in sorted(platforms):
            made[platform] = draw(shadow_of)
            made[platform].platform, made[platform].id = platform, f"{number}-{made[platform].id}"
        one = Record(
            number,
            "product",
            draw(st.integers(0, 2**60)),
            draw(texts),
            draw(lives),
            draw(st.integers(0, 99)),
            draw(st.dictionaries(texts, goldens, max_size=3)),
            made,
            {c.name: c for c in draw(st.lists(plain_conflict, max_size=2))},
        )
        one.tomb = draw(st.none() | tombs) if one.life is not Life.ALIVE else None
        found.append(one)
    return found


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(whole_records())
def test_what_is_stored_is_what_is_loaded_and_storing_it_again_writes_nothing(db: Database, made: list[Record]) -> None:
    db.execute("BEGIN")
    try:
        keep(db, *made)
        working = space()
        loaded = records.load(db, working, records=[r.id for r in made])
        assert working.records == {r.id: r for r in made}
        before = db.total_changes
        working.touched.update(working.records)
        records.commit(db, working, loaded)
        assert db.total_changes == before
    finally:
        db.execute("ROLLBACK")


def test_golden_is_there_for_people_with_sqlite3(db: Database) -> None:
    keep(db, record(1, golden={"price": golden("12.50"), "name": golden("Mug")}))
    assert db.execute("SELECT golden ->> '$.fields.price' FROM record").fetchone() == ("12.50",)
    assert outbox.depth(db) == {}


class TestSeal:
    @pytest.fixture(autouse=True)
    def _record(self, db: Database) -> None:
        keep(db, record(1), record(2))
        decide(db, decision(1, 1, price="12.00", name="Mug"), decision(2, 1))

    def test_what_was_stored_is_whole(self, db: Database) -> None:
        decide(db, Decision(1, 1, NOW, "event shop", strays=[Stray("shop", "price", "9", "12.00", "keep")]))
        assert [one.whole for one in history.every(db)] == [True, True, True]
        assert [one.id for one in history.every(db, after=1)] == [2, 3]
        assert history.every(db, since=NOW + 1) == []

    @pytest.mark.parametrize(
        "damage",
        [
            """UPDATE version SET fields = replace(fields, '12.00', '99.00') WHERE record = 1""",
            """UPDATE decision SET body = replace(body, 'owner', 'priority') WHERE record = 1""",
            """UPDATE decision SET config = 'fffffff' WHERE record = 1""",
            """UPDATE decision SET at = '2020-01-01T00:00:00.000000Z' WHERE record = 1""",
        ],
    )
    def test_what_was_altered_since_is_not(self, db: Database, damage: str) -> None:
        db.execute("DROP TRIGGER version_stays")
        db.execute("DROP TRIGGER decision_stays")
        db.execute(damage)
        assert [one.whole for one in history.every(db)] == [False, True]

    def test_what_an_older_syncd_stored_has_no_seal(self, db: Database) -> None:
        db.execute("INSERT INTO decision SELECT 9, 2, 1, at, cause, config, '{}' FROM decision WHERE id = 2")
        assert [one.whole for one in history.every(db, after=2)] == [None]
