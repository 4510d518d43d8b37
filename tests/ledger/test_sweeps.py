"""Full reads: what they mark, what they miss, and when they prove something."""

from dataclasses import dataclass

import pytest

from syncd.core.model import Change, Life
from syncd.core.rules import Deletes, Limit
from syncd.core.space import Link
from syncd.ledger import cursors, inbox, records, sweeps
from syncd.ledger.inbox import Added
from syncd.ledger.schema import Database
from syncd.ledger.sweeps import Finished
from tests.ledger.builders import DAY, NOW, SECOND, change, keep, record, reload, shadow, space

TWICE = Deletes("erp", sweeps=2, wait=3600 * SECOND)


@dataclass(frozen=True)
class Broken:
    id: str | None
    platform: str = "erp"
    collection: str = "items"
    where: str = "page 2"
    reason: str = "not JSON"
    raw: str = ""


def known(db: Database, count: int, *, as_of: int = 1) -> None:
    """Records 1 to count, each with a row in erp that was read and accepted."""
    inbox.add(db, "erp", "items", [change(str(n), as_of=as_of) for n in range(1, count + 1)], now=NOW)
    waiting = inbox.pending(db, 1000, now=NOW)
    working = space()
    loaded = records.load(db, working, things=[("erp", "items", w.change.id) for w in waiting])
    for w in waiting:
        one = record(int(w.change.id), shadow("erp", w.change.id, as_of=as_of))
        working.touch(one)
        working.link(("erp", "items", w.change.id), Link(one.id))
    records.commit(db, working, loaded, looks=waiting)
    inbox.finish(db, [w.id for w in waiting], now=NOW)


def scan(
    db: Database,
    *changes: Change,
    as_of: int = 10,
    complete: bool = True,
    limit: Limit | None = None,
    deletes: Deletes | None = TWICE,
    now: int = NOW,
) -> Finished:
    sweep = sweeps.begin(db, "erp", "items", as_of=as_of, now=now)
    sweeps.page(db, sweep, changes, now=now)
    return sweeps.finish(db, sweep, complete=complete, limit=limit, deletes=deletes, now=now)


def looks(*natives: int, as_of: int = 10) -> list[Change]:
    return [change(str(n), as_of=as_of) for n in natives]


def missing(db: Database) -> dict[str, int]:
    return dict(db.execute("SELECT id, missing FROM link WHERE missing > 0").fetchall())


class TestPage:
    def test_what_looks_as_it_did_is_only_marked(self, db: Database) -> None:
        known(db, 3)
        sweep = sweeps.begin(db, "erp", "items", as_of=10, now=NOW)
        page = [*looks(1, 2), change("3", item={"name": "Cup"}, as_of=10), change("4", as_of=10)]
        assert sweeps.page(db, sweep, page, now=NOW) == Added(2, 2)
        assert [w.change.id for w in inbox.pending(db, 9, now=NOW)] == ["3", "4"]
        assert {w.sweep for w in inbox.pending(db, 9, now=NOW)} == {sweep}
        assert reload(db, 1).records[1].shadows["erp"].as_of == 10
        assert reload(db, 3).records[3].shadows["erp"].as_of == 1, "not before it was accepted"

    def test_unlinked_things_are_decided_each_time(self, db: Database) -> None:
        for as_of in (10, 20):
            scan(db, *looks(1), as_of=as_of)
            [waiting] = inbox.pending(db, 9, now=NOW)
            working = space()
            loaded = records.load(db, working, things=[("erp", "items", "1")])
            working.link(("erp", "items", "1"), Link(None, evidence="unmatched: ignore"))
            records.commit(db, working, loaded, looks=[waiting])
            inbox.finish(db, [waiting.id], now=NOW)

    def test_a_forgotten_collection_is_decided_in_full(self, db: Database) -> None:
        known(db, 2)
        cursors.prove(db, "erp", "items", 9)
        sweeps.forget(db, "erp", "items")
        assert scan(db, *looks(1, 2)).total == 2
        assert len(inbox.pending(db, 9, now=NOW)) == 2
        assert cursors.feeds(db)[0].swept is None


