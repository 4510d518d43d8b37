"""Which kinds of operands fit together: what is known before an expression runs is checked before it runs."""

from typing import Any, NamedTuple

from syncd.core.functions import Function
from syncd.core.likeness import did_you_mean
from syncd.core.operands import ANY, DATE, LIST, MOMENT, NULL, NUMBER, OBJECT, TEXT, TRUTH
from syncd.core.operations import Run
from syncd.core.parts import Name
from syncd.core.tokens import Problem, refuse

CURES = {NUMBER: "number", TEXT: "text", DATE: "date", MOMENT: "datetime"}
NEVER = "a word that the field does not know is compared in vain: the condition would never change"
UNLIKE = "nothing is coerced silently: a wrong kind would fail, or be wrong, in every record"
LOOSE = frozenset((ANY, NULL))


class Part(NamedTuple):
    """A compiled part: what it does, the kind of operand it gives, and where it stands. ``name``: it is only that name;
    ``words``: those of an enum, which are all that it can be.
    """

    run: Run
    kind: str
    start: int
    end: int
    name: Name | None = None
    value: Any = None
    fixed: bool = False
    words: tuple[str, ...] = ()


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
        elif equality:
            self.check_words(a, b)
            self.check_words(b, a)
        else:
            for part in (a, b):
                if part.kind in (TRUTH, LIST, OBJECT):
                    self.refuse(part, f"{self.said(part)} is {part.kind}, which has no order", fix="compare with == or !=")
                    return

    def check_words(self, field: Part, other: Part) -> None:
        """What is compared with an enum must be one of its words: anything else would never be true."""
        texts = [part for part in (other.value if isinstance(other.value, list) else [other]) if part.fixed]
        for part in texts:
            if field.words and isinstance(part.value, str) and part.value not in field.words:
                known = ", ".join(field.words)
                hint = did_you_mean(part.value, field.words)
                self.refuse(part, f"{self.said(field)} is never {self.said(part)}", hint, f"use one of: {known}", NEVER)

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
            self.check_words(a, b)
            for part in b.value:
                self.check_words(part, a)
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
