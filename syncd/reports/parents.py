"""References on their way to a person: the parent's key in place of the number of its record."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from syncd.reports.masks import LEAVES, VALUES

Links = Mapping[str, Mapping[str, str]]  # entity -> field -> the entity that it refers to
TOLD = frozenset(("result",))  # a value, as text
NATIVE = frozenset(("sent", "item", "values", "body", "payload", "request", "answer", "raws", "writes"))


def numbers_in(document: Mapping[str, Any], links: Links) -> set[int]:
    """Return the numbers of the records that a document's references lead to."""
    found: set[int] = set()

    def note(value: Any, _: str) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            found.add(value)
        return value

    _walk(document, links, note)
    return found


def named(document: Mapping[str, Any], links: Links, keys: Mapping[int, tuple[str, str]]) -> dict[str, Any]:
    """Return a document with parents' keys for numbers. ``keys`` are entity and key by number; what is in none stays."""

    def key(value: Any, target: str) -> Any:
        home, name = keys.get(value, ("", "")) if isinstance(value, int) and not isinstance(value, bool) else ("", "")
        return name or value if home == target else value

    shown: dict[str, Any] = _walk(document, links, key)
    return shown


def targets(links: Links, entity: object, *names: object) -> Iterator[str]:
    """Yield the entity that a field of one of these names refers to."""
    fields = links.get(str(entity), {})
    yield from (fields[str(name)] for name in names if str(name) in fields)


def _walk(
    node: Any, links: Links, change: Callable[[Any, str], Any], entity: object = None, field: object = None, key: str = ""
) -> Any:
    if isinstance(node, Mapping):
        entity, field = node.get("entity") or entity, node.get("field") or field
        native = "path" in node and node.get("op") != "take"  # what a platform is told stands beside its path, as it is there
        return {
            name: part
            if name in NATIVE or (native and name in LEAVES)
            else _walk(part, links, change, entity, field, key if key in VALUES else str(name))
            for name, part in node.items()
        }
    if isinstance(node, list):
        return [_walk(part, links, change, entity, field, key) for part in node]
    target = next(targets(links, entity, key, *([field] if key in LEAVES | VALUES | TOLD else [])), "")
    if key in TOLD and isinstance(node, str):
        return str(change(int(node), target)) if target and node.isdecimal() else node
    return change(node, target) if target else node
