"""Change events over the event bus: hints that are read back, places in the stream, and what happens when it breaks."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from syncd.connectors.protocol import Batch
from syncd.connectors.times import parse_time
from syncd.core.model import Via
from tests.connectors.salesforce_feed import Followed, following
from tests.emulators.salesforce.bus import EVERYTHING, replay_of
from tests.emulators.salesforce.org import OTHER_USER, USER_ID, Who
from tests.emulators.salesforce.server import Fault

OURS = Who(USER_ID, "com/salesforce/api/rest/67.0;client=syncd")
THEIRS = Who(OTHER_USER, "com/salesforce/api/rest/67.0;client=dataloader")


def micros(world: Followed, native_id: str) -> int:
    found = parse_time(world.salesforce.org.table("Contact")[native_id].now["SystemModstamp"])
    assert found is not None
    return found


def swept(world: Followed) -> list[Batch]:
    return [one for one in world.batches if one.sweep]


# ---- what events say


async def test_an_edit_is_read_back_as_it_is_now():
    async with following() as world:
        one = world.person(1)
        world.follow()
        await world.at_rest()
        world.salesforce.org.update("Contact", one, {"Phone": "1", "LastName": "New"})
        await world.until(lambda: world.shows(one, "Phone", "1"))
        last = world.last(one)
        assert last is not None
        assert (last.via, last.own, last.by, last.changed_at) == (Via.READ, None, OTHER_USER, micros(world, one))
        assert last.item is not None
        assert last.item["LastName"] == "New"  # the event has only what changed; the look has it all
        assert last.event_id


async def test_records_come_are_deleted_and_come_back():
    async with following() as world:
        world.follow()
        await world.at_rest()
        one = world.person(1)
        await world.until(lambda: world.shows(one, "ERP_Number__c", "E-1"))
        world.salesforce.org.delete("Contact", one)
        await world.until(lambda: (last := world.last(one)) is not None and last.gone)
        world.salesforce.org.undelete("Contact", one)
        await world.until(lambda: world.shows(one, "ERP_Number__c", "E-1"))


async def test_one_that_lost_a_merge_names_the_winner():
    async with following() as world:
        winner, loser = world.person(1), world.person(2)
        world.follow()
        await world.at_rest()
        world.salesforce.org.merge("Contact", winner, loser, values={"Phone": "7"})
        await world.until(lambda: world.shows(winner, "Phone", "7"))
        await world.until(lambda: (last := world.last(loser)) is not None and last.gone)
        last = world.last(loser)
        assert last is not None
        assert last.merged_into == winner


async def test_an_event_of_several_records_is_one_read():
    async with following() as world:
        several = [world.person(number) for number in range(5)]
        world.follow()
        await world.at_rest()
        before = len(world.salesforce.requests)
        with world.salesforce.org.transaction():
            for one in several:
                world.salesforce.org.update("Contact", one, {"Phone": "5"})
        assert world.salesforce.org.events[-1].ids == several
        await world.until(lambda: all(world.shows(one, "Phone", "5") for one in several))
        assert len(world.salesforce.requests) - before == 1
        assert len({one.event_id for one in world.changes[-5:]}) == 1


async def test_many_edits_of_one_record_are_one_look():
    async with following() as world:
        one = world.person(1)
        world.follow()
        await world.at_rest()
        looks = len(world.changes)
        for number in range(20):
            world.salesforce.org.update("Contact", one, {"Phone": str(number)})
        await world.until(lambda: world.shows(one, "Phone", "19"))
        assert len(world.changes) == looks + 1


async def test_our_own_edit_is_known_by_the_client_tag():
    async with following() as world:
        one = world.person(1)
        world.follow()
        await world.at_rest()
        world.salesforce.org.update("Contact", one, {"Phone": "ours"}, OURS)
        await world.until(lambda: world.shows(one, "Phone", "ours"))
        last = world.last(one)
        assert last is not None
        assert (last.own, last.by) == ("", USER_ID)


async def test_fields_have_the_times_of_their_own_edits():
    async with following() as world:
        one = world.person(1)
        world.follow()
        await world.at_rest()
        world.salesforce.org.update("Contact", one, {"Phone": "1"})
        first = micros(world, one)
        world.salesforce.org.clock = lambda: datetime.now(UTC) + timedelta(milliseconds=20)
        world.salesforce.org.update("Contact", one, {"FirstName": "Ann", "MailingCity": "Ulm"})
        await world.until(lambda: world.shows(one, "FirstName", "Ann"))
        last = world.last(one)
        assert last is not None
        assert last.times is not None
        assert last.times["Phone"] == first
        assert last.times["FirstName"] == last.times["MailingCity"] == micros(world, one) > first


async def test_another_clients_edit_by_the_same_user_is_not_ours():
    async with following() as world:
        one = world.person(1)
        world.follow()
        await world.at_rest()
        world.salesforce.org.update("Contact", one, {"Phone": "x"}, Who(USER_ID, THEIRS.origin))
        await world.until(lambda: world.shows(one, "Phone", "x"))
        last = world.last(one)
        assert last is not None
        assert last.own is None


async def test_ours_mixed_with_a_persons_is_nobodys():
    """Both edits come before the look: it shows the person's too, so it is not ours."""
    async with following() as world:
        one = world.person(1)
        world.follow()
        await world.at_rest()
        world.salesforce.org.update("Contact", one, {"Email": "a@b.example"})
        world.salesforce.org.update("Contact", one, {"Phone": "ours"}, OURS)
        await world.until(lambda: world.shows(one, "Phone", "ours"))
        assert [change.own for change in world.changes if change.id == one and change.event_id] == [None]


