"""A small world for the tests of this room: platforms in memory, a config folder in files, a ledger on disk."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

from syncd.config.load import load
from syncd.config.model import Config
from syncd.connectors.memory import FULL, MemoryKind, Platform
from syncd.connectors.protocol import Kind
from syncd.connectors.registry import KINDS
from syncd.core.model import SECOND, Abilities
from syncd.daemon import clock
from syncd.daemon.once import Pass, Work, run_once
from syncd.daemon.rederive import PastRules, rederive_all
from syncd.daemon.runtime import Runtime, open_runtime
from syncd.ledger.reading import read_only

PRODUCT = """
entity: product
in:
  erp: {collection: items, create: true}
  shop: {collection: products, create: true}
identity:
  key: sku
  match: [{by: sku}]
  unmatched: {erp: create, shop: review}
fields:
  sku: {type: string, truth: erp, map: {erp: sku, shop: sku}}
  name: {type: string, truth: erp, map: {erp: name, shop: title}}
  price: {type: decimal(2), truth: erp, map: {erp: price, shop: price}}
  stock: {type: integer, truth: erp, map: {erp: stock, shop: stock}}
deletes:
  authority: erp
  then: {shop: delete}
  confirm: {sweeps: 2, wait: 0s}
  elsewhere: restore
"""


def memory(name: str, *, mode: str = "enforce", collection: str = "items", more: str = "") -> str:
    return dedent(f"""
        platform: {name}
        connector: memory
        mode: {mode}
        connection: {{}}
        watch: {{poll: {{every: 20ms}}, sweep: 1h}}
        write: {{retry: {{attempts: 3, first: 20ms, max: 200ms}}}}
        collections:
          {collection}: {{id: id, version: version}}
    """) + dedent(more)


@dataclass
class World:
    """Where a test lives. ``kind`` holds the platforms in memory by name."""

    folder: Path
    kind: MemoryKind = field(default_factory=lambda: MemoryKind(FULL))
    now: Callable[[], int] = clock.now
    proves: bool = True  # every decision is derived again in the end

    def write(self, path: str, text: str) -> None:
        file = self.folder / "config" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))

    def service(self, more: str = "") -> None:
        text = f"""
        version: 1
        environment: test
        ledger: {{path: {self.folder}/state/ledger.db}}
        listen: {{hooks: "127.0.0.1:0", console: "127.0.0.1:0", control: {self.folder}/control.sock}}
        reconcile: {{settle: 0s}}
        """
        self.write("syncd.yaml", dedent(text) + dedent(more))

    def shop_and_erp(self, *, product: str = PRODUCT, shop: str = "", erp: str = "", service: str = "") -> None:
        """The usual company: an ERP that decides, a shop that follows."""
        self.service(service)
        self.write("platforms/erp.yaml", memory("erp", more=erp))
        self.write("platforms/shop.yaml", memory("shop", collection="products", more=shop))
        self.write("entities/product.yaml", product)

    @property
    def kinds(self) -> dict[str, Kind]:
        return {name: KINDS[name] for name in KINDS} | {"memory": self.kind}

    def config(self) -> Config:
        environ = {"STATE_DIRECTORY": str(self.folder / "state"), "RUNTIME_DIRECTORY": str(self.folder / "run")}
        loaded = load(self.folder / "config", self.kinds, environ=environ)
        assert loaded.config is not None, "\n".join(found.text() for found in loaded.errors)
        return loaded.config

    @asynccontextmanager
    async def runtime(self, **options: Any) -> AsyncIterator[Runtime]:
        config = self.config()
        async with open_runtime(config, kinds=self.kinds, now=self.now, **options) as runtime:
            yield runtime
        if self.proves:
            self.check_decisions(config.ledger_path)

    def check_decisions(self, ledger: Path) -> None:
        """Whatever a test was about: every decision that is stored follows from its recorded inputs."""
        if ledger.exists():
            with read_only(ledger) as db:
                found = rederive_all(db, PastRules(db, str(self.folder / "config"), self.kinds))
            assert not found.differing, [(one.entity, one.record, one.why) for one in found.differing]
            assert not found.skipped, found.skipped

    async def once(self, **options: Any) -> Pass:
        async with self.runtime(**options) as runtime:
            return await run_once(runtime, patience=SECOND)

    def platform(self, name: str) -> Platform:
        return self.kind.platforms.setdefault(name, Platform(self.now))

    def put(self, platform: str, native: str, /, **item: Any) -> None:
        """Somebody edits a thing on a platform."""
        collection = {"erp": "items", "shop": "products"}[platform]
        old = self.platform(platform).things.get(collection, {}).get(native)
        self.platform(platform).put(collection, native, (old.item if old else {"id": native}) | item)

    def items(self, platform: str) -> dict[str, dict[str, Any]]:
        """What a platform holds, by sku."""
        things = next(iter(self.platform(platform).things.values()), {})
        return {thing.item["sku"]: thing.item for thing in things.values()}

    def requests(self, platform: str) -> int:
        return len(self.platform(platform).requests)


async def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until something is so; fails if it does not become so in time."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


__all__ = ["Abilities", "Work", "World", "memory", "until"]
