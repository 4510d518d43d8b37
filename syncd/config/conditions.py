"""Conditions of cases: those that always or never hold, and those that an earlier case has decided already.

Only what can be told from the text alone: equal conditions, parts of ``and`` and ``or``, a condition beside its opposite, and
comparisons of one thing with numbers and texts.
"""

import ast
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
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
    return _form(expression.text)


@lru_cache(maxsize=500)  # each case is compared with all those before it
def _form(text: str) -> ast.expr | None:
    words = [_word(token) for token in read_words(text).tokens]
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
    if _same(one, other) or _narrower(one, other):
        return True
    if isinstance(other, ast.BoolOp) and isinstance(other.op, ast.And):
        return all(_implies(one, part) for part in other.values)
    if isinstance(one, ast.BoolOp) and isinstance(one.op, ast.Or):
        return all(_implies(part, other) for part in one.values)
    if isinstance(one, ast.BoolOp) and any(_implies(part, other) for part in one.values):
        return True
    return isinstance(other, ast.BoolOp) and any(_implies(one, part) for part in other.values)


def _narrower(one: ast.expr, other: ast.expr) -> bool:
    """Return whether a comparison with what is written out is true only where another of the same thing is."""
    first, second = _comparison(one), _comparison(other)
    if first is None or second is None or not _same(first.left, second.left):
        return False
    if first.op in (ast.Eq, ast.In):
        return all(second.holds(value) for value in first.values)
    if first.op not in FURTHER or len(first.values) != 1 or not _is_number(first.values[0]):
        return False
    if second.op is ast.NotEq and second.values == (None,):  # null is in no order
        return True
    if second.op not in FURTHER[first.op] or not _is_number(second.values[0]):
        return False
    way = first.values[0] - second.values[0] if first.op in (ast.Gt, ast.GtE) else second.values[0] - first.values[0]
    return bool(way > 0 or (way == 0 and (first.op is second.op or second.op in (ast.GtE, ast.LtE))))


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One thing compared with values that are written out; of ``in``, several."""

    left: ast.expr
    op: type[ast.cmpop]
    values: tuple[Any, ...]

    def holds(self, value: Any) -> bool:
        """Return whether the comparison is surely true of a value."""
        if self.op in (ast.Eq, ast.In):
            return any(type(one) is type(value) and one == value for one in self.values)
        if self.op in (ast.NotEq, ast.NotIn):
            return all(type(one) is type(value) and one != value for one in self.values) or (
                value is not None and self.values == (None,)
            )
        test = FURTHER_HOLDS.get(self.op)
        return test is not None and _is_number(value) and _is_number(self.values[0]) and test(value, self.values[0])


FURTHER: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.Gt, ast.GtE),
    ast.GtE: (ast.Gt, ast.GtE),
    ast.Lt: (ast.Lt, ast.LtE),
    ast.LtE: (ast.Lt, ast.LtE),
}
FURTHER_HOLDS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}
NULL = "n" + b"null".hex()
SWAPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.Lt: ast.Gt, ast.LtE: ast.GtE}


def _comparison(tree: ast.expr) -> _Comparison | None:
    """Return a comparison of one thing with what is written out, either way round."""
    if not isinstance(tree, ast.Compare) or len(tree.ops) != 1:
        return None
    op, right = type(tree.ops[0]), tree.comparators[0]
    if op in (ast.In, ast.NotIn):
        values = [_written(one) for one in right.elts] if isinstance(right, ast.List) else [()]
    elif _written(tree.left) and not _written(right):
        return _Comparison(right, SWAPPED.get(op, op), _written(tree.left))
    else:
        values = [_written(right)]
    if not all(values):
        return None
    return _Comparison(tree.left, op, tuple(one for found in values for one in found))


def _written(tree: ast.expr) -> tuple[Any, ...]:
    """Return the number, text or null that is written out, in a tuple; () if it is none."""
    if isinstance(tree, ast.Name) and tree.id == NULL:
        return (None,)
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        inner = _written(tree.operand)
        return (-inner[0],) if inner and _is_number(inner[0]) else ()
    return (tree.value,) if isinstance(tree, ast.Constant) else ()


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


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
