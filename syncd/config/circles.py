"""Fields that depend on each other through ``golden.``: no order exists in which they could be decided (E224)."""

import re
from collections.abc import Iterable, Iterator, Mapping

from syncd.config.expressions import place_in
from syncd.config.nodes import Block, Node, Scalar, Span, scalars
from syncd.config.scene import Scene
from syncd.config.section import Section
from syncd.core.dependencies import names_in
from syncd.core.rules import Name, Truth

Needs = Mapping[str, tuple[str, ...]]


def note_circles(scene: Scene, section: Section) -> None:
    """Note each circle once, where its first field in the file names the next one."""
    needs = {name: _needs(scene, name, truth) for name, truth in _subjects(scene)}
    told: set[frozenset[str]] = set()
    for name in needs:
        circle = find_circle(needs, name)
        if circle and frozenset(circle) not in told:
            told.add(frozenset(circle))
            _note(scene, section, circle)


def find_circle(needs: Needs, start: str) -> tuple[str, ...]:
    """Return the shortest way from a subject back to itself, without its end; empty if there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    for way in ways:  # grows as it goes: the nearest first
        for name in needs.get(way[-1], ()):
            if name == start:
                return way
            if name not in seen:
                seen.add(name)
                ways.append((*way, name))
    return ()


def _subjects(scene: Scene) -> Iterator[tuple[str, Truth]]:
    """Yield what has a rule: the fields with one of their own, and the groups."""
    for draft in scene.fields.values():
        if draft.truth is not None:
            yield draft.name, draft.truth
    yield from scene.groups.items()


def _needs(scene: Scene, subject: str, truth: Truth) -> tuple[str, ...]:
    """Return the subjects whose golden value must be known before this one is decided; a freeze may look at its own."""
    always = _golden(scene, names_in(truth, frozen=False))
    return tuple(sorted(always | (_golden(scene, names_in(truth)) - {subject})))


def _golden(scene: Scene, names: Iterable[Name]) -> set[str]:
    """Return the subjects of the golden fields among some names; of a field with parts, the field's."""
    return {_subject_of(scene, name.path.partition(".")[0]) for name in names if name.scope == "golden"}


def _subject_of(scene: Scene, field: str) -> str:
    draft = scene.fields.get(field)
    return draft.group if draft is not None and draft.group else field


def _note(scene: Scene, section: Section, circle: tuple[str, ...]) -> None:
    first, following = circle[0], circle[1 % len(circle)]
    alone = len(circle) == 1
    scene.source.error(
        "E224",
        _place(scene, section, first, following),
        f"{first} depends on itself" if alone else f"{' and '.join(circle)} depend on each other",
        hint="decided first?" if alone else f"and {following} needs {circle[2 % len(circle)]}",
        why="golden." + following + " is known when " + following + " is decided, and that would have to wait for this rule",
        fix="name a platform instead of golden in one of them:  PLATFORM." + following,
    )


def _place(scene: Scene, section: Section, subject: str, needed: str) -> Span:
    """Return where a subject's rule names a field of the one it needs."""
    outer = section.block.get("groups" if subject in scene.groups else "fields")
    inner = outer.get(subject) if isinstance(outer, Block) else None
    truth: Node | None = inner.get("truth") if isinstance(inner, Block) else None
    paths = [name for name in scene.fields if _subject_of(scene, name) == needed]
    for key, node in scalars(truth):
        for found in re.finditer(r"\bgolden\s*\.\s*(\w+)", node.text) if key in ("when", "expr") else ():
            if found[1] in paths:
                return place_in(scene, node, found.start(), found.end())
    return truth.span if isinstance(truth, Scalar) else section.owner
