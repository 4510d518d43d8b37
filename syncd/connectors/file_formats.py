"""What a file holds: bytes to rows and back, in CSV, JSON lines and JSON.

A row that cannot be taken is a ``Flaw`` with its place, and the others flow. A file with any flaw is no evidence of what is
not in it.
"""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pydantic import Field, field_validator

from syncd.connectors.body import BadBody, decode, encode, excerpt, parse, pick
from syncd.connectors.options import CollectionOptions, Options
from syncd.core.model import Item, Native
from syncd.errors import PermanentError

LARGEST_CELL = 16 * 1024 * 1024  # characters
csv.field_size_limit(LARGEST_CELL)


class Target(Options):
    """Where syncd writes: a file in the folder, always whole, first under a temporary name."""

    file: str


class FileCollection(CollectionOptions):
    """The files of one collection. ``full``: each file is the whole list, the newest counts; else files hold only changes."""

    files: str
    format: Literal["csv", "jsonl", "json"]
    id: str
    delimiter: str = Field(",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    changed_at: str | None = None
    full: bool = False
    write: Target | None = None

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            "".encode(name)
            return codecs.lookup(name).name
        except LookupError as error:
            raise ValueError(f'no encoding called "{name}": utf-8, latin-1, cp1252') from error


@dataclass(frozen=True, slots=True)
class Row:
    """One thing of a file and its place there."""

    place: str
    id: str
    item: Item


@dataclass(frozen=True, slots=True)
class Flaw:
    """What could not be taken: a row, or with ``id`` None perhaps the whole file."""

    place: str
    reason: str
    id: str | None = None
    raw: str = ""


def rows_of(name: str, content: bytes, options: FileCollection) -> Iterator[Row | Flaw]:
    """Yield the rows of a file in their order; an id that stands there twice is a flaw wherever it stands."""
    counts = Counter(row.id for row in _told(name, content, options) if isinstance(row, Row))
    for row in _told(name, content, options):
        if isinstance(row, Row) and counts[row.id] > 1:
            yield Flaw(row.place, f"{options.id} {row.id} stands there {counts[row.id]} times", row.id, excerpt(row.item))
        else:
            yield row


def _told(name: str, content: bytes, options: FileCollection) -> Iterator[Row | Flaw]:
    try:
        text = text_in(content, options)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        yield Flaw(f"{name}:{line}", f"not {options.encoding}: byte {error.start}", raw=ascii(error.object[error.start :][:20]))
        return
    if not (text if options.format == "jsonl" else text.strip()):  # an empty list of lines is one empty line
        yield Flaw(f"{name}:1", "the file is empty")
        return
    reader = {"csv": _csv, "jsonl": _jsonl, "json": _json}[options.format]
    yield from reader(name, text, options)


def _csv(name: str, text: str, options: FileCollection) -> Iterator[Row | Flaw]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=options.delimiter, strict=True)
    begun = 1
    header: list[str] = []
    try:
        for cells in lines:
            place, begun = f"{name}:{begun}", lines.line_num + 1
            if not header:
                header = cells
                if flaw := _flaw_of_header(place, header, options):
                    yield flaw
                    return
            elif cells:
                yield _row_of_cells(place, header, cells, options)
    except csv.Error as error:
        yield Flaw(f"{name}:{begun}", f"not CSV from here on: {error}")


def _flaw_of_header(place: str, header: list[str], options: FileCollection) -> Flaw | None:
    named = [column for column in header if column]
    twice = [column for column in named if named.count(column) > 1]
    if twice:
        return Flaw(place, f'column "{twice[0]}" stands in the header twice')
    if options.id not in named:
        shown = options.delimiter.join(header)[:200]
        return Flaw(place, f'no column "{options.id}" in the header: {shown} (is the delimiter "{options.delimiter}"?)')
    return None


