"""Dotted paths of mappings as GROQ projects them and as patches name them.

A path follows a reference where it says so, ``brand->.name``, and at the asset of an image or file, ``mainImage.asset.url``.
What is behind a reference is read and never written. ``categories._ref`` of a list is the list of its references' ids.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from syncd.connectors.body import pick, steps_of
from syncd.core.model import Item, Native
from syncd.core.rules import Pick, Steps

ARROW = "->"
REF = "_ref"
ELEMENTS = "_elements"  # beside the ids of a list of references: the references themselves
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(slots=True)
class Branch:
    """What is read below a name. ``follow``: names read from what the reference here points to; ``many``: it is a list."""

    below: dict[str, "Branch"] = field(default_factory=dict)
    follow: list[str] = field(default_factory=list)
    many: bool = False

    @property
    def joins(self) -> bool:
        """Return whether anything behind a reference is read here or below."""
        return bool(self.follow) or any(ARROW in name or branch.joins for name, branch in self.below.items())


def quoted(text: str) -> str:
    """Return a text as GROQ writes it."""
    return json.dumps(text, ensure_ascii=False)


def attribute(name: str) -> str:
    """Return how an attribute of what is at hand is named in GROQ."""
    return name if NAME.fullmatch(name) else f"@[{quoted(name)}]"


def follows(path: str) -> bool:
    """Return whether a path leads through a reference: such a path is read only."""
    names = steps_of(path)
    return any(isinstance(step, str) and step.endswith(ARROW) for step in names) or _asset(names) is not None


def _asset(steps: Steps) -> int | None:
    """Return where a path goes on behind the asset of an image or file."""
    for place, step in enumerate(steps[:-1]):
        after = steps[place + 1]
        if place and step == "asset" and isinstance(after, str) and not after.startswith("_"):
            return place
    return None


def tree_of(paths: Iterable[str]) -> Branch:
    """Return what is read for these paths."""
    root = Branch()
    for path in paths:
        steps, here, asset = steps_of(path), root, _asset(steps_of(path))
        for place, step in enumerate(steps):
            if not isinstance(step, str):
                here.many = True
                continue
            here = here.below.setdefault(step, Branch())
            if place == asset or step.endswith(ARROW):
                after = steps[place + 1 : place + 2]
                here.follow += [one for one in after if isinstance(one, str) and one not in here.follow]
                break
    return root


def projection(paths: Iterable[str]) -> str:
    """Return the attributes of a document that these paths need, as GROQ lists them."""
    return ", ".join(_shown(name, branch) for name, branch in tree_of(paths).below.items())


def _shown(name: str, branch: Branch) -> str:
    """Return one attribute: whole, or with what is behind the references in it."""
    if name.endswith(ARROW):
        inside = ", ".join(_shown(one, Branch()) for one in branch.follow) or "..."
        return f"{quoted(name)}: {attribute(name.removesuffix(ARROW))}->{{{inside}}}"
    if not branch.joins:
        return name if NAME.fullmatch(name) else f"{quoted(name)}: {attribute(name)}"
    parts = ["..."] + [_shown(one, below) for one, below in branch.below.items() if below.joins or one.endswith(ARROW)]
    if branch.follow:
        parts.append("...@->{" + ", ".join(_shown(one, Branch()) for one in branch.follow) + "}")
    return f"{quoted(name)}: {attribute(name)}{'[]' if branch.many else ''}{{{', '.join(parts)}}}"


def expression(path: str) -> str:
    """Return a path as an expression over one document, for filters."""
    made, asset = "", _asset(steps_of(path))
    for place, step in enumerate(steps_of(path)):
        if isinstance(step, int):
            made += f"[{step}]"
        elif isinstance(step, Pick):
            made += f"[{attribute(step.field)} == {quoted(step.text)}][0]"
        else:
            name = step.removesuffix(ARROW)
            named = f".{name}" if made and NAME.fullmatch(name) else name if NAME.fullmatch(name) else f"[{quoted(name)}]"
            made += (named if made or NAME.fullmatch(name) else f"@{named}") + (ARROW if name != step or place == asset else "")
    return made.replace(f"{ARROW}.", ARROW)


def settle(item: Item, paths: Iterable[str]) -> Item:
    """Lay out a document for the mapping: an attribute that is not there is empty, lists of references show their ids."""
    for path in paths:
        steps = steps_of(path)
        if len(steps) > 1 and steps[-1] == REF:
            _show_references(item, path)
        if not follows(path):
            _empty(item, steps)
    return item


def _show_references(item: Item, path: str) -> None:
    holder, _, last = path.removesuffix(f".{REF}").rpartition(".")
    here, found = pick(item, holder) if holder else item, pick(item, path.removesuffix(f".{REF}"))
    if isinstance(here, dict) and isinstance(found, list):
        ids = [one[REF] for one in found if isinstance(one, dict) and REF in one]
        here[last] = {REF: ids, ELEMENTS: found}


def _empty(here: Native, steps: Steps) -> None:
    """Set null where the last object on the way of a path has no such name."""
    for step in steps:
        if isinstance(here, dict) and isinstance(step, str):
            if step not in here:
                here[step] = None
            here = here[step]
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
        else:
            return


def patch_path(steps: Iterable[str | int | tuple[str, str]]) -> str:
    """Return steps as a patch names them (JSONMatch): ``a.b[0].c``, ``list[_key=="x"].y``."""
    made = ""
    for step in steps:
        if isinstance(step, int):
            made += f"[{step}]"
        elif isinstance(step, tuple):
            made += f"[{step[0]}=={quoted(step[1])}]"
        elif NAME.fullmatch(step):
            made += f".{step}" if made else step
        else:
            made += "['" + step.replace("\\", "\\\\").replace("'", "\\'") + "']"
    return made
