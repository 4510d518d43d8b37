"""What a patch does to a document: set, setIfMissing, unset, inc, dec and insert at JSONMatch paths.

As the vendor's service does it, ``set`` makes the objects that are missing on the way.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

STEP = re.compile(r"""(?:^|\.)([A-Za-z_][\w-]*)|\['([^']*)'\]|\[(-?\d+)\]|\[([\w]+)\s*==\s*"((?:[^"\\]|\\.)*)"\]""")
Steps = list[str | int | tuple[str, str]]


class BadPathError(ValueError):
    """A path is none, or leads nowhere that it could be set."""


def steps_of(path: str) -> Steps:
    """Return the steps of ``a.b[0].c``, ``list[_key=="x"].y`` or ``['odd name']``; raises BadPathError."""
    steps: Steps = []
    done = 0
    while done < len(path):
        found = STEP.match(path, done)
        if found is None or found.end() == done:
            raise BadPathError(f'"{path}" is no path')
        name, quoted, index, key, text = found.groups()
        if index is not None:
            steps.append(int(index))
        elif key is not None:
            steps.append((key, re.sub(r"\\(.)", r"\1", text)))
        else:
            steps.append(name if name is not None else quoted)
        done = found.end()
    return steps


def patched(document: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Return a document with a patch applied; raises BadPathError."""
    made = deepcopy(document)
    for path, value in patch.get("setIfMissing", {}).items():
        place(made, steps_of(path), lambda old, new=value: new if old is None else old)
    for path, value in patch.get("set", {}).items():
        place(made, steps_of(path), lambda _, new=value: deepcopy(new))
    for path in patch.get("unset", []):
        remove(made, steps_of(path))
    for path, value in patch.get("inc", {}).items():
        place(made, steps_of(path), lambda old, by=value: (old or 0) + by)
    for path, value in patch.get("dec", {}).items():
        place(made, steps_of(path), lambda old, by=value: (old or 0) - by)
    if "insert" in patch:
        insert(made, patch["insert"])
    return made


def place(here: Any, steps: Steps, change: Callable[[Any], Any]) -> None:
    """Change the value at a path."""
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        if not isinstance(here, dict):
            raise BadPathError(f'"{step}" of what is no object')
        if rest:
            if here.get(step) is None:
                here[step] = {} if isinstance(rest[0], str) else []
            place(here[step], rest, change)
        else:
            here[step] = change(here.get(step))
        return
    for position in positions(here, step):
        if rest:
            place(here[position], rest, change)
        else:
            here[position] = change(here[position])


def remove(here: Any, steps: Steps) -> None:
    """Remove what stands at a path; nothing happens where nothing does."""
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        if isinstance(here, dict) and step in here:
            if rest:
                remove(here[step], rest)
            else:
                del here[step]
        return
    for position in reversed(positions(here, step)):
        if rest:
            remove(here[position], rest)
        else:
            del here[position]


def insert(made: dict[str, Any], order: dict[str, Any]) -> None:
    """Insert items ``before``, ``after`` or in place of (``replace``) a path into a list."""
    [(how, path)] = [(key, order[key]) for key in ("before", "after", "replace") if key in order]
    *way, last = steps_of(path)
    target: Any = made
    for step in way:
        target = target[step] if isinstance(step, str) else target[positions(target, step)[0]]
    found = positions(target, last) if not isinstance(last, str) else []
    at = found[0] if found else len(target)
    start, end = {"before": (at, at), "after": (at + 1, at + 1), "replace": (at, at + 1)}[how]
    target[start:end] = deepcopy(order["items"])


def positions(here: Any, step: str | int | tuple[str, str]) -> list[int]:
    """Return where in a list a step leads."""
    if not isinstance(here, list):
        return []
    if isinstance(step, int):
        place = step if step >= 0 else len(here) + step
        return [place] if 0 <= place < len(here) else []
    key, text = step
    return [n for n, one in enumerate(here) if isinstance(one, dict) and one.get(key) == text]
