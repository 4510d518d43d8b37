"""The daemon itself, in this process: platforms in memory, real ledger, real sockets, real signals."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from syncd.cli import socket as client
from syncd.daemon.run import served
from tests.daemon.world import World, until


@asynccontextmanager
async def daemon(world: World) -> AsyncIterator["asyncio.Task[int]"]:
    task = asyncio.create_task(served(world.config(), kinds=world.kinds, now=world.now))
    try:
        await ready(world, task)
        yield task
    finally:
        if not task.done():
            os.kill(os.getpid(), signal.SIGTERM)
        with suppress(Exception):
            await task


async def ask(world: World, **request: Any) -> dict[str, Any]:
    answer = await asyncio.to_thread(client.ask, world.folder / "control.sock", request, timeout=10)
    assert answer is not None
    return answer


async def ready(world: World, task: "asyncio.Task[int]") -> None:
    path = world.folder / "control.sock"
    await until(lambda: task.done() or path.exists())
    if task.done():
        task.result()
    while not (await ask(world, do="status"))["daemon"]["ready"]:  # noqa: ASYNC110 - asked over a socket
        await asyncio.sleep(0.01)


async def test_an_edit_reaches_the_shop_and_sigterm_stops_cleanly(world: World) -> None:
    world.shop_and_erp()
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    async with daemon(world) as task:
        await until(lambda: "MUG-1" in world.items("shop"))
        world.put("erp", "1", price="12.50")
        await until(lambda: world.items("shop")["MUG-1"]["price"] == Decimal("12.50"))
        began = time.monotonic()
        os.kill(os.getpid(), signal.SIGTERM)
        assert await task == 0
        assert time.monotonic() - began < 10
    assert not (world.folder / "control.sock").exists()


async def test_the_control_socket_is_for_its_user_alone(world: World) -> None:
    world.shop_and_erp()
    async with daemon(world):
        assert (world.folder / "control.sock").stat().st_mode & 0o777 == 0o600
        assert (await ask(world, do="dance"))["exit"] == 64


async def test_systemd_is_told(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    world.shop_and_erp()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "100000")
        said: list[str] = []

        def hear(word: str) -> None:
            while not any(word in one for one in said):
                said.append(line.recv(4096).decode())

        async with daemon(world) as task:
            await asyncio.to_thread(hear, "READY=1")
            await asyncio.to_thread(hear, "STATUS=2 platforms; 0 records; 0 conflicts; 0 dead")
            await asyncio.to_thread(hear, "WATCHDOG=1")
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.to_thread(hear, "RELOADING=1\nMONOTONIC_USEC=")
            said.clear()
            await asyncio.to_thread(hear, "READY=1")
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.to_thread(hear, "STOPPING=1")
            assert await task == 0


async def test_a_valid_config_is_taken_over_and_an_invalid_one_refused(world: World) -> None:
    world.shop_and_erp()
    world.put("erp", "1", sku="MUG-1", name="Mug", price="12.00", stock=3)
    async with daemon(world):
        await until(lambda: "MUG-1" in world.items("shop"))
        file = world.folder / "config" / "entities" / "product.yaml"
        good = file.read_text()
        file.write_text(good.replace("truth: erp, map: {erp: price", "truth: nobody, map: {erp: price"))
        answer = await ask(world, do="reload")
        assert answer["exit"] == 78
        assert "E201" in answer["diagnostics"]
        file.write_text(good.replace("price: {type: decimal(2), truth: erp", "price: {type: decimal(2), truth: shop"))
        answer = await ask(world, do="reload")
        assert answer["ok"], answer
        [native] = world.platform("shop").things["products"]
        world.put("shop", native, price="9.99")
        await until(lambda: world.items("erp")["MUG-1"]["price"] == Decimal("9.99"))
