"""The private listener, with real sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from syncd.web.console import build_private_app
from syncd.web.metrics import Metrics
from syncd.web.serve import listening


@asynccontextmanager
async def private(wrong: list[str], *, hosts: tuple[str, ...] = ()) -> AsyncIterator[str]:
    async def metrics() -> bytes:
        return Metrics().render()

    app = build_private_app(health=list, ready=lambda: wrong, metrics=metrics, hosts=hosts)
    async with listening(app, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


async def get(url: str, **headers: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status, await answer.text()


async def test_ready_says_what_is_missing_until_it_is_there() -> None:
    wrong = ["the ledger is not open", "hooks do not listen"]
    async with private(wrong) as url:
        assert await get(f"{url}/healthz") == (200, "ok\n")
        assert await get(f"{url}/readyz") == (503, "the ledger is not open\nhooks do not listen\n")
        wrong.clear()
        assert await get(f"{url}/readyz") == (200, "ok\n")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8686", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:8686", 200),
        ("syncd.example", 200),
        ("evil.example:8686", 421),
        ("127.0.0.1.evil.example", 421),
        ("[::1].evil.example", 421),
    ],
)
async def test_it_answers_to_its_own_names_only(host: str, status: int) -> None:
    async with private([], hosts=("syncd.example",)) as url:
        assert (await get(f"{url}/healthz", Host=host))[0] == status


async def test_the_index_names_only_what_is_there() -> None:
    async with private([]) as url:
        _, text = await get(f"{url}/")
        paths = [line.split()[0] for line in text.splitlines() if line.startswith("/")]
        assert paths == ["/healthz", "/readyz", "/metrics"]
        assert [(await get(url + path))[0] for path in paths] == [200, 200, 200]
        assert (await get(f"{url}/other"))[0] == 404


async def test_answers_are_not_kept_and_not_framed() -> None:
    async with private([]) as url, aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Server"] == "syncd"
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")


def test_metrics_have_their_names_and_one_registry_each() -> None:
    metrics = Metrics()
    Metrics()
    metrics.events.labels("shop", "webhook").inc()
    metrics.writes.labels("shop", "product", "update", "ok").inc()
    text = metrics.render().decode()
    assert 'syncd_events_received_total{platform="shop",via="webhook"} 1.0' in text
    assert 'syncd_writes_total{entity="product",op="update",outcome="ok",platform="shop"} 1.0' in text
    assert "syncd_build_info{" in text
    assert "process_resident_memory_bytes" in text


def test_what_is_no_more_disappears_from_a_gauge() -> None:
    metrics = Metrics()
    metrics.fill(metrics.conflicts, {("product",): 2, ("customer",): 1})
    metrics.fill(metrics.conflicts, {("product",): 0})
    lines = [line for line in metrics.render().decode().splitlines() if line.startswith("syncd_conflicts_open{")]
    assert lines == ['syncd_conflicts_open{entity="product"} 0.0']
