"""One file of the config folder, and the findings about it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from syncd.config.diagnostics import Diagnostic
from syncd.config.nodes import Block, Entry, Node, Span
from syncd.core.rules import At

_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")  # what YAML takes for the end of a line

WHY = {"E001": "nothing in this file can be read before that is mended"}
FIX = "change it to what the first line asks for"


@dataclass(slots=True)
class Source:
    """A file: ``file`` is the folder as given plus the path inside, ``path`` the path inside. Collects the findings."""

    file: str
    path: str
    text: str
    root: Block | None = None
    found: list[Diagnostic] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lines = _BREAK.split(self.text)

    def at(self, node: Node) -> At:
        """Return the place of a node, as rules carry it."""
        return At(self.file, node.span.line, node.span.col)

    def line(self, number: int) -> str:
        """Return a line as it may be shown, empty if there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def mask(self, span: Span, shown: str) -> None:
        """Show something else, of the same length, at a place: a secret must not be printed."""
        line = self.lines[span.line - 1]
        self.lines[span.line - 1] = line[: span.col - 1] + shown + line[span.end_col - 1 :]

    def error(
        self,
        code: str,
        where: Node | Span,
        message: str,
        *,
        hint: str = "",
        why: str = "",
        fix: str = "",
        notes: Iterable[str] = (),
        severity: str = "error",
    ) -> None:
        """Note a finding at a node or a place."""
        span = where if isinstance(where, Span) else where.span
        if severity == "error":  # whatever else is said, why and how to mend it belong to it
            why, fix = why or WHY.get(code, "what could not be obeyed is not accepted either"), fix or FIX
        self.found.append(
            Diagnostic(
                code=code,
                severity=severity,
                file=self.file,
                line=span.line,
                col=span.col,
                end_col=max(span.end_col, span.col + 1),
                message=message,
                hint=hint,
                why=why,
                fix=fix,
                notes=tuple(notes),
                source=self.line(span.line),
            )
        )

    def warning(self, code: str, where: Node | Span, message: str, *, hint: str = "", why: str = "", fix: str = "") -> None:
        """Note something that does not keep the config from being used."""
        self.error(code, where, message, hint=hint, why=why, fix=fix, severity="warning")

    def later(self, where: Node | Span, what: str, *, fix: str = "") -> None:
        """Note E190: this version does not obey it yet, so it is refused, not ignored."""
        self.error(
            "E190",
            where,
            f"{what} is not in this version",
            why="a version that cannot obey a rule refuses it; it is never accepted and ignored",
            fix=fix or "remove it",
        )

    def promised(self, where: Node | Span, what: str, *, fix: str = "") -> None:
        """Note that everything but ``run`` knows it: a warning here, refused as E190 by what would reach platforms."""
        self.error(
            "E190",
            where,
            f"{what} is not in this version",
            why="check, test, plan and rules know it; run refuses it (exit 78), it is never accepted and ignored",
            fix=fix or "to run it, remove it",
            severity="warning",
        )

    @property
    def failed(self) -> bool:
        """Whether anything found is an error."""
        return any(one.severity == "error" for one in self.found)


def start_of(source: Source) -> Span:
    """Return the place of a whole file: its first key, or its first character."""
    if source.root is not None and source.root.entries:
        first: Entry = next(iter(source.root.entries.values()))
        return first.key.span
    return Span(1, 1, 2)
