"""What the ledger holds, as machine formats and as pages: conflicts, changes, letters, breakers, status, history, explain."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncd.config.rulebook import read_rules
from syncd.core.model import Life, Tombstone
from syncd.core.rules import Rules
from syncd.core.space import Space
from syncd.ledger import attempts, letters, records, sweeps
from syncd.ledger import conflicts as conflict_table
from syncd.ledger.schema import Database
from syncd.reports import (
    breakers,
    changes,
    conflicts,
    dead,
    deliveries,
    explain,
    explain_page,
    history,
    machine,
    markdown,
    status,
    text,
)
from syncd.reports.page import Look, Page
from syncd.reports.ruled import ruled
from tests.cli.scene import ERP, SERVICE, SHOP
from tests.cli.scene import PRODUCT as COMPANY
from tests.ledger.builders import NOW, golden, keep, known, record, shadow, write
from tests.reports.scene import ENTITIES, ORIGIN, PLATFORMS, PRODUCT, fill, open_ledger

TEXTS = {
    "syncd.yaml": SERVICE,
    "platforms/erp.yaml": ERP,
    "platforms/shop.yaml": SHOP,
    "entities/product.yaml": COMPANY,
}
GOLDEN = Path(__file__).parent / "golden"
LIVE = {
    "daemon": {"running": True, "pid": 7, "since": "2025-11-18T00:00:00Z", "ready": True},
    "platforms": {"shop": {"state": "down", "why": "no connection"}, "erp": {"state": "ok"}},
}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    connection = open_ledger(tmp_path / "ledger.db")
    fill(connection)
    yield connection
    connection.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Database]:
    connection = open_ledger(tmp_path / "ledger.db")
    yield connection
    connection.close()


Layout = Callable[[Mapping[str, Any], Look], Page]


def facts(db: Database, number: int) -> explain.Facts:
    found = records.one(db, number)
    assert found is not None
    rules = read_rules("config", TEXTS, "product", os.environ)
    assert rules is not None
    space = Space(Rules("4f1c9e2", {}), ORIGIN.now, lambda: 0)
    under = ruled(space, rules, "4f1c9e2", found, ORIGIN.now)
    return replace(explain.gather(db, found, PRODUCT, ORIGIN.now), ruled=under)


def one(db: Database, number: int, name: str) -> dict[str, Any]:
    return explain.collect_field(facts(db, number), PRODUCT, PRODUCT.fields[name], PLATFORMS, ORIGIN)


def everything(db: Database) -> Iterator[tuple[dict[str, Any], Layout]]:
    conflict, letter, mug = conflict_table.get(db, 1), letters.get(db, 1), records.one(db, 1)
    assert conflict and letter and mug  # noqa: PT018 - for the type checker
    yield dead.collect(db, ORIGIN), dead.page
    yield dead.collect(db, ORIGIN, group=1), dead.letters_page
    yield (
        dead.detail(letter, [{"id": "e1-1", "at": "2025-11-20T23:55:30Z", "outcome": None, "detail": None}], ORIGIN),
        dead.page,
    )
    yield conflicts.collect(db, ORIGIN, ENTITIES), conflicts.page
    yield conflicts.detail(db, conflict, ORIGIN, ENTITIES), conflicts.page
    yield changes.collect(db, ORIGIN), changes.page
    yield breakers.collect(db, ORIGIN), breakers.page
    yield status.collect(db, ORIGIN, PLATFORMS, live=LIVE), status.page
    yield history.collect(db, mug, ORIGIN), history.page
    for number in (1, 2):
        yield explain.collect(facts(db, number), PRODUCT, PLATFORMS, ORIGIN), explain_page.page
        yield one(db, number, "price"), explain_page.page


def shown(db: Database, width: int | None) -> str:
    look = Look(width=width, relative=width is not None)
    return "\n".join(text.render(layout(document, look), look) for document, layout in everything(db))


@pytest.mark.parametrize("width", [80, 100])
def test_the_tables(db: Database, width: int) -> None:
    found = shown(db, width)
    assert found == (GOLDEN / f"nouns-{width}.txt").read_text(encoding="utf-8")


def test_on_a_pipe_nothing_is_shortened_or_relative(db: Database) -> None:
    found = shown(db, None)
    assert "…" not in found
    assert " ago" not in found


def test_every_answer_has_the_common_keys_and_every_format(db: Database) -> None:
    for document, layout in everything(db):
        assert next(iter(document)) == "schema"
        assert {"complete", "generated_at", "config_sha", "syncd_version", "environment"} <= document.keys()
        assert machine.to_json(document).startswith('{\n  "schema": "syncd.')
        assert machine.to_ndjson(document)
        assert machine.to_csv(document).count("\n") >= 1
        assert markdown.render(layout(document, Look()))


def test_an_empty_ledger_teaches(empty: Database) -> None:
    for document, layout in (
        (dead.collect(empty, ORIGIN), dead.page),
        (conflicts.collect(empty, ORIGIN, ENTITIES), conflicts.page),
        (changes.collect(empty, ORIGIN), changes.page),
        (breakers.collect(empty, ORIGIN), breakers.page),
    ):
        assert text.render(layout(document, Look()), Look()).startswith("No ")
    document = status.collect(empty, ORIGIN, PLATFORMS)
    assert document["attention"] == []
    assert "Nothing needs a person." in text.render(status.page(document, Look()), Look())


def test_status_counts_and_says_what_to_do(db: Database) -> None:
    document = status.collect(db, ORIGIN, PLATFORMS, live=LIVE)
    assert document["open"] == {"conflicts": 1, "changes": 1, "dead": 2, "breakers": 1}
    assert document["records"] == {"product": 2}
    assert [one["command"] for one in document["attention"]] == [
        "syncd breaker reset shop product --note TEXT",
        "syncd conflicts",
        "syncd changes",
        "syncd dead",
        "syncd status",
    ]
    erp, shop = document["platforms"]
    assert (erp["state"], shop["state"], shop["why"], shop["lag_s"]) == ("ok", "down", "no connection", 60)


def test_a_full_read_that_proves_nothing_is_named(empty: Database) -> None:
    why = "some things could not be decoded and have no id"
    begun = sweeps.begin(empty, "erp", "items", as_of=1, now=1)
    sweeps.finish(empty, begun, complete=False, limit=None, deletes=None, now=2, why=why)
    [need] = status.collect(empty, ORIGIN, PLATFORMS)["attention"]
    assert need == {
        "text": f"erp items was not read completely: {why}; so it proves no absence, and creates may wait",
        "command": "syncd dead",
    }
    begun = sweeps.begin(empty, "erp", "items", as_of=2, now=3)
    sweeps.finish(empty, begun, complete=True, limit=None, deletes=None, now=4)
    assert status.collect(empty, ORIGIN, PLATFORMS)["attention"] == []


def test_history_tells_whose_word_it_was_and_where_it_went(db: Database) -> None:
    mug = records.one(db, 1)
    assert mug is not None
    last, first = history.collect(db, mug, ORIGIN)["versions"]
    assert last["fields"] == [
        {
            "field": "price",
            "before": "12.00",
            "after": "12.50",
            "from": "erp",
            "to": ["shop"],
            "why": "owner; stray 9.99 put back",
            "strays": [
                {"platform": "shop", "value": "9.99", "action": "revert", "by": "jo", "changed_at": "2025-11-20T23:54:30Z"}
            ],
        }
    ]
    assert [step["to"] for step in first["fields"]] == [[], [], []]
    only = history.collect(db, mug, ORIGIN, field="name")["versions"]
    assert [(one["version"], len(one["fields"])) for one in only] == [(1, 1)]


def test_explain_tells_who_said_what_and_what_became_of_it(db: Database) -> None:
    document = one(db, 1, "price")
    assert document["golden"]["value"] == "12.50"
    assert document["rule"] == {"file": "config/entities/product.yaml", "line": 17, "strategy": "owner"}
    assert [step["code"] for step in document["steps"]] == ["changed", "rule", "stray", "written"]
    others = {"owner shop": "9.99", "newest": "12.50", "priority [shop, erp]": "9.99", "manual": "held"}
    assert document["others"] == others
    assert {one["platform"]: one["changed"] for one in document["readings"]} == {"erp": True, "shop": True}


def test_explain_tells_what_waits(db: Database) -> None:
    assert [step["code"] for step in one(db, 2, "price")["steps"]] == ["changed", "rule", "held", "refused"]
    letters.set_state(db, [1], "discarded", note="n", now=NOW)
    assert one(db, 2, "price")["steps"][-1]["code"] == "proposed"


def test_explain_of_a_field_nobody_spoke_of(db: Database) -> None:
    lonely = record(3, shadow(native="3"), key="NEW-1", golden={})
    lonely.shadows["erp"].fields = {}
    keep(db, lonely)
    document = one(db, 3, "price")
    assert document["golden"] is None
    assert [step["code"] for step in document["steps"]] == ["silent"]
    assert "never read" in text.render(explain_page.page(document, Look()), Look())


def test_explain_of_a_record_that_is_gone(db: Database) -> None:
    gone = record(4, shadow(native="4", life=Life.GONE), key="OLD-1", life=Life.GONE)
    gone.tomb = Tombstone(5, NOW, "read by id", "erp")
    keep(db, gone)
    page = explain_page.page(explain.collect(facts(db, 4), PRODUCT, PLATFORMS, ORIGIN), Look())
    assert "(gone)" in page.head
    assert "erp gone" in text.render(page, Look())


def test_explain_of_a_write_in_doubt(db: Database) -> None:
    mug = record(5, shadow(native="5"), shadow("shop", "50"), key="MUG-5")
    mug.golden["price"] = golden("2.00")
    mug.shadows["shop"].fields["price"] = known("1.00", word="ours")
    keep(db, mug)
    sent = write(5, sent={"price": "2.00"}, values={"price": "2.00"})
    attempts.intend(db, sent, epoch="e1", as_of=9, raws={"price": "1.00"}, now=NOW, lifetime=60)
    assert one(db, 5, "price")["steps"][-1]["code"] == "doubt"


def test_a_groups_letters_and_an_unknown_one(db: Database) -> None:
    assert [one["id"] for one in dead.collect(db, ORIGIN, group=1)["letters"]] == ["d-1"]
    assert dead.collect(db, ORIGIN, group=99)["letters"] == []


def test_lines_of_writes_are_summed() -> None:
    lines = [
        {"state": state, "entity": "product", "record": "A", "platform": "shop", "field": "price", "before": "1", "after": "2"}
        for state in ("ok", "ok", "dead", "skip")
    ]
    assert deliveries.summary(lines) == "2 written, 1 skipped, 1 to dead letters."
    assert deliveries.summary([]) == "Nothing to write."
    document = {"text": "Repaired.", "lines": lines}
    assert "  ok     product A   shop   price   1 -> 2" in text.render(deliveries.page(document, Look()), Look())
