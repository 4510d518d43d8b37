"""What Sanity says by itself: scans and queries by date, with drafts kept apart."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from syncd.connectors import wire
from syncd.connectors.protocol import Batch
from syncd.core.model import Change
from syncd.errors import PermanentError, TransientError
from tests.connectors.contract import changed, done, scanned, update
from tests.connectors.sanity_world import SanityWorld, world_of
from tests.emulators.sanity.dataset import Document

LOADED = "2026-01-01T00:00:00Z"


def mug(number: int, **more: Any) -> Document:
    """Return a product."""
    return {"_id": f"mug-{number:03d}", "_type": "product", "sku": f"S-{number}", "name": f"Mug {number}", **more}


@pytest.fixture
async def world() -> AsyncIterator[SanityWorld]:
    async with world_of() as made:
        yield made


async def one(world: SanityWorld, native_id: str) -> Change:
    """Return what a thing is now."""
    [found] = await world.connector.read("things", [native_id])
    return found


async def collect(world: SanityWorld, got: list[Batch]) -> None:
    """Put the batches of a feed into a list, which has those before a failure."""
    async for batch in world.connector.changes("things", None):
        got.append(batch)


async def test_a_scan_pages_by_id_and_never_by_offset(world: SanityWorld) -> None:
    await world.lake.load([mug(n) for n in range(8)])
    assert len(await scanned(world)) == 8
    asked = [found.body for found in world.lake.requests if found.what == "query"]
    assert [body["params"]["after"] for body in asked] == ["", "mug-002", "mug-005", ""]
    assert all("[0...3]" in body["query"] for body in asked)
    assert {found.query["perspective"] for found in world.lake.requests} == {"raw"}


async def test_what_is_deleted_while_we_page_hides_nothing(world: SanityWorld) -> None:
    await world.lake.load([mug(n) for n in range(9)])
    seen: list[str] = []
    async for page in world.connector.scan("things"):
        if not seen:
            await world.lake.remove("mug-000")
        seen += [change.id for change in page.changes]
    assert seen == [f"mug-{n:03d}" for n in range(9)]


async def test_drafts_are_kept_apart(world: SanityWorld) -> None:
    await world.lake.load([
        *(mug(1), mug(1, _id="drafts.mug-001", name="half written"), mug(2, _id="drafts.mug-002")),
        *(mug(3, _id="versions.spring.mug-001", name="of a release"), mug(4, _id="versions.spring.mug-004")),
    ])  # fmt: skip
    found = await scanned(world)
    assert {key: (change.gone, (change.item or {})["name"]) for key, change in found.items()} == {
        "mug-001": (False, "Mug 1"),
        "mug-002": (True, "Mug 2"),
    }
    assert [(found[key].item or {})["_published"] for key in sorted(found)] == [True, False]
    looks = await world.connector.read("things", ["mug-001", "mug-002", "mug-004"])
    assert [(look.gone, look.item is None) for look in looks] == [(False, False), (True, False), (True, True)]
    assert {look.id for look in (await changed(world, None))[0]} == {"mug-001", "mug-002"}
    assert [look.id for look in await world.connector.find("things", "sku", "S-1")] == ["mug-001"]
    assert [look.gone for look in await world.connector.find("things", "sku", "S-2")] == [True]


async def test_ids_with_dots_are_things_like_any_other(world: SanityWorld) -> None:
    """They are hidden from the public, not from a token; what a release holds of them is none."""
    dotted = {"_id": "shop.eu.mug", "_type": "product", "sku": "S-9", "name": "Mug"}
    await world.lake.load([dotted, dotted | {"_id": "drafts.shop.eu.mug"}, dotted | {"_id": "versions.r1.shop.eu.mug"}])
    assert list(await scanned(world)) == ["shop.eu.mug"]
    assert [look.id for look in (await changed(world, None))[0]] == ["shop.eu.mug"]
    assert [look.id for look in await world.connector.find("things", "sku", "S-9")] == ["shop.eu.mug"]
    await done(world, await update(world, "shop.eu.mug", {"name": "Cup"}))
    assert world.lake.documents["shop.eu.mug"]["name"] == "Cup"


async def test_without_the_marker_drafts_say_nothing_at_all() -> None:
    async with world_of(collection={"deleted": None}) as world:
        await world.lake.load([mug(1), mug(2, _id="drafts.mug-002")])
        assert set(await scanned(world)) == {"mug-001"}
        assert (await one(world, "mug-002")).item is None
        assert [change.id for change in (await changed(world, None))[0]] == ["mug-001"]


async def test_what_leaves_the_scope_has_left_and_is_not_deleted() -> None:
    async with world_of(collection={"filter": "stock > 0"}) as world:
        await world.lake.put(mug(1, stock=1))
        _, cursor = await changed(world, None)
        await world.lake.patch("mug-001", set={"stock": 0})
        [look] = (await changed(world, cursor))[0]
        assert (look.left, look.gone, look.item) == (True, False, None)
        assert (await one(world, "mug-001")).left
        assert await scanned(world) == {}


async def test_another_type_is_no_thing_here(world: SanityWorld) -> None:
    await world.lake.put({"_id": "acme", "_type": "brand", "sku": "S-1"})
    assert (await one(world, "acme")).gone
    assert await world.connector.find("things", "sku", "S-1") == []


async def test_a_key_may_be_a_number_there(world: SanityWorld) -> None:
    await world.lake.load([mug(1, sku=4711), mug(2, sku="4712"), mug(3, sku="04711")])
    assert [look.id for look in await world.connector.find("things", "sku", "4711")] == ["mug-001"]
    assert [look.id for look in await world.connector.find("things", "sku", 4712)] == ["mug-002"]


# ---- by date


async def test_many_documents_of_one_moment_are_all_seen(world: SanityWorld) -> None:
    await world.lake.load([mug(n, _updatedAt=LOADED) for n in range(10)])
    found, cursor = await changed(world, None)
    assert sorted(change.id for change in found) == [f"mug-{n:03d}" for n in range(10)]
    assert cursor == LOADED


async def test_times_of_any_precision_are_in_order(world: SanityWorld) -> None:
    times = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.250Z", "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:01Z"]
    await world.lake.load([mug(n, _updatedAt=at) for n, at in enumerate(times)])
    for start in times:
        found, cursor = await changed(world, start)
        assert len(found) == 4
        assert cursor == "2026-01-01T00:00:01Z"


async def test_a_first_load_that_was_cut_goes_on_where_it_was(world: SanityWorld) -> None:
    await world.lake.load([mug(n, _updatedAt=f"2026-01-01T{n:02d}:00:00Z") for n in range(12)])
    world.lake.faults.answer(500, chosen=lambda asked: asked.what == "query" and asked.body["params"]["past"] == "mug-005")
    got: list[Batch] = []
    with pytest.raises(TransientError):
        await collect(world, got)
    assert got[-1].cursor == "2026-01-01T05:00:00Z mug-005"
    rest, cursor = await changed(world, got[-1].cursor)
    assert [change.id for change in rest] == [f"mug-{n:03d}" for n in range(6, 12)]
    assert cursor == "2026-01-01T11:00:00Z"


async def test_a_first_load_of_one_moment_that_was_cut_goes_on_behind_its_last_page(world: SanityWorld) -> None:
    """As after an import: very many documents have one and the same time."""
    await world.lake.load([mug(n, _updatedAt="2025-01-01T00:00:00Z") for n in range(10)])
    feed = world.connector.changes("things", None)
    first = await anext(feed)
    await feed.aclose()  # type: ignore[attr-defined]
    looks, cursor = await changed(world, first.cursor)
    assert [look.id for look in (*first.changes, *looks)] == [f"mug-{n:03d}" for n in range(10)]
    assert cursor == "2025-01-01T00:00:00Z"


async def test_a_time_of_the_future_does_not_move_the_cursor(world: SanityWorld) -> None:
    await world.lake.load([mug(1, _updatedAt=LOADED), mug(2, _updatedAt="2099-01-01T00:00:00Z")])
    found, cursor = await changed(world, None)
    assert len(found) == 2
    assert cursor == LOADED


async def test_unpublishing_is_found_by_date(world: SanityWorld) -> None:
    await world.lake.put(mug(1))
    _, cursor = await changed(world, None)
    await world.lake.edit([{"create": mug(1, _id="drafts.mug-001")}, {"delete": {"id": "mug-001"}}])
    found, _ = await changed(world, cursor)
    assert [(change.id, change.gone) for change in found] == [("mug-001", True)]


# ---- large, slow, wrong


async def test_documents_of_10_mb_are_read_few_at_a_time() -> None:
    async with world_of(collection={"page": 500}, connection={"timeout": "60s"}) as world:
        await world.lake.load([mug(n, name="x" * 10_000_000) for n in range(8)])
        found = await scanned(world)
        assert [len((change.item or {})["name"]) for change in found.values()] == [10_000_000] * 8
        looks = await world.connector.read("things", sorted(found))
        assert len(looks) == 8


async def test_a_document_that_is_more_than_an_answer_holds_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LARGEST", 100_000)
    async with world_of(collection={"page": 500}) as world:
        await world.lake.load([mug(n, name="x" * 30_000) for n in range(9)])
        assert len((await changed(world, None))[0]) == 9
        assert len(await world.connector.read("things", [f"mug-{n:03d}" for n in range(9)])) == 9
        await world.lake.load([mug(10, name="x" * 200_000)])
        for asking in (scanned(world), changed(world, None), world.connector.read("things", ["mug-010"])):
            with pytest.raises(TransientError, match="more than"):
                await asking


async def test_an_order_that_is_none_is_no_evidence(world: SanityWorld) -> None:
    await world.lake.load([mug(1)])
    body = {"result": [{"_id": one, "_in_scope": True} for one in ("b", "a", "c")]}
    world.lake.faults.answer(200, body=body)
    with pytest.raises(TransientError, match="order of their ids"):
        await scanned(world)
    world.lake.faults.answer(200, body={"result": None})
    with pytest.raises(TransientError, match="no list"):
        await scanned(world)


async def test_a_broken_document_does_not_stop_its_neighbours(world: SanityWorld) -> None:
    body = b'{"result": [{"_id": "a", "_in_scope": true, "name": "\\ud800"}, {"_id": "b", "_in_scope": true, "name": "x"}]}'
    world.lake.faults.answer(200, body=body)
    pages = [page async for page in world.connector.scan("things")]
    assert [change.id for page in pages for change in page.changes] == ["b"]
    assert [broken.id for page in pages for broken in page.broken] == ["a"]
    world.lake.faults.answer(200, body=body)
    with pytest.raises(PermanentError, match="lone surrogate"):
        await world.connector.read("things", ["a", "b"])
    world.lake.faults.answer(200, body=body)
    with pytest.raises(TransientError, match="a look-up is no proof"):
        await world.connector.find("things", "sku", "S-1")
    for twice in (b'{"_id": "a", "_type": "product", "x": 1, "x": 2}', b"5"):
        world.lake.faults.answer(200, body=b'{"result": [' + twice + b"]}")
        with pytest.raises((PermanentError, TransientError), match=r"twice|without an _id"):
            await world.connector.read("things", ["a"])


async def test_a_filter_that_is_none_and_a_dataset_that_is_none_say_so() -> None:
    async with world_of(collection={"filter": "price >"}) as world:
        with pytest.raises(PermanentError, match=r"answered 400: .*query"):
            await scanned(world)
    async with world_of(connection={"dataset": "nowhere"}) as world:
        with pytest.raises(PermanentError, match="Dataset not found"):
            await scanned(world)


async def test_reads_wait_a_short_while_when_they_are_too_many(world: SanityWorld) -> None:
    await world.lake.load([mug(1)])
    world.lake.faults.throttle(2, seconds=0)
    assert len(await scanned(world)) == 1
    world.lake.faults.throttle(1, seconds=900)
    with pytest.raises(TransientError) as caught:
        await scanned(world)
    assert caught.value.retry_after == 900


async def test_a_second_that_is_used_up_is_waited_for() -> None:
    async with world_of() as world:
        await world.lake.load([mug(n) for n in range(30)])
        world.lake.limit = 4
        assert len(await scanned(world)) == 30
        assert all(asked.status == 200 for asked in world.lake.requests)


async def test_an_expired_token_is_the_logins_trouble(world: SanityWorld) -> None:
    world.lake.faults.expired.add("editor-token")
    with pytest.raises(TransientError, match=r"login: .*401"):
        await scanned(world)
    world.lake.faults.expired.clear()
    assert await scanned(world) == {}
