"""``syncd ledger replay`` on the ledger of a real pass, whole and damaged; and the history of the same records."""

import json
import sqlite3

import pytest

from syncd.ledger import retention
from syncd.reports import figures
from tests.cli.test_whole import Shop, shop

__all__ = ["shop"]


@pytest.fixture
def settled(shop: Shop) -> Shop:
    shop.settle()
    shop.answer("changes", "approve", "--all", "--yes")
    shop.sql("erp", "UPDATE items SET price = 13 WHERE sku = 'MUG-1'")
    assert shop.syncd("run", "--once") == 0
    return shop


def ledger(shop: Shop) -> sqlite3.Connection:
    db = sqlite3.connect(shop.home / "config/state/ledger.db", isolation_level=None)
    for table in ("decision", "version"):
        db.execute(f"DROP TRIGGER IF EXISTS {table}_stays")
        db.execute(f"DROP TRIGGER IF EXISTS {table}_kept")
    return db


def test_every_decision_follows_from_its_inputs(settled: Shop) -> None:
    document = settled.answer("ledger", "replay")
    assert document["schema"] == "syncd.replay/1.0"
    assert document["same"] == document["decisions"] >= 2
    assert (document["replay"], document["skipped"], document["complete"]) == ([], [], True)
    settled.capsys.readouterr()
    assert settled.syncd("ledger", "replay") == 0
    assert "follow from their inputs: 100%" in settled.capsys.readouterr().out
    assert settled.answer("ledger", "replay", "--since", "2999-01-01")["decisions"] == 0


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        ("UPDATE version SET fields = replace(fields, '13.00', '31.00')", "altered"),
        ("UPDATE decision SET body = replace(body, '\"owner\"', '\"newest\"')", "altered"),
    ],
)
def test_a_planted_corruption_is_found_and_named(settled: Shop, damage: str, word: str) -> None:
    db = ledger(settled)
    db.execute(damage)
    db.close()
    settled.capsys.readouterr()
    assert settled.syncd("ledger", "replay", "--format", "json") == 1
    found = json.loads(settled.capsys.readouterr().out)["replay"]
    assert found
    assert "MUG-1" in {one["record"] for one in found}
    assert all(word in one["why"][0] for one in found)


def test_what_cannot_be_derived_is_said_and_not_passed(settled: Shop) -> None:
    db = ledger(settled)
    db.execute("DELETE FROM config")
    db.close()
    settled.capsys.readouterr()
    assert settled.syncd("ledger", "replay") == 3
    assert "its config is not in the ledger any more" in settled.capsys.readouterr().out


def test_two_versions_compared(settled: Shop) -> None:
    document = settled.answer("history", "product", "MUG-1", "--diff", "1..2")
    assert document["diff"] == [{"field": "price", "before": "12.50", "after": "13.00", "versions": [2]}]
    assert settled.answer("history", "product", "MUG-1", "name", "--diff", "1..2")["diff"] == []
    assert settled.answer("history", "product", "MUG-1", "--diff", "2..1")["diff"][0]["after"] == "12.50"
    settled.capsys.readouterr()
    assert settled.syncd("history", "product", "MUG-1", "--diff", "1..2") == 0
    assert "1 field differs between version 1 and version 2 of product MUG-1." in settled.capsys.readouterr().out
    for words, code, text in (
        (["--diff", "1..9"], 1, "no version 9 of product MUG-1 in the ledger; kept are 1 to 2"),
        (["--diff", "1-2"], 64, "1-2 is not two versions: write 45..47"),
        (["--diff", "1..2", "--by", "erp"], 64, "leave out --since and --by"),
    ):
        assert settled.syncd("history", "product", "MUG-1", *words) == code
        assert text in settled.capsys.readouterr().err


@pytest.mark.parametrize(("who", "count"), [("erp", 2), ("shop", 0), ("person", 0)])
def test_history_by_somebody(settled: Shop, who: str, count: int) -> None:
    assert len(settled.answer("history", "product", "MUG-1", "--by", who)["versions"]) == count


def test_it_is_said_that_older_history_was_thinned(settled: Shop) -> None:
    settled.sql("erp", "UPDATE items SET price = 14 WHERE sku = 'MUG-1'")
    assert settled.syncd("run", "--once") == 0
    with sqlite3.connect(settled.home / "config/state/ledger.db", isolation_level=None) as db:
        wanted = "SELECT at FROM version WHERE record = (SELECT id FROM record WHERE key = 'MUG-1') ORDER BY version"
        times = [at for (at,) in db.execute(wanted)]
        gone = retention.thin(db, before=(figures.micros(times[-1]) or 0) + 1).gone
    db.close()
    assert len(times) == 3
    assert gone >= 2, "price 13 was superseded"
    document = settled.answer("ledger", "replay")
    assert document["thinned_before"] is not None
    assert document["same"] == document["decisions"] >= 1
    settled.capsys.readouterr()
    assert settled.syncd("ledger", "replay") == 0
    assert "older history was thinned (ledger.keep_history)" in settled.capsys.readouterr().out
    assert settled.syncd("explain", "product", "MUG-1", "price", "--at", times[1]) == 1
    told = settled.capsys.readouterr().err
    assert "product MUG-1 at 20" in told
    assert "is not known any more: history before" in told
    assert settled.syncd("explain", "product", "MUG-1", "price", "--at", times[-1]) == 0
    assert "was thinned (ledger.keep_history): what platforms held may be missing" in settled.capsys.readouterr().err
