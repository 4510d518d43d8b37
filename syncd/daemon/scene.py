"""What a function in the ledger's thread may know of the world outside: rules, clock, numbers, how far clocks are off."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from syncd.core.identity import match_keys, unique_keys
from syncd.core.mapping import read_item
from syncd.core.model import Change, Life, State
from syncd.core.references import named_by, references
from syncd.core.rules import Rules
from syncd.core.space import Key, Space, Thing
from syncd.ledger import records
from syncd.ledger.loaded import Loaded
from syncd.ledger.schema import Database


@dataclass(frozen=True, slots=True)
class Scene:
    """One moment, as the decider sees it. ``epoch`` goes into idempotency keys."""

    rules: Rules
    now: int
    number: Callable[[], int]
    epoch: str
    clocks: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def space(self) -> Space:
        """Return an empty working set."""
        return Space(self.rules, self.now, self.number, clocks=dict(self.clocks))


class Poisoned(Exception):  # noqa: N818 - a state of one change, caught where the batch is made again without it
    """Deciding this change failed; the working set is spoilt and must be made again without it."""

    def __init__(self, change: Change, cause: Exception) -> None:
        super().__init__(f"{type(cause).__name__}: {cause}")
        self.change = change


def thing_of(change: Change) -> Thing:
    """Return which thing a change is about."""
    return change.platform, change.collection, change.id


def load_for(db: Database, space: Space, changes: Iterable[Change], *, ids: Iterable[int] = ()) -> Loaded:
    """Fill a working set with everything that deciding these changes may ask for.

    Match keys are made of things that are no record yet, and where a field is unique. Raises Poisoned for a change that cannot
    even be mapped.
    """
    changes = list(changes)
    parents = {thing for change in changes for thing in parents_named(space, change)}
    things = {thing_of(change) for change in changes}
    things |= {(c.platform, c.collection, c.merged_into) for c in changes if c.merged_into}
    loaded = records.load(db, space, things=things, records=ids, parents=parents)
    strangers = [c for c in changes if c.item and (not is_linked(space, c) or has_unique(space, c))]
    matches = {key for change in strangers for key in keys_of(space, change)}
    if matches:
        records.load(db, space, matches=matches, loaded=loaded)
    return loaded


def parents_named(space: Space, change: Change) -> Iterable[Thing]:
    """Return the things that a look refers to. Raises Poisoned for a change that cannot even be mapped."""
    entity = space.rules.entity_of(change.platform, change.collection)
    if entity is None or not change.item or not references(entity):
        return ()
    try:
        return list(named_by(space.rules, change.platform, read_item(entity, change.platform, change.item), entity))
    except Exception as error:
        raise Poisoned(change, error) from error


def is_linked(space: Space, change: Change) -> bool:
    """Return whether a thing is a record's living row; what was known to be gone is recognised by its keys again."""
    link = space.links.get(thing_of(change))
    return link is not None and link.record is not None and link.life is not Life.GONE


def has_unique(space: Space, change: Change) -> bool:
    """Return whether a thing has a field whose value no two records may have."""
    entity = space.rules.entity_of(change.platform, change.collection)
    return entity is not None and any(field.unique for field in entity.fields.values())


def keys_of(space: Space, change: Change) -> list[Key]:
    """Return the match keys that a thing may be known by."""
    entity = space.rules.entity_of(change.platform, change.collection)
    if entity is None:
        return []
    try:
        readings = read_item(entity, change.platform, change.item or {})
        values = {name: r.value for name, r in readings.items() if r.state is State.VALUE}
        matches = [key for _, key in match_keys(entity, values, space.now) if key is not None]
        return [*matches, *unique_keys(entity, values).values()]
    except Exception as error:
        raise Poisoned(change, error) from error
