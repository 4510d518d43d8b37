"""The stage of the demo: a folder with a config that fits it, three platforms, and a real ``syncd run`` beside them."""

import asyncio
import shutil
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from syncd.demo import shelf
from syncd.demo.erp import NAMES, Erp
from syncd.demo.service import Service, free_port
from syncd.demo.shop import Manners, Shop, shared_secret
from syncd.demo.warehouse import Warehouse

CONFIG = Path(__file__).parent / "config"
STOCK = {sku: 5 + 3 * number for number, (sku, _, _) in enumerate(NAMES)}


class Stage:
    """Everything the demo runs on, under one folder. Left, it has stopped what it started; the folder stays."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config"
        self.shop = Shop(manners=Manners(throttle_every=30))
        self.began = time.monotonic()
        self.log = folder / "syncd.log"
        self.syncd = Service(self.config, self.log)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start the three platforms and write the config that names them."""
        self.erp = Erp(self.folder / "erp.db")
        self.warehouse = Warehouse(self.folder / "drop", dict(STOCK))
        await self._stack.enter_async_context(self.shop)
        hooks = free_port()
        self.shop.hook_url = f"http://127.0.0.1:{hooks}/hooks/shop"
        self._write_config(hooks)
        self.shelf = await self._stack.enter_async_context(shelf.running()) if shelf.installed() else None
        if self.shelf:
            self.shelf.extend(self.config)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop syncd, then the platforms."""
        await self.syncd.stop()
        await self._stack.aclose()

    def _write_config(self, hooks: int) -> None:
        """Copy the config that syncd ships and put this stage's addresses in."""
        places = {
            "127.0.0.1:0               # webhooks": f"127.0.0.1:{hooks}  # webhooks",
            "${STATE_DIRECTORY}/ledger.db": str(self.folder / "ledger.db"),
            "http://127.0.0.1:8080": self.shop.url,
            "/srv/erp/erp.db": str(self.erp.path),
            "/srv/drop": str(self.warehouse.folder),
        }
        shutil.copytree(CONFIG, self.config, ignore=shutil.ignore_patterns(".schema", "secrets"))
        for path in self.config.rglob("*.yaml"):
            text = path.read_text(encoding="utf-8")
            for ours, theirs in places.items():
                text = text.replace(ours, theirs)
            text = text.replace("  hooks:", f"  control: {self.folder / 'control.sock'}\n  hooks:")
            path.write_text(text, encoding="utf-8")
        secrets = self.config / "secrets"
        secrets.mkdir(mode=0o700)
        (secrets / "shop-webhook").write_text(shared_secret(self.shop.secret), encoding="utf-8")
        (secrets / "shop-webhook").chmod(0o600)

    # ---- time

    @property
    def now(self) -> float:
        """Seconds since the stage was set."""
        return time.monotonic() - self.began

    async def until(self, true: Callable[[], bool], what: str, *, within: float = 10.0) -> float:
        """Wait until something is true; return how long it took. Raises TimeoutError naming what did not happen."""
        start = time.monotonic()
        while not true():
            if time.monotonic() - start > within:
                raise TimeoutError(f"did not happen within {within:g} s: {what}; see {self.log}")
            await asyncio.sleep(0.02)
        return time.monotonic() - start

