"""An update, an archive or a delete as mutations: only partial ones, so that nothing that the config does not map is touched.

Variants are updated by their ids (``productVariantsBulkUpdate``), never replaced as a list. Metafields are guarded by the
digest of what was read, stock by the quantity that was read; the rest the shop guards by nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syncd.connectors.body import pick, steps_of
from syncd.connectors.shopify import inputs, stock
from syncd.connectors.shopify.inputs import ADDRESS, ADDRESS_HEAD, FIELDS, IMAGE, is_stock, put
from syncd.connectors.shopify.mutations import Mutation
from syncd.connectors.shopify.objects import gid
from syncd.connectors.shopify.options import ShopifyCollection
from syncd.core.model import Item, Native, Op, Write
from syncd.core.rules import Steps
from syncd.errors import PermanentError

BATCH = 25  # metafields in one call
Proofs = Mapping[tuple[str, str], tuple[str | None, str | None]]


@dataclass(frozen=True, slots=True)
class Current:
    """A thing as it was read right before it is written, and what guards its metafields."""

    item: Native
    proofs: Proofs


def extras(kind: str, paths: Sequence[str], options: ShopifyCollection) -> list[str]:
    """Return what must be read beside the written paths to write them."""
    found = stock.extras(kind, paths, options.place)
    if kind == "ProductVariant":
        found.append("product.id")
    if any(path.startswith(ADDRESS_HEAD) for path in paths):
        found.append("defaultAddress.id")
    weights = [path.rpartition(".")[0] for path in paths if ".weight." in path]
    return found + [f"{path}.{part}" for path in weights for part in ("value", "unit")]


def mutations_of(
    kind: str, write: Write, now: Current, options: ShopifyCollection, *, guarded: bool, only: str | None = None
) -> list[Mutation]:
    """Return what makes a write: stock first, then metafields, the thing itself last, which the answer then shows.

    ``only`` is the shop's only location, for what is stocked nowhere yet.

    Raises PermanentError for a path that cannot be written.
    """
    native = gid(kind, write.id or "") or ""
    if write.op is Op.DELETE:
        return [_delete(kind, native)]
    values = dict(write.values)
    if write.op is Op.ARCHIVE and options.deleted is not None:
        values[options.deleted.field] = options.deleted.value
    wrong = next((path for path in values if not inputs.is_writable(kind, path)), None)
    if wrong is not None:
        raise PermanentError(f"{write.collection}: {wrong} cannot be written; map it with direction: in")
    found = stock.quantities(kind, write, now.item, location=options.place, only=only)
    made = stock.mutations(found, write, reason=options.reason, guarded=guarded)
    made += _metafields(values, native, now.proofs, options, guarded=guarded)
    return made + _things(kind, write, native, values, now.item)


def _delete(kind: str, native: str) -> Mutation:
    name = f"{kind[0].lower()}{kind[1:]}Delete"
    shows = f"deleted{kind}Id"
    variables = {"input": (f"{kind}DeleteInput!", {"id": native})}
    arguments = "input: $input, synchronous: true" if kind == "Product" else "input: $input"
    return Mutation("deleted", f"{name}({arguments})", variables, coded=False, shows=shows)


def _metafields(
    values: Mapping[str, Native], owner: str, proofs: Proofs, options: ShopifyCollection, *, guarded: bool
) -> list[Mutation]:
    places = {(str(steps[1]), str(steps[2])): path for path in values if (steps := steps_of(path))[0] == "metafields"}
    there = {place: path for place, path in places.items() if values[path] is not None}
    made = []
    for number, start in enumerate(range(0, len(there), BATCH)):
        part = list(there.items())[start : start + BATCH]
        rows = []
        for (namespace, key), path in part:
            digest, kind = proofs.get((namespace, key), (None, None))
            row = inputs.metafield(namespace, key, values[path], kind or options.types.get(f"{namespace}.{key}"))
            rows.append(row | {"ownerId": owner} | ({"compareDigest": digest} if guarded else {}))
        made.append(_set_metafields(rows, [path for _, path in part], str(number or "")))
    empty = [place for place, path in places.items() if values[path] is None]
    return made + ([_delete_metafields(owner, empty, [places[one] for one in empty])] if empty else [])


def _set_metafields(rows: list[Item], paths: Sequence[str], suffix: str) -> Mutation:
    variables = {f"metafields{suffix}": ("[MetafieldsSetInput!]!", rows)}
    call = f"metafieldsSet(metafields: $metafields{suffix})"
    return Mutation(f"metafields{suffix}", call, variables, paths=tuple(paths), shows="metafields { id }")


def _delete_metafields(owner: str, places: Sequence[tuple[str, str]], paths: Sequence[str]) -> Mutation:
    rows = [{"ownerId": owner, "namespace": namespace, "key": key} for namespace, key in places]
    variables = {"cleared": ("[MetafieldIdentifierInput!]!", rows)}
    call = "metafieldsDelete(metafields: $cleared)"
    return Mutation("cleared", call, variables, coded=False, paths=tuple(paths), shows="deletedMetafields { key }")


def _things(kind: str, write: Write, native: str, values: Mapping[str, Native], now: Native) -> list[Mutation]:
    mine = {path: value for path, value in values.items() if not is_stock(kind, path) and steps_of(path)[0] != "metafields"}
    match kind:
        case "Product":
            return _variants(write, native, mine, now) + _product(native, mine, now)
        case "ProductVariant":
            return _variant(write, native, mine, now)
        case "Customer":
            return _address(native, mine, now) + _customer(native, mine)
        case "InventoryItem":
            return _item(native, mine, now)
        case "Collection":
            return _collection(native, mine)
    return []


def _product(native: str, mine: Mapping[str, Native], now: Native) -> list[Mutation]:
    given: Item = {"id": native}
    paths = [path for path in mine if path in FIELDS["Product"]]
    for path in paths:
        put(given, FIELDS["Product"][path], mine[path])
    variables: dict[str, tuple[str, Native]] = {"product": ("ProductUpdateInput!", given)}
    arguments = "product: $product"
    if mine.get(IMAGE) is not None:
        if pick(now, IMAGE) is not None:
            text = "the product has an image already, and syncd does not take one away; map it with direction: in"
            raise PermanentError(f"{IMAGE}: {text}")
        variables["media"] = ("[CreateMediaInput!]", [{"originalSource": mine[IMAGE], "mediaContentType": "IMAGE"}])
        arguments, paths = "product: $product, media: $media", [*paths, IMAGE]
    if not paths:
        return []
    return [Mutation("product", f"productUpdate({arguments})", variables, "product", coded=False, paths=tuple(paths))]


def _variants(write: Write, native: str, mine: Mapping[str, Native], now: Native) -> list[Mutation]:
    rows: dict[str, Item] = {}
    known: dict[str, Native] = {}
    paths = [path for path in mine if steps_of(path)[0] == "variants"]
    for path in paths:
        steps = steps_of(path)
        found = pick(now, path_of(steps[:2]))
        if not isinstance(found, dict) or not isinstance(found.get("id"), str):
            text = "the product has no such variant, and syncd adds none"
            raise PermanentError(f"{write.collection}: {path}: {text}")
        row = rows.setdefault(found["id"], {"id": found["id"]})
        _put_variant(row, steps[2:], mine[path])
        known[found["id"]] = found.get("inventoryItem")
    for native_id, row in rows.items():
        inputs.weighed(row.get("inventoryItem", {}), known[native_id])
    return [_bulk_update(native, list(rows.values()), paths, "product")] if rows else []


def _put_variant(row: Item, steps: Steps, value: Native) -> None:
    if steps[0] == "metafields":
        row.setdefault("metafields", []).append(inputs.metafield(str(steps[1]), str(steps[2]), value, None))
    else:
        inputs.put_variant(row, inputs.below(steps), value)


def _variant(write: Write, native: str, mine: Mapping[str, Native], now: Native) -> list[Mutation]:
    product = pick(now, "product.id")
    row: Item = {"id": native}
    for path, value in mine.items():
        inputs.put_variant(row, path, value)
    inputs.weighed(row.get("inventoryItem", {}), pick(now, "inventoryItem"))
    if not mine:
        return []
    if not isinstance(product, str):
        raise PermanentError(f"{write.collection}: the variant does not say which product it is of")
    return [_bulk_update(product, [row], list(mine), "productVariants.0")]


def _bulk_update(product: str, rows: list[Item], paths: Sequence[str], look: str) -> Mutation:
    variables = {"owner": ("ID!", product), "variants": ("[ProductVariantsBulkInput!]!", rows)}
    call = "productVariantsBulkUpdate(productId: $owner, variants: $variants)"
    return Mutation("variants", call, variables, look, paths=tuple(paths))


def _customer(native: str, mine: Mapping[str, Native]) -> list[Mutation]:
    given: Item = {"id": native}
    paths = [path for path in mine if path in FIELDS["Customer"]]
    for path in paths:
        put(given, FIELDS["Customer"][path], mine[path])
    if not paths:
        return []
    variables = {"input": ("CustomerInput!", given)}
    return [Mutation("customer", "customerUpdate(input: $input)", variables, "customer", coded=False, paths=tuple(paths))]


def address_of(mine: Mapping[str, Native]) -> Item:
    """Return the address that a write names, as an input."""
    given: Item = {}
    for path, value in mine.items():
        if path.startswith(ADDRESS_HEAD):
            put(given, ADDRESS[path.removeprefix(ADDRESS_HEAD)], value)
    return given


def _address(native: str, mine: Mapping[str, Native], now: Native) -> list[Mutation]:
    given, known = address_of(mine), pick(now, "defaultAddress.id")
    if not given:
        return []
    variables: dict[str, tuple[str, Native]] = {"customer": ("ID!", native), "address": ("MailingAddressInput!", given)}
    call = "customerAddressCreate(customerId: $customer, address: $address, setAsDefault: true)"
    if isinstance(known, str):
        variables["known"] = ("ID!", known)
        call = "customerAddressUpdate(customerId: $customer, addressId: $known, address: $address, setAsDefault: true)"
    paths = tuple(path for path in mine if path.startswith(ADDRESS_HEAD))
    return [Mutation("address", call, variables, coded=False, paths=paths, shows="address { id }")]


def _item(native: str, mine: Mapping[str, Native], now: Native) -> list[Mutation]:
    given: Item = {}
    for path, value in mine.items():
        put(given, FIELDS["InventoryItem"][path], value)
    inputs.weighed(given, now)
    if not given:
        return []
    variables = {"item": ("ID!", native), "input": ("InventoryItemInput!", given)}
    call = "inventoryItemUpdate(id: $item, input: $input)"
    return [Mutation("item", call, variables, "inventoryItem", coded=False, paths=tuple(mine))]


def _collection(native: str, mine: Mapping[str, Native]) -> list[Mutation]:
    given: Item = {"id": native}
    for path, value in mine.items():
        put(given, FIELDS["Collection"][path], value)
    if not mine:
        return []
    variables = {"collection": ("CollectionUpdateInput!", given)}
    call = "collectionUpdate(collection: $collection)"
    return [Mutation("collection", call, variables, "collection", coded=False, paths=tuple(mine))]


def path_of(steps: Steps) -> str:
    """Return steps as a path, with ``[field=value]`` where they pick."""
    text = ""
    for step in steps:
        if isinstance(step, str | int):
            text += f".{step}" if text else str(step)
        else:
            text += f"[{step.field}={step.text}]"
    return text
