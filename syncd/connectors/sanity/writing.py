"""From a write to one transaction: what is sent, guarded by the revision that it was planned on.

Published documents are the things. A draft is never made, changed or published by us, but for the one that we leave behind
when we unpublish; ``write.drafts: always`` writes the same values into a draft that is there, in the same transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from syncd.connectors.body import pick
from syncd.connectors.sanity.options import PUBLISHED, SanityCollection
from syncd.connectors.sanity.own import DRAFT, made_id, own
from syncd.connectors.sanity.patching import document_of, needs_document, patch_of
from syncd.core.model import Native, Op, Write
from syncd.errors import PermanentError

UNTOUCHED = "_syncd_"  # no document has such an attribute: to unset it changes nothing, and can be guarded
Mutation = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ways:
    """How a collection is written: its options, whether revisions guard it, whether drafts are written, its match keys."""

    options: SanityCollection
    guarded: bool
    drafts: bool
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """One transaction, and the id of the thing it is about. Without mutations there is nothing to do."""

    id: str
    mutations: list[Mutation] = field(default_factory=list)


def reads_first(write: Write, ways: Ways) -> bool:
    """Return whether the documents have to be read before the transaction can be made."""
    if write.op is Op.CREATE:
        return _key_of(write, ways) is not None
    if write.op is Op.DELETE:
        return ways.drafts
    return ways.drafts or _publishes(write, ways) or _unpublishes(write, ways) or needs_document(write.values)


def order_of(write: Write, ways: Ways, documents: Mapping[str, Any]) -> Order:
    """Return the transaction of a write; ``documents`` are those of the thing, by id, where they had to be read.

    Raises PermanentError for what cannot be written.
    """
    if write.op is Op.CREATE:
        native = id_of(write, ways)
        key, there = _key_of(write, ways), documents.get(native)
        if key is not None and there is not None and pick(there, key) != write.values[key]:
            native = made_id(ways.options.type, write.key)  # it had this key once, and has another one now
        return Order(native, [{"create": {"_id": native, **document_of(write.values, ways.options.type)}}])
    native = write.id or ""
    published, draft = documents.get(native), documents.get(DRAFT + native)
    if write.op is Op.DELETE:
        return Order(native, _deletions(native, write, ways, draft))
    if _unpublishes(write, ways):
        return Order(native, _retreat(native, write, ways, published))
    if _publishes(write, ways) and published is None:
        return Order(native, _publication(native, write, ways, draft))
    return Order(native, _patches(native, write, ways, published, draft))


def id_of(write: Write, ways: Ways) -> str:
    """Return the id of a new document: the one that is mapped, else made of its match key, else of the write's own key."""
    told = write.values.get("_id")
    if isinstance(told, str) and told:
        return told
    key = _key_of(write, ways)
    parts = (write.key,) if key is None else (key, str(write.values[key]))
    return made_id(ways.options.type, *parts)


def _key_of(write: Write, ways: Ways) -> str | None:
    """Return the match key that makes the id of a new document, None where its id is told or it has none."""
    if write.values.get("_id"):
        return None
    return next((path for path in ways.keys if write.values.get(path) is not None), None)


def _patches(native: str, write: Write, ways: Ways, published: Any, draft: Any) -> list[Mutation]:
    values = dict(write.values)
    if write.op is Op.ARCHIVE and ways.options.deleted is not None:
        values[ways.options.deleted.field] = ways.options.deleted.value
    body = patch_of(values, published or {}, ways.options.type).body()
    mutations = [{"patch": {"id": native, **_guard(write, ways), **(body or {"unset": [UNTOUCHED]})}}]
    if ways.drafts and draft is not None:
        same = patch_of(values, draft, ways.options.type).body()
        mutations += [{"patch": {"id": DRAFT + native, "ifRevisionID": draft["_rev"], **same}}] if same else []
    return mutations


def _deletions(native: str, write: Write, ways: Ways, draft: Any) -> list[Mutation]:
    guard = _guard(write, ways)
    first = [{"patch": {"id": native, **guard, "unset": [UNTOUCHED]}}] if guard else []
    also = [{"delete": {"id": DRAFT + native}}] if ways.drafts and draft is not None else []
    return [*first, {"delete": {"id": native}}, *also]


def _retreat(native: str, write: Write, ways: Ways, published: Any) -> list[Mutation]:
    """Unpublish: what is published becomes the draft, unless there is one, which then stays as it is."""
    if published is None:
        return []
    revision = _guard(write, ways) or {"ifRevisionID": published["_rev"]}
    draft = {**_content(published), "_id": DRAFT + native}
    return [
        {"patch": {"id": native, **revision, "unset": [UNTOUCHED]}},
        {"createIfNotExists": draft},
        {"delete": {"id": native}},
    ]


def _publication(native: str, write: Write, ways: Ways, draft: Any) -> list[Mutation]:
    """Publish the draft that we left behind; that of a person only where drafts are ours to write."""
    if draft is None:
        return []
    if not ways.drafts and own(draft.get("_rev")) is None:
        text = "the draft was edited since it was unpublished, and drafts are not published by syncd (write.drafts: never)"
        raise PermanentError(f"{write.collection}: {text}")
    body = patch_of(write.values, draft, ways.options.type).body()
    change = [{"patch": {"id": native, **body}}] if body else []
    return [
        {"patch": {"id": DRAFT + native, "ifRevisionID": draft["_rev"], "unset": [UNTOUCHED]}},
        {"create": {**_content(draft), "_id": native}},
        *change,
        {"delete": {"id": DRAFT + native}},
    ]


def _content(document: Mapping[str, Native]) -> dict[str, Native]:
    """Return what a document is without what belongs to its revision."""
    return {name: value for name, value in document.items() if name not in {"_id", "_rev", "_updatedAt"}}


def _guard(write: Write, ways: Ways) -> dict[str, Any]:
    return {"ifRevisionID": write.version} if ways.guarded and write.version is not None else {}


def _unpublishes(write: Write, ways: Ways) -> bool:
    return ways.options.unpublishes and (write.op is Op.ARCHIVE or write.values.get(PUBLISHED) is False)


def _publishes(write: Write, ways: Ways) -> bool:
    return ways.options.unpublishes and write.values.get(PUBLISHED) is True
