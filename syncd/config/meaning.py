"""What rules, mappings and platforms mean together: errors of meaning (E203, E207, E208, E225, E232, E241, E242).

Each looks at one thing and says it once; what could not be read was told where it stands and is passed over here.
"""

from collections.abc import Iterator

from syncd.config.circles import note_circles
from syncd.config.flips import note_flips, overlaps
from syncd.config.identity import Identity
from syncd.config.literals import amount
from syncd.config.nodes import Block, Items, Node, Scalar
from syncd.config.scene import FieldDraft, Scene
from syncd.config.section import Section
from syncd.core.model import Abilities
from syncd.core.rules import FieldType, Steps, Truth

SOURCES = ("owner", "priority", "newest", "from", "propose", "use")
UNORDERED = ("json", "boolean", "ref(", "list(")
TYPES = {  # merge -> (what it needs, whether a type has it)
    "union": ("a set", lambda kind: kind.is_set),
    "intersection": ("a set", lambda kind: kind.is_set),
    "sum": ("a number", lambda kind: kind.is_number),
    "delta": ("a number", lambda kind: kind.is_counter_ok),
    "longest": ("text", lambda kind: kind.is_text),
    "any": ("a boolean", lambda kind: kind.name == "boolean"),
    "all": ("a boolean", lambda kind: kind.name == "boolean"),
    "max": ("something with an order", lambda kind: not kind.is_set and not kind.name.startswith(UNORDERED)),
    "min": ("something with an order", lambda kind: not kind.is_set and not kind.name.startswith(UNORDERED)),
    "earliest": ("a date or datetime", lambda kind: kind.name in ("date", "datetime")),
    "latest": ("a date or datetime", lambda kind: kind.name in ("date", "datetime")),
}


def check_meaning(scene: Scene, identity: Identity | None, section: Section) -> None:
    """Note every error of meaning in an entity, whatever else is wrong with it."""
    for field, whole, node in rules(scene, section):
        for truth, case in parts(whole, node):
            _mapped(scene, field, truth, case)
            _fits(scene, field.type, truth, case)
            _skew(scene, truth, case)
            if truth.how == "delta":
                _counter(scene, field)
        _fillable(scene, field, whole)
    _one_field_each(scene, section)
    note_circles(scene, section)
    note_flips(scene, section)
    if identity:
        _keys_mapped(scene, identity)


def rules(scene: Scene, section: Section) -> Iterator[tuple[FieldDraft, Truth, Node]]:
    """Yield each field with the rule that decides it, its own or its group's, and the node of that rule."""
    for field in scene.fields.values():
        truth = field.truth or scene.groups.get(field.group or "")
        place = ("groups", field.group) if field.group else ("fields", field.name)
        block: Node | None = section.block
        for key in (*place, "truth"):
            block = block.get(key) if isinstance(block, Block) and key else None
        if truth is not None and block is not None:
            yield field, truth, block


def parts(truth: Truth, node: Node) -> Iterator[tuple[Truth, Node]]:
    """Yield each rule of a truth with its node: of every case, or the one."""
    nodes = node.nodes if isinstance(node, Items) else [node]
    truths = [branch.truth for branch in truth.branches] or [truth]
    yield from zip(truths, nodes, strict=False)


def named(node: Node, platform: str) -> Node:
    """Return where a rule names a platform as a source; the rule itself if it cannot be found."""
    if isinstance(node, Block):
        for key in (*SOURCES, "if_null"):
            inner = node.get(key)
            for one in inner.nodes if isinstance(inner, Items) else [inner]:
                if isinstance(one, Scalar) and one.text == platform:
                    return one
                if isinstance(one, Block):
                    found = named(one, platform)
                    if found is not one:
                        return found
    return node


def _sources(truth: Truth) -> list[str]:
    """Return every platform whose reading a rule needs; what a formula names was looked at when it was compiled."""
    found = [*(() if truth.how == "expr" else truth.platforms), *([truth.null_use] if truth.null_use else [])]
    return list(dict.fromkeys(found + (_sources(truth.propose) if truth.propose else [])))


