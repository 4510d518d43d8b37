"""Conditions of cases: those that always or never hold, and those that an earlier case has decided already.

Only what can be told from the text alone: equal conditions, parts of ``and`` and ``or``, and a condition beside its opposite.
"""

import ast
from collections.abc import Sequence
from typing import Any

from syncd.core.expression import Failed, is_true
from syncd.core.parts import Expression, Name
from syncd.core.tokens import Token, read_words

OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


def constant(expression: Expression) -> bool | None:
    """Return what a condition that names nothing always says; None if it depends on something."""
    tree = _tree(expression)
    if tree is not None and _never(tree):
        return False
    if expression.names or expression.timed:
        return None
    try:
        return is_true(expression(_nothing, 0))
    except Failed:
        return None  # it holds the field, which is told when it happens


def implies(one: Expression, other: Expression) -> bool:
    """Return whether a condition is surely true wherever the first one is."""
    first, second = _tree(one), _tree(other)
    return first is not None and second is not None and _implies(first, second)


def covered(conditions: Sequence[Expression]) -> int | None:
    """Return which of these conditions is the opposite of one before it, so that one of the two is always true."""
    trees = [_tree(one) for one in conditions]
    for n, tree in enumerate(trees):
        if tree is not None and any(before is not None and _opposite(before, tree) for before in trees[:n]):
            return n
    return None


def _nothing(name: Name) -> Any:
    raise AssertionError(f"{name} was not to be asked for")


def _tree(expression: Expression) -> ast.expr | None:
    """Return a condition's form, however it is spelt; None if nothing is to be said of it here."""
    words = [_word(token) for token in read_words(expression.text).tokens]
    try:
        return ast.parse(" ".join(words), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _word(token: Token) -> str:
    """Return a word as Python's parser takes it: a name is the hexadecimal form of its path, the same everywhere."""
    if token.sort == "name":
        return "n" + "\0".join(token.path).encode().hex()
    return repr(token.text) if token.sort == "text" else token.text


def _same(one: ast.expr, other: ast.expr) -> bool:
    return ast.dump(one) == ast.dump(other)


def _implies(one: ast.expr, other: ast.expr) -> bool:
    if _same(one, other):
        return True
    if isinstance(other, ast.BoolOp) and isinstance(other.op, ast.And):
        return all(_implies(one, part) for part in other.values)
    if isinstance(one, ast.BoolOp) and isinstance(one.op, ast.Or):
        return all(_implies(part, other) for part in one.values)
    if isinstance(one, ast.BoolOp) and any(_implies(part, other) for part in one.values):
        return True
    return isinstance(other, ast.BoolOp) and any(_implies(one, part) for part in other.values)


def _opposite(one: ast.expr, other: ast.expr) -> bool:
    """Return whether exactly one of the two is true, whatever there is."""
    if isinstance(one, ast.UnaryOp) and isinstance(one.op, ast.Not) and _same(one.operand, other):
        return True
    if isinstance(other, ast.UnaryOp) and isinstance(other.op, ast.Not) and _same(other.operand, one):
        return True
    if not (isinstance(one, ast.Compare) and isinstance(other, ast.Compare)) or len(one.ops) != 1 or len(other.ops) != 1:
        return False
    turned = OPPOSITES.get(type(one.ops[0])) is type(other.ops[0])
    return turned and _same(one.left, other.left) and _same(one.comparators[0], other.comparators[0])


def _never(tree: ast.expr) -> bool:
    """Return whether a condition contradicts itself: ``a and not a``."""
    if not (isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And)):
        return False
    return any(_opposite(one, other) for n, one in enumerate(tree.values) for other in tree.values[:n])
