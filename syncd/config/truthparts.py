"""The kinds of truth rules: what stands behind ``owner``, ``priority``, ``newest``, ``merge`` and ``const``."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from syncd.config import literals
from syncd.config.constants import constant
from syncd.config.nodes import Items, Node, Scalar
from syncd.config.scene import Scene, ordinal
from syncd.config.section import Section
from syncd.core.rules import At, FieldType, Truth

MERGES = ("union", "intersection", "max", "min", "sum", "longest", "earliest", "latest", "any", "all", "delta")
SETS = ("union", "intersection")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a rule decides: a field, or a group (which has no type)."""

    name: str
    type: FieldType | None = None


Reader = Callable[[Scene, Section, Subject], Truth | None]


def place(section: Section) -> At:
    """Return the place of a rule: its key."""
    return At(section.source.file, section.owner.line, section.owner.col)


def owner_rule(scene: Scene, node: Node, at: At, subject: Subject) -> Truth | None:
    """Return the rule that one platform decides."""
    name = scene.platform(node, f"{subject.name} would never receive a value")
    return Truth("owner", (name,), if_null=scene.service.defaults.if_null, at=at) if name else None


def platforms(scene: Scene, section: Section, key: str, subject: Subject) -> tuple[str, ...]:
    """Return the platforms of a list, in its order, each once."""
    names: list[str] = []
    nodes = section.list(key)
    for n, node in enumerate(nodes):
        name = scene.platform(node, f"{subject.name} would never receive a value from its {ordinal(n)} source")
        if name in names:
            literals.bad_value(scene.source, node, f"{name} is in this list twice", fix="name it once")
        elif name:
            names.append(name)
    whole = section.node(key)
    if isinstance(whole, Items) and not nodes:
        literals.bad_value(scene.source, whole, "must name at least one platform", fix=scene.use_one_of())
    return tuple(names)


def _owner(scene: Scene, section: Section, subject: Subject) -> Truth | None:
    node = section.need("owner")
    return owner_rule(scene, node, place(section), subject) if node is not None else None


def _priority(scene: Scene, section: Section, subject: Subject) -> Truth | None:
    section.need("priority")
    names = platforms(scene, section, "priority", subject)
    return Truth("priority", names, at=place(section)) if names else None


def _newest(scene: Scene, section: Section, subject: Subject) -> Truth | None:
    section.need("newest")
    names = platforms(scene, section, "newest", subject)
    skew, tie = section.duration("skew"), platforms(scene, section, "tie", subject)
    if not names:
        return None
    for node in section.list("tie"):
        if isinstance(node, Scalar) and node.text in tie and node.text not in names:
            fix = f"use one of: {', '.join(names)}"
            literals.bad_value(scene.source, node, f"{node.text} is not one of the platforms of newest", fix=fix)
    truth = Truth("newest", names, tie=tie, at=place(section))
    return truth if skew is None else replace(truth, skew=skew)


def _merge(scene: Scene, section: Section, subject: Subject) -> Truth | None:
    node, how = section.need("merge"), None
    if isinstance(node, Scalar) and node.text == "three_way_text":
        scene.source.later(node, '"merge: three_way_text"')
    else:
        how = section.word("merge", MERGES)
    section.need("from")
    names = platforms(scene, section, "from", subject)
    removals = section.word("removals", ("honour", "ignore"))
    if removals and how and how not in SETS:
        literals.bad_value(scene.source, section.block.key("removals"), f"merge: {how} removes nothing", fix="remove it")
    return Truth(how, names, removals=removals != "ignore", at=place(section)) if how and names else None


def _const(scene: Scene, section: Section, subject: Subject) -> Truth | None:
    node = section.block.get("const")
    value = constant(scene.source, node, subject.type, "const") if node is not None else None
    return Truth("const", value=value, at=place(section))


READERS: dict[str, Reader] = {
    "owner": _owner,
    "priority": _priority,
    "newest": _newest,
    "merge": _merge,
    "const": _const,
    "expr": lambda scene, section, subject: None,  # noqa: ARG005 - refused before it is read (E190)
}
