"""The shop's search syntax, as far as syncd asks: ``field:value``, comparators, AND, OR, NOT, brackets, quotes, a final ``*``.

As documented, and as it bites: a field that the schema does not list is *ignored* with a warning in ``extensions.search``;
text is matched by its words and without case; a time on customers means its whole day.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from tests.emulators.shopify.schema import schema
from tests.emulators.shopify.state import Node, number_of

TOKEN = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<minus>-(?=\w+:))|
    (?:(?P<field>[A-Za-z_][\w.$-]*):\s*(?P<sign>>=|<=|>|<|)\s*)?
    (?:'(?P<single>(?:\\.|[^'\\])*)'|"(?P<double>(?:\\.|[^"\\])*)"|(?P<bare>(?:\\.|[^\s()'"\\])+)))""",
    re.VERBOSE,
)
Test = Callable[[Node], bool]
ROOTS = {
    "Product": "products",
    "ProductVariant": "productVariants",
    "Customer": "customers",
    "Order": "orders",
    "InventoryItem": "inventoryItems",
    "Collection": "collections",
    "Location": "locations",
    "WebhookSubscription": "webhookSubscriptions",
    "BulkOperation": "bulkOperations",
}


@dataclass
class Search:
    """A query, understood. ``warnings``: what was ignored."""

    kind: str
    text: str
    test: Test = lambda _: True
    warnings: list[dict[str, str]] = field(default_factory=list)


@cache
def filters_of(kind: str) -> frozenset[str]:
    """Return the fields that the vendor's schema documents for a query argument."""
    if kind == "InventoryLevel":
        place: Any = schema().type_map["Location"]
        text = place.fields["inventoryLevels"].args["query"].description or ""
    else:
        query = schema().query_type
        assert query is not None
        text = query.fields[ROOTS[kind]].args["query"].description or ""
    return frozenset(re.findall(r"^\s*\|\s*`?([a-z_.]+)`?\s*\|", text, re.MULTILINE)) - {"default"}


@cache
def understood(kind: str, text: str) -> Search:
    """Return a query as the shop takes it."""
    made = Search(kind, text)
    tokens = [match.groupdict() for match in TOKEN.finditer(text) if match[0].strip()]
    made.test = _either(made, tokens)
    return made


def _either(made: Search, tokens: list[dict[str, Any]]) -> Test:
    tests = [_all(made, tokens)]
    while tokens and tokens[0]["bare"] == "OR" and not tokens[0]["field"]:
        tokens.pop(0)
        tests.append(_all(made, tokens))
    return lambda node: any(test(node) for test in tests)


def _all(made: Search, tokens: list[dict[str, Any]]) -> Test:
    tests: list[Test] = []
    while tokens and not tokens[0]["close"]:
        word = tokens[0]["bare"] if not tokens[0]["field"] else None
        if word == "OR":
            break
        if word == "AND":
            tokens.pop(0)
            continue
        tests.append(_one(made, tokens))
    return lambda node: all(test(node) for test in tests)


def _one(made: Search, tokens: list[dict[str, Any]]) -> Test:
    token = tokens.pop(0)
    if token["minus"] or (token["bare"] == "NOT" and not token["field"] and tokens):
        inner = _one(made, tokens)
        return lambda node: not inner(node)
    if token["open"]:
        inner = _either(made, tokens)
        if tokens:
            tokens.pop(0)
        return inner
    quoted = token["single"] if token["single"] is not None else token["double"]
    value = re.sub(r"\\(.)", r"\1", quoted if quoted is not None else token["bare"] or "")
    return _term(made, token["field"], token["sign"] or "", value, quoted=quoted is not None)


def _term(made: Search, name: str | None, sign: str, value: str, *, quoted: bool) -> Test:
    if name is None:
        return lambda node: any(_words(value, str(text)) for text in _free(node))
    if name not in filters_of(made.kind):
        made.warnings.append({"field": name, "message": "Invalid search field for this query."})
        return lambda _: True
    if name == "id" or name.endswith("_id"):
        return _numbers(name, sign, value)
    if name.endswith("_at"):
        return _times(made, name, sign, value, quoted=quoted)
    if value == "*":
        return lambda node: any(text not in {None, ""} for text in _values(node, name))
    prefix = value.endswith("*") and not quoted
    return lambda node: any(text is not None and _words(value, str(text), prefix=prefix) for text in _values(node, name))


def _numbers(name: str, sign: str, value: str) -> Test:
    if not re.fullmatch(r"\d+", value):
        return lambda _: False
    return lambda node: any(_compares(int(number_of(str(one))), sign, int(value)) for one in _values(node, name))


def _times(made: Search, name: str, sign: str, value: str, *, quoted: bool) -> Test:
    try:
        at = datetime.fromisoformat(value if quoted or ":" not in value else "")  # a colon has to be quoted
    except ValueError:
        made.warnings.append({"field": name, "message": f"Input `{value}` is not an accepted value."})
        return lambda _: True
    at = at.replace(tzinfo=at.tzinfo or UTC)
    whole_day = made.kind == "Customer"

    def test(node: Node) -> bool:
        theirs = datetime.fromisoformat(_values(node, name)[0])
        return _compares(theirs.date(), sign, at.date()) if whole_day else _compares(theirs, sign, at)

    return test


def _compares(left: Any, sign: str, right: Any) -> bool:
    match sign:
        case ">":
            return bool(left > right)
        case ">=":
            return bool(left >= right)
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
    return bool(left == right)


def _words(wanted: str, text: str, *, prefix: bool = False) -> bool:
    """Return whether a text has these words, one after the other."""
    sought = re.findall(r"\w+", wanted.lower())
    found = re.findall(r"\w+", text.lower())
    if not sought:
        return wanted.strip().lower() == text.strip().lower()
    spans = [found[n : n + len(sought)] for n in range(len(found) - len(sought) + 1)]
    if prefix:
        return any(span[:-1] == sought[:-1] and span[-1].startswith(sought[-1]) for span in spans)
    return sought in spans


def _free(node: Node) -> list[Any]:
    return [
        node.get(name) for name in ("title", "name", "email", "firstName", "lastName", "handle", "vendor") if node.get(name)
    ]


def _values(node: Node, name: str) -> list[Any]:
    """Return what a thing has in a search field."""
    parts = _parts(node)
    match name:
        case "sku":
            return [part["_item"]["sku"] if "_item" in part else part.get("sku") for part in parts]
        case "barcode":
            return [part.get("barcode") for part in parts]
        case "price":
            return [part.get("price") for part in parts]
        case "inventory_item_id":
            return [node["_item"]["id"]]
        case "variant_id":
            return [part["id"] for part in parts]
        case "product_id":
            return [node["_product"]["id"]] if "_product" in node else [one["id"] for one in node.get("_products", [])]
        case "collection_id":
            return [one["id"] for one in node.get("_collections", [])]
        case "customer_id":
            return [node["customer"]["id"]] if node.get("customer") else []
        case "tag":
            return list(node.get("tags") or node.get("_product", {}).get("tags", []))
    return [node.get(re.sub(r"_(\w)", lambda found: found[1].upper(), name))]


def _parts(node: Node) -> list[Node]:
    return list(node["_variants"]) if "_variants" in node else [node]
