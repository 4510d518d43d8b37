"""Requests written in the config: ``GET /products?sku={sku}``. What is filled in is quoted; it can leave no segment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from syncd.core.model import Native
from syncd.errors import PermanentError

_WRITTEN = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/[^\s#]*)")
_NAME = re.compile(r"\{([\w.-]+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A method and a path with ``{names}`` in it."""

    method: str
    path: str
    query: tuple[str, ...]

    @property
    def names(self) -> set[str]:
        """Return the names to be filled in."""
        return self.path_names | {name for part in self.query for name in _NAME.findall(part)}

    @property
    def path_names(self) -> set[str]:
        """Return the names that stand in the path."""
        return set(_NAME.findall(self.path))

    def fill(self, values: Mapping[str, Native]) -> str:
        """Return the quoted path and query; a parameter whose value is None is left out.

        Raises PermanentError if the path needs what is not there or what would lead elsewhere.
        """
        path = _NAME.sub(lambda found: _segment(found[1], values), self.path)
        missing = {name for name in self.names if values.get(name) is None}
        parts = [part for part in self.query if not missing & set(_NAME.findall(part))]
        query = "&".join(_NAME.sub(lambda found: quote(text_of(values[found[1]]), safe=""), part) for part in parts)
        return f"{path}?{query}" if query else path


def parse_template(raw: Any) -> Template:
    """Return a template; raises PydanticCustomError ``template``."""
    found = _WRITTEN.fullmatch(raw) if isinstance(raw, str) else None
    if isinstance(raw, Template):
        return raw
    if not found:
        example = {"raw": f'"{raw}"', "example": "GET /things/{id}"}
        raise PydanticCustomError("template", "{raw} is no request like {example}", example)
    path, _, query = found[2].partition("?")
    return Template(found[1], path, tuple(part for part in query.split("&") if part))


def text_of(value: Native) -> str:
    """Return a native value as it stands in an address; raises PermanentError if it cannot."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, str | int):
        return str(value)
    raise PermanentError(f"{type(value).__name__} does not fit into an address")


def _segment(name: str, values: Mapping[str, Native]) -> str:
    text = text_of(values[name]) if values.get(name) is not None else ""
    if text in {"", ".", ".."}:
        raise PermanentError(f"{{{name}}} would be {text!r}, which leads elsewhere")
    return quote(text, safe="")


Request = Annotated[
    Template, BeforeValidator(parse_template), WithJsonSchema({"type": "string", "description": "GET /things/{id}"})
]
