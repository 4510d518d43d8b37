"""What is behind, what was tried, and what a window of writes comes to."""

import sqlite3
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from syncd.core.model import Op
from syncd.ledger import attempts, breakers, outbox, pauses
from syncd.ledger.breakers import Allowance, Counts
from syncd.ledger.outbox import Due
from syncd.ledger.schema import Database
from tests.ledger.builders import NOW, SECOND, keep, record, reload, shadow, write


@pytest.fixture(autouse=True)
def _records(db: Database) -> None:
    keep(db, *(record(n, shadow("erp", str(n)), shadow("shop", f"1{n}")) for n in range(1, 6)))


def sent(db: Database, number: int = 1, op: Op = Op.UPDATE, *, now: int = NOW, **more: Any) -> int:
    raws = more.pop("raws", {"name": "Cup"})
    return attempts.intend(db, write(number, op, **more), epoch="e1", as_of=3, raws=raws, now=now, lifetime=60 * SECOND).id


class TestOutbox:
    def test_what_is_behind_is_due_oldest_first(self, db: Database) -> None:
        outbox.mark(db, [(2, "shop")], NOW)
        outbox.mark(db, [(1, "shop"), (3, "erp")], NOW + 1)
        assert outbox.due(db, "shop", NOW, 9) == [Due(2, "shop", 0, NOW, 1), Due(1, "shop", 0, NOW + 1, 1)]
        assert [d.record for d in outbox.due(db, "shop", NOW, 1)] == [2]
        assert outbox.depth(db) == {"erp": 1, "shop": 2}
        assert outbox.behind(db, 3) == {"erp": Due(3, "erp", 0, NOW + 1, 1)}

    def test_a_record_with_an_open_attempt_is_not_due(self, db: Database) -> None:
        outbox.mark(db, [(1, "shop")], NOW)
        attempt = sent(db, 1)
        assert outbox.due(db, "shop", NOW, 9) == []
        attempts.close(db, attempt, "done", now=NOW)
        assert len(outbox.due(db, "shop", NOW, 9)) == 1

    def test_a_delivery_does_not_clear_what_was_decided_since(self, db: Database) -> None:
        outbox.mark(db, [(1, "shop")], NOW)
        [due] = outbox.due(db, "shop", NOW, 9)
        outbox.mark(db, [(1, "shop")], NOW + 1)
        assert not outbox.clear(db, 1, "shop", mark=due.mark)
        [again] = outbox.due(db, "shop", NOW, 9)
        assert again == replace(due, mark=2)
        assert outbox.clear(db, 1, "shop", mark=again.mark)
        assert outbox.due(db, "shop", NOW, 9) == []
        assert not outbox.clear(db, 1, "shop")

    def test_back_off_is_durable_and_counts_only_the_records_own_attempts(self, db: Database) -> None:
        outbox.mark(db, [(1, "shop")], NOW)
        assert outbox.postpone(db, 1, "shop", until=NOW + 5, error="503", counts=True) == 1
        assert outbox.postpone(db, 1, "shop", until=NOW + 9, error="connection refused", counts=False) == 1
        assert outbox.postpone(db, 7, "shop", until=NOW, error=None, counts=True) == 0
        outbox.mark(db, [(1, "shop")], NOW + 1)
        assert outbox.due(db, "shop", NOW + 8, 9) == [], "a new decision does not shorten the back-off"
        assert outbox.due(db, "shop", NOW + 9, 9) == [Due(1, "shop", 1, NOW, 2, "connection refused")]
        assert outbox.next_at(db) == outbox.next_at(db, "shop") == NOW + 9
        assert outbox.next_at(db, "erp") is None

    def test_released_by_reason_platform_and_entity(self, db: Database) -> None:
        outbox.mark(db, [(1, "shop"), (2, "shop"), (3, "erp")], NOW)
        for number, platform, why in ((1, "shop", "paused"), (2, "shop", "503"), (3, "erp", "paused")):
            outbox.postpone(db, number, platform, until=NOW + SECOND, error=why, counts=False)
        assert outbox.release(db, "paused", platform="shop", entity="customer") == 0
        assert outbox.release(db, "paused", platform="shop", entity="product") == 1
        assert outbox.release(db, "paused") == 1
        assert outbox.depth(db) == {"erp": 1, "shop": 2}
        assert [d.record for d in outbox.due(db, "shop", NOW, 9)] == [1]

    def test_which_records_of_an_entity_are_behind(self, db: Database) -> None:
        outbox.mark(db, [(1, "shop"), (2, "shop"), (3, "erp")], NOW)
        outbox.postpone(db, 2, "shop", until=NOW + SECOND, error="503", counts=False)
        assert outbox.of_entity(db, "shop", "product") == {1, 2}
        assert outbox.of_entity(db, "shop", "customer") == set()
        assert outbox.is_busy(db, [1, 2, 3], ["shop", "erp"], until=NOW)
        assert not outbox.is_busy(db, [2, 3], ["shop"], until=NOW)
        assert outbox.is_busy(db, [2, 3], ["shop"], until=NOW + SECOND)

    def test_hastened_work_is_due_and_counted_afresh(self, db: Database) -> None:
        outbox.mark(db, [(1, "shop"), (2, "shop"), (3, "erp")], NOW)
        for number, platform in ((1, "shop"), (2, "shop"), (3, "erp")):
            outbox.postpone(db, number, platform, until=NOW + SECOND, error="503", counts=True)
        assert outbox.hasten(db, "shop", record=1) == 1
        assert [(d.record, d.attempts) for d in outbox.due(db, "shop", NOW, 9)] == [(1, 0)]
        assert outbox.hasten(db, "shop") == 1
        assert outbox.due(db, "erp", NOW, 9) == []


