"""Mutations, and one document of several of them: GraphQL runs them one after the other, in the order they are written.

They are no transaction. Which of them the shop did is in the answer, alias by alias.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from syncd.core.model import Item, Native

CODED = "userErrors { field message code }"
UNCODED = "userErrors { field message }"


@dataclass(frozen=True, slots=True)
class Mutation:
    """One mutation. ``call`` is its field with arguments; ``variables``: name -> (type, value).

    ``look`` is where in its payload the thing as stored stands, "" if nowhere. ``coded``: its errors have codes.
    ``paths`` are the written paths that it carries.
    """

    alias: str
    call: str
    variables: Mapping[str, tuple[str, Native]]
    look: str = ""
    coded: bool = True
    paths: tuple[str, ...] = ()
    shows: str = ""  # what else is selected


@dataclass(frozen=True, slots=True)
class Request:
    """One document. ``look``: where in ``data`` the thing as stored stands, "" if nowhere."""

    document: str
    variables: Item = field(default_factory=dict)
    look: str = ""


def request_of(mutations: Sequence[Mutation], fields: str) -> Request:
    """Return one document of these mutations; the last one that shows the thing shows ``fields`` of it."""
    shows = next((one for one in reversed(mutations) if one.look), None)
    declared: dict[str, str] = {}
    values: Item = {}
    texts = []
    for one in mutations:
        declared |= {name: kind for name, (kind, _) in one.variables.items()}
        values |= {name: value for name, (_, value) in one.variables.items()}
        texts.append(_text(one, fields if one is shows else ""))
    head = ", ".join(f"${name}: {kind}" for name, kind in declared.items())
    after_last = shows is not None and shows is mutations[-1]
    look = f"{shows.alias}.{shows.look}" if shows is not None and after_last else ""
    return Request(f"mutation Write({head}) {{ {' '.join(texts)} }}", values, look)


def _text(one: Mutation, fields: str) -> str:
    found = [one.shows] if one.shows else []
    if fields:
        inner = f"{{ {fields} }}"
        for step in reversed(one.look.split(".")):
            inner = inner if step.isdigit() else f" {step} {inner}" if inner.startswith("{") else f" {step} {{{inner} }}"
        found.append(inner.strip())
    found.append(CODED if one.coded else UNCODED)
    return f"{one.alias}: {one.call} {{ {' '.join(found)} }}"
