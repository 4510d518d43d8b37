"""A desk whose platforms hold rows: things are read as they stand, and records are compared by their keys after each batch."""

from typing import Any

from syncd.core import decide, unite
from syncd.core.identity import record_keys
from syncd.core.life import IDENTITY
from syncd.core.model import Change, Life, Record, Via
from syncd.core.rules import Deletes, Field, Match
from syncd.core.space import Key
from syncd.core.verdict import Verdict
from tests.core.desk import Desk, a_field, rule

BY_K = Match(("k",), lambda value: value, text="k")
BY_G = Match(("g",), lambda value: value, text="g")


class Town(Desk):
    """A desk with platforms that hold rows, and a batch after each of which records are compared by their keys."""

    def __init__(self, authority: str = "manual", *fields: Field) -> None:
        known = (a_field("g", rule("priority", if_null="next")), a_field("t", rule("union"), kind="set(string)"))
        super().__init__(*known, *fields, matches=(BY_K, BY_G), deletes=Deletes(authority))
        self.rows: dict[tuple[str, str], dict[str, Any]] = {}

    def put(self, platform: str, native: str, **values: Any) -> Record:
        """Somebody edits a row, and it is decided; returns its record."""
        self.rows[platform, native] = {"k": None, "g": None} | self.rows.get((platform, native), {}) | values
        self.batch(platform, native)
        number = self.space.links[platform, "things", native].record
        assert number is not None
        return self.space.records[number]

    def remove(self, platform: str, native: str) -> None:
        """Somebody deletes a row, and it is decided."""
        del self.rows[platform, native]
        self.batch(platform, native)

    def see(self, platform: str, native: str) -> None:
        """Read a row and decide it, with all that is asked for."""
        for _ in range(8):
            said = decide.observe(self.space, self.shown(platform, native))
            if said.verdict is not Verdict.READ:
                return
            for thing in said.things[:-1]:
                decide.observe(self.space, self.shown(thing[0], thing[2]))
        raise AssertionError("reads without end")

    def shown(self, platform: str, native: str) -> Change:
        item = self.rows.get((platform, native))
        self.space.now += 1_000_000
        self.versions[platform] += 1
        more = {"gone": True} if item is None else {"item": item, "version": self.versions[platform]}
        at = self.number()
        return Change(platform, "things", native, Via.READ, at, self.space.now, changed_at=self.space.now, **more)

    def keys(self) -> dict[int, set[Key]]:
        return {n: record_keys(self.entity, r) for n, r in self.space.records.items()}

    def living(self) -> list[Record]:
        """Return the records that live."""
        return [record for record in self.space.records.values() if record.life is Life.ALIVE]

    def batch(self, platform: str, native: str) -> None:
        """Decide a row as it stands, then compare records until nothing moves."""
        before = self.keys()
        self.see(platform, native)
        for _ in range(20):
            arrived = {(k, n) for n, ks in self.keys().items() for k in ks if k[1] not in {b for _, b, _ in before.get(n, ())}}
            before = self.keys()
            self.space.touched.clear()
            for number in sorted(self.space.records):
                unite.meet(self.space, self.space.records[number], arrived)
            if not self.space.touched:
                return
        raise AssertionError("comparing without end")

    def check(self) -> None:
        """Raise AssertionError where a row is nobody's or two records', or a key is two records' and nobody is asked."""
        living = self.living()
        owners: dict[tuple[str, str], int] = {}
        for record in self.space.records.values():
            for platform, row in record.shadows.items():
                if row.life is Life.ALIVE:
                    assert owners.setdefault((platform, row.id), record.id) == record.id, "one row, two records"
                    link = self.space.links[platform, "things", row.id]
                    assert (link.record, link.life) == (record.id, Life.ALIVE)
        for (platform, _, native), link in self.space.links.items():
            if link.record is not None and link.life is Life.ALIVE:
                assert self.space.records[link.record].shadows[platform].id == native
        for one in living:
            for other in living:
                shares = record_keys(self.entity, one) & record_keys(self.entity, other)
                if one.id < other.id and shares:
                    assert IDENTITY in one.conflicts, (shares, one.id, other.id)
                    assert IDENTITY in other.conflicts
            if IDENTITY in one.conflicts:
                assert all(number in self.space.records for number in one.conflicts[IDENTITY].others)
