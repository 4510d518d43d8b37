"""An event of the ledger becomes a rule test that passes where it is put, and says what really happened."""

from pathlib import Path

import pytest

from syncd.core.rules import Rules
from syncd.daemon.enact import Stage
from syncd.daemon.recount import as_test
from syncd.daemon.rehearse import rehearse
from syncd.errors import SyncdError
from syncd.ledger import records
from syncd.ledger.schema import Database
from tests.daemon.test_rehearse import ENTITY, SITUATIONS, folder_of, loaded
from tests.ledger.builders import keep
from tests.reports.scene import open_ledger

TOLD = [  # the situations in which something was decided about a record
    name for name in SITUATIONS if name not in {
        "a thing that matches nothing is asked about",
        "a thing of which nobody cares",
        "the authority deletes",
        "deletes as a list",
        "another one deletes",
        "an archived thing",
        "a stale owner holds",
        "a blank owner keeps",
        "max holds what the other agreed on",
        "what is only observed is never written",
    }
]


def happened(tmp_path: Path, test: str) -> tuple[Database, Rules]:
    """Return a ledger in which a test's readings really came in, and the rules."""
    found = loaded(folder_of(tmp_path, f"  - {{name: it, {test}}}\n"))
    assert found.config is not None, [each.text() for each in found.errors]
    ((one,),) = found.tests.values()
    stage = Stage(found.config.rules, one)
    stage.play(one.given)
    db = open_ledger(tmp_path / "ledger.db")
    keep(db, *stage.space.records.values(), now=one.now, decisions=stage.space.decisions)
    return db, found.config.rules


def told(tmp_path: Path, test: str, field: str | None = None) -> str:
    """Return the last event of a ledger's only record as a test; it passes among the config's own."""
    db, rules = happened(tmp_path, test)
    try:
        record = records.one(db, 1)
        assert record is not None
        text = as_test(db, record, rules, field)
    finally:
        db.close()
    (tmp_path / "tests/rules.yaml").write_text(text)
    again = loaded(tmp_path)
    assert again.config is not None, text + "\n".join(each.text() for each in again.errors)
    (result,) = rehearse(again.config.rules, [one for each in again.tests.values() for one in each])
    assert result.ok, (text, result.differences)
    return text


@pytest.mark.parametrize("name", TOLD)
def test_a_real_event_passes_as_a_test(tmp_path: Path, name: str):
    assert "# " not in told(tmp_path, SITUATIONS[name])


def test_it_says_what_was_agreed_what_was_said_and_what_came_of_it(tmp_path: Path):
    test = "base: {sku: A, price: '10.00', name: Mug}, given: {erp: {net: 12.5}}, expect: {writes: {}}"
    assert told(tmp_path, test, "price") == (
        "entity: product\n"
        "tests:\n"
        "  - name: the last event of product A price\n"
        '    now: "2026-01-01T12:00:00Z"\n'
        '    base: {sku: A, price: "10.00"}\n'
        "    given:\n"
        "      erp: {net: 12.5}\n"
        "    expect:\n"
        '      golden: {price: "12.50"}\n'
        '      writes: {shop: {variants.0.price: "12.50"}}\n'
        "      decided_by: {price: owner}\n"
    )


def test_an_open_conflict_is_the_last_event(tmp_path: Path):
    text = told(tmp_path, SITUATIONS["a jump waits"], "price")
    assert "      conflicts: [price]\n" in text
    assert "      writes: {}\n" in text


def test_what_is_personal_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    personal = ENTITY.replace("name: {type: string,", "name: {type: string, pii: true,")
    monkeypatch.setattr("tests.daemon.test_rehearse.ENTITY", personal)
    test = "base: {sku: A, name: Mug, rank: 1}, given: {cms: {title: Cup, rank: 2}}, expect: {writes: {}}"
    db, rules = happened(tmp_path, test)
    try:
        record = records.one(db, 1)
        assert record is not None
        with pytest.raises(SyncdError, match="name is personal"):
            as_test(db, record, rules, "name")
        text = as_test(db, record, rules)
    finally:
        db.close()
    assert "rank: 2" in text
    assert "Cup" not in text
    assert "Mug" not in text


def test_a_field_of_which_nothing_is_known_has_no_event(tmp_path: Path):
    db, rules = happened(tmp_path, SITUATIONS["the newest wins"])
    try:
        record = records.one(db, 1)
        assert record is not None
        with pytest.raises(SyncdError, match="nothing was decided about gtin yet"):
            as_test(db, record, rules, "gtin")
    finally:
        db.close()
