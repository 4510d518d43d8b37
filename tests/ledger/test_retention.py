"""What the keeping of history may take away, and what it must never take."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.core.model import Life, Op, Tombstone
from syncd.core.space import Decision, Stray
from syncd.ledger import attempts, breakers, config_texts, conflicts, drift, history, letters, proposals, records, retention
from syncd.ledger.between import between
from syncd.ledger.drift import Report
from syncd.ledger.letters import Refusal
from syncd.ledger.proposals import Planned
from syncd.ledger.schema import Database
from tests.ledger.builders import DAY, NOW, SECOND, conflict, decision, keep, record, reload, rules, shadow, space, write

STRAY = Stray("name", "shop", "Cup", NOW, "jo", "revert")


def forget(db: Database, before: int, *, now: int = NOW + 900 * DAY, **more: Any) -> int:
    gone, after = 0, 0
    while True:
        done = retention.thin(db, before=before, after=after, limit=1)
        gone += done.gone
        if done.last is None:
            break
        after = done.last
    while some := retention.forget_past(db, before=before, now=now, limit=1, **more):
        gone += some
    return gone


def as_of(db: Database, number: int, at: int) -> dict[str, Any]:
    """What golden was at a moment, by the versions that are there."""
    found: dict[str, Any] = {}
    for one in reversed(history.versions(db, number)):
        if one.at <= at:
            found |= {step.name: (step.after, one.version) for step in one.fields}
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.integers(0, 3), st.sets(st.sampled_from("abc"))), min_size=1, max_size=8),
    before=st.integers(0, 20),
    strays=st.lists(st.integers(0, 20), max_size=4),
)
def test_every_moment_that_is_kept_stays_whole(db: Database, steps: Any, before: int, strays: list[int]) -> None:
    number, at, made = (db.execute("SELECT coalesce(max(id), 0) + 1 FROM record").fetchone()[0], 0, [])
    for version, (pause, names) in enumerate(steps, 1):
        at += pause
        made.append(decision(number, version, at=NOW + at * DAY, **{name: f"{name}{version}" for name in names}))
    made += [Decision(number, len(steps), NOW + (at + n) * DAY, "read shop", strays=[STRAY]) for n in strays]
    keep(db, record(number, shadow(native=str(number)), key=f"K-{number}", version=len(steps)), decisions=made)
    moments = [NOW + day * DAY for day in range(before, 48)]
    was = [as_of(db, number, moment) for moment in moments]
    forget(db, NOW + before * DAY)
    assert [as_of(db, number, moment) for moment in moments] == was
    kept = history.decisions(db, number)
    assert {d.decision.version for d in kept} >= {v.version for v in history.versions(db, number)}
    assert all(one.whole for one in kept)
    assert sum(d.decision.at >= NOW + before * DAY for d in kept) == sum(d.at >= NOW + before * DAY for d in made)
    assert forget(db, NOW + before * DAY) == 0


def test_what_golden_rests_on_stays(db: Database) -> None:
    made = [decision(1, 1, at=NOW, name="Mug", price="1"), *(decision(1, n, at=NOW + n * DAY, price=str(n)) for n in (2, 3, 4))]
    keep(db, record(1, shadow(), version=4), decisions=made)
    assert forget(db, NOW + 100 * DAY) == 4
    assert [(v.version, [step.name for step in v.fields]) for v in history.versions(db, 1)] == [
        (4, ["price"]),
        (1, ["name", "price"]),
    ]
    assert [d.decision.version for d in history.decisions(db, 1)] == [4, 1]
    assert retention.thinned_before(db) == NOW + 100 * DAY
    assert forget(db, NOW + 50 * DAY) == 0
    assert retention.thinned_before(db) == NOW + 100 * DAY, "what is gone stays gone"


def test_what_is_open_stays_however_old(db: Database) -> None:
    keep(db, record(1, shadow(), conflicts={"price": conflict()}), record(2, shadow(native="2"), key="SKU-2"))
    sent = attempts.intend(db, write(2), epoch="e", as_of=1, raws={}, now=NOW, lifetime=1)
    attempts.close(db, sent.id, "refused", now=NOW)
    letters.refuse(db, Refusal(2, "shop", Op.UPDATE, (), "422"), NOW)
    proposals.propose(db, 1, "shop", op=Op.UPDATE, fields=[], why="", now=NOW)
    doubt = attempts.intend(db, write(1), epoch="e", as_of=2, raws={}, now=NOW, lifetime=1)
    drift.note(db, "r", [(drift.Spot("product", "SKU-1", "name", "shop"), "stray")], covered=lambda s: True, now=NOW)
    assert forget(db, NOW + 800 * DAY) == 0
    assert attempts.open_attempts(db) == [doubt]
    assert attempts.get(db, sent.id) is not None, "its letter shows it"
    assert conflicts.get(db, 1) is not None
    assert [d.spot.field for d in drift.standing(db)] == ["name"]


def test_a_refusal_stays_until_something_came_after_it(db: Database) -> None:
    keep(db, record(1, shadow()))
    letter = letters.refuse(db, Refusal(1, "shop", Op.UPDATE, ("name",), "422", body={"values": {"title": "Mug"}}), NOW)
    letters.set_state(db, [letter], "discarded", note="no", now=NOW)
    assert forget(db, NOW + 800 * DAY) == 0
    assert between(db, "shop", [1]).declined[1].values == {"title": "Mug"}
    again = letters.refuse(db, Refusal(1, "shop", Op.UPDATE, ("name",), "500"), NOW + DAY)
    letters.close_write(db, 1, "shop", NOW + DAY)
    assert forget(db, NOW + 800 * DAY) == 1
    assert again > letter
    assert between(db, "shop", [1]).declined == {}


def test_a_done_proposal_does_not_uncover_an_older_rejection(db: Database) -> None:
    keep(db, record(1, shadow()))
    first = proposals.propose(db, 1, "shop", op=Op.UPDATE, fields=[], why="", now=NOW)
    proposals.decide(db, [first.id], "rejected", by="ana", now=NOW)
    more = [Planned("name", "title", "Cup", "Mug")]
    assert proposals.propose(db, 1, "shop", op=Op.UPDATE, fields=more, why="", now=NOW).id != first.id
    proposals.withdraw(db, 1, "shop", now=NOW)
    was = between(db, "shop", [1]).declined
    forget(db, NOW + 800 * DAY)
    assert between(db, "shop", [1]).declined == was == {}


def test_tombstones_stay(db: Database) -> None:
    made = [decision(1, 1, name="Mug"), decision(1, 2, at=NOW + DAY, name="Cup")]
    tomb = Tombstone(1, NOW, "read by id", "erp")
    keep(db, record(1, shadow("erp", "1", life=Life.GONE), life=Life.GONE, tomb=tomb, version=2), decisions=made)
    assert forget(db, NOW + 800 * DAY) == 2
    assert reload(db, 1).records[1].tomb == tomb


def test_writes_that_a_limit_counts_stay(db: Database) -> None:
    keep(db, record(1, shadow()))
    now = NOW + 10 * DAY
    for at in (NOW, now - 30 * 60 * SECOND):
        sent = attempts.intend(db, write(1), epoch="e", as_of=at, raws={"name": "Cup"}, now=at, lifetime=1)
        attempts.close(db, sent.id, "done", now=at)
    assert forget(db, now, now=now, window=3600 * SECOND) == 1
    assert breakers.counts(db, "shop", "product", since=now - 3600 * SECOND).changes == 1


def test_config_texts_that_are_referred_to_or_held_then_stay(db: Database) -> None:
    for n, sha in enumerate(("running", "decided", "nobody", "reported", "held", "later")):
        config_texts.keep(db, sha, {"syncd.yaml": sha}, NOW + (n if sha != "later" else 2 * DAY))
    working = space(rules=rules(sha="decided"))
    working.decisions.append(decision(1, 1, name="Mug"))
    keep(db, record(1, shadow()))
    records.commit(db, working, records.load(db, working))
    drift.keep(db, Report("r-1", NOW, True, "reported", {}))
    assert retention.forget_configs(db, before=NOW + DAY, keep={"running"}) == 1
    assert config_texts.get(db, "nobody") is None


def test_the_decision_that_names_the_config_of_then_is_spared(db: Database) -> None:
    made = [decision(1, n, at=NOW + n * DAY, name=str(n)) for n in (1, 2, 3)]
    stray = Decision(1, 3, NOW + 4 * DAY, "read shop", strays=[STRAY])
    keep(db, record(1, shadow(), version=3), decisions=[*made, stray])
    before = NOW + 10 * DAY
    spare = retention.newest_before(db, before)
    assert spare == 4
    assert retention.thin(db, before=before, spare=spare).gone == 4
    assert [one.id for one in history.decisions(db, 1)] == [4, 3]


@pytest.mark.parametrize("old", [True, False])
def test_history_still_refuses_to_be_deleted_by_hand(db: Database, old: bool) -> None:
    keep(db, record(1, shadow(), version=2), decisions=[decision(1, 1, name="a"), decision(1, 2, name="b")])
    forget(db, NOW + DAY if old else NOW - DAY)
    with pytest.raises(Exception, match="append-only"):
        db.execute("DELETE FROM version")
