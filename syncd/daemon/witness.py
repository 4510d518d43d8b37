"""What a command caused to be written, line by line, for the one who asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncd.core.model import Op
from syncd.daemon.settle import Settled
from syncd.daemon.weigh import Trip
from syncd.ledger import outbox, records
from syncd.ledger.proposals import Proposal
from syncd.ledger.schema import Database

STATES = {"done": "ok", "refused": "dead", "stale": "skip", "later": "wait"}
Line = dict[str, Any]


@dataclass(slots=True, eq=False)
class Witness:
    """Sees the writes of some records; None: of all."""

    records: set[int] | None
    lines: dict[tuple[int, str, str | None], Line] = field(default_factory=dict)
    trips: list[Trip] = field(default_factory=list)

    def concerns(self, record: int) -> bool:
        """Return whether a record is one of those watched."""
        return self.records is None or record in self.records

    def settled(self, found: Settled) -> None:
        """Note what became of a write; a later outcome of the same field replaces an earlier one."""
        sending = found.outcome.sending
        write = sending.attempt.write
        if not self.concerns(write.record):
            return
        line = {"state": STATES.get(found.how, "wait"), "entity": sending.entity, "record": sending.record}
        line |= {"platform": write.platform, "note": note_of(found)}
        if write.op is not Op.UPDATE or not found.fields:
            self.lines[write.record, write.platform, None] = line | {"field": None, "before": None, "after": None}
            return
        for name, before, after, _, _ in found.fields:
            self.lines[write.record, write.platform, name] = line | {"field": name, "before": before, "after": after}

    def proposed(self, found: Iterable[Proposal]) -> None:
        """Note writes that wait for approval."""
        for one in (one for one in found if self.concerns(one.record)):
            line = {
                "state": "proposed",
                "entity": one.entity,
                "record": one.key,
                "platform": one.platform,
                "note": f"ch-{one.id}",
            }
            for planned in one.fields:
                values = {"field": planned.field, "before": planned.before, "after": planned.after}
                self.lines[one.record, one.platform, planned.field] = line | values

    def tripped(self, found: Sequence[Trip]) -> None:
        """Note breakers that stopped writes meanwhile."""
        self.trips += [trip for trip in found if trip.paused]

    def exit_code(self) -> int:
        """Return 1 if a write became a dead letter, 4 if a breaker tripped, else 0."""
        if any(line["state"] == "dead" for line in self.lines.values()):
            return 1
        return 4 if self.trips else 0


def note_of(found: Settled) -> str:
    """Return what there is to say about an outcome."""
    if found.how == "refused" and found.letter:
        return f"{found.why}   d-{found.letter}"
    if found.how == "stale":
        return "edited meanwhile, planned again"
    return "" if found.how == "done" else found.why


def waiting_lines(db: Database, witness: Witness) -> list[Line]:
    """Return a line for each watched record that a platform is still behind on."""
    found = []
    for number in sorted(witness.records or ()):
        record = records.one(db, number)
        for platform, due in outbox.behind(db, number).items() if record else ():
            if not any(key[:2] == (number, platform) for key in witness.lines):
                line: Line = {"state": "wait", "entity": record.entity, "record": record.key} if record else {}
                line |= {"platform": platform, "field": None, "before": None, "after": None}
                found.append(line | {"note": due.error or "queued"})
    return found
