"""Every stored decision derived again from its recorded inputs, with the rules of its time, in the ledger's thread."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from syncd.config.folder import sha_of
from syncd.config.load import load_texts
from syncd.config.model import Kind
from syncd.core.rederive import rederive
from syncd.core.rules import Rules
from syncd.ledger import config_texts, history
from syncd.ledger.history import Decided
from syncd.ledger.schema import Database

BATCH = 1000
NO_TEXTS = "its config is not in the ledger any more"
OLDER = "stored by an older syncd, without all its inputs"
ALTERED = "it was altered after it was stored: its seal does not fit"
UNSEALED = "it was altered after it was stored: its seal is gone"
OTHER_TEXTS = "the texts of its config were altered after they were stored: they are not those of {}"
NO_RECORD = "its record is not in the ledger"


@dataclass(frozen=True, slots=True)
class Differing:
    """A decision that its inputs and rules do not give. ``why`` is for people."""

    decided: Decided
    entity: str
    record: str
    why: tuple[str, ...]


@dataclass(slots=True)
class Rederived:
    """What came of deriving again. ``skipped``: how many could not be, by (config sha, why)."""

    decisions: int = 0
    fields: int = 0
    strays: int = 0
    differing: list[Differing] = field(default_factory=list)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    sealed: bool = False  # one with a seal was seen: no later one is without


class PastRules:
    """The rules of each time, compiled again from the ledger's copy of their texts."""

    def __init__(self, db: Database, folder: str, kinds: Mapping[str, Kind]) -> None:
        self._db, self._folder, self._kinds = db, folder, kinds
        self._known: dict[str, tuple[Rules | None, str]] = {}
        self.altered: set[str] = set()  # configs whose texts are not those of their sha any more

    def of(self, sha: str) -> tuple[Rules | None, str]:
        """Return the rules of a config, or None and why there are none."""
        if sha not in self._known:
            self._known[sha] = self._compiled(sha)
        return self._known[sha]

    def _compiled(self, sha: str) -> tuple[Rules | None, str]:
        texts = config_texts.get(self._db, sha)
        if texts is None:
            return None, NO_TEXTS
        if sha_of(texts) != sha:
            self.altered.add(sha)
            return None, OTHER_TEXTS.format(sha)
        loaded = load_texts(self._folder, texts, self._kinds)
        if loaded.config is None:
            return None, f"this syncd does not take its config: {loaded.errors[0].text().splitlines()[0]}"
        return loaded.config.rules, ""


def rederive_all(
    db: Database, rules: PastRules, *, since: int = 0, progress: Callable[[int], None] = lambda _: None
) -> Rederived:
    """Derive every decision not before ``since`` again; ``progress`` is told how many are done."""
    found, last = Rederived(), 0
    while batch := history.every(db, since=since, after=last, limit=BATCH):
        names = history.names_of(db, {one.decision.record for one in batch})
        for one in batch:
            _derive(one, names, rules, found)
        last = batch[-1].id
        progress(found.decisions + found.skipped.total())
    return found


def _derive(one: Decided, names: Mapping[int, tuple[str, str]], rules: PastRules, found: Rederived) -> None:
    entity, key = names.get(one.decision.record, ("", str(one.decision.record)))
    past, problem = rules.of(one.config)
    why = _altered(one, entity, rules, sealed=found.sealed)
    found.sealed |= one.whole is not None
    if not why and (one.whole is None or past is None):
        found.skipped[one.config, OLDER if one.whole is None else problem] += 1
        return
    if not why and past is not None:
        known = past.entities.get(entity)
        why = [f"the rules of its time know no {entity}"] if known is None else rederive(known, one.decision)
    if why:
        found.differing.append(Differing(one, entity, key, tuple(why)))
    found.decisions += 1
    found.fields += len(one.decision.fields)
    found.strays += len(one.decision.strays)


def _altered(one: Decided, entity: str, rules: PastRules, *, sealed: bool) -> list[str]:
    """Return what shows that a decision, or what it stands on, is not as it was stored."""
    signs = (
        (one.whole is False, ALTERED),
        (one.whole is None and sealed, UNSEALED),
        (not entity, NO_RECORD),
        (one.config in rules.altered, OTHER_TEXTS.format(one.config)),
    )
    return [why for is_so, why in signs if is_so]
