"""SAP's server program answers as S/4HANA does where the connector's tests lean on it, and misbehaves when asked to."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.emulators.cap import Cap, cap_process

JSON = {"Content-Type": "application/json", "Accept": "application/json"}


@pytest.fixture(scope="module")
def running() -> Iterator[Cap]:
    with cap_process("things") as server:
        yield server


@pytest.fixture
def cap(running: Cap) -> Cap:
    running.call("up")
    running.call("reset")
    return running


async def ask(method: str, url: str, body: Any = None, **headers: str) -> tuple[int, Any, dict[str, str]]:
    named = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
    data = None if body is None else json.dumps(body)
    async with aiohttp.ClientSession() as session, session.request(method, url, data=data, headers=named) as answer:
        text = await answer.text()
        read = json.loads(text) if "json" in answer.headers.get("Content-Type", "") else text
        return answer.status, read, {name.lower(): value for name, value in answer.headers.items()}


@pytest.mark.parametrize("protocol", ["v4", "v2"])
async def test_a_write_needs_the_etag_and_the_right_one(cap: Cap, protocol: str) -> None:
    key = await cap.put({"sku": "S-1", "price": "12.50"})
    thing = f"{cap.url(protocol)}/Thing({key['id']})"
    _, _, headers = await ask("GET", thing)
    method = "PATCH" if protocol == "v4" else "MERGE"
    assert (await ask(method, thing, {"sku": "S-2"}))[0] == 428
    status, _, newer = await ask(method, thing, {"sku": "S-2"}, If_Match=headers["etag"])
    assert status == 200
    assert newer["etag"] != headers["etag"]
    assert (await ask(method, thing, {"sku": "S-3"}, If_Match=headers["etag"]))[0] == 412
    assert (await cap.held(key) or {})["sku"] == "S-2"
    assert [one["status"] for one in await cap.seen()] == [200, 428, 200, 412]
    assert await cap.writes() == 3


async def test_pages_are_the_servers(cap: Cap) -> None:
    await cap.ask("fill", entity="Thing", count=5, number=True, text="sku")
    await cap.ask("page", page=2)
    _, page, _ = await ask("GET", f"{cap.v4}/Thing?$count=true")
    assert [one["id"] for one in page["value"]] == [1, 2]
    assert page["@odata.count"] == 5
    _, rest, _ = await ask("GET", f"{cap.v4}/{page['@odata.nextLink']}")
    assert [one["id"] for one in rest["value"]] == [3, 4]
    _, old, _ = await ask("GET", f"{cap.v2}/Thing?$inlinecount=allpages&$select=id,sku")
    assert old["d"]["__count"] == "5"
    _, rest, _ = await ask("GET", old["d"]["__next"])
    assert [one["sku"] for one in rest["d"]["results"]] == ["Number 3", "Number 4"]


async def test_writers_need_a_token_and_its_session() -> None:
    with cap_process("things", csrf=True, authorization="Basic eDp5") as cap:
        assert (await ask("GET", cap.v4))[0] == 401
        known = {"Authorization": "Basic eDp5"}
        status, _, headers = await ask("POST", f"{cap.v4}/Thing", {"sku": "S-1"}, **known)
        assert (status, headers["x-csrf-token"]) == (403, "Required")
        _, _, headers = await ask("GET", cap.v4, X_CSRF_Token="Fetch", **known)
        token = headers["x-csrf-token"]
        assert (await ask("POST", f"{cap.v4}/Thing", {"sku": "S-1"}, X_CSRF_Token=token, **known))[0] == 403
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), headers=JSON | known) as session:
            async with session.get(cap.v4, headers={"X-CSRF-Token": "Fetch"}) as answer:
                token = answer.headers["x-csrf-token"]
            for expected in (201, 403):
                async with session.post(f"{cap.v2}/Thing", json={"sku": "S-1"}, headers={"X-CSRF-Token": token}) as answer:
                    assert answer.status == expected
                await cap.ask("expire")


async def test_an_answer_may_be_lost_behind_the_work(cap: Cap) -> None:
    await cap.fault("lost", method=["POST"])
    with pytest.raises(aiohttp.ClientError):
        await ask("POST", f"{cap.v2}/Thing", {"sku": "S-1"})
    assert await cap.ask("count", entity="Thing") == 1
    await cap.fault("cut", method=["POST"])
    with pytest.raises(aiohttp.ClientError):
        await ask("POST", f"{cap.v4}/Thing", {"sku": "S-1"})
    assert await cap.ask("count", entity="Thing") == 1
    await cap.fault("status", status=429, headers={"Retry-After": "1"}, times=2, path="Thing")
    status, _, headers = await ask("GET", f"{cap.v4}/Thing")
    assert (status, headers["retry-after"]) == (429, "1")
    await cap.fault("garbage")
    with pytest.raises(json.JSONDecodeError):
        await ask("GET", f"{cap.v4}/Thing")
    await cap.fault("half")
    with pytest.raises(aiohttp.ClientPayloadError):
        await ask("GET", f"{cap.v4}/Thing")
    await cap.ask("down")
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask("GET", f"{cap.v4}/Thing")
    await cap.ask("up")
    assert (await ask("GET", f"{cap.v4}/Thing"))[0] == 200


async def test_a_hundred_thousand_rows_are_there_at_once(cap: Cap) -> None:
    await cap.ask("fill", entity="Thing", count=100_000, number=True, text="sku")
    assert await cap.ask("count", entity="Thing") == 100_000


async def test_it_runs_from_the_command_line(tmp_path: Path) -> None:
    data = tmp_path / "materials.csv"
    data.write_text("Product,NetPrice,Stock\nM1,12.50,3\n")
    command = [sys.executable, "-m", "tests.emulators.cap", "--model", "materials", "--data", str(data)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    base = (await process.stdout.readline()).decode().removeprefix("V4 ").strip()
    _, page, _ = await ask("GET", f"{base}/Material")
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 20) == 0
    [row] = page["value"]
    assert (row["Product"], row["NetPrice"], row["IsMarkedForDeletion"]) == ("M1", "12.50", False)
    assert row["@odata.etag"] == f'W/"{row["LastChangeDateTime"]}"'


@pytest.mark.parametrize(("model", "key"), [("product", "Product"), ("partner", "BusinessPartner")])
async def test_saps_own_models_are_served(model: str, key: str) -> None:
    with cap_process(model) as cap:
        await cap.put({key: "1"})
        for base in (cap.v4, cap.v2):
            status, metadata, _ = await ask("GET", f"{base}/$metadata", Accept="application/xml")
            assert status == 200
            assert f'EntitySet Name="{cap.entity}"' in metadata
        _, old, _ = await ask("GET", f"{cap.v2}/{cap.entity}('1')")
        assert old["d"]["LastChangeDate"].startswith("/Date(")
        assert "etag" in old["d"]["__metadata"]
