"""Webhooks of Sanity: signed as the vendor signs, believed for a while, and hints of what to read."""

import base64
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from syncd.connectors.protocol import Delivery
from syncd.connectors.sanity.options import SanityWebhook
from syncd.connectors.signature import Proof
from syncd.core.model import SECOND, Via
from syncd.errors import PermanentError, TransientError
from tests.connectors.contract import creation, done
from tests.connectors.sanity_vendor import vendor
from tests.connectors.sanity_world import COLLECTION, SanityWorld, world_of
from tests.emulators.courier import Sent
from tests.emulators.sanity import Lake, WebhookRule
from tests.emulators.sanity.signing import signed

BODIES = [b'{"_id":"mug"}', '{"title":"Café — 日本 👩‍👩‍👧‍👦"}'.encode(), b"{}", b'{"a": 1}\n', b"x" * 100_000]
NOW = 1_795_000_000_000  # milliseconds
HOOK = {"path": "/hooks/sanity", "verify": {"scheme": "sanity", "secret": "hush"}}
MUG = {"_id": "mug", "_type": "product", "sku": "S-1", "name": "Mug"}


def proof(*secrets: str, **more: Any) -> Proof:
    """Return our own verifier."""
    options = {"path": "/hooks/sanity", "verify": {"scheme": "sanity", "secret": list(secrets)}} | more
    return SanityWebhook.model_validate(options).verifier(lambda name: name)


def problem(of: Proof, body: bytes, header: str, *, now: int = NOW) -> str | None:
    """Return what is wrong with a signature at a moment in milliseconds."""
    return of.problem(body, {"sanity-webhook-signature": header}, now * 1000)


def coded(body: bytes) -> str:
    return base64.b64encode(body).decode()


async def test_the_vendors_library_takes_what_we_sign_and_nothing_else() -> None:
    questions = [{"body": coded(body), "header": signed(body, "hush", NOW), "secret": "hush"} for body in BODIES]
    questions += [one | {"secret": "other"} for one in questions] + [one | {"body": coded(b"no")} for one in questions]
    assert await vendor(questions) == [True] * 5 + [False] * 10


async def test_we_take_what_the_vendors_library_signs_and_nothing_else() -> None:
    headers = await vendor([{"body": coded(body), "at": NOW, "secret": "hush"} for body in BODIES])
    for body, header in zip(BODIES, headers, strict=True):
        assert problem(proof("hush"), body, header) is None
        assert problem(proof("new", "hush"), body, header) is None
        assert problem(proof("other"), body, header) == "the signature does not match"
        assert problem(proof("hush"), body + b" ", header) == "the signature does not match"


@pytest.mark.skipif(not os.environ.get("SYNCD_SHARED") and not os.environ.get("CI"), reason="SYNCD_SHARED is not set")
def test_the_vectors() -> None:
    found = json.loads(Path(os.environ["SYNCD_SHARED"], "schemas/signatures/signature_vectors.json").read_text())["vectors"]
    vectors = [one for one in found if one["platform"] == "sanity"]
    assert vectors
    for one in vectors:
        header, body = one["headers"]["sanity-webhook-signature"], one["body"].encode()
        now = int(header[2:].partition(",")[0])
        assert problem(proof(one["secret"]), body, header, now=now) is None
        assert problem(proof(one["secret"]), body + b"x", header, now=now) is not None


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", "no sanity-webhook-signature header"),
        ("v1=abc", "the sanity-webhook-signature header is not"),
        ("t=1795000000000,v1=", "the sanity-webhook-signature header is not"),
        ("t=x,v1=abc", "the sanity-webhook-signature header is not"),
        ("t=1795000000000,v1=abc==", "the sanity-webhook-signature header is not"),
        ("t=1795000000000,v1=äöü", "the sanity-webhook-signature header is not"),
        ("t=1795000000000,v1=abc", "the signature does not match"),
    ],
)
def test_what_a_stranger_sends_is_refused_with_a_reason(header: str, said: str) -> None:
    assert str(problem(proof("hush"), b"{}", header)).startswith(said)


def test_an_old_signature_is_not_believed() -> None:
    header = signed(b"{}", "hush", NOW)
    assert problem(proof("hush"), b"{}", header, now=NOW + 299_000) is None
    assert problem(proof("hush"), b"{}", header, now=NOW - 299_000) is None
    assert problem(proof("hush"), b"{}", header, now=NOW + 301_000) == "the time stamp is outside the window"
    assert problem(proof("hush", window="1h"), b"{}", header, now=NOW + 3_000_000) is None