def _mapped(scene: Scene, field: FieldDraft, truth: Truth, node: Node) -> None:
    """Note E203 for each source of a rule that the field is not read from."""
    for name in _sources(truth):
        one_way = field.maps.get(name)
        if name not in field.map_nodes and name not in field.misnamed:
            _unmapped(scene, field, truth, name, named(node, name))
        elif one_way is not None and one_way.direction == "out":
            role = "owner" if truth.how == "owner" else "source"
            scene.source.error(
                "E203",
                field.map_nodes[name],
                f"{role} {name} is mapped with direction: out",
                hint="never read",
                why=f"with no reading from its {role}, {scene.name}.{field.name} could not be decided by it",
                fix="write  direction: both, or take it out of the rule",
            )


def _unmapped(scene: Scene, field: FieldDraft, truth: Truth, name: str, node: Node) -> None:
    owner = truth.how == "owner" and truth.platforms == (name,)
    role = "owner" if owner else "source"
    why = (
        f"with no reading from its owner, {scene.name}.{field.name} could only ever be blank"
        if owner
        else f"with no reading from {name}, its part in {scene.name}.{field.name} would always be missing"
    )
    scene.source.error(
        "E203",
        node,
        f"{role} {name} has no mapping for this field",
        hint=f"{role} without a mapping",
        why=why,
        fix=_mapping_fix(scene, field, name),
    )


def _mapping_fix(scene: Scene, field: FieldDraft, platform: str) -> str:
    seen = scene.evidence.seen.get(platform, ())
    where = f"add a mapping on line {field.map_key.span.line}" if field.map_key else f"add a mapping to {field.name}"
    lines = [f"{where}, for example  map: {{{platform}: {seen[0] if seen else field.name}, ...}}"]
    if seen:
        lines.append(f"   (seen in {platform} at the last probe, unmapped: {', '.join(seen)})")
    if field.maps:
        lines.append(f"or give {field.name} to a platform that is mapped: {', '.join(sorted(field.maps))}")
    return "\n".join(lines)


def _fillable(scene: Scene, field: FieldDraft, truth: Truth) -> None:
    """Note E225: every rule of the field waits for a value, and none can come."""
    read = any(place.direction != "out" for place in field.maps.values())
    broken = field.map_nodes.keys() - field.maps.keys()
    branches = [branch.truth for branch in truth.branches] or [truth]
    if read or broken or any(one.how != "manual" or one.propose for one in branches):
        return
    scene.source.error(
        "E225",
        field.key,
        f"nobody can ever fill {field.name}",
        hint="read from nowhere",
        why="a person is asked when a platform shows a new value, and the field is read from no platform",
        fix="map it where it can be read, or give it a rule that has a value: const, expr",
    )


def _fits(scene: Scene, kind: FieldType | None, truth: Truth, node: Node) -> None:
    """Note E232 for a merge that the field's type has no meaning for."""
    if truth.propose is not None and isinstance(node, Block):
        _fits(scene, kind, truth.propose, node.get("propose") or node)
    needs, has = TYPES.get(truth.how, ("", lambda _: True))
    if kind is None or has(kind) or not isinstance(node, Block):
        return
    scene.source.error(
        "E232",
        node.get("merge") or node,
        f"merge: {truth.how} needs {needs}, and the field is of type {kind.name}",
        hint="does not fit the type",
        why="values of this type cannot be merged that way",
        fix="change type:, or take another rule",
    )


