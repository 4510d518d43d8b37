"""What no single line shows: a formula that feeds itself (E227), a lossy pair of types (E228).

Own words always come to rest: what we write is no opinion, so nothing that reads ``PLATFORM.field`` can go on for ever. A raw
path is what the platform holds, also if we wrote it.
"""

import re
from collections.abc import Iterator, Mapping

from syncd.config.circles import find_circle
from syncd.config.expressions import place_in
from syncd.config.nodes import Block, Scalar, Span, scalars
from syncd.config.scene import FieldDraft, Scene
from syncd.config.section import Section
from syncd.core.dependencies import names_in
from syncd.core.mapping import parse_path
from syncd.core.rules import FieldMap, Steps, Truth

RAW = ".raw"
LOSES = {  # the platform's own type -> what of ours it cannot keep
    "integer": {"decimal": "what stands behind the point", "text": "all that is no number"},
    "decimal": {"text": "all that is no number"},
    "boolean": {"text": "all but true and false", "integer": "all but 0 and 1", "decimal": "all but 0 and 1"},
    "date": {"datetime": "the time of day", "text": "all that is no date"},
    "datetime": {"text": "all that is no time"},
}
TEXTS = ("string", "text", "html", "email", "url", "phone", "enum")


def note_flips(scene: Scene, section: Section) -> None:
    """Note everything that would go on for ever, or never be what was written."""
    _feeds_itself(scene, section)
    _lossy(scene)


def writes(scene: Scene, field: FieldDraft, platform: str) -> FieldMap | None:
    """Return where a field is written on a platform, None if it never is."""
    place = field.maps.get(platform)
    if place is None or place.direction == "in" or platform not in scene.parts or scene.mode(platform) == "observe":
        return None
    if field.closed(platform):
        return None
    collection = scene.parts[platform].collection
    walled = collection is not None and collection.writable is not None and place.path not in collection.writable
    return None if walled else place


def overlaps(one: Steps, other: Steps) -> bool:
    """Return whether one path is the other, or leads through it; the whole answer is no place of its own."""
    shorter = min(len(one), len(other))
    return shorter > 0 and one[:shorter] == other[:shorter]


# ---- a formula that feeds itself


def _feeds_itself(scene: Scene, section: Section) -> None:
    """Note each rule that reads, in a platform's own field, what syncd writes because of this very rule."""
    subjects = {name: field.truth for name, field in scene.fields.items() if field.truth is not None} | dict(scene.groups)
    raws = {name: dict(_raw_needs(scene, truth)) for name, truth in subjects.items()}
    needs = {name: (*raws[name], *_golden(scene, truth)) for name, truth in subjects.items()}
    for name, found in raws.items():
        for written, place in found.items():
            if written == name or name in find_way(needs, written, name):
                _note_feeding(scene, section, name, written, place)


def find_way(needs: Mapping[str, tuple[str, ...]], start: str, end: str) -> tuple[str, ...]:
    """Return a way from one subject to another along what each needs, empty if there is none."""
    circle = find_circle({**needs, end: (start,)}, end)
    return (*circle, end) if circle else ()


def _raw_needs(scene: Scene, truth: Truth) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the subjects that write what a rule reads raw, with (platform, path) as it names them."""
    for name in names_in(truth, frozen=False):
        if not name.scope.endswith(RAW):
            continue
        platform = name.scope.removesuffix(RAW)
        steps = parse_path(name.path)
        for field in scene.fields.values():
            place = writes(scene, field, platform)
            if place is not None and overlaps(place.steps, steps):
                yield field.group or field.name, (platform, name.path)


def _golden(scene: Scene, truth: Truth) -> tuple[str, ...]:
    names = [name.path.partition(".")[0] for name in names_in(truth, frozen=False) if name.scope == "golden"]
    return tuple(scene.fields[name].group or name if name in scene.fields else name for name in names)


def _note_feeding(scene: Scene, section: Section, name: str, written: str, place: tuple[str, str]) -> None:
    platform, path = place
    through = "" if written == name else f", through {written}"
    field = next((one.name for one in scene.fields.values() if platform in one.maps and one.maps[platform].path == path), name)
    scene.source.error(
        "E227",
        _where(scene, section, name, place),
        f"the rule of {name} reads what it writes{through}",
        hint=f"syncd writes {path} on {platform}",
        why=f"each write would change what the rule reads, and {name} with it: for ever",
        fix=f"name {platform}.{field} instead: what syncd wrote there is no word of {platform}",
    )


def _where(scene: Scene, section: Section, subject: str, place: tuple[str, str]) -> Span:
    """Return where a rule names the raw path."""
    outer = section.block.get("groups" if subject in scene.groups else "fields")
    inner = outer.get(subject) if isinstance(outer, Block) else None
    truth = inner.get("truth") if isinstance(inner, Block) else None
    pattern = rf"\b{re.escape(place[0])}\s*\.\s*raw\b[\w.\[\]\"']*"
    for key, node in scalars(truth):
        for found in re.finditer(pattern, node.text) if key in ("when", "expr") else ():
            return place_in(scene, node, found.start(), found.end())
    return truth.span if isinstance(truth, Scalar) else section.owner


# ---- a lossy pair of types


def _lossy(scene: Scene) -> None:
    for field in scene.fields.values():
        for platform in field.maps:
            place = writes(scene, field, platform)
            part = scene.parts.get(platform)
            shape = getattr(part.collection.options, "shape", None) if part and part.collection else None
            theirs = (shape or {}).get(place.path) if place is not None else None
            if place is None or theirs is None or field.type is None or place.write:
                continue
            lost = LOSES.get(theirs, {}).get(_sort(field.type.name))
            if lost:
                _note_lossy(scene, field, platform, theirs, lost)


def _sort(name: str) -> str:
    """Return the kind of a field's type: what its parameters are does not matter here."""
    plain = name.partition("(")[0].partition(" ")[0].strip("{")
    if name == "decimal(0)":
        return "integer"
    return "text" if plain in TEXTS else "decimal" if plain == "money" else plain


def _note_lossy(scene: Scene, field: FieldDraft, platform: str, theirs: str, lost: str) -> None:
    assert field.type is not None
    scene.source.error(
        "E228",
        field.map_nodes[platform],
        f"{field.name} is {field.type.name}, and {platform} keeps it as {theirs}",
        hint=f"{lost} is lost",
        why="what is written would come back as something else, and would be written again",
        fix=f"change type:, add a write: that says what is meant, or  {platform}: {{..., direction: in}}",
    )
