"""From the core's differences to the rows of the report."""

from decimal import Decimal

from syncd.core.drift import Action, Difference, Place, Why
from syncd.core.rules import At, Truth
from syncd.reports.drift_row import row_of
from tests.ledger.builders import NOW, change, field, golden, known, record, shadow, space


def place() -> Place:
    mug = record(1, shadow("shop", "10"), key="MUG-1", version=47)
    mug.golden["price"] = golden("12.50", version=47)
    mug.shadows["shop"].fields["price"] = known("9.99", hi=NOW)
    working = space()
    entity = working.rules.entities["product"]
    at = At("config/entities/product.yaml", 53)
    entity.fields["price"] = field("price").__class__(
        "price", entity.fields["price"].type, Truth("owner", ("erp",), at=at), {}, entity.fields["price"].equal
    )
    return Place(working, entity, entity.members["shop"], mug)


def test_a_row_has_every_key_of_the_contract() -> None:
    action = Action("write", "shop", "variants.0.price", Decimal("12.50"))
    found = Difference("shop", "price", Why.STRAY, "12.50", "9.99", action)
    look = change("10", platform="shop", changed_at=NOW, by="jo@acme.example")
    assert row_of(place(), found, look) == {
        "entity": "product",
        "record": "MUG-1",
        "field": "price",
        "platform": "shop",
        "why": "stray",
        "truth": {"value": "12.50", "platform": "erp", "version": 47},
        "found": {"value": "9.99", "platform": "shop", "changed_at": "2025-11-20T23:45:30Z", "by": "jo@acme.example"},
        "rule": {"file": "config/entities/product.yaml", "line": 53, "strategy": "owner"},
        "action": {"op": "write", "platform": "shop", "path": "variants.0.price", "value": "12.50"},
        "reason": None,
        "first_seen": None,
        "times_seen": 1,
    }


def test_without_a_look_the_shadow_tells_when_it_changed() -> None:
    row = row_of(place(), Difference("shop", "price", Why.HELD, "12.50", "9.99", None, "in conflict"))
    assert row["found"]["changed_at"] == "2025-11-20T23:45:30Z"
    assert (row["action"], row["reason"]) == (None, "in conflict")


def test_a_whole_row_has_no_field_and_no_rule() -> None:
    row = row_of(place(), Difference("shop", None, Why.MISSING, "MUG-1", None, Action("create", "shop")))
    assert (row["field"], row["rule"], row["action"]["op"]) == (None, None, "create")
    assert row["truth"]["version"] == 47
