"""Which kinds of operands fit together: what is known before an expression runs is checked before it runs."""

from typing import Any, NamedTuple

from syncd.core.functions import Function
from syncd.core.operands import ANY, DATE, LIST, MOMENT, NULL, NUMBER, OBJECT, TEXT, TRUTH
from syncd.core.operations import Run
from syncd.core.parts import Name
from syncd.core.tokens import Problem, refuse

CURES = {NUMBER: "number", TEXT: "text", DATE: "date", MOMENT: "datetime"}
UNLIKE = "nothing is coerced silently: a wrong kind would fail, or be wrong, in every record"
LOOSE = frozenset((ANY, NULL))


class Part(NamedTuple):
    """A compiled part: what it does, the kind of operand it gives, and where it stands. ``name``: it is only that name."""

    run: Run
    kind: str
    start: int
    end: int
    name: Name | None = None
    value: Any = None
    fixed: bool = False


class Kinds:
    """Says what does not fit. What is wrong with a text is gathered in ``problems``."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.problems: list[Problem] = []

    def said(self, part: Part) -> str:
        """Return a part as written, for reasons."""
        text = " ".join(self.text[part.start : part.end].split())
        return text if len(text) <= 60 else f"{text[:56]}..."

    def refuse(self, node: Part | tuple[int, int], message: str, hint: str = "", fix: str = "", why: str = UNLIKE) -> None:
        """Gather an E211."""
        start, end = (node.start, node.end) if isinstance(node, Part) else node
        self.problems.append(refuse(start, end, message, hint, fix, why))

    def unlike(self, part: Part, wanted: str, message: str) -> None:
        """Gather what is wrong with the kind of a part, with the function that cures it."""
        cures = {
            (TEXT, NUMBER),
            (NUMBER, TEXT),
            (TEXT, DATE),
            (TEXT, MOMENT),
            (TRUTH, TEXT),
            (DATE, TEXT),
            (MOMENT, TEXT),
            (MOMENT, DATE),
        }
        said = self.said(part)
        cure = f"write  {CURES[wanted]}({said})" if (part.kind, wanted) in cures else f"use {wanted} here"
        self.refuse(part, message, f"{part.kind}, not {wanted}", cure)

    def check_alike(self, a: Part, b: Part, equality: bool) -> None:
        """Two kinds that are known must be the same, and have an order where one is asked for."""
        if a.kind not in LOOSE and b.kind not in LOOSE and a.kind != b.kind:
            part, wanted = self.culprit(a, b)
            self.unlike(part, wanted, f"compares {a.kind} with {b.kind}")
        elif not equality:
            for part in (a, b):
                if part.kind in (TRUTH, LIST, OBJECT):
                    self.refuse(part, f"{self.said(part)} is {part.kind}, which has no order", fix="compare with == or !=")
                    return

    def culprit(self, a: Part, b: Part) -> tuple[Part, str]:
        """Return which of two unlike parts to cure, and into what."""
        if a.kind is TEXT and b.kind is NUMBER and b.fixed and a.name and not a.name.scope.endswith("raw"):
            return b, a.kind
        if (b.kind, a.kind) in ((TEXT, NUMBER), (TEXT, DATE), (TEXT, MOMENT), (MOMENT, DATE)):
            return b, a.kind
        return a, b.kind

    def check_member(self, a: Part, b: Part) -> None:
        """What is looked for in a list must be of the kind of one of its members."""
        if b.kind in (NUMBER, TRUTH, DATE, MOMENT):
            self.refuse(
                b, f"{self.said(b)} is {b.kind}: nothing is in it", "a list?", f"write  [{self.said(b)}], or compare with =="
            )
        elif b.kind is TEXT and a.kind not in (TEXT, *LOOSE):
            self.unlike(a, TEXT, f"looks for {a.kind} in text")
        elif b.kind is LIST and isinstance(b.value, list) and a.kind not in LOOSE:
            kinds = {part.kind for part in b.value} - {NULL}
            if kinds and ANY not in kinds and a.kind not in kinds:
                self.unlike(a, min(kinds), f"looks for {a.kind} in a list of other kinds")

    def check_arguments(self, function: Function, args: list[Part], place: tuple[int, int]) -> None:
        """Find wrong counts and kinds of arguments."""
        most = len(function.takes)
        if len(args) < function.least or (len(args) > most and not function.many):
            needs = f"{function.least}" if function.least == most else f"{function.least} or {most}"
            needs = "at least one" if function.many else needs
            noun = "value" if needs in ("1", "at least one") else "values"
            self.refuse(place, f"{function.name}() takes {needs} {noun}, not {len(args)}", fix=f"write  {function.signature}")
            return
        for n, part in enumerate(args):
            kinds = function.kinds(n)
            if part.kind not in kinds and part.kind not in LOOSE and ANY not in kinds:
                wanted = " or ".join(sorted(kinds))
                cure = TEXT if TEXT in kinds else NUMBER if NUMBER in kinds else wanted
                self.unlike(part, cure, f"{function.name}() takes {wanted}, and {self.said(part)} is {part.kind}")
