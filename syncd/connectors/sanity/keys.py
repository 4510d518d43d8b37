"""The ``_key`` that each element of a list has: kept where the element stays, made from place and content where it is new."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from syncd.core.model import Native

KEY = "_key"


def keyed(new: Native, old: Native = None) -> Native:
    """Return a value whose lists of objects have keys: an element that is there already is taken as it is, key and all."""
    if isinstance(new, dict):
        before = old if isinstance(old, dict) else {}
        return {name: keyed(value, before.get(name)) for name, value in new.items()}
    if not isinstance(new, list):
        return new
    left = [one for one in old if isinstance(one, dict)] if isinstance(old, list) else []
    made: list[Native] = []
    taken: set[str] = set()
    for place, element in enumerate(new):
        made.append(_element(element, place, left, taken) if isinstance(element, dict) else element)
    return made


def _element(element: dict[str, Any], place: int, left: list[dict[str, Any]], taken: set[str]) -> dict[str, Any]:
    plain = bare(element)
    for one in left:
        if one.get(KEY) not in taken and bare(one) == plain:
            left.remove(one)
            taken.add(str(one.get(KEY)))
            return one if KEY in one else {KEY: _made(place, plain), **one}
    key = element.get(KEY)
    if not isinstance(key, str) or not key or key in taken:
        key = _made(place, plain)
    taken.add(key)
    return {**_keyed_inside(element), KEY: key}


def _keyed_inside(element: dict[str, Any]) -> dict[str, Any]:
    return {name: keyed(value) for name, value in element.items()}


def bare(value: Native) -> Native:
    """Return a value without its keys; marks that name a key name the place of what has it."""
    if isinstance(value, list):
        return [bare(one) for one in value]
    if not isinstance(value, dict):
        return value
    places = _places(value.get("markDefs"))
    made = {name: bare(one) for name, one in value.items() if name != KEY}
    if places and isinstance(made.get("children"), list):
        made["children"] = [_named(child, places) for child in made["children"]]
    return made


def _places(definitions: Native) -> dict[str, int]:
    found: Sequence[Any] = definitions if isinstance(definitions, list) else ()
    return {one[KEY]: place for place, one in enumerate(found) if isinstance(one, dict) and isinstance(one.get(KEY), str)}


def _named(child: Native, places: dict[str, int]) -> Native:
    if not isinstance(child, dict) or not isinstance(child.get("marks"), list):
        return child
    return {**child, "marks": [places.get(mark, mark) if isinstance(mark, str) else mark for mark in child["marks"]]}


def _made(place: int, content: Native) -> str:
    return sha256(json.dumps([place, content], sort_keys=True, default=str).encode()).hexdigest()[:12]
