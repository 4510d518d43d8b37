"""What the decider did is what the next batch sees."""

import sqlite3

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.core.model import Known, Life, Tombstone, Word
from syncd.core.space import Link
from syncd.ledger import inbox, keys, records, seen, tallies
from syncd.ledger.schema import Database
from tests.ledger.builders import NOW, SECOND, change, decision, golden, keep, known, record, reload, rules, shadow, space, take


def rows(db: Database, table: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def changes_of(db: Database, work) -> int:
    before = db.total_changes
    work()
    return db.total_changes - before


class TestLoad:
    def test_a_stored_record_comes_back_as_it_was(self, db: Database) -> None:
        one = record(1, shadow("erp", "1"), shadow("shop", "10", version='W/"7"', changed_at=NOW - 5, old_version=3))
        keep(db, one)
        assert reload(db, 1).records == {1: one}

    def test_a_thing_leads_to_its_record_and_all_its_shadows(self, db: Database) -> None:
        keep(db, record(1, shadow("erp", "1"), shadow("shop", "10")), record(2, shadow("erp", "2")))
        found = reload(db, things=[("shop", "products", "10"), ("shop", "products", "77")])
        assert found.links == {("shop", "products", "10"): Link(1, evidence="linked by sku")}
        assert set(found.records) == {1}
        assert set(found.records[1].shadows) == {"erp", "shop"}

    def test_a_match_key_leads_to_all_its_records(self, db: Database) -> None:
        keep(db, record(1, key="A"), record(2, key="A"), record(3, key="B"))
        found = reload(db, matches=[("product", "sku", "A"), ("product", "sku", "X")])
        assert found.keys == {("product", "sku", "A"): {1, 2}}
        assert set(found.records) == {1, 2}

    def test_the_next_record_gets_a_new_id(self, db: Database) -> None:
        assert reload(db).next_id == 1
        keep(db, record(41))
        assert reload(db).next_id == 42

    def test_a_second_load_into_the_same_set_keeps_what_was_decided(self, db: Database) -> None:
        keep(db, record(1, shadow()), record(2))
        working = space()
        loaded = records.load(db, working, records=[1])
        working.records[1].key = "decided"
        working.next_id = 9
        again = records.load(db, working, records=[1, 2], loaded=loaded)
        assert again is loaded
        assert working.records[1].key == "decided"
        assert set(working.records) == {1, 2}
        assert working.next_id == 9

    def test_one_record_alone(self, db: Database) -> None:
        one = record(1, shadow())
        keep(db, one)
        assert records.one(db, 1) == one
        assert records.one(db, 2) is None

    def test_few_statements_however_many_records(self, db: Database) -> None:
        keep(db, *(record(n, shadow("erp", str(n)), shadow("shop", str(n))) for n in range(1, 301)))
        statements: list[str] = []
        db.set_trace_callback(statements.append)
        found = reload(
            db,
            things=[("erp", "items", str(n)) for n in range(1, 301)],
            matches=[("product", "sku", f"SKU-{n}") for n in range(1, 301)],
        )
        db.set_trace_callback(None)
        assert len(found.records) == 300
        assert len([s for s in statements if not s.startswith("--")]) <= 10


class TestCommit:
    def test_what_did_not_change_is_not_written(self, db: Database) -> None:
        keep(db, record(1, shadow("erp", "1"), shadow("shop", "10")))
        working = space()
        loaded = records.load(db, working, records=[1])
        working.touch(working.records[1])
        assert changes_of(db, lambda: records.commit(db, working, loaded)) == 0

    def test_one_changed_shadow_is_one_row(self, db: Database) -> None:
        keep(db, record(1, shadow("erp", "1"), shadow("shop", "10")))
        working = space()
        loaded = records.load(db, working, records=[1])
        working.records[1].shadows["shop"].fields["name"].raw = "Cup"
        working.touch(working.records[1])
        assert changes_of(db, lambda: records.commit(db, working, loaded)) == 1
        assert reload(db, 1).records[1].shadows["shop"].fields["name"].raw == "Cup"

    def test_a_shadow_that_is_gone_from_the_record_is_gone_from_the_table(self, db: Database) -> None:
        keep(db, record(1, shadow("erp", "1"), shadow("shop", "10")))
        working = space()
        loaded = records.load(db, working, records=[1])
        del working.records[1].shadows["shop"]
        working.touch(working.records[1])
        records.commit(db, working, loaded)
        assert set(reload(db, 1).records[1].shadows) == {"erp"}
        assert tallies.linked(db, "shop", "product") == 0

    def test_match_keys_follow_golden(self, db: Database) -> None:
        keep(db, record(1, key="A"))
        working = space()
        loaded = records.load(db, working, records=[1])
        working.records[1].golden["sku"] = golden("B")
        working.touch(working.records[1])
        records.commit(db, working, loaded)
        assert reload(db, matches=[("product", "sku", "A")]).keys == {}
        assert reload(db, matches=[("product", "sku", "B")]).keys == {("product", "sku", "B"): {1}}

    def test_match_keys_are_derived_again_when_the_match_rules_changed(self, db: Database) -> None:
        keep(db, *(record(n) for n in range(1, 6)))
        after: int | None = 0
        steps = 0
        while after is not None:
            after = keys.rekey(db, rules("name"), after=after, limit=2)
            steps += 1
        assert steps == 3
        assert reload(db, matches=[("product", "name", "Mug"), ("product", "sku", "SKU-1")]).keys == {
            ("product", "name", "Mug"): {1, 2, 3, 4, 5}
        }

    def test_a_tombstone_is_kept_and_lifted(self, db: Database) -> None:
        tomb = Tombstone(7, NOW, "erp 1 read by id: gone", "erp")
        keep(db, record(1, shadow("erp", "1", life=Life.GONE), life=Life.GONE, tomb=tomb))
        working = space()
        loaded = records.load(db, working, records=[1])
        one = working.records[1]
        assert (one.life, one.tomb) == (Life.GONE, tomb)
        one.life, one.tomb = Life.ALIVE, None
        working.touch(one)
        records.commit(db, working, loaded)
        assert reload(db, 1).records[1].tomb is None
        assert rows(db, "tombstone") == 0

    def test_platforms_that_are_behind_go_to_the_outbox(self, db: Database) -> None:
        keep(db, record(1), behind={(1, "shop"), (1, "erp")})
        assert db.execute("SELECT record, platform FROM outbox ORDER BY platform").fetchall() == [(1, "erp"), (1, "shop")]

    def test_an_interrupted_commit_leaves_nothing(self, db: Database) -> None:
        db.execute("BEGIN")
        with pytest.raises(sqlite3.IntegrityError):
            keep(db, record(1, shadow()), decisions=[decision(1, name="a"), decision(1, name="b")])
        db.execute("ROLLBACK")
        assert rows(db, "record") == rows(db, "shadow") == 0


class TestUnchangedLooks:
    """The hash of a look that was accepted lets the next, equal one touch no document."""

    def accepted(self, db: Database, *, as_of: int = 5) -> Database:
        [waiting] = take(db, change("1", as_of=as_of))
        working = space()
        loaded = records.load(db, working, things=[("erp", "items", "1")])
        one = record(1, shadow("erp", "1", as_of=as_of))
        working.touch(one)
        working.link(("erp", "items", "1"), Link(1))
        records.commit(db, working, loaded, looks=[waiting])
        inbox.finish(db, [waiting.id], now=NOW)
        return db

    def test_the_same_read_again_is_a_repeat_that_only_moves_as_of(self, db: Database) -> None:
        self.accepted(db)
        again = inbox.add(db, "erp", "items", [change("1", as_of=9, seen_at=NOW + SECOND)], now=NOW)
        assert (again.stored, again.repeats) == (0, 1)
        there = reload(db, 1).records[1].shadows["erp"]
        assert (there.as_of, there.seen_at) == (9, NOW + SECOND)
        assert db.execute("SELECT as_of FROM shadow").fetchone() == (5,)

    def test_a_read_with_another_value_or_version_is_no_repeat(self, db: Database) -> None:
        self.accepted(db)
        for other in (change("1", item={"sku": "SKU-1", "name": "Cup"}), change("1", version=2), change("1", gone=True)):
            assert inbox.add(db, "erp", "items", [other], now=NOW).stored == 1

    def test_an_event_is_never_skipped(self, db: Database) -> None:
        self.accepted(db)
        assert inbox.add(db, "erp", "items", [change("1", event_id="e1")], now=NOW).stored == 1

    def test_nothing_is_skipped_while_something_waits_about_the_thing(self, db: Database) -> None:
        self.accepted(db)
        inbox.add(db, "erp", "items", [change("1", item={"name": "Cup"}, as_of=9)], now=NOW)
        assert inbox.add(db, "erp", "items", [change("1", as_of=11)], now=NOW).stored == 1

    def test_of_a_batch_with_two_looks_at_one_thing_neither_is_skipped(self, db: Database) -> None:
        self.accepted(db)
        looks = [change("1", as_of=9), change("1", item={"name": "Cup"}, as_of=9), change("1", as_of=9)]
        assert inbox.add(db, "erp", "items", looks, now=NOW).stored == 3

    def test_a_look_that_was_not_accepted_leaves_no_hash(self, db: Database) -> None:
        self.accepted(db, as_of=8)
        [waiting] = take(db, change("1", item={"name": "old"}, as_of=3))
        working = space()
        loaded = records.load(db, working, things=[("erp", "items", "1")])
        working.touch(working.records[1])
        records.commit(db, working, loaded, looks=[waiting])
        assert seen.known_hashes(db, "erp", "items", ["1"]) == {}

    def test_whatever_else_touches_the_shadow_takes_the_hash_away(self, db: Database) -> None:
        self.accepted(db)
        working = space()
        loaded = records.load(db, working, records=[1])
        there = working.records[1].shadows["erp"]
        there.fields["name"] = known("Written", word=Word.OURS)
        there.as_of = 12
        working.touch(working.records[1])
        records.commit(db, working, loaded)
        assert inbox.add(db, "erp", "items", [change("1", as_of=13)], now=NOW).stored == 1

    def test_a_look_that_shows_the_same_as_an_event_did_gets_its_hash(self, db: Database) -> None:
        keep(db, record(1, shadow("erp", "1", as_of=5)))
        [waiting] = take(db, change("1", as_of=9))
        working = space()
        loaded = records.load(db, working, things=[("erp", "items", "1")])
        working.records[1].shadows["erp"].as_of = 9
        working.touch(working.records[1])
        records.commit(db, working, loaded, looks=[waiting])
        assert db.execute("SELECT as_of FROM shadow").fetchone() == (5,), "the document was not touched"
        assert list(seen.known_hashes(db, "erp", "items", ["1"])) == ["1"]

    @pytest.mark.parametrize("link", [Link(None, evidence="unmatched: ignore"), Link(1, Life.GONE)])
    def test_what_is_no_living_record_is_never_skipped(self, db: Database, link: Link) -> None:
        self.accepted(db)
        working = space()
        loaded = records.load(db, working, records=[1])
        working.link(("erp", "items", "1"), link)
        records.commit(db, working, loaded)
        assert inbox.add(db, "erp", "items", [change("1", as_of=13)], now=NOW).stored == 1


class TestTallies:
    def test_living_records_and_rows_are_counted_as_they_come_and_go(self, db: Database) -> None:
        keep(db, record(1, shadow("erp", "1"), shadow("shop", "10")), record(2, shadow("erp", "2")))
        assert tallies.records(db) == {"product": 2}
        assert (tallies.linked(db, "erp", "product"), tallies.linked(db, "shop", "product")) == (2, 1)
        working = space()
        loaded = records.load(db, working, records=[1])
        one = working.records[1]
        one.life = one.shadows["erp"].life = Life.GONE
        working.touch(one)
        records.commit(db, working, loaded)
        assert tallies.records(db) == {"product": 1}
        assert (tallies.linked(db, "erp", "product"), tallies.linked(db, "shop", "product")) == (1, 1)
        assert tallies.linked(db, "nowhere", "product") == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), max_size=4, unique=True)
)
def test_things_and_keys_are_found_whatever_their_text(db: Database, texts: list[str]) -> None:
    db.execute("BEGIN")
    keep(db, *(record(n, shadow("erp", text), key=text) for n, text in enumerate(texts, start=1)))
    found = reload(db, things=[("erp", "items", t) for t in texts], matches=[("product", "sku", t) for t in texts])
    db.execute("ROLLBACK")
    assert {thing[2]: link.record for thing, link in found.links.items()} == {t: n for n, t in enumerate(texts, start=1)}
    assert {key[2]: ids for key, ids in found.keys.items()} == {t: {n} for n, t in enumerate(texts, start=1)}


def test_a_null_and_an_unseen_field_come_back(db: Database) -> None:
    one = record(
        1, shadow("erp", "1", fields={"name": known(None), "sku": known(None, known=Known.NEVER), "price": known("x", base=4)})
    )
    keep(db, one)
    assert reload(db, 1).records[1] == one
