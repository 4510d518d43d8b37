"""Which mapping and scope the things of a collection were last read with. Where that changed, nothing known proves anything."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from syncd.config.model import Config
from syncd.core.rules import Entity, Field, Transform
from syncd.ledger import meta, sweeps
from syncd.ledger.schema import Database

Place = tuple[str, str]  # platform, collection


def signatures(config: Config) -> dict[Place, str]:
    """Return for each collection with an entity a text that changes with its mapping and its scope."""
    found: dict[Place, str] = {}
    for entity in config.rules.entities.values():
        for platform, member in entity.members.items():
            options = config.platforms[platform].collections[member.collection].options
            text = repr((mapping(entity, platform), options))
            found[platform, member.collection] = sha256(text.encode()).hexdigest()[:16]
    return found


def mapping(entity: Entity, platform: str) -> list[tuple[Any, ...]]:
    """Return what makes a platform's things into readings, in a form that can be compared."""
    found: list[tuple[Any, ...]] = []
    for name, field in entity.fields.items():
        place = field.maps.get(platform)
        if place is not None:
            steps = (*map(named, place.read), "|", *map(named, place.write))
            found.append((name, field.type.name, place.path, place.direction, steps, judged_by(field)))
    member = entity.members[platform]
    if member.raws or member.only is not None:
        found.append(("", member.raws, member.only.text if member.only is not None else ""))
    return found


def judged_by(field: Field) -> tuple[Any, ...]:
    """Return the checks that decide whether a value of a field is valid, in a form that can be compared."""
    checks = [(check.name, getattr(check, "setting", None)) for check in field.checks]
    return repr(checks), field.required, tuple(condition.text for condition in field.conditions)


def named(step: Transform) -> str:
    """Return a step as the config writes it; of a plugin with what changes with its code."""
    return f"{step.name} {digest}" if (digest := getattr(step, "digest", "")) else step.name


def note_moved(db: Database, now: Mapping[Place, str]) -> list[Place]:
    """Note how collections are read from now on; return those that were read otherwise, all their things to be read anew."""
    moved = []
    for (platform, collection), signature in now.items():
        fact = f"mapped {platform} {collection}"
        before = meta.get(db, fact)
        if before == signature:
            continue
        meta.put(db, fact, signature)
        if before is not None:
            sweeps.forget(db, platform, collection)
            moved.append((platform, collection))
    return moved
