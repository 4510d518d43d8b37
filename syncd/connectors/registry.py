"""The kinds of platforms that syncd speaks. A new one is one file, with its ``KIND``, and one line here.

A kind is imported when a config first names it: nobody waits for the drivers of platforms that he does not have.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module

from syncd.connectors.protocol import Kind

MODULES = {
    "file": "syncd.connectors.file",
    "graphql": "syncd.connectors.graphql",
    "memory": "syncd.connectors.memory",
    "mqtt": "syncd.connectors.mqtt",
    "odata": "syncd.connectors.odata",
    "rest": "syncd.connectors.rest",
    "salesforce": "syncd.connectors.salesforce",
    "sanity": "syncd.connectors.sanity",
    "shopify": "syncd.connectors.shopify",
    "sql": "syncd.connectors.sql",
}


class Kinds(Mapping[str, Kind]):
    """The kinds by the name that a platform's ``connector:`` has."""

    def __getitem__(self, name: str) -> Kind:
        """Return a kind, importing it; raises KeyError for a name that no connector has."""
        kind: Kind = import_module(MODULES[name]).KIND
        return kind

    def __iter__(self) -> Iterator[str]:
        """Return the names."""
        return iter(MODULES)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(MODULES)


KINDS: Mapping[str, Kind] = Kinds()
