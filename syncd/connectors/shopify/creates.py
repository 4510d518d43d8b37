"""A create as one mutation.

A product is made by ``productSet`` *without* an identifier: with one it would not be refused where the thing is there
already, but replace its lists, and take away what the config does not map.
"""

from collections.abc import Mapping

from syncd.connectors.body import steps_of
from syncd.connectors.shopify import inputs
from syncd.connectors.shopify.inputs import FIELDS, IMAGE, put
from syncd.connectors.shopify.mutations import Mutation
from syncd.connectors.shopify.options import ShopifyCollection
from syncd.connectors.shopify.updates import address_of
from syncd.core.model import Item, Native, Write
from syncd.errors import PermanentError

OPTION, ONLY = "Title", "Default Title"  # what a product without options has


def needs_place(write: Write) -> bool:
    """Return whether a create says how much there is, so that it must say where."""
    return any(path.endswith(".inventoryQuantity") for path in write.values)


def creation(kind: str, write: Write, options: ShopifyCollection, *, place: str | None) -> Mutation:
    """Return the mutation that makes a thing; raises PermanentError for what cannot be made of these values."""
    wrong = next((path for path in write.values if not _is_settable(kind, path)), None)
    if wrong is not None:
        raise PermanentError(f"{write.collection}: {wrong} cannot be written; map it with direction: in")
    match kind:
        case "Product":
            given = _product(write, options, place)
            variables = {"product": ("ProductSetInput!", given)}
            return Mutation("made", "productSet(synchronous: true, input: $product)", variables, "product")
        case "Customer":
            return _customer(write, options)
        case "Collection":
            made = _plain(kind, write, options)
            variables = {"collection": ("CollectionCreateInput!", made)}
            return Mutation("made", "collectionCreate(collection: $collection)", variables, "collection", coded=False)
    raise PermanentError(f"{write.collection}: nothing to create a {kind} with")


def _is_settable(kind: str, path: str) -> bool:
    steps = steps_of(path)
    return inputs.is_writable(kind, path) or (kind == "Product" and _option_of(steps) is not None)


def _option_of(steps: tuple[object, ...]) -> tuple[int, str] | None:
    """Return which option of a variant a path is, and whether its name or its value."""
    fits = len(steps) == 5 and steps[0] == "variants" and steps[2] == "selectedOptions" and steps[4] in {"name", "value"}
    return (steps[3], str(steps[4])) if fits and isinstance(steps[3], int) else None


def _plain(kind: str, write: Write, options: ShopifyCollection) -> Item:
    given: Item = {}
    for path, value in write.values.items():
        if path in FIELDS[kind]:
            put(given, FIELDS[kind][path], value)
    found = [
        inputs.metafield(str(steps[1]), str(steps[2]), value, options.types.get(f"{steps[1]}.{steps[2]}"))
        for path, value in write.values.items()
        if (steps := steps_of(path))[0] == "metafields" and value is not None
    ]
    return given | ({"metafields": found} if found else {})


def _product(write: Write, options: ShopifyCollection, place: str | None) -> Item:
    given = _plain("Product", write, options)
    rows: dict[int, Item] = {}
    chosen: dict[int, dict[int, dict[str, Native]]] = {}
    for path, value in write.values.items():
        steps = steps_of(path)
        if steps[0] != "variants":
            continue
        if not isinstance(steps[1], int):
            raise PermanentError(f"{write.collection}: {path}: a new product's variants are numbered, as in variants.0.sku")
        row = rows.setdefault(steps[1], {})
        option = _option_of(steps)
        if option is not None:
            chosen.setdefault(steps[1], {}).setdefault(option[0], {})[option[1]] = value
        else:
            _put(row, inputs.below(steps[2:]), value, place)
    if rows:
        given |= _with_options(write, rows, chosen)
    if write.values.get(IMAGE) is not None:
        given["files"] = [{"originalSource": write.values[IMAGE], "contentType": "IMAGE"}]
    return given


def _put(row: Item, path: str, value: Native, place: str | None) -> None:
    steps = steps_of(path)
    if path == "inventoryQuantity":
        row["inventoryQuantities"] = [{"locationId": place, "name": "available", "quantity": inputs.whole(value, path)}]
        row.setdefault("inventoryItem", {}).setdefault("tracked", True)
    elif path in {"sku", "inventoryItem.sku"}:
        row["sku"] = value
    elif steps[0] == "metafields":
        row.setdefault("metafields", []).append(inputs.metafield(str(steps[1]), str(steps[2]), value, None))
    else:
        inputs.put_variant(row, path, value)


def _with_options(write: Write, rows: Mapping[int, Item], chosen: Mapping[int, Mapping[int, Mapping[str, Native]]]) -> Item:
    """Return variants and the options they differ by, which the shop wants named."""
    if sorted(rows) != list(range(len(rows))):
        raise PermanentError(f"{write.collection}: a new product's variants are numbered from 0 without a gap")
    if len(rows) > 1 and len(chosen) < len(rows):
        text = "map variants.N.selectedOptions.0.name and .value"
        raise PermanentError(f"{write.collection}: several variants, and nothing says what they differ by: {text}")
    values: dict[str, dict[str, None]] = {}
    variants = []
    for number in sorted(rows):
        inputs.weighed(rows[number].get("inventoryItem", {}), None)
        picked = chosen.get(number) or {0: {"name": OPTION, "value": ONLY}}
        options_of = [one for _, one in sorted(picked.items())]
        named = [{"optionName": str(one.get("name") or OPTION), "name": str(one.get("value"))} for one in options_of]
        for one in named:
            values.setdefault(one["optionName"], {})[one["name"]] = None
        variants.append(rows[number] | {"optionValues": named})
    options = [
        {"name": name, "position": place, "values": [{"name": one} for one in found]}
        for place, (name, found) in enumerate(values.items(), 1)
    ]
    return {"productOptions": options, "variants": variants}


def _customer(write: Write, options: ShopifyCollection) -> Mutation:
    given = _plain("Customer", write, options)
    address = address_of(write.values)
    if address:
        given["addresses"] = [address]
    if "metafields" in given:
        variables = {"customer": ("CustomerInput!", given)}
        return Mutation("made", "customerCreate(input: $customer)", variables, "customer", coded=False)
    return Mutation("made", "customerSet(input: $customer)", {"customer": ("CustomerSetInput!", given)}, "customer")
