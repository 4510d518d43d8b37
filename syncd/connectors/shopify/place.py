"""One configured collection of a shop, as the connector knows it, and how its things are looked for."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from syncd.connectors.protocol import Collection, Setup
from syncd.connectors.shape import Shape
from syncd.connectors.shopify.objects import KINDS, Kind, gid
from syncd.connectors.shopify.options import ShopifyCollection
from syncd.core.model import Native


@dataclass(frozen=True, slots=True)
class Place:
    """A collection with its options, its kind of object and the shape of its things."""

    collection: Collection
    options: ShopifyCollection
    kind: Kind
    shape: Shape

    @property
    def paths(self) -> list[str]:
        """Return what is read of a thing: what is mapped and named, its id, its time, its mark of deletion."""
        marker = self.options.deleted
        found = [self.options.id, *self.collection.fields, *self.collection.keys]
        found += [self.options.changed_at] if self.options.changed_at else []
        return list(dict.fromkeys(found + ([marker.field] if marker else [])))

    def identifier(self, path: str, value: Native) -> dict[str, Native] | None:
        """Return what names one thing by itself: the shop answers by it at once, not only after its search has followed."""
        names = dict(self.kind.unique)
        if path in names:
            known = gid(self.kind.name, str(value)) if names[path] == "id" else str(value)
            return {names[path]: known} if known else None
        is_id = self.options.types.get(path.removeprefix("metafields.")) == "id"
        if path.startswith("metafields.") and is_id and self.kind.name in {"Product", "Customer"}:
            _, namespace, key = path.split(".", 2)
            return {"customId": {"namespace": namespace, "key": key, "value": str(value)}}
        return None

    def search(self, path: str) -> str | None:
        """Return the shop's search term for a path: the config's, else the known one."""
        return self.options.search.get(path) or dict(self.kind.finds).get(path)

    @property
    def searchable(self) -> str:
        """Return the paths that things can be found by, for a message."""
        return ", ".join(dict([*self.kind.unique, *self.kind.finds]))


def place_of(setup: Setup, collection: Collection) -> Place:
    """Return a collection of a setup."""
    options: ShopifyCollection = collection.options
    where = (setup.platform, collection.name, options.id)
    shape = Shape(*where, options.changed_at, None, options.deleted, ZoneInfo(setup.timezone))
    return Place(collection, options, KINDS[options.object], shape)


def same(found: Native, wanted: Native) -> bool:
    """Return whether two values are one: a key may be text on one side and a number on the other, a set in any order."""
    if isinstance(found, list) and isinstance(wanted, list):
        return sorted(map(str, found)) == sorted(map(str, wanted))
    return bool(found == wanted) or (found is not None and wanted is not None and str(found) == str(wanted))
