"""Nouns with sensible defaults, for tests of the ledger."""

from itertools import count
from typing import Any

from syncd.core.equality import parse_equality
from syncd.core.identity import parse_normal
from syncd.core.model import (
    Change,
    Conflict,
    FieldChange,
    GoldenField,
    Known,
    Op,
    Record,
    Shadow,
    ShadowField,
    Via,
    Write,
)
from syncd.core.rules import Entity, Field, Match, Member, Rules, Truth
from syncd.core.space import Decision, Link, Space
from syncd.core.values import parse_type
from syncd.ledger import inbox, records
from syncd.ledger.inbox import Waiting
from syncd.ledger.schema import Database

NOW = 1_763_682_330_000_000  # 2025-11-20T23:45:30Z
SECOND = 1_000_000
DAY = 86_400 * SECOND


def field(name: str) -> Field:
    return Field(name, parse_type("string"), Truth("owner", ("erp",)), {}, parse_equality("exact"))


def rules(*matches: str, sha: str = "4f1c9e2") -> Rules:
    """One entity, product, in erp and shop, matched by these fields (sku)."""
    members = {"erp": Member("erp", "items"), "shop": Member("shop", "products")}
    by = tuple(Match((name,), parse_normal(()), text=name) for name in matches or ("sku",))
    names = ("sku", "name", "price")
    product = Entity("product", "sku", {n: field(n) for n in names}, members, by)
    return Rules(sha, {"product": product})


def space(*, now: int = NOW, **more: Any) -> Space:
    numbers = count(1)
    return Space(more.pop("rules", None) or rules(), now, lambda: next(numbers), **more)


def change(native: str = "1", *, platform: str = "erp", collection: str = "items", **more: Any) -> Change:
    """A read of one item; ``event_id`` makes it an event."""
    more.setdefault("item", {"sku": f"SKU-{native}", "name": "Mug"})
    via = Via.EVENT if more.get("event_id") else Via.READ
    return Change(
        platform,
        collection,
        native,
        more.pop("via", via),
        more.pop("as_of", 5),
        more.pop("seen_at", NOW),
        **more,
    )


def known(raw: Any = "Mug", **more: Any) -> ShadowField:
    more.setdefault("known", Known.NULL if raw is None else Known.OK)
    return ShadowField(raw, means=more.pop("means", raw), **{"lo": NOW, "hi": NOW} | more)


def shadow(platform: str = "erp", native: str = "1", **more: Any) -> Shadow:
    collection = {"erp": "items", "shop": "products"}.get(platform, "things")
    more.setdefault("fields", {"sku": known(f"SKU-{native}"), "name": known()})
    more.setdefault("seen_at", NOW)
    return Shadow(platform, more.pop("collection", collection), native, as_of=more.pop("as_of", 5), **more)


def golden(value: Any, who: str | None = "erp", **more: Any) -> GoldenField:
    return GoldenField(value, **{"lo": NOW, "hi": NOW, "who": who, "version": 1} | more)


def record(number: int = 1, *shadows: Shadow, **more: Any) -> Record:
    key = more.pop("key", f"SKU-{number}")
    more.setdefault("golden", {"sku": golden(key), "name": golden("Mug")})
    more.setdefault("version", 1)
    made = Record(number, "product", more.pop("born", 1), key, **more)
    made.shadows = {s.platform: s for s in shadows}
    return made


def conflict(name: str = "price", why: str = "jump 60% > 30%", **more: Any) -> Conflict:
    more.setdefault("values", {"erp": "16.00", "shop": "10.00"})
    return Conflict(name, more.pop("kind", "step"), why, **more)


def decision(number: int = 1, version: int = 1, *, at: int = NOW, **after: Any) -> Decision:
    """A decision that set these fields, by erp's word."""
    fields = [FieldChange(name, None, value, "erp", "owner", "owner") for name, value in after.items()]
    return Decision(number, version, at, "read erp", fields)


def write(number: int = 1, op: Op = Op.UPDATE, *, platform: str = "shop", **more: Any) -> Write:
    more.setdefault("sent", {"name": "Mug"})
    more.setdefault("values", {"title": "Mug"})
    return Write(op, platform, more.pop("collection", "products"), number, more.pop("id", "10"), **more)


def keep(db: Database, *kept: Record, now: int = NOW, **did: Any) -> Space:
    """Store records with their links, as a decider would have left them."""
    working = space(now=now)
    loaded = records.load(db, working, records=[r.id for r in kept])
    for one in kept:
        working.touch(one)
        for platform, there in one.shadows.items():
            working.link((platform, there.collection, there.id), Link(one.id, there.life, "linked by sku"))
    for name, value in did.items():
        getattr(working, name).extend(value) if isinstance(value, list) else setattr(working, name, value)
    records.commit(db, working, loaded)
    return working


def reload(db: Database, *numbers: int, **more: Any) -> Space:
    """A fresh working set with these records in it."""
    working = space()
    records.load(db, working, records=numbers, **more)
    return working


def take(db: Database, *changes: Change, now: int = NOW) -> list[Waiting]:
    """Put changes into the inbox and return what waits there."""
    inbox.add(db, "erp", "items", changes, now=now)
    return inbox.pending(db, 1000, now=now)
