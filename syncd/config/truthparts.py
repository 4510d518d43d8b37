"""The kinds of truth rules: what stands behind ``owner``, ``priority``, ``newest``, ``merge``, ``expr`` and ``const``."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from syncd.config import literals
from syncd.config.constants import constant
from syncd.config.expressions import in_rules, platforms_of, read_condition, read_formula
from syncd.config.nodes import Block, Items, Node, Scalar
from syncd.config.scene import Scene, ordinal
from syncd.config.section import Section, missing_key
from syncd.core.rules import At, FieldType, Freeze, Truth
from syncd.core.values import Invalid, parse_type

MERGES = ("union", "intersection", "max", "min", "sum", "longest", "earliest", "latest", "any", "all", "delta")
SETS = ("union", "intersection")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a rule decides: a field, or a group (which has no type)."""

    name: str
    type: FieldType | None = None
    group: bool = False


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
    misread = len(names) < len(section.list("newest"))  # told there: what tie names may be among those
    for node in () if misread else section.list("tie"):
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


def _expr(scene: Scene, section: Section, subject: Subject) -> Truth | None:
    node = section.need("expr")
    found = read_formula(scene, node, "expr", subject.type) if node is not None else None
    return Truth("expr", platforms_of(found), expr=found, at=place(section)) if found else None


READERS: dict[str, Reader] = {
    "owner": _owner,
    "priority": _priority,
    "newest": _newest,
    "merge": _merge,
    "const": _const,
    "expr": _expr,
}


# ---- freeze


FREEZES = ("until", "when", "after_first")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DATE = parse_type("date")


def read_freeze(scene: Scene, section: Section) -> Freeze | None:
    """Return when golden may no longer change: ``true``, ``{until}``, ``{when}`` or ``{after_first}``."""
    node = section.node("freeze")
    if node is None:
        return None
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return Freeze("always") if _true(scene, node, "freeze") else None
    if not isinstance(node, Block):
        literals.wrong_type(scene.source, node, "true, {until: DATE}, {when: EXPRESSION} or {after_first: true}")
        return None
    inner = Section(scene.source, node, section.block.key("freeze").span)
    inner.known(FREEZES)
    said = [key for key in FREEZES if inner.node(key) is not None]
    if len(said) > 1:
        literals.bad_value(scene.source, node, f"either {' or '.join(said)}, not both", fix="keep one of them")
        return None
    if not said and not inner.misspelt:
        missing_key(scene.source, inner.owner, "until", instead="one of until, when, after_first")
    return _freeze(scene, inner, said[0]) if said else None


def _freeze(scene: Scene, section: Section, key: str) -> Freeze | None:
    """Return the freeze of one key."""
    node = section.need(key)
    assert node is not None  # it was found
    if key == "until":
        until = _day(scene, node)
        return None if until is None else Freeze("until", until=until)
    if key == "when":
        when = read_condition(scene, node, in_rules(scene), "when")
        return Freeze("when", when=when) if when else None
    return Freeze("after_first") if section.flag(key) is not None and _true(scene, node, key) else None


def _true(scene: Scene, node: Node, key: str) -> bool:
    """Return whether it says true; there is no other way to leave it out than not to write it."""
    if isinstance(node, Scalar) and node.value is False:
        literals.bad_value(scene.source, node, f"{key} is true, or it is not there", fix=f"write  {key}: true, or remove it")
        return False
    return True


def _day(scene: Scene, node: Node) -> int | None:
    """Return the start of a day where the service is, in microseconds."""
    written = node.value if isinstance(node, Scalar) else None
    try:
        day = DATE.read(written) if isinstance(written, str) else None
    except Invalid:
        day = None
    if day is None:
        literals.bad_value(
            scene.source,
            node,
            f"must be a date, not {literals.describe(node)}",
            why="the field is frozen until that day begins",
            fix="write  until: 2026-12-31     (year-month-day)",
        )
        return None
    begins = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(scene.service.timezone))
    return (begins - EPOCH) // timedelta(microseconds=1)
