"""What a write says of a thing: the values to send, in the thing as last read, and whether an answer shows them."""

from collections.abc import Iterable, Sequence
from typing import Any

from syncd.connectors.body import pick, placed, steps_of
from syncd.connectors.options import Marker
from syncd.connectors.protocol import Broken
from syncd.core.model import Change, Item, Native, Op, Write
from syncd.errors import PermanentError


def values_of(write: Write, marker: Marker | None) -> Item:
    """Return what is written by path; an archive also sets the deletion marker."""
    values = dict(write.values)
    if write.op is Op.ARCHIVE and marker is not None:
        values[marker.field] = marker.value
    return values


def whole_of(write: Write, values: Item, *, needed: bool = False) -> Native:
    """Return the thing as last read with the values in it; a new thing has nothing else.

    Raises PermanentError if it was not read although it is ``needed``, or a value stands deep in it; ValueError at a gap in a
    list.
    """
    deep = needed or any(len(steps_of(path)) != 1 for path in values)
    if write.op is not Op.CREATE and write.item is None and deep:
        raise PermanentError(f"{write.collection}: this write needs the thing as last read")
    whole: Native = {} if write.op is Op.CREATE else write.item or {}
    for path, value in values.items():
        whole = placed(whole, path, value)
    return whole


def changed_keys(whole: Native, values: Iterable[str]) -> Native:
    """Return the top-level keys that values are written below, each as it is now; all of it for the path to everything."""
    steps = [steps_of(path) for path in values]
    return {key: whole[key] for key in (str(path[0]) for path in steps)} if all(steps) else whole


def shows_all(item: Native, write: Write) -> bool:
    """Return whether an answer shows everything that was written: an id alone is no picture of the thing."""
    missing = object()
    return isinstance(item, dict) and all(pick(item, path, missing) is not missing for path in write.values)


def parted(found: Sequence[Any]) -> tuple[list[Change], list[Broken]]:
    """Return what was observed, and what could not be decoded."""
    return [one for one in found if isinstance(one, Change)], [one for one in found if isinstance(one, Broken)]
