"""What the vendor's own libraries say (@sanity/webhook, @sanity/client), asked in a Node process."""

import asyncio
import json
from pathlib import Path
from typing import Any

from tests import node

SCRIPT = Path(__file__).with_suffix(".mjs")


async def vendor(question: Any) -> Any:
    """Return the answer to a question that ``sanity_vendor.mjs`` understands."""
    folder = await asyncio.to_thread(node.installed, "sanity")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        node.node("sanity"), "--input-type=module", "-e", SCRIPT.read_text(), cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe
    )
    async with asyncio.timeout(60):
        said, complaint = await process.communicate(json.dumps(question).encode())
    process._transport.close()  # type: ignore[attr-defined]
    assert process.returncode == 0, complaint.decode()[-2000:]
    return json.loads(said)
