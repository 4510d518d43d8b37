"""What the token may do, found out by transactions that are rehearsed and never carried out (``dryRun``)."""

from typing import Any

from syncd.connectors.protocol import Rights
from syncd.connectors.sanity.dataset import Dataset
from syncd.connectors.sanity.paths import follows
from syncd.connectors.sanity.queries import SYSTEM, Queries
from syncd.connectors.sanity.refusals import FORBIDDEN, check, refusal_of
from syncd.errors import ConnectorError

NEVER = "syncd-check"  # the id of a document that is never there
MANAGES = frozenset(("administrator", "developer"))  # roles that may do more than read and write documents


async def rights_of(dataset: Dataset, queries: Queries, writes: tuple[str, ...]) -> Rights:
    """Return whether documents of a type may be written, which of these paths nobody can write, and which paths none has.

    Raises ConnectorError.
    """
    kind, unseen = queries.options.type, await _unseen(dataset, queries)
    unwritable = tuple(path for path in writes if follows(path) or (path in SYSTEM and path != "_id"))
    has = await _roles(dataset)
    excess = tuple(role for role in has if role in MANAGES)
    reply = await dataset.rehearse(_rehearsal(kind))
    why = refusal_of(reply)
    if reply.status == 403 or why.kind == FORBIDDEN:
        missing = (why.permission or "create",)
        return Rights(write=False, refused=tuple(writes), has=has, missing=missing, excess=excess, unseen=unseen)
    check(reply)
    if unwritable:  # whatever the token may do
        return Rights(write=False, refused=unwritable, excess=excess, unseen=unseen)
    return Rights(write=True, has=has, excess=excess, unseen=unseen)


async def _unseen(dataset: Dataset, queries: Queries) -> tuple[str, ...]:
    """Return the mapped paths at which no document of the type has anything; none where there are no documents."""
    _, found, _ = await dataset.query(queries.seen(), {"type": queries.options.type})
    some, *known = found or [False]
    return tuple(path for path, there in zip(queries.fields, known, strict=False) if some and there is False)


def _rehearsal(kind: str) -> list[dict[str, Any]]:
    """Return a transaction of everything that a write can do, on a document that it makes and takes away itself."""
    return [
        {"create": {"_id": NEVER, "_type": kind}},
        {"patch": {"id": NEVER, "set": {"syncd": True}}},
        {"delete": {"id": NEVER}},
    ]


async def _roles(dataset: Dataset) -> tuple[str, ...]:
    """Return the names of the token's roles; none where it is not told."""
    try:
        found = await dataset.me()
    except ConnectorError:
        return ()
    roles = found.get("roles")
    names = [one.get("name") for one in roles if isinstance(one, dict)] if isinstance(roles, list) else [found.get("role")]
    return tuple(str(name) for name in names if name)
