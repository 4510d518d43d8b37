"""What changed: by delta links, by dates of all kinds, and gone on with where a round broke off."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from syncd.connectors.odata.feed import Mark
from syncd.connectors.protocol import Batch, Connector
from syncd.core.model import Change, Via
from syncd.errors import PermanentError, TransientError
from tests.connectors.odata_fake import V2, Fake, v2, v4

NOON = "Fri, 20 Nov 2026 12:00:00 GMT"
AT = {"changed_at": "at"}
POLL = {"poll": {"every": "1m", "overlap": "10s"}}
DELTA = POLL | {"delta": True}


async def told(connector: Connector, cursor: str | None = None) -> tuple[list[Change], str | None]:
    """Return all changes since a cursor, and the next one."""
    found: list[Change] = []
    async for batch in connector.changes("things", cursor):
        found += batch.changes
        cursor = batch.cursor if batch.cursor is not None else cursor
    return found, cursor


def micros(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


# ---- delta links


async def test_a_delta_link_is_the_cursor_and_tells_what_is_gone() -> None:
    fake = Fake()
    fake.say("GET /Things", v4({"id": "1", "name": "a"}, nextLink="Things2"))
    fake.say("GET /Things2", v4({"id": "2"}, deltaLink="{url}/Things?$deltatoken=t1"))
    async with fake.connected(collection=AT | {"page": 5}, watch=DELTA) as connector:
        found, cursor = await told(connector)
        assert [one.id for one in found] == ["1", "2"]
        assert fake.asked[-1].headers["Prefer"] == "odata.track-changes,odata.maxpagesize=5"
        assert "$top" not in fake.asked[-2].query
        assert Mark.parse(cursor).delta.endswith("/Things?$deltatoken=t1")
        fake.told.clear()
        gone: list[dict[str, Any]] = [
            {"@removed": {"reason": "deleted"}, "id": "1"},
            {"@removed": {"reason": "changed"}, "@id": "Things('2')", "id": None},
            {"@odata.context": "$metadata#Things/$deletedEntity", "id": "{url}/Things('4')"},
            {"@odata.context": "$metadata#Things/$deletedLink", "source": "Things('1')"},
            {"@removed": {}, "@id": "nowhere"},
        ]
        fake.say("GET /Things", v4({"id": "3", "name": "new"}, *gone, deltaLink="{url}/Things?$deltatoken=t2"))
        [batch] = [one async for one in connector.changes("things", cursor)]
        assert fake.asked[-1].query == {"$deltatoken": "t1"}
    seen = {one.id: (one.via, one.gone, one.left) for one in batch.changes}
    assert seen["3"] == (Via.READ, False, False)
    assert seen["1"] == (Via.EVENT, True, False)
    assert seen["2"] == (Via.EVENT, False, True)
    assert [one.reason for one in batch.broken] == ["a removed entry that names no thing"]
    assert Mark.parse(batch.cursor).delta.endswith("t2")


@pytest.mark.parametrize("status", [400, 404, 410])
async def test_a_link_that_is_forgotten_is_a_full_pass(status: int) -> None:
    fake = Fake()
    fake.say("GET /Old", {"error": {"code": "x", "message": "token expired"}}, status=status)
    fake.say("GET /Things", v4({"id": "1"}, deltaLink="{url}/New"))
    async with fake.connected(watch=DELTA) as connector:
        found, cursor = await told(connector, str(Mark(delta=f"{fake.url}/Old")))
    assert [one.id for one in found] == ["1"]
    assert Mark.parse(cursor).delta.endswith("/New")
    assert fake.lines() == ["GET /Old", "GET /Things"]


async def test_a_first_load_by_links_goes_on_where_it_broke_off() -> None:
    fake = Fake()
    fake.say("GET /Things", v4({"id": "1"}, nextLink="Things2"))
    fake.say("GET /Things2", status=500)
    fake.say("GET /Things2", v4({"id": "2"}, deltaLink="{url}/D"))
    async with fake.connected(watch=DELTA) as connector:
        feed = aiter(connector.changes("things", None))
        first = await anext(feed)
        with pytest.raises(TransientError):
            await anext(feed)
        found, cursor = await told(connector, first.cursor)
        assert [one.id for one in found] == ["2"]
        assert Mark.parse(cursor).delta.endswith("/D")


async def test_a_service_that_tracks_nothing_says_so() -> None:
    fake = Fake()
    fake.say("GET /Things", v4({"id": "1"}))
    async with fake.connected(watch=DELTA) as connector:
        with pytest.raises(PermanentError, match="Things gave no delta link, so it tracks no changes; write  watch:"):
            await told(connector)


async def test_version_2_has_its_own_links() -> None:
    fake = Fake(edmx=V2)
    fake.say("GET /Things", v2({"id": "1"}, __delta="{url}/Things?!deltatoken='a b'"))
    async with fake.connected(watch=DELTA) as connector:
        _, cursor = await told(connector)
        await told(connector, cursor)
    assert fake.asked[-1].query == {"!deltatoken": "'a b'"}


# ---- dates


async def test_a_poll_asks_from_its_cursor_less_the_overlap() -> None:
    fake = Fake()
    fake.say("GET /Things", v4({"id": "1", "at": "2026-11-20T11:00:00Z"}, {"id": "2", "at": None}), Date=NOON)
    fake.say("GET /Things", v4({"id": "3", "at": "2026-11-20T11:30:00.5Z"}), Date=NOON)
    fake.say("GET /Things", v4(), Date=NOON)
    async with fake.connected(collection=AT | {"filter": "name ne 'x'"}, watch=POLL) as connector:
        found, cursor = await told(connector)
        assert [(one.id, one.changed_at) for one in found] == [("1", micros("2026-11-20T11:00:00")), ("2", None)]
        assert fake.asked[-1].query["$filter"] == "name ne 'x'"
        found, cursor = await told(connector, cursor)
        assert fake.asked[-1].query["$filter"] == "(name ne 'x') and (at ge 2026-11-20T10:59:50Z)"
        assert Mark.parse(cursor).at == micros("2026-11-20T11:30:00") + 500_000
        assert await told(connector, cursor) == ([], cursor)


async def test_what_is_edited_while_a_round_runs_is_in_the_next_one() -> None:
    """The second page was changed after the round began: what was changed before it, on the first page, is not known yet."""
    fake = Fake()
    fake.say("GET /Things", v4({"id": "1", "at": "2026-11-20T11:00:00Z"}, nextLink="N"), Date=NOON)
    fake.say("GET /N", v4({"id": "2", "at": "2026-11-20T12:04:00Z"}), Date="Fri, 20 Nov 2026 12:05:00 GMT")
    async with fake.connected(collection=AT, watch=POLL) as connector:
        _, cursor = await told(connector)
    assert Mark.parse(cursor).at == micros("2026-11-20T12:00:00")


async def test_a_date_in_the_future_hides_nothing() -> None:
    fake = Fake()
    things = [{"id": "1", "at": "2026-11-20T11:00:00Z"}, {"id": "2", "at": "2036-11-20T11:00:00Z"}]
    fake.say("GET /Things", v4(*things), Date=NOON)
    async with fake.connected(collection=AT, watch=POLL) as connector:
        found, cursor = await told(connector)
    assert len(found) == 2
    assert Mark.parse(cursor).at == micros("2026-11-20T11:00:00")


async def test_a_first_load_by_keys_goes_on_behind_the_last_one() -> None:
    fake = Fake()
    fake.say("GET /Things", v4({"id": "O'N", "at": "2026-11-20T11:00:00Z"}, count=2), Date=NOON)
    fake.say("GET /Things", status=503, Retry_After="60")
    fake.say("GET /Things", v4({"id": "P", "at": "2026-11-20T10:00:00Z"}), Date="Fri, 20 Nov 2026 15:00:00 GMT")
    fake.say("GET /Things", v4(), Date="Fri, 20 Nov 2026 15:00:00 GMT")
    async with fake.connected(collection=AT | {"page": 1}, watch=POLL) as connector:
        feed = aiter(connector.changes("things", None))
        first: Batch = await anext(feed)
        with pytest.raises(TransientError):
            await anext(feed)
    async with fake.connected(collection=AT | {"page": 1}, watch=POLL) as connector:
        found, cursor = await told(connector, first.cursor)
    assert [one.id for one in found] == ["P"]
    asked = [one.query.get("$filter") for one in fake.asked if one.path == "/Things"]
    assert asked == [None, "id gt 'O''N'", "id gt 'O''N'", "id gt 'P'"]
    assert Mark.parse(cursor).at == micros("2026-11-20T11:00:00"), "the highest of both halves, not beyond the beginning"


async def test_a_place_that_the_service_forgot_begins_anew() -> None:
    fake = Fake()
    fake.say("GET /Gone", status=410)
    fake.say("GET /Things", v4({"id": "1", "at": "2026-11-20T11:00:00Z"}), Date=NOON)
    async with fake.connected(collection=AT, watch=POLL) as connector:
        cursor = Mark(at=micros("2026-11-20T09:00:00"), place=json.dumps({"link": f"{fake.url}/Gone", "seen": 3}), start=1)
        found, _ = await told(connector, str(cursor))
    assert [one.id for one in found] == ["1"]
    assert fake.asked[-1].query["$filter"] == "at ge 2026-11-20T08:59:50Z"


async def test_a_service_of_days_is_asked_by_days() -> None:
    """A bare day cannot be compared; it is no exact time either, unless the config says that it is one."""
    fake = Fake(edmx=V2)
    day = {"id": "1", "day": "/Date(1795132800000)/"}  # 2026-11-20
    fake.say("GET /Things", v2(day), Date=NOON)
    for shape, changed_at in ((None, None), ({"day": "date"}, micros("2026-11-20T00:00:00"))):
        async with fake.connected(collection={"changed_at": "day", "shape": shape}, watch=POLL) as connector:
            [first], cursor = await told(connector)
            assert first.changed_at == changed_at
            [again], _ = await told(connector, cursor)
            assert fake.asked[-1].query["$filter"] == "day ge datetime'2026-11-19T00:00:00'"
            assert again.id == "1"


async def test_a_day_and_a_time_in_two_properties_are_one_moment() -> None:
    fake = Fake(edmx=V2)
    early = {"id": "1", "day": "/Date(1795132800000)/", "clock": "PT08H00M00S"}
    late = {"id": "2", "day": "/Date(1795132800000)/", "clock": "PT10H00M00S"}
    fake.say("GET /Things", v2(early, late), Date=NOON)
    options = {"changed_at": "day", "changed_time": "clock"}
    async with fake.connected(collection=options, watch=POLL) as connector:
        found, cursor = await told(connector)
        assert [one.changed_at for one in found] == [micros("2026-11-20T08:00:00"), micros("2026-11-20T10:00:00")]
        found, _ = await told(connector, cursor)
        assert fake.asked[-1].query["$filter"] == "day ge datetime'2026-11-19T00:00:00'"
        assert [one.id for one in found] == ["2"], "what is before the cursor is left out here"


async def test_a_cursor_of_the_other_way_is_a_full_pass() -> None:
    fake = Fake()
    fake.say("GET /Things", v4({"id": "1", "at": "2026-11-20T11:00:00Z"}, deltaLink="{url}/D"), Date=NOON)
    async with fake.connected(collection=AT, watch=DELTA) as connector:
        await told(connector, str(Mark(at=5, place='{"after": "x", "seen": 1}', start=5)))
        assert "$filter" not in fake.asked[-1].query
    async with fake.connected(collection=AT, watch=POLL) as connector:
        await told(connector, str(Mark(delta=f"{fake.url}/D", place='{"link": "x", "seen": 1}')))
        assert "$filter" not in fake.asked[-1].query
        with pytest.raises(PermanentError, match="not a cursor of a poll: nonsense"):
            await told(connector, "nonsense")


async def test_an_empty_collection_is_asked_for_whole_again() -> None:
    fake = Fake()
    fake.say("GET /Things", v4(), Date=NOON)
    async with fake.connected(collection=AT, watch=POLL) as connector:
        assert await told(connector) == ([], None)


async def test_without_a_date_there_is_no_poll() -> None:
    fake = Fake()
    async with fake.connected() as connector:
        with pytest.raises(PermanentError, match="nothing to poll by, it is only swept; write changed_at"):
            await told(connector)
