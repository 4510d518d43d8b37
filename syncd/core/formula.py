"""From the tree of an expression to closures, checked on the way: which kinds each operator and function takes and gives.

A closure is called with ``look`` (the value of a name) and the state of the evaluation ([now in microseconds, steps left]).
"""

import ast
import operator
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from syncd.core import operations as done
from syncd.core.functions import Function
from syncd.core.functiontable import FUNCTIONS
from syncd.core.kinds import LOOSE, Kinds, Part
from syncd.core.native import Invalid, number_of
from syncd.core.operands import (
    ANY,
    LIST,
    NULL,
    NUMBER,
    TEXT,
    TRUTH,
    add,
    divide,
    divide_whole,
    kind_of,
    multiply,
    remainder,
    spend,
    subtract,
)
from syncd.core.pattern import NotAPattern, parse_pattern
from syncd.core.scope import Meaning
from syncd.core.tokens import LITERALS, Token

WORK: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: add,
    ast.Sub: subtract,
    ast.Mult: multiply,
    ast.Div: divide,
    ast.FloorDiv: divide_whole,
    ast.Mod: remainder,
}
ORDER: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
PATTERN = "patterns are checked before they run and take time in step with the text, never more"
PATTERN_FIX = r"known are characters . [a-z] \d \w \s ( ) | ? * + {2,5} ^ $"


