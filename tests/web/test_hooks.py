"""The public listener, with real sockets."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from syncd.errors import LedgerError, SyncdError
from syncd.web.hooks import Outcome, Route, build_hooks_app
from syncd.web.serve import listening

Accept = Callable[[bytes, dict[str, str]], Awaitable[Outcome]]


def accepting(outcome: Outcome, seen: list[bytes] | None = None) -> Accept:
    async def accept(body: bytes, headers: dict[str, str]) -> Outcome:
        if seen is not None:
            seen.append(body)
        return outcome

    return accept


@asynccontextmanager
async def hooks(routes: dict[str, Route], **options: Any) -> AsyncIterator[str]:
    async with listening(build_hooks_app(routes, **options), "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


async def post(url: str, body: bytes = b"{}", **options: Any) -> tuple[int, aiohttp.ClientResponse]:
    async with aiohttp.ClientSession() as session, session.post(url, data=body, **options) as answer:
        await answer.read()
        return answer.status, answer


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.STORED, 202),
        (Outcome.REPEAT, 200),
        (Outcome.MALFORMED, 400),
        (Outcome.FORGED, 401),
        (Outcome.FULL, 503),
    ],
)
async def test_what_became_of_it_is_the_status(outcome: Outcome, status: int) -> None:
    async with hooks({"/hooks/shop": Route("shop", accepting(outcome))}) as url:
        assert (await post(f"{url}/hooks/shop"))[0] == status


async def test_the_body_and_the_headers_arrive_as_they_were_sent() -> None:
    got: dict[str, Any] = {}

    async def accept(body: bytes, headers: dict[str, str]) -> Outcome:
        got.update(body=body, signature=headers["webhook-signature"])
        return Outcome.STORED

    packed = gzip.compress(b'{"id": 1}')
    async with hooks({"/h": Route("shop", accept)}) as url:
        headers = {"Webhook-Signature": "v1,abc", "Content-Encoding": "gzip"}
        await post(f"{url}/h", packed, headers=headers)
    assert got == {"body": packed, "signature": "v1,abc"}


async def test_other_paths_and_methods_are_refused() -> None:
    refused: list[tuple[str, str]] = []
    routes = {"/h": Route("shop", accepting(Outcome.STORED))}
    async with hooks(routes, rejected=lambda *why: refused.append(why)) as url:
        assert (await post(f"{url}/other"))[0] == 404
        async with aiohttp.ClientSession() as session, session.get(f"{url}/h") as answer:
            assert (answer.status, answer.headers["Allow"], answer.headers["Server"]) == (405, "POST", "syncd")
    assert refused == [("", "path"), ("shop", "method")]


async def test_a_path_added_by_a_reload_is_found() -> None:
    routes: dict[str, Route] = {}
    async with hooks(routes) as url:
        assert (await post(f"{url}/h"))[0] == 404
        routes["/h"] = Route("shop", accepting(Outcome.STORED))
        assert (await post(f"{url}/h"))[0] == 202


async def test_a_body_over_the_limit_is_refused_with_and_without_a_length() -> None:
    seen: list[bytes] = []
    routes = {"/h": Route("shop", accepting(Outcome.STORED, seen), max_body=1000)}

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    async with hooks(routes) as url:
        assert (await post(f"{url}/h", b"x" * 1000))[0] == 202
        assert (await post(f"{url}/h", b"x" * 1001))[0] == 413
        assert (await post(f"{url}/h", pieces()))[0] == 413  # type: ignore[arg-type]
    assert seen == [b"x" * 1000]


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    refused: list[tuple[str, str]] = []
    routes = {"/h": Route("shop", accepting(Outcome.STORED))}
    async with hooks(routes, deadline=0.2, rejected=lambda *why: refused.append(why)) as url:
        port = int(url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /h HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        answer = await asyncio.wait_for(reader.read(), 8)
        writer.close()
        await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 408")
    assert refused == [("shop", "slow")]


async def test_what_was_not_committed_is_not_acknowledged() -> None:
    async def accept(body: bytes, headers: dict[str, str]) -> Outcome:
        raise LedgerError("disk full")

    async with hooks({"/h": Route("shop", accept)}) as url:
        status, answer = await post(f"{url}/h")
        assert (status, answer.headers["Retry-After"]) == (503, "5")


async def test_too_many_at_once_are_told_to_come_back() -> None:
    release = asyncio.Event()

    async def accept(body: bytes, headers: dict[str, str]) -> Outcome:
        await release.wait()
        return Outcome.STORED

    async with hooks({"/h": Route("shop", accept)}, most=2) as url:
        slow = [asyncio.create_task(post(f"{url}/h")) for _ in range(2)]
        await asyncio.sleep(0.1)
        assert (await post(f"{url}/h"))[0] == 503
        release.set()
        assert [status for status, _ in await asyncio.gather(*slow)] == [202, 202]


async def test_requests_under_way_are_finished_when_it_stops() -> None:
    started = asyncio.Event()

    async def accept(body: bytes, headers: dict[str, str]) -> Outcome:
        started.set()
        await asyncio.sleep(0.2)
        return Outcome.STORED

    async with hooks({"/h": Route("shop", accept)}) as url:
        under_way = asyncio.create_task(post(f"{url}/h"))
        await started.wait()
    assert (await under_way)[0] == 202


async def test_an_address_that_is_taken_is_a_clear_error() -> None:
    async with listening(build_hooks_app({}), "127.0.0.1", 0) as port:
        with pytest.raises(SyncdError, match=f"cannot listen on 127.0.0.1:{port}: "):
            async with listening(build_hooks_app({}), "127.0.0.1", port):
                pass
