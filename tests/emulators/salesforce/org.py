"""One emulated organisation: rows with what is committed and what is visible, their history, and the events they made.

A row edited while ``held`` is stamped at once and shown only after ``release``: that is how a long transaction looks from
outside. Nothing here knows of HTTP or gRPC.
"""

import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.emulators.salesforce.ids import checked, known, numbered
from tests.emulators.salesforce.objects import NUMBERS, Field, Object, ordinary
from tests.emulators.salesforce.values import Refused, stamp, taken

Fields = dict[str, Any]
ORG_ID = checked("00D5g00000Acme1")
USER_ID = checked("0055g00000Sync1")  # the user that the connector works as
OTHER_USER = checked("0055g00000Anna1")


@dataclass
class Row:
    """One row: as committed, and as it was before while that is not visible yet."""

    now: Fields
    shown: Fields | None


@dataclass
class Event:
    """One change event, before it is put on the bus. ``values``: the changed fields; ``nulled``: those set to null."""

    entity: str
    ids: list[str]
    kind: str
    values: Fields
    at: datetime
    user: str
    origin: str
    transaction: str
    sequence: int = 1


@dataclass
class Who:
    """Who does something, and with what: ``origin`` stands in the change event."""

    user: str = OTHER_USER
    origin: str = ""
    allow_duplicates: bool = False


SOMEBODY = Who()


