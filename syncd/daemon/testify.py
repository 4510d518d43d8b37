"""What the ledger knows that makes a finding of ``check`` concrete: real values for round trips, and how many records a rule
leaves without an answer. Nothing is written.
"""

from collections.abc import Iterator, Mapping, Sequence

from syncd.config.load import load_texts
from syncd.config.model import Kind
from syncd.config.scene import Evidence
from syncd.core.expression import Failed, is_true
from syncd.core.model import Life, Record
from syncd.core.rules import Entity, Expression
from syncd.core.views import record_view
from syncd.ledger import config_texts, lookup, samples
from syncd.ledger.loaded import Loaded, read_records
from syncd.ledger.schema import Database

BATCH = 500
MOST = 100_000  # records that are counted: a check must not take longer than its reader


class Witness:
    """Answers from one open ledger."""

    def __init__(self, db: Database, folder: str, kinds: Mapping[str, Kind], now: int) -> None:
        self._db, self._folder, self._kinds, self._now = db, folder, kinds, now
        self._entities: Mapping[str, Entity] | None = None

    def evidence(self) -> Evidence:
        """Return what the ledger knows."""
        return Evidence(samples=samples.golden(self._db), count=self.count)

    def count(self, name: str, conditions: Sequence[Expression]) -> tuple[int, int] | None:
        """Return for how many living records none of these conditions is true, and of how many; None if it cannot be told."""
        entity = self._known().get(name)
        if entity is None:
            return None
        neither, living = 0, 0
        try:
            for record in self._records(name):
                look = record_view(entity, record)
                living += 1
                neither += not any(is_true(one(look, self._now)) for one in conditions)
                if living > MOST:
                    return None
        except Failed:
            return None
        return (neither, living) if living else None

    def _records(self, entity: str) -> Iterator[Record]:
        """Yield an entity's living records."""
        after = 0
        while ids := lookup.ids_after(self._db, entity, after=after, limit=BATCH):
            after = ids[-1]
            batch = read_records(self._db, ids, Loaded())
            yield from (batch[number] for number in ids if batch[number].life is Life.ALIVE)

    def _known(self) -> Mapping[str, Entity]:
        """Return the entities as the ledger last had them: what its records mean."""
        if self._entities is None:
            sha = config_texts.newest(self._db)
            texts = config_texts.get(self._db, sha) if sha else None
            loaded = load_texts(self._folder, texts, self._kinds) if texts else None
            self._entities = loaded.config.rules.entities if loaded and loaded.config else {}
        return self._entities
