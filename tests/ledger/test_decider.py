"""The decider sees the same through the ledger as if all records had stayed in memory: batch by batch, exactly."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.core.decide import Said, observe
from syncd.core.equality import parse_equality
from syncd.core.identity import match_keys, parse_normal, record_keys
from syncd.core.mapping import read_item
from syncd.core.model import Abilities, Change, Record, State, Via
from syncd.core.rules import Deletes, Entity, Field, FieldMap, Group, Match, Member, Rules, Truth
from syncd.core.space import Key, Link, Space, Thing
from syncd.core.values import parse_type
from syncd.ledger import keys, records
from syncd.ledger.loaded import Loaded, read_records
from syncd.ledger.schema import Database
from tests.ledger.builders import NOW, SECOND

BOTH = ("erp", "shop")
TRUTHS = {
    "sku": ("string", Truth("owner", ("erp",))),
    "name": ("string", Truth("newest", BOTH)),
    "tags": ("set(string)", Truth("union", BOTH)),
    "stock": ("integer", Truth("delta", BOTH)),
    "top": ("integer", Truth("max", BOTH)),
    "street": ("string", None),
    "city": ("string", None),
}


def made(name: str, kind: str, truth: Truth | None) -> Field:
    maps = {platform: FieldMap(name, (name,)) for platform in BOTH}
    group = None if truth else "address"
    return Field(name, parse_type(kind), truth, maps, parse_equality("exact"), stray={"shop": "keep"}, group=group)


def member(platform: str) -> Member:
    able = Abilities(ordered=platform == "erp", guard=True)
    return Member(platform, "items", able, mode="enforce", create=True, unmatched="create", on_delete="delete")


def all_rules() -> Rules:
    fields = {name: made(name, kind, truth) for name, (kind, truth) in TRUTHS.items()}
    address = {"address": Group("address", ("street", "city"), Truth("owner", ("erp",)))}
    by_sku = (Match(("sku",), parse_normal(("trim",)), text="sku"),)
    deletes = Deletes("erp", elsewhere="review")
    members = {platform: member(platform) for platform in BOTH}
    return Rules("4f1c9e2", {"product": Entity("product", "sku", fields, members, by_sku, address, deletes)})


RULES = all_rules()
words = st.none() | st.sampled_from(["a", "b", " a ", "c"])
items = st.fixed_dictionaries(
    {"sku": st.sampled_from(["A", "B", "C"])},
    optional={
        "name": words,
        "tags": st.none() | st.lists(st.sampled_from("xyz"), max_size=3),
        "stock": st.none() | st.integers(0, 9) | st.just("many"),
        "top": st.integers(0, 9),
        "street": words,
        "city": words,
    },
)
looks = st.tuples(
    st.sampled_from(BOTH),
    st.sampled_from("123"),
    st.sampled_from([Via.READ, Via.READ, Via.EVENT]),
    items,
    st.sampled_from(["", "", "", "", "gone", "left"]),
    st.integers(1, 5),
)


def changes_of(batches: Sequence[Sequence[tuple[Any, ...]]]) -> list[list[Change]]:
    """The looks as changes, each a request of its own, a second apart."""
    ticks = count(1)

    def change(platform: str, native: str, via: Via, item: Any, fate: str, version: int) -> Change:
        tick = next(ticks)
        at = NOW + tick * SECOND
        known = {"version": version} if platform == "erp" else {"changed_at": at - version * SECOND}
        there = None if fate else item
        return Change(platform, "items", native, via, tick * 10, at, there, fate == "gone", fate == "left", **known)

    return [[change(*look) for look in batch] for batch in batches]


class Memory:
    """A decider whose records never leave memory."""

    def __init__(self) -> None:
        self.space = Space(RULES, NOW, counter())

    def decide(self, batch: Sequence[Change], now: int) -> list[Said]:
        entity = RULES.entities["product"]
        self.space.now = now
        self.space.keys = {}
        for record in self.space.records.values():
            for key in record_keys(entity, record):
                self.space.keys.setdefault(key, set()).add(record.id)
        return [observe(self.space, change) for change in batch]


class Ledger:
    """A decider that reads and stores every batch."""

    def __init__(self, db: Database) -> None:
        self.db, self.number = db, counter()

    def decide(self, batch: Sequence[Change], now: int) -> list[Said]:
        space = Space(RULES, now, self.number)
        loaded = records.load(self.db, space, things={thing(c) for c in batch}, matches={k for c in batch for k in keys_in(c)})
        said = [observe(space, change) for change in batch]
        records.commit(self.db, space, loaded)
        return said


def counter() -> Callable[[], int]:
    numbers = count(1_000_000)
    return lambda: next(numbers)


def thing(change: Change) -> Thing:
    return change.platform, change.collection, change.id


def keys_in(change: Change) -> list[Key]:
    entity = RULES.entities["product"]
    readings = read_item(entity, change.platform, change.item or {})
    values = {name: r.value for name, r in readings.items() if r.state is State.VALUE}
    return [key for _, key in match_keys(entity, values) if key is not None]


def without_ids(found: dict[int, Record]) -> dict[int, Record]:
    """Records with conflicts that have no id and no age: only the ledger gives them one, and keeps it if one comes back."""
    copies = deepcopy(found)
    for record in copies.values():
        for conflict in record.conflicts.values():
            conflict.id, conflict.opened_at = None, 0
    return copies


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.lists(looks, min_size=1, max_size=4), max_size=8))
def test_the_ledger_forgets_nothing_that_the_decider_needs(db: Database, batches: list[list[tuple[Any, ...]]]) -> None:
    memory, ledger = Memory(), Ledger(db)
    db.execute("BEGIN")
    try:
        for turn, batch in enumerate(changes_of(batches), start=1):
            now = NOW + turn * 100 * SECOND
            assert ledger.decide(batch, now) == memory.decide(batch, now)
            ids = [row[0] for row in db.execute("SELECT id FROM record")]
            assert without_ids(read_records(db, ids, Loaded())) == without_ids(memory.space.records)
            links = {(p, c, i): Link(r, life, why) for p, c, i, r, life, why in db.execute(LINKS)}
            assert links == memory.space.links
            assert {row[:3] for row in keys.stored(db, set(ids))} == {
                k for r in memory.space.records.values() for k in own_keys(r)
            }
    finally:
        db.execute("ROLLBACK")


LINKS = "SELECT platform, collection, id, record, life, evidence FROM link"


def own_keys(record: Record) -> set[Key]:
    return record_keys(RULES.entities["product"], record)
