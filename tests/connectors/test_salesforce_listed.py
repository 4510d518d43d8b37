"""Changes by the lists of changed and deleted ids, for objects that no time stamp is asked of."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncd.connectors.body import decode
from syncd.connectors.protocol import Batch
from syncd.connectors.salesforce.kind import Salesforce as Connected
from syncd.core.model import Change
from syncd.errors import PermanentError, TransientError
from tests.connectors.salesforce_world import acme
from tests.connectors.test_salesforce_polled import attempts, polled
from tests.connectors.test_salesforce_sync import Company, company
from tests.daemon.test_serve import daemon
from tests.daemon.world import until
from tests.emulators.salesforce.server import Fault, Salesforce

__all__ = ["company"]  # the fixture

LISTED: dict[str, Any] = {"collection": {"changed_at": None}, "watch": {"poll": {"every": "1m", "overlap": "5s"}}}
DEFAULT: dict[str, Any] = {"watch": LISTED["watch"]}


def person(salesforce: Salesforce, number: int, **other: Any) -> str:
    return salesforce.org.create("Contact", {"LastName": f"Name {number}", "ERP_Number__c": f"E-{number}"} | other)


def unstamped(salesforce: Salesforce) -> None:
    salesforce.org.objects["Contact"] = salesforce.org.objects["Contact"].without("SystemModstamp")


async def told(connector: Connected, cursor: str | None = None) -> tuple[list[Change], str | None, bool]:
    """Return what a poll tells, its cursor, and whether it asks for a sweep."""
    batches: list[Batch] = [batch async for batch in connector.changes("contacts", cursor)]
    for batch in batches:
        cursor = batch.cursor or cursor
    return [one for batch in batches for one in batch.changes], cursor, any(batch.sweep for batch in batches)


def count(salesforce: Salesforce, word: str) -> int:
    return sum(word in one.path for one in salesforce.requests)


def ago(cursor: str | None, **time: float) -> str:
    """Return a cursor of an earlier time."""
    found = decode((cursor or "{}").encode())
    then = (datetime.now(UTC) - timedelta(**time)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return str({key: then for key in found if key != "id"}).replace("'", '"')


@pytest.mark.parametrize("stamped", [True, False])
async def test_edits_and_deletes_are_told_by_their_lists(*, stamped: bool) -> None:
    async with acme(**LISTED if stamped else DEFAULT) as (salesforce, connector):
        if not stamped:
            unstamped(salesforce)
        ids = [person(salesforce, number) for number in range(6)]
        found, cursor, _ = await told(connector)
        assert [one.id for one in found] == ids
        assert [one.changed_at for one in found] == [None] * 6
        cursor = ago(cursor, minutes=3)
        for one in ids[:5]:
            row = salesforce.org.table("Contact")[one].now
            row["SystemModstamp"] = "2026-01-01T00:00:00.000+0000"
        salesforce.org.update("Contact", ids[0], {"Phone": "1"})
        salesforce.org.delete("Contact", ids[1])
        salesforce.org.delete("Contact", ids[2])
        salesforce.org.purge("Contact", ids[2])
        salesforce.org.delete("Contact", ids[3])
        salesforce.org.undelete("Contact", ids[3])
        new = person(salesforce, 9)
        found, cursor, swept = await told(connector, cursor)
        by_id = {one.id: one.gone for one in found}
        assert by_id == {ids[0]: False, ids[1]: True, ids[2]: True, ids[3]: False, ids[5]: False, new: False}
        assert not swept
        assert (count(salesforce, "/updated/"), count(salesforce, "/deleted/")) == (1, 1)
        assert cursor is not None
        assert datetime.now(UTC).strftime("%Y-%m-%dT%H:%M") in cursor or datetime.now(UTC).second < 5, "latestDateCovered"


async def test_what_is_changed_is_read_in_parts_and_nothing_new_moves_little() -> None:
    async with acme(**LISTED) as (salesforce, connector):
        _, cursor, _ = await told(connector)
        for number in range(450):
            person(salesforce, number)
        salesforce.requests.clear()
        found, cursor, _ = await told(connector, cursor)
        assert len({one.id for one in found}) == 450
        assert count(salesforce, "/queryAll") == 3
        again, _, _ = await told(connector, cursor)
        assert {one.id for one in again} <= {one.id for one in found}


async def test_what_is_committed_late_is_seen_by_the_overlap() -> None:
    async with acme(**LISTED) as (salesforce, connector):
        _, cursor, _ = await told(connector)
        salesforce.org.held = True
        late = person(salesforce, 1)
        _, cursor, _ = await told(connector, cursor)
        salesforce.org.release()
        found, _, _ = await told(connector, cursor)
        assert [one.id for one in found] == [late]


async def test_a_first_pass_can_be_resumed_from_each_of_its_cursors() -> None:
    async with acme(**LISTED) as (salesforce, connector):
        salesforce.data.page = 3
        ids = [person(salesforce, number) for number in range(10)]
        seen: list[str] = []
        cursor: str | None = None
        for _ in range(20):
            feed = aiter(connector.changes("contacts", cursor))
            batch = await anext(feed)
            await feed.aclose()  # type: ignore[attr-defined]
            seen += [one.id for one in batch.changes]
            cursor = batch.cursor or cursor
            if '"at"' in str(cursor):
                break
        assert seen == ids
        edited = ids[0]
        salesforce.org.update("Contact", edited, {"Phone": "1"})
        found, _, _ = await told(connector, cursor)
        assert edited in [one.id for one in found], "the lists begin where the pass did"


@pytest.mark.parametrize("why", ["old", "too many", "less kept"])
async def test_a_place_that_the_lists_do_not_reach_leads_to_a_full_pass_and_a_sweep(why: str) -> None:
    async with acme(**LISTED) as (salesforce, connector):
        ids = [person(salesforce, number) for number in range(3)]
        _, cursor, _ = await told(connector)
        cursor = ago(cursor, days=31 if why == "old" else 20)
        if why == "too many":
            salesforce.data.listed = 2
        if why == "less kept":
            said = b'[{"errorCode": "INVALID_REPLICATION_DATE", "message": "startDate is too early"}]'
            salesforce.faults.append(Fault(lambda asked: "/deleted/" in asked.path, raw=said, status=400))
        found, cursor, swept = await told(connector, cursor)
        assert ([one.id for one in found], swept) == (ids, True)
        salesforce.data.listed = 9
        found, _, swept = await told(connector, cursor)
        assert not swept


async def test_a_list_that_is_none_moves_nothing_and_an_object_without_lists_is_named() -> None:
    async with acme(**LISTED) as (salesforce, connector):
        _, cursor, _ = await told(connector)
        person(salesforce, 1)
        for path in ("/updated/", "/deleted/"):
            salesforce.faults.append(Fault(lambda asked, path=path: path in asked.path, raw=b'{"ids": []}', status=200))
            with pytest.raises(TransientError, match="no list of"):
                await told(connector, cursor)
    async with acme(**DEFAULT) as (salesforce, connector):
        unstamped(salesforce)
        described = salesforce.org.objects["Contact"].described() | {"replicateable": False}
        org = salesforce.data
        answer = org.sobjects
        org.sobjects = lambda call: _described(answer(call), described)  # type: ignore[method-assign]
        with pytest.raises(PermanentError, match="keeps no list of its changes: take away poll"):
            await told(connector)


def _described(answer: Any, described: Any) -> Any:
    if isinstance(answer.value, dict) and answer.value.get("name") == "Contact":
        answer.value = described
    return answer


async def test_a_merge_is_followed_and_what_left_the_scope_has_left() -> None:
    collection = {"changed_at": None, "where": "Phone = null"}
    async with acme(collection=collection, watch=LISTED["watch"]) as (salesforce, connector):
        winner, loser, other = (person(salesforce, number) for number in range(3))
        _, cursor, _ = await told(connector)
        salesforce.org.merge("Contact", winner, loser)
        salesforce.org.update("Contact", other, {"Phone": "1"})
        found, _, _ = await told(connector, cursor)
        [lost] = [one for one in found if one.id == loser]
        assert (lost.gone, lost.merged_into) == (True, winner)
        assert [one.id for one in found].index(loser) < len(found) - 1 - [one.id for one in found][::-1].index(winner)
        assert [one.left for one in found if one.id == other] == [True]


async def test_in_a_whole_syncd_edits_and_deletes_are_noticed(company: Company) -> None:
    polled(company, ", changed_at: null")
    ids = [company.person(number) for number in range(3)]
    async with daemon(company.world):
        await until(lambda: all(company.erp(number).get("email") for number in range(3)))
        company.salesforce.org.update("Contact", ids[0], {"LastName": "Edited"})
        company.salesforce.org.delete("Contact", ids[1])
        await until(lambda: company.erp(0).get("name") == "Edited" and not company.erp(1))
        company.edit_erp(2, limit="7.50")
        await until(lambda: str(company.row(ids[2])["Credit_Limit__c"]) == "7.50")
        await company.quiet()
        await asyncio.sleep(0.3)
    assert (company.salesforce.writes, attempts(company)) == (1, 1)
