"""Names that we give: ids of transactions, by which our own writes are known, and ids of documents that we make."""

import re
from hashlib import sha256

from syncd.core.model import Native

OURS = "syncd-"  # and then the key of the write
HASHED = "syncd_"  # and then the hash of a key that no id can have
DRAFT, VERSION = "drafts.", "versions."


def transaction_of(key: str) -> str | None:
    """Return the id of a write's transaction; the same key gives the same one. None without a key."""
    if not key:
        return None
    if re.fullmatch(r"[A-Za-z0-9_-]{1,100}", key):
        return OURS + key
    return HASHED + sha256(key.encode()).hexdigest()[:40]


def own(revision: Native) -> str | None:
    """Return the key of the write that made a revision, "" if we made it and cannot tell by which, None if we did not."""
    if not isinstance(revision, str):
        return None
    if revision.startswith(OURS):
        return revision.removeprefix(OURS)
    return "" if revision.startswith(HASHED) else None


def made_id(kind: str, *parts: str) -> str:
    """Return the id of a document that we make, the same each time. Without a dot: one with a dot is hidden from the public."""
    name = re.sub(r"[^A-Za-z0-9_-]", "-", kind)[:60]
    return f"{name}-{sha256(chr(0).join((kind, *parts)).encode()).hexdigest()[:24]}"


def published_id(native: str) -> str:
    """Return the id of the thing that a document belongs to: drafts and versions have one before it."""
    if native.startswith(DRAFT):
        return native.removeprefix(DRAFT)
    return native.split(".", 2)[-1] if native.startswith(VERSION) else native


def is_published(native: str) -> bool:
    """Return whether an id is that of a published document."""
    return not native.startswith((DRAFT, VERSION))
