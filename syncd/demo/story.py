"""What `syncd demo` tells: edits that arrive, one put back, one held, a lost webhook found, a bad import stopped."""

import asyncio
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from syncd.demo.erp import NAMES
from syncd.demo.stage import Stage

Tell = Callable[[str], None]


async def perform(folder: Path, *, tell: Tell, pause: float, keep: bool) -> int:
    """Run the whole demo in ``folder`` and return the exit code. ``pause``: seconds between two scenes."""
    async with Stage(folder) as stage:
        tell(f"Three platforms on this machine, and syncd between them. Everything is in {folder}\n")
        await opening(stage, tell)
        for scene in (price, stock, sensor, put_back, held, lost_webhook, bad_import):
            await asyncio.sleep(pause)
            await scene(stage, tell)
        await report(stage, tell)
        if keep:
            await stay(stage, tell)
    return 0


def line(stage: Stage, what: str, then: str = "") -> str:
    """Return one line of the story: when, what was done, what came of it."""
    return f"{stage.now:5.1f} s  {what:<58} {then}".rstrip()


async def opening(stage: Stage, tell: Tell) -> None:
    """The shop starts empty; syncd fills it from the ERP and the warehouse."""
    tell(line(stage, f"shop       {stage.shop.url}", "REST, ETags, signed webhooks, 429 now and then"))
    tell(line(stage, f"erp        {stage.erp.path.name}", "SQLite; right about names and prices"))
    tell(line(stage, f"warehouse  {stage.warehouse.folder.name}/*.csv", "right about stock"))
    if stage.shelf:
        tell(line(stage, f"shelf      mqtt://127.0.0.1:{stage.shelf.port}", "a sensor over MQTT"))
    await stage.syncd.start()
    things = stage.shop.things["products"]
    await stage.until(
        lambda: len(things) == len(NAMES) and all("inventory" in t for t in things.values()), "first fill", within=20
    )
    tell(line(stage, "first fill: the shop was empty", f"{len(things)} products made, each once"))


async def price(stage: Stage, tell: Tell) -> None:
    """An edit in the ERP reaches the shop."""
    stage.erp.edit("MUG-1", price=13.20)
    took = await stage.until(lambda: stage.shop.find("products", "MUG-1")["price"] == "13.20", "price in the shop")
    tell(line(stage, "erp        MUG-1 price 12.50 -> 13.20", f"shop has it after {took:.1f} s"))


async def stock(stage: Stage, tell: Tell) -> None:
    """A dropped file reaches the shop."""
    stage.warehouse.drop(LAMP_3=2)
    took = await stage.until(lambda: stage.shop.find("products", "LAMP-3")["inventory"] == 2, "stock in the shop")
    tell(line(stage, "warehouse  LAMP-3 counted: 2 left", f"shop has it after {took:.1f} s"))


async def sensor(stage: Stage, tell: Tell) -> None:
    """A sensor's message reaches the shop; only where the broker is installed."""
    if stage.shelf is None:
        return
    await stage.shelf.report("VASE-6", 17)
    took = await stage.until(lambda: stage.shop.find("products", "VASE-6").get("shelf_level") == 17, "level in the shop")
    tell(line(stage, "shelf      VASE-6 weighed: 17 pieces", f"shop has it after {took:.1f} s"))


async def put_back(stage: Stage, tell: Tell) -> None:
    """An edit where the ERP decides is a stray edit."""
    before = stage.shop.find("products", "SOFA-9")["title"]
    stage.shop.edit("products", "SOFA-9", title="SOFA SALE!!!")
    took = await stage.until(lambda: stage.shop.find("products", "SOFA-9")["title"] == before, "title put back")
    tell(line(stage, 'shop       SOFA-9 title -> "SOFA SALE!!!"', f"put back after {took:.1f} s: the erp decides"))


async def held(stage: Stage, tell: Tell) -> None:
    """Two edits of one field at the same moment: no rule may take the decision."""
    stage.shop.edit("products", "DESK-2", description="A desk of birch, written in the shop.")
    stage.erp.edit("DESK-2", description="A desk of birch, written in the ERP.")
    await until_open(stage, "conflicts", "a conflict")
    tell(line(stage, "both       DESK-2 description, within one second", "held: a person decides, nobody's text is lost"))


