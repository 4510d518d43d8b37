"""Writes to Sanity: one transaction each, known by its id, guarded by the revision, never in the way of a draft."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from syncd.core.model import Answer, Change, Op, Receipt, Write
from syncd.errors import ConnectorError, OutcomeUnknown, PermanentError, StaleWrite, TransientError
from tests.connectors.contract import creation, done, update
from tests.connectors.sanity_world import SanityWorld, world_of
from tests.emulators.sanity import Lake
from tests.emulators.sanity.dataset import Document

MUG = {"_id": "mug", "_type": "product", "sku": "S-1", "name": "Mug", "price": Decimal("12.50"), "stock": 3}


@pytest.fixture
async def world() -> AsyncIterator[SanityWorld]:
    async with world_of() as made:
        yield made


async def outcome(world: SanityWorld, write: Write) -> Receipt | ConnectorError:
    """Return what became of one write."""
    [found] = await world.connector.apply([write])
    return found


async def look(world: SanityWorld, native_id: str) -> Change:
    """Return what a thing is now."""
    [found] = await world.connector.read("things", [native_id])
    return found


def held(world: SanityWorld, native_id: str) -> Document:
    """Return what the dataset holds."""
    return world.lake.documents[native_id]


async def test_the_key_of_a_write_is_the_id_of_its_transaction_and_known_again(world: SanityWorld) -> None:
    receipt = await done(world, creation(world, world.item("S-1"), key="e1-7"))
    assert receipt.look is not None
    assert (receipt.version, receipt.look.version, receipt.look.own) == ("syncd-e1-7", "syncd-e1-7", "e1-7")
    assert (await look(world, receipt.id or "")).own == "e1-7"
    await world.put({"name": "Theirs"}, receipt.id)
    assert (await look(world, receipt.id or "")).own is None


async def test_a_key_that_no_id_can_have_is_hashed(world: SanityWorld) -> None:
    receipt = await done(world, creation(world, world.item("S-1"), key="a b/ä"))
    assert receipt.look is not None
    assert receipt.look.own == ""
    assert str(receipt.version).startswith("syncd_")


async def test_one_write_is_one_request_and_its_answer_shows_what_is_stored(world: SanityWorld) -> None:
    await world.lake.put(MUG)
    write = await update(world, "mug", {"name": "New"})
    world.lake.requests.clear()
    receipt = await done(world, write)
    assert receipt.atomic
    [asked] = world.lake.requests
    assert asked.query["visibility"] == "sync"
    assert asked.body == {"mutations": [{"patch": {"id": "mug", "ifRevisionID": write.version, "set": {"name": "New"}}}]}


async def test_a_write_whose_answer_was_lost_is_found_done_when_it_is_sent_again(world: SanityWorld) -> None:
    await world.lake.put(MUG)
    write = await update(world, "mug", {"name": "Ours"}, key="e1-8")
    world.lake.faults.mute = 1
    assert isinstance(await outcome(world, write), OutcomeUnknown)
    again = await done(world, write)
    assert (again.version, again.atomic) == ("syncd-e1-8", False)
    await world.put({"name": "Theirs"}, "mug")
    later = await done(world, write)  # found in the history: somebody else's edit is not written over
    assert later.look is not None
    assert (later.look.version == later.version, held(world, "mug")["name"]) == (False, "Theirs")
    assert len(world.lake.data.transactions) == 3


async def test_a_create_or_delete_is_found_done_as_well(world: SanityWorld) -> None:
    write = creation(world, world.item("S-1"), key="e1-1")
    world.lake.faults.mute = 1
    assert isinstance(await outcome(world, write), OutcomeUnknown)
    receipt = await done(world, write)
    removal = await update(world, receipt.id or "", {}, op=Op.DELETE, key="e1-2")
    world.lake.faults.mute = 1
    assert isinstance(await outcome(world, removal), OutcomeUnknown)
    assert (await done(world, removal)).id == receipt.id
    assert world.lake.documents == {}


async def test_what_never_arrived_is_written_by_the_repeat(world: SanityWorld) -> None:
    await world.lake.put(MUG)
    write = await update(world, "mug", {"name": "Ours"})
    world.lake.faults.deaf = 1
    assert isinstance(await outcome(world, write), OutcomeUnknown)
    await done(world, write)
    assert held(world, "mug")["name"] == "Ours"


async def test_an_answer_that_shows_nothing_is_read_back_if_it_can_be(world: SanityWorld) -> None:
    await world.lake.put(MUG)
    write = replace(await update(world, "mug", {"name": "Ours"}), key="")
    world.lake.faults.answer(200, chosen=lambda asked: asked.writes, body={"transactionId": "t", "results": []})
    receipt = await done(world, write)
    assert (receipt.atomic, receipt.version, receipt.look is not None) == (False, "t", True)
    world.lake.faults.answer(200, chosen=lambda asked: asked.writes, body={"transactionId": "t"})
    world.lake.faults.answer(500, chosen=lambda asked: asked.what == "query")
    assert (await done(world, write)).look is None


async def test_an_edit_since_the_look_refuses_updates_deletes_and_unpublishing(world: SanityWorld) -> None:
    await world.lake.put(MUG)
    writes = [
        await update(world, "mug", {"name": "Ours"}, key="a"),
        await update(world, "mug", {}, op=Op.DELETE, key="b"),
        await update(world, "mug", {}, op=Op.ARCHIVE, key="c"),
    ]
    await world.put({"name": "Theirs"}, "mug")
    for write in writes:
        assert isinstance(await outcome(world, write), StaleWrite)
    assert set(world.lake.documents) == {"mug"}


async def test_a_created_document_has_an_id_made_of_its_key(world: SanityWorld) -> None:
    first = await done(world, creation(world, world.item("S-1"), key="a"))
    again = await outcome(world, creation(world, world.item("S-1"), key="b"))
    assert isinstance(again, Receipt)
    assert (again.answer, again.id) == (Answer.EXISTS, first.id)
    other = await done(world, creation(world, {"name": "no key"}, key="c"))
    assert other.id not in {None, first.id}
    told = await done(world, creation(world, {"_id": "by-hand", "sku": "S-9"}, key="d"))
    assert told.id == "by-hand"
    assert held(world, "by-hand")["_type"] == "product"


async def test_a_key_that_a_document_had_once_makes_another_id(world: SanityWorld) -> None:
    first = await done(world, creation(world, world.item("S-1"), key="a"))
    await world.put({"sku": "S-2"}, first.id)
    other = await done(world, creation(world, world.item("S-1"), key="b"))
    assert {one["sku"] for one in world.lake.documents.values()} == {"S-1", "S-2"}
    assert other.id != first.id
    again = await done(world, creation(world, world.item("S-1"), key="b"))
    assert again.id == other.id


async def test_a_history_that_may_not_be_seen_leaves_the_write_stale(world: SanityWorld) -> None:
    await world.lake.put(MUG)
    write = await update(world, "mug", {"name": "Ours"}, key="a")
    world.lake.faults.answer(403, times=9, chosen=lambda asked: asked.what == "history")
    await done(world, write)
    assert (await done(world, write)).version == "syncd-a"  # it says itself that it was done
    await world.put({"name": "Theirs"}, "mug")
    assert isinstance(await outcome(world, replace(write, key="b")), StaleWrite)


async def test_an_id_that_another_type_has_is_not_adopted(world: SanityWorld) -> None:
    await world.lake.put({"_id": "taken", "_type": "brand"})
    found = await outcome(world, creation(world, {"_id": "taken", "sku": "S-9"}))
    assert isinstance(found, PermanentError)
    assert "no product" in str(found)


# ---- drafts


async def test_unpublishing_makes_the_document_a_draft_in_one_transaction(world: SanityWorld) -> None:
    await world.lake.put(MUG)
    before = await world.writes()
    receipt = await done(world, await update(world, "mug", {"_published": False}, op=Op.ARCHIVE, key="e1-1"))
    assert await world.writes() == before + 1
    assert set(world.lake.documents) == {"drafts.mug"}
    assert held(world, "drafts.mug")["price"] == Decimal("12.50")
    assert receipt.look is not None
    assert receipt.look.gone
    found = await look(world, "mug")
    assert (found.id, found.gone, found.own) == ("mug", True, "e1-1")
    assert (found.item or {})["_published"] is False


async def test_a_persons_draft_is_neither_overwritten_nor_published(world: SanityWorld) -> None:
    await world.lake.put(MUG)
    await world.lake.put(MUG | {"_id": "drafts.mug", "name": "half written"})
    await done(world, await update(world, "mug", {"name": "Ours"}, key="a"))
    await done(world, await update(world, "mug", {}, op=Op.ARCHIVE, key="b"))
    assert {one: document["name"] for one, document in world.lake.documents.items()} == {"drafts.mug": "half written"}
    found = await outcome(world, await update(world, "mug", {"_published": True}, key="c"))
    assert isinstance(found, PermanentError)
    assert "write.drafts: never" in str(found)


async def test_what_we_unpublished_can_be_published_again(world: SanityWorld) -> None:
    await world.lake.put(MUG)
    await done(world, await update(world, "mug", {}, op=Op.ARCHIVE, key="a"))
    receipt = await done(world, await update(world, "mug", {"_published": True, "name": "Back"}, key="b"))
    assert receipt.look is not None
    assert ((receipt.look.item or {})["name"], receipt.look.gone) == ("Back", False)
    assert set(world.lake.documents) == {"mug"}
    await world.lake.remove("mug")
    gone = await outcome(world, replace(await update(world, "mug", {"_published": True}, key="c"), id="mug"))
    assert getattr(gone, "answer", None) is Answer.GONE


async def test_drafts_always_are_written_along_published_and_deleted() -> None:
    async with world_of(write={"drafts": "always"}) as world:
        await world.lake.put(MUG)
        await world.lake.put(MUG | {"_id": "drafts.mug", "name": "half written", "tags": ["x"]})
        before = await world.writes()
        await done(world, await update(world, "mug", {"stock": 7}, key="a"))
        assert await world.writes() == before + 1
        assert [held(world, one)["stock"] for one in ("mug", "drafts.mug")] == [7, 7]
        assert held(world, "drafts.mug")["name"] == "half written"
        await done(world, await update(world, "mug", {}, op=Op.ARCHIVE, key="b"))
        await done(world, await update(world, "mug", {"_published": True}, key="c"))
        assert held(world, "mug")["name"] == "half written"
        await world.lake.put(MUG | {"_id": "drafts.mug"})
        await done(world, await update(world, "mug", {}, op=Op.DELETE, key="d"))
        assert world.lake.documents == {}


async def test_another_marker_is_a_field_like_any_other() -> None:
    async with world_of(collection={"deleted": {"field": "status", "is": "archived"}}) as world:
        await world.lake.put(MUG)
        await done(world, await update(world, "mug", {"status": "archived"}, op=Op.ARCHIVE))
        assert held(world, "mug")["status"] == "archived"
        assert (await look(world, "mug")).gone


# ---- whose fault

LOGIN = "Session not found"
FORBIDDEN = {"type": "insufficientPermissionsError", "description": "x"}
CASES: list[tuple[int, Any, type[ConnectorError], dict[str, Any]]] = [
    (401, {"statusCode": 401, "error": "Unauthorized", "message": LOGIN}, TransientError, {"about_record": False}),
    (402, {"statusCode": 402, "error": "Payment Required", "message": "x"}, TransientError, {"about_record": False}),
    (403, {"statusCode": 403, "error": "Forbidden", "message": "x"}, TransientError, {"about_record": False}),
    (404, {"statusCode": 404, "error": "Not Found", "message": "Dataset not found"}, TransientError, {"about_record": False}),
    (409, {"error": {"type": "transactionConflictError", "description": "x"}}, TransientError, {"about_record": True}),
    (409, {"error": {"type": "mutationError", "description": "new words"}}, PermanentError, {}),
    (400, {"error": {"type": "validationError", "description": "Malformed"}}, PermanentError, {}),
    (413, "too large", PermanentError, {}),
    (400, b"<html>", PermanentError, {}),
    (403, {"error": {"type": "mutationError", "items": [{"error": FORBIDDEN}]}}, TransientError, {"about_record": False}),
    (400, {"error": FORBIDDEN}, TransientError, {"about_record": False}),
    (429, {"statusCode": 429}, TransientError, {"about_record": False}),
    (500, "oops", TransientError, {"about_record": True}),
    (503, "", TransientError, {"about_record": False}),
    (200, "no json", TransientError, {"about_record": True}),
]


@pytest.mark.parametrize(("status", "body", "kind", "more"), CASES, ids=[f"{one[0]}-{n}" for n, one in enumerate(CASES)])
async def test_every_answer_has_a_class(
    world: SanityWorld, status: int, body: Any, kind: type[ConnectorError], more: dict[str, Any]
) -> None:
    await world.lake.put(MUG)
    write = await update(world, "mug", {"name": "x"})
    raw = body if status != 200 else b"{"  # half an answer
    world.lake.faults.answer(status, chosen=lambda asked: asked.writes, body=raw)
    found = await outcome(world, write)
    assert type(found) is kind, found
    assert all(getattr(found, name) == value for name, value in more.items())
    if status in {401, 403}:
        assert str(found).startswith("login: ")


async def test_a_token_that_may_not_write_is_the_logins_trouble(world: SanityWorld) -> None:
    await world.lake.put(MUG)
    write = await update(world, "mug", {"name": "x"})
    world.lake.roles["editor-token"] = "viewer"
    found = await outcome(world, write)
    assert isinstance(found, TransientError)
    assert (found.about_record, str(found).startswith("login: ")) == (False, True)


async def test_a_document_that_others_refer_to_is_not_deleted(world: SanityWorld) -> None:
    await world.lake.put(MUG)
    await world.lake.put({"_id": "set", "_type": "set", "of": {"_type": "reference", "_ref": "mug"}})
    found = await outcome(world, await update(world, "mug", {}, op=Op.DELETE))
    assert isinstance(found, PermanentError)
    assert 'references to it from "set"' in str(found)


async def test_a_write_that_is_too_large_is_not_sent(world: SanityWorld) -> None:
    await world.lake.put(MUG)
    write = await update(world, "mug", {"name": "x" * 10_000_000})
    before = len(world.lake.requests)
    found = await outcome(world, write)
    assert isinstance(found, PermanentError)
    assert "things mug: the write has 10,000,0" in str(found)
    assert "max_body" in str(found)
    assert len(world.lake.requests) == before


async def test_once_the_platform_fails_the_rest_is_not_sent() -> None:
    async with world_of(Lake(), limits={"concurrency": 1}) as world:
        ids = [await world.lake.put(MUG | {"_id": f"mug-{n}"}) for n in range(4)]
        writes = [await update(world, one, {"name": "x"}, key=one) for one in ids]
        world.lake.faults.answer(503, chosen=lambda asked: asked.writes)
        before = await world.writes()
        assert all(isinstance(one, TransientError) for one in await world.connector.apply(writes))
        assert await world.writes() == before + 1
