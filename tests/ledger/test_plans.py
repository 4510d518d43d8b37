"""No statement of the daily work scans a table that grows with the number of records or with time."""

import re
from collections.abc import Iterator

import pytest

from syncd.core.model import Life, Op
from syncd.core.rules import Deletes
from syncd.core.space import Link
from syncd.ledger import (
    attempts,
    breakers,
    conflicts,
    history,
    inbox,
    letters,
    lookup,
    outbox,
    proposals,
    records,
    state,
    sweeps,
)
from syncd.ledger.letters import Refusal
from syncd.ledger.proposals import Planned
from syncd.ledger.schema import Database
from tests.ledger.builders import DAY, NOW, change, conflict, decision, keep, record, shadow, space, write

LARGE = "record link shadow seen match_key tombstone version decision inbox attempt proposal conflict dead_letter drift audit"
# what waits is small, however large the table: an index of it alone may be walked
WAITS = {
    "inbox_open",
    "inbox_of_sweep",
    "attempt_open",
    "conflict_open",
    "conflict_of_thing",
    "proposal_in_state",
    "drift_open",
    "dead_letter_of_thing",
    "outbox_due",
    "sweep_undecided",
    "breaker_open",
}


@pytest.fixture
def statements(db: Database) -> Iterator[set[str]]:
    """The statements run by a test, as SQLite was given them."""
    found: set[str] = set()
    db.set_trace_callback(found.add)
    yield found
    db.set_trace_callback(None)


def scans(db: Database, statements: set[str]) -> set[str]:
    """What is walked from end to end: the table or index, with the statement."""
    found = set()
    db.set_trace_callback(None)
    for sql in statements:
        if not re.match(r"(WITH|SELECT|INSERT|UPDATE|DELETE)\b", sql):
            continue
        aliases = {a: t for t, a in re.findall(r"\b(?:FROM|JOIN)\s+(\w+)\s+(?:AS\s+)?(\w+)\b", sql)}
        for *_, detail in db.execute(f"EXPLAIN QUERY PLAN {sql}"):
            match = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", detail)
            if match and aliases.get(match[1], match[1]) in LARGE.split() and match[2] not in WAITS:
                found.add(f"{detail}: {sql[:200]}")
    return found


@pytest.fixture(autouse=True)
def _records(db: Database) -> None:
    keep(
        db, *(record(n, shadow("erp", str(n)), shadow("shop", f"1{n}")) for n in range(1, 9)), decisions=[decision(1, name="x")]
    )


def test_a_batch_of_changes(db: Database, statements: set[str]) -> None:
    inbox.add(
        db,
        "erp",
        "items",
        [change("1", as_of=9), change("2", event_id="e"), change("3", item={"n": "\ud800"})],
        cursor="c",
        now=NOW,
    )
    waiting = inbox.pending(db, 9, now=NOW)
    working = space()
    things = [("erp", "items", w.change.id) for w in waiting]
    loaded = records.load(db, working, things=things, matches=[("product", "sku", "SKU-4")], records=[5])
    one = working.records[1]
    one.shadows["erp"].as_of = 9
    one.life, one.conflicts["price"] = Life.GONE, conflict()
    for touched in working.records.values():
        working.touch(touched)
    working.link(things[0], Link(1, Life.GONE))
    working.decisions.append(decision(1, 2, name="y"))
    working.behind.add((1, "shop"))
    working.settled.append(things[1])
    records.commit(db, working, loaded, looks=waiting)
    inbox.finish(db, [w.id for w in waiting], now=NOW)
    inbox.release(db, "erp", "x")
    inbox.next_at(db, NOW)
    inbox.depth(db)
    inbox.forget_events(db, NOW)
    sweeps.decided(db)
    assert scans(db, statements) == set()


def test_a_delivery(db: Database, statements: set[str]) -> None:
    outbox.mark(db, [(1, "shop")], NOW)
    [due] = outbox.due(db, "shop", NOW, 9)
    fields = [Planned("name", "title", 1, 2)]
    proposals.propose(db, 1, "shop", op=Op.UPDATE, fields=fields, why="", now=NOW)
    proposals.decide(db, [1], "approved", by="ana", now=NOW)
    proposals.standing(db, [1, 2])
    attempt = attempts.intend(db, write(1), epoch="e", as_of=1, raws={"name": "x"}, now=NOW, lifetime=9)
    breakers.counts(db, "shop", "product", since=NOW - 1)
    breakers.written(db, "shop", "product", since=NOW - 1)
    breakers.allowance(db, "shop", "product", now=NOW)
    attempts.open_attempts(db)
    attempts.of_record(db, 1, platform="shop")
    attempts.close(db, attempt.id, "done", now=NOW)
    letters.refuse(db, Refusal(1, "shop", Op.UPDATE, ("name",), "422"), NOW)
    letters.of_write(db, 1, "shop")
    letters.close_write(db, 1, "shop", NOW)
    letters.refuse_hook(db, "shop", "signature did not match", status=401, now=NOW)
    proposals.done(db, 1, "shop", now=NOW)
    proposals.withdraw(db, 1, "shop", now=NOW)
    outbox.postpone(db, 1, "shop", until=NOW, error=None, counts=True)
    outbox.clear(db, 1, "shop", mark=due.mark)
    assert scans(db, statements) == set()


def test_looking(db: Database, statements: set[str]) -> None:
    state.now(db, NOW)
    history.versions(db, 1, field="name")
    history.decisions(db, 1, field="name", until=NOW)
    for text in ("SKU-1", "shop:11", "p1"):
        lookup.find_record(db, "product", text)
    conflicts.standing(db)
    conflicts.get(db, 1)
    letters.groups(db)
    letters.in_state(db)
    proposals.in_state(db, "open")
    outbox.depth(db)
    assert scans(db, statements) == set()


def test_a_full_read_walks_its_own_collection_and_no_other(db: Database, statements: set[str]) -> None:
    sweep = sweeps.begin(db, "erp", "items", as_of=9, now=NOW)
    sweeps.page(db, sweep, [change(str(n), as_of=9) for n in range(1, 9)], now=NOW)
    sweeps.finish(db, sweep, complete=True, limit=None, deletes=Deletes(), now=NOW + DAY)
    sweeps.last(db, "erp", "items", proving=True)
    assert scans(db, statements) == set()
