"""References in what the daemon itself writes and says: the parent's key in place of the number of its record."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from syncd.core.model import Conflict, Value
from syncd.core.references import as_list, references
from syncd.core.rules import Entity, Rules
from syncd.ledger import history
from syncd.ledger.schema import Database
from syncd.reports import parents


def with_keys(db: Database, rules: Rules, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document in which references are the keys of parents."""
    links = {name: found for name, entity in rules.entities.items() if (found := references(entity))}
    numbers = parents.numbers_in(document, links) if links else set()
    return parents.named(document, links, history.names_of(db, numbers)) if numbers else dict(document)


def as_key(db: Database, entity: Entity | None, name: str, value: Value) -> Value:
    """Return a value of a field, a reference as its parent's key (a list as theirs)."""
    if entity is None or name not in references(entity) or value is None:
        return value
    known = history.names_of(db, [one for one in as_list(value) if isinstance(one, int)])
    shown = [known[one][1] or one if one in known else one for one in as_list(value)]
    return shown if isinstance(value, list) else shown[0]


def conflict_in_keys(db: Database, entity: Entity | None, conflict: Conflict) -> Conflict:
    """Return a conflict as people are told of it."""
    if entity is None or conflict.name not in references(entity):
        return conflict
    values = {platform: as_key(db, entity, conflict.name, value) for platform, value in conflict.values.items()}
    return replace(conflict, values=values, proposal=as_key(db, entity, conflict.name, conflict.proposal))
