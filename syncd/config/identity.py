"""``identity`` and ``deletes`` of an entity: how things are recognised, and what a deletion means."""

from dataclasses import dataclass

from syncd.config import literals
from syncd.config.expressions import in_thing, read_condition
from syncd.config.mapping import read_step
from syncd.config.nodes import Block, Entry, Items, Node, Scalar, is_blank, plain, scalars
from syncd.config.scene import Scene
from syncd.config.section import Section
from syncd.config.suggest import did_you_mean, near
from syncd.core.identity import parse_normal
from syncd.core.rules import Deletes, Match

UNMATCHED = ("create", "review", "ignore")
THEN = ("delete", "archive", "unpublish", "clear_link", "ignore")


@dataclass(frozen=True, slots=True)
class Identity:
    """The key field, the matches, and what becomes of things that match nothing, by platform."""

    key: str
    matches: tuple[Match, ...]
    unmatched: dict[str, str]


def read_identity(scene: Scene, section: Section | None) -> Identity | None:
    """Return how records are recognised; None if the key is missing or wrong. Fields have been read before."""
    if section is None:
        return None
    section.known(["key", "match", "ambiguous", "unmatched"])
    node = section.need("key")
    key = literals.text(scene.source, node, "key") if node is not None else None
    if node is not None and key is not None and key != "id" and key not in scene.fields:
        _no_field(scene, node, key, "identity key")
        key = None
    section.word("ambiguous", ("review",))
    unmatched = _unmatched(scene, section)
    matches = _matches(scene, section, key)
    return Identity(key, matches, unmatched) if key else None


def _no_field(scene: Scene, node: Node, name: str, what: str) -> None:
    names = list(scene.fields)
    scene.source.error(
        "E230",
        node,
        f'{what} "{name}" is no field',
        hint=did_you_mean(name, names),
        why=f"no {scene.name} could ever be recognised by it",
        fix=f"use one of: {', '.join(names)}" + ("" if "match" in what else "     (or id: syncd's own ids)"),
    )


def _matches(scene: Scene, section: Section, key: str | None) -> tuple[Match, ...]:
    if section.node("match") is None:
        built_in = key is not None and key != "id"
        return (Match((key,), parse_normal(()), text=key),) if built_in and key else ()
    found = []
    nodes = section.list("match")
    known = any(text.text in scene.fields for node in nodes for key, text in scalars(node) if key == "by")
    for node in nodes:
        match = _match(scene, node, alone=not known)
        if match:
            found.append(match)
    return tuple(found)


def _match(scene: Scene, node: Node, *, alone: bool) -> Match | None:
    """Return one match, None if it has errors or never matches. ``alone``: there is no other that could."""
    if not isinstance(node, Block):
        literals.wrong_type(scene.source, node, "a mapping, as {by: FIELD}")
        return None
    section = Section(scene.source, node, next((e.key.span for e in node.entries.values()), node.span))
    section.known(["by", "when", "normal", "confidence"])
    names = _by(scene, section, alone=alone)
    confidence = section.word("confidence", ("sure", "review")) or "sure"
    specs = [plain(one) for one in section.list("normal") if read_step(scene, one, "read") is not None]
    when = section.node("when")
    condition = read_condition(scene, when, in_thing(scene), "when") if when is not None else None
    if not names:
        return None
    return Match(names, parse_normal(specs), confidence, "+".join(names), condition)


def _by(scene: Scene, section: Section, *, alone: bool) -> tuple[str, ...]:
    node = section.need("by")
    if isinstance(node, Items) and not node.nodes:
        why = f"no {scene.name} could ever be recognised by it"
        literals.bad_value(scene.source, node, "must name at least one field", why=why, fix="write  by: FIELD")
    nodes = node.nodes if isinstance(node, Items) else [] if node is None else [node]
    texts = [literals.text(scene.source, one, "by") for one in nodes]
    names = [text for text in texts if text is not None]
    wrong = [(one, text) for one, text in zip(nodes, texts, strict=True) if text is not None and text not in scene.fields]
    strange = len(wrong) == len(nodes) and not any(near(text, scene.fields) for _, text in wrong)
    if isinstance(node, Items) and strange and not alone:
        _never_matches(scene, node, [text for _, text in wrong])
        return ()
    for one, text in wrong:
        _no_field(scene, one, text, "match key")
    return tuple(names) if names and not wrong and None not in texts else ()


