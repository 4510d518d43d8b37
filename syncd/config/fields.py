"""``fields`` and ``groups`` of an entity: types, rules, mappings, checks, and what becomes of stray edits."""

from dataclasses import replace

from syncd.config import literals
from syncd.config.checking import read_checks, read_equality
from syncd.config.mapping import read_map
from syncd.config.nodes import Block, Entry, Items, Node, Scalar, is_blank, plain
from syncd.config.scene import FieldDraft, Scene
from syncd.config.section import Section
from syncd.config.service import MODES, STRAY
from syncd.config.suggest import did_you_mean
from syncd.config.truth import read_truth
from syncd.config.truthparts import Subject
from syncd.core.rules import Field, FieldMap, FieldType, Group
from syncd.core.values import NAMES, Later, parse_type

KEYS = [
    *("type", "truth", "map", "equal", "check", "required", "stray_edits", "note", "writes", "mode", "blank_is_value"),
    *("group", "pii"),
]
LATER = ("notify", "trust", "override", "python")


def read_fields(scene: Scene, section: Section, groups: dict[str, Section], stray: str | None) -> dict[str, Field]:
    """Return the fields of an entity; those with errors are left out but stay in the scene's drafts."""
    sections = list(section.sections("fields"))
    for name, inner in sections:  # first all names: rules and keys refer to them
        scene.fields[name] = FieldDraft(name, Scalar(inner.owner, name, name, name, plain=True))
    for name, inner in sections:  # then what is where: expressions name it
        _shape(scene, inner, scene.fields[name])
    fields: dict[str, Field] = {}
    for name, inner in sections:
        field = _field(scene, inner, scene.fields[name], groups, stray)
        if field:
            fields[name] = field
    return fields


def _shape(scene: Scene, section: Section, draft: FieldDraft) -> None:
    """Read the type of a field, and where it is."""
    section.known(KEYS, later=LATER)
    node = section.need("type")
    draft.type = _type(scene, node) if node is not None else None
    entry = section.block.entries.get("map")
    if entry and not is_blank(entry.value):
        read_map(scene, entry, draft, KEYS)


def _field(scene: Scene, section: Section, draft: FieldDraft, groups: dict[str, Section], stray: str | None) -> Field | None:
    _truth(scene, section, draft, groups)
    checks = read_checks(scene, section, draft.type)
    equal = read_equality(section, draft.type)
    own_stray = section.word("stray_edits", STRAY)
    mode = section.word("mode", MODES)
    required, blank, pii = section.flag("required"), section.flag("blank_is_value"), section.flag("pii")
    note, writes = section.text("note"), _writes(scene, section, draft)
    draft.writes, draft.mode = writes, mode
    if draft.type is None or (draft.truth is None and draft.group is None):
        return None
    return Field(
        name=draft.name,
        type=draft.type,
        truth=draft.truth,
        maps=_summands(draft),
        equal=equal,
        checks=checks.checks,
        max_step=checks.max_step,
        required=bool(required),
        stray={name: own_stray or stray or _platform_stray(scene, name) for name in scene.parts},
        group=draft.group,
        mode=mode,
        writes=writes,
        blank_is_value=bool(blank),
        pii=bool(pii),
        conditions=checks.conditions,
        unique=checks.unique,
        note=note or "",
        at=scene.source.at(draft.key),
    )


def _summands(draft: FieldDraft) -> dict[str, FieldMap]:
    """Return the mappings of a field; what a sum adds up is only read: written back it would be added once more."""
    if draft.truth is None or draft.truth.how != "sum":
        return draft.maps
    parts = {name: replace(draft.maps[name], direction="in") for name in draft.truth.platforms if name in draft.maps}
    return {name: parts.get(name, place) for name, place in draft.maps.items()}


def _platform_stray(scene: Scene, platform: str) -> str:
    return scene.parts[platform].platform.stray_edits or scene.service.defaults.stray_edits


