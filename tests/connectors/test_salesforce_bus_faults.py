"""What breaks on the way from the event bus: streams, tokens, schemas, events, reads."""

import asyncio
import gc
from typing import Any

import grpc
import pytest

from syncd.errors import PermanentError, TransientError
from tests.connectors.salesforce_feed import following
from tests.emulators.salesforce.bus import Bus
from tests.emulators.salesforce.objects import Field
from tests.emulators.salesforce.server import Fault


async def test_a_stream_killed_in_the_middle_loses_and_repeats_nothing():
    async with following(turned={"size": 7, "break_after": 25}) as world:
        world.follow()
        await world.at_rest()
        several = [world.person(number) for number in range(60)]
        await world.until(lambda: all(world.last(one) for one in several))
        events = [change.event_id for change in world.changes if change.event_id]
        assert len(events) == len(set(events))
        assert [one.preset for one in world.bus.subscriptions] == [0, 2]


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.ABORTED])
async def test_a_stream_that_breaks_now_and_then_is_opened_again(code: Any):
    async with following() as world:
        one = world.person(1)
        world.follow()
        for number in range(3):
            await world.at_rest()
            world.bus.kill(code)
            await world.until(lambda: not world.bus.open)
            world.salesforce.org.update("Contact", one, {"Phone": str(number)})
            await world.until(lambda number=number: world.shows(one, "Phone", str(number)))


