"""The pieces of the editor schemas (JSON Schema, draft-07): values that the config language has everywhere.

Any scalar may also be a ``${VARIABLE}``. What only the loader can judge (types, round trips, expressions) is left to it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

Schema = dict[str, Any]

VARIABLE: Schema = {"type": "string", "pattern": r"\$\{"}
TEXT: Schema = {"type": "string"}
ANYTHING: Schema = {}
DURATION: Schema = {
    "type": "string",
    "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d)|.*\$\{.*)$",
    "description": "a duration with its unit: 500ms, 10s, 5m, 1h, 2d",
}
SHARE: Schema = {"type": "string", "pattern": r"^(\d+(\.\d+)?%|.*\$\{.*)$", "description": "a share in percent: 10%"}
EXPRESSION: Schema = {"type": "string", "description": "an expression: golden.price > 10 and sap.raw.Locked == false"}
SWEEP: Schema = {"type": "string", "description": "a duration (24h) or a cron expression"}


def whole(least: int = 0) -> Schema:
    """Return a whole number."""
    return either({"type": "integer", "minimum": least}, VARIABLE)


def number() -> Schema:
    """Return a number."""
    return either({"type": "number"}, VARIABLE)


def flag() -> Schema:
    """Return true or false."""
    return either({"type": "boolean"}, VARIABLE)


def word(names: Iterable[object], text: str = "") -> Schema:
    """Return one of these words; an editor completes them."""
    found: Schema = {"enum": list(names)}
    return found | ({"description": text} if text else {})


def either(*choices: Schema) -> Schema:
    """Return a schema that takes any of these."""
    return {"anyOf": list(choices)}


def items(one: Schema) -> Schema:
    """Return a list of such things."""
    return {"type": "array", "items": one}


def ref(name: str) -> Schema:
    """Return a reference to a definition of the same file."""
    return {"$ref": f"#/definitions/{name}"}


def mapping(known: Mapping[str, Schema], *, required: Iterable[str] = (), rest: Schema | bool = False) -> Schema:
    """Return a mapping with these keys; ``rest`` is what other keys hold, False where there are none."""
    found: Schema = {"type": "object", "properties": dict(known), "additionalProperties": rest}
    needed = list(required)
    return found | ({"required": needed} if needed else {})


def named(keys: Iterable[str], value: Schema) -> Schema:
    """Return a mapping from these names, which an editor completes, to one kind of value."""
    return mapping(dict.fromkeys(keys, value))


def limit(*, window: bool = True) -> Schema:
    """Return a breaker's figures."""
    return mapping({"max": whole(), "ratio": SHARE} | ({"per": DURATION} if window else {}))


def safety() -> Schema:
    """Return ``safety:``."""
    blocks = {name: limit() for name in ("changes", "deletes", "blanked")} | {"shrink": limit(window=False)}
    return mapping({**blocks, "on_trip": word(("pause", "warn"))})


def when_named(key: str, name: str, then: Schema) -> Schema:
    """Return what holds where a key has this value: names depend on the entity, or on the connector."""
    return {"if": {"properties": {key: {"const": name}}, "required": [key]}, "then": {"properties": then}}


def document(title: str, body: Schema, definitions: Mapping[str, Schema], extra: Iterable[Schema] = ()) -> Schema:
    """Return a whole schema."""
    found: Schema = {"$schema": "http://json-schema.org/draft-07/schema#", "title": title, **body}
    found["definitions"] = dict(definitions)
    more = list(extra)
    return found | ({"allOf": more} if more else {})


# ---- from a connector's own model


def of_model(model: Any, prefix: str, definitions: dict[str, Schema]) -> Schema:
    """Return a connector's model as draft-07, its parts added to ``definitions`` under a prefix."""
    found: Schema = model.model_json_schema(by_alias=True, ref_template=f"#/definitions/{prefix}{{model}}")
    for name, part in found.pop("$defs", {}).items():
        definitions[f"{prefix}{name}"] = loosened(part)
    whole: Schema = loosened(found)
    return whole


def loosened(part: Any) -> Any:
    """Return a part of a model's schema without its Python names, where a variable may stand for any scalar."""
    if isinstance(part, list):
        return [loosened(one) for one in part]
    if not isinstance(part, dict):
        return part
    kept = {key: loosened(value) for key, value in part.items() if key not in {"title", "default", "properties"}}
    if "properties" in part:
        kept["properties"] = {key: loosened(value) for key, value in part["properties"].items()}
    if kept.get("type") in {"integer", "number", "boolean"}:
        return either(kept, VARIABLE)
    return kept
