"""``map``: where a field is on each platform, and the pipelines between its spelling there and ours."""

from dataclasses import dataclass

from syncd.config import literals
from syncd.config.constants import constant
from syncd.config.nodes import Block, Entry, Items, Node, Scalar, is_blank, plain
from syncd.config.scene import FieldDraft, Scene
from syncd.config.section import Section
from syncd.config.suggest import did_you_mean, near
from syncd.core.equality import Exact
from syncd.core.mapping import parse_path
from syncd.core.native import Later
from syncd.core.roundtrip import came_back
from syncd.core.rules import FieldMap, Transform
from syncd.core.transforms import NAMES, Way, parse_transform, round_trips, write_of

KEYS = ["path", "read", "write", "direction", "default"]
KNOWN_OPPOSITES = {"portable_text_to_html": "html_to_portable_text", "strip_zeros": "pad_zeros(18)"}
EXACT = Exact()
PROSE = {"html": "HTML", "json": "JSON", "url": "the URL"}


@dataclass(frozen=True, slots=True)
class _Pipeline:
    """One list of transforms: None in ``steps`` where one was refused, so that no more is said about it."""

    steps: tuple[Transform, ...] | None
    node: Node | None
    names: tuple[str, ...]


def read_map(scene: Scene, entry: Entry, draft: FieldDraft, field_keys: list[str]) -> None:
    """Read the ``map:`` of a field into its draft. ``field_keys`` are the keys of a field, to know a wrong indentation."""
    draft.map_key = entry.key
    if not isinstance(entry.value, Block):
        literals.wrong_type(scene.source, entry.value, "a mapping of platforms to paths", fix="write  map: {PLATFORM: path}")
        draft.map_nodes = dict.fromkeys(scene.parts, entry.key)  # told: not missing as well
        return
    for name, one in entry.value.entries.items():
        if name in scene.parts:
            found = _one(scene, one, name, draft)
            if found:
                draft.maps[name] = found
            draft.map_nodes[name] = one.key
        else:
            draft.misnamed.update(near(name, scene.parts))
            if name not in scene.broken_parts:
                _no_platform(scene, entry, one, field_keys)


def _no_platform(scene: Scene, map_entry: Entry, entry: Entry, field_keys: list[str]) -> None:
    key, outer = entry.key, map_entry.key
    block = map_entry.value
    off = key.span.col - outer.span.col
    if key.text not in field_keys or (isinstance(block, Block) and block.flow) or off <= 0:
        scene.no_platform(key, key.text, "E202", "this mapping would never be used", ending=" to map")
        return
    columns = literals.number_word(off) + (" column" if off == 1 else " columns")
    scene.source.error(
        "E202",
        key,
        f'no platform called "{key.text}" to map',
        hint="indented too far?",
        why=f"line {outer.span.line} opened map:, and this line is indented {columns} too far to leave it",
        fix=f'move it {columns} left, level with "map:" (column {outer.span.col})',
    )


def _one(scene: Scene, entry: Entry, platform: str, draft: FieldDraft) -> FieldMap | None:
    """Return the mapping of one platform, in its short or its long form."""
    if isinstance(entry.value, Block):
        return _long(scene, Section(scene.source, entry.value, entry.key.span), platform, draft)
    if is_blank(entry.value) and not (isinstance(entry.value, Scalar) and entry.value.raw):
        literals.bad_value(scene.source, entry.key, f"no path for {platform}", fix=f"write  {platform}: PATH")
        return None
    return _compiled(scene, entry.value, entry, (), ())


def _long(scene: Scene, section: Section, platform: str, draft: FieldDraft) -> FieldMap | None:
    section.known(KEYS)
    node = section.need("path") if not _is_empty_path(section) else section.block.get("path")
    direction = section.word("direction", ("both", "in", "out")) or "both"
    read, write = _pipeline(scene, section, "read"), _pipeline(scene, section, "write")
    default = section.block.get("default")
    value = constant(scene.source, default, draft.type, "default") if default is not None else None
    back = _way_back(scene, section, platform, draft, direction, read, write)
    if node is None or read.steps is None or back is None:
        return None
    entry = Entry(Scalar(section.owner, platform, platform, platform, plain=True), node)
    return _compiled(scene, node, entry, read.steps, back, direction=direction, default=value)


def _is_empty_path(section: Section) -> bool:
    """Return whether the path is written as empty text: the whole thing."""
    node = section.block.get("path")
    return isinstance(node, Scalar) and not node.plain and node.text == ""


def _compiled(
    scene: Scene,
    node: Node,
    entry: Entry,
    read: tuple[Transform, ...],
    write: tuple[Transform, ...],
    *,
    direction: str = "both",
    default: object = None,
) -> FieldMap | None:
    path = literals.text(scene.source, node, entry.key.text)
    if path is None:
        return None
    try:
        steps = parse_path(path)
    except Later as error:
        scene.source.later(node, str(error).removesuffix(" is not in this version"))
        return None
    except ValueError as error:
        literals.bad_value(
            scene.source,
            node,
            f"not a path: {error}",
            why="the value could not be found on the platform",
            fix="write names with dots between, numbers for places in a list:  variants.0.sku",
        )
        return None
    return FieldMap(path, steps, read, write, direction, default, scene.source.at(entry.key))


