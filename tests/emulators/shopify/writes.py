"""What mutations share: user errors under HTTP 200, idempotency keys, and metafields."""

from collections.abc import Callable
from typing import Any

import orjson
from graphql import GraphQLError, GraphQLResolveInfo

from tests.emulators.shopify.cost import given_to
from tests.emulators.shopify.reads import RESOLVERS, Context
from tests.emulators.shopify.schema import schema
from tests.emulators.shopify.state import Node, Shop

Mutation = Callable[[Context, dict[str, Any]], Node]
HARMLESS = {"bulkOperationRunQuery", "bulkOperationCancel", "stagedUploadsCreate"} | {
    f"webhookSubscription{what}" for what in ("Create", "Update", "Delete")
}  # mutations that change no record


class Refused(Exception):  # noqa: N818 - it is what the shop does
    """A mutation that the shop does not do: its user errors."""

    def __init__(self, message: str, *place: str, code: str | None = None) -> None:
        super().__init__(message)
        self.errors: list[Node] = [{"message": message, "field": list(place) or None, "code": code}]


def mutates(name: str, *empty: str) -> Callable[[Mutation], Mutation]:
    """Note a mutation; ``empty`` are the fields that are null in its answer when it is refused."""

    def noted(function: Mutation) -> Mutation:
        def run(context: Context, _: Any, info: GraphQLResolveInfo, args: dict[str, Any]) -> Node:
            forced = context.server.forced_errors(name) if context.server is not None else None
            if forced is not None:
                return dict.fromkeys(empty) | {"userErrors": forced}
            try:
                return _once(context, info, args, function)
            except Refused as refused:
                return dict.fromkeys(empty) | {"userErrors": refused.errors}

        RESOLVERS["Mutation", name] = run
        return function

    return noted


def _once(context: Context, info: GraphQLResolveInfo, args: dict[str, Any], function: Mutation) -> Node:
    """Do a mutation, or repeat the answer that its idempotency key had."""
    directives = [one for one in info.field_nodes[0].directives or () if one.name.value == "idempotent"]
    given = given_to(directives[0], context.variables) if directives else None
    if given is None:
        if _needs_a_key(info.field_name):
            text = "The @idempotent directive is required for this mutation but was not provided."
            raise GraphQLError(text, extensions={"code": "BAD_REQUEST"})
        return function(context, args) | {"userErrors": []}
    asked = orjson.dumps([info.field_name, args], option=orjson.OPT_SORT_KEYS)
    keys: dict[str, tuple[bytes, Node]] = context.shop.__dict__.setdefault("keys", {})
    if not given["key"].strip():
        raise GraphQLError("The idempotency key cannot be blank.", extensions={"code": "BAD_REQUEST"})
    if given["key"] in keys:
        before, answer = keys[given["key"]]
        if before != asked:
            text = "The same idempotency key cannot be used with different parameters."
            raise Refused(text, code="IDEMPOTENCY_KEY_PARAMETER_MISMATCH")
        return answer
    answer = function(context, args) | {"userErrors": []}
    keys[given["key"]] = (asked, answer)
    return answer


def _needs_a_key(name: str) -> bool:
    mutations = schema().mutation_type
    assert mutations is not None
    return "the idempotency key is required" in (mutations.fields[name].description or "").replace("\n", " ")


def metafield_inputs(shop: Shop, owner: Node, given: list[Node], *place: str, replace: bool = False) -> None:
    """Set an owner's metafields; with ``replace`` those that are not given are deleted. Checked first, then set."""
    keyed = {((one.get("namespace") or "$app"), one.get("key") or "", n): one for n, one in enumerate(given)}
    for (namespace, key, n), one in keyed.items():
        kind = one.get("type") or owner["_metafields"].get((namespace, key), {}).get("type")
        if kind is None:
            raise Refused("Type can't be blank", *place, str(n), "type", code="INVALID_METAFIELD")
        check_value(kind, str(one.get("value")), *place, str(n), "value", code="INVALID_METAFIELD")
    if replace:
        names = {(namespace, key) for namespace, key, _ in keyed}
        owner["_metafields"] = {name: one for name, one in owner["_metafields"].items() if name in names}
    for (namespace, key, _), one in keyed.items():
        kind = one.get("type") or owner["_metafields"][namespace, key]["type"]
        shop.set_metafield(owner, namespace, key, kind, str(one.get("value")))


def check_value(kind: str, value: str, *place: str, code: str) -> None:
    """Raise Refused where a value does not fit its type."""
    try:
        if kind == "number_integer":
            int(value)
        elif kind == "number_decimal":
            float(value)
        elif kind == "json" or kind.startswith("list."):
            orjson.loads(value)
        elif value == "":
            raise Refused("Value can't be blank.", *place, code="BLANK" if code == "INVALID_VALUE" else code)
    except ValueError as error:
        raise Refused(f"Value must be a {kind}.", *place, code=code) from error