def _never_matches(scene: Scene, node: Node, names: list[str]) -> None:
    """Warn W231: nothing has a value under these names, so the match finds nobody; the others go on without it."""
    scene.source.warning(
        "W231",
        node,
        f"this match never matches: {scene.name} has no field {' or '.join(names)}",
        hint="no fields",
        why="a thing without a value for each name matches nobody, so it is left to the other matches",
        fix=f"add {'it' if len(names) == 1 else 'them'} to fields:, or remove the match",
    )


def _unmatched(scene: Scene, section: Section) -> dict[str, str]:
    block = section.section("unmatched")
    found: dict[str, str] = {}
    for entry in block.block.entries.values() if block else ():
        name = scene.platform(entry.key, "what matches nothing there would still wait for a person")
        word = literals.word(scene.source, entry.value, UNMATCHED)
        if name and word:
            found[name] = word
    return found


def read_deletes(scene: Scene, section: Section | None) -> tuple[Deletes, dict[str, str]]:
    """Return when a deletion is real, and what it does on each platform."""
    built = Deletes()
    if section is None:
        return built, {}
    section.known(["authority", "then", "confirm", "elsewhere"])
    authority = _authority(scene, section) or built.authority
    elsewhere = section.word("elsewhere", ("restore", "ignore", "review")) or built.elsewhere
    confirm = section.section("confirm")
    sweeps, wait = built.sweeps, built.wait
    if confirm:
        confirm.known(["sweeps", "wait"])
        given, after = confirm.whole("sweeps", least=1), confirm.duration("wait")
        sweeps, wait = sweeps if given is None else given, wait if after is None else after
    then = section.section("then")
    return Deletes(authority, sweeps, wait, elsewhere), _then(scene, then) if then else {}


def _authority(scene: Scene, section: Section) -> str | None:
    node = section.node("authority")
    if isinstance(node, Scalar) and node.text in ("any", "manual"):
        return node.text
    return scene.platform(node, f"no deletion of a {scene.name} would ever be real") if node is not None else None


def _then(scene: Scene, section: Section) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in section.block.entries.values():
        name = scene.platform(entry.key, "a deletion would do nothing there")
        word = literals.word(scene.source, entry.value, THEN) if not is_blank(entry.value) else None
        if name and word and _can(scene, entry, name, word):
            found[name] = "archive" if word == "unpublish" else word
    return found


def _can(scene: Scene, entry: Entry, platform: str, word: str) -> bool:
    """Note E231 for what a platform cannot do; not asked of one that has errors itself."""
    part = scene.parts[platform]
    if not part.sure or part.collection is None or part.collection.abilities is None:
        return True
    where = f"{part.collection.name} in {part.platform.source.file}"
    if word in ("archive", "unpublish") and part.collection.deleted is None:
        scene.source.error(
            "E231",
            entry.value,
            f"{platform} has no marker to {word} by",
            hint="what would be written?",
            why=f"{word} writes the collection's deleted: {{field, is}}, and {where} has none",
            fix=f"add  deleted: {{field: FIELD, is: VALUE}}  to {where},\nor write  {platform}: ignore",
        )
        return False
    if word == "delete" and not part.collection.abilities.delete:
        scene.source.error(
            "E231",
            entry.value,
            f"{platform} cannot delete",
            why=f"{where} says nothing of how a thing is deleted",
            fix=f"say it there, or write  {platform}: ignore",
        )
        return False
    return True
