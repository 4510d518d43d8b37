"""From the values of a write to the patch of a document, or to a new document.

Elements of lists are addressed by their ``_key``, so that one that was moved meanwhile is still the one that is meant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from syncd.connectors.body import pick, placed, steps_of
from syncd.connectors.sanity.keys import KEY, keyed
from syncd.connectors.sanity.options import PUBLISHED
from syncd.connectors.sanity.paths import REF, follows, patch_path
from syncd.connectors.sanity.queries import SYSTEM
from syncd.core.model import Item, Native
from syncd.core.rules import Steps
from syncd.errors import PermanentError

REFERENCE = "reference"
Place = list[str | int | tuple[str, str]]


@dataclass(slots=True)
class Patch:
    """What is done to one document. ``lists`` are written whole: nothing else can put an element where none is."""

    set: dict[str, Native] = field(default_factory=dict)
    missing: dict[str, Native] = field(default_factory=dict)
    unset: list[str] = field(default_factory=list)
    lists: dict[str, Native] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return it as the API takes it; empty if there is nothing to do."""
        made = {"set": self.set, "setIfMissing": self.missing, "unset": self.unset}
        return {name: what for name, what in made.items() if what}


def needs_document(values: Mapping[str, Native]) -> bool:
    """Return whether a patch of these values needs the document as it is: for the keys and places of list elements."""
    return any(_in_list(steps_of(path)) or _holds_objects(value) or isinstance(value, list) for path, value in values.items())


def patch_of(values: Mapping[str, Native], document: Mapping[str, Any], kind: str) -> Patch:
    """Return the patch that writes these values into a document; raises PermanentError for what cannot be written."""
    written = {path: value for path, value in values.items() if path != PUBLISHED}
    for path in written:
        check_path(path, kind)
    made = Patch(lists=_rewritten(written, document))
    for path, value in written.items():
        _write(made, path, value, document)
    made.set |= {patch_path(whole.split(".")): keyed(after, pick(document, whole)) for whole, after in made.lists.items()}
    return made


def document_of(values: Mapping[str, Native], kind: str) -> Item:
    """Return a new document with these values; raises PermanentError for what cannot be written. Empty ones are left out."""
    made: Native = {}
    for path, value in values.items():
        if path in {PUBLISHED, "_id"} or value is None:
            continue
        check_path(path, kind)
        try:
            made = placed(made, *_reference(path, value))
        except ValueError as error:
            raise PermanentError(f"{kind}: {path}: {error}") from error
    assert isinstance(made, dict)
    return {"_type": kind, **keyed(made)}


def check_path(path: str, kind: str) -> None:
    """Raise PermanentError for a path that nobody can write."""
    if follows(path):
        text = f"{kind}: {path} is behind a reference, in another document: it is read only (direction: in)"
        raise PermanentError(text)
    if path.partition(".")[0] in SYSTEM:
        raise PermanentError(f"{kind}: {path} is set by Sanity itself")


def _reference(path: str, value: Native) -> tuple[str, Native]:
    """Return where a value is placed and as what: ids of documents as references."""
    steps = steps_of(path)
    if len(steps) < 2 or steps[-1] != REF:
        return path, value
    holder = path.removesuffix(f".{REF}")
    if isinstance(value, list):
        return holder, [{"_type": REFERENCE, REF: one} for one in value]
    return holder, {"_type": REFERENCE, REF: value}


def _write(made: Patch, path: str, value: Native, document: Mapping[str, Any]) -> None:
    steps = steps_of(path)
    if len(steps) > 1 and steps[-1] == REF:
        _write_reference(made, path, value, document)
    elif _in_list(steps):
        _write_element(made, path, value, document)
    elif value is None:
        made.unset.append(patch_path(_names(steps)))
    else:
        made.set[patch_path(_names(steps))] = keyed(value, pick(document, path))


def _write_reference(made: Patch, path: str, value: Native, document: Mapping[str, Any]) -> None:
    holder = path.removesuffix(f".{REF}")
    if isinstance(value, list):
        old = pick(document, holder)
        known = {one[REF]: one for one in old if isinstance(one, dict) and REF in one} if isinstance(old, list) else {}
        _write(made, holder, [known.get(one, {"_type": REFERENCE, REF: one}) for one in value], document)
    elif value is None or _in_list(steps_of(path)):
        _write(made, holder, None if value is None else _reference(path, value)[1], document)
    else:
        target = _names(steps_of(holder))
        made.missing[patch_path([*target, "_type"])] = REFERENCE
        made.set[patch_path([*target, REF])] = value


def _write_element(made: Patch, path: str, value: Native, document: Mapping[str, Any]) -> None:
    """Write into an element that is there, by its key; the list that has to be written whole gets the value in its place."""
    steps = steps_of(path)
    whole = _list_of(steps)
    if whole in made.lists:
        made.lists[whole] = _with(made.lists[whole], path, whole, value)
        return
    address = _address(steps, document)
    if address is None:
        return  # nothing is there, and nothing is to be there
    if value is None:
        made.unset.append(patch_path(address))
    else:
        made.set[patch_path(address)] = keyed(value, pick(document, path))


def _rewritten(values: Mapping[str, Native], document: Mapping[str, Any]) -> dict[str, Native]:
    """Return the lists, as they are, that get an element they do not have: they are written whole."""
    found: dict[str, Native] = {}
    for path, value in values.items():
        steps = steps_of(path)
        if value is not None and _in_list(steps) and _address(steps, document) is None:
            found[_list_of(steps)] = pick(document, _list_of(steps)) or []
    return found


def _list_of(steps: Steps) -> str:
    """Return the path of the outermost list on a way."""
    names: list[str] = []
    for step in steps:
        if not isinstance(step, str):
            break
        names.append(step)
    return ".".join(names)


def _with(members: Native, path: str, whole: str, value: Native) -> Native:
    """Return a list with a value in its place; raises PermanentError where there would be a gap before it."""
    inside = path.removeprefix(whole).removeprefix(".")
    try:
        return pick(placed({"list": members}, f"list{inside}" if inside.startswith("[") else f"list.{inside}", value), "list")
    except ValueError as error:
        raise PermanentError(f"{path}: {error}") from error


def _address(steps: Steps, document: Mapping[str, Any]) -> Place | None:
    """Return the way to an element that is there, by keys where it has them; None if it is not there."""
    made: Place = []
    here: Native = document
    for step in steps:
        if isinstance(step, str):
            made.append(step)
            here = here.get(step) if isinstance(here, dict) else None
            continue
        place = _place(here, step)
        if place is None:
            return None
        here = here[place]
        key = here.get(KEY) if isinstance(here, dict) else None
        made.append((KEY, key) if isinstance(key, str) else place)
    return made


def _place(here: Native, step: Any) -> int | None:
    if not isinstance(here, list):
        return None
    if isinstance(step, int):
        return step if step < len(here) else None
    found = [n for n, one in enumerate(here) if isinstance(one, dict) and str(one.get(step.field)) == step.text]
    return found[0] if found else None


def _names(steps: Steps) -> Place:
    return [step for step in steps if isinstance(step, str)]


def _in_list(steps: Steps) -> bool:
    return any(not isinstance(step, str) for step in steps)


def _holds_objects(value: Native) -> bool:
    if isinstance(value, dict):
        return any(isinstance(one, list | dict) for one in value.values())
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)
