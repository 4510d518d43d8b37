"""``notify:``: who is told of what, by a real webhook, also one that hangs, refuses, or sends us elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from loguru import logger

from syncd.daemon.announce import OCCASIONS, Announcer, Patience
from syncd.daemon.events import Event, say
from syncd.daemon.run import passed
from syncd.daemon.runtime import Runtime
from tests.daemon.test_serve import ask, daemon
from tests.daemon.world import World, until

QUICK = Patience(attempts=3, first=10_000, most=50_000, seconds=0.5, together=0.05)
PATH = "/hook/T0PSECRET"
NOTIFY = "notify: [{when: [WHEN], to: webhook, url: secret:ops, min_gap: GAP}]\n"


@dataclass
class Ear:
    """A webhook that remembers what came. ``answers``: statuses given first, then 204; ``hang``: it never answers."""

    port: int = 0
    heard: list[dict[str, Any]] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    calls: int = 0
    inside: int = 0
    most: int = 0
    pause: float = 0.0
    hang: bool = False

    async def take(self, request: web.Request) -> web.Response:
        self.calls, self.inside = self.calls + 1, self.inside + 1
        self.most = max(self.most, self.inside)
        try:
            body = await request.json()
            await asyncio.sleep(60 if self.hang else self.pause)
            status = self.answers.pop(0) if self.answers else 204
            if status < 300:
                self.heard.append(body)
                self.types.append(request.headers["Content-Type"])
            return web.Response(status=status, headers={"Location": "/elsewhere"} if 300 <= status < 400 else {})
        finally:
            self.inside -= 1

    @property
    def counts(self) -> list[dict[str, int]]:
        return [one["data"]["counts"] for one in self.heard]


@asynccontextmanager
async def webhook(**options: Any) -> AsyncIterator[Ear]:
    ear = Ear(**options)
    app = web.Application()
    app.router.add_post(PATH, ear.take)
    app.router.add_route("*", "/elsewhere", ear.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    ear.port = runner.addresses[0][1]
    try:
        yield ear
    finally:
        await runner.cleanup()


def company(world: World, when: str, *, gap: str = "0s", port: int = 1, more: str = "") -> None:
    world.shop_and_erp(
        service=f"secrets_dir: {world.folder}/secrets\n" + NOTIFY.replace("WHEN", when).replace("GAP", gap) + more
    )
    secret(world, f"http://127.0.0.1:{port}{PATH}")


def secret(world: World, url: str) -> None:
    file = world.folder / "secrets" / "ops"
    file.parent.mkdir(exist_ok=True)
    file.write_text(url)
    file.chmod(0o600)


@asynccontextmanager
async def announcing(world: World, patience: Patience = QUICK) -> AsyncIterator[Runtime]:
    async with world.runtime() as runtime:
        announcer = Announcer(runtime, patience)
        with announcer.hearing():
            task = asyncio.create_task(announcer.forever())
            await asyncio.sleep(0)
            yield runtime
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def log() -> Any:
    lines: list[str] = []
    number = logger.add(lambda message: lines.append(str(message) + str(message.record["extra"])), level="DEBUG")
    yield lines
    logger.remove(number)


FACTS: dict[Event, dict[str, Any]] = {
    Event.REPORT_DONE: {"out_of_sync": 6, "records": 1000},
    Event.CONFLICT_OPEN: {"entity": "product", "record": "MUG-1", "field": "price"},
    Event.LETTER_OPEN: {"platform": "shop", "collection": "products", "count": 1},
}


@pytest.mark.parametrize("event", OCCASIONS)
async def test_each_occasion_is_told_as_one_cloud_event(world: World, event: Event) -> None:
    async with webhook() as ear:
        company(world, OCCASIONS[event], port=ear.port)
        async with announcing(world):
            say(event, f"something {event}", **FACTS.get(event, {"platform": "shop", "collection": "products"}))
            await until(lambda: bool(ear.heard))
    (one,) = ear.heard
    assert ear.types == ["application/cloudevents+json; charset=utf-8"]
    assert {"id", "source", "specversion", "type", "subject", "time", "data"} <= one.keys()
    assert (one["specversion"], one["type"], one["source"]) == ("1.0", f"dev.syncd.{event.value}", "/syncd/test")
    assert one["data"]["counts"] == {OCCASIONS[event]: 1}
    assert one["data"]["events"][0]["event"] == event.value


@pytest.mark.parametrize(
    ("when", "over", "out", "told"),
    [
        ("drift_over", "", 5, False),
        ("drift_over", "", 6, True),
        ("drift_over", ", over: 2%", 20, False),
        ("drift_over", ", over: 2%", 21, True),
        ("drift_over", ", over: 0%", 1, True),
        ("breaker", "", 999, False),
    ],
)
async def test_drift_is_told_when_it_is_over_its_figure(world: World, when: str, over: str, out: int, told: bool) -> None:
    async with webhook() as ear:
        company(world, when, gap=f"0s{over}", port=ear.port)
        async with announcing(world):
            say(Event.REPORT_DONE, "report", out_of_sync=out, records=1000)
            await asyncio.sleep(0.3)
    assert bool(ear.heard) is told


async def test_what_happens_at_once_and_within_the_gap_is_one_message(world: World) -> None:
    async with webhook() as ear:
        company(world, "conflict_new, breaker", gap="600ms", port=ear.port)
        async with announcing(world):
            for n in range(30):
                say(Event.CONFLICT_OPEN, f"conflict {n}", entity="product", record=f"M-{n}", field="price")
            await until(lambda: len(ear.heard) == 1)
            say(Event.CONFLICT_OPEN, "one more", entity="product", record="X", field="price")
            say(Event.BREAKER_TRIP, "stopped", platform="shop", entity="product")
            say(Event.PLATFORM_DOWN, "nobody asked", platform="shop")
            await asyncio.sleep(0.3)
            assert len(ear.heard) == 1, "the gap"
            await until(lambda: len(ear.heard) == 2)
    first, second = ear.heard
    assert first["data"]["counts"] == {"conflict_new": 30}
    assert (len(first["data"]["events"]), first["data"]["more"]) == (20, 10)
    assert second["data"]["counts"] == {"conflict_new": 1, "breaker": 1}
    assert second["type"] == "dev.syncd.notice"
    assert first["id"] != second["id"]


async def test_never_more_than_one_at_a_time(world: World) -> None:
    async with webhook(pause=0.15) as ear:
        company(world, "breaker", port=ear.port)
        async with announcing(world):
            for _ in range(8):
                say(Event.BREAKER_TRIP, "stopped", platform="shop", entity="product")
                await asyncio.sleep(0.06)
            await until(lambda: sum(one["breaker"] for one in ear.counts) == 8)
    assert ear.most == 1


@pytest.mark.parametrize(
    ("answers", "calls", "heard"),
    [
        ([500, 503], 3, 1),
        ([429], 2, 1),
        ([500, 500, 500], 3, 0),
        ([400], 1, 0),
        ([404], 1, 0),
        ([302], 1, 0),
        ([307], 1, 0),
    ],
)
async def test_what_is_tried_again_and_how_often(
    world: World, answers: list[int], calls: int, heard: int, log: list[str]
) -> None:
    async with webhook(answers=list(answers)) as ear:
        company(world, "breaker", port=ear.port)
        async with announcing(world) as runtime:
            say(Event.BREAKER_TRIP, "stopped", platform="shop", entity="product")
            await until(lambda: any("webhook secret:ops" in line for line in log))
            await asyncio.sleep(0.1)
            assert (ear.calls, len(ear.heard)) == (calls, heard)
            assert bool(runtime.troubles["notify"]) is not bool(heard)
            if not heard:
                say(Event.BREAKER_TRIP, "again", platform="shop", entity="product")
                await until(lambda: bool(ear.heard))
                assert ear.heard[0]["data"]["lost"] == 1
                await until(lambda: runtime.troubles["notify"] == "")
    assert not any("T0PSECRET" in line or str(ear.port) in line for line in log), "the address is a secret"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/T0PSECRET", "ftp://x/T0PSECRET", "T0PSECRET", "http://[T0PSECRET", None])
async def test_an_address_that_does_not_work_is_told_without_naming_it(world: World, url: str | None, log: list[str]) -> None:
    company(world, "breaker")
    if url is None:
        (world.folder / "secrets" / "ops").unlink()
    else:
        secret(world, url)
    async with announcing(world) as runtime:
        say(Event.BREAKER_TRIP, "stopped", platform="shop", entity="product")
        await until(lambda: bool(runtime.troubles.get("notify")))
    assert any("webhook secret:ops: " in line for line in log)
    assert not any("T0PSECRET" in line for line in log)
    assert "T0PSECRET" not in runtime.troubles["notify"]


async def test_a_webhook_that_hangs_blocks_nothing(world: World) -> None:
    async with webhook(hang=True) as ear:
        company(world, "conflict_new, platform_down", port=ear.port)
        world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
        async with daemon(world):
            say(Event.CONFLICT_OPEN, "conflict", entity="product", record="M", field="price")
            await until(lambda: ear.inside == 1)
            world.put("erp", "2", sku="MUG-2", name="Mug", price="12.00", stock=3)
            await until(lambda: "MUG-2" in world.items("shop"))
            before = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - before < 8


async def test_personal_values_never_leave(world: World) -> None:
    async with webhook() as ear:
        company(world, "conflict_new, dead_letter", port=ear.port)
        product = (world.folder / "config" / "entities" / "product.yaml").read_text()
        personal = product.replace("sku: {type: string,", "sku: {type: string, pii: true,")
        world.write("entities/product.yaml", personal)
        async with announcing(world):
            about = {"entity": "product", "record": "jo@acme.example", "field": "name"}
            say(Event.CONFLICT_OPEN, "product jo@acme.example  name  held", **about)
            say(Event.READING_BROKEN, "shop products 7: 'jo@acme.example' is no price", platform="shop", collection="products")
            say(Event.LETTER_OPEN, "shop products: 1 dead letter", platform="shop", collection="products", count=1)
            await until(lambda: bool(ear.heard))
    (one,) = ear.heard
    assert "jo@acme.example" not in str(one)
    assert one["data"]["counts"] == {"conflict_new": 1, "dead_letter": 1}


async def test_a_real_breaker_is_told(world: World) -> None:
    async with webhook() as ear:
        more = "safety: {changes: {max: 1}}\n"
        company(world, "breaker, conflict_new", port=ear.port, more=more)
        for n in range(4):
            world.put("erp", str(n), sku=f"MUG-{n}", name="Mug", price="12.00", stock=3)
        async with daemon(world):
            await until(lambda: len(world.items("shop")) == 4)
            for n in range(4):
                world.put("erp", str(n), price="13.00")
            await until(lambda: any("breaker" in one for one in ear.counts), 10)
    told = [event for one in ear.heard for event in one["data"]["events"] if event["event"] == "breaker.trip"]
    assert told[0]["platform"] == "shop"
    assert told[0]["kind"] == "changes"


async def test_a_reload_changes_who_is_told_of_what(world: World) -> None:
    async with webhook() as old, webhook() as new:
        company(world, "breaker", port=old.port)
        async with daemon(world):
            say(Event.BREAKER_TRIP, "one", platform="shop", entity="product")
            await until(lambda: len(old.heard) == 1)
            file = world.folder / "config" / "syncd.yaml"
            file.write_text(file.read_text().replace("[breaker]", "[backup_failed]").replace("secret:ops", "secret:other"))
            (world.folder / "secrets" / "other").write_text(f"http://127.0.0.1:{new.port}{PATH}")
            (world.folder / "secrets" / "other").chmod(0o600)
            assert (await ask(world, do="reload"))["ok"]
            say(Event.BREAKER_TRIP, "two", platform="shop", entity="product")
            say(Event.BACKUP_FAILED, "no backup")
            await until(lambda: len(new.heard) == 1)
            await asyncio.sleep(1.2)
    assert len(old.heard) == 1
    assert new.counts == [{"backup_failed": 1}]


async def test_a_thing_that_cannot_be_read_is_told_once(world: World) -> None:
    """Each sweep and poll meets it again; its letter is new only once."""
    async with webhook() as ear:
        company(world, "dead_letter", port=ear.port)
        world.put("erp", "1", sku="MUG-1", name="\ud800", price="12.00", stock=3)
        for _ in range(3):
            await passed(world.config(), kinds=world.kinds, now=world.now)
    assert ear.counts == [{"dead_letter": 1}]
    assert ear.heard[0]["data"]["events"][0]["collection"] == "items"


async def test_one_pass_tells_before_it_ends(world: World) -> None:
    async with webhook() as ear:
        company(world, "breaker", port=ear.port, more="safety: {changes: {max: 1}}\n")
        for n in range(4):
            world.put("erp", str(n), sku=f"MUG-{n}", name="Mug", price="12.00", stock=3)
        await passed(world.config(), kinds=world.kinds, now=world.now)
        assert ear.heard == []
        for n in range(4):
            world.put("erp", str(n), price="13.00")
        assert await passed(world.config(), kinds=world.kinds, now=world.now) == 4
    assert ear.counts == [{"breaker": 1}]
