"""What was read of a batch's records, as it stood in the file: so that only what changed is written back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncd.core.model import Conflict, Life, Record, Shadow, Tombstone
from syncd.ledger.documents import fields_beside, golden_fields, golden_text, raws_in, shadow_text, with_raws
from syncd.ledger.schema import Database
from syncd.ledger.stepwise import standing
from syncd.ledger.texts import dump, load, micros

PLACES = 1000  # platforms a ledger can know; shadow.place = record * PLACES + the platform's number

RecordRow = tuple[str, str, str, int, int, str]  # entity, key, life, version, born, golden
ShadowRow = tuple[str, str, str, Any, int | None, int, str]  # collection, id, life, version, changed_at, old_version, fields


@dataclass(slots=True)
class Loaded:
    """Rows as they were loaded: by record; by record and platform (with as_of and our clock of the look); open conflicts."""

    records: dict[int, RecordRow] = field(default_factory=dict)
    shadows: dict[tuple[int, str], tuple[ShadowRow, int, int]] = field(default_factory=dict)
    conflicts: dict[int, dict[int, tuple[str, str]]] = field(default_factory=dict)  # record -> id -> (name, text)
    tombs: dict[int, Tombstone] = field(default_factory=dict)


def record_row(record: Record) -> RecordRow:
    """Return a record as it is stored."""
    return record.entity, record.key, record.life, record.version, record.born, golden_text(record.golden)


def shadow_row(shadow: Shadow, record: Record) -> ShadowRow:
    """Return a shadow of a record as it is stored, but for when we last looked."""
    return (
        shadow.collection,
        shadow.id,
        shadow.life,
        shadow.version,
        shadow.changed_at,
        shadow.old_version,
        with_raws(shadow_text(shadow.fields, record.golden), shadow.raws),
    )


def conflict_text(conflict: Conflict) -> str:
    """Return what a conflict says, as it is stored."""
    more: dict[str, Any] = {"about": conflict.about, "candidates": conflict.others} if conflict.others else {}
    if conflict.reviewers:
        more["reviewers"] = conflict.reviewers
    return dump({"proposal": conflict.proposal, "values": conflict.values, **more})


def read_records(db: Database, ids: Iterable[int], loaded: Loaded) -> dict[int, Record]:
    """Return whole records by id; what is stored of them is added to ``loaded``. Five statements, however many records."""
    wanted = dump(sorted(ids))
    found = {one.id: one for one in _records(db, wanted, loaded)}
    if found:
        _shadows(db, wanted, found, loaded)
        _conflicts(db, wanted, found, loaded)
        if any(record.life is not Life.ALIVE for record in found.values()):
            _tombs(db, wanted, found, loaded)
    return found


def _records(db: Database, wanted: str, loaded: Loaded) -> Iterable[Record]:
    rows = db.execute(
        "SELECT r.id, r.entity, r.key, r.life, r.version, r.born, r.golden"
        " FROM json_each(?) j CROSS JOIN record r ON r.id = j.value",
        (wanted,),
    )
    for number, *rest in rows.fetchall():
        entity, key, life, version, born, golden = loaded.records[number] = _row_of_record(rest)
        yield Record(number, entity, born, key, Life(life), version, golden_fields(golden))


def _row_of_record(rest: Sequence[Any]) -> RecordRow:
    entity, key, life, version, born, golden = rest
    return entity, key, life, version, born, golden


def _shadows(db: Database, wanted: str, found: dict[int, Record], loaded: Loaded) -> None:
    rows = db.execute(
        "SELECT s.record, s.platform, s.collection, s.id, s.life, s.version, s.changed_at_us, s.old_version, s.fields,"
        f" max(s.as_of, coalesce(n.as_of, -1)), max(s.seen_at_us, coalesce(n.at_us, 0))"
        f" FROM json_each(?) j CROSS JOIN shadow s ON s.place BETWEEN j.value * {PLACES} AND j.value * {PLACES} + {PLACES - 1}"
        " LEFT JOIN seen n ON n.platform = s.platform AND n.collection = s.collection AND n.id = s.id",
        (wanted,),
    )
    stands = {number: standing(record.golden) for number, record in found.items()}
    for record, platform, collection, native, life, version, changed_at, old, text, as_of, at in rows.fetchall():
        fields = fields_beside(text, stands[record])
        shadow = Shadow(platform, collection, native, Life(life), version, changed_at, at, as_of, old, fields, raws_in(text))
        found[record].shadows[platform] = shadow
        loaded.shadows[record, platform] = (collection, native, life, version, changed_at, old, text), as_of, at


def _conflicts(db: Database, wanted: str, found: dict[int, Record], loaded: Loaded) -> None:
    rows = db.execute(
        "SELECT c.record, c.id, c.field, c.kind, c.why, c.body, c.opened_at_us"
        " FROM json_each(?) j CROSS JOIN conflict c ON c.record = j.value WHERE c.state = 'open' AND c.thing IS NULL",
        (wanted,),
    )
    for record, number, name, kind, why, body, opened_at in rows.fetchall():
        doc = load(body)
        more = (tuple(doc.get(name, ())) for name in ("candidates", "about", "reviewers"))
        conflict = Conflict(name, kind, why, doc["values"], number, opened_at, doc["proposal"], *more)
        found[record].conflicts[name] = conflict
        loaded.conflicts.setdefault(record, {})[number] = name, f"{kind} {why} {body}"


def _tombs(db: Database, wanted: str, found: dict[int, Record], loaded: Loaded) -> None:
    rows = db.execute(
        "SELECT t.record, t.as_of, t.at, t.proof, t.platform FROM json_each(?) j CROSS JOIN tombstone t ON t.record = j.value",
        (wanted,),
    )
    for record, as_of, at, proof, platform in rows.fetchall():
        found[record].tomb = loaded.tombs[record] = Tombstone(as_of, micros(at), proof, platform)