async def test_a_look_that_shows_a_later_edit_is_not_ours():
    """The person's edit is committed between our event and the look that it asks for."""
    async with following() as world:
        one = world.person(1)
        world.follow()
        await world.at_rest()
        world.salesforce.faults.append(Fault(fits=lambda asked: "LastName" in asked.query, delay=0.3))
        world.salesforce.org.update("Contact", one, {"Phone": "ours"}, OURS)
        await asyncio.sleep(0.1)
        world.salesforce.org.update("Contact", one, {"LastName": "Theirs"})
        await world.until(lambda: world.shows(one, "LastName", "Theirs"))
        assert all(change.own is None for change in world.changes if change.event_id)


async def test_events_of_other_objects_on_a_wide_channel_are_passed_over():
    async with following(feed={"channel": EVERYTHING}) as world:
        world.follow()
        await world.at_rest()
        world.salesforce.org.create("Account", {"Name": "Acme"})
        one = world.person(1)
        await world.until(lambda: world.shows(one, "LastName", "Name 1"))
        assert {change.id for change in world.changes} == {one}


# ---- gaps


@pytest.mark.parametrize("kind", ["GAP_CREATE", "GAP_UPDATE", "GAP_UNDELETE"])
async def test_records_under_a_gap_are_read_again(kind: str):
    async with following() as world:
        one = world.person(1)
        world.follow()
        await world.at_rest()
        org = world.salesforce.org
        org.listeners.remove(world.bus.heard)
        org.update("Contact", one, {"Phone": "under"}, OURS)
        org.events.clear()
        world.bus.log.clear()
        org.listeners.append(world.bus.heard)
        org.say(org.event("Contact", [one], kind, origin=OURS.origin))
        org.say(org.event("Contact", [one], kind, origin=OURS.origin))
        await world.until(lambda: world.shows(one, "Phone", "under"))
        assert world.changes[-1].own is None


async def test_a_record_under_a_gap_may_be_gone():
    async with following() as world:
        one = world.person(1)
        world.follow()
        await world.at_rest()
        org = world.salesforce.org
        org.events.append(org.event("Account", [], "GAP_OVERFLOW"))  # what the deletion would have said
        world.bus.heard()
        org.delete("Contact", one)
        org.say(org.event("Contact", [one], "GAP_DELETE"))
        await world.until(lambda: (last := world.last(one)) is not None and last.gone)


@pytest.mark.parametrize(("kind", "ids"), [("GAP_OVERFLOW", ["000000000000000AAA"]), ("GAP_UPDATE", ["003*"])])
async def test_an_overflow_is_made_up_for_by_a_query(kind: str, ids: list[str]):
    async with following() as world:
        several = [world.person(number) for number in range(30)]
        world.follow()
        await world.at_rest()
        org = world.salesforce.org
        silent = world.bus.heard
        org.listeners.remove(silent)
        for one in several:
            org.update("Contact", one, {"Phone": "all"})
        gone = several.pop()
        org.delete("Contact", gone)
        del org.events[len(world.bus.log) :]
        org.listeners.append(silent)
        world.batches.clear()
        org.say(org.event("Contact", ids, kind))
        await world.until(lambda: all(world.shows(one, "Phone", "all") for one in several))
        await world.until(lambda: (last := world.last(gone)) is not None and last.gone)
        await world.until(lambda: world.cursor is not None)
        moved = [batch.cursor is not None for batch in world.batches]
        assert moved[moved.index(True) - 1 :: -1].count(True) == 0  # the place moves only behind all of it


# ---- the place in the stream


async def test_it_goes_on_where_the_ledger_stopped():
    async with following() as world:
        one, two = world.person(1), world.person(2)
        world.follow()
        await world.at_rest()
        cursor = world.cursor
        await world.stop()
        world.salesforce.org.update("Contact", one, {"Phone": "while away"})
        world.batches.clear()
        world.follow(cursor)
        await world.until(lambda: world.shows(one, "Phone", "while away"))
        assert world.last(two) is None
        begun = world.bus.subscriptions[-1]
        assert begun.preset == 2
        assert not swept(world)


