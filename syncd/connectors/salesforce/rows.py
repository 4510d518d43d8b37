"""The records of one collection: what is selected of them, and what each says as a change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from typing import Any

from syncd.connectors.body import BadBody, canonical
from syncd.connectors.protocol import Broken, Collection
from syncd.connectors.salesforce.options import SalesforceCollection
from syncd.connectors.salesforce.query import Sheet
from syncd.connectors.salesforce.schema import Described
from syncd.connectors.salesforce.soql import full_id, name
from syncd.connectors.shape import Seen, Shape
from syncd.connectors.times import parse_time
from syncd.core.model import Change, Item, Native, Via

DELETED, MASTER, AUTHOR, SAVED = "IsDeleted", "MasterRecordId", "LastModifiedById", "SystemModstamp"


class Rows:
    """The records of one collection, as the object was described.

    ``stamp``: the field by which they are polled, '' if there is none. ``listed``: they are polled by lists of their ids.
    """

    def __init__(self, collection: Collection, described: Described, platform: str, cursor: str | None = None) -> None:
        self.options: SalesforceCollection = collection.options
        self.described = described
        self.stamp = stamp_of(self.options, cursor, described)
        self.listed = cursor is None and changed_at_of(self.options, described) is None
        self.paths = paths_of(collection, self.stamp, described)
        self.keys = collection.keys
        changed_at = changed_at_of(self.options, described)
        self._shape = Shape(platform, collection.name, "Id", changed_at, None, self.options.deleted)
        self._ids = [path for path in self.paths if "." not in path and described.fields[path].is_id]
        self._parents = [path for path in self.paths if "." in path]

    @property
    def select(self) -> str:
        """Return the query without its conditions."""
        return f"SELECT {','.join(name(path) for path in self.paths)} FROM {self.options.object}"  # noqa: S608 - names

    @property
    def has_bin(self) -> bool:
        """Return whether deleted records can still be asked for."""
        return DELETED in self.described.fields

    def told(self, record: Native, reason: str | None, seen: Seen) -> Change | Broken:
        """Return what a record says; ``reason`` is its flaw if it has one. One in the bin may have lost a merge."""
        item = self.item(record) if isinstance(record, dict) and not reason else record
        change = self._shape.observe(item, reason, seen, version=None if reason else self._version(item))
        if isinstance(change, Broken) or not isinstance(item, dict) or item.get(DELETED) is not True:
            return change
        master = item.get(MASTER)
        gone = self._shape.gone(change.id, seen, changed_at=change.changed_at)
        return replace(gone, merged_into=full_id(master) if isinstance(master, str) and master else None)

    def of_sheets(self, found: Iterable[Sheet]) -> list[Change | Broken]:
        """Return what the records of some pages say."""
        return [
            self.told(one, sheet.parsed.flaw(one), seen)
            for sheet in found
            for seen in [Seen(Via.READ, sheet.reply.as_of, sheet.reply.seen_at, sheet.reply.place)]
            for one in sheet.records
        ]

    def gone(self, native_id: str, seen: Seen) -> Change:
        """Return that there is no such record."""
        return self._shape.gone(native_id, seen)

    def left(self, change: Change) -> Change:
        """Return that a record is there, and not in scope."""
        place = (change.platform, change.collection, change.id)
        return Change(*place, change.via, change.as_of, change.seen_at, left=True, changed_at=change.changed_at)

    def stamp_of(self, record: Native) -> int | None:
        """Return the time by which a record is polled."""
        return parse_time(record.get(self.stamp)) if isinstance(record, dict) else None

    def item(self, record: dict[str, Any]) -> Item:
        """Return a record as the platform's item: no attributes, ids with 18 characters, parents that are not there as null."""
        item = plain(record)
        for path in self._ids:
            if isinstance(item.get(path), str):
                item[path] = full_id(item[path])
        for path in self._parents:
            fill_parent(item, path.split("."))
        return item

    def _version(self, item: Native) -> str | None:
        """Return a version that moves with every edit: a stamp has whole seconds, so what was read is part of it."""
        stamp = item.get(self.stamp) if isinstance(item, dict) else None
        if not isinstance(stamp, str):
            return None
        try:
            content = canonical(comparable(item))
        except BadBody:
            return None
        return f"{stamp}~{sha256(content).hexdigest()[:12]}"


def stamp_of(options: SalesforceCollection, cursor: str | None, described: Described) -> str:
    """Return the field by which a collection is polled; '' if the object has none."""
    return cursor or changed_at_of(options, described) or (SAVED if SAVED in described.fields else "")


def changed_at_of(options: SalesforceCollection, described: Described) -> str | None:
    """Return the field that says when a record was changed: what is built in is not on every object."""
    return None if options.changed_at == SAVED and SAVED not in described.fields else options.changed_at


def paths_of(collection: Collection, stamp: str, described: Described) -> list[str]:
    """Return what is read of each record, each path once."""
    options: SalesforceCollection = collection.options
    wanted = ["Id", changed_at_of(options, described), stamp, options.deleted and options.deleted.field, options.external_id]
    wanted += [one for one in (DELETED, MASTER, AUTHOR, SAVED) if one in described.fields]
    wanted += [*collection.fields, *collection.keys, *collection.writes]
    return list(dict.fromkeys(one for one in wanted if one))


def split(told: Iterable[Change | Broken]) -> tuple[list[Change], list[Broken]]:
    """Return the changes, and apart from them what could not be read."""
    found = list(told)
    return [one for one in found if isinstance(one, Change)], [one for one in found if isinstance(one, Broken)]


def plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record without the attributes that name its type and address, its parents' neither."""
    return {
        key: plain(value) if isinstance(value, dict) and "attributes" in value else value
        for key, value in record.items()
        if key != "attributes"
    }


def fill_parent(item: dict[str, Any], steps: Sequence[str]) -> None:
    """Write null where a parent that is not there would have the field: there is none, which is something else than unread."""
    here = item
    for step in steps[:-1]:
        below = here.get(step)
        if below is None:
            below = here[step] = {}
        if not isinstance(below, dict):
            return
        here = below
    here.setdefault(steps[-1], None)


def comparable(value: Native) -> Native:
    """Return a value so that the same number is the same text: 3, 3.0 and what a CSV says."""
    if isinstance(value, dict):
        return {key: comparable(one) for key, one in value.items()}
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return value
    return f"{Decimal(value).normalize():f}"