class Compiler(Kinds):
    """Compiles one tree. What is wrong is gathered in ``problems``; the closures then mean nothing."""

    def __init__(self, text: str, tokens: list[Token], meanings: dict[int, Meaning]) -> None:
        super().__init__(text)
        self.tokens = {token.start: token for token in tokens}
        self.meanings = meanings
        self.timed = False

    def place(self, node: ast.expr) -> tuple[int, int]:
        """Return where a node stands in the text (the tree is of the mask in one more bracket)."""
        return node.col_offset - 1, (node.end_col_offset or 1) - 1

    def part(self, node: ast.expr) -> Part:
        """Compile a node."""
        maker = MAKERS.get(type(node))
        if maker is None:
            place = self.place(node)
            self.refuse(place, "this is not offered in an expression", fix="write names, comparisons and functions")
            return self.null(place)
        return maker(self, node)

    def null(self, place: tuple[int, int]) -> Part:
        """Return a part for what could not be compiled."""
        return Part(lambda _look, _state: None, ANY, *place)

    def fixed(self, value: Any, place: tuple[int, int]) -> Part:
        """Return a part that always gives the same."""
        return Part(lambda _look, _state: value, kind_of(value), *place, value=value, fixed=True)

    # ---- operands

    def literal(self, node: ast.Constant) -> Part:
        """Compile a text or a number."""
        place = self.place(node)
        token = self.tokens[place[0]]
        if token.sort == "text":
            return self.fixed(token.text, place)
        try:
            if token.text.isdigit():
                number_of(int(token.text))
                return self.fixed(int(token.text), place)
            exponent = token.text.lower().partition("e")[2]
            return self.fixed(number_of(Decimal(token.text if len(exponent) < 5 else "1e999")), place)
        except Invalid as reason:
            self.refuse(place, str(reason), fix="numbers have at most 28 digits, before and after the point together")
            return self.null(place)

    def named(self, node: ast.Name) -> Part:
        """Compile a name, or one of true, false and null."""
        place = self.place(node)
        token = self.tokens[place[0]]
        if token.text in LITERALS:
            return self.fixed(LITERALS[token.text], place)
        meaning = self.meanings.get(token.start)
        if meaning is None:
            return self.null(place)
        run = (
            done.spelt(meaning.name, token.text)
            if meaning.shape and meaning.kind is NUMBER
            else done.load(meaning.name, token.text)
        )
        if not meaning.inside:
            return Part(run, meaning.kind, *place, name=meaning.name, words=meaning.words)
        for step in meaning.inside:
            run = done.index(run, int(step) if step.isdigit() else step, token.text)
        return Part(run, ANY, *place)

    def listed(self, node: ast.List | ast.Tuple) -> Part:
        """Compile a list."""
        place = self.place(node)
        if place[0] < 0:
            self.refuse((0, len(self.text)), "an expression gives one value", fix='a list is  ["a", "b"]')
        parts = [self.part(one) for one in node.elts]
        value = tuple(part.value for part in parts)
        fixed = all(part.fixed for part in parts)
        run = (lambda _look, _state: value) if fixed else done.gather(tuple(part.run for part in parts))
        return Part(run, LIST, *place, value=parts, fixed=False)

    def indexed(self, node: ast.Subscript) -> Part:
        """Compile ``split(x, '-')[0]``; positions in a platform's own fields are part of their names."""
        place, of = self.place(node), self.part(node.value)
        key = self.part(node.slice)
        if not key.fixed or key.kind not in (NUMBER, TEXT) or not isinstance(key.value, int | str):
            self.refuse(key, "a position is a whole number or a name in quotes", fix="write  [0]  or  ['name']")
        elif of.kind not in (ANY, LIST) or (of.kind is LIST and key.kind is TEXT):
            self.refuse(
                place, f"{self.said(of)} is {of.kind}: nothing is in it at {self.said(key)}", fix="leave the brackets out"
            )
        return Part(done.index(of.run, key.value, self.said(of)), ANY, *place)

    # ---- operators

    def truth(self, node: ast.expr) -> tuple[Part, done.Run]:
        """Compile a condition; its closure gives true or false."""
        part = self.part(node)
        if part.kind not in (TRUTH, ANY, NULL):
            cure = {NUMBER: "> 0", TEXT: '== "..."', LIST: ""}.get(part.kind, "!= null")
            said = self.said(part)
            self.refuse(
                part,
                f"{said} is {part.kind}, not true or false",
                "compare it",
                f"write  {said} {cure}" if cure else f"write  length({said}) > 0",
            )
        if part.kind is TRUTH and not part.name:
            return part, part.run
        if part.name:
            return part, done.asked(part.name, self.said(part))
        return part, done.judged(part.run, self.said(part))

    def joined(self, node: ast.BoolOp) -> Part:
        """Compile ``and`` and ``or``; both give true or false."""
        runs = tuple(self.truth(value)[1] for value in node.values)
        return Part(done.every(runs) if isinstance(node.op, ast.And) else done.some(runs), TRUTH, *self.place(node))

    def signed(self, node: ast.UnaryOp) -> Part:
        """Compile ``not`` and signs."""
        place = self.place(node)
        if isinstance(node.op, ast.Not):
            return Part(done.opposite(self.truth(node.operand)[1]), TRUTH, *place)
        part = self.part(node.operand)
        if part.kind not in (NUMBER, *LOOSE):
            self.unlike(part, NUMBER, f"{self.said(part)} is {part.kind}, not a number")
        sign = -1 if isinstance(node.op, ast.USub) else 1
        if part.fixed and part.kind is NUMBER:
            return self.fixed(part.value * sign, place)
        return Part(done.negated(part.run, self.said(part), sign), NUMBER, *place)

    def computed(self, node: ast.BinOp) -> Part:
        """Compile + - * / // %. Texts are joined by +."""
        place, work = self.place(node), WORK.get(type(node.op))
        a, b = self.part(node.left), self.part(node.right)
        if work is None:
            self.refuse(place, "this operator is not offered", fix="there are + - * / // %")
            return self.null(place)
        said = (self.said(a), self.said(b), self.said(Part(a.run, ANY, *place)))
        kinds = {a.kind, b.kind} - LOOSE
        if isinstance(node.op, ast.Add):
            return self.added(a, b, place, said)
        for part in (a, b):
            if part.kind not in (NUMBER, *LOOSE):
                self.unlike(part, NUMBER, f"{self.said(part)} is {part.kind}, not a number")
        return Part(done.compute(work, a.run, b.run, said), NUMBER if kinds <= {NUMBER} else ANY, *place)

    def added(self, a: Part, b: Part, place: tuple[int, int], said: tuple[str, str, str]) -> Part:
        """Compile a + b, of two numbers or two texts."""
        for part in (a, b):
            if part.kind not in (NUMBER, TEXT, *LOOSE):
                wanted = TEXT if TEXT in (a.kind, b.kind) else NUMBER
                self.unlike(part, wanted, f"{self.said(part)} is {part.kind}, which + cannot add")
        if {a.kind, b.kind} == {TEXT, NUMBER}:
            number = a if a.kind is NUMBER else b
            self.unlike(number, TEXT, f"adds {a.kind} and {b.kind}")
        kind = next((one for one in (TEXT, NUMBER) if one in (a.kind, b.kind)), ANY)
        return Part(done.plus(a.run, b.run, said), kind, *place)

    def compared(self, node: ast.Compare) -> Part:
        """Compile a comparison, or a chain of them."""
        place = self.place(node)
        parts = [self.part(node.left), *(self.part(one) for one in node.comparators)]
        runs = [self.pair(op, parts[n], parts[n + 1]) for n, op in enumerate(node.ops)]
        return Part(runs[0] if len(runs) == 1 else done.every(tuple(runs)), TRUTH, *place)

    def pair(self, op: ast.cmpop, a: Part, b: Part) -> done.Run:
        """Compile one comparison of two parts."""
        said = (self.said(a), self.said(b))
        if isinstance(op, ast.Is | ast.IsNot):
            sign = "==" if isinstance(op, ast.Is) else "!="
            self.refuse(
                (a.start, b.end),
                f'"{"is" if sign == "==" else "is not"}" is not offered',
                f"{sign}?",
                f"write  {said[0]} {sign} {said[1]}",
                why="one sign for one meaning: null is compared with == and != too",
            )
            return a.run
        if isinstance(op, ast.In | ast.NotIn):
            self.check_member(a, b)
            listed = b.value if isinstance(b.value, list) and all(part.fixed for part in b.value) else None
            run = done.within(a.run, b.run, said)
            if listed:
                run = done.among(a.run, b.run, tuple(part.value for part in listed), said)
            return done.opposite(run) if isinstance(op, ast.NotIn) else run
        self.check_alike(a, b, isinstance(op, ast.Eq | ast.NotEq))
        if isinstance(op, ast.Eq | ast.NotEq):
            run = done.same(a.run, b.run, said)
            return done.opposite(run) if isinstance(op, ast.NotEq) else run
        test = ORDER[type(op)]
        if a.name and a.kind is NUMBER and not a.name.scope.endswith("raw") and b.fixed and b.kind is NUMBER:
            return done.over(a.name, a.run, b.run, b.value, test, said)
        return done.ranked(a.run, b.run, test, said)

    def chosen(self, node: ast.IfExp) -> Part:
        """Compile ``a if b else c``."""
        _, test = self.truth(node.test)
        a, b = self.part(node.body), self.part(node.orelse)
        kind = a.kind if a.kind == b.kind or b.kind is NULL else b.kind if a.kind is NULL else ANY
        return Part(done.choose(test, a.run, b.run), kind, *self.place(node))

    # ---- functions

    def called(self, node: ast.Call) -> Part:
        """Compile a call of a function."""
        place = self.place(node)
        token = self.tokens.get(self.place(node.func)[0]) if isinstance(node.func, ast.Name) else None
        if token is None or node.keywords or any(isinstance(one, ast.Starred) for one in node.args):
            self.refuse(place, "only functions of the table can be called, with plain values", fix="write  name(value, value)")
            return self.null(place)
        function = FUNCTIONS.get(token.text)
        args = [self.part(one) for one in node.args]
        if function is None:
            return self.null(place)
        self.timed = self.timed or function.timed
        self.check_arguments(function, args, place)
        if function.name == "is_absent":
            return self.absent(args, place)
        if function.name == "matches" and len(args) == 2:
            function = self.patterned(function, args[1])
        kind = function.gives
        if function.name in ("min", "max", "coalesce"):
            kinds = {part.kind for part in args} - {NULL}
            kind = kinds.pop() if len(kinds) == 1 and (function.name == "coalesce" or len(args) > 1) else ANY
        said = tuple(self.said(part) for part in args)
        return Part(done.call(function, tuple(part.run for part in args), said), kind, *place)

    def patterned(self, function: Function, part: Part) -> Function:
        """Return ``matches`` with its pattern compiled in."""
        if not isinstance(part.value, str) or not part.fixed:
            self.refuse(part, "the pattern is not a text in quotes", "write it out", "write  matches(x, '^[A-Z]+$')", PATTERN)
            return function
        try:
            pattern = parse_pattern(part.value)
        except NotAPattern as reason:
            self.refuse(part, f"this pattern is not known: {reason}", fix=PATTERN_FIX, why=PATTERN)
            return function
        return replace(function, work=lambda state, text, _: pattern.found(text, partial(spend, state)))

    def absent(self, args: list[Part], place: tuple[int, int]) -> Part:
        """Compile ``is_absent(name)``, which asks for a name and not for its value."""
        if len(args) == 1 and args[0].name:
            return Part(done.missing(args[0].name), TRUTH, *place)
        if len(args) == 1 and not args[0].fixed:
            self.refuse(args[0], "is_absent() asks for a name", fix="write  is_null(...)")
        return self.fixed(False, place)


MAKERS: dict[type[ast.expr], Callable[[Compiler, Any], Part]] = {
    ast.Constant: Compiler.literal,
    ast.Name: Compiler.named,
    ast.List: Compiler.listed,
    ast.Tuple: Compiler.listed,
    ast.Subscript: Compiler.indexed,
    ast.BoolOp: Compiler.joined,
    ast.UnaryOp: Compiler.signed,
    ast.BinOp: Compiler.computed,
    ast.Compare: Compiler.compared,
    ast.IfExp: Compiler.chosen,
    ast.Call: Compiler.called,
}
