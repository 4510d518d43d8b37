"""The editor schemas of a config folder: they complete the names of its own platforms, entities and fields.

Written by ``syncd schema --write`` into ``.schema/``; the first line of each file names its own. They help while typing;
``syncd check`` decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syncd.config import service, upkeep
from syncd.config.checking import NAMES as CHECKS
from syncd.config.entity import KEYS as ENTITY_KEYS
from syncd.config.fields import KEYS as FIELD_KEYS
from syncd.config.identity import THEN
from syncd.config.model import Kind
from syncd.config.nodes import Block, Scalar
from syncd.config.ruletests import KEYS as TESTS_KEYS
from syncd.config.ruletests import TEST_KEYS
from syncd.config.schemaparts import (
    ANYTHING,
    DURATION,
    EXPRESSION,
    SHARE,
    SWEEP,
    TEXT,
    Schema,
    document,
    either,
    flag,
    items,
    mapping,
    named,
    number,
    of_model,
    ref,
    safety,
    when_named,
    whole,
    word,
)
from syncd.config.service import MODES, STRAY
from syncd.config.source import Source
from syncd.config.testexpect import KEYS as EXPECT_KEYS
from syncd.config.truth import BLANKS
from syncd.config.truthparts import MERGES
from syncd.core import equality, formats, transforms, values

HOLDS = ("keep", "next", "hold")


@dataclass(frozen=True, slots=True)
class Names:
    """What a config folder calls things. ``platforms``: its collections; ``entities``: its fields, groups and platforms."""

    platforms: Mapping[str, Sequence[str]]
    entities: Mapping[str, "EntityNames"]


@dataclass(frozen=True, slots=True)
class EntityNames:
    """The names of one entity."""

    fields: Sequence[str] = ()
    groups: Sequence[str] = ()
    platforms: Sequence[str] = ()


def names_of(sources: Sequence[Source]) -> Names:
    """Return the names in files that were parsed, as far as they could be."""
    platforms, entities = dict[str, Sequence[str]](), dict[str, EntityNames]()
    for source in sources:
        root, part = source.root, source.path.split("/")[0]
        if root is None:
            continue
        if part == "platforms":
            platforms[_text(root, "platform")] = _keys(root, "collections")
        elif part == "entities":
            entities[_text(root, "entity")] = EntityNames(_keys(root, "fields"), _keys(root, "groups"), _keys(root, "in"))
    platforms.pop("", None)
    entities.pop("", None)
    return Names(platforms, entities)


def _text(root: Block, key: str) -> str:
    node = root.get(key)
    return node.text if isinstance(node, Scalar) else ""


def _keys(root: Block, key: str) -> tuple[str, ...]:
    node = root.get(key)
    return tuple(node.entries) if isinstance(node, Block) else ()


def schemas_of(names: Names, kinds: Mapping[str, Kind]) -> dict[str, Schema]:
    """Return the four schemas by file name."""
    return {
        "syncd.schema.json": service_schema(),
        "platform.schema.json": platform_schema(kinds),
        "entity.schema.json": entity_schema(names),
        "tests.schema.json": tests_schema(names),
    }


def service_schema() -> Schema:
    """Return the schema of ``syncd.yaml``."""
    report = {"dir": TEXT, "formats": items(word(upkeep.FORMATS)), "keep": DURATION}
    notice = {
        "when": items(word(upkeep.OCCASIONS)),
        "to": word(upkeep.TO),
        "url": {"type": "string", "pattern": r"^(secret:|.*\$\{)", "description": "secret:NAME"},
        "min_gap": DURATION,
        "over": SHARE,
    }
    cron = {"type": "string", "description": 'a cron expression: "15 2 * * *"'}
    known = {
        "version": {"const": 1},
        "ledger": mapping({"path": TEXT, "keep_history": DURATION, "backup": mapping({"every": DURATION, "keep": whole(1)})}),
        "listen": mapping({"hooks": TEXT, "console": TEXT, "control": TEXT}),
        "console": mapping({"auth": word(("none", "password", "proxy")), "users_file": TEXT}),
        "defaults": mapping(
            {
                "mode": word(MODES),
                "stale_after": DURATION,
                "stray_edits": word(STRAY),
                "blanks": mapping({"if_null": word(BLANKS)}),
            }
        ),
        "safety": safety(),
        "reconcile": mapping({"settle": DURATION, "schedule": cron, "report": mapping(report)}),
        "notify": items(mapping(notice, required=["when", "to", "url"])),
        "watch_config": flag(),
        "allow_plugins": flag(),
        "python": either(TEXT, items(TEXT)),
    }
    return document("syncd.yaml", mapping({key: known.get(key, TEXT) for key in service.KEYS}, required=["version"]), {})


# ---- platforms


def platform_schema(kinds: Mapping[str, Kind]) -> Schema:
    """Return the schema of ``platforms/*.yaml``: what may stand in a block depends on the connector."""
    definitions: dict[str, Schema] = {}
    branches = []
    for name, kind in kinds.items():
        collection = of_model(kind.collection, f"{name}.", definitions)
        collection.setdefault("properties", {})["retain"] = {"type": "object"}
        blocks = {
            "connection": of_model(kind.connection, f"{name}.", definitions),
            "watch": of_model(kind.watch, f"{name}.", definitions),
            "collections": {"type": "object", "additionalProperties": collection},
        }
        branches.append(when_named("connector", name, blocks))
    rate = {"type": "string", "pattern": r"^\d+(\.\d+)?/(s|m|h|d)$", "description": "so many in a time: 2/s, 100/m"}
    retry = mapping({"attempts": whole(1), "first": DURATION, "max": DURATION})
    hours = {"type": "string", "pattern": r"^\d\d:\d\d-\d\d:\d\d$"}
    known = {
        "platform": TEXT,
        "connector": word(sorted(kinds)),
        "mode": word(MODES, "observe never writes, propose waits for a person, enforce writes"),
        "connection": {"type": "object"},
        "watch": {"type": "object", "properties": {"sweep": SWEEP}},
        "stale_after": DURATION,
        "stray_edits": word(STRAY),
        "timezone": TEXT,
        "limits": mapping({"rate": rate, "burst": whole(1), "concurrency": whole(1), "daily": whole(1)}),
        "write": mapping(
            {
                "guard": word(("version", "hash", "none")),
                "retry": retry,
                "batch": whole(1),
                "quiet_hours": hours,
                "drafts": word(("never", "always")),
            }
        ),
        "collections": {"type": "object"},
    }
    body = mapping(known, required=["platform", "connector", "collections"])
    return document("a platform of syncd", body, definitions, branches)


# ---- entities


def entity_schema(names: Names) -> Schema:
    """Return the schema of ``entities/*.yaml``: names depend on the entity."""
    places = {
        name: mapping(
            {
                "collection": word(collections),
                "only": EXPRESSION,
                "create": either(flag(), mapping({"when": EXPRESSION}, required=["when"])),
            },
            required=["collection"],
        )
        for name, collections in names.platforms.items()
    }
    platforms = list(names.platforms)
    known = {
        "in": mapping(places),
        "identity": {"type": "object"},
        "fields": {"type": "object", "additionalProperties": ref("field")},
        "groups": {"type": "object", "additionalProperties": mapping({"truth": ref("truth")}, required=["truth"])},
        "deletes": _deletes(platforms),
        "safety": safety(),
        "mode": word(MODES),
        "stray_edits": word(STRAY),
    }
    body = mapping({key: known.get(key, TEXT) for key in ENTITY_KEYS}, required=["entity", "in", "identity", "fields"])
    extra = [when_named("entity", name, _of_entity(one, platforms)) for name, one in names.entities.items()]
    return document("an entity of syncd", body, _definitions(platforms), extra)


def _of_entity(one: EntityNames, platforms: Sequence[str]) -> dict[str, Schema]:
    """Return what depends on an entity's own names."""
    field, places = word(one.fields), [*one.platforms] or [*platforms]
    match = mapping(
        {
            "by": either(field, items(TEXT)),
            "when": EXPRESSION,
            "normal": items(TEXT),
            "confidence": word(("sure", "review")),
        },
        required=["by"],
    )
    unmatched = named(places, word(("create", "review", "ignore")))
    identity = mapping(
        {
            "key": word([*one.fields, "id"]),
            "match": items(match),
            "ambiguous": word(("review",)),
            "unmatched": unmatched,
        },
        required=["key"],
    )
    own = {"map": named(places, ref("place")), "group": word(one.groups), "writes": items(word(places))}
    return {"identity": identity, "fields": {"type": "object", "additionalProperties": {"properties": own}}}


def _deletes(platforms: Sequence[str]) -> Schema:
    return mapping(
        {
            "authority": word([*platforms, "any", "manual"]),
            "then": named(platforms, word(THEN)),
            "confirm": mapping({"sweeps": whole(1), "wait": DURATION}),
            "elsewhere": word(("restore", "ignore", "review")),
        }
    )


def _definitions(platforms: Sequence[str]) -> dict[str, Schema]:
    """Return what the fields of any entity are made of."""
    one, some = word(platforms), items(word(platforms))
    null = either(word(BLANKS), mapping({"const": ANYTHING}), mapping({"use": one}))
    freeze = either(flag(), mapping({"until": TEXT, "when": EXPRESSION, "after_first": flag()}))
    rule = {
        "when": EXPRESSION,
        "owner": one,
        "priority": some,
        "newest": some,
        "skew": DURATION,
        "tie": some,
        "merge": word(MERGES),
        "from": some,
        "removals": word(("honour", "ignore")),
        "expr": EXPRESSION,
        "const": ANYTHING,
        "manual": {"const": True},
        "propose": ref("truth"),
        "reviewers": items(TEXT),
        "if_null": null,
        "if_stale": word(HOLDS),
        "if_invalid": word(HOLDS),
        "stale_after": DURATION,
        "freeze": freeze,
    }
    return {
        "truth": either(one, ref("rule"), items(ref("rule"))),
        "rule": mapping(rule),
        "place": either(TEXT, _place()),
        "field": _field(platforms),
    }


def _place() -> Schema:
    call = {"type": "string", "pattern": r"^\w+\(.*\)$"}
    table = mapping({"table": {"type": "object"}}, required=["table"])
    steps = items(either(word([name for name in transforms.NAMES if name != "table"]), call, table))
    known = {"path": TEXT, "read": steps, "write": steps, "direction": word(("both", "in", "out")), "default": ANYTHING}
    return mapping(known, required=["path"])


def _field(platforms: Sequence[str]) -> Schema:
    pattern = r"^(decimal\(\d+\)|(set|list|ref)\(\w+\)|.*\$\{.*)$"
    kind = either(word(values.NAMES), {"type": "string", "pattern": pattern}, mapping({"enum": items(TEXT)}, required=["enum"]))
    near = either(word(equality.NAMES), mapping({"number": number()}), mapping({"time": DURATION}))
    known = {
        "type": kind,
        "truth": ref("truth"),
        "map": named(platforms, ref("place")),
        "equal": near,
        "check": mapping(dict.fromkeys([*CHECKS], ANYTHING) | {"format": word(formats.NAMES)}),
        "required": flag(),
        "stray_edits": word(STRAY),
        "writes": items(word(platforms)),
        "mode": word(MODES),
        "blank_is_value": flag(),
        "pii": flag(),
    }
    return mapping({key: known.get(key, TEXT) for key in FIELD_KEYS}, required=["type"])


# ---- tests


def tests_schema(names: Names) -> Schema:
    """Return the schema of ``tests/*.yaml``."""
    known = {"name": TEXT, "given": named(names.platforms, ANYTHING), "expect": ref("expect")}
    one = mapping({key: known.get(key, ANYTHING) for key in TEST_KEYS}, required=["name"])
    body = {key: items(one) if key == "tests" else word(names.entities) for key in TESTS_KEYS}
    expect = mapping({**dict.fromkeys(EXPECT_KEYS, ANYTHING), "writes": named(names.platforms, ANYTHING)})
    extra = [when_named("entity", name, _of_tests(one)) for name, one in names.entities.items()]
    return document("rule tests of syncd", mapping(body, required=["entity", "tests"]), {"expect": expect}, extra)


def _of_tests(one: EntityNames) -> dict[str, Schema]:
    """Return what depends on the entity that is tested."""
    fields = named(one.fields, ANYTHING)
    expect = {"properties": {"golden": fields, "decided_by": fields, "conflicts": items(TEXT)}}
    test = {"properties": {"base": fields, "expect": expect}}
    return {"tests": items(test)}

