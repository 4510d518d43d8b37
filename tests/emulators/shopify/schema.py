"""The vendor's own schema, and documents that are parsed and validated over it once."""

import gzip
import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from graphql import GraphQLError, GraphQLSchema, build_client_schema, parse, validate
from graphql.language import DocumentNode, OperationDefinitionNode

PACKAGE = "@shopify/dev-mcp@1.16.0"
MEMBER = "package/dist/data/admin_2026-10.json.gz"


class SchemaError(Exception):
    """The vendor's schema is not here and cannot be fetched."""


def schema_file() -> Path:
    """Return the vendor's schema: of SYNCD_SHARED, else from the vendor's npm package, kept in the cache."""
    shared = os.environ.get("SYNCD_SHARED")
    if shared:
        return Path(shared) / "schemas" / "shopify" / "admin_2026-10.json.gz"
    cached = Path(os.environ.get("SYNCD_NODE") or "~/.cache/syncd-node").expanduser() / "shopify" / "admin_2026-10.json.gz"
    if not cached.exists():
        _fetch(cached)
    return cached


def _fetch(to: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise SchemaError(f"Shopify's schema is in npm's {PACKAGE}, and npm is not here; install it or set SYNCD_SHARED")
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([npm, "pack", PACKAGE], cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            raise SchemaError(f"npm pack {PACKAGE}: {done.stderr[-500:]}")
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as packed:
            found = packed.extractfile(MEMBER)
            assert found is not None
            part = Path(folder) / "part"
            part.write_bytes(found.read())
        shutil.copy(part, to.with_suffix(".part"))
        to.with_suffix(".part").replace(to)


def needed() -> None:
    """Skip the test where the schema is not here, saying so; fail in CI."""
    import pytest  # examples run without it

    if os.environ.get("SYNCD_SHARED"):
        return
    if os.environ.get("CI"):
        pytest.fail("SYNCD_SHARED is not set, and in CI it has to be")
    pytest.skip("SYNCD_SHARED is not set: Shopify's schema is not here")


@cache
def introspection() -> dict[str, Any]:
    """Return the introspection as the vendor publishes it."""
    loaded = orjson.loads(gzip.decompress(schema_file().read_bytes()))
    found: dict[str, Any] = loaded.get("data", loaded)
    return found


@cache
def schema(without: frozenset[str] = frozenset()) -> GraphQLSchema:
    """Return the schema; ``without`` has fields that went away since, as Product.vendor."""
    whole: Any = introspection()
    if without:
        types = [_trimmed(one, without) for one in whole["__schema"]["types"]]
        whole = {"__schema": whole["__schema"] | {"types": types}}
    return build_client_schema(whole, assume_valid=True)


def _trimmed(one: dict[str, Any], without: frozenset[str]) -> dict[str, Any]:
    fields = one.get("fields")
    if not fields:
        return one
    return one | {"fields": [field for field in fields if f"{one['name']}.{field['name']}" not in without]}


@dataclass(frozen=True)
class Document:
    """A document as it was understood, or why it was not."""

    ast: DocumentNode | None
    errors: tuple[dict[str, Any], ...] = ()

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """Return the operation that is meant, None where that is not clear."""
        assert self.ast is not None
        found = [one for one in self.ast.definitions if isinstance(one, OperationDefinitionNode)]
        named = [one for one in found if one.name is not None and one.name.value == name] if name else found
        return named[0] if len(named) == 1 else None


@cache
def document(text: str, without: frozenset[str] = frozenset()) -> Document:
    """Return a document, parsed and validated."""
    try:
        ast = parse(text)
    except GraphQLError as error:
        return Document(None, (shown(error, "parseError"),))
    errors = validate(schema(without), ast, max_errors=20)
    if errors:
        return Document(None, tuple(shown(error, _code(error)) for error in errors))
    return Document(ast)


def shown(error: GraphQLError, code: str | None = None) -> dict[str, Any]:
    """Return an error as the shop shows it."""
    found: dict[str, Any] = {"message": error.message}
    if error.locations:
        found["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        found["path"] = list(error.path)
    extensions = dict(error.extensions or {})
    if code is not None:
        extensions.setdefault("code", code)
    return found | ({"extensions": extensions} if extensions else {})


def _code(error: GraphQLError) -> str:
    if "Cannot query field" in error.message:
        return "undefinedField"
    if "Unknown argument" in error.message:
        return "argumentNotAccepted"
    return "invalidDocument"
