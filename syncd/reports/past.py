"""A record as it was at a moment, put together from its versions, decisions, stray edits and writes."""

from collections.abc import Iterable, Sequence

from syncd.core.model import GoldenField, Known, Life, Record, Shadow, ShadowField, Value, Word
from syncd.core.space import Stray
from syncd.errors import SyncdError
from syncd.ledger import attempts, history, retention
from syncd.ledger.attempts import Tried
from syncd.ledger.history import Decided, Version
from syncd.ledger.schema import Database
from syncd.reports import figures

DONE = ("done", "assumed")


def record_at(db: Database, record: Record, at: int) -> tuple[Record, str]:
    """Return a record as it was, and the sha of the config that decided it last.

    Golden is that of its versions; what platforms held is what the decisions recorded, the stray edits and the writes since.
    Raises SyncdError if the ledger knew nothing of it then, or does not any more.
    """
    versions = history.versions(db, record.id, limit=100_000)
    kept = [one for one in versions if one.at <= at]
    refuse_thinned(db, record, at, versions)
    if not kept:
        first = f"its first version is of {figures.stamp(versions[-1].at)}" if versions else "it has no versions"
        raise SyncdError(f"{record.entity} {record.key} was not known at {figures.stamp(at)}; {first}")
    decided = history.decisions(db, record.id, until=at, limit=100_000)
    then = Record(record.id, record.entity, record.born, record.key, version=kept[0].version)
    then.shadows = {p: Shadow(p, s.collection, s.id) for p, s in record.shadows.items()}
    tried = [one for one in attempts.of_record(db, record.id, limit=10_000) if one.closed_at and one.closed_at <= at]
    for one in reversed(kept):
        _take_version(then, one)
    _take_words(then, decided, tried)
    then.shadows = {p: s for p, s in then.shadows.items() if s.fields}
    return then, decided[0].config if decided else ""


def refuse_thinned(db: Database, record: Record, at: int, versions: Sequence[Version]) -> None:
    """Raise SyncdError if versions of before a moment were thinned, so that nobody knows what held then."""
    thinned = retention.thinned_before(db)
    if thinned is None or at >= thinned:
        return
    later = min((one.version for one in versions if at < one.at < thinned), default=1)  # what is gone came before one of those
    if {one.version for one in versions if one.version < later} != set(range(1, later)):
        raise SyncdError(
            f"{record.entity} {record.key} at {figures.stamp(at)} is not known any more:"
            f" history before {figures.stamp(thinned)} was thinned (ledger.keep_history)"
        )


def _take_version(then: Record, version: Version) -> None:
    for step in version.fields:
        golden = GoldenField(step.after, version.at, version.at, step.who, version=version.version)
        then.golden[step.name] = golden


def _take_words(then: Record, decided: Iterable[Decided], tried: Iterable[Tried]) -> None:
    """Let what was said and written come again in its order."""
    said = [(one.decision.at, 0, one) for one in decided] + [(one.closed_at or 0, 1, one) for one in tried]
    for _, _, one in sorted(said, key=lambda word: word[:2]):
        if isinstance(one, Decided):
            _take_decision(then, one)
        elif one.outcome in DONE:
            _take_write(then, one)


def _take_decision(then: Record, decided: Decided) -> None:
    for change in decided.decision.fields:
        fold = change.given.get("fold")
        if fold:
            known = ShadowField(fold["value"], Known.OK, fold["value"], Word.OWN, decided.decision.at, decided.decision.at)
            _put(then, fold["platform"], change.name, known)
        for platform, vote in change.inputs.items():
            _put(then, platform, change.name, _known(vote, _own_part(then, change.name, vote["value"])))
        golden, winner = then.golden.get(change.name), change.inputs.get(change.who or "")
        if golden is not None and golden.value == change.after and winner:
            golden.lo, golden.hi = winner["lo"], winner["hi"]
    for stray in decided.decision.strays:
        _take_stray(then, stray)


def _own_part(then: Record, name: str, value: Value) -> Value:
    """Return a field's own part of a vote: a group votes with all its members, which are not told apart here."""
    golden = then.golden.get(name)
    return value if not (isinstance(value, list) and golden is not None and not isinstance(golden.value, list)) else None


def _known(vote: dict[str, Value], value: Value) -> ShadowField:
    state = Known.INVALID if vote["invalid"] else Known.NULL if vote["null"] else Known.OK
    word = Word.OWN if vote["own"] else Word.OURS
    return ShadowField(value, state, value, word, vote["lo"], vote["hi"], reason=vote.get("reason", ""))


def _take_stray(then: Record, stray: Stray) -> None:
    at = stray.changed_at or 0
    state = Known.NULL if stray.value is None else Known.OK
    _put(then, stray.platform, stray.field, ShadowField(stray.value, state, stray.value, Word.OWN, at, at, by=stray.by))


def _take_write(then: Record, tried: Tried) -> None:
    for name, value in tried.attempt.write.sent.items():
        golden = then.golden.get(name)
        times = (golden.lo, golden.hi) if golden else (0, 0)
        state = Known.NULL if value is None else Known.OK
        _put(then, tried.attempt.write.platform, name, ShadowField(value, state, value, Word.OURS, *times))


def _put(then: Record, platform: str, name: str, known: ShadowField) -> None:
    shadow = then.shadows.setdefault(platform, Shadow(platform, "", "", Life.ALIVE))
    shadow.fields[name] = known
