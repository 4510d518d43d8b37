"""What waits, by what it waits on."""

from syncd.core.model import Op
from syncd.ledger import letters, outbox, proposals, waiting
from syncd.ledger.letters import Refusal
from syncd.ledger.proposals import Planned
from syncd.ledger.schema import Database
from syncd.ledger.waiting import Pile
from tests.ledger.builders import NOW, conflict, keep, record, shadow


def test_nothing_waits_in_a_new_ledger(db: Database) -> None:
    assert waiting.now(db) == waiting.Waiting({}, {}, {}, {})


def test_everything_is_counted_with_the_age_of_the_oldest(db: Database) -> None:
    one, two = record(1, shadow()), record(2, shadow(native="2"))
    one.conflicts["price"], two.conflicts["price"] = conflict(opened_at=NOW + 5), conflict(opened_at=NOW + 3)
    keep(db, one, two)
    outbox.mark(db, [(1, "shop"), (2, "shop")], NOW + 7)
    letters.refuse(db, Refusal(1, "shop", Op.UPDATE, ("name",), "no", 422), NOW)
    letters.refuse_hook(db, "shop", "signature did not match", status=401, now=NOW)
    proposals.propose(db, 2, "shop", op=Op.UPDATE, fields=[Planned("price", "price", 1, 2)], why="", now=NOW)
    assert waiting.now(db) == waiting.Waiting(
        {"product": Pile(2, NOW + 3)},
        {"shop": 1},
        {("shop", "hook"): 1, ("shop", "write"): 1},
        {"shop": Pile(2, NOW + 7)},
    )
