"""The GROQ that is sent, and nothing else: always keyset paging, never offsets, so that edits shift nothing out of sight."""

from dataclasses import dataclass

from syncd.connectors.sanity.options import SanityCollection
from syncd.connectors.sanity.paths import REF, expression, projection, quoted

IN_SCOPE = "_in_scope"  # beside the attributes of a document
SYSTEM = ("_id", "_type", "_rev", "_createdAt", "_updatedAt")
DRAFTS = '_id in path("drafts.**")'
VERSIONS = '_id in path("versions.**")'
PUBLISHED_ONLY = f"!({DRAFTS}) && !({VERSIONS})"


@dataclass(frozen=True, slots=True)
class Queries:
    """The queries of one collection. ``fields`` are the mapped paths; without any, whole documents are read."""

    options: SanityCollection
    fields: tuple[str, ...] = ()

    @property
    def scope(self) -> str:
        """Return the condition under which a document is in the collection."""
        extra = f" && ({self.options.filter}\n)" if self.options.filter else ""
        return f"_type == $type{extra}"

    @property
    def shown(self) -> str:
        """Return what is read of a document."""
        mapped = projection([path for path in self.fields if path not in SYSTEM])
        own = f'"{IN_SCOPE}": coalesce({self.scope}, false), {", ".join(SYSTEM)}'
        return f"{{{own}, {mapped or '...'}}}"

    def page(self, size: int, *, drafts: bool = False) -> str:
        """Return the documents after ``$after``, by id: the published ones, or the drafts."""
        which = DRAFTS if drafts else PUBLISHED_ONLY
        return f"*[{self.scope} && {which} && _id > $after] | order(_id asc)[0...{size}]{self.shown}"

    def changed(self, size: int, *, first: bool) -> str:
        """Return what was changed from ``$at`` on, drafts too, oldest first; after the first page what follows ``$past`` there.

        Text is compared with text: so the order of the pages is that of their bounds, whatever precision times have.
        """
        after = "_updatedAt >= $at" if first else "(_updatedAt > $at || (_updatedAt == $at && _id > $past))"
        which = f"_type == $type && !({VERSIONS})"
        return f"*[{which} && {after}] | order(_updatedAt asc, _id asc)[0...{size}]{self.shown}"

    def by_id(self) -> str:
        """Return the documents with ``$ids``, of whatever type."""
        return f"*[_id in $ids]{self.shown}"

    def by_value(self, path: str) -> str:
        """Return the documents that have one of ``$values`` at a path."""
        return f"*[{self.scope} && !({VERSIONS}) && {expression(path)} in $values] | order(_id asc){self.shown}"

    def seen(self) -> str:
        """Return whether there is any document, and then for each mapped path whether any document has something there."""
        places = [expression(path.removesuffix(f".{REF}")) for path in self.fields]
        asked = ["_type == $type", *(f"_type == $type && defined({place})" for place in places)]
        return f"[{', '.join(f'count(*[{one}][0...1]) > 0' for one in asked)}]"

    def heard(self) -> str:
        """Return the filter to listen to: joins do not work there, so it is no narrower than the type."""
        return f"*[_type == {quoted(self.options.type)}]"


WHOLE = "*[_id in $ids]"  # documents as they are stored, for patches that need them
EXISTING = "*[_id in $ids]._id"
