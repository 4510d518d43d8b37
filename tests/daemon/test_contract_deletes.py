"""The contract on deletions: from whom they count, when they are believed, and what they do elsewhere."""

import sqlite3
from dataclasses import replace
from typing import Any

import pytest

from syncd.connectors.memory import MemoryKind
from syncd.core.model import SECOND, Abilities, Change, Via, Write
from syncd.daemon import clock
from syncd.daemon.once import Work
from syncd.daemon.reconcile import drain
from syncd.errors import PermanentError
from syncd.ledger import conflicts, inbox, letters, proposals
from tests.daemon.test_actions import do, read
from tests.daemon.test_contract_identity import push
from tests.daemon.world import PRODUCT, World, memory

HOUR = 3600 * SECOND


class Clock:
    """A clock that can be put forward."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return clock.now() + self.ahead


def rules(
    *, authority: str = "erp", then: str = "delete", sweeps: int = 1, wait: str = "0s", elsewhere: str = "restore"
) -> str:
    confirm = f"confirm: {{sweeps: {sweeps}, wait: {wait}}}"
    deletes = f"authority: {authority}, then: {{shop: {then}}}, {confirm}, elsewhere: {elsewhere}"
    return PRODUCT[: PRODUCT.index("deletes:")] + f"deletes: {{{deletes}}}\n"


MARK = "deleted: {field: state, is: gone}"
MARKED = memory("shop", collection="products").replace("version: version}", f"version: version, {MARK}}}")


async def stocked(world: World, product: str, count: int = 8, shop: str = "") -> None:
    world.shop_and_erp(product=product)
    if shop:
        world.write("platforms/shop.yaml", shop)
    for number in range(1, count + 1):
        world.put("erp", str(number), sku=f"MUG-{number}", name=f"Mug {number}", price="12.00", stock=3)
    await world.once()
    assert len(world.items("shop")) == count


def remove(world: World, platform: str, sku: str) -> None:
    [(collection, things)] = world.platform(platform).things.items()
    world.platform(platform).remove(collection, next(one for one, thing in things.items() if thing.item["sku"] == sku))


async def life(world: World) -> list[tuple[str, str]]:
    def lives(db: Any) -> Any:
        return db.execute("SELECT key, life FROM record ORDER BY key").fetchall()

    found: list[tuple[str, str]] = await read(world, lives)
    return found


# ---- when it is believed


async def test_it_must_be_missing_so_often_and_so_long(world: World) -> None:
    world.now = Clock()
    await stocked(world, rules(sweeps=2, wait="1h"))
    remove(world, "erp", "MUG-1")
    for _ in range(3):
        await world.once()
    assert "MUG-1" in world.items("shop"), "often enough, but not for an hour"
    world.now.ahead = 2 * HOUR
    await world.once()
    await world.once()
    assert "MUG-1" not in world.items("shop")
    assert len(world.items("shop")) == 7


async def test_one_sweep_is_not_two_however_long_ago(world: World) -> None:
    world.now = Clock()
    await stocked(world, rules(sweeps=2, wait="1h"))
    remove(world, "erp", "MUG-1")
    world.now.ahead = 2 * HOUR
    await world.once()
    assert "MUG-1" in world.items("shop")


async def test_what_shows_up_again_starts_afresh(world: World) -> None:
    await stocked(world, rules(sweeps=2))
    things = world.platform("erp").things["items"]
    kept = things.pop("1")  # a list that left it out, and nobody said that it is gone
    await world.once()
    things["1"] = kept
    await world.once()
    things.pop("1")
    await world.once()
    assert "MUG-1" in world.items("shop")
    things["1"] = kept
    await world.once()
    assert ("MUG-1", "alive") in await life(world)


async def test_what_is_made_again_under_a_new_id_is_not_deleted_elsewhere(world: World) -> None:
    await stocked(world, rules())
    remove(world, "erp", "MUG-1")
    world.put("erp", "77", sku="MUG-1", name="Mug again", price="12.00", stock=3)
    await world.once()
    await world.once()
    assert world.items("shop")["MUG-1"]["title"] == "Mug again"
    assert len(world.platform("shop").things["products"]) == 8


# ---- from whom


@pytest.mark.parametrize("then", ["delete", "archive"])
async def test_where_nothing_guards_the_deletion_the_row_is_read_and_the_authority_asked(world: World, then: str) -> None:
    """Both are proofs that one deletion needs: they must be had in the same breath."""
    world.kind = MemoryKind(Abilities(answers=True))
    await stocked(world, rules(then=then), shop=MARKED.replace("version: version, ", "") if then == "archive" else "")
    remove(world, "erp", "MUG-2")
    await world.once()
    await world.once()
    found = world.items("shop").get("MUG-2")
    assert (found is None) if then == "delete" else (found["state"] == "gone")


@pytest.mark.parametrize("authority", ["manual", "erp", "any"])
async def test_only_the_authority_decides(world: World, authority: str) -> None:
    await stocked(world, rules(authority=authority, elsewhere="ignore"))
    remove(world, "shop", "MUG-1")
    remove(world, "erp", "MUG-2")
    await world.once()
    await world.once()
    ended = {key for key, how in await life(world) if how == "gone"}
    assert ended == {"manual": set(), "erp": {"MUG-2"}, "any": {"MUG-1", "MUG-2"}}[authority]
    assert ("MUG-2" in world.items("shop")) == (authority == "manual")
    assert "MUG-1" in world.items("erp"), "then says what happens where, and says nothing of the erp"


@pytest.mark.parametrize(("elsewhere", "there", "asked"), [("restore", True, 0), ("ignore", False, 0), ("review", False, 1)])
async def test_deleted_where_that_does_not_count(world: World, elsewhere: str, there: bool, asked: int) -> None:
    await stocked(world, rules(elsewhere=elsewhere))
    remove(world, "shop", "MUG-1")
    for _ in range(3):
        await world.once()
    assert ("MUG-1" in world.items("shop")) == there
    found = await read(world, conflicts.standing)
    assert [(one.kind, one.key) for one in found] == [("delete", "MUG-1")] * asked
    if asked:
        await do(world, do="resolve", conflict=found[0].id, take="shop")
        await world.once()
        assert ("MUG-1", "gone") in await life(world)


# ---- what it does


async def test_archive_writes_the_mark_and_the_link_stays(world: World) -> None:
    await stocked(world, rules(then="archive"), shop=MARKED)
    remove(world, "erp", "MUG-1")
    await world.once()
    await world.once()
    assert world.items("shop")["MUG-1"]["state"] == "gone"
    before = world.requests("shop")
    await world.once()
    assert world.requests("shop") == before, "what we archived is not deleted elsewhere, and not made again"
    assert len(world.platform("shop").things["products"]) == 8


@pytest.mark.parametrize("then", ["ignore", "clear_link"])
async def test_ignore_and_clear_link_leave_the_thing_alone(world: World, then: str) -> None:
    await stocked(world, rules(then=then))
    remove(world, "erp", "MUG-1")
    await world.once()
    world.put("shop", "1", title="Mine now")
    before = world.requests("shop")
    for _ in range(3):
        await world.once()
    assert world.items("shop")["MUG-1"]["title"] == "Mine now"
    assert world.requests("shop") == before
    assert ("MUG-1", "gone") in await life(world)

    def link(db: Any) -> Any:
        return db.execute("SELECT record FROM link WHERE platform = 'shop' AND id = '1'").fetchone()

    (record,) = await read(world, link)
    assert (record is None) == (then == "clear_link")
    assert await read(world, conflicts.standing) == []


async def test_what_comes_back_takes_up_a_cleared_link(world: World) -> None:
    await stocked(world, rules(then="clear_link"))
    remove(world, "erp", "MUG-1")
    await world.once()
    await world.once()
    world.put("erp", "99", sku="MUG-1", name="Mug is back", price="12.00", stock=3)
    await world.once()
    await world.once()
    assert world.items("shop")["MUG-1"]["title"] == "Mug is back"
    assert len(world.platform("shop").things["products"]) == 8


async def test_what_is_archived_where_that_does_not_count_comes_back_if_a_field_carries_the_mark(world: World) -> None:
    await stocked(world, rules(), shop=MARKED)
    world.put("shop", "1", state="gone")
    await world.once()
    await world.once()
    [row] = (await do(world, do="reconcile"))["report"]["rows"]
    assert (row["why"], row["action"], row["reason"]) == (
        "missing",
        None,
        "archived there: no mapped field carries the mark, and what stood there before is not known",
    )
    states = "shop: {path: state, read: [{table: {gone: old, here: new}}], write: [{table: {old: gone, new: here}}]}"
    field = f"  state: {{type: string, truth: erp, map: {{erp: state, {states}}}}}\n"
    world.write("entities/product.yaml", rules().replace("deletes:", field + "deletes:"))
    world.put("erp", "1", state="new")
    await world.once()
    await world.once()
    assert world.items("shop")["MUG-1"]["state"] == "here"
    assert (await do(world, do="reconcile"))["report"]["rows"] == []


async def test_a_deletion_obeys_the_mode(world: World) -> None:
    await stocked(world, rules())
    world.write("platforms/shop.yaml", memory("shop", mode="observe", collection="products"))
    remove(world, "erp", "MUG-1")
    await world.once()
    await world.once()
    assert "MUG-1" in world.items("shop")


async def test_editing_a_filter_deletes_nothing(world: World) -> None:
    """An erp in SQLite whose ``where`` is narrowed: rows leave the scope, nothing is deleted."""
    world.shop_and_erp(product=rules().replace("erp: {collection: items, create: true}", "erp: {collection: items}"))
    erp = f"""
        platform: erp
        connector: sql
        mode: enforce
        connection: {{dsn: "sqlite:///{world.folder}/erp.db"}}
        collections:
          items: {{table: products, id: id, where: "%s"}}
    """
    db = sqlite3.connect(world.folder / "erp.db")
    db.execute("CREATE TABLE products (id INTEGER PRIMARY KEY, sku TEXT, name TEXT, price TEXT, stock INTEGER, live INTEGER)")
    db.executemany("INSERT INTO products VALUES (?, ?, 'Mug', '12.00', 3, ?)", [(n, f"MUG-{n}", n > 2) for n in range(1, 11)])
    db.commit()
    world.write("platforms/erp.yaml", erp % "1 = 1")
    await world.once()
    assert len(world.items("shop")) == 10
    world.write("platforms/erp.yaml", erp % "live = 1")
    for _ in range(3):
        await world.once()
    assert len(world.items("shop")) == 10
    assert {how for _, how in await life(world)} == {"alive"}
    db.execute("DELETE FROM products WHERE id = 9")
    db.commit()
    for _ in range(3):
        await world.once()
    assert len(world.items("shop")) == 9, "but a deletion within the scope is one"
    db.close()


async def test_an_event_from_the_authority_is_read_again_first(world: World) -> None:
    await stocked(world, rules())
    kept = world.platform("erp").things["items"]["1"]
    remove(world, "erp", "MUG-1")
    world.platform("erp").things["items"]["1"] = kept  # said to be gone, and there all the same
    remove(world, "erp", "MUG-2")
    async with world.runtime() as runtime:
        await push(runtime, "erp", "items")
        work = Work(runtime)
        await work.begin()
        await work.settle_down()
    assert "MUG-1" in world.items("shop")
    assert "MUG-2" not in world.items("shop"), "a proved deletion needs no sweep"



async def test_an_archived_row_comes_back_as_it_was_before(world: World) -> None:
    await stocked(world, rules(), shop=MARKED)
    [one] = [n for n, thing in world.platform("shop").things["products"].items() if thing.item["sku"] == "MUG-1"]
    world.put("shop", one, state="shown")
    await world.once()
    world.put("shop", one, state="gone")
    await world.once()
    await world.once()
    assert world.items("shop")["MUG-1"]["state"] == "shown"
    assert (await do(world, do="reconcile"))["report"]["rows"] == []


async def test_what_we_archived_comes_back_with_its_record(world: World) -> None:
    await stocked(world, rules(then="archive"), shop=MARKED)
    [one] = [n for n, thing in world.platform("shop").things["products"].items() if thing.item["sku"] == "MUG-1"]
    world.put("shop", one, state="shown")
    await world.once()
    remove(world, "erp", "MUG-1")
    await world.once()
    await world.once()
    assert world.items("shop")["MUG-1"]["state"] == "gone"
    world.put("erp", "99", sku="MUG-1", name="Mug is back", price="12.00", stock=3)
    for _ in range(3):
        await world.once()
    assert (world.items("shop")["MUG-1"]["state"], world.items("shop")["MUG-1"]["title"]) == ("shown", "Mug is back")
    assert len(world.platform("shop").things["products"]) == 8


@pytest.mark.parametrize("then", ["ignore", "clear_link"])
async def test_what_the_rules_leave_alone_is_no_drift(world: World, then: str) -> None:
    await stocked(world, rules(then=then))
    remove(world, "erp", "MUG-1")
    await world.once()
    await world.once()
    assert (await do(world, do="reconcile"))["report"]["rows"] == []


# ---- a person decides


@pytest.mark.parametrize(("word", "there"), [({"take": "erp"}, False), ({"keep": True}, True)])
async def test_manual_a_person_decides(world: World, word: dict[str, Any], there: bool) -> None:
    await stocked(world, rules(authority="manual", elsewhere="review"))
    remove(world, "erp", "MUG-1")
    await world.once()
    [asked] = await read(world, conflicts.standing)
    assert (asked.kind, asked.key, asked.why) == ("delete", "MUG-1", "deleted in erp, which may not decide that")
    assert "MUG-1" in world.items("shop")
    answer = await do(world, do="resolve", conflict=asked.id, **word)
    assert answer["ok"], answer
    for _ in range(2):
        await world.once()
    assert ("MUG-1" in world.items("shop")) == there
    assert await read(world, conflicts.standing) == []


# ---- a deletion and an edit at once


async def test_the_authoritys_deletion_wins_over_a_followers_edit(world: World) -> None:
    await stocked(world, rules())
    remove(world, "erp", "MUG-1")
    [one] = [n for n, thing in world.platform("shop").things["products"].items() if thing.item["sku"] == "MUG-1"]
    world.put("shop", one, title="Edited")
    for _ in range(2):
        await world.once()
    assert "MUG-1" not in world.items("shop")
    assert ("MUG-1", "gone") in await life(world)


@pytest.mark.parametrize(("elsewhere", "there"), [("restore", True), ("ignore", False), ("review", False)])
async def test_a_followers_deletion_against_the_authoritys_edit_is_for_elsewhere(
    world: World, elsewhere: str, there: bool
) -> None:
    await stocked(world, rules(elsewhere=elsewhere))
    remove(world, "shop", "MUG-1")
    world.put("erp", "1", name="Edited")
    for _ in range(3):
        await world.once()
    assert ("MUG-1", "alive") in await life(world)
    assert world.items("shop").get("MUG-1", {}).get("title") == ("Edited" if there else None)
    assert [one.kind for one in await read(world, conflicts.standing)] == (["delete"] if elsewhere == "review" else [])


# ---- what is over stays over


async def test_neither_a_stale_event_nor_a_late_page_brings_it_back(world: World) -> None:
    await stocked(world, rules())
    things = world.platform("erp").things["items"]
    kept = things["1"]
    late = Change("erp", "items", "1", Via.READ, 1, 0, dict(kept.item), version=kept.version)
    stale = replace(late, via=Via.EVENT, as_of=10**9, event_id="again")
    remove(world, "erp", "MUG-1")
    await world.once()
    await world.once()
    assert "MUG-1" not in world.items("shop")
    async with world.runtime() as runtime:
        for change in (late, stale):
            await runtime.store.write(inbox.add, "erp", "items", [change], now=runtime.now())
        await drain(runtime)
        work = Work(runtime)
        await work.begin()
        await work.settle_down()
    assert "MUG-1" not in world.items("shop")
    assert ("MUG-1", "gone") in await life(world)
    world.put("erp", "1", sku="MUG-1", name="Mug again", price="12.00", stock=3)
    for _ in range(2):
        await world.once()
    assert world.items("shop")["MUG-1"]["title"] == "Mug again", "but a true re-creation does"


# ---- what a person does not want


async def test_a_rejected_create_is_no_proposed_action(world: World) -> None:
    await stocked(world, rules(), count=2)
    world.write("platforms/shop.yaml", memory("shop", mode="propose", collection="products"))
    world.put("erp", "9", sku="NEW", name="New", price="1.00", stock=1)
    await world.once()
    [change] = await read(world, proposals.in_state, "open")
    [row] = (await do(world, do="reconcile"))["report"]["rows"]
    assert (row["why"], row["reason"]) == ("held", "proposed: waits for approval") or row["why"] == "held"
    await do(world, do="reject", ids=[change.id], note="not in the shop")
    await world.once()
    [row] = (await do(world, do="reconcile"))["report"]["rows"]
    assert (row["why"], row["action"], row["reason"]) == ("missing", None, f"its change ch-{change.id} was rejected")


async def test_a_discarded_create_is_no_proposed_action(world: World) -> None:
    await stocked(world, rules(), count=2)
    world.put("erp", "9", sku="NEW", name="New", price="1.00", stock=1)

    def refuse(write: Write) -> None:
        raise PermanentError("too new", status=422)

    world.platform("shop").before = refuse
    await world.once()
    [letter] = await read(world, letters.in_state)
    await do(world, do="discard", letters=[letter.id], note="leave it")
    world.platform("shop").before = None
    await world.once()
    [row] = (await do(world, do="reconcile"))["report"]["rows"]
    assert (row["why"], row["action"], row["reason"]) == ("missing", None, f"its letter d-{letter.id} was discarded")
