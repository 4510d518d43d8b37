"""One way in: stored with the cursor, known when it comes again, quarantined when it cannot be kept."""

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.core.model import Change, Via
from syncd.ledger import cursors, inbox, letters
from syncd.ledger.inbox import Added, Waiting
from syncd.ledger.schema import Database
from tests.ledger.builders import DAY, NOW, SECOND, change, take


@dataclass(frozen=True)
class Broken:
    platform: str = "erp"
    collection: str = "items"
    id: str | None = None
    where: str = "items.csv:7"
    reason: str = "five columns where four are named"
    raw: str = "1;2;3;4;5"


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
changes = st.builds(
    Change,
    platform=texts,
    collection=texts,
    id=texts,
    via=st.sampled_from(Via),
    as_of=st.integers(0, 2**60),
    seen_at=st.integers(0, 2**60),
    item=st.none() | st.dictionaries(texts, st.none() | texts | st.booleans() | st.integers(-9, 9) | st.just(Decimal("12.50"))),
    gone=st.booleans(),
    left=st.booleans(),
    version=st.none() | texts | st.integers(0, 2**60),
    changed_at=st.none() | st.integers(0, 2**60),
    times=st.none() | st.dictionaries(texts, st.integers(0, 2**60)),
    by=st.none() | texts,
    event_id=st.none() | st.uuids().map(str),
    own=st.none() | texts,
    merged_into=st.none() | texts,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(changes, max_size=4, unique_by=lambda c: c.event_id or id(c)))
def test_a_change_comes_out_as_it_went_in_and_oldest_first(db: Database, batch: list[Change]) -> None:
    db.execute("DELETE FROM inbox")
    inbox.add(db, "erp", "items", batch, now=NOW)
    waiting = inbox.pending(db, 100, now=NOW)
    assert [w.change for w in waiting] == batch
    inbox.finish(db, [w.id for w in waiting], now=NOW)
    assert inbox.pending(db, 100, now=NOW) == []


class TestAdd:
    def test_changes_and_cursor_together(self, db: Database) -> None:
        assert inbox.add(db, "erp", "items", [change("1"), change("2")], cursor="t7", now=NOW) == Added(2)
        assert cursors.position(db, "erp", "items") == "t7"
        assert cursors.feeds(db)[0].read_at == NOW

    def test_without_a_cursor_it_stays(self, db: Database) -> None:
        cursors.move(db, "erp", "items", "t6")
        inbox.add(db, "erp", "items", [change("1")], now=NOW)
        assert cursors.position(db, "erp", "items") == "t6"
        assert cursors.feeds(db)[0].read_at is None

    def test_a_poll_with_nothing_new_is_a_read_all_the_same(self, db: Database) -> None:
        assert inbox.add(db, "erp", "items", [], cursor="t7", now=NOW) == Added()
        assert cursors.feeds(db)[0].read_at == NOW

    def test_an_event_that_came_before_is_a_repeat_even_when_decided(self, db: Database) -> None:
        [first] = take(db, change("1", event_id="e1"))
        assert inbox.add(db, "erp", "items", [change("1", event_id="e1")], now=NOW) == Added(0, 1)
        inbox.finish(db, [first.id], now=NOW)
        assert inbox.add(db, "erp", "items", [change("1", event_id="e1"), change("1", event_id="e2")], now=NOW) == Added(1, 1)

    def test_event_ids_are_a_platforms_own(self, db: Database) -> None:
        take(db, change("1", event_id="e1"))
        assert inbox.add(db, "shop", "items", [change("1", platform="shop", event_id="e1")], now=NOW).stored == 1

    def test_a_decided_event_leaves_its_id_alone_and_that_for_fourteen_days(self, db: Database) -> None:
        [one] = take(db, change("1", event_id="e1"))
        inbox.finish(db, [one.id], now=NOW)
        assert db.execute("SELECT body, hash, done_us FROM inbox").fetchone() == (None, None, NOW)
        assert inbox.forget_events(db, NOW + 14 * DAY) == 0
        assert inbox.forget_events(db, NOW + 14 * DAY + 1) == 1
        assert inbox.add(db, "erp", "items", [change("1", event_id="e1")], now=NOW).stored == 1

    def test_a_decided_read_leaves_nothing(self, db: Database) -> None:
        [one] = take(db, change("1"))
        inbox.finish(db, [one.id], now=NOW)
        assert db.execute("SELECT count(*) FROM inbox").fetchone() == (0,)

    @pytest.mark.parametrize(
        "poison",
        [
            change("7", item={"name": "\ud800"}),
            change("7", item={"stock": 2**64}),
            change("7", item={"price": Decimal("NaN")}),
            change("\ud800"),
            change("a\0b"),
            change("7", event_id="\ud800"),
            change("7", version=2**63),
            change("7", changed_at=-(2**63) - 1),
        ],
    )
    def test_what_is_no_json_goes_to_quarantine_and_the_others_flow(self, db: Database, poison: Change) -> None:
        assert inbox.add(db, "erp", "items", [change("1"), poison, change("2")], now=NOW) == Added(2, 0, 1)
        [letter] = letters.in_state(db)
        assert (letter.kind, letter.platform, letter.what) == ("reading", "erp", "read items")
        assert letter.thing in ("7", None)

    def test_a_document_without_end_goes_to_quarantine(self, db: Database) -> None:
        endless: dict[str, object] = {}
        inner = endless
        for _ in range(2000):
            inner["x"] = inner = {}
        assert inbox.add(db, "erp", "items", [change("1", item=endless)], now=NOW) == Added(0, 0, 1)

    def test_broken_things_go_to_quarantine_once(self, db: Database) -> None:
        for _ in range(3):
            assert inbox.add(db, "erp", "items", [], broken=[Broken()], now=NOW).broken == 1
        [letter] = letters.in_state(db)
        assert (letter.place, letter.answer, letter.attempts) == ("items.csv:7", "five columns where four are named", 3)

    def test_a_quarantined_thing_is_released_by_a_good_reading(self, db: Database) -> None:
        inbox.add(db, "erp", "items", [], broken=[Broken(id="1"), Broken(id="2")], now=NOW)
        inbox.add(db, "erp", "items", [change("1")], now=NOW + 1)
        assert [letter.thing for letter in letters.in_state(db)] == ["2"]
        assert [(c.thing, c.note) for c in letters.in_state(db, "closed")] == [("1", "read again")]


