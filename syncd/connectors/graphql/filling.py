"""What is filled into a request: ``{names}`` in the variables that the config writes.

A text that is nothing but ``{sku}`` becomes the value itself, whatever it is; inside a longer text the value's text stands
there, its quotes escaped. A name that has no value leaves its variable out, which is not the same as null. The key ``...`` puts
all of an object beside the other keys: ``{id: "{id}", "...": "{changes}"}``.
"""

import re
from collections.abc import Mapping

from syncd.connectors.template import text_of
from syncd.core.model import Native

_PLACE = re.compile(r"\{([\w.-]+)\}")
_QUOTES = re.compile(r"""(["'\\])""")
MISSING = object()
SPREAD = "..."


def names_in(template: Native) -> frozenset[str]:
    """Return the names that are filled in somewhere in a template."""
    if isinstance(template, Mapping):
        return frozenset().union(*(names_in(part) for part in template.values()))
    if isinstance(template, list):
        return frozenset().union(*(names_in(part) for part in template))
    return frozenset(_PLACE.findall(template)) if isinstance(template, str) else frozenset()


def alone(template: Native) -> str | None:
    """Return the name that a template is, if it is nothing else."""
    found = _PLACE.fullmatch(template) if isinstance(template, str) else None
    return found[1] if found else None


def filled(template: Mapping[str, Native], values: Mapping[str, Native]) -> dict[str, Native]:
    """Return the variables; raises PermanentError if a value does not fit into a longer text."""
    made = _fill(template, values)
    return made if isinstance(made, dict) else {}


def _fill(template: Native, values: Mapping[str, Native]) -> Native:
    if isinstance(template, Mapping):
        return _object(template, values)
    if isinstance(template, list):
        return [made for part in template if (made := _fill(part, values)) is not MISSING]
    name = alone(template)
    if name is not None:
        return values.get(name, MISSING)
    if not isinstance(template, str):
        return template
    if any(values.get(one) is None for one in names_in(template)):
        return MISSING
    return _PLACE.sub(lambda found: _QUOTES.sub(r"\\\1", text_of(values[found[1]])), template)


def _object(template: Mapping[str, Native], values: Mapping[str, Native]) -> Native:
    made: dict[str, Native] = {}
    for key, part in template.items():
        value = _fill(part, values)
        if key == SPREAD and isinstance(value, dict):
            made |= value
        elif key != SPREAD and value is not MISSING:
            made[key] = value
    return made
