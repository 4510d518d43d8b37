"""One collection as the service's metadata has it, and its things made into observations."""

from dataclasses import dataclass
from datetime import tzinfo

from syncd.connectors.body import excerpt, flaw, pick, salvage
from syncd.connectors.http import Reply
from syncd.connectors.odata import answers
from syncd.connectors.odata.literals import id_in_address, id_of, key_of, literal, predicate
from syncd.connectors.odata.moments import Unfit
from syncd.connectors.odata.options import OdataCollection, OdataConnection
from syncd.connectors.odata.schema import EntitySet, Property, Service, Structure
from syncd.connectors.odata.values import Values
from syncd.connectors.protocol import Broken
from syncd.connectors.times import parse_time
from syncd.core.model import Change, Native, Via

CHANGED_BY = "LastChangedByUser"  # SAP's usual name, where own_user is given and changed_by is not


@dataclass(frozen=True, slots=True)
class Dated:
    """When things were changed last, by one property, or two where ``clock`` has the time of the day.

    ``by_day``: the service can only be asked by days.
    """

    told: Property
    clock: str | None
    by_day: bool
    zone: tzinfo

    def time(self, item: Native) -> int | None:
        """Return when a thing was changed last, microseconds: of a bare day its beginning."""
        day = pick(item, self.told.name)
        time = pick(item, self.clock) if self.clock else None
        if isinstance(day, str) and isinstance(time, str):
            return parse_time(f"{day[:10]}T{time}", self.zone)
        return parse_time(day, self.zone)


@dataclass(frozen=True, slots=True)
class Things:
    """The things of one entity set as configured."""

    platform: str
    name: str
    options: OdataCollection
    connection: OdataConnection
    service: Service
    set: EntitySet
    shape: Structure
    zone: tzinfo

    @property
    def values(self) -> Values:
        """Return how values are read and written here."""
        return Values(self.service, self.zone)

    @property
    def changed_by(self) -> str | None:
        """Return the property that names who changed a thing last."""
        given = self.options.changed_by
        usual = CHANGED_BY if self.connection.own_user is not None and CHANGED_BY in self.shape.properties else None
        return given or usual

    def said(self, name: str, value: Native) -> str:
        """Return a value of a property as a filter says it; raises Unfit."""
        return literal(self.shape.properties[name], value, v2=self.service.is_v2, zone=self.zone)

    def path_of(self, native_id: str) -> str | None:
        """Return the quoted path of a thing, None if the id can be none of these things."""
        key = key_of(self.shape, native_id)
        if key is None:
            return None
        try:
            return f"/{self.set.name}{predicate(self.shape, key, v2=self.service.is_v2, zone=self.zone)}"
        except Unfit:
            return None

    def id_of(self, element: Native) -> str | None:
        """Return the id of an element as the service showed it."""
        raw = salvage(element)
        return id_of(self.shape, self.values.thing(self.shape, raw)) if isinstance(raw, dict) else None

    # ---- observations

    def observe(self, element: Native, reason: str | None, reply: Reply, *, etag: str | None = None) -> Change | Broken:
        """Return what an element says, or why it says nothing: ``reason`` is its flaw if it has one."""
        raw = salvage(element)
        item = self.values.thing(self.shape, raw) if isinstance(raw, dict) else None
        native_id = id_of(self.shape, item)
        if native_id is not None and flaw(native_id):
            native_id = None
        if not reason and item is None:
            reason = "not an object"
        if not reason and native_id is None:
            reason = f"no key: {', '.join(self.shape.key)}"
        if reason or native_id is None or item is None:
            return Broken(self.platform, self.name, native_id, reply.place, reason or "", excerpt(element))
        marker = self.options.deleted
        by = pick(item, self.changed_by) if self.changed_by else None
        return Change(
            self.platform,
            self.name,
            native_id,
            Via.READ,
            reply.as_of,
            reply.seen_at,
            item=item,
            gone=marker is not None and pick(item, marker.field) == marker.value,
            version=(answers.etag_of(self.service, raw) or etag) if self.options.version else None,
            changed_at=self.told_time(item),
            by=by if isinstance(by, str) and by else None,
            own="" if self._is_ours(by) else None,
        )

    def gone(self, native_id: str, reply: Reply | tuple[int, int], *, via: Via = Via.READ, left: bool = False) -> Change:
        """Return that a thing is not there, or (``left``) not among those that the filter is about."""
        as_of, seen_at = reply if isinstance(reply, tuple) else (reply.as_of, reply.seen_at)
        return Change(self.platform, self.name, native_id, via, as_of, seen_at, gone=not left, left=left)

    def removed_id(self, element: Native) -> str | None:
        """Return the id of an entry that a delta removes: by its key, else by the key in its address."""
        return self.id_of(element) or self.id_in(answers.address_of(salvage(element)))

    def id_in(self, address: str) -> str | None:
        """Return the id of the thing that an address of the service names."""
        return id_in_address(self.shape, address)

    def _is_ours(self, by: Native) -> bool:
        """Return whether the service names our user; SAP writes users in capitals, whoever wrote them how."""
        ours = self.connection.own_user
        return ours is not None and isinstance(by, str) and by.casefold() == ours.casefold()

    # ---- times

    def dated_by(self, name: str) -> Dated:
        """Return how the service can be asked for what changed, by the property of that name."""
        clock = self.options.changed_time if name == self.options.changed_at else None
        told = self.shape.properties[name]
        return Dated(told, clock, by_day=told.day or clock is not None, zone=self.zone)

    def told_time(self, item: Native) -> int | None:
        """Return the time of the last change as an observation may carry it: a bare day only where the config says so."""
        if self.options.changed_at is None:
            return None
        dated = self.dated_by(self.options.changed_at)
        vague = dated.told.day and dated.clock is None and not self.options.day_only
        return None if vague else dated.time(item)