def _pipeline(scene: Scene, section: Section, key: Way) -> _Pipeline:
    nodes = section.list(key)
    steps: list[Transform] = []
    for node in nodes:
        step = read_step(scene, node, key)
        if step is not None:
            steps.append(step)
    names = tuple(node.text for node in nodes if isinstance(node, Scalar))
    good = len(steps) == len(nodes) and (section.node(key) is None or isinstance(section.node(key), Items))
    return _Pipeline(tuple(steps) if good else None, section.node(key), names)


def read_step(scene: Scene, node: Node, way: Way) -> Transform | None:
    """Return one transform; notes E190 for those to come and E011 for what is none."""
    plugins, name = scene.plugins, node.text.strip() if isinstance(node, Scalar) else ""
    if (step := plugins.step(name, way)) is not None:
        return step
    if name in plugins.known:
        literals.bad_value(scene.source, node, f"{name} does not write", why="its plugin gives it no way back")
        return None
    try:
        return parse_transform(plain(node), way=way)
    except Later as error:
        scene.source.later(node, str(error).removesuffix(" is not in this version"))
    except ValueError as error:
        verb = node.text.partition("(")[0] if isinstance(node, Scalar) else ""
        unknown = bool(verb) and verb not in NAMES
        if unknown and plugins.broken:
            return None  # it may be one of those that could not be had, which is told
        literals.bad_value(
            scene.source,
            node,
            str(error),
            hint=did_you_mean(verb, (*NAMES, *plugins.known)) if unknown else "",
            why="a step that syncd does not know could not be obeyed",
            fix=f"use one of: {', '.join((*NAMES, *plugins.known))}" if unknown else _as_in(str(error)),
        )
    return None


def _as_in(said: str) -> str:
    """Return what to write, where a message about a transform gives an example."""
    example = said.partition("as in ")[2]
    return f"write  {example}" if example else "write  NAME, NAME(...), or  {table: {theirs: ours}}"


def _way_back(
    scene: Scene,
    section: Section,
    platform: str,
    draft: FieldDraft,
    direction: str,
    read: _Pipeline,
    write: _Pipeline,
) -> tuple[Transform, ...] | None:
    """Return the pipeline of writes; notes E240 for a two-way field whose spelling does not come back."""
    if direction == "in":
        return write.steps
    if write.node is None:
        back = write_of(read.steps) if read.steps is not None else None
        lossy = next((name for name in read.names if name in KNOWN_OPPOSITES), None)
        if direction == "both" and ((read.steps is not None and back is None) or (read.steps is None and lossy)):
            _no_way_back(scene, section, platform, draft, read)
        return back if direction == "both" else back or ()
    known = read.steps is not None and write.steps is not None
    if direction == "both" and known and not round_trips(read.steps or (), write.steps or ()):
        _not_the_same(scene, platform, draft, read, write)
    return write.steps


def _no_way_back(scene: Scene, section: Section, platform: str, draft: FieldDraft, read: _Pipeline) -> None:
    assert read.node is not None
    path = section.block.get("path")
    into = path.text if isinstance(path, Scalar) else platform
    kind = draft.type.name if draft.type else "text"
    lossy = next((name for name in read.names if name in KNOWN_OPPOSITES), None)
    never = f"never write this field to {platform}"
    fix = f"write  direction: in     {never}"
    if lossy:
        add = f"add  write: [{KNOWN_OPPOSITES[lossy]}]     "
        fix = f"{add}the known opposite of {lossy}\n{'or   direction: in':<{len(add) + 1}}{never}"
    why = f"{draft.name} is two-way: syncd writes {PROSE.get(kind, 'its value')} into {into}, reads it as changed, and repeats"
    tried = scene.evidence.tried.get((scene.name, draft.name, platform)) or _tried(scene, draft, read)
    if tried:
        why += f"\n(tried on {tried[1]} ledger samples: {tried[0]} of {tried[1]} came back unchanged)"
    scene.source.error(
        "E240",
        read.node,
        "this transform has no way back",
        hint="add write:, or direction: in",
        why=why,
        fix=fix,
    )


def _tried(scene: Scene, draft: FieldDraft, read: _Pipeline) -> tuple[int, int] | None:
    """Return how many of the ledger's samples would come back if nothing were done on the way out, of how many."""
    samples = scene.evidence.samples.get((scene.name, draft.name), ())
    if not samples or draft.type is None or read.steps is None:
        return None
    return came_back(draft.type, FieldMap("", (), read.steps), samples, EXACT)


def _names(steps: tuple[Transform, ...]) -> str:
    return ", ".join(step.name for step in steps)


def _not_the_same(scene: Scene, platform: str, draft: FieldDraft, read: _Pipeline, write: _Pipeline) -> None:
    """Note E240 for a write pipeline whose result is read back as something else."""
    assert write.node is not None
    back = write_of(read.steps or ())
    known = f"give {platform} a read: that undoes it"
    if back:
        tables = any(step.name == "table" for step in back)
        known = "remove write: (the table is turned round by itself)" if tables else f"write  write: [{_names(back)}]"
    scene.source.error(
        "E240",
        write.node,
        "what this writes is not read back as it was",
        hint="write: does not undo read:" if read.node else "no read: undoes it",
        why=f"{draft.name} is two-way: syncd would read its own write as a change, and repeat",
        fix=f"{known}, or  direction: in     (never write this field to {platform})",
    )
