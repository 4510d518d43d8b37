"""The drift report: figures, causes, and the table at 80 and 100 columns."""

from pathlib import Path
from typing import Any

import pytest

from syncd.reports import text
from syncd.reports.drift import CAUSES, COLUMN, Scope, causes_of, only
from syncd.reports.drift_page import LABELS, STEPS, page
from syncd.reports.page import Look
from tests.reports.scene import drift, row

GOLDEN = Path(__file__).parent / "golden"
EXACT = {  # the contract's own example: nothing beside the keys it names
    "schema": "syncd.reconcile/1.0",
    "id": "r-20261120-0215",
    "complete": True,
    "environment": "production",
    "generated_at": "2026-11-20T02:15:31Z",
    "config_sha": "4f1c9e2",
    "syncd_version": "1.0.0",
    "totals": {"records": 16342, "in_sync": 16307, "out_of_sync": 35, "fields": 38, "new": 12, "gone": 4},
    "by_why": {"stray": 14, "missed": 6, "refused": 4, "rewritten": 1, "missing": 4, "held": 5, "in_flight": 1},
    "rows": [row("MUG-1")],
}


def shown(width: int | None, document: dict[str, Any] | None = None, *, all_rows: bool = False) -> str:
    look = Look(width=width, relative=width is not None, all_rows=all_rows)
    return text.render(page(document or drift(), look), look)


def golden(name: str) -> str:
    return (GOLDEN / name).read_text(encoding="utf-8")


def test_the_figures_are_those_of_the_contract() -> None:
    document = drift()
    assert document["totals"] == EXACT["totals"]
    assert document["by_why"] == EXACT["by_why"]
    assert next(iter(document)) == "schema"
    assert EXACT.keys() <= document.keys()
    assert [(line["drift"], line["conflict"], line["missing"], line["waiting"]) for line in document["entities"]] == [
        (21, 3, 4, 1),
        (4, 2, 0, 0),
    ]
    assert [line["in_sync"] for line in document["entities"]] == [12402, 3905]


@pytest.mark.parametrize("width", [80, 100])
def test_the_table(width: int) -> None:
    found = shown(width)
    assert found == golden(f"drift-{width}.txt")
    assert max(len(line) for line in found.splitlines()) <= width


def test_on_a_pipe_every_row_is_there_and_nothing_is_shortened() -> None:
    found = shown(None)
    assert "…" not in found
    assert "more:" not in found
    assert sum(1 for line in found.splitlines() if "shopify" in line or "sanity" in line or "mailer" in line) >= 38
    assert "2026-11-19 23:13" in found


def test_all_shows_all_on_a_terminal() -> None:
    assert "... 18 more" in shown(100)
    assert " more:" not in shown(100, all_rows=True)


def test_the_contracts_own_example_is_shown() -> None:
    found = shown(100, dict(EXACT))
    assert found.startswith("Drift report r-20261120-0215   production   2026-11-20 02:15 UTC   complete\n")
    assert "  product MUG-1   price   12.50 sap   9.99 shopify   stray   3 h   new\n" in found
    assert found.endswith("35 of 16,342 records differ, in 38 fields.  12 new, 4 gone.\n")


def test_nothing_differs() -> None:
    assert shown(100, drift([], previous=None)).endswith("All 16,342 records in sync.  4 gone.\n")


def test_a_platform_that_failed_is_named_and_in_sync_is_not_claimed() -> None:
    scope = Scope({"product": 10}, ("sap", "shopify"), {"sap": "no connection"})
    unread = [row(f"P-{at}", "unreadable", platform="sap") for at in range(9)]
    document = drift([*unread, row("P-0")], scope=scope)
    assert document["complete"] is False
    assert document["totals"] | {"new": 0, "gone": 0} == {
        "records": 10,
        "in_sync": 1,
        "out_of_sync": 1,
        "fields": 1,
        "new": 0,
        "gone": 0,
    }
    found = shown(100, document)
    assert "INCOMPLETE, 1 of 2 platforms" in found
    assert "unreadable" in found.splitlines()[2]
    assert "sap: no connection" in found
    assert found.endswith("sap could not be read: nothing is claimed about it.\n")
    assert "All" not in shown(100, drift([], scope=Scope({"product": 1}, ("sap",), {"sap": "down"})))


def test_a_record_counts_under_the_first_of_its_causes() -> None:
    assert causes_of([row("A"), row("A", "held"), row("A", "missed")]) == {("product", "A"): "held"}


def test_every_cause_has_words_a_step_and_a_column() -> None:
    assert set(CAUSES) == set(LABELS) == set(STEPS) == set(COLUMN)


def test_rows_of_some_causes_alone() -> None:
    document = only(drift(), ["held"])
    assert {one["why"] for one in document["rows"]} == {"held"}
    assert document["totals"] == drift()["totals"]
    assert "  event missed" in shown(100, document)


def test_steps_name_who_holds_a_row() -> None:
    held = [
        row("A", "held", reason="in conflict"),
        row("B", "held", reason="proposed: waits for approval"),
        row("C", "held", reason="breaker changes is open"),
        row("D", "held", reason="its owner is stale"),
    ]
    found = shown(None, drift(held))
    assert "syncd conflicts, syncd changes, syncd breaker show, nothing until its owner is read" in found


def test_what_may_not_be_written_says_why() -> None:
    document = drift([row("A", action=None, reason="mode observe")])
    assert "not written: mode observe" in shown(100, document)


def test_values_cannot_steer_the_terminal() -> None:
    nasty = row("\x1b[2JA", found={"value": "red\x1b[31m\nnext", "platform": "shopify"})
    found = shown(120, drift([nasty]))
    assert "\x1b" not in found
    assert "red\\x1b[31m\\nnext shopify" in found
