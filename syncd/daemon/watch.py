"""``watch_config: true``: an edit of the config folder is taken over as by ``syncd reload``, once it has settled."""

import asyncio
from contextlib import suppress
from pathlib import Path

from watchfiles import awatch

from syncd.config.folder import read_folder
from syncd.daemon.runtime import Runtime
from syncd.daemon.upkeep import renewals
from syncd.errors import SyncdError

SETTLE = 1.0  # seconds without a further change
LOOK = 15_000  # milliseconds after which the folder is looked at all the same: it may have been exchanged as a whole
STEP = 100  # milliseconds between two looks for changes


async def watch_forever(runtime: Runtime) -> None:
    """Reload whenever the texts of the config folder are others, while the config says so."""
    with renewals(runtime) as renewed:
        while True:
            renewed.clear()
            if runtime.config.upkeep.watch:
                await watched(runtime)
            else:
                await renewed.wait()


async def watched(runtime: Runtime) -> None:
    """Watch the folder until the config does not say so any more."""
    tried, stop, touched = dict(runtime.config.texts), asyncio.Event(), asyncio.Event()
    bell = asyncio.create_task(ring(Path(runtime.config.folder), touched, stop), name="watch")
    try:
        while runtime.config.upkeep.watch:
            await touched.wait()
            await settled(touched)
            if bell.done():
                await bell  # its reason is this loop's
                return
            texts = await asyncio.to_thread(texts_of, runtime.config.folder)
            if texts == tried or (texts == runtime.config.texts and not runtime.reload_failed):
                continue
            tried = texts
            with suppress(SyncdError):  # what is wrong was said, and the old config stays
                assert runtime.reload is not None
                await runtime.reload()
    finally:
        stop.set()
        bell.cancel()
        await asyncio.gather(bell, return_exceptions=True)


async def settled(touched: asyncio.Event) -> None:
    """Wait until nothing changed for a moment."""
    while touched.is_set():
        touched.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE):
                await touched.wait()


async def ring(folder: Path, touched: asyncio.Event, stop: asyncio.Event) -> None:
    """Set the event at every change below a folder, and now and then without one."""
    options = {"watch_filter": None, "debounce": STEP, "step": STEP // 2, "rust_timeout": LOOK, "yield_on_timeout": True}
    try:
        async for _ in awatch(folder, stop_event=stop, **options):  # type: ignore[arg-type]
            touched.set()
    finally:
        touched.set()


def texts_of(folder: str) -> dict[str, str]:
    """Return the texts of the folder as a config would be loaded from it; files of editors are none."""
    return {source.path: source.text for source in read_folder(folder)}