def _skew(scene: Scene, truth: Truth, node: Node) -> None:
    """Note E241: edits that a platform's clock cannot tell apart cannot be ranked."""
    if truth.how != "newest" or not isinstance(node, Block):
        return
    ticks = [(can.tick, name) for name in truth.platforms if (can := abilities(scene, name)) is not None and can.timed]
    tick, name = max(ticks, default=(0, ""))
    if tick <= truth.skew:
        return
    where = node.get("skew") or node.key("newest")
    scene.source.error(
        "E241",
        where,
        f"skew {amount(truth.skew)} is below the tick of {name}: {amount(tick)}",
        hint=f"at least {amount(tick)}",
        why=f"{name} tells times in steps of {amount(tick)}: a later edit can look earlier, and would lose",
        fix=f"write  skew: {amount(tick)}",
    )


def abilities(scene: Scene, platform: str) -> Abilities | None:
    """Return what a platform can do in this entity, None if that is not known."""
    part = scene.parts.get(platform)
    return part.collection.abilities if part and part.collection else None


def _counter(scene: Scene, field: FieldDraft) -> None:
    """Note E242 for each platform that a counter is written to but that cannot take it exactly."""
    for name, place in field.maps.items():
        can = abilities(scene, name)
        if place.direction == "in" or can is None or scene.mode(name) == "observe" or field.closed(name):
            continue
        lacks = _not_exact(can, any(getattr(step, "verb", "") == "round" for step in (*place.read, *place.write)))
        if lacks:
            scene.source.error(
                "E242",
                field.map_nodes[name],
                f"{name} cannot take a counter exactly",
                hint="add direction: in",
                why=f"{lacks}: a sale there between our read and our write would be lost or counted twice",
                fix=f"write  {name}: {{path: {place.path}, direction: in}}",
            )


def _not_exact(can: Abilities, rounds: bool) -> str:
    """Return why a platform cannot take a counter; empty if it can."""
    if rounds or not can.exact:
        return "it does not keep numbers as they are sent"
    if not can.answers:
        return "its answer to a write does not say what is stored"
    if not can.guard and not (can.adjust and can.keyed):
        return "it has no guard, nor an adjust call with an idempotency key"
    return ""


def _keys_mapped(scene: Scene, identity: Identity) -> None:
    """Note E207: a platform without any match key; nothing there could ever be recognised."""
    for name, part in scene.parts.items():
        keys = [match.by for match in identity.matches]
        creates = scene.unmatched(name, identity.unmatched.get(name), identity.key) == "create"
        if not keys or creates or any(_all_mapped(scene, name, by) for by in keys):
            continue
        wanted = " or ".join("+".join(by) for by in keys)
        scene.source.error(
            "E207",
            part.key,
            f"{name} maps no match key",
            hint=f"map {wanted}",
            why=f"a {scene.name} there could never be recognised: nothing would match",
            fix=f"add  {name}: PATH  to the map: of {wanted}",
        )


def _all_mapped(scene: Scene, platform: str, fields: tuple[str, ...]) -> bool:
    drafts = [scene.fields[name] for name in fields if name in scene.fields]
    return all(platform in draft.map_nodes for draft in drafts)


def _one_field_each(scene: Scene, section: Section) -> None:
    """Note E208: two fields that would be written into one place, each over the other."""
    first: dict[str, dict[Steps, str]] = {}
    for field, truth, _ in rules(scene, section):
        for name, place in field.maps.items():
            sole = truth.how == "owner" and truth.platforms == (name,)
            if place.direction == "in" or sole or scene.mode(name) == "observe" or field.closed(name):
                continue
            others = first.setdefault(name, {})
            other = next((one for steps, one in others.items() if one != field.name and overlaps(steps, place.steps)), None)
            others.setdefault(place.steps, field.name)
            if other is not None:
                there = scene.fields[other].maps[name].path
                also = " too" if there == place.path else f", and {field.name} to {place.path}"
                scene.source.error(
                    "E208",
                    field.map_nodes[name],
                    f"{other} is written to {there} of {name}{also}",
                    why="the two would overwrite each other for ever",
                    fix=f"write  {name}: {{path: {place.path}, direction: in}}  in one of them",
                )
