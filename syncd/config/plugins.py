"""``python: plugins/NAME.py``: transforms of one's own, off unless ``syncd.yaml`` says ``allow_plugins: true``.

A plugin is a file with a table ``TRANSFORMS = {"name": (read, write)}``: two functions of one value, each undoing the other
(or ``None`` for no way back). It is code with all the rights of syncd: only files of the config folder itself are run, never
a copy that the ledger keeps. Its text counts in the config's sha like any other file's.
"""

import ast
import copy
import hashlib
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

from syncd.config.nodes import Items, Node, Scalar, Span
from syncd.config.source import Source
from syncd.config.suggest import did_you_mean
from syncd.core.model import Native
from syncd.core.native import Invalid, sort_of
from syncd.core.transforms import NAMES, Step, Way

FOLDER = "plugins"
PREFIX = f"{FOLDER}/"
SUFFIX = ".py"
TABLE = "TRANSFORMS"
PLAIN = (str, bool, int, float, Decimal, date)
SHAPE = f'{TABLE} = {{"cents": (to_euro, to_cents)}}     (read, write; None for no way back)'

Pair = tuple[Step, Step | None]  # as it reads, as it writes


@dataclass(frozen=True, slots=True)
class Plugins:
    """The transforms of plugins by name. ``broken``: some could not be had, so a name that nobody knows may be theirs.

    ``sources`` are the files of the config, ``trusted`` the texts of plugins, by path, as the config folder has them now.
    """

    sources: Sequence[Source] = ()
    trusted: Mapping[str, str] = field(default_factory=dict)
    allowed: bool = False
    known: Mapping[str, Pair] = field(default_factory=dict)
    ran: tuple[str, ...] = ()
    broken: bool = False

    def step(self, name: str, way: Way) -> Step | None:
        """Return the transform of a name as it runs one way; None if there is none of this name."""
        pair = self.known.get(name)
        return None if pair is None else pair[0] if way == "read" else pair[1]

    def named_in(self, source: Source) -> "Plugins":
        """Return these and those that ``python:`` of a file names, which are run; E260 if that is not allowed, E261, E262."""
        node = source.root.get("python") if source.root is not None else None
        found = self
        for one in node.nodes if isinstance(node, Items) else [node] if node is not None else []:
            found = found.one_more(source, one)
        return found

    def one_more(self, source: Source, node: Node) -> "Plugins":
        """Return these and those of one file more."""
        text = node.text if isinstance(node, Scalar) else ""
        found = next((each for each in self.sources if each.path == text and is_plugin(text)), None)
        if not self.allowed:
            not_allowed(source, node)
        elif found is None:
            not_there(source, node, text, [each.path for each in self.sources if is_plugin(each.path)])
        elif self.trusted.get(text) != found.text:
            other_text(source, node, text)
        elif text in self.ran:
            return self
        elif not found.failed:
            known = run(found, self.known)
            return replace(self, known={**self.known, **known}, ran=(*self.ran, text), broken=self.broken or found.failed)
        return replace(self, broken=True)


def is_plugin(path: str) -> bool:
    """Return whether a path inside the config folder is that of a plugin."""
    return path.startswith(PREFIX) and path.endswith(SUFFIX)


def not_allowed(source: Source, node: Node) -> None:
    """Note E260."""
    source.error(
        "E260",
        node,
        "plugins are not allowed here",
        why="a plugin is code that may do whatever syncd may; somebody has to say so",
        fix="write  allow_plugins: true     in syncd.yaml, or remove it",
    )


def not_there(source: Source, node: Node, text: str, known: Sequence[str]) -> None:
    """Note E261."""
    source.error(
        "E261",
        node,
        f'no plugin "{text}" in the config folder' if text else "must be the path of a plugin",
        hint=did_you_mean(text, known),
        why="a plugin is a file in plugins/ of the config folder itself; nothing else is ever run",
        fix=f"use one of: {', '.join(known)}" if known else "put it there and write  python: plugins/NAME.py",
    )


def other_text(source: Source, node: Node, text: str) -> None:
    """Note E261 for a plugin that only the ledger's copy of a config has."""
    source.error(
        "E261",
        node,
        f"{text} is not as it was under this config",
        why="a copy of a plugin that the ledger keeps is never run: it could be anybody's code",
        fix="put the plugin of that time back into the config folder to look at it with its rules",
    )


# ---- running one


