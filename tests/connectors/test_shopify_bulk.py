"""Bulk operations that cannot start yet, or never: how long that is waited for, and what is said of it."""

from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from syncd.connectors.body import Parsed
from syncd.connectors.graphql_call import Answered
from syncd.connectors.http import Reply
from syncd.connectors.shape import Shape
from syncd.connectors.shopify import KIND
from syncd.connectors.shopify.bulk import LONGEST, TRIES, BulkRead
from syncd.connectors.shopify.listing import Reader
from syncd.connectors.shopify.objects import KINDS
from syncd.connectors.shopify.selection import Selection
from syncd.errors import PermanentError, TransientError
from tests.connectors.contract import setup_for

GID = "gid://shopify/BulkOperation/1"
BUSY = {"userErrors": [{"message": "one is under way", "code": "OPERATION_IN_PROGRESS"}], "bulkOperation": None}
BEGUN = {"userErrors": [], "bulkOperation": {"id": GID, "status": "CREATED"}}


class Told:
    """A shop that answers what it is told to: to starts and to looks, the last one again and again."""

    def __init__(self, starts: list[Any], looks: list[Any]) -> None:
        self.starts, self.looks = starts, looks
        self.slept: list[float] = []

    def answered(self, data: dict[str, Any]) -> Answered:
        reply = Reply(200, CIMultiDictProxy(CIMultiDict()), b"", URL("http://x/"), "POST /", 1, 1)
        return Answered(data, {}, (), Parsed(data, clean=True), reply)

    async def send(self, document: str, variables: dict[str, Any]) -> Answered:
        return self.answered({"bulk": self.starts.pop(0) if len(self.starts) > 1 else self.starts[0]})

    async def read(self, document: str, variables: dict[str, Any]) -> Answered:
        return self.answered({"bulkOperation": self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]})

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def reading(told: Told) -> BulkRead:
    options = {"object": "Product", "id": "id"}
    setup = setup_for(KIND, connection={"shop": "127.0.0.1:1", "token": "x"}, collections={"things": options})
    reader = Reader(told, KINDS["Product"], Selection("Product", ["title"]), Shape("there", "things", "id"), max_cost=1000)  # type: ignore[arg-type]
    return BulkRead(told, setup, reader, sleep=told.sleep)  # type: ignore[arg-type]


async def test_it_waits_for_its_place_and_looks_less_and_less_often() -> None:
    looks = [*[{"status": "RUNNING"}] * 7, {"status": "COMPLETED", "url": None, "rootObjectCount": "0"}]
    told = Told([BUSY, BUSY, BEGUN], looks)
    [page] = [page async for page in reading(told).pages(None)]
    assert (page.last, page.complete) == (True, True)
    assert told.slept == [LONGEST, LONGEST, 1, 2, 4, 8, 16, 30, 30]


async def test_a_shop_that_never_has_a_place_is_in_trouble() -> None:
    told = Told([BUSY], [])
    with pytest.raises(TransientError, match="one is under way"):
        [page async for page in reading(told).pages(None)]
    assert len(told.slept) == TRIES


@pytest.mark.parametrize(
    "start", [{"userErrors": [{"message": "bad query", "code": "INVALID"}], "bulkOperation": None}, {"userErrors": []}]
)
async def test_a_query_that_is_refused_is_told(start: dict[str, Any]) -> None:
    with pytest.raises(PermanentError, match="the shop does not run it"):
        [page async for page in reading(Told([start], [])).pages(None)]


@pytest.mark.parametrize("status", ["FAILED", "CANCELED", "CANCELING", "EXPIRED"])
async def test_what_did_not_come_to_its_end_is_no_evidence(status: str) -> None:
    look = {"status": status, "errorCode": "TIMEOUT", "url": None, "partialDataUrl": "http://127.0.0.1:1/never"}
    [page] = [page async for page in reading(Told([BEGUN], [look])).pages(None)]
    assert (page.last, page.complete, page.why) == (True, False, f"the bulk operation is {status} (TIMEOUT)")


async def test_less_than_the_shop_counted_is_no_evidence() -> None:
    look = {"status": "COMPLETED", "url": None, "rootObjectCount": "5"}
    [page] = [page async for page in reading(Told([BEGUN], [look])).pages(None)]
    assert (page.complete, page.why) == (False, "the shop says 5, 0 came")


async def test_an_operation_that_the_shop_forgot_is_trouble() -> None:
    with pytest.raises(TransientError, match="does not know"):
        [page async for page in reading(Told([BEGUN], [None])).pages(None)]