class TestWaiting:
    def test_a_postponed_change_waits_and_the_rest_goes_on(self, db: Database) -> None:
        one, two = take(db, change("1"), change("2"))
        inbox.postpone(db, [one.id], NOW + 5 * SECOND, "an attempt is open")
        assert inbox.pending(db, 9, now=NOW) == [two]
        assert inbox.next_at(db, NOW) == NOW + 5 * SECOND
        assert inbox.pending(db, 9, now=NOW + 5 * SECOND) == [one, two]

    def test_released_by_platform_and_reason(self, db: Database) -> None:
        one, two = take(db, change("1"), change("2"))
        inbox.postpone(db, [one.id], NOW + DAY, "attempt")
        inbox.postpone(db, [two.id], NOW + DAY, "down")
        assert inbox.release(db, "shop") == 0
        assert inbox.release(db, "erp", "attempt") == 1
        assert inbox.pending(db, 9, now=NOW) == [one]
        assert inbox.release(db, "erp") == 1
        assert inbox.next_at(db, NOW) is None

    def test_a_limited_batch_starts_with_the_oldest(self, db: Database) -> None:
        waiting = take(db, *(change(str(n)) for n in range(5)))
        assert inbox.pending(db, 2, now=NOW) == waiting[:2]

    def test_depth_says_how_much_and_since_when(self, db: Database) -> None:
        assert inbox.depth(db) == inbox.Depth(0, None)
        take(db, change("1"))
        take(db, change("2"), now=NOW + 9)
        assert inbox.depth(db) == inbox.Depth(2, NOW)

    def test_an_observation_that_must_be_read_is_replaced_by_what_was_read(self, db: Database) -> None:
        [hint] = take(db, change("1", event_id="e1", item={"name": "?"}))
        read = change("1", as_of=9)
        assert inbox.replace(db, hint, [read, change("2", item={"x": "\ud800"})], now=NOW) == Added(1, 0, 1)
        [waiting] = inbox.pending(db, 9, now=NOW)
        assert isinstance(waiting, Waiting)
        assert waiting.change == read
        assert inbox.add(db, "erp", "items", [change("1", event_id="e1")], now=NOW) == Added(0, 1)
