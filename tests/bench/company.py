"""What the bench works on: N products of twelve fields on three platforms, each with its things in a file of JSON lines.

The platforms are in this process: what is measured is syncd, not a server.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from syncd.connectors.body import decode
from syncd.connectors.memory import FULL, Memory, MemoryKind, Platform
from syncd.connectors.protocol import Connector, Page, Setup
from syncd.core.model import SECOND, Change, Via
from syncd.daemon.judge import judge
from syncd.daemon.runtime import Runtime
from syncd.ledger import inbox
from syncd.ledger.schema import Database
from tests.daemon.world import World

PLATFORMS = ("erp", "shop", "cms")
TEXTS = ("name", "color", "size", "brand", "material", "origin", "care", "season")
NOW = 1_790_000_000_000_000
PAGE = 500
Item = dict[str, Any]

SERVICE = """
version: 1
environment: test
ledger: {{path: {folder}/ledger.db}}
listen: {{hooks: none, console: none, control: {folder}/control.sock}}
"""
PLATFORM = """
platform: {name}
connector: memory
mode: enforce
connection: {{}}
watch: {{poll: {{every: 10s}}, sweep: 1h}}
collections:
  things: {{id: id, version: version}}
"""
ENTITY = """
entity: product
in: {erp: {collection: things}, shop: {collection: things, create: true}, cms: {collection: things, create: true}}
identity: {key: sku, match: [{by: sku}], unmatched: {erp: create, shop: review, cms: review}}
fields:
"""
FIELD = "  {name}: {{type: {kind}, truth: erp, map: {{erp: {name}, shop: {name}, cms: {name}}}}}\n"
KINDS = {"sku": "string", **dict.fromkeys(TEXTS, "string"), "price": "decimal(2)", "stock": "integer", "note": "text"}


def item(number: int, price: str = "10.00") -> Item:
    """Return one product: about 800 bytes of JSON."""
    texts = {name: f"{name} of product number {number}" for name in TEXTS}
    note = "A longer text, as descriptions are. " * 8
    return {"sku": f"SKU-{number:07}", **texts, "price": price, "stock": number % 90, "note": note}


def looks(platform: str, numbers: Iterable[int], price: str, version: int, as_of: int) -> list[Change]:
    """Return what reading these products of a platform shows."""
    return [
        Change(
            platform, "things", str(n), Via.READ, as_of, NOW, {"id": str(n), **item(n, price)}, version=version, changed_at=NOW
        )
        for n in numbers
    ]


class Lines(Memory):
    """Lists its things out of a file, page by page, decoded as strictly as every connector does."""

    async def scan(self, collection: str) -> AsyncIterator[Page]:
        as_of = self.setup.number()
        file = Path(self.setup.folder).parent / f"{self.setup.platform}.jsonl"
        for found in pages(file):
            yield Page([self.look(decode(line), as_of) for line in found])
        yield Page((), last=True, complete=True)

    def look(self, shown: Item, as_of: int) -> Change:
        return Change(self.setup.platform, "things", shown["id"], Via.READ, as_of, NOW, shown, version=1, changed_at=NOW)


def pages(file: Path) -> Iterator[list[bytes]]:
    with file.open("rb") as lines:
        page: list[bytes] = []
        for line in lines:
            page.append(line)
            if len(page) == PAGE:
                yield page
                page = []
        yield page


class LinesKind(MemoryKind):
    """Makes connectors that list files."""

    def connect(self, setup: Setup) -> Connector:
        return Lines(setup, self.platforms.setdefault(setup.platform, Platform(setup.now)), FULL)


def furnish(folder: Path) -> World:
    """Write the config of the company."""
    world = World(folder, LinesKind(), lambda: NOW + 3600 * SECOND, proves=False)
    world.write("syncd.yaml", SERVICE.format(folder=folder))
    for name in PLATFORMS:
        world.write(f"platforms/{name}.yaml", PLATFORM.format(name=name))
    fields = "".join(FIELD.format(name=name, kind=kind) for name, kind in KINDS.items())
    world.write("entities/product.yaml", ENTITY + fields)
    return world


def write_lines(folder: Path, records: int) -> None:
    """Write what each platform holds into its file."""
    for name in PLATFORMS:
        with (folder / f"{name}.jsonl").open("wb") as file:
            file.writelines(orjson.dumps({"id": str(n), **item(n)}) + b"\n" for n in range(records))


async def offer(runtime: Runtime, changes: list[Change]) -> None:
    """Put changes of one platform into the inbox."""
    for start in range(0, len(changes), PAGE):
        part = changes[start : start + PAGE]
        await runtime.store.write(inbox.add, part[0].platform, "things", part, now=runtime.now())


async def decide_all(runtime: Runtime) -> None:
    """Decide everything that waits."""
    while (await runtime.store.write(judge, runtime.scene(), limit=PAGE)).rows:
        pass


async def fill(runtime: Runtime, records: int) -> None:
    """Make the ledger know every product on all three platforms, with nothing left to do."""
    for platform in PLATFORMS:
        for start in range(0, records, 10 * PAGE):
            numbers = range(start, min(start + 10 * PAGE, records))
            await offer(runtime, looks(platform, numbers, "10.00", 1, runtime.number()))
            await decide_all(runtime)
    await runtime.store.write(settle)


def settle(db: Database) -> None:
    db.execute("DELETE FROM outbox")  # as if all had been delivered: they agree already
