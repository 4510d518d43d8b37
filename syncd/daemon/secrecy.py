"""Personal fields in what the daemon itself writes and sends: which they are, and the values to look for."""

from collections.abc import Mapping
from typing import Any

from syncd.core.rules import Rules
from syncd.ledger import personal
from syncd.ledger.schema import Database
from syncd.reports.masks import Personal, records_in, worth


def personal_of(rules: Rules) -> Personal:
    """Return the personal fields of each entity, and what platforms call them."""
    fields, paths = {}, set[str]()
    for name, entity in rules.entities.items():
        own = [field for field in entity.fields.values() if field.pii]
        if own:
            fields[name] = frozenset(field.name for field in own)
            paths |= {place.path for field in own for place in field.maps.values()}
    return Personal(fields, frozenset({*paths, *(path.rpartition(".")[2] for path in paths)} - {""}))


def values_in(db: Database, which: Personal, document: Mapping[str, Any]) -> set[str]:
    """Return the personal values of every record that a document names, as texts."""
    named = [(entity, key) for entity, key in records_in(document) if entity in which.fields]
    found = [personal.values_of(db, entity, key, which.fields[entity]) for entity, key in named]
    return {text for values in found for value in values for text in worth(value)}
