"""The emulator itself: the vendor's own client works against it, and it is a process for examples."""

import asyncio
import json
import signal
import sys

import aiohttp
import pytest

from tests.connectors.large import ROOT, assert_frugal, peak, served
from tests.connectors.sanity_vendor import vendor
from tests.connectors.servers import free_port
from tests.emulators.sanity import DATASET, PROJECT, Lake, serving
from tests.emulators.sanity.patches import BadPathError, patched, steps_of
from tests.emulators.sanity.samples import products
from tests.node import installed

EDITOR = {"Authorization": "Bearer editor-token"}


async def test_the_vendors_client_works_against_it() -> None:
    lake = Lake()
    async with serving(lake, documents=products(2)) as server:
        await lake.put({"_id": "mug", "_type": "product"})
        said = await vendor({"url": str(server.make_url("/")).rstrip("/"), "token": "editor-token"})
    assert said["created"]["_id"] == "cup"
    assert [said["patched"][key] for key in ("title", "stock", "tags")] == ["Glass", 2, ["a", "b"]]
    assert (said["stale"]["status"], said["stale"]["type"]) == (409, "documentRevisionIDDoesNotMatchError")
    assert 'Document "cup" has unexpected revision ID' in said["stale"]["message"]
    assert said["transaction"]["transactionId"] == "by-client"
    assert said["repeated"] == {"status": 409, "type": "transactionAlreadyExistsError"}
    assert [one["_id"] for one in said["fetched"]] == ["cup", "product-000001", "product-000002"]
    assert said["fetched"][1]["brand"] == "Brand 1"
    assert said["document"]["title"] == "Glass"
    assert said["heard"] == ["welcome", "appear cup", "update cup", "disappear mug", "disappear cup"][:4]
    assert said["wrong"] == {"status": 400, "type": "queryParseError"}
    assert said["stranger"] == 401


async def test_perspectives_and_the_export_show_what_they_should() -> None:
    lake = Lake()
    documents = [{"_id": one, "_type": "p"} for one in ("a", "drafts.a", "drafts.b", "versions.r.a")]
    async with serving(lake, documents=documents) as server, aiohttp.ClientSession(headers=EDITOR) as client:
        seen = {}
        for name in ("raw", "published", "drafts", ""):
            options = {"query": "*|order(_id asc)._id"} | ({"perspective": name} if name else {})
            async with client.get(server.make_url(f"/v2025-02-19/data/query/{DATASET}"), params=options) as reply:
                seen[name] = (await reply.json())["result"]
        async with client.get(server.make_url(f"/v2025-02-19/data/export/{DATASET}")) as reply:
            lines = [json.loads(line)["_id"] for line in (await reply.text()).splitlines()]
    assert seen == {"raw": sorted(lines), "published": ["a"], "drafts": ["a", "b"], "": ["a"]}


async def test_a_transaction_is_all_or_nothing_and_a_rehearsal_is_nothing() -> None:
    lake = Lake()
    async with serving(lake) as server, aiohttp.ClientSession(headers=EDITOR) as client:
        url = server.make_url(f"/v2025-02-19/data/mutate/{DATASET}")
        pair = {"mutations": [{"create": {"_id": "a", "_type": "p"}}, {"patch": {"id": "b", "set": {"x": 1}}}]}
        async with client.post(url, json=pair) as reply:
            assert (await reply.json())["error"]["items"][0]["error"]["type"] == "documentNotFoundError"
        async with client.post(url, json={"mutations": pair["mutations"][:1]}, params={"dryRun": "true"}) as reply:
            assert reply.status == 200
        assert (lake.documents, lake.writes) == ({}, 1)
        lake.limit = 1
        statuses = []
        for _ in range(4):
            async with client.post(url, json={"mutations": []}) as reply:
                statuses.append((reply.status, reply.headers.get("Retry-After")))
        assert (429, "1") in statuses


def test_patches_reach_where_they_should() -> None:
    document = {"a": [{"_key": "x", "n": 1}, {"_key": "y", "n": 2}], "o": {}}
    patch = {"set": {'a[_key=="y"].n': 5, "o.p.q": 1, "['odd name']": 2}, "unset": ['a[_key=="x"]'], "inc": {"c": 3}}
    made = patched(document, patch)
    assert made == {"a": [{"_key": "y", "n": 5}], "o": {"p": {"q": 1}}, "odd name": 2, "c": 3}
    with pytest.raises(BadPathError):
        steps_of("a..b")


async def test_it_is_a_process_for_examples() -> None:
    installed("groq")
    port = free_port()
    command = ["-m", "tests.emulators.sanity", "--port", str(port), "--products", "1000"]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert b"1000 products" in await process.stdout.readline()
    async with aiohttp.ClientSession(headers=EDITOR) as client:
        url = f"http://127.0.0.1:{port}/v2025-02-19/data/query/{DATASET}"
        async with client.post(url, json={"query": '[count(*[_type == "product"])]'}) as reply:
            assert (await reply.json())["result"] == [1000]
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    process._transport.close()  # type: ignore[attr-defined]


def test_a_hundred_thousand_documents_take_less_than_200_mb() -> None:
    installed("groq")
    with served("tests.emulators.sanity", "--products", "100000", "--window", "1100", seconds=120) as url:
        connection = {"base_url": url, "project": PROJECT, "dataset": DATASET, "token": "editor-token"}
        collections = {"product": {"type": "product", "version": "_rev", "page": 1000}}
        fields = ["sku", "title", "tags", "gtin", "body", "mainImage.asset.url"]
        assert_frugal(peak("sanity", connection=connection, collections=collections, fields=fields))