@dataclass
class Org:
    """All that the organisation holds, and what a test may turn: duplicate rules, refusals, visibility."""

    objects: dict[str, Object] = field(default_factory=ordinary)
    tables: dict[str, dict[str, Row]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    listeners: list[Callable[[], None]] = field(default_factory=list)
    duplicate_rules: set[tuple[str, str]] = field(default_factory=set)
    refusals: list[tuple[Callable[[str, Fields], bool], Refused]] = field(default_factory=list)
    clock: Callable[[], datetime] = field(default_factory=lambda: lambda: datetime.now(UTC))
    held: bool = False
    purged: list[tuple[str, Fields]] = field(default_factory=list)  # only the list of deleted ids still knows them
    _hidden: list[Row] = field(default_factory=list)
    _late: list[Event] = field(default_factory=list)
    _ids: dict[str, Iterator[str]] = field(default_factory=dict)
    _open: list[Event] | None = None
    _undo: list[tuple[dict[str, Row], str, Row | None]] = field(default_factory=list)
    _unique: dict[tuple[str, str, str], str] = field(default_factory=dict)
    _transaction: str = ""
    _last: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    # ---- what is there

    def object(self, name: str) -> Object:
        """Return an object; raises Refused (404) if there is none."""
        found = self.objects.get(name) or next((one for key, one in self.objects.items() if key.lower() == name.lower()), None)
        if found is None:
            raise Refused("NOT_FOUND", "The requested resource does not exist", status=404)
        return found

    def table(self, name: str) -> dict[str, Row]:
        """Return the rows of an object by id."""
        return self.tables.setdefault(self.object(name).name, {})

    def rows(self, name: str, *, deleted: bool = False) -> Iterator[Fields]:
        """Yield the visible rows of an object in the order of their ids, those in the bin only if asked for."""
        for row in self.table(name).values():
            if row.shown is not None and (deleted or not row.shown["IsDeleted"]):
                yield row.shown

    def row(self, name: str, native_id: str) -> Fields:
        """Return one visible row; raises Refused if it is not there or was deleted."""
        found = self.table(name).get(known(native_id) or "")
        if found is None or found.shown is None:
            raise Refused("NOT_FOUND", "The requested resource does not exist", status=404)
        if found.shown["IsDeleted"]:
            raise Refused("ENTITY_IS_DELETED", "entity is deleted", status=404)
        return found.shown

    def held_row(self, name: str, native_id: str) -> Fields | None:
        """Return what is committed, visible or not; None if it is not there or in the bin."""
        found = self.table(name).get(known(native_id) or "")
        return None if found is None or found.now["IsDeleted"] else found.now

    def matching(self, name: str, path: str, value: Any) -> list[Fields]:
        """Return the living rows with that value in a field, whatever its case."""
        one = self.object(name).field(path)
        if one is None:
            raise Refused("NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + path, status=404)
        wanted = str(value).casefold()
        rows = (row.now for row in self.table(name).values())
        return [row for row in rows if not row["IsDeleted"] and str(row.get(one.name)).casefold() == wanted]

    # ---- edits

    def create(self, name: str, values: Fields, who: Who = SOMEBODY) -> str:
        """Make a row and return its id; raises Refused."""
        made = self.object(name)
        self._refuse(made, values, "createable")
        given = self._taken(made, values)
        missing = [one.name for one in made.fields.values() if one.required and given.get(one.name) is None]
        if missing:
            raise Refused("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", *missing)
        self._refuse_twins(made, given, "", who)
        native_id = next(self._ids.setdefault(made.prefix, numbered(made.prefix)))
        moment = self._tick()
        blank = {one.name: False if one.type == "boolean" else None for one in made.fields.values()}
        by = {"CreatedDate": stamp(moment), "CreatedById": who.user}
        row = blank | given | {"Id": native_id} | by | self._stamps(moment, who)
        self._store(made, native_id, row)
        self._tell(made, native_id, "CREATE", {key: value for key, value in row.items() if value is not None}, moment, who)
        return native_id

    def update(self, name: str, native_id: str, values: Fields, who: Who = SOMEBODY) -> None:
        """Change fields of a row; raises Refused. An edit that changes nothing still moves the stamps, without an event."""
        made = self.object(name)
        old = self._living(made, native_id)
        self._refuse(made, {**values, "Id": old["Id"]}, "updateable")
        given = self._taken(made, {key: value for key, value in values.items() if key.lower() != "id"})
        empty = [one.name for one in made.fields.values() if one.required and one.name in given and given[one.name] is None]
        if empty:
            raise Refused("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(empty)}]", *empty)
        self._refuse_twins(made, given, old["Id"], who)
        moment = self._tick()
        changed = {key: value for key, value in given.items() if old.get(key) != value}
        stamps = self._stamps(moment, who)
        self._store(made, old["Id"], old | given | stamps)
        self._remember(made, old, changed, who)
        if changed:
            self._tell(made, old["Id"], "UPDATE", changed | stamps, moment, who)

    def delete(self, name: str, native_id: str, who: Who = SOMEBODY, *, master: str | None = None) -> None:
        """Put a row into the bin; raises Refused."""
        made = self.object(name)
        old = self._living(made, native_id)
        self._refuse(made, {"Id": old["Id"]}, "deletable")
        moment = self._tick()
        merged = {"MasterRecordId": master} if master else {}
        self._store(made, old["Id"], old | {"IsDeleted": True} | merged | self._stamps(moment, who))
        self._tell(made, old["Id"], "DELETE", {}, moment, who)

    def undelete(self, name: str, native_id: str, who: Who = SOMEBODY) -> None:
        """Take a row out of the bin."""
        made = self.object(name)
        old = self.table(name)[known(native_id) or ""].now
        moment = self._tick()
        row = old | {"IsDeleted": False} | self._stamps(moment, who)
        self._store(made, old["Id"], row)
        self._tell(made, old["Id"], "UNDELETE", {key: value for key, value in row.items() if value is not None}, moment, who)

    def purge(self, name: str, native_id: str) -> None:
        """Empty the bin of one row: it is nowhere any more."""
        self.purged.append((self.object(name).name, self.table(name).pop(known(native_id) or "").now))

    def merge(self, name: str, master: str, loser: str, who: Who = SOMEBODY, values: Fields | None = None) -> None:
        """Merge two rows as a person does: the loser goes to the bin and names its master, children follow."""
        with self.transaction():
            self.delete(name, loser, who, master=known(master))
            self.update(name, master, values or {}, who)
            for other in self.objects.values():
                for one in other.fields.values():
                    if one.refers == name and not one.system:
                        for child in self.matching(other.name, one.name, known(loser)):
                            self.update(other.name, child["Id"], {one.name: known(master)}, who)

    # ---- commits

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make edits one transaction: all or none, and equal edits share one event."""
        if self._open is not None:
            yield
            return
        self._open, self._undo, self._transaction = [], [], str(uuid.uuid4())
        try:
            yield
        except BaseException:
            for table, native_id, row in reversed(self._undo):
                table.pop(native_id, None)
                if row is not None:
                    table[native_id] = row
            self._open = None
            raise
        events, self._open = self._open, None
        self._publish(_joined(events))

    def release(self) -> None:
        """Make everything visible that was held back, and its events with it."""
        self.held = False
        for row in self._hidden:
            row.shown = row.now
        self._hidden.clear()
        late, self._late = self._late, []
        self._publish(late)

    def say(self, event: Event) -> None:
        """Put an event on the bus that no edit made: gaps, overflow."""
        self._publish([event])

    def event(self, entity: str, ids: Sequence[str], kind: str, *, origin: str = "", **values: Any) -> Event:
        """Return an event as the bus would make it by itself."""
        return Event(entity, list(ids), kind, values, self.clock(), OTHER_USER, origin, str(uuid.uuid4()))

    def _publish(self, events: Sequence[Event]) -> None:
        if self.held:
            self._late += events
            return
        self.events += events
        for listener in self.listeners:
            listener()

    def _tell(self, made: Object, native_id: str, kind: str, values: Fields, at: datetime, who: Who) -> None:
        if made.history_parent:
            return
        transaction = self._transaction if self._open is not None else str(uuid.uuid4())
        known_values = {key: value for key, value in values.items() if key not in {"Id", "IsDeleted", "SystemModstamp"}}
        event = Event(made.name, [native_id], kind, known_values, at, who.user, who.origin, transaction)
        if self._open is not None:
            self._open.append(event)
        else:
            self._publish([event])

    def _store(self, made: Object, native_id: str, row: Fields) -> None:
        table = self.table(made.name)
        old = table.get(native_id)
        if self._open is not None:
            self._undo.append((table, native_id, old))
        shown = row if not self.held else old.shown if old is not None else None
        table[native_id] = Row(row, shown)
        for one in made.fields.values():
            if one.unique and row.get(one.name) is not None:
                self._unique[made.name, one.name, str(row[one.name]).casefold()] = native_id
        if self.held:
            self._hidden.append(table[native_id])

    # ---- rules

    def _living(self, made: Object, native_id: str) -> Fields:
        row = self.table(made.name).get(known(native_id) or "")
        if row is None:
            raise Refused("NOT_FOUND", "The requested resource does not exist", status=404)
        if row.now["IsDeleted"]:
            raise Refused("ENTITY_IS_DELETED", "entity is deleted", status=404)
        return row.now

    def _refuse(self, made: Object, values: Fields, verb: str) -> None:
        if verb in made.denied:
            raise Refused("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", status=403)
        for at, (wanted, refused) in enumerate(self.refusals):
            if wanted(made.name, values):
                del self.refusals[at]
                raise refused

    def _taken(self, made: Object, values: Fields) -> Fields:
        given: Fields = {}
        for name, value in values.items():
            if name == "attributes":
                continue
            one = made.field(name)
            if one is None:
                raise Refused("INVALID_FIELD", f"No such column '{name}' on sobject of type {made.name}")
            if one.system:
                say = f"Unable to create/update fields: {one.name}. Please check the security settings of this field"
                raise Refused("INVALID_FIELD_FOR_INSERT_UPDATE", say, one.name)
            given[one.name] = taken(one, value)
        return given

    def _refuse_twins(self, made: Object, given: Fields, native_id: str, who: Who) -> None:
        for name, value in given.items():
            one = made.fields[name]
            ruled = (made.name, name) in self.duplicate_rules and not native_id and not who.allow_duplicates
            if value is None or not (one.unique or ruled):
                continue
            twin = self._holder(made, one, value) if one.unique else None
            if twin not in {None, native_id}:
                say = f"duplicate value found: {name} duplicates value on record with id: {twin}"
                raise Refused("DUPLICATE_VALUE", say)
            if ruled and self.matching(made.name, name, value):
                raise Refused("DUPLICATES_DETECTED", "Use one of these records?")

    def _holder(self, made: Object, one: Field, value: Any) -> str | None:
        """Return the row that has a unique value, found without looking at all of them."""
        native_id = self._unique.get((made.name, one.name, str(value).casefold()))
        row = self.held_row(made.name, native_id) if native_id else None
        return native_id if row and str(row.get(one.name)).casefold() == str(value).casefold() else None

    def _remember(self, made: Object, old: Fields, changed: Fields, who: Who) -> None:
        moment = self._last
        for name in [name for name in changed if name in made.tracked]:
            history = self.objects[made.history]
            native_id = next(self._ids.setdefault(history.prefix, numbered(history.prefix)))
            row = dict.fromkeys(history.fields) | {
                "Id": native_id,
                "IsDeleted": False,
                history.history_parent: old["Id"],
                "Field": name,
                "OldValue": _said(made.fields[name], old.get(name)),
                "NewValue": _said(made.fields[name], changed[name]),
                "CreatedDate": stamp(moment),
                "CreatedById": who.user,
            }
            self._store(history, native_id, row | self._stamps(moment, who))

    def _stamps(self, moment: datetime, who: Who) -> Fields:
        return {"LastModifiedDate": stamp(moment), "LastModifiedById": who.user, "SystemModstamp": stamp(moment)}

    def _tick(self) -> datetime:
        self._last = self.clock()
        return self._last


def _said(one: Field, value: Any) -> Any:
    return str(value) if value is not None and one.type in NUMBERS else value


def _joined(events: list[Event]) -> list[Event]:
    """Return the events of a transaction: neighbours that say the same become one with several ids."""
    joined: list[Event] = []
    for event in events:
        last = joined[-1] if joined else None
        same = last is not None and (last.entity, last.kind) == (event.entity, event.kind)
        if last is not None and same and _meaning(last) == _meaning(event):
            last.ids += event.ids
        else:
            joined.append(event)
    for event, number in zip(joined, itertools.count(1), strict=False):
        event.sequence = number
    return joined


def _meaning(event: Event) -> Fields:
    return {key: value for key, value in event.values.items() if not key.startswith(("LastModified", "Created"))}
