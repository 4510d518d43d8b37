"""``entities/NAME.yaml``: one kind of record, compiled into ``core.rules.Entity``."""

import re
from collections.abc import Callable, Iterable, Mapping

from syncd.config import literals
from syncd.config.drafts import PlatformDraft
from syncd.config.expressions import in_record, in_scope, read_condition
from syncd.config.fields import read_fields, read_groups
from syncd.config.identity import Identity, read_deletes, read_identity
from syncd.config.meaning import check_meaning
from syncd.config.nodes import Block, Entry, Scalar, is_blank
from syncd.config.platform import name_of, same_name
from syncd.config.safety import read_safety
from syncd.config.scene import Evidence, Part, Scene, careful
from syncd.config.section import Section, root_of, section_of
from syncd.config.service import MODES, STRAY, Service
from syncd.config.source import Source
from syncd.config.suggest import did_you_mean, near
from syncd.core.model import Abilities
from syncd.core.rules import Entity, Field, Member

KEYS = ["entity", "label", "in", "identity", "groups", "fields", "deletes", "safety", "mode", "stray_edits", "python"]

Judge = Callable[[Scene, Section, Mapping[str, Field]], None]  # notes what only trying the rules shows


def read_entity(
    source: Source, service: Service, platforms: Mapping[str, PlatformDraft], evidence: Evidence, judges: Iterable[Judge] = ()
) -> tuple[Scene, Entity | None]:
    """Return an entity as its file says it, None if it has errors; what is wrong is noted."""
    scene = Scene(source, name_of(source), service, platforms, evidence, plugins=service.plugins.named_in(source))
    section = root_of(source)
    if section is None:
        return scene, None
    section.known(KEYS)
    same_name(section, "entity")
    _parts(scene, section)
    scene.limit, stray = section.word("mode", MODES), section.word("stray_edits", STRAY)
    scene.limit_at = source.at(section.block.key("mode")) if scene.limit else scene.limit_at
    section.need("fields")
    groups = dict(section.sections("groups"))
    fields = read_fields(scene, section, groups, stray)
    _conditions(scene, section.section("in"))
    ruled = read_groups(scene, groups)
    scene.groups = {name: group.truth for name, group in ruled.items()}
    identity = _identity(scene, section)
    deletes, then = read_deletes(scene, section.section("deletes"))
    safety = read_safety(section.section("safety"), service.safety)
    label = _label(scene, section)
    check_meaning(scene, identity, section)
    for judge in judges:
        judge(scene, section, fields)
    if source.failed or identity is None or any(part.collection is None for part in scene.parts.values()):
        return scene, None
    members = _members(scene, identity, then)
    return scene, Entity(
        scene.name,
        identity.key,
        fields,
        members,
        identity.matches,
        ruled,
        deletes,
        safety,
        label,
        source.file,
    )


def _identity(scene: Scene, section: Section) -> Identity | None:
    if section.need("identity") is None:
        return None
    return read_identity(scene, section.section("identity"))


def _parts(scene: Scene, section: Section) -> None:
    """Read ``in:``: the platforms and collections where the entity lives."""
    outer = section.section("in") if section.need("in") is not None else None
    if outer is None or not outer.block.entries:  # told: that no rule finds its platforms follows from it
        scene.broken_parts.update(scene.platforms)
    if outer and not outer.block.entries and "in" in section.block.entries:
        literals.bad_value(scene.source, section.block.key("in"), f"{scene.name} lives nowhere", fix="name its platforms")
    for name, entry in outer.block.entries.items() if outer else ():
        platform = scene.platforms.get(name)
        if platform is None:
            scene.broken_parts.update((name, *near(name, scene.platforms)))  # the right name is told by this too
            _no_file(scene, entry, name)
            continue
        inner = section_of(scene.source, entry.value, entry.key.span)
        scene.parts[name] = _part(scene, inner, platform, entry) if inner else Part(platform, None, entry.key)


