"""What a service says of itself: entity sets, their keys, properties with types, and what may be done with them."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Version = Literal["v2", "v4"]


@dataclass(frozen=True, slots=True)
class Property:
    """One property. ``type`` is Edm's, or the full name of a complex type or an enumeration. ``day``: without a time."""

    name: str
    type: str
    many: bool = False
    day: bool = False
    creatable: bool = True
    updatable: bool = True


@dataclass(frozen=True, slots=True)
class Navigation:
    """A way to other things. ``target`` is the full name of their type."""

    name: str
    target: str
    many: bool


@dataclass(frozen=True, slots=True)
class Structure:
    """An entity type or a complex type; the latter has no key. All of its base types is in it."""

    name: str
    key: tuple[str, ...]
    properties: dict[str, Property]
    navigations: dict[str, Navigation]


@dataclass(frozen=True, slots=True)
class EntitySet:
    """What things can be asked for, and what its annotations allow. What is not annotated is allowed.

    ``fixed``: properties that cannot be changed, ``given``: those that cannot be given on creation.
    """

    name: str
    type: str
    creatable: bool = True
    updatable: bool = True
    deletable: bool = True
    countable: bool = True
    fixed: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Service:
    """All of a service, by name; types by their full names."""

    version: Version
    sets: dict[str, EntitySet] = field(default_factory=dict)
    types: dict[str, Structure] = field(default_factory=dict)

    @property
    def is_v2(self) -> bool:
        """Return whether this is OData 2."""
        return self.version == "v2"


def suggestion(name: str, there: Iterable[str]) -> str:
    """Return what may have been meant, else what there is."""
    names = list(there)
    near = difflib.get_close_matches(name.casefold(), [one.casefold() for one in names], n=2)
    meant = [one for word in near for one in names if one.casefold() == word]
    if not meant:  # A_Product is what one means by Product
        meant = [one for one in names if name.casefold() in one.casefold()]
    if meant:
        return f": did you mean {' or '.join(meant[:2])}?"
    return f" (there are: {', '.join(sorted(names)[:20])})" if names else " (there is none at all)"
