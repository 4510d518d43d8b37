"""The config held against the metadata, before anything is read: what is not there is said with what may have been meant."""

from collections.abc import Iterable, Iterator
from datetime import tzinfo

from syncd.connectors.body import steps_of
from syncd.connectors.odata.collection import Things
from syncd.connectors.odata.options import OdataCollection, OdataConnection
from syncd.connectors.odata.schema import EntitySet, Service, Structure, suggestion
from syncd.connectors.protocol import Collection
from syncd.errors import PermanentError

DATED = frozenset(("Edm.DateTime", "Edm.DateTimeOffset", "Edm.Date"))
TIMED = frozenset(("Edm.Time", "Edm.TimeOfDay"))


def known(
    service: Service, given: Collection, connection: OdataConnection, place: tuple[str, tzinfo], poll_by: str | None
) -> Things:
    """Return a collection held against the metadata; raises PermanentError for the first thing that is not there.

    ``place``: the platform's name and time zone.
    """
    options: OdataCollection = given.options
    platform, zone = place
    found = service.sets.get(options.path)
    if found is None:
        raise PermanentError(f'{given.name}: no entity set "{options.path}"{suggestion(options.path, service.sets)}')
    shape = service.types.get(found.type)
    if shape is None:
        raise PermanentError(f"{given.name}: the metadata has no type {found.type} of {options.path}")
    for problem in _problems(service, found, shape, given, poll_by):
        raise PermanentError(f"{given.name}: {problem}")
    return Things(platform, given.name, options, connection, service, found, shape, zone)


def _problems(service: Service, found: EntitySet, shape: Structure, given: Collection, poll_by: str | None) -> Iterator[str]:
    options: OdataCollection = given.options
    if options.keys != shape.key:
        if set(options.keys) - set(shape.properties):
            yield from (_no_property(found, shape, one) for one in options.keys if one not in shape.properties)
        yield f"id: {options.id} is not the key of {found.name}; write  id: {','.join(shape.key)}"
    yield from (f"expand: {why}" for way in options.expand or () if (why := _no_way(service, shape, way)))
    dates = {"changed_at": options.changed_at, "poll.cursor": poll_by}
    for name, path in dates.items():
        if path is not None and (path not in shape.properties or shape.properties[path].type not in DATED):
            yield _no_date(name, path, found, shape)
    clock = options.changed_time
    if clock is not None and (clock not in shape.properties or shape.properties[clock].type not in TIMED):
        yield f"changed_time: {clock} is no time of {found.name}{suggestion(clock, _of(shape, TIMED))}"
    marker = options.deleted.field if options.deleted else None
    for path in dict.fromkeys([*given.fields, *given.keys, *given.writes, marker, options.changed_by]):
        if path and (why := _unknown(service, shape, found, options, path)):
            yield why
    if options.deletable and not found.deletable:
        yield f"deletable: true, but {found.name} is not deletable by the metadata; write  deleted: {{field: ..., is: ...}}"


def _no_property(found: EntitySet, shape: Structure, name: str) -> str:
    return f'{found.name} has no property "{name}"{suggestion(name, shape.properties)}'


def _no_date(name: str, path: str, found: EntitySet, shape: Structure) -> str:
    if path in shape.properties:
        kind = shape.properties[path].type
        return f"{name}: {path} of {found.name} is {kind}, no date{suggestion(path, _of(shape, DATED))}"
    return f'{name}: {found.name} has no date "{path}"{suggestion(path, _of(shape, DATED))}'


def _of(shape: Structure, kinds: Iterable[str]) -> list[str]:
    return [one.name for one in shape.properties.values() if one.type in kinds]


def _no_way(service: Service, shape: Structure, way: str) -> str:
    """Return why a navigation cannot be followed, '' if it can."""
    for step in way.split("/"):
        found = shape.navigations.get(step)
        if found is None:
            return f'{shape.name} leads nowhere called "{step}"{suggestion(step, shape.navigations)}'
        if found.target not in service.types:
            return f"the metadata has no type {found.target} of {step}"
        shape = service.types[found.target]
    return ""


def _unknown(service: Service, shape: Structure, found: EntitySet, options: OdataCollection, path: str) -> str:
    """Return why a mapped path leads to nothing, '' if it does not."""
    walked: list[str] = []
    for step in steps_of(path):
        if not isinstance(step, str):  # into a list
            continue
        way, told = shape.navigations.get(step), shape.properties.get(step)
        if way is not None:
            walked.append(step)
            if not _is_expanded(options, walked):
                return f"{path}: {step} is a navigation; write  expand: [{'/'.join(walked)}]"
            shape = service.types[way.target]
        elif told is None:
            return _no_property(found, shape, step)
        elif told.type in service.types:
            shape = service.types[told.type]
        else:
            return ""
    return ""


def _is_expanded(options: OdataCollection, walked: list[str]) -> bool:
    return any(way.split("/")[: len(walked)] == walked for way in options.expand or ())
