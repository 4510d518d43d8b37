"""A drift report with the figures of the contract, and a ledger that has something of everything."""

from pathlib import Path
from typing import Any

from syncd.core.model import Op
from syncd.core.space import Stray
from syncd.ledger import attempts, breakers, cursors, letters, opening, proposals
from syncd.ledger.letters import Refusal
from syncd.ledger.proposals import Planned
from syncd.ledger.schema import Database
from syncd.reports.drift import Row, Scope, assemble
from syncd.reports.envelope import Origin
from syncd.reports.outline import EntityLine, FieldLine, PlatformLine
from tests.ledger.builders import NOW, SECOND, conflict, decision, golden, keep, known, record, shadow, write

ORIGIN = Origin(NOW + 3600 * SECOND, "production", "4f1c9e2")
MINUTE = 60 * SECOND
DRIFT_ORIGIN = Origin(1_795_140_931_000_000, "production", "4f1c9e2")  # 2026-11-20T02:15:31Z

WAYS = {"erp": "both", "shop": "both"}
PRODUCT = EntityLine(
    "product",
    "sku",
    "{name} ({sku})",
    ("erp", "shop"),
    {
        name: FieldLine(name, kind, "config/entities/product.yaml", line, rule, platforms, WAYS)
        for name, kind, line, rule, platforms in (
            ("sku", "string", 9, "owner", ("erp",)),
            ("name", "string", 13, "owner", ("erp",)),
            ("price", "decimal(2)", 17, "owner", ("erp",)),
        )
    },
    {},
)
ENTITIES = {"product": PRODUCT}
PLATFORMS = {"erp": PlatformLine("erp", "observe", "sql"), "shop": PlatformLine("shop", "enforce", "rest")}


def row(record: str, why: str = "stray", *, entity: str = "product", field: str | None = "price", **more: Any) -> Row:
    """A row of a drift report: the shop has another price than SAP."""
    platform = more.pop("platform", "shopify")
    action = {"op": "write", "platform": platform, "path": "variants.0.price", "value": "12.50"}
    return {
        "entity": entity,
        "record": record,
        "field": field,
        "platform": platform,
        "why": why,
        "truth": {"value": "12.50", "platform": "sap", "version": 47},
        "found": {"value": "9.99", "platform": platform, "changed_at": "2026-11-19T23:13:40Z", "by": None},
        "rule": {"file": "config/entities/product.yaml", "line": 53, "strategy": "owner"},
        "action": None if why in {"held", "unreadable", "rewritten", "refused", "in_flight"} else action,
        "first_seen": "2026-11-20T02:15:04Z",
        "times_seen": 1,
        **more,
    }


def rows() -> list[Row]:
    """Thirty-five records that differ, with the causes of the contract's example."""
    counts = {"stray": 14, "missed": 6, "refused": 4, "rewritten": 1, "missing": 4, "held": 5, "in_flight": 1}
    found = [
        row("MUG-1"),
        row("LAMP-3", "held", found={"value": "10.00", "platform": "shopify"}, first_seen="2026-11-19T01:00:00Z"),
        row("SOFA-9", field="name", truth={"value": "Sofa, oak", "platform": "sanity", "version": 3}),
        row("C-3911", "missed", entity="customer", field="email", platform="mailer"),
    ]
    customers = {"stray": 2, "held": 2, "missed": 1}
    for why, count in (counts | {"stray": 12, "held": 4, "missed": 5}).items():
        for at in range(count):
            entity = "customer" if at < customers.get(why, 0) else "product"
            field = None if why == "missing" else "price"
            platform = "sanity" if at % 4 == 3 else "shopify"
            found.append(row(f"{why.upper()}-{at}", why, entity=entity, field=field, platform=platform))
    found += [row(f"STRAY-{at}", field="tags", platform="shopify") for at in (2, 3, 4)]
    for late in found[12:]:
        late["times_seen"] = 3
    found[0]["times_seen"] = 1
    return found