async def lost_webhook(stage: Stage, tell: Tell) -> None:
    """A webhook that never comes; the poll finds the edit."""
    text = "A rug of wool, woven by hand."
    stage.shop.manners.lose_hooks = 1
    stage.shop.edit("products", "RUG-8", description=text)
    took = await stage.until(lambda: stage.erp.description("RUG-8") == text, "description in the ERP")
    tell(line(stage, "shop       RUG-8 description; its webhook is lost", f"the poll found it: erp has it after {took:.1f} s"))


async def bad_import(stage: Stage, tell: Tell) -> None:
    """A price list ten times too high is more likely a mistake than the truth."""
    prices = stage.erp.prices()
    shop_before = {t["sku"]: t["price"] for t in stage.shop.things["products"].values()}
    stage.erp.edit_all((sku, {"price": round(value * 10, 2)}) for sku, value in prices.items())
    await until_open(stage, "breakers", "the breaker")
    now = {t["sku"]: t["price"] for t in stage.shop.things["products"].values()}
    written = sum(now[sku] != value for sku, value in shop_before.items())
    then = f"STOPPED by a breaker: {written} written"
    tell(line(stage, f"erp        import: {len(prices)} prices, ten times too high", then))


async def until_open(stage: Stage, what: str, name: str, *, within: float = 10.0) -> None:
    """Wait until syncd's status counts one of ``what``."""
    end = stage.now + within
    while stage.now < end:
        if (await stage.syncd.ask_json("status"))["open"][what]:
            return
        await asyncio.sleep(0.1)
    raise TimeoutError(f"did not happen within {within:g} s: {name}; see {stage.log}")


async def report(stage: Stage, tell: Tell) -> None:
    """The drift report, and three lines to go on with."""
    tell("")
    code = await stage.syncd.show("reconcile")
    if code != 0:
        raise RuntimeError(f"syncd reconcile exited {code}; see {stage.log}")
    tell("\nLook closer; these work on the folder this leaves:")
    for words in ("explain product MUG-1 price", "history product MUG-1", "conflicts"):
        tell(f"  {typed()} --config {stage.config} {words}")


def typed() -> str:
    """Return how syncd is called from this shell: by its name where that is found, else as this process was."""
    if shutil.which("syncd"):
        return "syncd"
    called = Path(sys.argv[0])
    return str(called) if called.name == "syncd" else f"{sys.executable} -m syncd"


async def taken_back(stage: Stage, tell: Tell) -> None:
    """The ERP's clerks notice; when syncd has read the right prices, an operator lets the writes go again."""
    last = stage.erp.prices()
    stage.erp.edit_all((sku, {"price": round(value / 10, 2)}) for sku, value in last.items())
    await until_read(stage, sku := next(reversed(last)), f"{last[sku] / 10:.2f}")
    words = ("breaker", "reset", "shop", "product", "--note", "taken back")
    code, _, said = await stage.syncd.ask(*words)
    if code != 0:
        raise RuntimeError(f"syncd breaker reset exited {code}: {said}")
    tell("\n" + line(stage, "erp        import taken back", 'syncd breaker reset shop product --note "taken back"'))


async def until_read(stage: Stage, sku: str, price: str, *, within: float = 10.0) -> None:
    """Wait until golden has a price."""
    end = stage.now + within
    while stage.now < end:
        golden = (await stage.syncd.ask_json("explain", "product", sku, "price"))["golden"]
        if golden["value"] == price:
            return
        await asyncio.sleep(0.1)
    raise TimeoutError(f"did not happen within {within:g} s: {sku} at {price} again; see {stage.log}")


async def stay(stage: Stage, tell: Tell) -> None:
    """Keep everything running until Ctrl-C, with the bad import taken back and its breaker reset: it would stop all edits."""
    await taken_back(stage, tell)
    tell("\nStill running (Ctrl-C ends it). Change something and watch it:")
    thing = stage.shop.find("products", "MUG-7")
    tell(f"  curl -X PATCH {stage.shop.url}/products/{thing['id']} -d '{{\"title\": \"Hacked\"}}'")
    tell(f"  curl {stage.shop.url}/products/{thing['id']}")
    await asyncio.Event().wait()
