"""A page: what a person sees of a machine-format dict, whether on a terminal, in Markdown or in HTML."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from syncd.reports import figures


class Tone(StrEnum):
    """How a cell is meant. Colour only repeats what the words already say."""

    PLAIN = ""
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    DIM = "dim"
    HEAD = "head"


class Cell(NamedTuple):
    """One cell with a tone; a plain string does where there is none."""

    text: str
    tone: Tone = Tone.PLAIN


class Column(NamedTuple):
    """One column. ``right``: figures. ``least``: a value may be shortened down to this width; 0 never. ``short``: title
    where space is scarce.
    """

    title: str
    right: bool = False
    least: int = 0
    short: str = ""


class Section(NamedTuple):
    """A table with a title. ``most`` is how many rows a terminal shows; ``more`` says how to see the rest."""

    columns: tuple[Column, ...]
    rows: Sequence[tuple[Cell | str, ...]]
    title: str = ""
    empty: str = ""
    most: int | None = None
    more: str = ""
    headless: bool = False


class Page(NamedTuple):
    """A whole answer: a head line, tables or paragraphs, closing lines."""

    head: str
    parts: Sequence["Section | str"] = ()
    foot: str = ""
    title: str = "syncd"


class Look(NamedTuple):
    """Where the page is shown.

    ``width`` None: nothing is shortened (a pipe). ``local``: times in the local zone. ``relative``: how long ago.
    """

    width: int | None = None
    colour: bool = False
    local: bool = False
    relative: bool = False
    ellipsis: str = "…"
    all_rows: bool = False

    def when(self, stamp: str | None, now: str | None) -> str:
        """Return a time: how long ago on a terminal, else the time itself."""
        return figures.age(stamp, now) if self.relative else figures.moment(stamp, local=self.local)


def beyond_title(page: Page) -> str:
    """Return what the head line says beyond the title, for formats that show the title above it."""
    return page.head.removeprefix(page.title).strip()


def text_of(cell: Cell | str) -> str:
    """Return the words of a cell."""
    return cell if isinstance(cell, str) else cell.text


def tone_of(cell: Cell | str) -> Tone:
    """Return the tone of a cell."""
    return Tone.PLAIN if isinstance(cell, str) else cell.tone