class TestAttempts:
    def test_an_attempt_is_there_before_the_call_and_in_doubt_until_closed(self, db: Database) -> None:
        planned = write(
            1,
            version='W/"7"',
            values={"price": Decimal("12.50"), "stock": 3},
            sent={"price": "12.50"},
            adjust={"stock": 3},
            before={"price": Decimal("9.90")},
            item={"id": 10, "price": Decimal("9.90"), "deep": {"x": [1, None]}},
        )
        raws = {"price": "9.90"}
        attempt = attempts.intend(db, planned, epoch="e1", as_of=7, raws=raws, now=NOW, lifetime=60 * SECOND)
        assert attempt.write == replace(planned, key="e1-1")
        assert (attempt.sent_at, attempt.lifetime_end, attempt.raws) == (NOW, NOW + 60 * SECOND, raws)
        assert attempts.open_attempts(db) == attempts.open_attempts(db, "shop") == [attempt]
        assert attempts.open_attempts(db, "erp") == []
        assert reload(db, 1).in_flight == {(1, "shop")}

    def test_an_outcome_is_set_once(self, db: Database) -> None:
        attempt = sent(db)
        assert attempts.close(db, attempt, "done", "412 ms", now=NOW + 1)
        assert not attempts.close(db, attempt, "stale", now=NOW + 2)
        tried = attempts.get(db, attempt)
        assert tried is not None
        assert (tried.outcome, tried.detail, tried.closed_at) == ("done", "412 ms", NOW + 1)
        assert attempts.get(db, 99) is None
        for statement in ("UPDATE attempt SET outcome = 'x'", "UPDATE attempt SET body = '{}'", "DELETE FROM attempt"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                db.execute(statement)

    @pytest.mark.parametrize("column", ["body = '{}'", "thing = 'x'", "key = 'x'", "op = 'delete'", "lifetime_end_us = 0"])
    def test_what_was_sent_is_never_rewritten(self, db: Database, column: str) -> None:
        sent(db)
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(f"UPDATE attempt SET {column}")

    def test_keys_never_repeat(self, db: Database) -> None:
        first, second = sent(db), sent(db, 2)
        keys = [t.attempt.write.key for n in (first, second) if (t := attempts.get(db, n))]
        assert keys == ["e1-1", "e1-2"]

    def test_a_create_has_no_id_and_a_delete_no_values(self, db: Database) -> None:
        create = attempts.intend(db, write(1, Op.CREATE, id=None), epoch="e", as_of=1, raws={}, now=NOW, lifetime=1)
        delete = attempts.intend(db, write(2, Op.DELETE, values={}, sent={}), epoch="e", as_of=1, raws={}, now=NOW, lifetime=1)
        assert attempts.open_attempts(db) == [create, delete]

    def test_the_attempts_of_a_record_newest_first(self, db: Database) -> None:
        one, two = sent(db, 1), sent(db, 1)
        sent(db, 2)
        other = sent(db, 1, platform="erp", collection="items")
        assert [t.attempt.id for t in attempts.of_record(db, 1)] == [other, two, one]
        assert [t.attempt.id for t in attempts.of_record(db, 1, platform="shop", limit=1)] == [two]


class TestWindows:
    def counts(self, db: Database, since: int = NOW - SECOND) -> tuple[int, int, int]:
        found = breakers.counts(db, "shop", "product", since=since)
        return found.changes, found.deletes, found.blanked

    def test_records_are_counted_not_fields_or_attempts(self, db: Database) -> None:
        for _ in range(3):
            sent(db, 1, sent={"name": "a", "price": "b"}, raws={"name": "x", "price": "y"})
        sent(db, 2)
        assert breakers.counts(db, "shop", "product", since=NOW - 1) == Counts(2, 0, 0, 5)

    @pytest.mark.parametrize(
        ("op", "value", "raw", "expected"),
        [
            (Op.UPDATE, "new", "old", (1, 0, 0)),
            (Op.UPDATE, "new", None, (0, 0, 0)),
            (Op.UPDATE, "new", [], (0, 0, 0)),
            (Op.UPDATE, None, "old", (1, 0, 1)),
            (Op.UPDATE, [], ["a"], (1, 0, 1)),
            (Op.UPDATE, "", "old", (1, 0, 1)),
            (Op.UPDATE, None, None, (0, 0, 0)),
            (Op.CREATE, "new", None, (0, 0, 0)),
            (Op.DELETE, None, "old", (0, 1, 0)),
            (Op.ARCHIVE, None, "old", (0, 1, 0)),
        ],
    )
    def test_what_counts_as_what(
        self, db: Database, op: Op, value: object, raw: object, expected: tuple[int, int, int]
    ) -> None:
        sent(db, 1, op, sent={"name": value}, raws={"name": raw})
        assert self.counts(db) == expected

    @pytest.mark.parametrize(("outcome", "counted"), [("done", 1), ("assumed", 1), ("stale", 0), ("refused", 0)])
    def test_what_was_not_applied_does_not_count(self, db: Database, outcome: str, counted: int) -> None:
        attempts.close(db, sent(db, 1), outcome, now=NOW)
        assert self.counts(db)[0] == counted

    def test_the_records_themselves_by_kind(self, db: Database) -> None:
        sent(db, 1)
        sent(db, 2, sent={"name": None})
        sent(db, 3, Op.DELETE)
        sent(db, 4, Op.CREATE, raws={})
        written = breakers.written(db, "shop", "product", since=NOW - 1)
        assert written == {"changes": {1, 2}, "deletes": {3}, "blanked": {2}}

    def test_only_the_window_the_platform_and_the_entity(self, db: Database) -> None:
        sent(db, 1, now=NOW - 10)
        sent(db, 2, now=NOW)
        sent(db, 3, platform="erp")
        assert self.counts(db, since=NOW - 5)[0] == 1
        assert breakers.counts(db, "shop", "customer", since=0) == Counts(0, 0, 0, 0)


class TestBreakers:
    def test_a_trip_is_open_until_it_is_reset(self, db: Database) -> None:
        assert breakers.trip(db, "shop", "product", "changes", figures={"count": 201, "max": 200}, now=NOW)
        assert not breakers.trip(db, "shop", "product", "changes", figures={}, now=NOW + 1)
        assert breakers.trip(db, "shop", "product", "blanked", figures={}, now=NOW + 1)
        assert breakers.trip(db, "erp", "product", "shrink", figures={}, now=NOW + 2)
        assert [(b.platform, b.kind) for b in breakers.standing(db)] == [
            ("shop", "changes"),
            ("shop", "blanked"),
            ("erp", "shrink"),
        ]
        assert breakers.standing(db)[0].figures == {"count": 201, "max": 200}
        closed = breakers.reset(db, "shop", "product", note="price list was right", by="ana", now=NOW + 9)
        assert [b.kind for b in closed] == ["changes", "blanked"]
        assert [b.platform for b in breakers.standing(db)] == ["erp"]
        assert [(b.note, b.by, b.reset_at) for b in breakers.past(db)] == [("price list was right", "ana", NOW + 9)] * 2
        assert breakers.last_reset(db, "shop", "product") == NOW + 9
        assert breakers.last_reset(db, "erp", "product") == 0
        assert breakers.allowance(db, "shop", "product", now=NOW + 9) is None
        assert breakers.trip(db, "shop", "product", "changes", figures={}, now=NOW + 10), "it can trip again"

    def test_an_allowance_is_used_up_by_records_and_ends(self, db: Database) -> None:
        sent(db, 1, now=NOW - 5)
        breakers.trip(db, "shop", "product", "changes", figures={}, now=NOW)
        breakers.reset(db, "shop", "product", allow=2, until=NOW + 50, note="", by="ana", now=NOW)
        assert breakers.allowance(db, "shop", "product", now=NOW) == Allowance(NOW, NOW + 50, 2, 2)
        for number in (1, 1, 2, 3):
            sent(db, number, now=NOW + 1)
        assert breakers.allowance(db, "shop", "product", now=NOW + 1) == Allowance(NOW, NOW + 50, 2, 0)
        assert breakers.allowance(db, "shop", "product", now=NOW + 50) is None
        assert breakers.allowance(db, "erp", "product", now=NOW) is None


class TestPauses:
    def test_a_pause_holds_until_it_is_over_or_resumed(self, db: Database) -> None:
        pauses.pause(db, "shop", until=NOW + 5, note="stock take", by="ana", now=NOW)
        pauses.pause(db, "erp", "product", by="ben", now=NOW)
        assert [(p.platform, p.entity, p.note) for p in pauses.standing(db, NOW)] == [
            ("erp", "product", ""),
            ("shop", "", "stock take"),
        ]
        assert [p.platform for p in pauses.standing(db, NOW + 5)] == ["erp"]
        pauses.pause(db, "shop", note="longer", by="ana", now=NOW + 6)
        assert [p.note for p in pauses.standing(db, NOW + 99)] == ["", "longer"]
        assert pauses.resume(db, "erp", "") == 0
        assert pauses.resume(db, "erp") == 1
        assert pauses.resume(db, "shop", "") == 1
        assert pauses.standing(db, NOW) == []
