"""Stock by location: set by comparing with what it was, or changed by a difference. Either may be repeated under its key.

Protocol: ``inventorySetQuantities`` with ``changeFromQuantity`` and ``inventoryAdjustQuantities``, both with
``@idempotent(key:)``, which the shop demands of stock. What is not stocked at a location yet has no quantity there to compare
with: ``inventoryActivate`` begins with one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from syncd.connectors.body import pick
from syncd.connectors.shopify.inputs import is_stock, whole
from syncd.connectors.shopify.mutations import Mutation
from syncd.connectors.shopify.objects import gid
from syncd.core.model import Native, Write
from syncd.errors import PermanentError, StaleWrite


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity to write. ``known``: what it was when it was read just now; ``adjusts``: ``value`` is a difference.

    ``stocked``: the thing is at that location already.
    """

    path: str
    name: str
    item: str
    location: str
    value: int
    known: int | None
    adjusts: bool
    stocked: bool = True


def extras(kind: str, paths: Sequence[str], location: str | None) -> list[str]:
    """Return what must be read beside stock to write it: whose it is, and where."""
    found: list[str] = []
    for path in paths:
        if not is_stock(kind, path):
            continue
        if kind in {"Product", "ProductVariant"}:
            head = path.removesuffix("inventoryQuantity")
            found += [f"{head}inventoryItem.id"]
            levels = f"{head}inventoryItem.inventoryLevels"
            found += [] if location else [f"{levels}.{n}.location.id" for n in (0, 1)]
        elif kind == "InventoryLevel":
            found += ["item.id", "location.id"]
    return found


def unplaced(kind: str, write: Write, now: Native, *, location: str | None) -> bool:
    """Return whether a quantity is written of what is stocked nowhere, so that it must be asked where that would be."""
    if location is not None or kind not in {"Product", "ProductVariant"}:
        return False
    heads = [path.removesuffix("inventoryQuantity") for path in write.values if is_stock(kind, path)]
    return any(pick(now, f"{head}inventoryItem.inventoryLevels") == [] for head in heads)


def quantities(kind: str, write: Write, now: Native, *, location: str | None, only: str | None = None) -> list[Quantity]:
    """Return the quantities of a write; raises PermanentError if nobody can tell where they are, StaleWrite if there is
    nothing that a difference could be added to.

    ``location`` is the configured one, ``only`` the shop's only one, for what is stocked nowhere.
    """
    found = []
    for path, value in write.values.items():
        if not is_stock(kind, path):
            continue
        item, place, stocked = _owner(kind, path, write, now, location, only)
        known = pick(now, path)
        adjusts = path in write.adjust_at.values()
        if adjusts and not stocked:
            raise StaleWrite(f"{write.collection} {write.id}: {path} is not stocked there any more: nothing to add to")
        count, wanted = known if isinstance(known, int) else None, whole(value, path)
        if stocked and not adjusts and count == wanted:
            continue  # also where an answer was lost: the key must not come again with another quantity to compare with
        name = path.rpartition(".")[2].replace("inventoryQuantity", "available")
        found.append(Quantity(path, name, item, place, wanted, count, adjusts, stocked))
    return found


def _owner(kind: str, path: str, write: Write, now: Native, location: str | None, only: str | None) -> tuple[str, str, bool]:
    """Return item and location of a quantity, and whether the item is stocked there."""
    if kind == "InventoryLevel":
        return str(pick(now, "item.id")), str(pick(now, "location.id")), True
    if kind == "InventoryItem":
        if location is None:
            raise PermanentError(f"{write.collection}: {path} is the stock at a place: name it by location:")
        return gid(kind, write.id or "") or "", location, pick(now, "inventoryLevel") is not None
    head = path.removesuffix("inventoryQuantity")
    item = pick(now, f"{head}inventoryItem.id")
    if not isinstance(item, str):
        raise PermanentError(f"{write.collection}: {path}: there is no such variant")
    if location is not None:
        return item, location, pick(now, path) is not None
    found = [pick(level, "location.id") for level in pick(now, f"{head}inventoryItem.inventoryLevels") or []]
    if len(found) > 1 or (not found and only is None):
        where = "several locations" if found else "no location"
        raise PermanentError(f"{write.collection}: it is stocked at {where}: name the one that is meant by location:")
    return item, str(found[0] if found else only), bool(found)


def mutations(found: Sequence[Quantity], write: Write, *, reason: str, guarded: bool) -> list[Mutation]:
    """Return the mutations of stock: one that sets and one that adjusts, by the name of the quantity."""
    key = write.key or f"{write.platform} {write.record}"
    fresh = [one for one in found if not one.stocked]
    made = [_activate(one, f"{key} at {number}", str(number)) for number, one in enumerate(fresh)]
    found = [one for one in found if one.stocked]
    groups = dict.fromkeys((one.adjusts, one.name) for one in found)
    for number, (adjusts, name) in enumerate(groups):
        mine = [one for one in found if (one.adjusts, one.name) == (adjusts, name)]
        suffix = str(number or "")
        own = f"{key} {suffix}".strip()
        made.append(
            _adjust(mine, name, own, reason, suffix) if adjusts else _set(mine, name, own, reason, suffix, guarded=guarded)
        )
    return made


def _activate(one: Quantity, key: str, number: str) -> Mutation:
    names = {"item": ("ID!", one.item), "at": ("ID!", one.location), "count": ("Int", one.value), "new": ("String!", key)}
    count = "onHand" if one.name == "on_hand" else "available"
    arguments = f"inventoryItemId: $item{number}, locationId: $at{number}, {count}: $count{number}"
    return Mutation(
        f"stocked{number}",
        f"inventoryActivate({arguments}) @idempotent(key: $new{number})",
        {f"{name}{number}": given for name, given in names.items()},
        coded=False,
        paths=(one.path,),
        shows="inventoryLevel { id }",
    )


def _set(found: Sequence[Quantity], name: str, key: str, reason: str, suffix: str, *, guarded: bool) -> Mutation:
    rows = [
        {"inventoryItemId": one.item, "locationId": one.location, "quantity": one.value}
        | {"changeFromQuantity": one.known if guarded else None}
        for one in found
    ]
    given = {"name": name, "reason": reason, "quantities": rows}
    return _mutation("inventorySetQuantities", "InventorySetQuantitiesInput!", given, found, key, suffix)


def _adjust(found: Sequence[Quantity], name: str, key: str, reason: str, suffix: str) -> Mutation:
    """Return a change by differences, which is right whatever it is added to."""
    rows = [
        {"inventoryItemId": one.item, "locationId": one.location, "delta": one.value, "changeFromQuantity": None}
        for one in found
    ]
    given = {"name": name, "reason": reason, "changes": rows}
    return _mutation("inventoryAdjustQuantities", "InventoryAdjustQuantitiesInput!", given, found, key, suffix)


def _mutation(call: str, kind: str, given: Native, found: Sequence[Quantity], key: str, suffix: str) -> Mutation:
    return Mutation(
        f"stock{suffix}",
        f"{call}(input: $stock{suffix}) @idempotent(key: $key{suffix})",
        {f"stock{suffix}": (kind, given), f"key{suffix}": ("String!", key)},
        paths=tuple(one.path for one in found),
        shows="inventoryAdjustmentGroup { id }",
    )