def _row_of_cells(place: str, header: list[str], cells: list[str], options: FileCollection) -> Row | Flaw:
    if len(cells) != len(header):
        return Flaw(place, f"{len(cells)} cells under {len(header)} columns", raw=excerpt(cells))
    if any(cell and not column for column, cell in zip(header, cells, strict=True)):
        return Flaw(place, "a value under a column without a name", raw=excerpt(cells))
    return _row(place, {column: cell for column, cell in zip(header, cells, strict=True) if column}, options)


def _jsonl(name: str, text: str, options: FileCollection) -> Iterator[Row | Flaw]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield _row(f"{name}:{number}", decode(line.encode()), options)
            except (BadBody, UnicodeEncodeError) as error:
                yield Flaw(f"{name}:{number}", str(error), raw=ascii(line[:500]))


def _json(name: str, text: str, options: FileCollection) -> Iterator[Row | Flaw]:
    try:
        parsed = parse(text.encode())
    except (BadBody, UnicodeEncodeError) as error:
        yield Flaw(f"{name}:1", str(error))
        return
    if not isinstance(parsed.value, list):
        yield Flaw(f"{name}:1", "not a list of objects")
        return
    for number, element in enumerate(parsed.value, start=1):
        place = f"{name}:1 element {number}"
        reason = parsed.flaw(element)
        yield Flaw(place, reason, raw=excerpt(element)) if reason else _row(place, element, options)


def _row(place: str, item: Native, options: FileCollection) -> Row | Flaw:
    if not isinstance(item, dict):
        return Flaw(place, "not an object", raw=excerpt(item))
    named = pick(item, options.id) if options.format != "csv" else item[options.id]
    if isinstance(named, bool) or not isinstance(named, str | int) or not str(named).strip():
        return Flaw(place, f"no {options.id}", raw=excerpt(item))
    return Row(place, str(named), item)


# ---- back to bytes


def text_in(content: bytes, options: FileCollection) -> str:
    """Return the text of a file, without a byte order mark; raises UnicodeDecodeError."""
    return content.decode("utf-8-sig" if options.encoding == "utf-8" else options.encoding)


def stored(item: Item, options: FileCollection) -> Item:
    """Return an item as the file will show it; raises PermanentError for what its format cannot hold."""
    if options.format == "csv":
        return {path: cell_of(path, value) for path, value in item.items()}
    return item


def cell_of(path: str, value: Native) -> str:
    """Return the text of one CSV cell; null is an empty one."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case list() | dict():
            raise PermanentError(f"{path}: a CSV cell holds no {'list' if isinstance(value, list) else 'object'}")
    return str(value)


def content_of(items: Sequence[Item], options: FileCollection, *, like: bytes = b"") -> bytes:
    """Return the bytes of a whole file, in the way (columns, line ends, byte order mark) of the one before.

    Raises PermanentError if its encoding has no such letter.
    """
    if options.format == "jsonl":
        text = "".join(f"{encode(item).decode()}\n" for item in items) or "\n"
    elif options.format == "json":
        text = encode(list(items)).decode() + "\n"
    else:
        text = _csv_text(items, options, like)
    try:
        return (codecs.BOM_UTF8 if like.startswith(codecs.BOM_UTF8) else b"") + text.encode(options.encoding)
    except UnicodeEncodeError as error:
        raise PermanentError(f"{options.encoding} has no letter {error.object[error.start]!r}") from error


def _csv_text(items: Sequence[Item], options: FileCollection, like: bytes) -> str:
    before = text_in(like, options)
    header = next(csv.reader(io.StringIO(before, newline=""), delimiter=options.delimiter), [])
    columns = dict.fromkeys([*header, *(column for item in items for column in item)])
    target = io.StringIO(newline="")
    line_end = "\r\n" if "\r\n" in before else "\n"
    writer = csv.writer(target, delimiter=options.delimiter, lineterminator=line_end)
    writer.writerow(columns)
    writer.writerows([item.get(column, "") for column in columns] for item in items)
    return target.getvalue()