class TestAbsence:
    def test_two_complete_scans_and_the_wait_make_a_thing_worth_reading(self, db: Database) -> None:
        known(db, 3)
        assert scan(db, *looks(1, 2), as_of=10) == Finished(2, 3, 1, shrunk=False)
        assert missing(db) == {"3": 1}
        assert scan(db, *looks(1, 2), as_of=20, now=NOW + SECOND).to_read == (), "seen missing twice, but not for an hour"
        assert scan(db, *looks(1, 2), as_of=30, now=NOW + DAY).to_read == ("3",)

    def test_a_thing_that_shows_again_is_not_missing(self, db: Database) -> None:
        known(db, 3)
        scan(db, *looks(1, 2), as_of=10)
        scan(db, *looks(1, 2, 3), as_of=20)
        assert missing(db) == {}
        assert scan(db, *looks(1, 2), as_of=30, now=NOW + DAY).to_read == ()

    def test_without_a_rule_for_deletes_nothing_is_read(self, db: Database) -> None:
        known(db, 2)
        for as_of in (10, 20, 30):
            assert scan(db, *looks(1), as_of=as_of, deletes=None, now=NOW + as_of * DAY).to_read == ()

    def test_an_incomplete_scan_says_nothing_about_absence(self, db: Database) -> None:
        known(db, 3)
        assert scan(db, *looks(1), complete=False) == Finished(1, 3, 0, shrunk=False)
        assert missing(db) == {}
        assert sweeps.decided(db) == []

    @pytest.mark.parametrize("limit", [None, Limit(), Limit(max=1000)])
    def test_an_empty_listing_where_there_were_rows_is_never_believed(self, db: Database, limit: Limit | None) -> None:
        known(db, 3)
        assert scan(db, limit=limit).shrunk
        assert missing(db) == {}
        last = sweeps.last(db, "erp", "items")
        assert last is not None
        assert (last.state, last.lost, last.why) == ("disbelieved", 3, "3 of 3 missing")
        assert sweeps.last(db, "erp", "items", proving=True) is None
        assert sweeps.last_disbelieved(db, "erp", "items") == NOW
        assert sweeps.last_disbelieved(db, "shop", "products") is None
        assert sweeps.decided(db) == []

    def test_an_empty_listing_where_there_was_nothing_is_a_scan(self, db: Database) -> None:
        assert scan(db) == Finished(0, 0, 0, shrunk=False)
        assert len(sweeps.decided(db)) == 1

    @pytest.mark.parametrize(
        ("limit", "shrunk"),
        [(Limit(max=1), True), (Limit(max=2), False), (Limit(max=1, ratio=0.5), False), (Limit(max=1, ratio=0.1), True)],
    )
    def test_a_scan_that_lost_more_than_every_figure_is_not_believed(self, db: Database, limit: Limit, shrunk: bool) -> None:
        known(db, 6)
        assert scan(db, *looks(1, 2, 3, 4), limit=limit).shrunk is shrunk
        assert bool(missing(db)) is not shrunk

    def test_a_thing_looked_at_since_the_scan_began_is_not_absent(self, db: Database) -> None:
        known(db, 3)
        inbox.add(db, "erp", "items", looks(3, as_of=15), now=NOW)
        assert scan(db, *looks(1, 2), as_of=10).lost == 0

    def test_a_thing_we_made_while_the_scan_ran_is_not_absent(self, db: Database) -> None:
        known(db, 2)
        keep(db, record(9, shadow("erp", "9", as_of=15)))
        assert scan(db, *looks(1, 2), as_of=10).lost == 0

    def test_a_thing_whose_change_waits_is_seen(self, db: Database) -> None:
        known(db, 2)
        assert scan(db, *looks(1), change("2", item={"name": "Cup"}, as_of=10)).lost == 0

    def test_what_is_gone_or_no_record_is_not_missed(self, db: Database) -> None:
        known(db, 2)
        keep(db, record(8, shadow("erp", "8", life=Life.GONE), life=Life.GONE))
        working = space()
        working.link(("erp", "items", "7"), Link(None))
        records.commit(db, working, records.load(db, working))
        assert scan(db, *looks(1, 2)) == Finished(2, 2, 0, shrunk=False)

    def test_a_broken_thing_with_an_id_is_there(self, db: Database) -> None:
        known(db, 2)
        sweep = sweeps.begin(db, "erp", "items", as_of=10, now=NOW)
        assert sweeps.page(db, sweep, looks(1), broken=[Broken("2")], now=NOW).broken == 1
        assert sweeps.finish(db, sweep, complete=True, limit=None, deletes=TWICE, now=NOW) == Finished(2, 2, 0, shrunk=False)

    def test_a_broken_thing_without_an_id_may_be_any_of_them(self, db: Database) -> None:
        known(db, 2)
        sweep = sweeps.begin(db, "erp", "items", as_of=10, now=NOW)
        sweeps.page(db, sweep, looks(1), broken=[Broken(None)], now=NOW)
        assert sweeps.finish(db, sweep, complete=True, limit=None, deletes=TWICE, now=NOW).lost == 0
        assert missing(db) == {}
        assert sweeps.decided(db) == []


class TestProof:
    def test_a_scan_proves_only_when_its_rows_are_decided(self, db: Database) -> None:
        known(db, 1)
        scan(db, *looks(1, 2), as_of=10)
        assert sweeps.decided(db) == []
        assert reload(db).swept == {}
        [waiting] = inbox.pending(db, 9, now=NOW)
        read = change("2", item={"name": "read again"}, as_of=12)
        inbox.replace(db, waiting, [read], now=NOW)
        assert sweeps.decided(db) == [], "what replaced the row belongs to the scan as well"
        [waiting] = inbox.pending(db, 9, now=NOW)
        inbox.finish(db, [waiting.id], now=NOW)
        assert [s.as_of for s in sweeps.decided(db)] == [10]
        assert sweeps.decided(db) == []
        assert reload(db).swept == {("erp", "items"): 10}
        assert reload(db).read_at == {"erp": NOW}

    def test_a_proof_alone_is_no_read(self, db: Database) -> None:
        cursors.prove(db, "erp", "items", 3)
        assert (reload(db).swept, reload(db).read_at) == ({("erp", "items"): 3}, {})

    def test_a_later_scan_proves_more_and_an_earlier_one_nothing_less(self, db: Database) -> None:
        for as_of in (20, 10):
            scan(db, as_of=as_of)
            sweeps.decided(db)
        assert reload(db).swept == {("erp", "items"): 20}

    def test_a_scan_that_was_interrupted_is_none(self, db: Database) -> None:
        first = sweeps.begin(db, "erp", "items", as_of=1, now=NOW)
        second = sweeps.begin(db, "erp", "items", as_of=2, now=NOW)
        assert second == first + 1
        assert db.execute("SELECT state, why FROM sweep WHERE id = ?", (first,)).fetchone() == ("incomplete", "interrupted")
        last = sweeps.last(db, "erp", "items")
        assert last is not None
        assert (last.id, last.state) == (second, "running")
        assert sweeps.last(db, "shop", "products") is None
