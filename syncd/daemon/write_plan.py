"""The plan of an edit as a document: the sum of what was foreseen, the first records, and all of them in a spool."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from syncd.config.model import Config
from syncd.core.rules import Limit, Rules
from syncd.daemon import modes
from syncd.daemon.foresee import Foresight, foresee, needs, summary
from syncd.daemon.foretell import Foreseen
from syncd.daemon.revise import REVISED
from syncd.daemon.runtime import RESTORED
from syncd.daemon.weigh import Trip
from syncd.ledger import meta
from syncd.ledger.schema import Database
from syncd.reports.envelope import Origin
from syncd.reports.figures import SECOND
from syncd.reports.plan import SHOWN, Example, Row, Spool, assemble
from syncd.reports.plan_edits import edits_of, limit_place


@dataclass(slots=True)
class Asked:
    """What a plan is asked for. ``against``: what the edit is compared with; ``entity``: only this one.

    ``spool`` takes every change, patch, conflict and record, where a machine or ``apply`` wants them all; ``every``: all
    records are shown, not only the first. ``reveal``: personal values are not masked.
    """

    origin: Origin
    against: Mapping[str, Any]
    spool: Spool | None = None
    entity: str | None = None
    every: bool = False
    reveal: bool = False
    examples: list[Example] = field(default_factory=list)
    following: str = ""

    def take(self, one: Foreseen) -> None:
        """Keep what is wanted of one record."""
        conflicts = conflicts_of(one)
        if one.rows or conflicts:
            if self.every or len(self.examples) < SHOWN:
                self.examples.append(Example(one.entity, one.record, one.label, one.rows, conflicts))
            elif not self.following:
                self.following = f"{one.entity} {one.record}"
        if self.spool is not None:
            self.spool.add("changes", one.rows)
            self.spool.add("patches", one.patches)
            self.spool.add("conflicts", conflicts)
            self.spool.add("records", [record_of(one)])


def write_plan(db: Database, old: Config, new: Config, asked: Asked) -> Row:
    """Return the plan of loading ``new`` instead of ``old``; the ledger is only read."""
    before, after = limited(db, old.rules), shown_by(limited(db, new.rules), asked)
    revised = (meta.get(db, REVISED) or "").partition(" ")[0]
    found = foresee(
        db,
        (before, after),
        now=asked.origin.now,
        take=asked.take,
        only=asked.entity,
        stands=asked.spool is not None,
        settled=revised == old.sha,
    )
    return document_of(found, old, new, asked)


def limited(db: Database, rules: Rules) -> Rules:
    """Return rules under the limits that the daemon obeys: of its command line, and of a ledger that came back."""
    words = (meta.get(db, REVISED) or "").split()[1:]
    limit = next((word for word in words if word in modes.ORDER), None)
    rules = modes.restricted(rules, limit, place="--mode")
    return modes.restricted(rules, "propose", place=RESTORED) if meta.restored(db) else rules


def shown_by(rules: Rules, asked: Asked) -> Rules:
    """Return the rules with nothing personal in them if that is to be revealed; it decides nothing."""
    if not asked.reveal:
        return rules
    bare = {
        name: replace(entity, fields={n: replace(field_, pii=False) for n, field_ in entity.fields.items()})
        for name, entity in rules.entities.items()
    }
    return replace(rules, entities=bare)


def document_of(found: Foresight, old: Config, new: Config, asked: Asked) -> Row:
    """Return the plan as a document."""
    return assemble(
        asked.origin,
        complete=not found.failed,
        against=dict(asked.against),
        entity=asked.entity,
        edits=edits_of(new.folder, old.texts, new.texts),
        fields=lines_of(found),
        examples=asked.examples,
        next=asked.following,
        needs=needs(found),
        failure=found.failure,
        summary=dict(summary(found)),
        breakers=[breaker_of(new, trip) for trip in found.trips],
    )


def lines_of(found: Foresight) -> list[Row]:
    """Return the table by field and platform. A conflict is of a field, not of a platform: it stands on its first line."""
    rows: list[Row] = []
    fields = list(dict.fromkeys((entity, name) for entity, _, name in found.lines))
    for entity, name in fields:
        edit = found.edits[entity]
        mapped = edit.new.fields.get(name) if edit.new else None
        about = found.lines.get((entity, "", name))
        platforms = [p for p in (edit.new.members if edit.new else ()) if (entity, p, name) in found.lines]
        for platform in platforms or [""]:
            line = found.lines[entity, platform, name]
            row = {"entity": entity, "platform": platform, "field": name, "records": line.records}
            row |= {"removed": line.removed, "added": line.added, "conflicts_new": 0, "conflicts_closed": 0}
            if about is not None:
                row |= {"conflicts_new": about.opened, "conflicts_closed": about.closed}
                about = None
            rows.append(row)
        named = {row["platform"] for row in rows}
        rows += [untouched(entity, p) for p in (mapped.maps if mapped else ()) if p not in named]
    touched = {(row["entity"], row["platform"]) for row in rows if row["field"] is not None}
    return [row for row in rows if row["field"] is not None or (row["entity"], row["platform"]) not in touched]


def untouched(entity: str, platform: str) -> Row:
    """Return the line of a platform that the edit changes nothing on."""
    return {"entity": entity, "platform": platform, "field": None, "records": 0}


def breaker_of(new: Config, trip: Trip) -> Row:
    """Return a breaker that would trip, with where its figures stand."""
    place = limit_place(new.folder, new.texts, trip.entity, trip.kind)
    file, line = place or (None, None)
    return {
        "platform": trip.platform,
        "entity": trip.entity,
        "kind": trip.kind,
        "count": trip.count,
        "linked": trip.linked,
        "limit": limit_of(trip.limit),
        "action": "pause" if trip.paused else "warn",
        "file": file,
        "line": line,
    }


def limit_of(limit: Limit) -> Row:
    """Return a breaker's figures."""
    return {"max": limit.max, "ratio": limit.ratio, "per_s": limit.per // SECOND}


def conflicts_of(one: Foreseen) -> list[Row]:
    """Return the conflicts that open or close for a record."""
    head: Row = {"entity": one.entity, "record": one.record}
    opened = [head | {"field": name or None, "why": why, "state": "new"} for name, why in one.opened]
    return opened + [head | {"field": name or None, "why": "", "state": "closed"} for name in one.closed]


def record_of(one: Foreseen) -> Row:
    """Return what a record was when it was planned, and what it is planned to be told."""
    return {
        "id": one.id,
        "entity": one.entity,
        "record": one.record,
        "stand": one.stand,
        "version": one.version,
        "writes": [{"platform": w.platform, "op": w.op.value, "values": w.values, "sent": w.sent} for w in one.writes],
        "conflicts": [name for name, _ in one.opened],
    }
