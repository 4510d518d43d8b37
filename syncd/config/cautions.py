"""Warnings: what a valid config gives up, or nobody would be told (W2xx). They do not keep it from running."""

from collections.abc import Mapping

from syncd.config.drafts import CollectionDraft, PlatformDraft
from syncd.config.meaning import abilities, parts, rules
from syncd.config.nodes import Block, Node, Scalar
from syncd.config.scene import FieldDraft, Scene
from syncd.config.section import Section
from syncd.core.rules import Field, Truth


def warn_of_rules(scene: Scene, section: Section, _: Mapping[str, Field]) -> None:
    """Warn of what the rules of an entity can lead to."""
    told: set[str] = set()
    told_there: set[str] = set()
    for field, whole, node in rules(scene, section):
        subject = field.group or field.name
        if subject not in told:
            told.add(subject)
            _nobody_told(scene, section, field, whole, node)
            for truth, case in parts(whole, node):
                if isinstance(case, Block):
                    _recency(scene, truth, case, subject)
        _not_writable(scene, field, whole, told_there)


def _nobody_told(scene: Scene, section: Section, field: FieldDraft, truth: Truth, node: Node) -> None:
    """Warn W210: a rule that waits for a person of whom nobody tells."""
    cases = parts(truth, node)
    named = [isinstance(case, Block) and "reviewers" in case.entries for one, case in cases if one.how == "manual"]
    if scene.service.told or all(named):  # names that are wrong there are told there
        return
    outer = section.block.get("groups" if field.group else "fields")
    inner = outer.get(field.group or field.name) if isinstance(outer, Block) else None
    if not isinstance(inner, Block):
        return
    folder = scene.source.file.removesuffix(scene.source.path)
    scene.source.warning(
        "W210",
        inner.key("truth"),
        f"{field.group or field.name} waits for a person, nobody is told",
        hint="each change will sit in the inbox",
        fix=f"add reviewers: [shop-team], or a notify entry with when: [conflict_new] in {folder}syncd.yaml",
    )


def _recency(scene: Scene, truth: Truth, node: Block, subject: str) -> None:
    """Warn W230: with times of whole records, changing one field makes all others look new."""
    known = {name: abilities(scene, name) for name in truth.platforms}
    coarse = [name for name, can in known.items() if can is not None and not can.field_times]
    if truth.how != "newest" or not coarse or None in known.values():  # what a broken platform can do is told when it is mended
        return
    whole = " and ".join(coarse)
    scene.source.warning(
        "W230",
        node.key("newest"),
        f"newest without field times: {whole}",
        hint="only whole records have a time there",
        why=f"an edit of another field can make {subject} look new; where times cannot tell, tie decides or a person",
        fix="keep tie:, or name one owner:  truth: PLATFORM"
        if truth.tie
        else f"name the winner of doubtful cases:  tie: [{', '.join(truth.platforms)}]",
    )


def _not_writable(scene: Scene, field: FieldDraft, truth: Truth, told: set[str]) -> None:
    """Warn W246: a rule that would write outside the collection's ``writable:``, or where nothing can be updated.

    ``told`` are the platforms of which the latter was said: it is one cause, whatever the field.
    """
    for name, place in field.maps.items():
        part, can = scene.parts[name], abilities(scene, name)
        wall = part.collection.writable if part.collection else None
        sole = truth.how == "owner" and truth.platforms == (name,)
        if can is None or place.direction == "in" or sole or scene.mode(name) == "observe" or field.closed(name):
            continue
        file = part.platform.source.file
        if wall is not None and place.path not in wall:
            allowed = ", ".join(sorted(wall)) or "nothing"
            _stays_drift(scene, field, name, "outside writable:", f"{file} allows {allowed} only", f"add {place.path} to it")
        elif not can.update and name not in told:
            told.add(name)
            _stays_drift(scene, field, name, "no way to update", f"{file} does not say how", "say there how it is updated")


def _stays_drift(scene: Scene, field: FieldDraft, platform: str, hint: str, because: str, cure: str) -> None:
    path = field.maps[platform].path
    scene.source.warning(
        "W246",
        field.map_nodes[platform],
        f"{platform} may not be written in {path}",
        hint=hint,
        why=f"{field.name} would differ there for ever: {because}",
        fix=f"{cure}, or write  {platform}: {{path: {path}, direction: in}}",
    )


def warn_of_platform(draft: PlatformDraft, scenes: list[Scene]) -> None:
    """Warn of what a platform's own options give up where it is written."""
    written = [name for name in draft.collections if any(_writes(scene, draft.name, name) for scene in scenes)]
    if written and draft.write.guard == "none" and draft.guard_node is not None:
        draft.source.warning(
            "W243",
            draft.guard_node,
            "guard: none loses data when two write at once",
            hint="given up: no write covers an unseen edit",
            why="an edit made between our read and our write is overwritten, and nobody sees it",
            fix="write  guard: hash     (or version, where the collection has one)",
        )
    for name, found in draft.collections.items():
        if name in written:
            _guarded(draft, found)
            _no_evidence(draft, found)
        _returning_ids(draft, found, scenes)


def _writes(scene: Scene, platform: str, collection: str) -> bool:
    """Return whether an entity writes to a collection."""
    part = scene.parts.get(platform)
    here = part is not None and part.collection is not None and part.collection.name == collection
    if not here or scene.mode(platform) == "observe":
        return False
    fields = [field for field in scene.fields.values() if platform in field.maps and not field.closed(platform)]
    return any(field.maps[platform].direction != "in" for field in fields)


def _guarded(draft: PlatformDraft, found: CollectionDraft) -> None:
    """Note E102: a guard by version where there is none would be no guard at all."""
    if draft.kind is not None and "version" not in draft.kind.collection.model_fields:
        return  # what guards a write there its connector knows: Shopify has no versions, each write is compared with a read
    if draft.write.guard == "version" and found.abilities is not None and found.block.get("version") is None:
        draft.source.error(
            "E102",
            found.owner,
            'missing key "version"',
            hint="guard: version needs it",
            why="without a version a write could cover an edit made since we last read",
            fix="add  version: FIELD, or write  guard: hash",
        )


def _no_evidence(draft: PlatformDraft, found: CollectionDraft) -> None:
    """Warn W244: neither version nor body, so a person's edit and a platform's own spelling cannot be told apart."""
    can = found.abilities
    if can is None or can.answers or can.signs or found.block.get("version") is not None:
        return
    draft.source.warning(
        "W244",
        found.owner,
        f"{found.name} has neither versions nor answers with a body",
        hint="what became of a write must be guessed",
        why="an edit by a person right after our write can be taken for the platform's own spelling of it",
        fix="add  version: FIELD  if the platform has one",
    )


def _returning_ids(draft: PlatformDraft, found: CollectionDraft, scenes: list[Scene]) -> None:
    """Warn W245: ids that people choose can be used again, and versions then start again."""
    version, native_id = found.text_at("version"), found.text_at("id")
    if found.abilities is None or not found.abilities.ordered or version is None or native_id is None:
        return
    here = [scene for scene in scenes if (part := scene.parts.get(draft.name)) and part.collection is found]
    natural = any(
        draft.name in field.maps and field.maps[draft.name].path == native_id
        for scene in here
        for field in scene.fields.values()
    )
    node = found.block.get("version")
    if natural and isinstance(node, Scalar):
        draft.source.warning(
            "W245",
            node,
            f"{native_id} can be used again, and {version} then starts again",
            hint="is it never reset?",
            why=f"what is deleted and made anew under its old {native_id} would look older than its past, and be ignored",
            fix="take versions from one sequence for the whole table, or leave version: out",
        )
