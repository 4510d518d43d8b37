"""Looking for things by a value, and telling those that the collection's filter does not let through."""

from decimal import Decimal

from syncd.connectors.body import pick, steps_of
from syncd.connectors.odata.address import Address, both
from syncd.connectors.odata.collection import Things
from syncd.connectors.odata.literals import key_of, literal
from syncd.connectors.odata.moments import Unfit
from syncd.connectors.odata.schema import Property
from syncd.connectors.odata.walk import Get, Walk
from syncd.core.model import Change, Native
from syncd.errors import PermanentError, TransientError

ASKED = 20  # keys of one filter: addresses must not get too long


def filter_for(things: Things, path: str, value: Native) -> str | None:
    """Return the filter for an exact value, None if the property cannot hold it; raises PermanentError without a property."""
    told, where = _property(things, path)
    try:
        return f"{where} eq {literal(told, value, v2=things.service.is_v2, zone=things.zone)}"
    except Unfit:
        return None


def _property(things: Things, path: str) -> tuple[Property, str]:
    """Return a property and how a filter names it: ``Address/City``."""
    shape, names = things.shape, [str(step) for step in steps_of(path)]
    for at, name in enumerate(names):
        told, way = shape.properties.get(name), shape.navigations.get(name)
        if way is not None and way.many:
            break
        target = way.target if way else told.type if told else ""
        if told is not None and at == len(names) - 1 and not told.many:
            return told, "/".join(names)
        if target not in things.service.types:
            break
        shape = things.service.types[target]
    raise PermanentError(f"{things.name}: cannot look for {path}: {things.set.name} has no single property there")


def is_same(things: Things, look: Change, path: str, value: Native) -> bool:
    """Return whether a look-up shows what was asked for.

    A key may be text on one side and a number on the other; one moment has several spellings (with and without zeros), and
    so has a GUID.
    """
    found = pick(look.item, path)
    if isinstance(found, bool) or isinstance(value, bool):
        return found is value
    if found == value or (isinstance(found, str | int | Decimal) and str(found) == str(value)):
        return True
    told, _ = _property(things, path)
    return told.type != "Edm.String" and found is not None and _spelt(things, told, value) == _spelt(things, told, found)


def _spelt(things: Things, told: Property, value: Native) -> str | None:
    try:
        return literal(told, value, v2=things.service.is_v2, zone=things.zone)
    except Unfit:
        return None


async def out_of_scope(things: Things, address: Address, get: Get, found: list[Change]) -> list[Change]:
    """Return things with those as ``left`` that are there, but that the collection's own filter does not let through."""
    scope = things.options.filter
    there = [one.id for one in found if one.item is not None]
    if scope is None or not there:
        return found
    inside: set[str] = set()
    for start in range(0, len(there), ASKED):
        keys = " or ".join(f"({_is(things, one)})" for one in there[start : start + ASKED])
        async for leaf in Walk(things, address, get, both(scope, keys)).leaves():
            if leaf.why:
                raise TransientError(f"{things.name}: which things are in scope is not known: {leaf.why}", about_record=True)
            inside |= {one for one in map(things.id_of, leaf.listing.elements) if one is not None}
    return [one if one.item is None or one.id in inside else _left(things, one) for one in found]


def _left(things: Things, one: Change) -> Change:
    return things.gone(one.id, (one.as_of, one.seen_at), left=True)


def _is(things: Things, native_id: str) -> str:
    key = key_of(things.shape, native_id) or {}
    return " and ".join(f"{name} eq {things.said(name, value)}" for name, value in key.items())
