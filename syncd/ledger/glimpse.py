"""Of a batch's records only what some fields need: what is stored stays text until somebody asks for it.

A record read like this is good for deciding and planning those fields, where nothing else of it would be told to anybody:
whoever reads it sees to that with ``is_enough``. It is never written back.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from syncd.core.held import differs
from syncd.core.model import GoldenField, Life, Record, Shadow, ShadowField
from syncd.core.rules import Entity
from syncd.ledger.documents import ALL_IN_STEP, golden_among, raws_in, shadow_doc, shadow_fields
from syncd.ledger.loaded import PLACES, RecordRow, ShadowRow
from syncd.ledger.schema import Database
from syncd.ledger.texts import dump, load

LIFE = 2  # its place in a RecordRow and in a ShadowRow; golden and the fields stand last
MOST = 10_000  # texts of shadows whose meaning is remembered
PLAIN = frozenset(("value", "who", "lo", "hi", "version"))  # of a golden field about which there is nothing special
NOTHING = object()

Pattern = tuple[Any, ...]


@dataclass(slots=True)
class Rows:
    """What is stored of one record and of its shadows, as ``loaded.Loaded`` has it. ``asked``: a conflict is open."""

    id: int
    record: RecordRow
    shadows: dict[str, ShadowRow] = field(default_factory=dict)
    asked: bool = False


class InStep(NamedTuple):
    """A shadow that differs from golden in none of the fields asked for: whose word it is, and which of them it lacks."""

    word: str
    missing: frozenset[str]


def rows_of(db: Database, entity: str, ids: Iterable[int]) -> list[Rows]:
    """Return what is stored of these records of an entity, in the order of their ids. Three statements."""
    wanted = dump(sorted(ids))
    found = {
        number: Rows(number, (entity, *rest))
        for number, *rest in db.execute(
            "SELECT r.id, r.key, r.life, r.version, r.born, r.golden FROM json_each(?) j CROSS JOIN record r ON r.id = j.value",
            (wanted,),
        )
    }
    for number, platform, *row in db.execute(
        "SELECT s.record, s.platform, s.collection, s.id, s.life, s.version, s.changed_at_us, s.old_version, s.fields"
        f" FROM json_each(?) j CROSS JOIN shadow s ON s.place BETWEEN j.value * {PLACES} AND j.value * {PLACES} + {PLACES - 1}",
        (wanted,),
    ):
        found[number].shadows[platform] = tuple(row)
    for (number,) in db.execute(
        "SELECT c.record FROM json_each(?) j CROSS JOIN conflict c ON c.record = j.value"
        " WHERE c.state = 'open' AND c.thing IS NULL",
        (wanted,),
    ):
        found[number].asked = True
    return list(found.values())


class Glimpse:
    """Reads these fields of an entity's records, among them those that were ``edited``. ``raws``: also what platforms show at
    the paths that expressions name.
    """

    def __init__(self, entity: Entity, names: Collection[str], edited: Collection[str], *, raws: bool) -> None:
        self._names = frozenset(names)
        self._order = tuple(sorted(names))
        self._raws = raws
        self._others = {
            platform: {n: f for n, f in entity.fields.items() if n not in edited and is_told(f.maps.get(platform))}
            for platform in entity.members
        }
        self._seen: dict[Pattern, Pattern] = {}
        self._in_step = lru_cache(maxsize=4096)(self._in_step_of)

    def record(self, rows: Rows) -> Record:
        """Return a record with these fields alone."""
        entity, key, life, version, born, golden = rows.record
        record = Record(rows.id, entity, born, key, Life(life), version, golden_among(golden, self._order))
        for platform, (collection, native, there, number, changed_at, old, text) in rows.shadows.items():
            fields = shadow_fields(text, record.golden)
            raws = raws_in(text) if self._raws else {}
            record.shadows[platform] = Shadow(
                platform, collection, native, Life(there), number, changed_at, old_version=old, fields=fields, raws=raws
            )
        return record

    def is_enough(self, rows: Rows) -> bool:
        """Return whether nothing but the edited fields would be told to any platform that has the record."""
        golden: Mapping[str, GoldenField] | None = None
        for platform, row in rows.shadows.items():
            others = self._others.get(platform)
            if not others or row[LIFE] != Life.ALIVE:
                continue
            text = row[-1]
            doc = shadow_doc(text)
            out = [name for name in (*doc["fields"], *doc.get("not", ())) if name in others]
            if not out:
                continue
            if golden is None:
                golden = golden_among(rows.record[-1], None)
            known = shadow_fields(text, golden)
            if any(n in golden and differs(others[n], known.get(n, NEVER), golden[n], platform) for n in out):
                return False
        return True

    def pattern(self, rows: Rows) -> Pattern | None:
        """Return all but the values and times of these fields, where every platform holds golden's; None where one does not, or
        there is anything else to it.

        Records of one pattern are decided alike by rules that do not look into values.
        """
        texts = tuple([(platform, row[LIFE], row[-1]) for platform, row in rows.shadows.items()])
        known = self._seen.get(texts)
        if known is None:
            known = self._known_all(rows)
            if known is None:
                return None
            if len(self._seen) < MOST and all(text.startswith(ALL_IN_STEP) for _, _, text in texts):
                self._seen[texts] = known
        doc = load(rows.record[-1])
        who, parts = doc.get("usual", {}).get("who"), doc["fields"]
        found: list[Any] = [rows.record[LIFE]]
        for name in self._order:
            part = parts.get(name, NOTHING)
            if type(part) is not dict:
                found.append(part is NOTHING or (part is None, who))
            elif part.keys() <= PLAIN:
                found.append((part["value"] is None, part.get("who", who)))
            else:
                return None
        return (known, *found)

    def _known_all(self, rows: Rows) -> Pattern | None:
        """Return how all shadows stand to golden in these fields, None if one of them is apart there."""
        found = [(platform, row[LIFE], self._known(row[-1])) for platform, row in rows.shadows.items()]
        return None if any(known is None for _, _, known in found) else tuple(found)

    def _known(self, text: str) -> InStep | None:
        """Return how a shadow stands to golden in these fields, None if one of them is apart."""
        if not text.startswith(ALL_IN_STEP):
            return self._in_step_of(text)
        end = text.find(',"raws":')  # which stands last, and nowhere within a text
        return self._in_step(text if end < 0 else text[:end] + "}")

    def _in_step_of(self, text: str) -> InStep | None:
        doc = load(text)
        if not self._names.isdisjoint(doc["fields"]):
            return None
        return InStep(doc.get("usual", {}).get("word", ""), self._names.intersection(doc.get("not", ())))


NEVER = ShadowField()


def is_told(place: Any) -> bool:
    """Return whether a field's value is written to a platform at all."""
    return place is not None and place.direction != "in"
