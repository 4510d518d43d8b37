"""CSV of the Bulk API as it comes: a record may have line ends inside of its quotes, and a value its own type."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from decimal import Decimal

from syncd.connectors.body import Bad
from syncd.connectors.salesforce.soql import NUMBERS
from syncd.connectors.wire import LARGEST
from syncd.core.model import Native
from syncd.errors import TransientError

_CELL = re.compile(rb'(?:"([^"]*(?:""[^"]*)*)"|([^",]*))(,|$)')
_DECIMAL = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,3})?")


async def records(chunks: AsyncIterator[bytes], place: str) -> AsyncIterator[list[str]]:
    """Yield the cells of each record; raises TransientError for what is no CSV. Nothing is held but one record."""
    rest = bytearray()
    quotes = 0  # of the record that is not whole yet
    async for chunk in chunks:
        first, *others = chunk.split(b"\n")
        rest += first
        quotes += first.count(b'"')
        for line in others:
            if quotes % 2:
                rest += b"\n" + line
                quotes += line.count(b'"')
                continue
            yield _cells(bytes(rest), place)
            rest, quotes = bytearray(line), line.count(b'"')
        if len(rest) > LARGEST:
            raise TransientError(f"{place}: a record of more than {LARGEST} bytes", about_record=True)
    if rest:
        yield _cells(bytes(rest), place)


def _cells(line: bytes, place: str) -> list[str]:
    line = line.removesuffix(b"\r")
    found, at = list[str](), 0
    while True:
        cell = _CELL.match(line, at)
        if cell is None:
            raise TransientError(f"{place}: answered with what is no CSV", about_record=True)
        quoted = cell[1]
        try:
            found.append((quoted.replace(b'""', b'"') if quoted is not None else cell[2]).decode())
        except UnicodeDecodeError as error:
            raise TransientError(f"{place}: answered with what is no UTF-8", about_record=True) from error
        if not cell[3]:
            return found
        at = cell.end()


def typed(names: Sequence[str], cells: Sequence[str], types: Mapping[str, str]) -> dict[str, Native]:
    """Return a record of cells as a query would show it; an empty cell is null."""
    record: dict[str, Native] = {}
    for path, cell in zip(names, cells, strict=True):
        *parents, last = path.split(".")
        here = record
        for step in parents:
            here = here.setdefault(step, {})
        here[last] = _value(cell, types.get(path, "string"))
    return record


def _value(cell: str, kind: str) -> Native:
    if not cell:
        return None
    if kind == "boolean":
        return cell == "true"
    if kind in NUMBERS:
        if not _DECIMAL.fullmatch(cell):
            return Bad(f"{cell[:40]!a} is not a number")
        return int(cell) if kind in {"int", "long"} and cell.lstrip("-").isdecimal() else Decimal(cell)
    return cell


def batched(rows: Sequence[Native], size: int) -> Iterator[Sequence[Native]]:
    """Yield parts of a list."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
