"""From documents to observations: what of a draft and its published document is the thing, and what it shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from syncd.connectors.body import Parsed, salvage
from syncd.connectors.http import Reply
from syncd.connectors.protocol import Broken
from syncd.connectors.sanity.options import PUBLISHED, SanityCollection
from syncd.connectors.sanity.own import DRAFT, is_published, own
from syncd.connectors.sanity.paths import follows, settle
from syncd.connectors.sanity.queries import IN_SCOPE
from syncd.connectors.shape import Seen, Shape
from syncd.core.model import Change, Native, Via


@dataclass(frozen=True, slots=True)
class Document:
    """One document as an answer shows it, and what is wrong with it."""

    value: Any
    flaw: str | None
    seen: Seen

    @property
    def id(self) -> str:
        """Return its own id, that of a draft with what stands before it; "" if it has none."""
        found = self.attribute("_id")
        return found if isinstance(found, str) else ""

    @property
    def in_scope(self) -> bool:
        """Return whether it is in the collection."""
        return isinstance(self.value, dict) and self.value.get(IN_SCOPE) is True

    def attribute(self, name: str) -> Native:
        """Return one of its attributes."""
        made = salvage(self.value)
        return salvage(made.get(name)) if isinstance(made, dict) else None


def documents(parsed: Parsed, found: Sequence[Any], reply: Reply) -> list[Document]:
    """Return the documents of an answer."""
    seen = seen_of(reply)
    return [Document(one, parsed.flaw(one), seen) for one in found]


def seen_of(reply: Reply) -> Seen:
    """Return how what an answer shows was seen."""
    return Seen(Via.READ, reply.as_of, reply.seen_at, reply.place)


@dataclass(frozen=True, slots=True)
class Looks:
    """Makes the observations of one collection. ``fields`` are its mapped paths."""

    shape: Shape
    options: SanityCollection
    fields: tuple[str, ...] = ()

    def thing(self, document: Document) -> Change | Broken:
        """Return a thing by its published document, or by a draft that has none beside it: then it is unpublished."""
        if document.flaw or not document.id:
            return self.shape.observe(document.value, document.flaw, document.seen)
        published = is_published(document.id)
        item = {key: value for key, value in document.value.items() if key != IN_SCOPE}
        item |= {"_id": document.id.removeprefix(DRAFT), PUBLISHED: published}
        made = self.shape.observe(settle(item, self.fields), None, document.seen)
        if isinstance(made, Broken):
            return made
        if not document.in_scope:
            return replace(made, item=None, gone=False, left=True)
        return replace(made, own=own(item.get("_rev")))

    def written(self, document: Mapping[str, Any], seen: Seen) -> Change | Broken:
        """Return a thing as the answer to a write shows it: what is behind references is not in it."""
        wanted = {path.partition(".")[0].partition("[")[0] for path in self.fields if not path.endswith("->")}
        shown = {key: value for key, value in document.items() if not wanted or key in wanted or key.startswith("_")}
        whole = shown | {IN_SCOPE: True}
        return replace(self, fields=tuple(f for f in self.fields if not follows(f))).thing(Document(whole, None, seen))

    def absent(self, native_id: str, seen: Seen) -> Change:
        """Return that there is no such thing."""
        return self.shape.gone(native_id, seen)

    def of(self, native_id: str, found: Mapping[str, Document], seen: Seen) -> Change | Broken:
        """Return what a thing is by those of its documents that were found: published, as a draft only, or gone."""
        document = found.get(native_id)
        if document is None and self.options.unpublishes:
            document = found.get(DRAFT + native_id)
        if document is not None and document.flaw:
            return self.thing(document)
        if document is None or document.attribute("_type") != self.options.type:
            return self.absent(native_id, seen)
        return self.thing(document)
