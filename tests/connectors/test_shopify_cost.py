"""The shop's points: learnt from its answers, waited for before they run out, shared by all calls."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from syncd.connectors.body import Parsed
from syncd.connectors.graphql_call import Answered
from syncd.connectors.http import Reply
from syncd.connectors.shopify.cost import Bucket, status_of
from syncd.errors import TransientError


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


def said(available: float, *, requested: float | None = 10, maximum: float = 1000, restore: float = 50) -> Answered:
    """Return an answer that says this of the bucket."""
    status = {"maximumAvailable": Decimal(maximum), "currentlyAvailable": available, "restoreRate": Decimal(restore)}
    reply = Reply(200, CIMultiDictProxy(CIMultiDict()), b"", URL("http://x/"), "POST /", 1, 1)
    return Answered(
        {}, {"cost": {"requestedQueryCost": requested, "throttleStatus": status}}, (), Parsed({}, clean=True), reply
    )


async def call(bucket: Bucket, estimate: float, answer: Answered, document: str = "q") -> None:
    async with bucket.spent(document, estimate):
        bucket.heed(document, answer, estimate)


async def test_nothing_is_held_back_until_the_shop_has_said_something() -> None:
    time = Time()
    await call(Bucket(now=time, sleep=time.sleep), 10_000, said(900))
    assert time.slept == []


async def test_a_call_waits_until_there_is_enough() -> None:
    time = Time()
    bucket = Bucket(now=time, sleep=time.sleep)
    await call(bucket, 10, said(50, requested=10))
    await call(bucket, 150, said(0, requested=150))
    assert time.slept == [2.0], "100 points are missing, 50 come back in a second"
    time.now += 1
    await call(bucket, 50, said(0, requested=50))
    assert time.slept == [2.0], "they had come back by themselves"


async def test_what_a_document_really_costs_is_learnt_also_for_other_sizes() -> None:
    time = Time()
    bucket = Bucket(now=time, sleep=time.sleep)
    await call(bucket, 10, said(100, requested=20))
    await call(bucket, 100, said(0, requested=200))
    assert time.slept == [2.0], "it costs twice what we count"


async def test_several_calls_share_what_there_is() -> None:
    time = Time()
    bucket = Bucket(now=time, sleep=time.sleep)
    await call(bucket, 10, said(100, requested=10))
    async with bucket.spent("q", 60), bucket.spent("q", 60):
        assert time.slept == [0.4], "the second lacks 20"
        bucket.heed("q", said(80, requested=60), 60)
        async with bucket.spent("q", 60):
            assert time.slept == [0.4, 0.8], "of 80, 60 are on their way to the other call"


async def test_a_query_dearer_than_the_bucket_waits_for_a_full_one() -> None:
    time = Time()
    bucket = Bucket(now=time, sleep=time.sleep)
    await call(bucket, 10, said(0, requested=10, maximum=100))
    await call(bucket, 5000, said(0, requested=5000, maximum=100))
    assert time.slept == [2.0]


async def test_a_long_wait_is_handed_on() -> None:
    time = Time()
    bucket = Bucket(now=time, sleep=time.sleep)
    await call(bucket, 10, said(0, requested=10, restore=1))
    with pytest.raises(TransientError) as caught:
        await call(bucket, 500, said(0))
    assert (caught.value.status, caught.value.retry_after, caught.value.about_record) == (429, 500.0, False)
    assert time.slept == []


async def test_a_call_that_fails_gives_its_place_back() -> None:
    time = Time()
    bucket = Bucket(now=time, sleep=time.sleep)
    await call(bucket, 10, said(1000))
    for _ in range(3):
        with pytest.raises(asyncio.CancelledError):
            async with bucket.spent("q", 100):
                raise asyncio.CancelledError
    await call(bucket, 10, said(1000))
    await call(bucket, 1000, said(0))
    assert time.slept == []


@pytest.mark.parametrize(
    "extensions",
    [
        {},
        {"cost": None},
        {"cost": {"throttleStatus": {}}},
        {"cost": {"throttleStatus": {"maximumAvailable": "x", "currentlyAvailable": 1, "restoreRate": 1}}},
        {"cost": {"throttleStatus": {"maximumAvailable": 10, "currentlyAvailable": 1, "restoreRate": 0}}},
        {"cost": {"throttleStatus": {"maximumAvailable": 10, "currentlyAvailable": True, "restoreRate": 1}}},
    ],
)
def test_nonsense_is_no_word(extensions: dict[str, Any]) -> None:
    assert status_of(extensions) is None


def test_how_long_to_wait_is_told_where_it_is_known() -> None:
    status = status_of(said(10, requested=110, restore=50).extensions)
    assert status is not None
    assert status.wait == 2.0
    none = status_of(said(10, requested=None, maximum=1000, restore=10).extensions)
    assert none is not None
    assert none.wait == 9.0, "a tenth of the bucket is waited for where the cost is not known"