def test_a_missing_secret_is_the_platforms_trouble() -> None:
    def missing(name: str) -> str:
        raise TransientError(f"login: no secret {name}")

    with pytest.raises(TransientError, match="no secret hook"):
        SanityWebhook.model_validate(HOOK | {"verify": {"scheme": "sanity", "secret": "secret:hook"}}).verifier(missing)


# ---- what they say


def delivery(sent: Sent) -> Delivery:
    """Return a delivery as it arrives."""
    return Delivery(sent.body, {name.lower(): value for name, value in sent.headers.items()}, time.time_ns() // 1000, 7)


async def called(world: SanityWorld) -> list[Sent]:
    """Return what was sent so far."""
    await world.lake.courier.settled()
    return world.lake.courier.sent


async def test_edits_deletes_and_our_own_writes_are_told_as_hints() -> None:
    lake = Lake(rule=WebhookRule("hush", filter='_type == "product"'))
    async with world_of(lake, watch={"webhook": HOOK}) as world:
        await lake.put(MUG)
        await lake.put({"_id": "acme", "_type": "brand"})
        await lake.put(MUG | {"_id": "drafts.mug"})
        receipt = await done(world, creation(world, {"sku": "S-2", "name": "Ours"}, key="e1-4"))
        await lake.remove("mug")
        sent = await called(world)
        assert all(proof("hush").problem(d.body, d.headers, d.arrived_at) is None for d in map(delivery, sent))
        hints = [(await world.connector.hook(None, delivery(one))).changes[0] for one in sent]
        assert [(one.id, one.gone, one.item, one.own) for one in hints] == [
            ("mug", False, {}, None),
            (receipt.id, False, {}, "e1-4"),
            ("mug", True, None, None),
        ]
        assert all((one.via, one.as_of, one.collection) == (Via.EVENT, 7, "things") for one in hints)
        assert all(abs((one.changed_at or 0) - time.time() * SECOND) < 60 * SECOND for one in hints)
        assert len({one.event_id for one in hints}) == 3


async def test_lost_doubled_and_reordered_deliveries_are_known_by_their_id() -> None:
    got: list[str] = []

    async def take(request: web.Request) -> web.Response:
        got.append(request.headers["idempotency-key"])
        return web.Response()

    app = web.Application()
    app.router.add_post("/hooks/sanity", take)
    server = TestServer(app)
    await server.start_server()
    lake = Lake(rule=WebhookRule("hush"))
    lake.courier.url = str(server.make_url("/hooks/sanity"))
    async with world_of(lake) as world:
        lake.courier.lose(1)
        await lake.put(MUG)
        await called(world)
        lake.courier.double(1)
        await lake.patch("mug", set={"name": "Cup"})
        await called(world)
        lake.courier.reorder(2)
        await lake.patch("mug", set={"name": "Glass"})
        await called(world)
        await lake.remove("mug")
        keys = [one.headers["idempotency-key"] for one in await called(world)]
        assert got == [keys[1], keys[1], keys[3], keys[2]]
        await lake.courier.again()
        assert got[-1] == keys[0]
    await server.close()


async def test_the_document_type_says_which_collection() -> None:
    collections = {"things": COLLECTION, "brands": {"type": "brand"}}
    async with world_of(Lake(), watch={"webhook": HOOK}, collections=collections) as world:

        async def said(body: bytes, **headers: str) -> list[tuple[str, str]]:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            batch = await world.connector.hook(None, Delivery(body, named, 1, 1))
            return [(one.collection, one.id) for one in batch.changes]

        assert await said(b'{"_id": "acme", "_type": "brand"}') == [("brands", "acme")]
        assert await said(b'{"_id": "drafts.mug", "_type": "product"}') == [("things", "mug")]
        assert await said(b'{"_type": "product"}', sanity_document_id="mug") == [("things", "mug")]
        assert await said(b'{"_id": "x", "_type": "page"}') == []
        for body, words in [
            (b'{"_id": "x"}', "add _type to the webhook's projection"),
            (b'{"_type": "brand"}', "neither a sanity-document-id header nor an _id"),
            (b"[]", "neither"),
            (b"no", "not JSON"),
        ]:
            with pytest.raises(PermanentError, match=words):
                await said(body)
        with pytest.raises(PermanentError, match="sanity-dataset is staging, not production"):
            await said(b'{"_id": "x", "_type": "brand"}', sanity_dataset="staging")
        with pytest.raises(PermanentError, match="sanity-project-id"):
            await said(b'{"_id": "x", "_type": "brand"}', sanity_project_id="other")


async def test_nobody_is_expected_to_call_without_a_webhook() -> None:
    async with world_of() as world:
        with pytest.raises(PermanentError, match="no webhook is expected"):
            await world.connector.hook(None, Delivery(b"{}", {}, 1, 1))
