"""Which rows go into which ingest job, and how their values stand in its CSV.

A row is told apart in the results by its Id, by its external id, or, where it has neither, by all of its cells. So no job has
two rows that are alike there, and no two of one record: the second goes into the next job.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from syncd.connectors.salesforce.ingest import Load, Row, line, seen
from syncd.connectors.salesforce.rows import Rows
from syncd.connectors.salesforce.soql import stamp
from syncd.connectors.times import parse_time
from syncd.core.model import Native, Op, Write

NULL = "#N/A"  # empties a field; an empty cell leaves it
LARGEST_CELL = 131_072  # characters
LARGEST_ROW = 400_000
LARGEST_JOB = 32 * 1024 * 1024  # bytes: Salesforce takes 150 MB in base64; this is uploaded within a request's time-out
VERBS = {Op.CREATE: "insert", Op.UPDATE: "update", Op.DELETE: "delete"}

Body = Mapping[str, Native]


def loads_of(
    rows: Rows, op: Op, writes: Sequence[Write], bodies: Sequence[Body], *, upserted: bool
) -> tuple[list[tuple[list[int], Load]], list[int]]:
    """Return the jobs with the numbers of their writes, and the numbers of those that CSV cannot say."""
    found: list[tuple[list[int], Load]] = []
    kinds: dict[bool, list[int]] = {}
    key = rows.options.external_id
    for number, body in enumerate(bodies):
        kinds.setdefault(op is not Op.CREATE or (key is not None and body.get(key) is not None), []).append(number)
    left: list[int] = []
    for keyed, numbers in kinds.items():
        names = _names(op, [bodies[one] for one in numbers])
        known = ("Id",) if op is not Op.CREATE else (str(key),) if keyed else names
        cells = {one: _row(rows, names, writes[one], bodies[one]) for one in numbers}
        left += [one for one, row in cells.items() if row is None]
        there = {one: row for one, row in cells.items() if row is not None}
        verb, external = ("upsert", str(key)) if upserted else (VERBS[op], "")
        found += [
            (some, Load(verb, rows.options.object, names, [there[one] for one in some], known, external))
            for some in _parts(there, [names.index(one) for one in known])
        ]
    return found, sorted(left)


def _names(op: Op, bodies: Sequence[Body]) -> tuple[str, ...]:
    written = () if op is Op.DELETE else dict.fromkeys(name for body in bodies for name in body)
    return tuple(written) if op is Op.CREATE else ("Id", *written)


def _row(rows: Rows, names: Sequence[str], write: Write, body: Body) -> Row | None:
    cells: list[str] = []
    for name in names:
        said: str | None = ""
        if name == "Id":
            said = write.id or ""
        elif name in body:
            said = cell(body[name], rows.described.column(name).type)
        if said is None:
            return None
        cells.append(said)
    return tuple(cells) if any(cells) and sum(map(len, cells)) <= LARGEST_ROW else None


def cell(value: Native, kind: str) -> str | None:
    """Return a value as it stands in a cell; None if CSV cannot say it.

    Numbers are exact, moments in UTC, an empty text is null as it is in a field.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    if kind == "datetime" and (at := parse_time(value)) is not None:
        return stamp(at)
    if isinstance(value, int | Decimal):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    if not isinstance(value, str) or value.strip() == NULL or len(value) > LARGEST_CELL:
        return None
    return value


def _parts(there: Mapping[int, Row], places: Sequence[int]) -> list[list[int]]:
    """Return the numbers of rows as jobs: none too large, none with two rows that are alike where they are told apart."""
    parts: list[list[int]] = []
    sizes: list[int] = []
    following: dict[Row, int] = {}
    for number, row in there.items():
        known = tuple(one.casefold() for one in seen(row[at] for at in places))
        size, at = len(line(row)), following.get(known, 0)
        while at < len(parts) and sizes[at] + size > LARGEST_JOB:
            at += 1
        if at == len(parts):
            parts.append([])
            sizes.append(0)
        parts[at].append(number)
        sizes[at] += size
        following[known] = at + 1
    return parts
