"""What a verified webhook says, and what is made of one that says nothing."""

import json
from decimal import Decimal
from typing import Any

import pytest

from syncd.connectors.protocol import Batch, Delivery
from syncd.connectors.rest import KIND, Rest
from syncd.core.model import SECOND, Via
from syncd.errors import PermanentError, TransientError
from tests.connectors.contract import setup_for
from tests.connectors.test_signature import NOW, SECRETS, standard

VERIFY = {"scheme": "standard-webhooks", "secret": "secret:one"}
PRODUCTS = {"id": "id", "changed_at": "updated_at"}


def shop(webhook: dict[str, Any] | None = None, **collections: dict[str, Any]) -> Rest:
    """Return a connector that only listens."""
    watch = {"webhook": {"path": "/hooks/shop", "verify": VERIFY} | (webhook or {})}
    setup = setup_for(KIND, watch=watch, collections=collections or {"products": PRODUCTS}, secret=SECRETS.__getitem__)
    return Rest(setup)


def delivery(body: object, **headers: str) -> Delivery:
    """Return a webhook that came in just now."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Delivery(data, standard(data) | names, arrived_at=NOW, as_of=7)


async def said(connector: Rest, body: object, **headers: str) -> Batch:
    return await connector.hook(None, delivery(body, **headers))


async def test_an_event_is_a_change_with_its_times_and_its_id() -> None:
    item = {"id": 5, "name": "Mug", "price": 12.5, "updated_at": "2026-11-20T09:00:00Z"}
    event = {"type": "product.updated", "timestamp": "2026-11-20T10:00:00Z", "data": item}
    [change] = (await said(shop(), event)).changes
    assert (change.platform, change.collection, change.id) == ("there", "products", "5")
    assert (change.via, change.as_of, change.seen_at, change.event_id) == (Via.EVENT, 7, NOW, "msg_1")
    assert change.item == item | {"price": Decimal("12.5")}
    assert change.changed_at == 1_795_165_200 * SECOND
    assert not change.gone


async def test_the_event_tells_the_time_where_the_thing_does_not() -> None:
    event = {"type": "x", "timestamp": "2026-11-20T10:00:00Z", "data": {"id": 5, "name": "Mug"}}
    [change] = (await said(shop(products={"id": "id"}), event)).changes
    assert change.changed_at == 1_795_168_800 * SECOND


async def test_a_deletion_is_gone() -> None:
    connector = shop({"event": {"deleted": ["product.deleted"]}})
    event = {"type": "product.deleted", "timestamp": "2026-11-20T10:00:00Z", "data": {"id": 5}}
    [change] = (await said(connector, event)).changes
    assert (change.id, change.gone, change.item) == ("5", True, None)
    assert change.changed_at == 1_795_168_800 * SECOND


async def test_a_deletion_marker_is_gone_with_the_thing() -> None:
    connector = shop(products=PRODUCTS | {"deleted": {"field": "status", "is": "archived"}})
    [change] = (await said(connector, {"data": {"id": 5, "status": "archived"}})).changes
    assert change.gone
    assert change.item is not None


@pytest.mark.parametrize("data", [{"id": 5}, 5, "5"])
async def test_an_item_with_nothing_but_an_id_is_a_hint(data: object) -> None:
    [change] = (await said(shop(), {"type": "x", "data": data})).changes
    assert (change.id, change.item, change.gone) == ("5", {}, False)


async def test_events_are_sorted_into_collections_by_their_type() -> None:
    topics = {"products": ["product.*"], "people": ["customer.*", "contact.made"]}
    connector = shop({"topics": topics}, products=PRODUCTS, people={"id": "id"})
    for kind, name in [("product.updated", "products"), ("contact.made", "people"), ("customer.x", "people")]:
        [change] = (await said(connector, {"type": kind, "data": {"id": 5, "a": 1}})).changes
        assert change.collection == name
    for other in ("order.made", "product", 5, None):
        assert (await said(connector, {"type": other, "data": {"id": 5}})).changes == ()


async def test_the_collection_is_named_or_the_only_one() -> None:
    two = {"products": PRODUCTS, "people": {"id": "id"}}
    [change] = (await said(shop({"collection": "people"}, **two), {"data": {"id": 5}})).changes
    assert change.collection == "people"
    with pytest.raises(PermanentError, match="neither collection nor topics"):
        await said(shop(**two), {"data": {"id": 5}})
    with pytest.raises(PermanentError, match="no collection orders"):
        await said(shop({"collection": "orders"}), {"data": {"id": 5}})


async def test_places_in_the_body_are_configured() -> None:
    event = {"id": "meta.event", "type": "meta.kind", "item": "", "changed_at": "meta.at", "deleted": ["gone"]}
    connector = shop({"event": event, "topics": {"products": ["kept", "gone"]}}, products={"id": "product.id"})
    body = {"meta": {"event": 77, "kind": "kept", "at": 1_795_168_800}, "product": {"id": "a"}}
    [change] = (await said(connector, body)).changes
    assert (change.id, change.event_id, change.changed_at) == ("a", "77", 1_795_168_800 * SECOND)


async def test_without_an_id_of_its_own_an_event_is_known_by_its_bytes() -> None:
    connector = shop({"event": {"id": "event"}})
    [one] = (await said(connector, {"data": {"id": 5, "a": 1}})).changes
    [again] = (await said(connector, {"data": {"id": 5, "a": 1}})).changes
    [other] = (await said(connector, {"data": {"id": 5, "a": 2}})).changes
    assert one.event_id == again.event_id != other.event_id
    [bad] = (await said(shop(), {"data": {"id": 5, "a": 1}}, webhook_id="\udcff")).changes
    assert bad.event_id == one.event_id


NO_JSON = [b"", b"\xff", b"<html>", b"{", b"[" * 100_000]
NO_ID = [b"5", b"null", b"[]"]
NO_ID += [b'{"data": %s}' % data for data in (b"null", b"{}", b"[]", b'{"id": null}', b'{"id": true}', b'{"id": ""}')]


@pytest.mark.parametrize("body", [*NO_JSON, *NO_ID], ids=range(len(NO_JSON) + len(NO_ID)))
async def test_what_is_no_json_or_has_no_id_is_malformed(body: bytes) -> None:
    with pytest.raises(PermanentError):
        await said(shop(), body)


@pytest.mark.parametrize(
    "data", [b'{"id": 5, "a": NaN}', b'{"id": 5, "a": "\\ud800"}', b'{"id": 5, "a": 1, "a": 2}', b'{"id": 5, "a": 1e999}']
)
async def test_a_thing_that_may_not_come_in_is_quarantined(data: bytes) -> None:
    batch = await said(shop(), b'{"type": "x", "data": ' + data + b"}")
    assert batch.changes == ()
    [broken] = batch.broken
    assert (broken.id, broken.where) == ("5", "webhook /hooks/shop")


async def test_an_envelope_that_repeats_a_key_is_malformed() -> None:
    with pytest.raises(PermanentError):
        await said(shop(), b'{"data": {"id": 5}, "data": {"id": 6}}')


def test_verify_tells_the_genuine_from_the_forged() -> None:
    connector = shop()
    assert connector.verify(delivery({"data": {"id": 5}})) is None
    assert connector.verify(delivery({"data": {"id": 5}}, webhook_id="msg_2")) == "the signature does not match"
    assert connector.hook_options is not None
    assert (connector.hook_options.path, connector.hook_options.max_body) == ("/hooks/shop", 1_000_000)


def test_a_missing_secret_is_said_when_it_is_needed() -> None:
    watch = {"webhook": {"path": "/hooks/shop", "verify": VERIFY}}
    connector = Rest(setup_for(KIND, watch=watch, collections={"products": PRODUCTS}))
    with pytest.raises(TransientError, match="no secret one"):
        connector.verify(delivery({}))


async def test_a_platform_without_a_webhook_expects_none() -> None:
    connector = Rest(setup_for(KIND, collections={"products": PRODUCTS}))
    assert connector.verify(delivery({})) == "no webhook is expected"
    with pytest.raises(PermanentError):
        await connector.hook(None, delivery({}))


def test_a_platform_that_only_pushes_can_do_nothing_else() -> None:
    connector = shop()
    able = KIND.abilities(
        connector.setup.connection,
        connector.setup.collections["products"].options,
        connector.setup.watch,
        connector.setup.write,
    )
    assert not any((able.list, able.read, able.find, able.create, able.update, able.delete, able.guard))
