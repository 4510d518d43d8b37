"""An organisation whose filters know whole seconds only, as the documentation says of them: nothing is lost, all ends."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from syncd.connectors.protocol import Batch
from tests.connectors.salesforce_world import acme
from tests.connectors.test_salesforce import person, polled
from tests.emulators.salesforce.server import Fault
from tests.emulators.salesforce.values import Refused

POLL = {"poll": {"every": "1m", "overlap": "0s"}}
SAME = datetime(2026, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC)  # the second is older than any overlap


async def test_a_load_within_one_second_goes_on_when_its_place_was_given_up() -> None:
    """A filter that is cut shows the page before again; the next place in it leads on."""
    async with asyncio.timeout(10), acme(watch=POLL) as (salesforce, connector):
        salesforce.data.whole_seconds, salesforce.data.page = True, 3
        salesforce.org.clock = lambda: SAME
        made = [person(salesforce, number) for number in range(10)]
        salesforce.org.clock = lambda: datetime.now(UTC)
        lost = Refused("INVALID_QUERY_LOCATOR", "invalid query locator")
        salesforce.faults.append(Fault(lambda one: "-6" in one.path, refused=lost))
        found, _ = await polled(connector)
        assert {one.id for one in found} == set(made)
        assert salesforce.faults == []


async def test_a_load_of_whole_stamps_that_is_killed_after_each_page_still_ends() -> None:
    """Only of whole ones: a cut filter finds a stamp with a fraction again, so the same page comes after each kill."""
    async with asyncio.timeout(10), acme(watch=POLL) as (salesforce, connector):
        salesforce.data.whole_seconds, salesforce.data.page = True, 4
        made = []
        for second in range(3):
            salesforce.org.clock = lambda second=second: SAME.replace(second=second, microsecond=0)  # type: ignore[misc]
            made += [person(salesforce, 4 * second + number) for number in range(4)]
        salesforce.org.clock = lambda: datetime.now(UTC)
        seen: set[str] = set()
        cursor: str | None = None
        for _ in range(12):
            feed: AsyncIterator[Batch] = aiter(connector.changes("contacts", cursor))
            batch = await anext(feed, None)
            await feed.aclose()  # type: ignore[attr-defined]
            if batch is None:
                break
            seen |= {one.id for one in batch.changes}
            cursor = batch.cursor
        assert seen == set(made)


@pytest.mark.parametrize("micros", [0, 1000, 999_000])
async def test_an_edit_within_the_second_of_the_cursor_is_seen(micros: int) -> None:
    async with acme(watch=POLL) as (salesforce, connector):
        salesforce.data.whole_seconds = True
        salesforce.org.clock = lambda: SAME.replace(microsecond=micros)
        _, two = person(salesforce, 1), person(salesforce, 2)
        _, cursor = await polled(connector)
        salesforce.org.clock = lambda: SAME.replace(microsecond=999_000)
        salesforce.org.update("Contact", two, {"LastName": "Later"})
        found, _ = await polled(connector, cursor)
        last = [change.item for change in found if change.id == two]
        assert last
        assert last[-1] is not None
        assert last[-1]["LastName"] == "Later"
