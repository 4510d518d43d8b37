"""The contract on a reload: taken over whole at once or not at all, and what it does to platforms, cursors and breakers."""

import asyncio
from pathlib import Path
from typing import Any

from syncd.daemon import reload
from syncd.ledger import breakers, cursors
from tests.daemon.test_actions import read
from tests.daemon.test_contract_platforms import rows_of, until_empty
from tests.daemon.test_serve import ask, daemon
from tests.daemon.world import PRODUCT, World, memory, until

ENTITY = "entities/product.yaml"


async def stocked(world: World, count: int = 3, **more: str) -> None:
    world.shop_and_erp(**more)
    for number in range(1, count + 1):
        world.put("erp", str(number), sku=f"MUG-{number}", name=f"Mug {number}", price="12.00", stock=3)
    await world.once()
    assert len(world.items("shop")) == count


async def test_it_says_what_changed_by_file_and_line_and_how_many_records(world: World) -> None:
    await stocked(world)
    async with daemon(world):
        assert "nothing changed" in (await ask(world, do="reload"))["text"]
        world.write(ENTITY, PRODUCT.replace("name: {type: string, truth: erp", "name: {type: string, truth: shop"))
        text = (await ask(world, do="reload"))["text"]
        line = 1 + PRODUCT.splitlines().index("  name: {type: string, truth: erp, map: {erp: name, shop: title}}")
        assert f"changed: {ENTITY}:{line}; decided again: product, 3 records" in text
        assert "connected again" not in text, "no connection changed"
        world.write("platforms/shop.yaml", memory("shop", collection="products", more="limits: {concurrency: 2}\n"))
        assert "connected again: shop" in (await ask(world, do="reload"))["text"]


async def test_cursors_outlive_a_new_connection(world: World) -> None:
    await stocked(world)
    async with daemon(world):
        world.put("erp", "1", price="13.00")
        await until(lambda: str(world.items("shop")["MUG-1"]["price"]) == "13.00")
        world.write("platforms/erp.yaml", memory("erp", more="limits: {concurrency: 2}\n"))
        assert (await ask(world, do="reload"))["ok"]
        world.put("erp", "1", price="14.00")
        await until(lambda: str(world.items("shop")["MUG-1"]["price"]) == "14.00")
    [feed] = [one for one in await read(world, cursors.feeds) if one.platform == "erp"]
    assert feed.position == "5"


async def test_a_new_rule_is_obeyed_at_once_and_a_new_mapping_is_swept(world: World) -> None:
    await stocked(world, 1)
    async with daemon(world):
        text = PRODUCT.replace("deletes:", "  note: {type: string, truth: erp, map: {erp: note, shop: note}}\ndeletes:")
        world.platform("erp").things["items"]["1"].item["note"] = "fragile"  # no event tells of it
        world.write(ENTITY, text)
        assert (await ask(world, do="reload"))["ok"]
        await until(lambda: world.items("shop")["MUG-1"].get("note") == "fragile")


async def test_rules_that_would_trip_a_breaker_are_loaded_with_those_writes_stopped(world: World) -> None:
    await stocked(world, 12, service="\nsafety: {changes: {max: 5}}\n")
    for number in range(1, 13):
        world.put("erp", str(number), other="Cup")
    async with daemon(world):
        world.write(ENTITY, PRODUCT.replace("erp: name, shop: title", "erp: other, shop: title"))
        assert (await ask(world, do="reload"))["ok"]
        await until_empty(world, "breaker", not_=True)
        await asyncio.sleep(0.2)
        assert {item["title"] for item in world.items("shop").values()} == {f"Mug {n}" for n in range(1, 13)}
    [one] = await read(world, breakers.standing)
    assert (one.platform, one.kind) == ("shop", "changes")