def run(source: Source, known: Mapping[str, object]) -> dict[str, Pair]:
    """Return the transforms of a plugin's file; notes E262 for what is wrong with it."""
    digest = hashlib.sha256(source.text.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    module = ModuleType(f"syncd_plugin_{digest}")
    module.__file__ = source.file
    sys.modules[module.__name__] = module  # dataclasses and the like look it up there
    try:
        exec(compile(source.text, source.file, "exec"), module.__dict__)  # noqa: S102 - that is what was allowed
    except SyntaxError as error:
        wrong(source, error.lineno or 1, f"not Python: {error.msg}", "mend it", col=error.offset or 1)
        return {}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plugin raises is told
        wrong(source, last_line(source.file, error), f"{type(error).__name__}: {error}", "mend it")
        return {}
    finally:
        sys.modules.pop(module.__name__, None)
    return dict(pairs(source, getattr(module, TABLE, None), known, digest))


def pairs(source: Source, table: object, known: Mapping[str, object], digest: str) -> Iterator[tuple[str, Pair]]:
    """Yield the transforms of the table of a plugin; notes E262 for what is none."""
    line = line_of_table(source.text)
    if not isinstance(table, dict) or not table:
        wrong(source, line, f"no table {TABLE}", f"write  {SHAPE}")
        return
    for name, both in table.items():
        if not isinstance(name, str) or not name.isidentifier():
            wrong(source, line, f"{name!r} is no name for a transform", "use letters, digits and _")
        elif name in NAMES or name in known:
            wrong(source, line, f'there is a transform called "{name}" already', "give it another name")
        elif not (isinstance(both, tuple) and len(both) == 2 and callable(both[0]) and (both[1] is None or callable(both[1]))):
            wrong(source, line, f'"{name}" is not (read, write)', f"write  {SHAPE}")
        else:
            yield name, steps(name, both[0], both[1], digest)


def steps(name: str, read: Callable[[Any], Any], write: Callable[[Any], Any] | None, digest: str) -> Pair:
    """Return a transform as it reads and as it writes, each with the other as its way back."""
    inward = guarded(name, read)
    outward = guarded(name, write) if write is not None else None
    there = Step(name, name, (), "read", inward, outward, digest)
    return there, Step(name, name, (), "write", outward, inward, digest) if outward is not None else None


def guarded(name: str, change: Callable[[Any], Any]) -> Callable[[Native], Native]:
    """Return a function of a plugin whose every failure is about the value: Invalid, with the reason."""

    def step(raw: Native) -> Native:
        try:
            found = change(copy.deepcopy(raw) if isinstance(raw, dict | list) else raw)
        except (Exception, SystemExit) as error:
            raise Invalid(f"{name}: {type(error).__name__}{f': {error}' if str(error) else ''}"[:200]) from error
        if not is_native(found):
            raise Invalid(f"{name} gives {sort_of(found)}, which no platform has")
        return found

    return step


def is_native(value: object, deep: int = 0) -> bool:
    """Return whether a plugin's result is something that platforms have."""
    if isinstance(value, list | tuple):
        return deep < 32 and all(is_native(member, deep + 1) for member in value)
    if isinstance(value, dict):
        return deep < 32 and all(isinstance(key, str) and is_native(member, deep + 1) for key, member in value.items())
    return value is None or isinstance(value, PLAIN)


# ---- what is wrong, and where


def wrong(source: Source, line: int, message: str, fix: str, *, col: int = 1) -> None:
    """Note E262 at a line of a plugin."""
    text = source.line(line)
    start = max(min(col, len(text)), 1) if col > 1 else len(text) - len(text.lstrip()) + 1
    span = Span(line, start, max(len(text.rstrip()) + 1, start + 1))
    source.error("E262", span, message, why="none of its transforms could be used", fix=fix)


def last_line(file: str, error: BaseException) -> int:
    """Return the last line of a plugin that an error came through."""
    return next((one.lineno or 1 for one in reversed(traceback.extract_tb(error.__traceback__)) if one.filename == file), 1)


def line_of_table(text: str) -> int:
    """Return where the table of a plugin stands, its first line if there is none."""
    for one in ast.parse(text).body:
        if isinstance(one, ast.Assign | ast.AnnAssign):
            targets = one.targets if isinstance(one, ast.Assign) else [one.target]
            if any(isinstance(target, ast.Name) and target.id == TABLE for target in targets):
                return one.lineno
    return 1