def _type(scene: Scene, node: Node) -> FieldType | None:
    if not isinstance(node, Scalar) and not _has_good_words(scene, node):
        return None
    try:
        return parse_type(plain(node))
    except Later as error:
        scene.source.later(node, str(error).removesuffix(" is not in this version"))
    except ValueError as error:
        name = node.text if isinstance(node, Scalar) else ""
        literals.bad_value(
            scene.source,
            node,
            str(error),
            hint=did_you_mean(name, NAMES) if name else "",
            why="values are read by their type, and what does not fit is invalid",
            fix=f"use one of: {', '.join(name for name in NAMES if name != 'enum')}, {{enum: [...]}}",
        )
    return None


def _has_good_words(scene: Scene, node: Node) -> bool:
    """Note the words of an enum that YAML reads as something else than text."""
    words = node.get("enum") if isinstance(node, Block) else None
    texts = [literals.text(scene.source, word) for word in words.nodes] if isinstance(words, Items) else []
    return None not in texts


def _truth(scene: Scene, section: Section, draft: FieldDraft, groups: dict[str, Section]) -> None:
    """Read who decides: a rule of its own, or a group's."""
    entry = section.block.entries.get("truth")
    group = section.node("group")
    if group is not None:
        _group(scene, draft, groups, group)
    if entry is None or is_blank(entry.value):
        if group is None:
            section.need("truth")
        return
    truth = read_truth(scene, entry, Subject(draft.name, draft.type))
    if group is None:
        draft.truth = truth
        return
    scene.source.error(
        "E205",
        entry.key,
        f"{draft.name} has a group and a truth of its own",
        why="the fields of a group win together; one with a rule of its own could mix two sources",
        fix="remove truth:, or group:",
    )


def _group(scene: Scene, draft: FieldDraft, groups: dict[str, Section], node: Node) -> None:
    name = literals.text(scene.source, node, "group")
    if name is None:
        return
    if name in groups:
        draft.group = name
        return
    draft.group = name
    scene.source.error(
        "E205",
        node,
        f'no group called "{name}"',
        hint=did_you_mean(name, groups),
        why=f"{draft.name} would have no rule",
        fix=f"add  groups: {{{name}: {{truth: PLATFORM}}}}  beside fields:",
    )


def _writes(scene: Scene, section: Section, draft: FieldDraft) -> tuple[str, ...] | None:
    node = section.node("writes")
    if node is None:
        return None
    names: list[str] = []
    for one in section.list("writes"):
        name = scene.platform(one, f"{draft.name} would be written to nobody of that name")
        if name in names:
            literals.bad_value(scene.source, one, f"{name} is in this list twice", fix="name it once")
        elif name:
            names.append(name)
            _written(scene, draft, name, one)
    return tuple(names)


def _written(scene: Scene, draft: FieldDraft, name: str, node: Node) -> None:
    """Note E203 for a platform among ``writes:`` that the field could not be written to."""
    place = draft.maps.get(name)
    if (name in draft.map_nodes and place is None) or name in draft.misnamed:
        return  # told there
    if place is None:
        said, hint, fix = "has no mapping for this field", "written to nowhere", f"map it:  {name}: PATH, or remove {name}"
    elif place.direction == "in":
        said, hint = "is mapped with direction: in", "never written"
        fix = f"write  direction: both  in its mapping, or remove {name}"
    else:
        return
    scene.source.error(
        "E203",
        node,
        f"writes names {name}, which {said}",
        hint=hint,
        why=f"{draft.name} would never reach {name}, whatever this line says",
        fix=fix,
    )


def read_groups(scene: Scene, groups: dict[str, Section]) -> dict[str, Group]:
    """Return the groups with their rules; fields have been read before."""
    found: dict[str, Group] = {}
    for name, section in groups.items():
        section.known(["truth"])
        members = tuple(field.name for field in scene.fields.values() if field.group == name)
        section.need("truth")
        entry: Entry | None = section.block.entries.get("truth")
        truth = read_truth(scene, entry, Subject(name, group=True)) if entry and not is_blank(entry.value) else None
        if not members:
            scene.source.error(
                "E205",
                section.owner,
                f"group {name} has no fields",
                why="a rule that decides nothing is a mistake somewhere else",
                fix=f"write  group: {name}  in its fields, or remove it",
            )
        if truth:
            found[name] = Group(name, members, truth)
    return found
