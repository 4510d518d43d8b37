"""What stands between records and a platform."""

from syncd.core.model import Op
from syncd.ledger import attempts, letters, outbox, proposals
from syncd.ledger.between import Between, between
from syncd.ledger.letters import Refusal
from syncd.ledger.proposals import Planned
from syncd.ledger.schema import Database
from tests.ledger.builders import NOW, keep, record, write


def test_queued_sent_refused_and_proposed_are_told_apart(db: Database) -> None:
    keep(db, *(record(n) for n in range(1, 8)))
    assert between(db, "shop", [1, 2, 3]) == Between()
    outbox.mark(db, [(1, "shop"), (2, "erp")], NOW)
    attempts.intend(db, write(3), epoch="e", as_of=1, raws={}, now=NOW, lifetime=1)
    done = attempts.intend(db, write(4), epoch="e", as_of=1, raws={}, now=NOW, lifetime=1)
    attempts.close(db, done.id, "done", now=NOW)
    letters.refuse(db, Refusal(5, "shop", Op.UPDATE, ("name",), "422"), NOW)
    fields = [Planned("name", "title", 1, 2), Planned("price", "price", 1, 2)]
    proposals.propose(db, 6, "shop", op=Op.UPDATE, fields=fields, why="", now=NOW)
    proposals.propose(db, 7, "shop", op=Op.DELETE, fields=[], why="", now=NOW)
    found = between(db, "shop", range(1, 8))
    assert found == Between(frozenset({1, 3}), frozenset({5}), {6: frozenset({"name", "price"}), 7: frozenset()})
    assert between(db, "shop", [2, 4]) == Between()
