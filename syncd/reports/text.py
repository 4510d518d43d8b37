"""A page as plain text: aligned columns, shortened in the middle only where a terminal's width asks for it."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from syncd.reports.page import Cell, Column, Look, Page, Section, Tone, text_of, tone_of

INDENT = 2
GAPS = (3, 2)
CODES = {Tone.GOOD: "32", Tone.WARN: "33", Tone.BAD: "31", Tone.DIM: "2", Tone.HEAD: "1"}


def render(page: Page, look: Look) -> str:
    """Return the page as text that ends with a line break."""
    blocks = [paint(fold(page.head, look.width), Tone.HEAD, look)] if page.head else []
    blocks += [part if isinstance(part, str) else _section(part, look) for part in page.parts]
    blocks.append(fold(page.foot, look.width))
    return "\n\n".join(block for block in blocks if block) + "\n"


def fold(text: str, room: int | None) -> str:
    """Return lines that fit the room, broken where two blanks or more stand."""
    if room is None:
        return text
    return "\n".join(folded for line in text.split("\n") for folded in _folded(line, room))


def _folded(line: str, room: int) -> Iterator[str]:
    indent = line[: len(line) - len(line.lstrip())]
    part = ""
    for word in re.split(r"(?<=\S)(?=  )", line):
        if part and width_of(part + word) > room:
            yield part
            part = indent + word.lstrip()
        else:
            part += word
    yield part


def paint(text: str, tone: Tone, look: Look) -> str:
    """Return the text in its colour, if the look has colours."""
    return f"\x1b[{CODES[tone]}m{text}\x1b[0m" if look.colour and tone in CODES and text.strip() else text


def width_of(text: str) -> int:
    """Return how many terminal cells a text takes."""
    if text.isascii():
        return len(text)
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def shorten(text: str, room: int, ellipsis: str = "…") -> str:
    """Return the text with its middle left out so that it takes at most ``room`` cells."""
    if width_of(text) <= room:
        return text
    keep = max(room - width_of(ellipsis), 2)
    head, tail = keep - keep // 2, keep // 2
    return _fitting(text, head) + ellipsis + _fitting(text[::-1], tail)[::-1]


def _fitting(text: str, room: int) -> str:
    used = 0
    for at, char in enumerate(text):
        used += _cells(char)
        if used > room:
            return text[:at]
    return text


def _section(section: Section, look: Look) -> str:
    title = [paint(section.title, Tone.HEAD, look)] if section.title else []
    if not section.rows:
        return "\n".join([*title, section.empty] if section.empty else title)
    shown, hidden = _cut(section, look)
    lines = [*title, *_table(section, shown, look)]
    if hidden:
        lines.append(f"{' ' * INDENT}... {hidden:,} more{': ' + section.more if section.more else ''}")
    return "\n".join(lines)


def _cut(section: Section, look: Look) -> tuple[Sequence[tuple[Cell | str, ...]], int]:
    if look.width is None or look.all_rows or section.most is None or len(section.rows) <= section.most:
        return section.rows, 0
    return section.rows[: section.most], len(section.rows) - section.most


def _table(section: Section, rows: Sequence[tuple[Cell | str, ...]], look: Look) -> list[str]:
    columns = section.columns
    titles = [column.title for column in columns]
    wants = [max([width_of(text_of(row[at])) for row in rows], default=0) for at in range(len(columns))]
    titles, widths, gap = _fit(section, titles, wants, look.width)
    lines = [] if section.headless else [_line([Cell(t, Tone.DIM) for t in titles], columns, widths, gap, look)]
    return lines + [_line(row, columns, widths, gap, look) for row in rows]


def _fit(section: Section, titles: list[str], wants: list[int], room: int | None) -> tuple[list[str], list[int], int]:
    """Return titles, widths and gap that fit the room: smaller gaps first, then short titles, then shorter values."""
    short = [column.short or column.title for column in section.columns]
    tries = [(titles, GAPS[0]), (titles, GAPS[1]), (short, GAPS[1])]
    for heads, gap in tries:
        widths = wants if section.headless else [max(w, width_of(h)) for w, h in zip(wants, heads, strict=True)]
        if room is None or _total(widths, gap) <= room:
            return heads, list(widths), gap
    assert room is not None
    return short, _squeeze(section.columns, list(widths), room, gap), gap


def _total(widths: Sequence[int], gap: int) -> int:
    return INDENT + sum(widths) + gap * (len(widths) - 1)


def _squeeze(columns: tuple[Column, ...], widths: list[int], room: int, gap: int) -> list[int]:
    while _total(widths, gap) > room:
        loose = [at for at, column in enumerate(columns) if column.least and widths[at] > column.least]
        if not loose:
            return widths
        widest = max(loose, key=lambda at: widths[at])
        widths[widest] -= 1
    return widths


def _line(row: Sequence[Cell | str], columns: tuple[Column, ...], widths: list[int], gap: int, look: Look) -> str:
    cells = [_cell(cell, column, wide, look) for cell, column, wide in zip(row, columns, widths, strict=True)]
    return (" " * INDENT + (" " * gap).join(cells)).rstrip()


def _cell(cell: Cell | str, column: Column, wide: int, look: Look) -> str:
    text = text_of(cell)
    if look.width is not None and column.least:
        text = shorten(text, wide, look.ellipsis)
    pad = " " * max(wide - width_of(text), 0)
    painted = paint(text, tone_of(cell), look)
    return pad + painted if column.right else painted + pad