@pytest.mark.parametrize("why", ["too old", "corrupted"])
async def test_a_place_that_the_bus_does_not_know_leads_to_a_query_and_a_sweep(why: str):
    async with following() as world:
        one = world.person(1)
        gone = world.person(2)
        world.follow()
        await world.at_rest()
        cursor = world.cursor
        await world.stop()
        world.salesforce.org.update("Contact", one, {"Phone": "missed"})
        world.salesforce.org.delete("Contact", gone)
        world.bus.forget()
        if why == "corrupted":
            assert cursor is not None
            cursor = cursor.replace(replay_of(world.bus.subscriptions[0].at).hex(), b"no place".hex())
        world.batches.clear()
        world.follow(cursor)
        await world.until(lambda: world.shows(one, "Phone", "missed"))
        await world.until(lambda: (last := world.last(gone)) is not None and last.gone)
        assert len(swept(world)) == 1
        await world.at_rest()
        world.salesforce.org.update("Contact", one, {"Phone": "again"})
        await world.until(lambda: world.shows(one, "Phone", "again"))
        assert len(swept(world)) == 1


async def test_an_edit_between_the_query_and_the_subscription_is_not_lost():
    """The bus takes the stream as open only after the edit; its first word makes the feed ask once more."""
    async with following(turned={"keepalive": 0.6}) as world:
        one = world.person(1)
        world.follow()
        await world.until(lambda: bool(world.bus.open))
        org = world.salesforce.org
        org.listeners.remove(world.bus.heard)
        org.update("Contact", one, {"Phone": "between"})  # no event of it reaches this stream
        org.events.pop()
        org.listeners.append(world.bus.heard)
        await world.until(lambda: world.shows(one, "Phone", "between"))


async def test_until_the_bus_has_answered_the_place_is_not_kept():
    async with following(turned={"keepalive": 30.0}) as world:
        world.follow()
        await world.until(lambda: bool(world.bus.open))
        await asyncio.sleep(0.1)
        assert not any("replay" in (batch.cursor or "") for batch in world.batches)


async def test_an_edit_before_the_first_answer_of_the_bus_is_found_after_a_restart():
    async with following(turned={"keepalive": 30.0}) as world:
        one = world.person(1)
        world.follow()
        await world.until(lambda: bool(world.bus.open))
        cursor = world.cursor
        await world.stop()
        world.salesforce.org.update("Contact", one, {"Phone": "while away"})
        world.batches.clear()
        world.follow(cursor)
        await world.until(lambda: world.shows(one, "Phone", "while away"))


async def test_replay_latest_does_not_go_back_but_asks():
    async with following(feed={"replay": "latest"}) as world:
        one = world.person(1)
        world.follow()
        await world.at_rest()
        cursor = world.cursor
        await world.stop()
        world.salesforce.org.update("Contact", one, {"Phone": "while away"})
        world.batches.clear()
        world.follow(cursor)
        await world.until(lambda: world.shows(one, "Phone", "while away"))
        assert world.bus.subscriptions[-1].preset == 0


async def test_with_a_poll_each_opening_asks_by_time_too():
    async with following(watch={"poll": {"every": "1m", "overlap": "5s"}}) as world:
        one = world.person(1)
        world.follow()
        await world.at_rest()
        cursor = world.cursor
        await world.stop()
        org = world.salesforce.org
        org.listeners.remove(world.bus.heard)
        org.update("Contact", one, {"Phone": "no event"})
        org.events.pop()
        org.listeners.append(world.bus.heard)
        world.batches.clear()
        world.follow(cursor)
        await world.until(lambda: world.shows(one, "Phone", "no event"))


async def test_a_polls_cursor_is_a_place_too():
    async with following() as world:
        one = world.person(1)
        world.follow('{"at":"2020-01-01T00:00:00.000Z","id":""}')
        await world.until(lambda: world.shows(one, "LastName", "Name 1"))


# ---- flow


async def test_no_more_is_asked_for_than_is_consumed():
    async with following(turned={"size": 10}) as world:
        world.follow()
        await world.at_rest()
        world.hold.clear()
        several = [world.person(number) for number in range(350)]
        await asyncio.sleep(0.3)
        stream = world.bus.subscriptions[-1]
        assert stream.sent <= 110
        assert sum(stream.requested) <= 110
        world.hold.set()
        await world.until(lambda: all(world.last(one) for one in several), seconds=20)
        await world.until(lambda: sum(stream.requested) == 100 + stream.sent)
        assert max(stream.requested) <= 100
