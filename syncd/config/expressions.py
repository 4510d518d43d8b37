"""Expressions in rules: what they may name at each place, and where in the file their mistakes stand.

Each is compiled once, by ``core.expression``. What it names of a platform's own fields is noted in the scene: connectors
must ask for these fields, and the ledger must remember them.
"""

from collections.abc import Mapping
from dataclasses import replace

from syncd.config import literals
from syncd.config.nodes import Block, Node, Scalar, Span
from syncd.config.scene import FieldDraft, Scene
from syncd.core.expression import TRUTH, Names, Problem, Wrong, compile_expression, kind_of_type
from syncd.core.operands import ANY
from syncd.core.rules import Expression, FieldMap, FieldType, Name
from syncd.core.values import parse_type

RAW = ".raw"
ANYTHING = parse_type("json")  # stands for a type that could not be read: told there, and no reason for a second finding


def in_rules(scene: Scene) -> Names:
    """Return what a rule may name: fields as platforms have them, their own fields, golden."""
    fields = {name: {draft.name: _type(draft) for draft in _read_from(scene, name)} for name in scene.parts}
    return Names(fields=fields, golden=_fields(scene), shapes=_shapes(scene))


def in_scope(scene: Scene, platform: str) -> Names:
    """Return what ``only:`` may name: the platform's own fields, bare."""
    shape = _shapes(scene).get(platform)
    return Names(raw_bare=True, shapes={} if shape is None else {"": shape})


def in_thing(scene: Scene, value: FieldType | None = None) -> Names:
    """Return what ``identity`` and ``check.expr`` may name: the fields of the thing that is looked at, and its ``value``."""
    return Names(bare=_fields(scene), value=value)


def in_record(scene: Scene) -> Names:
    """Return what ``create`` may name: the record's fields, bare, and all that rules may name."""
    return replace(in_rules(scene), bare=_fields(scene))


def read_condition(scene: Scene, node: Node, names: Names, key: str, *, own: str = "") -> Expression | None:
    """Return an expression that is true or false, None after noting what is wrong."""
    return read_expression(scene, node, names, key, own=own, want=TRUTH)


def read_formula(scene: Scene, node: Node, key: str, kind: FieldType | None) -> Expression | None:
    """Return an expression that gives a value of a type, None after noting what is wrong."""
    return read_expression(scene, node, in_rules(scene), key, want=kind_of_type(kind) if kind else ANY)


def read_expression(scene: Scene, node: Node, names: Names, key: str, *, own: str = "", want: str = ANY) -> Expression | None:
    """Return an expression, None after noting what is wrong. ``own`` is the platform whose own fields are bare names."""
    text = formula(scene, node, key)
    if text is None or not isinstance(node, Scalar):
        return None
    try:
        found = compile_expression(text, names, want)
    except Wrong as wrong:
        for problem in wrong.problems:
            _note(scene, node, text, problem)
        return None
    for name in found.names:
        if own and _is_scoped(scene, node, name):
            return None
        platform = own if own and not name.scope else name.scope.removesuffix(RAW) if name.scope.endswith(RAW) else ""
        if platform:
            scene.raws.setdefault(platform, {})[name.path] = None
    return found


def _is_scoped(scene: Scene, node: Scalar, name: Name) -> bool:
    """Note E210 for ``shop.raw.status`` where every name is the platform's own."""
    platform, _, path = name.path.partition(".raw.")
    if not path or platform not in scene.parts:
        return False
    start = max(node.text.find(name.path), 0)
    scene.source.error(
        "E210",
        place_in(scene, node, start, start + len(name.path)),
        f"in only: every name is the platform's own, and {name.path} would be a field of that name",
        hint="the bare name?",
        why="nothing there has such a field: nothing would be in scope",
        fix=f"write  {path}",
    )
    return True


def formula(scene: Scene, node: Node, key: str) -> str | None:
    """Return the text of an expression; ``true`` and ``false`` need no quotes."""
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return "true" if node.value else "false"
    return literals.text(scene.source, node, key)


def place_in(scene: Scene, node: Scalar, start: int, end: int) -> Span:
    """Return where a part of a text stands in the file; of a text with escapes or of several lines, its first line."""
    line, col, _ = node.span
    for before in (0, 1):  # plain, or in quotes
        if node.raw[before : before + len(node.text)] == node.text and "\n" not in node.text:
            first = col + before + start
            return Span(line, first, max(col + before + end, first + 1))
    return node.span if "\n" not in node.raw else Span(line, col, len(scene.source.line(line).rstrip()) + 1)


def platforms_of(expression: Expression) -> tuple[str, ...]:
    """Return the platforms that an expression names, each once."""
    scopes = (name.scope.removesuffix(RAW) for name in expression.names)
    return tuple(dict.fromkeys(scope for scope in scopes if scope not in ("", "golden")))


def _note(scene: Scene, node: Scalar, text: str, problem: Problem) -> None:
    """Note one problem of an expression, in the words of the config where that knows more."""
    word = text[problem.start : problem.end]
    platform, _, path = word.partition(".")
    if platform in scene.broken_parts:
        return  # told under in:
    said, hint, fix = problem.message, problem.hint, problem.fix or "change the expression, or the type of the field"
    if problem.code == "E210" and platform in scene.platforms and platform not in scene.parts:
        said, hint = f"{platform} is not a platform of {scene.name}", "not in in:"
        fix = f"add  {platform}: {{collection: NAME}}  under in:, or {scene.use_one_of()}"
    elif problem.code == "E210" and platform in scene.parts and _is_out(_maps(scene, path).get(platform)):
        said, hint = f"{path} is only written to {platform}", "direction: out"
        fix = f"write  direction: both, or name another source of {path}"
    elif problem.code == "E210" and platform in scene.parts and said.startswith("no platform called"):
        said, hint = f"a record is looked at here, not what {platform} says of it", "the bare name?"
        fix = f"write  {path}" if path in scene.fields else problem.fix
    where = place_in(scene, node, problem.start, problem.end)
    scene.source.error(problem.code, where, said, hint=hint, why=problem.why, fix=fix)


def _is_out(place: FieldMap | None) -> bool:
    return place is not None and place.direction == "out"


def _fields(scene: Scene) -> dict[str, FieldType]:
    return {name: _type(draft) for name, draft in scene.fields.items()}


def _type(draft: FieldDraft) -> FieldType:
    return draft.type or ANYTHING


def _maps(scene: Scene, field: str) -> Mapping[str, FieldMap]:
    return scene.fields[field].maps if field in scene.fields else {}


def _read_from(scene: Scene, platform: str) -> list[FieldDraft]:
    """Return the fields that are read from a platform, also those whose mapping there has an error."""
    drafts = [draft for draft in scene.fields.values() if platform in draft.map_nodes]
    return [draft for draft in drafts if platform not in draft.maps or draft.maps[platform].direction != "out"]


def _shapes(scene: Scene) -> Mapping[str, Mapping[str, str]]:
    """Return the own fields of the platforms that say them (``shape:`` of the collection), with their types."""
    shapes = {}
    for name, part in scene.parts.items():
        shape = part.collection.block.get("shape") if part.collection else None
        if isinstance(shape, Block):
            shapes[name] = {path: entry.value.text for path, entry in shape.entries.items() if isinstance(entry.value, Scalar)}
    return shapes
