"""``syncd reconcile``: the drift report, and its repair.

Without repair nothing changes but the tables that keep reports. With it the readings go through the inbox like any other.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from syncd.daemon.compare import Found, Spot
from syncd.daemon.events import Event, say
from syncd.daemon.look import read_things
from syncd.daemon.publish import publish
from syncd.daemon.runtime import Runtime
from syncd.daemon.scan import Scan, scan, settled
from syncd.daemon.witness import Line, Witness, waiting_lines
from syncd.errors import LedgerLocked
from syncd.ledger import drift, inbox, meta, outbox, tallies
from syncd.ledger.schema import Database
from syncd.reports.drift import FIXABLE, Scope, assemble
from syncd.reports.envelope import Origin
from syncd.reports.figures import stamp

Request = Mapping[str, Any]
Progress = Callable[[dict[str, Any]], None]
Finish = Callable[[set[int]], Awaitable[None]]
REFUSED = 5  # exit code: mode observe refused every write


async def report_drift(runtime: Runtime, request: Request, progress: Progress, finish: Finish) -> dict[str, Any]:
    """Read all platforms, store and return the report; with ``fix`` repair what it shows. Raises LedgerLocked if one runs."""
    if runtime.reporting.locked():
        raise LedgerLocked("a reconcile is already running")
    async with runtime.reporting:
        spots = spots_of(runtime, request)
        found = await scan(runtime, spots, lambda text: progress({"text": text}))
        found.found = await settled(runtime, found.found, spots, runtime.config.settle)
        document = await kept(runtime, request, spots, found)
        if is_whole(request):
            await publish(runtime, document)
        answer: dict[str, Any] = {"report": document, "exit": 0, "lines": []}
        if request.get("fix"):
            answer |= await fixed(runtime, request, found, finish)
        return answer


def is_whole(request: Request) -> bool:
    """Return whether a report is about everything."""
    return not any(request.get(scope) for scope in ("entities", "platforms", "fields"))


def spots_of(runtime: Runtime, request: Request) -> list[Spot]:
    """Return the collections in the scope of a request."""
    entities, platforms = set(request.get("entities") or ()), set(request.get("platforms") or ())
    fields = frozenset(request.get("fields") or ())
    found = []
    for entity in runtime.rules.entities.values():
        for member in entity.members.values():
            if (entities and entity.name not in entities) or (platforms and member.platform not in platforms):
                continue
            if fields and not any(name in entity.fields for name in fields):
                continue
            part = runtime.parts[member.platform].platform
            quiet = (part.write.quiet_hours, runtime.config.timezone)
            found.append(Spot(member.platform, member.collection, fields, runtime.config.settle, quiet))
    return found


async def kept(runtime: Runtime, request: Request, spots: Sequence[Spot], found: Scan) -> dict[str, Any]:
    """Store the report with what was seen before of each difference, and return its document."""
    scope = await scope_of(runtime, request, spots, found)
    origin = Origin(runtime.now(), runtime.config.environment, runtime.config.sha)
    covered = covering(runtime, spots, found)
    rows = [one.row for one in found.found]
    document = await runtime.store.write(keep, rows, scope, origin, covered, complete=not found.failed)
    totals = document["totals"]
    text = f"drift report {document['id']}: {totals['out_of_sync']} of {totals['records']} records differ"
    counts = {name: totals[name] for name in ("out_of_sync", "records")}
    say(Event.REPORT_DONE, text, report=document["id"], complete=document["complete"], **counts)
    return document


async def scope_of(runtime: Runtime, request: Request, spots: Sequence[Spot], found: Scan) -> Scope:
    """Return what the report looked at."""
    counts = await runtime.store.read(tallies.records)
    entities = {e.name: e for s in spots if (e := runtime.entity_of(s.platform, s.collection)) is not None}
    names = set(request.get("fields") or ())
    fields = {name: [f for f in entity.fields if not names or f in names] for name, entity in entities.items()}
    asked = list(dict.fromkeys(spot.platform for spot in spots))
    return Scope({name: counts.get(name, 0) for name in entities}, asked, found.failed, fields)


def covering(runtime: Runtime, spots: Sequence[Spot], found: Scan) -> Callable[[drift.Spot], bool]:
    """Return whether a difference of an earlier report would have been found by this one, were it still there."""
    seen = {
        (entity.name, spot.platform): spot.fields
        for spot in spots
        if spot.platform not in found.failed and (entity := runtime.entity_of(spot.platform, spot.collection)) is not None
    }

    def covered(spot: drift.Spot) -> bool:
        fields = seen.get((spot.entity, spot.platform))
        return fields is not None and (not fields or spot.field in fields)

    return covered


def keep(
    db: Database,
    rows: Sequence[dict[str, Any]],
    scope: Scope,
    origin: Origin,
    covered: Callable[[drift.Spot], bool],
    *,
    complete: bool,
) -> dict[str, Any]:
    """Number the report, note its differences, and store it."""
    number, last = drift.new_id(db, origin.now), drift.last(db)
    spots = [(drift.Spot(row["entity"], row["record"], row["field"], row["platform"]), row["why"]) for row in rows]
    noted = drift.note(db, number, spots, covered=covered, now=origin.now)
    for row, sighting in zip(rows, noted.sightings, strict=True):
        row |= {"first_seen": stamp(sighting.first_seen), "times_seen": sighting.times_seen}
    previous = last.document if last else None
    document = assemble(number, rows, scope, origin=origin, gone=noted.gone, previous=previous)
    drift.keep(db, drift.Report(number, origin.now, complete, origin.config_sha or "", document))
    return document


# ---- repair


async def fixed(runtime: Runtime, request: Request, found: Scan, finish: Finish) -> dict[str, Any]:
    """Put right what the report shows; return a line per write and the exit code."""
    causes = set(request.get("why") or FIXABLE) & set(FIXABLE)
    wanted = [one for one in found.found if one.why.value in causes]
    witness = Witness({one.record for one in wanted if one.record is not None})
    runtime.witnesses.add(witness)
    try:
        await take_in(runtime, wanted)
        await finish(witness.records or set())
    finally:
        runtime.witnesses.discard(witness)
    if not (found.failed or request.get("entities") or request.get("platforms") or request.get("why")):
        await trust_again(runtime)
    lines = list(witness.lines.values()) + await runtime.store.read(waiting_lines, witness) + refusals(wanted)
    observed = bool(wanted) and all(line["state"] == "refused" for line in lines)
    return {"lines": lines, "exit": witness.exit_code() or (REFUSED if observed and lines else 0)}


async def take_in(runtime: Runtime, wanted: Sequence[Found]) -> None:
    """Put the readings of differences into the inbox, read what was absent, and mark who is behind."""
    absent = [one.thing for one in wanted if one.look is None and one.thing is not None]
    looks = {(c.platform, c.collection, c.id): c for one in wanted if (c := one.look) is not None}
    looks |= {(c.platform, c.collection, c.id): c for c in await read_things(runtime, absent)}
    for look in looks.values():
        await runtime.store.write(inbox.add, look.platform, look.collection, [look], now=runtime.now())
    behind = sorted({(one.record, one.platform) for one in wanted if one.record is not None})
    await runtime.store.write(outbox.mark, behind, runtime.now())
    runtime.wake.set()
    runtime.wake_delivery()


async def trust_again(runtime: Runtime) -> None:
    """After a whole reconcile that a person asked to repair, a ledger that came back is trusted again."""
    if runtime.restored is not None:
        await runtime.store.write(meta.accept)
        runtime.restored = None
        runtime.rules = runtime.rules_of(runtime.config)


def refusals(wanted: Sequence[Found]) -> list[Line]:
    """Return a line for each difference that the mode observe leaves as it is."""
    return [
        {"state": "refused", "before": None, "after": None, "note": one.row["reason"]}
        | {key: one.row[key] for key in ("entity", "record", "platform", "field")}
        for one in wanted
        if one.row["action"] is None and "mode observe" in (one.row["reason"] or "")
    ]
