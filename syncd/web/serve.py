"""Listening: the one place that says how both apps are served."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from syncd.errors import SyncdError

IDLE = 75.0  # seconds; also the time a client has to send its first request
STOP = 5.0
LINGER = 1.0  # how long the rest of a refused body is read, so that the client sees the answer


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve the app until the block is left; yields the port (0 asks for a free one). Requests under way are finished.

    Raises SyncdError if the address cannot be had. Bodies are not decompressed: signatures are made over what was sent.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        auto_decompress=False,
        keepalive_timeout=IDLE,
        lingering_time=LINGER,
        shutdown_timeout=STOP,
        handle_signals=False,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise SyncdError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
