"""Mutations of a module's source: each is one small fault of the kind that people make."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
CALLED = {"sorted": "list", "min": "max", "max": "min", "any": "all", "all": "any"}
WORDS = {  # a word of the rules for another
    "keep": "next",
    "next": "hold",
    "hold": "keep",
    "clear": "keep",
    "use": "const",
    "const": "use",
    "revert": "keep",
    "review": "revert",
    "both": "in",
    "in": "both",
    "out": "in",
    "restore": "ignore",
    "owner": "priority",
    "priority": "newest",
    "newest": "priority",
    "union": "intersection",
    "always": "until",
    "create": "review",
    "delete": "archive",
    "archive": "delete",
    "any": "all",
    "find": "sweep",
    "sweep": "find",
    "look": "",
}
SKIPPED = ("annotation", "returns", "decorator_list", "bases", "why")  # what has no effect, or only on what people read


@dataclass(frozen=True, slots=True)
class Mutation:
    """One fault: ``place`` is the number of the node in the module, ``variant`` which of its faults."""

    module: str
    place: int
    variant: int
    line: int
    within: str
    text: str

    def __str__(self) -> str:
        return f"{self.module}.py:{self.line} {self.within}: {self.text}"

    @property
    def name(self) -> str:
        """The mutation without its line, which moves."""
        return f"{self.module} {self.within}: {self.text}"


def source_of(module: str) -> str:
    """Return the source of a module of the core."""
    return (ROOT / "syncd" / "core" / f"{module}.py").read_text()


def nodes(tree: ast.AST, within: str = "") -> Iterator[tuple[ast.AST, str]]:
    """Yield every node that may be mutated, with the function that it is in."""
    for name, value in ast.iter_fields(tree):
        if name in SKIPPED or (isinstance(tree, ast.keyword) and tree.arg in SKIPPED):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Raise):
                continue
            named = isinstance(child, ast.FunctionDef | ast.ClassDef)
            inner = f"{within}.{child.name}".lstrip(".") if isinstance(child, ast.FunctionDef | ast.ClassDef) else within
            yield child, inner
            if not (named and is_only_said(child)):
                yield from nodes(child, inner)


def is_only_said(node: ast.AST) -> bool:
    """Whether a function only makes words for people."""
    return isinstance(node, ast.FunctionDef) and node.name in ("_seconds", "jump", "said_of")


def mutations(module: str) -> list[Mutation]:
    """Return every mutation of a module."""
    found = []
    for place, (node, within) in enumerate(nodes(ast.parse(source_of(module)))):
        for variant, other in enumerate(faults(node)):
            text = f"{short(node)} -> {short(other)}"
            found.append(Mutation(module, place, variant, getattr(node, "lineno", 0), within, text))
    return found


def short(node: ast.AST) -> str:
    """Return a node as one line."""
    if isinstance(node, ast.If):
        return f"if {ast.unparse(node.test)}"
    lines = ast.unparse(node).splitlines()
    return lines[0][:90] + ("..." if len(lines) > 1 or len(lines[0]) > 90 else "")


def mutated(mutation: Mutation) -> ast.Module:
    """Return the module with the fault in it."""
    tree = ast.parse(source_of(mutation.module))
    node = list(nodes(tree))[mutation.place][0]
    other = list(faults(node))[mutation.variant]
    Replaced(node, other).visit(tree)
    return ast.fix_missing_locations(tree)


class Replaced(ast.NodeTransformer):
    """Puts one node in another's place."""

    def __init__(self, node: ast.AST, other: ast.AST) -> None:
        self.node, self.other = node, other

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self.node:
            return ast.copy_location(self.other, node)
        return self.generic_visit(node)


# ---- faults


def faults(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand wrongly in the place of a node."""
    match node:
        case ast.Compare(left, [op], [right]) if type(op) in COMPARED:
            yield ast.Compare(left, [COMPARED[type(op)]()], [right])
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            yield from (without(op, values, place) for place in range(len(values)))
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.BinOp(left, op, right) if type(op) in COUNTED:
            yield ast.BinOp(left, COUNTED[type(op)](), right)
        case ast.IfExp(_, body, orelse):
            yield body
            yield orelse
        case ast.Call(ast.Name(name), [first, *_]) if name in CALLED:
            keywords = [] if name == "sorted" else node.keywords
            yield ast.Call(ast.Name(CALLED[name], ast.Load()), [first] if name == "sorted" else node.args, keywords)
        case ast.Constant(value):
            yield from constants(value)
        case _:
            yield from statements(node)


def without(op: ast.boolop, values: list[ast.expr], place: int) -> ast.expr:
    """Return a condition that lacks one of its parts."""
    rest = values[:place] + values[place + 1 :]
    return rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)


def constants(value: object) -> Iterator[ast.AST]:
    """Yield other constants: the other truth, one more, another word."""
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
    elif isinstance(value, str) and value in WORDS:
        yield ast.Constant(WORDS[value])


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is left of a statement: nothing, or one side of a choice."""
    match node:
        case ast.If(_, body, orelse):
            yield ast.If(ast.Constant(value=False), body, orelse)
        case ast.Expr(ast.Call()) | ast.AugAssign() | ast.Continue():
            yield ast.Pass()
        case ast.Assign([ast.Attribute() | ast.Subscript()], _):
            yield ast.Pass()
