"""One finding in the config, and the exact text in which it is shown.

The first line is ``file:line:col: level code: message``, so terminals and editors make it a link; then the line itself
with the columns underlined; then *why* (what would have gone wrong) and *fix* (something to paste).
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MOST = 20  # diagnostics shown; the rest is counted


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding. Lines and columns count from 1, ``end_col`` is the column after the last one underlined.

    ``source`` is the line as it may be shown (secrets are masked). Texts of several lines have line breaks in them.
    """

    code: str
    severity: str  # error warning
    file: str
    line: int
    col: int
    end_col: int
    message: str
    hint: str = ""
    why: str = ""
    fix: str = ""
    notes: tuple[str, ...] = ()
    source: str = ""

    @property
    def doc(self) -> str:
        """Where the code is explained."""
        return f"docs/errors.md#{self.code.lower()}"

    @property
    def head(self) -> str:
        """The first line: place, level, code and message."""
        return f"{self.file}:{self.line}:{self.col}: {self.severity} {self.code}: {self.message}"

    def text(self) -> str:
        """Return the finding as it is printed, without a line break at the end."""
        lines = [self.head, *self._picture()]
        for label, body in (("why ", self.why), ("fix ", self.fix), *(("note", note) for note in self.notes)):
            if body:
                first, *more = body.split("\n")
                lines.append(f"  {label} {first}")
                lines.extend(f"       {line}" for line in more)
        return "\n".join(lines)

    def _picture(self) -> list[str]:
        if not self.source.strip():
            return []
        line = "".join(c if c.isprintable() else " " for c in self.source)
        lead = " " * _width(line[: self.col - 1])
        mark = "^" * max(1, _width(line[self.col - 1 : self.end_col - 1]))
        number = f"{self.line:>4}"
        return [f"{number} | {line}".rstrip(), f"{' ' * len(number)} | {lead}{mark} {self.hint}".rstrip()]


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def shown(found: Sequence[Diagnostic]) -> tuple[list[Diagnostic], int]:
    """Return the findings to print, in the order given, and how many are left out.

    Left out first are warnings, then what is only of a later version (E190): mistakes must not hide behind those.
    """
    if len(found) <= MOST:
        return list(found), 0
    ranked = sorted(range(len(found)), key=lambda n: (found[n].severity != "error", found[n].code == "E190", n))[:MOST]
    return [found[n] for n in sorted(ranked)], len(found) - MOST


def render(found: Sequence[Diagnostic]) -> str:
    """Return all findings as text, a blank line between them, at most 20, with a count of the rest."""
    kept, left = shown(found)
    blocks = [one.text() for one in kept]
    if left:
        blocks.append(f"{left} more not shown")
    return "\n\n".join(blocks)


def in_file_order(found: Iterable[Diagnostic], files: Sequence[str]) -> list[Diagnostic]:
    """Return the findings sorted by file (in the order given), line and column, exact repeats once."""
    rank = {file: n for n, file in enumerate(files)}
    unique = dict.fromkeys(found)
    return sorted(unique, key=lambda one: (rank.get(one.file, len(rank)), one.line, one.col, one.code))
