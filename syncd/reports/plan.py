"""The plan of an edit of the rules, in the machine format ``syncd.plan/1.0``: what loading it would do.

The changes of a large ledger are many: they are kept in a temporary file, and only the first records in memory.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

from syncd.reports import figures
from syncd.reports.envelope import Origin, envelope

SCHEMA = "syncd.plan/1.0"
SHOWN = 5  # records that are shown as examples
SPOOLED = 1_000_000  # bytes of changes that stay in memory

Row = dict[str, Any]


class Example(NamedTuple):
    """One record as a person sees it: what it is called, its changes, and the conflicts that open or close."""

    entity: str
    record: str
    label: str
    rows: Sequence[Row]
    conflicts: Sequence[Row]


class Spool:
    """Lists of JSON objects that may be longer than memory is large; read again in the order in which they came."""

    def __init__(self) -> None:
        self._files: dict[str, IO[str]] = {}
        self.counts: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for file in self._files.values():
            file.close()

    def add(self, name: str, rows: Iterable[Row]) -> None:
        """Add objects to the list of this name."""
        for row in rows:
            if name not in self._files:
                made = tempfile.SpooledTemporaryFile(SPOOLED, mode="w+", encoding="utf-8")  # noqa: SIM115 - closed by exit
                self._files[name] = made
            self._files[name].write(json.dumps(figures.exact(row), ensure_ascii=False, default=str) + "\n")
            self.counts[name] = self.counts.get(name, 0) + 1

    def lines(self, name: str) -> Iterator[str]:
        """Yield the objects of a list as JSON text."""
        file = self._files.get(name)
        if file is not None:
            file.seek(0)
            for line in file:
                yield line.rstrip("\n")

    def rows(self, name: str) -> list[Row]:
        """Return a list as objects."""
        return [json.loads(line) for line in self.lines(name)]


def assemble(origin: Origin, *, complete: bool = True, **keys: Any) -> Row:
    """Return the plan as a document without its long lists: ``against`` is the sha of the rules it is compared with."""
    return envelope(SCHEMA, origin, complete=complete, **keys)


def is_empty(document: Mapping[str, Any]) -> bool:
    """Return whether the plan does nothing."""
    summary = document["summary"]
    named = ("update", "create", "delete", "conflicts_new", "conflicts_closed", "withdrawn", "failed")
    return not any(summary.get(name) for name in named)


def write_json(document: Mapping[str, Any], spool: Spool, lists: Sequence[str], out: IO[str]) -> None:
    """Write the document as one JSON object, its long lists out of the spool, without holding them."""
    parts = [(key, value) for key, value in document.items() if key not in lists]
    for at, (key, value) in enumerate(parts):
        text = json.dumps(figures.exact(value), ensure_ascii=False, indent=2, default=str).replace("\n", "\n  ")
        out.write(f"{'{' if at == 0 else ','}\n  {json.dumps(key)}: {text}")
    for name in lists:
        out.write(f",\n  {json.dumps(name)}: [")
        for at, line in enumerate(spool.lines(name)):
            out.write(f"{',' if at else ''}\n    {line}")
        out.write("\n  ]" if spool.counts.get(name) else "]")
    out.write("\n}\n")
