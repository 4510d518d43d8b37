"""From one element of an answer to one observation: where a thing has its id, its time, its version, its deletion marker."""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from decimal import Decimal

from syncd.connectors.body import excerpt, flaw, pick, salvage
from syncd.connectors.options import Marker
from syncd.connectors.protocol import Broken
from syncd.connectors.times import parse_time
from syncd.core.model import Change, Native, Via


@dataclass(frozen=True, slots=True)
class Seen:
    """How an element was seen: by a request or an event, when, and ``where`` for people who look for it."""

    via: Via
    as_of: int
    seen_at: int
    where: str


@dataclass(frozen=True, slots=True)
class Shape:
    """How the things of one collection look. Paths are dotted."""

    platform: str
    collection: str
    id: str
    changed_at: str | None = None
    version: str | None = None
    deleted: Marker | None = None
    zone: tzinfo = UTC

    def observe(self, element: Native, reason: str | None, seen: Seen, *, version: int | str | None = None) -> Change | Broken:
        """Return what an element says, or why it says nothing: ``reason`` is its flaw if it has one."""
        native_id = self.native_id(element)
        if not reason and not isinstance(element, dict):
            reason = "not an object"
        if not reason and native_id is None:
            reason = f'no id at "{self.id}"'
        if reason or native_id is None:
            return Broken(self.platform, self.collection, native_id, seen.where, reason or "", excerpt(element))
        return Change(
            self.platform,
            self.collection,
            native_id,
            seen.via,
            seen.as_of,
            seen.seen_at,
            item=element,
            gone=self.is_deleted(element),
            version=version if version is not None else self._version(element),
            changed_at=self.time(element),
        )

    def gone(self, native_id: str, seen: Seen, *, changed_at: int | None = None) -> Change:
        """Return that a thing is not there."""
        return Change(
            self.platform,
            self.collection,
            native_id,
            seen.via,
            seen.as_of,
            seen.seen_at,
            gone=True,
            changed_at=changed_at,
        )

    def native_id(self, element: Native) -> str | None:
        """Return the id of an element as text, None if there is none that can be used."""
        found = pick(salvage(element), self.id)
        if isinstance(found, str):
            return found if found and not flaw(found) else None
        if isinstance(found, bool) or not isinstance(found, int | Decimal):
            return None
        return None if flaw(found) else str(found)

    def time(self, element: Native) -> int | None:
        """Return when the thing was changed last, if it says so."""
        return parse_time(pick(element, self.changed_at), self.zone) if self.changed_at else None

    def is_deleted(self, element: Native) -> bool:
        """Return whether the thing carries the deletion marker."""
        return self.deleted is not None and pick(element, self.deleted.field) == self.deleted.value

    def _version(self, element: Native) -> int | str | None:
        found = pick(element, self.version) if self.version else None
        if isinstance(found, bool) or found is None:
            return None
        return found if isinstance(found, int | str) else str(found)
