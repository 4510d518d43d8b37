"""The vendor's GROQ evaluator in a Node child process that holds the dataset. One question at a time."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from syncd.connectors.body import decode, encode
from tests.node import installed, node

PROGRAM = Path(__file__).with_name("groq.mjs")
RESULT = b'{"result":'
LONGEST = 512 * 1024 * 1024  # bytes of one answer


class BadQueryError(ValueError):
    """The evaluator does not understand a query."""

    def __init__(self, description: str, start: int) -> None:
        super().__init__(description)
        self.start = start


class Evaluator:
    """Runs queries over the documents that it was fed. Entered, the process runs; left, it ends."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._asking = asyncio.Lock()

    async def __aenter__(self) -> Self:
        folder = await asyncio.to_thread(installed, "groq")
        program = await asyncio.to_thread(node, "groq")
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            program, str(PROGRAM), str(folder), stdin=pipe, stdout=pipe, limit=LONGEST
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()
            process._transport.close()  # type: ignore[attr-defined]

    async def feed(self, put: Sequence[dict[str, Any]], drop: Sequence[str] = ()) -> None:
        """Show documents to queries, and take others away."""
        await self._ask({"put": list(put), "drop": list(drop)})

    async def query(self, query: str, params: dict[str, Any], perspective: str, **window: Any) -> bytes:
        """Return what a query finds, as JSON; raises BadQueryError."""
        return await self._answer({"query": query, "params": params, "perspective": perspective, **window})

    async def match(self, query: str, params: dict[str, Any], documents: Sequence[dict[str, Any] | None]) -> list[bool]:
        """Return for each document whether a filter lets it through; raises BadQueryError."""
        found: list[bool] = await self._ask({"match": query, "params": params, "documents": list(documents)})
        return found

    async def _ask(self, question: dict[str, Any]) -> Any:
        return decode(await self._answer(question))

    async def _answer(self, question: dict[str, Any]) -> bytes:
        async with self._asking:
            process = self._process
            assert process is not None
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(encode(question) + b"\n")
            await process.stdin.drain()
            line = await process.stdout.readline()
        if line.startswith(RESULT):
            return line[len(RESULT) : -2]
        error = decode(line)["error"]
        raise BadQueryError(error["description"], error["start"])