def drift(found: list[Row] | None = None, **more: Any) -> dict[str, Any]:
    """The contract's report."""
    scope = more.pop("scope", None) or Scope(
        {"product": 12431, "customer": 3911}, ("sap", "shopify", "sanity", "salesforce", "accounting", "mailer")
    )
    previous = {
        "id": "r-20261119-0215",
        "entities": [
            {"entity": "product", "records": 12431, "out_of_sync": 24},
            {"entity": "customer", "records": 3911, "out_of_sync": 6},
        ],
    }
    return assemble(
        "r-20261120-0215",
        rows() if found is None else found,
        scope,
        origin=DRIFT_ORIGIN,
        gone=4,
        previous=more.pop("previous", previous),
    )


def open_ledger(path: Path) -> Database:
    """The writer's connection to a new ledger."""
    db = opening.connect(path)
    opening.prepare(db, path, stamp=None, now=NOW, block=1000)
    return db


def fill(db: Database) -> None:
    """Two products with history, and one of everything that waits for a person."""
    mug = record(1, shadow(), shadow("shop", "10"), key="MUG-1")
    mug.golden = {"sku": golden("MUG-1"), "name": golden("Mug"), "price": golden("12.00")}
    mug.shadows["erp"].fields = {"sku": known("MUG-1"), "name": known("Mug"), "price": known("12.00")}
    mug.shadows["shop"].fields = {"sku": known("MUG-1", word="ours"), "name": known("Mug"), "price": known("12.00")}
    first = decision(1, 1, sku="MUG-1", name="Mug", price="12.00")
    keep(db, mug, decisions=[first])
    later = NOW + 10 * MINUTE
    mug.golden["price"] = golden("12.50", lo=later, hi=later, version=2)
    mug.version = 2
    mug.shadows["erp"].fields["price"] = known("12.50", lo=later, hi=later)
    mug.shadows["shop"].fields["price"] = known("9.99", lo=later - MINUTE, hi=later - MINUTE, by="jo")
    second = decision(1, 2, at=later, price="12.50")
    second.fields[0] = second.fields[0].__class__("price", "12.00", "12.50", "erp", "owner", "owner")
    second.strays = [Stray("shop", "price", "9.99", "12.00", "revert", "jo", later - MINUTE)]
    lamp = record(2, shadow(native="2"), shadow("shop", "20"), key="LAMP-3")
    lamp.golden = {"sku": golden("LAMP-3"), "name": golden("Lamp, oak"), "price": golden("10.00")}
    lamp.shadows["erp"].fields = {"sku": known("LAMP-3"), "name": known("Lamp, oak"), "price": known("16.00")}
    lamp.conflicts["price"] = conflict(opened_at=later)
    keep(db, mug, lamp, now=later, decisions=[second, decision(2, 1, at=later, sku="LAMP-3")])
    told(db, later)
    cursors.note_read(db, "erp", "items", later + 30 * MINUTE)
    cursors.note_read(db, "shop", "products", later + 49 * MINUTE)


def told(db: Database, later: int) -> None:
    """A write that went through, one that was refused, one that waits for approval, and a tripped breaker."""
    sent = write(1, sent={"price": "12.50"}, values={"price": "12.50"})
    attempt = attempts.intend(db, sent, epoch="e1", as_of=9, raws={"price": "9.99"}, now=later + SECOND, lifetime=SECOND)
    attempts.close(db, attempt.id, "done", now=later + SECOND + 412_000)
    letters.refuse(
        db, Refusal(2, "shop", Op.UPDATE, ("name",), "name too long (80)", 422, {"sent": {"title": "Lamp, oak"}}), later
    )
    letters.refuse_hook(db, "shop", "signature did not match", status=401, now=later)
    planned = [Planned("price", "price", "10.00", "11.00")]
    proposals.propose(db, 2, "shop", op=Op.UPDATE, fields=planned, why="mode propose", now=later)
    figures = {"count": 8, "linked": 12, "max": 5, "ratio": 0.3, "per": 600 * SECOND}
    breakers.trip(db, "shop", "product", "changes", figures=figures, now=later)