async def test_a_bus_that_is_not_there_is_the_platforms_trouble(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("syncd.connectors.salesforce.feed.FIRST", 0.001)
    async with following(feed={"address": "127.0.0.1:1"}) as world:
        with pytest.raises(TransientError, match="UNAVAILABLE") as failed:
            async for _ in world.connector.changes("contacts", None):
                pass
        assert not failed.value.about_record


async def test_a_token_that_ends_in_mid_run_is_renewed_once():
    async with following() as world:
        one = world.person(1)
        world.follow()
        await world.at_rest()
        logins = world.salesforce.logins
        world.salesforce.expire()
        world.bus.poke()
        await world.until(lambda: len(world.bus.subscriptions) == 2)
        world.salesforce.org.update("Contact", one, {"Phone": "later"})
        await world.until(lambda: world.shows(one, "Phone", "later"))
        assert world.salesforce.logins == logins + 1


async def test_a_login_that_the_bus_never_takes_is_a_login_problem(monkeypatch: pytest.MonkeyPatch):
    async with following() as world:
        monkeypatch.setattr(type(world.bus), "let_in", strange)
        with pytest.raises(TransientError, match=r"^login: .*UNAUTHENTICATED"):
            async for _ in world.connector.changes("contacts", None):
                pass
        assert world.salesforce.logins == 2


async def test_a_missing_right_is_a_login_problem():
    async with following() as world:
        world.follow()
        await world.at_rest()
        world.bus.kill(grpc.StatusCode.PERMISSION_DENIED, "no access")
        with pytest.raises(TransientError, match=r"^login: .*no access"):
            await world.until(lambda: False)


async def test_a_used_up_limit_pauses_the_platform():
    async with following() as world:
        world.follow()
        await world.at_rest()
        world.bus.kill(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many events today")
        with pytest.raises(TransientError) as failed:
            await world.until(lambda: False)
        assert failed.value.retry_after


async def test_a_channel_that_is_not_there_says_where_to_look():
    async with following(feed={"channel": "/data/NoSuchChangeEvent"}) as world:
        with pytest.raises(PermanentError, match="Change Data Capture"):
            async for _ in world.connector.changes("contacts", None):
                pass


async def test_a_field_added_in_mid_run_brings_a_new_schema():
    async with following() as world:
        one = world.person(1)
        world.follow()
        await world.at_rest()
        world.salesforce.org.update("Contact", one, {"Phone": "1"})
        await world.until(lambda: world.shows(one, "Phone", "1"))
        org = world.salesforce.org
        org.objects["Contact"] = org.objects["Contact"].extended(Field("Aaa__c"))
        org.update("Contact", one, {"Phone": "2", "Aaa__c": "new"})
        await world.until(lambda: world.shows(one, "Phone", "2"))
        assert len(set(world.bus.schema_calls)) == len(world.bus.schema_calls) == 2


async def test_a_schema_that_is_not_to_be_had_for_once_is_asked_for_again():
    async with following(turned={"schema_faults": 1}) as world:
        world.follow()
        await world.at_rest()
        one = world.person(1)
        await world.until(lambda: world.shows(one, "LastName", "Name 1"))


async def test_a_schema_that_is_never_to_be_had_is_the_platforms_trouble(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("syncd.connectors.salesforce.feed.FIRST", 0.001)
    async with following() as world:
        world.follow()
        await world.at_rest()
        cursor = world.cursor
        world.bus.schema_faults = 99
        world.person(1)
        with pytest.raises(TransientError, match="GetSchema"):
            await world.until(lambda: False)
        assert world.cursor == cursor or not world.changes


async def test_an_event_that_cannot_be_read_is_told_and_made_up_for():
    async with following() as world:
        one = world.person(1)
        world.follow()
        await world.at_rest()
        world.bus.garbage = 1
        world.salesforce.org.update("Contact", one, {"Phone": "unread"})
        await world.until(lambda: world.shows(one, "Phone", "unread"))
        broken = [one for batch in world.batches for one in batch.broken]
        assert len(broken) == 1
        assert broken[0].reason.startswith("event ")


async def test_a_read_that_fails_ends_the_feed_and_the_place_stays():
    async with following() as world:
        one = world.person(1)
        world.follow()
        await world.at_rest()
        cursor = world.cursor
        world.salesforce.faults.append(Fault(drop=True, times=9))
        world.salesforce.org.update("Contact", one, {"Phone": "read me"})
        with pytest.raises(TransientError):
            await world.until(lambda: False)
        world.salesforce.faults.clear()
        world.batches.clear()
        world.follow(cursor)
        await world.until(lambda: world.shows(one, "Phone", "read me"))


async def test_an_uncommitted_edit_is_told_when_it_is_committed():
    async with following() as world:
        one = world.person(1)
        world.follow()
        await world.at_rest()
        world.salesforce.org.held = True
        world.salesforce.org.update("Contact", one, {"Phone": "late"})
        await asyncio.sleep(0.1)
        assert not world.shows(one, "Phone", "late")
        world.salesforce.org.release()
        await world.until(lambda: world.shows(one, "Phone", "late"))


# ---- before anything runs


async def test_a_check_finds_a_channel_that_is_not_there_or_not_for_us(monkeypatch: pytest.MonkeyPatch):
    async with following() as world:
        assert (await world.connector.rights("contacts")).write
        world.bus.barred = True
        with pytest.raises(PermanentError, match="may not subscribe to /data/ContactChangeEvent"):
            await world.connector.rights("contacts")
        with monkeypatch.context() as patched:
            patched.setattr(type(world.bus), "let_in", strange)
            with pytest.raises(TransientError, match=r"^login: "):
                await world.connector.rights("contacts")
    async with following(feed={"channel": "/data/NoSuchChangeEvent"}) as world:
        with pytest.raises(PermanentError, match=r"Change Data Capture"):
            await world.connector.rights("contacts")
    async with following(feed={"address": "127.0.0.1:1"}) as world:
        with pytest.raises(TransientError, match=r"^event bus 127\.0\.0\.1:1"):
            await world.connector.rights("contacts")


async def strange(bus: Bus, context: Any) -> None:
    await bus.refuse(context, grpc.StatusCode.UNAUTHENTICATED, "", "who are you")


async def test_a_feed_that_its_daemon_reopens_lets_go_of_the_old_stream():
    """Also while the daemon is busy with what it was given."""
    async with following() as world:
        world.follow()
        await world.at_rest()
        world.hold.clear()
        world.person(1)
        await world.until(lambda: bool(world.changes))
        await world.stop()
        gc.collect()
        await world.until(lambda: not world.bus.open)
        world.follow(world.cursor)
        await world.at_rest()
        assert len(world.bus.open) == 1
