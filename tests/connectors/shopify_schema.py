"""The vendor's own schema of the Admin API, 2026-10: what every document is validated against."""

import gzip
import json
import os
from functools import cache
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_client_schema, parse, validate

FILE = "schemas/shopify/admin_2026-10.json.gz"


@cache
def schema() -> GraphQLSchema:
    """Return the schema; skips with the reason where it is not on this machine, fails where CI says that it must be."""
    shared = os.environ.get("SYNCD_SHARED")
    file = Path(shared, FILE) if shared else None
    if file is None or not file.exists():
        reason = f"SYNCD_SHARED does not lead to {FILE}: the vendor's schema is not ours to give away"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with gzip.open(file) as content:
        return build_client_schema(json.load(content)["data"], assume_valid=True)


def flaws(document: str) -> list[str]:
    """Return what the vendor's schema says against a document."""
    return [error.message for error in validate(schema(), parse(document))]
