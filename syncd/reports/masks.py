"""Personal values (``pii: true``) are shown as masks: in every report, in every format, and in what the daemon says.

A mask keeps the first letter, of an address also where it is: ``j***@acme``. A document is masked in two ways: what stands
under a personal field is masked where it stands, and whatever is known to be a personal value is masked wherever a text
quotes it.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

LEAVES = frozenset(
    (
        "value",
        "before",
        "after",
        "was",
        "means",
        "raw",
        "golden",
        "proposal",
        "suggestion",
        "found",
        "truth",
        "from_value",
        "to_value",
    )
)
VALUES = frozenset(("others",))  # whose entries are values
NATIVE = frozenset(("sent", "item", "values", "before", "body", "payload", "request", "raw", "answer"))  # a platform's own
PLAIN = frozenset(("held",))
LEAST = 3  # letters of a value that is looked for in texts: a shorter one would stand in every word


class Personal(NamedTuple):
    """What is personal. ``fields`` by entity; ``paths``: how platforms call those fields."""

    fields: Mapping[str, frozenset[str]]
    paths: frozenset[str] = frozenset()

    def holds(self, entity: object, field: object) -> bool:
        """Return whether a field is personal."""
        return field in self.fields.get(str(entity), ())


def mask(value: Any) -> Any:
    """Return a value as a mask: null stays, a list has masks; what is no text is hidden whole."""
    if value is None or value == "":
        return value
    if isinstance(value, list):
        return [mask(one) for one in value]
    if not isinstance(value, str):
        return "***"
    local, at, domain = value.partition("@")
    return f"{local[:1]}***@{domain.split('.')[0]}" if at and local else f"{value[:1]}***"


def hide(text: str, values: Iterable[str]) -> str:
    """Return a text without these values: each is replaced by its mask, the longest first."""
    for value in sorted(values, key=len, reverse=True):
        text = re.sub(re.escape(value), lambda found: str(mask(found.group())), text, flags=re.IGNORECASE)
    return text


def hide_quotes(text: str, names: Collection[str]) -> str:
    """Return a text in which everything that it quotes is a mask, but for these names."""

    def masked(found: re.Match[str]) -> str:
        sign, quoted = found.groups()
        return found.group() if quoted in names else f"{sign}{mask(quoted)}{sign}"

    return re.sub(r"""(['"])(.*?)\1""", masked, text)


def worth(value: Any) -> Iterator[str]:
    """Yield the texts of a value that are looked for in other texts."""
    if isinstance(value, str):
        yield from [value] if len(value) >= LEAST else []
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from worth(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from worth(one)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield from worth(str(value))


# ---- a document


def veiled(document: Mapping[str, Any], personal: Personal, known: Collection[str] = ()) -> dict[str, Any]:
    """Return a document in which every personal value is a mask. ``known`` are personal values of the records it is about."""
    found = {*known, *_standing(document, personal, document.get("entity"), document.get("field"))}
    found |= set(_quoted(document, personal))
    values = sorted({one for one in found if len(one) >= LEAST}, key=len, reverse=True)
    entity, field = document.get("entity"), document.get("field")
    return {name: _veil(part, personal, entity, field, values, name) for name, part in document.items()}


def records_in(document: Any, entity: object = None) -> set[tuple[str, str]]:
    """Return every (entity, record) that a document names."""
    found: set[tuple[str, str]] = set()
    if isinstance(document, Mapping):
        entity = document.get("entity") or entity
        if entity and document.get("record"):
            found.add((str(entity), str(document["record"])))
        for part in document.values():
            found |= records_in(part, entity)
    elif isinstance(document, list):
        for part in document:
            found |= records_in(part, entity)
    return found


def _standing(node: Any, personal: Personal, entity: object, field: object, key: str = "") -> Iterator[str]:
    """Yield the values that stand under personal fields, or under the names that platforms have for them."""
    if isinstance(node, Mapping):
        entity, field = node.get("entity") or entity, node.get("field") or field
        for name, part in node.items():
            if _is_value(name, key, personal, entity, field):
                yield from worth(_bare(part))
            yield from _standing(part, personal, entity, field, str(name))
    elif isinstance(node, list):
        for part in node:
            yield from _standing(part, personal, entity, field, key)


def _is_value(name: object, above: str, personal: Personal, entity: object, field: object) -> bool:
    """Return whether what stands under a key is a value of a personal field."""
    if name in personal.paths and above in NATIVE:
        return True
    if personal.holds(entity, name) and above not in ("fields", ""):
        return True
    return personal.holds(entity, field) and (name in LEAVES or above in VALUES)


def _bare(part: Any) -> Any:
    """Return the value in an object that says more about it, such as its platform."""
    return part.get("value") if isinstance(part, Mapping) and "value" in part else part


def _quoted(node: Any, personal: Personal) -> Iterator[str]:
    """Yield the personal values in the text of a thing as a platform showed it: ``'Email': 'jo@acme.example'``."""
    if isinstance(node, Mapping):
        for part in node.values():
            yield from _quoted(part, personal)
    elif isinstance(node, list):
        for part in node:
            yield from _quoted(part, personal)
    elif isinstance(node, str):
        for path in personal.paths if ":" in node else ():
            yield from (one[1] for one in re.findall(rf"""['"]{re.escape(path)}['"]\s*:\s*(['"])(.*?)\1""", node))


def _veil(
    node: Any, personal: Personal, entity: object, field: object, values: Collection[str], key: str, above: str = ""
) -> Any:
    if _is_value(key, above, personal, entity, field) and not isinstance(node, (Mapping, list)):
        return node if node in PLAIN else mask(node)
    if isinstance(node, Mapping):
        entity, field = node.get("entity") or entity, node.get("field") or field
        return {name: _veil(part, personal, entity, field, values, str(name), key) for name, part in node.items()}
    if isinstance(node, list):
        return [_veil(part, personal, entity, field, values, key, above) for part in node]
    return hide(node, values) if isinstance(node, str) else node