def _no_file(scene: Scene, entry: Entry, name: str) -> None:
    names = sorted(scene.platforms)
    scene.source.error(
        "E201",
        entry.key,
        f'no platform called "{name}"',
        hint=scene.did_you_mean(name, names),
        why=f"{scene.name} would live nowhere there",
        fix=f"use one of: {', '.join(names)}     (the files in platforms/)" if names else "add a file to platforms/",
    )


def _part(scene: Scene, section: Section, platform: PlatformDraft, entry: Entry) -> Part:
    section.known(["collection", "only", "create"])
    node = section.need("collection")
    name = literals.text(scene.source, node, "collection") if node is not None else None
    found = platform.collections.get(name) if name else None
    if node is not None and name and found is None and platform.collections:
        names = list(platform.collections)
        scene.source.error(
            "E204",
            node,
            f'{platform.name} has no collection called "{name}"',
            hint=did_you_mean(name, names),
            why=f"no {scene.name} could be read there",
            fix=f"use one of: {', '.join(names)}     (the collections of {platform.source.file})",
        )
    create = _create(scene, section)
    if create and found and found.abilities and not found.abilities.create:
        scene.source.error(
            "E209",
            section.block.key("create"),
            f"{platform.name} cannot create in {found.name}",
            why=f"{platform.source.file} does not say how a thing is created there",
            fix="say it there, or write  create: false",
        )
    return Part(platform, found, entry.key, create)


def _create(scene: Scene, section: Section) -> bool:
    """Return whether things are made there at all; under which condition is read when the fields are known."""
    node = section.node("create")
    if not isinstance(node, Block):
        return bool(section.flag("create"))
    inner = Section(scene.source, node, section.block.key("create").span)
    inner.known(["when"])
    inner.need("when")
    return True


def _conditions(scene: Scene, section: Section | None) -> None:
    """Read the expressions under ``in:``: of a platform's own fields (``only``), and of the entity's (``create``)."""
    for name, entry in section.block.entries.items() if section else ():
        part = scene.parts.get(name)
        if part is None or not isinstance(entry.value, Block):
            continue
        only, create = entry.value.get("only"), entry.value.get("create")
        when = create.get("when") if isinstance(create, Block) else None
        if only is not None and not is_blank(only):
            part.only = read_condition(scene, only, in_scope(scene, name), "only", own=name)
        if when is not None and not is_blank(when):
            part.create_when = read_condition(scene, when, in_record(scene), "when")


def _members(scene: Scene, identity: Identity, then: dict[str, str]) -> dict[str, Member]:
    members: dict[str, Member] = {}
    for name, part in scene.parts.items():
        assert part.collection is not None  # else the file has errors
        platform = part.platform
        marker = (part.collection.deleted or ())[:1]  # remembered, to take the mark back
        mode, at = careful(platform, scene.service, scene.limit, scene.limit_at)
        stale = platform.stale_after
        members[name] = Member(
            platform=name,
            collection=part.collection.name,
            abilities=part.collection.abilities or Abilities(),
            mode=mode,
            mode_at=at,
            create=part.create,
            unmatched=scene.unmatched(name, identity.unmatched.get(name), identity.key),
            writable=part.collection.writable,
            guard=platform.guard(part.collection.name),
            deleted=part.collection.deleted,
            on_delete=then.get(name, "ignore"),
            only=part.only,
            create_when=part.create_when,
            raws=tuple(dict.fromkeys([*scene.raws.get(name, ()), *marker])),
            stale_after=scene.service.defaults.stale_after if stale is None else stale,
            timezone=platform.timezone,
            home=platform.home,
        )
    return members


def _label(scene: Scene, section: Section) -> str:
    """Return the template of names; a placeholder that is surely a misspelt field is E210."""
    label, node = section.text("label") or "", section.node("label")
    for found in re.finditer(r"\{(\w+)\}", label):
        name = found[1]
        if isinstance(node, Scalar) and name not in scene.fields and near(name, scene.fields):
            scene.source.error(
                "E210",
                node,
                f'unknown name "{name}" in the label',
                hint=did_you_mean(name, scene.fields),
                why="it would be shown as ? everywhere",
                fix=f"use one of: {', '.join(scene.fields)}",
            )
    return label
