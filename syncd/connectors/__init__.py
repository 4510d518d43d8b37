"""Connectors: protocol, registry and one file per kind of platform. They are strangers to each other."""
