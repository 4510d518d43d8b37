"""Listeners: server-sent events of what happens to the documents that a filter lets through."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from syncd.connectors.body import encode
from tests.emulators.sanity.dataset import Transaction

KEEP_ALIVE = b":\n\n"


@dataclass(eq=False)
class Listener:
    """One open stream. ``queue`` holds what is to be sent; None ends it, without a word."""

    query: str
    params: dict[str, Any]
    options: dict[str, str]
    queue: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


def framed(name: str, data: Any) -> bytes:
    """Return one event."""
    return b"event: " + name.encode() + b"\ndata: " + encode(data) + b"\n\n"


def is_heard(listener: Listener, native: str) -> bool:
    """Return whether a listener hears of a document at all: of drafts and versions only if it asked for them."""
    return not native.startswith(("drafts.", "versions.")) or listener.options.get("includeAllVersions") == "true"


def event_of(listener: Listener, done: Transaction, native: str, number: int, *, was: bool, now: bool) -> bytes:
    """Return the event of one document of a transaction."""
    before, after = done.documents[native]
    event: dict[str, Any] = {
        "eventId": f"{done.id}#{native}",
        "documentId": native,
        "transactionId": done.id,
        "transition": "update" if was and now else "appear" if now else "disappear",
        "identity": done.author,
        "timestamp": done.at,
        "visibility": listener.options.get("visibility", "transaction"),
        "transactionTotalEvents": len(done.documents),
        "transactionCurrentEvent": number,
    }
    if before is not None:
        event["previousRev"] = before["_rev"]
    if after is not None:
        event["resultRev"] = after["_rev"]
    if listener.options.get("includeMutations") != "false":
        event["mutations"] = done.mutations
    if listener.options.get("includeResult") == "true" and after is not None:
        event["result"] = after
    return framed("mutation", event)
