"""What waits for a person: conflicts, proposals, dead letters; what people did."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from syncd.core.model import Conflict, Op, Record
from syncd.core.space import Loose
from syncd.ledger import audit, config_texts, conflicts, letters, proposals, records
from syncd.ledger.conflicts import HOUR, Mark
from syncd.ledger.letters import Refusal
from syncd.ledger.proposals import Planned, Proposal
from syncd.ledger.schema import Database
from tests.ledger.builders import NOW, SECOND, conflict, keep, record, reload, shadow, space

THING = ("shop", "products", "77")


def again(db: Database, change: Any = None, *, now: int = NOW + SECOND, **did: Any) -> Record:
    """Decide record 1 once more: ``change`` does something to it."""
    working = space(now=now)
    loaded = records.load(db, working, records=[1])
    one = working.records[1]
    if change:
        change(one)
    working.touch(one)
    for name, value in did.items():
        getattr(working, name).extend(value)
    records.commit(db, working, loaded)
    return one


class TestConflicts:
    def test_a_new_one_gets_its_id_and_stays_with_the_record(self, db: Database) -> None:
        one = record(1, shadow(), conflicts={"price": conflict(proposal="16.00")})
        keep(db, one)
        assert one.conflicts["price"].id == 1
        assert reload(db, 1).records[1] == one
        [standing] = conflicts.standing(db)
        assert (standing.id, standing.entity, standing.record, standing.key) == (1, "product", 1, "SKU-1")
        assert (standing.field, standing.kind, standing.why) == ("price", "step", "jump 60% > 30%")
        assert (standing.values, standing.proposal) == ({"erp": "16.00", "shop": "10.00"}, "16.00")
        assert (standing.opened_at, standing.times_seen, standing.state) == (NOW, 1, "open")
        assert standing.history == (Mark(NOW, "opened"),)

    def test_the_same_conflict_decided_again_is_left_alone(self, db: Database) -> None:
        keep(db, record(1, shadow(), conflicts={"price": conflict()}))
        before = db.total_changes
        again(db)
        assert db.total_changes == before

    def test_another_value_updates_it_and_a_replaced_object_is_still_the_same(self, db: Database) -> None:
        keep(db, record(1, shadow(), conflicts={"price": conflict()}))
        one = again(db, lambda r: r.conflicts.update(price=conflict(values={"erp": "17.00"}, why="jump 70% > 30%")))
        assert one.conflicts["price"].id == 1
        [standing] = conflicts.standing(db)
        assert (standing.values, standing.why, standing.times_seen) == ({"erp": "17.00"}, "jump 70% > 30%", 2)
        assert standing.opened_at == NOW
        assert [m.what for m in standing.history] == ["opened", "other values"]

    def test_one_that_vanished_is_withdrawn(self, db: Database) -> None:
        keep(db, record(1, shadow(), conflicts={"price": conflict(), "name": conflict("name")}))
        again(db, lambda r: r.conflicts.pop("price"))
        closed = conflicts.get(db, 1)
        assert closed is not None
        assert (closed.state, closed.how, closed.closed_at) == ("closed", "withdrawn", NOW + SECOND)
        assert closed.history[-1] == Mark(NOW + SECOND, "closed: withdrawn")
        assert [c.field for c in conflicts.standing(db)] == ["name"]

    def test_one_that_a_person_resolved_says_how(self, db: Database) -> None:
        keep(db, record(1, shadow(), conflicts={"price": conflict()}))
        again(db, lambda r: r.conflicts.clear(), closed=[(1, "taken", "erp 16.00 by ana")])
        closed = conflicts.get(db, 1)
        assert closed is not None
        assert (closed.how, closed.detail) == ("taken", "erp 16.00 by ana")
        assert closed.history[-1].what == "closed: taken (erp 16.00 by ana)"

    def test_closed_and_opened_again_in_one_batch_is_a_new_one(self, db: Database) -> None:
        keep(db, record(1, shadow(), conflicts={"price": conflict()}))
        one = again(db, lambda r: r.conflicts.update(price=conflict(values={"erp": "1"})), closed=[(1, "kept", "")])
        assert one.conflicts["price"].id == 2
        assert [c.id for c in conflicts.standing(db)] == [2]

    def test_conflicts_of_one_cause_and_hour_are_a_group(self, db: Database) -> None:
        for number, at, name in ((1, 0, "price"), (2, HOUR - 1, "price"), (3, HOUR - 1, "name"), (4, 2 * HOUR, "price")):
            keep(db, record(number, conflicts={name: conflict(name)}), now=NOW + at)
        assert [(c.id, c.group, c.together) for c in conflicts.standing(db)] == [(1, 1, 2), (2, 1, 2), (3, 3, 1), (4, 4, 1)]
        assert [c.id for c in conflicts.standing(db, group=1)] == [1, 2]
        assert [c.id for c in conflicts.standing(db, record=3)] == [3]

    def test_a_thing_that_is_no_record_yet_has_one_until_it_is_settled(self, db: Database) -> None:
        keep(db, record(1), record(2))

        def hold(why: str, *candidates: int) -> Conflict:
            found = Conflict("", "identity", why, {"shop": "77"})
            working = space(now=NOW + 5)
            working.loose.append(Loose(THING, "product", found, candidates))
            records.commit(db, working, records.load(db, working))
            return found

        first = hold("ambiguous: 2 candidates", 1, 2)
        same = hold("ambiguous: 2 candidates", 1, 2)
        other = hold("ambiguous: 3 candidates", 1, 2, 3)
        assert first.id == same.id == other.id == 1
        [standing] = conflicts.standing(db)
        assert (standing.thing, standing.candidates, standing.record) == (THING, (1, 2, 3), None)
        assert (standing.why, standing.times_seen) == ("ambiguous: 3 candidates", 2)
        working = space(now=NOW + 9)
        working.settled.append(THING)
        records.commit(db, working, records.load(db, working))
        assert conflicts.standing(db) == []
        closed = conflicts.get(db, 1)
        assert closed is not None
        assert closed.how == "withdrawn"

    def test_marks_of_people(self, db: Database) -> None:
        keep(db, record(1, conflicts={"price": conflict()}))
        assert conflicts.snooze(db, 1, NOW + 50, by="ana", now=NOW)
        assert conflicts.assign(db, 1, "ben", by="ana", now=NOW)
        conflicts.note(db, 1, "asked the supplier", by="ben", now=NOW)
        [standing] = conflicts.standing(db)
        assert (standing.snoozed_until, standing.assignee) == (NOW + 50, "ben")
        assert conflicts.snooze(db, 1, None, by="ana", now=NOW)
        assert conflicts.assign(db, 1, None, by="ana", now=NOW)
        assert [(m.what, m.by) for m in conflicts.standing(db)[0].history[1:]] == [
            ("snoozed", "ana"),
            ("assigned to ben", "ana"),
            ("asked the supplier", "ben"),
            ("shown again", "ana"),
            ("assigned to nobody", "ana"),
        ]
        assert conflicts.close(db, 1, "kept", by="ana", now=NOW)
        for refused in (conflicts.close(db, 1, "kept", now=NOW), conflicts.snooze(db, 1, 5, by="a", now=NOW)):
            assert not refused
        assert not conflicts.assign(db, 1, "x", by="a", now=NOW)
        assert conflicts.get(db, 99) is None


class TestProposals:
    def propose(self, db: Database, *fields: tuple[str, Any], op: Op = Op.UPDATE, now: int = NOW) -> Proposal:
        planned = [Planned(name, name, "old", value) for name, value in fields]
        return proposals.propose(db, 1, "shop", op=op, fields=planned, why="owner erp", now=now)

    @pytest.fixture(autouse=True)
    def _record(self, db: Database) -> None:
        keep(db, record(1))

    def test_the_same_write_is_asked_for_once(self, db: Database) -> None:
        first = self.propose(db, ("price", Decimal("12.50")))
        assert (first.id, first.key, first.op, first.state, first.why) == (1, "SKU-1", Op.UPDATE, "open", "owner erp")
        assert first.fields == (Planned("price", "price", "old", Decimal("12.50")),)
        assert self.propose(db, ("price", Decimal("12.50")), now=NOW + 5) == first

    def test_another_value_is_asked_for_anew(self, db: Database) -> None:
        self.propose(db, ("price", "1"))
        assert self.propose(db, ("price", "2")).id == 2
        assert [(p.id, p.state) for p in proposals.in_state(db, "open", "obsolete")] == [(1, "obsolete"), (2, "open")]

    def test_an_approval_covers_what_was_approved_and_less_of_it(self, db: Database) -> None:
        self.propose(db, ("price", "1"), ("name", "Mug"))
        [approved] = proposals.decide(db, [1, 99], "approved", by="ana", note="fine", now=NOW + 1)
        assert approved.state == "open", "as it was"
        covering = self.propose(db, ("price", "1"))
        assert (covering.id, covering.state, covering.by, covering.note) == (1, "approved", "ana", "fine")
        assert self.propose(db, ("price", "1"), ("stock", 4)).state == "open"

    def test_what_was_rejected_is_not_asked_for_again(self, db: Database) -> None:
        self.propose(db, ("price", "1"))
        proposals.decide(db, [1], "rejected", by="ana", now=NOW)
        assert self.propose(db, ("price", "1")).state == "rejected"
        assert self.propose(db, ("price", "2")).state == "open"
        assert proposals.decide(db, [1], "approved", by="ana", now=NOW) == []

    def test_what_was_done_is_proposed_afresh_when_it_is_needed_again(self, db: Database) -> None:
        self.propose(db, ("price", "1"))
        proposals.decide(db, [1], "approved", by="ana", now=NOW)
        assert proposals.done(db, 1, "shop", now=NOW + 2) == 1
        assert proposals.done(db, 1, "shop", now=NOW + 2) == 0
        assert self.propose(db, ("price", "1")).id == 2

    def test_a_plan_with_nothing_to_say_withdraws_it(self, db: Database) -> None:
        self.propose(db, ("price", "1"))
        assert proposals.withdraw(db, 1, "shop", now=NOW) == 1
        assert proposals.in_state(db, "open") == []
        assert proposals.latest(db, 1, "erp") is None

    def test_an_operation_without_values_is_approved_as_such(self, db: Database) -> None:
        assert proposals.standing(db, [1, 2]) == set()
        gone = self.propose(db, op=Op.DELETE)
        assert proposals.standing(db, [1, 2]) == {(1, "shop")}
        assert self.propose(db, op=Op.DELETE) == gone
        assert gone.content == {("delete", "", "")}
        assert self.propose(db, ("price", "1")).id != gone.id

    def test_by_platform(self, db: Database) -> None:
        self.propose(db, ("price", "1"))
        assert len(proposals.in_state(db, "open", platform="shop")) == 1
        assert proposals.in_state(db, "open", platform="erp") == []


@dataclass(frozen=True)
class Broken:
    id: str | None = None
    where: str = "items.csv:7"
    reason: str = "not JSON"
    raw: str = "x" * 9000
    platform: str = "erp"
    collection: str = "items"


class TestLetters:
    def refused(self, number: int = 1, answer: str = "tag too long (255)", **more: Any) -> Refusal:
        return Refusal(number, "shop", Op.UPDATE, ("tags",), answer, status=422, **more)

    @pytest.fixture(autouse=True)
    def _records(self, db: Database) -> None:
        keep(db, *(record(n) for n in (1, 2, 3)))

    def test_a_refused_write_is_kept_with_its_cause(self, db: Database) -> None:
        assert letters.refuse(db, self.refused(body={"request": {"tags": "x"}}), NOW) == 1
        letter = letters.get(db, 1)
        assert letter is not None
        assert (letter.kind, letter.entity, letter.record, letter.key, letter.op) == ("write", "product", 1, "SKU-1", "update")
        assert (letter.what, letter.status, letter.answer) == ("update product.tags", 422, "tag too long (255)")
        assert letter.body == {"fields": ["tags"], "request": {"tags": "x"}}
        assert letters.get(db, 9) is None

    def test_one_record_has_one_open_letter_a_platform(self, db: Database) -> None:
        letters.refuse(db, self.refused(), NOW)
        assert letters.refuse(db, self.refused(answer="too long"), NOW + 5) == 1
        letter = letters.get(db, 1)
        assert letter is not None
        assert (letter.attempts, letter.answer, letter.first_at, letter.last_at) == (2, "too long", NOW, NOW + 5)

    def test_letters_with_one_cause_are_a_group(self, db: Database) -> None:
        for number in (1, 2):
            letters.refuse(db, self.refused(number), NOW + number)
        letters.refuse(db, self.refused(3, answer="no"), NOW)
        assert [(g.id, g.count, g.oldest_at, g.answer) for g in letters.groups(db)] == [
            (1, 2, NOW + 1, "tag too long (255)"),
            (3, 1, NOW, "no"),
        ]
        assert [one.record for one in letters.in_state(db, group=1)] == [1, 2]
        assert [one.record for one in letters.in_state(db, limit=1)] == [3]
        letters.refuse(db, self.refused(3), NOW + 9)
        assert [(g.id, g.count) for g in letters.groups(db)] == [(1, 3)]

    def test_it_closes_when_a_later_write_goes_through(self, db: Database) -> None:
        letters.refuse(db, self.refused(), NOW)
        assert letters.of_write(db, 1, "shop") == letters.get(db, 1)
        assert letters.close_write(db, 1, "shop", NOW + 1) == 1
        assert letters.of_write(db, 1, "shop") is None
        assert letters.close_write(db, 1, "shop", NOW + 1) == 0
        assert letters.in_state(db) == []

    def test_retried_and_refused_again_is_open_again(self, db: Database) -> None:
        letters.refuse(db, self.refused(), NOW)
        [before] = letters.set_state(db, [1, 77], "retried", note=None, now=NOW + 1)
        assert before.state == "open"
        assert letters.set_state(db, [1], "discarded", note=None, now=NOW) == []
        letters.refuse(db, self.refused(), NOW + 2)
        letter = letters.get(db, 1)
        assert letter is not None
        assert (letter.state, letter.attempts) == ("open", 2)

    def test_a_discarded_one_stays_in_the_ledger(self, db: Database) -> None:
        letters.refuse(db, self.refused(), NOW)
        letters.set_state(db, [1], "discarded", note="test data", now=NOW + 1)
        assert [(one.id, one.note) for one in letters.in_state(db, "discarded")] == [(1, "test data")]
        standing = letters.of_write(db, 1, "shop")
        assert standing is not None
        assert standing.state == "discarded"
        assert letters.refuse(db, self.refused(), NOW + 2) == 2

    def test_a_write_of_no_field_names_the_entity(self, db: Database) -> None:
        letters.refuse(db, Refusal(1, "shop", Op.DELETE, (), "403"), NOW)
        assert letters.groups(db)[0].what == "delete product"

    def test_what_cannot_be_decoded_is_kept_in_part_and_counted(self, db: Database) -> None:
        assert (
            letters.quarantine(db, [Broken("1"), Broken("2"), Broken(where="items.csv:8"), Broken(where="items.csv:9")], NOW)
            == 4
        )
        assert letters.quarantine(db, [Broken("1", where="elsewhere"), Broken(where="items.csv:8")], NOW) == 0
        assert len(letters.in_state(db)[0].body["raw"]) == 4000
        assert [one.attempts for one in letters.in_state(db)] == [2, 1, 2, 1]

    def test_a_flood_of_forged_webhooks_is_one_letter(self, db: Database) -> None:
        for _ in range(50):
            letters.refuse_hook(db, "shop", "signature did not match", status=401, now=NOW)
        [letter] = letters.in_state(db)
        assert (letter.kind, letter.what, letter.attempts, letter.status) == ("hook", "webhook from shop", 50, 401)


def test_acts_are_kept_newest_first(db: Database) -> None:
    audit.add(db, "ana", "pause", {"platform": "shop"}, now=NOW)
    audit.add(db, "ben", "reload", now=NOW + 1)
    assert [(a.who, a.what, a.detail, a.at) for a in audit.recent(db)] == [
        ("ben", "reload", {}, NOW + 1),
        ("ana", "pause", {"platform": "shop"}, NOW),
    ]


def test_config_texts_are_kept_once_by_sha(db: Database) -> None:
    assert config_texts.keep(db, "4f1c9e2", {"syncd.yaml": "version: 1\n"}, NOW)
    assert not config_texts.keep(db, "4f1c9e2", {"syncd.yaml": "other"}, NOW)
    assert config_texts.get(db, "4f1c9e2") == {"syncd.yaml": "version: 1\n"}
    assert config_texts.get(db, "unknown") is None