async def test_what_is_open_needs_a_restart(world: World) -> None:
    await stocked(world, 1)
    file = world.folder / "config" / "syncd.yaml"
    good = file.read_text()
    async with daemon(world):
        for old, new in (
            ('console: "127.0.0.1:0"', 'console: "127.0.0.1:1"'),
            ('hooks: "127.0.0.1:0"', "hooks: none"),
            (f"{world.folder}/state/ledger.db", f"{world.folder}/state/other.db"),
            (f"{world.folder}/control.sock", f"{world.folder}/other.sock"),
        ):
            file.write_text(good.replace(old, new))
            answer = await ask(world, do="reload")
            assert (answer["exit"], "E060" in answer["diagnostics"]) == (78, True), new
        file.write_text(good)
        assert (await ask(world, do="reload"))["ok"]


async def test_platforms_come_and_go(world: World) -> None:
    await stocked(world, 2)
    async with daemon(world):
        crm = PRODUCT.replace("in:\n", "in:\n  crm: {collection: leads, create: true}\n").replace(
            "erp: sku, shop: sku", "erp: sku, shop: sku, crm: sku"
        )
        world.write("platforms/crm.yaml", memory("crm", collection="leads"))
        world.write(ENTITY, crm)
        assert "connected again" in (await ask(world, do="reload"))["text"]
        await until(lambda: len(world.platform("crm").things.get("leads", {})) == 2)
        (world.folder / "config" / "platforms" / "crm.yaml").unlink()
        world.write(ENTITY, PRODUCT)
        assert "platforms/crm.yaml is gone" in (await ask(world, do="reload"))["text"]
        world.put("erp", "1", price="13.00")
        await until(lambda: str(world.items("shop")["MUG-1"]["price"]) == "13.00")
        assert "crm" not in (await ask(world, do="status"))["platforms"]
    assert rows_of(world, "outbox") == 0


async def test_a_reload_that_takes_too_long_is_an_answer_and_no_end(world: World, monkeypatch: Any) -> None:
    await stocked(world, 1)
    async with daemon(world) as task:
        monkeypatch.setattr(reload, "DEADLINE", 0.0)
        world.write("platforms/shop.yaml", memory("shop", collection="products", more="limits: {concurrency: 2}\n"))
        answer = await ask(world, do="reload")
        assert (answer["ok"], answer["exit"]) == (False, 1)
        monkeypatch.undo()
        assert not task.done()
        assert (await ask(world, do="reload"))["ok"]
        world.put("erp", "1", price="13.00")
        await until(lambda: str(world.items("shop")["MUG-1"]["price"]) == "13.00")


async def test_a_secret_that_is_missing_is_looked_for_again(world: World) -> None:
    folder = "secrets"
    (world.folder / folder).mkdir(mode=0o700)
    world.shop_and_erp(service=f"\nsecrets_dir: {world.folder}/{folder}\n")
    world.write("platforms/crm.yaml", REST)
    world.write(ENTITY, PRODUCT.replace("in:\n", "in:\n  crm: {collection: leads}\n").replace(
        "erp: sku, shop: sku", "erp: sku, shop: sku, crm: sku"
    ))
    async with daemon(world):
        async with asyncio.timeout(10):
            while (found := (await ask(world, do="status"))["platforms"]["crm"])["state"] == "ok":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert (found["state"], found["why"]) == ("down", "login: no secret crm-key")
        put_secret(world.folder / folder / "crm-key")
        assert (await ask(world, do="reload"))["ok"]
        async with asyncio.timeout(10):
            while "no secret" in str((await ask(world, do="status"))["platforms"]["crm"]["why"]):  # noqa: ASYNC110
                await asyncio.sleep(0.02)


def put_secret(file: Path) -> None:
    file.write_text("x")
    file.chmod(0o600)


REST = """
platform: crm
connector: rest
mode: enforce
connection: {base_url: "http://127.0.0.1:9", auth: {bearer: secret:crm-key}, timeout: 1s}
watch: {poll: {every: 50ms}}
collections:
  leads: {list: "GET /leads", read: "GET /leads/{id}", id: id}
"""
